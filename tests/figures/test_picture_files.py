import pytest

from multifidus import read_exam, read_rois
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.figures.bias_field import draw_bias_fields
from multifidus.figures.picture_files import picture_stem
from multifidus.measuring.pipeline import measure_calibrated
from multifidus.sample_data import sample_dir


def test_plain_names_stay_as_they_are():
    assert picture_stem(Reading("S01", "pre", "AB", 2)) == "S01_pre_AB_r2"
    assert picture_stem(Reading("", "", "", 1)) == "exam_r1"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Reading("S 1", "pre", "AB"), Reading("S-1", "pre", "AB")),
        (Reading("S/1", "pre", "AB"), Reading("S:1", "pre", "AB")),
        (Reading("S_1", "pre", "AB"), Reading("S", "1_pre", "AB")),
        (Reading("S1", "pre", "A_B"), Reading("S1", "pre_A", "B")),
    ],
)
def test_no_two_readings_share_a_picture(first, second):
    assert picture_stem(first) != picture_stem(second)
    for by in (first, second):
        assert all(c.isalnum() or c in "_-" for c in picture_stem(by))


def test_subjects_that_differ_in_punctuation_alone_have_shading_pictures_of_their_own(tmp_path):
    exam = read_exam(sample_dir() / "S01_pre")
    rois = read_rois(sample_dir() / "S01_pre.outlines.json", exam)
    for subject in ("A 1", "A-1"):
        named = rois.read_by(Reading(subject, "pre"))
        _, calibration = measure_calibrated(exam, named, MeasurementProtocol())
        draw_bias_fields(exam, named, calibration, tmp_path)
    assert len(list(tmp_path.glob("*shading*.jpg"))) == 2


def test_names_that_are_too_long_for_a_file_are_cut_and_told_apart():
    first, second = (picture_stem(Reading("L" * 300 + end, "pre", "AB", 1)) for end in "ab")
    assert first != second
    assert len(picture_stem(Reading("é" * 300)).encode()) < 200
