"""Tissues, and their signal: of what is not fat in them, and how much of them is fat."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.scenes.scene import FatContent
from multifidus import Weighting

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Tissue(IntEnum):
    """What is at a point of the fine grid."""

    AIR = 0
    SKIN = 1
    SUBCUTANEOUS = 2
    SEPTUM = 3
    FASCIA = 4
    EPIMUSCULAR = 5
    DEEP_FAT = 6
    MUSCLE = 7
    CORTEX = 8
    MARROW = 9
    ANNULUS = 10
    NUCLEUS = 11
    LIGAMENT = 12
    CSF = 13
    NERVE = 14
    JOINT = 15
    VESSEL_WALL = 16
    VESSEL = 17
    BOWEL = 18
    ERECTOR = 19
    MULTIFIDUS = 20
    VOID = 21


@dataclass(frozen=True, slots=True)
class _Facts:
    """Signal of what is not fat, where lean multifidus is 1, and fat as a fraction of volume."""

    t1: float
    t2: float
    fat: float = 0.0


_FACTS = {
    Tissue.AIR: _Facts(0.0, 0.0),
    Tissue.SKIN: _Facts(0.9, 0.7, 0.1),
    Tissue.SUBCUTANEOUS: _Facts(0.3, 0.3, 1.0),
    Tissue.SEPTUM: _Facts(0.3, 0.3, 0.6),
    Tissue.FASCIA: _Facts(0.25, 0.2),
    Tissue.EPIMUSCULAR: _Facts(0.3, 0.3, 1.0),
    Tissue.DEEP_FAT: _Facts(0.4, 0.4, 0.95),
    Tissue.MUSCLE: _Facts(0.97, 0.95, 0.02),
    Tissue.CORTEX: _Facts(0.15, 0.12),
    Tissue.MARROW: _Facts(0.9, 1.0, 0.4),
    Tissue.ANNULUS: _Facts(0.75, 0.55),
    Tissue.NUCLEUS: _Facts(0.9, 1.7),
    Tissue.LIGAMENT: _Facts(0.45, 0.3),
    Tissue.CSF: _Facts(0.4, 5.2),
    Tissue.NERVE: _Facts(1.0, 1.5),
    Tissue.JOINT: _Facts(0.8, 2.4),
    Tissue.VESSEL_WALL: _Facts(0.8, 0.8),
    Tissue.VESSEL: _Facts(0.15, 0.1),
    Tissue.BOWEL: _Facts(1.0, 1.6, 0.02),
    Tissue.ERECTOR: _Facts(1.0, 1.0),
    Tissue.MULTIFIDUS: _Facts(1.0, 1.0),
    Tissue.VOID: _Facts(0.0, 0.0),
}

_PLACES = {
    Tissue.SKIN: 0,
    Tissue.SUBCUTANEOUS: 0,
    Tissue.SEPTUM: 0,
    Tissue.EPIMUSCULAR: 1,
    Tissue.ERECTOR: 2,
    Tissue.MULTIFIDUS: 2,
}
"""Where fat has a level of its own; anywhere else it has a fourth."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Signal of each tissue by its number: of its lean part, and of pure fat where it is.

    Parameters
    ----------
    fat
        Fraction of volume that is fat; that of measured muscles is added by pattern.
    """

    lean: NDArray[np.float32]
    pure_fat: NDArray[np.float32]
    fat: NDArray[np.float32]


def levels_of(content: FatContent, weighting: Weighting, rng: np.random.Generator) -> Levels:
    """Return the levels of an exam; pure fat differs between places, the same for one generator."""
    by_place = content.contrast * (1 + content.spread_pct / 100 * rng.uniform(-1, 1, 4))
    facts = [_FACTS[tissue] for tissue in Tissue]
    lean = [each.t1 if weighting is Weighting.T1 else each.t2 for each in facts]
    pure_fat = [by_place[_PLACES.get(tissue, 3)] for tissue in Tissue]
    fat = [each.fat for each in facts]
    return Levels(*(np.array(each, dtype=np.float32) for each in (lean, pure_fat, fat)))
