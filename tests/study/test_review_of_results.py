"""``measure`` honours a review: its summary has no value of what did not pass."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

import multifidus as mf
from multifidus.errors import ReadError
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.batch import measure_cases
from multifidus.study.results import write_results
from multifidus.study.results_folder import Output
from multifidus.study.run.cohort import CohortRun, Reporter, measure_cohort_into
from tests.support.cases import write_cohort

PROTOCOL = mf.MeasurementProtocol(fat_methods=("pooled_otsu",), bias_correction="none")
HEADER = "subject,timepoint,rater,reading,level,side,structure,verdict,comment,reviewer,date\n"
FAILED = "S01,post,AB,1,L4-L5,left,multifidus,fail,moved,KL,2026-11-30\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a cohort, its results, and the content of their tidy table."""
    table = write_cohort(tmp_path_factory.mktemp("study"))
    run = CohortRun(
        table, read_cohort(table).cases, Output(table.parent / "results", pictures=False), PROTOCOL
    )
    measure_cohort_into(run)
    return run, (run.output.folder / "measurements.csv").read_bytes()


def rows_of(folder, name):
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def left_of(rows):
    muscle = {"structure": "multifidus", "side": "left", "level": "L4-L5", "timepoint": "post"}
    return [row for row in rows if all(row[name] == value for name, value in muscle.items())]


def test_the_review_in_the_folder_reaches_all_tables_but_the_tidy_one(results):
    run, tidy = results
    folder = run.output.folder
    (folder / "review.csv").write_text(HEADER + FAILED)
    done = []
    result = measure_cohort_into(run, Reporter(finished=done.append))
    assert not done
    assert (folder / "measurements.csv").read_bytes() == tidy
    (row,) = left_of(rows_of(folder, "summary.csv"))
    assert row["tcsa_mm2"] == row["pooled_otsu_fi_pct"] == "NaN"
    assert not row["tcsa_mm2_u"]
    assert "failed_review" in row["flags"]
    (lost,) = left_of(rows_of(folder, "missing.csv"))
    assert (lost["reason"], lost["detail"], lost["reading"]) == ("failed_review", "moved", "1")
    assert any("1 exam " in note and "1 failed" in note for note in result.notes)
    assert lost["reason"] in {row["reason"] for row in result.missing}
    told = json.loads((folder / "provenance.json").read_text())["review"]
    assert told["file"] == "review.csv"
    assert len(told["sha256"]) == 64


def test_a_later_verdict_takes_it_back(results):
    run, tidy = results
    folder = run.output.folder
    (folder / "review.csv").unlink(missing_ok=True)
    measure_cohort_into(run)
    before = (folder / "summary.csv").read_bytes()
    (folder / "review.csv").write_text(HEADER + FAILED + FAILED.replace("fail", "pass"))
    result = measure_cohort_into(run)
    assert (folder / "summary.csv").read_bytes() == before
    assert (folder / "measurements.csv").read_bytes() == tidy
    assert not result.notes


def test_a_review_elsewhere_takes_the_place_of_the_folders_own(results, tmp_path):
    run, _ = results
    (run.output.folder / "review.csv").write_text(HEADER + FAILED)
    named = tmp_path / "mine.csv"
    named.write_text(HEADER + FAILED.replace("fail", "repeat"))
    other = replace(run, output=replace(run.output, review=named))
    measure_cohort_into(other)
    (row,) = left_of(rows_of(run.output.folder, "summary.csv"))
    assert "to_be_repeated" in row["flags"].split(";")
    assert "failed_review" not in row["flags"]


def test_a_review_that_cannot_be_read_stops_before_anything_is_measured(results, tmp_path):
    run, _ = results
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(HEADER + FAILED.replace("fail", "maybe"))
    output = Output(tmp_path / "new", pictures=False, review=wrong)
    with pytest.raises(ReadError, match="line 2"):
        measure_cohort_into(replace(run, output=output))
    assert not (tmp_path / "new").exists()

    def never():
        yield pytest.fail("measured")

    with pytest.raises(ReadError, match="line 2"):
        write_results(never(), output, PROTOCOL)


def test_one_exam_by_hand_honours_it_as_a_cohort_does(results, tmp_path):
    run, _ = results
    folder = tmp_path / "hand"
    folder.mkdir()
    (folder / "review.csv").write_text(HEADER + FAILED)
    cases = [case for case in run.cases if case.reading.timepoint == "post"]
    found = write_results(measure_cases(cases, PROTOCOL), Output(folder, pictures=False), PROTOCOL)
    (row,) = left_of(rows_of(folder, "summary.csv"))
    assert row["tcsa_mm2"] == "NaN"
    assert any("1 failed" in note for note in found.notes)
    heads, cells, _ = found.printed
    place = heads.index("CSA, cm²")
    assert {line[heads.index("side")]: line[place] for line in cells}["left"] == "undefined"
