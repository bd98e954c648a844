"""Closing the window and coming back."""

from __future__ import annotations

import pytest
from napari_multifidus.keys import MULTIFIDUS_LEFT

from multifidus.anatomy import Level, SlicePosition

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

SQUARE = [(20.0, 48.0), (20.0, 68.0), (50.0, 68.0), (50.0, 48.0)]


def test_everything_is_there_when_the_exam_is_opened_again(window, exam, tmp_path):
    win = window()
    win.open(exam, tmp_path)
    win.annotator.step(4)
    win.annotator.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    win.annotator.draw(MULTIFIDUS_LEFT)
    win.draw(SQUARE)
    left = win.annotator.session.rois()
    # Closing at once: nothing may wait for a timer.
    win.close()

    again = window()
    again.open(exam, tmp_path)
    assert again.annotator.session.rois() == left
    assert again.annotator.canvas.index == 4
    assert again.annotator.canvas.active == MULTIFIDUS_LEFT
    assert again.dock.place.level.currentData() == Level.L4_L5
    assert len(again.layer(MULTIFIDUS_LEFT).data) == 1
    # Looking does not change: what is read back is the outline itself, not what napari rounds.
    again.annotator.flush()
    assert again.annotator.session.rois() == left
