"""Pedicle screws and rods: the signal they void, larger than the metal itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, Side
from multifidus.phantom.solid import Solid, Track, ellipse
from multifidus.phantom.spine import disc_s_mm
from multifidus.phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Tissues = NDArray[np.uint8]

ROD_VOID_MM = 15.0
"""Width of the void along the rods, which cross the disc between two screws."""

HEAD_VOID_MM = 24.0
"""Width of the void around the head of a screw."""

_ROD_LATERAL_MM, _ROD_V_MM = 27.0, 46.0
_RIM = 1.18
"""Signal displaced out of the void piles up around it, out to this relative size."""


@dataclass(frozen=True, eq=False)
class Implants:
    """Screws in the pedicles of L4 and L5 and a rod on each side."""

    @cached_property
    def rods(self) -> dict[Side, Solid]:
        """Void along the rod of each side."""
        box = _round_box(_ROD_LATERAL_MM, _ROD_V_MM, ROD_VOID_MM)
        middle = disc_s_mm(Level.L4_L5)
        return {
            side: Solid(ellipse(), Track.constant(box), mirror, middle + 2, 30.0)
            for side, mirror in ((Side.LEFT, 1), (Side.RIGHT, -1))
        }

    @cached_property
    def screws(self) -> tuple[Solid, ...]:
        """Voids around heads and shafts."""
        found = []
        disc = disc_s_mm(Level.L4_L5)
        for mirror in (1, -1):
            for s in (disc + 20, disc - 15):
                head = _round_box(_ROD_LATERAL_MM, _ROD_V_MM, HEAD_VOID_MM)
                shaft = (_ROD_LATERAL_MM - 17, -8.0, 15.0, 50.0)
                found.append(Solid(ellipse(), Track.constant(head), mirror, s, HEAD_VOID_MM / 2))
                found.append(Solid(ellipse(4), Track.constant(shaft), mirror, s, 8.0))
        return tuple(found)

    def paint(self, tissues: Tissues, u: Array, v: Array, s: Array) -> None:
        """Paint the bright rims, then the voids."""
        solids = (*self.rods.values(), *self.screws)
        for solid in solids:
            rim = Solid(
                solid.shape, _grown(solid.box), solid.mirror, solid.middle_mm, solid.half_mm
            )
            tissues[rim.contains(u, v, s)] = Tissue.PILE_UP
        for solid in solids:
            tissues[solid.contains(u, v, s)] = Tissue.VOID


def _round_box(lateral: float, v: float, width: float) -> tuple[float, float, float, float]:
    return lateral - width / 2, v - width / 2, width, width


def _grown(box: Track) -> Track:
    lateral, start, width, height = box.table.T
    more = (_RIM - 1) / 2
    return Track(
        np.column_stack(
            (lateral - more * width, start - more * height, _RIM * width, _RIM * height)
        )
    )
