"""A scan becomes the start of a cohort; subjects keep their names, and nobody else learns them."""

from __future__ import annotations

import csv
import datetime
import json
import re
import stat

import numpy as np
import pytest
from hypothesis import given, strategies as st
from pydicom import dcmread
from typer.testing import CliRunner

import multifidus as mf
from multifidus.cli.app import app
from multifidus.data.image import Exam, Series
from multifidus.errors import CohortError, ReadError, WriteError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.cohort_template import COHORT_COLUMNS, cohort_rows, list_cohort, write_cohort
from multifidus.io.inspect import inspection
from multifidus.io.scan_result import Scan
from multifidus.io.subject_keys import SubjectKeys, open_subject_keys
from tests.io.test_walk import packed
from tests.support.cases import pixels
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane, image_slice
from tests.support.niftis import lumbar_affine, save

KEYS = SubjectKeys(bytes(range(32)))


def write_visit(folder, patient, date, study):
    dataset = classic(axial_plane(tilt=12.0), pixels(), 1)
    dataset.PatientID, dataset.PatientName, dataset.StudyDate = patient, "Doe^Jane", date
    dataset.SOPInstanceUID = dataset.SeriesInstanceUID = f"1.2.{study}"
    dataset.StudyInstanceUID = f"1.3.{study}"
    folder.mkdir(parents=True)
    write(dataset, folder / "0.dcm")


@pytest.fixture
def scans(tmp_path):
    write_visit(tmp_path / "scans" / "a", "MRN-1", "20260301", 1)
    write_visit(tmp_path / "scans" / "b", "MRN-1", "20250101", 2)
    write_visit(tmp_path / "scans" / "c", "MRN-2", "20250615", 3)
    return tmp_path / "scans"


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_exams_of_one_subject_become_timepoints_in_order_of_their_dates(scans, tmp_path):
    write_cohort(
        mf.scan(scans), tmp_path / "cohort.csv", tmp_path / "keys.json",
        show_identifiers=False, overwrite=False,
    )  # fmt: skip
    rows = rows_of(tmp_path / "cohort.csv")
    assert tuple(rows[0]) == COHORT_COLUMNS
    found = {(row["timepoint"], row["images"], row["days"]) for row in rows}
    assert found == {
        ("t1", "scans/b", "0"),
        ("t2", "scans/a", "424"),
        ("t1", "scans/c", "0"),
    }
    assert len({row["subject"] for row in rows}) == 2
    assert [case.reading.timepoint for case in read_cohort(tmp_path / "cohort.csv").cases]


def test_a_later_run_with_the_same_keys_gives_the_same_names_and_with_others_not(scans, tmp_path):
    keys, made = open_subject_keys(tmp_path / "keys.json")
    again, made_again = open_subject_keys(tmp_path / "keys.json")
    other, _ = open_subject_keys(tmp_path / "other.json")
    assert (made, made_again) == (True, False)
    names = {row["subject"] for row in cohort_rows(mf.scan(scans / "a"), keys, tmp_path)}
    assert names == {row["subject"] for row in cohort_rows(mf.scan(scans / "b"), again, tmp_path)}
    assert names != {row["subject"] for row in cohort_rows(mf.scan(scans / "a"), other, tmp_path)}


def test_nothing_that_identifies_stands_in_the_cohort_or_the_key_file(scans, tmp_path):
    write_cohort(
        mf.scan(scans), tmp_path / "cohort.csv", tmp_path / "keys.json",
        show_identifiers=False, overwrite=False,
    )  # fmt: skip
    text = (tmp_path / "cohort.csv").read_text() + (tmp_path / "keys.json").read_text()
    assert not [word for word in ("MRN", "Doe", "2026", "2025") if word in text]
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    shown = cohort_rows(mf.scan(scans), KEYS, tmp_path, show_identifiers=True)
    assert {row["date"] for row in shown} == {"2025-01-01", "2026-03-01", "2025-06-15"}


def test_a_cohort_already_there_is_kept_and_no_key_is_made_for_it(scans, tmp_path):
    (tmp_path / "cohort.csv").write_text("mine")
    with pytest.raises(WriteError, match="already exists"):
        write_cohort(
            mf.scan(scans), tmp_path / "cohort.csv", tmp_path / "keys.json",
            show_identifiers=False, overwrite=False,
        )  # fmt: skip
    assert (tmp_path / "cohort.csv").read_text() == "mine"
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"format": "multifidus-subject-keys", "version": 1, "secret": "abcd"}',
     json.dumps({"format": "other", "version": 1, "secret": "00" * 32}), "{\"secret\": 5}"],
)  # fmt: skip
def test_a_file_that_holds_no_keys_is_refused(tmp_path, text):
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(
        ReadError, match=r"keys\.json (is not a file of subject keys|must be a JSON object)"
    ):
        open_subject_keys(tmp_path / "keys.json")


@given(st.lists(st.text(min_size=1, max_size=20).map(str.strip), unique=True, max_size=30))
def test_different_subjects_get_different_names_that_do_not_hold_theirs(identities):
    names = [KEYS.name(identity) for identity in identities]
    assert len(set(names)) == len(identities)
    assert not [i for i, name in zip(identities, names, strict=True) if len(i) > 3 and i in name]


def test_exams_that_share_a_folder_are_named_file_by_file(scans, tmp_path):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name in "ab":
        (scans / name / "0.dcm").rename(mixed / f"{name}.dcm")
    images = [row["images"] for row in cohort_rows(mf.scan(mixed), KEYS, tmp_path)]
    assert sorted(images) == ["mixed/a.dcm", "mixed/b.dcm"]


def test_studies_without_a_patient_id_are_not_joined(tmp_path):
    write_visit(tmp_path / "a", "", "20250101", 1)
    write_visit(tmp_path / "b", "", "20250202", 2)
    assert len({row["subject"] for row in cohort_rows(mf.scan(tmp_path), KEYS, tmp_path)}) == 2


def test_exams_without_a_date_come_last_and_have_no_days(tmp_path):
    def exam(uid, date):
        series = Series(uid, (image_slice(np.zeros((4, 4)), uid=f"{uid}.1"),))
        return Exam("x", uid, (series,), date, identity="same")

    exams = (exam("1", None), exam("2", datetime.date(2026, 1, 1)))
    scan = Scan(exams, (), {("x", uid, uid): (tmp_path / f"{uid}.dcm",) for uid in "12"})
    rows = cohort_rows(scan, KEYS, tmp_path)
    found = [(row["images"], row["days"], row["order"], row["timepoint"]) for row in rows]
    assert found == [("2.dcm", 0, 1, "t1"), ("1.dcm", "", "", "undated")]


def cohort_of(folder, tmp_path, *arguments, fails=False):
    """Run inspect and return the rows by their images, and what was said."""
    path = tmp_path / "cohort.csv"
    given = ["inspect", str(folder), "--cohort", str(path), "--overwrite", *map(str, arguments)]
    done = CliRunner().invoke(app, given)
    assert (done.exit_code != 0) is fails, done.stderr
    return {row["images"]: row for row in rows_of(path)}, done.stderr


@pytest.fixture
def parted(tmp_path):
    """Return a folder of two visits whose names differ under one PatientID."""
    for name, date, who in (("a", "20250101", "Doe^Jane"), ("b", "20260101", "Roe^Jane")):
        write_visit(tmp_path / "parted" / name, "MRN-1", date, ord(name))
        path = tmp_path / "parted" / name / "0.dcm"
        dataset = dcmread(path)
        dataset.PatientName = who
        dataset.save_as(path)
    return tmp_path / "parted"


def test_people_of_one_patient_id_are_subjects_of_their_own_and_can_be_joined(parted, tmp_path):
    rows, said = cohort_of(parted, tmp_path)
    first, second = rows["parted/a"]["subject"], rows["parted/b"]["subject"]
    assert first != second
    assert "One PatientID is used with differing names, so its images are taken as 2 people" in said
    assert not [word for word in ("MRN", "Doe", "Roe") if word in said]
    table = tmp_path / "same.csv"
    table.write_text(f"subject,same_as\n{second},{first}\n")
    rows, said = cohort_of(parted, tmp_path, "--same-person", table)
    assert "One PatientID" not in said
    found = [(row["subject"], row["timepoint"], row["order"], row["days"]) for row in rows.values()]
    assert found == [(first, "t1", "1", "0"), (first, "t2", "2", "365")]
    # Alone, the second keeps the name that it has been given.
    rows, _ = cohort_of(parted / "b", tmp_path, "--same-person", table)
    assert [row["subject"] for row in rows.values()] == [first]
    rows, _ = cohort_of(parted / "b", tmp_path)
    assert [row["subject"] for row in rows.values()] == [second]


def test_people_of_one_patient_id_get_different_names_in_different_runs(parted, tmp_path):
    names = [
        row["subject"]
        for part in ("a", "b", "a")
        for row in cohort_of(parted / part, tmp_path)[0].values()
    ]
    assert names[0] == names[2] != names[1]
    # Seen together later, both keep their names.
    rows, _ = cohort_of(parted, tmp_path)
    assert [row["subject"] for row in rows.values()] == sorted(names[:2])
    assert {name: row["subject"] for name, row in rows.items()} == {
        "parted/a": names[0],
        "parted/b": names[1],
    }
    keys = (tmp_path / "cohort.subjects.json").read_text()
    assert not [word for word in ("MRN", "Doe", "doe", "Roe") if word in keys]
    assert stat.S_IMODE((tmp_path / "cohort.subjects.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject,person\n", "lacks the columns same_as"),
        ("subject,same_as\nsubject-1,{a}\n", "line 2: there is no subject 'subject-1'"),
        ("subject,same_as\n{a},\n", "line 2 lacks a name"),
        ("subject,same_as\n{a},{b}\n{b},{a}\n", "a circle"),
        ("subject,same_as\n{a},{a}\n", "a circle"),
        ("subject,same_as\n{a},{b}\n{a},{a}\n", "is the same as"),
    ],
)
def test_a_table_of_who_is_one_that_cannot_be_meant_is_refused(parted, tmp_path, text, message):
    rows, _ = cohort_of(parted, tmp_path)
    table = tmp_path / "same.csv"
    names = {name[-1]: row["subject"] for name, row in rows.items()}
    table.write_text(text.format(**names))
    before = (tmp_path / "cohort.csv").read_bytes()
    done = CliRunner().invoke(
        app, ["inspect", str(parted), "--cohort", str(tmp_path / "cohort.csv"), "--overwrite",
              "--same-person", str(table)],
    )  # fmt: skip
    assert isinstance(done.exception, CohortError)
    assert message in str(done.exception)
    assert (tmp_path / "cohort.csv").read_bytes() == before


def test_who_is_one_cannot_be_said_without_the_keys_that_name_subjects(parted, tmp_path):
    (tmp_path / "same.csv").write_text("subject,same_as\n")
    command = ["inspect", str(parted), "--same-person", str(tmp_path / "same.csv")]
    assert CliRunner().invoke(app, command).exit_code == 2
    done = CliRunner().invoke(app, [*command, "--subject-keys", str(tmp_path / "none.json")])
    assert "there is no such key file" in str(done.exception)


def change_visit(path, **elements):
    dataset = dcmread(path)
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.save_as(path)


def test_where_nothing_dates_exams_their_order_is_empty_and_their_names_suggest_none(
    scans, tmp_path
):
    for name in "abc":
        change_visit(scans / name / "0.dcm", StudyDate="")
    rows, said = cohort_of(scans, tmp_path)
    assert {row["order"] for row in rows.values()} == {""}
    assert {row["days"] for row in rows.values()} == {""}
    assert rows["scans/c"]["timepoint"] == "undated"
    both = [rows[f"scans/{name}"]["timepoint"] for name in "ab"]
    assert len(set(both)) == 2
    assert all(re.fullmatch(r"undated-[0-9a-f]{4}", name) for name in both)
    assert "Nothing says when these exams were" in said
    again, _ = cohort_of(scans, tmp_path)
    assert again == rows
    (problem,) = inspection(mf.scan(scans))["problems"]
    assert problem["kind"] == "undated"
    assert len(problem["exams"]) == 3


def test_two_exams_of_one_day_have_no_order_and_are_said(scans, tmp_path):
    change_visit(scans / "b" / "0.dcm", StudyDate="20260301")
    rows, said = cohort_of(scans, tmp_path)
    times = [rows[f"scans/{name}"] for name in "ab"]
    assert [row["order"] for row in times] == ["", ""]
    assert all(re.fullmatch(r"t1-[0-9a-f]{4}", row["timepoint"]) for row in times)
    assert times[0]["timepoint"] != times[1]["timepoint"]
    assert "Several exams of one person are of one day" in said
    (problem,) = inspection(mf.scan(scans))["problems"]
    assert problem["kind"] == "same_day"


def test_no_path_is_given_to_two_subjects(parted, tmp_path):
    for number, name in enumerate("ab"):
        (parted / name / "0.dcm").rename(parted / f"{number}.dcm")
        change_visit(parted / f"{number}.dcm", SeriesInstanceUID="1.2", StudyInstanceUID="1.1")
    rows, _ = cohort_of(parted, tmp_path)
    assert sorted(rows) == ["parted/0.dcm", "parted/1.dcm"]
    assert len({row["subject"] for row in rows.values()}) == 2


def test_an_exam_in_an_archive_is_named_by_the_archive(scans, tmp_path):
    packed(scans / "a", tmp_path / "a.zip")
    (row,) = cohort_rows(mf.scan(tmp_path / "a.zip"), KEYS, tmp_path)
    assert row["images"] == "a.zip"


def test_an_exam_beside_files_with_bids_names_is_named_file_by_file(scans, tmp_path):
    mixed = scans / "a"
    save(mixed / "sub-01_T2w.nii.gz", np.ones((4, 5, 2), np.int16), lumbar_affine())
    found = list_cohort(mf.scan(mixed), KEYS, tmp_path)
    assert [row["images"] for row in found.rows] == [
        "scans/a/0.dcm", "scans/a/sub-01_T2w.nii.gz",
    ]  # fmt: skip
    assert found.rows[1]["subject"] == "01"
