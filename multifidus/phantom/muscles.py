"""The muscles: where they lie, how large they are, and how surgery shrinks them.

Areas follow the ranges of published cross-sectional areas (men: multifidus 7 cm2 at L3-L4 to
11 cm2 at L5-S1 a side, erector spinae 19.6 down to 9.4 cm2); women's are smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.phantom.solid import Solid, Template, ellipse, sized, template
from multifidus.phantom.spec import Sex, Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Every row below is a station along the spine, from S2-S3 up to T11-T12.

_MULTIFIDUS = template(
    [(0, 2), (19, 0), (28, 1), (31, 6), (23, 29), (14, 36), (7, 37), (0, 35)], power=8
)
_ERECTOR = template(
    [(12, 8), (22, 1), (38, 0), (50, 6), (54, 17), (52, 29), (40, 42), (22, 49), (4, 47), (0, 42)],
    power=8,
)
_PSOAS = ellipse(power=2)
_QUADRATUS = template([(0, 6), (6, 0), (24, 3), (30, 9), (26, 15), (8, 14)], power=6)

# lateral start mm, v start mm, area mm2, width / height
_MALE_ROWS = {
    Structure.MULTIFIDUS: (
        (4.5, 36.0, 520, 1.15),
        (5.0, 37.0, 800, 1.15),
        (5.0, 38.0, 1100, 1.05),
        (4.8, 39.5, 920, 0.90),
        (4.6, 40.0, 700, 0.80),
        (4.4, 39.5, 480, 0.66),
        (4.2, 39.0, 340, 0.56),
        (4.0, 38.0, 260, 0.50),
        (4.0, 37.0, 220, 0.50),
    ),
    Structure.ERECTOR_SPINAE: (
        (33.0, 42.0, 300, 0.90),
        (36.0, 40.0, 600, 1.00),
        (37.0, 40.0, 940, 1.05),
        (30.5, 36.0, 1460, 1.06),
        (24.5, 32.0, 1800, 1.10),
        (19.0, 31.0, 1920, 1.20),
        (15.0, 30.0, 1960, 1.26),
        (13.0, 29.0, 1840, 1.30),
        (12.0, 28.0, 1700, 1.30),
    ),
    Structure.PSOAS: (
        (53.0, -42.0, 700, 0.95),
        (45.0, -42.0, 1050, 0.92),
        (34.0, -36.0, 1400, 0.90),
        (27.0, -22.0, 1500, 0.88),
        (24.5, -12.0, 1120, 0.82),
        (22.5, -5.0, 720, 0.75),
        (21.0, 0.0, 380, 0.62),
        (20.5, 3.0, 160, 0.60),
        (20.5, 5.0, 80, 0.60),
    ),
    Structure.QUADRATUS_LUMBORUM: (
        (78.0, 10.0, 20, 1.8),
        (77.0, 10.0, 60, 1.8),
        (75.0, 10.0, 150, 1.8),
        (68.0, 11.0, 520, 1.75),
        (58.0, 12.5, 600, 1.80),
        (48.5, 14.0, 440, 1.80),
        (38.5, 15.5, 280, 1.70),
        (33.0, 17.0, 170, 1.60),
        (31.0, 18.0, 120, 1.60),
    ),
}

_FEMALE_AREA = {
    Structure.MULTIFIDUS: 0.60,
    Structure.ERECTOR_SPINAE: 0.72,
    Structure.PSOAS: 0.64,
    Structure.QUADRATUS_LUMBORUM: 0.68,
}

_RIGHT_OVER_LEFT = 1.03
"""Area of the right multifidus over the left (right is larger in 65-68 % of men)."""

_TEMPLATES: dict[Structure, Template] = {
    Structure.MULTIFIDUS: _MULTIFIDUS,
    Structure.ERECTOR_SPINAE: _ERECTOR,
    Structure.PSOAS: _PSOAS,
    Structure.QUADRATUS_LUMBORUM: _QUADRATUS,
}

MUSCLES = tuple(_TEMPLATES)
"""The muscles that the phantom has, in the order in which they are drawn."""

# Fat, percent of the area, in the planes of S2-S3 .. T11-T12.
_HEALTHY_FAT_PCT = {
    Structure.MULTIFIDUS: (34, 32, 28, 20, 17, 15, 14, 13, 12),
    Structure.ERECTOR_SPINAE: (24, 22, 18, 12, 9, 8, 8, 8, 8),
    Structure.PSOAS: (3, 3, 3, 3, 3, 3, 3, 3, 3),
    Structure.QUADRATUS_LUMBORUM: (7, 7, 7, 7, 6, 6, 6, 6, 6),
}
_PATIENT_FAT_PCT = {
    Structure.MULTIFIDUS: (52, 50, 45, 36, 31, 27, 24, 22, 20),
    Structure.ERECTOR_SPINAE: (34, 32, 28, 22, 18, 16, 14, 13, 13),
    Structure.PSOAS: (5, 5, 5, 5, 5, 5, 5, 5, 5),
    Structure.QUADRATUS_LUMBORUM: (11, 11, 11, 10, 9, 9, 9, 9, 9),
}

# Lean multifidus area after over before, S2-S3 .. T11-T12. Fan et al. 2010,
# doi:10.1007/s00586-009-1191-6: -37 % at the operated and -29 % at the adjacent levels after open
# surgery, -12 % and -9 % after minimally invasive surgery. Further levels are our choice.
_LEAN_RATIO = {
    Variant.POST_OPEN: (0.80, 0.75, 0.71, 0.63, 0.71, 0.92, 0.97, 1.0, 1.0),
    Variant.POST_MIS: (0.95, 0.93, 0.91, 0.88, 0.91, 0.98, 0.99, 1.0, 1.0),
}

_SHRINKING_SHARE = 0.4
"""Share of the lean loss (as exponent) that is shrinking; the rest is muscle turned into fat."""

_SPARED = {
    Structure.MULTIFIDUS: 1.0,
    Structure.ERECTOR_SPINAE: 0.35,
    Structure.PSOAS: 0.0,
    Structure.QUADRATUS_LUMBORUM: 0.0,
}
"""How much of the multifidus' loss (as exponent) each muscle suffers."""


@dataclass(frozen=True, slots=True, eq=False)
class MuscleSolid:
    """One muscle of one side.

    Parameters
    ----------
    structure, side
        Which muscle.
    solid
        Its fascial boundary.
    fat_pct
        Aimed-at fat at the stations, shape (stations,); the truth is what quadrature finds.
    """

    structure: Structure
    side: Side
    solid: Solid
    fat_pct: Array


def muscles(variant: Variant, sex: Sex) -> tuple[MuscleSolid, ...]:
    """Return the muscles of both sides, as the variant of the subject has them."""
    return tuple(
        _muscle(structure, side, variant, sex)
        for structure in MUSCLES
        for side in (Side.LEFT, Side.RIGHT)
    )


def lean_ratio(structure: Structure, variant: Variant) -> Array:
    """Lean area of a variant over that of the patient before surgery, at the stations."""
    ratio = np.array(_LEAN_RATIO.get(variant, (1.0,) * 9))
    return np.asarray(ratio ** _SPARED[structure])


def _muscle(structure: Structure, side: Side, variant: Variant, sex: Sex) -> MuscleSolid:
    rows = np.array(_MALE_ROWS[structure])
    healthy = variant is Variant.HEALTHY
    fat = np.array((_HEALTHY_FAT_PCT if healthy else _PATIENT_FAT_PCT)[structure], dtype=np.float64)
    if sex is Sex.FEMALE:
        rows[:, 2] *= _FEMALE_AREA[structure]
        rows[:, 0] = _towards_midline(rows[:, 0])
    if structure is Structure.MULTIFIDUS:
        rows[:, 2] *= np.sqrt(_RIGHT_OVER_LEFT) ** (1 if side is Side.RIGHT else -1)
    ratio = lean_ratio(structure, variant)
    shrunk = ratio**_SHRINKING_SHARE
    rows[:, 2] *= shrunk
    fat = 100 - (100 - fat) * ratio / shrunk
    solid = sized(_TEMPLATES[structure], rows, mirror=1 if side is Side.LEFT else -1)
    return MuscleSolid(structure, side, solid, fat)


def _towards_midline(lateral_mm: Array) -> Array:
    """Keep what lies along the midline, draw the rest in: narrower bodies have narrower backs."""
    return np.asarray(np.where(lateral_mm > 8, 8 + 0.82 * (lateral_mm - 8), lateral_mm))  # noqa: PLR2004
