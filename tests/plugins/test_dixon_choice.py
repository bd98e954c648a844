"""Fat and water are chosen in the window, measured as by the command line, and taken back."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from napari_multifidus.models.autosave import Journal
from napari_multifidus.models.blinding import Access
from napari_multifidus.models.opening import open_exam
from napari_multifidus.models.shapes import MULTIFIDUS_LEFT
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from multifidus.data.measurement import Quantity
from multifidus.errors import ReadError
from multifidus.io.outlines_json import read_outlines
from multifidus.io.read import read_exam
from multifidus.measuring.dixon_roles import DixonRoles
from multifidus.measuring.pipeline import measure
from tests.support.dixon import write_dixon
from tests.support.exams import circle

pytestmark = pytest.mark.gui

WHERE = MULTIFIDUS_LEFT, 1


def test_the_journal_keeps_the_pair():
    roles = DixonRoles("1.2", "1.3")
    assert Journal.from_text(Journal(roles=roles).as_text()).roles == roles
    old = json.loads(Journal().as_text())
    del old["dixon"]
    assert Journal.from_text(json.dumps(old)).roles is None
    with pytest.raises(ReadError, match="damaged"):
        Journal.from_text(json.dumps(old | {"dixon": {"fat": "1.2"}}))


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Return a folder of four series, and which file is which."""
    folder = tmp_path_factory.mktemp("scans")
    return folder, write_dixon(folder)


@pytest.fixture
def opened(win, scans, tmp_path):
    """Return the window with four series whose names tell nothing, as if just opened."""
    folder, files = scans
    source = open_exam(folder)
    win.annotator.opener.switch_to(source, folder=tmp_path / "out")
    tabs, panel = win.dock.feedback.tabs, win.dock.feedback.dixon
    win.dock.parts.show_results()
    tabs.setCurrentWidget(panel.parentWidget().parentWidget())
    QApplication.processEvents()
    return SimpleNamespace(
        win=win, panel=panel, files=files, out=tmp_path / "out", source=source, tabs=tabs
    )


def pick(field, words: str) -> None:
    """Open a list with the mouse and choose the line with these words by keys."""
    place = next(n for n in range(field.count()) if words in field.itemText(n))
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    view = field.view()
    QTest.keyClick(view, Qt.Key.Key_Home)
    for _ in range(place):
        QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert words in field.currentText()


def press(made) -> None:
    QTest.mouseClick(made, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def choose(opened, fat: str, water: str) -> None:
    pick(opened.panel.fat, opened.files[fat].name)
    pick(opened.panel.water, opened.files[water].name)
    press(opened.panel.use)


def shown(win):
    """What the live numbers say of the outline."""
    return win.annotator.workspace.session.analysis.numbers(*WHERE)


def draw(win) -> None:
    session, canvas = win.annotator.workspace.session, win.annotator.workspace.canvas
    session.put(*WHERE, [circle(36, 44, 9)])
    canvas.layer(WHERE[0])
    canvas.push(WHERE[0])
    canvas.go_to(WHERE[1])
    win.annotator.workspace.committed()


def test_nothing_is_a_pair_before_somebody_says_so_nor_what_is_none(opened, messages):
    draw(opened.win)
    assert np.isnan(shown(opened.win).dixon_pct)
    assert opened.panel.fat.currentIndex() == opened.panel.water.currentIndex() == -1
    assert opened.panel.isVisible()
    assert not opened.panel.undo.isEnabled()
    assert [opened.panel.fat.itemText(n).count(".nii") for n in range(4)] == [1] * 4
    pick(opened.panel.fat, opened.files["fat"].name)
    press(opened.panel.use)
    assert "water image is not in this exam" in messages[-1]
    assert not opened.panel.undo.isEnabled()
    exam = opened.win.annotator.workspace.session.exam
    for pair, words in (
        (("fat", "fat"), "one and the same"),
        (("opposed", "water"), "alike"),
    ):
        messages.clear()
        choose(opened, *pair)
        assert words in messages[-1], pair
        assert opened.win.annotator.workspace.session.exam is exam, pair
        assert np.isnan(shown(opened.win).dixon_pct), pair


def test_live_numbers_are_those_of_measure_with_the_pair_by_hand(opened):
    choose(opened, "fat", "water")
    win, workspace = opened.win, opened.win.annotator.workspace
    # Nothing was drawn, so the fat image is the one to outline on.
    assert workspace.session.series.uid == workspace.active.source.roles.fat
    draw(win)
    QApplication.processEvents()
    workspace.flush()
    (path,) = opened.out.glob("*.outlines.json")
    exam = read_exam(fat=opened.files["fat"], water=opened.files["water"])
    rows = measure(exam, read_outlines(path))
    (expected,) = (row.value for row in rows if row.quantity is Quantity.DIXON_FF_MEAN_PCT)
    assert shown(win).dixon_pct == expected
    assert expected == pytest.approx(12, abs=1)
    assert f"{expected:.1f} %" in win.dock.numbers.sides[WHERE[0].side].detail.text()
    words = [image.words for image in win.annotator.display.choices]
    assert words[-1] == "fat fraction of the Dixon pair"
    # Another folder takes the pair along.
    win.annotator.opener.set_folder(opened.out.with_name("elsewhere"))
    assert shown(win).dixon_pct == expected


def test_it_is_taken_back_and_comes_back_with_the_reading(opened, messages):
    choose(opened, "fat", "water")
    draw(opened.win)
    opener = opened.win.annotator.opener
    opener.close()
    opener.switch_to(open_exam(opened.source.path), folder=opened.out)
    assert shown(opened.win).dixon_pct == pytest.approx(12, abs=1)
    assert opened.files["fat"].name in opened.panel.fat.currentText()
    press(opened.panel.undo)
    assert np.isnan(shown(opened.win).dixon_pct)
    assert shown(opened.win).area_mm2 > 0
    assert "taken back" in messages[-1]
    opener.close()
    opener.switch_to(open_exam(opened.source.path), folder=opened.out)
    assert opened.win.annotator.dixon.chosen is None


def test_a_reading_list_offers_no_choice_and_names_no_file(opened):
    win = opened.win
    for blinded in (True, False):
        access = Access("fixed", blinded=blinded)
        win.annotator.opener.switch_to(opened.source, folder=opened.out, access=access)
        assert opened.panel.fat.count() == opened.panel.water.count() == 0, blinded
        assert not opened.panel.use.isEnabled(), blinded
        assert "reading list" in opened.panel.words.text(), blinded
        win.attempt(win.annotator.dixon.choose, "a", "b")
        assert win.annotator.dixon.chosen is None, blinded


def test_a_reading_list_does_not_use_the_pair_of_a_journal(opened, messages):
    choose(opened, "fat", "water")
    draw(opened.win)
    workspace, opener = opened.win.annotator.workspace, opened.win.annotator.opener
    by, pair = workspace.session.drawing.reading, workspace.active.source.roles
    for blinded, index in ((True, 2), (False, 0)):
        access = Access("fixed", blinded=blinded)
        messages.clear()
        opener.switch_to(open_exam(opened.source.path), folder=opened.out, by=by, access=access)
        assert shown(opened.win).area_mm2 > 0, blinded
        assert np.isnan(shown(opened.win).dixon_pct), blinded
        assert opened.win.annotator.dixon.chosen is None, blinded
        # That there is a pair tells that this reading was open elsewhere.
        assert any("is not used" in words for words in messages) is not blinded
        # The list leaves the choice to where it was made.
        workspace.session.put(MULTIFIDUS_LEFT, index, [circle(36, 44, 9)])
        workspace.committed()
        workspace.flush()
        assert workspace.file.load_journal().roles == pair, blinded
        opener.switch_to(open_exam(opened.source.path), folder=opened.out, by=by)
        assert shown(opened.win).dixon_pct == pytest.approx(12, abs=1), blinded


def test_outlines_on_another_series_stay_and_the_message_says_so(opened, messages):
    win = opened.win
    other = next(
        series
        for series in win.annotator.opener.series_to_choose()
        if opened.source.files[series.uid] == opened.files["in"].name
    )
    win.annotator.opener.choose_series(other)
    draw(win)
    choose(opened, "fat", "water")
    assert win.annotator.workspace.session.series.uid == other.uid
    assert "Outline on one of the two" in messages[-1]
    assert shown(win).area_mm2 > 0
