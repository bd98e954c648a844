import numpy as np
import pytest
from hypothesis import assume, example, given, strategies as st

from multifidus.data.geometry import (
    Orientation,
    Plane,
    plane_from_affine,
    ras_from_lps,
    readonly,
    tilt_deg,
    unit,
)
from multifidus.errors import GeometryError
from tests.support.strategies import numbers, planes, points_mm

PIXELS = st.lists(st.tuples(numbers(-600, 600), numbers(-600, 600)), min_size=1, max_size=5)


def axial(origin=(0.0, 0.0, 0.0), row_mm=0.5, column_mm=0.5):
    return Plane(origin, (0, row_mm, 0), (column_mm, 0, 0))


def test_a_standard_axial_slice_runs_left_and_backwards_and_looks_to_the_head():
    plane = axial((-100, -120, 50), row_mm=0.6, column_mm=0.7)
    assert plane.to_patient([(10, 20)]) == pytest.approx(np.array([(-86, -114, 50)]))
    assert plane.normal == pytest.approx(np.array((0, 0, 1)))
    assert plane.orientation is Orientation.AXIAL
    assert plane.pixel_spacing_mm == pytest.approx((0.6, 0.7))
    assert plane.pixel_area_mm2 == pytest.approx(0.42)


@given(planes(), PIXELS)
def test_pixels_come_back_from_the_patient(plane, pixels):
    assert plane.to_pixels(plane.to_patient(pixels)) == pytest.approx(np.array(pixels), abs=1e-9)


@given(planes(), PIXELS)
def test_patient_points_follow_the_defining_formula(plane, pixels):
    matrix = np.stack((plane.row_step_mm, plane.column_step_mm))
    expected = plane.origin_mm + np.array(pixels) @ matrix
    assert plane.to_patient(pixels) == pytest.approx(expected, abs=1e-9)


@given(planes(), PIXELS, numbers(-50, 50))
def test_a_point_off_the_plane_is_projected_along_the_normal(plane, pixels, height):
    lifted = plane.to_patient(pixels) + height * plane.normal
    assert plane.to_pixels(lifted) == pytest.approx(np.array(pixels), abs=1e-9)
    assert plane.distance_mm(lifted) == pytest.approx(np.full(len(pixels), height), abs=1e-9)


@given(planes())
def test_the_normal_is_a_unit_vector_at_right_angles_to_both_steps(plane):
    assert np.linalg.norm(plane.normal) == pytest.approx(1)
    assert plane.normal @ plane.row_step_mm == pytest.approx(0, abs=1e-12)
    assert plane.normal @ plane.column_step_mm == pytest.approx(0, abs=1e-12)
    triple = np.linalg.det([plane.column_step_mm, plane.row_step_mm, plane.normal])
    assert triple == pytest.approx(plane.pixel_area_mm2)


@given(planes(), st.integers(1, 400), st.integers(1, 400))
def test_corners_enclose_rows_times_columns_pixels(plane, rows, columns):
    a, b, c, d = plane.corners_mm((rows, columns))
    assert a + c == pytest.approx(b + d, abs=1e-9)
    area = np.linalg.norm(np.cross(b - a, d - a))
    assert area == pytest.approx(rows * columns * plane.pixel_area_mm2)
    middle = plane.to_patient([((rows - 1) / 2, (columns - 1) / 2)])[0]
    assert (a + c) / 2 == pytest.approx(middle, abs=1e-9)


@given(planes(), numbers(0.02, 50), st.integers(2, 400))
def test_a_plane_that_moved_is_another_plane(plane, distance, size):
    moved = Plane(
        plane.origin_mm + distance * plane.normal, plane.row_step_mm, plane.column_step_mm
    )
    assert plane.is_same(plane, (size, size))
    assert not plane.is_same(moved, (size, size))
    assert plane != moved


@given(planes())
def test_equal_planes_have_equal_hashes(plane):
    copy = Plane(*np.array(plane.numbers).reshape(3, 3))
    assert copy == plane
    assert hash(copy) == hash(plane)
    assert plane != plane.numbers


@pytest.mark.parametrize(
    ("row_step", "column_step"),
    [
        ((0, 0, 0), (1, 0, 0)),
        ((2, 0, 0), (1, 0, 0)),
        ((1, 1e-4, 0), (1, 0, 0)),
    ],
    ids=["no step", "parallel", "all but parallel"],
)
def test_steps_that_span_no_plane_are_refused(row_step, column_step):
    with pytest.raises(GeometryError, match="span no plane"):
        Plane((0, 0, 0), row_step, column_step)


@pytest.mark.parametrize("origin", [(0, 0), (0, 0, np.nan), (0, np.inf, 0)])
def test_an_origin_that_is_not_three_finite_numbers_is_refused(origin):
    with pytest.raises(GeometryError, match="origin_mm must be finite numbers of shape"):
        Plane(origin, (0, 1, 0), (1, 0, 0))


def test_a_plane_keeps_its_own_copy_that_nobody_can_change():
    origin = np.zeros(3)
    plane = Plane(origin, (0, 1, 0), (1, 0, 0))
    origin[0] = 5
    assert plane.origin_mm.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        plane.origin_mm[0] = 5
    assert readonly([1, 2], (2,), "pair").dtype == np.float64


@pytest.mark.parametrize(
    ("row_step", "column_step", "orientation"),
    [
        ((0, 0, -1), (0, 1, 0), Orientation.SAGITTAL),
        ((0, 0, -1), (1, 0, 0), Orientation.CORONAL),
        ((0, 0.94, 0.34), (1, 0, 0), Orientation.AXIAL),
    ],
)
def test_a_slice_is_named_after_the_nearest_anatomical_plane(row_step, column_step, orientation):
    assert Plane((0, 0, 0), row_step, column_step).orientation is orientation


@given(numbers(-89, 89), numbers(-60, 60))
def test_tilt_is_the_angle_seen_from_the_side_whatever_the_turn_about_the_other_axis(tilt, swing):
    # Anterior is -y: a plane that falls towards it rises with y.
    normal = np.array((0, -np.sin(np.radians(tilt)), np.cos(np.radians(tilt))))
    assert tilt_deg(normal) == pytest.approx(tilt, abs=1e-9)
    swung = normal * np.cos(np.radians(swing)) + (np.sin(np.radians(swing)), 0, 0)
    assert tilt_deg(swung) == pytest.approx(tilt, abs=1e-9)


def test_the_steep_slice_through_l5_s1_has_a_positive_tilt():
    # From behind to the front of the disc it falls, by 20 degrees.
    anterior_row, posterior_row = np.array((0, -40.0, -14.56)), np.array((0, 0.0, 0.0))
    plane = Plane((0, 0, 0), (posterior_row - anterior_row) / 80, (0.5, 0, 0))
    assert tilt_deg(plane.normal) == pytest.approx(20, abs=0.01)


@example((0, 1, 0))
@example((0.3, -1, 0))
@given(points_mm(1))
def test_tilt_does_not_depend_on_the_sign_of_the_normal(normal):
    assume(normal[1] != 0 or normal[2] != 0)
    assert tilt_deg(normal) == tilt_deg([-part for part in normal])


@given(planes())
def test_a_sagittal_slice_has_no_tilt_and_every_other_one_has(plane):
    assert np.isnan(tilt_deg((1, 0, 0)))
    assume(np.hypot(plane.normal[1], plane.normal[2]) > 1e-6)
    assert -90 <= tilt_deg(plane.normal) <= 90


@given(numbers(-80, 80), numbers(-89, 89))
def test_tilt_against_an_axis_in_the_sagittal_plane_is_the_difference_of_both_tilts(tilt, lean):
    normal, axis = ((0, -np.sin(a), np.cos(a)) for a in np.radians((tilt, lean)))
    apart = (tilt - lean + 90) % 180 - 90
    assume(abs(abs(apart) - 90) > 1e-6)
    assert tilt_deg(normal, axis) == pytest.approx(apart, abs=1e-9)
    assert tilt_deg(normal, np.multiply(axis, -7)) == pytest.approx(apart, abs=1e-9)


@given(points_mm(1), points_mm(1))
def test_tilt_against_an_axis_leaves_out_what_leans_sideways(normal, axis):
    assume(np.hypot(*axis[1:]) > 0.01)
    lateral = np.cross(axis, np.cross((1, 0, 0), axis))
    within = normal - (normal @ lateral) / (lateral @ lateral) * lateral
    assume(np.linalg.norm(within) > 0.01)
    cosine = abs(within @ axis) / np.linalg.norm(within) / np.linalg.norm(axis)
    found = tilt_deg(normal, axis)
    assert np.cos(np.radians(found)) == pytest.approx(cosine, abs=1e-7)


def test_against_an_axis_along_x_nothing_has_a_tilt():
    assert np.isnan(tilt_deg((0, 0, 1), axis=(1, 0, 0)))


def test_a_direction_without_length_is_refused():
    with pytest.raises(GeometryError, match="points nowhere"):
        unit((0, 0, 0))


@given(planes(), st.integers(-3, 30), points_mm(5))
def test_planes_of_an_affine_lie_where_its_matrix_product_says(plane, k, step):
    affine = np.eye(4)
    affine[:3] = np.stack((plane.column_step_mm, plane.row_step_mm, step, plane.origin_mm)).T
    found = plane_from_affine(affine, k)
    column, row = 7, 3
    expected = affine @ (column, row, k, 1)
    assert found.to_patient([(row, column)])[0] == pytest.approx(expected[:3], abs=1e-9)


def test_ras_and_lps_differ_in_the_sign_of_x_and_y():
    affine = np.arange(16.0).reshape(4, 4)
    turned = ras_from_lps(affine)
    assert turned[0].tolist() == (-affine[0]).tolist()
    assert turned[1].tolist() == (-affine[1]).tolist()
    assert turned[2:].tolist() == affine[2:].tolist()
    assert ras_from_lps(turned).tolist() == affine.tolist()


@pytest.mark.parametrize("place", range(3))
def test_positions_and_steps_that_no_scanner_has_are_refused(place):
    vectors = [[0, 0, 0], [0, 0.5, 0], [0.5, 0, 0]]
    vectors[place] = [value * 1e9 + 2e6 for value in vectors[place]]
    with pytest.raises(GeometryError, match="further out or larger"):
        Plane(*vectors)


def slab_cut(plane, shape, other):
    """Return both ends of the cut by another way: the planes' common line, clipped in pixels."""
    direction = np.cross(plane.normal, other.normal)
    sine = np.linalg.norm(direction)
    assume(sine > 0.02)
    normals = np.array([plane.normal, other.normal, direction])
    heights = [plane.normal @ plane.origin_mm, other.normal @ other.origin_mm, 0.0]
    start = np.linalg.solve(normals, heights)
    (first,), (second,) = plane.to_pixels([start]), plane.to_pixels([start + direction / sine])
    low, high = -np.inf, np.inf
    for position, step, count in zip(first, second - first, shape, strict=True):
        if abs(step) < 1e-12:
            assume(abs(abs(position - (count - 1) / 2) - count / 2) > 1e-6)
            if not -0.5 < position < count - 0.5:
                return None
            continue
        ends = sorted(((-0.5 - position) / step, (count - 0.5 - position) / step))
        low, high = max(low, ends[0]), min(high, ends[1])
    assume(abs(high - low) > 1e-6)
    if high < low:
        return None
    return np.array([start + t * direction / sine for t in (low, high)])


@given(planes(), planes(), st.integers(2, 600), st.integers(2, 600))
def test_a_cut_is_the_line_of_both_planes_within_the_image(plane, other, rows, columns):
    found = plane.crossing_mm((rows, columns), other)
    expected = slab_cut(plane, (rows, columns), other)
    if expected is None:
        assert found is None
        return
    assert plane.distance_mm(found) == pytest.approx(np.zeros(2), abs=1e-6)
    assert other.distance_mm(found) == pytest.approx(np.zeros(2), abs=1e-6)
    if np.linalg.norm(found[0] - expected[0]) > np.linalg.norm(found[0] - expected[1]):
        expected = expected[::-1]
    assert found == pytest.approx(expected, abs=1e-4)


@given(planes(), numbers(-50, 50))
def test_parallel_planes_have_no_cut(plane, apart):
    assume(abs(apart) > 1e-6)
    beside = Plane(plane.origin_mm + apart * plane.normal, plane.row_step_mm, plane.column_step_mm)
    assert plane.crossing_mm((40, 30), beside) is None


def test_an_axial_slice_is_cut_by_the_midline_from_front_to_back():
    sagittal = Plane((0, -100, 100), row_step_mm=(0, 0, -1), column_step_mm=(0, 1, 0))
    ends = axial((-50, -60, 20)).crossing_mm((200, 300), sagittal)
    # The image's outer border lies half a pixel beyond the pixel centres.
    in_order = ends[np.argsort(ends[:, 1])]
    assert in_order == pytest.approx(np.array([(0, -60.25, 20), (0, 39.75, 20)]))
    assert axial((10, -60, 20)).crossing_mm((200, 300), sagittal) is None
