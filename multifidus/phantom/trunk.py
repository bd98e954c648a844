"""The rest of the trunk: skin, fat, abdominal wall, bowel, kidneys and great vessels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from multifidus.phantom.solid import Solid, Track, ellipse, template
from multifidus.phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.phantom.fat import StreakField

    Array = NDArray[np.float64]
    Tissues = NDArray[np.uint8]

_SKIN_MM = 2.2
_FURROW_MM = 7.0
_FASCIA = 0.965
"""Rim of the compartment of the back muscles, relative to its size."""

_BACK = template(
    [
        (0, 8),
        (22, 2),
        (40, 0),
        (68, 0),
        (80, 6),
        (84, 20),
        (80, 36),
        (66, 47),
        (40, 54),
        (10, 54),
        (0, 50),
    ],
    power=10,
)


# Relative distances from the axis of the abdominal wall, 1 on its outside.
_PERITONEUM = 0.875
_WALL_SHEETS = (0.92, 0.955)
_WALL_SHEET_HALF = 0.004

_WALL_LATERAL_MM = 70.0
_LINEA_ALBA_MM = 5.0
_ORGANS_BEHIND_MM = 33.0
_BIFURCATION_Z_MM = -22.0
_VESSEL_LUMEN = 0.86
_VESSELS_REACH_MM = 60.0
"""No vessel is further from the midline."""

_LUMEN = 0.80
"""Inside of a bowel loop, relative to its radius."""

_CONTENTS = (Tissue.BOWEL_CONTENT, Tissue.KIDNEY, Tissue.BOWEL_WALL, Tissue.MUSCLE, Tissue.VOID)
_CONTENT_SHARES = (0.2, 0.25, 0.25, 0.2, 0.1)
"""What fills the loops: fluid, mush of several kinds, gas."""

_SEPTA, _SEPTA_PATCHES = 0.09, 0.6
"""How near a sheet of the random field a septum of the subcutaneous fat is, and how common."""

POCKET_MM = 6.0
"""Radius of the pockets of pure fat in the corner between erector spinae and quadratus."""


@dataclass(frozen=True, eq=False)
class Trunk:
    """Everything around the spine and its muscles.

    Parameters
    ----------
    scale
        Size across relative to a man's.
    field
        The subject's fields; septa of the subcutaneous fat follow them.
    seed
        Seed of the bowel loops.
    """

    scale: float
    field: StreakField
    seed: int

    @cached_property
    def backs(self) -> tuple[Solid, Solid]:
        """Compartments of the back muscles: inside the thoracolumbar fascia, left and right."""
        k = self.scale
        rows = [
            (1.5, start, width * k, 77.5 - start)
            for start, width in zip(
                (34, 33, 33, 31, 29, 29, 28, 27, 26),
                (76, 78, 80, 81, 83, 82, 81, 80, 79),
                strict=True,
            )
        ]
        left, right = (Solid(_BACK, Track.through(rows), mirror) for mirror in (1, -1))
        return left, right

    @cached_property
    def pockets(self) -> tuple[Solid, Solid]:
        """Tubes of pure fat at the depth of the back muscles, left and right."""
        rows = [
            (x * self.scale - POCKET_MM, v - POCKET_MM, 2 * POCKET_MM, 2 * POCKET_MM)
            for x, v in zip(
                (76, 76, 77, 89, 91, 88, 70, 68, 66),
                (82, 82, 81, 60, 46, 38, 27, 27, 27),
                strict=True,
            )
        ]
        left, right = (Solid(ellipse(), Track.through(rows), mirror) for mirror in (1, -1))
        return left, right

    @cached_property
    def hips(self) -> tuple[Solid, Solid]:
        """Gluteal muscle outside the ilia; never outlined."""
        box = Track.constant((88.0 * self.scale, 0.0, 40.0, 66.0))
        left, right = (Solid(ellipse(4), box, mirror, -112.0, 55.0) for mirror in (1, -1))
        return left, right

    @cached_property
    def loops(self) -> Array:
        """Bowel loops: centre x, y, z, radii along x, y and z, content; shape (n, 7)."""
        rng = np.random.default_rng([self.seed, 3])
        grid = [
            (x, y, z)
            for z in np.arange(-110, 150, 30)
            for x in np.arange(-112, 113, 28)
            for y, clear_of_spine in ((-90, 0), (-68, 0), (-46, 50), (-22, 80))
            if abs(x) >= clear_of_spine
        ]
        centres = np.array(grid) + rng.uniform(-8, 8, (len(grid), 3))
        radii = rng.uniform((10, 8, 16), (20, 13, 30), (len(grid), 3))
        contents = rng.choice(_CONTENTS, len(grid), p=_CONTENT_SHARES)
        return np.column_stack((centres * (self.scale, 1, 1), radii, contents))

    def paint(self, tissues: Tissues, points: Array, spine: tuple[Array, Array, Array]) -> None:
        """Paint the trunk over points given in anatomical and in spine coordinates."""
        x, y, z = points.T
        x = x / self.scale
        wall = _superellipse(x, y, (146.0, np.where(y > 0, 44.0, 104.0)), 2.4)
        self._paint_hull(tissues, (x, y, z), wall)
        _paint_wall(tissues, x, y, wall)
        self._paint_organs(tissues, (x, y, z), wall)
        for back in self.backs:
            at = np.flatnonzero(back.contains(*spine))
            edge = back.raised(*(c[at] for c in spine)) ** (1 / _BACK.power)
            tissues[at] = np.where(edge > _FASCIA, Tissue.LIGAMENT, Tissue.FAT)
        for hip in self.hips:
            tissues[hip.contains(*spine)] = Tissue.MUSCLE

    def _paint_hull(
        self, tissues: Tissues, points: tuple[Array, Array, Array], wall: Array
    ) -> None:
        """Skin, and fat with septa under it."""
        x, y, z = points
        back = 98.0 + 4e-4 * (z - 20) ** 2 - _FURROW_MM * np.exp(-((x / 15) ** 2))
        depth = np.where(y > 0, np.maximum(back, 1.0), 122.0)
        tissues[_superellipse(x, y, (166.0, depth), 2.6) < 1] = Tissue.SKIN
        inner = _superellipse(x, y, (166.0 - _SKIN_MM, depth - _SKIN_MM), 2.6) < 1
        tissues[inner] = Tissue.FAT
        at = np.flatnonzero(inner & (wall > 1))
        sheet, patch = self.field.at(y[at] * 0.6, x[at] * 0.35, z[at] * 0.5)
        tissues[at[(sheet < _SEPTA) & (patch < _SEPTA_PATCHES)]] = Tissue.SEPTUM

    def _paint_organs(
        self, tissues: Tissues, points: tuple[Array, Array, Array], wall: Array
    ) -> None:
        """Bowel, kidneys, aorta and caval vein."""
        inside = np.flatnonzero((wall < _PERITONEUM) & (points[1] < _ORGANS_BEHIND_MM))
        if not len(inside):
            return
        x, y, z = (c[inside] for c in points)
        found = tissues[inside]
        low, high = z.min(), z.max()
        for loop in self.loops:
            (cx, cy, cz), (rx, ry, rz), content = loop[:3], loop[3:6], loop[6]
            if cz - rz > high or cz + rz < low:
                continue
            near = np.flatnonzero((np.abs(x - cx) < rx) & (np.abs(y - cy) < ry))
            r = np.sqrt(
                ((x[near] - cx) / rx) ** 2 + ((y[near] - cy) / ry) ** 2 + ((z[near] - cz) / rz) ** 2
            )
            found[near[r < 1]] = Tissue.BOWEL_WALL
            found[near[r < _LUMEN]] = content
        for side in (1, -1):
            kidney = ((x * side - 58) / 24) ** 2 + ((y - 8) / 21) ** 2 + ((z - 78) / 50) ** 2
            found[kidney < 1] = Tissue.KIDNEY
            sinus = ((x * side - 48) / 11) ** 2 + ((y - 3) / 8) ** 2 + ((z - 78) / 28) ** 2
            found[sinus < 1] = Tissue.FAT
        _paint_vessels(found, x, y, z)
        tissues[inside] = found


def _superellipse(x: Array, y: Array, axes: tuple[float, Array], power: float) -> Array:
    """Relative distance from the axis: 1 on a superellipse of half axes along x and y."""
    a, b = axes
    return (np.abs(x / a) ** power + np.abs(y / b) ** power) ** (1 / power)


def _paint_wall(tissues: Tissues, x: Array, y: Array, wall: Array) -> None:
    """Paint the abdominal wall in three layers that thin out towards the back."""
    ring = np.flatnonzero((wall < 1) & ((y < 0) | (np.abs(x) > _WALL_LATERAL_MM)))
    place = 1 - (1 - wall[ring]) / np.clip((36 - y[ring]) / 40, 0.05, 1)
    muscle = (place > _PERITONEUM) & (y[ring] < _ORGANS_BEHIND_MM)
    for sheet in _WALL_SHEETS:
        muscle &= np.abs(place - sheet) > _WALL_SHEET_HALF
    at_midline = np.abs(x[ring]) < _LINEA_ALBA_MM
    layer = np.where(at_midline, Tissue.LIGAMENT, Tissue.MUSCLE)
    tissues[ring] = np.where(muscle, layer, Tissue.FAT)


def _paint_vessels(tissues: Tissues, x: Array, y: Array, z: Array) -> None:
    """Paint the aorta and the caval vein, parting at L4: dark by flow."""
    near = np.flatnonzero(np.abs(x) < _VESSELS_REACH_MM)
    x, y, z = x[near], y[near], z[near]
    below = np.maximum(_BIFURCATION_Z_MM - z, 0.0)
    apart = np.minimum(0.75 * below, 30.0)
    shrunk = np.where(below > 0, 0.68, 1.0)
    for centre, radius in ((8.0, 9.0), (-14.0, 10.0)):
        for side in (1, -1):
            r = np.hypot(x - centre - side * apart, y + 28 - 0.1 * below) / (radius * shrunk)
            tissues[near[r < 1]] = Tissue.BOWEL_WALL
            tissues[near[r < _VESSEL_LUMEN]] = Tissue.VESSEL
