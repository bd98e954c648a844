"""What buttons and keys do, in a real viewer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import (
    FAT,
    LEAN,
    MULTIFIDUS_LEFT,
    MULTIFIDUS_RIGHT,
    SHORTCUTS,
)
from napari_multifidus.models.edit_operations import copy_from_nearest
from napari_multifidus.models.opening import METADATA
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import same_loops
from napari_multifidus.views.slice import NOT_SET
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QMessageBox

import multifidus as mf
from multifidus.data.anatomy import Level, RoiRule, SlicePosition
from multifidus.data.image import Exam, Weighting
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import RoiSet
from multifidus.sample_data import sample_dir
from tests.plugins.conftest import make_series
from tests.plugins.test_session import BOW_TIE
from tests.support.exams import axial_plane, circle, image_slice

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]


@pytest.fixture
def drawn(win, exam, session, tmp_path):
    """Open an exam whose file holds both references and both muscles on slice 2."""
    mf.write_rois(
        session.rois(),
        tmp_path / "S01_pre_R1_r1.outlines.json",
    )
    win.open(exam, tmp_path)
    return win


def press(win, letter):
    win.canvas.setFocus()
    QTest.keyClick(win.canvas, letter)


def test_an_open_exam_is_shown_and_keys_lists_and_copies_do_what_they_say(
    drawn, exam, session, messages
):
    an_exam_opens_where_its_first_outline_is(drawn, session)
    a_click_in_the_list_goes_there(drawn)
    keys_do_what_the_table_says(drawn)
    a_copy_comes_from_the_nearest_slice_and_is_a_draft(drawn, messages)
    another_structure_is_chosen_from_the_list(drawn)
    a_series_that_cannot_be_shown_is_refused_in_words(drawn, exam, messages)


def test_what_is_entered_is_saved_or_it_is_said_why_not(drawn, exam, tmp_path, messages):
    with pytest.MonkeyPatch.context() as patch:
        what_cannot_be_saved_is_said(drawn, patch, messages)
    a_level_said_in_the_window_is_kept(drawn, exam, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        outlines_go_to_another_folder(drawn, exam, tmp_path, patch)
    a_file_changed_by_somebody_else_is_kept_and_said(drawn, messages)
    the_rule_is_that_of_outlines_drawn_from_now_on(drawn)


def test_readings_and_raters_are_kept_apart_sides_are_mended_and_tables_written(
    drawn, session, *, tmp_path, monkeypatch, messages
):
    a_new_reading_starts_empty_and_the_first_stays(drawn, session)
    for answer in ("No", "Yes"):
        another_rater_takes_outlines_along_only_if_asked_to(drawn, tmp_path, monkeypatch, answer)
    swapped_sides_are_said_until_they_are_mended_by_the_button(drawn)
    measure_writes_the_tables(drawn, tmp_path, monkeypatch, messages)


def test_what_was_open_is_saved_when_all_is_deleted_or_another_exam_or_file_comes(
    drawn, exam, session, *, tmp_path, messages
):
    deleting_everything_is_saved_too(drawn, exam, tmp_path)
    an_outline_file_is_opened_onto_the_exam(drawn, session, tmp_path, messages)
    a_second_exam_closes_the_first_and_saves_it(drawn, exam, tmp_path)
    taking_the_images_away_closes_the_exam(drawn)


def an_exam_opens_where_its_first_outline_is(drawn, session):
    assert drawn.annotator.workspace.session.rois() == session.rois()
    assert drawn.annotator.workspace.canvas.index == 2
    assert drawn.dock.exam.text() == "S01 · pre"
    assert len(drawn.dock.table.lines.rows) == 4
    assert "saved" in drawn.dock.status.saved.text()


def a_level_said_in_the_window_is_kept(drawn, exam, tmp_path):
    place = drawn.dock.slice_level
    place.level.setCurrentIndex(place.level.findData(Level.L4_L5.value))
    place.level.activated.emit(place.level.currentIndex())
    place.position.setCurrentIndex(place.position.findData(SlicePosition.MID_DISC.value))
    place.position.activated.emit(place.position.currentIndex())
    drawn.annotator.display.step(1)
    assert place.level.currentText() == NOT_SET
    drawn.annotator.display.step(-1)
    assert place.level.currentText() == Level.L4_L5
    rois = mf.read_rois(tmp_path / "S01_pre_R1_r1.outlines.json", exam)
    assert rois.levels[0].level is Level.L4_L5
    assert "L4-L5 mid disc" in drawn.viewer.canvas.overlays["multifidus_slice"].text


def keys_do_what_the_table_says(drawn):
    annotator = drawn.annotator
    press(drawn, Qt.Key.Key_Period)
    assert annotator.workspace.canvas.index == 3
    press(drawn, Qt.Key.Key_Comma)
    assert annotator.workspace.canvas.index == 2
    for letter, key in (("Q", MULTIFIDUS_RIGHT), ("W", MULTIFIDUS_LEFT), ("G", LEAN), ("H", FAT)):
        press(drawn, getattr(Qt.Key, f"Key_{letter}"))
        assert annotator.workspace.canvas.active == key
        assert str(drawn.layer(key).mode) == "add_polygon"
    press(drawn, Qt.Key.Key_J)
    assert str(drawn.layer(FAT).mode) == "direct"
    press(drawn, Qt.Key.Key_N)
    assert not drawn.layer(FAT).visible
    press(drawn, Qt.Key.Key_N)
    assert drawn.layer(FAT).visible
    assert len({shortcut.key for shortcut in SHORTCUTS}) == len(SHORTCUTS)


def a_copy_comes_from_the_nearest_slice_and_is_a_draft(drawn, messages):
    annotator = drawn.annotator
    annotator.edit_tools.draw(MULTIFIDUS_LEFT)
    drawn.attempt(annotator.edit_tools.change, copy_from_nearest)
    assert "already" in messages[-1]
    annotator.display.step(2)
    press(drawn, Qt.Key.Key_K)
    (copied,) = annotator.workspace.session.drawing.outlines[MULTIFIDUS_LEFT, 4]
    assert copied.source is Source.DRAFT
    assert "▲ draft unedited" in drawn.dock.numbers.sides[MULTIFIDUS_LEFT.side].warnings.words
    assert len(drawn.layer(MULTIFIDUS_LEFT).data) == 2
    annotator.edit_tools.clear()
    assert len(drawn.layer(MULTIFIDUS_LEFT).data) == 1


def deleting_everything_is_saved_too(drawn, exam, tmp_path):
    for key in (LEAN, FAT, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
        drawn.annotator.edit_tools.draw(key)
        drawn.annotator.edit_tools.clear()
    drawn.annotator.workspace.flush()
    rois = mf.read_rois(tmp_path / "S01_pre_R1_r1.outlines.json", exam)
    assert rois == RoiSet(reading=Reading("S01", "pre", "R1", 1))


def a_click_in_the_list_goes_there(drawn):
    drawn.annotator.display.step(3)
    table = drawn.dock.table
    line = next(n for n, x in enumerate(table.lines.rows) if x.key == MULTIFIDUS_LEFT)
    table.view.clicked.emit(table.view.shown.mapFromSource(table.lines.index(line, 0)))
    assert drawn.annotator.workspace.canvas.index == 2
    assert drawn.annotator.workspace.canvas.active == MULTIFIDUS_LEFT


def a_new_reading_starts_empty_and_the_first_stays(drawn, session):
    panel = drawn.dock.reading
    panel.number.setValue(2)
    panel.number.editingFinished.emit()
    assert drawn.annotator.workspace.session.drawing.reading.reading == 2
    assert not drawn.annotator.workspace.session.rois().rois
    panel.number.setValue(1)
    panel.number.editingFinished.emit()
    assert drawn.annotator.workspace.session.rois() == session.rois()


def another_rater_takes_outlines_along_only_if_asked_to(drawn, tmp_path, monkeypatch, answer):
    chosen = getattr(QMessageBox.StandardButton, answer)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: chosen)
    panel = drawn.dock.reading
    for rater in ("R1", "CD"):
        panel.rater.setText(rater)
        panel.rater.editingFinished.emit()
    rois = drawn.annotator.workspace.session.rois()
    assert rois.reading.rater == "CD"
    assert len(rois) == (4 if answer == "Yes" else 0)
    assert (tmp_path / "S01_pre_R1_r1.outlines.json").exists()
    assert (tmp_path / "S01_pre_CD_r1.outlines.json").exists() == (answer == "Yes")


def outlines_go_to_another_folder(drawn, exam, tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    before = drawn.annotator.workspace.session.rois()
    drawn.dock.reading.folder.click()
    assert mf.read_rois(folder / "S01_pre_R1_r1.outlines.json", exam) == before
    assert str(folder) in drawn.dock.reading.where.toolTip()


def an_outline_file_is_opened_onto_the_exam(drawn, session, tmp_path, messages):
    path = tmp_path / "theirs.outlines.json"
    mf.write_rois(session.rois().read_by(Reading("S01", "pre", "EF", 3)), path)
    drawn.viewer.open(str(path), plugin="multifidus")
    assert drawn.annotator.workspace.session.drawing.reading == Reading("S01", "pre", "EF", 3)
    assert drawn.annotator.workspace.file.path == path
    broken = tmp_path / "broken.outlines.json"
    broken.write_text("{")
    drawn.viewer.open(str(broken), plugin="multifidus")
    assert "broken.outlines.json" in messages[-1]
    assert drawn.annotator.workspace.file.path == path


def a_file_changed_by_somebody_else_is_kept_and_said(drawn, messages):
    path = drawn.annotator.workspace.file.path
    changed = path.read_text() + " "
    path.write_text(changed)
    drawn.annotator.entries.set_level(Level.L4_L5, SlicePosition.UNKNOWN)
    drawn.annotator.workspace.flush()
    assert path.read_text() == changed
    assert any("changed by somebody else" in text for text in messages)
    assert "r1-2" in drawn.dock.status.saved.text()


def what_cannot_be_saved_is_said(drawn, monkeypatch, messages):
    def refuse(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("napari_multifidus.models.autosave.write_rois", refuse)
    drawn.annotator.entries.set_level(Level.L4_L5, SlicePosition.UNKNOWN)
    drawn.annotator.workspace.flush()
    assert "NOT SAVED" in drawn.dock.status.saved.text()
    assert "Choose another folder" in messages[-1]
    monkeypatch.undo()
    drawn.annotator.workspace.flush()
    assert drawn.dock.status.saved.text().startswith("✓")


def swapped_sides_are_said_until_they_are_mended_by_the_button(drawn):
    session, banner = drawn.annotator.workspace.session, drawn.dock.obstacle
    right, left = (session.drawing.loops(k, 2) for k in (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT))
    assert banner.isHidden()
    session.put(MULTIFIDUS_LEFT, 2, right)
    session.put(MULTIFIDUS_RIGHT, 2, left)
    drawn.annotator.workspace.canvas.redraw([(MULTIFIDUS_LEFT, 2), (MULTIFIDUS_RIGHT, 2)])
    drawn.annotator.workspace.committed()
    # What is said next takes the line of messages, and not this.
    drawn.annotator.workspace.warning.emit("something else")
    drawn.annotator.display.step(1)
    assert not banner.isHidden()
    assert "swapped" in banner.words.text()
    assert "slice 3" in banner.words.text()
    QTest.mouseClick(banner.mend, Qt.MouseButton.LeftButton)
    assert banner.isHidden()
    assert same_loops(session.drawing.loops(MULTIFIDUS_LEFT, 2), left)
    shown = [shape for shape in drawn.layer(MULTIFIDUS_LEFT).data if shape[0, 0] == 2]
    assert np.allclose(shown[0][:, 1:], left[0], atol=1e-4)
    drawn.annotator.edit_tools.undo()
    assert not banner.isHidden()
    drawn.annotator.edit_tools.redo()
    drawn.annotator.workspace.canvas.go_to(2)


def measure_writes_the_tables(drawn, tmp_path, monkeypatch, messages):
    folder = tmp_path / "tables"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    drawn.dock.measure.click()
    assert "Measured 4 outlines" in messages[-1]
    written = (folder / "measurements.csv").read_bytes()
    expected = tmp_path / "expected.csv"
    held = drawn.annotator.workspace.session
    mf.write_table(mf.measure(held.exam, held.rois()), expected)
    assert written == expected.read_bytes()
    # Tables are replaced only when the person says so.
    drawn.annotator.edit_tools.draw(MULTIFIDUS_LEFT)
    drawn.annotator.edit_tools.clear()
    drawn.dock.measure.click()
    assert (folder / "measurements.csv").read_bytes() == written
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    drawn.dock.measure.click()
    assert (folder / "measurements.csv").read_bytes() != written


def another_structure_is_chosen_from_the_list(drawn):
    more = drawn.dock.tools.more
    for words in ("artefact", "psoas left"):
        more.setCurrentIndex(more.findText(words))
        more.activated.emit(more.currentIndex())
        assert drawn.annotator.workspace.canvas.active.words == words
        assert more.currentText() == words
    assert drawn.dock.numbers.structure == "psoas"


def the_rule_is_that_of_outlines_drawn_from_now_on(drawn):
    rule = drawn.dock.reading.rule
    rule.setCurrentIndex(rule.findData(RoiRule.FASCIAL.value))
    rule.activated.emit(rule.currentIndex())
    drawn.annotator.display.step(1)
    drawn.annotator.workspace.session.put(MULTIFIDUS_LEFT, 3, [circle(36, 58, 12)])
    assert (
        drawn.annotator.workspace.session.drawing.outlines[MULTIFIDUS_LEFT, 3][0].roi_rule
        is RoiRule.FASCIAL
    )


def test_another_series_is_outlined_and_drafts_of_the_first_are_kept(win, exam, tmp_path):
    other = replace(make_series("1.9", (0.0, 0.0)), weighting=Weighting.T1)
    win.open(Exam("S01", "pre", (*exam.series, other)), tmp_path)
    assert not win.dock.series.isHidden()
    win.annotator.workspace.session.put(MULTIFIDUS_LEFT, 1, [BOW_TIE])
    win.annotator.workspace.session.put(MULTIFIDUS_RIGHT, 1, [circle(36, 20, 12)])
    win.annotator.workspace.canvas.push(MULTIFIDUS_LEFT)
    win.annotator.workspace.canvas.push(MULTIFIDUS_RIGHT)
    win.dock.series.setCurrentIndex(1)
    win.dock.series.activated.emit(1)
    assert win.annotator.workspace.session.series.uid == "1.9"
    assert shown(win) == ["1.9"]
    win.annotator.workspace.session.put(MULTIFIDUS_RIGHT, 0, [circle(36, 20, 9)])
    win.annotator.workspace.canvas.push(MULTIFIDUS_RIGHT)
    win.annotator.opener.choose_series(exam.series[0])
    np.testing.assert_array_equal(
        win.annotator.workspace.session.drawing.loops(MULTIFIDUS_LEFT, 1)[0], BOW_TIE
    )
    assert len(win.annotator.workspace.session.rois()) == 2


def shown(win):
    return [layer.metadata[METADATA].series.uid for layer in win.images if layer.visible]


def test_an_exam_opens_on_the_series_that_was_outlined(win, tmp_path):
    t2, t1 = make_series("1.2"), replace(make_series("1.5"), weighting=Weighting.T1)
    exam = Exam("S01", "pre", (t2, t1))
    session = Session(exam, t1)
    session.put(MULTIFIDUS_RIGHT, 1, [circle(36, 20, 12)])
    mf.write_rois(
        session.rois(),
        tmp_path / "S01_pre_R1_r1.outlines.json",
    )
    win.open(exam, tmp_path)
    assert win.annotator.workspace.session.series is t1
    assert shown(win) == ["1.5"]
    assert win.dock.series.currentText() == "axial T1, 6 slices"
    win.annotator.opener.choose_series(t2)
    assert shown(win) == ["1.2"]


def a_series_that_cannot_be_shown_is_refused_in_words(drawn, exam, messages):
    slices = [
        image_slice(np.zeros((8, 8)), axial_plane(40.0 * n, 0, (mm, mm)), str(n))
        for n, mm in enumerate((0.5, 0.75))
    ]
    drawn.attempt(drawn.annotator.opener.choose_series, mf.Series("1.7", tuple(slices)))
    assert "differ in pixel spacing" in messages[-1]
    assert drawn.annotator.workspace.session.series is exam.series[0]


def test_nothing_to_measure_is_said(no_window, exam, tmp_path):
    no_window.open(exam, tmp_path)
    no_window.attempt(no_window.annotator.outputs.measure_into, tmp_path / "tables")
    assert "no outline to measure" in no_window.messages[-1]
    no_window.annotator.edit_tools.draw(MULTIFIDUS_LEFT)
    no_window.attempt(no_window.annotator.edit_tools.change, copy_from_nearest)
    assert "No other slice" in no_window.messages[-1]


def test_without_an_exam_buttons_say_so(no_window, tmp_path):
    annotator = no_window.annotator
    tools, entries = annotator.edit_tools, annotator.entries
    for act, *given in (
        (tools.edit,),
        (tools.change, copy_from_nearest),
        (tools.clear,),
        (tools.draw, MULTIFIDUS_LEFT),
        (annotator.display.step, 1),
        (entries.set_level, Level.L4, SlicePosition.UNKNOWN),
        (annotator.opener.set_folder, tmp_path),
        (annotator.outputs.measure_into, tmp_path),
    ):
        no_window.messages.clear()
        no_window.attempt(act, *given)
        assert no_window.messages == ["No exam is open. Open one first."], act
    annotator.opener.set_reading("CD", 1)
    assert annotator.workspace.rater == "CD"
    annotator.workspace.flush()
    assert annotator.workspace.save()
    assert not list(tmp_path.iterdir())


def a_second_exam_closes_the_first_and_saves_it(drawn, exam, tmp_path):
    first = drawn.annotator.workspace.file.path
    drawn.annotator.entries.set_level(Level.L4_L5, SlicePosition.UNKNOWN)
    second = Exam("S02", "pre", (make_series("2.2"),))
    folder = tmp_path / "second"
    folder.mkdir()
    drawn.open(second, folder)
    drawn.wait(lambda: drawn.annotator.workspace.session.exam is second)
    assert [layer.metadata[METADATA].exam for layer in drawn.images] == [second]
    assert not drawn.annotator.workspace.session.rois().rois
    rois = mf.read_rois(first, exam)
    assert rois.levels[0].level is Level.L4_L5


def taking_the_images_away_closes_the_exam(drawn):
    drawn.viewer.layers.remove(drawn.images[0])
    drawn.wait(lambda: not drawn.annotator.workspace.is_open)
    assert not len(drawn.viewer.layers)
    assert "No exam is open" in drawn.dock.exam.text()
    drawn.wait(lambda: "File > Open" in drawn.dock.status.message.text())


def test_the_sample_opens_from_the_menu_with_its_outlines(win, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    win.viewer.open_sample("multifidus", "phantom_pre")
    win.wait(lambda: win.annotator.workspace.is_open)
    annotator = win.annotator
    exam = annotator.workspace.session.exam
    expected = mf.read_rois(sample_dir() / "S01_pre.outlines.json", exam)
    assert set(annotator.workspace.session.rois().rois) == set(expected.rois)
    assert annotator.workspace.session.drawing.reading == expected.reading
    folder = annotator.workspace.file.path.parent
    assert folder.is_relative_to(tmp_path)
    assert not annotator.workspace.session.analysis.refusal
