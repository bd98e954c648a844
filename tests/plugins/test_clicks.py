"""How many clicks and keys a session takes, against the page that says so."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from qtpy.QtTest import QTest

from benchmarks.clicks import page
from benchmarks.clicks.driving import read_in_plugin
from benchmarks.clicks.exams import POINTS, SPEC, write_exams
from benchmarks.clicks.fellow import CLOSE, DIALOG, POINTS as POINTS_STEP
from multifidus.data.anatomy import Level
from multifidus.data.image import Exam
from multifidus.io.outlines import read_rois
from tests.plugins.conftest import make_series
from tests.support.exams import circle
from tests.support.native_mouse import NativeMouse
from tests.support.window_manager import managed_windows

BETWEEN_MS, SETTLE_MS = 60, 300
"""Between clicks, and until a window manager has placed what it found."""

FIVE, IMAGEJ_FIVE = "Five levels: the plugin", "Five levels: ImageJ's ROI Manager"
ONE, IMAGEJ_ONE = "One level: the plugin", "One level: ImageJ"

FEW_POINTS, FEW_LEVELS = 20, 2
"""Of an outline and of an exam: each takes time. Outlines of fewer points are asked about, and with
two levels the window goes from side to side and from slice to slice, as with five."""

pytestmark = [
    pytest.mark.gui,
    pytest.mark.painted,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]


@pytest.fixture(scope="module")
def stated():
    """Return the sums of the page's tables, which add up."""
    return page.sums(page.PAGE.read_text(encoding="utf-8"))


def test_beyond_the_points_the_plugin_takes_less_than_half_of_imagej(stated):
    points = 10 * POINTS
    assert 2 * (stated[FIVE] - points) <= stated[IMAGEJ_FIVE] - points
    assert stated[ONE] < stated[IMAGEJ_ONE]


def test_a_table_that_does_not_add_up_is_refused():
    text = page.PAGE.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=ONE):
        page.sums(text.replace("| levels | 2 | 0 | 2 |", "| levels | 3 | 0 | 3 |"))


def test_an_exam_of_a_list_takes_what_the_page_says(stated, tmp_path):
    write_exams(tmp_path, 1, replace(SPEC, stacks=FEW_LEVELS), points=FEW_POINTS)
    found = read_in_plugin(tmp_path, 1)
    assert not found.trouble
    assert found.lost == 0
    # The tour, which the first exam of all has, is skipped by one click; nothing else is asked.
    assert page.count(found.steps, DIALOG) == 1
    own, outlines = page.count(found.steps) - 1, 2 * FEW_LEVELS
    # An outline is nothing but its points and one click more; five discs are marked for any number.
    assert page.count(found.steps, POINTS_STEP) == outlines * FEW_POINTS
    assert page.count(found.steps, CLOSE) == outlines
    assert own - outlines * (FEW_POINTS + 1) + 10 * (POINTS + 1) == stated[FIVE]


def test_one_level_in_a_managed_window_takes_what_the_page_says(win, stated, tmp_path):
    """Everything is done by the mouse of the X server, and every press of it counts."""
    exam = Exam("S01", "pre", (make_series("1.9", (0.0, 2.0, 4.0)),))
    points = int(os.environ.get("MULTIFIDUS_POINTS", "8"))
    mouse, presses = NativeMouse(), 0

    def click(widget, place, times=1):
        nonlocal presses
        at = widget.mapToGlobal(place)
        for _ in range(times):
            mouse.click(at.x(), at.y())
            presses += 1
            # A double click is not held up by what the window does after its first press.
            time.sleep(BETWEEN_MS / 1000)
        QTest.qWait(BETWEEN_MS)

    with managed_windows():
        win.open(exam, tmp_path)
        win.annotator.edit_tools.advances = True
        workspace, level = win.annotator.workspace, win.dock.slice_level.level
        QTest.qWait(SETTLE_MS)
        click(level, level.rect().center())
        row = level.view().model().index(level.findData(Level.L4_L5.value), 0)
        level.view().scrollTo(row)
        click(level.view().viewport(), level.view().visualRect(row).center())
        win.wait(lambda: workspace.session.analysis.level_of(0)[0] is Level.L4_L5)
        for key, column in ((MULTIFIDUS_RIGHT, 20), (MULTIFIDUS_LEFT, 58)):
            assert workspace.canvas.active == key
            outline = [win.at(*point).toPoint() for point in circle(36, column, 12, points)]
            for place in outline[:-1]:
                click(win.canvas, place)
            click(win.canvas, outline[-1], times=2)
            win.wait(lambda key=key: bool(workspace.session.drawing.loops(key, 0)))
            QTest.qWait(BETWEEN_MS)
    for key in (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT):
        (loop,) = workspace.session.drawing.loops(key, 0)
        assert len(loop) == points
        assert workspace.session.analysis.numbers(key, 0).area_mm2 > 0
    assert len(read_rois(workspace.file.path, exam)) == 2
    assert presses + 2 * (POINTS - points) == stated[ONE]
