"""Samples of one tissue: where the signal is even, in muscles, in references and around them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.surroundings import AROUND_MM, RIM_PIXELS, Surroundings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

SCALE_MM = 40.0
"""Unit of the coordinates."""

BLOCK_MM = 6.0
"""Side of the squares whose even pixels make one sample."""

EVEN = 0.10
"""Signal is even where its standard deviation in 3 x 3 pixels is at most this share of its mean, or
at most twice that in the lean references."""

DARK = 0.25
"""Signal below this share of the lean reference's is a void and no sample."""

BESIDE_MIDLINE_MM = 15.0
"""In front of the muscles' depth, no fat is taken so near to the middle: the canal lies there."""

BRIGHT = 0.8
"""Fat around muscles is at least this share of the geometric mean of lean and fat reference."""

LEAST_PIXELS = 4

_NOTHING = 1e-6

BACK_MUSCLES = frozenset({Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE, Structure.AUTOCHTHONOUS})


class Kind(IntEnum):
    """Where a sample is from."""

    MUSCLE = 0
    LEAN_REFERENCE = 1
    FAT_REFERENCE = 2
    AROUND = 3


@dataclass(frozen=True, slots=True, eq=False)
class SliceView:
    """A slice's pixels around its outlines, and what is computed of each pixel.

    Attributes
    ----------
    signal, mean, sd
        The signal, and its mean and standard deviation in 3 x 3 pixels, (rows, columns).
    x, y
        To the left of the muscles' middle and behind it, in units of ``SCALE_MM``.
    outlines
        Number and weights of each outline on the slice, (rows, columns).
    items
        The outlines.
    """

    signal: Array
    mean: Array
    sd: Array
    x: Array
    y: Array
    weights: Mapping[int, Array]
    items: Mapping[int, OutlinePixels]


@dataclass(frozen=True, slots=True)
class Middle:
    """Where coordinates are 0: x of the exam, y of each slice by its UID, LPS millimetres."""

    x_mm: float
    y_mm: Mapping[str, float]

    @classmethod
    def of(cls, members: Sequence[OutlinePixels]) -> Middle:
        """Take the middle of the muscles' pixels."""
        by_slice: dict[str, list[Array]] = {}
        for item in members:
            if item.is_muscle and len(item.footprint.places):
                by_slice.setdefault(item.placed.slice.uid, []).append(item.points_mm)
        points = {uid: np.concatenate(found) for uid, found in by_slice.items()}
        every = np.concatenate(list(points.values()))
        return cls(
            float(every[:, 0].mean()),
            {uid: float(found[:, 1].mean()) for uid, found in points.items()},
        )

    def view(self, items: Mapping[int, OutlinePixels]) -> SliceView:
        """Look at the slice of some outlines that share what is kept around them."""
        first = next(iter(items.values()))
        return self._view(items, _around_of(first))

    def near(self, item: OutlinePixels) -> SliceView:
        """Look at one outline, number 0, and no farther than its rim."""
        around = _around_of(item).near(item.footprint.coverage, RIM_PIXELS)
        return self._view({0: item}, around)

    def _view(self, items: Mapping[int, OutlinePixels], around: Surroundings) -> SliceView:
        from scipy.ndimage import uniform_filter

        image = next(iter(items.values())).placed.slice
        signal = np.where(np.isfinite(around.pixels), around.pixels, 0.0)
        mean = uniform_filter(signal, 3)
        square = uniform_filter(signal * signal, 3) - mean * mean
        x_mm, y_mm = around.places_mm(image.plane)
        return SliceView(
            signal,
            mean,
            np.sqrt(np.maximum(square, 0) * 9 / 8),
            (x_mm - self.x_mm) / SCALE_MM,
            (y_mm - self.y_mm[image.uid]) / SCALE_MM,
            {number: around.weights_of(item.footprint.coverage) for number, item in items.items()},
            items,
        )


def _around_of(item: OutlinePixels) -> Surroundings:
    assert item.surroundings is not None  # noqa: S101 - read with every protocol that needs it
    return item.surroundings


@dataclass(frozen=True, slots=True)
class Scale:
    """What is bright and what is noise: median signal of both references, and the noise's sd."""

    lean: float
    fat: float
    noise: float

    @classmethod
    def of(cls, views: Sequence[SliceView]) -> Scale:
        """Take medians over the references' pixels; NaN without them."""
        medians = []
        for name, structure in (
            ("signal", Structure.LEAN_REFERENCE),
            ("signal", Structure.FAT_REFERENCE),
            ("sd", Structure.LEAN_REFERENCE),
        ):
            found = [
                getattr(view, name)[view.weights[number] > 0.5]  # noqa: PLR2004 - half
                for view in views
                for number, item in view.items.items()
                if item.roi.key.structure is structure
            ]
            pooled = np.concatenate(found) if found else np.zeros(0)
            medians.append(float(np.median(pooled)) if len(pooled) else math.nan)
        return cls(*medians)

    def even(self, view: SliceView) -> Mask:
        """Return where the signal of a slice is even, and no void."""
        limit = np.maximum(2 * self.noise, EVEN * view.mean)
        return np.asarray((view.sd <= limit) & (view.mean > DARK * self.lean))


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of an exam, shape (n,) each.

    Parameters
    ----------
    x, y
        Where, as of :class:`SliceView`.
    view
        Number of the slice.
    outline
        Number of the outline; -1 around them.
    kind
        Of :class:`Kind`.
    log
        Logarithm of the median of the 3 x 3 means.
    n
        Pixels.
    """

    x: Array
    y: Array
    view: NDArray[np.intp]
    outline: NDArray[np.intp]
    kind: NDArray[np.intp]
    log: Array
    n: Array


def samples_of(views: Sequence[SliceView], scale: Scale) -> Samples:
    """Collect the samples of an exam's slices."""
    columns: list[list[Array]] = []
    for number, view in enumerate(views):
        for kind, outline, mask in _parts(view, scale):
            rows = _blocks(view, mask)
            if kind in {Kind.MUSCLE, Kind.AROUND}:
                rows = rows[:, rows[3] >= LEAST_PIXELS]
            if rows.shape[1]:
                same = np.full((3, rows.shape[1]), [[number], [outline], [kind]])
                columns.append([*rows, *same])
    x, y, log, n, where, outlines, kinds = (
        np.concatenate(parts) for parts in zip(*columns, strict=True)
    )
    return Samples(
        x, y, where.astype(np.intp), outlines.astype(np.intp), kinds.astype(np.intp), log, n
    )


def inside(weights: Array) -> Mask:
    """Return the pixels whose eight neighbours lie wholly inside an outline as well."""
    whole = np.pad(weights > 1 - _NOTHING, 1)
    rows = whole[:-2] & whole[1:-1] & whole[2:]
    return np.asarray(rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:])


_OWN = {
    Structure.LEAN_REFERENCE: Kind.LEAN_REFERENCE,
    Structure.FAT_REFERENCE: Kind.FAT_REFERENCE,
}


def _parts(view: SliceView, scale: Scale) -> Iterator[tuple[Kind, int, Mask]]:
    even = scale.even(view)
    for number, item in view.items.items():
        kind = Kind.MUSCLE if item.is_muscle else _OWN.get(item.roi.key.structure)
        weights = view.weights[number]
        if kind is Kind.MUSCLE:
            yield kind, number, inside(weights) & even
        elif kind is not None:
            yield kind, number, (weights > 0.5) & (view.mean > 0)  # noqa: PLR2004 - half
    yield Kind.AROUND, -1, _around(view, scale) & even


def _around(view: SliceView, scale: Scale) -> Mask:
    """Return where fat may lie beside and behind the muscles of the back, outside every outline."""
    from scipy.ndimage import uniform_filter

    own = [n for n, item in view.items.items() if item.is_muscle]
    back = [n for n in own if view.items[n].roi.key.structure in BACK_MUSCLES] or own
    if not back:
        return np.zeros(view.signal.shape, dtype=bool)
    muscle = sum(view.weights[n] for n in back) > 0.5  # noqa: PLR2004 - half
    outlined = uniform_filter(sum(view.weights.values()), 5)
    reach, aside = AROUND_MM / SCALE_MM, BESIDE_MIDLINE_MM / SCALE_MM
    x, y = view.x[muscle], view.y[muscle]
    if not len(x):
        return np.zeros(view.signal.shape, dtype=bool)
    found = (view.y > y.min()) & (view.y < y.max() + reach) & (outlined < _NOTHING)
    found &= (view.x > x.min() - reach) & (view.x < x.max() + reach)
    found &= (np.abs(view.x) > aside) | (view.y > np.percentile(y, 90))
    bright = BRIGHT * math.sqrt(max(scale.lean * scale.fat, 0.0))
    return np.asarray(found & (view.mean > bright))


def _blocks(view: SliceView, mask: Mask) -> Array:
    """Return x, y, the logarithm of the median mean, and pixels of each square: (4, squares)."""
    x, y, mean = view.x[mask], view.y[mask], view.mean[mask]
    if not len(x):
        return np.zeros((4, 0))
    side = BLOCK_MM / SCALE_MM
    square = np.stack((np.floor(x / side), np.floor(y / side)))
    order = np.lexsort((mean, *square))
    x, y, mean, square = x[order], y[order], mean[order], square[:, order]
    first = np.flatnonzero(np.append(True, (np.diff(square) != 0).any(axis=0)))
    n = np.diff(np.append(first, len(x)))
    sums = (np.add.reduceat(each, first) for each in (x, y))
    return np.stack((*(each / n for each in sums), np.log(mean[first + n // 2]), n))
