"""Strokes over an outline: a stretch is replaced, and everything else stays."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, strategies as st

from multifidus.data.polygon import area, first_crossing
from multifidus.data.polygon_sets import region_of
from multifidus.editing.redraw import REACH_MM, is_open, meets, repaired
from multifidus.errors import RoiError
from tests.support.exams import box, circle

MUSCLE = circle(50, 50, 20, 120)


def at(angle: float, radius: float, middle=(50.0, 50.0), spacing=(1.0, 1.0)):
    """Return the pixel at an angle and at a distance in millimetres from a middle in pixels."""
    return np.array(middle) + radius * np.array((np.cos(angle), np.sin(angle))) / np.array(spacing)


def test_a_bulge_is_added_and_a_chord_cuts_off():
    bulge = np.array([at(a, 20 + 6 * np.sin(2 * a)) for a in np.linspace(0, np.pi / 2, 30)])
    chord = np.array([at(0, 20), (at(0, 20) + at(np.pi / 2, 20)) / 2, at(np.pi / 2, 20)])
    (wider,), (less,) = repaired([MUSCLE], bulge, (1, 1)), repaired([MUSCLE], chord, (1, 1))
    assert area([wider]) > area([MUSCLE]) > area([less])
    # A segment of a right angle goes.
    segment = 400 * (np.pi / 2 - 1) / 2
    assert area([MUSCLE]) - area([less]) == pytest.approx(segment, rel=0.01)


def test_either_direction_of_the_hand_gives_the_same():
    way = np.array([at(a, 20 + 5 * np.sin(3 * a)) for a in np.linspace(0, np.pi / 3, 20)])
    there, back = repaired([MUSCLE], way, (1, 1)), repaired([MUSCLE], way[::-1], (1, 1))
    turned = repaired([MUSCLE[::-1]], way, (1, 1))
    assert area(there) == pytest.approx(area(back)) == pytest.approx(area(turned))


def test_most_of_an_outline_can_be_replaced():
    way = np.array([at(a, 17) for a in np.linspace(0, 1.5 * np.pi, 90)])
    (done,) = repaired([MUSCLE], way, (1, 1))
    sector = 0.75 * np.pi * (20**2 - 17**2)
    assert area([MUSCLE]) - area([done]) == pytest.approx(sector, rel=0.05)


def test_a_closed_stroke_or_one_away_from_the_border_repairs_nothing():
    whole = circle(51, 50, 19, 60)
    away = np.array([(20.0, 20.0), (30.0, 20.0), (35.0, 25.0)])
    one_end = np.array([at(0, 20), at(0.4, 27), at(0.8, 20 + 2 * REACH_MM)])
    for way in (whole, away, one_end):
        assert repaired([MUSCLE], way, (1, 1)) is None
    assert not is_open(whole, (1, 1))
    # Five clicks around a muscle are closed, three from border to border are not.
    assert not is_open(circle(50, 50, 20, 5), (1, 1))
    assert is_open(np.array([at(0, 20), at(0.5, 25), at(1, 20)]), (1, 1))


def test_a_stroke_along_the_border_itself_that_would_leave_nothing_repairs_nothing():
    hexagon = np.array(
        [(20.0, 10.0), (20.0, 34.0), (35.0, 37.0), (50.0, 34.0), (50.0, 10.0), (35.0, 7.0)]
    )
    for way in (hexagon[:3], hexagon[1:4], np.array([(20.0, 20.0), (20.0, 30.0), (22.0, 34.5)])):
        done = repaired([hexagon], way, (0.8, 0.7))
        assert done is None or first_crossing(done) is None


def test_a_hole_is_repaired_and_the_border_stays():
    hole = circle(50, 50, 8, 60)
    way = np.array([at(a, 8 + 2 * np.sin(2 * a)) for a in np.linspace(0, np.pi / 2, 20)])
    done = repaired([MUSCLE, hole], way, (1, 1))
    assert np.array_equal(done[0], MUSCLE)
    assert area(done) < area([MUSCLE, hole])


def test_a_stretch_that_would_cross_the_rest_is_refused():
    way = np.array([(70.0, 50.0), (80, 52), (74, 62), (80, 62), (74, 52), at(1.4, 20)])
    with pytest.raises(RoiError, match="cross itself"):
        repaired([MUSCLE], way, (1, 1))


def test_meets_says_whether_two_shapes_share_an_area():
    assert meets([MUSCLE], circle(60, 50, 5))
    assert not meets([MUSCLE], circle(90, 90, 5))
    assert not meets([box(0, 0, 4, 4)], box(5, 0, 9, 4))


@given(
    st.floats(0, 2 * np.pi),
    st.floats(0.2, 2.5),
    st.lists(st.floats(-6, 6), min_size=2, max_size=8),
    st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
)
def test_outside_the_stretch_nothing_changes(start, width, heights, ends):
    spacing = (0.8, 0.7)
    angles = np.arange(100) * 2 * np.pi / 100
    muscle = np.array([at(a, 20, spacing=spacing) for a in angles])
    radii = np.array([ends[0], *heights, ends[1]]) + 20
    places = np.linspace(start, start + width, len(radii))
    way = np.array([at(a, r, spacing=spacing) for a, r in zip(places, radii, strict=True)])
    try:
        done = repaired([muscle], way, spacing)
    except RoiError:
        return
    assume(done is not None)
    assert first_crossing(done) is None
    # All that changed lies in the sector of the stroke, give or take how far its ends may reach.
    reach = REACH_MM / 15
    fan = np.linspace(start - reach, start + width + reach, 60)
    sector = shapely.Polygon([(50, 50), *(at(a, 60, spacing=spacing) for a in fan)]).buffer(0)
    changed = region_of(done).symmetric_difference(region_of([muscle]))
    assert changed.difference(sector).area == pytest.approx(0, abs=1e-6)
    # And every point of the border beyond it stands where it stood.
    kept = {tuple(point) for point in done[0].round(6).tolist()}
    beyond = [
        tuple(point)
        for angle, point in zip(angles, muscle.round(6).tolist(), strict=True)
        if reach < (angle - start - width) % (2 * np.pi) < 2 * np.pi - width - reach
    ]
    assert set(beyond) <= kept
