"""A folder of several exams: what is offered, what is opened, where its outlines go."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from napari_multifidus import annotate as opening
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_RIGHT
from napari_multifidus.models.blinding import Access
from napari_multifidus.models.opening import find_exams
from napari_multifidus.reader import NOTHING, read_images
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtTest import QTest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.errors import ReadError
from multifidus.sample_data import sample_dir
from tests.support.exams import circle
from tests.support.napari_window import qt_canvas
from tests.support.searching import on_screen

SECRET_DATES = ("2001-03-05", "2002-03-25", "20010305", "20020325")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds both sample exams, in folders named after nobody."""
    made = tmp_path_factory.mktemp("scans")
    for name in ("S01_pre", "S01_post"):
        shutil.copytree(sample_dir() / name, made / name)
    return made


def rows(win):
    tree = win.dock.exam_list.list
    items = (tree.topLevelItem(n) for n in range(tree.topLevelItemCount()))
    return [[item.text(column) for column in range(tree.columnCount())] for item in items]


def test_each_exam_has_its_folder_and_its_day(folder):
    found = find_exams(folder)
    assert [item.days for item in found] == [0, 385]
    assert [item.own for item in found] == [folder / "S01_pre", folder / "S01_post"]
    # OpenedExam out of many it has the names that it has when it is opened alone.
    second = found[1].open()
    assert (second.exam.subject, second.exam.timepoint) == ("subject-1", "exam-1")
    assert second.path == folder / "S01_post"


def test_exams_of_one_folder_are_told_apart_and_share_it(folder, tmp_path):
    for path in folder.rglob("*.dcm"):
        exam = path.relative_to(folder).parts[0]
        shutil.copy(path, tmp_path / f"{exam}_{path.parent.name}_{path.name}")
    found = find_exams(tmp_path)
    assert [item.own for item in found] == [None, None]
    assert [item.open().exam.timepoint for item in found] == ["exam-1", "exam-2"]
    assert {item.open().path for item in found} == {tmp_path}


@pytest.fixture
def disc(folder, tmp_path) -> Path:
    """Return an archive of both exams."""
    path = tmp_path / "disc.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.dcm")):
            archive.write(file, file.relative_to(folder))
    return path


def test_exams_of_an_archive_have_no_folder_that_stays(disc):
    path = disc
    found = find_exams(path)
    assert [(item.own, item.open().path) for item in found] == [(None, path)] * 2


def test_nothing_under_a_path_is_none_and_no_path_is_an_error(tmp_path):
    assert find_exams(tmp_path) == ()
    with pytest.raises(ReadError):
        find_exams(tmp_path / "gone")


@pytest.mark.gui
def test_a_dropped_disc_of_exams_is_offered(win, disc):
    drop(win, disc)
    win.wait(win.dock.exam_list.isVisible)
    assert [row[0] for row in rows(win)] == ["exam-1", "exam-2"]
    win.dock.exam_list.list.itemActivated.emit(win.dock.exam_list.list.currentItem(), 0)
    assert win.annotator.workspace.file.path.parent == disc.with_name("disc_outlines")


@pytest.mark.gui
def test_a_folder_of_exams_is_offered_and_one_is_chosen_by_key(win, folder, messages):
    win.viewer.open(str(folder), plugin="multifidus")
    panel = win.dock.exam_list
    win.wait(panel.isVisible)
    assert rows(win) == [
        ["S01_pre", "subject-1", "first exam", "2"],
        ["S01_post", "subject-1", "+385 days", "2"],
    ]
    assert not win.annotator.workspace.is_open
    assert not any(date in text for date in SECRET_DATES for _, text in on_screen(win.viewer))
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    win.wait(lambda: win.annotator.workspace.is_open)
    assert win.annotator.workspace.file.path.parent == folder / "S01_post"
    assert [row[0] for row in rows(win)] == ["S01_pre", "▶ S01_post"]
    # What is drawn goes with its exam, and the other one opens empty in its place.
    win.annotator.workspace.session.put(MULTIFIDUS_RIGHT, 1, [circle(60, 60, 9)])
    win.annotator.workspace.canvas.push(MULTIFIDUS_RIGHT)
    win.annotator.workspace.committed()
    QTest.keyClick(panel.list, Qt.Key.Key_Up)
    panel.open.click()
    assert win.annotator.workspace.file.path.parent == folder / "S01_pre"
    assert not win.annotator.workspace.session.drawing.layer_keys()
    assert len(list((folder / "S01_post").glob("*.outlines.json"))) == 1
    assert len({id(image.metadata["multifidus_exam"].exam) for image in win.images}) == 1
    panel.hide_list.click()
    assert not panel.isVisible()
    assert win.annotator.workspace.is_open
    assert messages == []


@pytest.mark.gui
def test_an_exam_opened_otherwise_takes_the_list_away(win, folder, exam, tmp_path):
    assert read_images(str(folder)) == NOTHING
    assert win.dock.exam_list.isVisible()
    win.open(exam, tmp_path)
    assert not win.dock.exam_list.isVisible()


@pytest.mark.gui
def test_in_a_blinded_reading_no_other_exam_is_opened_or_named(  # noqa: PLR0917 - fixtures
    win, folder, exam, tmp_path, messages
):
    win.open(exam, tmp_path)
    win.annotator.workspace.access = Access(blinded=True)
    for path in (folder, folder / "S01_pre"):
        assert read_images(str(path)) == NOTHING
        assert "blinded" in messages.pop()
    assert not win.dock.exam_list.isVisible()
    assert win.annotator.workspace.active.source.exam is exam
    shown = [text for _, text in on_screen(win.viewer)]
    assert not any("S01_post" in text or "+385" in text for text in shown)


@pytest.mark.gui
def test_an_exam_that_went_meanwhile_is_said_and_the_open_one_stays(
    win, folder, tmp_path, messages
):
    shutil.copytree(folder, tmp_path / "scans")
    read_images(str(tmp_path / "scans"))
    win.dock.exams.open(win.dock.exams.found[0])
    session = win.annotator.workspace.session
    shutil.rmtree(tmp_path / "scans" / "S01_post")
    panel = win.dock.exam_list
    panel.list.setCurrentItem(panel.list.topLevelItem(1))
    panel.open.click()
    assert "S01_post" in messages[-1]
    assert win.annotator.workspace.session is session
    assert win.dock.exams.chosen is win.dock.exams.found[0]


@pytest.mark.gui
def test_the_command_offers_the_exams_of_a_folder(win, folder, tmp_path, monkeypatch):
    seen = []

    def look():
        dock = win.dock
        dock.exams.open(dock.exams.found[1])
        seen.append(
            (
                dock.annotator.workspace.session.drawing.reading,
                dock.annotator.workspace.file.path.parent,
            )
        )

    # That it opens a window of its own, test_annotate shows: a new one takes seconds.
    monkeypatch.setattr(opening, "new_viewer", lambda: win.viewer)
    monkeypatch.setattr(opening, "stay_open", look)
    arguments = ["annotate", str(folder), "--rater", "CD", "--folder", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    ((reading, place),) = seen
    assert (reading.rater, place) == ("CD", tmp_path)


def drop(win, path):
    """Drop a folder on the canvas, as a file manager does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    button, key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, button, key)
    # Qt delivers a drop only at the end of a drag by a window system.
    qt_canvas(win.viewer).dropEvent(event)
