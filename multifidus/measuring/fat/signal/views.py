"""The pixels of slices that say something about tissue: inside outlines and beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.surroundings import AROUND_MM, RIM_PIXELS, Box, Surroundings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

SCALE_MM = 40.0
"""Unit of the coordinates."""

BESIDE_MIDLINE_MM = 15.0
"""In front of the muscles' depth, no fat is taken so near to the middle: the canal lies there."""

BACK_MUSCLES = frozenset({Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE, Structure.AUTOCHTHONOUS})

_NOTHING = 1e-6
_HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Pixels of a slice, and what is computed of each; all (n,).

    Parameters
    ----------
    signal, mean, square
        The signal, and the means of it and of its square in 3 x 3 pixels.
    x, y
        To the left of the muscles' middle and behind it, in units of ``SCALE_MM``.
    """

    signal: Array
    mean: Array
    square: Array
    x: Array
    y: Array

    @property
    def sd(self) -> Array:
        """Standard deviation of the signal in 3 x 3 pixels."""
        square = self.square - self.mean * self.mean
        return np.asarray(np.sqrt(np.maximum(square, 0) * 9 / 8))

    def where(self, chosen: Mask) -> Pixels:
        """Return the pixels that a mask chooses."""
        places = np.flatnonzero(chosen)
        return Pixels(
            self.signal.take(places),
            self.mean.take(places),
            self.square.take(places),
            self.x.take(places),
            self.y.take(places),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SliceView:
    """What is seen of a slice.

    Parameters
    ----------
    items
        Its outlines by their numbers.
    inside
        Of each muscle the pixels whose eight neighbours lie wholly inside as well; of every other
        outline the pixels that lie inside by more than half.
    beside
        The pixels outside of all outlines where fat may lie, beside and behind the muscles of the
        back.
    """

    items: Mapping[int, OutlinePixels]
    inside: Mapping[int, Pixels]
    beside: Pixels

    @property
    def muscles(self) -> dict[int, OutlinePixels]:
        """The outlines of muscles."""
        return {number: item for number, item in self.items.items() if item.is_muscle}


@dataclass(frozen=True, slots=True, eq=False)
class RimView:
    """A box of pixels around one outline and its rim, (rows, columns) each.

    Parameters
    ----------
    weights
        How much of each lies inside the outline.
    signal, mean, x, y
        As of :class:`Pixels`.
    """

    weights: Array
    signal: Array
    mean: Array
    x: Array
    y: Array


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
        around = _around_of(first)
        signal = _known(around)
        seen = _Seen(
            around,
            signal,
            _local_mean(signal),
            _local_mean(signal * signal),
            *self._places(around, first),
        )
        inside = {
            number: seen.where(_inside(item), around.box_of(item.footprint.coverage))
            for number, item in items.items()
        }
        return SliceView(items, inside, _beside(seen, items.values()))

    def near(self, item: OutlinePixels) -> RimView:
        """Look at one outline, and no farther than its rim."""
        coverage = item.footprint.coverage
        around = _around_of(item).near(coverage, RIM_PIXELS)
        signal = _known(around)
        weights = np.zeros(signal.shape)
        weights[around.box_of(coverage)] = coverage.weights
        return RimView(weights, signal, _local_mean(signal), *self._places(around, item))

    def _places(self, around: Surroundings, item: OutlinePixels) -> tuple[Array, Array]:
        image = item.placed.slice
        x_mm, y_mm = around.places_mm(image.plane)
        return (x_mm - self.x_mm) / SCALE_MM, (y_mm - self.y_mm[image.uid]) / SCALE_MM


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """All pixels that are kept of a slice, as of :class:`Pixels` but (rows, columns)."""

    around: Surroundings
    signal: Array
    mean: Array
    square: Array
    x: Array
    y: Array

    def where(self, chosen: Mask, box: Box) -> Pixels:
        """Return the pixels that a mask of a box chooses."""
        places = np.flatnonzero(chosen)
        every = self.signal, self.mean, self.square, self.x, self.y
        return Pixels(*(each[box].take(places) for each in every))

    def weights(self, items: Iterable[OutlinePixels], margin: int = 0) -> Array:
        """Return the sum of outlines' weights, on a box that is wider by a margin."""
        rows, columns = self.signal.shape
        found = np.zeros((rows + 2 * margin, columns + 2 * margin))
        inner = found[margin : margin + rows, margin : margin + columns]
        for item in items:
            inner[self.around.box_of(item.footprint.coverage)] += item.footprint.coverage.weights
        return found


def _around_of(item: OutlinePixels) -> Surroundings:
    assert item.surroundings is not None  # noqa: S101 - read with every protocol that needs it
    return item.surroundings


def _known(around: Surroundings) -> Array:
    """Return the signal, 0 where there is none."""
    known = np.isfinite(around.pixels)
    return around.pixels if known.all() else np.where(known, around.pixels, 0.0)


def _local_mean(values: Array) -> Array:
    """Return the mean in 3 x 3 pixels of each, (rows, columns)."""
    from scipy.ndimage import uniform_filter

    return np.asarray(uniform_filter(values, 3))


def _inside(item: OutlinePixels) -> Mask:
    """Return which pixels of an outline's box are looked at."""
    weights = item.footprint.coverage.weights
    if not item.is_muscle:
        return np.asarray(weights > _HALF)
    rows, columns = weights.shape
    whole = np.zeros((rows + 2, columns + 2), dtype=bool)
    whole[1:-1, 1:-1] = weights > 1 - _NOTHING
    lines = whole[:-2] & whole[1:-1] & whole[2:]
    return np.asarray(lines[:, :-2] & lines[:, 1:-1] & lines[:, 2:])


def _beside(seen: _Seen, items: Iterable[OutlinePixels]) -> Pixels:
    """Return the pixels beside and behind the muscles of the back, outside every outline."""
    own = [item for item in items if item.is_muscle]
    back = [item for item in own if item.roi.key.structure in BACK_MUSCLES] or own
    muscle = np.flatnonzero(seen.weights(back) > _HALF)
    if not len(muscle):
        return seen.where(np.zeros((0, 0), dtype=bool), (slice(0, 0), slice(0, 0)))
    reach, aside = AROUND_MM / SCALE_MM, BESIDE_MIDLINE_MM / SCALE_MM
    x, y = seen.x.take(muscle), seen.y.take(muscle)
    left, right = float(x.min()) - reach, float(x.max()) + reach
    front, behind = float(y.min()), float(y.max()) + reach
    box = _between((seen.x, left, right), (seen.y, front, behind))
    x, y, depth = seen.x[box], seen.y[box], np.percentile(y, 90)
    found = (x > left) & (x < right) & (y > front) & (y < behind)
    found &= (np.abs(x) > aside) | (y > depth)
    found &= _sum_of_25(seen.weights(items, margin=2), box) < 25 * _NOTHING
    return seen.where(found, box)


def _between(*limits: tuple[Array, float, float]) -> Box:
    """Return the rows and columns outside of which coordinates are not between their limits.

    Coordinates change evenly along rows and along columns.
    """
    box = []
    for axis in (0, 1):
        found: Mask | np.bool_ = np.bool_(True)  # noqa: FBT003
        for values, low, high in limits:
            ends = values.take([0, -1], axis=1 - axis)
            found = found & (ends.max(1 - axis) > low) & (ends.min(1 - axis) < high)
        places = np.flatnonzero(found)
        box.append(slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0))
    rows, columns = box
    return rows, columns


def _sum_of_25(padded: Array, box: Box) -> Array:
    """Return the sum over the 5 x 5 pixels about each of a box, of values with a margin of 2."""
    (top, bottom), (left, right) = ((part.start, part.stop) for part in box)
    lines = padded[top:bottom, left : right + 4].copy()
    for k in range(1, 5):
        lines += padded[top + k : bottom + k, left : right + 4]
    found = lines[:, : right - left].copy()
    for k in range(1, 5):
        found += lines[:, k : right - left + k]
    return found
