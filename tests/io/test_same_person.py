"""Two exams are of one person where facts say so, and are refused otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from multifidus.data.identity import person_of
from multifidus.errors import ReadError
from multifidus.io.same_person import KnownExam, known_exams, refuse_other_person
from tests.support.exams import axial_plane, exam_of, image_slice
from tests.support.niftis import lumbar_affine, save

DOE = person_of("4711", "Doe^Jane", "F", "19700102")


def known(uid, *people):
    return KnownExam(exam_of(image_slice(np.eye(4), axial_plane(), uid)), people)


@pytest.mark.parametrize(
    "other",
    [
        person_of("", "DOE JANE", "", "1970.01.02"),
        person_of("4711", "Doe^Jane", "", ""),
        person_of("4711", "", "", "19700102"),
    ],
)
def test_two_facts_of_both_that_agree_make_them_one_persons(other):
    refuse_other_person(known("1", DOE), known("2", other))


@pytest.mark.parametrize(
    "both",
    [
        ("", "Doe^Jane", "F", ""),
        ("", "", "M", "19610203"),
        ("ANON", "ANONYMOUS", "", ""),
        ("ANON", "Anonymous^Patient", "F", "19000101"),
        ("0", "XXXX", "", "11111111"),
        ("ANON123", "ANON123", "", ""),
        ("A", "", "", "19560101"),
        ("", "STUDY^LUMBAR", "", "19000101"),
        ("4711", "Subject^12", "", ""),
    ],
)
def test_one_fact_alone_and_what_stands_for_nobody_join_nobody(both):
    with pytest.raises(ReadError, match="Too little tells"):
        refuse_other_person(known("1", person_of(*both)), known("2", person_of(*both)))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (person_of("4711", "Roe^Jane", "F", "19700102"), "name"),
        (person_of("4711", "Doe^Jane", "F", "19700103"), "birth date"),
        (person_of("4712", "Doe^Jane", "F", "19700102"), "PatientID"),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_a_fact_that_differs_is_another_person_whatever_a_table_says(other, words, listed):
    with pytest.raises(ReadError, match=f"another person: they differ in {words}"):
        refuse_other_person(known("1", DOE), known("2", other), listed_as_one=listed)


def test_one_identifier_alone_makes_nobody_the_same():
    people = person_of("4711", "", "", ""), person_of("4711", "", "F", "")
    one, other = (known(uid, person) for uid, person in zip("12", people, strict=True))
    with pytest.raises(ReadError, match="Too little tells"):
        refuse_other_person(one, other)
    with pytest.raises(ReadError, match="Too little tells"):
        refuse_other_person(known("1"), known("2"))
    refuse_other_person(one, other, listed_as_one=True)


def test_an_exam_is_not_another_one_of_itself():
    with pytest.raises(ReadError, match="the exam that is open"):
        refuse_other_person(known("1", DOE), known("1", DOE))


@pytest.fixture
def dataset(tmp_path):
    """Return a BIDS dataset of two subjects, the first with two sessions."""
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')
    rng = np.random.default_rng(1)
    for subject, session in (("01", "a"), ("01", "b"), ("02", "a")):
        folder = tmp_path / f"sub-{subject}" / f"ses-{session}" / "anat"
        folder.mkdir(parents=True)
        voxels = rng.integers(50, 400, (30, 24, 3)).astype(np.int16)
        save(folder / f"sub-{subject}_ses-{session}_T2w.nii.gz", voxels, lumbar_affine(tilt=12))
    return tmp_path


def test_one_label_of_one_dataset_is_one_subject_and_no_other(dataset):
    (one,) = known_exams(dataset / "sub-01" / "ses-a")
    (other,) = known_exams(dataset / "sub-01" / "ses-b")
    (stranger,) = known_exams(dataset / "sub-02")
    refuse_other_person(one, other)
    with pytest.raises(ReadError, match="sub-01, sub-02"):
        refuse_other_person(one, stranger)
