"""``multifidus levels``: its rows, its table, its exit codes."""

import json

import pytest
from typer.testing import CliRunner

from multifidus import Landmark, RoiSet, write_rois
from multifidus.cli.app import app
from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.roi_set import SliceLevel
from multifidus.errors import LevelError
from multifidus.spine.level_table import level_rows, level_table
from tests.support.cases import write_exam
from tests.support.exams import box, outline
from tests.support.spines import disc_centres, exam_through, slice_through, straight

run = CliRunner().invoke
HEIGHTS = (-100.0, 0.0, 16.5)
EXAM = exam_through(slice_through((0, 0, z)) for z in HEIGHTS)
MARKS = tuple(disc_centres(straight()))


def test_rows_say_of_every_slice_what_its_measurements_would():
    typed = (SliceLevel("1.2.0", Level.S1, SlicePosition.PEDICLE),)
    beyond, disc, between = level_rows(EXAM, RoiSet(landmarks=MARKS, levels=typed))
    assert beyond == {
        "slice_uid": "1.2.0", "series": "1.2", "slice_index": 0, "level": "S1",
        "slice_position": "pedicle", "typed": True, "offset_mm": None, "margin_mm": None,
        "tilt_deg": 0.0, "tilt_axis": "spine", "flags": [],
    }  # fmt: skip
    assert (disc["level"], disc["slice_position"], disc["typed"]) == ("L3-L4", "mid_disc", False)
    assert (between["offset_mm"], between["margin_mm"]) == pytest.approx((16.5, 2.0))
    assert between["flags"] == ["level_ambiguous"]


def test_a_level_typed_for_an_outline_is_that_of_its_slice():
    item = EXAM.series[0].slices[1]
    roi = outline(item, box(5, 5, 9, 9), level=Level.L4)
    silent = outline(item, box(5, 15, 9, 19), name="b")
    other = (SliceLevel("1.2.1", Level.L5), SliceLevel("1.2.2", Level.L2))
    rows = level_rows(EXAM, RoiSet((roi, silent), levels=other))
    assert [row["level"] for row in rows] == [None, "L4", "L2"]
    assert [row["flags"] for row in rows] == [["tilt_unknown"]] * 3


def test_the_table_is_rounded_for_people():
    headings, cells = level_table(level_rows(EXAM, RoiSet(landmarks=MARKS)))
    assert len(headings) == len(cells[0])
    assert [row[1:7] for row in cells] == [
        ["1", "none", "", "", "", "+0.0"],
        ["2", "L3-L4", "mid disc", "+0.0", "35.0", "+0.0"],
        ["3", "L3-L4", "", "+16.5", "2.0", "+0.0"],
    ]


def test_without_landmarks_and_levels_there_is_nothing_to_say():
    with pytest.raises(LevelError, match="neither landmarks nor levels"):
        level_rows(EXAM, RoiSet())


def test_the_command_prints_the_same_for_people_and_for_scripts(tmp_path):
    images = write_exam(tmp_path / "exam")
    file = tmp_path / "marks.outlines.json"
    write_rois(RoiSet(landmarks=(Landmark("disc_centre", "L4-L5", (0, -20, 3)),)), file)
    shown = run(app, ["levels", str(images), "--landmarks", str(file)])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("L4-L5") == 2
    scripted = run(app, ["levels", str(images), "--landmarks", str(file), "--json"])
    rows = json.loads(scripted.stdout)["levels"]
    assert [row["level"] for row in rows] == ["L4-L5", "L4-L5"]
    assert {row["tilt_axis"] for row in rows} == {"patient_z"}
    assert rows[0]["tilt_deg"] == pytest.approx(12)
    far = tmp_path / "far.outlines.json"
    write_rois(RoiSet(landmarks=(Landmark("disc_centre", "L4-L5", (0, -20, 900)),)), far)
    refused = run(app, ["levels", str(images), "--landmarks", str(far)])
    assert isinstance(refused.exception, LevelError)


def test_slices_without_a_level_are_counted(tmp_path):
    images = write_exam(tmp_path / "exam", slices=9)
    file = tmp_path / "marks.outlines.json"
    write_rois(RoiSet(landmarks=(Landmark("disc_centre", "L4-L5", (0, -20, 3)),)), file)
    shown = run(app, ["levels", str(images), "--landmarks", str(file)])
    assert "slices lie beyond the landmarks; no level is assigned" in shown.output
