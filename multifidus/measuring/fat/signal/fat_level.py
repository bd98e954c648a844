"""The signal of fat inside muscles, which may differ from that of the fat references."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DEPOT_SD = 0.12
"""Standard deviation of fat's signal from one place of the body to another, as a logarithm."""

STEPS = np.linspace(-0.36, 0.36, 145)
"""Values that are tried."""

BRIGHTEST = 0.98
"""Quantile of the pixels nearer to fat than to lean muscle that pure fat is taken from."""

ABOVE = 0.015
"""How far that quantile lies above the level of pure fat, besides noise."""

SHARP_SD = 0.025
"""Standard deviation of what pure fat says, besides noise."""

SURE, ENOUGH_BRIGHT = 0.8, 0.10
"""Probability that the brightest pixels are pure fat, where at least this share of all pixels is
bright; of fewer pixels less. Where they are not, pure fat is brighter by any amount."""

PARTIAL = 0.4
"""Mean logarithm by which the brightest pixels then are darker than pure fat."""

WHOLE_SHIFT_PX = 2.0
"""Fat displaced by this much lies on lean muscle in the brightest pixels; by less, in a part."""

LEAST_PIXELS = 50


@dataclass(frozen=True, slots=True)
class FatLevel:
    """Logarithm of the signal of fat in muscle over that of the references, and its sd."""

    mean: float
    sd: float
    bright_share: float


def fat_level(
    corrected: Array, lean: float, fat: float, noise: float, *, shift_px: float = 0.0
) -> FatLevel:
    """Infer the signal of fat in muscles from their brightest pixels.

    Parameters
    ----------
    corrected
        Signal inside all muscles, divided by the field, (n,).
    lean, fat
        The fitted signal of lean muscle, and of fat outside muscles.
    noise
        Standard deviation of the noise.
    shift_px
        How far fat is displaced against water: displaced onto lean muscle it adds to its signal.
    """
    bright = corrected[corrected > (lean + fat) / 2]
    share = len(bright) / max(len(corrected), 1)
    probability = np.exp(-0.5 * (STEPS / DEPOT_SD) ** 2)
    if len(bright) >= LEAST_PIXELS:
        relative = noise / fat
        top = math.log(float(np.quantile(bright, BRIGHTEST)) / fat) - ABOVE - relative
        overlap = math.log1p(lean / fat) * min(1.0, shift_px / WHOLE_SHIFT_PX)
        # Of wide streaks the brightest pixels are fat alone, of thin ones both: anything between.
        top -= overlap / 2
        # Brighter than fat can be, as fluid or signal piled up beside metal, they are not fat.
        if top <= STEPS[-1]:
            sd = math.hypot(SHARP_SD + relative, overlap / 2)
            sure = SURE * min(1.0, share / ENOUGH_BRIGHT)
            probability = probability * _brightest(top, sd, sure)
    probability = probability / probability.sum()
    mean = float(probability @ STEPS)
    return FatLevel(mean, math.sqrt(float(probability @ (STEPS - mean) ** 2)), share)


def _brightest(top: float, sd: float, sure: float) -> Array:
    """Return how probable the brightest pixels are at each level that is tried.

    Parameters
    ----------
    top, sd
        The level if they are pure fat, and its standard deviation.
    sure
        Probability that they are.
    """
    below = STEPS - top
    sharp = np.exp(-0.5 * (below / sd) ** 2)
    height = sure / (1.25 * sd)
    partly = (1 - sure) / PARTIAL
    return np.where(
        below >= 0,
        height * sharp + partly * np.exp(-np.maximum(below, 0) / PARTIAL),
        (height + partly) * sharp,
    )
