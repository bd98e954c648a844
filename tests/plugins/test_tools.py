"""Every tool by real mouse and keys in a real viewer."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.completeness import Kind, completeness
from napari_multifidus.models.strokes import Tool
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

import multifidus as mf
from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.polygon import area
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import Reason
from multifidus.measuring.agreement.metrics import dice
from tests.plugins.conftest import SPACING
from tests.support.exams import axial_plane, circle

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

SQUARE = [(20.0, 10.0), (20.0, 30.0), (50.0, 30.0), (50.0, 10.0)]
PIXEL_MM2 = SPACING[0] * SPACING[1]
DISC, DISC_RADIUS = (36.4, 20.7), 12.0


@pytest.fixture
def stack():
    """Return an exam of five parallel slices with a bright disc of millimetres on each."""
    rows, columns = np.mgrid[:72, :80]
    away = np.hypot((rows - DISC[0]) * SPACING[0], (columns - DISC[1]) * SPACING[1])
    pixels = 300 / (1 + np.exp((away - DISC_RADIUS * SPACING[1]) / 0.4)) + 50
    slices = [
        Slice.from_array(f"1.3.{n}", axial_plane(4.0 * n, 0, SPACING), pixels.round(), 4.0)
        for n in range(5)
    ]
    return Exam("S01", "pre", (Series("1.3", tuple(slices), Weighting.T2),))


@pytest.fixture
def hand(no_window):
    """Return a hand whose keys and clicks reach napari's layers, and no window."""
    return no_window


def loops(win, key, index=None):
    shown = win.annotator.workspace.canvas.index if index is None else index
    return win.annotator.workspace.session.drawing.loops(key, shown)


def area_of(win, key, index=None):
    return area(loops(win, key, index))


def put(win, loops, key=MULTIFIDUS_RIGHT, index=0):
    """Let an outline be there, where no hand has to have drawn it."""
    workspace = win.annotator.workspace
    workspace.session.put(key, index, [np.array(loop) for loop in loops])
    workspace.canvas.push(key)
    workspace.committed()


def follow(win, points, after=lambda _: None):
    """Press at the first point, go along the others, and let go at the last."""
    win.send("MouseMove", tuple(points[0]), pressed=False)
    win.send("MouseButtonPress", tuple(points[0]))
    for n, point in enumerate(points[1:], 1):
        win.send("MouseMove", tuple(point))
        after(n)
    win.release(tuple(points[-1]))


def test_every_tool_draws_and_is_left_and_nothing_is_lost(win, exam, tmp_path, messages):
    win.open(exam, tmp_path)
    tools_say_what_they_cannot_do_and_leave_naparis_alone(win, messages)
    for step in (
        escape_discards_an_unfinished_polygon_and_keeps_what_is_below,
        brush_eraser_hole_and_island_work_on_the_same_outline,
        leaving_closes_no_outline_and_the_hand_goes_on_where_it_was,
        a_slice_changed_in_the_middle_of_a_stroke_closes_no_gap,
        a_freehand_outline_keeps_every_point,
    ):
        begin_anew(win)
        step(win)


def test_what_was_done_is_undone_and_what_is_missing_is_led_to(win, exam, tmp_path, messages):
    win.open(exam, tmp_path)
    undo_takes_back_the_corner_that_was_clicked_last(win)
    begin_anew(win)
    what_naparis_keys_delete_comes_back(win, exam)
    begin_anew(win)
    the_checklist_leads_from_outline_to_outline(win, exam, messages)
    begin_anew(win)
    everything_is_taken_back_and_done_again(win, exam)


def begin_anew(win):
    """Let nothing be drawn or begun, as in an exam that was just opened."""
    tools, workspace = win.annotator.edit_tools, win.annotator.workspace
    for index in range(len(workspace.session.series.slices)):
        workspace.canvas.go_to(index)
        for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
            if workspace.session.drawing.loops(key, index) or workspace.canvas.unfinished():
                tools.draw(key)
                tools.clear()
    workspace.canvas.go_to(0)
    tools.drawing = "add_polygon"
    assert not workspace.session.rois().rois
    assert not workspace.canvas.unfinished()
    assert not workspace.session.drawing.half_drawn


def a_freehand_outline_keeps_every_point(win):
    win.press("W")
    win.press("U")
    assert win.dock.tools.acts["freehand"].isChecked()
    seen = []
    win.annotator.workspace.outline_moved.connect(
        lambda _key, _index, preview: seen.append(preview.numbers.area_mm2)
    )
    points = circle(36, 58, 12, 30)
    follow(win, points, lambda n: n % 6 or win.wait(lambda: len(set(seen)) > n // 6 - 1))
    (loop,) = loops(win, MULTIFIDUS_LEFT)
    # Every move of the mouse is a vertex; the hand is a screen pixel off at most.
    assert len(loop) == len(points)
    assert area([loop]) == pytest.approx(area([points]), rel=0.01)
    assert len(set(seen)) > 3
    assert seen == sorted(seen)
    numbers = win.annotator.workspace.session.analysis.numbers(MULTIFIDUS_LEFT, 0)
    assert numbers.area_mm2 == pytest.approx(area([loop]) * PIXEL_MM2)
    (layer_loop,) = win.layer(MULTIFIDUS_LEFT).data
    np.testing.assert_allclose(layer_loop[:, 1:], loop, atol=1e-4)
    # The tool stays in hand for the other side.
    win.press("Q")
    follow(win, circle(36, 20, 9, 12))
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(3 * 81, rel=0.02)
    # Clicked corners are given up by Escape, and ended by Enter.
    win.press(".")
    for key, shapes in (("Escape", 0), ("Return", 1)):
        for corner in SQUARE[:3]:
            win.click(corner)
        win.press(key)
        assert len(loops(win, MULTIFIDUS_RIGHT)) == shapes
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(300, rel=0.03)


def escape_discards_an_unfinished_polygon_and_keeps_what_is_below(win):
    win.press("Q")
    for below in ([], [SQUARE]):
        put(win, below)
        for row, column in SQUARE[:3]:
            win.click((row + 2, column + 2))
        assert len(win.annotator.workspace.canvas.unfinished()) == 1
        win.press("Escape")
        assert len(loops(win, MULTIFIDUS_RIGHT)) == len(below)
        assert not win.annotator.workspace.canvas.unfinished()
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(600)


def test_livewire_finds_the_border_between_clicks(win, stack, tmp_path):
    win.open(stack, tmp_path)
    win.press("Q")
    win.press("Y")
    clicks = circle(*DISC, DISC_RADIUS, 5)
    clicks[:, 0] = DISC[0] + (clicks[:, 0] - DISC[0]) * SPACING[1] / SPACING[0]
    win.draw([tuple(point + 0.6) for point in clicks])
    truth = math.pi * (DISC_RADIUS * SPACING[1]) ** 2 / PIXEL_MM2
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(truth, rel=0.02)
    away = np.hypot(*((loops(win, MULTIFIDUS_RIGHT)[0] - DISC) * SPACING).T)
    assert np.abs(away - DISC_RADIUS * SPACING[1]).max() < 0.6 * max(SPACING)


def brush_eraser_hole_and_island_work_on_the_same_outline(win):
    win.press("Q")
    put(win, [SQUARE])
    drawn = area_of(win, MULTIFIDUS_RIGHT)
    win.press("C")
    radius = win.annotator.workspace.canvas.strokes.radius_mm
    follow(win, [(50.0, 14.0), (50.0, 20.0), (50.0, 26.0)])
    # Half a stadium below the edge.
    half = (math.pi * radius**2 / 2 + radius * 12 * SPACING[1]) / PIXEL_MM2
    painted = area_of(win, MULTIFIDUS_RIGHT)
    assert painted == pytest.approx(drawn + half, rel=0.01)
    assert len(loops(win, MULTIFIDUS_RIGHT)) == 1
    win.press("Shift+C")
    win.press("8")
    win.press("9")
    win.click((30.0, 20.0))
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(
        painted - math.pi * radius**2 / PIXEL_MM2, rel=0.01
    )
    assert len(loops(win, MULTIFIDUS_RIGHT)) == 2
    before = area_of(win, MULTIFIDUS_RIGHT)
    win.press("Shift+H")
    follow(win, circle(43, 20, 3, 12))
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(before - 27, rel=0.01)
    win.press("Shift+J")
    follow(win, circle(12, 20, 4, 12))
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(before - 27 + 48, rel=0.01)
    assert len(loops(win, MULTIFIDUS_RIGHT)) == 4
    (roi,) = win.annotator.workspace.session.drawing.outlines[MULTIFIDUS_RIGHT, 0]
    assert len(roi.paths_mm) == 4
    assert win.layer(MULTIFIDUS_RIGHT).nshapes == 4
    # One change each.
    for _ in range(4):
        win.press("Ctrl+Z")
    assert area_of(win, MULTIFIDUS_RIGHT) == drawn


def tools_say_what_they_cannot_do_and_leave_naparis_alone(win, messages):
    win.press("Q")
    win.press("Shift+H")
    follow(win, circle(43, 20, 3, 12))
    assert "Draw the outline first" in messages[-1]
    for keys, words in (
        ("Shift+S", "no outline"),
        ("Shift+M", "no outline"),
        ("Shift+I", "one side"),
        ("Shift+K", "no outline"),
        ("K", "No other slice"),
        *((f"Shift+{way}", "no outline") for way in ("Left", "Right", "Up", "Down")),
        ("0", "Assign levels first"),
        ("Ctrl+Z", "Nothing to undo"),
        ("Ctrl+Y", "Nothing to redo"),
    ):
        win.press(keys)
        assert words in messages[-1], keys
    assert win.viewer.dims.ndisplay == 2
    # napari's own modes take our tools out of hand, and nothing of them is left behind.
    layer = win.layer(MULTIFIDUS_RIGHT)
    win.press("J")
    callbacks = [len(layer.mouse_drag_callbacks), len(layer.mouse_move_callbacks)]
    for tool in Tool:
        win.annotator.edit_tools.use(tool)
        assert not layer.mouse_pan
    layer.mode = "direct"
    assert win.annotator.workspace.canvas.strokes.tool is None
    layer.mode = "add_polygon"
    assert [len(layer.mouse_drag_callbacks), len(layer.mouse_move_callbacks)] == callbacks


def test_copied_mirrored_interpolated_smoothed_and_nudged(hand, stack, tmp_path):
    hand.open(stack, tmp_path)
    session = hand.annotator.workspace.session
    hand.press("Q")
    hand.draw(SQUARE)
    hand.press("Shift+M")
    assert "midline" in hand.messages[-1]
    (left,), (right,) = (loops(hand, key) for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT))
    assert area([left]) == pytest.approx(area([right]))
    np.testing.assert_allclose(left[:, 1] + right[:, 1], 79, atol=1e-6)
    hand.press("Shift+K")
    assert hand.annotator.workspace.canvas.index == 1
    assert dice(loops(hand, MULTIFIDUS_RIGHT, 0), loops(hand, MULTIFIDUS_RIGHT, 1)) > 1 - 1e-9
    hand.press("Ctrl+Z")
    assert not loops(hand, MULTIFIDUS_RIGHT, 1)
    hand.annotator.display.step(3)
    hand.press("K")
    assert session.drawing.outlines[MULTIFIDUS_RIGHT, 4][0].source is Source.DRAFT
    for keys, moved in (
        ("Shift+Down", (1, 0)),
        ("Shift+Right", (0, 1)),
        ("Shift+Right", (0, 1)),
        ("Shift+Left", (0, -1)),
        ("Shift+Up", (-1, 0)),
        ("Shift+Right", (0, 1)),
    ):
        before = loops(hand, MULTIFIDUS_RIGHT)[0]
        hand.press(keys)
        np.testing.assert_allclose(
            loops(hand, MULTIFIDUS_RIGHT)[0] - before, [moved] * 4, atol=1e-9
        )
    assert session.drawing.outlines[MULTIFIDUS_RIGHT, 4][0].source is Source.DRAFT_EDITED
    hand.annotator.workspace.canvas.go_to(2)
    hand.press("Shift+I")
    assert "between slices 1 and 5" in hand.messages[-1]
    # Half way between the square and the square two pixels on.
    top, left = loops(hand, MULTIFIDUS_RIGHT, 0)[0].min(axis=0)
    np.testing.assert_allclose(
        loops(hand, MULTIFIDUS_RIGHT)[0].min(axis=0), (top, left + 1), atol=0.1
    )
    assert session.drawing.outlines[MULTIFIDUS_RIGHT, 2][0].source is Source.INTERPOLATED
    before = area_of(hand, MULTIFIDUS_RIGHT)
    hand.press("Shift+S")
    assert area_of(hand, MULTIFIDUS_RIGHT) == pytest.approx(before, rel=1e-9)
    assert hand.layer(MULTIFIDUS_RIGHT).nshapes == 3
    # What became of the drafts is kept beside the outlines.
    hand.annotator.workspace.flush()
    journal = hand.annotator.workspace.file.load_journal()
    kept = {(key, uid): value for key, uid, _, value in journal.begun}
    assert kept[MULTIFIDUS_LEFT, "1.3.0"] == pytest.approx(1)
    assert 0.9 < kept[MULTIFIDUS_RIGHT, "1.3.2"] < 1
    assert kept[MULTIFIDUS_RIGHT, "1.3.4"] == pytest.approx(18 / 20, rel=0.02)
    hand.annotator.opener.close()
    hand.open(stack, tmp_path)
    assert hand.annotator.workspace.session.drawing.draft_dice(
        MULTIFIDUS_RIGHT, 4
    ) == pytest.approx(0.9, rel=0.02)


def everything_is_taken_back_and_done_again(win, exam):
    states = [win.annotator.workspace.session.rois()]

    def note():
        states.append(win.annotator.workspace.session.rois())

    win.annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    note()
    win.press("Q")
    win.draw(SQUARE)
    note()
    win.press("J")
    win.layer(MULTIFIDUS_RIGHT).selected_data = {0}
    win.drag((50.0, 30.0), (58.0, 36.0))
    win.release((58.0, 36.0))
    note()
    win.press("Shift+M")
    note()
    win.press(".")
    put(win, [[(r, c + 40) for r, c in SQUARE]], MULTIFIDUS_LEFT, 1)
    note()
    for state in reversed(states[:-1]):
        win.press("Ctrl+Z")
        assert win.annotator.workspace.session.rois() == state
    for state in states[1:]:
        win.press("Ctrl+Shift+Z")
        assert win.annotator.workspace.session.rois() == state
    # The slice of the last change is shown, and what is shown is what is saved.
    assert win.annotator.workspace.canvas.index == 1
    assert win.layer(MULTIFIDUS_LEFT).nshapes == 2
    assert not win.annotator.workspace.canvas.sync()
    win.annotator.workspace.flush()
    assert mf.read_rois(win.annotator.workspace.file.path, exam) == states[-1]


def what_naparis_keys_delete_comes_back(win, exam):
    put(win, [SQUARE])
    win.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    before = win.annotator.workspace.session.rois()
    for key in ("3", "Delete", "Backspace"):
        win.press("J")
        win.layer(MULTIFIDUS_RIGHT).selected_data = {0}
        win.press(key)
        assert not win.annotator.workspace.session.rois().rois, key
        assert not mf.read_rois(win.annotator.workspace.file.path, exam).rois
        win.press("Ctrl+Z")
        assert win.annotator.workspace.session.rois() == before
        assert win.layer(MULTIFIDUS_RIGHT).nshapes == 1
        assert mf.read_rois(win.annotator.workspace.file.path, exam) == before


def test_undo_after_going_on_by_itself_gives_back_what_was_in_hand(hand, exam, tmp_path):
    def move(row, column):
        return [(r + row, c + column) for r, c in SQUARE]

    hand.open(exam, tmp_path)
    tools, workspace = hand.annotator.edit_tools, hand.annotator.workspace
    session, canvas = workspace.session, workspace.canvas
    for index in (0, 1):
        session.set_level(index, Level.L4_L5, SlicePosition.UNKNOWN)
    workspace.committed()
    tools.advances = True
    hand.press("Q")

    def draw(corners, then):
        hand.draw(corners)
        assert (canvas.active, canvas.index) == then

    # Right is drawn again, and stays right.
    draw(SQUARE, (MULTIFIDUS_LEFT, 0))
    hand.press("Ctrl+Z")
    assert (canvas.active, canvas.index, tools.tool) == (MULTIFIDUS_RIGHT, 0, "polygon")
    draw(SQUARE, (MULTIFIDUS_LEFT, 0))
    # Left is drawn again after the window had gone on to the next slice.
    draw(move(0, 40), (MULTIFIDUS_RIGHT, 1))
    hand.press("Ctrl+Z")
    assert (canvas.active, canvas.index, tools.tool) == (MULTIFIDUS_LEFT, 0, "polygon")
    hand.press("Ctrl+Shift+Z")
    hand.press("Ctrl+Z")
    draw(move(0, 38), (MULTIFIDUS_RIGHT, 1))
    assert set(session.drawing.outlines) == {(MULTIFIDUS_RIGHT, 0), (MULTIFIDUS_LEFT, 0)}
    assert all(len(session.drawing.loops(key, 0)) == 1 for key in session.drawing.layer_keys())


def undo_takes_back_the_corner_that_was_clicked_last(win):
    win.press("Q")
    for corner in [*SQUARE[:3], (60.0, 60.0), (5.0, 70.0)]:
        win.click(corner)
    win.press("Ctrl+Z")
    win.press("Ctrl+Z")
    win.draw([SQUARE[3]])
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(600, rel=0.03)
    assert len(loops(win, MULTIFIDUS_RIGHT)[0]) == 4
    # All corners taken back, nothing is left, and the outline before is not touched.
    win.press("W")
    for corner in SQUARE[:2]:
        win.click(corner)
    for _ in range(2):
        win.press("Ctrl+Z")
    assert not win.annotator.workspace.canvas.unfinished()
    assert len(win.annotator.workspace.session.rois()) == 1
    # The same with livewire.
    win.press("Y")
    for corner in SQUARE[:3]:
        win.click(corner)
    win.press("Ctrl+Z")
    assert len(win.annotator.workspace.canvas.unfinished()) == 1
    for _ in range(2):
        win.press("Ctrl+Z")
    assert not win.annotator.workspace.canvas.unfinished()
    assert len(win.annotator.workspace.session.rois()) == 1


def leaving_closes_no_outline_and_the_hand_goes_on_where_it_was(win):
    win.press("Q")
    for tool in ("O", "U", "Y"):
        leave_and_go_on(win, tool)
        # Undone, it would wait to be closed once more.
        win.annotator.edit_tools.clear()


def leave_and_go_on(win, tool):
    """Draw with a tool, be elsewhere in between, and close the outline after all."""
    workspace = win.annotator.workspace
    win.press(tool)
    for corner in SQUARE[:3]:
        win.click(corner)
    for away, back in ((".", ","), ("W", "Q"), ("J", tool)):
        case = f"{tool}: {away} and {back}"
        win.press(away)
        assert not workspace.session.rois(), case
        ((key, index),) = workspace.session.drawing.half_drawn
        assert (key, index) == (MULTIFIDUS_RIGHT, 0), case
        win.press(back)
        assert len(workspace.canvas.unfinished()) == 1, case
        assert not workspace.session.rois(), case
    # The list of what is missing leads there, and closes nothing either.
    in_hand = [(MULTIFIDUS_RIGHT, 0)]
    missing = completeness(workspace.session.analysis, (), in_hand)
    (item,) = (item for item in missing.items if item.kind is Kind.UNFINISHED)
    win.annotator.go_to(item)
    assert not workspace.session.rois(), tool
    win.click(SQUARE[3])
    win.press("Return")
    assert len(workspace.session.rois()) == 1, tool
    assert not workspace.canvas.unfinished(), tool
    if tool != "Y":
        assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(600, rel=0.03), tool


def a_slice_changed_in_the_middle_of_a_stroke_closes_no_gap(win):
    win.press("Q")
    win.press("U")
    points = [tuple(point) for point in circle(36, 20, 9, 20)[:12]]
    follow(win, points, lambda n: n == 8 and win.press("."))
    session = win.annotator.workspace.session
    assert not session.rois()
    ((where, half),) = session.drawing.half_drawn.items()
    assert where == (MULTIFIDUS_RIGHT, 0)
    np.testing.assert_allclose(half.path, points[:9], atol=0.6)


def the_checklist_leads_from_outline_to_outline(win, exam, messages):
    win.annotator.display.step(2)
    win.annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    win.annotator.display.step(-2)
    win.press("0")
    assert (win.annotator.workspace.canvas.index, win.annotator.workspace.canvas.active) == (
        2,
        MULTIFIDUS_RIGHT,
    )
    assert win.annotator.edit_tools.tool == "polygon"
    put(win, [SQUARE], index=2)
    win.press("0")
    assert win.annotator.workspace.canvas.active == MULTIFIDUS_LEFT
    win.press("Shift+N")
    menu = win.dock.reasons
    win.wait(menu.isVisible)
    QTest.keyClick(menu, Qt.Key.Key_M)
    QApplication.processEvents()
    assert "not measurable: metal" in messages[-1]
    (gap,) = mf.read_rois(win.annotator.workspace.file.path, exam).not_measurable
    assert (gap.level, gap.side, gap.reason) == (Level.L4_L5, "left", Reason.METAL)
    win.press("0")
    assert "Nothing is missing" in messages[-1]
    win.press("Ctrl+Z")
    win.press("0")
    assert win.annotator.workspace.canvas.active == MULTIFIDUS_LEFT


def test_a_file_is_taken_as_drafts_by_a_button(  # noqa: PLR0917 - fixtures
    win, exam, session, tmp_path, monkeypatch, messages
):
    path = tmp_path / "net.outlines.json"
    mf.write_rois(session.rois().read_by(Reading("S01", "pre", "net", 1)), path)
    folder = tmp_path / "mine"
    folder.mkdir()
    win.open(exam, folder)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    win.dock.tools.draft.click()
    assert "Imported 4 drafts" in messages[-1]
    assert win.layer(LEAN).nshapes == 1
    assert all(roi.source is Source.DRAFT for roi in win.annotator.workspace.session.rois())
    win.press("Ctrl+Z")
    assert not win.annotator.workspace.session.rois().rois


def test_a_hole_is_seen_as_it_is_reported(win, exam, tmp_path):
    win.open(exam, tmp_path)
    put(win, [circle(36, 38, 26, 20), circle(33, 42, 11, 12)])
    reported = area_of(win, MULTIFIDUS_RIGHT) * PIXEL_MM2
    layer = win.layer(MULTIFIDUS_RIGHT)
    layer.selected_data = set()
    layer.edge_width, layer.opacity = 0, 1.0
    # napari fills every path: what lies in two is not enclosed.
    sizes = [area([shape[:, 1:]]) for shape in layer.data]
    outer = int(np.argmax(sizes))
    layer.face_color = ["#00ff00" if n == outer else "#0000ff" for n in range(2)]
    layer.z_index = [0 if n == outer else 1 for n in range(2)]
    for name in ("slice", "left", "right"):
        win.viewer.canvas.overlays[f"multifidus_{name}"].visible = False
    win.viewer.canvas.overlays.scale_bar.visible = False
    picture = win.viewer.screenshot(flash=False)
    green = (picture[..., 1] > 250) & (picture[..., 0] < 5) & (picture[..., 2] < 5)
    assert green.sum() / win.viewer.scene.camera.zoom**2 == pytest.approx(reported, rel=0.005)


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
sys.path.insert(0, {root!r})
from tests.plugins.conftest import MULTIFIDUS_RIGHT, Window, make_series
from multifidus.data.image import Exam
import napari
from napari_multifidus._shaders import keep_shaders
from qtpy.QtWidgets import QApplication

keep_shaders()

def wait(done):
    end = time.monotonic() + 20
    while not done():
        QApplication.processEvents()
        assert time.monotonic() < end

win = Window(napari.Viewer(show=True), wait)
win.annotator.workspace.rater = "R1"
win.open(Exam("S01", "pre", (make_series(),)), Path({folder!r}))
workspace = win.annotator.workspace
workspace.session.put(MULTIFIDUS_RIGHT, 0, [np.array({square})])
workspace.canvas.push(MULTIFIDUS_RIGHT)
workspace.committed()
win.press("W")
for corner in {corners}:
    win.click(corner)
# A hand never stands still.
win.send("MouseMove", (42.0, 46.0), pressed=False)
wait(lambda: win.sees_mouse_at(42.0, 46.0))
QApplication.processEvents()
print("ready", flush=True)
time.sleep(60)
"""


def test_a_window_that_is_killed_loses_nothing(win, exam, tmp_path, messages):
    root = str(Path(__file__).parents[2])
    corners = [(row, column + 40) for row, column in (*SQUARE[:3], (40.0, 5.0))]
    code = KILLED.format(root=root, folder=str(tmp_path), square=SQUARE, corners=corners)
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout.readline().strip() == "ready"
        finally:
            process.send_signal(signal.SIGKILL)
    win.open(exam, tmp_path)
    assert area_of(win, MULTIFIDUS_RIGHT) == pytest.approx(600, rel=0.03)
    # Corners of the other side were clicked, and the polygon was not ended: it is no outline.
    assert area_of(win, MULTIFIDUS_LEFT) == 0
    session = win.annotator.workspace.session
    assert session.analysis.numbers(MULTIFIDUS_LEFT, 0) is None
    assert [roi.key.side.value for roi in session.rois()] == ["right"]
    ((key, index, half),) = win.annotator.workspace.canvas.unfinished()
    assert (key, index) == (MULTIFIDUS_LEFT, 0)
    np.testing.assert_allclose(half.path, corners, atol=0.3)
    assert any("Restored unfinished outline" in text for text in messages)
    # The hand goes on where it was: the next click appends, and ends it here.
    win.draw([(30.0, 44.0)])
    (loop,) = loops(win, MULTIFIDUS_LEFT)
    np.testing.assert_allclose(loop, [*corners, (30.0, 44.0)], atol=0.3)
    assert not win.annotator.workspace.canvas.unfinished()
    assert not win.annotator.workspace.session.drawing.unfinished
