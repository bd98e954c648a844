"""The window on a laptop's screen: it fits, and no words are cut off."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from napari_multifidus.models.shapes import LayerKey
from napari_multifidus.models.workflow import StepName, WorkflowStep
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
)

from multifidus.data.anatomy import Side, Structure
from multifidus.sample_data import sample_dir
from tests.support.exams import circle
from tests.support.napari_window import qt_window

pytestmark = pytest.mark.gui

LAPTOP = 1366, 768
CROSSING = ((150.0, 150.0), (180.0, 190.0), (150.0, 190.0), (180.0, 150.0))
FRAME_AND_BARS = 60
"""What a window manager takes for its title bar and panel."""


@pytest.fixture
def small(win, tmp_path):
    """Return the window with an exam and everything else that opens beside it."""
    shutil.copytree(sample_dir() / "S01_pre", tmp_path / "S01_pre")
    win.viewer.open(str(tmp_path / "S01_pre"), plugin="multifidus")
    win.wait(lambda: win.annotator.workspace.is_open)
    win.wait(win.dock.locator.isVisible)
    win.dock.feedback.tour.end()
    before = qt_window(win.viewer).size()
    win.viewer.window.resize(LAPTOP[0], LAPTOP[1] - FRAME_AND_BARS)
    QTest.qWait(50)
    yield win
    qt_window(win.viewer).resize(before)


def test_the_window_fits_a_laptop_with_all_that_opens_by_itself(small):
    window = qt_window(small.viewer)
    assert window.height() <= LAPTOP[1] - FRAME_AND_BARS
    assert window.width() <= LAPTOP[0]
    # The image keeps most of it.
    assert small.canvas.width() > 0.4 * LAPTOP[0]


def test_no_words_are_cut_off_on_a_laptop(small):
    session, canvas = small.annotator.workspace.session, small.annotator.workspace.canvas
    for side, column in ((Side.RIGHT, 120), (Side.LEFT, 200)):
        key = LayerKey(Structure.QUADRATUS_LUMBORUM, side)
        session.put(key, 1, [circle(200, column, 20)])
        canvas.layer(key)
        canvas.push(key)
    small.annotator.workspace.committed()
    canvas.go_to(1)
    canvas.activate(key, "pan_zoom")
    (scroll,) = (
        area for area in small.dock.findChildren(QScrollArea) if area.parent() is small.dock
    )
    tabs, cut = small.dock.feedback.tabs, []
    for page in range(tabs.count()):
        tabs.setCurrentIndex(page)
        QTest.qWait(120)
        # It scrolls up and down, never sideways.
        assert scroll.widget().width() <= scroll.viewport().width()
        cut += [words for widget in parts(small.dock) if (words := cut_off(widget))]
    assert sorted(set(cut)) == [], "cut off"


def test_the_steps_are_whole_whichever_is_next_and_the_exam_is_named(small):
    steps = small.dock.bar.steps
    shown = tuple(steps.buttons.values())
    for following in StepName:
        steps.show_steps(WorkflowStep(name, 14, 15, name is following) for name in StepName)
        small.wait(lambda: not any(b.width() < b.sizeHint().width() for b in shown))
    small.dock.exam.setText("PHM3JC \N{MIDDLE DOT} blinded")
    QTest.qWait(20)
    assert QLabel.text(small.dock.exam) == "PHM3JC \N{MIDDLE DOT} blinded"


def test_what_crosses_itself_is_said_without_moving_the_cards(small):
    session, cards = small.annotator.workspace.session, small.dock.numbers
    before = cards.y()
    key = LayerKey(Structure.MULTIFIDUS, Side.LEFT)
    index = small.annotator.workspace.canvas.index
    session.put(key, index, [np.array(CROSSING)])
    small.dock.correction.show_state(index, session.drawing.incomplete())
    QTest.qWait(50)
    assert small.dock.correction.isVisible()
    assert cards.y() == before


def test_whatever_is_pressed_chosen_or_typed_says_what_it_is_for(small):
    found = [
        part
        for kind in (QPushButton, QComboBox, QLineEdit, QCheckBox, QSpinBox)
        for root in (small.dock, small.dock.locator)
        for part in root.findChildren(kind)
    ]
    # A field inside of a box has the box's own tip.
    own = [part for part in found if not isinstance(part.parent(), QComboBox | QSpinBox)]
    assert len(own) > 40
    mute = [part for part in own if not tip(part)]
    assert [
        f"{type(part.parent()).__name__}: {part.metaObject().className()}" for part in mute
    ] == []


def tip(part):
    return part.toolTip() or part.parent().toolTip()


def parts(dock):
    found = [part for kind in (QLabel, QPushButton, QComboBox) for part in dock.findChildren(kind)]
    return [part for part in found if part.isVisible()]


def cut_off(widget):
    """Return the words that a widget has no room for; nothing where it has."""
    if isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        field = widget.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            widget,
        )
        words, room = widget.currentText(), field.width()
        wide = widget.fontMetrics().horizontalAdvance(words)
        return f"{words}: {wide} in {room}" if wide > room else ""
    if isinstance(widget, QPushButton):
        words = widget.text()
        return words if widget.fontMetrics().horizontalAdvance(words) > widget.width() - 4 else ""
    if widget.wordWrap():
        tall = widget.heightForWidth(widget.width())
        return widget.text() if tall > widget.height() else ""
    words = widget.text()
    return words if widget.fontMetrics().horizontalAdvance(words) > widget.width() else ""
