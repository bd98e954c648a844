"""Reference samples proposed by rule, for exams in which nobody drew them.

A proposal is a draft: whatever rests on one is flagged ``reference_proposed`` until a rater has
taken it over or drawn another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.data.image import Exam, Slice, Weighting
from multifidus.data.roi import Roi, RoiKey, Source
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.coverage import coverage_box
from multifidus.measuring.locate import PlacedOutline, in_order, place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.geometry import Plane

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

LEAN_RADIUS_MM = 4.0
FAT_RADIUS_MM = 3.0
"""Radii of the round samples."""

CLEARANCE_MM = 1.0
"""Samples keep this far from every outline, because pixels at a border are of two tissues."""

REACH_MM = 25.0
"""How far from the outlines, sideways and backwards, fat is looked for."""

MIDLINE_MM = 15.0
"""In front of the muscles' depth, nothing so near the midline is taken: the canal lies there."""

BRIGHT_SHARE = 0.8
"""Fat is at least this bright, as a share of the brightest samples within reach."""

EVEN_SHARE = 0.15
"""Standard deviation within a sample of fat, at most, as a share of its mean."""

BRIGHTER = 1.5
"""Samples of fat that are not this many times as bright as lean muscle are none."""

FAT_IS_BRIGHT = frozenset(
    {Weighting.T1, Weighting.T2, Weighting.PD, Weighting.DIXON_FAT, Weighting.UNKNOWN}
)

_POINTS = 48
_BACK_MUSCLES = frozenset({Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE, Structure.AUTOCHTHONOUS})


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """A round sample on one slice, its centre in pixels."""

    item: Slice
    side: Side
    centre: Array
    mean: float


def propose_references(exam: Exam, rois: RoiSet) -> RoiSet:
    """Propose lean-muscle and fat reference samples from the back muscles outlined on an exam.

    Lean: of each slice and side the darkest disc of ``LEAN_RADIUS_MM`` inside a back muscle; of
    these the darker half. Fat: of each slice and side, among even and bright discs of
    ``FAT_RADIUS_MM`` outside every outline, the one nearest to the muscles' depth, where the coil
    shades least between both; none in the canal. Only on images in which fat is bright.

    Parameters
    ----------
    exam
        The images.
    rois
        One reading's outlines on them.

    Returns
    -------
    RoiSet
        The proposals alone, named ``proposed``, their source ``draft``; empty where lean muscle
        and fat cannot be told apart.

    Raises
    ------
    RoiError
        If an outline fits no slice.
    """
    by_slice: dict[str, list[PlacedOutline]] = {}
    for item in in_order(place(rois, exam), exam):
        if item.series.weighting in FAT_IS_BRIGHT:
            by_slice.setdefault(item.slice.uid, []).append(item)
    lean: list[_Sample] = []
    fat: list[_Sample] = []
    for members in by_slice.values():
        if any(item.roi.key.structure in _BACK_MUSCLES for item in members):
            scene = _Scene.of(members)
            lean.extend(scene.lean())
            fat.extend(scene.fat())
    lean = sorted(lean, key=lambda sample: sample.mean)[: (len(lean) + 1) // 2]
    if not lean or not fat or _median(fat) < BRIGHTER * _median(lean):
        return RoiSet(reading=rois.reading)
    kinds = ((Structure.LEAN_REFERENCE, LEAN_RADIUS_MM, lean),
             (Structure.FAT_REFERENCE, FAT_RADIUS_MM, fat))  # fmt: skip
    proposals = [
        _round(sample, structure, radius, rois) for structure, radius, kind in kinds
        for sample in kind
    ]  # fmt: skip
    return RoiSet(tuple(proposals), reading=rois.reading)


def with_proposals(exam: Exam, rois: RoiSet) -> RoiSet:
    """Return a set of outlines with references proposed where a rater drew none of a kind.

    Proposals are made for each reading and each group of series whose signal is on one scale.
    """
    groups: dict[tuple[object, ...], list[Roi]] = {}
    for item in place(rois, exam):
        scale = item.series.signal_group or item.series.uid
        groups.setdefault((item.roi.key.reading, scale), []).append(item.roi)
    added: list[Roi] = []
    for members in groups.values():
        drawn = {roi.key.structure for roi in members}
        proposals = propose_references(exam, replace(rois, rois=tuple(members)))
        added.extend(roi for roi in proposals if roi.key.structure not in drawn)
    return replace(rois, rois=(*rois.rois, *added))


def _median(samples: Sequence[_Sample]) -> float:
    return float(np.median([sample.mean for sample in samples]))


def _round(sample: _Sample, structure: Structure, radius_mm: float, rois: RoiSet) -> Roi:
    angle = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    plane = sample.item.plane
    row, column = _directions(plane)
    centre = plane.to_patient([sample.centre])[0]
    points = centre + radius_mm * (np.outer(np.cos(angle), column) + np.outer(np.sin(angle), row))
    reading = next(iter(rois)).key.reading
    key = RoiKey(reading, sample.item.uid, structure, sample.side, "proposed")
    return Roi(key, (points,), plane, sample.item.shape, source=Source.DRAFT)


def _directions(plane: Plane) -> tuple[Array, Array]:
    """Two directions at right angles in a plane, 1 mm long."""
    column = plane.column_step_mm / plane.pixel_spacing_mm[1]
    return np.cross(plane.normal, column), column


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """One slice with its outlines as masks.

    Attributes
    ----------
    muscles
        The pixels wholly inside each back muscle, and its side.
    taken
        Pixels that any outline touches, and such without a value.
    places
        Patient millimetres of every pixel's centre, (rows, columns, 3).
    """

    item: Slice
    pixels: Array
    muscles: tuple[tuple[Side, Mask], ...]
    taken: Mask
    places: Array

    @classmethod
    def of(cls, members: Iterable[PlacedOutline]) -> _Scene:
        members = list(members)
        item = members[0].slice
        muscles: list[tuple[Side, Mask]] = []
        taken = np.zeros(item.shape, dtype=bool)
        hidden = np.zeros(item.shape, dtype=bool)
        for placed in members:
            cover = coverage_box(placed.roi.paths, item.shape).full(item.shape)
            taken |= cover > 0
            key = placed.roi.key
            if key.structure is Structure.ARTEFACT:
                hidden |= cover > 0
            elif key.structure in _BACK_MUSCLES:
                muscles.append((key.side, cover == 1))
        places = item.plane.to_patient(np.indices(item.shape).reshape(2, -1).T)
        # One pixel without a value would spoil every disc.
        known = np.isfinite(item.pixels)
        taken |= ~known
        hidden |= ~known
        return cls(
            item,
            np.where(known, item.pixels, 0.0),
            tuple((side, inside & ~hidden) for side, inside in muscles),
            taken,
            places.reshape(*item.shape, 3),
        )

    def lean(self) -> list[_Sample]:
        """Find the darkest disc inside a muscle, of each side."""
        found: dict[Side, _Sample] = {}
        means, _ = self._discs(LEAN_RADIUS_MM)
        for side, inside in self.muscles:
            room = self._room(inside) >= LEAN_RADIUS_MM + CLEARANCE_MM
            if not room.any():
                continue
            sample = self._sample(side, np.where(room, means, np.inf), means)
            if side not in found or sample.mean < found[side].mean:
                found[side] = sample
        return list(found.values())

    def fat(self) -> list[_Sample]:
        """Find the bright, even disc nearest to the muscles' depth, of each side."""
        means, spreads = self._discs(FAT_RADIUS_MM)
        x, y = self.places[:, :, 0], self.places[:, :, 1]
        inside = np.any([mask for _, mask in self.muscles], axis=0)
        if not inside.any():
            return []
        depth = float(y[inside].mean())
        middle = self._middle()
        near = (
            (x > x[inside].min() - REACH_MM)
            & (x < x[inside].max() + REACH_MM)
            & (y > y[inside].min())
            & (y < y[inside].max() + REACH_MM)
            & ~((np.abs(x - middle) < MIDLINE_MM) & (y < depth))
            & (self._room(~self.taken) >= FAT_RADIUS_MM + CLEARANCE_MM)
        )
        even = near & (spreads <= EVEN_SHARE * means)
        if not even.any():
            return []
        bright = even & (means >= BRIGHT_SHARE * np.percentile(means[even], 95))
        sides = {side for side, _ in self.muscles}
        halves = ((Side.LEFT, x > middle), (Side.RIGHT, x <= middle))
        return [
            self._sample(side, np.where(bright & half, np.abs(y - depth), np.inf), means)
            for side, half in halves
            if side in sides and (bright & half).any()
        ]

    def _middle(self) -> float:
        """X halfway between the two sides' muscles; at the medial edge of a side alone."""
        x = self.places[:, :, 0]
        left = [x[mask].min() for side, mask in self.muscles if side is Side.LEFT and mask.any()]
        right = [x[mask].max() for side, mask in self.muscles if side is Side.RIGHT and mask.any()]
        edges = [*([min(left)] if left else []), *([max(right)] if right else [])]
        return float(np.mean(edges)) if edges else float(x.mean())

    def _sample(self, side: Side, rank: Array, means: Array) -> _Sample:
        row, column = np.unravel_index(int(np.argmin(rank)), rank.shape)
        return _Sample(self.item, side, np.array((row, column), float), float(means[row, column]))

    def _room(self, free: Mask) -> Array:
        """Distance in millimetres from every pixel to the nearest that is not free."""
        from scipy.ndimage import distance_transform_edt

        # Beyond the image nothing is free.
        framed = np.pad(free, 1)
        distance = distance_transform_edt(framed, sampling=self.item.plane.pixel_spacing_mm)
        return np.asarray(distance)[1:-1, 1:-1]

    def _discs(self, radius_mm: float) -> tuple[Array, Array]:
        """Mean and standard deviation of the disc of pixels around every pixel."""
        row_mm, column_mm = self.item.plane.pixel_spacing_mm
        rows, columns = int(radius_mm / row_mm), int(radius_mm / column_mm)
        row, column = np.mgrid[-rows : rows + 1, -columns : columns + 1]
        disc = np.hypot(row * row_mm, column * column_mm) <= radius_mm
        shape = tuple(np.add(self.pixels.shape, disc.shape))
        spectrum = np.fft.rfft2(disc / disc.sum(), shape)

        def averaged(image: Array) -> Array:
            spread = np.fft.irfft2(np.fft.rfft2(image, shape) * spectrum, shape)
            height, width = image.shape
            return np.asarray(spread[rows : rows + height, columns : columns + width])

        level = float(self.pixels.mean())
        # About the mean, so that squares keep their digits.
        centred = self.pixels - level
        mean, square = averaged(centred), averaged(centred**2)
        return mean + level, np.sqrt(np.maximum(square - mean**2, 0.0))
