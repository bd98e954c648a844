"""How many clicks and keys a session takes, against the page that says so."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from multifidus.data.anatomy import Level
from multifidus.data.image import Exam
from multifidus.io.outlines import read_rois
from tests.plugins.conftest import make_series
from tests.support.exams import circle
from tests.support.native_mouse import NativeMouse
from tests.support.window_manager import managed_windows

BETWEEN_MS, SETTLE_MS = 60, 300
"""Between clicks, and until a window manager has placed what it found."""

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

PAGE = Path(__file__).parents[2] / "docs" / "evidence" / "clicks.md"
LEVELS = (Level.L5_S1, Level.L4_L5, Level.L3_L4, Level.L2_L3, Level.L1_L2)
"""The exam's slices run up the spine."""

POINTS = int(os.environ.get("MULTIFIDUS_POINTS", "4"))
"""Points of an outline: they do not matter for what is counted beyond them, and each takes time."""


def tables():
    """Return the sums of the page's two tables, checked row by row."""
    sums = []
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        rows = re.findall(r"^\| [^|]+ \| (\d+) \| (\d+) \| (\d+) \|$", part, re.MULTILINE)
        assert all(int(times) * int(each) == int(total) for times, each, total in rows)
        (stated,) = re.findall(r"\*\*all\*\*.*\*\*(\d+)\*\*", part)
        assert sum(int(total) for *_, total in rows) == int(stated)
        sums.append(int(stated))
    return sums


def test_the_page_adds_up_and_half_is_enough():
    ours, imagejs, *_ = tables()
    assert 2 * ours <= imagejs
    assert f"{ours} against {imagejs}" in PAGE.read_text(encoding="utf-8")


def test_a_session_takes_what_the_page_says(win, tmp_path, monkeypatch):
    exam = Exam("S01", "pre", (make_series("1.8", (0.0, 2.0, 4.0, 6.0, 8.0)),))
    win.open(exam, tmp_path)
    done = {"clicks": 0, "keys": 0, "points": 0}

    def press(key):
        done["keys"] += 1
        win.press(key)

    def choose(box, value):
        """Choose from a list: a click opens it, a click takes."""
        done["clicks"] += 2
        box.setCurrentIndex(box.findData(value))
        box.activated.emit(box.currentIndex())

    for level in LEVELS:
        if level is not LEVELS[0]:
            press(".")
        choose(win.dock.slice_level.level, level.value)
    for _ in range(2 * len(LEVELS)):
        # After the last slice comes the first again.
        press("0")
        right = win.annotator.workspace.canvas.active == MULTIFIDUS_RIGHT
        points = [tuple(point) for point in circle(36, 20 if right else 58, 12, POINTS)]
        done["points"] += len(points)
        # Every point is a click, and the last one is clicked twice.
        done["clicks"] += len(points) + 1
        win.draw(points)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "tables"))
    done["clicks"] += 2
    win.dock.measure.click()

    session = win.annotator.workspace.session
    for key in (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT):
        assert session.drawing.slices_of(key) == (0, 1, 2, 3, 4)
        assert [session.analysis.level_of(index)[0] for index in range(5)] == list(LEVELS)
        assert all(len(session.drawing.loops(key, index)[0]) == POINTS for index in range(5))
    assert (tmp_path / "tables" / "measurements.csv").exists()
    ours, *_ = tables()
    assert done["clicks"] + done["keys"] - done["points"] == ours


def test_one_level_in_a_managed_window_takes_what_the_page_says(win, tmp_path):
    """Everything is done by the mouse of the X server, and every press of it counts."""
    exam = Exam("S01", "pre", (make_series("1.9", (0.0, 2.0, 4.0)),))
    points = int(os.environ.get("MULTIFIDUS_POINTS", "8"))
    mouse, presses = NativeMouse(), 0

    def click(widget, place):
        nonlocal presses
        at = widget.mapToGlobal(place)
        mouse.click(at.x(), at.y())
        presses += 1
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
            for place in (*outline, outline[-1]):
                click(win.canvas, place)
            win.wait(lambda key=key: bool(workspace.session.drawing.loops(key, 0)))
            QTest.qWait(BETWEEN_MS)
    for key in (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT):
        (loop,) = workspace.session.drawing.loops(key, 0)
        assert len(loop) == points
        assert workspace.session.analysis.numbers(key, 0).area_mm2 > 0
    assert len(read_rois(workspace.file.path, exam)) == 2
    *_, ours, _ = tables()
    # The page counts 30 points an outline.
    assert presses + 2 * (30 - points) == ours
