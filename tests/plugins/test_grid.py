from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.models.grid import (
    View,
    axial_series,
    pixel_stack,
    same_grid,
    slice_words,
    spacing_mm,
    stack_place,
    view_of,
)

from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series, Weighting
from multifidus.errors import GeometryError
from tests.plugins.conftest import SPACING, make_series
from tests.support.exams import axial_plane, image_slice


def test_all_stacks_stand_in_one_stack_of_pixels(exam):
    (series,) = exam.series
    stack = pixel_stack(series)
    assert len(series.stacks) == 3
    assert stack.shape == (6, 72, 80)
    np.testing.assert_array_equal(stack[4], series.slices[4].pixels)


def test_smaller_slices_are_padded_below_and_right():
    large = image_slice(np.full((6, 8), 5.0), axial_plane(0), "1")
    small = image_slice(np.full((4, 7), 3.0), axial_plane(30), "2")
    stack = pixel_stack(Series("s", (large, small)))
    assert stack.shape == (2, 6, 8)
    assert (stack[1, :4, :7] == 3).all()


def test_the_spacing_is_that_of_the_slices(exam):
    assert spacing_mm(exam.series[0]) == pytest.approx(SPACING)


def test_slices_of_different_spacing_are_refused_with_both_named():
    slices = [
        image_slice(np.zeros((4, 4)), axial_plane(40.0 * n, 0, (mm, mm)), str(n))
        for n, mm in enumerate((0.5, 0.75))
    ]
    with pytest.raises(GeometryError, match=r"0\.5 x 0\.5 mm, 0\.75 x 0\.75 mm"):
        spacing_mm(Series("s", tuple(slices)))


def test_a_slice_knows_its_stack(exam):
    assert stack_place(exam.series[0], 3) == (2, 2, 2)
    assert slice_words(exam.series[0], 3) == "slice 4 of 6 · stack 2, 2 of 2"
    assert slice_words(make_series(tilts=(4.0, 4.0)), 1) == "slice 2 of 2"


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ((0, 1, 0), (1, 0, 0), View(transposed=False, down=True, right=True)),
        ((0, 1, 0), (-1, 0, 0), View(transposed=False, down=True, right=False)),
        ((0, -1, 0), (-1, 0, 0), View(transposed=False, down=False, right=False)),
        ((1, 0, 0), (0, 1, 0), View(transposed=True, down=True, right=True)),
        ((-1, 0, 0), (0, -1, 0), View(transposed=True, down=False, right=False)),
        ((0, 0.9, -0.4), (1, 0.1, 0), View(transposed=False, down=True, right=True)),
    ],
)
def test_the_patients_right_is_on_the_left_of_the_screen(row, column, expected):
    view = view_of(Plane((0, 0, 0), row, column))
    assert view == expected
    # Steps on the screen, downwards and to the right, in patient millimetres.
    vertical, horizontal = (column, row) if view.transposed else (row, column)
    down_mm = np.array(vertical) * (1 if view.down else -1)
    right_mm = np.array(horizontal) * (1 if view.right else -1)
    assert right_mm[0] > 0
    assert down_mm[1] > 0


def test_t2_is_outlined_before_t1_and_localizers_never():
    t1 = replace(make_series("1.1"), weighting=Weighting.T1)
    t2 = make_series("1.3")
    localizer = replace(make_series("1.4"), weighting=Weighting.LOCALIZER)
    exam = Exam("S", "pre", (localizer, t1, t2))
    assert axial_series(exam) == (t2, t1)
    assert same_grid(t1, t2)


def test_an_exam_without_axial_series_is_refused():
    plane = Plane((0, 0, 0), (0, 0, -1), (0, 1, 0))
    exam = Exam("S", "pre", (Series("1", (image_slice(np.zeros((4, 4)), plane),)),))
    with pytest.raises(GeometryError, match="no axial series; it has: sagittal"):
        axial_series(exam)
