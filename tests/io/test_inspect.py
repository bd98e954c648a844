"""What a folder holds, in the Interface's plain values."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from pydicom.valuerep import DSfloat

from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane, ras_from_lps
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.io.identifiers import Identifiers, read_identifiers
from multifidus.io.inspect import Overview, inspection, not_measurable, overview, stack_sizes
from multifidus.io.scan import scan
from multifidus.io.scan_result import Scan
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane, image_slice
from tests.support.strategies import planes


def angled(count: int = 3) -> Series:
    slices = [
        image_slice(
            np.zeros((6, 8)), axial_plane(z=60 * stack + 4.4 * k, tilt=10 * stack), f"{stack}.{k}"
        )
        for stack in range(2)
        for k in range(count)
    ]
    for item, k in zip(slices[count:], range(count), strict=True):
        step = 4.4 * k * item.plane.normal
        plane = axial_plane(z=60, tilt=10)
        moved = type(plane)(plane.origin_mm + step, plane.row_step_mm, plane.column_step_mm)
        slices[count + k] = image_slice(np.zeros((6, 8)), moved, item.uid)
    return Series("1.2.3.4567890123456", tuple(slices))


def scan_of(*exams: Exam) -> Scan:
    paths = {
        (exam.subject, exam.timepoint, series.uid): () for exam in exams for series in exam.series
    }
    return Scan(exams, (), paths)


def test_every_stack_of_a_series_is_described_by_itself():
    (exam,) = inspection(scan_of(Exam("a", "1", (angled(),))))["exams"]
    (series,) = exam["series"]
    assert [stack["slices"] for stack in series["stacks"]] == [3, 3]
    assert [stack["tilt_deg"] for stack in series["stacks"]] == pytest.approx([0, 10])
    assert series["stacks"][0]["rows"], series["stacks"][0]["columns"] == (6, 8)
    assert series["stacks"][1]["slice_step_mm"] == pytest.approx(4.4)
    assert stack_sizes(angled()) == "2 x 3"


@given(planes())
def test_the_affine_takes_column_row_slice_to_ras(plane):
    series = Series("1", (Slice.from_array("1.1", plane, np.zeros((5, 7)), 3.0),))
    (exam,) = inspection(scan_of(Exam("a", "1", (series,))))["exams"]
    affine = np.array(exam["series"][0]["stacks"][0]["affine_ras_mm"])
    point = affine @ (6, 4, 0, 1)
    expected = plane.to_patient([(4, 6)])[0] * (-1, -1, 1)
    assert point[:3] == pytest.approx(expected, abs=1e-9 * (1 + np.abs(expected).max()))
    assert ras_from_lps(affine)[:3, 2] == pytest.approx(3.0 * plane.normal)


def test_dates_are_days_from_the_first_exam_unless_asked_for():
    days = [datetime.date(2026, 1, 5), datetime.date(2026, 3, 1), None]
    scan = scan_of(
        *(Exam("a", str(n), (angled(),), date) for n, date in enumerate(days)),
        Exam("b", "1", (angled(),), datetime.date(2020, 5, 5)),
    )
    shown = inspection(scan, show_identifiers=True)["exams"]
    assert [exam["date"] for exam in shown] == ["2026-01-05", "2026-03-01", None, "2020-05-05"]
    assert [exam["date"] for exam in inspection(scan)["exams"]] == [0, 55, None, 0]


def rows_of(view: Overview) -> list[dict[str, str]]:
    return [dict(zip(view.headings, row, strict=True)) for _, rows in view.exams for row in rows]


def test_people_read_one_row_a_series_under_the_title_of_its_exam():
    view = overview(scan_of(Exam("a", "1", (angled(), angled(1)), datetime.date(2026, 1, 5))))
    assert [title for title, _ in view.exams] == ["a 1, day 0"]
    first, second = rows_of(view)
    assert (first["no."], second["no."]) == ("1", "2")
    assert first["tilt, deg"] == "+0.0 to +10.0"
    assert (first["stacks"], first["step, mm"], second["step, mm"]) == ("2 x 3", "4.40", "")
    assert (first["pixel, mm"], first["matrix"]) == ("0.5", "6 x 8")
    assert first["series"] == "...890123456"
    assert "problems" not in view.headings
    assert view.remarks == ()


def test_pixels_that_are_not_square_and_steps_that_differ_are_said_so():
    straight = [axial_plane(z, spacing=(0.7, 1.1)) for z in (0, 4, 8)]
    tilted = [axial_plane(z, tilt=60, spacing=(0.7, 1.1)) for z in (100, 106, 112)]
    slices = (
        image_slice(np.zeros((6, 8)), plane, str(k)) for k, plane in enumerate(straight + tilted)
    )
    (row,) = rows_of(overview(scan_of(Exam("a", "1", (Series("1", tuple(slices)),)))))
    assert row["pixel, mm"] == "0.7 x 1.1"
    # 6 mm along z are 3 mm across planes at 60 degrees.
    assert row["step, mm"] == "3.00 to 4.00"


def test_what_is_wrong_is_said_in_words_with_what_to_do():
    sagittal = Series(
        "1", (image_slice(np.zeros((4, 4)), Plane((0, 0, 0), (0, 0, -1), (0, 1, 0))),)
    )
    sheared = tuple(
        image_slice(np.zeros((4, 4)), axial_plane(z=4.4 * k, tilt=20), str(k)) for k in range(3)
    )
    series = (sagittal, Series("2", sheared), Series("3", sagittal.slices), Series("4", sheared))
    view = overview(scan_of(Exam("a", "1", series)))
    rows = rows_of(view)
    assert [row["measure"] for row in rows] == ["no", "yes", "no", "yes"]
    assert [row["problems"] for row in rows] == ["", "stack sheared", "", "stack sheared"]
    reason, doubt = view.remarks
    assert reason == "1, 3: cannot be measured: sagittal, not axial."
    assert doubt.startswith("2, 4: stack sheared: ")
    assert Flag.STACK_SHEARED.meaning in doubt
    assert doubt.endswith(Flag.STACK_SHEARED.remedy)


def test_rows_that_follow_each_other_are_named_from_to():
    sagittal = image_slice(np.zeros((4, 4)), Plane((0, 0, 0), (0, 0, -1), (0, 1, 0)))
    axial = image_slice(np.zeros((4, 4)))
    series = tuple(
        Series(str(n), (axial if n in {3, 6} else sagittal,)) for n in range(1, 8)
    )  # fmt: skip
    assert overview(scan_of(Exam("a", "1", series))).remarks == (
        "1-2, 4-5, 7: cannot be measured: sagittal, not axial.",
    )


def test_doubts_that_images_raise_say_what_to_do():
    raised = {
        Flag.SLICES_UNEVEN, Flag.SLICES_MISSING, Flag.SLICES_DUPLICATED, Flag.STACK_SHEARED,
        Flag.AFFINE_CONFLICT, Flag.GRID_PAIRED_BY_INDEX, Flag.SCALE_UNVERIFIED,
    }  # fmt: skip
    assert all(flag.remedy.endswith(".") for flag in raised)


def identified(folder: Path) -> Scan:
    dataset = classic(axial_plane(), np.zeros((4, 4), np.uint16))
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName, dataset.StudyDescription = "Müller^Änne", "LUMBAR \x1b[2Jspine"
    dataset.SeriesDescription = "t2 tse ax"
    write(dataset, folder / "1.dcm")
    return scan(folder)


def test_identifiers_are_shown_to_who_asks_and_to_nobody_else(tmp_path):
    found = identified(tmp_path)
    secrets = ("Müller", "HOSP-4711", "LUMBAR", "tse", "2021-03-04")
    shown, kept = (
        [overview(found, show_identifiers=asked), inspection(found, show_identifiers=asked)]
        for asked in (True, False)
    )
    for text in map(str, shown):
        assert all(secret in text for secret in secrets)
        assert "\x1b" not in text.replace("\\x1b", "\x1b")
    assert not any(secret in str(view) for view in kept for secret in secrets)
    assert not any(secret in repr(found) for secret in secrets)
    assert rows_of(shown[0])[0]["description"] == "t2 tse ax"
    assert "description" not in kept[0].headings


def test_what_is_no_dicom_file_has_no_identifiers(tmp_path):
    (tmp_path / "a.txt").write_text("Doe")
    assert read_identifiers(tmp_path / "a.txt").patient_name == ""
    assert "4711" not in repr(Identifiers(patient_id="4711"))


def test_what_cannot_be_measured_says_why():
    axial = Series("1", (image_slice(np.zeros((4, 4))),))
    assert not_measurable(axial) == ""
    scout = Series("1", axial.slices, Weighting.LOCALIZER)
    assert not_measurable(scout) == "a localizer"
    phase = Series("1", axial.slices, Weighting.NO_SIGNAL)
    assert not_measurable(phase) == "a phase or a map, no signal"
    standing = axial_plane(tilt=80.0)
    assert not_measurable(Series("1", (image_slice(np.zeros((4, 4)), standing),))) == (
        "coronal, not axial"
    )


def test_pairs_are_told_and_why_others_are_none():
    near, far = axial_plane(), axial_plane(z=300)
    parts = tuple(
        Series(uid, (image_slice(np.zeros((6, 8)), plane, uid=uid),), weighting)
        for uid, plane, weighting in (
            ("1.1", near, Weighting.DIXON_FAT),
            ("1.2", near, Weighting.DIXON_WATER),
            ("1.3", near, Weighting.T2),
            ("1.4", far, Weighting.DIXON_WATER),
        )
    )
    for series, pairs, problem in (
        (parts[:3], ["1.2", "1.1", None], ""),
        ((parts[0], parts[3]), [None, None], "lies on another grid"),
    ):
        found = scan_of(Exam("S", "pre", series))
        described = inspection(found)["exams"][0]["series"]
        assert [item["pair"] for item in described] == pairs
        assert all(problem in item["problem"] for item in described)
        assert len(overview(found).remarks) == (2 if problem else 0)
        assert all(item["not_measurable"] == "" for item in described)
    assert (
        overview(found).remarks[0].startswith("1: no Dixon fat fraction: its water image (...1.4)")
    )


def test_files_that_are_passed_over_say_what_to_do(tmp_path):
    dataset = classic(axial_plane(), np.zeros((4, 4), np.uint16))
    dataset.RescaleSlope = DSfloat("1e300")
    write(dataset, tmp_path / "1.dcm")
    (skipped,) = inspection(scan(tmp_path))["skipped"]
    assert skipped["reason"].endswith("Export the image again.")
