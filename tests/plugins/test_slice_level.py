"""What the canvas says about a slice's level is what the tables say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_RIGHT
from napari_multifidus.models.grid import axial_series
from napari_multifidus.models.session import Session
from napari_multifidus.models.slice_level import LevelFinder

import multifidus as mf
from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.protocol import MeasurementProtocol, SliceSelection
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.errors import LevelError
from multifidus.sample_data import sample_dir
from tests.support.exams import circle

LEVELS = (Level.L5_S1, Level.L4_L5, Level.L3_L4)
"""Of the three stacks of the exam, from the lowest."""


def disc(level: Level, z: float, y: float = -20.0) -> Landmark:
    return Landmark(LandmarkKind.DISC_CENTRE, level, (0.0, y, z))


@pytest.fixture
def marks(exam):
    """Mark discs on the middle of the first slice of each stack."""
    slices = exam.series[0].slices
    points = [slices[index].plane.to_patient([(20, 30)])[0] for index in (0, 2, 4)]
    return tuple(
        Landmark(LandmarkKind.DISC_CENTRE, level, point)
        for level, point in zip(LEVELS, points, strict=True)
    )


def test_levels_come_from_landmarks_and_what_is_typed_wins(session, marks):
    assert session.analysis.level_of(2) == (None, SlicePosition.UNKNOWN)
    assert session.analysis.slice_levels[2].place_words == "no level assigned"
    assert session.set_landmarks(marks)
    assert not session.set_landmarks(marks)
    assert session.analysis.level_of(2) == (Level.L4_L5, SlicePosition.MID_DISC)
    assert session.analysis.slice_levels[2].place_words == "L4-L5 mid disc · by landmarks"
    assert (
        session.analysis.slice_levels[3].place_words
        == "L4-L5 · 4.0 mm above the landmark · by landmarks"
    )
    session.set_level(2, Level.L3_L4)
    assert session.analysis.level_of(2) == (Level.L3_L4, SlicePosition.UNKNOWN)
    assert (
        session.analysis.level_warnings(2)[0] == "L3-L4 was set by hand; the landmarks give L4-L5"
    )
    session.set_level(2, None)
    assert session.analysis.level_of(2)[0] is Level.L4_L5


def test_the_level_of_landmarks_can_be_typed_to_confirm_it(session, marks):
    session.set_landmarks(marks)
    assert session.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    assert session.rois().levels[0].level is Level.L4_L5
    assert session.analysis.slice_levels[2].typed


def test_landmarks_are_saved_and_measured_by(session, marks, tmp_path):
    session.set_landmarks(marks)
    file = tmp_path / "a.outlines.json"
    mf.write_rois(session.rois().read_by(mf.Reading("S01", "pre", "AB", 1)), file)
    again = Session(session.exam, session.series, mf.read_rois(file, session.exam))
    assert again.drawing.landmarks == marks
    rows = session.analysis.measure()
    assert {row.provenance.level for row in rows if row.provenance.slice_index == 2} == {
        Level.L4_L5
    }


def test_landmarks_that_contradict_each_other_are_kept_and_nothing_is_measured(session, marks):
    upside_down = (
        replace(marks[0], level=Level.L3_L4),
        marks[1],
        replace(marks[2], level=Level.L5_S1),
    )
    session.set_landmarks(upside_down)
    assert session.drawing.landmarks == upside_down
    assert "out of order" in session.analysis.refusal
    assert "out of order" in session.analysis.level_warnings(0)[0]
    assert session.analysis.level_of(0) == (None, SlicePosition.UNKNOWN)
    session.set_landmarks(marks)
    assert not session.analysis.refusal
    assert session.analysis.level_warnings(2) == ()


def test_a_slice_between_two_discs_is_called_ambiguous_with_its_margin(session):
    plane = session.series.slices[2].plane
    middle = plane.to_patient([(20, 30)])[0]
    near = (
        Landmark(LandmarkKind.DISC_CENTRE, Level.L5_S1, middle - 15.0 * plane.normal),
        Landmark(LandmarkKind.DISC_CENTRE, Level.L4_L5, middle + 18.0 * plane.normal),
    )
    session.set_landmarks(near)
    slice_level = session.analysis.slice_levels[2]
    assert slice_level.settled.level is Level.L5_S1
    assert slice_level.margin_mm == pytest.approx(3.0)
    assert "L5-S1 by a margin of 3.0 mm" in session.analysis.level_warnings(2)[0]
    # Who typed it has looked.
    session.set_level(2, Level.L5_S1)
    assert session.analysis.level_warnings(2) == ()


@pytest.mark.parametrize(
    ("deg", "words"), [(-0.4, "tilt 0°"), (0.4, "tilt 0°"), (-0.6, "tilt -1°")]
)
def test_a_tilt_of_nearly_none_has_no_sign(session, deg, words):
    slice_level = session.analysis.slice_levels[0]
    tilt = replace(slice_level.settled.tilt, deg=deg)
    slice_level = replace(slice_level, settled=replace(slice_level.settled, tilt=tilt))
    assert slice_level.tilt_words.startswith(f"{words} ")


def test_tilt_over_the_limit_of_the_protocol_is_said(session):
    assert session.analysis.slice_levels[0].tilt_words == "tilt 18° to the patient's axis"
    assert session.analysis.level_warnings(0) == (
        "tilt of 18° exceeds the protocol's limit of 15°",
    )
    assert session.analysis.level_warnings(2) == ()
    session.set_protocol(replace(session.protocol, tilt_limit_deg=20.0))
    assert session.analysis.level_warnings(0) == ()


def test_slices_that_the_protocol_leaves_out_are_said(session, marks):
    session.set_landmarks(marks)
    session.set_protocol(MeasurementProtocol(slice_selection=SliceSelection.BAND, band_mm=3.0))
    assert session.analysis.level_warnings(2) == ()
    assert session.analysis.level_warnings(3) == (
        "outside the protocol's band of 3 mm around the landmark",
    )
    session.set_protocol(MeasurementProtocol(slice_selection=SliceSelection.NEAREST))
    assert session.analysis.level_warnings(2) == ()
    assert "another slice is nearer" in session.analysis.level_warnings(3)[0]


def test_shared_levels_are_locked_and_measured_by_and_not_written(exam, marks):
    shared = RoiSet(landmarks=marks)
    session = Session(exam, exam.series[0], shared=shared)
    session.put(MULTIFIDUS_RIGHT, 2, [circle(36, 20, 12)])
    assert session.shared.landmarks == marks
    assert session.analysis.level_of(2)[0] is Level.L4_L5
    for change in (
        lambda: session.set_landmarks(marks[:1]),
        lambda: session.set_level(2, Level.L3_L4),
    ):
        with pytest.raises(LevelError, match="shared by all raters"):
            change()
    assert session.rois().landmarks == ()
    assert {row.provenance.level for row in session.analysis.measure()} == {Level.L4_L5}


def test_a_rater_can_only_delete_own_landmarks_where_levels_are_shared(exam, marks):
    own = disc(Level.L1_L2, 90.0)
    session = Session(
        exam, exam.series[0], RoiSet(landmarks=(own,)), shared=RoiSet(landmarks=marks)
    )
    session.put(MULTIFIDUS_RIGHT, 2, [circle(36, 20, 12)])
    assert "raters set none" in session.analysis.refusal
    session.set_landmarks(())
    assert not session.analysis.refusal


def test_levels_typed_for_all_raters_lock_slices(exam):
    uid = exam.series[0].slices[2].uid
    shared = RoiSet(levels=(SliceLevel(uid, Level.L4_L5, SlicePosition.MID_DISC),))
    session = Session(exam, exam.series[0], shared=shared)
    assert session.analysis.level_of(2) == (Level.L4_L5, SlicePosition.MID_DISC)
    session.put(MULTIFIDUS_RIGHT, 3, [circle(36, 20, 12)])
    assert "not locked for raters" in session.analysis.refusal


def test_marking_the_true_discs_of_the_phantom_gives_every_slice_its_true_level():
    exam = mf.read_exam(sample_dir() / "S01_pre")
    perfect = mf.read_rois(sample_dir() / "S01_pre.outlines.json", exam)
    session = Session(exam, axial_series(exam)[0])
    session.set_landmarks(perfect.landmarks)
    true = {said.slice_uid: (said.level, said.slice_position) for said in perfect.levels}
    assert len(true) == len(session.series.slices)
    for index, item in enumerate(session.series.slices):
        level, position = session.analysis.level_of(index)
        assert level is true[item.uid][0]
        if position is not SlicePosition.UNKNOWN:
            assert position is true[item.uid][1]


def test_without_landmarks_nothing_is_known(exam):
    finder = LevelFinder.of(exam, (), MeasurementProtocol())
    slice_level = finder.slice_level(exam.series[0], 0, None, SlicePosition.UNKNOWN)
    assert slice_level.by_landmarks is None
    assert math.isnan(slice_level.margin_mm)
    assert np.isnan(slice_level.settled.offset_mm)
