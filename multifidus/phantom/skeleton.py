"""Bones, discs, canal, nerves and implants: what makes a slice recognisable; not measured.

Of pedicle screws and rods it is the signal that they void, which is larger than the metal itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, Side
from multifidus.phantom.solid import Solid, Template, Track, ellipse, template
from multifidus.phantom.spine import STATION_S_MM, disc_s_mm
from multifidus.phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Tissues = NDArray[np.uint8]

_DISC_HALF_MM = 5.0
_ENDPLATE_MM = 1.1
_SACRAL_DISC_HALF_MM = 1.5
_CONUS_END_MM = 76.0
"""The cord ends at L1-L2."""

_BODY = template(
    [
        (2, 6),
        (10, 0),
        (32, 0),
        (40, 6),
        (42, 18),
        (38, 29),
        (27, 34),
        (21, 32),
        (15, 34),
        (4, 29),
        (0, 18),
    ],
    power=8,
)
_CANAL = template([(0, 6), (5, 0), (23, 0), (28, 6), (22, 12), (14, 15.6), (6, 12)], power=8)
_SAC = ellipse(power=2)
_LAMINA = template([(0, 8), (13, 0), (19, 1), (19, 6), (4, 15), (0, 15)], power=6)
_UPPER_FACET = template([(7, 0), (13, 0), (17, 6), (15, 15), (11, 14), (6, 6)], power=6)
_LOWER_FACET = template([(0, 5), (5, 0), (9, 8), (11, 14), (4, 16), (0, 13)], power=6)
_SPINOUS = template([(0.8, 0), (5.2, 0), (6, 24), (5.5, 36), (0.5, 36), (0, 24)], power=6)
_ALA = template([(0, 6), (14, 0), (34, 4), (40, 14), (30, 26), (12, 30), (0, 28)], power=6)
_ILIUM = template(
    [(0, 46), (12, 26), (34, 4), (42, 0), (46, 5), (36, 24), (14, 50), (4, 54)], power=6
)
_ILIACUS = template([(0, 34), (8, 18), (26, 0), (38, 0), (36, 8), (14, 32), (4, 38)], power=6)


def _placed(
    shape: Template,
    box: tuple[float, float, float, float],
    *,
    mirror: int = 1,
    along: tuple[float, float] = (0.0, float("inf")),
) -> Solid:
    """Make a solid of one box (lateral, v, width, height) and (middle, half length)."""
    return Solid(shape, Track.constant(box), mirror, *along)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """The vertebral column with its canal, and the ilia.

    Parameters
    ----------
    scale
        Size across the spine relative to a man's.
    """

    scale: float = 1.0

    @cached_property
    def column(self) -> Solid:
        """Bodies and discs as one: 36-46 mm wide, 33-37 mm deep, waisted between discs."""
        stations = sorted({*STATION_S_MM, *_mid_bodies()})
        rows = []
        for s in stations:
            width = float(np.interp(s, (-99, -71, 0, 71, 134), (40, 46, 44, 40, 37)))
            depth = float(np.interp(s, (-99, -71, 0, 71, 134), (26, 35, 35, 33.5, 31)))
            waist = 4.0 if s in _mid_bodies() else 0.0
            width, depth = (width - waist) * self.scale, (depth - waist * 0.6) * self.scale
            rows.append((-width / 2, 18.0 * self.scale - depth, width, depth))
        return Solid(_BODY, Track.through(rows, stations))

    @cached_property
    def canal(self) -> Solid:
        """The bony canal, 15.6 x 28 mm."""
        return _placed(_CANAL, (-14.0, 18.2, 28.0, 15.6))

    @cached_property
    def sac(self) -> Solid:
        """The dural sac, tapering into the sacrum."""
        rows = [
            (-w / 2, 19.2, w, h)
            for w, h in zip(
                (5, 10, 15.5, 17.5, 18.5, 19, 19, 18.5, 18),
                (5, 8, 11.5, 12.5, 13, 13, 13.5, 13.5, 13.5),
                strict=True,
            )
        ]
        return Solid(_SAC, Track.through(rows))

    @cached_property
    def cord(self) -> Solid:
        """The conus."""
        return _placed(_SAC, (-4.5, 21.5, 9.0, 7.5), along=(_CONUS_END_MM + 60, 60.0))

    @cached_property
    def roots(self) -> tuple[Solid, ...]:
        """The cauda equina: strands that sink to the back of the sac and thin out downwards."""
        found = []
        for mirror in (1, -1):
            for n in range(6):
                depth = 28.6 - 0.36 * n * n / 4
                rows = []
                for s in STATION_S_MM:
                    spread = float(np.interp(s, (-99, 71), (0.75, 1.0)))
                    size = 1.7 if s > -110 + 17 * n else 0.3
                    rows.append(((0.5 + 1.15 * n) * spread, depth - 3 * (s < -80), size, size))  # noqa: PLR2004
                found.append(Solid(_SAC, Track.through(rows), mirror))
        return tuple(found)

    @cached_property
    def bones(self) -> tuple[Solid, ...]:
        """Posterior elements of every vertebra, the sacral wings and the ilia."""
        found: list[Solid] = []
        for s in STATION_S_MM[2:]:
            for mirror in (1, -1):
                found += _neural_arch(s, mirror)
            reach = 30.0 if s == STATION_S_MM[2] else 36.0
            found.append(_placed(_SPINOUS, (-3.6, 40.0, 7.2, reach), along=(s + 8, 12.5)))
        for mirror in (1, -1):
            found.append(_placed(_ALA, (16.0, -8.0, 40.0, 34.0), mirror=mirror, along=(-112, 33)))
            rows = [
                (lateral, start, 50.0, 58.0)
                for lateral, start in zip(
                    (56, 62, 70, 80, 86, 86, 86, 86, 86),
                    (2, 0, -6, -4, -4, -4, -4, -4, -4),
                    strict=True,
                )
            ]
            found.append(Solid(_ILIUM, Track.through(rows), mirror, -100.0, 62.0))
        return tuple(found)

    @cached_property
    def iliaci(self) -> tuple[Solid, ...]:
        """The muscles on the inside of the ilia; never outlined."""
        box = (64.0, -26.0, 44.0, 52.0)
        return tuple(_placed(_ILIACUS, box, mirror=m, along=(-110.0, 58.0)) for m in (1, -1))

    def paint(self, tissues: Tissues, u: Array, v: Array, s: Array) -> None:
        """Paint bones, discs and canal over points in spine coordinates."""
        between = (np.abs(u) < 1.3) & (v > 36) & (v < 74) & (s > -100)  # noqa: PLR2004
        tissues[between] = Tissue.MUSCLE
        above = (np.abs(u) < 2.2) & (v > 74.5) & (v < 78) & (s > -95)  # noqa: PLR2004
        tissues[above] = Tissue.LIGAMENT
        for iliacus in self.iliaci:
            tissues[iliacus.contains(u, v, s)] = Tissue.MUSCLE
        # Spinous processes point downwards as they run back.
        drooping = s + 0.3 * np.maximum(v - 44, 0)
        for bone in self.bones:
            _paint_bone(tissues, bone, (u, v, drooping if bone.shape is _SPINOUS else s))
        self._paint_column(tissues, u, v, s)
        self._paint_canal(tissues, u, v, s)

    def _paint_column(self, tissues: Tissues, u: Array, v: Array, s: Array) -> None:
        at = np.flatnonzero(self.column.contains(u, v, s))
        edge = self.column.raised(u[at], v[at], s[at]) ** (1 / _BODY.power)
        distance = np.full(len(at), np.inf)
        half = np.full(len(at), _DISC_HALF_MM)
        for station in STATION_S_MM:
            apart = np.abs(s[at] - station)
            nearer = apart < distance
            distance[nearer] = apart[nearer]
            half[nearer] = _DISC_HALF_MM if station > -80 else _SACRAL_DISC_HALF_MM  # noqa: PLR2004
        found = np.full(len(at), Tissue.MARROW, dtype=np.uint8)
        found[edge > 0.94] = Tissue.CORTEX  # noqa: PLR2004
        found[distance < half + _ENDPLATE_MM] = Tissue.CORTEX
        disc = distance < half
        found[disc] = Tissue.ANNULUS
        # The nucleus lies a little behind the middle and is flat along the spine.
        core = (edge / 0.62) ** 4 + (distance / (0.75 * half)) ** 4 < 1
        found[core & disc] = Tissue.NUCLEUS
        # The lowest two discs are dry, as they mostly are in patients.
        found[core & disc & (s[at] < -18)] = Tissue.DRY_NUCLEUS  # noqa: PLR2004
        tissues[at] = found

    def _paint_canal(self, tissues: Tissues, u: Array, v: Array, s: Array) -> None:
        near = np.flatnonzero(self.canal.contains(u, v, s))
        u, v, s = u[near], v[near], s[near]
        found = np.full(len(near), Tissue.FAT, dtype=np.uint8)
        # Yellow ligament lines the back of the canal on both sides.
        found[(np.abs(u) > 3) & (v > 29.5 - 0.12 * np.abs(u))] = Tissue.LIGAMENT  # noqa: PLR2004
        edge = self.sac.raised(u, v, s)
        found[edge < 1.16] = Tissue.LIGAMENT  # noqa: PLR2004 - the dura, a thin dark line
        found[edge < 1] = Tissue.CSF
        for root in self.roots:
            inside = root.contains(u, v, s) & (s < _CONUS_END_MM + 6) & (edge < 1)
            found[inside] = Tissue.NERVE
        found[self.cord.contains(u, v, s)] = Tissue.NERVE
        tissues[near] = found


def _mid_bodies() -> tuple[float, ...]:
    return tuple((low + high) / 2 for low, high in pairwise(STATION_S_MM[2:]))


def _neural_arch(s: float, mirror: int) -> list[Solid]:
    """Facet joint, lamina and pedicles of one side at the disc at ``s``."""
    return [
        _placed(_LAMINA, (0.0, 30.0, 19.0, 14.0), mirror=mirror, along=(s + 8, 15.0)),
        _placed(_UPPER_FACET, (15.0, 19.5, 12.5, 15.5), mirror=mirror, along=(s - 5, 14.0)),
        _placed(_LOWER_FACET, (8.0, 25.0, 12.0, 16.5), mirror=mirror, along=(s + 3, 13.0)),
        _placed(ellipse(4), (12.5, 8.0, 9.0, 22.0), mirror=mirror, along=(s - 13.5, 7.5)),
        _placed(ellipse(4), (20.0, 20.0, 26.0, 8.0), mirror=mirror, along=(s - 15.0, 5.5)),
    ]


def _paint_bone(tissues: Tissues, bone: Solid, spine: tuple[Array, Array, Array]) -> None:
    """Paint a bone: a dark rim around marrow."""
    at = np.flatnonzero(bone.contains(*spine))
    edge = bone.raised(*(c[at] for c in spine)) ** (1 / bone.shape.power)
    width = float(bone.box.table[:, 2:].min())
    rim = 1 - 2 * 1.1 / width
    tissues[at] = np.where(edge > rim, Tissue.CORTEX, Tissue.MARROW)


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
