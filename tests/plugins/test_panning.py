"""The view is moved while a tool is in hand, and the tool notices nothing of it."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_RIGHT
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from tests.plugins.conftest import SPACING

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

SQUARE = [(20.0, 10.0), (20.0, 30.0), (50.0, 30.0), (50.0, 10.0)]
STEP = (60.0, -40.0)
"""How far the mouse goes: to the right and up, in pixels of the screen."""


@pytest.fixture
def moves_as_the_hand(win):
    """Return what drags the view by the middle button and by Space, and looks how far it moved."""

    def by_middle():
        drag(win, Qt.MouseButton.MiddleButton)

    def by_space():
        QTest.keyPress(win.canvas, Qt.Key.Key_Space)
        drag(win, Qt.MouseButton.LeftButton)
        QTest.keyRelease(win.canvas, Qt.Key.Key_Space)

    def check(then):
        for drags in (by_middle, by_space):
            before = np.array(win.viewer.scene.camera.center)
            drags()
            moved = (np.array(win.viewer.scene.camera.center) - before)[-2:]
            np.testing.assert_allclose(moved, expected(win), atol=0.6, err_msg=drags.__name__)
            then(drags.__name__)

    return check


def drag(win, button):
    """Press a button in the middle of the image, move, and let go."""
    start = win.at(35.0, 40.0)
    none = Qt.MouseButton.NoButton
    places = [start + QPointF(*(share * np.array(STEP))) for share in (0, 0.25, 0.5, 0.75, 1)]
    send(win, QEvent.Type.MouseMove, start, none, none)
    send(win, QEvent.Type.MouseButtonPress, start, button, button)
    for place in places[1:]:
        send(win, QEvent.Type.MouseMove, place, none, button)
        # The canvas looks at the mouse every few milliseconds only.
        QTest.qWait(20)
    send(win, QEvent.Type.MouseButtonRelease, places[-1], button, none)


def send(win, kind, place, button, held):  # noqa: PLR0917 - as Qt has them
    glob = QPointF(win.canvas.mapToGlobal(place.toPoint()))
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(win.canvas, QMouseEvent(kind, place, glob, button, held, none))
    QApplication.processEvents()


def expected(win):
    """By how many millimetres the view has moved: against the mouse, down and right."""
    return -np.array((STEP[1], STEP[0])) / win.viewer.scene.camera.zoom


def area_mm2(win):
    numbers = win.annotator.workspace.session.analysis.numbers(MULTIFIDUS_RIGHT, 0)
    return 0.0 if numbers is None else numbers.area_mm2


def test_an_outline_in_the_making_stays_as_it_is(win, exam, tmp_path, moves_as_the_hand):
    win.open(exam, tmp_path)
    win.press("Q")
    for corner in SQUARE[:2]:
        win.click(corner)
    (making,) = win.annotator.workspace.canvas.unfinished()

    def nothing_changed(by):
        (still,) = win.annotator.workspace.canvas.unfinished()
        np.testing.assert_allclose(still[2].path, making[2].path, err_msg=by)
        assert win.annotator.edit_tools.tool == "polygon", by

    moves_as_the_hand(nothing_changed)
    # Where the view is now, the other corners are clicked where they lie.
    win.draw(SQUARE[2:])
    assert area_mm2(win) == pytest.approx(600 * SPACING[0] * SPACING[1], rel=0.03)


def test_tools_of_ours_hear_nothing_of_it_and_go_on(win, exam, tmp_path, moves_as_the_hand):
    win.open(exam, tmp_path)
    win.press("Q")
    for key, tool in (("C", "brush"), ("U", "freehand"), ("Y", "livewire")):
        win.press(key)

        def nothing_changed(by, tool=tool):
            assert area_mm2(win) == 0, by
            assert win.annotator.workspace.canvas.unfinished() == [], by
            assert win.annotator.edit_tools.tool == tool, by

        moves_as_the_hand(nothing_changed)
    win.press("C")
    win.click((35.0, 30.0))
    assert area_mm2(win) > 0


def test_no_vertex_moves_with_the_view(win, exam, tmp_path, moves_as_the_hand):
    win.open(exam, tmp_path)
    win.press("Q")
    win.draw([(35.0, 40.0), (20.0, 60.0), (50.0, 60.0)])
    win.press("J")
    before = area_mm2(win)

    def nothing_changed(by):
        assert area_mm2(win) == before, by
        assert win.annotator.edit_tools.tool == "edit", by

    moves_as_the_hand(nothing_changed)


def test_the_view_is_let_go_of_with_the_exam(win, exam, tmp_path):
    count = len(win.viewer.mouse_drag_callbacks)
    for _ in range(2):
        win.open(exam, tmp_path)
        # The view, and the grey levels.
        assert len(win.viewer.mouse_drag_callbacks) == count + 2
        win.empty()
    assert len(win.viewer.mouse_drag_callbacks) == count
