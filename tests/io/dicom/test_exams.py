"""Whose DICOM images are, and of which exam: a UID is a hint, never an identity."""

from __future__ import annotations

import datetime
import pickle
import shutil

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from multifidus.data.flags import Flag
from multifidus.errors import ReadError
from multifidus.io.read import read_exam, read_exams
from multifidus.io.scan import scan
from multifidus.io.scan_result import ProblemKind
from multifidus.io.visit_order import all_problems
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane


def image(path, value=0, **elements):
    """Write one slice; None deletes an element."""
    dataset = classic(axial_plane(z=elements.pop("z", 0)), np.full((4, 5), value, np.uint16), 1)
    dataset.SpecificCharacterSet = elements.pop("SpecificCharacterSet", "ISO_IR 192")
    for name, text in elements.items():
        if text is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, text)
    return write(dataset, path)


def grouped(found):
    """Return the names of the files of each exam, by subject."""
    subjects = {}
    for exam in found.exams:
        names = tuple(sorted(path.stem for path in found.paths_of(exam)))
        subjects.setdefault(exam.subject, []).append(names)
    return sorted(subjects.values())


def kinds(found):
    return [problem.kind for problem in all_problems(found)]


SERIES = ProblemKind.SERIES_UID_SHARED
"""Of all images here, as long as nothing else is said."""


def three_people(folder, **more):
    for name, sex, birth in (("A^A", "M", "19600101"), ("B^B", "F", "19800101"), ("C^C", "M", "")):
        for z in (0, 5):
            facts = {"PatientName": name, "PatientSex": sex, "PatientBirthDate": birth} | more
            study = {"StudyInstanceUID": f"1.2.{ord(name[0])}"}
            image(
                folder / name[0] / f"{name[0]}{z}.dcm",
                ord(name[0]),
                z=z,
                PatientID="ANON",
                **facts | study,
            )
    return folder


def test_one_patient_id_of_three_people_is_three_subjects_and_says_by_which_facts(tmp_path):
    found = scan(three_people(tmp_path))
    assert grouped(found) == [[("A0", "A5")], [("B0", "B5")], [("C0", "C5")]]
    problem, _ = all_problems(found)
    assert kinds(found)[1:] == [SERIES]
    assert problem.kind is ProblemKind.PATIENT_ID_SHARED
    assert problem.facts == ("name", "sex", "birth date")
    assert "differing names, sexes and birth dates" in problem.message
    assert "3 people: subject-1, subject-2 and subject-3" in problem.message
    assert not [word for word in ("ANON", "A^A", "1960") if word in problem.message]


def test_names_and_birth_dates_are_kept_in_no_exam(tmp_path):
    image(tmp_path / "a.dcm", PatientName="Doe^Jane", PatientBirthDate="19700102")
    (exam,) = scan(tmp_path).exams
    kept = repr(exam).encode() + pickle.dumps((exam.subject, exam.identity, exam.date))
    assert not [word for word in (b"Doe", b"Jane", b"1970") if word in kept]
    assert b"Jane" not in repr(scan(tmp_path)).encode()


def test_spelling_and_character_set_of_a_name_part_nobody(tmp_path):
    image(tmp_path / "a.dcm", z=0, PatientName="Müller^Jane")
    image(tmp_path / "b.dcm", z=5, PatientName="Müller^Jane", SpecificCharacterSet="ISO_IR 100")
    image(tmp_path / "c.dcm", z=10, PatientName="MULLER JANE")
    image(tmp_path / "d.dcm", z=15, PatientName="")
    found = scan(tmp_path)
    assert grouped(found) == [[("a", "b", "c", "d")]]
    assert kinds(found) == []


def test_an_image_that_may_be_either_of_two_people_is_joined_with_neither(tmp_path):
    image(tmp_path / "a.dcm", 1, PatientName="A", PatientSex="F", StudyInstanceUID="1.1")
    image(
        tmp_path / "b.dcm", 2, PatientName="", PatientBirthDate="19700101", StudyInstanceUID="1.2"
    )
    image(tmp_path / "c.dcm", 3, PatientName="C", PatientSex="M", StudyInstanceUID="1.3")
    found = scan(tmp_path)
    assert grouped(found) == [[("a",)], [("b",)], [("c",)]]
    assert kinds(found) == [ProblemKind.PATIENT_ID_SHARED, ProblemKind.PERSON_UNCLEAR, SERIES]
    assert all_problems(found)[1].message.startswith("subject-2: too little is known")


def test_a_series_without_a_name_belongs_to_its_study_though_others_share_the_patient_id(tmp_path):
    image(tmp_path / "a.dcm", PatientName="A", StudyInstanceUID="1.1")
    image(tmp_path / "a2.dcm", z=5, PatientName="", StudyInstanceUID="1.1")
    image(tmp_path / "b.dcm", PatientName="B", StudyInstanceUID="1.2")
    assert grouped(scan(tmp_path)) == [[("a", "a2")], [("b",)]]


def test_a_patient_id_that_names_nobody_joins_no_studies(tmp_path):
    for number in range(3):
        facts = {"PatientName": "", "PatientID": "ANONYMOUS"}
        image(tmp_path / f"{number}.dcm", number, StudyInstanceUID=f"1.{number}", **facts)
    found = scan(tmp_path)
    assert len(grouped(found)) == 3
    assert kinds(found) == [ProblemKind.PERSON_UNKNOWN, SERIES]


def test_without_patient_and_study_those_of_one_folder_and_frame_of_reference_are_one(tmp_path):
    bare = {"PatientID": "", "PatientName": "", "StudyInstanceUID": None}
    for folder, frame in (("p", "1.7"), ("q", "1.7"), ("q", "1.8")):
        for z in (0, 5):
            name = f"{folder}{frame[-1]}{z}.dcm"
            value = ord(folder) + int(frame[-1])
            image(tmp_path / folder / name, value, z=z, FrameOfReferenceUID=frame, **bare)
    found = scan(tmp_path)
    assert grouped(found) == [[("p70", "p75")], [("q70", "q75")], [("q80", "q85")]]
    assert ProblemKind.IDENTITY_UNKNOWN in kinds(found)
    assert len({exam.identity for exam in found.exams}) == 3


@pytest.mark.parametrize("series", ["1.2.3", None])
def test_one_series_uid_of_two_people_leaves_each_their_files(tmp_path, series):
    for patient in "PQ":
        for z in (0, 5):
            facts = {"PatientID": patient, "StudyInstanceUID": f"1.{ord(patient)}"}
            name = tmp_path / patient / f"{patient}{z}.dcm"
            image(name, ord(patient), z=z, SeriesInstanceUID=series, **facts)
    found = scan(tmp_path)
    assert grouped(found) == [[("P0", "P5")], [("Q0", "Q5")]]
    # The SOP instance UIDs, too, are those of both; either has its own images, undisturbed.
    for exam, patient in zip(found.exams, "PQ", strict=True):
        assert {item.pixels[0, 0] for item in exam.series[0].slices} == {ord(patient)}
        assert exam.series[0].all_flags == (Flag.UID_REPEATED,)
        assert exam.series[0].uid
    assert kinds(found) == ([SERIES] if series else [])
    assert found.skipped == ()


def test_the_same_images_under_two_patients_are_said_and_kept(tmp_path):
    image(tmp_path / "a.dcm", 7, PatientID="P", StudyInstanceUID="1.1", SeriesInstanceUID="1.1.1")
    image(tmp_path / "b.dcm", 7, PatientID="Q", StudyInstanceUID="1.2", SeriesInstanceUID="1.2.1")
    found = scan(tmp_path)
    assert grouped(found) == [[("a",)], [("b",)]]
    assert kinds(found) == [ProblemKind.IMAGES_SHARED]


def test_images_of_one_sop_uid_and_place_with_other_pixels_are_all_read(tmp_path):
    for value in (1, 2):
        image(tmp_path / f"{value}.dcm", value)
    found = scan(tmp_path)
    ((series,),) = (exam.series for exam in found.exams)
    assert len({item.uid for item in series.slices}) == 2
    assert Flag.UID_REPEATED in series.all_flags
    assert Flag.SLICES_DUPLICATED in series.all_flags
    assert found.skipped == ()


def test_one_series_uid_in_two_exams_of_a_person_is_a_series_in_each(tmp_path):
    for number, day in enumerate(("20210101", "20220101")):
        facts = {"StudyInstanceUID": f"1.{number}", "StudyDate": day}
        image(tmp_path / f"{number}.dcm", number, **facts)
    found = scan(tmp_path)
    assert grouped(found) == [[("0",), ("1",)]]
    assert len({exam.series[0].uid for exam in found.exams}) == 1


@pytest.mark.parametrize(
    "other",
    [{"SeriesNumber": 2}, {"Rows": 5, "Columns": 4}, {"PixelSpacing": [1, 1]}, {"in": "b"}],
    ids=str,
)
def test_without_a_series_uid_number_size_and_folder_part_series(tmp_path, other):
    folder = other.pop("in", "a")
    image(tmp_path / "a" / "1.dcm", SeriesInstanceUID=None, SeriesNumber=1)
    facts = {"SeriesNumber": 1, "z": 5} | other
    image(tmp_path / folder / "2.dcm", 1, SeriesInstanceUID=None, **facts)
    (exam,) = scan(tmp_path).exams
    assert [len(series.slices) for series in exam.series] == [1, 1]
    assert len({series.uid for series in exam.series} - {""}) == 2


def test_two_numbers_under_one_series_uid_are_two_series_and_a_missing_one_is_none(tmp_path):
    image(tmp_path / "1.dcm", SeriesNumber=1, SOPInstanceUID="1.1")
    image(tmp_path / "2.dcm", z=5, SOPInstanceUID="1.2")
    (exam,) = scan(tmp_path).exams
    assert len(exam.series) == 1
    image(tmp_path / "3.dcm", z=10, SeriesNumber=2, SOPInstanceUID="1.3")
    (exam,) = scan(tmp_path).exams
    assert sorted(len(series.slices) for series in exam.series) == [1, 1, 1]


def test_one_series_over_several_folders_is_one(tmp_path):
    for folder, z in (("a", 0), ("b", 5)):
        image(tmp_path / folder / f"{z}.dcm", z=z, SOPInstanceUID=f"1.{z}")
    (exam,) = scan(tmp_path).exams
    assert [len(series.slices) for series in exam.series] == [2]


def test_one_study_uid_with_two_dates_is_two_exams(tmp_path):
    image(tmp_path / "a.dcm", 1, StudyDate="20210101")
    image(tmp_path / "b.dcm", 2, StudyDate="20220101")
    found = scan(tmp_path)
    assert grouped(found) == [[("a",), ("b",)]]
    assert [exam.date.year for exam in found.exams] == [2021, 2022]
    assert ProblemKind.STUDY_UID_SHARED in kinds(found)
    # A derived image without the date may be of either, and is of neither.
    image(tmp_path / "c.dcm", 3, z=9, StudyDate="")
    assert grouped(scan(tmp_path)) == [[("a",), ("b",), ("c",)]]
    image(tmp_path / "c.dcm", 3, z=9, StudyDate="", AcquisitionDate="20220101")
    assert grouped(scan(tmp_path)) == [[("a",), ("b", "c")]]


@pytest.mark.parametrize(
    "element", ["AcquisitionDate", "AcquisitionDateTime", "SeriesDate", "ContentDate"]
)
def test_where_the_study_date_is_empty_other_dates_are_asked_and_said(tmp_path, element):
    for name, day in (("late", "20230501"), ("early", "20210203")):
        facts = {"StudyDate": "", element: day, "StudyInstanceUID": f"1.{len(name)}"}
        image(tmp_path / f"{name}.dcm", len(name), **facts)
    found = scan(tmp_path)
    assert grouped(found) == [[("early",), ("late",)]]
    assert found.exams[0].date == datetime.date(2021, 2, 3)
    assert ProblemKind.DATE_TAKEN_ELSEWHERE in kinds(found)
    assert ProblemKind.UNDATED not in kinds(found)


def test_an_exam_that_goes_on_past_midnight_is_one(tmp_path):
    for z, day in enumerate(("20210131", "20210201")):
        image(
            tmp_path / f"{z}.dcm", z=z, StudyDate="", AcquisitionDate=day, SOPInstanceUID=f"1.{z}"
        )
    (exam,) = scan(tmp_path).exams
    assert exam.date == datetime.date(2021, 1, 31)


def test_without_a_study_uid_images_of_one_day_are_an_exam(tmp_path):
    for name, day in (("a", "20210101"), ("b", "20210101"), ("c", "20220101")):
        facts = {"StudyDate": day, "StudyInstanceUID": None, "SOPInstanceUID": f"1.{ord(name)}"}
        image(tmp_path / name / f"{name}.dcm", z=ord(name), **facts)
    assert grouped(scan(tmp_path)) == [[("a", "b"), ("c",)]]


def test_two_people_in_one_folder_are_no_exam_and_the_error_names_what_differs(tmp_path):
    three_people(tmp_path)
    assert len(read_exams(tmp_path)) == 3
    with pytest.raises(ReadError, match="They differ in: name, sex, birth date") as caught:
        read_exam(tmp_path)
    assert "A^A" not in str(caught.value)
    with pytest.raises(ReadError, match="They differ in: name"):
        read_exam(*sorted(tmp_path.rglob("*.dcm")))


def test_files_of_one_exam_given_one_by_one_are_one_exam(tmp_path):
    paths = [image(tmp_path / f"{z}.dcm", z=z, SOPInstanceUID=f"1.{z}") for z in (0, 5)]
    image(tmp_path / "other.dcm", PatientID="Q")
    assert len(read_exam(*paths).series[0].slices) == 2


@pytest.fixture(scope="module")
def muddle(tmp_path_factory):
    """Return a folder in which every identifier is shared by somebody, or missing."""
    folder = three_people(tmp_path_factory.mktemp("muddle") / "three")
    muddle = folder.parent
    for day in ("20210101", "20220101"):
        for name in ("", "D^D"):
            facts = {"PatientName": name, "StudyDate": day, "PatientID": "D"}
            image(muddle / "d" / f"{name}{day}.dcm", int(day) % 97, **facts)
    image(muddle / "e" / "1.dcm", 3, PatientID="", StudyInstanceUID=None, StudyDate="")
    image(muddle / "e" / "2.dcm", 4, PatientID="", StudyInstanceUID=None, StudyDate="")
    shutil.copytree(muddle / "d", muddle / "copies")
    return muddle


@given(st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_what_is_found_does_not_depend_on_the_order_of_paths(muddle, random):
    paths = sorted(muddle.rglob("*.dcm"))

    def described(found):
        exams = [
            (exam.subject, exam.timepoint, exam.date, exam.identity, found.paths_of(exam))
            for exam in found.exams
        ]
        uids = [[item.uid for s in exam.series for item in s.slices] for exam in found.exams]
        names = [[series.uid for series in exam.series] for exam in found.exams]
        skipped = [(item.path, item.reason) for item in found.skipped]
        return exams, uids, names, skipped, [problem.message for problem in all_problems(found)]

    assert described(scan(*random.sample(paths, len(paths)))) == described(scan(*paths))
    folders = sorted(muddle.iterdir())
    assert described(scan(*random.sample(folders, len(folders)))) == described(scan(*folders))


def test_no_file_is_of_two_exams(muddle):
    found = scan(muddle)
    owned = [path for exam in found.exams for path in found.paths_of(exam)]
    assert len(owned) == len(set(owned))
    every = {*owned, *(item.path for item in found.skipped)}
    assert every == set(muddle.rglob("*.dcm"))
