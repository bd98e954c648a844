"""A whole phantom exam: images, perfect outlines and truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from multifidus.geometry import Orientation
from multifidus.image import (
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
from multifidus.phantom.prescription import Grid, axial_grids, sagittal_grids
from multifidus.phantom.render import clean_signals, shading, stored_pixels
from multifidus.phantom.spec import PhantomSpec, Variant
from multifidus.phantom.subject import Subject, make_subject
from multifidus.phantom.truth import Truth, slice_truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.roi import RoiSet

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
    grids: dict[str, Grid]

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
    grids: dict[str, Grid] = {}
    axial = _series(subject, spec, axial_grids(subject, spec), grids)
    sagittal = _series(subject, replace(spec, dixon=False), sagittal_grids(subject, spec), grids)
    series = (axial[0], *sagittal, *axial[1:])
    exam = Exam(SUBJECT, timepoint(spec.variant), series, exam_date(spec.variant))
    return Phantom(spec, subject, exam, grids)


def _series(
    subject: Subject, spec: PhantomSpec, placed: tuple[Grid, ...], grids: dict[str, Grid]
) -> tuple[Series, ...]:
    """Image one set of planes: a T2 series, and a Dixon pair where asked for."""
    weightings = (Weighting.T2, *(_DIXON if spec.dixon else ()))
    slices: dict[Weighting, list[Slice]] = {weighting: [] for weighting in weightings}
    for number, grid in enumerate(placed):
        images = clean_signals(subject, grid, spec, weightings)
        shade = shading(subject, grid, spec)
        for weighting, clean in images.items():
            uid = uid_of(spec, grid.plane.orientation, weighting, number)
            stored = stored_pixels(clean, shade, spec.snr, _noise(spec, grid, weighting, number))
            slices[weighting].append(
                Slice(uid, grid.plane, grid.shape, _kept(stored), spec.thickness_mm)
            )
            grids[uid] = grid
    return tuple(
        Series(
            uid_of(spec, found[0].plane.orientation, weighting, "series"),
            in_stack_order(found),
            weighting,
            uid_of(spec, "frame of reference"),
            Acquisition("multifidus phantom", FIELD_STRENGTH_T, *_TIMES_MS[weighting]),
        )
        for weighting, found in slices.items()
        if found
    )


def _noise(spec: PhantomSpec, grid: Grid, weighting: Weighting, number: int) -> np.random.Generator:
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
