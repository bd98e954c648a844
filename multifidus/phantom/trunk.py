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
            (1.5, start, width * k, 79.5 - start)
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
                (76, 76, 77, 91, 91, 79, 70, 68, 66),
                (82, 82, 81, 41, 37, 30, 27, 27, 27),
                strict=True,
            )
        ]
        left, right = (Solid(ellipse(), Track.through(rows), mirror) for mirror in (1, -1))
        return left, right

    @cached_property
    def loops(self) -> Array:
        """Bowel loops: centre x, y, z and radii across and along z, shape (n, 5)."""
        rng = np.random.default_rng([self.seed, 3])
        grid = [
            (x, y, z)
            for z in np.arange(-110, 150, 34)
            for x in np.arange(-112, 113, 28)
            for y in (-92, -68, -44)
            if y < -50 or abs(x) > 50
        ]
        centres = np.array(grid) + rng.uniform(-7, 7, (len(grid), 3))
        radii = rng.uniform((11, 16), (17, 28), (len(grid), 2))
        return np.column_stack((centres * (self.scale, 1, 1), radii))

    def paint(self, tissues: Tissues, points: Array, spine: tuple[Array, Array, Array]) -> None:
        """Paint the trunk over points given in anatomical and in spine coordinates."""
        x, y, z = points.T
        x = x / self.scale
        self._paint_hull(tissues, x, y, z)
        self._paint_belly(tissues, x, y, z)
        for back in self.backs:
            at = np.flatnonzero(back.contains(*spine))
            edge = back.raised(*(c[at] for c in spine)) ** (1 / _BACK.power)
            tissues[at] = np.where(edge > _FASCIA, Tissue.LIGAMENT, Tissue.FAT)
        self._paint_hips(tissues, *spine)
        for pocket in self.pockets:
            tissues[pocket.contains(*spine)] = Tissue.FAT

    def _paint_hull(self, tissues: Tissues, x: Array, y: Array, z: Array) -> None:
        """Skin and subcutaneous fat with its septa."""
        back = 98.0 + 4e-4 * (z - 20) ** 2 - _FURROW_MM * np.exp(-((x / 15) ** 2))
        depth = np.where(y > 0, np.maximum(back, 1.0), 122.0)
        hull = np.abs(x / 166) ** 2.6 + np.abs(y / depth) ** 2.6
        tissues[hull < 1] = Tissue.SKIN
        inner = np.abs(x / (166 - _SKIN_MM)) ** 2.6 + np.abs(y / (depth - _SKIN_MM)) ** 2.6
        at = np.flatnonzero(inner < 1)
        sheet, patch = self.field.at(y[at] * 0.6, x[at] * 0.35, z[at] * 0.5)
        tissues[at] = np.where((sheet < 0.09) & (patch < 0.6), Tissue.SEPTUM, Tissue.FAT)

    def _paint_belly(self, tissues: Tissues, x: Array, y: Array, z: Array) -> None:
        """Abdominal wall in three layers, bowel, kidneys, aorta and caval vein."""
        depth = np.where(y > 0, 44.0, 104.0)
        wall = (np.abs(x / 146) ** 2.4 + np.abs(y / depth) ** 2.4) ** (1 / 2.4)
        ring = np.flatnonzero((wall < 1) & ((y < 0) | (np.abs(x) > 70)))  # noqa: PLR2004
        place = 1 - (1 - wall[ring]) / np.clip((36 - y[ring]) / 40, 0.05, 1)
        muscle = (place > 0.875) & (np.abs(place - 0.955) > 0.004) & (np.abs(place - 0.92) > 0.004)  # noqa: PLR2004
        midline = np.abs(x[ring]) < 5  # noqa: PLR2004
        layer = np.where(midline, Tissue.LIGAMENT, Tissue.MUSCLE)
        muscle &= y[ring] < 33  # noqa: PLR2004
        tissues[ring] = np.where(muscle, layer, Tissue.FAT)
        for cx, cy, cz, across, along in self.loops:
            near = np.flatnonzero((np.abs(x - cx) < across) & (np.abs(y - cy) < across))
            dx, dy, dz = x[near] - cx, y[near] - cy, (z[near] - cz) / along
            r = np.sqrt((dx**2 + dy**2) / across**2 + dz**2)
            inside = (r < 1) & (wall[near] < 0.865)  # noqa: PLR2004
            found = np.where(r < 0.78, Tissue.BOWEL_CONTENT, Tissue.BOWEL_WALL)  # noqa: PLR2004
            found[(r < 0.74) & (dy < -0.25 * across)] = Tissue.VOID  # gas rises
            tissues[near[inside]] = found[inside]
        for side in (1, -1):
            kidney = ((x * side - 58) / 24) ** 2 + ((y - 8) / 21) ** 2 + ((z - 78) / 50) ** 2
            tissues[kidney < 1] = Tissue.KIDNEY
            sinus = ((x * side - 48) / 11) ** 2 + ((y - 3) / 8) ** 2 + ((z - 78) / 28) ** 2
            tissues[sinus < 1] = Tissue.FAT
        self._paint_vessels(tissues, x, y, z)

    @staticmethod
    def _paint_vessels(tissues: Tissues, x: Array, y: Array, z: Array) -> None:
        """Aorta and caval vein, parting at L4: dark by flow."""
        apart = np.where(z < -22, 0.75 * (-22 - z), 0.0)  # noqa: PLR2004
        for centre, radius in ((8.0, 9.0), (-14.0, 10.0)):
            for side in (1, -1):
                x0 = centre + side * np.minimum(apart, 30.0)
                small = radius * np.where(z < -22, 0.68, 1.0)  # noqa: PLR2004
                r = np.hypot(x - x0, y + 28 - 0.1 * np.maximum(-22 - z, 0)) / small
                tissues[r < 1] = Tissue.BOWEL_WALL
                tissues[r < 0.86] = Tissue.VESSEL  # noqa: PLR2004

    def _paint_hips(self, tissues: Tissues, u: Array, v: Array, s: Array) -> None:
        """Gluteal muscle outside the ilium; muscle of the hip, never outlined."""
        rows = [(88.0 * self.scale, 0.0, 40.0, 66.0)] * 9
        for mirror in (1, -1):
            hip = Solid(ellipse(4), Track.through(rows), mirror, -112.0, 55.0)
            tissues[hip.contains(u, v, s)] = Tissue.MUSCLE
