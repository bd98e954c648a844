"""What headers say of how images were acquired reaches ``acquisitions.csv``, and nothing else."""

from __future__ import annotations

import csv
import json
import math
import random

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, strategies as st

import multifidus as mf
from multifidus.data.columns import ACQUISITION_COLUMNS
from multifidus.io.read import read_exam
from multifidus.study.acquisitions import acquisition_rows, acquisitions_of, known_of
from multifidus.study.batch import Measured, case_of, measure_exam
from multifidus.study.results import write_results
from multifidus.study.results_folder import Output
from tests.support.cases import pixels, write_outlines
from tests.support.dicoms import classic, enhanced, write
from tests.support.exams import axial_plane

PROTOCOL = mf.MeasurementProtocol(fat_methods=("otsu",), bias_correction="none")
BY = mf.Reading("S01", "pre", "AB")
SAID = {
    "ManufacturerModelName": "MAGNETOM Example",
    "ScanningSequence": ["SE", "IR"],
    "SequenceName": "*tse2d1_15",
    "SpacingBetweenSlices": "4.4",
    "AcquisitionMatrix": [0, 384, 288, 0],
    "ReceiveCoilName": "Spine_32",
}
SECRET = {
    "InstitutionName": "Saint Elsewhere",
    "StationName": "MRC12345",
    "DeviceSerialNumber": "SN-998877",
    "ProtocolName": "spine of Jane",
    "SeriesDescription": "Jane t2",
    "OperatorsName": "Roe^Rita",
}


def write_series(folder, slices=3, change=lambda number, dataset: None, names=None):
    folder.mkdir(parents=True)
    for number in range(slices):
        plane = axial_plane(z=4.4 * number)
        dataset = classic(plane, pixels(), number + 1)
        for name, value in {**SAID, **SECRET}.items():
            setattr(dataset, name, value)
        change(number, dataset)
        write(dataset, folder / f"{number if names is None else names[number]}.dcm")
    return folder


def measured(images, tmp_path) -> Measured:
    outlines = write_outlines(images, tmp_path / "a.outlines.json", BY)
    exam = read_exam(images)
    return measure_exam(exam, mf.read_rois(outlines, exam), PROTOCOL, case_of((), (), None))


def row_of(images, tmp_path):
    (row,) = acquisition_rows([acquisitions_of(measured(images, tmp_path))])
    return row


KNOWN = {
    "manufacturer": "ACME", "model": "MAGNETOM Example", "field_strength_t": 1.5,
    "sequence_type": "SE/IR", "sequence_name": "*tse2d1_15", "repetition_time_ms": 4000.0,
    "echo_time_ms": 100.0, "slice_thickness_mm": 4.0, "slice_spacing_mm": 4.4,
    "slice_gap_mm": 0.4, "rows": 80, "columns": 80, "acquired_matrix": "384 x 288",
    "coil": "Spine_32", "n_slices": 3, "weighting": "t2", "differing": "",
}  # fmt: skip


def test_what_dicom_says_is_told(tmp_path):
    row = row_of(write_series(tmp_path / "a"), tmp_path)
    assert {name: row[name] for name in KNOWN} == KNOWN
    assert set(row) == set(ACQUISITION_COLUMNS)


def test_nothing_else_of_a_header_reaches_any_output(tmp_path):
    done = measured(write_series(tmp_path / "a"), tmp_path)
    write_results([done], Output(tmp_path / "out", pictures=False), PROTOCOL)
    texts = [path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [word for word in (*SECRET.values(), "Doe", "4711") for t in texts if word in t]
    with (tmp_path / "out" / "acquisitions.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["subject"], row["slice_gap_mm"], row["model"]) == ("S01", "0.4", SAID_MODEL)
    explained = json.loads((tmp_path / "out" / "dictionary.json").read_text())
    assert set(row) == set(explained["acquisitions.csv"])


SAID_MODEL = SAID["ManufacturerModelName"]


def test_what_no_header_says_is_not_known_and_not_guessed(tmp_path):
    def silent(_, dataset):
        for name in (*SAID, "MagneticFieldStrength", "SliceThickness", "Manufacturer"):
            delattr(dataset, name)

    row = row_of(write_series(tmp_path / "a", slices=1, change=silent), tmp_path)
    for name in ("manufacturer", "model", "sequence_type", "sequence_name", "coil"):
        assert not row[name]
    for name in ("field_strength_t", "slice_thickness_mm", "slice_spacing_mm", "slice_gap_mm"):
        assert math.isnan(row[name])
    assert not row["differing"]


def test_an_enhanced_image_says_it_in_its_groups(tmp_path):
    planes = [axial_plane(z=4.4 * number) for number in range(3)]
    dataset = enhanced(planes, np.stack([pixels()] * 3))
    shared = dataset.SharedFunctionalGroupsSequence[0]
    add(shared, "MRReceiveCoilSequence", ReceiveCoilName="Spine_32")
    add(shared, "MRFOVGeometrySequence", MRAcquisitionFrequencyEncodingSteps=384,
        MRAcquisitionPhaseEncodingStepsInPlane=288)  # fmt: skip
    dataset.EchoPulseSequence, dataset.PulseSequenceName = "SPIN", "tse"
    (tmp_path / "a").mkdir()
    write(dataset, tmp_path / "a" / "0.dcm")
    row = row_of(tmp_path / "a", tmp_path)
    told = {"coil": "Spine_32", "acquired_matrix": "384 x 288", "sequence_type": "SPIN",
            "sequence_name": "tse", "n_slices": 3}  # fmt: skip
    assert {name: row[name] for name in told} == told
    assert row["slice_spacing_mm"] == pytest.approx(4.4, abs=1e-3)


def add(groups, sequence, **values):
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    item = getattr(groups, sequence)[0] if sequence in groups else Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    setattr(groups, sequence, Items([item]))


def test_what_contradicts_itself_is_given_in_full_and_named(tmp_path):
    def differ(number, dataset):
        if number == 1:
            dataset.RepetitionTime, dataset.ReceiveCoilName = "3500", "Body"
        if number == 2:
            dataset.RepetitionTime = "4000.5"  # the same, written with noise

    row = row_of(write_series(tmp_path / "a", change=differ), tmp_path)
    assert row["repetition_time_ms"] == "3500.0;4000.0"
    assert row["coil"] == "Body;Spine_32"
    assert row["differing"] == "repetition_time_ms;coil"
    assert row["echo_time_ms"] == KNOWN["echo_time_ms"]


def test_a_spacing_that_places_contradict_is_named(tmp_path):
    def differ(_, dataset):
        dataset.SpacingBetweenSlices = "2.2"

    row = row_of(write_series(tmp_path / "a", change=differ), tmp_path)
    assert row["slice_spacing_mm"] == "2.2;4.4"
    assert row["slice_gap_mm"] == "-1.8;0.4"
    assert row["differing"] == "slice_spacing_mm;slice_gap_mm"


@given(seed=st.integers(0, 1000))
def test_the_order_of_files_does_not_matter(tmp_path_factory, seed):
    order = random.Random(seed).sample(range(4), 4)  # noqa: S311 - no secret
    folder = tmp_path_factory.mktemp("order")

    def differ(number, dataset):
        dataset.RepetitionTime = str(3000 + 100 * (number % 2))

    names = [f"{order[number]}" for number in range(4)]
    (one,) = read_exam(write_series(folder / "a", 4, differ, names)).series
    (other,) = read_exam(write_series(folder / "b", 4, differ)).series
    assert known_of(one) == known_of(other)
    assert known_of(one)["repetition_time_ms"] == [3000.0, 3100.0]


def test_what_a_sidecar_says_is_told(tmp_path):
    said = {
        "Manufacturer": "ACME", "ManufacturersModelName": "MAGNETOM Example",
        "MagneticFieldStrength": 3, "PulseSequenceType": "Turbo Spin Echo", "RepetitionTime": 4.0,
        "EchoTime": 0.1, "SliceThickness": 4, "SpacingBetweenSlices": 4.4,
        "ReceiveCoilName": "Spine_32", "SequenceName": ["tse", 5], "InstitutionName": "Elsewhere",
        "DeviceSerialNumber": "SN-998877", "StationName": "MRC12345",
    }  # fmt: skip
    image = nib.Nifti1Image(np.stack([pixels().T] * 2, axis=2), np.diag([-0.5, -0.5, 4.4, 1]))
    path = tmp_path / "sub-S01_T2w.nii.gz"
    nib.save(image, path)
    (tmp_path / "sub-S01_T2w.json").write_text(json.dumps(said))
    row = row_of(path, tmp_path)
    assert (row["model"], row["sequence_type"]) == ("MAGNETOM Example", "Turbo Spin Echo")
    assert (row["field_strength_t"], row["echo_time_ms"]) == (3.0, 100.0)
    assert (row["slice_thickness_mm"], row["slice_gap_mm"]) == (4.0, 0.4)
    assert (row["coil"], row["sequence_name"], row["differing"]) == ("Spine_32", "tse", "")
    assert (row["pixel_row_mm"], row["acquired_matrix"]) == (0.5, "")
    assert "MRC12345" not in str(row)
    assert "Elsewhere" not in str(row)


def test_the_thickness_of_a_nifti_without_a_sidecar_is_not_known(tmp_path):
    image = nib.Nifti1Image(np.stack([pixels().T] * 2, axis=2), np.diag([-0.5, -0.5, 4.4, 1]))
    nib.save(image, tmp_path / "a.nii.gz")
    row = row_of(tmp_path / "a.nii.gz", tmp_path)
    assert math.isnan(row["slice_thickness_mm"])
    assert math.isnan(row["slice_gap_mm"])
    assert row["slice_spacing_mm"] == pytest.approx(4.4)


def test_two_readings_of_an_exam_make_one_row(tmp_path):
    known = acquisitions_of(measured(write_series(tmp_path / "a"), tmp_path))
    (once,), (twice,) = acquisition_rows([known]), acquisition_rows([known, known])
    assert once == twice
    other = [{**known[0], "coil": ["Body"], "echo_time_ms": [90.0]}]
    (both,) = acquisition_rows([known, other])
    assert (both["coil"], both["echo_time_ms"]) == ("Body;Spine_32", "90.0;100.0")
    assert both["differing"] == "echo_time_ms;coil"
