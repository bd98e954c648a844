"""Fat in a muscle on the fine grid: streaks between fascicles, and marbling finer than a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.scenes.anatomy import Anatomy, Key
from benchmarks.accuracy.scenes.body import FAT, randomly
from benchmarks.accuracy.scenes.curves import (
    FINE,
    Grid,
    Image,
    Region,
    cover_all,
    smooth_noise,
)
from benchmarks.accuracy.scenes.scene import FatContent, Pattern, Place
from multifidus import Side, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_PCT = 60.0
DIFFUSE_PCT = (3.0, 30.0)

_DIFFUSE_SHARE = 0.4
"""Of the fat in a muscle that has both patterns."""

_STEPS = 9
"""Points along the middle of a streak."""

_TRIES = 10
"""Numbers of streaks that are tried."""

_BRANCHES = 0.7
"""Of every other streak."""

_CLOSE = 0.004
"""Streaks are enough where their fraction is this near to the one wanted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Fractions of a muscle that are to be streaks, and fat of what is between them."""

    streaks: float
    diffuse: float


def wanted(content: FatContent, seed: int, number: int, key: Key) -> Wanted:
    """Return how much fat a muscle is to have: more in some persons, and further down."""
    person = randomly(seed, FAT).uniform()
    own = randomly(seed, FAT, number, *_code(key)).uniform()
    burden = float(np.clip(0.6 * person + 0.5 * own + 0.1 * (number - 1), 0.0, 1.0))
    if key[0] is Structure.ERECTOR_SPINAE:
        burden *= 0.6
    total = (MOST_PCT * burden if content.pct is None else content.pct) / 100
    if content.pattern is Pattern.STREAKS:
        return Wanted(total, 0.0)
    if content.pattern is Pattern.DIFFUSE:
        low, high = DIFFUSE_PCT
        return Wanted(
            0.0, total if content.pct is not None else (low + (high - low) * burden) / 100
        )
    if content.pattern is Pattern.BOTH:
        diffuse = _DIFFUSE_SHARE * total
        return Wanted((total - diffuse) / (1 - diffuse), diffuse)
    return Wanted(0.0, 0.0)


def fraction(anatomy: Anatomy, key: Key, content: FatContent, *, seed: int, number: int) -> Image:
    """Return the fat fraction in the box of a muscle; 0 outside the muscle."""
    diffuse = wanted(content, seed, number, key).diffuse
    muscle = _Placed(anatomy.grid, anatomy.regions[key], key[1], content.place)
    fat = np.zeros(muscle.region.mask.shape, dtype=np.float32)
    if diffuse > 0:
        fat = _diffuse(muscle, diffuse, randomly(seed, FAT, number, *_code(key), 1))
    borders = streaks(anatomy, key, content, seed=seed, number=number)
    if len(borders):
        fat[_on_muscle(muscle, borders)] = 1.0
    fat[~muscle.region.mask] = 0.0
    return fat


def streaks(anatomy: Anatomy, key: Key, content: FatContent, *, seed: int, number: int) -> Array:
    """Return closed paths of the streaks of a muscle, (n, points, 2): left, posterior.

    They may overlap, and leave the muscle, outside of which nothing of them counts.
    """
    share = wanted(content, seed, number, key).streaks
    if share <= 0:
        return np.empty((0, 2 * _STEPS, 2))
    muscle = _Placed(anatomy.grid, anatomy.regions[key], key[1], content.place)
    return _enough(muscle, share, content.streak_mm, randomly(seed, FAT, number, *_code(key), 2))


def _code(key: Key) -> tuple[int, int]:
    structure, side = key
    return int(structure is Structure.MULTIFIDUS), int(side is Side.LEFT)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A muscle on the fine grid, and where in it fat lies."""

    grid: Grid
    region: Region
    side: Side
    place: Place

    @property
    def axes_mm(self) -> tuple[Array, Array]:
        """Posterior of the rows of its box, left of its columns."""
        rows, columns = self.region.box
        posterior, left = self.grid.axes_mm
        return posterior[rows], left[columns]

    @property
    def out(self) -> float:
        """Direction that is lateral: 1 for the left muscle, -1 for the right."""
        return 1.0 if self.side is Side.LEFT else -1.0

    @property
    def apex_mm(self) -> Array:
        """The medial deep corner of its box, from which fascicles fan out: left, posterior."""
        posterior, left = self.axes_mm
        return np.array((left[0] if self.out > 0 else left[-1], posterior[0]))

    def superficial(self) -> Image:
        """Return a ramp from 0 at the medial deep corner of its box to 1 at the opposite one."""
        rows, columns = self.region.mask.shape
        across = np.linspace(0, 1, columns)[:: int(self.out)]
        ramp = 0.4 * np.linspace(0, 1, rows)[:, None] + 0.6 * across
        return ramp.astype(np.float32)


def _diffuse(muscle: _Placed, mean: float, rng: np.random.Generator) -> Image:
    """Return partial volumes that vary smoothly about a mean."""
    axes = muscle.axes_mm
    drive = 0.6 * smooth_noise(axes, rng, 5.0) + 0.3 * smooth_noise(axes, rng, 1.6)
    if muscle.place is Place.MEDIAL_DEEP:
        drive -= 5.0 * muscle.superficial()
    inside = drive[muscle.region.mask][::5]
    shift = np.log(mean / (1 - mean)) - float(inside.mean())
    for _ in range(12):
        found = 1 / (1 + np.exp(-(inside + shift)))
        shift += (mean - float(found.mean())) / float((found * (1 - found)).mean())
    return np.asarray(1 / (1 + np.exp(-(drive + np.float32(shift)))), dtype=np.float32)


def _enough(muscle: _Placed, share: float, width_mm: float, rng: np.random.Generator) -> Array:
    """Return as many streaks as take up a share of a muscle."""
    area = muscle.region.mask.sum() * (muscle.grid.spacing_mm / FINE) ** 2
    length_mm = max(8.0, 2.5 * width_mm)
    number = float(-np.log(1 - share) * area / (0.7 * width_mm * length_mm))
    middles = _middles(muscle, 2 * int(3 * number + 16), length_mm, rng)
    borders = _borders(middles, width_mm, rng)
    low, high = 0.0, float(len(borders))
    for _ in range(_TRIES):
        found = _on_muscle(muscle, _first(borders, min(number, high)))
        covered = float(found.sum() / muscle.region.mask.sum())
        if abs(covered - share) < _CLOSE:
            break
        low, high = (number, high) if covered < share else (low, number)
        # What streaks would cover that lie independently of each other; halving where they do not.
        guess = number * np.log(1 - share) / np.log(1 - min(max(covered, 0.2 * share), 0.98))
        number = float(guess) if low < guess < high else (low + high) / 2
    return _first(borders, number)


def _on_muscle(muscle: _Placed, borders: Array) -> NDArray[np.bool_]:
    """Return which points of a muscle's box lie in streaks."""
    region = cover_all(muscle.grid, borders)
    found = np.zeros(muscle.region.mask.shape, dtype=bool)
    common = [
        (max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(muscle.region.box, region.box, strict=True)
    ]
    # The first of wide streaks, or what is left of it, may lie beside the muscle.
    if any(low >= high for low, high in common):
        return found
    (here, there) = (
        tuple(
            slice(low - part.start, high - part.start)
            for (low, high), part in zip(common, box, strict=True)
        )
        for box in (muscle.region.box, region.box)
    )
    found[here] = region.mask[there]
    return found & muscle.region.mask


def _middles(muscle: _Placed, number: int, length_mm: float, rng: np.random.Generator) -> Array:
    """Return the middle lines of an even number of streaks, (number, points, 2).

    They fan out from the apex of the muscle, lie in patches, and every other one may branch off
    from the one before it.
    """
    patches = smooth_noise(muscle.axes_mm, rng, 7.0)
    draws = rng.random((number, 7))
    lengths = length_mm * np.exp(0.5 * rng.standard_normal(number))
    posterior, left = muscle.axes_mm
    weight = muscle.region.mask * np.exp(0.9 * patches)
    if muscle.place is Place.MEDIAL_DEEP:
        weight *= np.exp(-4.5 * muscle.superficial())
    total = np.cumsum(weight.ravel(), dtype=np.float64)
    at = np.searchsorted(total, draws[:, 0] * total[-1], side="right")
    row, column = np.unravel_index(np.minimum(at, len(total) - 1), weight.shape)
    starts = np.column_stack((left[column], posterior[row]))
    away = starts - muscle.apex_mm
    heading = np.arctan2(away[:, 1], away[:, 0]) + np.deg2rad(80) * (draws[:, 1] - 0.5)
    bend = np.deg2rad(120) * (draws[:, 2] - 0.5)
    along = np.linspace(-0.5, 0.5, _STEPS)
    turns = heading[:, None] + bend[:, None] * along
    paths = np.stack((np.cos(turns), np.sin(turns)), axis=2).cumsum(axis=1)
    paths *= lengths[:, None, None] / _STEPS
    paths += starts[:, None]
    branches = np.flatnonzero(draws[1::2, 3] < _BRANCHES) * 2 + 1
    joint = (draws[branches, 4] * _STEPS).astype(int)
    paths[branches] += (paths[branches - 1, joint] - paths[branches, 0])[:, None]
    return np.asarray(paths)


def _borders(middles: Array, width_mm: float, rng: np.random.Generator) -> Array:
    """Return closed paths about middle lines, of uneven width, (number, points, 2)."""
    number = len(middles)
    taper = np.sin(np.pi * np.linspace(0.05, 0.95, _STEPS)) ** 0.6
    uneven = rng.uniform(0.65, 1.0, (number, _STEPS))
    ahead = np.gradient(middles, axis=1)
    normal = np.stack((ahead[..., 1], -ahead[..., 0]), axis=2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    half = (width_mm / 2 * taper * uneven)[..., None] * normal
    return np.concatenate((middles + half, (middles - half)[:, ::-1]), axis=1)


def _first(borders: Array, number: float) -> Array:
    """Return a number of streaks, the last of them smaller by what is not whole."""
    whole = int(number)
    rest = number - whole
    if rest == 0 or whole == len(borders):
        return borders[:whole]
    last = borders[whole]
    start = last[[0, -1]].mean(axis=0)
    return np.concatenate((borders[:whole], (start + (last - start) * rest)[None]))
