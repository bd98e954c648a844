import copy
import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.flags import Flag
from multifidus.data.geometry import Orientation, Plane
from multifidus.data.image import Series, Slice, Stack, StoredPixels, in_stack_order
from multifidus.errors import GeometryError, ReadError
from tests.support.exams import axial_plane, exam_of, image_slice
from tests.support.strategies import planes, points_mm

PIXELS = np.arange(12.0).reshape(3, 4)


def slices_along(plane, step, count, shape=(3, 4)):
    return tuple(
        image_slice(
            np.zeros(shape),
            Plane(plane.origin_mm + k * np.array(step), plane.row_step_mm, plane.column_step_mm),
            uid=f"1.{k}",
        )
        for k in range(count)
    )


def test_pixels_are_rescaled_by_the_slices_own_numbers():
    stored = StoredPixels(lambda: np.array([[0, 100], [200, 4095]], np.uint16), 0.5, -10)
    item = Slice("1.2", axial_plane(), (2, 2), stored)
    assert item.pixels.tolist() == [[-10, 40], [90, 2037.5]]


def test_pixels_are_read_once_and_only_when_they_are_wanted():
    calls = []

    def read():
        calls.append(1)
        return np.zeros((2, 2))

    item = Slice("1.2", axial_plane(), (2, 2), StoredPixels(read))
    assert (item.shape, item.uid, calls) == ((2, 2), "1.2", [])
    assert item.pixels.sum() == item.pixels.sum() == 0
    assert len(calls) == 1


def test_nobody_can_change_the_pixels_of_a_slice():
    array = PIXELS.copy()
    item = image_slice(array)
    array[0, 0] = 99
    assert item.pixels[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        item.pixels[0, 0] = 1


def test_stored_pixels_keep_their_type_and_are_not_rescaled():
    stored = StoredPixels(lambda: np.array([[0, 4095]], np.uint16), 0.5, -10)
    item = Slice("1.2", axial_plane(), (1, 2), stored)
    assert item.stored_pixels.dtype == np.uint16
    assert item.stored_pixels.tolist() == [[0, 4095]]
    with pytest.raises(ValueError, match="read-only"):
        item.stored_pixels[0, 0] = 1


def test_pixels_of_another_shape_than_the_header_says_are_refused():
    item = Slice("1.2.840", axial_plane(), (2, 3), StoredPixels(lambda: np.zeros((3, 2))))
    with pytest.raises(ReadError, match=r"1\.2\.840 holds \(3, 2\) pixels .* says \(2, 3\)"):
        _ = item.pixels


def test_a_slice_of_three_dimensions_is_refused():
    with pytest.raises(GeometryError, match=r"must be \(rows, columns\), got shape \(2, 2, 2\)"):
        Slice.from_array("1.2", axial_plane(), np.zeros((2, 2, 2)))


def test_the_hash_is_that_of_pixels_then_plane():
    item = image_slice(PIXELS)
    bytes_of = [PIXELS.astype("<f8").tobytes()]
    bytes_of.append(np.round(item.plane.numbers, 6).astype("<f8").tobytes())
    assert item.sha256() == hashlib.sha256(b"".join(bytes_of)).hexdigest()
    assert item.sha256(item.pixels) == item.sha256()


@given(planes(), points_mm(4e-7))
def test_the_hash_ignores_what_rounding_left_of_the_geometry_but_not_a_pixel(plane, noise):
    # Numbers on whole micrometres, so that noise of less than half of one is rounded away.
    rows, columns = np.round(plane.row_step_mm, 6), np.round(plane.column_step_mm, 6)
    origin = np.round(plane.origin_mm, 6)
    item = image_slice(PIXELS, Plane(origin, rows, columns))
    copy = image_slice(PIXELS, Plane(origin + np.array(noise), rows, columns), uid="another")
    assert item.sha256() == copy.sha256()
    assert item.sha256() != image_slice(PIXELS + 1e-9, item.plane).sha256()
    elsewhere = Plane(origin + 1e-5, rows, columns)
    assert item.sha256() != image_slice(PIXELS, elsewhere).sha256()


def test_a_minus_before_zero_does_not_change_the_hash():
    plus, minus = (Plane((x, 0, 0), (0, 1, 0), (1, 0, 0)) for x in (0.0, -1e-9))
    assert image_slice(PIXELS, plus).sha256() == image_slice(PIXELS, minus).sha256()


@given(planes(), points_mm(6), st.integers(2, 6))
def test_a_regular_stack_has_the_affine_of_its_slices(plane, step, count):
    stack = Stack(slices_along(plane, step, count))
    affine = stack.affine_lps
    for k, item in enumerate(stack.slices):
        expected = item.plane.to_patient([(2, 1)])[0]
        assert (affine @ (1, 2, k, 1))[:3] == pytest.approx(expected, abs=1e-9)
    assert stack.slice_step_mm == pytest.approx(abs(np.dot(step, plane.normal)), abs=1e-9)


def test_slices_four_millimetres_apart_say_so():
    stack = Stack(slices_along(axial_plane(tilt=20), 4.4 * axial_plane(tilt=20).normal, 5))
    assert stack.slice_step_mm == pytest.approx(4.4)


@pytest.mark.parametrize(("thickness", "third"), [(4.0, 4), (float("nan"), 1), (0.0, 1)])
def test_a_single_slice_has_no_step_and_an_affine_of_its_thickness(thickness, third):
    plane = axial_plane()
    stack = Stack((Slice.from_array("1", plane, PIXELS, thickness),))
    assert stack.step_mm is None
    assert stack.slice_step_mm is None
    assert stack.affine_lps[:3, 2] == pytest.approx(third * plane.normal)


def test_slices_that_leave_the_grid_have_no_affine():
    straight = slices_along(axial_plane(), (0, 0, 4), 3)
    shifted = slices_along(axial_plane(), (0, 0, 4), 3)[1]
    off = Plane(
        shifted.plane.origin_mm + np.array((0, 0, 0.3)),
        shifted.plane.row_step_mm,
        shifted.plane.column_step_mm,
    )
    bent = (straight[0], image_slice(np.zeros((3, 4)), off), straight[2])
    assert Stack(straight).affine_lps is not None
    assert Stack(bent).affine_lps is None


def test_a_series_of_two_angles_has_two_stacks_and_no_volume():
    upper = slices_along(axial_plane(tilt=5), (0, 0, 4), 3)
    lower = slices_along(axial_plane(z=-40, tilt=20), (0, 0, 4), 2)
    series = Series("1.2", upper + lower)
    assert [len(stack.slices) for stack in series.stacks] == [3, 2]
    assert len(series.stacks) == 2
    assert len(Series("1.2", upper).stacks) == 1


def test_doubts_about_a_stack_are_kept_apart_from_doubts_about_its_series():
    straight = slices_along(axial_plane(), (0, 0, 4), 3)
    sheared = slices_along(axial_plane(z=40, tilt=20), (0, 0, 4), 2)
    series = Series("1.2", straight + sheared, flags=(Flag.SCALE_UNVERIFIED,))
    assert series.flags == (Flag.SCALE_UNVERIFIED,)
    assert [stack.flags for stack in series.stacks] == [(), (Flag.STACK_SHEARED,)]
    assert series.all_flags == (Flag.SCALE_UNVERIFIED, Flag.STACK_SHEARED)
    at = [series.flags_at(index) for index in range(5)]
    assert at == [series.flags] * 3 + [series.all_flags] * 2
    # A series that is changed keeps no doubt about a stack that it no longer has.
    assert replace(series, slices=straight).all_flags == series.flags


@given(planes(), points_mm(6), st.integers(2, 4), st.integers(2, 4))
def test_every_slice_stands_in_the_stack_that_holds_it(plane, step, first, second):
    turned = Plane(plane.origin_mm + 50.0, plane.column_step_mm, plane.row_step_mm)
    slices = slices_along(plane, step, first) + slices_along(turned, step, second)
    series = Series("1.2", slices)
    for index, item in enumerate(slices):
        assert any(item is other for other in series.stack_at(index).slices)


def test_the_orientation_of_a_series_is_that_of_most_of_its_slices():
    sagittal = Plane((0, 0, 0), (0, 0, -1), (0, 1, 0))
    slices = (*slices_along(axial_plane(), (0, 0, 4), 2), image_slice(PIXELS, sagittal))
    assert Series("1.2", slices).orientation is Orientation.AXIAL


def test_a_series_without_slices_is_refused():
    with pytest.raises(GeometryError, match=r"Series 1\.2 has no slices"):
        Series("1.2", ())


def test_slices_are_found_by_their_uid_and_by_their_grid():
    first, second = slices_along(axial_plane(), (0, 0, 4), 2)
    exam = exam_of(first, second)
    series = exam.series[0]
    assert exam.find_slice("1.1") == (series, 1)
    assert exam.find_slice("9.9") is None
    assert exam.find_slices(second.plane, (3, 4)) == [(series, 1)]
    assert exam.find_slices(second.plane, (4, 3)) == []
    assert exam.find_slices(axial_plane(z=1), (3, 4)) == []


@given(st.permutations(range(6)))
def test_slices_are_put_in_stack_order(order):
    slices = slices_along(axial_plane(tilt=15), (0, 0, 5), 6)
    assert in_stack_order(slices[i] for i in order) == slices


def test_a_slice_can_be_copied_whether_or_not_it_was_hashed():
    item = Slice.from_array("1", axial_plane(), np.arange(12.0).reshape(3, 4))
    for _ in range(2):
        copied = copy.deepcopy(item)
        assert copied.sha256() == item.sha256()
        assert (copied.pixels == item.pixels).all()


@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 0.0), (0.0, 7.0), (1e-9, 1e9)])
def test_a_rescale_that_makes_all_pixels_alike_is_refused(slope, intercept):
    with pytest.raises(ReadError, match="make all pixels alike"):
        StoredPixels(lambda: np.zeros((2, 2)), slope, intercept)
