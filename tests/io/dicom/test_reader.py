import datetime
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from pydicom.valuerep import DSfloat

from multifidus.data.geometry import Plane
from multifidus.data.image import Weighting
from multifidus.errors import ReadError
from multifidus.io.dicom.header import _HEAD_BYTES, TAGS, Header
from multifidus.io.dicom.reader import scan_dicom
from tests.support.dicoms import ROOT, SERIES, STUDY, classic, decimals, enhanced, item, write
from tests.support.exams import axial_plane
from tests.support.strategies import planes

PIXELS = np.arange(6 * 8, dtype=np.uint16).reshape(6, 8)
BLOCKS = [(-80, 27.5), (-40, 11.3), (0, 2.1), (40, -5.7), (80, -9.9)]
"""Height and tilt of five stacks, from L5-S1 up."""


def lumbar_planes():
    """Return five stacks of four slices each, at five angles, with non-square pixels."""
    found = []
    for z, tilt in BLOCKS:
        plane = axial_plane(z, tilt, spacing=(0.6875, 0.71))
        found += [moved(plane, k * 4.4) for k in range(4)]
    return found


def moved(plane, height):
    origin = plane.origin_mm + height * plane.normal
    return Plane(origin, plane.row_step_mm, plane.column_step_mm)


def one_exam(folder):
    found = scan_dicom(sorted(path for path in folder.rglob("*") if path.is_file()))
    (exam,) = found.exams
    return exam


def one_series(folder):
    (series,) = one_exam(folder).series
    return series


def read_one(dataset, folder, syntax=ExplicitVRLittleEndian):
    write(dataset, folder / "a.dcm", syntax)
    (found,) = one_series(folder).slices
    return found


def reason(dataset, folder, syntax=ExplicitVRLittleEndian):
    path = write(dataset, folder / "a.dcm", syntax)
    found = scan_dicom([path])
    assert found.exams == ()
    (skipped,) = found.skipped
    assert skipped.path == path
    return skipped.reason


def assert_same_planes(slices, expected):
    for found, plane in zip(slices, expected, strict=True):
        assert found.plane.numbers == pytest.approx(plane.numbers, abs=1e-9)


def write_classic(folder, shuffled=None):
    for number, plane in enumerate(lumbar_planes(), 1):
        name = number if shuffled is None else shuffled[number - 1]
        write(classic(plane, PIXELS + number, number), folder / f"{name:03}.dcm")


def stacked_pixels(count=20):
    return np.stack([PIXELS + number for number in range(1, count + 1)])


def test_five_angled_stacks_in_one_series_keep_their_places(tmp_path):
    write_classic(tmp_path)
    series = one_series(tmp_path)
    assert [len(stack.slices) for stack in series.stacks] == [4] * 5
    assert_same_planes(series.slices, lumbar_planes())
    assert [found.uid for found in series.slices] == [f"{SERIES}.{n}" for n in range(1, 21)]
    for stack in series.stacks:
        assert stack.slice_step_mm == pytest.approx(4.4, abs=1e-9)
    for number, found in enumerate(series.slices, 1):
        assert found.pixels.tolist() == (PIXELS + number).tolist()


@given(st.permutations(range(20)))
@settings(max_examples=10)
def test_the_names_of_files_do_not_matter(tmp_path_factory, order):
    folder = tmp_path_factory.mktemp("shuffled")
    write_classic(folder, order)
    assert_same_planes(one_series(folder).slices, lumbar_planes())


def test_bandwidth_and_direction_of_phase_encoding_say_how_far_fat_is_displaced(tmp_path):
    """217 Hz a pixel of 128 acquired ones, shown by 256, at 1.5 T: two pixels along columns."""
    dataset = classic(axial_plane(), np.zeros((256, 256), np.uint16) + 7)
    dataset.PixelBandwidth = 3.4 * 42.577 * 1.5
    dataset.InPlanePhaseEncodingDirection = "COL"
    dataset.AcquisitionMatrix = [0, 128, 100, 0]
    write(dataset, tmp_path / "a.dcm")
    series = one_series(tmp_path)
    assert series.acquisition.fat_shift_px((256, 256)) == pytest.approx((0, 2))


def test_an_enhanced_image_says_it_in_its_groups(tmp_path):
    made = enhanced(lumbar_planes(), stacked_pixels())
    (shared,) = made.SharedFunctionalGroupsSequence
    shared.MRImagingModifierSequence = [item(PixelBandwidth=3.4 * 42.577 * 1.5)]
    shared.MRFOVGeometrySequence = [item(InPlanePhaseEncodingDirection="ROW")]
    write(made, tmp_path / "a.dcm")
    acquisition = one_series(tmp_path).acquisition
    assert acquisition.fat_shift_px((32, 32)) == pytest.approx((1, 0))


def test_a_bandwidth_that_is_no_number_stops_no_reading(tmp_path):
    dataset = classic(axial_plane(), PIXELS)
    dataset.InPlanePhaseEncodingDirection = "ROW"
    dataset.add_new("PixelBandwidth", "DS", ["100", "200"])
    write(dataset, tmp_path / "a.dcm")
    assert math.isnan(one_series(tmp_path).acquisition.pixel_bandwidth_hz)


def test_an_enhanced_copy_of_a_series_has_the_same_slices(tmp_path):
    write_classic(tmp_path / "classic")
    write(enhanced(lumbar_planes(), stacked_pixels()), tmp_path / "enhanced" / "a.dcm")
    first, second = one_series(tmp_path / "classic"), one_series(tmp_path / "enhanced")
    assert [len(stack.slices) for stack in second.stacks] == [4] * 5
    assert_same_planes(second.slices, lumbar_planes())
    assert [found.sha256() for found in second.slices] == [found.sha256() for found in first.slices]
    assert [found.uid for found in second.slices] == [f"{SERIES}.99#{n}" for n in range(1, 21)]
    for attribute in ("weighting", "frame_of_reference_uid"):
        assert getattr(first, attribute) == getattr(second, attribute)
    assert first.acquisition.echo_time_ms == second.acquisition.echo_time_ms == 100
    assert first.acquisition.repetition_time_ms == second.acquisition.repetition_time_ms == 4000


def test_long_headers_of_sequences_without_lengths_are_read(tmp_path):
    where = [moved(axial_plane(), 0.25 * k) for k in range(800)]
    dataset = enhanced(where, stacked_pixels(800))
    for name in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        dataset[name].is_undefined_length = True
        for group in dataset[name]:
            group.is_undefined_length_sequence_item = True
            for element in group:
                element.is_undefined_length = True
    path = write(dataset, tmp_path / "a.dcm")
    assert path.stat().st_size > len(dataset.PixelData) + _HEAD_BYTES
    series = one_series(tmp_path)
    assert_same_planes(series.slices, where)
    assert series.slices[-1].pixels.tolist() == (PIXELS + 800).tolist()


@given(planes())
def test_planes_are_read_at_every_orientation(tmp_path_factory, plane):
    folder = tmp_path_factory.getbasetemp() / "oblique"
    found = read_one(classic(plane, PIXELS), folder)
    assert found.plane.to_patient([(0, 0), (5, 7)]) == pytest.approx(
        plane.to_patient([(0, 0), (5, 7)]), abs=1e-9
    )
    assert found.shape == (6, 8)
    assert found.thickness_mm == 4


def test_directions_written_with_few_digits_do_not_change_the_spacing(tmp_path):
    dataset = classic(axial_plane(tilt=20), PIXELS)
    dataset.ImageOrientationPatient = decimals((1, 0, 0, 0, 0.9397, 0.342))
    assert read_one(dataset, tmp_path).plane.pixel_spacing_mm == pytest.approx(
        (0.5, 0.5), abs=1e-12
    )


def test_facts_about_the_acquisition_are_kept(tmp_path):
    write(classic(axial_plane(), PIXELS), tmp_path / "a.dcm")
    series = one_series(tmp_path)
    assert series.weighting is Weighting.T2
    assert series.frame_of_reference_uid == f"{ROOT}.7"
    assert series.acquisition.manufacturer == "ACME"
    assert series.acquisition.field_strength_t == 1.5
    assert series.acquisition.image_type == ("ORIGINAL", "PRIMARY", "M", "SE")


def test_every_slice_has_a_rescale_of_its_own(tmp_path):
    for number, plane in enumerate(lumbar_planes()[:4], 1):
        dataset = classic(plane, PIXELS, number)
        dataset.RescaleSlope, dataset.RescaleIntercept = DSfloat(number / 8), DSfloat(-number)
        write(dataset, tmp_path / f"{number}.dcm")
    for number, found in enumerate(one_series(tmp_path).slices, 1):
        assert found.pixels.tolist() == (PIXELS * (number / 8) - number).tolist()


def test_every_frame_has_a_rescale_of_its_own(tmp_path):
    scales = [
        {
            "PixelValueTransformationSequence": item(
                RescaleSlope=DSfloat(n / 8), RescaleIntercept=DSfloat(-n)
            )
        }
        for n in range(1, 5)
    ]
    frames = enhanced(lumbar_planes()[:4], np.stack([PIXELS] * 4), scales)
    write(frames, tmp_path / "a.dcm")
    for number, found in enumerate(one_series(tmp_path).slices, 1):
        assert found.pixels.tolist() == (PIXELS * (number / 8) - number).tolist()


SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_pixels_are_read_from_every_plain_encoding(tmp_path, syntax, dtype):
    expected = (np.arange(48).reshape(6, 8) * 5 - (100 if dtype == "i2" else 0)).astype(dtype)
    stored = expected.astype(expected.dtype.newbyteorder(">" if "Big" in syntax.name else "<"))
    found = read_one(classic(axial_plane(), stored), tmp_path, syntax)
    assert found.pixels.tolist() == expected.tolist()
    assert found.plane == axial_plane()


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_frames_are_read_from_every_plain_encoding(tmp_path, syntax):
    order = ">" if "Big" in syntax.name else "<"
    frames = stacked_pixels(4).astype(f"{order}u2")
    write(enhanced(lumbar_planes()[:4], frames), tmp_path / "a.dcm", syntax)
    series = one_series(tmp_path)
    assert_same_planes(series.slices, lumbar_planes()[:4])
    assert series.acquisition.echo_time_ms == 100
    for number, found in enumerate(series.slices, 1):
        assert found.pixels.tolist() == (PIXELS + number).tolist()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("kind", ["u", "i"])
def test_bits_above_the_stored_ones_are_cleared(tmp_path, syntax, kind):
    values = np.array([[0, 1, 2047], [2048, 3000, 4095]])
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    garbage = (values | 0xA000).astype(f"{order}u2").view(f"{order}{kind}2")
    dataset = classic(axial_plane(), garbage)
    dataset.BitsStored, dataset.HighBit = 12, 11
    expected = values if kind == "u" else np.where(values > 2047, values - 4096, values)
    assert read_one(dataset, tmp_path, syntax).pixels.tolist() == expected.tolist()


@pytest.mark.parametrize("kind", ["u", "i"])
def test_twelve_bits_without_anything_above_are_read_as_they_are(tmp_path, kind):
    values = np.array([[0, 1, 2047], [-2048, -1, 5]] if kind == "i" else [[0, 1], [4095, 7]])
    dataset = classic(axial_plane(), values.astype(f"{kind}2"))
    dataset.BitsStored, dataset.HighBit = 12, 11
    assert read_one(dataset, tmp_path).pixels.tolist() == values.tolist()


def without(name):
    def change(dataset):
        delattr(dataset, name)

    return change


def setting(**values):
    def change(dataset):
        for name, value in values.items():
            setattr(dataset, name, value)

    return change


def padded(dataset):
    del dataset.PixelData
    dataset.DataSetTrailingPadding = bytes(20)


REFUSED = {
    "no spacing": (without("PixelSpacing"), "No PixelSpacing of 2 numbers"),
    "one spacing": (setting(PixelSpacing=DSfloat(0.5)), "No PixelSpacing of 2 numbers"),
    "empty spacing": (setting(PixelSpacing=None), "No PixelSpacing of 2 numbers"),
    "spacing of 0": (setting(PixelSpacing=decimals((0, 0.5))), "PixelSpacing 0, 0.5 is not"),
    "no position": (without("ImagePositionPatient"), "No ImagePositionPatient of 3 numbers"),
    "no orientation": (without("ImageOrientationPatient"), "No ImageOrientationPatient of 6"),
    "skewed": (
        setting(ImageOrientationPatient=decimals((1, 0, 0, 0.1, 0.995, 0))),
        "is not orthonormal",
    ),
    "too long": (
        setting(ImageOrientationPatient=decimals((1.01, 0, 0, 0, 1, 0))),
        "is not orthonormal",
    ),
    "all zero": (setting(ImageOrientationPatient=decimals([0] * 6)), "is not orthonormal"),
    "no rows": (without("Rows"), "No image in this file"),
    "no pixels": (without("PixelData"), "No pixels in this file"),
    "colour": (setting(SamplesPerPixel=3), "Not a grey-scale image"),
    "one bit": (setting(BitsAllocated=1), "Not a grey-scale image of 8, 16 or 32 bits"),
    "high bit": (setting(HighBit=14), "with high bit 14 are not supported"),
    "frames": (setting(NumberOfFrames=2), "Truncated: 96 of 192 bytes"),
    "frames without places": (
        setting(NumberOfFrames=2, PixelData=bytes(192)),
        "2 frames without a geometry of their own",
    ),
    "something else after the header": (padded, "No pixels in this file"),
    "missing bytes": (setting(PixelData=bytes(90)), "Truncated: 6 of 96 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_image_that_cannot_be_measured_is_skipped_with_the_reason(tmp_path, name):
    change, expected = REFUSED[name]
    dataset = classic(axial_plane(), PIXELS)
    change(dataset)
    assert expected in reason(dataset, tmp_path)


def test_frames_without_their_geometry_are_refused(tmp_path):
    dataset = enhanced(lumbar_planes()[:4], stacked_pixels(4))
    dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:3]
    assert "4 frames, but geometry for 3" in reason(dataset, tmp_path)


def test_deflated_files_are_refused(tmp_path):
    dataset = classic(axial_plane(), PIXELS)
    found = reason(dataset, tmp_path, DeflatedExplicitVRLittleEndian)
    assert "Deflated DICOM is not supported" in found


def test_damaged_files_do_not_keep_the_others_from_being_read(tmp_path):
    write_classic(tmp_path)
    cut = tmp_path / "000.dcm"
    data = write(classic(axial_plane(), PIXELS, 50), cut).read_bytes()
    cut.write_bytes(data[:-40])
    (tmp_path / "report.dcm").write_bytes(b"%PDF-1.7 " + bytes(400))
    (tmp_path / "notes.txt").write_text("short")
    found = scan_dicom(sorted(tmp_path.iterdir()))
    assert [len(series.slices) for exam in found.exams for series in exam.series] == [20]
    assert {item.path.name: item.reason for item in found.skipped} == {
        "000.dcm": "Truncated: 40 of 96 bytes of pixels are missing.",
        "report.dcm": "Not a DICOM file.",
        "notes.txt": "Not a DICOM file.",
    }
    (exam,) = found.exams
    assert len(found.paths_of(exam)) == 20


def test_a_folder_without_files_holds_nothing():
    found = scan_dicom([])
    assert (found.exams, found.skipped, found.paths) == ((), (), {})


@given(st.integers(132, 1500), st.integers(1, 255))
def test_a_file_with_a_damaged_byte_is_read_or_skipped(tmp_path_factory, place, flip):
    folder = tmp_path_factory.getbasetemp() / "flipped"
    path = write(classic(axial_plane(), PIXELS), folder / "a.dcm")
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= flip
    path.write_bytes(bytes(data))
    found = scan_dicom([path])
    assert len(found.exams) + len(found.skipped) == 1


@given(st.integers(0, 1500))
def test_a_file_cut_anywhere_is_skipped(tmp_path_factory, length):
    folder = tmp_path_factory.getbasetemp() / "cut"
    path = write(classic(axial_plane(), PIXELS), folder / "a.dcm")
    data = path.read_bytes()
    path.write_bytes(data[: min(length, len(data) - 1)])
    found = scan_dicom([path])
    assert found.exams == ()
    assert len(found.skipped) == 1


def test_pixels_that_vanish_after_the_header_was_read_are_refused(tmp_path):
    found = read_one(classic(axial_plane(), PIXELS), tmp_path)
    path = tmp_path / "a.dcm"
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with pytest.raises(ReadError, match=r"a\.dcm was cut short after its header was read"):
        _ = found.pixels
    path.unlink()
    with pytest.raises(ReadError, match=r"Cannot read .*a\.dcm as DICOM pixels"):
        _ = found.pixels


def test_compressed_pixels_that_are_damaged_are_refused(tmp_path):
    found = read_one(classic(axial_plane(), PIXELS), tmp_path, RLELossless)
    data = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(data[:-60])
    with pytest.raises(ReadError, match=r"Cannot decode the pixels of .*a\.dcm") as caught:
        _ = found.pixels
    assert caught.value.remedy == "Export the image again, uncompressed."


def test_without_a_decoder_the_user_learns_what_to_install(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("all plugins are missing dependencies: gdcm")

    found = read_one(classic(axial_plane(), PIXELS), tmp_path, RLELossless)
    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.as_array", refuse)
    with pytest.raises(ReadError, match=r"missing dependencies") as caught:
        _ = found.pixels
    assert "multifidus[dicom]" in caught.value.remedy


def test_a_film_is_no_image_that_can_be_measured(tmp_path):
    dataset = classic(axial_plane(), PIXELS)
    dataset.PixelData = encapsulate([bytes(96)])
    dataset["PixelData"].is_undefined_length = True
    found = read_one(dataset, tmp_path, MPEG2MPML)
    with pytest.raises(ReadError, match=r"Cannot decode the pixels of .*a\.dcm"):
        _ = found.pixels


def test_time_points_of_one_series_are_series_of_their_own(tmp_path):
    for time in (1, 2, 3):
        for k in range(4):
            number = (time - 1) * 4 + k + 1
            dataset = classic(moved(axial_plane(), 4.4 * k), PIXELS + number, number)
            dataset.TemporalPositionIdentifier = time
            write(dataset, tmp_path / f"{number}.dcm")
    series = one_exam(tmp_path).series
    assert [item.uid for item in series] == [f"{SERIES}#{n}" for n in (1, 2, 3)]
    assert [len(item.slices) for item in series] == [4, 4, 4]
    assert [item.slices[0].pixels[0, 0] for item in series] == [1, 5, 9]


def test_time_points_of_one_enhanced_file_are_series_of_their_own(tmp_path):
    where = [moved(axial_plane(), 4.4 * (n // 2)) for n in range(8)]
    times = [{"FrameContentSequence": item(TemporalPositionIndex=n % 2 + 1)} for n in range(8)]
    write(enhanced(where, stacked_pixels(8), times), tmp_path / "a.dcm")
    series = one_exam(tmp_path).series
    assert [len(item.slices) for item in series] == [4, 4]
    assert [found.pixels[0, 0] for found in series[1].slices] == [2, 4, 6, 8]


def test_two_echoes_of_one_series_are_series_of_their_own(tmp_path):
    for number in range(1, 9):
        dataset = classic(moved(axial_plane(), 4.4 * (number % 4)), PIXELS, number)
        dataset.EchoNumbers = number // 5 + 1
        dataset.EchoTime = DSfloat(20 if number < 5 else 100)
        write(dataset, tmp_path / f"{number}.dcm")
    series = one_exam(tmp_path).series
    assert sorted(item.weighting for item in series) == [Weighting.PD, Weighting.T2]
    assert [len(item.slices) for item in series] == [4, 4]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("M", "DIXON", "WATER"), Weighting.DIXON_WATER),
        (("DIXON", "W", "DIS2D"), Weighting.DIXON_WATER),
        (("M", "FAT"), Weighting.DIXON_FAT),
        (("F", "F"), Weighting.DIXON_FAT),
        (("IP", "M"), Weighting.DIXON_IN_PHASE),
        (("IN_PHASE",), Weighting.DIXON_IN_PHASE),
        (("OPP_PHASE",), Weighting.DIXON_OPPOSED_PHASE),
        (("OUT_PHASE",), Weighting.DIXON_OPPOSED_PHASE),
        (("FAT_FRACTION",), Weighting.FAT_FRACTION),
        (("LOCALIZER",), Weighting.LOCALIZER),
        (("M", "SE"), Weighting.T2),
    ],
)
def test_the_image_type_tells_the_parts_of_a_dixon_series(tmp_path, tokens, expected):
    dataset = classic(axial_plane(), PIXELS)
    dataset.ImageType = ["DERIVED", "PRIMARY", *tokens]
    write(dataset, tmp_path / "a.dcm")
    assert one_series(tmp_path).weighting is expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((100, 4000, None), Weighting.T2),
        ((12, 600, None), Weighting.T1),
        ((30, 3000, None), Weighting.PD),
        ((60, 4500, 150), Weighting.STIR),
        ((100, 9000, 2200), Weighting.T2),
        ((55, 3000, None), Weighting.UNKNOWN),
        ((20, 1300, None), Weighting.UNKNOWN),
        ((None, None, None), Weighting.UNKNOWN),
    ],
)
def test_echo_repetition_and_inversion_time_tell_the_contrast(tmp_path, times, expected):
    dataset = classic(axial_plane(), PIXELS)
    dataset.EchoTime, dataset.RepetitionTime, dataset.InversionTime = times
    write(dataset, tmp_path / "a.dcm")
    series = one_series(tmp_path)
    assert series.weighting is expected
    assert math.isnan(series.acquisition.echo_time_ms) == (times[0] is None)


def test_fat_and_water_frames_of_one_enhanced_file_are_two_series(tmp_path):
    where = [moved(axial_plane(), 4.4 * (n // 2)) for n in range(8)]
    kinds = [
        {"MRImageFrameTypeSequence": item(FrameType=["DERIVED", "PRIMARY", "DIXON", name])}
        for name in ("WATER", "FAT") * 4
    ]
    write(enhanced(where, stacked_pixels(8), kinds), tmp_path / "a.dcm")
    series = one_exam(tmp_path).series
    found = {item.weighting: [one.pixels[0, 0] for one in item.slices] for item in series}
    assert found == {Weighting.DIXON_WATER: [1, 3, 5, 7], Weighting.DIXON_FAT: [2, 4, 6, 8]}


def visit(patient, study, date, number):
    dataset = classic(axial_plane(), PIXELS, number)
    dataset.PatientID, dataset.StudyInstanceUID, dataset.StudyDate = patient, study, date
    dataset.SeriesInstanceUID = f"{study}.1"
    return dataset


def test_subjects_and_visits_get_neutral_numbers_in_the_order_of_time(tmp_path):
    write(visit("B", f"{ROOT}.8", "20220101", 1), tmp_path / "1.dcm")
    write(visit("A", f"{ROOT}.4", "20210601", 2), tmp_path / "2.dcm")
    write(visit("A", f"{ROOT}.5", "20210101", 3), tmp_path / "3.dcm")
    write(visit("C", f"{ROOT}.6", "", 4), tmp_path / "4.dcm")
    exams = scan_dicom(sorted(tmp_path.iterdir())).exams
    assert [(exam.subject, exam.timepoint, exam.date) for exam in exams] == [
        ("subject-1", "exam-1", datetime.date(2022, 1, 1)),
        ("subject-2", "exam-1", datetime.date(2021, 1, 1)),
        ("subject-2", "exam-2", datetime.date(2021, 6, 1)),
        ("subject-3", "exam-1", None),
    ]


def test_nothing_that_is_kept_of_an_exam_names_the_patient(tmp_path):
    dataset = classic(axial_plane(), PIXELS)
    dataset.PatientBirthDate, dataset.InstitutionName = "19700102", "Hospital of Elsewhere"
    dataset.ReferringPhysicianName, dataset.AccessionNumber = "Who^Doctor", "ACC-0815"
    write(dataset, tmp_path / "a.dcm")
    exam = one_exam(tmp_path)
    kept = repr(exam) + repr(exam.series) + repr([item.stacks for item in exam.series])
    for word in ("Doe", "Jane", "4711", "19700102", "Elsewhere", "Who", "0815"):
        assert word not in kept
    assert (exam.subject, exam.timepoint) == ("subject-1", "exam-1")
    assert exam.series[0].uid == SERIES
    assert exam.series[0].slices[0].uid.startswith(SERIES)
    assert STUDY not in (exam.subject, exam.timepoint)


def test_one_file_copied_twice_is_read_once(tmp_path):
    write_classic(tmp_path / "a")
    write_classic(tmp_path / "copy of a")
    found = scan_dicom(sorted(path for path in tmp_path.rglob("*") if path.is_file()))
    ((series,),) = (exam.series for exam in found.exams)
    assert len(series.slices) == 20
    assert len(found.skipped) == 20
    assert found.skipped[0].reason == f"The same image (SOP instance) as {tmp_path}/a/001.dcm."
    (exam,) = found.exams
    assert len(found.paths_of(exam, series)) == 20


def test_bytes_are_read_in_the_order_of_their_own_file():
    element = SimpleNamespace(value=b"\x01\x00")
    headers = [Header({TAGS["Rows"]: element}, order) for order in "<><"]
    assert [header.integer("Rows") for header in headers] == [1, 256, 1]
    assert [header.texts("Rows") for header in headers] == [("1",), ("256",), ("1",)]


@pytest.mark.parametrize("parts", [1, 2, 100])
def test_short_and_long_values_are_parted_alike(parts):
    element = SimpleNamespace(value=b" \\".join([b" 7.5"] * parts) + b"\0")
    header = Header({TAGS["ImageType"]: element}, "<")
    assert header.texts("ImageType") == ("7.5",) * parts
    assert header.numbers("ImageType") == (7.5,) * parts


def test_files_that_say_0_and_minus_0_are_told_apart(tmp_path):
    for number, zero in enumerate(("0", "-0", "0")):
        dataset = classic(axial_plane(), PIXELS, number=number)
        dataset.ImageOrientationPatient = ["1", zero, "0", "0", "1", "0"]
        write(dataset, tmp_path / f"{number}.dcm")
    scans = [scan_dicom([tmp_path / f"{number}.dcm"]) for number in range(3)]
    steps = [scan.exams[0].series[0].slices[0].plane.column_step_mm for scan in scans]
    assert [math.copysign(1, step[1]) for step in steps] == [1, -1, 1]
