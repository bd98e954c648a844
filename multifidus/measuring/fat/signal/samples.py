"""Samples of one tissue: where the signal is even, in muscles, in references and around them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.measuring.fat.signal.views import (
    SCALE_MM,
    Means,
    Pixels,
    SliceView,
    signal_of_most,
)
from multifidus.measuring.outline_pixels import OutlinePixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

BLOCK_MM = 6.0
"""Side of the squares whose even pixels make one sample."""

EVEN = 0.10
"""Signal is even where its standard deviation in 3 x 3 pixels is at most this share of its mean, or
at most twice that in the lean references."""

DARK = 0.25
"""Signal below this share of the lean reference's is a void and no sample."""

BRIGHT = 0.8
"""Fat around muscles is at least this share of the geometric mean of lean and fat reference."""

LEAST_PIXELS = 4


class Kind(IntEnum):
    """Where a sample is from."""

    MUSCLE = 0
    LEAN_REFERENCE = 1
    FAT_REFERENCE = 2
    AROUND = 3


@dataclass(frozen=True, slots=True)
class Scale:
    """What is bright and what is noise: median signal of both references, and the noise's sd."""

    lean: float
    fat: float
    noise: float

    @classmethod
    def of(cls, lean: Sequence[Pixels], levels: tuple[float, float]) -> Scale:
        """Take the noise from the lean references' pixels, beside both references' signal."""
        return cls(*levels, float(np.median(np.concatenate([each.sd for each in lean]))))

    def even(self, pixels: Pixels) -> Mask:
        """Return where the signal is even, and no void."""
        limit = np.maximum(2 * self.noise, EVEN * pixels.mean)
        return np.asarray((pixels.sd <= limit) & (pixels.mean > DARK * self.lean))


def reference_signal(items: Iterable[OutlinePixels], structure: Structure) -> float:
    """Return the median signal of one reference's pixels by more than half inside; NaN of none."""
    found = [signal_of_most(item) for item in items if item.roi.key.structure is structure]
    pooled = np.concatenate(found) if found else np.zeros(0)
    return float(np.median(pooled)) if len(pooled) else math.nan


def darkest_fat(lean: float, fat: float) -> float:
    """Return the least 3 x 3 mean that is taken for fat around muscles."""
    return BRIGHT * math.sqrt(lean * fat)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of an exam, shape (n,) each.

    Parameters
    ----------
    x, y
        Where, as of :class:`Pixels`.
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

    @classmethod
    def together(cls, parts: Sequence[Samples]) -> Samples:
        """Put the samples of several slices together."""
        return cls(
            *(np.concatenate([getattr(each, name) for each in parts]) for name in cls.__slots__)
        )


def samples_of(view: SliceView, number: int, scale: Scale, even: Mapping[int, Mask]) -> Samples:
    """Collect the samples of a slice.

    Parameters
    ----------
    number
        Of the slice.
    even
        Which pixels inside each muscle are even, by its number.
    """
    rows, outlines, kinds = [np.zeros((4, 0))], [], []
    for kind, outline, pixels in _parts(view, scale, even):
        blocks = _blocks(pixels)
        if kind in {Kind.MUSCLE, Kind.AROUND}:
            blocks = blocks[:, blocks[3] >= LEAST_PIXELS]
        rows.append(blocks)
        outlines.extend([outline] * blocks.shape[1])
        kinds.extend([kind] * blocks.shape[1])
    x, y, log, n = np.concatenate(rows, axis=1)
    where = np.full(len(x), number, np.intp)
    return Samples(x, y, where, np.array(outlines, np.intp), np.array(kinds, np.intp), log, n)


_OWN = {
    Structure.LEAN_REFERENCE: Kind.LEAN_REFERENCE,
    Structure.FAT_REFERENCE: Kind.FAT_REFERENCE,
}


def _parts(
    view: SliceView, scale: Scale, even: Mapping[int, Mask]
) -> Iterator[tuple[Kind, int, Means]]:
    for number, item in view.items.items():
        kind = _OWN.get(item.roi.key.structure)
        if item.is_muscle:
            yield Kind.MUSCLE, number, view.inside[number].means(even[number])
        elif kind is not None:
            pixels = view.inside[number]
            yield kind, number, pixels.means(pixels.mean > 0)
    yield Kind.AROUND, -1, view.beside.means(scale.even(view.beside))


def _blocks(pixels: Means) -> Array:
    """Return x, y, the logarithm of the median mean, and pixels of each square: (4, squares)."""
    if not len(pixels.x):
        return np.zeros((4, 0))
    side = BLOCK_MM / SCALE_MM
    across, back = (np.floor(each / side) for each in (pixels.x, pixels.y))
    number = (back - back.min()) * (np.ptp(across) + 1) + across - across.min()
    # Small whole numbers are sorted by counting them, in no time.
    square = number.astype(np.min_scalar_type(int(number.max())))
    order = np.argsort(square, kind="stable")
    ordered = square[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    n = np.diff(np.append(first, len(order)))
    sums = (np.add.reduceat(each[order], first) for each in (pixels.x, pixels.y))
    medians = _upper_medians(pixels.mean[order], first.tolist(), n.tolist())
    return np.stack((*(each / n for each in sums), np.log(medians), n))


def _upper_medians(values: Array, first: Sequence[int], n: Sequence[int]) -> list[float]:
    """Return value ``n // 2`` of each part in ascending order; parts are put into another order."""
    found = []
    for begin, count in zip(first, n, strict=True):
        part, half = values[begin : begin + count], count // 2
        part.partition(half)
        found.append(float(part[half]))
    return found
