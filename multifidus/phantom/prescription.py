"""Where the slices lie: stacks angled to the discs, and a sagittal series.

Planes are made of numbers that DICOM's decimal strings hold exactly, so that an exam in memory and
the same exam written and read again have one geometry, to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.geometry import Plane
from multifidus.phantom.spec import PhantomSpec, Variant
from multifidus.phantom.spine import DISCS, disc_s_mm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.phantom.subject import Subject

    Array = NDArray[np.float64]

COSINE_DECIMALS = 12
"""Decimals of direction cosines: with sign and point they fill 15 of 16 characters."""

POSITION_DECIMALS = 6
"""Decimals of positions in millimetres."""

SAGITTAL_MATRIX = 256
SAGITTAL_PIXEL_MM = 1.09375
SAGITTAL_STEP_MM = 4.4

_CENTRE_V_MM = 24.0
"""The middle of an axial slice lies this far behind the middle of its disc."""

_REPOSITIONING_DEG = 2.5
"""After surgery, stacks are angled to the discs no better than this."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceGrid:
    """A plane as DICOM writes it.

    Parameters
    ----------
    origin_mm
        ImagePositionPatient, shape (3,).
    column_direction, row_direction
        The two halves of ImageOrientationPatient: towards the next column, the next row.
    pixel_mm
        Both of PixelSpacing.
    shape
        (rows, columns).
    level, slice_position
        Which disc the slice is angled to, and where in it it lies; None for sagittal slices.
    """

    origin_mm: Array
    column_direction: Array
    row_direction: Array
    pixel_mm: float
    shape: tuple[int, int]
    level: Level | None = None
    slice_position: SlicePosition = SlicePosition.UNKNOWN

    @property
    def plane(self) -> Plane:
        """The plane, by the arithmetic of a DICOM reader."""
        row, column = self.row_direction, self.column_direction
        return Plane(
            self.origin_mm,
            row / math.hypot(*row) * self.pixel_mm,
            column / math.hypot(*column) * self.pixel_mm,
        )


def axial_grids(subject: Subject, spec: PhantomSpec) -> tuple[SliceGrid, ...]:
    """Place the axial stacks, from cranial to caudal, slices upwards within each."""
    discs = DISCS[len(DISCS) - spec.stacks :]
    errors = np.zeros(spec.stacks)
    if spec.variant.is_postoperative and not spec.still:
        rng = np.random.default_rng([spec.seed, 5, [*Variant].index(spec.variant)])
        errors = rng.uniform(-_REPOSITIONING_DEG, _REPOSITIONING_DEG, spec.stacks)
    grids: list[SliceGrid] = []
    for number, disc in enumerate(discs):
        if spec.tilts_deg is not None:
            tilt = spec.tilts_deg[number]
        else:
            tilt = subject.disc_tilt_deg(disc) + errors[number]
        grids += _stack(subject, spec, disc, tilt)
    return tuple(grids)


def _stack(subject: Subject, spec: PhantomSpec, disc: Level, tilt: float) -> list[SliceGrid]:
    """Place the slices of one disc at a tilt against patient z."""
    angle = np.radians(tilt)
    down, column = np.array((0.0, np.cos(angle), np.sin(angle))), np.array((1.0, 0.0, 0.0))
    if spec.variant.is_postoperative:
        # Aligned to the patient who lies askew: doubly oblique.
        column = subject.pose.rotation[:, 0]
        down = down - (down @ column) * column
        down /= np.linalg.norm(down)
    normal = np.cross(column, down)
    centre = subject.to_patient(np.array([(0.0, 0.0, disc_s_mm(disc))]))[0]
    middle = (spec.slices_per_stack - 1) / 2
    shape = (spec.matrix, spec.matrix)
    grids = []
    for k in range(spec.slices_per_stack):
        offset = (k - middle) * spec.slice_step_mm
        position = SlicePosition.MID_DISC if k == round(middle) else SlicePosition.UNKNOWN
        at = centre + _CENTRE_V_MM * down + offset * normal
        grids.append(
            _grid(at, (column, down), pixel_mm=spec.pixel_mm, shape=shape, place=(disc, position))
        )
    return grids


def sagittal_grids(subject: Subject, spec: PhantomSpec) -> tuple[SliceGrid, ...]:
    """Place the sagittal series about the midline at L3, from right to left."""
    if not spec.sagittal:
        return ()
    centre = subject.to_patient(np.array([(0.0, 12.0, 8.0)]))[0]
    middle = (spec.sagittal_slices - 1) / 2
    backwards, downwards = np.array((0.0, 1.0, 0.0)), np.array((0.0, 0.0, -1.0))
    shape = (SAGITTAL_MATRIX, SAGITTAL_MATRIX)
    grids = []
    for k in range(spec.sagittal_slices):
        at = centre + np.array((SAGITTAL_STEP_MM * (middle - k), 0.0, 0.0))
        grids.append(_grid(at, (backwards, downwards), pixel_mm=SAGITTAL_PIXEL_MM, shape=shape))
    return tuple(grids)


def _grid(
    centre: Array,
    directions: tuple[Array, Array],
    *,
    pixel_mm: float,
    shape: tuple[int, int],
    place: tuple[Level | None, SlicePosition] = (None, SlicePosition.UNKNOWN),
) -> SliceGrid:
    """Make a grid of rounded numbers about a centre; directions are (column, row)."""
    column, row = (np.round(direction, COSINE_DECIMALS) + 0.0 for direction in directions)
    half = (np.array(shape) - 1) / 2 * pixel_mm
    origin = np.round(centre - half[0] * row - half[1] * column, POSITION_DECIMALS) + 0.0
    return SliceGrid(origin, column, row, pixel_mm, shape, *place)
