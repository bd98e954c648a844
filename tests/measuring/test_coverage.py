from fractions import Fraction
from math import floor

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from multifidus.data.polygon import area
from multifidus.errors import RoiError
from multifidus.measuring.coverage import (
    Region,
    centre_counts,
    count_centres,
    coverage,
    coverage_box,
    coverages,
    polygon_area_mm2,
)
from tests.support.exams import axial_plane, box, circle
from tests.support.strategies import even_odd, nested_paths, numbers, planes, simple_polygons

SHAPE = (44, 50)
MIDDLE = 14.0
"""Paths drawn around here stay inside an image of SHAPE, islands apart among them."""

GRID = st.integers(-2, 9)
GRID_POLYGONS = (
    st.lists(st.tuples(GRID, GRID), min_size=3, max_size=8, unique=True)
    .map(lambda path: np.array(path, dtype=np.float64))
    .filter(lambda path: shapely.Polygon(path).is_valid)
)


def cell(row, column):
    return shapely.box(row - 0.5, column - 0.5, row + 0.5, column + 0.5)


def coverage_by_shapely(region, shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    cells = shapely.box(rows - 0.5, columns - 0.5, rows + 0.5, columns + 0.5)
    shapely.prepare(region)
    return shapely.area(shapely.intersection(region, cells))


def centres_by_shapely(region, shape):
    """Pixel centres inside; one on the border is inside if a step up and left leads in.

    The step is first to the left: a centre on a horizontal border counts where the inside lies
    above it, at a corner the border's next piece decides.
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return int(shapely.contains_xy(region, rows - 1e-7, columns - 1e-4).sum())


def centres_by_fractions(path, shape):
    """The same by exact fractions, row by row: ImageJ's rule, as run beside ImageJ itself."""
    points = [(Fraction(row), Fraction(column)) for row, column in path]
    passed = 0
    for start, end in zip(points, points[1:] + points[:1], strict=True):
        (top, left), (bottom, right) = sorted((start, end))
        for row in range(max(floor(top) + 1, 0), min(floor(bottom) + 1, shape[0])):
            column = left + (row - top) / (bottom - top) * (right - left)
            beyond = min(max(floor(column) + 1, 0), shape[1])
            passed += beyond if start < end else -beyond
    return abs(passed)


def test_a_box_between_pixels_covers_them_wholly_and_no_other():
    weights = coverage_box([box(2, 3, 4, 6)], (10, 12)).full((10, 12))
    expected = np.zeros((10, 12))
    expected[2:5, 3:7] = 1
    assert weights.tolist() == expected.tolist()


def test_a_pixel_cut_in_half_counts_half():
    plane = axial_plane()
    triangle = np.array([(0.5, 0.5), (1.5, 0.5), (1.5, 1.5)])
    weights = coverage([plane.to_patient(triangle)], plane, (3, 3))
    assert weights[1, 1] == pytest.approx(0.5)
    assert weights.sum() == pytest.approx(0.5)


@given(planes(), nested_paths(radius=9, centre=MIDDLE))
def test_coverage_sums_to_the_outlines_area_at_every_tilt(plane, paths):
    paths_mm = [plane.to_patient(path) for path in paths]
    shape = (80, 80)
    total = coverage(paths_mm, plane, shape).sum() * plane.pixel_area_mm2
    assert total == pytest.approx(polygon_area_mm2(paths_mm, plane), rel=1e-9)
    assert total == pytest.approx(even_odd(paths).area * plane.pixel_area_mm2, rel=1e-9)


@given(nested_paths(radius=9, centre=MIDDLE))
def test_the_coverage_of_each_pixel_is_its_overlap_with_the_outline(paths):
    found = coverage_box(paths, SHAPE).full(SHAPE)
    assert np.abs(found - coverage_by_shapely(even_odd(paths), SHAPE)).max() < 1e-9


@given(nested_paths(radius=9, centre=2.0))
def test_what_lies_outside_the_image_is_cut_off(paths):
    shape = (12, 7)
    found = coverage_box(paths, shape).full(shape)
    assert np.abs(found - coverage_by_shapely(even_odd(paths), shape)).max() < 1e-9
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("corner", [(-30, 3), (40, 3), (3, -30), (3, 40), (40, 40), (-30, -30)])
def test_an_outline_beyond_the_image_covers_nothing(corner):
    path = circle(*corner, 4)
    assert coverage_box([path], (12, 12)).full((12, 12)).sum() == 0
    assert count_centres([path], (12, 12)) == 0


@pytest.mark.parametrize("side", [(8, 8, 12, 12), (-5, 2, -1, 4), (4, 12, 6, 14)])
def test_an_outline_that_ends_at_the_images_border_covers_nothing_beyond(side):
    image = (8, 12)
    assert coverage_box([box(*side)], image).full(image).sum() == 0


def test_an_outline_that_encloses_nothing_covers_nothing():
    flat = np.array([(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (2.0, 2.0)])
    assert coverage_box([flat], (6, 6)).full((6, 6)).sum() == 0
    assert count_centres([flat], (6, 6)) == 0


@given(simple_polygons(radius=6, centre=10), st.integers(0, 200), st.integers(0, 200))
def test_coverage_moves_with_the_outline(path, down, right):
    shape = (240, 240)
    here = coverage_box([path], shape).full(shape)
    there = coverage_box([path + np.array((down, right))], shape).full(shape)
    moved = np.zeros(shape)
    moved[down:, right:] = here[: 240 - down, : 240 - right]
    assert np.abs(there - moved).max() < 1e-9


def test_two_outlines_share_the_products_of_their_weights():
    shape = (40, 50)
    boxes = [coverage_box([circle(*each)], shape) for each in ((15, 20, 9), (20, 26, 7), (2, 2, 1))]
    full = [each.full(shape) for each in boxes]
    for first, one in zip(boxes, full, strict=True):
        for second, other in zip(boxes, full, strict=True):
            assert first.shared(second) == pytest.approx((one * other).sum(), abs=1e-12)


@given(planes(), st.floats(0.05, 80))
def test_area_in_millimetres_ignores_tilt_flips_and_pixel_size(plane, radius):
    # A circle made of directions of the plane itself, not of its pixels.
    across = np.cross(plane.normal, plane.row_step_mm)
    angle = np.arange(90)[:, None] * 2 * np.pi / 90
    directions = [vector / np.linalg.norm(vector) for vector in (plane.row_step_mm, across)]
    points = plane.origin_mm + radius * (
        np.cos(angle) * directions[0] + np.sin(angle) * directions[1]
    )
    exact = 45 * np.sin(2 * np.pi / 90) * radius**2
    assert polygon_area_mm2([points], plane) == pytest.approx(exact, rel=1e-9)


BOW_TIE = [(0, 0, 0), (9, 9, 0), (9, 0, 0), (0, 9, 0)]


@pytest.mark.parametrize(
    ("paths_mm", "complaint"),
    [
        ([[(0, 0), (1, 0), (1, 1)]], r"must be \(n, 3\) finite millimetres"),
        ([(0, 0, 0), (9, 0, 0), (9, 9, 0)], r"must be \(n, 3\) finite millimetres"),
        ([[(0, 0, 0), (np.nan, 0, 0), (9, 9, 0)]], "finite"),
        ([[(0, 0, 0), (9, 0, 0)]], "at least three"),
        ([[(0, 0, 0), (9, 0, 0), (9, 9, 3)]], "3.00 mm off the plane"),
        ([BOW_TIE], "crosses itself"),
        ([], "has no path"),
    ],
)
def test_what_an_outline_may_not_be_the_public_functions_refuse_as_well(paths_mm, complaint):
    with pytest.raises(RoiError, match=complaint):
        polygon_area_mm2(paths_mm, axial_plane())
    with pytest.raises(RoiError, match=complaint):
        coverage(paths_mm, axial_plane(), (12, 12))


def test_one_path_given_as_one_array_is_one_path():
    plane, path = axial_plane(), axial_plane().to_patient(box(2, 3, 4, 6))
    assert polygon_area_mm2(path, plane) == polygon_area_mm2([path], plane) > 0
    assert (coverage(path, plane, (12, 12)) == coverage([path], plane, (12, 12))).all()


def test_imagejs_rule_counts_the_pixels_whose_centre_is_inside():
    assert count_centres([box(2, 3, 4, 6)], (10, 12)) == 12
    on_centres = np.array([(2, 3), (2, 6), (4, 6), (4, 3)], dtype=np.float64)
    assert count_centres([on_centres], (10, 12)) == 6


@given(nested_paths(radius=9, centre=MIDDLE))
def test_centres_inside_are_those_shapely_finds(paths):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    expected = int(shapely.contains_xy(even_odd(paths), rows, columns).sum())
    assert count_centres(paths, SHAPE) == expected


@given(GRID_POLYGONS)
def test_a_centre_on_the_border_counts_where_the_inside_ends(path):
    assert count_centres([path], (8, 8)) == centres_by_shapely(shapely.Polygon(path), (8, 8))


@given(GRID_POLYGONS, st.sampled_from([0.0, 0.5]), planes())
def test_vertices_on_whole_pixels_count_as_in_imagej_after_millimetres_and_back(path, half, plane):
    # ImageJ's whole numbers are corners of pixels: half a pixel from ours.
    path = path - half
    stored = plane.to_pixels(plane.to_patient(path))
    assert count_centres([stored], (8, 8)) == centres_by_fractions(path, (8, 8))


def test_a_nearly_level_edge_passes_no_row_beyond_its_ends():
    # Its ends lie on either side of where a row begins to count as passing through them.
    nearly = 5 - 1e-6
    path = np.array([(nearly - 1e-10, 1), (nearly + 1e-10, 7), (9, 7), (9, 1)])
    assert count_centres([path], (12, 12)) in {24, 30}


@given(GRID_POLYGONS)
def test_outlines_that_share_an_edge_share_no_pixel_and_leave_none_out(path):
    # A fan of triangles, cut from the polygon's convex hull.
    hull = np.array(shapely.Polygon(path).convex_hull.exterior.coords)[:-1]
    whole = count_centres([hull], (8, 8))
    parts = [np.array((hull[0], hull[i], hull[i + 1])) for i in range(1, len(hull) - 1)]
    assert sum(count_centres([part], (8, 8)) for part in parts) == whole
    assert sum(count_centres([part[::-1]], (8, 8)) for part in parts) == whole


@given(st.integers(1, 97), st.integers(1, 97), st.data())
def test_two_halves_of_a_box_hold_all_its_pixels_once(height, width, data):
    # The diagonal passes exactly through pixel centres wherever the sides share a divisor.
    a, b, c, d = np.array([(0, 0), (0, width), (height, width), (height, 0)], dtype=np.float64)
    start = data.draw(st.integers(0, 2))
    upper, lower = np.roll([a, b, c], start, axis=0), np.roll([a, c, d], start, axis=0)
    shape = (100, 100)
    assert count_centres([upper], shape) + count_centres([lower], shape) == height * width


@given(nested_paths(radius=9, centre=MIDDLE), numbers(0, 1))
def test_centres_and_coverage_tell_nearly_the_same_area(paths, shift):
    perimeter = sum(shapely.LinearRing(path).length for path in paths)
    assert abs(count_centres(paths, (80, 80)) - area(paths)) <= perimeter + len(paths)


@given(st.lists(st.lists(simple_polygons(), min_size=0, max_size=2), max_size=4))
def test_outlines_covered_at_once_are_each_as_by_itself(outlines):
    regions = [Region(tuple(loops)) for loops in outlines]
    alone = [region.coverage((7, 9)) for region in regions]
    together = coverages(regions, (7, 9))
    assert [(each.top, each.left) for each in together] == [(e.top, e.left) for e in alone]
    assert [each.weights.tolist() for each in together] == [e.weights.tolist() for e in alone]
    counted = [region.centres((7, 9)) for region in regions]
    assert centre_counts(regions, (7, 9)) == counted
