"""The anatomy of one slice on the fine grid: a tissue at each point, and the muscles' borders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.scenes import shapes
from benchmarks.accuracy.scenes.body import Body
from benchmarks.accuracy.scenes.curves import Grid, Region, closed_curve, cover, enclosed_mm2
from benchmarks.accuracy.scenes.tissues import Tissue
from multifidus import Level, Side, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Labels = NDArray[np.uint8]

Key = tuple[Structure, Side]

VERTICES = 120
SMALL_MM2 = 150.0
"""Cross-section of a multifidus that has shrunk."""

SKIN_MM, FASCIA_MM, CORTEX_MM = 1.8, 0.7, 1.5

MUSCLES: tuple[Key, ...] = tuple(
    (structure, side)
    for structure in (Structure.ERECTOR_SPINAE, Structure.MULTIFIDUS)
    for side in (Side.RIGHT, Side.LEFT)
)
_TISSUE = {
    Structure.ERECTOR_SPINAE: Tissue.ERECTOR,
    Structure.MULTIFIDUS: Tissue.MULTIFIDUS,
}


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One slice of a person.

    Parameters
    ----------
    borders_mm
        True border of each muscle, (n, 2): left, posterior.
    regions
        Which points of the fine grid each muscle has.
    skin_mm, fascia_mm
        The back from right to left, (n, 2): inside of the skin, outside of the deep fascia.
    """

    grid: Grid
    tissue: Labels
    borders_mm: Mapping[Key, Array]
    regions: Mapping[Key, Region]
    skin_mm: Array
    fascia_mm: Array


@dataclass(frozen=True, slots=True)
class Drawing:
    """The closed paths of a slice in the order in which they are painted, and what stands out."""

    painted: tuple[tuple[Tissue, Array], ...]
    borders_mm: Mapping[Key, Array]
    skin_mm: Array
    fascia_mm: Array


def drawn(person: Body, level: Level, *, small: bool, rng: np.random.Generator) -> Drawing:
    """Draw a level of a person in millimetres; its septa are random, all else is the person's."""
    back = _open_curve(_both_sides(_trunk(level)))
    skin = _open_curve(_both_sides(_skin(person, level)))
    inner, fascia = (person.placed(path) for path in (_inward(skin, SKIN_MM), back))
    painted = [
        (Tissue.SKIN, _down_to_the_front(person.placed(skin))),
        (Tissue.SUBCUTANEOUS, _down_to_the_front(inner)),
        *((Tissue.SEPTUM, person.placed(path)) for path in _septa(back, skin, rng)),
        (Tissue.FASCIA, _down_to_the_front(fascia)),
        (Tissue.DEEP_FAT, _down_to_the_front(person.placed(_inward(back, FASCIA_MM)))),
    ]
    # Muscles come before bone, which they touch.
    painted += _placed_pairs(person, shapes.left_soft(level))
    for tissue, points in (*shapes.MIDLINE, *shapes.FRONT):
        painted.append((tissue, person.placed(closed_curve(points, VERTICES))))
    for bone in shapes.left_bones(level):
        for path in _pair(closed_curve(bone, VERTICES)):
            cortex = person.placed(path)
            painted += [(Tissue.CORTEX, cortex), (Tissue.MARROW, _grown(cortex, -CORTEX_MM))]
    painted += [(Tissue.NERVE, person.placed(path)) for path in _cauda(rng)]
    painted += _placed_pairs(person, shapes.LEFT_BONE)
    for tissue, points in shapes.BONE:
        painted.append((tissue, person.placed(closed_curve(points, VERTICES))))
    muscles = {
        Structure.ERECTOR_SPINAE: shapes.erector(level),
        Structure.MULTIFIDUS: shapes.multifidus(level),
    }
    borders = {}
    for structure, points in muscles.items():
        for side in (Side.RIGHT, Side.LEFT):
            path = closed_curve(points, VERTICES) * ((1 if side is Side.LEFT else -1), 1)
            border = person.placed(path)
            envelope = _grown(border, 0.9)
            if small and structure is Structure.MULTIFIDUS:
                border = _shrunk(border, SMALL_MM2)
            # About a muscle that has shrunk, fat is not parted from what lies beside it.
            painted.append((Tissue.EPIMUSCULAR if small else Tissue.FASCIA, envelope))
            painted.append((Tissue.EPIMUSCULAR, _grown(envelope, -FASCIA_MM)))
            painted.append((_TISSUE[structure], border))
            borders[structure, side] = border
    return Drawing(tuple(painted), borders, inner, fascia)


def on_grid(drawing: Drawing, grid: Grid) -> Anatomy:
    """Paint a drawing onto the fine grid."""
    tissue = np.zeros(grid.fine_shape, dtype=np.uint8)
    for kind, path in drawing.painted:
        region = cover(grid, path)
        tissue[region.box][region.mask] = kind
    regions = {key: cover(grid, path) for key, path in drawing.borders_mm.items()}
    borders = drawing.borders_mm
    return Anatomy(grid, tissue, borders, regions, drawing.skin_mm, drawing.fascia_mm)


def _trunk(level: Level) -> Array:
    """Return the left half of the deep fascia, on to the flank."""
    half = np.array(shapes.fascia(level))
    x, y = half[-1]
    if level is Level.L5_S1:
        flank = [(x + 5, 47.5), (82, 46), (96, 34), (110, 14), (122, -20), (126, -60)]
    else:
        flank = [(x + 5, y - 11), (84, 22), (91, 8), (96.5, -12), (99, -34), (100, -60)]
    return np.vstack((half, np.array(flank)))


def _skin(person: Body, level: Level) -> Array:
    """Return the left half of the skin."""
    fat = person.fat_mm + shapes.PROPORTIONS[level].fat_mm + SKIN_MM
    top = 57.5
    x = np.linspace(0, 132, 14)
    round_back = -22 * (x / 100) ** 2.4 / person.flat
    furrow = person.furrow_mm * (1 - np.exp(-((x / 20) ** 2)))
    thicker = fat * (1 + 0.25 * (1 - np.exp(-((x / 45) ** 2))))
    return np.column_stack((x, top + thicker + furrow + round_back))


def _both_sides(half: Array) -> Array:
    """Return a line from the right end to the left, of its left half that starts at the middle."""
    return np.vstack((half[:0:-1] * (-1, 1), half))


def _open_curve(points: Array, n: int = 240) -> Array:
    from scipy.interpolate import PchipInterpolator

    along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))))
    return np.asarray(PchipInterpolator(along, points)(np.linspace(0, along[-1], n)))


def _inward(line: Array, mm: float) -> Array:
    """Move a line from right to left forwards."""
    ahead = np.gradient(line, axis=0)
    normal = np.column_stack((ahead[:, 1], -ahead[:, 0]))
    return np.asarray(line + mm * normal / np.linalg.norm(normal, axis=1, keepdims=True))


def _down_to_the_front(line: Array) -> Array:
    """Close a line from right to left in front of all that is drawn."""
    (right, _), (left, _) = line[0], line[-1]
    return np.vstack((line, ((left, -250.0), (right, -250.0))))


def _grown(path: Array, mm: float) -> Array:
    """Move a closed path outwards, or inwards by a negative distance."""
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    normal = np.column_stack((ahead[:, 1], -ahead[:, 0]))
    outwards = mm if enclosed_mm2(path) > 0 else -mm
    return np.asarray(path + outwards * normal / np.linalg.norm(normal, axis=1, keepdims=True))


def _shrunk(border: Array, area_mm2: float) -> Array:
    """Shrink a multifidus towards lamina and spinous process."""
    middle = border.mean(axis=0)
    side = np.sign(middle[0])
    anchor = middle - np.array((side * 6.5, 8.5))
    return np.asarray(anchor + (border - anchor) * np.sqrt(area_mm2 / abs(enclosed_mm2(border))))


def _placed_pairs(
    person: Body, parts: Iterable[tuple[Tissue, shapes.Points]]
) -> list[tuple[Tissue, Array]]:
    """Return where parts given for the left lie on both sides."""
    return [
        (tissue, person.placed(path))
        for tissue, points in parts
        for path in _pair(closed_curve(points, VERTICES))
    ]


def _pair(path: Array) -> tuple[Array, Array]:
    """Return a closed path on the left, and on the right."""
    return path, path * (-1, 1)


def _septa(back: Array, skin: Array, rng: np.random.Generator) -> Iterable[Array]:
    """Draw thin layers of connective tissue in the subcutaneous fat."""
    n = len(back)
    for _ in range(9):
        start = int(rng.integers(20, n - 80))
        part = slice(start, start + int(rng.integers(20, 60)))
        depth = rng.uniform(0.15, 0.85) + rng.normal(0, 0.02, part.stop - part.start).cumsum()
        depth = np.clip(depth, 0.08, 0.92)[:, None]
        at = np.column_stack((skin[part, 0], np.interp(skin[part, 0], back[:, 0], back[:, 1])))
        line = at + depth * (skin[part] - at)
        yield np.vstack((line, line[::-1] + np.array((0.0, 0.45))))


def _cauda(rng: np.random.Generator) -> Iterable[Array]:
    """Draw roots of the cauda equina, most of them at the back of the sac."""
    turn = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    for _ in range(16):
        angle, away = rng.uniform(0, np.pi), rng.uniform(0.25, 0.85)
        middle = np.array((6.6 * away * np.cos(angle), 7.4 + 5 * away * np.sin(angle)))
        yield middle + rng.uniform(0.45, 0.75) * np.column_stack((np.cos(turn), np.sin(turn)))
