"""Damage that random inputs found (``python -m benchmarks.fuzz``), each refused with a reason."""

import json
import struct
import tracemalloc

import numpy as np
import pytest
from pydicom.uid import JPEGLSLossless, RLELossless

from multifidus.data.flags import Flag
from multifidus.errors import ReadError
from multifidus.io import read as formats
from multifidus.io.dicom.header import read_header
from multifidus.io.nifti import open_nifti
from multifidus.io.outlines_json import read_outlines
from tests.support.dicoms import classic, enhanced, write
from tests.support.exams import axial_plane
from tests.support.niftis import lumbar_affine, save, set_scale

PIXELS = np.arange(6 * 8, dtype=np.uint16).reshape(6, 8)


def reason(path):
    found = formats.scan(path)
    assert found.exams == ()
    (skipped,) = found.skipped
    return skipped.reason


def the_slice(path):
    (exam,) = formats.scan(path).exams
    (series,) = exam.series
    return series.slices[0]


def jpeg_ls(folder):
    dataset = classic(axial_plane(), PIXELS)
    path = write(dataset, folder / "a.dcm")
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)
    return path


def change(path, old, new):
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize("filling", [0, 200_000])
def test_a_field_that_says_it_is_huge_takes_no_memory(tmp_path, filling):
    path = write(classic(axial_plane(), PIXELS), tmp_path / "a.dcm")
    head = bytes.fromhex("1000 2000 554e 0000") + struct.pack("<I", 0x7FFFFFF0)
    data = path.read_bytes()
    at = data.index(bytes.fromhex("1000 2000"))
    private = bytes.fromhex("0900 1010 4f42 0000") + struct.pack("<I", filling) + bytes(filling)
    path.write_bytes(data[:at] + private + head + data[at + 8 :])
    tracemalloc.start()
    assert reason(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6


def test_a_header_longer_than_what_is_read_at_first_is_read_whole(tmp_path):
    dataset = classic(axial_plane(), PIXELS)
    dataset.private_block(0x0019, "TEST", create=True).add_new(0x10, "OB", bytes(300_000))
    path = write(dataset, tmp_path / "a.dcm")
    assert the_slice(path).pixels.tolist() == PIXELS.tolist()


def test_an_unknown_transfer_syntax_is_refused(tmp_path):
    path = write(classic(axial_plane(), PIXELS), tmp_path / "a.dcm")
    change(path, b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1\1x.1\0")
    assert "Unknown transfer syntax" in reason(path)


def test_a_sequence_that_is_none_is_refused(tmp_path):
    path = write(enhanced([axial_plane()], PIXELS[None]), tmp_path / "a.dcm")
    old = bytes.fromhex("0052 3092") + b"SQ"
    change(path, old, old[:4] + b"OB")
    assert "PerFrameFunctionalGroupsSequence is OB where a sequence is expected" in reason(path)


def test_a_value_that_is_a_sequence_is_refused(tmp_path):
    path = write(enhanced([axial_plane()], PIXELS[None]), tmp_path / "a.dcm")
    data = path.read_bytes()
    with path.open("rb") as file:
        header, _ = read_header(file)
    assert header.text("Manufacturer") == "ACME"
    old = bytes.fromhex("0800 7000") + b"LO" + struct.pack("<H", 4) + b"ACME"
    new = bytes.fromhex("0800 7000") + b"SQ\0\0" + struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data.replace(old, new + bytes.fromhex("feff00e000000000 feffdde000000000")))
    with path.open("rb") as file:
        header, _ = read_header(file)
    with pytest.raises(ReadError, match="Manufacturer is a sequence"):
        header.text("Manufacturer")


def test_compressed_frames_that_cannot_be_in_the_file_are_not_decoded(tmp_path):
    dataset = enhanced([axial_plane()] * 3, np.stack([PIXELS] * 3))
    dataset.Rows = dataset.Columns = 60_000
    dataset.PixelData = b""
    path = write(dataset, tmp_path / "a.dcm")
    change(path, b"1.2.840.10008.1.2.1\0", RLELossless.encode().ljust(20, b"\0"))
    assert "cannot be in this file" in reason(path)


def test_a_jpeg_ls_stream_that_ends_early_is_refused_at_once(tmp_path):
    path = jpeg_ls(tmp_path)
    assert the_slice(path).pixels.tolist() == PIXELS.tolist()
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\xff\xd9") - 6])
    with pytest.raises(ReadError, match="cut short"):
        _ = the_slice(path).pixels


def test_a_jpeg_ls_stream_of_another_size_is_refused(tmp_path):
    path = jpeg_ls(tmp_path)
    change(path, struct.pack(">HH", 6, 8) + b"\x01", struct.pack(">HH", 8, 6) + b"\x01")
    with pytest.raises(ReadError, match=r"are 8 x 6, the header says \(6, 8\)"):
        _ = the_slice(path).pixels


def test_a_nifti_quaternion_that_is_none_is_a_conflict(tmp_path):
    voxels = np.zeros((3, 4, 5), np.int16)
    path = save(tmp_path / "a.nii", voxels, lumbar_affine(), form="both")
    for value in (3.0, float("nan")):
        data = bytearray(path.read_bytes())
        struct.pack_into("<f", data, 256, value)
        path.write_bytes(data)
        assert Flag.AFFINE_CONFLICT in open_nifti(path).flags


def test_what_nibabel_mends_is_not_printed(tmp_path, capfd):
    path = save(tmp_path / "a.nii", np.zeros((3, 4, 5), np.int16), lumbar_affine())
    data = bytearray(path.read_bytes())
    struct.pack_into("<i", data, 0, 0)
    path.write_bytes(data)
    formats.scan(path)
    assert capfd.readouterr().err == ""


def test_outlines_nested_without_end_are_refused(tmp_path):
    path = tmp_path / "a.outlines.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ReadError, match="is not an outline file, or damaged"):
        read_outlines(path)


def test_outlines_beyond_all_measure_are_refused(tmp_path):
    path = tmp_path / "a.outlines.json"
    document = {"format": "multifidus-outlines", "version": 1, "frame": "LPS", "unit": "mm"}
    mark = {"kind": "disc_centre", "level": "L4-L5", "position_mm": [0, 0, 1e308]}
    path.write_text(json.dumps({**document, "landmarks": [mark]}))
    with pytest.raises(ReadError, match="more than 1e"):
        read_outlines(path)


def test_a_rescale_that_cannot_be_computed_with_is_refused(tmp_path):
    for slope, said in ((b"1e308", "rescaled by slope"), (b"inf", "is no finite number")):
        dataset = classic(axial_plane(), PIXELS)
        dataset.RescaleSlope, dataset.RescaleIntercept = "12345", "0"
        path = write(dataset, tmp_path / "a.dcm")
        change(path, b"12345 ", slope.ljust(6))
        assert said in reason(path)
    path = save(tmp_path / "a.nii", np.ones((3, 4, 5), np.int16), lumbar_affine())
    set_scale(path, 1e36, 0)
    with pytest.raises(ReadError, match=r"a\.nii rescales its voxels"):
        open_nifti(path)
