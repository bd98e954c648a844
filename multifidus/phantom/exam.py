"""A whole phantom exam: images, perfect outlines and truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.image import (
    Acquisition,
    Exam,
    Series,
    Slice,
    StoredPixels,
    Weighting,
    in_stack_order,
)
from multifidus.phantom.identity import SUBJECT, exam_date, timepoint, uid
from multifidus.phantom.outlines import true_outlines
from multifidus.phantom.prescription import Grid, axial_grids, sagittal_grids
from multifidus.phantom.render import clean_signals, shading, stored_pixels
from multifidus.phantom.spec import PhantomSpec
from multifidus.phantom.subject import Subject, make_subject
from multifidus.phantom.truth import Truth, slice_truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from multifidus.roi import RoiSet

FIELD_STRENGTH_T = 1.5

_ECHO_MS = {
    Weighting.T2: (3500.0, 100.0),
    Weighting.DIXON_FAT: (6.8, 2.4),
    Weighting.DIXON_WATER: (6.8, 2.4),
}

_DIXON = (Weighting.DIXON_WATER, Weighting.DIXON_FAT)


@dataclass(frozen=True, slots=True, eq=False)
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
    outlines
        What a perfect rater draws on the axial T2 series, with levels and landmarks.
    truth
        The truth about every muscle on every axial slice, by quadrature.
    grids
        How each slice lies, by its UID, as DICOM writes it.
    """

    spec: PhantomSpec
    subject: Subject
    exam: Exam
    outlines: RoiSet
    truth: tuple[Truth, ...]
    grids: dict[str, Grid]


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
    series = []
    axial, sagittal = axial_grids(subject, spec), sagittal_grids(subject, spec)
    for name, weightings, placed in (
        ("axial", (Weighting.T2,), axial),
        ("sagittal", (Weighting.T2,), sagittal),
        ("dixon", _DIXON if spec.dixon else (), axial),
    ):
        if placed and weightings:
            series += _series(subject, spec, (name, weightings, placed), grids)
    exam = Exam(SUBJECT, timepoint(spec.variant), tuple(series), exam_date(spec.variant))
    truth = [
        row
        for index, item in enumerate(series[0].slices)
        for row in slice_truth(subject, grids[item.uid], item.uid, index)
    ]
    outlines = true_outlines(subject, spec, series[0], grids)
    return Phantom(spec, subject, exam, outlines, tuple(truth), grids)


def _series(
    subject: Subject,
    spec: PhantomSpec,
    what: tuple[str, tuple[Weighting, ...], tuple[Grid, ...]],
    grids: dict[str, Grid],
) -> Iterator[Series]:
    """Image one set of planes in one or more weightings; each becomes a series."""
    name, weightings, placed = what
    slices: dict[Weighting, list[Slice]] = {weighting: [] for weighting in weightings}
    for number, grid in enumerate(placed):
        images = clean_signals(subject, grid, spec, weightings)
        shade = shading(subject, grid, spec)
        for weighting, clean in images.items():
            found = uid(spec, name, weighting, number)
            rng = np.random.default_rng([spec.seed, 6, *found.encode()])
            stored = stored_pixels(clean, shade, spec.snr, rng)
            slices[weighting].append(
                Slice(found, grid.plane, grid.shape, _kept(stored), spec.thickness_mm)
            )
            grids[found] = grid
    for weighting in weightings:
        repetition, echo = _ECHO_MS[weighting]
        yield Series(
            uid(spec, name, weighting, "series"),
            in_stack_order(slices[weighting]),
            weighting,
            uid(spec, "frame of reference"),
            Acquisition("multifidus phantom", FIELD_STRENGTH_T, repetition, echo),
        )


def _kept(stored: NDArray[np.uint16]) -> StoredPixels:
    stored.flags.writeable = False
    return StoredPixels(lambda: stored)
