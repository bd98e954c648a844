"""An outline in hand, half clicked, is not lost by whatever else is done meanwhile."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from napari_multifidus._compat import is_held
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

import multifidus as mf
from multifidus.data.anatomy import Level
from multifidus.data.polygon import area
from multifidus.data.roi import Source
from multifidus.data.roi_set import Reason
from tests.support.exams import circle
from tests.support.napari_window import layer_controls, layer_list

pytestmark = [pytest.mark.gui, pytest.mark.painted]

CORNERS = [(20.0, 10.0), (20.0, 30.0), (50.0, 30.0)]

DONE_MEANWHILE = {
    "redo": lambda win: win.press("Ctrl+Y"),
    "redo by its other keys": lambda win: win.press("Ctrl+Shift+Z"),
    "copy": lambda win: win.press("K"),
    "copy on": lambda win: win.press("Shift+K"),
    "mirror": lambda win: win.press("Shift+M"),
    "interpolate": lambda win: win.press("Shift+I"),
    "smooth": lambda win: win.press("Shift+S"),
    "mend": lambda win: win.press("Shift+X"),
    "move": lambda win: win.press("Shift+Left"),
    "swap sides": lambda win: win.annotator.edit_tools.swap_sides([(MULTIFIDUS_RIGHT, 0)]),
    "swap sides elsewhere": lambda win: win.annotator.edit_tools.swap_sides(
        [(MULTIFIDUS_RIGHT, 2)]
    ),
    "finish": lambda win: win.press("Ctrl+Return"),
    "not measurable": lambda win: win.attempt(win.annotator.entries.not_measurable, None),
}


@pytest.fixture
def drawn(win, exam, tmp_path):
    """Return a window with both sides on two slices, and one more undone on the first."""
    win.open(exam, tmp_path)
    session, canvas = win.annotator.workspace.session, win.annotator.workspace.canvas
    for index in (1, 2):
        session.put(MULTIFIDUS_RIGHT, index, [circle(36, 20, 9)])
        session.put(MULTIFIDUS_LEFT, index, [circle(36, 58, 9)])
    session.commit()
    session.put(MULTIFIDUS_RIGHT, 0, [circle(40, 22, 9)])
    session.commit()
    for key in (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT):
        canvas.push(key)
    win.press("Ctrl+Z")
    assert canvas.index == 0
    return win


def corners_in_hand(win):
    return [len(half.points) for _, _, half in win.annotator.workspace.canvas.unfinished()]


def begin_with(win, tool):
    """Click three corners with a tool."""
    win.press("Q")
    win.press(tool)
    for corner in CORNERS:
        win.click(corner)


def test_an_outline_in_hand_is_not_lost_by_what_is_done_meanwhile(drawn, messages):
    is_finished_before_what_was_undone_is_redone(drawn, messages)
    is_not_lost(drawn)


def is_finished_before_what_was_undone_is_redone(drawn, messages):
    session = drawn.annotator.workspace.session
    for tool in ("O", "U"):
        messages.clear()
        drawn.press("Q")
        drawn.press(tool)
        drawn.click(CORNERS[0])
        drawn.click(CORNERS[1])
        drawn.press("Ctrl+Y")
        assert not session.drawing.loops(MULTIFIDUS_RIGHT, 0), tool
        assert any("in hand" in words for words in messages), tool
        drawn.press("Escape")
        drawn.press("Ctrl+Y")
        assert session.drawing.loops(MULTIFIDUS_RIGHT, 0), tool
        drawn.press("Ctrl+Z")


def is_not_lost(drawn):
    tools = drawn.annotator.edit_tools
    # Once it was left, what the polygon tool has begun is gone on with freehand.
    for what in ("redo", "copy"):
        begin_with(drawn, "O")
        drawn.attempt(DONE_MEANWHILE[what], drawn)
        assert corners_in_hand(drawn) == [3], f"polygon, {what}"
        tools.clear()
    begin_with(drawn, "U")
    for what, act in DONE_MEANWHILE.items():
        drawn.attempt(act, drawn)
        assert corners_in_hand(drawn) == [3], what
        # It is taken in hand again.
        tools.draw(MULTIFIDUS_RIGHT)
        tools.use(tools.drawing)


def choose_in_list(win, layer):
    """Click on a layer in napari's own list."""
    view = layer_list(win.viewer)
    rows = [view.model().index(row, 0) for row in range(view.model().rowCount())]
    (place,) = (view.visualRect(row) for row in rows if row.data() == layer.name)
    assert place.isValid()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
    QApplication.processEvents()


def click_mode(win, key, name):
    """Click a button of napari's layer controls."""
    made = getattr(layer_controls(win.viewer, win.layer(key)), f"{name}_button")
    QTest.mouseClick(made, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


WAYS_OUT = {
    **{
        f"button {name}": lambda win, name=name: click_mode(win, MULTIFIDUS_RIGHT, name)
        for name in ("select", "direct", "rectangle", "polyline", "polygon_lasso", "panzoom")
    },
    **{f"key {key}": lambda win, key=key: win.press(key) for key in ("4", "5", "6", "7")},
    "list": lambda win: choose_in_list(win, win.layer(MULTIFIDUS_LEFT)),
    "list, the image": lambda win: choose_in_list(win, win.images[0]),
    "axes rolled": lambda win: win.viewer.dims.roll(),
    "three dimensions": lambda win: setattr(win.viewer.dims, "ndisplay", 3),
}

NOTHING_LEFT = ("button panzoom", "key 6")
"""The layer is in that mode already while one of our own tools draws."""


def leave_by(win, way):
    """Leave an outline in hand, and take it in hand again."""
    workspace = win.annotator.workspace
    WAYS_OUT[way](win)
    QApplication.processEvents()
    assert corners_in_hand(win) == [3], way
    assert not workspace.session.drawing.loops(MULTIFIDUS_RIGHT, 0), way
    if way not in NOTHING_LEFT:
        assert len(workspace.session.drawing.half_drawn) == 1, way
    win.viewer.dims.ndisplay = 2
    # napari goes to the slice in the middle where axes are rolled.
    workspace.canvas.go_to(0)
    win.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)


def test_an_outline_in_hand_outlives_what_napari_offers(drawn):
    for step in (
        is_not_closed_by_what_napari_offers,
        is_gone_on_with_by_napari_s_own_tools,
        outlives_its_layer,
    ):
        step(drawn)
        # Undone, it would wait to be closed once more.
        drawn.annotator.edit_tools.clear()


def is_not_closed_by_what_napari_offers(drawn):
    workspace = drawn.annotator.workspace
    # Once it was left, what the polygon tool has begun is gone on with freehand.
    for way in ("button select", "axes rolled"):
        begin_with(drawn, "O")
        leave_by(drawn, way)
        drawn.annotator.edit_tools.clear()
    begin_with(drawn, "U")
    for way in WAYS_OUT:
        leave_by(drawn, way)
    drawn.click((50.0, 10.0))
    drawn.press("Return")
    (loop,) = workspace.session.drawing.loops(MULTIFIDUS_RIGHT, 0)
    assert area([loop]) == pytest.approx(600, rel=0.03)
    assert not workspace.canvas.unfinished()


def is_gone_on_with_by_napari_s_own_tools(drawn):
    workspace = drawn.annotator.workspace
    drawn.press("Q")
    for corner in CORNERS:
        drawn.click(corner)
    last = [(50.0, column) for column in (25.0, 20.0, 15.0, 10.0)]
    for name, corner in zip(("polygon", "polyline", "polygon_lasso", "path"), last, strict=True):
        before = corners_in_hand(drawn)
        click_mode(drawn, MULTIFIDUS_RIGHT, "select")
        click_mode(drawn, MULTIFIDUS_RIGHT, name)
        drawn.click(corner)
        assert corners_in_hand(drawn) == [before[0] + 1], name
    drawn.press("Return")
    (loop,) = workspace.session.drawing.loops(MULTIFIDUS_RIGHT, 0)
    assert area([loop]) == pytest.approx(600, rel=0.03)


def outlives_its_layer(drawn):
    for tool in ("O", "U"):
        begin_with(drawn, tool)
        drawn.viewer.layers.remove(drawn.layer(MULTIFIDUS_RIGHT))
        QApplication.processEvents()
        assert corners_in_hand(drawn) == [3]
        drawn.press("Q")
        drawn.press("Escape")
        assert corners_in_hand(drawn) == []


LEAVING = {
    "another structure": lambda win: win.press("W"),
    "another slice": lambda win: win.press("."),
    "another tool": lambda win: win.press("J"),
    "napari's button": lambda win: click_mode(win, MULTIFIDUS_RIGHT, "select"),
    "escape": lambda win: win.press("Escape"),
    "a copy": lambda win: win.press("K"),
}


def test_what_was_begun_and_left_is_still_there_and_changes_nothing(drawn):
    two_corners_change_no_colour(drawn)
    undo_and_redo_leave_it_waiting(drawn)


def two_corners_change_no_colour(drawn):
    layer, tools = drawn.layer(MULTIFIDUS_RIGHT), drawn.annotator.edit_tools
    faces, edges = layer.face_color.copy(), layer.edge_color.copy()
    for way, leave in LEAVING.items():
        tools.use("add_polygon")
        tools.draw(MULTIFIDUS_RIGHT)
        assert layer.nshapes == 2, way
        for corner in CORNERS[:2]:
            drawn.click(corner)
        assert layer.nshapes == 3, way
        leave(drawn)
        assert np.allclose(layer.face_color[:2], faces), way
        assert np.allclose(layer.edge_color[:2], edges), way
        # As before: the slice shown, and nothing drawn or begun on it.
        drawn.annotator.workspace.canvas.go_to(0)
        tools.draw(MULTIFIDUS_RIGHT)
        tools.clear()


def undo_and_redo_leave_it_waiting(drawn):
    session, canvas = drawn.annotator.workspace.session, drawn.annotator.workspace.canvas
    drawn.press("Q")
    for corner in CORNERS:
        drawn.click(corner)
    drawn.press("W")
    drawn.draw([(20.0, 50.0), (20.0, 70.0), (50.0, 70.0)])
    assert session.drawing.loops(MULTIFIDUS_LEFT, 0)
    canvas.go_to(3)
    drawn.press("Q")
    # The hand comes back to the slice of the outline that waits, with a tool that would go on.
    drawn.press("Ctrl+Z")
    assert canvas.index == 0
    assert not session.drawing.loops(MULTIFIDUS_LEFT, 0)
    assert corners_in_hand(drawn) == [3]
    drawn.press("Ctrl+Y")
    assert session.drawing.loops(MULTIFIDUS_LEFT, 0)
    assert corners_in_hand(drawn) == [3]
    drawn.press("Q")
    drawn.click((50.0, 10.0))
    assert corners_in_hand(drawn) == [4]


@pytest.fixture
def hand(request):
    """Return a window, or a viewer without one where a test asks for that."""
    return request.getfixturevalue(getattr(request, "param", "win"))


@pytest.fixture
def said(hand, messages):
    """Return what is said there."""
    return getattr(hand, "messages", messages)


@pytest.fixture
def levelled(hand, exam, tmp_path):
    """Return one of these on a slice with a level, and nothing drawn."""
    hand.open(exam, tmp_path)
    session = hand.annotator.workspace.session
    for index in (2, 3):
        session.set_level(index, Level.L4_L5)
    session.commit()
    hand.annotator.workspace.canvas.go_to(2)
    return hand


def test_what_is_begun_at_a_level_is_not_marked_as_not_measurable(levelled, messages):
    workspace, tools = levelled.annotator.workspace, levelled.annotator.edit_tools

    def refused(case):
        messages.clear()
        levelled.attempt(levelled.annotator.entries.not_measurable, Reason.METAL)
        assert not workspace.session.drawing.not_measurable, case
        assert "multifidus right at L4-L5, on slice 3, is begun and not closed" in messages[-1]
        assert corners_in_hand(levelled) == [3], case

    # On the slice of the outline, and on another one of the level.
    for tool in ("O", "U"):
        begin_with(levelled, tool)
        refused(f"{tool}, in hand")
        workspace.canvas.go_to(3)
        refused(f"{tool}, left")
        workspace.canvas.go_to(2)
        if tool == "O":
            tools.clear()
    # The other side is another matter.
    for shown in (3, 2):
        workspace.canvas.go_to(shown)
        levelled.press("W")
        levelled.attempt(levelled.annotator.entries.not_measurable, Reason.METAL)
        gaps = workspace.session.drawing.not_measurable
        assert [gap.side for gap in gaps] == ["left"], shown
        tools.undo()
        assert not workspace.session.drawing.not_measurable, shown


@pytest.mark.parametrize(("hand", "drawn_on"), [("no_window", 2), ("win", 3)], indirect=["hand"])
def test_what_is_outlined_is_no_longer_marked_as_not_measurable(levelled, said, drawn_on):
    workspace = levelled.annotator.workspace
    levelled.press("Q")
    levelled.attempt(levelled.annotator.entries.not_measurable, Reason.METAL)
    (gap,) = workspace.session.drawing.not_measurable
    workspace.canvas.go_to(drawn_on)
    levelled.press("Q")
    levelled.draw(CORNERS)
    QApplication.processEvents()
    assert (MULTIFIDUS_RIGHT, drawn_on) in workspace.session.drawing.outlines
    assert not workspace.session.drawing.not_measurable
    assert any("was marked as not measurable (metal)" in words for words in said)
    # It is one change.
    levelled.press("Ctrl+Z")
    assert not workspace.session.drawing.outlines
    assert workspace.session.drawing.not_measurable == (gap,)
    levelled.press("Ctrl+Y")
    assert workspace.session.drawing.outlines
    assert not workspace.session.drawing.not_measurable


@pytest.mark.parametrize("hand", ["no_window"], indirect=True)
def test_a_draft_leaves_the_mark_and_the_window_says_so(levelled, said):
    workspace = levelled.annotator.workspace
    session = workspace.session
    session.set_not_measurable(MULTIFIDUS_RIGHT, 2, Reason.METAL)
    workspace.committed()
    session.put(MULTIFIDUS_RIGHT, 3, [circle(36, 20, 9)], Source.INTERPOLATED)
    workspace.committed()
    assert session.drawing.not_measurable
    assert "draft of multifidus right on slice 4" in said[-1]
    assert "L4-L5 is marked as not measurable (metal)" in said[-1]


def test_what_is_no_outline_yet_is_taken_along(levelled, messages, tmp_path):
    workspace, opener = levelled.annotator.workspace, levelled.annotator.opener
    levelled.press("Q")
    for corner in CORNERS:
        levelled.click(corner)
    levelled.press("W")
    levelled.draw([(20.0, 50.0), (40.0, 70.0), (40.0, 50.0), (20.0, 70.0)])
    QApplication.processEvents()
    (before,) = workspace.session.drawing.unfinished.values()
    (tmp_path / "new").mkdir()
    ways = {
        "folder": lambda: opener.set_folder(tmp_path / "new"),
        "rater": lambda: opener.set_reading("R2", 1, carry=True),
        "reading": lambda: opener.set_reading("R2", 2, carry=True),
    }
    for way, go in ways.items():
        messages.clear()
        file = workspace.file.path
        go()
        assert workspace.file.path != file, way
        assert workspace.canvas.index == 2, way
        assert corners_in_hand(levelled) == [3], way
        (after,) = workspace.session.drawing.unfinished.values()
        assert np.array_equal(after.loops, before.loops), way
        kept = workspace.file.load_journal()
        assert (len(kept.drafts), len(kept.half_drawn)) == (1, 1), way
        assert sum("estored" in words for words in messages) == 2, way


def test_what_is_in_the_hand_is_named_as_left_out(levelled, messages, tmp_path):
    outputs = levelled.annotator.outputs
    levelled.press("W")
    levelled.draw([(20.0, 50.0), (20.0, 70.0), (50.0, 70.0)])
    named = "multifidus right on slice 3 is not closed"
    for tool in ("O", "U"):
        tables, pictures = tmp_path / f"tables {tool}", tmp_path / f"pictures {tool}"
        begin_with(levelled, tool)
        done = outputs.measure_into(tables)
        assert (done.outlines, done.left_out) == (1, (named,))
        assert f"Left out: {named}." in messages[-1]
        outputs.pictures_into(pictures)
        assert messages[-1].endswith(f"Left out: {named}.")
        # It is named once, where it waits as well.
        levelled.annotator.workspace.canvas.leave()
        assert outputs.measure_into(tables, overwrite=True).left_out == (named,)
        # It is still there to be gone on with.
        assert corners_in_hand(levelled) == [3]
        # Nothing is in hand for the next tool.
        levelled.press("Q")
        levelled.press("Escape")
        assert corners_in_hand(levelled) == [], tool


STEPS = {
    "key": lambda win: win.press("."),
    "slider": lambda win: win.viewer.dims.set_current_step(0, 3),
}


def test_a_vertex_that_is_held_stays_on_its_slice(drawn):
    workspace = drawn.annotator.workspace
    for way, is_moved in itertools.product(STEPS, (True, False)):
        case = f"{way}, {'moved' if is_moved else 'not moved'}"
        before = workspace.session.drawing.loops(MULTIFIDUS_LEFT, 2)
        workspace.canvas.go_to(2)
        drawn.press("W")
        drawn.press("J")
        drawn.viewer.reset_view()
        row, column = map(float, before[0][0])
        drawn.drag((row, column), (row + 4, column + 2) if is_moved else (row, column), moves=1)
        if is_moved:
            drawn.wait(lambda: is_held(drawn.layer(MULTIFIDUS_LEFT)))
        STEPS[way](drawn)
        for step in (6, 8):
            drawn.send("MouseMove", (row + step, column + 3))
            drawn.wait(lambda at=(row + step, column + 3): drawn.sees_mouse_at(*at))
        drawn.release((row + 8, column + 3))
        workspace.flush()
        assert workspace.canvas.index == 3, case
        assert not workspace.canvas.shapes_off_slice(), case
        saved = mf.read_rois(workspace.file.path, workspace.session.exam)
        assert saved == workspace.session.rois(), case
        (loop,) = workspace.session.drawing.loops(MULTIFIDUS_LEFT, 2)
        moved = loop[0] - (row, column)
        assert np.allclose(moved, (4, 2) if is_moved else (0, 0), atol=0.5), case
        assert np.allclose(loop[1:], before[0][1:], atol=1e-4), case
        if is_moved:
            drawn.annotator.edit_tools.undo()
            (back,) = workspace.session.drawing.loops(MULTIFIDUS_LEFT, 2)
            assert np.allclose(back, before[0], atol=1e-4), case
