"""The lordotic spine: a curve of circular arcs, and coordinates along and across it.

A point of the anatomy has spine coordinates (u, v, s): ``u`` to the patient's left, ``v`` to
posterior and ``s`` along the spine to the head, all in millimetres, zero at the centre of the
L3-L4 disc. The plane of every disc is a plane of constant ``s``, and (u, v) are plain millimetres
in it, so a shape described in (u, v) has exactly its described area in the plane of the disc.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DISCS = (Level.L1_L2, Level.L2_L3, Level.L3_L4, Level.L4_L5, Level.L5_S1)
"""The discs that axial stacks are angled to, from cranial to caudal."""

STATION_S_MM = (-125.0, -99.0, -71.0, -36.0, 0.0, 36.0, 71.0, 104.0, 134.0)
"""Where the curvature changes: S2-S3, S1-S2, L5-S1, L4-L5, L3-L4, L2-L3, L1-L2, T12-L1, T11-T12."""

STATION_TILT_DEG = (34.0, 31.0, 24.0, 8.0, -1.0, -6.0, -10.0, -12.5, -14.0)
"""Tilt of the spine's cross-section at each station (sign as in ``geometry.tilt_deg``)."""


@dataclass(frozen=True, eq=False)
class SpineCurve:
    """A curve in the sagittal plane x = 0, of one circular arc between neighbouring stations.

    Beyond the outermost stations the arcs go on as they are.

    Parameters
    ----------
    s_mm
        Stations along the curve, ascending, shape (n,).
    tilts_deg
        Tilt of the cross-section at each station, shape (n,).

    Attributes
    ----------
    points_mm
        (y, z) of the stations, shape (n, 2).
    """

    s_mm: Array
    tilts_deg: Array
    points_mm: Array = field(init=False)

    def __post_init__(self) -> None:
        tilt = np.radians(self.tilts_deg)
        length, turn = np.diff(self.s_mm), np.diff(tilt)
        chord = length * np.sinc(turn / (2 * np.pi))
        middle = (tilt[:-1] + tilt[1:]) / 2
        steps = chord[:, None] * np.column_stack((-np.sin(middle), np.cos(middle)))
        points = np.vstack((np.zeros(2), np.cumsum(steps, axis=0)))
        origin = np.flatnonzero(self.s_mm == 0.0)[0]
        object.__setattr__(self, "points_mm", points - points[origin])

    def to_anatomy(self, uvs: Array) -> Array:
        """Map spine coordinates, shape (n, 3), to anatomical LPS millimetres, shape (n, 3)."""
        u, v, s = np.asarray(uvs, dtype=np.float64).T
        arc = np.clip(np.searchsorted(self.s_mm, s) - 1, 0, len(self.s_mm) - 2)
        curvature, centre = self._arcs
        tilt = np.radians(self.tilts_deg[arc]) - curvature[arc] * (s - self.s_mm[arc])
        out = v - 1 / curvature[arc]
        y, z = (
            middle[arc] + direction * out
            for middle, direction in zip(centre.T, (np.cos(tilt), np.sin(tilt)), strict=True)
        )
        return in_rows((u, y, z))

    def to_spine(self, points_mm: Array) -> tuple[Array, Array, Array]:
        """Map anatomical points, shape (n, 3), to u, v and s, each of shape (n,)."""
        y, z = points_mm[:, 1], points_mm[:, 2]
        arc = self._arc_of(y, z)
        curvature, centre = self._arcs
        k = curvature[arc]
        bend = np.sign(k)
        dy, dz = (y - centre[arc, 0]) * bend, (z - centre[arc, 1]) * bend
        v = 1 / k - bend * np.hypot(dy, dz)
        tilt = np.arctan2(-dz, -dy)
        s = self.s_mm[arc] + (np.radians(self.tilts_deg)[arc] - tilt) / k
        return points_mm[:, 0], v, s

    @cached_property
    def _arcs(self) -> tuple[Array, Array]:
        """Curvature of each arc (positive: lordotic) and the (y, z) of its centre."""
        tilt = np.radians(self.tilts_deg)
        curvature = -np.diff(tilt) / np.diff(self.s_mm)
        backwards = np.column_stack((np.cos(tilt[:-1]), np.sin(tilt[:-1])))
        return curvature, self.points_mm[:-1] + backwards / curvature[:, None]

    def _arc_of(self, y: Array, z: Array) -> NDArray[np.intp]:
        """Which arc each point belongs to: arcs are parted by the stations' planes."""
        arc = np.zeros(len(y), dtype=np.intp)
        tilt = np.radians(self.tilts_deg)
        if not len(y):
            return arc
        corners = np.array([(b, a) for b in (y.min(), y.max()) for a in (z.min(), z.max())])
        for station in range(1, len(self.s_mm) - 1):
            up = np.array((-np.sin(tilt[station]), np.cos(tilt[station])))
            # Most stations have all points on one side; four corners tell.
            reach = (corners - self.points_mm[station]) @ up
            if reach.min() > 0:
                arc[:] = station
            elif reach.max() >= 0:
                y0, z0 = self.points_mm[station]
                arc[(y - y0) * up[0] + (z - z0) * up[1] >= 0] = station
        return arc


def lumbar_spine() -> SpineCurve:
    """Return the phantom's spine, T11 to S3."""
    return SpineCurve(np.array(STATION_S_MM), np.array(STATION_TILT_DEG))


def disc_s_mm(level: Level) -> float:
    """Where along the spine a disc from L1-L2 to L5-S1 has its middle."""
    return STATION_S_MM[6 - DISCS.index(level)]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """How the subject lies in the scanner: a rotation about L3-L4, then a shift.

    Parameters
    ----------
    rotation
        From anatomical to patient axes, shape (3, 3), orthonormal.
    shift_mm
        Where the centre of L3-L4 lies in patient coordinates, shape (3,).
    """

    rotation: Array
    shift_mm: Array

    @classmethod
    def from_angles(cls, angles_deg: Array, shift_mm: Array) -> Pose:
        """Make a pose from rotations about x, y and z, applied in this order."""
        rotation = np.eye(3)
        for axis, angle in enumerate(np.radians(angles_deg)):
            turn = np.eye(3)
            a, b = [i for i in range(3) if i != axis]
            turn[a, a] = turn[b, b] = np.cos(angle)
            turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
            rotation = turn @ rotation
        return cls(rotation, np.asarray(shift_mm, dtype=np.float64))

    def to_patient(self, points_mm: Array) -> Array:
        """Map anatomical points, shape (n, 3), to patient millimetres."""
        return _turned(points_mm, self.rotation.T) + self.shift_mm

    def to_anatomy(self, points_mm: Array) -> Array:
        """Map patient points, shape (n, 3), to anatomical millimetres."""
        return _turned(points_mm - self.shift_mm, self.rotation)


def _turned(points: Array, matrix: Array) -> Array:
    """Multiply without BLAS: threads cost more than they save, and bytes must not depend on it."""
    x, y, z = points.T
    return in_rows(x * a + y * b + z * c for a, b, c in matrix.T)


def in_rows(axes: Iterable[Array]) -> Array:
    """Put coordinates, each of shape (n,), beside each other, shape (n, 3).

    Each keeps its numbers side by side in memory: they are worked with axis by axis.
    """
    return np.stack([*axes]).T
