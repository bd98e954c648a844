"""Drawing over an outline, and mending one, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus.models.checklist import following
from napari_multifidus.models.edit_operations import mend
from napari_multifidus.models.redraw import DEFAULT, DrawnOver, Redraw

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.polygon import area
from multifidus.data.polygon_sets import region_of
from multifidus.data.roi_set import Reason
from multifidus.errors import RoiError
from tests.plugins.conftest import LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, SPACING
from tests.support.exams import box, circle

MUSCLE = circle(36, 20, 12)
BOW_TIE = np.array([(20.0, 50.0), (40.0, 70.0), (40.0, 50.0), (20.0, 70.0)])


def over(drawn, before=(MUSCLE,), key=MULTIFIDUS_RIGHT):
    return DrawnOver.found((key, 2), before, (*before, np.array(drawn)), (1.0, 1.0))


def test_an_outline_drawn_anew_replaces_the_old_one_unless_a_piece_is_wanted():
    new = circle(40, 24, 10)
    found = over(new)
    assert found.choice(DEFAULT) is Redraw.REPLACE
    assert np.array_equal(found.outcome(Redraw.REPLACE)[0], new)
    both = region_of([MUSCLE]).union(region_of([new])).area
    assert area(found.outcome(found.choice(Redraw.PIECE))) == pytest.approx(both)


def test_a_smaller_outline_within_the_old_one_is_no_hole():
    inner = circle(36, 20, 9)
    assert area(over(inner).outcome(DEFAULT)) == pytest.approx(area([inner]))


def test_a_stroke_across_the_border_repairs_that_stretch_whatever_is_usual():
    angles = np.linspace(0, np.pi / 2, 12)
    radii = 12 + 4 * np.sin(2 * angles)
    bulge = np.stack((36 + radii * np.cos(angles), 20 + radii * np.sin(angles)), axis=1)
    found = over(bulge)
    for usual in Redraw:
        assert found.choice(usual) is Redraw.REPAIR
    assert area(found.outcome(Redraw.REPAIR)) > area([MUSCLE])


@pytest.mark.parametrize("corners", [3, 4, 5, 6])
def test_a_polygon_is_closed_and_repairs_nothing_wherever_its_ends_lie(corners):
    old, new = box(20, 10, 50, 34), circle(36, 22, 13, corners)
    found = DrawnOver.found((MULTIFIDUS_RIGHT, 2), (old,), (old, new), (0.8, 0.7), is_closed=True)
    assert found.choice(DEFAULT) is Redraw.REPLACE
    assert area(found.outcome(found.choice(DEFAULT))) == pytest.approx(area([new]))
    assert found.choice(Redraw.PIECE) is Redraw.PIECE


def test_nothing_is_drawn_over_where_nothing_is_or_apart_or_by_samples():
    assert over(circle(36, 60, 9)) is None
    assert over(MUSCLE, before=()) is None
    assert over(circle(36, 22, 9), key=LEAN) is None
    assert DrawnOver.found((MULTIFIDUS_RIGHT, 2), (MUSCLE,), (MUSCLE + 1,), (1, 1)) is None


def test_what_crosses_itself_is_no_piece():
    with pytest.raises(RoiError, match="crosses itself"):
        over(BOW_TIE + np.array((6, -40))).outcome(Redraw.PIECE)
    found = over(circle(36, 22, 11), before=(BOW_TIE - (0, 40),))
    with pytest.raises(RoiError, match="crosses itself"):
        found.outcome(Redraw.PIECE)
    assert found.choice(DEFAULT) is Redraw.REPLACE


def test_mending_says_in_square_millimetres_what_was_lost(session):
    session.put(MULTIFIDUS_LEFT, 2, [BOW_TIE])
    words = mend(session, MULTIFIDUS_LEFT, 2)
    half = 100 * SPACING[0] * SPACING[1]
    assert f"{half:.1f} mm² beyond the crossings are lost" in words
    assert session.analysis.numbers(MULTIFIDUS_LEFT, 2).area_mm2 == pytest.approx(half)
    with pytest.raises(RoiError, match="does not cross"):
        mend(session, MULTIFIDUS_LEFT, 2)


def test_of_several_samples_each_is_mended(session):
    session.put(LEAN, 3, [BOW_TIE, box(2, 2, 6, 6)])
    mend(session, LEAN, 3)
    assert not session.drawing.incomplete()
    assert len(session.drawing.loops(LEAN, 3)) == 2


def test_after_the_right_side_comes_the_left_then_the_next_slice(session):
    session.put(MULTIFIDUS_LEFT, 2, ())
    assert following(session.analysis, (MULTIFIDUS_RIGHT, 2)) == (MULTIFIDUS_LEFT, 2)
    session.put(MULTIFIDUS_LEFT, 2, [circle(36, 58, 13)])
    # Nothing says yet what else is wanted.
    assert following(session.analysis, (MULTIFIDUS_LEFT, 2)) is None
    for index, level in ((2, Level.L4_L5), (5, Level.L3_L4)):
        session.set_level(index, level, SlicePosition.MID_DISC)
    assert following(session.analysis, (MULTIFIDUS_LEFT, 2)) == (MULTIFIDUS_RIGHT, 5)
    # Left first: the other side of the slice is not forgotten.
    session.put(MULTIFIDUS_LEFT, 5, [circle(36, 58, 13)])
    assert following(session.analysis, (MULTIFIDUS_LEFT, 5)) == (MULTIFIDUS_RIGHT, 5)
    session.set_not_measurable(MULTIFIDUS_RIGHT, 5, Reason.METAL)
    assert following(session.analysis, (MULTIFIDUS_LEFT, 5)) is None
    assert following(session.analysis, (LEAN, 2)) is None
