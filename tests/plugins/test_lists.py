"""Lists and number fields change by a deliberate choice only."""

from __future__ import annotations

import shutil

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QMessageBox,
    QScrollArea,
    QScrollBar,
    QTabBar,
    QTabWidget,
)

from multifidus.data.anatomy import Side, Structure
from multifidus.sample_data import sample_dir
from tests.plugins.conftest import MULTIFIDUS_LEFT
from tests.support.exams import circle
from tests.support.napari_window import qt_window
from tests.support.native_mouse import NativeMouse

pytestmark = pytest.mark.gui


@pytest.fixture
def opened(win, tmp_path):
    shutil.copytree(sample_dir() / "S01_pre", tmp_path / "S01_pre")
    win.viewer.open(str(tmp_path / "S01_pre"), plugin="multifidus")
    win.wait(lambda: win.annotator.workspace.is_open)
    win.wait(win.dock.locator.isVisible)
    # As a window manager does; there is none here.
    qt_window(win.viewer).activateWindow()
    win.wait(lambda: QApplication.focusWidget() is win.canvas)
    return win


def changeable(win):
    """Return every list, number field and slider of the plugin that holds something to choose."""
    panels = (win.dock, win.dock.locator, win.dock.feedback.tabs, win.dock.bar)
    found = [w for kind in (QComboBox, QAbstractSpinBox, QAbstractSlider, QTabBar)
             for panel in panels for w in panel.findChildren(kind)
             if not isinstance(w, QScrollBar)]  # fmt: skip
    return list({id(w): w for w in found}.values())


def value_of(widget):
    return widget.currentIndex() if isinstance(widget, QComboBox | QTabBar) else widget.value()


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


def the_wheel_over_a_list_or_field_changes_nothing(opened):
    widgets = changeable(opened)
    assert len(widgets) >= 8
    before = {widget: value_of(widget) for widget in widgets}
    for steps in (-1, 1):
        for widget in widgets:
            turn_wheel(widget, steps)
            assert value_of(widget) == before[widget], (steps, widget.toolTip())
        assert {widget: value_of(widget) for widget in widgets} == before
    # Nor over a list that was chosen from.
    lists = [w for w in widgets if isinstance(w, QComboBox) and w.isEnabled()]
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
    areas = opened.dock.findChildren(QScrollArea)
    opened.wait(lambda: any(area.verticalScrollBar().maximum() for area in areas))
    area = next(area for area in areas if area.verticalScrollBar().maximum())
    bar = area.verticalScrollBar()
    bar.setValue(0)
    QTest.qWait(50)
    over = next(w for w in area.findChildren(QComboBox) if w.isVisible() and w.count() > 1)
    before = over.currentIndex()
    NativeMouse().turn_wheel(over, -3)
    opened.wait(lambda: bar.value() > 0)
    assert over.currentIndex() == before
    window.resize(size)


def keys_meant_for_the_image_do_not_reach_a_list_that_is_not_open(opened):
    annotator = opened.annotator
    structures = opened.dock.tools.more
    structures.setFocus()
    before = structures.currentIndex()
    for key in (Qt.Key.Key_P, Qt.Key.Key_Down, Qt.Key.Key_Q):
        QTest.keyClick(structures, key)
        assert structures.currentIndex() == before
    in_hand = annotator.workspace.active_key
    assert (in_hand.structure, in_hand.side) == (Structure.MULTIFIDUS, Side.RIGHT)


def reachable_lists(win):
    """Return the lists that a person can choose from now, page by page of the tabs."""
    return [w for w in changeable(win) if isinstance(w, QComboBox) and w.isEnabled()]


def bring_up(widget):
    """Show the page of tabs that a widget is on."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QTabWidget):
            for page in range(parent.count()):
                if parent.widget(page).isAncestorOf(widget):
                    parent.setCurrentIndex(page)
        parent = parent.parentWidget()


def test_after_a_choice_from_any_list_keys_are_for_an_image(opened):
    display, picture = opened.annotator.display, opened.dock.locator.picture
    # A window as low as this one hides what is below the image until it is wanted.
    opened.dock.parts.show_results()
    lists = [w for w in reachable_lists(opened) if w.count()]
    assert len(lists) >= 8
    tried = 0
    for each in lists:
        bring_up(each)
        if not each.isVisible():
            continue
        tried += 1
        for leave in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
            each.setFocus()
            each.showPopup()
            QTest.keyClick(each.view(), leave)
            opened.wait(lambda: QApplication.focusWidget() in {opened.canvas, picture})
        if QApplication.focusWidget() is picture:
            opened.dock.locator.set_marking(False)
            opened.canvas.setFocus()
        before = opened.viewer.dims.current_step[0]
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Period)
        after = opened.viewer.dims.current_step[0]
        assert after == before + 1, each.toolTip()
        display.step(-1)
    assert tried >= 8


def a_click_on_a_button_or_a_tab_leaves_the_keys_to_the_image(opened):
    opened.canvas.setFocus()
    tabs = opened.dock.feedback.tabs.tabBar()
    QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(2).center())
    assert tabs.currentIndex() == 2
    for name in ("smooth", "undo", "livewire"):
        QTest.mouseClick(opened.dock.tools.acts[name], Qt.MouseButton.LeftButton)
    assert QApplication.focusWidget() is opened.canvas


def a_letter_in_a_table_is_a_key_of_the_plugin(opened):
    annotator, view = opened.annotator, opened.dock.table.view
    for index in (1, 2):
        annotator.workspace.session.put(MULTIFIDUS_LEFT, index, [circle(60, 60, 9)])
    annotator.workspace.committed()
    opened.dock.feedback.tabs.setCurrentIndex(0)
    view.setFocus()
    view.selectRow(0)
    row = view.currentIndex().row()
    QTest.keyClick(view, Qt.Key.Key_W)
    assert annotator.workspace.active_key.side is Side.LEFT
    assert annotator.edit_tools.tool == annotator.edit_tools.drawing.replace("add_", "")
    assert view.currentIndex().row() == row
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.currentIndex().row() != row


def what_is_written_into_a_field_ends_with_return_or_with_another_exam(opened):
    opened.dock.feedback.tabs.setCurrentIndex(2)
    for field in (opened.dock.reading.rater, opened.dock.reading.number):
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_Return)
        opened.wait(lambda: QApplication.focusWidget() is opened.canvas)
    opened.dock.reading.rater.setFocus()
    opened.annotator.workspace.opened.emit()
    opened.wait(lambda: QApplication.focusWidget() is opened.canvas)


def keys_are_for_the_image_once_a_dialog_is_closed(opened):
    """Also where a button had been reached by the keyboard, and would be pressed again by Space."""
    window = qt_window(opened.viewer)
    for kind in (QMessageBox, QFileDialog, QInputDialog):
        opened.dock.tools.acts["smooth"].setFocus()
        dialog = kind(opened.dock)
        if kind is QFileDialog:
            dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        close(dialog)
        opened.wait(lambda: window.isActiveWindow() or activate(window))
        opened.wait(lambda: QApplication.focusWidget() is opened.canvas)


def close(dialog):
    """Show a dialog, and close it once it has the keys."""
    # The windows are made active as by a window manager; there is none here.
    timer = QTimer()
    timer.timeout.connect(lambda: dialog.reject() if dialog.isActiveWindow() else activate(dialog))
    timer.start(20)
    dialog.exec()
    timer.stop()
    dialog.deleteLater()


def activate(window):
    window.activateWindow()
    return False


def an_open_list_is_chosen_from_by_keys(opened):
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


def test_lists_fields_and_tables_keep_to_what_a_person_means(opened):
    """One window for all: to open it takes longer than each of them."""
    for holds in (
        the_wheel_over_a_list_or_field_changes_nothing,
        keys_meant_for_the_image_do_not_reach_a_list_that_is_not_open,
        a_click_on_a_button_or_a_tab_leaves_the_keys_to_the_image,
        what_is_written_into_a_field_ends_with_return_or_with_another_exam,
        a_letter_in_a_table_is_a_key_of_the_plugin,
        an_open_list_is_chosen_from_by_keys,
        keys_are_for_the_image_once_a_dialog_is_closed,
    ):
        holds(opened)
        opened.canvas.setFocus()
