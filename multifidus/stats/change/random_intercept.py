"""A linear model with a random intercept for each subject, and tests that hold in few subjects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.sums import dot, gram, times
from multifidus.errors import StatisticsError
from multifidus.stats.distributions import t_quantile
from multifidus.stats.reliability.ratings import TAIL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

LEAST_SUBJECTS = 3

MOST_STEPS = 100
"""Of the search for the ratio of the two variances; it takes about twenty."""

OPTIMISER = "bounded Brent"

_LOG_RATIOS = np.linspace(-6.0, 6.0, 25)
"""Decimal logarithms of the variance between subjects over the residual one: where to look."""

_ROUNDING = 1e-12
"""A residual or standard error below this share of the values is rounding alone."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fixed effect is of; with neither it is the intercept.

    Parameters
    ----------
    timepoint
        Whose change from the first timepoint it is; empty for the first timepoint itself.
    place
        What is compared with the first place, or whose mean it is; empty for the first place.
    """

    timepoint: str = ""
    place: str = ""

    def named(self, times: str = "x") -> str:
        """Name it: ``post``, ``remote``, or ``post x remote`` for how much more the one changed.

        Parameters
        ----------
        times
            The sign of an interaction.
        """
        return f" {times} ".join(filter(None, (self.timepoint, self.place))) or "intercept"


@dataclass(frozen=True, slots=True)
class Term:
    """One fixed effect with its test.

    Parameters
    ----------
    effect
        Of what.
    estimate, se
        In the quantity's unit; the standard error is robust (CR2).
    df
        Satterthwaite's degrees of freedom of that error; NaN where it is none.
    ci95, p
        By Student's t with these.
    """

    effect: Effect
    estimate: float
    se: float
    df: float
    ci95: tuple[float, float]
    p: float

    @property
    def name(self) -> str:
        """What it is called in plain text."""
        return self.effect.named()


@dataclass(frozen=True, slots=True)
class Fit:
    """A random-intercept model of plain numbers.

    Parameters
    ----------
    terms
        Fixed effects.
    sd_subjects, sd_residual
        Standard deviations of the random intercept and of the rest. Where every subject has one
        value they are one, ``sd_residual``, and the other is NaN.
    """

    terms: tuple[Term, ...]
    sd_subjects: float
    sd_residual: float


@dataclass(frozen=True, slots=True)
class _Groups:
    """Values and design by subject: numbers, and how many values each has."""

    values: Array
    columns: Array
    whose: NDArray[np.intp]
    sizes: Array

    def totals(self, rows: Array) -> Array:
        """Sum rows, shape (n, p), by subject."""
        columns = [np.bincount(self.whose, column, len(self.sizes)) for column in rows.T]
        return np.stack(columns, axis=1)


def fit_random_intercept(
    response: ArrayLike, design: ArrayLike, effects: Sequence[Effect], subjects: Sequence[str]
) -> Fit:
    """Fit a linear model with a random intercept for each subject, by restricted likelihood.

    The variances weigh the subjects. Standard errors do not rest on them: they are the
    bias-reduced robust ones by subject (CR2: Bell and McCaffrey 2002, Survey Methodology 28:
    169-181; Pustejovsky and Tipton 2018, doi:10.1080/07350015.2016.1247004), with Satterthwaite's
    degrees of freedom, so that values of one subject may vary together in other ways too. In
    balanced tables the tests are the paired t tests of the subjects' means.

    Parameters
    ----------
    response
        Shape (n,).
    design, effects
        Fixed effects, shape (n, p), and of what its columns are.
    subjects
        Whose each value is.

    Raises
    ------
    StatisticsError
        If there are too few subjects or values, columns that say the same, no residual, or the
        search for the variances does not converge. There is no other model to fall back to.
    """
    values, columns = np.asarray(response, float), np.asarray(design, float)
    _check(values, columns, [effect.named() for effect in effects], subjects)
    scale = float(np.abs(values).max())
    _, whose, sizes = np.unique(np.asarray(subjects), return_inverse=True, return_counts=True)
    groups = _Groups(values / scale, columns, whose.ravel(), sizes.astype(float))
    ratio = _variance_ratio(groups) if sizes.max() > 1 else 0.0
    estimates, residual, white = _whitened(groups, ratio)
    variance = dot(residual, residual) / (len(values) - columns.shape[1])
    errors, dfs = _robust(groups, white, residual)
    return Fit(
        terms=tuple(
            _term(effect, float(estimate), float(error), float(df), scale)
            for effect, estimate, error, df in zip(effects, estimates, errors, dfs, strict=True)
        ),
        sd_subjects=math.sqrt(ratio * variance) * scale if sizes.max() > 1 else math.nan,
        sd_residual=math.sqrt(variance) * scale,
    )


def _check(values: Array, columns: Array, names: Sequence[str], subjects: Sequence[str]) -> None:
    people = len(set(subjects))
    if people < LEAST_SUBJECTS:
        have = "1 subject is" if people == 1 else f"{people} subjects are"
        msg = f"{have} too few for a mixed model; {LEAST_SUBJECTS} are needed."
        raise StatisticsError(msg)
    if len(values) <= columns.shape[1]:
        msg = f"{len(values)} values leave nothing to estimate errors of {', '.join(names)} from."
        raise StatisticsError(msg, remedy="Measure more subjects, or compare fewer places.")
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        msg = f"Not every combination of {', '.join(names[1:])} has values."
        raise StatisticsError(msg, remedy="Leave out the timepoint or place that lacks them.")
    rest = values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]
    if np.abs(rest).max() <= _ROUNDING * max(float(np.abs(values).max()), 1e-300):
        msg = "The fixed effects say every value exactly; nothing varies."
        raise StatisticsError(msg)


def _variance_ratio(groups: _Groups) -> float:
    """Find the variance between subjects over the residual one, by restricted likelihood.

    Patterson and Thompson 1971 (doi:10.1093/biomet/58.3.545), all but the ratio profiled out. It
    is looked for on a grid first: the likelihood may have two maxima.
    """
    from scipy.optimize import minimize_scalar

    start = np.asarray(np.linalg.lstsq(groups.columns, groups.values, rcond=None)[0], float)
    rest: Array = groups.values - times(groups.columns, start)
    both = np.column_stack([groups.columns, rest])
    whole, totals = gram(both, both), groups.totals(both)

    squares = (totals[:, :, None] * totals[:, None, :]).reshape(len(totals), -1)
    free = len(rest) - groups.columns.shape[1]

    def deviance(ratios: Array) -> Array:
        """Return minus twice the log likelihood, but for a constant, at each ratio."""
        spread = 1 + np.outer(groups.sizes, ratios)
        left = whole - gram(ratios / spread, squares).reshape(-1, *whole.shape)
        fixed, cross, square = left[:, :-1, :-1], left[:, :-1, -1], left[:, -1, -1]
        size = np.linalg.slogdet(fixed)[1]
        explained = np.einsum("gi,gi->g", cross, np.linalg.solve(fixed, cross[..., None])[..., 0])
        found: Array = free * np.log(square - explained) + np.log(spread).sum(axis=0) + size
        return found

    tried = deviance(10.0**_LOG_RATIOS)
    best = int(np.argmin(tried))
    ends = _LOG_RATIOS[max(best - 1, 0)], _LOG_RATIOS[min(best + 1, len(_LOG_RATIOS) - 1)]
    found = minimize_scalar(
        lambda power: float(deviance(np.array([10.0**power]))[0]),
        bounds=ends,
        method="bounded",
        options={"maxiter": MOST_STEPS, "xatol": 1e-5},
    )
    if not (found.success and math.isfinite(found.fun)):
        msg = f"The mixed model did not converge in {MOST_STEPS} steps."
        raise StatisticsError(msg, remedy="Look at the paired tests, which need no convergence.")
    alike = float(deviance(np.zeros(1))[0]) <= found.fun
    return 0.0 if alike else 10.0 ** float(found.x)


def _whitened(groups: _Groups, ratio: float) -> tuple[Array, Array, Array]:
    """Return estimates, and residuals and design in which values of a subject are independent."""
    share = (1 - 1 / np.sqrt(1 + groups.sizes * ratio))[:, None] / groups.sizes[:, None]
    both = np.column_stack([groups.columns, groups.values])
    white = both - (share * groups.totals(both))[groups.whose]
    design, response = white[:, :-1], white[:, -1]
    estimates = np.asarray(np.linalg.lstsq(design, response, rcond=None)[0], float)
    rest: Array = response - times(design, estimates)
    return estimates, rest, design


def _robust(groups: _Groups, design: Array, residual: Array) -> tuple[Array, Array]:
    """Return standard errors (CR2) and their degrees of freedom (Satterthwaite).

    Each subject's residuals are turned by the inverse root of what fitting leaves of their
    covariance. The error's square is a sum of squares of linear forms in the values; its first two
    moments under the model give the degrees of freedom.
    """
    order = np.argsort(groups.whose, kind="stable")
    sizes = groups.sizes.astype(int)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    where = groups.whose[order], place
    # Subjects side by side, those of fewer values padded with rows of 0, which change nothing.
    rows = np.zeros((len(sizes), sizes.max(), design.shape[1]))
    rest = np.zeros(rows.shape[:2])
    rows[where], rest[where] = design[order], residual[order]
    bread = np.linalg.inv(gram(design, design))
    fitted = rows @ bread @ rows.transpose(0, 2, 1)
    left, turn = np.linalg.eigh(np.eye(rows.shape[1]) - fitted)
    root = np.where(left > 1e-9, 1 / np.sqrt(np.maximum(left, 1e-9)), 0.0)  # noqa: PLR2004
    # Linear forms of each subject, shape (subjects, values, terms).
    forms = (turn * root[:, None]) @ (turn.transpose(0, 2, 1) @ rows @ bread)
    variance = (np.einsum("cmp,cm->cp", forms, rest) ** 2).sum(axis=0)
    own = (forms**2).sum(axis=1)
    mixed = np.einsum("cmq,cmp->pcq", rows, forms)
    shared = np.einsum("pcq,qr,pdr->pcd", mixed, bread, mixed)
    dfs = []
    for one, two in zip(own.T, shared, strict=True):
        moments = np.diag(one) - two
        square = float((moments**2).sum())
        dfs.append(float(np.trace(moments)) ** 2 / square if square > 0 else math.nan)
    return np.sqrt(variance), np.array(dfs)


def _term(  # noqa: PLR0917 - what a term is made of
    effect: Effect, share: float, error: float, df: float, scale: float
) -> Term:
    """Test one estimate, given with its error as shares of the values' scale."""
    from scipy.special import stdtr

    estimate = share * scale
    if math.isnan(df) or error <= _ROUNDING:
        return Term(effect, estimate, math.nan, math.nan, (math.nan, math.nan), math.nan)
    half = t_quantile(TAIL, df) * error * scale
    p = float(2 * stdtr(df, -abs(share / error)))
    return Term(effect, estimate, error * scale, df, (estimate - half, estimate + half), p)
