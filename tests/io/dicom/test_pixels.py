"""Pixels as pydicom reads them, in every byte order and element; or refused by what they are."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from pydicom import dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    ParametricMapStorage,
    RLELossless,
)
from pydicom.valuerep import DSfloat

from multifidus.data.image import Weighting
from multifidus.errors import ReadError
from multifidus.io.dicom.plane import decimal
from multifidus.io.scan import scan
from tests.support.dicoms import classic, enhanced, item
from tests.support.exams import axial_plane

SYNTAXES = [ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian]


def noise(shape, dtype):
    bits = np.iinfo(dtype)
    return np.random.default_rng(0).integers(bits.min, bits.max, shape, dtype, endpoint=True)


def saved(dataset, path, syntax=ExplicitVRLittleEndian):
    """Write a data set as it is: its pixels are encoded already."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


def encoded(dataset, pixels, syntax, vr):
    """Write pixels in the byte order of a syntax: single bytes in words are swapped in pairs."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    data += bytes(len(data) % 2)
    if vr == "OW" and pixels.dtype.itemsize == 1 and order == ">":
        data = np.frombuffer(data, np.uint8).reshape(-1, 2)[:, ::-1].tobytes()
    dataset.PixelData = data
    dataset["PixelData"].VR = vr
    return dataset


def slices(path):
    (exam,) = scan(path).exams
    return [one for series in exam.series for one in series.slices]


def reason(path):
    found = scan(path)
    assert found.exams == ()
    (skipped,) = found.skipped
    return skipped.reason


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("stored", ["u1 OB", "u1 OW", "i1 OB", "i1 OW", "u2 OW", "i2 OW"])
@pytest.mark.parametrize("shape", [(6, 8), (5, 7), (4, 7), (1, 1)])
def test_pixels_of_one_frame_are_those_that_pydicom_reads(tmp_path, syntax, stored, shape):
    dtype, vr = stored.split()
    pixels = noise(shape, np.dtype(dtype))
    path = saved(
        encoded(classic(axial_plane(), pixels), pixels, syntax, vr), tmp_path / "a.dcm", syntax
    )
    (found,) = slices(path)
    assert found.stored_pixels.tolist() == dcmread(path).pixel_array.tolist() == pixels.tolist()


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("stored", ["u1 OB", "u1 OW", "u2 OW"])
@pytest.mark.parametrize("shape", [(3, 6, 8), (3, 5, 7), (4, 5, 7), (4, 3, 3)])
def test_pixels_of_several_frames_are_those_that_pydicom_reads(tmp_path, syntax, stored, shape):
    dtype, vr = stored.split()
    pixels = noise(shape, np.dtype(dtype))
    planes = [axial_plane(z=4.4 * k) for k in range(shape[0])]
    path = saved(encoded(enhanced(planes, pixels), pixels, syntax, vr), tmp_path / "a.dcm", syntax)
    theirs = dcmread(path).pixel_array
    assert theirs.tolist() == pixels.tolist()
    assert [one.stored_pixels.tolist() for one in slices(path)] == theirs.tolist()


def test_bytes_in_words_that_are_cut_short_are_refused(tmp_path):
    pixels = noise((5, 7), np.uint8)
    dataset = encoded(classic(axial_plane(), pixels), pixels, ExplicitVRBigEndian, "OW")
    path = saved(dataset, tmp_path / "a.dcm", ExplicitVRBigEndian)
    path.write_bytes(path.read_bytes()[:-1])
    assert "Truncated: 1 of 36 bytes" in reason(path)


def test_big_endian_bytes_of_an_unknown_kind_are_refused(tmp_path):
    pixels = noise((6, 8), np.uint8)
    dataset = encoded(classic(axial_plane(), pixels), pixels, ExplicitVRBigEndian, "OB")
    path = saved(dataset, tmp_path / "a.dcm", ExplicitVRBigEndian)
    data = path.read_bytes()
    old = bytes.fromhex("7fe0 0010") + b"OB"
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, old[:4] + b"UN"))
    assert "Big-endian pixels of 8 bits as UN" in reason(path)


def as_float(dataset, pixels, dtype):
    """Put floating-point pixels in place of whole ones."""
    for name in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(dataset, name)
    dataset.BitsAllocated = 8 * np.dtype(dtype).itemsize
    name = "FloatPixelData" if dataset.BitsAllocated == 32 else "DoubleFloatPixelData"
    setattr(dataset, name, pixels.astype(dtype).tobytes())
    return dataset


WHOLE = np.zeros((6, 8), np.uint16)
FLOATS = np.random.default_rng(1).normal(40, 20, (6, 8))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_floating_point_pixels_are_those_that_pydicom_reads(tmp_path, dtype, syntax):
    dataset = as_float(classic(axial_plane(), WHOLE), FLOATS, dtype)
    path = saved(dataset, tmp_path / "a.dcm", syntax)
    (found,) = slices(path)
    assert found.pixels.tolist() == dcmread(path).pixel_array.tolist()
    assert found.pixels.tolist() == FLOATS.astype(dtype).tolist()


def test_floating_point_pixels_of_big_endian_files_are_read(tmp_path):
    dataset = as_float(classic(axial_plane(), WHOLE), FLOATS, ">f4")
    (found,) = slices(saved(dataset, tmp_path / "a.dcm", ExplicitVRBigEndian))
    assert found.pixels.tolist() == FLOATS.astype("f4").tolist()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Weighting.UNKNOWN),
        ({"ImageType": ["DERIVED", "PRIMARY", "PDFF"]}, Weighting.PDFF),
        ({"ImageType": ["DERIVED", "PRIMARY", "T2_MAP"]}, Weighting.NO_SIGNAL),
        ({"SOPClassUID": ParametricMapStorage}, Weighting.NO_SIGNAL),
        (
            {"SOPClassUID": ParametricMapStorage, "ImageType": ["DERIVED", "PRIMARY", "PDFF"]},
            Weighting.PDFF,
        ),
        (
            {"SOPClassUID": ParametricMapStorage, "ImageType": ["DERIVED", "PRIMARY", "STIR"]},
            Weighting.NO_SIGNAL,
        ),
    ],
)
def test_echo_times_do_not_make_a_map_a_weighted_image(tmp_path, change, expected):
    dataset = as_float(classic(axial_plane(), WHOLE), FLOATS, "<f4")
    assert (dataset.EchoTime, dataset.RepetitionTime) == (100, 4000)
    for name, value in change.items():
        setattr(dataset, name, value)
    (exam,) = scan(saved(dataset, tmp_path / "a.dcm")).exams
    assert exam.series[0].weighting is expected


def test_a_parametric_map_of_frames_is_read_frame_by_frame(tmp_path):
    planes = [axial_plane(z=4.4 * k, tilt=10) for k in range(3)]
    values = np.random.default_rng(2).uniform(0, 1, (3, 6, 8)).astype("<f4")
    dataset = as_float(enhanced(planes, np.zeros((3, 6, 8), np.uint16)), values, "<f4")
    dataset.SOPClassUID = ParametricMapStorage
    dataset.ImageType = ["DERIVED", "PRIMARY", "FAT_FRACTION"]
    code = item(CodeValue="1", CodingSchemeDesignator="UCUM", CodeMeaning="no units")
    mapped = item(
        RealWorldValueSlope=1.0,
        RealWorldValueIntercept=0.0,
        MeasurementUnitsCodeSequence=Items([code]),
    )
    dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence = Items([mapped])
    (exam,) = scan(saved(dataset, tmp_path / "a.dcm")).exams
    (series,) = exam.series
    assert (series.weighting, series.unit) == (Weighting.FAT_FRACTION, "1")
    assert [one.pixels.tolist() for one in series.slices] == values.tolist()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"BitsAllocated": 64}, "Floating-point pixels of 64 bits"),
        ({"SamplesPerPixel": 3}, "where one number of 32"),
        ({"FloatPixelData": bytes(100)}, "Truncated: 92 of 192 bytes"),
    ],
)
def test_floating_point_pixels_of_another_size_than_said_are_refused(tmp_path, change, expected):
    dataset = as_float(classic(axial_plane(), WHOLE), FLOATS, "<f4")
    for name, value in change.items():
        setattr(dataset, name, value)
    assert expected in reason(saved(dataset, tmp_path / "a.dcm"))


def test_floating_point_pixels_are_never_taken_for_compressed_ones(tmp_path):
    dataset = as_float(classic(axial_plane(), WHOLE), FLOATS, "<f4")
    path = saved(dataset, tmp_path / "a.dcm")
    data, old = path.read_bytes(), b"1.2.840.10008.1.2.1\0"
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, RLELossless.encode().ljust(20, b"\0")))
    assert "cannot be in this file" in reason(path)


def setting(**values):
    def change(dataset):
        for name, value in values.items():
            setattr(dataset, name, value)

    return change


def without(name):
    def change(dataset):
        delattr(dataset, name)

    return change


def with_table(dataset):
    table = item(LUTDescriptor=[4, 0, 16], LUTData=bytes(8), ModalityLUTType="US")
    dataset.ModalityLUTSequence = Items([table])


REFUSED = {
    "rescale of 0": (
        setting(RescaleSlope=DSfloat(0), RescaleIntercept=DSfloat(5)),
        "RescaleSlope is 0",
    ),
    "inverted": (setting(PhotometricInterpretation="MONOCHROME1"), "MONOCHROME1"),
    "colours by index": (
        setting(PhotometricInterpretation="PALETTE COLOR"),
        "Not a grey-scale image (PhotometricInterpretation PALETTE COLOR)",
    ),
    "a table of values": (with_table, "ModalityLUTSequence"),
    "a rescale that vanishes": (
        setting(RescaleSlope="1e-300", RescaleIntercept="1"),
        "RescaleSlope is 1e-300",
    ),
    "two slopes": (setting(RescaleSlope=[2, 3]), "RescaleSlope has 2 values"),
    "two thicknesses": (setting(SliceThickness=[4, 5]), "SliceThickness has 2 values"),
    "no bits": (without("BitsStored"), "No BitsStored"),
    "no sign": (without("PixelRepresentation"), "No PixelRepresentation"),
    "a third sign": (setting(PixelRepresentation=2), "PixelRepresentation is 2"),
    "a row less": (setting(Rows=5), "96 bytes of pixels, where its rows"),
    "a column less": (setting(Columns=7), "96 bytes of pixels, where its rows"),
    "half the bits": (
        setting(BitsAllocated=8, BitsStored=8, HighBit=7),
        "96 bytes of pixels, where its rows",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_values_that_are_no_signal_or_are_all_alike_are_refused_by_name(tmp_path, name):
    change, expected = REFUSED[name]
    dataset = classic(axial_plane(), noise((6, 8), np.uint16))
    change(dataset)
    found = reason(saved(dataset, tmp_path / "a.dcm"))
    assert expected in found
    assert "Export" in found


def test_a_rescale_of_0_in_one_frame_is_refused(tmp_path):
    pixels = noise((2, 6, 8), np.uint16)
    groups = [
        {"PixelValueTransformationSequence": item(RescaleSlope=DSfloat(k), RescaleIntercept=1)}
        for k in (1, 0)
    ]
    dataset = enhanced([axial_plane(), axial_plane(z=4)], pixels, groups)
    assert "RescaleSlope is 0" in reason(saved(dataset, tmp_path / "a.dcm"))


@pytest.mark.parametrize("missing", ["both", "slope", "intercept"])
def test_a_rescale_that_is_missing_leaves_values_as_stored(tmp_path, missing):
    pixels = noise((6, 8), np.uint16)
    dataset = classic(axial_plane(), pixels)
    if missing != "both":
        dataset.RescaleSlope = None if missing == "slope" else DSfloat(2)
        dataset.RescaleIntercept = None if missing == "intercept" else DSfloat(0)
    (found,) = slices(saved(dataset, tmp_path / "a.dcm"))
    assert found.pixels.tolist() == (pixels * (2.0 if missing == "intercept" else 1.0)).tolist()


@pytest.mark.parametrize("thickness", [-4, 0])
def test_a_thickness_that_cannot_be_is_unknown(tmp_path, thickness):
    dataset = classic(axial_plane(), noise((6, 8), np.uint16))
    dataset.SliceThickness = DSfloat(thickness)
    (found,) = slices(saved(dataset, tmp_path / "a.dcm"))
    assert np.isnan(found.thickness_mm)


@pytest.mark.parametrize("extra", [2, 10])
def test_a_little_padding_behind_the_pixels_is_left_aside(tmp_path, extra):
    pixels = noise((6, 8), np.uint16)
    dataset = classic(axial_plane(), pixels)
    dataset.PixelData += bytes(extra)
    (found,) = slices(saved(dataset, tmp_path / "a.dcm"))
    assert found.stored_pixels.tolist() == pixels.tolist()


@pytest.mark.parametrize(
    "text", ["1_0", "0x1", "1 2", "1,5", "--1", "1e", "infinity", "\u0661"], ids=ascii
)
def test_what_dicom_does_not_call_a_decimal_is_none(text):
    with pytest.raises(ReadError, match=r"RescaleSlope is .* which is no finite number"):
        decimal(text, "RescaleSlope")


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_every_number_that_is_written_out_is_read(number):
    for text in (repr(number), f"{number:+.6e}", f"{number:G}"):
        assert decimal(text, "RescaleSlope") == float(text)


def test_compressed_pixels_of_more_bits_than_are_allocated_are_refused(tmp_path):
    pixels = noise((6, 8), np.uint16)
    dataset = classic(axial_plane(), pixels)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset["PixelData"].VR = "OW"
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    (found,) = slices(saved(dataset, tmp_path / "a.dcm", JPEGLSLossless))
    with pytest.raises(ReadError, match="are of 16 bits, the header says 8"):
        _ = found.pixels
