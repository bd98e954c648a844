"""What follows from a drawing is worked out once for each state, and for no state that is gone."""

from __future__ import annotations

import pytest
from napari_multifidus.models import analysis
from napari_multifidus.models.drawing_edits import with_half_drawn
from napari_multifidus.models.half_drawn import POLYGON, HalfDrawn
from napari_multifidus.models.session import LOCKED

from multifidus.data.anatomy import Level, Side
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi_set import Reason
from multifidus.errors import MultifidusError, RoiError
from tests.plugins.conftest import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from tests.support.exams import circle


@pytest.fixture
def measured(monkeypatch):
    """Count how often everything is measured."""
    done = []

    def counted(*given):
        done.append(given)
        return real(*given)

    real = analysis.measure_calibrated
    monkeypatch.setattr(analysis, "measure_calibrated", counted)
    return done


def test_everything_is_measured_once_for_each_state(session, measured):
    for _ in range(2):
        for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
            assert session.analysis.numbers(key, 2) is not None
            session.analysis.preview(key, 2, [circle(36, 40, 9)])
        assert len(session.analysis.outline_rows) == 4
        assert not session.analysis.refusal
    assert len(measured) == 1
    session.put(MULTIFIDUS_LEFT, 2, [circle(36, 58, 12)])
    session.analysis.measure()
    assert len(measured) == 2


def test_the_first_muscle_in_motion_is_measured_at_new_points_only(exam, session, measured):
    for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
        session.put(key, 2, [])
    assert {key for key, _ in session.drawing.outlines} == {FAT, LEAN}
    for radius in (9.0, 9.5, 10.0):
        session.analysis.preview(MULTIFIDUS_LEFT, 3, [circle(36, 58, radius)])
    # What is drawn, and what is drawn with the muscle.
    assert len(measured) == 2
    session.analysis.preview(MULTIFIDUS_LEFT, 3, [circle(36, 58, 10.0, 49)])
    assert len(measured) == 3


def test_why_there_is_no_outline_is_said(session):
    said = session.analysis.absence_words
    session.set_level(4, Level.L4_L5)
    assert said(MULTIFIDUS_LEFT, 4) == "not drawn"
    session.set_not_measurable(MULTIFIDUS_LEFT, 4, Reason.METAL)
    assert session.analysis.absence_words(MULTIFIDUS_LEFT, 4) == "not measurable: metal"
    session.set_not_measurable(MULTIFIDUS_LEFT, 4, Reason.OTHER, "cut off")
    assert session.analysis.absence_words(MULTIFIDUS_LEFT, 4) == "not measurable: cut off"
    corners = circle(36, 58, 12)[:20]
    half = HalfDrawn(POLYGON, corners, corners)
    session.change(with_half_drawn(session.drawing, (MULTIFIDUS_RIGHT, 4), half))
    assert session.analysis.absence_words(MULTIFIDUS_RIGHT, 4) == "not closed yet, not measured"


def test_a_change_makes_another_analysis_and_nothing_else_does(session):
    before = session.analysis
    assert session.analysis is before
    session.commit()
    session.begin_history()
    assert not session.set_landmarks(())
    assert not session.set_protocol(MeasurementProtocol())
    assert session.analysis is before
    for change in (
        lambda: session.put(FAT, 3, [circle(20, 20, 5)]),
        lambda: session.set_level(4, Level.L4_L5),
        lambda: session.set_not_measurable(MULTIFIDUS_LEFT, 4, Reason.METAL),
        lambda: session.set_grade("goutallier", Level.L4_L5, Side.LEFT, 2),
        lambda: session.set_protocol(MeasurementProtocol(fat_methods=("otsu",))),
    ):
        before = session.analysis
        assert change()
        assert session.analysis is not before


def test_undo_goes_back_to_the_very_same_state(session):
    states = [session.drawing]
    session.begin_history()
    for radius in (8, 9):
        session.put(MULTIFIDUS_LEFT, 4, [circle(36, 58, radius)])
        session.commit()
        states.append(session.drawing)
    session.undo()
    assert session.drawing is states[1]
    session.undo()
    assert session.drawing is states[0]
    session.redo()
    assert session.drawing is states[1]


def test_a_refusal_is_said_wherever_numbers_are_asked_for(session):
    left, right = (session.drawing.loops(key, 2) for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT))
    session.put(MULTIFIDUS_LEFT, 2, right)
    session.put(MULTIFIDUS_RIGHT, 2, left)
    assert session.analysis.refusal
    with pytest.raises(MultifidusError) as raised:
        session.analysis.measure()
    assert str(raised.value) == session.analysis.refusal
    assert session.analysis.numbers(MULTIFIDUS_LEFT, 2).area_mm2 > 0


def test_no_way_changes_a_locked_reading(session):
    session.locked = True
    before = session.drawing
    for change in (
        lambda: session.put(FAT, 3, [circle(20, 20, 5)]),
        lambda: session.set_level(4, Level.L4_L5),
        lambda: session.set_not_measurable(MULTIFIDUS_LEFT, 4, Reason.METAL),
        lambda: session.set_grade("goutallier", Level.L4_L5, Side.LEFT, 2),
        session.undo,
        session.redo,
    ):
        with pytest.raises(RoiError) as raised:
            change()
        assert LOCKED in str(raised.value)
    assert session.drawing is before
