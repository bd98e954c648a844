"""The hand on the canvas, by events of the X server at real speed, under a window manager."""

from __future__ import annotations

import functools
import signal

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from qtpy.QtCore import QCoreApplication, QEvent, QObject, Qt
from qtpy.QtGui import QCursor

from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.polygon import area
from tests.plugins.conftest import SPACING
from tests.support.exams import axial_plane
from tests.support.napari_window import qt_window
from tests.support.native_mouse import NativeMouse, playing
from tests.support.window_manager import managed_windows

pytestmark = [pytest.mark.gui, pytest.mark.painted]

RADIUS = 100
"""Of the circle drawn, in pixels of the screen."""

COMPRESSION = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents


@pytest.fixture(scope="module", autouse=True)
def window_manager():
    with managed_windows() as manager:
        yield manager


@pytest.fixture
def disc():
    """Return an exam with a bright disc in its middle."""
    rows, columns = np.mgrid[:72, :80]
    away = np.hypot((rows - 35.5) * SPACING[0], (columns - 39.5) * SPACING[1])
    pixels = (300 / (1 + np.exp((away - 9.0) / 0.4)) + 50).round()
    shown = Slice.from_array("1.4.0", axial_plane(0.0, 0.0, SPACING), pixels, 4.0)
    return Exam("S01", "pre", (Series("1.4", (shown,), Weighting.T2),))


@pytest.fixture
def opened(win, exam, tmp_path, qtbot):
    """Return a window with an exam, large enough to draw in, the right multifidus in hand."""
    # A hand of two seconds takes longer where others use the machine.
    win.wait = functools.partial(qtbot.waitUntil, timeout=20_000)
    qt_window(win.viewer).resize(1200, 900)
    win.open(exam, tmp_path)
    win.wait(lambda: min(win.canvas.width(), win.canvas.height()) > 2 * RADIUS + 100)
    win.viewer.reset_view()
    win.press("Q")
    return win


def play(win, steps, done):
    """Let a hand play steps given from the middle of the canvas, until something is done."""
    middle = win.canvas.mapToGlobal(win.canvas.rect().center())
    hand = playing([(s, kind, middle.x() + x, middle.y() + y) for s, kind, x, y in steps])
    win.wait(lambda: hand.poll() is not None)
    assert hand.returncode == 0
    win.wait(done)


def on_screen(win, loop):
    """Return an outline in pixels of the screen, beside the middle of the canvas."""
    centre = np.array(win.viewer.scene.camera.center)[-2:]
    return ((loop * SPACING - centre) * win.viewer.scene.camera.zoom)[:, ::-1]


def outlines(win):
    return win.annotator.workspace.session.drawing.loops(MULTIFIDUS_RIGHT, 0)


def ring(count):
    """Return points of a circle around the middle, in whole pixels, the first one once more."""
    angle = np.linspace(0, 2 * np.pi, count + 1)
    return np.round(RADIUS * np.stack((np.cos(angle), np.sin(angle)), axis=1)).astype(int).tolist()


def test_a_circle_by_hand_is_what_the_hand_drew(opened):
    for hertz, chord in ((1000, 3.0), (125, 5.1)):
        # Qt's default, until the tool is taken and after it is put away.
        assert QCoreApplication.testAttribute(COMPRESSION)
        opened.press("U")
        points = ring(2 * hertz)
        moves = [(0.05 + n / hertz, "move", x, y) for n, (x, y) in enumerate(points)]
        x, y = points[0]
        steps = [(0.0, "move", x, y), (0.02, "press", x, y), *moves, (2.1, "release", x, y)]
        play(opened, steps, lambda: len(outlines(opened)) == 1)
        (loop,) = (on_screen(opened, loop) for loop in outlines(opened))
        assert area([loop]) == pytest.approx(np.pi * RADIUS**2, rel=0.005), hertz
        assert np.hypot(*(loop - np.roll(loop, 1, axis=0)).T).max() <= chord, hertz
        take_back(opened)
        opened.press("J")
        assert QCoreApplication.testAttribute(COMPRESSION)


def held_up(win, steps):
    """Let a hand play steps of (seconds, kind, x, y) while the window is too busy to look."""
    middle = win.canvas.mapToGlobal(win.canvas.rect().center())
    NativeMouse().play([(s, kind, middle.x() + x, middle.y() + y) for s, kind, x, y in steps])


def point_at(win, x, y):
    """Bring the mouse to a point, given from the middle of the canvas, as the window knows."""
    middle = win.canvas.rect().center()
    held_up(win, [(0.0, "move", x, y)])
    win.wait(win.canvas.underMouse)
    there = win.canvas.mapToGlobal(middle)
    win.wait(lambda: (QCursor.pos().x(), QCursor.pos().y()) == (there.x() + x, there.y() + y))


@pytest.mark.parametrize("first", ["tool", "hand"])
def test_no_move_of_a_stroke_is_lost_on_a_busy_machine(opened, first):
    points = ring(120)
    # The tool is taken over the image, or the hand comes to the image with the tool in hand.
    if first == "hand":
        opened.press("U")
        held_up(opened, [(0.0, "move", 0, -opened.canvas.height())])
        opened.wait(lambda: not opened.canvas.underMouse())
        assert QCoreApplication.testAttribute(COMPRESSION)
    point_at(opened, *points[0])
    if first == "tool":
        opened.press("U")
    moves = [(0.002 + n / 2000, "move", *point) for n, point in enumerate(points)]
    press, release = (0.001, "press", *points[0]), (0.065, "release", *points[-1])
    held_up(opened, [press, *moves, release])
    opened.wait(lambda: len(outlines(opened)) == 1)
    (loop,) = (on_screen(opened, loop) for loop in outlines(opened))
    assert len(loop) == len({tuple(point) for point in points})
    # It ends where it began; the middle is between pixels of the screen.
    np.testing.assert_allclose(loop, points[1:], atol=1.1)


class Moves(QObject):
    """Counts the moves that reach a canvas, and notes the last one."""

    def __init__(self, canvas):
        super().__init__()
        self.count, self.last = 0, None
        canvas.installEventFilter(self)

    def eventFilter(self, watched, event):  # noqa: N802 - Qt's
        if event.type() == QEvent.Type.MouseMove:
            self.count += 1
            self.last = event.position()
        return False


def test_a_hand_that_hovers_with_a_tool_is_followed_once_a_frame(opened):
    points = ring(1000)
    point_at(opened, *points[0])
    # What looks before the tool does looks after it once more: Qt asks the newest first.
    moves = Moves(opened.canvas)
    opened.press("U")
    play(opened, [(0.05 + n / 1000, "move", *p) for n, p in enumerate(points)], lambda: True)
    x, y = points[-1]
    middle = opened.canvas.rect().center()
    opened.wait(lambda: (moves.last.x(), moves.last.y()) == (middle.x() + x, middle.y() + y))
    # One second of hovering; a frame is 16 ms.
    assert 10 <= moves.count <= 70


def take_back(win):
    win.press("Ctrl+Z")
    assert not outlines(win)


def corners(count):
    """Return corners around the middle, each more than a double click's reach from the last."""
    angle = np.arange(count) * 2 * np.pi / count
    radius = RADIUS * (1 + 0.3 * np.cos(3 * angle))
    return np.round(radius * np.stack((np.cos(angle), np.sin(angle)))).astype(int).T.tolist()


def clicks(points, pause):
    """Return steps that click on every point, and on the last one twice."""
    steps, now = [], 0.1
    for x, y in [*points, points[-1]]:
        steps += [(now, "move", x, y), (now + 0.01, "press", x, y), (now + 0.03, "release", x, y)]
        now += pause
    return steps


def test_every_click_of_a_fast_polygon_is_a_corner(opened):
    for pause, count in ((0.15, 20), (0.1, 12)):
        points = corners(count)
        play(opened, clicks(points, pause), lambda: len(outlines(opened)) == 1)
        (loop,) = (on_screen(opened, loop) for loop in outlines(opened))
        assert loop.shape == (count, 2), pause
        # The middle is between pixels of the screen.
        np.testing.assert_allclose(loop, points, atol=1.1, err_msg=f"{pause} s")
        take_back(opened)


def test_corners_are_where_the_hand_was_though_the_window_manager_is_late(opened, window_manager):
    points = corners(9)
    window_manager.send_signal(signal.SIGSTOP)
    try:
        play(opened, clicks(points, 0.05), lambda: len(outlines(opened)) == 1)
    finally:
        window_manager.send_signal(signal.SIGCONT)
    (loop,) = (on_screen(opened, loop) for loop in outlines(opened))
    np.testing.assert_allclose(loop, points, atol=1.1)


def test_corners_close_together_are_no_double_click(opened):
    points = [(round(0.07 * x), round(0.07 * y)) for x, y in ring(14)[:14]]
    steps = np.abs(np.subtract(points, np.roll(points, 1, axis=0)))
    assert 2 < np.hypot(*steps.T).min() <= 3
    assert steps.max() <= 5
    for tool in ("O", "Shift+J"):
        before = len(outlines(opened))
        opened.press(tool)
        play(opened, clicks(points, 0.1), lambda count=before + 1: len(outlines(opened)) == count)
        loop = on_screen(opened, max(outlines(opened), key=len))
        assert loop.shape == (14, 2), tool
        np.testing.assert_allclose(loop, points, atol=1.1, err_msg=tool)
        if tool == "O":
            take_back(opened)
            # A part is added beside an outline.
            workspace = opened.annotator.workspace
            beside = np.array([(20.0, 20.0), (20.0, 24.0), (24.0, 24.0)])
            workspace.session.put(MULTIFIDUS_RIGHT, 0, [beside])
            workspace.canvas.push(MULTIFIDUS_RIGHT)
            workspace.committed()


def test_a_double_click_ends_an_outline_and_a_hole_without_zooming(opened, disc, tmp_path):
    opened.empty()
    opened.open(disc, tmp_path / "disc")
    opened.viewer.reset_view()
    opened.press("Q")
    zoom = opened.viewer.scene.camera.zoom
    for keys, radius_mm, count in (("Y", 9.0, 1), ("Shift+H", 4.0, 2)):
        opened.press(keys)
        points = (radius_mm * zoom / RADIUS * np.array(ring(5)[:5])).round().astype(int).tolist()
        play(opened, clicks(points, 0.12), lambda count=count: len(outlines(opened)) == count)
        assert opened.viewer.scene.camera.zoom == zoom
        assert not opened.annotator.workspace.canvas.unfinished()


def test_a_stroke_that_is_not_closed_is_said_and_stays(opened, messages):
    opened.press("U")
    points = ring(200)[:140]
    moves = [(0.2 + n / 500, "move", x, y) for n, (x, y) in enumerate(points)]
    steps = [(0.0, "move", *points[0]), (0.1, "press", *points[0]), *moves]
    steps.append((0.6, "release", *points[-1]))
    play(opened, steps, lambda: any("It is not closed" in words for words in messages))
    assert not outlines(opened)
    assert len(opened.annotator.workspace.canvas.unfinished()) == 1
    opened.press("Return")
    (loop,) = outlines(opened)
    assert len(loop) == len({tuple(point) for point in points})


def stroke(points):
    moves = [(0.2 + n / 500, "move", x, y) for n, (x, y) in enumerate(points)]
    end = (0.4 + len(points) / 500, "release", *points[-1])
    return [(0.0, "move", *points[0]), (0.1, "press", *points[0]), *moves, end]


def test_a_stroke_that_waited_says_what_it_leaves_out_and_closes_when_it_is_whole(opened, messages):
    points = ring(200)
    opened.press("U")
    play(opened, stroke(points[:60]), lambda: any("leaves out" in words for words in messages))
    for away, back in ((".", ","), ("W", "Q")):
        messages.clear()
        opened.press(away)
        opened.press(back)
        assert any("leaves out" in words for words in messages)
    messages.clear()
    play(opened, stroke(points[59:130]), lambda: any("leaves out" in words for words in messages))
    assert not outlines(opened)
    play(opened, stroke(points[129:]), lambda: len(outlines(opened)) == 1)
    (loop,) = (on_screen(opened, loop) for loop in outlines(opened))
    assert area([loop]) == pytest.approx(np.pi * RADIUS**2, rel=0.01)
    assert not opened.annotator.workspace.canvas.unfinished()


def test_a_window_closed_in_the_middle_of_a_stroke_lets_go_of_the_mouse(window, exam, tmp_path):
    made = window()
    made.open(exam, tmp_path)
    made.press("Q")
    made.press("C")
    made.send("MouseMove", (30.0, 30.0), pressed=False)
    made.send("MouseButtonPress", (30.0, 30.0))
    made.send("MouseMove", (30.0, 40.0))
    assert not QCoreApplication.testAttribute(COMPRESSION)
    made.close()
    QCoreApplication.processEvents()
    assert QCoreApplication.testAttribute(COMPRESSION)


def moved(points, right):
    return [(x + right, y) for x, y in points]


def test_clicks_right_behind_a_closed_outline_are_corners_of_the_next(opened):
    opened.annotator.edit_tools.advances = True
    right, left = (moved(corners(count), by) for count, by in ((9, -150), (7, 150)))
    steps = clicks(right, 0.05)
    then = steps[-1][0]
    point_at(opened, *right[0])
    # All of it waits while the window is busy.
    held_up(opened, steps + [(then + s, kind, x, y) for s, kind, x, y in clicks(left, 0.05)])
    session = opened.annotator.workspace.session
    opened.wait(lambda: bool(session.drawing.loops(MULTIFIDUS_LEFT, 0)))
    for key, points in ((MULTIFIDUS_RIGHT, right), (MULTIFIDUS_LEFT, left)):
        (loop,) = session.drawing.loops(key, 0)
        np.testing.assert_allclose(on_screen(opened, loop), points, atol=1.1, err_msg=key.words)
    assert not opened.annotator.workspace.canvas.unfinished()


def test_another_reading_is_not_gone_on_in_for_what_was_closed_in_the_one_before(opened, tmp_path):
    opened.annotator.edit_tools.advances = True
    workspace = opened.annotator.workspace
    workspace.canvas.go_to(1)
    workspace.outline_closed.emit(MULTIFIDUS_RIGHT, 1)
    opened.annotator.opener.set_folder(tmp_path / "other")
    workspace.canvas.go_to(0)
    before = workspace.canvas.active, workspace.canvas.index
    QCoreApplication.processEvents()
    assert (workspace.canvas.active, workspace.canvas.index) == before
