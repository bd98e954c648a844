"""A whole phantom exam: images, the outlines that a perfect rater would draw on them, and truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.acquisition import Acquisition
from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.geometry import Orientation
from multifidus.data.image import (
    Exam,
    Series,
    Slice,
    StoredPixels,
    Weighting,
    in_stack_order,
)
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Reading, Roi, RoiKey
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.phantom.boundary import boundary_mm, point_on_slice
from multifidus.phantom.prescription import (
    POSITION_DECIMALS,
    SliceGrid,
    axial_grids,
    sagittal_grids,
)
from multifidus.phantom.render import clean_signals, shading, stored_pixels
from multifidus.phantom.spec import (
    RATER,
    SUBJECT,
    PhantomSpec,
    Variant,
    exam_date,
    timepoint,
    uid_of,
)
from multifidus.phantom.spine import DISCS, disc_s_mm
from multifidus.phantom.subject import Subject, make_subject
from multifidus.phantom.truth import Truth, slice_truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FIELD_STRENGTH_T = 1.5

_TIMES_MS = {
    Weighting.T2: (3500.0, 100.0),
    Weighting.DIXON_FAT: (6.8, 2.4),
    Weighting.DIXON_WATER: (6.8, 2.4),
}

"""Repetition and echo time."""

_DIXON = (Weighting.DIXON_WATER, Weighting.DIXON_FAT)


@dataclass(frozen=True, eq=False)
class Phantom:
    """A phantom exam.

    Parameters
    ----------
    spec
        What it was made from.
    subject
        The anatomy, as it lies in the scanner.
    exam
        The axial T2 series, then the sagittal one and the Dixon pair where asked for.
    grids
        How each slice lies, by its UID, as DICOM writes it.
    """

    spec: PhantomSpec
    subject: Subject
    exam: Exam
    grids: dict[str, SliceGrid]

    @cached_property
    def outlines(self) -> RoiSet:
        """What a perfect rater draws on the axial T2 series, with levels and landmarks."""
        return true_outlines(self.subject, self.spec, self.exam.series[0], self.grids)

    @cached_property
    def truth(self) -> tuple[Truth, ...]:
        """The truth about every muscle on every axial slice, by quadrature."""
        return tuple(
            row
            for index, item in enumerate(self.exam.series[0].slices)
            for row in slice_truth(self.subject, self.grids[item.uid], item.uid, index)
        )


def make_phantom(spec: PhantomSpec = PhantomSpec()) -> Phantom:  # noqa: B008 - frozen
    """Make a phantom exam in memory.

    The same spec gives the same exam, to the last bit; its pixels are the whole numbers that
    would be written to a file.

    Examples
    --------
    >>> spec = PhantomSpec(stacks=1, slices_per_stack=1, matrix=64, pixel_mm=3.0, sagittal=False)
    >>> phantom = make_phantom(spec)
    >>> phantom.exam.series[0].slices[0].shape
    (64, 64)
    """
    subject = make_subject(spec)
    axial = _series(subject, spec, axial_grids(subject, spec), _DIXON if spec.dixon else ())
    sagittal = _series(subject, spec, sagittal_grids(subject, spec))
    grids = {uid: grid for _, placed in axial + sagittal for uid, grid in placed.items()}
    series = tuple(found for found, _ in (axial[0], *sagittal, *axial[1:]))
    exam = Exam(SUBJECT, timepoint(spec.variant), series, exam_date(spec.variant))
    return Phantom(spec, subject, exam, grids)


def _series(
    subject: Subject,
    spec: PhantomSpec,
    placed: tuple[SliceGrid, ...],
    further: tuple[Weighting, ...] = (),
) -> tuple[tuple[Series, dict[str, SliceGrid]], ...]:
    """Image one set of planes: a T2 series, and further ones in the same geometry.

    Returns
    -------
    tuple
        Each series with its grids by the slices' UIDs.
    """
    if not placed:
        return ()
    weightings = (Weighting.T2, *further)
    images = [clean_signals(subject, grid, spec, weightings) for grid in placed]
    return tuple(
        _one_series(subject, spec, weighting, list(zip(placed, images, strict=True)))
        for weighting in weightings
    )


def _one_series(
    subject: Subject,
    spec: PhantomSpec,
    weighting: Weighting,
    imaged: list[tuple[SliceGrid, dict[Weighting, Array]]],
) -> tuple[Series, dict[str, SliceGrid]]:
    slices, grids = [], {}
    orientation = imaged[0][0].plane.orientation
    for number, (grid, images) in enumerate(imaged):
        noise = _noise(spec, grid, weighting, number)
        shade = shading(subject, grid, spec)
        stored = stored_pixels(images[weighting], shade, spec.snr, noise)
        uid = uid_of(spec, orientation, weighting, number)
        slices.append(Slice(uid, grid.plane, grid.shape, _kept(stored), spec.thickness_mm))
        grids[uid] = grid
    series = Series(
        uid_of(spec, orientation, weighting, "series"),
        in_stack_order(slices),
        weighting,
        uid_of(spec, "frame of reference"),
        Acquisition("multifidus phantom", FIELD_STRENGTH_T, *_TIMES_MS[weighting]),
    )
    return series, grids


def _noise(
    spec: PhantomSpec, grid: SliceGrid, weighting: Weighting, number: int
) -> np.random.Generator:
    """Seed the noise of one image: no two images share it."""
    places = (
        [*Variant].index(spec.variant),
        [*Orientation].index(grid.plane.orientation),
        [*Weighting].index(weighting),
    )
    return np.random.default_rng([spec.seed, 6, *places, number])


def _kept(stored: NDArray[np.uint16]) -> StoredPixels:
    stored.flags.writeable = False
    return StoredPixels(lambda: stored)


OUTLINE_POINTS = 360
"""Vertices of a muscle's outline; its polygon is less than 0.03 % smaller than the muscle."""

LEAN_RADIUS_MM, FAT_RADIUS_MM = 5.0, 4.0
"""Radius of the round reference samples."""

_REFERENCE_POINTS = 48
_COARSE_POINTS = 128


def true_outlines(
    subject: Subject, spec: PhantomSpec, series: Series, grids: dict[str, SliceGrid]
) -> RoiSet:
    """Outline everything on the axial series, with levels typed and discs marked.

    Vertices lie on the true boundary, rounded to 1e-6 mm.
    """
    reading = Reading(SUBJECT, timepoint(spec.variant), RATER, 1)
    rois, levels = [], []
    for item in series.slices:
        grid = grids[item.uid]
        if grid.level is None:
            continue
        levels.append(SliceLevel(item.uid, grid.level, grid.slice_position))
        for structure, side, points in _slice_outlines(subject, grid, grid.level):
            rois.append(
                Roi(
                    RoiKey(reading, item.uid, structure, side),
                    (np.round(points, POSITION_DECIMALS),),
                    item.plane,
                    item.shape,
                    grid.level,
                    grid.slice_position,
                    RoiRule.FASCIAL if structure.is_muscle else RoiRule.UNKNOWN,
                )
            )
    return RoiSet(tuple(rois), disc_landmarks(subject), tuple(levels), reading=reading)


def disc_landmarks(subject: Subject) -> tuple[Landmark, ...]:
    """Mark the true centres of the discs."""
    places = np.array([(0.0, 0.0, disc_s_mm(disc)) for disc in DISCS])
    points = np.round(subject.to_patient(places), POSITION_DECIMALS)
    return tuple(
        Landmark(LandmarkKind.DISC_CENTRE, disc, point)
        for disc, point in zip(DISCS, points, strict=True)
    )


def _slice_outlines(
    subject: Subject, grid: SliceGrid, level: Level
) -> Iterator[tuple[Structure, Side, Array]]:
    for pattern in subject.patterns_at(level):
        structure, side = pattern.muscle.structure, pattern.muscle.side
        yield structure, side, boundary_mm(subject, pattern.muscle.solid, grid, OUTLINE_POINTS)
        if structure is Structure.ERECTOR_SPINAE:
            centre = point_on_slice(subject, grid, pattern.lean_core)
            yield Structure.LEAN_REFERENCE, side, _circle(grid, centre, LEAN_RADIUS_MM)
    for side, pocket in zip((Side.LEFT, Side.RIGHT), subject.trunk.pockets, strict=True):
        centre = point_on_slice(subject, grid, pocket.centre_mm)
        yield Structure.FAT_REFERENCE, side, _circle(grid, centre, FAT_RADIUS_MM)
    if grid.slice_position is SlicePosition.MID_DISC:
        column = subject.skeleton.column
        yield Structure.DISC, Side.NONE, boundary_mm(subject, column, grid, _COARSE_POINTS)
    yield Structure.CSF, Side.NONE, boundary_mm(subject, subject.skeleton.sac, grid, _COARSE_POINTS)
    if subject.implants is not None and level is Level.L4_L5:
        for side, rod in subject.implants.rods.items():
            yield Structure.ARTEFACT, side, boundary_mm(subject, rod, grid, _COARSE_POINTS)


def _circle(grid: SliceGrid, centre_mm: Array, radius_mm: float) -> Array:
    angle = np.linspace(0, 2 * np.pi, _REFERENCE_POINTS, endpoint=False)[:, None]
    around = np.cos(angle) * grid.column_direction + np.sin(angle) * grid.row_direction
    return np.asarray(centre_mm + radius_mm * around)
