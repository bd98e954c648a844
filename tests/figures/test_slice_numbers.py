"""The numbers above the picture of a slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import multifidus as mf
from multifidus.data.measurement import Quantity
from multifidus.figures.overlay import STRIP, draw_slice
from multifidus.measuring.locate import place
from multifidus.sample_data import sample_dir


def strip(members, rows):
    """Return what stands above the image, (rows, columns), where it is lit."""
    picture = np.asarray(draw_slice(members, rows, "slice"))[:STRIP]
    return picture.max(axis=2) > 100


def test_the_fat_signal_fraction_stands_in_a_line_of_its_own_below_visible_fat():
    exam = mf.read_exam(sample_dir() / "S01_post")
    rois = mf.read_rois(sample_dir() / "S01_post.outlines.json", exam)
    uid = next(roi for roi in rois.rois if roi.key.structure == "multifidus").key.slice_uid
    rois = replace(rois, rois=tuple(roi for roi in rois.rois if roi.key.slice_uid == uid))
    rows = list(mf.measure(exam, rois, mf.MeasurementProtocol(threshold_resamples=2)))
    members = place(rois, exam)
    before = strip(members, [row for row in rows if row.quantity is not Quantity.FF_SIGNAL_PCT])
    both = strip(members, rows)
    added = both & ~before
    assert np.array_equal(both[:72], before[:72])
    lit = np.flatnonzero(added.any(axis=1))
    assert lit.min() >= 72
    # Whole letters, none cut off by the image.
    assert lit.max() < STRIP - 1
    # Below either side.
    assert all(half.any() for half in np.array_split(added, 2, axis=1))
