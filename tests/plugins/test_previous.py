"""Another exam of the same subject beside the image: matched, linked, and never when blinded."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from napari_multifidus.models.blinding import Access
from napari_multifidus.models.display_images import WindowPreset, limits
from napari_multifidus.models.grid import pixel_stack
from napari_multifidus.models.opening import open_exam
from napari_multifidus.models.previous import SideBySide, exams_in
from napari_multifidus.models.session import Session
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

from multifidus.data.anatomy import Level
from multifidus.data.roi_set import RoiSet
from multifidus.errors import MultifidusError
from multifidus.io.same_person import known_exams
from multifidus.reading.session import SessionRequest, open_worklist
from tests.support.napari_window import qt_window
from tests.support.visits import LEVELS, MARK_PIXEL, axial_of, landmarks, write_visits

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_visits(tmp_path_factory.mktemp("dataset"))


@pytest.fixture
def visits(made, tmp_path):
    """Return the dataset, to be written into."""
    shutil.copytree(made.root, tmp_path / "set")
    return SimpleNamespace(
        **{
            name: tmp_path / "set" / getattr(made, name).relative_to(made.root)
            for name in ("now", "before", "stranger")
        }
    )


# --- models, without a window ------------------------------------------------------------------


def pair(made, *, marked=True) -> SideBySide:
    (opened,) = known_exams(made.now)
    (other,) = exams_in(made.before, opened, "R1")
    series = axial_of(opened.exam)
    session = Session(opened.exam, series, RoiSet(landmarks=landmarks(series)) if marked else None)
    return SideBySide(session, other.session(series, session.protocol))


def test_the_slice_of_the_same_level_is_found_and_a_cursor_linked_by_its_landmark(made):
    beside = pair(made)
    for level, index in LEVELS.items():
        beside.follow(index)
        assert beside.index == index + 1
        assert beside.match_words == f"Matched by level, {level}."
        assert level in beside.place_words
    beside.follow(2)
    # Both exams have the same pixels around their landmarks, and lie 65 mm apart.
    row, column = MARK_PIXEL[0] + 5, MARK_PIXEL[1] - 7
    plane = beside.projection.item.plane
    expected = beside.projection.to_view(plane.to_patient([(row, column)]))[0]
    np.testing.assert_allclose(beside.cursor(row, column), expected, atol=1e-4)
    assert beside.cursor_words == "Cursor linked by the landmark."
    assert beside.cursor(-500, 0) is None


def test_both_exams_are_shown_by_one_rule_of_grey_levels(made):
    """One that is shown brighter would look fattier."""
    beside = pair(made)
    low, high = limits(pixel_stack(beside.other.series), WindowPreset.AUTOMATIC)
    for index in (0, 3):
        beside.index = index
        pixels = beside.projection.turned(beside.projection.item.pixels)
        expected = np.clip((pixels - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        np.testing.assert_array_equal(beside.projection.grey_image(), expected)


def test_an_unknown_level_is_said_and_paged_through_by_hand(made):
    beside = pair(made, marked=False)
    beside.follow(0)
    assert beside.index == 3
    assert "the level of this slice is not known" in beside.match_words
    assert beside.cursor(10, 10) is None
    assert "not linked" in beside.cursor_words
    for _ in range(20):
        beside.page(1)
    assert beside.index == 6


def test_paging_away_ends_the_link_and_says_where_the_level_is(made):
    beside = pair(made)
    beside.follow(2)
    beside.page(1)
    assert "the same level is on slice 4" in beside.match_words
    assert "this slice is not the one of the same level" in beside.cursor_words
    assert beside.cursor(30, 41) is None
    # Drawing on this slice does not turn the page back; another slice does.
    beside.follow(2)
    assert beside.index == 4
    beside.follow(0)
    assert beside.index == 1


def test_one_frame_of_reference_links_what_lies_on_the_slice(made):
    beside = pair(made, marked=False)
    for session in (beside.session, beside.other):
        object.__setattr__(session.series, "frame_of_reference_uid", "1.9")
    beside.follow(0)
    assert beside.cursor_words == "Cursor linked by the frame of reference."
    # They share no slice: the patient lies 60 mm higher.
    assert beside.cursor(30, 41) is None
    same = SideBySide(beside.session, beside.session)
    same.follow(0)
    same.page(-20)
    plane = same.projection.item.plane
    expected = same.projection.to_view(plane.to_patient([(30, 41)]))[0]
    np.testing.assert_allclose(same.cursor(30, 41), expected, atol=1e-6)


def test_another_subject_is_refused(made):
    (opened,) = known_exams(made.now)
    with pytest.raises(MultifidusError, match="another person"):
        exams_in(made.stranger, opened, "R1")
    with pytest.raises(MultifidusError, match="the exam that is open"):
        exams_in(made.now, opened, "R1")


# --- the window --------------------------------------------------------------------------------


@pytest.fixture
def opened(win, visits, tmp_path):
    """Return the window with the later exam, its levels marked."""
    win.annotator.opener.switch_to(open_exam(visits.now), folder=tmp_path / "out")
    workspace = win.annotator.workspace
    win.annotator.entries.set_landmarks(landmarks(workspace.session.series))
    workspace.canvas.go_to(2)
    QApplication.processEvents()
    yield SimpleNamespace(
        win=win,
        visits=visits,
        panel=win.dock.parts.panes["previous"].panel,
        controller=win.annotator.previous,
    )
    win.dock.parts.show_pane("previous", shown=False)


def click(widget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def want(opened, monkeypatch, folder) -> None:
    """Show the pane by its button, and choose a folder in its dialog."""
    if not opened.controller.is_on:
        click(opened.win.dock.bar.parts["previous"])
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    click(opened.panel.folder)


def test_it_is_off_until_wanted_and_then_remembered(opened, monkeypatch, tmp_path):
    assert not opened.panel.isVisible()
    assert opened.controller.shown is None
    want(opened, monkeypatch, opened.visits.before)
    assert opened.panel.isVisible()
    assert opened.controller.shown.index == 3
    least = 0.25 * qt_window(opened.win.viewer).width()
    opened.win.wait(lambda: opened.panel.width() > least)
    opened.win.annotator.opener.switch_to(open_exam(opened.visits.now), folder=tmp_path / "out")
    opened.win.wait(opened.panel.isVisible)
    # Which exam it was is asked again: another one may be open.
    assert "Choose the folder" in opened.controller.refusal
    click(opened.win.dock.bar.parts["previous"])
    assert not opened.panel.isVisible()
    assert not opened.controller.is_on


def it_follows_the_slice_and_the_mouse(opened):
    canvas = opened.win.annotator.workspace.canvas
    canvas.go_to(4)
    assert opened.controller.shown.index == 5
    assert "L3-L4" in opened.panel.note.text()
    row, column = 35.0, 34.0
    spot = opened.win.at(row, column)
    opened.win.wait(lambda: moved_to(opened, spot))
    shown = opened.controller.shown
    plane = shown.projection.item.plane
    expected = shown.projection.to_view(plane.to_patient([(row, column)]))[0]
    # To a pixel of the screen.
    assert np.abs(np.array(opened.panel.picture.cross) - expected).max() < 1.0


def moved_to(opened, spot) -> bool:
    opened.win.send("MouseMove", spot, pressed=False)
    return opened.panel.picture.cross is not None


def the_wheel_pages_by_hand_and_changes_nothing_else(opened):
    picture, canvas = opened.panel.picture, opened.win.annotator.workspace.canvas
    before, shown = canvas.index, opened.controller.shown.index
    down = QWheelEvent(
        QPointF(30, 30),
        QPointF(picture.mapToGlobal(QPoint(30, 30))),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(picture, down)
    assert opened.controller.shown.index == shown + 1
    assert canvas.index == before
    assert "by hand" in opened.panel.note.text()
    assert picture.cross is None


def a_single_exam_is_named_and_nothing_asks_to_choose(opened):
    panel = opened.panel
    (only,) = opened.controller.choices
    assert panel.only_exam.isVisible()
    assert panel.only_exam.text() == only.words
    assert not panel.exam.isVisible()


def its_outlines_are_off_until_somebody_ticks_them_and_the_page_says_why(opened, monkeypatch):
    assert not opened.panel.outlines.isChecked()
    assert "steer the hand" in opened.panel.note.text()
    assert len(opened.controller.shown.paths()) == 1
    clean = opened.panel.picture.grab().toImage()
    QTest.mouseClick(
        opened.panel.outlines,
        Qt.MouseButton.LeftButton,
        pos=QPoint(8, opened.panel.outlines.height() // 2),
    )
    assert opened.controller.shows_outlines
    assert opened.panel.picture.grab().toImage() != clean
    # Another exam shows none before it is asked for again.
    want(opened, monkeypatch, opened.visits.before)
    assert not opened.panel.outlines.isChecked()


@pytest.mark.painted
def test_the_other_exam_is_named_follows_and_is_paged_through(opened, monkeypatch):
    want(opened, monkeypatch, opened.visits.before)
    a_single_exam_is_named_and_nothing_asks_to_choose(opened)
    its_outlines_are_off_until_somebody_ticks_them_and_the_page_says_why(opened, monkeypatch)
    it_follows_the_slice_and_the_mouse(opened)
    the_wheel_pages_by_hand_and_changes_nothing_else(opened)


def test_a_stranger_is_refused_and_nothing_of_them_shown(opened, monkeypatch, messages):
    want(opened, monkeypatch, opened.visits.stranger)
    assert "another person" in messages[-1]
    assert opened.controller.shown is None
    assert opened.panel.exam.count() == 0


def test_a_blinded_reading_shows_none_of_it(opened, monkeypatch, messages, tmp_path):
    want(opened, monkeypatch, opened.visits.before)
    win = opened.win
    source = open_exam(opened.visits.now)
    win.annotator.opener.switch_to(
        source, folder=tmp_path / "blind", access=Access("fixed", blinded=True)
    )
    QTest.qWait(20)
    assert not opened.panel.isVisible()
    assert opened.controller.shown is None
    assert opened.controller.choices == ()
    assert opened.panel.exam.count() == 0
    button = win.dock.bar.parts["previous"]
    assert not button.isEnabled()
    click(button)
    assert not opened.panel.isVisible()
    win.attempt(opened.controller.choose_folder, opened.visits.before)
    assert "blinded" in messages[-1]
    win.attempt(opened.controller.set_on, on=True)
    assert "blinded" in messages[-1]
    assert opened.controller.shown is None
    assert not opened.controller.is_on


@pytest.fixture
def study(opened, tmp_path):
    """Return a cohort of the three exams."""
    table = tmp_path / "cohort.csv"
    rows = [
        f"S1,pre,{opened.visits.before}",
        f"S1,post,{opened.visits.now}",
        f"S2,pre,{opened.visits.stranger}",
    ]
    table.write_text("\n".join(["subject,timepoint,images", *rows]) + "\n")
    return table


@pytest.mark.parametrize("blind", [False, True])
def test_a_reading_list_offers_the_subjects_other_exams_unless_blinded(study, opened, blind):
    win = opened.win
    worklist = open_worklist(
        SessionRequest(study, "R1", study.parent / "readings", blind=blind, seed=1)
    )
    controller = win.annotator.read(worklist)
    try:
        for item in controller.items():
            controller.open(item.by)
            QTest.qWait(20)
            if blind:
                assert not win.dock.bar.parts["previous"].isEnabled()
                assert opened.controller.shown is None
                continue
            win.dock.parts.show_pane("previous", shown=True)
            subject, timepoint = item.truth.subject, item.truth.timepoint
            names = [other.name for other in opened.controller.choices]
            assert names == {("S1", "pre"): ["post"], ("S1", "post"): ["pre"]}.get(
                (subject, timepoint), []
            )
            assert (subject == "S2") == ("no other exam" in opened.controller.refusal)
            assert not opened.panel.folder.isVisible()
    finally:
        controller.leave()


def test_levels_that_a_list_knows_of_neither_exam_are_no_guess(opened, monkeypatch):
    for path in opened.visits.before.glob("*.json"):
        path.unlink()
    want(opened, monkeypatch, opened.visits.before)
    assert "no level of the other exam is known" in opened.panel.note.text()
    assert "It has no outlines" in opened.panel.note.text()
    assert not opened.panel.outlines.isEnabled()
    assert opened.controller.shown.other.analysis.slice_levels[0].settled.level is None
    assert Level.L4_L5 not in opened.controller.shown.place_words
