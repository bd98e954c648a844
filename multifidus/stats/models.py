"""A linear mixed model of a study's values: subjects are random, timepoints and places fixed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.anatomy import Level
from multifidus.errors import StatisticsError
from multifidus.stats.pairs import Choice, levels_away, operated_levels, zone_of
from multifidus.stats.quantiles import t_quantile
from multifidus.stats.ratings import LEVEL
from multifidus.stats.values import Value, is_grade

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

OPTIMISERS = ("lbfgs", "bfgs", "cg", "powell")
"""Tried in this order until one converges; which one did is said."""

LEAST_SUBJECTS = 3

_NO_VARIANCE = 1e-6
"""A variance between subjects below this share of the residual one is none."""


@dataclass(frozen=True, slots=True)
class Term:
    """One fixed effect.

    Parameters
    ----------
    name
        Such as ``post``, ``remote``, or ``post x remote`` for how much more the one changed.
    estimate, se
        In the quantity's unit.
    df
        Degrees of freedom, divided between and within subjects (Schluchter and Elashoff 1990, J
        Stat Comput Simul 37: 69-87); NaN where none are left.
    ci95, p
        By Student's t with these.
    """

    name: str
    estimate: float
    se: float
    df: float
    ci95: tuple[float, float]
    p: float


@dataclass(frozen=True, slots=True)
class MixedModel:
    """A fitted model.

    Parameters
    ----------
    quantity, method, structure, factor
        Of what, and what is fixed beside the timepoint; empty where nothing is.
    n_subjects, n_values, n_missing
        What entered, and how many values a full table would have had more.
    terms
        Fixed effects, the intercept first: the first timepoint at the first place.
    sd_subjects, sd_residual
        Standard deviations of the random intercept and of the rest.
    optimiser
        Which one converged.
    problems
        What a reader must know.
    reference
        Timepoint and place that the others are compared with.
    entered
        Which values entered.
    """

    quantity: str
    method: str
    structure: str
    factor: str
    n_subjects: int
    n_values: int
    n_missing: int
    terms: tuple[Term, ...]
    sd_subjects: float
    sd_residual: float
    optimiser: str
    problems: tuple[str, ...]
    reference: tuple[str, str] = ("", "")
    entered: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """A random-intercept model of plain numbers; fields as those of :class:`MixedModel`."""

    terms: tuple[Term, ...]
    sd_subjects: float
    sd_residual: float
    optimiser: str
    problems: tuple[str, ...]


def fit_random_intercept(
    response: ArrayLike, design: ArrayLike, names: Sequence[str], subjects: Sequence[str]
) -> Fit:
    """Fit a linear model with a random intercept for each subject, by restricted likelihood.

    Parameters
    ----------
    response
        Shape (n,).
    design, names
        Fixed effects, shape (n, p), and what its columns are called.
    subjects
        Whose each value is.

    Raises
    ------
    StatisticsError
        If there are too few subjects, no repeated value, columns that say the same, no residual,
        or no optimiser converges. There is no other model to fall back to.
    """
    values, columns = np.asarray(response, float), np.asarray(design, float)
    _check(values, columns, names, subjects)
    # Sizes of about 1 keep the optimisers' stopping rules meaningful.
    scale = float(values.std()) or 1.0
    fitted, optimiser, failed = _converged(values / scale, columns, subjects)
    variance = max(float(fitted.cov_re[0, 0]), 0.0)
    problems = [f"{', '.join(failed)} did not converge; {optimiser} did."] if failed else []
    if variance < _NO_VARIANCE * float(fitted.scale):
        variance = 0.0
        problems.append(
            "Subjects differ no more than their own values do: the variance between them is 0, "
            "and the model is an ordinary regression."
        )
    dfs = _degrees_of_freedom(columns, subjects)
    estimates = np.asarray(fitted.fe_params) * scale
    errors = np.asarray(fitted.bse_fe) * scale
    return Fit(
        terms=tuple(
            _term(name, float(estimate), float(error), df)
            for name, estimate, error, df in zip(names, estimates, errors, dfs, strict=True)
        ),
        sd_subjects=math.sqrt(variance) * scale,
        sd_residual=math.sqrt(float(fitted.scale)) * scale,
        optimiser=optimiser,
        problems=tuple(problems),
    )


def _check(values: Array, columns: Array, names: Sequence[str], subjects: Sequence[str]) -> None:
    people = len(set(subjects))
    if people < LEAST_SUBJECTS:
        have = "1 subject is" if people == 1 else f"{people} subjects are"
        msg = f"{have} too few for a mixed model; {LEAST_SUBJECTS} are needed."
        raise StatisticsError(msg)
    if len(values) <= people + columns.shape[1] - 1:
        msg = f"{len(values)} values of {people} subjects leave nothing to estimate errors from."
        raise StatisticsError(msg, remedy="Each subject needs values at several timepoints.")
    rank = np.linalg.matrix_rank(columns)
    if rank < columns.shape[1]:
        msg = f"Not every combination of {', '.join(names[1:])} has values."
        raise StatisticsError(msg, remedy="Leave out the timepoint or place that lacks them.")
    rest = values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]
    if np.abs(rest).max() <= 1e-12 * max(float(np.abs(values).max()), 1e-300):
        msg = "The fixed effects say every value exactly; nothing varies."
        raise StatisticsError(msg)


def _converged(
    values: Array, columns: Array, subjects: Sequence[str]
) -> tuple[Any, str, list[str]]:
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM
    except ImportError:
        msg = "A mixed model needs statsmodels, which is not installed."
        raise StatisticsError(msg, remedy="pip install 'multifidus[stats]'") from None
    failed: list[str] = []
    for name in OPTIMISERS:
        try:
            # Its warnings are of convergence and of variances at 0, and both are said below.
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                fitted = MixedLM(values, columns, groups=np.asarray(subjects)).fit(
                    reml=True, method=name
                )
        except (np.linalg.LinAlgError, ValueError):
            failed.append(name)
            continue
        if fitted.converged and np.isfinite(fitted.bse_fe).all():
            return fitted, name, failed
        failed.append(name)
    msg = f"The mixed model did not converge by any of {', '.join(failed)}."
    raise StatisticsError(msg, remedy="Look at the paired tests, which need no convergence.")


def _degrees_of_freedom(columns: Array, subjects: Sequence[str]) -> list[float]:
    """Divide them: what varies within a subject is judged by the rest within subjects."""
    whose = np.asarray(subjects)
    people = sorted(set(subjects))
    within = [any(np.ptp(column[whose == name]) > 0 for name in people) for column in columns.T]
    inside = len(columns) - len(people) - sum(within)
    outside = len(people) - (len(within) - sum(within))
    return [float(df) if df > 0 else math.nan for df in (inside if w else outside for w in within)]


def _term(name: str, estimate: float, error: float, df: float) -> Term:
    from scipy.stats import t

    if math.isnan(df):
        return Term(name, estimate, error, df, (math.nan, math.nan), math.nan)
    half = t_quantile((1 + LEVEL) / 2, df) * error
    p = float(2 * t.sf(abs(estimate / error), df)) if error else math.nan
    return Term(name, estimate, error, df, (estimate - half, estimate + half), p)


FACTORS = ("zone", "level", "side")
"""What may be fixed beside the timepoint; other names are columns of the table."""


def model_changes(
    values: Iterable[Value],
    timepoints: Sequence[str],
    factor: str = "",
    choice: Choice = Choice(),  # noqa: B008
) -> tuple[list[MixedModel], list[str]]:
    """Model every quantity of every structure over the timepoints.

    A random intercept for each subject; timepoint, factor and their product are fixed. A subject
    that gives a cell several muscles enters with their mean. Subjects that lack a cell stay in,
    which is right where what is missing does not depend on what it would have been.

    Parameters
    ----------
    values
        Of a study.
    timepoints
        In order; the first is what others are compared with.
    factor
        ``zone``, ``level``, ``side``, another column of the table, or nothing.
    choice
        Whose value enters.

    Returns
    -------
    tuple
        The models, and why others are missing.

    Raises
    ------
    StatisticsError
        If no value has the factor, or it is not clear whose value to take.
    """
    items = tuple(values)
    operated = operated_levels(items, timepoints[0], timepoints[-1])
    groups: dict[tuple[str, str, str], dict[tuple[str, str, str], list[float]]] = {}
    rules: dict[tuple[str, str, str], dict[str, None]] = {}
    for readings in _by_exam(items, timepoints):
        one = readings[0]
        place = _place(one, factor, operated) if factor else ""
        if (factor and not place) or is_grade(one.quantity):
            continue
        taken = choice.of(readings)
        chosen = [item.value for item in taken]
        if chosen and all(map(math.isfinite, chosen)):
            what = (one.quantity, one.method, one.structure)
            rules.setdefault(what, {choice.rule: None})[taken[0].rule] = None
            cells = groups.setdefault(what, {})
            cells.setdefault((one.subject, one.timepoint, place), []).append(
                math.fsum(chosen) / len(chosen)
            )
    if factor and not groups:
        msg = f"No value of the table has a {factor}."
        raise StatisticsError(msg, remedy=f"Choose {', '.join(FACTORS)} or a column of the table.")
    models: list[MixedModel] = []
    problems: list[str] = []
    for what, cells in sorted(groups.items()):
        try:
            entered = "; ".join(filter(None, rules[what]))
            models.append(replace(_model(what, factor, cells, timepoints), entered=entered))
        except StatisticsError as error:
            problems.append(f"Mixed model of {' '.join(filter(None, what))}: {error}")
    return models, problems


def _by_exam(items: Iterable[Value], timepoints: Sequence[str]) -> Iterable[list[Value]]:
    """Gather the readings of each exam's quantities, muscle by muscle."""
    found: dict[tuple[str, ...], list[Value]] = {}
    for item in items:
        if item.timepoint in timepoints:
            key = (item.subject, item.timepoint, item.structure, item.level, item.side,
                   item.quantity, item.method)  # fmt: skip
            found.setdefault(key, []).append(item)
    return found.values()


def _place(item: Value, factor: str, operated: dict[str, str]) -> str:
    if factor == "zone":
        return zone_of(levels_away(item.level, operated[item.subject]))
    return str(getattr(item, factor)) if factor in FACTORS else item.extra.get(factor, "").strip()


def _model(
    what: tuple[str, str, str],
    factor: str,
    cells: dict[tuple[str, str, str], list[float]],
    timepoints: Sequence[str],
) -> MixedModel:
    places = _in_order({place for _, _, place in cells})
    rows = sorted(cells)
    names, columns = _design(rows, timepoints, places)
    subjects = [subject for subject, _, _ in rows]
    fit = fit_random_intercept([np.mean(cells[row]) for row in rows], columns, names, subjects)
    people = set(subjects)
    # A place that a subject has at no timepoint, such as another approach, is not missing.
    full = len(timepoints) * len({(subject, place) for subject, _, place in rows})
    several = any(len(cells[row]) > 1 for row in rows)
    note = ("Subjects that give a cell several muscles enter with their mean.",) if several else ()
    quantity, method, structure = what
    return MixedModel(
        quantity=quantity,
        method=method,
        structure=structure,
        factor=factor,
        n_subjects=len(people),
        n_values=len(rows),
        n_missing=full - len(rows),
        terms=fit.terms,
        sd_subjects=fit.sd_subjects,
        sd_residual=fit.sd_residual,
        optimiser=fit.optimiser,
        problems=(*fit.problems, *note),
        reference=(timepoints[0], places[0]),
    )


def _in_order(places: set[str]) -> list[str]:
    for order in (("operated", "adjacent", "remote"), tuple(level.value for level in Level)):
        if places <= set(order):
            return [place for place in order if place in places]
    return sorted(places)


def _design(
    rows: Sequence[tuple[str, str, str]], timepoints: Sequence[str], places: Sequence[str]
) -> tuple[list[str], Array]:
    """Code each timepoint and place but the first as 0 or 1, and their products."""
    names, columns = ["intercept"], [np.ones(len(rows))]
    later = [(name, [when == name for _, when, _ in rows]) for name in timepoints[1:]]
    others = [(name, [place == name for _, _, place in rows]) for name in places[1:]]
    for name, column in (*later, *others):
        names.append(name)
        columns.append(np.array(column, float))
    for when, one in later:
        for place, other in others:
            names.append(f"{when} x {place}")
            columns.append(np.array(one, float) * np.array(other, float))
    return names, np.stack(columns, axis=1)
