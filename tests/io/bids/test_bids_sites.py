"""A label such as sub-01 in several datasets names several people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from typer.testing import CliRunner

import multifidus as mf
from multifidus.cli.app import app
from multifidus.errors import CohortError
from multifidus.io.bids.dataset import dataset_of, subject_names
from multifidus.io.table_reader import read_rows
from tests.io.test_walk import packed
from tests.support.niftis import lumbar_affine, save

SHAPE = (6, 5, 3)


def write_site(folder, number, *, described=True, labels=("01",)):
    for n, label in enumerate(labels):
        place = folder / f"sub-{label}" / "anat"
        place.mkdir(parents=True)
        voxels = np.random.default_rng(100 * number + n).integers(1, 900, SHAPE, np.int16)
        save(place / f"sub-{label}_T2w.nii.gz", voxels, lumbar_affine(10))
    if described:
        (folder / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    return folder


@pytest.mark.parametrize("described", [True, False])
def test_sub_01_of_three_sites_is_three_people(tmp_path, described):
    for number, site in enumerate("abc"):
        write_site(tmp_path / "study" / f"site-{site}", number, described=described)
    exams = mf.read_exams(tmp_path / "study")
    assert [exam.subject for exam in exams] == ["site_a-01", "site_b-01", "site_c-01"]
    assert len({exam.identity for exam in exams}) == 3
    apart = mf.scan(*(tmp_path / "study" / f"site-{site}" for site in "abc"))
    assert [exam.subject for exam in apart.exams] == [exam.subject for exam in exams]


def test_a_run_says_that_labels_repeat_and_how_people_are_named(tmp_path):
    for number, site in enumerate("ab"):
        write_site(tmp_path / site, number)
    done = CliRunner().invoke(app, ["inspect", str(tmp_path), "--json"])
    (remark,) = json.loads(done.stdout)["remarks"]
    assert remark.startswith("sub-01 stand in several of the datasets a, b: they are taken for")
    assert done.stderr.count("taken for different people") == 1


def test_labels_that_do_not_repeat_stay_as_they_are(tmp_path):
    write_site(tmp_path / "a", 1)
    write_site(tmp_path / "b", 2, labels=("02",))
    found = mf.scan(tmp_path)
    assert [exam.subject for exam in found.exams] == ["01", "02"]
    assert found.problems == ()


def test_one_exam_by_hand_is_named_after_its_label(tmp_path):
    folder = write_site(tmp_path / "a", 1)
    exam = mf.read_exam(folder)
    assert (exam.subject, exam.timepoint) == ("01", "exam-1")
    assert mf.read_exam(folder / "sub-01" / "anat" / "sub-01_T2w.nii.gz").subject == "01"


def test_files_by_hand_of_two_subjects_are_not_one_exam(tmp_path):
    folder = write_site(tmp_path / "a", 1, labels=("01", "02"))
    paths = sorted(folder.rglob("*.nii.gz"))
    with pytest.raises(mf.errors.ReadError, match="found 2: 01 exam-1, 02 exam-1"):
        mf.read_exam(*paths)
    plain = save(tmp_path / "fat.nii", np.ones(SHAPE, np.int16), lumbar_affine(10))
    exam = mf.read_exam(paths[0], plain)
    assert (exam.subject, len(exam.series)) == ("01", 2)


def test_derivatives_are_of_the_people_of_their_dataset(tmp_path):
    derived = tmp_path / "a" / "derivatives"
    found = mf.scan(write_site(derived / "n4", 1), write_site(derived / "sharp", 2))
    assert [(exam.subject, len(exam.series)) for exam in found.exams] == [("01", 2)]


def test_a_dataset_in_an_archive_is_named_after_the_archive(tmp_path):
    (tmp_path / "zips").mkdir()
    for number, site in enumerate("ab"):
        packed(write_site(tmp_path / site, number), tmp_path / "zips" / f"{site}.zip")
    exams = mf.read_exams(tmp_path / "zips")
    assert [exam.subject for exam in exams] == ["a-01", "b-01"]


def test_the_same_image_under_two_subjects_is_said_to_be_of_another_subject(tmp_path):
    for site in "ab":
        write_site(tmp_path / site, 1)
    (skipped,) = [item for item in mf.scan(tmp_path).skipped if "content" in item.reason]
    assert skipped.reason.endswith("which is of another subject or session.")


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("/d/s/sub-01/ses-1/anat/sub-01_ses-1_T2w.nii", "/d/s"),
        ("/d/s/sub-01_ses-1_T2w.nii", "/d/s"),
        ("/d/s/ses-1/anat/sub-01_ses-1_T2w.nii", "/d/s"),
        ("/d/s/ses-2/sub-01_ses-1_T2w.nii", "/d/s/ses-2"),
        ("/d/s/A1_pre/sub-A1_ses-pre_T2w.nii", "/d/s"),
        ("/d/s/post/sub-A1_ses-post_T2w.nii", "/d/s"),
        ("/d/s/sub-A1_ses-pre/sub-A1_ses-pre_T2w.nii", "/d/s"),
        ("/d/s/A1_post_x/sub-A1_ses-post_T2w.nii", "/d/s/A1_post_x"),
        ("/d/s/derivatives/n4/sub-01/anat/sub-01_T2w.nii", "/d/s"),
        ("/d/s/derivatives/sub-01/anat/sub-01_T2w.nii", "/d/s"),
        ("/d/s/sourcedata/sub-01/anat/sub-01_T2w.nii", "/d/s"),
        ("/d/sourcedata/s/sub-01/anat/sub-01_T2w.nii", "/d/sourcedata/s"),
    ],
)
def test_labels_hold_in_the_folder_of_the_subjects(path, home):
    assert dataset_of(Path(path), ()) == Path(home)


_PARTS = st.lists(st.sampled_from(["a", "b", "a-b", "a b", "01", "..."]), min_size=1, max_size=3)


@given(st.lists(st.tuples(_PARTS, st.sampled_from(["01", "1", "a"])), max_size=8))
def test_different_people_get_different_names(found):
    people = {(Path("/", *parts), label) for parts, label in found}
    assert len(set(subject_names(people).values())) == len(people)


def write_visits(folder, number, session, day):
    """Write one exam of sub-01, dated by its table of scans."""
    place = folder / "sub-01" / f"ses-{session}"
    (place / "anat").mkdir(parents=True)
    name = f"anat/sub-01_ses-{session}_T2w.nii.gz"
    voxels = np.random.default_rng(number).integers(1, 900, SHAPE, np.int16)
    save(place / name, voxels, lumbar_affine(10))
    table = f"filename\tacq_time\n{name}\t{day}T10:00:00\n"
    (place / f"sub-01_ses-{session}_scans.tsv").write_text(table)
    (folder / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')


def listed(folder, *lines):
    (folder / "same.csv").write_text("\n".join(["subject,same_as", *lines, ""]))
    table = folder / "cohort.csv"
    done = CliRunner().invoke(
        app,
        ["inspect", str(folder / "study"), "--cohort", str(table),
         "--same-person", str(folder / "same.csv")],
    )  # fmt: skip
    return done, read_rows(table) if table.exists() else []


def test_who_is_one_person_at_two_sites_can_be_said(tmp_path):
    write_visits(tmp_path / "study" / "a", 1, "second", "2020-03-01")
    write_visits(tmp_path / "study" / "b", 2, "first", "2019-03-02")
    done, rows = listed(tmp_path, "b-01,a-01")
    assert done.exit_code == 0, done.stderr
    found = {row["timepoint"]: (row["subject"], row["order"], row["days"]) for row in rows}
    assert found == {"first": ("a-01", "1", "0"), "second": ("a-01", "2", "365")}


def test_exams_of_one_person_that_have_one_name_are_refused(tmp_path):
    write_visits(tmp_path / "study" / "a", 1, "pre", "2020-03-01")
    write_visits(tmp_path / "study" / "b", 2, "pre", "2019-03-02")
    done, rows = listed(tmp_path, "b-01,a-01")
    assert isinstance(done.exception, CohortError)
    assert "a-01, have two exams called pre" in str(done.exception)
    assert rows == []


def test_a_name_that_no_dataset_has_is_refused(tmp_path):
    write_visits(tmp_path / "study" / "a", 1, "pre", "2020-03-01")
    write_visits(tmp_path / "study" / "b", 2, "post", "2021-03-02")
    done, rows = listed(tmp_path, "b-01,c-01")
    assert isinstance(done.exception, CohortError)
    assert "no subject 'c-01'" in str(done.exception)
    assert rows == []
