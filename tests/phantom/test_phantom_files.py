"""Phantom exams as files, and the sample exams made of them."""

import csv
import hashlib
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.geometry import Plane
from multifidus.errors import WriteError
from multifidus.io.outlines import read_rois
from multifidus.io.read import read_exam
from multifidus.phantom import PhantomSpec, make_phantom, write_phantom

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "sample_data"

SMALL = PhantomSpec(
    variant="post_open",
    stacks=2,
    slices_per_stack=2,
    matrix=64,
    pixel_mm=3.3,
    sagittal_slices=2,
    dixon=True,
    screws=True,
)

NIFTI_PLACE_MM = 1e-4
"""NIfTI keeps affines as 32-bit floats."""


@pytest.fixture(scope="module")
def small():
    return make_phantom(SMALL)


@pytest.fixture(scope="module")
def written(small, tmp_path_factory):
    return write_phantom(small, tmp_path_factory.mktemp("phantom"))


def test_plain_pydicom_reads_the_exact_planes_and_pixels(small, written):
    files = {pydicom.dcmread(path).SOPInstanceUID: path for path in written.rglob("*.dcm")}
    slices = [item for series in small.exam.series for item in series.slices]
    assert set(files) == {item.uid for item in slices}
    for item in slices:
        dataset = pydicom.dcmread(files[item.uid])
        across, down = np.reshape([float(x) for x in dataset.ImageOrientationPatient], (2, 3))
        spacing = [float(x) for x in dataset.PixelSpacing]
        position = [float(x) for x in dataset.ImagePositionPatient]
        plane = Plane(position, down * spacing[0], across * spacing[1])
        assert np.allclose(plane.numbers, item.plane.numbers, rtol=0, atol=1e-9)
        assert (dataset.pixel_array == item.pixels).all()
        assert dataset.BitsStored == 12


def test_our_reader_finds_the_exam_in_memory(small, written):
    read = read_exam(written)
    series = {found.uid: found for found in read.series}
    assert set(series) == {found.uid for found in small.exam.series}
    for made in small.exam.series:
        found = series[made.uid]
        assert found.weighting is made.weighting
        assert found.frame_of_reference_uid == made.frame_of_reference_uid
        assert found.flags == ()
        assert [item.uid for item in found.slices] == [item.uid for item in made.slices]
        for one, other in zip(found.slices, made.slices, strict=True):
            assert one.plane == other.plane
            assert one.sha256() == other.sha256()


def test_outlines_and_truth_are_written_beside_the_images(small, written):
    rois = read_rois(written.with_name("S01_post.outlines.json"), read_exam(written))
    assert rois == small.outlines
    with written.with_name("S01_post.truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["csa_mm2"]) for row in rows] == pytest.approx(
        [row.csa_mm2 for row in small.truth], abs=1e-6
    )


def test_an_exam_is_never_overwritten(small, written):
    with pytest.raises(WriteError):
        write_phantom(small, written.parent)


def test_dicom_conforms_to_the_standard(written):
    program = shutil.which("dciodvfy")
    if program is None:
        if os.environ.get("CI") and sys.platform == "linux":
            pytest.fail("dciodvfy is missing: install dicom3tools")
        pytest.skip("dciodvfy is not installed (Debian package dicom3tools)")
    for path in sorted(written.rglob("*.dcm")):
        done = subprocess.run(  # noqa: S603 - a program of the system, on our own files
            [program, path], capture_output=True, text=True, check=False
        )
        assert "Error" not in done.stdout + done.stderr, done.stderr


def test_nobody_is_named_in_the_files(written):
    dataset = pydicom.dcmread(next(written.rglob("*.dcm")))
    assert str(dataset.PatientName) == "PHANTOM^MULTIFIDUS"
    private = [element for element in dataset if element.tag.is_private]
    assert private == []
    for name in ("InstitutionName", "StationName", "OperatorsName", "SoftwareVersions"):
        assert name not in dataset


def test_nifti_has_a_file_a_stack_with_the_same_geometry(small, tmp_path):
    folder = write_phantom(small, tmp_path, "nifti")
    names = sorted(path.name for path in folder.iterdir())
    assert "sub-S01_ses-post_acq-axial_chunk-1_T2w.nii.gz" in names
    assert "sub-S01_ses-post_acq-axial_chunk-2_fat.nii.gz" in names
    assert "sub-S01_ses-post_acq-sagittal_T2w.nii.gz" in names
    read = read_exam(folder)
    rois = read_rois(tmp_path / "S01_post.outlines.json", read)
    assert len(rois) == len(small.outlines)
    for roi, made in zip(rois, small.outlines, strict=True):
        series, index = read.find_slice(roi.key.slice_uid)
        found, (_, place) = series.slices[index], small.exam.find_slice(made.key.slice_uid)
        truth = small.exam.series[0].slices[place]
        assert np.allclose(found.plane.numbers, truth.plane.numbers, rtol=0, atol=NIFTI_PLACE_MM)
        assert (found.pixels == truth.pixels).all()


def test_the_same_exam_makes_the_same_bytes(tmp_path):
    spec = PhantomSpec(stacks=1, slices_per_stack=1, matrix=32, pixel_mm=5.0, sagittal=False)
    one, two = (write_phantom(make_phantom(spec), tmp_path / name) for name in ("one", "two"))
    assert contents(one.parent) == contents(two.parent)


def test_the_phantom_command_writes_an_exam(tmp_path, monkeypatch):
    tiny = PhantomSpec(stacks=1, slices_per_stack=1, matrix=32, pixel_mm=5.0, sagittal=False)
    monkeypatch.setattr("multifidus.phantom.make_phantom", lambda _: make_phantom(tiny))
    done = CliRunner().invoke(app, ["phantom", str(tmp_path), "--seed", "4", "--format", "nifti"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "S01_pre.outlines.json").is_file()


def test_the_phantom_command_refuses_an_exam_that_is_there_before_it_makes_one(
    tmp_path, monkeypatch
):
    made = []
    monkeypatch.setattr("multifidus.phantom.make_phantom", made.append)
    (tmp_path / "S01_pre").mkdir()
    done = CliRunner().invoke(app, ["phantom", str(tmp_path)])
    assert isinstance(done.exception, WriteError)
    assert "already exists" in str(done.exception)
    assert not made


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_sample_files_have_the_checksums_of_the_readme():
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    sums = dict(
        reversed(line) for line in re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.MULTILINE)
    )
    found = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in contents(SAMPLE).items()
        if name != "README.md" and not name.startswith("expected/")
    }
    assert sums == found
    assert sum(len(data) for data in contents(SAMPLE).values()) < 15e6


@pytest.mark.parametrize("timepoint", ["pre", "post"])
def test_sample_measurements_agree_with_the_truth(timepoint):
    truth = {
        (row["slice_uid"], row["structure"], row["side"]): row
        for row in table(SAMPLE / f"S01_{timepoint}.truth.csv")
    }
    columns = {"tcsa_mm2": "csa_mm2", "fi_pct": "fat_pct", "ff_signal_pct": "fat_pct"}
    compared = 0
    for row in table(SAMPLE / "expected" / "measurements.csv"):
        key = (row["slice_uid"], row["structure"], row["side"])
        if row["timepoint"] != timepoint or key not in truth or row["quantity"] not in columns:
            continue
        value, true = float(row["value"]), float(truth[key][columns[row["quantity"]]])
        if row["quantity"] == "tcsa_mm2":
            assert value == pytest.approx(true, rel=5e-4)
        elif row["method"] == "signal":
            assert value == pytest.approx(true, abs=2.0)
        elif row["method"] == "pooled_otsu":
            # Partial volume and shading: a threshold on pixels errs by 1 to 2.5 points.
            assert value == pytest.approx(true, abs=3.0)
        # The truth is the tilt against the disc; the spine bends within a stack, and five discs
        # say only roughly how. Against patient z it is exact.
        against, within = {"spine": ("spine_tilt_deg", 4.0)}.get(
            row.get("tilt_axis", ""), ("tilt_deg", 1e-6)
        )
        assert float(row["tilt_deg"]) == pytest.approx(float(truth[key][against]), abs=within)
        assert row["level"] == truth[key]["level"]
        compared += 1
    assert compared >= 2 * len(truth)


@pytest.mark.slow
def test_sample_exams_are_made_again_byte_for_byte(tmp_path):
    script = runpy.run_path(str(REPOSITORY / "scripts" / "make_sample_data.py"))
    script["make"](tmp_path / "sample")
    made, kept = contents(tmp_path / "sample"), contents(SAMPLE)
    assert set(made) == set(kept)
    changed = [name for name in made if made[name] != kept[name]]
    assert [name for name in changed if not name.startswith("expected/")] == []
    again, before = (
        table(folder / "expected" / "measurements.csv") for folder in (tmp_path / "sample", SAMPLE)
    )
    for one, other in zip(again, before, strict=True):
        assert float(one["value"]) == pytest.approx(float(other["value"]), rel=1e-9, nan_ok=True)
