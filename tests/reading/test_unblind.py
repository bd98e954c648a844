"""Undoing blinding: only by the key, and to the last digit what the rater drew."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.roi import Reading
from multifidus.errors import CohortError, MultifidusError, ReadError, WriteError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.outlines import write_rois
from multifidus.io.outlines_json import read_outlines
from multifidus.io.table_reader import read_rows
from multifidus.reading.audit_log import Event
from multifidus.reading.schedule import LIMITS
from multifidus.reading.session import SessionRequest, open_worklist
from multifidus.reading.unblind import unblind
from multifidus.reporting.build import ReportRequest, load_study
from multifidus.reporting.text.facts import facts_of
from multifidus.reporting.text.grras import Answer, grras
from multifidus.reporting.text.methods import methods_text
from tests.reading.test_readings import NOON
from tests.support.cases import write_cohort, write_outlines


@pytest.fixture
def study(tmp_path):
    """Two exams, read blinded by AB, the first of them finished."""
    cohort = write_cohort(tmp_path / "study")
    worklist = open_worklist(SessionRequest(cohort, "EF", blind=True, seed=3, repeats=1))
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


def test_how_exams_were_read_reaches_the_methods(study):
    """The reread exam was finished 15 days after its first reading; each reading took 20 min."""
    folder, cohort, worklist = study
    *_, again = worklist.listed.entries
    (reread,) = [by for by in worklist.listed.entries if worklist.truth(by).reading == 2]
    assert again == reread
    exam = replace(worklist.truth(reread), reading=1)
    (before,) = [by for by in worklist.listed.entries if worklist.truth(by) == exam]
    for by, days in ((before, 0), (reread, 15)):
        when = NOON + timedelta(days=days)
        worklist.note(by, Event.SAVED, when, seconds_active=1200)
        worklist.note(by, Event.DONE, when)
    done = unblind(worklist.folder, cohort.with_name("cohort.key.json"), folder / "out")
    rows = {(row["timepoint"], row["reading"]): row for row in read_rows(done.table)}
    assert {row["blinded"] for row in rows.values()} == {"yes"}
    assert rows[exam.timepoint, "2"]["reread_after_days"] == "15.0"
    assert rows[exam.timepoint, "1"]["reread_after_days"] == ""
    out = str(folder / "results")
    command = ["measure", str(done.table), "-o", out, "--no-pictures"]
    assert CliRunner().invoke(app, command).exit_code == 0
    data = load_study(ReportRequest(folder / "results"))
    facts = facts_of(data.rows, data.timepoints)
    said = {item.topic: item.text for item in methods_text(data, facts)}
    assert said["Blinding"].startswith(
        "All 3 readings followed a reading list that was blinded, in random order. Raters were "
        "blinded to subject, timepoint and side of surgery"
    )
    assert LIMITS in said["Blinding"]
    assert "was finished 15 days after the first" in said["Interval between readings"]
    assert said["Time"] == "A reading took 20 minutes of work."
    (process,) = [item for item in grras(data, facts) if item.number == 8]
    assert process.answer is Answer.YES


def test_a_second_reading_returned_later_knows_the_first(study):
    folder, cohort, worklist = study
    key, out = cohort.with_name("cohort.key.json"), folder / "out"
    (reread,) = [by for by in worklist.listed.entries if worklist.truth(by).reading == 2]
    late = folder / "late"
    late.mkdir()
    for by in worklist.listed.entries:
        when = NOON + timedelta(days=20 if by == reread else 0)
        worklist.note(by, Event.DONE, when)
    stem = worklist.outlines_of(reread).name.removesuffix(".outlines.json")
    for path in worklist.folder.glob(f"{stem}*"):
        path.rename(late / path.name)
    unblind(worklist.folder, key, out)
    unblind(late, key, out)
    told = [row["reread_after_days"] for row in read_rows(out / "cohort.csv")]
    assert sorted(told) == ["", "", "20.0"]


def test_doing_it_again_changes_nothing_and_new_readings_extend_the_table(study):
    folder, cohort, worklist = study
    key, out = cohort.with_name("cohort.key.json"), folder / "out"
    unblind(worklist.folder, key, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    unblind(worklist.folder, key, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    other = open_worklist(SessionRequest(cohort, "GH", blind=True))
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
    open_worklist(
        SessionRequest(
            cohort, "EF", blind=True, seed=4, root=folder / "r", key=folder / "other.json"
        )
    )
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
    assert "did not extend to" in done.output
    with pytest.raises(MultifidusError):
        app([*arguments[:3], "none", "-o", "x"], standalone_mode=False)


@pytest.mark.parametrize("name", ["blinded", "Reading Minutes", "reread_after_days"])
def test_a_study_column_that_unblinding_would_replace_is_refused(study, name):
    folder, cohort, worklist = study
    lines = cohort.read_text().splitlines()
    cohort.write_text("\n".join([f"{lines[0]},{name}", *(f"{line},7.1" for line in lines[1:])]))
    with pytest.raises(CohortError, match="in which unblinding says") as error:
        unblind(worklist.folder, cohort.with_name("cohort.key.json"), folder / "out")
    assert "study_" in error.value.remedy
    assert not (folder / "out").exists()


def test_an_unblinded_table_that_a_spreadsheet_saved_gets_no_row_twice(study):
    folder, cohort, worklist = study
    key = cohort.with_name("cohort.key.json")
    done = unblind(worklist.folder, key, folder / "out")
    before = read_cohort(done.table).cases
    text = done.table.read_text(encoding="utf-8").replace(",1,", ",1.0,").replace(",", ";")
    done.table.write_bytes(("\ufeff" + text.replace("\n", "\r\n") + ";;;\r\n").encode())
    unblind(worklist.folder, key, folder / "out")
    assert len(read_cohort(done.table).cases) == len(before)


def test_a_table_that_was_unblinded_before_is_no_columns_of_the_studys_own(study):
    folder, cohort, worklist = study
    key = cohort.with_name("cohort.key.json")
    done = unblind(worklist.folder, key, folder / "out")
    again = unblind(worklist.folder, key, folder / "again", done.table)
    assert set(again.files) == set(done.files)
