"""Lists and number fields change by a deliberate choice only."""

from __future__ import annotations

import shutil

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QScrollArea,
    QScrollBar,
)

from multifidus.data.anatomy import Side, Structure
from multifidus.sample_data import sample_dir
from tests.support.napari_window import qt_window
from tests.support.native_mouse import NativeMouse

pytestmark = pytest.mark.gui


@pytest.fixture
def opened(win, tmp_path):
    shutil.copytree(sample_dir() / "S01_pre", tmp_path / "S01_pre")
    win.viewer.open(str(tmp_path / "S01_pre"), plugin="multifidus")
    win.wait(lambda: win.annotator.workspace.is_open)
    win.wait(win.dock.locator.isVisible)
    return win


def changeable(win):
    """Return every list, number field and slider of the plugin that holds something to choose."""
    panels = (win.dock, win.dock.locator)
    found = [w for kind in (QComboBox, QAbstractSpinBox, QAbstractSlider) for panel in panels
             for w in panel.findChildren(kind) if not isinstance(w, QScrollBar)]  # fmt: skip
    return list({id(w): w for w in found}.values())


def value_of(widget):
    return widget.currentIndex() if isinstance(widget, QComboBox) else widget.value()


def turn_wheel(widget, steps):
    place = QPointF(widget.rect().center())
    event = QWheelEvent(
        place,
        QPointF(widget.mapToGlobal(widget.rect().center())),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


@pytest.mark.parametrize("steps", [-1, 1])
def test_the_wheel_over_a_list_or_field_changes_nothing(opened, steps):
    widgets = changeable(opened)
    assert len(widgets) >= 8
    before = {widget: value_of(widget) for widget in widgets}
    for widget in widgets:
        turn_wheel(widget, steps)
        assert value_of(widget) == before[widget], widget.toolTip()
    assert {widget: value_of(widget) for widget in widgets} == before


def test_the_wheel_over_a_list_that_was_chosen_from_changes_nothing(opened):
    lists = [w for w in changeable(opened) if isinstance(w, QComboBox) and w.isEnabled()]
    for each in lists:
        each.setFocus()
        before = each.currentIndex()
        turn_wheel(each, -1)
        turn_wheel(each, 1)
        assert each.currentIndex() == before


def test_a_real_wheel_over_a_list_scrolls_the_panel(opened):
    """By events of the X server, which reach the panel behind; others of Qt's do not."""
    window = qt_window(opened.viewer)
    size = window.size()
    opened.viewer.window.resize(1366, 500)
    QTest.qWait(200)
    area = next(a for a in opened.dock.findChildren(QScrollArea) if a.verticalScrollBar().maximum())
    bar = area.verticalScrollBar()
    bar.setValue(0)
    QTest.qWait(50)
    over = next(w for w in area.findChildren(QComboBox) if w.isVisible() and w.count() > 1)
    before = over.currentIndex()
    NativeMouse().turn_wheel(over, -3)
    QTest.qWait(200)
    assert bar.value() > 0
    assert over.currentIndex() == before
    window.resize(size)


def test_keys_meant_for_the_image_do_not_reach_a_list_that_is_not_open(opened):
    annotator = opened.annotator
    structures = opened.dock.tools.more
    structures.setFocus()
    before = structures.currentIndex()
    for key in (Qt.Key.Key_P, Qt.Key.Key_Down, Qt.Key.Key_Q):
        QTest.keyClick(structures, key)
        assert structures.currentIndex() == before
    in_hand = annotator.workspace.active_key
    assert (in_hand.structure, in_hand.side) == (Structure.MULTIFIDUS, Side.RIGHT)


def test_an_open_list_is_chosen_from_by_keys(opened):
    level = opened.dock.findChildren(QComboBox)[0]
    for each in (w for w in changeable(opened) if isinstance(w, QComboBox)):
        if each.isEnabled() and each.isVisible() and each.count() > each.currentIndex() + 1 >= 1:
            level = each
            break
    before = level.currentIndex()
    level.showPopup()
    QTest.keyClick(level.view(), Qt.Key.Key_Down)
    QTest.keyClick(level.view(), Qt.Key.Key_Return)
    assert level.currentIndex() == before + 1
