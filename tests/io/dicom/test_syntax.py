"""DICOM files without their preamble, or without file meta information; and what only looks so."""

import io

import numpy as np
import pytest
from hypothesis import given, strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian

from multifidus.io.dicom.syntax import NOT_DICOM, bare_syntax, begins_as_dicom
from multifidus.io.identifiers import DECLARED, burned_in, read_identifiers
from multifidus.io.scan import scan
from tests.support.dicoms import classic, enhanced, write
from tests.support.exams import axial_plane

PIXELS = np.arange(6 * 8, dtype=np.uint16).reshape(6, 8)


def bare(dataset, *, implicit=True, little=True):
    """Return a data set's bytes with neither preamble nor file meta information."""
    plain, buffer = Dataset(), io.BytesIO()
    plain.update(dataset)
    if not little:
        plain.PixelData = PIXELS.astype(">u2").tobytes()
    plain["PixelData"].VR = "OW"
    dcmwrite(buffer, plain, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    return buffer.getvalue()


def put(path, data):
    path.write_bytes(data)
    return path


def reason(path):
    found = scan(path)
    assert found.exams == ()
    (skipped,) = found.skipped
    return skipped.reason


@pytest.mark.parametrize(
    ("implicit", "little"), [(True, True), (False, True), (False, False)],
    ids=["implicit", "explicit", "big endian"],
)  # fmt: skip
def test_a_data_set_without_preamble_is_read_as_with_it(tmp_path, implicit, little):
    dataset = classic(axial_plane(tilt=12), PIXELS)
    whole = write(classic(axial_plane(tilt=12), PIXELS), tmp_path / "whole.dcm")
    path = put(tmp_path / "bare.dcm", bare(dataset, implicit=implicit, little=little))
    theirs = dcmread(path, force=True)
    theirs.file_meta.TransferSyntaxUID = bare_syntax(path.read_bytes()).uid
    ((ours,), (expected,)) = (scan(one).exams[0].series[0].slices for one in (path, whole))
    assert ours.plane == expected.plane
    assert ours.pixels.tolist() == expected.pixels.tolist() == theirs.pixel_array.tolist()
    assert ours.uid == expected.uid


def test_file_meta_information_without_a_preamble_is_read(tmp_path):
    path = write(classic(axial_plane(), PIXELS), tmp_path / "a.dcm")
    put(path, path.read_bytes()[132:])
    assert scan(path).exams[0].series[0].slices[0].pixels.tolist() == PIXELS.tolist()


def test_an_enhanced_object_without_preamble_is_read(tmp_path):
    planes = [axial_plane(z=4.4 * k) for k in range(3)]
    stacked = np.stack([PIXELS, PIXELS + 1, PIXELS + 2])
    path = put(tmp_path / "a.dcm", bare(enhanced(planes, stacked)))
    slices = scan(path).exams[0].series[0].slices
    assert [one.pixels.tolist() for one in slices] == stacked.tolist()


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("extra", [-2, 2, 40])
def test_pixels_of_another_length_may_be_compressed_and_are_refused(tmp_path, implicit, extra):
    dataset = classic(axial_plane(), PIXELS)
    dataset.PixelData = (dataset.PixelData + bytes(40))[: 96 + extra]
    found = reason(put(tmp_path / "a.dcm", bare(dataset, implicit=implicit)))
    assert "without its file meta information" in found
    assert "Export it again as a DICOM file" in found


def test_compressed_pixels_without_a_transfer_syntax_are_refused(tmp_path):
    path = write(classic(axial_plane(), PIXELS), tmp_path / "a.dcm")
    data = bare(classic(axial_plane(), PIXELS), implicit=False)
    at = data.index(bytes.fromhex("e07f 1000"))
    frames = bytes.fromhex("feff00e000000000 feff00e004000000 01020304 feffdde000000000")
    put(path, data[:at] + bytes.fromhex("e07f 1000") + b"OB\0\0\xff\xff\xff\xff" + frames)
    assert "are compressed cannot be known" in reason(path)


def test_a_data_set_that_is_no_image_is_named_as_such(tmp_path):
    dataset = classic(axial_plane(), PIXELS)
    del dataset.SeriesInstanceUID
    found = reason(put(tmp_path / "a.dcm", bare(dataset)))
    assert found != ""
    assert "Truncated" not in found


JUNK = {
    "text": b"ISO_IR 100, not a DICOM file at all. " * 20,
    "text that names the mark": b"DICM" + b"text" * 60,
    "zeros": bytes(400),
    "numbers": np.arange(400, dtype=np.uint16).tobytes(),
    "floats": np.linspace(0, 1, 100).tobytes(),
    "group 8 of a length that cannot be": bytes.fromhex("0800 0500 ffffff7f") + bytes(200),
    "group 8 of an element further on": bytes.fromhex("0800 7000 0a000000") + bytes(200),
    "short": b"\x08\x00",
}


@pytest.mark.parametrize("name", JUNK)
def test_junk_is_not_taken_for_a_data_set_without_preamble(tmp_path, name):
    path = put(tmp_path / "a.dcm", JUNK[name])
    assert bare_syntax(JUNK[name]) is None
    assert not begins_as_dicom(path)
    assert scan(path).exams == ()


@given(st.binary(max_size=600))
def test_random_bytes_behind_a_likely_beginning_are_skipped(tmp_path_factory, junk):
    path = tmp_path_factory.getbasetemp() / "likely.dcm"
    for start in ("0800 0500 0a000000", "0800 0500 4353 0a00", "0200 0000 554c 0400"):
        put(path, bytes.fromhex(start) + junk)
        assert scan(path).exams == ()


@given(st.integers(0, 900), st.integers(1, 255))
def test_a_damaged_byte_in_a_data_set_without_preamble_is_read_or_skipped(
    tmp_path_factory, place, flip
):
    data = bytearray(bare(classic(axial_plane(), PIXELS)))
    data[place % len(data)] ^= flip
    path = put(tmp_path_factory.getbasetemp() / "flipped.dcm", bytes(data))
    found = scan(path)
    assert len(found.exams) + len(found.skipped) == 1


def test_what_a_file_without_preamble_says_about_a_person_is_found(tmp_path):
    dataset = classic(axial_plane(), PIXELS)
    dataset.BurnedInAnnotation = "YES"
    path = put(tmp_path / "a.dcm", bare(dataset))
    assert read_identifiers(path).patient_name == "Doe^Jane"
    assert DECLARED in burned_in([path])[0]


def test_a_file_that_names_no_transfer_syntax_says_what_to_do(tmp_path):
    path = write(classic(axial_plane(), PIXELS), tmp_path / "a.dcm", ExplicitVRLittleEndian)
    data = path.read_bytes()
    put(path, data[:132] + data[data.index(bytes.fromhex("0800 0800")) :])
    assert reason(path).startswith("The file names no transfer syntax. Export")
    assert NOT_DICOM not in reason(path)
