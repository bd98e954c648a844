"""Directions that were rounded: put at right angles, flagged, and within what is promised."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.flags import Flag
from multifidus.errors import ReadError
from multifidus.io.dicom.plane import ROUNDED_LENGTH, ROUNDED_SKEW, plane_of
from multifidus.io.scan import scan
from tests.support.dicoms import classic, decimals, write
from tests.support.exams import axial_plane
from tests.support.strategies import planes

PIXELS = np.arange(6 * 8, dtype=np.uint16).reshape(6, 8)
POSITION, SPACING = ("10", "-20", "30"), ("0.7", "0.5")
LONGEST_MM = 300.0

TURNED_DEG = {2: 0.71, 3: 0.071}
"""What rounding to so many digits may turn a normal by."""

MOVED_MM = {2: 3.7, 3: 0.37}
"""What it may move a place by that is 300 mm from the first pixel."""


def written(numbers, digits=10):
    return tuple(f"{number:.{digits}f}" for number in numbers)


def directions(plane):
    row, column = plane.row_step_mm, plane.column_step_mm
    return np.array([*column / np.linalg.norm(column), *row / np.linalg.norm(row)])


def upright(plane):
    """Return a random plane's directions, at right angles."""
    along_row = plane.column_step_mm / np.linalg.norm(plane.column_step_mm)
    return np.array([*along_row, *np.cross(plane.normal, along_row)])


@given(planes(), st.sampled_from([2, 3]), st.floats(0, 2 * math.pi))
def test_rounded_directions_are_turned_by_no_more_than_is_promised(plane, digits, angle):
    exact = upright(plane)
    found, _ = plane_of(POSITION, written(exact, digits), SPACING)
    normal = np.cross(exact[:3], exact[3:])
    cosine = np.clip(found.normal @ normal, -1, 1)
    assert math.degrees(math.acos(cosine)) <= TURNED_DEG[digits]
    place = LONGEST_MM * np.array([math.cos(angle), math.sin(angle)])
    along = directions(found)
    apart = place[0] * (along[:3] - exact[:3]) + place[1] * (along[3:] - exact[3:])
    assert np.linalg.norm(apart) <= MOVED_MM[digits]


@given(planes(), st.sampled_from([2, 3]))
def test_rounded_directions_keep_the_pixel_size_and_stand_at_right_angles(plane, digits):
    found, flags = plane_of(POSITION, written(upright(plane), digits), SPACING)
    assert found.pixel_spacing_mm == pytest.approx((0.7, 0.5), rel=1e-12)
    if flags:
        assert found.pixel_area_mm2 == pytest.approx(0.35, rel=1e-12)
        assert abs(found.row_step_mm @ found.column_step_mm) < 1e-12


def test_oblique_directions_of_two_digits_are_flagged_however_nearly_they_are_unit_vectors():
    for rounded in (("1", "0", "0", "0", "0.98", "-0.20"), ("1", "0", "0", "0", "0.99", "-0.12")):
        assert plane_of(POSITION, rounded, SPACING)[1] == (Flag.ORIENTATION_ROUNDED,)


@pytest.mark.parametrize(
    "exact",
    [
        ("1", "0", "0", "0", "1", "0"),
        ("-1.000000", "0.0", "0", "0", "0", "-1"),
        written((1, 0, 0, 0, math.cos(0.2), -math.sin(0.2))),
        written((1, 0, 0, 0, math.cos(0.2), -math.sin(0.2)), 6),
    ],
)
def test_directions_along_the_axes_or_in_full_are_taken_as_they_are(exact):
    found, flags = plane_of(POSITION, exact, SPACING)
    assert flags == ()
    assert directions(found) == pytest.approx([float(part) for part in exact], abs=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        (1 + 1.1 * ROUNDED_LENGTH, 0, 0, 0, 1, 0),
        (1, 0, 0, 0, 1 - 1.1 * ROUNDED_LENGTH, 0),
        (1, 0, 0, 1.1 * ROUNDED_SKEW, 1, 0),
        (0, 0, 0, 0, 1, 0),
        (1, 0, 0, 1, 0, 0),
    ],
)
def test_directions_that_no_rounding_explains_are_refused(wrong):
    with pytest.raises(ReadError, match="is not orthonormal") as caught:
        plane_of(POSITION, written(wrong), SPACING)
    assert "in full" in caught.value.remedy


@pytest.mark.parametrize("text", ["0,98", "nan", "inf", "x"])
def test_what_is_no_number_is_refused_by_the_name_of_its_element(text):
    exact = ("1", "0", "0", "0", "1", "0")
    for facts, name in (
        ((("0", text, "0"), exact, SPACING), "ImagePositionPatient"),
        ((POSITION, (text, *exact[1:]), SPACING), "ImageOrientationPatient"),
        ((POSITION, exact, ("0.7", text)), "PixelSpacing"),
    ):
        with pytest.raises(ReadError, match=f"{name} is '{text}', which is no finite number"):
            plane_of(*facts)


def test_a_series_of_rounded_directions_is_one_stack_whose_rows_carry_the_flag(tmp_path):
    exact = axial_plane(tilt=17.3)
    for k in range(4):
        dataset = classic(axial_plane(z=4.4 * k, tilt=17.3), PIXELS + k, k + 1)
        dataset.ImageOrientationPatient = decimals(np.round(directions(exact), 2))
        write(dataset, tmp_path / f"{k}.dcm")
    (exam,) = scan(tmp_path).exams
    (series,) = exam.series
    assert Flag.ORIENTATION_ROUNDED in series.all_flags
    assert [len(stack.slices) for stack in series.stacks] == [4]
    turned = math.degrees(math.acos(series.slices[0].plane.normal @ exact.normal))
    assert 0 < turned <= TURNED_DEG[2]
