"""What a rater draws on a slice: muscles, samples of lean muscle and of fat, artefacts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.scenes.anatomy import Anatomy
from benchmarks.accuracy.scenes.body import SAMPLES, TRACING, randomly
from benchmarks.accuracy.scenes.curves import Grid
from benchmarks.accuracy.scenes.scene import Scene
from multifidus import Side, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_BENDS = 14
"""A traced border leaves the true one and comes back about this many times."""

_TRIED = 60
"""Places that a rater considers for a sample."""

_EYE_PCT = 2.0
"""How well a rater tells the fat of one place from that of another."""

_SAMPLE_PIXELS = (25, 60)
SUBCUTANEOUS_MM = 55.0
"""A rater outlines and samples subcutaneous fat this far to either side."""

_INSIDE_MM = 0.8


@dataclass(frozen=True, slots=True)
class Drawn:
    """One closed path of a slice, (n, 2): left, posterior."""

    structure: Structure
    side: Side
    name: str
    path_mm: Array


@dataclass(frozen=True, slots=True)
class Seen:
    """What a rater goes by when placing samples, by pixel.

    Parameters
    ----------
    fat_pct
        True fat.
    muscles
        Pixels wholly in a muscle, by side, without what has no signal.
    subcutaneous
        Pixels wholly in subcutaneous fat.
    bright
        How much brighter than lean a place is by oedema, in percent.
    """

    fat_pct: Array
    muscles: dict[Side, Mask]
    subcutaneous: Mask
    bright: Array


def traced(anatomy: Anatomy, tracing_mm: float, seed: int, number: int) -> Iterator[Drawn]:
    """Yield the muscles as a rater traces them."""
    from scipy.interpolate import CubicSpline

    for place, ((structure, side), border) in enumerate(anatomy.borders_mm.items()):
        rng = randomly(seed, TRACING, number, place)
        knots = rng.standard_normal(_BENDS)
        wave = CubicSpline(np.arange(_BENDS + 1), np.append(knots, knots[0]), bc_type="periodic")
        error = wave(np.arange(len(border)) * _BENDS / len(border))
        error *= tracing_mm / error.std()
        ahead = np.roll(border, -1, axis=0) - np.roll(border, 1, axis=0)
        normal = np.column_stack((ahead[:, 1], -ahead[:, 0]))
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        yield Drawn(structure, side, "", border + error[:, None] * normal)


def sampled(anatomy: Anatomy, seen: Seen, seed: int, number: int) -> Iterator[Drawn]:
    """Yield a lean sample in the muscles of each side, and one or two samples of fat."""
    rng = randomly(seed, SAMPLES, number)
    grid = anatomy.grid
    for name, mask in zip(("1", "2"), seen.muscles.values(), strict=True):
        radius = sample_radius(rng)
        at = sample_place(mask, seen, radius, rng)
        yield _spot(grid, Structure.LEAN_REFERENCE, name, at=at, mm=radius * grid.spacing_mm)
    for name in ("1", "2")[: int(rng.integers(1, 3))]:
        room = _room(seen.subcutaneous)
        radius = sample_radius(rng)
        # A thin layer takes a small sample.
        radius = min(radius, float(room.max()))
        at = sample_place(seen.subcutaneous, None, radius, rng)
        yield _spot(grid, Structure.FAT_REFERENCE, name, at=at, mm=radius * grid.spacing_mm)


def subcutaneous(anatomy: Anatomy) -> Drawn:
    """Return the outline of the subcutaneous fat behind the muscles."""
    inside = np.array((0.0, _INSIDE_MM))
    lines = [
        line[np.abs(line[:, 0]) < SUBCUTANEOUS_MM]
        for line in (anatomy.skin_mm - inside, anatomy.fascia_mm + inside)
    ]
    path = np.vstack((lines[0], lines[1][::-1]))
    return Drawn(Structure.SUBCUTANEOUS_FAT, Side.NONE, "", path)


def sample_radius(rng: np.random.Generator) -> float:
    """Return the radius in pixels of a sample."""
    return float(np.sqrt(rng.uniform(*_SAMPLE_PIXELS) / np.pi))


def _room(mask: Mask) -> Array:
    """Return how far each pixel lies from what does not belong and from the edge, in pixels."""
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(np.pad(mask, 1)))[1:-1, 1:-1]


def sample_place(mask: Mask, seen: Seen | None, radius: float, rng: np.random.Generator) -> Array:
    """Return the pixel about which muscle looks leanest, of some that a rater considers.

    Parameters
    ----------
    mask
        Where the sample has to lie.
    seen
        How lean places look; None where one is as good as another.
    radius
        Of the sample, in pixels.
    """
    room = _room(mask)
    candidates = np.argwhere(room >= min(radius, float(room.max())))
    tried = candidates[(rng.random(_TRIED) * len(candidates)).astype(int)]
    if seen is None:
        return np.asarray(tried[0])
    reach = np.arange(-int(radius), int(radius) + 1)
    disc = np.array([(r, c) for r in reach for c in reach if r * r + c * c <= radius * radius])
    rows, columns = (tried[:, None] + disc).transpose(2, 0, 1)
    looks = (seen.fat_pct + seen.bright)[rows, columns].mean(axis=1)
    looks += _EYE_PCT * rng.standard_normal(_TRIED)
    return np.asarray(tried[int(np.argmin(looks))])


def _spot(grid: Grid, structure: Structure, name: str, *, at: Array, mm: float) -> Drawn:
    """Return a round sample about a pixel."""
    middle = np.array(grid.corner_mm) + np.asarray(at)[::-1] * grid.spacing_mm
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    path = middle + mm * np.column_stack((np.cos(turn), np.sin(turn)))
    return Drawn(structure, Side.NONE, name, path)


def drawn(anatomy: Anatomy, scene: Scene, seen: Seen, *, seed: int, number: int) -> Iterator[Drawn]:
    """Yield all that the rater of a scene draws on a slice, but for artefacts."""
    yield from traced(anatomy, scene.drawing.tracing_mm, seed, number)
    if scene.drawing.references:
        yield from sampled(anatomy, seen, seed, number)
    if scene.drawing.subcutaneous:
        yield subcutaneous(anatomy)
