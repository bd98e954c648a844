"""The boundary of a solid in the plane of a slice, by root finding along rays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.phantom.prescription import SliceGrid
    from multifidus.phantom.solid import Solid
    from multifidus.phantom.subject import Subject

    Array = NDArray[np.float64]

_START_MM = 15.0
_ROUNDS = 60
_CLOSE = 1e-10
"""Relative distance from the boundary at which the search ends."""

_CENTRING_ROUNDS = 8


def point_on_slice(
    subject: Subject, grid: SliceGrid, line: Callable[[float], tuple[float, float]]
) -> Array:
    """Find where a line along the spine, (u, v) as a function of s, meets a slice; LPS, (3,)."""
    plane = grid.plane
    point = plane.to_patient([[(count - 1) / 2 for count in grid.shape]])
    for _ in range(_CENTRING_ROUNDS):
        s = float(subject.to_spine(point)[2][0])
        point = subject.to_patient(np.array([(*line(s), s)]))
        point = point - plane.distance_mm(point)[:, None] * plane.normal
    return np.asarray(point[0])


def radii_mm(
    subject: Subject, solid: Solid, grid: SliceGrid, *, centre: Array, angles: Array
) -> Array:
    """Distance from a centre inside a solid to its boundary, at angles in the slice's plane.

    Angles run from the columns' direction towards the rows'. Seen from the centre the implicit
    function grows nearly like a power of the distance, so that dividing each distance by its
    relative size closes in on the boundary within a few rounds.
    """
    rays = (
        np.cos(angles)[:, None] * grid.column_direction
        + np.sin(angles)[:, None] * grid.row_direction
    )
    radii = np.full(len(angles), _START_MM)
    for _ in range(_ROUNDS):
        raised = solid.raised(*subject.to_spine(centre + radii[:, None] * rays))
        ratio = raised ** (1 / solid.shape.power)
        radii = radii / ratio
        if np.abs(ratio - 1).max() < _CLOSE:
            break
    return radii


def boundary_mm(subject: Subject, solid: Solid, grid: SliceGrid, count: int) -> Array:
    """Return points on a solid's boundary in a slice, LPS millimetres, shape (count, 3)."""
    centre = point_on_slice(subject, grid, solid.centre_mm)
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radii = radii_mm(subject, solid, grid, centre=centre, angles=angles)
    return np.asarray(
        centre
        + (radii * np.cos(angles))[:, None] * grid.column_direction
        + (radii * np.sin(angles))[:, None] * grid.row_direction
    )
