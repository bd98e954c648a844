"""The bias field of an exam, fitted to lean muscle and to fat at once.

Where a sample is lean muscle the logarithm of its signal is the field's plus that of lean muscle,
where it is fat, plus that of fat. Which of these a sample is follows from the fit, and the fit from
that: expectation and maximisation (Dempster et al. 1977, doi:10.1111/j.2517-6161.1977.tb01600.x)
with a uniform class for what is mixed. That lean muscle and fat share one field is the idea of
Wells et al. 1996 (doi:10.1109/42.511747).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.sums import dot, times
from multifidus.measuring.fat.signal.samples import Kind, Samples, Scale
from multifidus.measuring.fat.signal.slice_equations import SliceEquations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FIELD_SD = (0.6, 0.6, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2)
"""Prior standard deviations of the coefficients of x, y, xx, xy, yy, xxx, xxy, xyy, yyy."""

SLICE_SD = (0.15, 0.06, 0.06)
"""Those of each slice's own offset and slopes along x and y."""

OUTLINE_SD = 0.3
"""That of an outline's own level: a muscle tells the field its shape, never its level."""

LEAN_SPREAD, LEAST_LEAN_SPREAD, FAT_SPREAD = 0.05, 0.06, 0.06
"""Standard deviation of the logarithm of lean and of fat signal from sample to sample."""

PRIOR_SAMPLES = 5
"""As many samples of ``LEAN_SPREAD`` are counted with each muscle's own."""

LEAN_SHARE, FAT_SHARE, MIXED_DENSITY = 0.7, 0.7, 0.15
"""Prior shares: lean of muscle's samples, fat of those around; and the density of the mixed class
times the logarithm of fat over lean signal."""

WIDEST, NARROWING = 2.5, 0.2
"""Classes are at first this many times as wide, and this much less in each round."""

ROUNDS, ENOUGH = 30, 1e-3

COMMON = 11
"""Parameters that all slices share: nine of the field, and the logarithms of both levels."""

OWN = len(SLICE_SD)


@dataclass(frozen=True, slots=True, eq=False)
class JointField:
    """The field, with both tissues' levels.

    Parameters
    ----------
    parameters
        Nine coefficients of the field, the logarithms of lean and fat signal, three for each slice
        (offset, slopes along x and y), then each muscle's own level.
    covariance
        Of what a slice's field and levels depend on: the first eleven parameters and the slice's
        own three, (slices, 14, 14).
    muscles
        Numbers of the muscles' outlines, in the order of their levels.
    rounds
        Rounds until nothing changed.
    """

    parameters: Array
    covariance: Array
    muscles: tuple[int, ...]
    rounds: int

    @property
    def lean_log(self) -> float:
        """Logarithm of the signal of lean muscle where the field is 1."""
        return float(self.parameters[9])

    @property
    def fat_log(self) -> float:
        """The same of fat."""
        return float(self.parameters[10])

    def log_gain(self, x: Array, y: Array, view: int) -> Array:
        """Return the logarithm of the field at places of a slice, of any shape."""
        offset, right, back = self.parameters[COMMON + 3 * view : COMMON + 3 * view + 3]
        a, b, aa, ab, bb, aaa, aab, abb, bbb = self.parameters[:9]
        # The same as the terms' sum, without an array of nine times the size, and added in place.
        across, behind, product = x * aaa, x * abb, y * aab
        across += aa
        across += product
        across *= x
        across += a + right
        product = y * ab
        across += product
        across *= x
        behind += bb
        product = y * bbb
        behind += product
        behind *= y
        behind += b + back
        behind *= y
        across += offset
        across += behind
        return np.asarray(across)


def terms(x: Array, y: Array) -> Array:
    """Return the field's nine terms at places, (..., 9)."""
    xx, xy, yy = x * x, x * y, y * y
    return np.stack((x, y, xx, xy, yy, xx * x, xx * y, x * yy, yy * y), axis=-1)


def weighted_terms(weights: Array, x: Array, y: Array) -> Array:
    """Return the sums over places of weights times each of the nine terms, (9,)."""
    right, back = weights * x, weights * y
    xx, xy, yy = right * x, right * y, back * y
    cubic = (dot(xx, x), dot(xx, y), dot(x, yy), dot(yy, y))
    return np.array([*(float(each.sum()) for each in (right, back, xx, xy, yy)), *cubic])


def fit_joint_field(samples: Samples, scale: Scale, views: int) -> JointField:
    """Fit the field to the samples of an exam.

    Parameters
    ----------
    samples
        Among them some of both references.
    scale
        Signal of the references, from which the fit starts.
    views
        Number of slices.
    """
    fit = _Fit.of(samples, scale, views)
    found: Array = np.zeros(len(fit.pull))
    found[9], found[10] = math.log(scale.lean), math.log(scale.fat)
    spread = np.full(len(fit.muscles), LEAN_SPREAD)
    for number in range(ROUNDS):
        width = max(1.0, WIDEST - NARROWING * number)
        is_lean, is_fat, residual = fit.classes(found, spread, width)
        equations = fit.equations(is_lean, is_fat, spread)
        last, found = found, fit.arranged(*equations.solved())
        spread = fit.spread(is_lean, residual)
        if width == 1 and np.abs(found - last).max() < ENOUGH:
            break
    return JointField(
        found,
        equations.covariance(OWN),
        tuple(fit.muscles.tolist()),
        number + 1,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """The samples, arranged slice by slice.

    Parameters
    ----------
    samples
        The samples.
    muscles, own
        Numbers of the muscles' outlines, ascending; which of them each sample is from.
    noise
        Variance of each sample's logarithm by noise.
    rows, columns, design
        Of each slice: its samples, its parameters that no other slice has, and how its samples
        depend on the common ones and on these; the last column is what is fitted.
    pull
        Prior precision of each parameter; the prior mean is 0.
    """

    samples: Samples
    muscles: NDArray[np.intp]
    own: NDArray[np.intp]
    noise: Array
    rows: list[NDArray[np.intp]]
    columns: list[NDArray[np.intp]]
    design: list[Array]
    pull: Array

    @classmethod
    def of(cls, samples: Samples, scale: Scale, views: int) -> _Fit:
        is_muscle = samples.kind == Kind.MUSCLE
        muscles = np.unique(samples.outline[is_muscle])
        own = np.where(is_muscle, np.searchsorted(muscles, samples.outline), -1)
        rows = [np.flatnonzero(samples.view == k) for k in range(views)]
        is_lean = (samples.kind == Kind.MUSCLE) | (samples.kind == Kind.LEAN_REFERENCE)
        common = np.column_stack((terms(samples.x, samples.y), is_lean, ~is_lean))
        columns, design = [], []
        for k, part in enumerate(rows):
            here = np.unique(own[part][own[part] >= 0])
            columns.append(
                np.concatenate((COMMON + OWN * k + np.arange(OWN), COMMON + OWN * views + here))
            )
            slopes = np.stack((np.ones(len(part)), samples.x[part], samples.y[part]), axis=1)
            belongs = (own[part][:, None] == here).astype(np.float64)
            design.append(np.hstack((common[part], slopes, belongs, samples.log[part][:, None])))
        sd = [*FIELD_SD, math.inf, math.inf, *(SLICE_SD * views), *([OUTLINE_SD] * len(muscles))]
        noise = (scale.noise / np.exp(samples.log)) ** 2 / samples.n
        return cls(
            samples, muscles, own, noise, rows, columns, design, 1 / np.array(sd, np.float64) ** 2
        )

    def classes(self, found: Array, spread: Array, width: float) -> tuple[Array, Array, Array]:
        """Return how surely each sample is lean and is fat, and its residual as lean muscle."""
        base, shared = np.empty(len(self.own)), found[:COMMON].copy()
        shared[9:] = 0
        for rows, columns, design in zip(self.rows, self.columns, self.design, strict=True):
            base[rows] = times(design[:, :-1], np.concatenate((shared, found[columns])))
        as_lean, as_fat = (self.samples.log - base - found[k] for k in (9, 10))
        lean, fat = self._variances(spread)
        mixed = MIXED_DENSITY / max(float(found[10] - found[9]), 0.3)
        kind = self.samples.kind
        in_lean = LEAN_SHARE * _density(as_lean, lean * width**2)
        in_fat = FAT_SHARE * _density(as_fat, fat * width**2)
        is_lean = np.where(kind == Kind.MUSCLE, in_lean / (in_lean + mixed), 0.0)
        is_fat = np.where(kind == Kind.AROUND, in_fat / (in_fat + mixed), 0.0)
        is_lean[kind == Kind.LEAN_REFERENCE] = 1.0
        is_fat[kind == Kind.FAT_REFERENCE] = 1.0
        return is_lean, is_fat, as_lean

    def _variances(self, spread: Array) -> tuple[Array, Array]:
        own = np.full(len(self.own), LEAN_SPREAD)
        is_muscle = self.own >= 0
        own[is_muscle] = spread[self.own[is_muscle]]
        return own**2 + self.noise, FAT_SPREAD**2 + self.noise

    def equations(self, is_lean: Array, is_fat: Array, spread: Array) -> SliceEquations:
        """Return the normal equations of the weighted fit with its prior."""
        lean, fat = self._variances(spread)
        weight = is_lean / lean + is_fat / fat
        return SliceEquations.of(
            [
                (design, weight[rows], self.pull[columns])
                for rows, columns, design in zip(self.rows, self.columns, self.design, strict=True)
            ],
            self.pull[:COMMON],
        )

    def arranged(self, common: Array, own: Array) -> Array:
        """Return all parameters from the common ones and from each slice's own."""
        found = np.empty(len(self.pull))
        found[:COMMON] = common
        for columns, values in zip(self.columns, own, strict=True):
            found[columns] = values[: len(columns)]
        return found

    def spread(self, is_lean: Array, residual: Array) -> Array:
        """Return each muscle's spread from its darker half, where fat plays no part."""
        darker = (self.own >= 0) & (residual < 0)
        own, weight, many = self.own[darker], is_lean[darker], len(self.muscles)
        squares = np.bincount(own, weight * residual[darker] ** 2, many)
        count = np.bincount(own, weight, many) + PRIOR_SAMPLES
        found = np.sqrt((squares + PRIOR_SAMPLES * LEAN_SPREAD**2) / count)
        return np.asarray(np.maximum(found, LEAST_LEAN_SPREAD))


def _density(residual: Array, variance: Array) -> Array:
    return np.asarray(np.exp(-(residual**2) / (2 * variance)) / np.sqrt(2 * math.pi * variance))
