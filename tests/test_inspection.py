"""What a folder holds, in the Interface's plain values."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given

from multifidus.geometry import ras_from_lps
from multifidus.image import Exam, Series, Slice, Weighting
from multifidus.inspection import inspection, inspection_table, not_measurable, stack_sizes
from multifidus.io.scan import Scan
from tests.exams import axial_plane, image_slice
from tests.strategies import planes


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
    return Scan(exams, (), {series.uid: () for exam in exams for series in exam.series})


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


def test_the_table_for_people_gives_the_range_of_tilts_and_one_row_a_series():
    headings, rows = inspection_table(scan_of(Exam("a", "1", (angled(), angled(1)))))
    first = dict(zip(headings, rows[0], strict=True))
    assert first["tilt, deg"] == "+0.0 to +10.0"
    assert first["stacks"] == "2 x 3"
    assert len(rows) == 2


def test_what_cannot_be_measured_says_why():
    axial = Series("1", (image_slice(np.zeros((4, 4))),))
    assert not_measurable(axial) == ""
    scout = Series("1", axial.slices, Weighting.LOCALIZER)
    assert not_measurable(scout) == "a localizer"
    standing = axial_plane(tilt=80.0)
    assert not_measurable(Series("1", (image_slice(np.zeros((4, 4)), standing),))) == (
        "coronal, not axial"
    )
