"""Closing the window and coming back."""

from __future__ import annotations

import dataclasses
import gc
import weakref

import numpy as np
import pytest
from napari_multifidus._compat import open_dock
from napari_multifidus.annotate import annotate
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT

import multifidus as mf
from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.roi import Reading
from multifidus.errors import RoiError
from multifidus.io.outlines_json import file_name
from multifidus.sample_data import sample_dir

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

SQUARE = [(20.0, 48.0), (20.0, 68.0), (50.0, 68.0), (50.0, 48.0)]


def test_everything_is_there_when_the_exam_is_opened_again(win, window, exam, tmp_path):
    first, again = window(), win
    first.open(exam, tmp_path)
    first.annotator.display.step(4)
    first.annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    first.annotator.edit_tools.draw(MULTIFIDUS_LEFT)
    first.draw(SQUARE)
    left = first.annotator.workspace.session.rois()
    # Closing at once: nothing may wait for a timer.
    first.close()

    again.open(exam, tmp_path)
    assert again.annotator.workspace.session.rois() == left
    assert again.annotator.workspace.canvas.index == 4
    assert again.annotator.workspace.canvas.active == MULTIFIDUS_LEFT
    assert again.dock.slice_level.level.currentText() == Level.L4_L5
    assert len(again.layer(MULTIFIDUS_LEFT).data) == 1
    # Looking does not change: what is read back is the outline itself, not what napari rounds.
    again.annotator.workspace.flush()
    assert again.annotator.workspace.session.rois() == left


def test_a_reading_with_its_sides_swapped_comes_back_to_be_mended(win, exam, tmp_path):
    win.open(exam, tmp_path)
    annotator, banner = win.annotator, win.dock.obstacle
    workspace = annotator.workspace
    for key, columns in ((MULTIFIDUS_RIGHT, 0), (MULTIFIDUS_LEFT, 40)):
        loop = np.array(SQUARE) - (0, columns)
        workspace.session.put(key, workspace.canvas.index, [loop])
        workspace.canvas.push(key)
    workspace.committed()
    left, file = workspace.session.rois(), workspace.file.path
    source = workspace.active.source

    annotator.opener.switch_to(source, folder=tmp_path)
    assert (workspace.session.rois(), workspace.file.path) == (left, file)
    assert not banner.isHidden()
    assert "swapped" in banner.words.text()
    annotator.opener.open_outlines(file)
    assert (workspace.session.rois(), workspace.file.path) == (left, file)
    # Another exam opened with these outlines shows them as well, and says the same.
    opened = dataclasses.replace(source, outlines=file)
    annotator.opener.switch_to(opened, folder=tmp_path / "other")
    assert workspace.session.rois() == left
    assert not banner.isHidden()
    with pytest.raises(RoiError, match="swapped"):
        mf.read_rois(file, exam)
    banner.mend.click()
    assert banner.isHidden()
    workspace.flush()
    assert mf.read_rois(workspace.file.path, exam) == workspace.session.rois()


def test_an_exam_is_opened_by_a_call_for_a_named_reading(tmp_path, qtbot, messages):
    by = Reading("S01", "pre", "CD", 2)
    viewer = annotate(sample_dir() / "S01_pre", by=by, folder=tmp_path)
    annotator = open_dock(viewer).annotator
    annotator.entries.set_level(Level.L4_L5, SlicePosition.UNKNOWN)
    viewer.close()
    assert annotator.workspace.session.drawing.reading == by
    assert [path.name for path in tmp_path.glob("*.outlines.json")] == [file_name(by)]


def test_a_panel_that_is_closed_lets_go_of_everything(win, exam, tmp_path, qtbot):
    win.open(exam, tmp_path)
    held = weakref.ref(win.annotator)
    win.close_dock()
    win.viewer.layers.clear()
    win.__dict__.clear()
    gc.unfreeze()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and held() is None)


BOW_TIE = [(20.0, 48.0), (50.0, 68.0), (50.0, 48.0), (20.0, 68.0)]


def test_an_older_journal_replaces_no_outline(win, exam, tmp_path, messages):
    win.open(exam, tmp_path)
    workspace, opener = win.annotator.workspace, win.annotator.opener
    source, session = workspace.active.source, workspace.session
    for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
        session.put(key, 2, [np.array(BOW_TIE)])
        workspace.canvas.push(key)
    workspace.committed()
    workspace.flush()
    journal = workspace.file.journal_path
    old = journal.read_text(encoding="utf-8")
    session.put(MULTIFIDUS_LEFT, 2, [np.array(SQUARE)])
    workspace.canvas.push(MULTIFIDUS_LEFT)
    workspace.committed()
    workspace.flush()
    ((drawn,),) = session.drawing.outlines.values()
    opener.close()
    # The outlines were written, or copied from elsewhere, and the journal was not.
    journal.write_text(old, encoding="utf-8")
    opener.switch_to(source, folder=tmp_path)
    session = workspace.session
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 2] == (drawn,)
    # Where the file holds nothing, what was to be corrected comes back.
    assert list(session.drawing.unfinished) == [(MULTIFIDUS_RIGHT, 2)]
    assert any("of multifidus left on slice 3 is no outline" in words for words in messages)
    workspace.flush()
    assert [draft[0] for draft in workspace.file.load_journal().drafts] == [MULTIFIDUS_RIGHT]
