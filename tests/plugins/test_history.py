"""Undo and redo, against a list of everything that ever was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from napari_multifidus.controllers.shortcuts import FAT, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.session import History, Session

from multifidus.data.anatomy import Level, Side, SlicePosition
from multifidus.data.image import Exam
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Source
from multifidus.data.roi_set import Reason
from tests.plugins.conftest import make_series
from tests.support.exams import circle

BOW_TIE = np.array([(20.0, 20.0), (40.0, 40.0), (40.0, 20.0), (20.0, 40.0)])
EXAM = Exam("S01", "pre", (make_series(),))


@given(st.lists(st.sampled_from("cbf")), st.integers(1, 6))
def test_a_history_is_a_list_with_a_place_in_it(acts, most):
    history, states, place, oldest = History(0, most), [0], 0, 0
    for number, act in enumerate(acts, 1):
        if act == "c":
            history.commit(number)
            states = [*states[: place + 1], number]
            place += 1
            oldest = max(oldest, place - most)
        elif act == "b":
            expected = states[place - 1] if place > oldest else None
            place -= expected is not None
            assert history.back() == expected
        else:
            expected = states[place + 1] if place + 1 < len(states) else None
            place += expected is not None
            assert history.forward() == expected
        assert history.now == states[place]


def said(session):
    """Return everything a session would save."""
    drafts = {
        spot: [loop.tolist() for loop in d.loops] for spot, d in session.drawing.unfinished.items()
    }
    origins = {spot: [loop.tolist() for loop in o] for spot, o in session.drawing.origins.items()}
    return session.rois(), drafts, origins


class Changing(RuleBasedStateMachine):
    """Whatever a person does, undo and redo go to and fro along it."""

    def __init__(self):
        super().__init__()
        self.session = Session(EXAM, EXAM.series[0])
        self.states, self.place = [said(self.session)], 0

    def done(self):
        self.session.commit()
        now = said(self.session)
        if now != self.states[self.place]:
            self.states = [*self.states[: self.place + 1], now]
            self.place += 1

    keys = st.sampled_from([MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, FAT])
    slices = st.integers(0, 2)

    @rule(key=keys, index=slices, radius=st.sampled_from([4, 6, 9]))
    def draw(self, key, index, radius):
        self.session.put(key, index, [circle(36, 40, radius)])
        self.done()

    @rule(key=keys, index=slices)
    def cross(self, key, index):
        self.session.put(key, index, [BOW_TIE])
        self.done()

    @rule(key=keys, index=slices)
    def delete(self, key, index):
        self.session.put(key, index, [])
        self.done()

    @rule(key=keys, start=slices, end=slices)
    def copy(self, key, start, end):
        if not self.session.drawing.loops(key, end):
            self.session.put(key, end, self.session.drawing.loops(key, start), Source.DRAFT)
        self.done()

    @rule(index=slices, level=st.sampled_from([None, Level.L4_L5, Level.L5_S1]))
    def say_level(self, index, level):
        self.session.set_level(index, level)
        self.done()

    @rule(reason=st.sampled_from([None, Reason.METAL, Reason.SCAR]), index=slices)
    def say_gap(self, reason, index):
        if self.session.analysis.level_of(index)[0] and not self.session.drawing.slices_of(
            MULTIFIDUS_LEFT
        ):
            self.session.set_not_measurable(MULTIFIDUS_LEFT, index, reason)
        self.done()

    @rule(value=st.sampled_from([None, 1, 3]), level=st.sampled_from([Level.L4, Level.L5]))
    def grade(self, value, level):
        self.session.set_grade("goutallier", level, Side.LEFT, value)
        self.done()

    @rule(z=st.sampled_from([0.0, 4.0]))
    def mark(self, z):
        self.session.set_landmarks([Landmark(LandmarkKind.DISC_CENTRE, Level.L3_L4, (0, 0, z))])
        self.done()

    @rule()
    def undo(self):
        expected = self.place > 0
        self.place -= expected
        assert (self.session.undo() is not None) == expected

    @rule()
    def redo(self):
        expected = self.place + 1 < len(self.states)
        self.place += expected
        assert (self.session.redo() is not None) == expected

    @invariant()
    def is_what_it_was(self):
        assert said(self.session) == self.states[self.place]
        # What is shown and what is saved are one.
        for key in self.session.drawing.layer_keys():
            for index in self.session.drawing.slices_of(key):
                shown = self.session.drawing.loops(key, index)
                rois = self.session.drawing.outlines.get((key, index), ())
                if rois:
                    assert sum(len(roi.paths_mm) for roi in rois) == len(shown)


TestChanging = Changing.TestCase
TestChanging.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_undo_says_where_something_else_is_drawn(session):
    session.begin_history()
    assert session.undo() is None
    session.put(MULTIFIDUS_LEFT, 4, [circle(36, 58, 9)])
    session.put(MULTIFIDUS_RIGHT, 4, [circle(36, 20, 9)])
    session.commit()
    session.set_level(4, Level.L3_L4, SlicePosition.MID_DISC)
    session.put(MULTIFIDUS_RIGHT, 4, [])
    both = {(MULTIFIDUS_LEFT, 4), (MULTIFIDUS_RIGHT, 4)}
    # What nobody committed is taken back as well, as one; the level is on both outlines.
    assert session.undo() == both
    assert session.analysis.level_of(4)[0] is None
    assert session.undo() == both
    assert session.drawing.slices_of(MULTIFIDUS_LEFT) == (2,)
    assert session.undo() is None
    assert session.redo() == both
    assert session.redo() is not None
    assert session.analysis.level_of(4)[0] is Level.L3_L4
    assert session.redo() is None


def test_numbers_after_undo_are_those_before(session):
    session.begin_history()
    before = session.analysis.numbers(MULTIFIDUS_LEFT, 2)
    session.put(MULTIFIDUS_LEFT, 2, [circle(30, 58, 7)])
    assert session.analysis.numbers(MULTIFIDUS_LEFT, 2) != before
    session.undo()
    assert session.analysis.numbers(MULTIFIDUS_LEFT, 2) == before


def test_a_draft_is_compared_with_what_became_of_it(session):
    assert np.isnan(session.drawing.draft_dice(MULTIFIDUS_LEFT, 2))
    session.put(MULTIFIDUS_LEFT, 4, [circle(36, 58, 10, 360)], Source.DRAFT)
    assert session.drawing.draft_dice(MULTIFIDUS_LEFT, 4) == pytest.approx(1)
    session.put(MULTIFIDUS_LEFT, 4, [circle(36, 58, 8, 360)])
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 4][0].source is Source.DRAFT_EDITED
    # A circle in a circle: 2 x 64 / (64 + 100).
    assert session.drawing.draft_dice(MULTIFIDUS_LEFT, 4) == pytest.approx(128 / 164, rel=1e-4)
    session.put(MULTIFIDUS_LEFT, 4, [BOW_TIE])
    assert np.isnan(session.drawing.draft_dice(MULTIFIDUS_LEFT, 4))
    session.put(MULTIFIDUS_LEFT, 4, [])
    session.put(MULTIFIDUS_LEFT, 4, [circle(36, 58, 8)])
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 4][0].source is Source.MANUAL
    assert np.isnan(session.drawing.draft_dice(MULTIFIDUS_LEFT, 4))
    session.undo()
    assert session.drawing.draft_dice(MULTIFIDUS_LEFT, 4) != 1
