"""The bias field of the coil as a smooth field, fitted to the signal of lean muscle alone.

What varies smoothly is fitted where the tissue is known to be one: in pixels that a rule takes for
lean muscle. Fat does not enter, so a muscle that is fat at one end is not taken for a bright one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.sums import dot, gram, times

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

SCALE_MM = 25.0
"""Unit of the polynomial's coordinates."""

RIDGE = 1e-3
"""Pull of every coefficient towards 0, as a share of the pixels' weight: directions in which
little is outlined, such as along the spine on a single slice, are left uncorrected."""

WIDTH = 2.0
"""Lean are pixels within this many standard deviations of the fitted lean signal."""

LEAST_SPREAD = 0.02
"""Least standard deviation of the logarithm of lean signal, for images without noise."""

ROUNDS = 12
"""Selecting and fitting end when the selection stays, or after this many rounds."""

MOST_PIXELS = 12_000
"""More pixels than this are thinned out evenly before fitting."""

LEAST_PIXELS, LEAST_OUTLINES, OUTLINES_FOR_SQUARES = 150, 2, 4
"""Lean pixels and outlines that hold them without which nothing is fitted; with fewer than four
outlines the logarithm of the field is linear in space, otherwise quadratic."""

LEAST_LEAN = 0.15
"""Least share of lean pixels."""

LARGEST_RATIO = 4.0
"""Fields that vary by more than this factor over the outlines are not shading."""

LARGEST_DISAGREEMENT = 0.2
"""Most by which a lean reference may differ from the fitted lean signal, as a logarithm. Beyond
it the fit has followed something else than shading."""

MOST_FAT_MOVED = 0.4
"""Most by which the field may change the share of an outline's pixels that are nearer to fat than
to lean muscle. On the phantom, fields that are right change at most 0.27 and such that have taken
fat for shading at least 0.55."""

_WITHOUT_FAT = 0.7
"""Logarithm of the least fat over lean signal, where no fat reference says it."""

_DARKEST = -1.0
"""Logarithm of the darkest signal over the lean reference's that is taken for lean at first."""


class Refusal(StrEnum):
    """Why no field is fitted, in words for the row."""

    NO_REFERENCE = "there is no lean reference with signal"
    FEW_PIXELS = f"fewer than {LEAST_PIXELS} pixels are lean"
    FEW_OUTLINES = f"fewer than {LEAST_OUTLINES} outlines hold lean muscle"
    LITTLE_LEAN = f"less than {LEAST_LEAN:.0%} of the outlined pixels are lean"
    STRONG = f"the field would vary by more than a factor of {LARGEST_RATIO:g}"
    UNEQUAL = "the field would make lean references unequal"
    MOVES_FAT = f"the field would call more than {MOST_FAT_MOVED:.0%} of a muscle otherwise"


@dataclass(frozen=True, slots=True, eq=False)
class LowOrderField:
    """A smooth multiplicative field; its geometric mean over the outlined muscles is 1.

    Parameters
    ----------
    centre_mm
        Where the polynomial's coordinates are 0, LPS, shape (3,).
    low_mm, high_mm
        Box of the fitted pixels; places beyond have the field of the box's nearest place.
    order
        1 or 2.
    coefficients
        Of the logarithm: constant, x, y, z, and for order 2 xx, xy, xz, yy, yz, zz.
    n_pixels
        Lean pixels that it was fitted to.
    spread
        Standard deviation of their logarithm about the fit.
    """

    centre_mm: Array
    low_mm: Array
    high_mm: Array
    order: int
    coefficients: Array
    n_pixels: int
    spread: float

    def at(self, points_mm: ArrayLike) -> Array:
        """Return the gain at places in LPS millimetres, shape (n, 3) to (n,)."""
        return self.at_axes(np.asarray(points_mm, dtype=np.float64).T)

    def at_axes(self, axes_mm: Iterable[Array]) -> Array:
        """Return the gain at places given as their x, y and z, shape (n,) each."""
        bounds = zip(axes_mm, self.low_mm, self.high_mm, strict=True)
        nearest = [np.minimum(np.maximum(axis, low), high) for axis, low, high in bounds]
        return np.asarray(np.exp(self._logarithm(nearest)))

    def beyond(self, points_mm: ArrayLike) -> tuple[Array, Array]:
        """Say how little the fit knows of places outside the box of the fitted pixels.

        Parameters
        ----------
        points_mm
            LPS millimetres, shape (n, 3).

        Returns
        -------
        tuple
            How far each lies outside, in millimetres, and how much the logarithm of the gain would
            change over that way if the polynomial held there as well; both (n,), 0 inside.
        """
        points = np.asarray(points_mm, dtype=np.float64)
        nearest = np.clip(points, self.low_mm, self.high_mm)
        distance = np.linalg.norm(points - nearest, axis=1)
        change = np.abs(self._logarithm(points.T) - self._logarithm(nearest.T))
        return np.asarray(distance), change

    def _logarithm(self, axes_mm: Iterable[Array]) -> Array:
        return times(_terms(axes_mm, self.centre_mm, self.order), self.coefficients)


def low_order_field(  # noqa: PLR0913 - pixels, and what is known of them
    points_mm: ArrayLike,
    values: ArrayLike,
    weights: ArrayLike,
    *,
    outline: ArrayLike,
    reference: ArrayLike,
    lean_signal: float,
    fat_signal: float = math.nan,
) -> tuple[LowOrderField | None, Refusal | None]:
    """Fit the field that makes the signal of lean muscle equal everywhere.

    The logarithm of lean signal is a polynomial in patient millimetres, fitted by least squares
    with a slight pull towards a flat field. Lean is, at first, what is nearer to the lean
    reference than to the fat one (in logarithms); then what lies within two standard deviations of
    the fit, the deviation taken from the darker half, where there is no fat. The same input gives
    the same field.

    To correct signal, divide it by ``field.at(points_mm)``; fat references as well.

    Parameters
    ----------
    points_mm
        Pixel centres in LPS millimetres, shape (n, 3): pixels of muscle outlines and of lean
        references.
    values, weights
        Their signal and how much of each lies inside its outline, shape (n,).
    outline
        Number of the outline that a pixel is from, shape (n,).
    reference
        Whether a pixel is from a lean reference, shape (n,).
    lean_signal, fat_signal
        Median signal of the lean and of the fat references; the latter may be unknown (NaN).

    Returns
    -------
    tuple
        The field and None, or None and the reason why none is fitted: too little lean muscle, a
        field too strong for shading, one that disagrees with the lean references, or one that
        cannot be told from fat.
    """
    points = np.asarray(points_mm, dtype=np.float64)
    signal, share = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    numbers, is_reference = np.asarray(outline), np.asarray(reference, dtype=np.bool_)
    usable = (signal > 0) & (share > 0)
    if not lean_signal > 0 or not usable.any():
        return None, Refusal.NO_REFERENCE
    kept = np.flatnonzero(usable)
    # Thinned evenly; what is left is still spread over every outline.
    kept = kept[:: max(1, math.ceil(len(kept) / MOST_PIXELS))]
    points, share = points[kept], share[kept]
    outlines, numbers = np.unique(numbers[kept], return_inverse=True)
    is_reference = is_reference[kept]
    log = np.log(signal[kept] / lean_signal)
    low, high, centre = points.min(axis=0), points.max(axis=0), points.mean(axis=0)
    order = 2 if len(outlines) >= OUTLINES_FOR_SQUARES else 1
    terms = _terms(points.T, centre, order)
    ceiling = (math.log(fat_signal / lean_signal) if fat_signal > lean_signal else _WITHOUT_FAT) / 2
    lean = (log > _DARKEST) & (log < ceiling)
    for _ in range(ROUNDS):
        problem = _too_little(lean, share, numbers)
        if problem:
            return None, problem
        used = np.flatnonzero(lean)
        coefficients = _fitted(terms.take(used, axis=0), log.take(used), share.take(used))
        residual = log - times(terms, coefficients)
        spread = _spread(residual.take(used))
        found = np.abs(residual) < min(WIDTH * spread, ceiling)
        if (found == lean).all():
            break
        lean = found
    fit = times(terms, coefficients)
    problem = _implausible(fit, residual, numbers, is_reference) or _moves_fat(
        log > ceiling, log - fit > ceiling, share, np.where(is_reference, -1, numbers)
    )
    if problem:
        return None, problem
    coefficients[0] -= dot(share, fit) / float(share.sum())
    n = int(lean.sum())
    return LowOrderField(centre, low, high, order, coefficients, n, spread), None


def _terms(axes_mm: Iterable[Array], centre_mm: Array, order: int) -> Array:
    """Return the polynomial's terms, (n, 4) or (n, 10), at places given as their x, y and z."""
    offsets = [(axis - middle) / SCALE_MM for axis, middle in zip(axes_mm, centre_mm, strict=True)]
    products = combinations_with_replacement(offsets, 2) if order > 1 else ()
    factors = [*((offset, 1.0) for offset in offsets), *products]
    terms = np.empty((len(offsets[0]), 1 + len(factors)))
    terms[:, 0] = 1.0
    # Into its place at once: stacking single columns would take as long again.
    for column, (first, second) in zip(terms.T[1:], factors, strict=True):
        np.multiply(first, second, out=column)
    return terms


def _fitted(terms: Array, log: Array, share: Array) -> Array:
    weighted = terms * share[:, None]
    normal = gram(weighted, terms)
    pull = RIDGE * float(share.sum())
    normal[np.arange(1, len(normal)), np.arange(1, len(normal))] += pull
    return np.asarray(np.linalg.solve(normal, times(weighted.T, log)))


def _spread(residual: Array) -> float:
    """Take the standard deviation from the darker half, where fat plays no part."""
    darker = residual[residual < 0]
    spread = math.sqrt(float((darker**2).mean())) if len(darker) else 0.0
    return max(spread, LEAST_SPREAD)


def _too_little(lean: NDArray[np.bool_], share: Array, numbers: NDArray[np.intp]) -> Refusal | None:
    if lean.sum() < LEAST_PIXELS:
        return Refusal.FEW_PIXELS
    if np.count_nonzero(np.bincount(numbers[lean])) < LEAST_OUTLINES:
        return Refusal.FEW_OUTLINES
    if share[lean].sum() < LEAST_LEAN * share.sum():
        return Refusal.LITTLE_LEAN
    return None


def _implausible(
    fit: Array,
    residual: Array,
    numbers: NDArray[np.intp],
    is_reference: NDArray[np.bool_],
) -> Refusal | None:
    if fit.max() - fit.min() > math.log(LARGEST_RATIO):
        return Refusal.STRONG
    for number in np.unique(numbers[is_reference]):
        apart = float(np.median(residual[numbers == number]))
        if abs(apart) > LARGEST_DISAGREEMENT:
            return Refusal.UNEQUAL
    return None


def _moves_fat(
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    share: Array,
    muscles: NDArray[np.intp],
) -> Refusal | None:
    """Refuse a field that turns much of a muscle from fat to lean, or back; -1 is no muscle."""
    moved = after.astype(np.float64) - before
    for number in np.unique(muscles[muscles >= 0]):
        own = muscles == number
        if abs(dot(share[own], moved[own])) > MOST_FAT_MOVED * float(share[own].sum()):
            return Refusal.MOVES_FAT
    return None
