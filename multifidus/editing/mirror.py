"""Outlines mirrored from one side of the patient to the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.data.geometry import MINIMAL_AXIS_SINE, Plane
from multifidus.data.polygon_sets import centroid
from multifidus.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.roi import Roi

    Array = NDArray[np.float64]

LEFT = (1.0, 0.0, 0.0)
"""Patient x: to the left."""

MIDDLE = (Structure.VERTEBRAL_BODY, Structure.DISC, Structure.CSF)
"""Structures whose centroid lies in the midline."""

NEAR_MM = 40.0
"""Outlines further from a slice than this, about one level, say nothing about its midline."""


@dataclass(frozen=True, slots=True, eq=False)
class MirrorLine:
    """Where a slice is mirrored: a line through a point, at right angles to a direction.

    Attributes
    ----------
    point_mm
        In the slice's plane, LPS, shape (3,).
    across
        Unit vector in the plane towards the patient's left, shape (3,).
    words
        What it was found by.
    """

    point_mm: Array
    across: Array
    words: str


def mirror_line(plane: Plane, shape: tuple[int, int], rois: Iterable[Roi] = ()) -> MirrorLine:
    """Find the patient's midline on a slice.

    By the outlines nearest to the slice, none further than ``NEAR_MM``: halfway between both sides
    of a structure, at right angles to the line from one centroid to the other; or through the
    centroid of a disc, vertebral body or dural sac, at right angles to patient x. Where there is
    neither, through the centre of the image, at right angles to patient x.

    Raises
    ------
    GeometryError
        If the slice shows one side only: a sagittal one.
    """
    found = sorted(_by_outlines(plane, list(rois)), key=lambda item: item[0])
    if found and found[0][0] <= NEAR_MM:
        return found[0][1]
    centre = plane.to_patient([((shape[0] - 1) / 2, (shape[1] - 1) / 2)])[0]
    return MirrorLine(centre, _in_plane(np.array(LEFT), plane), "the centre of the image")


def _by_outlines(plane: Plane, rois: Sequence[Roi]) -> Iterator[tuple[float, MirrorLine]]:
    """Find midlines by outlines, each with its distance from the slice."""
    left = {_pair_key(roi): roi for roi in rois if roi.key.side is Side.LEFT}
    for roi in rois:
        other = left.get(_pair_key(roi))
        name = roi.key.structure.value.replace("_", " ")
        if roi.key.side is Side.RIGHT and other is not None:
            right_mm, left_mm = _centroid_mm(roi), _centroid_mm(other)
            line = _line((right_mm + left_mm) / 2, left_mm - right_mm, plane)
            words = f"both outlines of the {name}"
            # Left has the larger x, unless the sides are swapped.
            if left_mm[0] > right_mm[0]:
                yield _distance(roi, plane), MirrorLine(*line, words)
        elif roi.key.structure in MIDDLE and roi.key.side is Side.NONE:
            line = _line(_centroid_mm(roi), np.array(LEFT), plane)
            yield _distance(roi, plane), MirrorLine(*line, f"the outline of the {name}")


def _pair_key(roi: Roi) -> tuple[object, ...]:
    return roi.plane, roi.key.reading, roi.key.structure, roi.key.name


def _centroid_mm(roi: Roi) -> Array:
    return np.asarray(roi.plane.to_patient([centroid(roi.paths)])[0])


def _distance(roi: Roi, plane: Plane) -> float:
    return abs(float(plane.distance_mm(_centroid_mm(roi))))


def _line(point_mm: Array, across: Array, plane: Plane) -> tuple[Array, Array]:
    return plane.to_patient(plane.to_pixels([point_mm]))[0], _in_plane(across, plane)


def _in_plane(direction: Array, plane: Plane) -> Array:
    """Return the part of a direction in a plane, of length 1."""
    part = direction - (direction @ plane.normal) * plane.normal
    length = float(np.linalg.norm(part))
    if length <= MINIMAL_AXIS_SINE * float(np.linalg.norm(direction)):
        msg = "Left and right lie behind each other on this slice; it cannot be mirrored."
        raise GeometryError(msg, remedy="Mirror on axial slices.")
    return part / length


def mirrored(paths: Sequence[Array], plane: Plane, line: MirrorLine) -> tuple[Array, ...]:
    """Mirror paths across a midline in their own plane.

    Parameters
    ----------
    paths
        Each (n, 2): row, column.
    plane
        Their slice's.
    line
        Where to mirror; see :func:`mirror_line`.
    """
    return tuple(plane.to_pixels(_reflected(plane.to_patient(path), line)) for path in paths)


def _reflected(points_mm: Array, line: MirrorLine) -> Array:
    away = (points_mm - line.point_mm) @ line.across
    return np.asarray(points_mm - 2 * away[:, None] * line.across)
