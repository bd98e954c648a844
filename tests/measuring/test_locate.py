from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus import RoiSet, measure
from multifidus.data.anatomy import Level, Side
from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series, Weighting
from multifidus.errors import RoiError
from multifidus.measuring.locate import place
from tests.support.exams import axial_plane, circle, exam_of, image_slice, outline
from tests.support.strategies import planes

PIXELS = np.zeros((40, 50))
SLICES = tuple(image_slice(PIXELS, axial_plane(z=4.4 * k, tilt=12), uid=f"1.{k}") for k in range(5))


def drawn_on(item, at=25, **facts):
    return outline(item, circle(20, at, 8), **facts)


@given(st.permutations(range(5)))
def test_outlines_find_their_slice_by_its_uid(order):
    exam = exam_of(*SLICES)
    placed = place([drawn_on(SLICES[k]) for k in order], exam)
    assert [item.index for item in placed] == order
    assert [item.slice for item in placed] == [SLICES[k] for k in order]


@given(planes(), st.integers(0, 4))
def test_outlines_find_their_slice_by_its_place_where_uids_were_changed(plane, k):
    slices = [
        image_slice(
            PIXELS,
            Plane(
                plane.origin_mm + n * 4.4 * plane.normal, plane.row_step_mm, plane.column_step_mm
            ),
            uid=f"new.{n}",
        )
        for n in range(5)
    ]
    (placed,) = place([drawn_on(replace(slices[k], uid="old"))], exam_of(*slices))
    assert placed.index == k


def test_what_de_identification_rounded_off_the_geometry_does_not_matter():
    rounded = Plane(*np.round(np.reshape(SLICES[2].plane.numbers, (3, 3)), 4))
    moved = drawn_on(replace(SLICES[2], uid="old", plane=rounded))
    assert place([moved], exam_of(*SLICES))[0].index == 2


def test_an_outline_whose_uid_lies_elsewhere_is_refused_with_both_grids():
    stranger = replace(SLICES[2], uid="1.3")
    with pytest.raises(RoiError, match="drawn on another pixel grid than its slice") as caught:
        place([drawn_on(stranger)], exam_of(*SLICES))
    assert str(SLICES[2].plane.numbers) in str(caught.value)
    assert str(SLICES[3].plane.numbers) in str(caught.value)


def test_an_outline_on_an_image_of_another_size_is_refused():
    larger = image_slice(np.zeros((41, 50)), SLICES[2].plane, uid="1.2")
    with pytest.raises(RoiError, match="drawn on another pixel grid than its slice"):
        place([drawn_on(larger)], exam_of(*SLICES))


@pytest.mark.parametrize("z", [2.2, -4.4, 500])
def test_an_outline_between_or_beyond_the_slices_is_refused(z):
    stranger = image_slice(PIXELS, axial_plane(z=z, tilt=12), uid="old")
    with pytest.raises(RoiError, match="fits no slice of exam S01 pre"):
        place([drawn_on(stranger)], exam_of(*SLICES))


def two_series(first, second):
    copies = tuple(replace(item, uid=f"2.{k}") for k, item in enumerate(SLICES))
    return Exam("S01", "pre", (Series("1", SLICES, first), Series("2", copies, second)))


def test_an_outline_that_fits_two_series_is_refused():
    exam = two_series(Weighting.T1, Weighting.T2)
    with pytest.raises(RoiError, match="fits 2 series of one geometry"):
        place([drawn_on(replace(SLICES[2], uid="old"))], exam)


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_dixon_pair_the_fat_image_is_taken(order):
    exam = two_series(*(Weighting.DIXON_FAT, Weighting.DIXON_WATER)[::order])
    (placed,) = place([drawn_on(replace(SLICES[2], uid="old"))], exam)
    assert placed.series.weighting is Weighting.DIXON_FAT


def test_sides_that_are_swapped_are_named_by_slice_and_level_not_by_a_uid():
    pair = tuple(
        drawn_on(SLICES[3], side=side, level=Level.L4_L5, at=column)
        for side, column in ((Side.LEFT, 12), (Side.RIGHT, 38))
    )
    with pytest.raises(
        RoiError, match=r"left multifidus on slice 4, L4-L5 \(subject S01"
    ) as caught:
        measure(exam_of(*SLICES), RoiSet(pair))
    assert SLICES[3].uid not in str(caught.value)
