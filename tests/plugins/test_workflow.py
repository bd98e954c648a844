"""The steps of a reading: what is done, what is next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.models import completeness
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.workflow import StepName, next_reference, steps

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.protocol import FatMethod
from multifidus.data.roi import Reading
from multifidus.data.roi_set import Reason, RoiSet
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from tests.support.exams import circle


@pytest.fixture
def empty(exam) -> Session:
    return Session(exam, exam.series[0], RoiSet(reading=Reading("S01", "pre", "R1", 1)))


def next_of(session, here=None):
    (found,) = [step.name for step in steps(session.analysis, here) if step.is_next]
    return found


def counts(session):
    return {step.name: (step.done, step.of) for step in steps(session.analysis)}


def test_the_steps_follow_each_other_to_the_end(empty):
    found = [next_of(empty)]
    empty.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    found.append(next_of(empty))
    empty.put(LEAN, 2, [circle(6, 20, 4)])
    assert next_reference(empty.analysis) == FAT
    found.append(next_of(empty))
    empty.put(FAT, 2, [circle(66, 20, 4)])
    found.append(next_of(empty))
    empty.put(MULTIFIDUS_RIGHT, 2, [circle(36, 20, 12)])
    found.append(next_of(empty))
    empty.put(MULTIFIDUS_LEFT, 2, [circle(36, 58, 13)])
    found.append(next_of(empty))
    assert found == [
        StepName.LEVELS,
        StepName.REFERENCES,
        StepName.REFERENCES,
        StepName.RIGHT,
        StepName.LEFT,
        StepName.DONE,
    ]


def test_without_a_level_nothing_counts_as_outlined(session):
    assert counts(session)[StepName.RIGHT] == (0, 1)
    session.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    assert counts(session)[StepName.RIGHT] == (1, 1)


def begun(session):
    return {step.name for step in steps(session.analysis) if step.is_begun}


def test_a_step_that_was_begun_is_told_from_one_that_was_not(empty):
    assert begun(empty) == set()
    # Drawn before its slice has a level: there is something, and nothing is complete.
    empty.put(MULTIFIDUS_RIGHT, 2, [circle(36, 20, 12)])
    assert begun(empty) == {StepName.RIGHT}
    empty.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    assert begun(empty) == set()
    empty.set_level(3, Level.L3_L4, SlicePosition.MID_DISC)
    empty.put(LEAN, 2, [circle(6, 20, 4)])
    assert begun(empty) == {StepName.RIGHT, StepName.REFERENCES}
    # An outline that crosses itself is begun as well.
    empty.put(MULTIFIDUS_LEFT, 2, [np.array([(30, 50), (40, 60), (30, 60), (40, 50)], float)])
    assert StepName.LEFT in begun(empty)


def test_a_method_that_looks_at_the_outline_alone_needs_no_references(empty):
    empty.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    empty.set_protocol(replace(empty.protocol, fat_methods=(FatMethod.OTSU,)))
    assert counts(empty)[StepName.REFERENCES] == (0, 0)
    assert next_of(empty) is StepName.RIGHT
    empty.set_protocol(replace(empty.protocol, fat_methods=(FatMethod.MEAN_KSD,)))
    assert next_reference(empty.analysis) == LEAN
    assert counts(empty)[StepName.REFERENCES] == (0, 1)


def test_references_are_asked_for_that_the_method_itself_says_it_needs(empty, monkeypatch):
    needing_fat = replace(METHODS[FatMethod.GMM3], needs=frozenset({Need.FAT_REFERENCE}))
    monkeypatch.setattr(completeness, "METHODS", {FatMethod.GMM3: needing_fat})
    empty.set_protocol(replace(empty.protocol, fat_methods=(FatMethod.GMM3,)))
    assert next_reference(empty.analysis) == FAT
    assert counts(empty)[StepName.REFERENCES] == (0, 1)


def test_references_that_are_proposed_are_no_step(empty):
    empty.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    empty.set_protocol(replace(empty.protocol, propose_references=True))
    assert next_reference(empty.analysis) is None
    assert next_of(empty) is StepName.RIGHT


def test_what_is_in_hand_and_missing_is_next(session):
    session.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    session.set_level(3, Level.L3_L4, SlicePosition.MID_DISC)
    assert next_of(session, (MULTIFIDUS_LEFT, 3)) is StepName.LEFT
    assert next_of(session, (MULTIFIDUS_RIGHT, 3)) is StepName.RIGHT
    # What is in hand is drawn already: the next that is missing.
    assert next_of(session, (MULTIFIDUS_LEFT, 2)) is StepName.RIGHT
    session.set_not_measurable(MULTIFIDUS_RIGHT, 3, Reason.METAL)
    session.set_not_measurable(MULTIFIDUS_LEFT, 3, Reason.METAL)
    assert next_of(session) is StepName.DONE
