"""The truth about every muscle on every slice, from the implicit shapes by quadrature.

Neither outlines nor pixels are used. The area is integrated over chords, whose ends are found by
root finding; the fat is the share of fat among samples on a fine grid inside the muscle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, Side, SlicePosition, Structure
from multifidus.data.geometry import tilt_deg
from multifidus.phantom.boundary import point_on_slice, radii_mm
from multifidus.phantom.spine import in_rows
from multifidus.phantom.tissue import dixon_ratio_pct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.phantom.fat import FatPattern
    from multifidus.phantom.prescription import SliceGrid
    from multifidus.phantom.subject import Subject

    Array = NDArray[np.float64]

CHORD_STEP_MM = 0.05
"""Distance of the chords over which the area is integrated; its error stays below 0.01 %."""

FAT_STEP_MM = {Structure.MULTIFIDUS: 0.1}
_COARSE_FAT_STEP_MM = 0.16
"""Grid on which fat is counted; its share errs by less than 0.05 points, elsewhere by 0.15."""

_TURN_DEG = 35.0
"""Chords run askew: along a straight edge of a muscle they would all begin at once."""

_ILLINOIS_ROUNDS = 12
_TERNARY_ROUNDS = 12
_COARSE_MM = 2.0
_NEVER_ZERO = 1e-14
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


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A muscle in the plane of a slice.

    In-plane coordinates x and y are millimetres from a point on the muscle's own centre line,
    along the slice's columns and rows turned by ``_TURN_DEG``.

    Parameters
    ----------
    subject, pattern, grid
        Whose muscle, which, and in which plane.
    centre_mm
        Where x = y = 0, LPS, shape (3,).
    reach_mm
        How far the muscle reaches along x and along y, and a little more.
    """

    subject: Subject
    pattern: FatPattern
    grid: SliceGrid
    centre_mm: Array
    reach_mm: tuple[float, float]

    @classmethod
    def of(cls, subject: Subject, pattern: FatPattern, grid: SliceGrid) -> Section:
        """Find where a slice cuts a muscle."""
        solid = pattern.muscle.solid
        centre = point_on_slice(subject, grid, solid.centre_mm)
        angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        radii = radii_mm(subject, solid, grid, centre=centre, angles=angles)
        turned = angles - np.radians(_TURN_DEG)
        x, y = (float(np.abs(radii * along(turned)).max()) for along in (np.cos, np.sin))
        return cls(subject, pattern, grid, centre, (x + _MARGIN_MM, y + _MARGIN_MM))

    @property
    def csa_mm2(self) -> float:
        """Area, integrated over the chords that lines along x cut from the muscle."""
        reach_x, reach_y = self.reach_mm
        rows = np.arange(-reach_y, reach_y, CHORD_STEP_MM)
        across = np.arange(-reach_x, reach_x, _COARSE_MM)
        start = self._deepest(rows, across)
        cut = self._raised(start, rows) < 1
        rows, start = rows[cut], start[cut]
        ends = (self._end(rows, start, sign * 2 * reach_x) for sign in (-1, 1))
        return float(sum(np.abs(end - start).sum() for end in ends) * CHORD_STEP_MM)

    @property
    def fat_pct(self) -> float:
        """Share of fat, counted on a fine grid inside the muscle."""
        step = FAT_STEP_MM.get(self.pattern.muscle.structure, _COARSE_FAT_STEP_MM)
        x, y = np.meshgrid(*(np.arange(-reach, reach, step) for reach in self.reach_mm))
        u, v, s = self.subject.to_spine(self._points(x.ravel(), y.ravel()))
        inside = self.pattern.muscle.solid.contains(u, v, s)
        return float(100 * self.pattern.contains(u[inside], v[inside], s[inside]).mean())

    def _deepest(self, rows: Array, across: Array) -> Array:
        """Find the x deepest in the muscle on each line y = rows: inside it if the line cuts it.

        Coarse samples, then ternary search: along a line the implicit function is convex.
        """
        best = across[self._raised(*np.meshgrid(across, rows)).argmin(axis=1)]
        step = across[1] - across[0]
        low, high = best - step, best + step
        for _ in range(_TERNARY_ROUNDS):
            one, two = low + (high - low) / 3, high - (high - low) / 3
            left = self._raised(one, rows) < self._raised(two, rows)
            low, high = np.where(left, low, one), np.where(left, two, high)
        return np.asarray((low + high) / 2)

    def _end(self, rows: Array, start: Array, out: float) -> Array:
        """Find the x between the inside and ``out`` where lines leave the muscle (Illinois)."""
        inside, outside = start, start + out
        below, above = self._relative(inside, rows), self._relative(outside, rows)
        for _ in range(_ILLINOIS_ROUNDS):
            guess = (inside * above - outside * below) / (above - below)
            found = self._relative(guess, rows)
            crossed = found * above < 0
            inside = np.where(crossed, outside, inside)
            below = np.where(crossed, above, below / 2)
            outside, above = guess, found
        return np.asarray(outside)

    def _relative(self, x: Array, y: Array) -> Array:
        """Relative distance from the boundary: nearly linear, negative inside, never quite 0."""
        power = self.pattern.muscle.solid.shape.power
        return np.asarray(self._raised(x, y) ** (1 / power) - 1 + _NEVER_ZERO)

    def _raised(self, x: Array, y: Array) -> Array:
        points = self._points(x.ravel(), y.ravel())
        return self.pattern.muscle.solid.raised(*self.subject.to_spine(points)).reshape(x.shape)

    def _points(self, x: Array, y: Array) -> Array:
        column, row = self.grid.column_direction, self.grid.row_direction
        cosine, sine = np.cos(np.radians(_TURN_DEG)), np.sin(np.radians(_TURN_DEG))
        along_x, along_y = cosine * column + sine * row, cosine * row - sine * column
        return in_rows(
            centre + x * by_x + y * by_y
            for centre, by_x, by_y in zip(self.centre_mm, along_x, along_y, strict=True)
        )


def slice_truth(subject: Subject, grid: SliceGrid, uid: str, index: int) -> tuple[Truth, ...]:
    """State the truth about every muscle that an axial slice shows."""
    if grid.level is None:
        return ()
    return tuple(
        muscle_truth(Section.of(subject, pattern, grid), grid.level, uid, index)
        for pattern in subject.patterns_at(grid.level)
    )


def muscle_truth(section: Section, level: Level, uid: str, index: int) -> Truth:
    """State the truth about one muscle on the slice with this UID and place in its series."""
    area, fat = section.csa_mm2, section.fat_pct
    tilt = tilt_deg(section.grid.plane.normal)
    return Truth(
        slice_uid=uid,
        slice_index=index,
        level=level,
        slice_position=section.grid.slice_position,
        structure=section.pattern.muscle.structure,
        side=section.pattern.muscle.side,
        csa_mm2=area,
        fat_pct=fat,
        lean_csa_mm2=area * (1 - fat / 100),
        dixon_ff_ratio_pct=dixon_ratio_pct(fat / 100),
        tilt_deg=tilt,
        spine_tilt_deg=tilt - section.subject.disc_tilt_deg(level),
    )
