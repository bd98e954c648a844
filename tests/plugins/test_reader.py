from __future__ import annotations

import gc
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from napari_multifidus import _compat
from napari_multifidus.models.opening import (
    METADATA,
    SNIFFED_FILES,
    holds_images,
    layer_data,
    open_exam,
)
from napari_multifidus.reader import NOTHING, get_reader, read_images, read_outlines

from multifidus.data.image import Exam, Weighting
from multifidus.errors import GeometryError
from multifidus.sample_data import sample_dir
from tests.plugins.conftest import make_series
from tests.support.exams import axial_plane, exam_of, image_slice


@pytest.fixture
def no_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compat, "current_viewer", lambda: None)


def test_a_folder_of_dicom_is_ours_and_others_are_not(tmp_path):
    assert get_reader(str(sample_dir() / "S01_pre")) is read_images
    (tmp_path / "notes.txt").write_text("nothing")
    assert get_reader(str(tmp_path)) is None
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "scan.nii.gz").touch()
    assert get_reader(str(tmp_path)) is read_images


def test_a_folder_of_dicom_without_preambles_is_ours(tmp_path):
    whole = next(path for path in (sample_dir() / "S01_pre").rglob("*") if path.is_file())
    assert whole.read_bytes()[128:132] == b"DICM"
    (tmp_path / "1").write_bytes(whole.read_bytes()[132:])
    assert get_reader(str(tmp_path)) is read_images


def test_a_folder_is_looked_at_briefly(tmp_path):
    for number in range(3 * SNIFFED_FILES):
        (tmp_path / f"{number:04d}.txt").touch()
    (tmp_path / "z.nii").touch()
    assert not holds_images(tmp_path)


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("scan.nii", read_images),
        ("a.dcm", read_images),
        ("scan.nrrd", read_images),
        ("AB.outlines.json", read_outlines),
    ],
)
def test_files_find_their_reader(name, reader):
    assert get_reader(name) is reader
    # A list of one is what is dropped while Shift is held.
    assert get_reader([name]) is reader
    assert get_reader([name, name]) is None


def test_an_exam_is_one_layer_of_all_stacks_in_slices_and_millimetres(no_viewer):
    ((data, attributes, kind),) = read_images(str(sample_dir() / "S01_pre"))
    opened = attributes["metadata"][METADATA]
    assert kind == "image"
    assert data.shape[0] == len(opened.series.slices)
    assert len(opened.series.stacks) > 1
    row_mm, column_mm = opened.series.slices[0].plane.pixel_spacing_mm
    assert attributes["scale"] == pytest.approx((1, row_mm, column_mm))
    assert attributes["units"] == ("pixel", "mm", "mm")
    np.testing.assert_array_equal(data[3], opened.series.slices[3].pixels)


@pytest.fixture
def exam_folder():
    return sample_dir() / "S01_pre"


def test_a_zip_archive_is_an_exam(tmp_path, exam_folder, no_viewer, messages):
    path = tmp_path / "exam.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(exam_folder.rglob("*.dcm")):
            archive.write(file, file.relative_to(exam_folder))
    ((data, *_),) = get_reader(str(path))(str(path))
    ((expected, *_),) = read_images(str(exam_folder))
    np.testing.assert_array_equal(data, expected)
    assert messages == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of pydicom's own temporary folder
@pytest.mark.parametrize("name", ["", "DICOMDIR"])
def test_a_disc_with_a_dicomdir_is_an_exam(tmp_path, exam_folder, no_viewer, name):
    from pydicom.fileset import FileSet

    disc = FileSet()
    for file in exam_folder.rglob("*.dcm"):
        disc.add(file)
    disc.write(tmp_path)
    del disc
    gc.collect()
    path = str(tmp_path / name)
    ((data, *_),) = get_reader([path])([path])
    ((expected, *_),) = read_images(str(exam_folder))
    np.testing.assert_array_equal(data, expected)


def test_a_lone_image_of_a_series_is_opened_and_the_rest_is_missed(
    exam_folder, tmp_path, no_viewer, messages
):
    file = min((exam_folder / "axial").glob("*.dcm"))
    ((data, *_),) = read_images(str(file))
    assert data.shape[0] == 1
    assert "open its folder" in messages[0]
    alone = tmp_path / "alone.dcm"
    alone.write_bytes(file.read_bytes())
    read_images(str(alone))
    assert len(messages) == 1


def test_what_cannot_be_read_is_said_without_a_traceback(tmp_path, messages, no_viewer):
    path = tmp_path / "broken.nii"
    path.write_bytes(b"not an image")
    assert read_images(str(path)) == NOTHING
    assert "broken.nii" in messages[0]


def test_outlines_without_an_exam_are_refused_in_words(messages, no_viewer):
    assert read_outlines("AB.outlines.json") == NOTHING
    assert "Open the exam first" in messages[0]


def test_series_on_the_same_slices_come_along_hidden(exam):
    from dataclasses import replace

    from napari_multifidus.models.opening import OpenedExam

    t2, other = exam.series[0], make_series("1.9", (0.0,))
    t1 = replace(make_series("1.5"), weighting=Weighting.T1)
    both = Exam("S", "pre", (t1, t2, other))
    layers = layer_data(OpenedExam(both, t2, Path("x")))
    assert [attributes["name"] for _, attributes, _ in layers] == ["axial T1", "axial T2"]
    assert [attributes["visible"] for _, attributes, _ in layers] == [False, True]


def test_slices_of_different_spacing_are_refused():
    from napari_multifidus.models.opening import OpenedExam

    slices = [
        image_slice(np.zeros((4, 4)), axial_plane(40.0 * n, 0, (mm, mm)), str(n))
        for n, mm in enumerate((0.5, 0.75))
    ]
    exam = exam_of(*slices)
    with pytest.raises(GeometryError, match="differ in pixel spacing"):
        layer_data(OpenedExam(exam, exam.series[0]))


def test_a_folder_of_two_exams_is_refused_by_name():
    with pytest.raises(OSError, match="Expected one exam"):
        open_exam(sample_dir())


def test_the_manifest_is_valid():
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("multifidus")
    manifest.validate_imports()
    assert {sample.key for sample in manifest.contributions.sample_data} == {
        "phantom_pre",
        "phantom_post",
    }
    (reader,) = manifest.contributions.readers
    assert reader.accepts_directories
    patterns = reader.filename_patterns
    for name in ("a.dcm", "DICOMDIR", "x.zip", "a.nii.gz", "a.nrrd", "AB.outlines.json"):
        assert any(fnmatch(name, pattern) for pattern in patterns)
    (widget,) = manifest.contributions.widgets
    assert widget.display_name == _compat.WIDGET
