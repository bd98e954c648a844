"""What the window says about the series of an exam, and how the image is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from napari_multifidus.models.blinding import Access
from napari_multifidus.models.opening import OpenedExam

from multifidus.data.image import Exam
from tests.plugins.conftest import make_sagittal, make_series

pytestmark = pytest.mark.gui

FILES = {"5.1": "sag_one.nii", "5.2": "sag_two.nii"}


@pytest.fixture
def twins() -> Exam:
    return Exam("S01", "pre", (make_series(), make_sagittal("5.1"), make_sagittal("5.2")))


def test_series_are_told_apart_by_file_only_where_subjects_are_seen(win, twins, tmp_path):
    source = OpenedExam(twins, twins.series[0], files=FILES)
    box = win.dock.locator.series
    for access, ends in (
        (Access(), ["sag_one.nii", "sag_two.nii"]),
        (Access(blinded=True), ["(1 of 2)", "(2 of 2)"]),
    ):
        win.annotator.opener.switch_to(source, folder=tmp_path, access=access)
        names = [box.itemText(n) for n in range(box.count())]
        assert all(name.endswith(end) for name, end in zip(names, ends, strict=True))


def test_a_missing_sagittal_is_said_as_long_as_it_is_missing(win, exam, twins, tmp_path):
    note = win.dock.slice_level.note
    win.annotator.opener.switch_to(OpenedExam(exam, exam.series[0]), folder=tmp_path)
    assert "no sagittal series" in note.text()
    assert not note.isHidden()
    win.annotator.opener.switch_to(OpenedExam(twins, twins.series[0]), folder=tmp_path)
    assert note.isHidden()


def test_no_message_of_one_exam_stands_beside_the_next(win, exam, tmp_path):
    win.annotator.opener.switch_to(OpenedExam(exam, exam.series[0]), folder=tmp_path)
    win.annotator.workspace.warning.emit("Slice 3 has no level yet.")
    assert win.dock.status.message.text()
    other = replace(exam, subject="S02")
    win.annotator.opener.switch_to(OpenedExam(other, other.series[0]), folder=tmp_path)
    assert win.dock.status.message.text() == ""
