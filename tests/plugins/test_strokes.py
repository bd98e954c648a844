"""Strokes, point by point, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from napari_multifidus.models.shapes import as_napari
from napari_multifidus.models.strokes import GAP_MM, StrokeContext, Tool, new_stroke

from multifidus.data.polygon import area, first_crossing
from multifidus.data.polygon_sets import cut, joined
from multifidus.editing.livewire import Edges
from multifidus.editing.strokes import closed, stroke
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
    made = new_stroke(Tool.FREEHAND, context(spacing=(0.2, 0.2)))
    points = circle(40, 40, radius, count)
    assert unbroken(made, list(points))
    (loop,) = made.outcome()
    np.testing.assert_array_equal(loop, points)


def test_an_end_on_the_beginning_leaves_no_point_twice():
    """A viewer keeps only one of two: read back, the outline was another, and Undo undid that."""
    points = circle(40, 40, 12, 200)
    made = new_stroke(Tool.FREEHAND, context())
    # The same pixel of the screen, but for the rounding of numbers.
    unbroken(made, [*points, points[0] + 1e-9])
    (loop,) = made.outcome()
    shown = loop.astype(np.float32)
    assert (shown != np.roll(shown, 1, axis=0)).any(axis=1).all()


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


def test_an_unbroken_stroke_with_a_gap_is_not_closed_by_itself():
    ring = circle(40, 40, 20, 100)
    for kept, spacing, words in (
        (ring[:98], (1.0, 1.0), ""),
        (ring[:90], (1.0, 1.0), "leaves out 14 mm between its end and its beginning, more than 5"),
        (ring[:90], (0.3, 0.3), ""),
        (np.delete(ring, range(50, 56), axis=0), (1.0, 1.0), "leaves out 9 mm on its way"),
    ):
        made = new_stroke(Tool.FREEHAND, context(spacing=spacing))
        assert unbroken(made, list(kept)) == (not words)
        assert made.gap_words.startswith(f"The stroke {words}" if words else "")
        assert bool(made.gap_words) == bool(words)
        # Whoever wants it closed closes it.
        np.testing.assert_array_equal(made.outcome()[0], kept)
    # Gone on with by clicks, it leaves out as much.
    made.press(ring[3])
    assert not made.release()
    assert "leaves out 9 mm on its way" in made.gap_words


def test_an_end_that_crosses_the_beginning_leaves_no_gap():
    ring = circle(40, 40, 20, 100)
    turn = np.linspace(-0.24, 0.28, 11)
    away = 21.5 - 3.5 * np.linspace(0, 1, 11) ** 2
    tail = 40 + np.stack((away * np.cos(turn), away * np.sin(turn)), axis=1)
    made = new_stroke(Tool.FREEHAND, context())
    assert unbroken(made, [*ring[:97], *tail])
    assert np.hypot(*(tail[-1] - ring[0])) > GAP_MM


@given(st.integers(0, 2**32 - 1), st.sampled_from([Tool.BRUSH, Tool.ERASER]))
@settings(deadline=None, max_examples=25)
def test_what_a_brush_covers_does_not_depend_on_how_often_it_is_looked_at(seed, tool):
    rng = np.random.default_rng(seed)
    way = np.array((25.0, 20.0)) + rng.normal(0, 3, (40, 2)).cumsum(axis=0) / 2
    looked = new_stroke(tool, context(SQUARE))
    looked.press(way[0])
    for first in range(1, 40, 3):
        looked.drag(*way[first : first + 3])
        assert looked.outcome() is not None
    covered = stroke(way, 3.0, (1.0, 1.0))
    expected = (joined if tool is Tool.BRUSH else cut)([SQUARE], covered)
    # Where two parts of a way meet, the corners of the round brush may lie elsewhere on it.
    assert area(looked.outcome()) == pytest.approx(area(expected), abs=0.006 * np.pi * 9 * 13)
    assert area(looked.outcome()) == pytest.approx(area(expected), rel=0.01)


@given(st.integers(0, 2**32 - 1), st.sampled_from([Tool.BRUSH, Tool.ERASER]))
@settings(deadline=None, max_examples=50)
def test_what_a_brush_paints_is_the_same_once_shown_and_read_back(seed, tool):
    rng = np.random.default_rng(seed)
    # A hand along a straight line, with the digits of the canvas.
    way = np.array([(29.5, column) for column in (14.0, 20.0, 26.0)]) + rng.normal(0, 1e-7, (3, 2))
    made = new_stroke(tool, context(SQUARE, spacing=(0.8, 0.7)))
    made.press(way[0])
    for at in way[1:]:
        assert made.outcome()
        made.drag(at)
    for loop in made.outcome():
        shown = as_napari(loop)
        np.testing.assert_array_equal(closed(shown), shown)


@given(st.floats(-6, 9), st.integers(4, 9), st.floats(0, 6.2))
@settings(deadline=None, max_examples=40)
def test_a_livewire_closed_near_its_start_never_crosses_itself(beyond, count, first):
    made = new_stroke(Tool.LIVEWIRE, context())
    turns = np.linspace(0, 2 * np.pi, count + 1) + first
    turns[-1] += beyond / 20
    anchors = 40 + 20.4 * np.stack((np.cos(turns), np.sin(turns)), axis=1)
    clicked(made, anchors)
    (loop,) = made.outcome()
    assert first_crossing([loop]) is None
    assert len(np.unique(loop, axis=0)) == len(loop)
    assert area([loop]) == pytest.approx(np.pi * 20**2, rel=0.03)


def test_a_livewire_that_runs_across_itself_is_refused():
    made = new_stroke(Tool.LIVEWIRE, context())
    clicked(made, [(10, 10), (70, 70), (70, 10), (10, 70)])
    with pytest.raises(RoiError, match="crosses itself"):
        made.outcome()


def arc(first, last, radius=20.0, step=0.05):
    angle = np.arange(first, last, step)
    return list(40 + radius * np.stack((np.cos(angle), np.sin(angle)), axis=1))


def test_a_stroke_that_is_gone_on_with_says_what_it_leaves_out():
    made = new_stroke(Tool.FREEHAND, context())
    assert not unbroken(made, arc(0, 2.0))
    assert "between its end and its beginning" in made.gap_words
    # It is taken up again 10 mm further, and ends 12 mm before its beginning.
    assert not unbroken(made, arc(2.5, 5.7))
    assert "leaves out 12 mm between its end and its beginning" in made.gap_words
    assert not unbroken(made, arc(5.7, 2 * np.pi))
    assert "leaves out 11 mm on its way" in made.gap_words
    # A corner that is clicked says for itself where the outline runs.
    clicked(made, [(60, 40)])
    assert "leaves out 11 mm on its way" in made.gap_words
    made = new_stroke(Tool.FREEHAND, context())
    clicked(made, [(40, 60), (20, 40), (40, 20)])
    assert not made.gap_words
    assert not unbroken(made, arc(5.0, 6.0))
    assert not made.gap_words


def test_a_stroke_that_is_gone_on_with_to_its_beginning_closes():
    made = new_stroke(Tool.FREEHAND, context())
    assert not unbroken(made, arc(0, 2.0))
    # As every stroke, a little further than where it began.
    assert unbroken(made, arc(2.0, 2 * np.pi + 0.1, radius=20.5))
    (loop,) = made.outcome()
    assert area([loop]) == pytest.approx(np.pi * 20.3**2, rel=0.02)
    assert first_crossing([loop]) is None
