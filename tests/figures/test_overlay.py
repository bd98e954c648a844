"""Outlines on pictures of slices."""

from dataclasses import replace

import numpy as np

from multifidus import read_exam, read_rois
from multifidus.figures import overlay
from multifidus.figures.overlay import draw_slice
from multifidus.measuring.locate import place
from multifidus.sample_data import sample_dir


def members():
    exam = read_exam(sample_dir() / "S01_pre")
    rois = read_rois(sample_dir() / "S01_pre.outlines.json", exam)
    first, *rest = place(rois, exam)
    return [first, *(item for item in rest if item.index == first.index)]


def test_a_line_is_the_same_whatever_room_is_left_around_it(monkeypatch):
    drawn = np.asarray(draw_slice(members(), (), ""))
    monkeypatch.setattr(overlay, "_draw_outlines", lambda *_: None)
    without = np.asarray(draw_slice(members(), (), ""))
    monkeypatch.undo()
    monkeypatch.setattr(overlay, "LINE_ROOM", 10_000)
    on_the_whole_image = np.asarray(draw_slice(members(), (), ""))
    assert (drawn != without).any()
    assert np.array_equal(drawn, on_the_whole_image)


def test_an_outline_beyond_the_image_is_not_seen(monkeypatch):
    first, *_ = members()
    down = 500 * np.array(first.slice.plane.row_step_mm)
    far = replace(first.roi, paths_mm=tuple(path + down for path in first.roi.paths_mm))
    both = [first, replace(first, roi=far)]
    drawn = np.asarray(draw_slice(both, (), ""))
    monkeypatch.setattr(overlay, "_draw_outlines", lambda *_: None)
    without = np.asarray(draw_slice(both, (), ""))
    rows, _, _ = np.nonzero(drawn != without)
    assert 0 < rows.max() < 0.7 * len(drawn)
