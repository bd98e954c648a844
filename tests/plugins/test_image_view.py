"""What the window says about the series of an exam, and how the image is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari_multifidus.controllers.canvas_texts import BAR_ROOM_PX
from napari_multifidus.models.blinding import Access
from napari_multifidus.models.display_images import WindowPreset
from napari_multifidus.models.image_view import OutlineStyle
from napari_multifidus.models.opening import OpenedExam

from multifidus.data.image import Exam
from tests.plugins.conftest import (
    FAT,
    LEAN,
    MULTIFIDUS_LEFT,
    MULTIFIDUS_RIGHT,
    SPACING,
    make_sagittal,
    make_series,
)
from tests.support.exams import circle
from tests.support.napari_window import qt_window

pytestmark = pytest.mark.gui

FILES = {"5.1": "sag_one.nii", "5.2": "sag_two.nii"}


@pytest.fixture
def twins() -> Exam:
    return Exam("S01", "pre", (make_series(), make_sagittal("5.1"), make_sagittal("5.2")))


def test_series_are_told_apart_by_file_only_where_subjects_are_seen(win, twins, tmp_path):
    source = OpenedExam(twins, twins.series[0], files=FILES)
    box = win.dock.locator.series
    for access, ends in (
        (Access(), ["sag_one.nii", "sag_two.nii"]),
        (Access(blinded=True), ["(1 of 2)", "(2 of 2)"]),
    ):
        win.annotator.opener.switch_to(source, folder=tmp_path, access=access)
        names = [box.itemText(n) for n in range(box.count())]
        assert all(name.endswith(end) for name, end in zip(names, ends, strict=True))


def test_a_missing_sagittal_is_said_as_long_as_it_is_missing(win, exam, twins, tmp_path):
    note = win.dock.slice_level.note
    win.annotator.opener.switch_to(OpenedExam(exam, exam.series[0]), folder=tmp_path)
    assert "no sagittal series" in note.text()
    assert not note.isHidden()
    win.annotator.opener.switch_to(OpenedExam(twins, twins.series[0]), folder=tmp_path)
    assert note.isHidden()


def test_no_message_of_one_exam_stands_beside_the_next(win, exam, tmp_path):
    win.annotator.opener.switch_to(OpenedExam(exam, exam.series[0]), folder=tmp_path)
    win.annotator.workspace.warning.emit("Slice 3 has no level yet.")
    assert win.dock.status.message.text()
    other = replace(exam, subject="S02")
    win.annotator.opener.switch_to(OpenedExam(other, other.series[0]), folder=tmp_path)
    assert win.dock.status.board.shown == ""


# --- how the image is looked at ------------------------------------------------------------------


@pytest.fixture
def drawn(win, exam, tmp_path) -> Any:
    """Return a window with both references and both muscles on the third slice."""
    win.open(exam, tmp_path)
    session, canvas = win.annotator.workspace.session, win.annotator.workspace.canvas
    for key, loop in (
        (LEAN, circle(6, 20, 4)),
        (FAT, circle(66, 20, 4)),
        (MULTIFIDUS_RIGHT, circle(36, 20, 12)),
        (MULTIFIDUS_LEFT, circle(36, 58, 13)),
    ):
        session.put(key, 2, [loop])
        canvas.push(key)
    win.annotator.workspace.committed()
    canvas.go_to(2)
    return win


def measured(win: Any) -> tuple[Any, ...]:
    session = win.annotator.workspace.session
    keys = (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT)
    return session.rois(), *(session.analysis.numbers(key, 2) for key in keys)


def right_drag(win: Any, right: float, down: float) -> None:
    from qtpy.QtCore import QEvent, QPointF, Qt
    from qtpy.QtGui import QMouseEvent

    start = win.at(36.0, 40.0)
    button, none = Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
    for kind, share in (
        ("MouseMove", 0.0),
        ("MouseButtonPress", 0.0),
        ("MouseMove", 0.5),
        ("MouseMove", 1.0),
        ("MouseButtonRelease", 1.0),
    ):
        place = start + QPointF(right, down) * share
        held = kind == "MouseButtonPress" or (kind == "MouseMove" and share > 0)
        event = QMouseEvent(
            getattr(QEvent.Type, kind),
            place,
            QPointF(win.canvas.mapToGlobal(place.toPoint())),
            none if kind == "MouseMove" else button,
            button if held else none,
            Qt.KeyboardModifier.NoModifier,
        )
        deliver(win, event)
        # The canvas looks at the mouse every few milliseconds only, and a mouse moves on.
        again = event if kind == "MouseMove" else None
        win.wait(lambda seen=place, again=again: near(win, seen) or deliver(win, again))


def deliver(win: Any, event: Any) -> bool:
    """Send an event to the canvas, if there is one; returns that nothing is seen yet."""
    from qtpy.QtWidgets import QApplication

    if event is not None:
        QApplication.sendEvent(win.canvas, event)
    QApplication.processEvents()
    return False


def near(win: Any, place: Any) -> bool:
    away = win.at(*(np.array(win.viewer.cursor.position[-2:]) / SPACING)) - place
    return abs(away.x()) + abs(away.y()) < 3


def test_the_right_button_changes_grey_levels_and_nothing_else(drawn):
    image = drawn.images[0]
    low, high = image.contrast_limits
    for key in ("Q", "U", "C", "J"):
        drawn.annotator.display.set_window(WindowPreset.AUTOMATIC)
        assert tuple(image.contrast_limits) == (low, high), key
        assert drawn.dock.image.grey.currentText() != "own", key
        drawn.press(key)
        before, zoom = measured(drawn), drawn.viewer.scene.camera.zoom
        right_drag(drawn, 40.0, -80.0)
        new_low, new_high = image.contrast_limits
        assert new_high - new_low == pytest.approx((high - low) * 2 ** (40 / 200), rel=0.02), key
        assert (new_low + new_high) / 2 < (low + high) / 2 - 0.1 * (high - low), key
        assert measured(drawn) == before, key
        assert drawn.annotator.workspace.canvas.unfinished() == [], key
        assert drawn.viewer.scene.camera.zoom == zoom, key
        assert drawn.dock.image.grey.currentText() == "own", key
        assert drawn.dock.feedback.image.black.value() == pytest.approx(new_low, abs=0.06), key


def test_no_preset_number_or_smoothing_changes_what_is_measured(drawn):
    before, controls = measured(drawn), drawn.dock.feedback.image
    seen = set()
    for preset in WindowPreset:
        drawn.annotator.display.set_window(preset)
        assert drawn.dock.image.grey.currentText() == preset
        seen.add(tuple(drawn.images[0].contrast_limits))
    assert len(seen) == len(WindowPreset)
    controls.black.setValue(50.0)
    controls.white.setValue(250.0)
    controls.smooth.setChecked(True)
    assert tuple(drawn.images[0].contrast_limits) == (50.0, 250.0)
    assert drawn.images[0].interpolation2d == "linear"
    drawn.annotator.workspace.flush()
    assert measured(drawn) == before
    controls.smooth.setChecked(False)


def test_a_preset_is_remembered_for_the_next_exam_and_own_levels_are_not(drawn, exam, tmp_path):
    display = drawn.annotator.display
    other = OpenedExam(replace(exam, subject="S02"), exam.series[0])
    display.set_window(WindowPreset.MUSCLE)
    muscle = tuple(drawn.images[0].contrast_limits)
    display.set_limits(10.0, 20.0)
    drawn.annotator.opener.switch_to(other, folder=tmp_path)
    assert display.window is WindowPreset.MUSCLE
    assert tuple(drawn.images[0].contrast_limits) == pytest.approx(muscle)
    display.set_window(WindowPreset.AUTOMATIC)


def test_one_key_shows_the_bare_image_and_says_so(drawn):
    # A narrow image has no scale bar.
    qt_window(drawn.viewer).resize(1400, 900)
    drawn.wait(lambda: drawn.viewer.canvas.size[1] >= BAR_ROOM_PX)
    overlays = drawn.viewer.canvas.overlays
    drawn.annotator.display.toggle_outlines()
    drawn.annotator.display.toggle_outlines()
    shown = [layer for layer in drawn.viewer.layers if layer.visible]
    drawn.press("Shift+B")
    assert [layer for layer in drawn.viewer.layers if layer.visible] == drawn.images
    # Another slice is as bare.
    drawn.annotator.display.step(1)
    visible = {name for name, item in overlays.items() if item.visible}
    assert visible == {"multifidus_bare"}
    assert "Shift+B" in overlays["multifidus_bare"].text
    assert drawn.dock.feedback.image.bare.isChecked()
    drawn.press("Shift+B")
    assert [layer for layer in drawn.viewer.layers if layer.visible] == shown
    back = {name for name, item in overlays.items() if item.visible and item.opacity == 1}
    assert back >= {"multifidus_right", "multifidus_left", "multifidus_slice", "scale_bar"}
    assert "slice 4 of 6" in overlays["multifidus_slice"].text
    assert not overlays["multifidus_bare"].visible


def test_who_draws_on_the_bare_image_sees_everything_again(drawn):
    drawn.press("Shift+B")
    drawn.press("Q")
    assert not drawn.annotator.image_view.is_bare
    assert drawn.layer(MULTIFIDUS_LEFT).visible


def test_outlines_are_as_thick_at_every_zoom(drawn):
    layer, camera = drawn.layer(MULTIFIDUS_RIGHT), drawn.viewer.scene.camera

    def on_screen() -> float:
        return float(layer.edge_width[0] * camera.zoom * np.sqrt(np.prod(SPACING)))

    for factor in (3.0, 0.4):
        camera.zoom *= factor
        drawn.wait(lambda: abs(on_screen() - 1.6) < 0.01)
    drawn.annotator.image_view.set_style(OutlineStyle(3.0, 0.5))
    assert on_screen() == pytest.approx(3.0, rel=0.01)
    assert layer.opacity == 0.5
    drawn.annotator.image_view.set_style(OutlineStyle())


def test_an_exam_is_fitted_to_the_window_until_a_person_enlarges_it(drawn):
    viewer = drawn.viewer
    height, width = viewer.canvas.size
    before = viewer.scene.camera.zoom
    viewer.canvas.size = (height // 2, width // 2)
    assert viewer.scene.camera.zoom == pytest.approx(before / 2, rel=0.02)
    viewer.scene.camera.zoom *= 3
    enlarged = viewer.scene.camera.zoom
    viewer.canvas.size = (height, width)
    assert viewer.scene.camera.zoom == enlarged
