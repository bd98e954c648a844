"""Cases become a results folder; one that fails never stops the rest."""

from __future__ import annotations

import base64
import csv
import json
import re
from dataclasses import replace

import pytest

import multifidus as mf
from multifidus.data.anatomy import Level
from multifidus.data.cohort import Case
from multifidus.data.roi_set import Reason
from multifidus.errors import RoiError, WriteError
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.batch import Failure, Measured, case_of, measure_case, measure_cases
from multifidus.study.missing import Absence
from multifidus.study.results import as_json, write_results
from multifidus.study.results_folder import Output
from tests.support.cases import write_cohort, write_exam, write_outlines

PROTOCOL = mf.MeasurementProtocol()


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohort"))


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_cohort_becomes_tables_pictures_and_a_page(cohort, tmp_path):
    outcomes = measure_cases(read_cohort(cohort).cases, PROTOCOL)
    results = write_results(outcomes, Output(tmp_path / "out"), PROTOCOL)
    assert results.failures == []
    rows = table(tmp_path / "out" / "measurements.csv")
    assert {row["timepoint"] for row in rows} == {"pre", "post"}
    assert {row["approach"] for row in rows} == {"open"}
    assert len(list((tmp_path / "out" / "pictures").glob("*_slice*.jpg"))) == 4
    assert len(list((tmp_path / "out" / "pictures").glob("*_shading*.jpg"))) == 2
    page = (tmp_path / "out" / "index.html").read_text()
    assert "S01" in page
    field = "a smooth field fitted to lean muscle and fat together"
    assert f"shading corrected by {field}: before" in page
    assert "Value of a level: mean of all slices." in page
    assert table(tmp_path / "out" / "failures.csv") == []
    columns = json.loads((tmp_path / "out" / "dictionary.json").read_text())["measurements.csv"]
    assert list(rows[0]) == list(columns)


def test_the_summary_follows_the_cohorts_order_and_means_each_levels_slices(cohort, tmp_path):
    write_results(
        measure_cases(read_cohort(cohort).cases, PROTOCOL),
        Output(tmp_path, pictures=False),
        PROTOCOL,
    )
    acquired = table(tmp_path / "acquisitions.csv")
    assert [row["timepoint"] for row in acquired] == ["pre", "post"]
    summary = table(tmp_path / "summary.csv")
    muscles = [row for row in summary if row["structure"] == "multifidus" and row["tcsa_mm2"]]
    assert [row["timepoint"] for row in muscles] == ["pre"] * 4 + ["post"] * 4
    assert {row["level"] for row in muscles} == {"", "L4-L5"}
    tidy = table(tmp_path / "measurements.csv")
    for row in muscles:
        alone = [
            float(one["value"])
            for one in tidy
            if one["quantity"] == "tcsa_mm2"
            and one["slice_index"] == row["slice_indices"]
            and (one["timepoint"], one["side"], one["structure"])
            == (row["timepoint"], row["side"], row["structure"])
        ]
        assert [float(row["tcsa_mm2"])] == alone
    assert not any(row["structure"].endswith("reference") for row in summary)


def test_the_summary_compares_the_sides_in_rows_of_their_own(cohort, tmp_path):
    cases = read_cohort(cohort).cases[:1]
    write_results(measure_cases(cases, PROTOCOL), Output(tmp_path, pictures=False), PROTOCOL)
    summary = table(tmp_path / "summary.csv")
    known = [row for row in summary if row["level"] == "L4-L5"]
    sides = {row["side"]: row for row in known if row["structure"] == "multifidus"}
    left, right = (float(sides[side]["tcsa_mm2"]) for side in ("left", "right"))
    asymmetry = float(sides["both"]["asymmetry_pct"])
    assert asymmetry == pytest.approx(100 * (right - left) / ((right + left) / 2))
    assert sides["both"]["tcsa_mm2"] == sides["left"]["asymmetry_pct"] == ""


def test_what_the_study_lacks_is_a_table_and_stands_on_the_page(cohort, tmp_path):
    cases = read_cohort(cohort).cases
    exam = mf.read_exam(*cases[1].images)
    whole = mf.read_rois(cases[1].outlines[0], exam)
    gap = mf.NotMeasurable(Level.L4_L5, mf.Side.LEFT, mf.Structure.MULTIFIDUS, Reason.METAL, "rod")
    partly = replace(
        whole,
        rois=tuple(roi for roi in whole if roi.key.side is not mf.Side.LEFT),
        not_measurable=(gap,),
    )
    mf.write_rois(partly, tmp_path / "partly.outlines.json")
    cases = [
        cases[0],
        replace(cases[1], outlines=(tmp_path / "partly.outlines.json",)),
        replace(cases[0], reading=mf.Reading("S02", "pre", "AB"), images=(tmp_path / "none",)),
    ]
    output = Output(tmp_path / "out")
    results = write_results(measure_cases(cases, PROTOCOL), output, PROTOCOL)
    rows = table(tmp_path / "out" / "missing.csv")
    names = ("subject", "timepoint", "level", "side", "reason", "detail")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("S01", "post", "L4-L5", "left", "not_measurable", "metal"),
        ("S02", "post", "L4-L5", "left", "no_exam", ""),
        ("S02", "post", "L4-L5", "right", "no_exam", ""),
        ("S02", "pre", "L4-L5", "left", "case_failed", "ReadError"),
        ("S02", "pre", "L4-L5", "right", "case_failed", "ReadError"),
    ]
    assert [row["reading"] for row in rows] == ["1", "", "", "1", "1"]
    assert [row["rater_note"] for row in rows] == ["rod", "", "", "", ""]
    page = (tmp_path / "out" / "index.html").read_text()
    assert "missing.csv" in page
    assert Absence.NO_EXAM.meaning in page
    json.dumps(as_json(results), allow_nan=False)
    (declared,) = (row for row in results.rows if row.is_not_measurable)
    assert declared.parameters == {"reason": "metal"}
    assert "rod" not in (tmp_path / "out" / "measurements.csv").read_text()


def test_of_a_whole_study_the_table_of_what_is_missing_is_empty(cohort, tmp_path):
    outcomes = measure_cases(read_cohort(cohort).cases, PROTOCOL)
    write_results(outcomes, Output(tmp_path), PROTOCOL)
    assert table(tmp_path / "missing.csv") == []
    assert "Missing measurements" not in (tmp_path / "index.html").read_text()


def test_a_quarter_of_the_left_muscle_is_fat_and_none_of_the_right(cohort):
    done = measure_case(read_cohort(cohort).cases[0], PROTOCOL)
    fat = {row.key.side: row.value for row in done.rows if row.quantity is mf.Quantity.FI_PCT}
    assert fat[mf.Side.RIGHT] == 0
    assert fat[mf.Side.LEFT] == pytest.approx(25, abs=4)


def test_one_bad_case_is_recorded_and_the_others_are_measured(cohort, tmp_path):
    cases = read_cohort(cohort).cases
    broken = replace(cases[0], images=(tmp_path / "nowhere",))
    empty = replace(cases[0], outlines=())
    outcomes = list(measure_cases([broken, cases[1], empty], PROTOCOL))
    assert [type(outcome) for outcome in outcomes] == [Failure, Measured, Failure]
    results = write_results(outcomes, Output(tmp_path / "out", pictures=False), PROTOCOL)
    failed = table(tmp_path / "out" / "failures.csv")
    assert [row["error"] for row in failed] == ["ReadError", "RoiError"]
    assert "nowhere does not exist" in failed[0]["message"]
    assert failed[0]["remedy"] == "Check the path."
    assert len(results.rows) > 0


def test_a_fault_of_the_program_is_recorded_as_one(cohort, monkeypatch):
    def fail(*_args):
        raise ZeroDivisionError("no numbers")

    monkeypatch.setattr("multifidus.study.batch.measure_calibrated", fail)
    (outcome,) = measure_cases(read_cohort(cohort).cases[:1], PROTOCOL)
    assert (outcome.error, outcome.message) == ("ZeroDivisionError", "no numbers")
    assert "report" in outcome.remedy


@pytest.mark.parametrize("name", ["subject", "timepoint", "rater", "reading"])
def test_an_outline_file_of_somebody_else_is_refused(cohort, name):
    case = read_cohort(cohort).cases[0]
    other = replace(case.reading, **{name: 2 if name == "reading" else "other"})
    with pytest.raises(RoiError, match=f"outlines of {name}"):
        measure_case(replace(case, reading=other), PROTOCOL)


def test_a_case_that_names_no_rater_takes_the_files(cohort):
    case = read_cohort(cohort).cases[0]
    done = measure_case(replace(case, reading=replace(case.reading, rater="")), PROTOCOL)
    assert {row.key.reading.rater for row in done.rows} == {"AB"}


def test_files_given_by_hand_name_themselves_and_two_readings_stay_apart(cohort, tmp_path):
    images = cohort.parent / "S01_pre"
    second = write_outlines(
        images, tmp_path / "second.outlines.json", mf.Reading("S01", "pre", "CD", 2)
    )
    case = case_of([images], [cohort.parent / "pre.outlines.json", second], None)
    rows = measure_case(case, PROTOCOL).rows
    assert {(row.key.reading.rater, row.key.reading.reading) for row in rows} == {
        ("AB", 1),
        ("CD", 2),
    }


def test_results_are_never_replaced_unasked(cohort, tmp_path):
    case = read_cohort(cohort).cases[:1]
    write_results(measure_cases(case, PROTOCOL), Output(tmp_path, pictures=False), PROTOCOL)
    before = (tmp_path / "measurements.csv").read_bytes()
    with pytest.raises(WriteError, match="already holds results"):
        write_results(measure_cases(case, PROTOCOL), Output(tmp_path), PROTOCOL)
    assert (tmp_path / "measurements.csv").read_bytes() == before
    again = Output(tmp_path, overwrite=True, pictures=False)
    write_results(measure_cases(case, PROTOCOL), again, PROTOCOL)
    assert (tmp_path / "measurements.csv").read_bytes() == before
    with pytest.raises(WriteError, match="is a file"):
        Output(tmp_path / "measurements.csv").check()


def test_nothing_that_identifies_a_person_reaches_the_results(cohort, tmp_path):
    write_results(measure_cases(read_cohort(cohort).cases, PROTOCOL), Output(tmp_path), PROTOCOL)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 6
    for path in written:
        # Pictures of the page as they are: three letters turn up in any long text of base64.
        content = re.sub(
            rb"[A-Za-z0-9+/]{200,}=*", lambda found: base64.b64decode(found[0]), path.read_bytes()
        )
        content += path.name.encode()
        assert b"Doe" not in content
        assert b"4711" not in content


def test_json_has_null_where_a_number_is_undefined(tmp_path):
    images = write_exam(tmp_path / "exam", slices=1)
    reading = mf.Reading("S01", "pre", "AB", 1)
    outlines = write_outlines(images, tmp_path / "all.outlines.json", reading)
    exam = mf.read_exam(images)
    muscles = mf.RoiSet(
        tuple(roi for roi in mf.read_rois(outlines, exam) if roi.key.structure.is_muscle)
    )
    mf.write_rois(muscles, tmp_path / "muscles.outlines.json")
    case = Case(reading, (images,), (tmp_path / "muscles.outlines.json",))
    document = as_json(write_results(measure_cases([case], PROTOCOL), None, PROTOCOL))
    json.dumps(document, allow_nan=False)
    fat = [row for row in document["rows"] if row["quantity"] == "fi_pct"]
    assert {(row["value"], row["flags"]) for row in fat} == {(None, "no_reference")}


def test_the_page_says_which_slices_make_a_levels_value(cohort, tmp_path):
    nearest = mf.MeasurementProtocol(slice_selection="nearest")
    outcomes = measure_cases(read_cohort(cohort).cases[:1], nearest)
    write_results(outcomes, Output(tmp_path / "out"), nearest)
    assert "Value of a level: nearest slice." in (tmp_path / "out" / "index.html").read_text()


def names_in(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def measured_into(folder, cases, **how):
    return write_results(measure_cases(cases, PROTOCOL), Output(folder, **how), PROTOCOL)


MINE = ("notes.txt", "pictures/figure1.png", "pictures/small/logo.jpg", "S01_series1_slice000.png")


def test_results_written_again_hold_nothing_of_the_run_before(cohort, tmp_path):
    cases = read_cohort(cohort).cases
    measured_into(tmp_path / "both", cases)
    measured_into(tmp_path / "one", cases[1:])
    for name in MINE:
        (tmp_path / "both" / name).write_text("mine")
    results = measured_into(tmp_path / "both", cases[1:], overwrite=True)
    assert names_in(tmp_path / "both") == names_in(tmp_path / "one") | {*MINE}
    assert results.notes == ()


def test_without_pictures_those_of_the_run_before_and_its_page_are_gone(cohort, tmp_path):
    cases = read_cohort(cohort).cases[:1]
    measured_into(tmp_path, cases)
    for name in MINE:
        (tmp_path / name).write_text("mine")
    measured_into(tmp_path, cases, overwrite=True, pictures=False)
    tables = {"measurements.csv", "summary.csv", "dictionary.json", "failures.csv", "missing.csv"}
    tables |= {"muscles.csv", "acquisitions.csv"}
    assert names_in(tmp_path) == {*MINE, *tables, "protocol.toml"}


def test_where_every_case_fails_no_table_of_the_run_before_stays(cohort, tmp_path):
    cases = read_cohort(cohort).cases
    measured_into(tmp_path, cases)
    broken = [replace(case, images=(tmp_path / "nowhere",)) for case in cases]
    other = mf.MeasurementProtocol(bias_correction="none")
    output = Output(tmp_path, overwrite=True)
    write_results(measure_cases(broken, other), output, other)
    assert names_in(tmp_path) == {"failures.csv", "missing.csv", "protocol.toml"}
    assert len(table(tmp_path / "failures.csv")) == len(cases)
    assert 'bias_correction = "none"' in (tmp_path / "protocol.toml").read_text()


def test_a_page_that_is_not_the_programs_is_left(cohort, tmp_path):
    (tmp_path / "index.html").write_text("<title>my site</title>")
    measured_into(tmp_path, read_cohort(cohort).cases[:1], overwrite=True, pictures=False)
    assert "my site" in (tmp_path / "index.html").read_text()


def test_nothing_of_the_run_before_is_removed_before_the_new_one_is_measured(cohort, tmp_path):
    measured_into(tmp_path, read_cohort(cohort).cases)
    before = names_in(tmp_path)

    def interrupted():
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        write_results(interrupted(), Output(tmp_path, overwrite=True), PROTOCOL)
    assert names_in(tmp_path) == before


def test_a_report_of_replaced_results_is_left_and_said_to_be_old(cohort, tmp_path):
    cases = read_cohort(cohort).cases[:1]
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "text.md").write_text("edited by hand")
    assert measured_into(tmp_path, cases, pictures=False).notes == ()
    (note,) = measured_into(tmp_path, cases, overwrite=True, pictures=False).notes
    assert note.startswith("report/ in this folder was made of the results that were just replaced")
    assert (tmp_path / "report" / "text.md").read_text() == "edited by hand"


def test_pictures_that_an_interrupted_run_left_are_not_mixed_with_new_ones(cohort, tmp_path):
    cases = read_cohort(cohort).cases
    measured_into(tmp_path, cases)
    for name in ("measurements.csv", "summary.csv", "dictionary.json", "protocol.toml"):
        (tmp_path / name).unlink()
    with pytest.raises(WriteError, match="already holds results"):
        measured_into(tmp_path, cases[1:])
    measured_into(tmp_path, cases[1:], overwrite=True)
    assert not [name for name in names_in(tmp_path) if "S01_pre" in name]
