"""The pixels of slices that say something about tissue: inside outlines and beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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

_NONE = np.zeros(0)
_NOTHING = 1e-6
_HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """Means of the signal in 3 x 3 pixels, with x and y of their middles; all (n,)."""

    mean: Array
    x: Array
    y: Array


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Pixels of a slice that have a value, and what is computed of each; all (n,).

    Parameters
    ----------
    signal, mean, square
        The signal, and the means of it and of its square in those of 3 x 3 pixels that have a
        value.
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
        every = (self.signal, self.mean, self.square, self.x, self.y)
        return Pixels(*(each.take(places) for each in every))

    def means(self, chosen: Mask) -> Means:
        """Return the means of the pixels that a mask chooses."""
        places = np.flatnonzero(chosen)
        return Means(self.mean.take(places), self.x.take(places), self.y.take(places))


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
        The bright pixels outside of all outlines, beside and behind the muscles of the back.
    """

    items: Mapping[int, OutlinePixels]
    inside: Mapping[int, Pixels]
    beside: Pixels

    @property
    def muscles(self) -> dict[int, OutlinePixels]:
        """The outlines of muscles."""
        return {number: item for number, item in self.items.items() if item.is_muscle}

    def sampled(self) -> SliceView:
        """Return what is still looked at once samples are taken: no spread, nothing beside."""
        inside = {number: replace(each, square=_NONE) for number, each in self.inside.items()}
        return replace(self, inside=inside, beside=Pixels(_NONE, _NONE, _NONE, _NONE, _NONE))


@dataclass(frozen=True, slots=True, eq=False)
class RimView:
    """A box of pixels around one outline and its rim, (rows, columns) each.

    Parameters
    ----------
    outline
        Where the outline's own box lies in this one.
    weights
        How much of each lies inside the outline.
    known
        Which have a value.
    signal, mean, x, y
        As of :class:`Pixels`.
    """

    outline: Box
    weights: Array
    known: Mask
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
        by_slice: dict[str, list[tuple[Array, Array, Array]]] = {}
        for item in members:
            if item.is_muscle and len(item.footprint.places):
                image = item.placed.slice
                points = image.plane.axes_mm(item.footprint.pixels)
                by_slice.setdefault(image.uid, []).append(points)
        every = [x for found in by_slice.values() for x, _, _ in found]
        return cls(
            float(np.concatenate(every).mean()),
            {
                uid: float(np.concatenate([y for _, y, _ in found]).mean())
                for uid, found in by_slice.items()
            },
        )

    def view(self, items: Mapping[int, OutlinePixels], darkest: float) -> SliceView:
        """Look at the slice of some outlines that share what is kept around them.

        Parameters
        ----------
        items
            All outlines of the slice, by their numbers.
        darkest
            Fat beside them has a greater mean.
        """
        first = next(iter(items.values()))
        around = _around_of(first)
        limits = self._limits(around, items.values())
        _, ends = self._places(around, first, (0, -1))
        fat = limits.rows(ends)
        rows = _all_rows(around, items.values(), fat)
        fat = slice(max(fat.start - rows.start, 0), max(fat.stop - rows.start, 0))
        around = around.part(rows, slice(0, None))
        known, signal = _known(around)
        mean, square = (_local_mean(each, known) for each in (signal, signal * signal))
        seen = _Seen(known, signal, mean, square, self._axes(around, first))
        inside = {
            number: seen.at(_inside(item), around.box_of(item.footprint.coverage))
            for number, item in items.items()
        }
        weights = _weights(around, items.values(), margin=2)[fat.start : fat.stop + 4]
        bright = seen.mean[fat] > darkest
        bright &= _sum_of_25(weights) < 25 * _NOTHING
        found = seen.at(bright, (fat, slice(0, None)))
        return SliceView(items, inside, found.where(limits.hold(found.x, found.y)))

    def inside(self, item: OutlinePixels) -> Pixels:
        """Look at the pixels inside one outline, as :meth:`view` does."""
        coverage = item.footprint.coverage
        around = _around_of(item).near(coverage, 1)
        known, signal = _known(around)
        mean, square = (_local_mean(each, known) for each in (signal, signal * signal))
        seen = _Seen(known, signal, mean, square, self._axes(around, item))
        return seen.at(_inside(item), around.box_of(coverage))

    def near(self, item: OutlinePixels) -> RimView:
        """Look at one outline, and no farther than its rim."""
        coverage = item.footprint.coverage
        around = _around_of(item).near(coverage, RIM_PIXELS)
        known, signal = _known(around)
        own, weights = around.box_of(coverage), np.zeros(signal.shape)
        weights[own] = coverage.weights
        mean = _local_mean(signal, known)
        return RimView(own, weights, known, signal, mean, *self._places(around, item))

    def _limits(self, around: Surroundings, items: Iterable[OutlinePixels]) -> _Limits:
        """Return where fat may lie, from the muscles of a slice."""
        own = [item for item in items if item.is_muscle]
        back = [item for item in own if item.roi.key.structure in BACK_MUSCLES] or own
        if not back:
            return _NOWHERE
        box = around.part(*around.hull([item.footprint.coverage for item in back]))
        muscle = np.flatnonzero(_weights(box, back) > _HALF)
        if not len(muscle):
            return _NOWHERE
        x, y = (each.take(muscle) for each in self._places(box, back[0]))
        reach = AROUND_MM / SCALE_MM
        return _Limits(
            float(x.min()) - reach,
            float(x.max()) + reach,
            float(y.min()),
            float(y.max()) + reach,
            float(np.percentile(y, 90)),
        )

    def _places(
        self, around: Surroundings, item: OutlinePixels, columns: Sequence[int] | None = None
    ) -> tuple[Array, Array]:
        """Return x and y of the pixels of a box, or of some of its columns."""
        return _sums(
            [
                (along, across if columns is None else across.take(columns), start)
                for along, across, start in self._axes(around, item)
            ]
        )

    def _axes(self, around: Surroundings, item: OutlinePixels) -> _Axes:
        """Return of x and of y what rows and what columns of a box add to it, and what is 0."""
        image = item.placed.slice
        (down, over), (deep, back) = around.axes_mm(image.plane)
        return (down, over, self.x_mm), (deep, back, self.y_mm[image.uid])


_Axes = tuple[tuple["Array", "Array", float], tuple["Array", "Array", float]]


def _sums(axes: Sequence[tuple[Array, Array, float]]) -> tuple[Array, Array]:
    """Return x and y from what rows and columns add to each."""
    found = []
    for along, across, start in axes:
        places = along + across
        places -= start
        places /= SCALE_MM
        found.append(places)
    x, y = found
    return x, y


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """All pixels that are kept of a slice, as of :class:`Pixels` but (rows, columns).

    Those that are not ``known`` have no value: a signal of 0, and means of the others. Of x and y
    there is what they are the sum of: few pixels are looked at.
    """

    known: Mask
    signal: Array
    mean: Array
    square: Array
    axes: _Axes

    def at(self, chosen: Mask, box: Box) -> Pixels:
        """Return the known pixels that a mask of a box chooses."""
        places = np.flatnonzero(chosen & self.known[box])
        row, column = np.divmod(places, chosen.shape[1])
        row += box[0].start
        column += box[1].start
        x, y = _sums(
            [
                (along.ravel().take(row), across.take(column), start)
                for along, across, start in self.axes
            ]
        )
        signal, mean, square = (
            each[box].take(places) for each in (self.signal, self.mean, self.square)
        )
        return Pixels(signal, mean, square, x, y)


@dataclass(frozen=True, slots=True)
class _Limits:
    """Between which x and y fat may lie beside and behind the muscles of the back.

    Parameters
    ----------
    right, left, front, behind
        The least and the largest x and y.
    depth
        The y from where on it may lie near the middle as well.
    """

    right: float
    left: float
    front: float
    behind: float
    depth: float

    def rows(self, ends: Array) -> slice:
        """Return the rows with places between front and behind, from y at their ends, (rows, 2)."""
        # y changes evenly along a row: its ends are the least and the largest.
        places = np.flatnonzero((ends.max(1) > self.front) & (ends.min(1) < self.behind))
        return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)

    def hold(self, x: Array, y: Array) -> Mask:
        """Return which places are between them."""
        found = (x > self.right) & (x < self.left) & (y > self.front) & (y < self.behind)
        found &= (np.abs(x) > BESIDE_MIDLINE_MM / SCALE_MM) | (y > self.depth)
        return np.asarray(found)


_NOWHERE = _Limits(math.inf, -math.inf, math.inf, -math.inf, math.inf)


def _all_rows(around: Surroundings, items: Iterable[OutlinePixels], fat: slice) -> slice:
    """Return the rows of outlines and of fat beside them, and one more on either side."""
    rows = [around.box_of(item.footprint.coverage)[0] for item in items]
    if fat.stop > fat.start:
        rows.append(fat)
    return slice(max(min(each.start for each in rows) - 1, 0), max(each.stop for each in rows) + 1)


def _around_of(item: OutlinePixels) -> Surroundings:
    assert item.surroundings is not None  # noqa: S101 - read with every protocol that needs it
    return item.surroundings


def signal_of_most(item: OutlinePixels) -> Array:
    """Return the signal of the pixels that lie inside an outline by more than half, (n,)."""
    coverage = item.footprint.coverage
    known, signal = _known(_around_of(item).near(coverage, 0))
    return signal[known & (coverage.weights > _HALF)]


def _known(around: Surroundings) -> tuple[Mask, Array]:
    """Return which pixels have a value, and the signal, 0 where there is none."""
    pixels = around.pixels
    known = np.isfinite(pixels)
    return known, pixels if known.all() else np.where(known, pixels, 0.0)


def _local_mean(values: Array, known: Mask) -> Array:
    """Return the mean of the known among 3 x 3 pixels of each, (rows, columns); 0 of none."""
    mean = _sum_of_9(values)
    if known.all():
        mean /= 9
        return mean
    count = _sum_of_9(known.astype(np.float64))
    return np.asarray(np.divide(mean, count, out=np.zeros_like(mean), where=count > 0))


def _sum_of_9(values: Array) -> Array:
    """Return the sum over the 3 x 3 pixels about each; those at a border count for one beyond."""
    # scipy has this as well, but takes longer to be imported than a small exam to be measured.
    lines = values.copy()
    lines[1:] += values[:-1]
    lines[:-1] += values[1:]
    lines[0] += values[0]
    lines[-1] += values[-1]
    found = lines.copy()
    found[:, 1:] += lines[:, :-1]
    found[:, :-1] += lines[:, 1:]
    found[:, 0] += lines[:, 0]
    found[:, -1] += lines[:, -1]
    return found


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


def _weights(around: Surroundings, items: Iterable[OutlinePixels], margin: int = 0) -> Array:
    """Return the sum of outlines' weights, on a box that is wider by a margin."""
    rows, columns = around.stored.shape
    found = np.zeros((rows + 2 * margin, columns + 2 * margin))
    inner = found[margin : margin + rows, margin : margin + columns]
    for item in items:
        inner[around.box_of(item.footprint.coverage)] += item.footprint.coverage.weights
    return found


def _sum_of_25(padded: Array) -> Array:
    """Return the sum over the 5 x 5 pixels about each, of values with a margin of 2."""
    rows, columns = padded.shape[0] - 4, padded.shape[1] - 4
    lines = padded[:rows].copy()
    for k in range(1, 5):
        lines += padded[k : rows + k]
    found = lines[:, :columns].copy()
    for k in range(1, 5):
        found += lines[:, k : columns + k]
    return found
