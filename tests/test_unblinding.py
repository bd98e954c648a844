"""Undoing blinding: only by the key, and to the last digit what the rater drew."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.errors import CohortError, MultifidusError, ReadError, WriteError
from multifidus.formats import write_rois
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.native import read_outlines
from multifidus.readings.audit import Event
from multifidus.readings.beginning import Request, begin
from multifidus.readings.unblinding import unblind
from multifidus.roi import Reading
from tests.cases import write_cohort, write_outlines
from tests.test_readings import NOON


@pytest.fixture
def study(tmp_path):
    """Two exams, read blinded by AB, the first of them finished."""
    cohort = write_cohort(tmp_path / "study")
    worklist = begin(Request(cohort, "EF", blind=True, seed=3, repeats=1))
    for by in worklist.listed.entries:
        truth = worklist.truth(by)
        images = tmp_path / "study" / f"S01_{truth.timepoint}"
        write_outlines(images, worklist.outlines_of(by), by)
    worklist.note(worklist.listed.entries[0], Event.DONE, NOON)
    return tmp_path, cohort, worklist


def test_outlines_get_their_true_names_and_rows(study):
    folder, cohort, worklist = study
    done = unblind(worklist.folder, cohort.with_name("cohort.key.json"), folder / "out")
    assert set(done.files) == {worklist.truth(by) for by in worklist.listed.entries}
    for by in worklist.listed.entries:
        blinded = read_outlines(worklist.outlines_of(by))
        assert read_outlines(done.files[worklist.truth(by)]) == blinded.read_by(worklist.truth(by))
    table = read_cohort(done.table)
    assert {case.reading for case in table.cases} == set(done.files)
    for case in table.cases:
        assert case.images[0].resolve() == cohort.parent / f"S01_{case.reading.timepoint}"
        assert case.extra["approach"] == "open"
        assert case.outlines[0].exists()
    assert len(list((folder / "out").glob("*.audit.jsonl"))) == 1


def test_measuring_the_unblinded_cohort_gives_what_the_blinded_file_gives(study):
    folder, cohort, worklist = study
    unblind(worklist.folder, cohort.with_name("cohort.key.json"), folder / "out")
    run = CliRunner().invoke(app, ["measure", str(folder / "out" / "cohort.csv"), "--json"])
    assert run.exit_code == 0, run.output
    values = {}
    for row in json.loads(run.stdout)["rows"]:
        place = (row["slice_uid"], row["structure"], row["side"], row["quantity"], row["method"])
        who = Reading(row["subject"], row["timepoint"], row["rater"], row["reading"])
        values[who, place] = row["value"]
    for by in worklist.listed.entries:
        truth = worklist.truth(by)
        images = cohort.parent / f"S01_{truth.timepoint}"
        arguments = [str(images), "--outlines", str(worklist.outlines_of(by)), "--json"]
        run = CliRunner().invoke(app, ["measure", *arguments])
        rows = json.loads(run.stdout)["rows"]
        assert rows
        for row in rows:
            assert row["subject"] == by.subject
            place = (
                row["slice_uid"], row["structure"], row["side"], row["quantity"], row["method"]
            )  # fmt: skip
            assert values[truth, place] == row["value"]


def test_doing_it_again_changes_nothing_and_new_readings_extend_the_table(study):
    folder, cohort, worklist = study
    key, out = cohort.with_name("cohort.key.json"), folder / "out"
    unblind(worklist.folder, key, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    unblind(worklist.folder, key, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    other = begin(Request(cohort, "GH", blind=True))
    by = other.listed.entries[0]
    write_outlines(cohort.parent / f"S01_{other.truth(by).timepoint}", other.outlines_of(by), by)
    unblind(other.folder, key, out)
    with (out / "cohort.csv").open() as file:
        assert [row["rater"] for row in csv.DictReader(file)] == ["EF", "EF", "EF", "GH"]


def test_what_another_file_holds_is_not_overwritten(study):
    folder, cohort, worklist = study
    key, out = cohort.with_name("cohort.key.json"), folder / "out"
    unblind(worklist.folder, key, out)
    path = worklist.outlines_of(worklist.listed.entries[0])
    rois = read_outlines(path)
    write_rois(type(rois)(rois.rois[:1], reading=rois.reading), path, overwrite=True)
    with pytest.raises(WriteError, match="other outlines"):
        unblind(worklist.folder, key, out)


def test_without_the_right_key_or_table_nothing_is_written(study):
    folder, cohort, worklist = study
    out = folder / "out"
    with pytest.raises(ReadError):
        unblind(worklist.folder, folder / "none.json", out)
    begin(Request(cohort, "EF", blind=True, seed=4, root=folder / "r", key=folder / "other.json"))
    with pytest.raises(CohortError, match="has a code that the key"):
        unblind(worklist.folder, folder / "other.json", out)
    short = folder / "short.csv"
    short.write_text("subject,timepoint,images\nS09,pre,x\n")
    with pytest.raises(CohortError, match="no row of subject S01"):
        unblind(worklist.folder, cohort.with_name("cohort.key.json"), out, short)
    assert not out.exists()


def test_two_files_of_one_reading_are_not_chosen_between(study):
    folder, cohort, worklist = study
    shutil.copytree(worklist.folder, worklist.folder / "copy")
    with pytest.raises(CohortError, match="of one reading"):
        unblind(worklist.folder, cohort.with_name("cohort.key.json"), folder / "out")


def test_the_command_says_what_it_did_and_what_it_could_not(study):
    folder, cohort, worklist = study
    entries = worklist.listed.entries
    stray = worklist.folder / "X.outlines.json"
    write_rois(
        read_outlines(worklist.outlines_of(entries[0])).read_by(
            Reading("BCDFGH", "blinded", "EF", 1)
        ),
        stray,
    )
    key = str(cohort.with_name("cohort.key.json"))
    arguments = ["unblind", str(worklist.folder), "--key", key, "-o", str(folder / "out")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "3 outline files" in done.output
    assert "BCDFGH" in done.output or str(stray) in done.output
    assert "not screws" in done.output or "hardware" in done.output
    with pytest.raises(MultifidusError):
        app([*arguments[:3], "none", "-o", "x"], standalone_mode=False)
