"""One multifidus with streaks of fat and its two references: small enough to draw by the thousand.

The muscle, its streaks, the tissues' signal, the coil's shading and the noise are the digital
phantom's own. What is left out is the rest of the body: around the muscle lies fat, as in the
phantom's compartment of the back muscles, and the references are squares of one tissue at the
places where the phantom has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.phantom.fat import FatPattern, StreakField
from multifidus.phantom.muscles import MuscleSolid, muscles
from multifidus.phantom.render import stored_pixels
from multifidus.phantom.solid import Track
from multifidus.phantom.spec import Sex, Variant
from multifidus.phantom.trunk import Trunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PIXEL_MM = 0.6875
FINE = 5
"""Samples along a side of a pixel."""

LEVEL_S_MM = -36.0
"""The plane of the L4-L5 disc, along the phantom's spine."""

REACH_MM = 50.0
DEPTH_V_MM = 58.0
"""Shading is linear: this far behind and in front of the multifidus' depth it is at its full."""

STEEP_MM = 18.0
"""A reach so short that shading is at its full at the front and back edge of the muscle."""

MARGIN_MM = 3.0
REFERENCE_SIDE_PIXELS = {Structure.LEAN_REFERENCE: 13, Structure.FAT_REFERENCE: 10}
"""As many pixels as the phantom's round references have: about 170 and 100."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a draw is made of.

    Parameters
    ----------
    fat_pct
        Aimed-at fat; each draw knows its own true fat.
    contrast, snr, shading
        As in :class:`multifidus.phantom.PhantomSpec`; shading up to 0.35.
    streak_mm
        Mean width of the streaks of the rarer tissue.
    reach_mm
        How far behind and in front of the muscle's middle shading is at its full.
    """

    fat_pct: float
    contrast: float
    snr: float
    shading: float
    streak_mm: float
    reach_mm: float = REACH_MM


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One muscle with its references.

    Parameters
    ----------
    image, weights
        Signal, and how much of each pixel is inside the muscle, (rows, columns).
    lean, fat
        Signal of the references.
    places_mm
        (u, v) of the pixels of image, lean and fat, each (n, 2).
    true_pct
        Share of the muscle that is fat.
    """

    image: Array
    weights: Array
    lean: Array
    fat: Array
    places_mm: tuple[Array, Array, Array]
    true_pct: float


@dataclass(frozen=True, slots=True, eq=False)
class _Scaled:
    """The phantom's random field with its streaks made wider or narrower."""

    field: StreakField
    scale: float

    def at(self, across: Array, along: Array, s: Array) -> tuple[Array, Array]:
        return self.field.at(across / self.scale, along / self.scale, s)


def draw(
    cell: Cell,
    seed: int,
    *,
    around_fat: bool = True,
    sides: dict[Structure, int] = REFERENCE_SIDE_PIXELS,
) -> Draw:
    """Draw a muscle; the same arguments give the same pixels.

    Parameters
    ----------
    cell, seed
        What to draw, and which.
    around_fat
        Whether fat lies around the muscle; else lean muscle does, and no pixel is mixed with it.
    sides
        Pixels along the side of each reference.
    """
    inside, fat = _tissues(cell.fat_pct, cell.streak_mm, seed)
    outside = cell.contrast if around_fat else 1.0
    signal = np.where(inside, np.where(fat, cell.contrast, 1.0), outside)
    rng = np.random.default_rng([seed, 7, *(round(1000 * x) for x in _numbers(cell))])
    fine, v = _places()
    image = _imaged(_by_pixel(signal), v, cell, rng)
    references = {
        structure: _reference(structure, value, cell, sides[structure], rng)
        for structure, value in (
            (Structure.LEAN_REFERENCE, 1.0),
            (Structure.FAT_REFERENCE, cell.contrast),
        )
    }
    (lean, lean_mm), (bright, bright_mm) = references.values()
    middles = np.column_stack([_by_pixel(grid).ravel() for grid in fine])
    return Draw(
        image,
        _by_pixel(inside),
        lean,
        bright,
        (middles, lean_mm, bright_mm),
        100 * float((fat & inside).sum() / inside.sum()),
    )


def _numbers(cell: Cell) -> tuple[float, ...]:
    return (cell.fat_pct, cell.contrast, cell.snr, cell.shading, cell.streak_mm)


def _imaged(clean: Array, v_mm: Array | float, cell: Cell, rng: np.random.Generator) -> Array:
    fall = np.clip((v_mm - DEPTH_V_MM) / cell.reach_mm, -1, 1)
    return stored_pixels(clean, 1 + cell.shading * np.asarray(fall), cell.snr, rng).astype(
        np.float64
    )


def _reference(  # noqa: PLR0917 - what it is, where, and how it is imaged
    structure: Structure, signal: float, cell: Cell, side: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the signal of a square reference, and (u, v) of its pixels."""
    offset = PIXEL_MM * (np.arange(side) - (side - 1) / 2)
    u, v = (
        grid + middle
        for grid, middle in zip(
            np.meshgrid(offset, offset), _reference_places_mm()[structure], strict=True
        )
    )
    image = _imaged(np.full((side, side), signal), v, cell, rng)
    return image, np.column_stack((u.ravel(), v.ravel()))


@cache
def _reference_places_mm() -> dict[Structure, tuple[float, float]]:
    """(u, v) of the phantom's lean core of the erector spinae and of its pocket of fat."""
    field = StreakField.from_seed(0)
    erector = _muscle(Structure.ERECTOR_SPINAE)
    pattern = FatPattern(erector, field, np.zeros(3), Track.constant([0.0]))
    return {
        Structure.LEAN_REFERENCE: pattern.lean_core(LEVEL_S_MM),
        Structure.FAT_REFERENCE: Trunk(1.0, field, 0).pockets[0].centre_mm(LEVEL_S_MM),
    }


@cache
def _muscle(structure: Structure) -> MuscleSolid:
    return next(
        found
        for found in muscles(Variant.HEALTHY, Sex.MALE)
        if (found.structure, found.side) == (structure, Side.LEFT)
    )


@cache
def _places() -> tuple[Array, Array]:
    """Return u and v of the fine samples, (2, rows * FINE, columns * FINE), and v of the pixels."""
    (u0, u1), (v0, v1), _ = _muscle(Structure.MULTIFIDUS).solid.bounds(LEVEL_S_MM, LEVEL_S_MM)
    columns, rows = (
        int(np.ceil((high - low + 2 * MARGIN_MM) / PIXEL_MM)) for low, high in ((u0, u1), (v0, v1))
    )
    step = PIXEL_MM / FINE
    u = u0 - MARGIN_MM + step * (np.arange(columns * FINE) + 0.5)
    v = v0 - MARGIN_MM + step * (np.arange(rows * FINE) + 0.5)
    grid = np.stack(np.meshgrid(u, v))
    return grid, _by_pixel(grid[1])


def _by_pixel(fine: Array | NDArray[np.bool_]) -> Array:
    rows, columns = (size // FINE for size in fine.shape)
    return np.asarray(fine.reshape(rows, FINE, columns, FINE).mean(axis=(1, 3), dtype=np.float64))


@cache
def _inside() -> NDArray[np.bool_]:
    (u, v), _ = _places()
    solid = _muscle(Structure.MULTIFIDUS).solid
    found = solid.contains(u.ravel(), v.ravel(), np.full(u.size, LEVEL_S_MM))
    return np.asarray(found.reshape(u.shape))


@lru_cache(maxsize=64)
def _tissues(
    fat_pct: float, streak_mm: float, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return, at the fine samples, what is muscle's inside and what there is fat."""
    inside = _inside()
    if fat_pct == 0:
        return inside, np.zeros_like(inside)
    return inside, _fat(fat_pct, streak_mm / _width_mm(fat_pct), seed)


@lru_cache(maxsize=8)
def _field(seed: int) -> StreakField:
    return StreakField.from_seed(seed)


def _fat(fat_pct: float, scale: float, seed: int) -> NDArray[np.bool_]:
    (u, v), _ = _places()
    inside = _inside()
    field = _Scaled(_field(seed), scale)
    muscle = replace(_muscle(Structure.MULTIFIDUS))
    offset = np.random.default_rng([seed, 2]).uniform(0, 100, 3)
    draft = FatPattern(muscle, field, offset, Track.constant([0.0]))  # type: ignore[arg-type]
    level = draft.fit_level(LEVEL_S_MM, fat_pct / 100)
    pattern = replace(draft, level=Track.constant([level]))
    found = np.zeros_like(inside)
    at = u[inside], v[inside]
    found[inside] = pattern.contains(*at, np.full(len(at[0]), LEVEL_S_MM))
    return found


@cache
def _width_mm(fat_pct: float) -> float:
    """Mean width of the rarer tissue's streaks where the phantom's field is not scaled.

    Twice the area over the length of the boundary (Crofton: crossings along both axes).
    """
    widths = [_mean_width_mm(_fat(fat_pct, 1.0, seed), _inside()) for seed in range(6)]
    return float(np.mean(widths))


def _mean_width_mm(fat: NDArray[np.bool_], inside: NDArray[np.bool_]) -> float:
    crossings = sum(
        int((np.diff(fat.astype(np.int8), axis=axis) != 0)[both].sum())
        for axis, both in (
            (0, inside[1:] & inside[:-1]),
            (1, inside[:, 1:] & inside[:, :-1]),
        )
    )
    step = PIXEL_MM / FINE
    rarer = min(fat[inside].sum(), (~fat)[inside].sum())
    return float(2 * rarer * step**2 / (np.pi / 4 * crossings * step))
