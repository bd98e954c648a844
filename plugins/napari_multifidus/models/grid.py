"""A series as napari shows it: one stack of slices, and how to turn it to the usual view.

Axis 0 counts slices, across all stacks of the series, however they are angled. Rows and columns
are pixels in millimetres. Where slices differ in size, smaller ones are padded at their bottom and
right, so that a pixel keeps its row and column.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.geometry import Orientation
from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.roi_set import RoiSet
from multifidus.data.slice_number import slice_number
from multifidus.errors import GeometryError
from multifidus.measuring.locate import place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.geometry import Plane

SAME_SPACING = 1e-3
"""Pixel spacings whose ratio is nearer to one than this are the same."""

_PREFERRED = (
    Weighting.T2,
    Weighting.DIXON_FAT,
    Weighting.T1,
    Weighting.PD,
    Weighting.FAT_FRACTION,
)

_ABBREVIATED = {Weighting.T1, Weighting.T2, Weighting.PD, Weighting.STIR, Weighting.PDFF}


@dataclass(frozen=True, slots=True)
class View:
    """How to show a series the radiological way: right on the left, anterior up.

    Attributes
    ----------
    transposed
        Whether columns run down the screen.
    down, right
        Whether the vertical axis grows downwards, and the horizontal one to the right.
    """

    transposed: bool
    down: bool
    right: bool


def view_of(plane: Plane) -> View:
    """Find the view in which the patient's left is on the right, and posterior is down."""
    row, column = plane.row_step_mm, plane.column_step_mm
    transposed = bool(abs(row[0]) > abs(column[0]))
    vertical, horizontal = (column, row) if transposed else (row, column)
    return View(transposed, bool(vertical[1] >= 0), bool(horizontal[0] >= 0))


def spacing_mm(series: Series) -> tuple[float, float]:
    """Return the distance between rows and between columns of all slices.

    Raises
    ------
    GeometryError
        If slices differ in it; one layer has one scale.
    """
    every = np.array([item.plane.pixel_spacing_mm for item in series.slices])
    if (np.abs(every / every[0] - 1) > SAME_SPACING).any():
        found = ", ".join(
            f"{row:g} x {column:g} mm" for row, column in sorted(set(map(tuple, every.tolist())))
        )
        msg = f"The slices of series {series.uid} differ in pixel spacing: {found}."
        raise GeometryError(msg, remedy="Open the files of each spacing on their own.")
    return float(every[0, 0]), float(every[0, 1])


def pixel_stack(series: Series) -> NDArray[np.float32]:
    """Stack the pixels of a series for display, shape (slices, rows, columns)."""
    rows, columns = (max(item.shape[axis] for item in series.slices) for axis in (0, 1))
    stack = np.empty((len(series.slices), rows, columns), dtype=np.float32)
    for plane, item in zip(stack, series.slices, strict=True):
        pixels = item.pixels
        if item.shape != (rows, columns):
            plane[:] = pixels.min()
        plane[: item.shape[0], : item.shape[1]] = pixels
    return stack


def stack_place(series: Series, index: int) -> tuple[int, int, int]:
    """Return which stack a slice is in, which slice of it, and of how many; from 1."""
    for number, stack in enumerate(series.stacks, 1):
        uids = [item.uid for item in stack.slices]
        if series.slices[index].uid in uids:
            return number, uids.index(series.slices[index].uid) + 1, len(uids)
    return 1, index + 1, len(series.slices)


def slice_words(series: Series, index: int) -> str:
    """Say where a slice stands: its place, and its stack where there are several."""
    stack, place, count = stack_place(series, index)
    words = f"slice {slice_number(index)} of {len(series.slices)}"
    return f"{words} · stack {stack}, {place} of {count}" if len(series.stacks) > 1 else words


def weighting_words(series: Series) -> str:
    """Name what a series shows, such as ``T2`` or ``Dixon fat``."""
    name = series.weighting.value.replace("_", " ")
    return name.upper() if series.weighting in _ABBREVIATED else name.replace("dixon", "Dixon")


def series_words(series: Series) -> str:
    """Name a series in a list to choose from."""
    count = len(series.slices)
    return f"{series.orientation.value} {weighting_words(series)}, {count} slices"


def axial_series(exam: Exam) -> tuple[Series, ...]:
    """Return the axial series of an exam, the one most often outlined first.

    Raises
    ------
    GeometryError
        If the exam has none.
    """
    axial = [
        series
        for series in exam.series
        if series.orientation is Orientation.AXIAL and series.weighting is not Weighting.LOCALIZER
    ]
    if not axial:
        found = ", ".join(series.orientation.value for series in exam.series) or "nothing"
        msg = f"Exam {exam.subject} {exam.timepoint} has no axial series; it has: {found}."
        raise GeometryError(msg, remedy="Open the folder that holds the axial images.")

    def rank(series: Series) -> int:
        known = series.weighting in _PREFERRED
        return _PREFERRED.index(series.weighting) if known else len(_PREFERRED)

    return tuple(sorted(axial, key=lambda series: (rank(series), -len(series.slices))))


def series_of(rois: RoiSet, exam: Exam) -> Series | None:
    """Return the axial series that most outlines lie on; None where there are no outlines."""
    uids = Counter(placed.series.uid for placed in place(rois, exam))
    axial = axial_series(exam)
    return max(axial, key=lambda series: uids[series.uid]) if uids else None


def same_grid(first: Series, second: Series) -> bool:
    """Whether two series show the same slices, pixel by pixel."""
    return len(first.slices) == len(second.slices) and all(
        mine.shape == theirs.shape and mine.plane.is_same(theirs.plane, mine.shape)
        for mine, theirs in zip(first.slices, second.slices, strict=True)
    )
