"""The window on a laptop's screen: it fits, and no words are cut off."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from napari_multifidus._compat import PLUGIN, show_below_canvas
from napari_multifidus.controllers.canvas_texts import BAR_ROOM_PX, show_lock
from napari_multifidus.models.edit_operations import swap_sides
from napari_multifidus.models.shapes import LayerKey
from napari_multifidus.models.slice_projection import SliceProjection
from napari_multifidus.models.workflow import StepName, WorkflowStep
from napari_multifidus.views.help import FRAME
from napari_multifidus.views.picture import SlicePicture
from qtpy.QtCore import QPoint, QRect
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.image import Slice
from multifidus.sample_data import sample_dir
from tests.support.exams import axial_plane, circle
from tests.support.napari_window import qt_window, text_size

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


def the_window_fits_a_laptop_with_all_that_opens_by_itself(small):
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


def the_steps_are_whole_whichever_is_next_and_the_exam_is_named(small):
    steps = small.dock.bar.steps
    shown = tuple(steps.buttons.values())
    for following in StepName:
        steps.show_steps(WorkflowStep(name, 14, 15, name is following) for name in StepName)
        small.wait(lambda: not any(b.width() < b.sizeHint().width() for b in shown))
    small.dock.exam.setText("PHM3JC \N{MIDDLE DOT} blinded")
    QTest.qWait(20)
    assert QLabel.text(small.dock.exam) == "PHM3JC \N{MIDDLE DOT} blinded"


def test_how_far_a_step_is_is_told_by_a_sign_and_in_words(win):
    steps = win.dock.bar.steps
    made = [(StepName.LEVELS, 1, 1), (StepName.RIGHT, 3, 15), (StepName.LEFT, 0, 15)]
    steps.show_steps(WorkflowStep(*step) for step in made)
    words = [steps.buttons[name].text() for name, *_ in made]
    assert words == ["✓ mark levels", "◐ right 3/15", "left 0/15"]
    steps.show_steps([WorkflowStep(StepName.LEFT, 15, 15)])
    assert steps.buttons[StepName.LEFT].text() == "✓ left"
    steps.show_steps(WorkflowStep(*step) for step in made)
    tips = [steps.buttons[name].toolTip().splitlines()[0] for name, *_ in made]
    assert tips == [
        "Complete.",
        "Begun, not complete: 3 of 15 done.",
        "Not begun: 0 of 15 done.",
    ]


def what_crosses_itself_is_said_without_moving_the_cards(small):
    session, cards = small.annotator.workspace.session, small.dock.numbers
    before = cards.y()
    key = LayerKey(Structure.MULTIFIDUS, Side.LEFT)
    index = small.annotator.workspace.canvas.index
    session.put(key, index, [np.array(CROSSING)])
    small.dock.correction.show_state(index, session.drawing.incomplete())
    QTest.qWait(50)
    assert small.dock.correction.isVisible()
    assert cards.y() == before


def places(win):
    """Return where on the screen whatever is seen of the panel stands, and how large it is."""
    (scroll,) = (area for area in win.dock.findChildren(QScrollArea) if area.parent() is win.dock)
    inside = scroll.widget().findChildren(QWidget)
    below = [win.dock.gate, win.dock.feedback.tour]
    seen = (part for part in [*inside, *below] if part.isVisible())
    return {part: (part.mapTo(win.dock, QPoint()), part.size()) for part in seen}


@pytest.mark.parametrize("height", [LAPTOP[1] - FRAME_AND_BARS, 1000])
def test_an_obstacle_that_comes_moves_nothing(small, height):
    window = qt_window(small.viewer)
    small.viewer.window.resize(LAPTOP[0], height)
    small.wait(lambda: abs(window.height() - height) <= FRAME_AND_BARS)
    small.dock.feedback.tour.start()
    QTest.qWait(50)
    session, canvas = small.annotator.workspace.session, small.annotator.workspace.canvas
    right, left = (LayerKey(Structure.MULTIFIDUS, side) for side in (Side.RIGHT, Side.LEFT))
    banner, index = small.dock.obstacle, canvas.index
    for key, column in ((right, 120), (left, 200)):
        session.put(key, index, [circle(200, column, 20)])
        canvas.layer(key)
        canvas.push(key)
    small.annotator.workspace.committed()
    QTest.qWait(50)
    assert banner.isHidden()
    before = places(small)
    swap_sides(session, [(right, index)])
    canvas.redraw([(right, index), (left, index)])
    small.annotator.workspace.committed()
    small.wait(banner.isVisible)
    QTest.qWait(50)
    after = places(small)
    moved = {part for part in before if part in after and after[part] != before[part]}
    # Numbers are others; the cards that they stand on are where they were.
    assert not [part for part in moved if not isinstance(part, QLabel)]
    assert len(before) > 50
    # It is seen as a whole, and the panel with it.
    assert small.dock.rect().contains(banner.geometry())
    assert banner.mend.visibleRegion().boundingRect().size() == banner.mend.size()
    small.dock.feedback.tour.end()


def test_the_frame_of_the_tour_lies_on_no_control(small):
    tour = small.dock.feedback.tour
    tour.start()
    kinds = QAbstractButton, QComboBox, QSpinBox, QLineEdit
    while tour.is_running:
        QTest.qWait(20)
        frame, window = tour.highlight, qt_window(small.viewer)
        outer = QRect(frame.mapTo(window, QPoint()), frame.size())
        inner = outer.adjusted(FRAME, FRAME, -FRAME, -FRAME)
        for kind in kinds:
            for part in window.findChildren(kind):
                # What is framed itself may have no room around it.
                if part is frame.target or part.visibleRegion().isEmpty():
                    continue
                own = QRect(part.mapTo(window, QPoint()), part.size())
                assert not own.intersects(outer) or inner.contains(own), (tour.place, part)
        tour.go_to(tour.place + 1)


def test_the_scale_bar_leaves_a_narrow_image_free(small):
    bar, holder = small.viewer.canvas.overlays.scale_bar, small.canvas.parentWidget()
    widest = holder.maximumWidth()
    for width, is_shown in ((300, False), (BAR_ROOM_PX + 10, True), (300, False)):
        holder.setFixedWidth(width)
        small.wait(lambda wide=width: abs(small.viewer.canvas.size[1] - wide) <= 1)
        assert bar.visible == is_shown
        # Nor does another slice bring it back.
        small.annotator.display.step(1)
        assert bar.visible == is_shown
    # Nor does the image that was bare.
    small.annotator.image_view.toggle_bare()
    small.annotator.image_view.toggle_bare()
    assert not bar.visible
    holder.setMinimumWidth(0)
    holder.setMaximumWidth(widest)
    small.wait(lambda: bar.visible)


def the_name_of_the_exam_has_room_for_its_last_letter(small):
    for words in ("No exam is open", "subject-1 \N{MIDDLE DOT} exam-1"):
        small.dock.exam.setText(words)
        QTest.qWait(50)
        assert QLabel.text(small.dock.exam) == words
        # Qt's own size of it: letters and what stands around them.
        assert QLabel.sizeHint(small.dock.exam).width() <= small.dock.exam.width(), words


def test_what_lies_in_front_of_the_results_stays_there(small):
    panel = QLabel("adjudication")
    show_below_canvas(small.viewer, panel, "In front")
    small.wait(panel.isVisible)
    small.wait(lambda: panel.visibleRegion().boundingRect().height() > 0)
    small.viewer.window.resize(LAPTOP[0] - 100, LAPTOP[1] - FRAME_AND_BARS)
    QTest.qWait(50)
    assert panel.visibleRegion().boundingRect().height() > 0
    small.dock.parts.show_results()
    small.wait(lambda: small.dock.feedback.tabs.visibleRegion().boundingRect().height() > 0)
    small.viewer.window.remove_dock_widget(panel)


def texts_of_a_narrow_image_stand_below_each_other(small):
    canvas, session = small.annotator.workspace.canvas, small.annotator.workspace.session
    session.set_level(canvas.index, Level.L1_L2)
    canvas.refresh()
    show_lock(small.viewer, locked=True)
    small.annotator.grading.start()
    names = ("slice", "warnings", "lock", "grading")
    shown = [small.viewer.canvas.overlays[f"{PLUGIN}_{name}"] for name in names]
    assert all(text.visible for text in shown)
    # napari keeps texts of one corner apart, however narrow the image.
    assert {str(text.position) for text in shown} == {"top_left"}
    small.annotator.grading.stop()
    show_lock(small.viewer, locked=False)


def texts_of_a_narrow_image_go_on_in_a_new_line(small):
    canvas, session = small.annotator.workspace.canvas, small.annotator.workspace.session
    session.set_level(canvas.index, Level.L1_L2)
    canvas.refresh()
    warnings = small.viewer.canvas.overlays[f"{PLUGIN}_warnings"]
    window, before = qt_window(small.viewer), small.canvas.width()
    for width in (300, before):
        small.canvas.parentWidget().setFixedWidth(width)
        small.wait(lambda wide=width: abs(small.viewer.canvas.size[1] - wide) <= 1)
        for name in ("slice", "warnings"):
            assert text_size(small.viewer, f"{PLUGIN}_{name}")[0] <= width, warnings.text
        lines = warnings.text.count("\n") + 1
        assert (lines > 1) == (width == 300)
    small.canvas.parentWidget().setMaximumWidth(window.maximumWidth())
    small.canvas.parentWidget().setMinimumWidth(0)


def test_sides_are_read_on_a_bright_picture(qapp):
    plane = axial_plane(0.0, 0.0, (1.0, 1.0))
    pixels = np.full((80, 80), 100.0)
    pixels[:4] = 0
    bright = Slice.from_array("1", plane, pixels, 4.0)
    picture = SlicePicture("bright", ("R", "L"))
    picture.resize(200, 200)
    picture.show_slice(SliceProjection.axial(bright), words="slice 1")
    grabbed = picture.grab().toImage()
    for left in (2, 200 - 18):
        box = [
            QColor(grabbed.pixel(x, y)).lightness()
            for x in range(left, left + 16)
            for y in range(88, 103)
        ]
        # Letters have a dark ground of their own, whatever is below.
        assert np.mean(np.array(box) < 90) > 0.4


def whatever_is_pressed_chosen_or_typed_says_what_it_is_for(small):
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


def test_a_laptop_has_room_for_all_that_a_person_needs(small):
    """One window for all: to open it takes longer than each of them."""
    for holds in (
        the_window_fits_a_laptop_with_all_that_opens_by_itself,
        the_steps_are_whole_whichever_is_next_and_the_exam_is_named,
        the_name_of_the_exam_has_room_for_its_last_letter,
        whatever_is_pressed_chosen_or_typed_says_what_it_is_for,
        what_crosses_itself_is_said_without_moving_the_cards,
    ):
        holds(small)


def test_texts_of_a_narrow_image_keep_apart_and_within_it(small):
    texts_of_a_narrow_image_stand_below_each_other(small)
    texts_of_a_narrow_image_go_on_in_a_new_line(small)


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
