"""The hand on the canvas, by events of the X server at real speed, under a window manager."""

from __future__ import annotations

import functools
import shutil
import subprocess

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_RIGHT
from qtpy.QtCore import QCoreApplication, Qt

from multifidus.data.polygon import area
from tests.plugins.conftest import SPACING
from tests.support.napari_window import qt_window
from tests.support.native_mouse import playing

pytestmark = pytest.mark.gui

RADIUS = 100
"""Of the circle drawn, in pixels of the screen."""

COMPRESSION = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents


@pytest.fixture(scope="module", autouse=True)
def window_manager():
    command = shutil.which("openbox")
    assert command, "scripts/system_packages.sh gui installs openbox"
    with subprocess.Popen([command], stderr=subprocess.DEVNULL) as manager:  # noqa: S603
        yield
        manager.terminate()


@pytest.fixture
def opened(win, exam, tmp_path, qtbot):
    """Return a window with an exam, large enough to draw in, the right multifidus in hand."""
    # A hand of two seconds takes longer where others use the machine.
    win.wait = functools.partial(qtbot.waitUntil, timeout=20_000)
    qt_window(win.viewer).resize(1200, 900)
    win.open(exam, tmp_path)
    win.wait(lambda: min(win.canvas.width(), win.canvas.height()) > 2 * RADIUS + 100)
    win.viewer.reset_view()
    win.press("Q")
    return win


def play(win, steps, done):
    """Let a hand play steps given from the middle of the canvas, until something is done."""
    middle = win.canvas.mapToGlobal(win.canvas.rect().center())
    hand = playing([(s, kind, middle.x() + x, middle.y() + y) for s, kind, x, y in steps])
    win.wait(lambda: hand.poll() is not None)
    assert hand.returncode == 0
    win.wait(done)


def on_screen(win, loop):
    """Return an outline in pixels of the screen, beside the middle of the canvas."""
    centre = np.array(win.viewer.scene.camera.center)[-2:]
    return ((loop * SPACING - centre) * win.viewer.scene.camera.zoom)[:, ::-1]


def outlines(win):
    return win.annotator.workspace.session.drawing.loops(MULTIFIDUS_RIGHT, 0)


def ring(count):
    """Return points of a circle around the middle, in whole pixels, the first one once more."""
    angle = np.linspace(0, 2 * np.pi, count + 1)
    return np.round(RADIUS * np.stack((np.cos(angle), np.sin(angle)), axis=1)).astype(int).tolist()


@pytest.mark.parametrize(("hertz", "chord"), [(1000, 3.0), (125, 5.1)])
def test_a_circle_by_hand_is_what_the_hand_drew(opened, hertz, chord):
    assert QCoreApplication.testAttribute(COMPRESSION)
    opened.press("U")
    points = ring(2 * hertz)
    moves = [(0.2 + n / hertz, "move", x, y) for n, (x, y) in enumerate(points)]
    x, y = points[0]
    steps = [(0.0, "move", x, y), (0.1, "press", x, y), *moves, (2.25, "release", x, y)]
    play(opened, steps, lambda: len(outlines(opened)) == 1)
    (loop,) = (on_screen(opened, loop) for loop in outlines(opened))
    assert area([loop]) == pytest.approx(np.pi * RADIUS**2, rel=0.005)
    assert np.hypot(*(loop - np.roll(loop, 1, axis=0)).T).max() <= chord
    assert QCoreApplication.testAttribute(COMPRESSION)
