from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, strategies as st

from multifidus.data.polygon import area, oriented_loops, signed_area
from multifidus.measuring.derived.fat_by_region import between, cut_at_share
from tests.support.strategies import even_odd, nested_paths, numbers

ANGLES = numbers(0, 2 * np.pi)
SQUARE = [np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)])]


def direction(angle, length=1.0):
    return np.array((np.cos(angle), np.sin(angle))) * length


def half_plane(along, low, high, far=1e3):
    """Return the strip between two bounds as a shapely polygon."""
    along = np.asarray(along)
    length2 = along @ along
    across = np.array((-along[1], along[0])) / np.sqrt(length2) * far
    a, b = along * (max(low, -far) / length2), along * (min(high, far) / length2)
    return shapely.Polygon([a - across, a + across, b + across, b - across])


@given(nested_paths(), ANGLES, numbers(0.1, 10), numbers(0.01, 0.99))
def test_a_cut_leaves_the_share_of_the_area_that_was_asked_for(paths, angle, length, share):
    loops, along = oriented_loops(paths), direction(angle, length)
    bound = cut_at_share(loops, along, share)
    whole = even_odd(paths)
    below = whole.intersection(half_plane(along, -1e3, bound)).area
    assert below == pytest.approx(share * whole.area, rel=1e-9, abs=1e-9 * whole.area)


@given(nested_paths(), ANGLES)
def test_quarters_have_equal_areas_and_make_up_the_whole(paths, angle):
    loops, along = oriented_loops(paths), direction(angle)
    bounds = [-np.inf, *(cut_at_share(loops, along, share) for share in (0.25, 0.5, 0.75)), np.inf]
    quarters = [sum(map(signed_area, between(loops, along, *pair))) for pair in pairwise(bounds)]
    assert quarters == pytest.approx([area(paths) / 4] * 4, rel=1e-9)


@given(nested_paths(), ANGLES, numbers(-12, 12), numbers(0.1, 12))
def test_between_two_bounds_is_the_strip_that_shapely_sees(paths, angle, low, width):
    loops, along = oriented_loops(paths), direction(angle)
    kept = sum(map(signed_area, between(loops, along, low, low + width)))
    whole = even_odd(paths)
    expected = whole.intersection(half_plane(along, low, low + width)).area
    assert kept == pytest.approx(expected, rel=1e-9, abs=1e-9 * whole.area)


@given(nested_paths(), ANGLES, numbers(0.05, 0.95))
def test_from_the_other_end_the_cut_is_the_same(paths, angle, share):
    loops, along = oriented_loops(paths), direction(angle)
    there = cut_at_share(loops, along, share)
    back = -cut_at_share(loops, -along, 1 - share)
    between_them = sum(map(signed_area, between(loops, along, min(there, back), max(there, back))))
    assert abs(between_them) <= 1e-9 * area(paths)


@pytest.mark.parametrize(("share", "bound"), [(0.25, 2.5), (0.5, 5.0), (0.85, 8.5)])
def test_a_square_is_cut_where_anybody_would(share, bound):
    assert cut_at_share(SQUARE, np.array((0.0, 1.0)), share) == pytest.approx(bound)
    assert cut_at_share(SQUARE, np.array((2.0, 0.0)), share) == pytest.approx(2 * bound)


def test_a_diamond_is_halved_at_its_middle_and_cut_by_the_root_of_the_share():
    diamond = [np.array([(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)])]
    along = np.array((0.0, 1.0))
    loops = oriented_loops(diamond)
    assert cut_at_share(loops, along, 0.5) == pytest.approx(0, abs=1e-12)
    # Below t the diamond is a triangle of area (t + 1)^2, of 2 in all.
    assert cut_at_share(loops, along, 0.125) == pytest.approx(-0.5)


@given(st.floats(0.01, 0.99), ANGLES)
def test_a_gap_between_two_parts_is_no_trouble(share, angle):
    parts = oriented_loops([SQUARE[0], SQUARE[0] + 30])
    along = direction(angle)
    assume(abs(along.sum()) > 1e-3)
    kept = between(parts, along, -np.inf, cut_at_share(parts, along, share))
    assert sum(map(signed_area, kept)) == pytest.approx(200 * share, rel=1e-9)


def test_half_of_two_equal_parts_is_one_of_them():
    parts = oriented_loops([SQUARE[0], SQUARE[0] + 30])
    bound = cut_at_share(parts, np.array((1.0, 0.0)), 0.5)
    assert 10 - 1e-9 <= bound <= 30 + 1e-9
