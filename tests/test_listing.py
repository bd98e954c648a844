"""A scan becomes the start of a cohort; subjects keep their names, and nobody else learns them."""

from __future__ import annotations

import csv
import datetime
import json
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import multifidus as mf
from multifidus.errors import ReadError, WriteError
from multifidus.image import Exam, Series
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.scan import Scan
from multifidus.io.subject_keys import SubjectKeys, open_subject_keys
from multifidus.listing import COHORT_COLUMNS, cohort_rows, list_cohort, write_cohort
from tests.cases import pixels
from tests.dicoms import classic, write
from tests.exams import axial_plane, image_slice
from tests.niftis import lumbar_affine, save
from tests.test_archive import packed

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
    with pytest.raises(ReadError, match=r"keys.json is not a file of subject keys"):
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
    scan = Scan(exams, (), {"1": (tmp_path / "1.dcm",), "2": (tmp_path / "2.dcm",)})
    found = [(row["images"], row["days"]) for row in cohort_rows(scan, KEYS, tmp_path)]
    assert found == [("2.dcm", 0), ("1.dcm", "")]


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
