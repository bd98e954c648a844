from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.polygon import area
from multifidus.data.polygon_sets import centroid, cut, joined, loops_of, region_of
from tests.support.exams import box, circle

BOX = box(0, 0, 9, 19)


@pytest.mark.parametrize(("hole", "left"), [(None, 200), (box(2, 2, 3, 3), 196)])
def test_paths_go_to_a_set_and_back(hole, left):
    paths = [BOX] if hole is None else [BOX, hole]
    region = region_of(paths)
    assert region.area == left
    back = loops_of(region)
    assert len(back) == len(paths)
    assert area(back) == left


def test_an_island_in_a_hole_counts():
    assert region_of([BOX, box(2, 2, 7, 7), box(4, 4, 5, 5)]).area == 200 - 36 + 4


def test_a_path_of_two_lobes_is_both():
    eight = np.array([(0, 0), (2, 0), (2, 2), (4, 2), (4, 4), (2, 4), (2, 2), (0, 2)], dtype=float)
    assert region_of([eight]).area == 8


def test_union_and_difference_of_boxes():
    other = box(5, 10, 14, 29)
    assert area(joined([BOX], [other])) == 200 + 200 - 50
    assert area(cut([BOX], [other])) == 150
    assert area(cut([BOX], [box(2, 2, 3, 3)])) == 196
    assert len(joined([BOX], [box(20, 20, 21, 21)])) == 2
    assert cut([BOX], [box(-5, -5, 30, 30)]) == ()


def test_nothing_has_no_centroid():
    assert np.isnan(centroid([])).all()
    assert loops_of(region_of([])) == ()


def test_lines_and_points_have_no_borders():
    import shapely

    mixed = shapely.GeometryCollection([shapely.Point(0, 0), shapely.Polygon(BOX)])
    assert len(loops_of(mixed)) == 1


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(2, 20))
def test_union_and_difference_share_out_the_area(row, column, radius):
    first, second = [circle(0, 0, 12)], [circle(row, column, radius)]
    whole, rest = area(joined(first, second)), area(cut(first, second))
    assert whole == pytest.approx(rest + area(second), rel=1e-9)


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(1, 20))
def test_the_centroid_of_a_circle_is_its_middle(row, column, radius):
    np.testing.assert_allclose(centroid([circle(row, column, radius)]), (row, column), atol=1e-9)
