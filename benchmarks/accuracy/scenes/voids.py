"""Where the left multifidus has no signal: metal, vessels with fast flow, air."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.scenes.anatomy import Anatomy
from benchmarks.accuracy.scenes.body import TEXTURE, randomly
from benchmarks.accuracy.scenes.curves import closed_curve
from benchmarks.accuracy.scenes.scene import Void
from multifidus import Side, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_POINTS = 48
_PILE_UP_MM, _MARGIN_MM = 1.3, 0.6


@dataclass(frozen=True, slots=True)
class Hole:
    """One place without signal.

    Parameters
    ----------
    void_mm, bright_mm
        Border of what has no signal, and of the bright rim about it; None without a rim.
    artefact_mm
        What a rater outlines.
    """

    void_mm: Array
    bright_mm: Array | None
    artefact_mm: Array


_KINDS: dict[Void, tuple[tuple[float, float, float, float, float], ...]] = {
    Void.NONE: (),
    # Lateral and superficial of the muscle's middle as fractions of its half-width and
    # half-depth; radii of the hole in mm; roughness.
    Void.METAL: ((0.2, -0.15, 4.6, 3.4, 0.12),),
    Void.FLOW: ((-0.3, -0.3, 1.1, 1.0, 0.1), (0.3, 0.15, 1.2, 0.9, 0.1),
                (-0.1, 0.55, 0.9, 0.9, 0.1)),
    Void.AIR: ((-0.3, 0.3, 2.6, 1.7, 0.25), (0.35, -0.2, 1.9, 2.4, 0.25)),
}  # fmt: skip


def holes(anatomy: Anatomy, void: Void, seed: int, number: int) -> list[Hole]:
    """Return the holes of a slice; they lie in the left multifidus."""
    border = anatomy.borders_mm[Structure.MULTIFIDUS, Side.LEFT]
    low, high = border.min(axis=0), border.max(axis=0)
    middle, half = border.mean(axis=0), (high - low) / 2
    # In a muscle that has shrunk, holes are smaller too.
    scale = float(min(1.0, np.sqrt(np.prod(half)) / 9.0))
    found = []
    for place, (lateral, superficial, across, deep, rough) in enumerate(_KINDS[void]):
        rng = randomly(seed, TEXTURE, number, 7, place)
        turn = np.linspace(0, 2 * np.pi, 9, endpoint=False)
        away = (1 + rough * rng.uniform(-1, 1, 9))[:, None]
        ring = away * np.column_stack((np.cos(turn), np.sin(turn)))
        at = middle + half * (lateral, superficial)
        radii = scale * np.array((across, deep))

        def grown(mm: float, at: Array = at, radii: Array = radii, ring: Array = ring) -> Array:
            return closed_curve(tuple(map(tuple, at + ring * (radii + mm))), _POINTS)

        rim = _PILE_UP_MM if void is Void.METAL else 0.0
        bright = grown(rim) if rim else None
        found.append(Hole(grown(0.0), bright, grown(rim + _MARGIN_MM)))
    return found
