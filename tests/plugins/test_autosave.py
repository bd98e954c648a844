from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import LEAN, MULTIFIDUS_LEFT
from napari_multifidus.models.autosave import (
    Journal,
    OutlineFile,
    default_folder,
    latest_reading,
)
from napari_multifidus.models.half_drawn import HalfDrawn

import multifidus as mf
from multifidus.data.roi import Reading
from multifidus.errors import MultifidusError, ReadError
from multifidus.io.outlines_json import file_name
from tests.plugins.conftest import make_series

BY = Reading("S01", "pre", "AB", 1)


def test_the_file_is_named_after_the_reading():
    assert file_name(BY) == "S01_pre_AB_r1.outlines.json"
    assert file_name(Reading("a/b", "6 months", "", 3)) == "a-b_6-months_rater_r3.outlines.json"
    assert file_name(Reading("..", "x", "y")) == "x_x_y_r1.outlines.json"


def test_outlines_are_written_and_read_back_equal(session, tmp_path):
    file = OutlineFile.of(tmp_path, session.drawing.reading)
    assert file.load(session.exam) is None
    file.save(session.rois(), Journal())
    again = OutlineFile.of(tmp_path, session.drawing.reading)
    assert again.load(session.exam) == session.rois()
    assert mf.read_rois(file.path, session.exam) == session.rois()
    assert not again.notes


def test_the_journal_keeps_what_an_outline_file_cannot(session, tmp_path):
    loop = np.array([(20.1, 20.0), (40.0, 40.0), (40.0, 20.0), (20.0, 40.0)])
    journal = Journal("1.2.4", MULTIFIDUS_LEFT, ((MULTIFIDUS_LEFT, "1.2.4", (loop,)),))
    file = OutlineFile.of(tmp_path, BY)
    file.save(session.rois(), journal)
    found = file.load_journal()
    assert (found.slice_uid, found.active) == ("1.2.4", MULTIFIDUS_LEFT)
    ((key, uid, loops),) = found.drafts
    assert (key, uid) == (MULTIFIDUS_LEFT, "1.2.4")
    np.testing.assert_array_equal(loops[0], loop)
    assert file.journal_path.name == "S01_pre_AB_r1.journal.json"


def test_the_journal_keeps_what_was_in_the_making_and_what_was_a_draft(session):
    loop = np.array([(1.5, 2.0), (3.0, 4.25), (0.1, 7.0)])
    journal = Journal(
        "1.2.4",
        None,
        half_drawn=((MULTIFIDUS_LEFT, "1.2.4", HalfDrawn("livewire", loop[:2], loop)),),
        begun=(
            (MULTIFIDUS_LEFT, "1.2.4", (loop, loop + 9), 0.875),
            (LEAN, "1.2.5", (loop,), math.nan),
        ),
    )
    again = Journal.from_text(journal.as_text())
    ((key, uid, found),) = again.half_drawn
    assert (key, uid, found.tool) == (MULTIFIDUS_LEFT, "1.2.4", "livewire")
    np.testing.assert_array_equal(found.points, loop[:2])
    np.testing.assert_array_equal(found.path, loop)
    assert [entry[3] for entry in again.begun[:1]] == [0.875]
    np.testing.assert_array_equal(again.begun[0][2][1], loop + 9)
    assert math.isnan(again.begun[1][3])
    # A journal of before has paths alone, or neither.
    document = json.loads(journal.as_text())
    del document["unfinished"][0]["tool"], document["unfinished"][0]["points"]
    ((_, _, old),) = Journal.from_text(json.dumps(document)).half_drawn
    assert old.tool == "polygon"
    np.testing.assert_array_equal(old.points, loop)
    document["unfinished"][0]["tool"] = "spade"
    with pytest.raises(ReadError, match="spade"):
        Journal.from_text(json.dumps(document))
    del document["unfinished"], document["begun"]
    assert Journal.from_text(json.dumps(document)).begun == ()


def test_a_file_that_somebody_changed_is_not_overwritten(session, tmp_path):
    file = OutlineFile.of(tmp_path, BY)
    file.save(session.rois(), Journal())
    changed = file.path.read_text().replace('"S01"', '"S02"')
    file.path.write_text(changed)
    first = file.path
    file.save(session.rois(), Journal())
    assert first.read_text() == changed
    assert file.path.name == "S01_pre_AB_r1-2.outlines.json"
    assert mf.read_rois(file.path, session.exam) == session.rois()
    assert "changed by somebody else" in file.notes[0]
    # From now on it is this file that is ours.
    file.save(session.rois(), Journal())
    assert file.path.name == "S01_pre_AB_r1-2.outlines.json"


def test_a_file_that_appeared_meanwhile_is_not_overwritten(session, tmp_path):
    file = OutlineFile.of(tmp_path, BY)
    file.path.write_text("somebody else's")
    file.save(session.rois(), Journal())
    assert (tmp_path / "S01_pre_AB_r1.outlines.json").read_text() == "somebody else's"
    assert file.path.exists()


def test_a_damaged_file_is_kept_and_said(session, tmp_path):
    path = tmp_path / file_name(BY)
    path.write_text('{"format": "multifidus-outl')
    file = OutlineFile.of(tmp_path, BY)
    assert file.load(session.exam) is None
    assert "half written" in file.notes[0]
    file.save(session.rois(), Journal())
    assert path.read_text().endswith("outl")


def test_outlines_of_another_exam_are_kept_and_said(session, tmp_path):
    file = OutlineFile.of(tmp_path, BY)
    file.save(session.rois(), Journal())
    other = mf.Exam("S01", "pre", (make_series("9", (33.0, 33.0)),))
    again = OutlineFile.of(tmp_path, BY)
    assert again.load(other) is None
    assert "fits no slice" in again.notes[0]


def test_outlines_kept_beside_are_mentioned_on_opening(session, tmp_path):
    file = OutlineFile.of(tmp_path, BY)
    file.save(session.rois(), Journal())
    file.path.write_text(file.path.read_text() + " ")
    file.save(session.rois(), Journal())
    again = OutlineFile.of(tmp_path, BY)
    again.load(session.exam)
    assert "S01_pre_AB_r1-2.outlines.json" in again.notes[0]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other", "version": 1}', '{"a": 1'])
def test_a_damaged_journal_is_said_and_passed_over(tmp_path, text):
    file = OutlineFile.of(tmp_path, BY)
    file.journal_path.write_text(text)
    found = file.load_journal()
    assert (found.slice_uid, found.active, found.drafts) == ("", None, ())
    assert file.notes


def test_a_folder_that_cannot_be_written_is_said(session, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    file = OutlineFile.of(blocked, BY)
    with pytest.raises(MultifidusError, match="is a file, not a folder to write to"):
        file.save(session.rois(), Journal())


def test_the_last_reading_of_a_rater_is_found(tmp_path):
    assert latest_reading(tmp_path, BY) == BY
    for number, age in ((1, 30), (2, 10), (3, 20)):
        path = tmp_path / file_name(Reading("S01", "pre", "AB", number))
        path.write_text(json.dumps({}))
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / file_name(Reading("S01", "pre", "CD", 7))).write_text("{}")
    assert latest_reading(tmp_path, BY).reading == 2


def test_outlines_go_beside_the_data(tmp_path):
    folder = tmp_path / "exam"
    folder.mkdir()
    assert default_folder(folder, "1.2", is_sample=False) == folder
    image = tmp_path / "scan.nii.gz"
    image.touch()
    assert default_folder(image, "1.2", is_sample=False) == tmp_path / "scan_outlines"


def test_nothing_is_written_beside_a_sample(tmp_path):
    chosen = default_folder(tmp_path, "1.2", is_sample=True)
    assert tmp_path not in (chosen, *chosen.parents)
    assert chosen != default_folder(tmp_path, "1.3", is_sample=True)


def test_read_only_data_send_outlines_home(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    chosen = default_folder(tmp_path, "1.2", is_sample=False)
    assert chosen.is_relative_to(Path.home())
    assert chosen != default_folder(tmp_path, "1.3", is_sample=False)
    # De-identification gives one UID to several people.
    assert chosen != default_folder(tmp_path / "other", "1.2", is_sample=False)
