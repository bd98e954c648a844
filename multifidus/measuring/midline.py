"""Where the patient's midline is on a slice, and outlines whose side contradicts it.

Sides are typed, drawn on a mirrored screen, or come from a label map whose numbers are taken the
wrong way round. Where both sides lie on one slice, :func:`multifidus.data.roi.check_sides` sees it;
where one side alone was outlined, only the midline can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.data.geometry import Plane
from multifidus.data.roi import Reading, Roi
from multifidus.data.slice_number import slice_words
from multifidus.errors import RoiError
from multifidus.measuring.locate import PlacedOutline
from multifidus.spine.curve import Spine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LANDMARKS_MM = 5.0
"""Landmarks lie on a sagittal slice near the midline: half its thickness, and a hand's error."""

OUTLINES_MM = 6.0
"""The middle between both sides of a muscle, or that of the canal or a vertebra."""

IMAGE_MM = 12.0
"""Patients lie as far from the middle of the image; the weakest of all."""

BEYOND_MM = 20.0
"""Landmarks further than this from a slice say less of it, as spines curve."""

_SIDES = frozenset({Side.LEFT, Side.RIGHT})

MIDDLES = (Structure.CSF, Structure.VERTEBRAL_BODY, Structure.DISC)
"""Structures in the midline."""


@dataclass(frozen=True, slots=True)
class Midline:
    """Where the midline crosses a slice.

    Parameters
    ----------
    x_mm
        Patient x (LPS: larger to the left).
    margin_mm
        How far it may be from there.
    source
        What says so, in words.
    is_sure
        Whether an outline far on the other side is refused: landmarks on both sides of the slice,
        or near it.
    """

    x_mm: float
    margin_mm: float
    source: str
    is_sure: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class WrongSide:
    """An outline that lies across the midline from where its side says.

    Parameters
    ----------
    placed
        The outline on its slice.
    midline
        What it was held against.
    across_mm
        How far across its centroid lies; of outlines held against the middle of the image, the
        mean over all slices.
    """

    placed: PlacedOutline
    midline: Midline
    across_mm: float

    @property
    def is_refused(self) -> bool:
        """Whether it is certain."""
        return self.midline.is_sure and self.across_mm > 2 * self.midline.margin_mm


def wrong_sides(
    placed: Sequence[PlacedOutline], spine: Spine | None = None
) -> tuple[WrongSide, ...]:
    """Find the outlines of a side that lie across the midline.

    The midline is that of landmarks, else between both sides of one structure, else the middle of
    the canal, a vertebra or a disc, each on the outline's own slice or on the nearest one that has
    it, else the middle of the image. Outlines of one reading are held against their own kind.

    Parameters
    ----------
    placed
        An exam's outlines on their slices.
    spine
        As its landmarks mark it; None without landmarks.

    Returns
    -------
    tuple of WrongSide
        In the order of the outlines; empty where nothing contradicts.
    """
    middles = _middles(placed)
    # Outlines of one reading on one slice have one midline.
    lines: dict[tuple[str, Reading], Midline] = {}
    held = []
    for item in placed:
        key = item.roi.key
        if key.side in _SIDES:
            where = item.slice.uid, key.reading
            if where not in lines:
                lines[where] = _midline(item, spine, middles.get(key.reading))
            held.append((item, lines[where]))
    far = _far_across(held)
    found = (WrongSide(item, line, apart) for (item, line), apart in zip(held, far, strict=True))
    return tuple(item for item in found if item.across_mm > item.midline.margin_mm)


def check_midline(wrong: Iterable[WrongSide]) -> None:
    """Refuse outlines whose side landmarks surely contradict.

    Raises
    ------
    RoiError
        Naming the first, by its slice and level.
    """
    for item in wrong:
        if item.is_refused:
            key, level = item.placed.roi.key, item.placed.roi.level
            where = f"{slice_words(item.placed.index)}{f' ({level})' if level else ''}"
            other = Side.LEFT if key.side is Side.RIGHT else Side.RIGHT
            msg = (
                f"The {key.side} {_words(key.structure)} on {where} lies on the patient's {other}, "
                f"{item.across_mm:.0f} mm across the midline that {item.midline.source} give."
            )
            remedy = "Correct its side, or the label scheme; or move the landmarks to the midline."
            raise RoiError(msg, remedy=remedy)


def _midline(item: PlacedOutline, spine: Spine | None, middles: _Middles | None) -> Midline:
    plane = item.slice.plane
    if spine is not None:
        return _of_landmarks(spine, plane)
    if middles is not None:
        apart_mm = np.abs(plane.distance_mm(middles.centroids_mm)[:, 0])
        nearest = int(apart_mm.argmin())
        far = max(float(apart_mm[nearest]) - BEYOND_MM, 0.0)
        source = f"outlines of the {_words(middles.structures[nearest])}"
        return Midline(middles.x_mm[nearest], OUTLINES_MM + far / 4, source)
    rows, columns = item.slice.shape
    centre = plane.to_patient([((rows - 1) / 2, (columns - 1) / 2)])[0]
    return Midline(float(centre[0]), IMAGE_MM, "the middle of the image")


def _of_landmarks(spine: Spine, plane: Plane) -> Midline:
    """Interpolate between the landmarks on both sides of a slice."""
    offsets = spine.offsets_mm(plane)
    x = np.array([station.position_mm[0] for station in spine.stations])
    order = np.argsort(offsets)
    nearest = float(np.abs(offsets).min())
    is_between = bool(offsets.min() <= 0 <= offsets.max())
    far = 0.0 if is_between else max(nearest - BEYOND_MM, 0.0)
    return Midline(
        float(np.interp(0.0, offsets[order], x[order])),
        LANDMARKS_MM + far / 4,
        "landmarks",
        is_sure=is_between or nearest <= BEYOND_MM,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Middles:
    """Outlines of one reading that say where the middle is.

    Parameters
    ----------
    structures, x_mm
        What was outlined, and its middle along patient x.
    centroids_mm
        Where it lies, LPS, (n, 1, 3).
    """

    structures: Sequence[Structure]
    x_mm: Sequence[float]
    centroids_mm: Array

    @classmethod
    def of(cls, found: Sequence[tuple[Roi, float]]) -> _Middles:
        centroids = np.stack([roi.centroid_mm for roi, _ in found])
        return cls(
            [roi.key.structure for roi, _ in found], [x for _, x in found], centroids[:, None]
        )


def _middles(placed: Iterable[PlacedOutline]) -> dict[Reading, _Middles]:
    """Return, by reading, the outlines that say where the middle is.

    These are pairs of sides where an exam has any, whoever drew them, else structures in the
    midline.
    """
    sides: dict[tuple[Reading, str, Structure, str], dict[Side, Roi]] = {}
    middles = []
    for item in placed:
        key = item.roi.key
        if key.structure in MIDDLES:
            middles.append((item.roi, float(item.roi.centroid_mm[0])))
        elif key.structure.is_muscle:
            of_slice = (key.reading, key.slice_uid, key.structure, key.name)
            sides.setdefault(of_slice, {})[key.side] = item.roi
    pairs = [
        (both[Side.LEFT], float(sum(both[side].centroid_mm[0] for side in _SIDES) / 2))
        for both in sides.values()
        if both.keys() >= _SIDES
    ]
    by_reading: dict[Reading, list[tuple[Roi, float]]] = {}
    for found in pairs or middles:
        by_reading.setdefault(found[0].key.reading, []).append(found)
    return {reading: _Middles.of(found) for reading, found in by_reading.items()}


def _across(roi: Roi, midline: Midline) -> float:
    """How far the wrong way from the midline an outline's centroid lies; below 0 the right way."""
    to_left = float(roi.centroid_mm[0]) - midline.x_mm
    return to_left if roi.key.side is Side.RIGHT else -to_left


def _far_across(held: Sequence[tuple[PlacedOutline, Midline]]) -> list[float]:
    """How far across each outline lies; against the image's middle, its kind's mean over slices.

    Patients lie off the middle alike on all slices, and so do muscles of a wrong side.
    """
    far = [_across(item.roi, line) for item, line in held]
    kinds = [
        (key.reading, key.structure, key.side) if line.margin_mm == IMAGE_MM else key
        for key, line in ((item.roi.key, line) for item, line in held)
    ]
    grouped: dict[object, list[float]] = {}
    for kind, apart in zip(kinds, far, strict=True):
        grouped.setdefault(kind, []).append(apart)
    return [float(np.mean(grouped[kind])) for kind in kinds]


def _words(name: str) -> str:
    return name.replace("_", " ")
