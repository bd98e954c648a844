"""A results folder goes on where it was left, and never mixes runs."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace

import pytest

import multifidus as mf
from multifidus.data.drawing import PictureFormat, PictureStyle
from multifidus.errors import CohortError, WriteError
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.batch import measure_cases
from multifidus.study.results import results_of, write_results
from multifidus.study.results_folder import Output
from multifidus.study.run.cohort import CohortRun, Reporter, measure_cohort_into, planned_run
from multifidus.study.run.lock import locked
from multifidus.study.run.selection import Selection
from tests.support.cases import write_cohort

PROTOCOL = mf.MeasurementProtocol(fat_methods=("pooled_otsu",), bias_correction="none")
TABLES = ("measurements.csv", "summary.csv", "missing.csv", "failures.csv", "index.html")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a cohort of three cases, the last of which fails."""
    table = write_cohort(tmp_path_factory.mktemp("study"))
    with table.open("a") as file:
        file.write("S02,pre,0,AB,nowhere,pre.outlines.json,open\n")
    return table


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    """Return the results of this cohort."""
    folder = tmp_path_factory.mktemp("whole") / "results"
    measure_cohort_into(asked(study, folder))
    return folder


@pytest.fixture
def results(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "results")


def asked(table, folder, *, overwrite=False, pictures=True, **how):
    output = Output(folder, overwrite=overwrite, pictures=pictures)
    how = {"protocol": PROTOCOL, **how}
    return CohortRun(table, read_cohort(table).cases, output, **how)


def measured(run):
    """Run; return the names of the cases that were measured now, and the result."""
    found = []
    result = measure_cohort_into(run, Reporter(finished=found.append))
    return sorted(f"{done.reading.subject} {done.reading.timepoint}" for done in found), result


def content(folder, *names):
    return {name: (folder / name).read_bytes() for name in names or TABLES}


@pytest.fixture
def another(study, tmp_path):
    """Return a copy of the cohort, to be changed."""
    return shutil.copytree(study.parent, tmp_path / "study") / study.name


@pytest.mark.processes  # as fixtures of a whole file are made
def test_tables_and_page_are_those_of_the_same_cases_measured_here(study, whole, tmp_path):
    cases = read_cohort(study).cases
    write_results(measure_cases(cases, PROTOCOL), Output(tmp_path / "here"), PROTOCOL)
    assert content(whole) == content(tmp_path / "here")
    drawn = {path.name: path.read_bytes() for path in (whole / "pictures").glob("*.jpg")}
    here = (tmp_path / "here" / "pictures").glob("*.jpg")
    assert drawn == {path.name: path.read_bytes() for path in here}


def test_rows_can_be_had_from_the_records(study, whole):
    _, result = measured(asked(study, whole))
    with (whole / "measurements.csv").open(newline="") as file:
        values = [row["value"] for row in csv.DictReader(file)]
    rows = results_of(result.study).rows
    assert ["NaN" if row.value != row.value else repr(float(row.value)) for row in rows] == values


def test_provenance_names_inputs_and_the_outlines_of_each_case(whole):
    found = json.loads((whole / "provenance.json").read_text())
    first = found["cases"][0]
    assert first["outlines"] == ["pre.outlines.json"]
    assert len(first["files"]["images S01_pre"]) == 64
    assert [case["measured"] for case in found["cases"]] == [True, True, False]
    assert found["protocol"]["digest"] == PROTOCOL.digest
    assert str(whole.parent) not in (whole / "provenance.json").read_text()


def test_the_log_has_a_line_for_each_case(whole):
    events = [json.loads(line) for line in (whole / "run.log.jsonl").read_text().splitlines()]
    finished = [event for event in events if event["event"] == "case_finished"]
    assert all(event["cpu_s"] > 0 for event in finished if "error" not in event)
    assert {(event["subject"], event.get("error")) for event in finished} >= {
        ("S01", None), ("S02", "ReadError"),
    }  # fmt: skip
    assert str(whole.parent) not in (whole / "run.log.jsonl").read_text()


def test_the_same_again_keeps_what_is_done_and_does_again_what_failed(study, results):
    before = content(results)
    assert measured(asked(study, results))[0] == ["S02 pre"]
    assert content(results) == before


def test_what_is_missing_is_done(study, results):
    before = content(results)
    for path in (results / "cases").glob("??/*.jsonl"):
        if '"post"' in path.read_text():
            path.unlink()
    assert measured(asked(study, results))[0] == ["S01 post", "S02 pre"]
    assert content(results) == before


def test_a_damaged_record_and_lost_pictures_are_done_again(study, results):
    before = content(results)
    records = sorted((results / "cases").glob("??/*.jsonl"))
    first = next(path for path in records if '"failure": null' in path.read_text())
    first.write_text(first.read_text()[:100])
    assert len(measured(asked(study, results))[0]) == 2
    next((results / "pictures").glob("*pre*slice000.jpg")).unlink()
    assert measured(asked(study, results))[0] == ["S01 pre", "S02 pre"]
    assert content(results) == before


def test_a_case_that_failed_is_measured_when_its_files_are_there(another, results):
    shutil.copytree(another.parent / "S01_pre", another.parent / "nowhere")
    with another.with_name("pre.outlines.json").open() as file:
        document = json.load(file)
    document["subject"] = "S02"
    another.with_name("other.outlines.json").write_text(json.dumps(document))
    text = another.read_text().replace("nowhere,pre.", "nowhere,other.")
    another.write_text(text)
    found, result = measured(asked(another, results))
    assert found == ["S02 pre"]
    assert result.study.failures == []
    assert len([*(results / "cases").glob("??/*.jsonl")]) == 3


def test_another_protocol_is_refused_and_named_and_overwriting_measures_all(study, results):
    before = content(results)
    other = replace(PROTOCOL, tracing_sd_mm=0.7)
    with pytest.raises(WriteError, match=r"tracing_sd_mm 0\.5, not 0\.7"):
        measured(asked(study, results, protocol=other))
    assert content(results) == before
    again = asked(study, results, protocol=other, overwrite=True)
    assert len(measured(again)[0]) == 3
    assert f"{other.digest}" in (results / "measurements.csv").read_text()


def test_another_version_is_refused_and_named(study, results):
    shared = json.loads((results / "run.json").read_text())
    (results / "run.json").write_text(json.dumps({**shared, "version": "0.0.9"}))
    with pytest.raises(WriteError, match=r"version 0\.0\.9, not "):
        measured(asked(study, results))


def test_another_format_of_records_is_refused_and_named_and_none_is_left_by_overwriting(
    study, results
):
    shared = json.loads((results / "run.json").read_text())
    (results / "run.json").write_text(json.dumps({**shared, "format": 1}))
    for path in [*results.glob("cases/??/*.jsonl")]:
        path.write_text("{}\n{}\n")
        path.rename(path.with_stem("0" * 64))
    with pytest.raises(WriteError, match=r"records of format 1, not 2"):
        measured(asked(study, results))
    measured(asked(study, results, overwrite=True))
    assert not [*results.glob(f"cases/??/{'0' * 64}.jsonl")]


def test_other_outlines_are_refused_and_named_and_overwriting_measures_these_alone(
    another, results
):
    with another.with_name("post.outlines.json").open("a") as file:
        file.write("\n")
    with pytest.raises(WriteError, match=r"S01 post AB reading 1: outlines post\.outlines\.json"):
        measured(asked(another, results))
    assert measured(asked(another, results, overwrite=True))[0] == ["S01 post", "S02 pre"]
    assert measured(asked(another, results))[0] == ["S02 pre"]


def test_force_measures_everything_again(study, results):
    before = content(results)
    assert len(measured(asked(study, results, force=True))[0]) == 3
    assert content(results) == before


def test_cases_that_the_cohort_no_longer_has_are_refused_and_go_with_overwriting(another, results):
    lines = another.read_text().splitlines()
    another.write_text("\n".join((lines[0], lines[1])))
    with pytest.raises(WriteError, match="S01 post AB reading 1 is not in this cohort"):
        measured(asked(another, results))
    found, result = measured(asked(another, results, overwrite=True))
    assert found == []
    assert {by.timepoint for record, _ in result.study.cases for by in record.readings} == {"pre"}
    assert not [*(results / "pictures").rglob("*post*")]
    assert "post" not in (results / "measurements.csv").read_text()


def test_a_cohort_that_grew_goes_on(another, results):
    lines = another.read_text().splitlines()
    another.write_text("\n".join((*lines, "S03,pre,0,AB,nowhere,pre.outlines.json,open")))
    assert measured(asked(another, results))[0] == ["S02 pre", "S03 pre"]


def test_results_without_records_are_refused_as_before(study, tmp_path):
    (tmp_path / "measurements.csv").write_text("mine")
    with pytest.raises(WriteError, match="already holds results"):
        measured(asked(study, tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["measurements.csv"]


def test_a_single_exam_takes_the_place_of_a_run_only_when_asked(study, results):
    cases = read_cohort(study).cases[:1]
    with pytest.raises(WriteError, match="already holds results"):
        Output(results).check()
    output = Output(results, overwrite=True, pictures=False)
    write_results(measure_cases(cases, PROTOCOL), output, PROTOCOL)
    assert not {"cases", "run.json", "provenance.json"} & {p.name for p in results.iterdir()}


def test_two_runs_at_once_into_one_folder_are_one_too_many(study, results):
    pytest.importorskip("fcntl", reason="this system has no locks that die with their process")
    before = content(results)
    who = rf"Another run \(process {os.getpid()} on .+\) is writing"
    with locked(results), pytest.raises(WriteError, match=who):
        measured(asked(study, results))
    assert content(results) == before


def test_files_that_a_killed_run_was_writing_go(study, results):
    folder = next((results / "cases").iterdir())
    left = [folder / ".abc.0123abcd.jsonl", results / "pictures" / ".a_slice000.89abcdef.png"]
    for path in left:
        path.write_text("half")
    measured(asked(study, results))
    assert not any(path.exists() for path in left)


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(include=("timepoint=post",)), ["S01 post"]),
        (Selection(include=("subject=S01", "timepoint=pre")), ["S01 pre"]),
        (
            Selection(include=("timepoint=pre", "timepoint=post")),
            ["S01 pre", "S01 post", "S02 pre"],
        ),
        (Selection(exclude=("subject=S01",)), ["S02 pre"]),
        (Selection(limit=2), ["S01 pre", "S01 post"]),
        (Selection(only_failed=True), []),
    ],
)
def test_some_cases_can_be_chosen(study, tmp_path, selection, wanted):
    _, now = planned_run(asked(study, tmp_path / "new", selection=selection))
    assert [f"{case.subject} {case.timepoint}" for case in now] == wanted
    assert not (tmp_path / "new").exists()


def test_those_that_failed_can_be_chosen(study, results):
    again = asked(study, results, selection=Selection(only_failed=True))
    assert [case.subject for case in planned_run(again)[1]] == ["S02"]


def test_a_column_that_is_not_there_is_refused(study, tmp_path):
    with pytest.raises(CohortError, match="no column 'sex'"):
        planned_run(asked(study, tmp_path / "new", selection=Selection(include=("sex=f",))))
    with pytest.raises(CohortError, match="names no column and value"):
        Selection(include=("S01",))


def test_a_part_of_a_cohort_is_measured_and_the_rest_later(study, whole, tmp_path):
    part = asked(study, tmp_path, selection=Selection(limit=1))
    found, result = measured(part)
    assert (found, result.left) == (["S01 pre"], 2)
    found, result = measured(asked(study, tmp_path))
    assert (found, result.left) == (["S01 post", "S02 pre"], 0)
    assert content(tmp_path) == content(whole)


def test_a_picture_that_cannot_be_drawn_fails_nothing_but_itself(study, tmp_path, monkeypatch):
    from multifidus.study.run import cases
    from multifidus.study.run.content import RunSettings
    from multifidus.study.run.last_exam import LastExam
    from multifidus.study.run.record_files import read_record

    def fail(*_):
        raise ValueError("no such colour")

    monkeypatch.setattr(cases, "draw_pictures", fail)
    how = cases.CaseSettings(tmp_path, RunSettings(PROTOCOL))
    record = read_record(cases.finish_case(read_cohort(study).cases[0], how, LastExam()))
    assert (record.failure, record.facts["undrawn"]) == (None, "ValueError: no such colour")
    assert record.n_rows > 0


def test_a_full_disk_ends_the_run_and_keeps_nothing_half(study, tmp_path, monkeypatch):
    import errno

    from multifidus.study.run import cases
    from multifidus.study.run.content import RunSettings
    from multifidus.study.run.last_exam import LastExam

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cases, "draw_pictures", full)
    how = cases.CaseSettings(tmp_path, RunSettings(PROTOCOL))
    with pytest.raises(OSError, match="No space left"):
        cases.finish_case(read_cohort(study).cases[0], how, LastExam())
    assert [*tmp_path.rglob("*.jsonl")] == []


def test_another_choice_of_pictures_draws_again_what_was_drawn_otherwise(study, results):
    run = asked(study, results)
    assert measured(run)[0] == ["S02 pre"]  # which failed, and fails again
    small = replace(
        run, output=replace(run.output, drawing=PictureStyle(format=PictureFormat.WEBP))
    )
    names, _ = measured(small)
    assert names == ["S01 post", "S01 pre", "S02 pre"]
    suffixes = {path.suffix for path in (results / "pictures").iterdir() if path.is_file()}
    assert suffixes == {".webp"}
