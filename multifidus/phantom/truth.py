"""The truth about every muscle on every slice, from the implicit shapes by quadrature.

Neither outlines nor pixels are used. The area is integrated over chords, whose ends are found by
bisection; the fat is the share of fat among samples on a fine grid inside the muscle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.anatomy import Level, Side, SlicePosition, Structure
from multifidus.geometry import tilt_deg
from multifidus.phantom.boundary import point_on_slice, radii_mm
from multifidus.phantom.tissue import dixon_ratio_pct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.phantom.fat import FatPattern
    from multifidus.phantom.prescription import Grid
    from multifidus.phantom.subject import Subject

    Array = NDArray[np.float64]

CHORD_STEP_MM = 0.05
"""Distance of the chords over which the area is integrated; its error stays below 0.005 %."""

FAT_STEP_MM = {Structure.MULTIFIDUS: 0.1}
_COARSE_FAT_STEP_MM = 0.2
"""Grid on which fat is counted; the fat fraction errs by less than 0.1 points."""

_BISECTIONS = 40
_MARGIN_MM = 2.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one muscle of one side on one slice.

    Parameters
    ----------
    slice_uid, slice_index
        Which slice, and its place in the axial series.
    level, slice_position
        The disc it is angled to; ``mid_disc`` for the slice through the disc's middle.
    structure, side
        Which muscle.
    csa_mm2
        Area inside the fascia, in the plane of the slice.
    fat_pct
        Share of that area which is fat.
    lean_csa_mm2
        Area that is not fat.
    dixon_ff_ratio_pct
        Sum of fat signal over sum of all signal of the Dixon variant inside the fascia.
    tilt_deg
        Tilt of the slice against patient z.
    spine_tilt_deg
        Tilt of the slice against the spine's own cross-section at that disc.
    """

    slice_uid: str
    slice_index: int
    level: Level
    slice_position: SlicePosition
    structure: Structure
    side: Side
    csa_mm2: float
    fat_pct: float
    lean_csa_mm2: float
    dixon_ff_ratio_pct: float
    tilt_deg: float
    spine_tilt_deg: float


def csa_mm2(subject: Subject, pattern: FatPattern, grid: Grid) -> float:
    """Integrate a muscle's area over the chords that the slice's rows cut from it."""
    centre, radii = _reach(subject, pattern, grid)
    rows = np.arange(-radii[1] - _MARGIN_MM, radii[1] + _MARGIN_MM, CHORD_STEP_MM)
    across = np.arange(-radii[0] - _MARGIN_MM, radii[0] + _MARGIN_MM, 1.0)
    # A point inside each chord: the deepest of coarse samples along its row.
    x, y = np.meshgrid(across, rows)
    depth = _raised(subject, pattern, grid, centre, x, y)
    start = across[depth.argmin(axis=1)]
    cut = depth.min(axis=1) < 1
    rows, start = rows[cut], start[cut]
    ends = []
    for sign in (-1.0, 1.0):
        inner, outer = np.zeros_like(rows), np.full_like(rows, 2 * radii[0] + _MARGIN_MM)
        for _ in range(_BISECTIONS):
            middle = (inner + outer) / 2
            inside = _raised(subject, pattern, grid, centre, start + sign * middle, rows) < 1
            inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
        ends.append(inner)
    return float((ends[0] + ends[1]).sum() * CHORD_STEP_MM)


def fat_pct(subject: Subject, pattern: FatPattern, grid: Grid) -> float:
    """Count the share of fat on a fine grid inside a muscle."""
    centre, radii = _reach(subject, pattern, grid)
    step = FAT_STEP_MM.get(pattern.muscle.structure, _COARSE_FAT_STEP_MM)
    x, y = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(-radii[0] - _MARGIN_MM, radii[0] + _MARGIN_MM, step),
            np.arange(-radii[1] - _MARGIN_MM, radii[1] + _MARGIN_MM, step),
        )
    )
    u, v, s = subject.to_spine(_points(grid, centre, x, y))
    inside = pattern.muscle.solid.contains(u, v, s)
    return float(100 * pattern.contains(u[inside], v[inside], s[inside]).mean())


def slice_truth(subject: Subject, grid: Grid, uid: str, index: int) -> tuple[Truth, ...]:
    """State the truth about every muscle that a slice shows."""
    if grid.level is None:
        return ()
    tilt = tilt_deg(grid.plane.normal)
    spine_tilt = tilt - subject.disc_tilt_deg(grid.level)
    found = []
    for pattern in subject.patterns_at(grid.level):
        area, fat = csa_mm2(subject, pattern, grid), fat_pct(subject, pattern, grid)
        found.append(
            Truth(
                slice_uid=uid,
                slice_index=index,
                level=grid.level,
                slice_position=grid.slice_position,
                structure=pattern.muscle.structure,
                side=pattern.muscle.side,
                csa_mm2=area,
                fat_pct=fat,
                lean_csa_mm2=area * (1 - fat / 100),
                dixon_ff_ratio_pct=dixon_ratio_pct(fat / 100),
                tilt_deg=tilt,
                spine_tilt_deg=spine_tilt,
            )
        )
    return tuple(found)


def _reach(subject: Subject, pattern: FatPattern, grid: Grid) -> tuple[Array, tuple[float, float]]:
    """Centre of the section, and how far it reaches along the slice's columns and rows."""
    centre = point_on_slice(subject, grid, pattern.muscle.solid.centre_mm)
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    radii = radii_mm(subject, pattern.muscle.solid, grid, centre, angles)
    return centre, (
        float(np.abs(radii * np.cos(angles)).max()),
        float(np.abs(radii * np.sin(angles)).max()),
    )


def _raised(
    subject: Subject, pattern: FatPattern, grid: Grid, centre: Array, x: Array, y: Array
) -> Array:
    points = _points(grid, centre, x.ravel(), y.ravel())
    return pattern.muscle.solid.raised(*subject.to_spine(points)).reshape(x.shape)


def _points(grid: Grid, centre: Array, x: Array, y: Array) -> Array:
    """Map in-plane millimetres from a centre (along columns, along rows) to the patient."""
    return np.asarray(centre + x[:, None] * grid.column_direction + y[:, None] * grid.row_direction)
