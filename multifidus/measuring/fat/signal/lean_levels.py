"""The signal of each muscle's lean tissue: two readings of a bright muscle held against each other.

A muscle whose signal is mostly above that of the lean reference either has brighter lean tissue or
holds fat everywhere. Its own spread tells them apart as far as anything does: fat is uneven, lean
muscle is not. What a reference holds of fat itself is inferred in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVELS = np.arange(-0.5, 0.2501, 0.02)
"""Lean levels that are tried, as logarithms over the fitted lean signal."""

MUSCLE_SD = 0.08
"""Standard deviation between the lean levels of muscles, as a logarithm."""

EXCESS = np.concatenate(([0.0], np.geomspace(0.02, 1.4, 24)))
EXCESS_MEAN = 0.35
"""By how much diffuse fat raises the logarithm of most of a muscle's signal: values that are tried,
and the mean of an exponential prior."""

NO_EXCESS = (0.9, 0.05)
"""Prior probability that a muscle has no diffuse fat, in exams without and with it."""

UNEVEN, UNEVEN_SD = 0.45, 0.35
"""Spread of the logarithm of signal by diffuse fat, over the share of the signal that is more than
lean muscle's: median and standard deviation of its logarithm."""

REFERENCE_SHARE, REFERENCE_SHARE_SD = 0.40, 0.4
"""Excess in a lean reference over the excess in the muscle it lies in, in the same form."""

LEAN_SPREAD, SPREAD_SD = 0.025, 0.25
"""Spread of the logarithm of lean signal without noise; standard deviation of a found spread's
logarithm."""

LEVEL_SD, REFERENCE_SD, APART_SD = 0.03, 0.035, 0.06
"""Standard deviations by the field that is left: of a muscle's level, of a reference's, and of a
reference's that lies in no outlined muscle."""

LEAST_PIXELS = 30

MOST_OUTLINES = 12
"""More outlines than this count as much as so many: neighbouring slices show the same fat, and what
the model lacks is the same in all of them."""

UNLIKE, DOUBTFUL = -6.0, -2.6
"""Where even the best explained outline has a smaller logarithm of its likelihood, at its best
level, muscles and lean references are no common tissue, or hardly are. In simulated exams, and on
the pattern of a real one, it is -2.4 or more, down to -5.6 where nothing but muscles of 80 % fat is
outlined; with references at 30 to 45 % of lean muscle's signal mostly -2.9 or less, at 25 % or less
mostly below -6."""

_UNEVEN_STEPS = np.array([-1.5, -0.5, 0.5, 1.5])
_SHARE_STEPS = np.array([-1.3, 0.0, 1.3])
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class MuscleSignal:
    """What one outline shows of its lean tissue, over the fitted lean signal.

    Parameters
    ----------
    muscle
        Which muscle; outlines of one muscle share a lean level.
    level
        Logarithm of the signal where its even pixels are densest; NaN where they are too few.
    spread
        Standard deviation of that logarithm, from the darker side.
    noise
        The part of it that is noise.
    n_pixels
        Even pixels.
    references
        Logarithms of the signal of the lean references inside.
    """

    muscle: Hashable
    level: float
    spread: float
    noise: float
    n_pixels: int
    references: tuple[float, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether it says anything about lean tissue."""
        return self.n_pixels >= LEAST_PIXELS and math.isfinite(self.level) and self.spread > 0


@dataclass(frozen=True, slots=True)
class LeanLevel:
    """A lean level's mean and standard deviation, as a logarithm over the fitted lean signal."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class LeanLevels:
    """Lean levels of an exam.

    Parameters
    ----------
    by_muscle
        Each muscle's.
    common
        That of a muscle about which nothing is known.
    diffuse
        Probability that the exam's muscles hold diffuse fat.
    explained
        Largest logarithm of the likelihood of any outline; 0 where none says anything.
    """

    by_muscle: Mapping[Hashable, LeanLevel]
    common: LeanLevel
    diffuse: float
    explained: float = 0.0


def lean_levels(outlines: Sequence[MuscleSignal], apart: Sequence[float] = ()) -> LeanLevels:
    """Work out the lean level of each muscle.

    Every combination of the values above is tried, and means are taken over them by how well they
    explain levels, spreads and references.

    Parameters
    ----------
    outlines
        All muscle outlines of an exam.
    apart
        Logarithms of the signal of lean references that lie in none of them.
    """
    muscles = list(dict.fromkeys(item.muscle for item in outlines))
    shape = (len(NO_EXCESS), len(_UNEVEN_STEPS), len(_SHARE_STEPS), len(LEVELS))
    own = {muscle: np.zeros(shape) for muscle in muscles}
    known = [item for item in outlines if item.is_known]
    weight = min(1.0, MOST_OUTLINES / max(len(known), 1))
    explained = []
    for item in known:
        likelihood = _likelihood(item)
        own[item.muscle] += weight * likelihood
        # More even than the lean tissue that is assumed, a muscle contradicts no reference.
        least = math.hypot(LEAN_SPREAD, item.noise)
        if item.spread < least:
            likelihood = _likelihood(replace(item, spread=least))
        explained.append(float(likelihood.max()))
    between = np.exp(-0.5 * ((LEVELS[:, None] - LEVELS) / MUSCLE_SD) ** 2)
    scaled = {muscle: np.exp(each - each.max(-1, keepdims=True)) for muscle, each in own.items()}
    prior = -0.5 * (_UNEVEN_STEPS[:, None, None] ** 2 + _SHARE_STEPS[:, None] ** 2)
    log = np.zeros(shape) + prior
    for muscle, each in own.items():
        log += np.log(scaled[muscle] @ between + _TINY) + each.max(-1, keepdims=True)
    width = math.hypot(MUSCLE_SD, APART_SD)
    for level in apart:
        log += weight * np.log(np.exp(-0.5 * ((level - LEVELS) / width) ** 2) + _TINY)
    joint = np.exp(log - log.max())
    joint /= joint.sum()
    common = _moments(joint.sum((0, 1, 2)))
    found = {}
    for muscle, each in scaled.items():
        # Of each common level, how probable the muscle's own are.
        given = each[..., :, None] * between
        given /= given.sum(-2, keepdims=True) + _TINY
        found[muscle] = _moments((given * joint[..., None, :]).sum((0, 1, 2, 4)))
    unknown = LeanLevel(common.mean, math.hypot(common.sd, MUSCLE_SD))
    return LeanLevels(found, unknown, float(joint[1].sum()), max(explained, default=0.0))


def _moments(probability: Array) -> LeanLevel:
    probability = probability / probability.sum()
    mean = float(probability @ LEVELS)
    return LeanLevel(mean, math.sqrt(float(probability @ (LEVELS - mean) ** 2)))


def _likelihood(item: MuscleSignal) -> Array:
    """Return the logarithm of an outline's likelihood, of the axes of ``shape`` above."""
    expected = np.sqrt(LEAN_SPREAD**2 + item.noise**2 + _BY_FAT_SQUARE)
    spread = np.exp(-0.5 * ((math.log(item.spread) - np.log(expected)) / SPREAD_SD) ** 2)
    sampling = (3 * item.spread) ** 2 / item.n_pixels
    left = item.level - LEVELS[:, None] - EXCESS
    level = np.exp(-0.5 * left**2 / (LEVEL_SD**2 + sampling))
    fits = np.repeat(level[None], len(_SHARE_STEPS), axis=0)
    for each in item.references:
        apart = each - LEVELS[:, None] - _OF_REFERENCE
        fits *= np.exp(-0.5 * (apart / REFERENCE_SD) ** 2)
    found = [np.einsum("ke,rle->krl", spread * prior, fits) for prior in _PRIORS]
    return np.log(np.stack(found) + _TINY)


def _prior(none: float) -> Array:
    """Return the prior probability of each excess."""
    limits = np.concatenate(([0.0], np.sqrt(EXCESS[1:-1] * EXCESS[2:]), [math.inf]))
    some = np.exp(-limits[:-1] / EXCESS_MEAN) - np.exp(-limits[1:] / EXCESS_MEAN)
    return np.concatenate(([none], (1 - none) * some))


# What is the same for every outline.
_PRIORS = [_prior(none) for none in NO_EXCESS]
_BY_FAT_SQUARE = (
    (UNEVEN * np.exp(UNEVEN_SD * _UNEVEN_STEPS))[:, None] * (1 - np.exp(-EXCESS))
) ** 2
_OF_REFERENCE = (REFERENCE_SHARE * np.exp(REFERENCE_SHARE_SD * _SHARE_STEPS))[
    :, None, None
] * EXCESS
