"""What follows the hand in a real viewer: numbers, histogram, fat on the image; grades, tour."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from napari_multifidus.controllers.feedback import FAT_COLOUR, FAT_OPACITY, NAME, Box, paint
from napari_multifidus.controllers.shortcuts import (
    LEAN,
    MULTIFIDUS_LEFT,
    MULTIFIDUS_RIGHT,
    rows as key_rows,
)
from napari_multifidus.models.numbers import Numbers
from napari_multifidus.models.opening import OpenedExam, layer_data
from napari_multifidus.models.preview import OutlinePreview
from napari_multifidus.models.shapes import LayerKey
from napari_multifidus.views.help import ShortcutsDialog, is_first_run
from napari_multifidus.views.preferences import settings
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

import multifidus as mf
from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.protocol import MeasurementProtocol
from tests.support.exams import circle

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def drawn(win, exam, session, tmp_path):
    """Open an exam whose file holds both references and both muscles on slice 2, at L4-L5."""
    session.set_level(2, Level.L4_L5)
    mf.write_rois(
        session.rois(),
        tmp_path / "S01_pre_R1_r1.outlines.json",
    )
    win.open(exam, tmp_path)
    go_on(win)
    yield win
    win.annotator.feedback.shows_fat = False
    win.annotator.outputs.choose_protocol("default")


def press(win, key, modifiers=Qt.KeyboardModifier.NoModifier):
    win.canvas.setFocus()
    QTest.keyClick(win.canvas, key, modifiers)


def overlay(win):
    return next((layer for layer in win.viewer.layers if layer.name == NAME), None)


def fat_pixels(win):
    """Return which pixels of the slice are shown as fat, (row, column)."""
    layer = overlay(win)
    top, left = np.round(np.array(layer.translate[1:]) / layer.scale[1:]).astype(int)
    where = np.argwhere((layer.data[0] == (*FAT_COLOUR, FAT_OPACITY)).all(axis=-1))
    return {(int(row) + top, int(column) + left) for row, column in where}


def test_fat_is_shown_where_it_is_and_follows_hand_and_protocol(drawn, tmp_path, monkeypatch):
    for step in (
        leafing_looks_at_pixels_only_where_it_rests,
        fat_is_seen_where_it_lies,
        the_tour_frames_parts_of_the_window_and_the_table_has_all_keys,
    ):
        step(drawn)
        go_on(drawn)
    pictures_are_those_that_measure_writes(drawn, tmp_path, monkeypatch)
    another_protocol_measures_at_once_and_stays_for_the_next_exam(drawn, tmp_path)
    drawn.annotator.outputs.choose_protocol("default")
    go_on(drawn)
    histogram_and_fat_follow_a_vertex_while_it_is_dragged(drawn)
    drawn.annotator.edit_tools.undo()
    go_on(drawn)
    doubts_stand_beside_the_numbers_at_once(drawn)
    fat_on_the_image_says_so_goes_along_and_comes_off_with_the_exam(drawn)


def test_grades_are_given_by_digits_and_buttons(drawn, tmp_path, exam):
    for step in (
        a_badge_says_what_a_digit_would_grade_until_the_end_is_said,
        nothing_is_graded_without_an_active_multifidus,
        digits_do_what_they_did_where_they_do_not_grade,
        a_button_grades_takes_the_grade_back_and_is_off_on_a_slice_of_no_level,
    ):
        step(drawn)
        while drawn.annotator.workspace.session.drawing.own_grades:
            drawn.annotator.edit_tools.undo()
        go_on(drawn)
    digits_grade_the_side_in_hand_and_go_on_to_the_other(drawn, tmp_path, exam)


def go_on(win):
    """Come back to where the exam was opened."""
    win.annotator.workspace.canvas.go_to(2)
    win.annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    for layer in win.annotator.workspace.canvas.layers.values():
        layer.visible = True
    win.annotator.feedback.shows_fat = False
    win.annotator.feedback.show_preview()


def histogram_and_fat_follow_a_vertex_while_it_is_dragged(drawn):
    feedback, session = drawn.annotator.feedback, drawn.annotator.workspace.session
    press(drawn, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    assert feedback.shows_fat
    at_rest = fat_pixels(drawn)
    drawn.annotator.edit_tools.edit()
    assert drawn.viewer.layers.selection.active == drawn.layer(MULTIFIDUS_LEFT)
    weights, last = [], {}
    feedback.previewed.connect(lambda key, preview: last.update({key: preview}))
    feedback.previewed.connect(
        lambda _, preview: preview and weights.append(preview.counts().sum())
    )
    corner = tuple(float(x) for x in session.drawing.loops(MULTIFIDUS_LEFT, 2)[0][0])
    drawn.drag(corner, (corner[0] + 9, corner[1]))
    moving = fat_pixels(drawn)
    assert len({round(float(weight), 3) for weight in weights}) >= 4
    assert moving > at_rest
    # What is tinted is what the number counts, on the side that moves and on the other.
    for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
        preview = last.get(key) or session.analysis.preview(key, 2)
        tinted = {(int(row), int(column)) for row, column in preview.pixels[preview.is_fat]}
        assert tinted <= moving
        moving = moving - tinted
    assert not moving
    drawn.release((corner[0] + 9, corner[1]))
    drawn.wait(lambda: not feedback._timer.isActive())  # noqa: SLF001 - nothing shows that it is done
    press(drawn, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    assert overlay(drawn) is None


def said_of_fat(win):
    overlay = win.viewer.canvas.overlays.get("multifidus_fat")
    return overlay.text if overlay is not None and overlay.visible else ""


def fat_on_the_image_says_so_goes_along_and_comes_off_with_the_exam(drawn):
    assert said_of_fat(drawn) == ""
    drawn.annotator.feedback.toggle_fat()
    assert said_of_fat(drawn) == "fat highlighted"
    assert overlay(drawn).translate[0] == 2
    assert [layer.name for layer in drawn.viewer.layers].index(NAME) < [
        layer.name for layer in drawn.viewer.layers
    ].index(MULTIFIDUS_LEFT.title)
    # Nothing is drawn on the next slice, so that nothing is highlighted.
    drawn.annotator.display.step(1)
    drawn.wait(lambda: overlay(drawn) is None)
    assert said_of_fat(drawn) == ""
    drawn.annotator.display.step(-1)
    drawn.wait(lambda: overlay(drawn) is not None)
    assert said_of_fat(drawn) == "fat highlighted"
    # A layer that was removed by hand comes back with the next preview.
    drawn.viewer.layers.remove(overlay(drawn))
    drawn.annotator.feedback.show_preview()
    assert overlay(drawn) is not None
    drawn.annotator.feedback.toggle_fat()
    assert overlay(drawn) is None
    assert said_of_fat(drawn) == ""
    drawn.annotator.feedback.toggle_fat()
    assert overlay(drawn) is not None
    drawn.annotator.opener.close()
    assert overlay(drawn) is None
    assert said_of_fat(drawn) == ""


def fat_is_seen_where_it_lies(drawn):
    drawn.annotator.feedback.toggle_fat()
    for layer in drawn.annotator.workspace.canvas.layers.values():
        layer.visible = False
    picture = drawn.viewer.screenshot(flash=False).astype(int)
    pink = (picture[..., 0] - picture[..., 1]) > 60
    preview = drawn.annotator.workspace.session.analysis.preview(MULTIFIDUS_LEFT, 2)
    row, column = (int(place) for place in preview.pixels[preview.is_fat][20])
    at = drawn.at(row, column)
    height, width = drawn.viewer.canvas.size
    scale = picture.shape[0] / height, picture.shape[1] / width
    assert pink[round(at.y() * scale[0]), round(at.x() * scale[1])]
    area = pink.sum() / (scale[0] * scale[1]) / drawn.viewer.scene.camera.zoom**2
    both = [
        drawn.annotator.workspace.session.analysis.preview(key, 2)
        for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT)
    ]
    wanted = sum(int(preview.is_fat.sum()) for preview in both)
    assert area == pytest.approx(wanted * 0.8 * 0.7, rel=0.05)


def doubts_stand_beside_the_numbers_at_once(drawn):
    panel = drawn.dock.numbers.sides[Side.LEFT]
    assert "tilt over limit" not in doubts(panel)
    drawn.annotator.workspace.session.put(MULTIFIDUS_LEFT, 2, [circle(66, 58, 8, 8)])
    drawn.annotator.workspace.committed()
    assert {"few points", "touches border"} <= doubts(panel)
    drawn.annotator.workspace.session.set_protocol(MeasurementProtocol(tilt_limit_deg=1.0))
    drawn.annotator.workspace.changed.emit()
    assert "tilt over limit" in doubts(panel)


def doubts(panel):
    """Return the flags that stand on a card, and those that its last line stands for."""
    lines = panel.warnings.lines[-1].toolTip().splitlines()
    named = {line.split(":")[0] for line in lines}
    return {words.removeprefix("▲ ") for words in panel.warnings.words} | named


def digits_grade_the_side_in_hand_and_go_on_to_the_other(drawn, tmp_path, exam):
    session, canvas = drawn.annotator.workspace.session, drawn.annotator.workspace.canvas
    canvas.activate(MULTIFIDUS_RIGHT, "pan_zoom")
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    assert drawn.annotator.grading.is_on
    press(drawn, Qt.Key.Key_3)
    assert canvas.active == MULTIFIDUS_LEFT
    press(drawn, Qt.Key.Key_1)
    wanted = {
        ("goutallier", Level.L4_L5, Side.RIGHT): 3,
        ("goutallier", Level.L4_L5, Side.LEFT): 1,
    }
    assert session.drawing.own_grades == wanted
    assert drawn.dock.numbers.sides[Side.RIGHT].grade.text() == "Goutallier 3"
    assert [
        line.grades for line in session.analysis.outline_rows if line.key == MULTIFIDUS_LEFT
    ] == [(("goutallier", 1),)]
    assert drawn.dock.feedback.grades.sides[Side.LEFT].buttons[1].isChecked()
    press(drawn, Qt.Key.Key_7)
    assert session.drawing.own_grades == wanted
    assert "has no grade 7" in drawn.dock.status.message.text()
    drawn.annotator.workspace.save()
    kept = mf.read_rois(tmp_path / "S01_pre_R1_r1.outlines.json", exam).grades
    assert {(grade.side, grade.value) for grade in kept} == {(Side.RIGHT, 3), (Side.LEFT, 1)}
    # Digits are napari's and the tools' again, and a grade is taken back like anything else.
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    press(drawn, Qt.Key.Key_2)
    assert session.drawing.own_grades == wanted
    drawn.annotator.edit_tools.undo()
    assert session.drawing.own_grades == {("goutallier", Level.L4_L5, Side.RIGHT): 3}


def badge(win):
    overlay = win.viewer.canvas.overlays.get("multifidus_grading")
    return overlay.text if overlay is not None and overlay.visible else ""


def a_badge_says_what_a_digit_would_grade_until_the_end_is_said(drawn):
    canvas = drawn.annotator.workspace.canvas
    assert badge(drawn) == ""
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    assert "left at L4-L5" in badge(drawn)
    assert "Goutallier 0\N{EN DASH}4" in badge(drawn)
    canvas.activate(MULTIFIDUS_RIGHT, "pan_zoom")
    assert "right at L4-L5" in badge(drawn)
    drawn.annotator.display.step(1)
    assert "without a level" in badge(drawn)
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    assert badge(drawn) == ""
    assert "ended" in drawn.dock.status.message.text()


def nothing_is_graded_without_an_active_multifidus(drawn):
    session, canvas = drawn.annotator.workspace.session, drawn.annotator.workspace.canvas
    canvas.activate(LEAN, "pan_zoom")
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    assert not drawn.annotator.grading.is_on
    assert not drawn.dock.feedback.grades.keys.isChecked()
    assert "No multifidus is active" in drawn.dock.status.message.text()
    canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    canvas.activate(LEAN, "direct")
    assert "no muscle is active" in badge(drawn)
    shapes = len(drawn.layer(LEAN).data)
    press(drawn, Qt.Key.Key_3)
    assert session.drawing.own_grades == {}
    assert canvas.active == LEAN
    # Nor does the digit do what napari's does, which deletes.
    assert len(drawn.layer(LEAN).data) == shapes
    # A layer that comes while digits grade is no exception.
    drawn.annotator.edit_tools.draw(LayerKey(Structure.PSOAS, Side.LEFT))
    press(drawn, Qt.Key.Key_3)
    assert session.drawing.own_grades == {}
    canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    press(drawn, Qt.Key.Key_3)
    assert session.drawing.own_grades == {("goutallier", Level.L4_L5, Side.LEFT): 3}
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)


def digits_do_what_they_did_where_they_do_not_grade(drawn):
    session, strokes = drawn.annotator.workspace.session, drawn.annotator.workspace.canvas.strokes
    size = strokes.radius_mm
    for key in (Qt.Key.Key_3, Qt.Key.Key_0, Qt.Key.Key_9, Qt.Key.Key_9, Qt.Key.Key_8):
        press(drawn, key)
    assert session.drawing.own_grades == {}
    assert strokes.radius_mm == pytest.approx(size * 1.25)
    drawn.annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    press(drawn, Qt.Key.Key_8)
    assert strokes.radius_mm == pytest.approx(size)
    # A scheme whose name is not known may have ten grades.
    drawn.annotator.grading.set_scheme("mine")
    press(drawn, Qt.Key.Key_9)
    assert session.drawing.own_grades == {("mine", Level.L4_L5, Side.LEFT): 9}
    drawn.annotator.grading.set_scheme("goutallier")
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)


def a_button_grades_takes_the_grade_back_and_is_off_on_a_slice_of_no_level(drawn):
    side = drawn.dock.feedback.grades.sides[Side.LEFT]
    side.buttons[2].click()
    assert drawn.annotator.workspace.session.drawing.own_grades == {
        ("goutallier", Level.L4_L5, Side.LEFT): 2
    }
    side.buttons[2].click()
    assert not drawn.annotator.workspace.session.drawing.own_grades
    assert side.isEnabled()
    drawn.annotator.display.step(1)
    press(drawn, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    assert not drawn.annotator.grading.is_on
    assert "Assign its level first" in drawn.dock.status.message.text()
    assert not side.isEnabled()


def another_protocol_measures_at_once_and_stays_for_the_next_exam(drawn, tmp_path):
    session, panel = drawn.annotator.workspace.session, drawn.dock.numbers.sides[Side.LEFT]
    before = panel.fat.text()
    file = tmp_path / "mine.toml"
    file.write_text('fat_methods = ["fixed"]\nfixed_threshold = 1000.0\n', encoding="utf-8")
    drawn.annotator.outputs.choose_protocol(str(file))
    assert session.protocol.fixed_threshold == 1000.0
    assert panel.fat.text().startswith("Visible fat 0") != before.startswith("Visible fat 0")
    assert drawn.dock.feedback.protocol.box.currentText() == "mine.toml"
    file.write_text("nonsense = 1\n", encoding="utf-8")
    drawn.attempt(drawn.annotator.outputs.choose_protocol, str(file))
    assert "nonsense" in drawn.dock.status.message.text()
    assert session.protocol.fixed_threshold == 1000.0


def pictures_are_those_that_measure_writes(drawn, tmp_path, monkeypatch):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(ours))
    drawn.dock.feedback.pictures.click()
    drawn.annotator.outputs.measure_into(theirs)
    expected = {path.name: path.read_bytes() for path in theirs.rglob("*slice*.jpg")}
    assert expected
    assert {path.name: path.read_bytes() for path in ours.rglob("*slice*.jpg")} == expected


def test_without_outlines_there_is_no_picture(win, exam, tmp_path, monkeypatch):
    win.open(exam, tmp_path)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "ours"))
    win.dock.feedback.pictures.click()
    assert "no outline to make a picture of" in win.dock.status.message.text()


def test_the_sample_shows_the_tour_once(win, exam, tmp_path):
    def open_sample():
        opened = OpenedExam(exam, exam.series[0], tmp_path, is_sample=True)
        for data, attributes, _ in layer_data(opened):
            win.viewer.add_image(data, **attributes)
        win.wait(lambda: win.annotator.workspace.is_open)

    tour = win.dock.feedback.tour
    open_sample()
    assert tour.is_running
    for _ in tour.steps:
        QTest.mouseClick(tour.on, Qt.MouseButton.LeftButton)
    assert not tour.is_running
    assert not is_first_run(settings())
    win.annotator.opener.close()
    win.viewer.layers.clear()
    open_sample()
    assert not tour.is_running


def the_tour_frames_parts_of_the_window_and_the_table_has_all_keys(drawn):
    tour = drawn.dock.feedback.tour
    drawn.dock.feedback.help.tour.click()
    framed = []
    while tour.is_running:
        framed.append(tour.highlight.target)
        assert drawn.dock.window().isAncestorOf(tour.highlight.target)
        assert tour.highlight.isVisibleTo(drawn.dock.window())
        tour.go_to(tour.place + 1)
    assert len(set(framed)) == len(tour.steps)
    # And the table beside it has every key.
    drawn.dock.feedback.help.keys.click()
    table = drawn.dock.feedback.help.table
    assert isinstance(table, ShortcutsDialog)
    assert not table.isModal()
    rows = range(table.table.rowCount())
    assert [table.table.item(row, 0).text() for row in rows] == [key for key, _ in key_rows()]
    table.close()


def test_the_page_of_keys_is_what_the_plugin_does():
    found = importlib.util.spec_from_file_location("page", SCRIPTS / "shortcuts_page.py")
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)
    assert script.PAGE.read_text(encoding="utf-8") == script.page()


def leafing_looks_at_pixels_only_where_it_rests(drawn):
    previews = []
    drawn.annotator.feedback.previewed.connect(lambda key, _: previews.append(key))
    for _ in range(6):
        drawn.annotator.display.step(1)
        drawn.annotator.display.step(-1)
    assert not previews
    drawn.wait(lambda: bool(previews))
    assert len(previews) == 1


# --- painting --------------------------------------------------------------------------------


def test_a_box_has_room_to_grow_and_stays_on_the_image():
    preview = OutlinePreview(
        Numbers(threshold=1.0), np.array([(30, 40), (50, 70)]), np.ones(2), np.ones(2)
    )
    box = Box.around([preview], (60, 200))
    assert (box.top, box.left) == (6, 16)
    assert (box.top + box.rows, box.left + box.columns) == (60, 95)
    assert box.holds([preview])
    far = OutlinePreview(Numbers(), np.array([(30, 96)]), np.ones(1), np.ones(1))
    assert not box.holds([preview, far])
    assert Box.around([OutlinePreview(Numbers())], (60, 200)) is None


def test_without_a_threshold_nothing_is_painted():
    preview = OutlinePreview(Numbers(), np.array([(3, 4)]), np.array([500.0]), np.ones(1))
    picture = np.full((8, 8, 4), 9, np.uint8)
    paint(picture, Box(0, 0, 8, 8), [preview])
    assert not picture.any()
