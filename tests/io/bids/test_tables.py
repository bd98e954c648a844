"""Tables of a BIDS dataset: when images were acquired, and who takes part."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

import multifidus as mf
from multifidus.errors import ReadError
from multifidus.io.bids.tables import acquisition_date, identifies, participants, read_tsv
from tests.support.niftis import lumbar_affine, save

DAY = datetime.date(2024, 3, 31)


def write_image(folder, session="pre", number=0, kind="T2w"):
    place = folder / "sub-01" / f"ses-{session}" / "anat"
    place.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(number).integers(1, 900, (6, 5, 3), np.int16)
    return save(place / f"sub-01_ses-{session}_{kind}.nii.gz", voxels, lumbar_affine(10))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("sub-01/ses-pre/sub-01_ses-pre_scans.tsv", "anat/sub-01_ses-pre_T2w.nii.gz"),
        ("sub-01/ses-pre/sub-01_ses-pre_scans.tsv", "anat\\sub-01_ses-pre_T2w.nii.gz"),
        ("sub-01/sub-01_scans.tsv", "ses-pre/anat/sub-01_ses-pre_T2w.nii.gz"),
    ],
)
@pytest.mark.parametrize("time", ["2024-03-31T10:20:30", "2024-03-31", "2024-03-31T00:00:00.5Z"])
def test_a_table_of_scans_dates_the_exam(tmp_path, table, line, time):
    path = write_image(tmp_path)
    (tmp_path / table).write_text(
        f"filename\tacq_time\nanat/other.nii\t2020-01-01\n{line}\t{time}\n"
    )
    assert acquisition_date(path, tmp_path).date == DAY
    assert mf.read_exam(tmp_path).date == DAY


def test_a_table_of_sessions_dates_the_exam_where_none_of_scans_does(tmp_path):
    path = write_image(tmp_path)
    table = tmp_path / "sub-01" / "sub-01_sessions.tsv"
    table.write_text("session_id\tacq_time\nses-pre\t2024-03-31T08:00:00\nses-post\tn/a\n")
    scans = tmp_path / "sub-01" / "ses-pre" / "sub-01_ses-pre_scans.tsv"
    scans.write_text("filename\tacq_time\nanat/sub-01_ses-pre_T2w.nii.gz\tn/a\n")
    assert acquisition_date(path, tmp_path).date == DAY
    assert acquisition_date(write_image(tmp_path, "post", 1), tmp_path).date is None


@pytest.mark.parametrize("time", ["31.3.2024", "2024-02-31", "yesterday"])
def test_a_time_that_is_no_day_is_said_and_not_guessed(tmp_path, time):
    write_image(tmp_path)
    table = tmp_path / "sub-01" / "sub-01_scans.tsv"
    table.write_text(f"filename\tacq_time\nses-pre/anat/sub-01_ses-pre_T2w.nii.gz\t{time}\n")
    found = mf.scan(tmp_path)
    assert found.exams[0].date is None
    assert [p.message for p in found.problems] == [
        "01 pre: sub-01_scans.tsv gives an acq_time that is no day."
    ]


def test_images_of_several_days_have_no_date_and_a_damaged_table_is_said(tmp_path):
    for number, kind in enumerate(("T1w", "T2w")):
        write_image(tmp_path, number=number, kind=kind)
    table = tmp_path / "sub-01" / "ses-pre" / "sub-01_ses-pre_scans.tsv"
    table.write_text(
        "filename\tacq_time\nanat/sub-01_ses-pre_T1w.nii.gz\t2024-03-31\n"
        "anat/sub-01_ses-pre_T2w.nii.gz\t2024-09-30\n"
    )
    found = mf.scan(tmp_path)
    assert found.exams[0].date is None
    assert [p.message for p in found.problems] == [
        "01 pre: its images are of several days, and no date is taken."
    ]
    table.write_bytes(b"filename\tacq_time\n\xff\n")
    assert [p.message for p in mf.scan(tmp_path).problems] == [
        "01 pre: sub-01_ses-pre_scans.tsv cannot be read."
    ]


def test_participants_are_known_by_their_labels(tmp_path):
    assert participants(tmp_path) is None
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tage\tgroup\nsub-01\t50\tn/a\n02\t61\topen\n", "utf-8-sig")
    assert participants(tmp_path) == {
        "01": {"age": "50", "group": ""},
        "02": {"age": "61", "group": "open"},
    }


@pytest.mark.parametrize("lines", ["sub-01\t1\nsub-01\t2\n", "\t1\n", "n/a\t1\n", "sub-01\t1\t2\n"])
def test_participants_that_are_ambiguous_are_refused(tmp_path, lines):
    (tmp_path / "participants.tsv").write_text("participant_id\tage\n" + lines)
    with pytest.raises(ReadError, match=r"participants\.tsv"):
        participants(tmp_path)


def test_a_line_may_end_early(tmp_path):
    (tmp_path / "x.tsv").write_text("a\tb\n1\n")
    assert read_tsv(tmp_path / "x.tsv") == [{"a": "1", "b": ""}]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("patient_name", ["x"], True),
        ("Date of Birth", [""], True),
        ("dob", [], True),
        ("seen", ["", "2024-03-31"], True),
        ("seen", ["31.03.2024"], True),
        ("seen", ["3/31/24 10:00"], True),
        ("age", ["50", "50.5"], False),
        ("group", ["open"], False),
        ("dose", ["1.5/2"], False),
    ],
)
def test_columns_that_identify_a_person_are_known(name, values, expected):
    assert identifies(name, iter(values)) is expected
