"""Strokes, point by point, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from napari_multifidus.models.strokes import StrokeContext, Tool, new_stroke

from multifidus.data.polygon import area
from multifidus.data.polygon_sets import cut, joined
from multifidus.editing.livewire import Edges
from multifidus.editing.strokes import stroke
from multifidus.errors import RoiError
from tests.support.exams import box, circle

BOW_TIE = np.array([(20.0, 20.0), (40.0, 40.0), (40.0, 20.0), (20.0, 40.0)])
SQUARE = box(10, 10, 29, 39)


def context(*before, radius=3.0, spacing=(1.0, 1.0)):
    rows, columns = np.mgrid[:80, :80]
    image = np.where(np.hypot(rows - 40, columns - 40) < 20, 100.0, 0.0)
    return StrokeContext(before, spacing, radius, lambda: Edges.of(image, spacing))


def unbroken(made, points):
    made.press(points[0])
    for point in points[1:]:
        made.drag(point)
    return made.release()


def clicked(made, points):
    return [made.press(np.array(point)) or made.release() for point in points]


@given(st.floats(4, 30), st.integers(8, 80))
@settings(deadline=None)
def test_an_unbroken_stroke_is_every_point_of_it(radius, count):
    made = new_stroke(Tool.FREEHAND, context())
    points = circle(40, 40, radius, count)
    assert unbroken(made, list(points))
    (loop,) = made.outcome()
    np.testing.assert_array_equal(loop, points)


def test_clicks_go_on_until_they_are_ended():
    made = new_stroke(Tool.FREEHAND, context(SQUARE))
    assert made.outcome() is None
    assert not any(clicked(made, [(50, 50), (50, 60)]))
    assert made.outcome() is None
    made.hover(np.array((60.0, 60.0)))
    assert len(made.trace[0]) == 3
    assert len(made.corners[0]) == 2
    clicked(made, [(60, 60), (70, 70)])
    assert made.undo_corner()
    loops = made.outcome()
    np.testing.assert_array_equal(loops[0], SQUARE)
    np.testing.assert_array_equal(loops[1], [(50, 50), (50, 60), (60, 60)])
    assert made.undo_corner()
    assert made.undo_corner()
    assert not made.undo_corner()
    assert not made.has_begun


def test_a_part_drawn_by_hand_between_clicks_stays():
    made = new_stroke(Tool.FREEHAND, context())
    clicked(made, [(0, 0)])
    assert not unbroken(made, [np.array((0.0, c)) for c in (10, 14, 18)])
    clicked(made, [(10, 18)])
    assert len(made.outcome()[0]) == 5
    made.undo_corner()
    made.undo_corner()
    assert len(made.corners[0]) == 1


def test_holes_and_islands_are_exact():
    hole = circle(20, 20, 5)
    made = new_stroke(Tool.HOLE, context(SQUARE))
    unbroken(made, list(hole))
    assert area(made.outcome()) == pytest.approx(600 - area([hole]))
    island = box(25, 35, 44, 54)
    made = new_stroke(Tool.ISLAND, context(SQUARE))
    clicked(made, island)
    assert area(made.outcome()) == pytest.approx(600 + 400 - 25)


@pytest.mark.parametrize(
    ("tool", "before", "drawn", "words"),
    [
        (Tool.HOLE, [], circle(20, 20, 5), "no outline yet"),
        (Tool.ISLAND, [], circle(20, 20, 5), "no outline yet"),
        (Tool.HOLE, [SQUARE], box(0, 0, 60, 60), "leave nothing"),
        (Tool.HOLE, [SQUARE], BOW_TIE, "crosses itself"),
    ],
)
def test_what_cannot_be_combined_is_refused(tool, before, drawn, words):
    made = new_stroke(tool, context(*before))
    clicked(made, drawn)
    with pytest.raises(RoiError, match=words):
        made.outcome()


@pytest.mark.parametrize("tool", [Tool.BRUSH, Tool.ERASER, Tool.HOLE, Tool.ISLAND])
def test_tools_work_on_no_outline_that_crosses_itself(tool):
    with pytest.raises(RoiError, match="crosses itself"):
        new_stroke(tool, context(BOW_TIE))
    assert new_stroke(Tool.FREEHAND, context(BOW_TIE)).outcome() is None


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 0.8)])
def test_the_brush_paints_and_erases_what_it_covers(spacing):
    way = [np.array((29.5, c)) for c in (15.0, 20.0, 20.0, 25.0)]
    covered = stroke([way[0], way[1], way[3]], 3.0, spacing)
    for tool, expected in ((Tool.BRUSH, joined), (Tool.ERASER, cut)):
        made = new_stroke(tool, context(SQUARE, spacing=spacing))
        assert made.outcome() is None
        assert made.trace == ()
        made.hover(way[0])
        assert len(made.trace) == 1
        assert unbroken(made, way)
        assert area(made.outcome()) == pytest.approx(area(expected([SQUARE], covered)))
        # The brush itself is shown beside what comes of it.
        assert len(made.trace) == 1 + len(made.outcome())
        np.testing.assert_array_equal(made.trace[0][0], made.trace[0][-1])


def test_all_can_be_erased_and_the_first_dab_is_an_outline():
    made = new_stroke(Tool.ERASER, context(box(20, 20, 22, 22), radius=9.0))
    clicked(made, [(21, 21)])
    assert made.outcome() == ()
    made = new_stroke(Tool.BRUSH, context(radius=9.0))
    clicked(made, [(21, 21)])
    assert area(made.outcome()) == pytest.approx(np.pi * 81, rel=0.01)


def test_the_livewire_closes_along_the_edge_and_goes_back():
    made = new_stroke(Tool.LIVEWIRE, context())
    assert made.trace == made.corners == ()
    made.hover(np.array((0.0, 0.0)))
    anchors = circle(40, 40, 20.5, 4)
    assert not any(clicked(made, anchors))
    made.drag(np.array((50.0, 60.0)))
    assert len(made.trace[0]) > len(made.corners[0])
    full = made.outcome()
    assert area(full) == pytest.approx(np.pi * 20**2, rel=0.03)
    stood = len(made.corners[0])
    assert made.undo_corner()
    assert len(made.corners[0]) < stood
    # The edge closes it from there as well.
    assert area(made.outcome()) == pytest.approx(area(full))
    made.undo_corner()
    assert made.outcome() is None
    made.undo_corner()
    assert not made.undo_corner()
