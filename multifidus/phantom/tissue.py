"""Tissues and their signal, relative to lean muscle."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import Weighting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Tissue(IntEnum):
    """What a point of the phantom is made of; the numbers index the tables of signal."""

    AIR = 0
    SKIN = 1
    FAT = 2
    SEPTUM = 3
    MUSCLE = 4
    CORTEX = 5
    MARROW = 6
    ANNULUS = 7
    NUCLEUS = 8
    CSF = 9
    NERVE = 10
    LIGAMENT = 11
    VESSEL = 12
    BOWEL_WALL = 13
    BOWEL_CONTENT = 14
    KIDNEY = 15
    VOID = 16
    PILE_UP = 17
    DRY_NUCLEUS = 18


# T2: muscle is 1, fat is the contrast; tissues that hold fat follow it.
_T2 = {
    Tissue.SKIN: (1.1, 0.0),
    Tissue.FAT: (0.0, 1.0),
    Tissue.SEPTUM: (0.0, 0.72),
    Tissue.MUSCLE: (1.0, 0.0),
    Tissue.CORTEX: (0.25, 0.0),
    Tissue.MARROW: (0.7, 0.42),
    Tissue.ANNULUS: (0.75, 0.0),
    Tissue.NUCLEUS: (2.6, 0.0),
    Tissue.CSF: (9.0, 0.0),
    Tissue.NERVE: (2.4, 0.0),
    Tissue.LIGAMENT: (0.45, 0.0),
    Tissue.VESSEL: (0.2, 0.0),
    Tissue.BOWEL_WALL: (1.7, 0.0),
    Tissue.BOWEL_CONTENT: (4.5, 0.0),
    Tissue.KIDNEY: (3.4, 0.0),
    Tissue.PILE_UP: (0.0, 2.2),
    Tissue.DRY_NUCLEUS: (1.35, 0.0),
}

# Dixon: (water, fat); fat relaxes faster in T1 and is brighter than muscle.
_DIXON = {
    Tissue.SKIN: (0.7, 0.0),
    Tissue.FAT: (0.06, 1.54),
    Tissue.SEPTUM: (0.25, 1.1),
    Tissue.MUSCLE: (1.0, 0.02),
    Tissue.CORTEX: (0.1, 0.05),
    Tissue.MARROW: (0.5, 0.45),
    Tissue.ANNULUS: (0.6, 0.0),
    Tissue.NUCLEUS: (0.8, 0.0),
    Tissue.CSF: (0.55, 0.0),
    Tissue.NERVE: (0.8, 0.02),
    Tissue.LIGAMENT: (0.3, 0.02),
    Tissue.VESSEL: (0.9, 0.0),
    Tissue.BOWEL_WALL: (0.9, 0.0),
    Tissue.BOWEL_CONTENT: (0.7, 0.1),
    Tissue.KIDNEY: (1.0, 0.0),
    Tissue.PILE_UP: (1.2, 0.4),
    Tissue.DRY_NUCLEUS: (0.7, 0.0),
}


def signal_table(weighting: Weighting, contrast: float) -> Array:
    """Signal of every tissue relative to lean muscle, shape (tissues,).

    Parameters
    ----------
    weighting
        T2, or Dixon water or fat.
    contrast
        Signal of fat over that of muscle on T2.
    """
    table = np.zeros(len(Tissue))
    if weighting is Weighting.T2:
        for tissue, (fixed, fatty) in _T2.items():
            table[tissue] = fixed + fatty * contrast
        return table
    part = 1 if weighting is Weighting.DIXON_FAT else 0
    for tissue, signals in _DIXON.items():
        table[tissue] = signals[part]
    return table


def dixon_ratio_pct(fat_fraction: float) -> float:
    """Fat signal over all signal, 100 x sum F / sum (F + W), of muscle with a fraction of fat."""
    lean, fat = np.array(_DIXON[Tissue.MUSCLE]), np.array(_DIXON[Tissue.FAT])
    water_fat = (1 - fat_fraction) * lean + fat_fraction * fat
    return float(100 * water_fat[1] / water_fat.sum())
