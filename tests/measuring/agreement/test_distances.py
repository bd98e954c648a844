"""Distances of outlines against analysis, and against shapely's own Hausdorff distance."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from multifidus.measuring.agreement.metrics import STEP_MM, outline_distances
from tests.support.exams import box


def circle(radius, middle=(0.0, 0.0), points=2000):
    angles = np.linspace(0, 2 * math.pi, points, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + middle


def star(seed, size=20.0):
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * math.pi, 17))
    radii = size * rng.uniform(0.5, 1, 17)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]


def square(half):
    return np.array([(-half, -half), (-half, half), (half, half), (half, -half)])


def test_circles_about_one_middle_are_everywhere_as_far_apart():
    found = outline_distances([circle(10)], [circle(12.5)])
    for value in (found.hausdorff_mm, found.hd95_mm, found.mean_mm):
        assert value == pytest.approx(2.5, abs=1e-4)


def test_squares_in_squares_are_as_far_apart_as_analysis_says():
    """Along the sides the gap, in the corners sqrt(gap^2 + t^2) for t from 0 to the gap."""
    inner, outer = 10.0, 12.0
    gap = outer - inner
    found = outline_distances([square(inner)], [square(outer)])
    assert found.hausdorff_mm == pytest.approx(gap * math.sqrt(2), abs=1e-9)
    # 5 % of the outer border lies beyond this place in the corners.
    t = gap - 0.05 * outer
    assert found.hd95_mm == pytest.approx(math.hypot(gap, t), abs=STEP_MM)
    corners = 8 * gap**2 / 2 * (math.sqrt(2) + math.asinh(1))
    mean = (8 * inner * gap + 8 * inner * gap + corners) / (8 * inner + 8 * outer)
    assert found.mean_mm == pytest.approx(mean, abs=1e-5)


@given(st.integers(0, 2**32 - 1), st.floats(-8, 8), st.floats(-8, 8))
def test_the_largest_distance_is_shapelys(seed, down, right):
    one, other = star(seed), star(seed + 1) + np.array([down, right])
    rings = [shapely.LinearRing(path) for path in (one, other)]
    found = outline_distances([one], [other])
    # Half a step of ours, and 1/500 of the longest edge of theirs.
    expected = shapely.hausdorff_distance(*rings, densify=0.002)
    assert found.hausdorff_mm == pytest.approx(expected, abs=STEP_MM / 2 + 40 * 0.002)
    assert found.mean_mm <= found.hd95_mm <= found.hausdorff_mm


@given(st.integers(0, 2**32 - 1), st.floats(0, 2 * math.pi))
def test_distances_depend_on_neither_order_nor_turning_nor_vertices(seed, angle):
    one, other = star(seed), star(seed + 1)
    turn = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    split = np.insert(one @ turn + 5, 1, (one[:2] @ turn + 5).mean(axis=0), axis=0)
    found, again = outline_distances([one], [other]), outline_distances([other @ turn + 5], [split])
    assert again.hausdorff_mm == pytest.approx(found.hausdorff_mm, abs=STEP_MM)
    assert again.hd95_mm == pytest.approx(found.hd95_mm, abs=STEP_MM)
    assert again.mean_mm == pytest.approx(found.mean_mm, abs=1e-3)


def test_an_outline_is_at_no_distance_from_itself():
    found = outline_distances([star(1)], [star(1)])
    assert (found.hausdorff_mm, found.hd95_mm, found.mean_mm) == pytest.approx((0, 0, 0), abs=1e-9)


def test_a_hole_has_a_border():
    with_hole = outline_distances([square(10), square(2)], [square(10)])
    assert with_hole.hausdorff_mm == pytest.approx(8)


def test_nothing_is_at_no_known_distance():
    assert math.isnan(outline_distances([], [box(0, 0, 2, 2)]).mean_mm)
    assert math.isnan(outline_distances([box(0, 0, 2, 2)], []).hausdorff_mm)
