"""Whose files are by their names: a label map, or half of a Dixon pair, of somebody else."""

import numpy as np
import pytest

import multifidus as mf
from multifidus.data.identity import BidsEntities
from multifidus.errors import ReadError, RoiError
from multifidus.io.bids.names import bids_entities
from multifidus.study.requests import MeasureRequest, prepare
from tests.support.dicoms import ROOT, classic, write
from tests.support.exams import axial_plane
from tests.support.niftis import lumbar_affine, save

AFFINE = lumbar_affine(tilt=12)
SHAPE = (60, 60, 2)


def image(path, seed=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    return save(path, np.random.default_rng(seed).integers(10, 900, SHAPE, np.int16), AFFINE)


def label_map(path, *values):
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[10:20, 25:35], voxels[40:50, 25:35] = 2, 3
    for number, value in enumerate(values):
        voxels[number, 0] = value
    return save(path, voxels, AFFINE)


def dataset(folder, *labels):
    """Make a dataset of images, with one image a subject."""
    for seed, label in enumerate(labels):
        image(folder / f"sub-{label}" / "anat" / f"sub-{label}_T2w.nii.gz", seed)
    (folder / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    return folder


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sub-01_ses-pre_T2w.nii.gz", BidsEntities("01", "pre")),
        ("sub-01.nii", BidsEntities("01")),
        ("sub-01_ses-2_seg.nrrd", BidsEntities("01", "2")),
        ("mask_sub-01.mha", BidsEntities("01")),
        ("ses-pre_T2w.nii", BidsEntities("", "pre")),
        ("subject-1_exam-1.nii.gz", BidsEntities()),
        ("sub-01-T2.nii", BidsEntities()),
        ("labels.nii.gz", BidsEntities()),
    ],
)
def test_subject_and_session_are_read_in_any_name(tmp_path, name, found):
    assert bids_entities(tmp_path / name) == found


OTHERS = [
    ("sub-01_T2w.nii.gz", "sub-02_dseg.nii.gz", r"subject \(sub-02, sub-01\)"),
    (
        "sub-01_ses-pre_T2w.nii.gz",
        "sub-01_ses-post_desc-mf_dseg.nii.gz",
        r"session \(ses-post, ses-pre\)",
    ),
    (
        "sub-01_ses-pre_T2w.nii.gz",
        "sub-02_ses-post.nii",
        r"subject \(sub-02, sub-01\), session \(ses-post, ses-pre\)",
    ),
]


@pytest.mark.parametrize(("scan", "labels", "what"), OTHERS)
def test_a_label_map_named_after_another_subject_or_session_is_refused(
    tmp_path, scan, labels, what
):
    exam = mf.read_exam(image(tmp_path / scan))
    with pytest.raises(RoiError, match=f"differ by their names in: {what}"):
        mf.read_rois(label_map(tmp_path / labels), exam, labels="lpm")


@pytest.mark.parametrize(
    ("scan", "labels"),
    [
        ("sub-01_ses-pre_T2w.nii.gz", "sub-01_ses-pre_dseg.nii.gz"),
        ("sub-01_ses-pre_T2w.nii.gz", "sub-01_dseg.nii.gz"),
        ("sub-01_T2w.nii.gz", "sub-01_ses-post_dseg.nii.gz"),
        ("sub-01_T2w.nii.gz", "subject-1_dseg.nii.gz"),
        ("image.nii.gz", "sub-02_ses-post_dseg.nii.gz"),
    ],
)
def test_a_name_that_says_nothing_contradicts_none(tmp_path, scan, labels):
    exam = mf.read_exam(image(tmp_path / scan))
    assert len(mf.read_rois(label_map(tmp_path / labels), exam, labels="lpm")) == 4


def cohort(folder, scan, labels):
    table = folder / "cohort.csv"
    table.write_text(f"subject,timepoint,images,outlines,labels\nP7,t1,{scan},{labels},lpm\n")
    return list(prepare(MeasureRequest((table,)), mf.MeasurementProtocol()).outcomes)


def test_a_row_of_a_cohort_fails_where_its_files_contradict_each_other(tmp_path):
    image(tmp_path / "sub-01_T2w.nii.gz")
    label_map(tmp_path / "sub-02_dseg.nii.gz")
    (failed,) = cohort(tmp_path, "sub-01_T2w.nii.gz", "sub-02_dseg.nii.gz")
    assert failed.error == "RoiError"
    assert failed.message.startswith("sub-02_dseg.nii.gz and the image that")


def test_a_pseudonym_in_a_cohort_contradicts_no_files_name(tmp_path):
    image(tmp_path / "sub-01_T2w.nii.gz")
    label_map(tmp_path / "sub-01_dseg.nii.gz")
    (measured,) = cohort(tmp_path, "sub-01_T2w.nii.gz", "sub-01_dseg.nii.gz")
    assert {row.key.reading.subject for row in measured.rows} == {"P7"}


def test_a_label_map_among_the_derivatives_of_another_dataset_is_refused(tmp_path):
    ours, theirs = (dataset(tmp_path / name, "01") for name in ("a", "b"))
    exam = mf.read_exam(ours / "sub-01")
    place = "derivatives/seg/sub-01/anat/sub-01_dseg.nii.gz"
    with pytest.raises(RoiError, match="differ by their names in: dataset of sub-01"):
        mf.read_rois(label_map(theirs / place), exam, labels="lpm")
    assert mf.read_rois(label_map(ours / place), exam, labels="lpm")


def test_a_label_map_in_a_dataset_of_derivatives_alone_may_be_of_any_dataset(tmp_path):
    exam = mf.read_exam(dataset(tmp_path / "raw", "01") / "sub-01")
    derived = tmp_path / "seg"
    path = label_map(derived / "sub-01" / "anat" / "sub-01_dseg.nii.gz")
    text = '{"Name": "x", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}'
    (derived / "dataset_description.json").write_text(text)
    assert mf.read_rois(path, exam, labels="lpm")


@pytest.mark.parametrize(
    ("fat", "water", "what"),
    [
        (
            "sub-07_ses-post_fat.nii.gz",
            "sub-01_ses-pre_water.nii.gz",
            r"subject \(sub-07, sub-01\), session \(ses-post, ses-pre\)",
        ),
        ("sub-01_fat.nii.gz", "sub-02_water.nii.gz", r"subject \(sub-01, sub-02\)"),
        ("sub-01_ses-a_fat.nii", "sub-01_ses-b_water.nii", r"session \(ses-a, ses-b\)"),
    ],
)
def test_fat_and_water_named_after_two_exams_are_refused(tmp_path, fat, water, what):
    files = image(tmp_path / fat, 1), image(tmp_path / water, 2)
    with pytest.raises(ReadError, match=f"not of one exam: they differ in {what}"):
        mf.read_exam(fat=files[0], water=files[1])


@pytest.mark.parametrize(
    ("fat", "water", "who"),
    [
        ("sub-01_ses-pre_fat.nii.gz", "sub-01_ses-pre_water.nii.gz", ("01", "pre")),
        ("sub-01_ses-pre_fat.nii.gz", "water.nii.gz", ("01", "pre")),
        ("fat.nii.gz", "sub-01_water.nii.gz", ("01", "exam-1")),
        ("fat.nii.gz", "water.nii.gz", ("subject-1", "exam-1")),
    ],
)
def test_a_dixon_pair_by_hand_keeps_the_name_of_its_files(tmp_path, fat, water, who):
    exam = mf.read_exam(fat=image(tmp_path / fat, 1), water=image(tmp_path / water, 2))
    assert (exam.subject, exam.timepoint) == who


@pytest.mark.parametrize("by_folder", [True, False])
def test_files_of_any_name_that_are_of_two_subjects_are_not_one_exam(tmp_path, by_folder):
    files = [image(tmp_path / "scans" / f"sub-0{n}.nii.gz", n) for n in (1, 2)]
    with pytest.raises(ReadError, match=r"names differ in: subject \(sub-01, sub-02\)"):
        mf.read_exam(*([tmp_path / "scans"] if by_folder else files))


def half(folder, number, **header):
    for k in range(2):
        pixels = np.full((20, 24), 100 * number, np.uint16)
        item = classic(axial_plane(z=4.4 * k), pixels, k + 1)
        item.SeriesInstanceUID = f"{ROOT}.1.{number}"
        item.SOPInstanceUID = f"{ROOT}.1.{number}.{k + 1}"
        for name, value in header.items():
            setattr(item, name, value)
        write(item, folder / f"{number}_{k}.dcm")
    return folder


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ({"PatientID": "other"}, "PatientID"),
        ({"PatientName": "Roe^Jane"}, "name"),
        ({"PatientBirthDate": "19500101"}, "birth date"),
        ({"StudyDate": "20210305", "StudyInstanceUID": f"{ROOT}.2"}, "date"),
    ],
)
def test_fat_and_water_of_two_people_or_days_are_refused_naming_what_differs(
    tmp_path, header, what
):
    same = {
        "PatientID": "one",
        "PatientName": "Doe^John",
        "PatientBirthDate": "19400101",
        "StudyDate": "20200101",
    }
    fat = half(tmp_path / "fat", 1, **same)
    water = half(tmp_path / "water", 2, **{**same, **header})
    with pytest.raises(ReadError, match=f"they differ in {what}\\."):
        mf.read_exam(fat=fat, water=water)
    assert mf.read_exam(fat=fat, water=half(tmp_path / "own", 3, **same)).subject == "subject-1"
