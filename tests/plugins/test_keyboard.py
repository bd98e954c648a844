"""One reading by the keyboard alone: everything is reached with Tab, seen to be, and acts."""

from __future__ import annotations

import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.workflow import StepName
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QTableView

from multifidus.data.anatomy import Level, Side
from tests.support.keyboard import MOST_STOPS, press, tab_to, to_image
from tests.support.napari_window import qt_window

pytestmark = pytest.mark.gui


def stops(win):
    """Press Tab until the image has the focus again; return what had it on the way."""
    to_image(win)
    found = []
    for _ in range(MOST_STOPS):
        press(Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is win.canvas:
            return found
        assert now is not None
        assert now not in found[:-1], f"Tab goes round without the image, at {now}"
        found.append(now)
    pytest.fail("Tab does not come back to the image")


def test_every_step_is_done_by_the_keyboard(win, exam, tmp_path):
    win.open(exam, tmp_path)
    dock, workspace = win.dock, win.annotator.workspace
    reached = stops(win)
    every = [*dock.tools.buttons.values(), *dock.tools.acts.values(), dock.tools.more]
    every += [dock.slice_level.level, dock.slice_level.mark, dock.measure]
    every += [made for made in dock.bar.findChildren(QAbstractButton) if made.isVisible()]
    missed = [one for one in every if one.isVisible() and one.isEnabled() and one not in reached]
    assert not missed, [one.text() or one.accessibleName() or one.toolTip() for one in missed]
    # Choose a structure, then a tool; both stay with the image's keys in reach.
    tab_to(win, dock.tools.buttons[MULTIFIDUS_LEFT])
    press(Qt.Key.Key_Space)
    assert workspace.canvas.active == MULTIFIDUS_LEFT
    tab_to(win, dock.tools.acts["freehand"])
    press(Qt.Key.Key_Space)
    assert win.annotator.edit_tools.tool == "freehand"
    # A list: opened, chosen from and closed.
    tab_to(win, dock.slice_level.level)
    assert isinstance(dock.slice_level.level, QComboBox)
    row = dock.slice_level.level.findData(Level.L4_L5.value)
    press(Qt.Key.Key_Space)
    for _ in range(row - dock.slice_level.level.currentIndex()):
        press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    assert workspace.session.analysis.level_of(0)[0] is Level.L4_L5
    win.wait(lambda: QApplication.focusWidget() is win.canvas)
    # The next step of the line over the window.
    step = dock.bar.steps.buttons[StepName.RIGHT]
    tab_to(win, step)
    press(Qt.Key.Key_Return)
    assert workspace.canvas.active == MULTIFIDUS_RIGHT
    # A grade, by its keys.
    to_image(win)
    press(Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    press(Qt.Key.Key_2)
    assert workspace.session.drawing.own_grades["goutallier", Level.L4_L5, Side.RIGHT] == 2


def test_tab_leaves_every_table(win, exam, tmp_path):
    """In a table that keeps Tab for itself one would go round for ever."""
    win.open(exam, tmp_path)
    tables = qt_window(win.viewer).findChildren(QTableView)
    assert tables
    assert not any(table.tabKeyNavigation() for table in tables)
