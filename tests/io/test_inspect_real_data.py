"""``multifidus inspect`` on other people's scans, against what other people's converters say.

The numbers are those of the manifest that stands beside the scans. What the command prints is
checked first, then every voxel of what it describes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.geometry import ras_from_lps
from multifidus.data.image import Series
from multifidus.io.scan import scan
from tests.support.references import (
    AFFINE_TOLERANCE_MM,
    assert_equals_reference,
    turn_to_reference,
    values_of,
)

pytestmark = pytest.mark.real_data


@dataclass(frozen=True)
class Found:
    """A series of one stack as the command should describe it."""

    slices: int
    rows: int
    columns: int
    spacing_mm: tuple[float, float]
    """Of rows, then of columns."""
    step_mm: float | None
    orientation: str
    files: int


ONE_STACK = {
    "g01_ge_sagittal_oblique": Found(4, 256, 256, (1, 1), 1, "sagittal", 4),
    "g02_philips_coronal_oblique": Found(
        4, 240, 240, (1.0416666, 1.0416666), 0.600005, "coronal", 4
    ),
    "g03_siemens_sagittal": Found(4, 256, 256, (1, 1), 1, "sagittal", 4),
    "g04_nonsquare_pixels": Found(4, 28, 64, (4, 6.39995861053464), 0.5, "axial", 4),
    "g05_hitachi_double_oblique": Found(4, 64, 64, (2.34375, 2.34375), 4, "sagittal", 4),
    "g06_enhanced_philips_oblique": Found(8, 256, 256, (0.9375, 0.9375), 1, "sagittal", 1),
    "g07_rle": Found(4, 256, 256, (1, 1), 1, "sagittal", 4),
    "g08_jpegls": Found(4, 256, 256, (1, 1), 1, "sagittal", 4),
    "g09_jpeg2000": Found(4, 256, 256, (1, 1), 1, "sagittal", 4),
    "g10_single_slice": Found(1, 256, 256, (1, 1), None, "sagittal", 1),
}


def inspected(*paths: Path) -> tuple[dict, list[Series]]:
    """Return what the command prints of paths, and the series that it speaks of, in its order."""
    done = CliRunner().invoke(app, ["inspect", *map(str, paths), "--json"])
    document = json.loads(done.stdout)
    said = "".join(f"{problem['message']}\n" for problem in document["problems"])
    assert (done.exit_code, done.stderr) == (0, said)
    series = [series for exam in scan(*paths).exams for series in exam.series]
    said = [entry["uid"] for exam in document["exams"] for entry in exam["series"]]
    assert said == [item.uid for item in series]
    return document, series


def entries_of(document: dict) -> list[dict]:
    """Return the series of the one exam that was found, where nothing was skipped."""
    (exam,) = document["exams"]
    assert document["skipped"] == []
    return exam["series"]


def assert_is(entry: dict, expected: Found, reason: str | None = None) -> dict:
    """Check a series of one stack that nothing is doubtful about; returns the stack.

    Series that are not axial cannot be measured for just that reason; of others, ``reason``.
    """
    assert (entry["orientation"], entry["files"]) == (expected.orientation, expected.files)
    if reason is None:
        axial = expected.orientation == "axial"
        reason = "" if axial else f"{expected.orientation}, not axial"
    assert entry["not_measurable"] == reason
    (stack,) = entry["stacks"]
    assert entry["flags"] == stack["flags"] == []
    shape = (expected.slices, expected.rows, expected.columns)
    assert (stack["slices"], stack["rows"], stack["columns"]) == shape
    assert stack["pixel_spacing_mm"] == pytest.approx(expected.spacing_mm, abs=1e-6)
    if expected.step_mm is None:
        assert stack["slice_step_mm"] is None
    else:
        assert stack["slice_step_mm"] == pytest.approx(expected.step_mm, abs=1e-4)
    return stack


@pytest.mark.parametrize("case", ONE_STACK)
def test_a_series_lies_and_reads_as_the_reference_says(shared_data, case):
    document, (series,) = inspected(shared_data / case / "dicom")
    (entry,) = entries_of(document)
    stack = assert_is(entry, ONE_STACK[case])
    reference = nibabel.load(shared_data / case / "reference.nii.gz")
    affine = np.array(stack["affine_ras_mm"])
    turn_to_reference(affine, reference.affine, stack["slices"])
    voxels = reference.get_fdata().reshape(reference.shape[:3])
    assert_equals_reference(series.stacks[0], voxels, reference.affine)
    # The normal that is printed is across both of the affine's in-plane steps.
    assert affine[:3, :2].T @ (np.array(stack["normal_lps"]) * (-1, -1, 1)) == pytest.approx(
        [0, 0], abs=1e-9
    )


def test_sagittal_and_axial_slices_under_one_uid_are_two_series(shared_data):
    document, series = inspected(shared_data / "g11_two_series_one_folder" / "dicom")
    expected = (
        Found(2, 288, 288, (0.32, 0.32), 3.3, "sagittal", 2),
        Found(2, 288, 288, (0.5555555820465,) * 2, 4.4, "axial", 2),
    )
    # A converter's affines, whose rows run the other way, and its sums.
    converted = (
        (
            [
                [-0.0050808, -0.012341, 3.2971, -17.755],
                [-0.31784, 0.036972, -0.037371, 120.43],
                [0.0368, 0.31762, 0.13246, 45.699],
                [0, 0, 0, 1],
            ],
            21020769,
        ),
        (
            [
                [-0.55507, 0.011548, -0.15908, 83.411],
                [0.0062914, 0.53866, 1.0758, -112.99],
                [-0.022299, -0.13549, 4.2635, 23.299],
                [0, 0, 0, 1],
            ],
            21052763,
        ),
    )
    for item, entry, found, (affine, total) in zip(
        series, entries_of(document), expected, converted, strict=True
    ):
        stack = assert_is(entry, found)
        own = np.array(stack["affine_ras_mm"])
        turn = np.rint(np.linalg.inv(affine) @ own)
        assert (np.abs(turn[:3, :3]).sum(axis=0) == 1).all()
        # Printed with five digits: steps to 5e-5 mm, positions to 5e-3 mm.
        agreed = np.array(affine) @ turn
        assert agreed[:3, :3] == pytest.approx(own[:3, :3], abs=AFFINE_TOLERANCE_MM)
        assert agreed[:3, 3] == pytest.approx(own[:3, 3], abs=2e-2)
        assert values_of(item.stacks[0]).sum() == total


def test_volumes_of_one_enhanced_object_stay_apart(shared_data):
    case = shared_data / "g13_enhanced_4d"
    document, series = inspected(case / "dicom")
    reference = nibabel.load(case / "reference.nii.gz")
    voxels = reference.get_fdata()
    entries = entries_of(document)
    assert len(entries) == voxels.shape[3] == 4
    for time, (item, entry) in enumerate(zip(series, entries, strict=True)):
        stack = assert_is(entry, Found(8, 64, 64, (3.3125, 3.3125), 3.3125, "axial", 1))
        turn_to_reference(np.array(stack["affine_ras_mm"]), reference.affine, 8)
        assert_equals_reference(item.stacks[0], voxels[..., time], reference.affine)


def test_three_planes_of_one_object_are_three_stacks(shared_data):
    path = shared_data / "g14_phantom_enhanced_scout" / "dicom"
    document, (series,) = inspected(path)
    (entry,) = entries_of(document)
    assert (entry["orientation"], entry["files"], entry["flags"]) == ("coronal", 1, [])
    assert [stack["slices"] for stack in entry["stacks"]] == [1, 1, 1]
    expected = {
        (-122.686, -94.9935, 113.114): (
            (0.999897, -0.00466808, -0.0135636),
            (-0.0112733, 0.328958, -0.944277),
        ),
        (-122.414, -61.0745, 114.925): (
            (0.999831, 0.00188998, -0.0182734),
            (-0.0181199, 0.265321, -0.96399),
        ),
        (-123.11, -48.5448, 102.719): (
            (0.999859, -0.00403625, -0.0162915),
            (-0.0146371, 0.265309, -0.964052),
        ),
    }
    frames = pydicom.dcmread(next(path.iterdir())).pixel_array
    order = []
    for stack in entry["stacks"]:
        assert (stack["rows"], stack["columns"]) == (162, 162)
        assert stack["pixel_spacing_mm"] == pytest.approx((1.6, 1.6))
        assert (stack["slice_step_mm"], stack["flags"]) == (None, [])
        affine = ras_from_lps(np.array(stack["affine_ras_mm"]))
        (number,) = (
            number
            for number, position in enumerate(expected)
            if np.abs(affine[:3, 3] - position).max() < AFFINE_TOLERANCE_MM
        )
        along_row, along_column = list(expected.values())[number]
        assert affine[:3, 0] / 1.6 == pytest.approx(along_row, abs=1e-5)
        assert affine[:3, 1] / 1.6 == pytest.approx(along_column, abs=1e-5)
        order.append(number)
    assert sorted(order) == [0, 1, 2]
    for item, number in zip(series.slices, order, strict=True):
        assert np.array_equal(item.stored_pixels, frames[number])


def test_the_phantoms_double_oblique_slice_lies_as_the_converter_says(shared_data):
    document, (series,) = inspected(shared_data / "g15_phantom_double_oblique" / "dicom")
    (entry,) = entries_of(document)
    found = Found(1, 64, 64, (3.75, 3.75), None, "axial", 1)
    stack = assert_is(entry, found, "a phase or a map, no signal")
    affine = np.array(
        [
            [-3.6979, -0.61948, -0.060257, 147.12],
            [-0.62121, 3.6403, 0.60828, -87.053],
            [0.04499, -0.65338, 3.4462, 27.564],
        ]
    )
    own = np.array(stack["affine_ras_mm"])
    # The converter turns the rows round: its first row is our last.
    assert own[:3, 0] == pytest.approx(affine[:, 0], abs=5e-4)
    assert own[:3, 1] == pytest.approx(-affine[:, 1], abs=5e-4)
    last_row = own[:3] @ (0, 63, 0, 1)
    assert last_row == pytest.approx(affine[:, 3], abs=5e-3)
    assert values_of(series.stacks[0]).sum() == -375282


def test_the_reference_of_exact_integers_is_met_to_the_last_bit(shared_data):
    for case in ("g07_rle", "g08_jpegls", "g09_jpeg2000"):
        (series,) = inspected(shared_data / case / "dicom")[1]
        assert values_of(series.stacks[0]).sum() == 33304746


def test_the_same_images_classic_and_converted_are_read_and_their_segmentation_is_skipped(
    shared_data,
):
    case = shared_data / "s01_seg_dcmqi_23x38x3"
    document, series = inspected(case)
    (exam,) = document["exams"]
    assert sorted(entry["files"] for entry in exam["series"]) == [1, 3]
    (skipped,) = document["skipped"]
    assert Path(skipped["path"]).name == "label_seg.dcm"
    assert "bits allocated: 1" in skipped["reason"]
    files = [pydicom.dcmread(path) for path in (case / "image").iterdir()]
    files.sort(key=lambda file: file.ImagePositionPatient[2])
    expected = [
        file.pixel_array * file.RescaleSlope + float(file.RescaleIntercept) for file in files
    ]
    positions = [[float(part) for part in file.ImagePositionPatient] for file in files]
    for entry, item in zip(exam["series"], series, strict=True):
        shape = Found(3, 38, 23, (0.7, 0.7), 2.5, "axial", entry["files"])
        stack = assert_is(entry, shape)
        affine = ras_from_lps(np.array(stack["affine_ras_mm"]))
        places = [affine[:3] @ (0, 0, k, 1) for k in range(3)]
        upwards = sorted(range(3), key=lambda k: places[k][2])
        for k, position, pixels in zip(upwards, positions, expected, strict=True):
            assert places[k] == pytest.approx(position, abs=AFFINE_TOLERANCE_MM)
            assert np.array_equal(item.slices[k].pixels, pixels)


NIFTI = {
    "a01_real_lumbar_dixon_TUM01": {
        "fat": ((-1.01852, -1.01852, 4), (204.51, 147.95, 192.78)),
        "label_fatgrid": ((-1.01852, -1.01852, 4), (204.51, 147.95, 192.78)),
        "label_watergrid": ((-1.0185, -1.0185, 4), (0, 0, 0)),
        "water": ((-1.0185, -1.0185, 4), (0, 0, 0)),
    },
    "f01_dixon_thigh_ge": {
        "fat": ((0.8008, 0.8008, 20), (-210.47, -119.68, -97)),
        "fatfraction": ((0.8008, 0.8008, 20), (-210.47, -119.68, -97)),
        "water": ((0.8008, 0.8008, 20), (-210.47, -119.68, -97)),
    },
}
"""Diagonal and position of each file's affine in RAS, as the manifest prints them."""

NIFTI_SHAPES = {"a01_real_lumbar_dixon_TUM01": (29, 400, 400), "f01_dixon_thigh_ge": (10, 256, 512)}
"""Slices, rows and columns."""


@pytest.mark.parametrize(
    ("case", "name"), [(case, name) for case, names in NIFTI.items() for name in names]
)
def test_a_nifti_file_lies_and_reads_as_the_manifest_and_nibabel_say(shared_data, case, name):
    path = shared_data / case / f"{name}.nii.gz"
    document, (series,) = inspected(path)
    (entry,) = entries_of(document)
    diagonal, position = NIFTI[case][name]
    shape = NIFTI_SHAPES[case]
    spacing = (abs(diagonal[1]), abs(diagonal[0]))
    assert entry["stacks"][0]["pixel_spacing_mm"] == pytest.approx(spacing, abs=5e-5)
    own_spacing = tuple(entry["stacks"][0]["pixel_spacing_mm"])
    stack = assert_is(entry, Found(*shape, own_spacing, diagonal[2], "axial", 1))
    affine = np.array(stack["affine_ras_mm"])
    assert affine[:3, :3] == pytest.approx(np.diag(diagonal), abs=5e-5)
    assert affine[:3, 3] == pytest.approx(position, abs=5e-3)
    reference = nibabel.load(path)
    assert affine == pytest.approx(reference.affine, abs=AFFINE_TOLERANCE_MM)
    assert_equals_reference(series.stacks[0], reference.get_fdata(), reference.affine)


@pytest.mark.parametrize("case", NIFTI)
def test_a_folder_of_nifti_files_is_one_exam_of_all_of_them(shared_data, case):
    entries = entries_of(inspected(shared_data / case)[0])
    assert [entry["files"] for entry in entries] == [1] * len(NIFTI[case])


def test_all_scans_in_one_command_are_as_many_series_and_only_copies_are_skipped(shared_data):
    folders = sorted(shared_data.glob("g*/dicom"))
    document, _ = inspected(*folders)
    assert len(folders) == 14
    # Public data sets of several people, all of them de-identified to one PatientID.
    kinds = [problem["kind"] for problem in document["problems"]]
    assert kinds == ["patient_id_shared", "person_unclear", "same_day"]
    # Three compressions of one scan hold the same images; the first is read.
    copies = {Path(item["path"]) for item in document["skipped"]}
    assert copies == {
        path
        for case in ("g08_jpegls", "g09_jpeg2000")
        for path in (shared_data / case / "dicom").iterdir()
    }
    assert all("The same image" in item["reason"] for item in document["skipped"])
    series = [entry for exam in document["exams"] for entry in exam["series"]]
    assert sum(entry["files"] for entry in series if "#" not in entry["uid"]) == 4 * 6 + 1 + 3
    # One object of four volumes, two views under one UID, three planes in one object.
    assert len(series) == 8 + 4 + 2 + 1 + 1
    assert [len(entry["stacks"]) for entry in series].count(3) == 1


def test_nothing_that_names_a_person_or_a_place_is_printed(shared_data):
    folders = sorted(shared_data.glob("g*/dicom"))
    named = {"Baycrest", "Dartmouth", "PHASMR6335", "MRI_102TD_PHA", "phantom1-sid1", "dicom2nifti"}
    for options in ([], ["--json"]):
        done = CliRunner().invoke(app, ["inspect", *map(str, folders), *options])
        assert done.exit_code == 0
        assert not any(name in done.output for name in named)
