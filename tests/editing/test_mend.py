"""Outlines that cross themselves: where, and what they become."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.polygon import area, first_crossing
from multifidus.data.polygon_sets import region_of
from multifidus.editing.mend import crossings, mended
from multifidus.errors import RoiError
from tests.support.exams import box

BOW_TIE = np.array([(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0)])


def test_crossings_are_found_where_edges_cross():
    assert crossings([BOW_TIE]).tolist() == [[1, 1]]
    assert len(crossings([box(0, 0, 4, 4)])) == 0
    square = np.array([(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0)])
    squares = [square, square + 2]
    assert sorted(crossings(squares).tolist()) == [[2, 4], [4, 2]]


def test_a_corner_that_two_paths_share_is_no_crossing():
    touching = [np.array([(0.0, 0), (0, 4), (4, 4)]), np.array([(4.0, 4), (4, 8), (8, 8)])]
    assert len(crossings(touching)) == 0


def test_of_a_bow_tie_one_half_is_kept_and_the_other_is_said_to_be_lost():
    done = mended([BOW_TIE])
    assert area(done.paths) == pytest.approx(1)
    assert done.lost == pytest.approx(1)
    assert done.gained == pytest.approx(0)


SQUARE = [(0.0, 0.0), (0.0, 20.0), (20.0, 20.0), (20.0, 0.0)]


def test_a_small_loop_outside_is_dropped_and_nothing_else():
    # The last side runs out, turns, and crosses itself half way, 5/6 of a pixel outside.
    drawn = np.array([*SQUARE, (8.0, -1.0), (12.0, -1.0)])
    done = mended([drawn])
    assert crossings([drawn])[0] == pytest.approx([10, -5 / 6])
    assert first_crossing(done.paths) is None
    assert area(done.paths) == pytest.approx(400 + 20 * 5 / 6 / 2)
    assert done.lost == pytest.approx(4 * (1 / 6) / 2)
    assert done.gained == pytest.approx(0)


def test_a_loop_drawn_within_the_outline_is_filled():
    done = mended([np.array([*SQUARE, (8.0, 1.0), (12.0, 1.0)])])
    assert first_crossing(done.paths) is None
    assert area(done.paths) == pytest.approx(400 - 20 * 5 / 6 / 2)
    assert done.gained == pytest.approx(4 * (1 / 6) / 2)
    assert done.lost == pytest.approx(0)


def test_a_path_mostly_inside_another_is_a_hole_and_one_mostly_outside_a_piece():
    outer, hole, piece = box(0, 0, 20, 20), box(5, 15, 10, 22), box(5, 18, 10, 40)
    with_hole, with_piece = mended([outer, hole]), mended([outer, piece])
    assert area(with_hole.paths) < area([outer])
    assert area(with_piece.paths) > area([outer])
    assert region_of(with_piece.paths).area == pytest.approx(
        region_of([outer]).union(region_of([piece])).area
    )


def test_what_encloses_nothing_cannot_be_mended():
    with pytest.raises(RoiError, match="encloses nothing"):
        mended([np.array([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)])])


points = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=4, max_size=14, unique=True
).map(lambda found: np.array(found, dtype=np.float64))


@given(st.lists(points, min_size=1, max_size=2))
def test_what_is_mended_crosses_nothing_and_every_lost_pixel_is_said(paths):
    try:
        done = mended(paths)
    except RoiError:
        return
    assert first_crossing(done.paths) is None
    assert area(done.paths) > 0
    assert done.lost >= 0 and done.gained >= 0  # noqa: PT018 - one law
    if first_crossing(paths) is None and len(paths) == 1:
        assert done.lost == pytest.approx(0, abs=1e-9)
        assert done.gained == pytest.approx(0, abs=1e-9)


@given(points)
def test_mending_twice_changes_nothing_more(path):
    try:
        once = mended([path])
    except RoiError:
        return
    again = mended(once.paths)
    assert again.lost == pytest.approx(0, abs=1e-6)
    assert again.gained == pytest.approx(0, abs=1e-6)
    assert area(again.paths) == pytest.approx(area(once.paths))
