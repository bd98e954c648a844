"""Sections of a volume in the window: off by default, one cross, off with a reason elsewhere."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from napari_multifidus.models.opening import OpenedExam
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from multifidus.data.image import Exam, Series, Slice, Weighting
from tests.plugins.conftest import COLUMNS, ROWS, SPACING
from tests.support.exams import axial_plane

pytestmark = pytest.mark.gui

COUNT, STEP_MM = 40, 1.0


def make_volume() -> Series:
    """Return slices without gaps, each brighter than the one below."""
    rng = np.random.default_rng(2)
    slices = (
        Slice.from_array(
            f"v.{k}",
            axial_plane(k * STEP_MM, 0.0, SPACING),
            rng.normal(100 + 10 * k, 5, (ROWS, COLUMNS)),
            STEP_MM,
        )
        for k in range(COUNT)
    )
    return Series("v", tuple(slices), Weighting.T2)


@pytest.fixture
def opened(win, tmp_path):
    exam = Exam("S01", "pre", (make_volume(),))
    win.annotator.opener.switch_to(OpenedExam(exam, exam.series[0]), folder=tmp_path)
    QTest.qWait(20)
    panel, controller = win.dock.parts.panes["views"].panel, win.annotator.linked_views
    button = win.dock.bar.parts["views"]
    assert not panel.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    yield SimpleNamespace(win=win, panel=panel, controller=controller, button=button)
    win.dock.parts.show_pane("views", shown=False)


def test_a_press_on_a_section_goes_to_its_slice_and_the_cross_is_one(opened):
    assert opened.panel.isVisible()
    (sagittal, _), (coronal, _) = opened.controller.sections()
    point = coronal.item.plane.to_patient([(31, 22)])[0]
    place = coronal.to_view(point[None])[0]
    spot = opened.panel.coronal.to_screen(place).toPoint()
    QTest.mouseClick(opened.panel.coronal, Qt.MouseButton.LeftButton, pos=spot)
    canvas = opened.win.annotator.workspace.canvas
    # A pixel of the screen is less than a slice.
    assert abs(canvas.index - 31) <= 1
    slice_index, _, column = opened.controller.voxel
    assert slice_index == canvas.index
    assert column == pytest.approx(22, abs=1)
    moved = opened.controller.sections()[0][0]
    assert moved.item.plane.origin_mm[0] != sagittal.item.plane.origin_mm[0]
    assert opened.panel.coronal.cross == opened.controller.sections()[1][1]


@pytest.mark.painted
def test_the_cross_follows_slices_and_the_mouse(opened):
    opened.win.annotator.workspace.canvas.go_to(7)
    assert opened.controller.voxel[0] == 7
    spot = opened.win.at(50.0, 60.0)

    def moved() -> bool:
        opened.win.send("MouseMove", spot, pressed=False)
        return abs(opened.controller.voxel[2] - 60) < 1

    opened.win.wait(moved)
    assert opened.controller.voxel[1] == pytest.approx(50, abs=1)
    wanted = opened.controller.sections()[0][1]
    opened.win.wait(lambda: opened.panel.sagittal.cross == wanted)


def test_an_exam_of_stacks_has_none_and_the_button_says_why(opened, exam, tmp_path):
    opened.win.annotator.opener.switch_to(OpenedExam(exam, exam.series[0]), folder=tmp_path / "b")
    QTest.qWait(20)
    assert not opened.panel.isVisible()
    assert not opened.button.isEnabled()
    assert "3 stacks" in opened.button.toolTip()
    assert opened.controller.sections() == ()
    # It is wanted still, and comes back where it can.
    volume = Exam("S01", "pre", (make_volume(),))
    opened.win.annotator.opener.switch_to(OpenedExam(volume, volume.series[0]), folder=tmp_path)
    opened.win.wait(opened.panel.isVisible)
