"""A whole phantom exam: images, perfect outlines and truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.geometry import Orientation
from multifidus.data.image import (
    Acquisition,
    Exam,
    Series,
    Slice,
    StoredPixels,
    Weighting,
    in_stack_order,
)
from multifidus.phantom.identity import SUBJECT, exam_date, timepoint, uid_of
from multifidus.phantom.outlines import true_outlines
from multifidus.phantom.prescription import SliceGrid, axial_grids, sagittal_grids
from multifidus.phantom.render import clean_signals, shading, stored_pixels
from multifidus.phantom.spec import PhantomSpec, Variant
from multifidus.phantom.subject import Subject, make_subject
from multifidus.phantom.truth import Truth, slice_truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.roi_set import RoiSet

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
