"""A person: size, posture, fat below the skin, and how the person differs from the drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus import Level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVELS = (Level.L3_L4, Level.L4_L5, Level.L5_S1)

ANATOMY, FAT, LEVELS_OF_SIGNAL, COIL, NOISE, TRACING, SAMPLES, TEXTURE = range(8)
"""Each purpose has random numbers of its own: what one factor changes, the others keep."""

_WAVES = 7


def randomly(seed: int, purpose: int, *parts: int) -> np.random.Generator:
    """Return the random numbers of one purpose, such as the noise of slice 2."""
    return np.random.default_rng(np.random.SeedSequence((seed, purpose, *parts)))


@dataclass(frozen=True, slots=True)
class Waves:
    """A smooth displacement: a sum of sine waves longer than the structures are apart.

    Parameters
    ----------
    vectors, phases, amplitudes_mm
        Radians per millimetre (n, 2); radians (n,); displacement left and posterior (n, 2).
    """

    vectors: Array
    phases: Array
    amplitudes_mm: Array

    @classmethod
    def drawn(
        cls, rng: np.random.Generator, amplitude_mm: float, lengths_mm: tuple[float, float]
    ) -> Waves:
        """Draw waves of any direction."""
        angle = rng.uniform(0, 2 * np.pi, _WAVES)
        length = rng.uniform(*lengths_mm, _WAVES)
        vectors = 2 * np.pi / length[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
        amplitudes = rng.normal(0, amplitude_mm, (_WAVES, 2))
        return cls(vectors, rng.uniform(0, 2 * np.pi, _WAVES), amplitudes)

    def moved(self, places: Array) -> Array:
        """Return places as displaced."""
        return places + np.sin(places @ self.vectors.T + self.phases) @ self.amplitudes_mm


@dataclass(frozen=True, slots=True)
class Body:
    """One slice of a person: takes places of the drawing to places in the slice.

    Parameters
    ----------
    size
        Length over that in the drawing.
    angle_deg, offset_mm
        How the person lies: turned about the spine, and left and posterior of the middle.
    fat_mm
        Subcutaneous fat over the spinous processes; it is thicker beside them.
    furrow_mm, flat
        Depth of the furrow over the spine, and how flat the back is: 0.6 (round) to 1.2.
    waves
        Long ones of the person, then long and short ones of the slice.
    """

    size: float
    angle_deg: float
    offset_mm: tuple[float, float]
    fat_mm: float
    furrow_mm: float
    flat: float
    waves: tuple[Waves, ...]

    def placed(self, drawing: Array) -> Array:
        """Return where places of the drawing lie in the slice, (n, 2)."""
        bent = drawing
        for each in self.waves:
            bent = each.moved(bent)
        angle = np.deg2rad(self.angle_deg)
        turn = np.array(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
        return np.asarray(self.size * bent @ turn + np.array(self.offset_mm))


def body(seed: int, number: int) -> Body:
    """Return the slice of a person with this number, 0 to 2 from L3-L4 to L5-S1."""
    rng = randomly(seed, ANATOMY)
    size = float(np.exp(rng.normal(0.0, 0.055)))
    angle = float(rng.normal(0, 2.5))
    offset = rng.normal(0, 2.0, 2)
    fat = float(np.clip(np.exp(rng.normal(np.log(13), 0.5)), 5, 34))
    furrow, flat = float(rng.uniform(1, 5)), float(rng.uniform(0.6, 1.2))
    person = Waves.drawn(rng, 0.6, (45, 110))
    own = randomly(seed, ANATOMY, number)
    here = Waves.drawn(own, 0.25, (45, 110))
    rough = Waves.drawn(own, 0.11, (13, 28))
    angle += float(own.normal(0, 0.7))
    left, posterior = offset + own.normal(0, 0.6, 2)
    return Body(
        size, angle, (float(left), float(posterior)), fat, furrow, flat, (person, here, rough)
    )
