"""What a reading still lacks before it is finished, without a window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.models import edit_operations
from napari_multifidus.models.completeness import (
    Kind,
    Weight,
    completeness,
    explain,
    needed_references,
)
from napari_multifidus.models.drawing_edits import with_half_drawn
from napari_multifidus.models.half_drawn import POLYGON, HalfDrawn
from napari_multifidus.models.obstacle import Mending
from napari_multifidus.models.session import Session

from multifidus.data.anatomy import Level, Side, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi import Source
from multifidus.data.roi_set import Reason
from tests.plugins.conftest import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from tests.support.exams import circle

BOWTIE = np.array([(30.0, 10.0), (40.0, 30.0), (30.0, 30.0), (40.0, 10.0)])


def found(session, kind=None):
    items = completeness(session.analysis).items
    return [item for item in items if kind is None or item.kind is kind]


@pytest.fixture
def levelled(session):
    """Return the session with a level on the slice that is outlined, and nothing to add."""
    session.set_level(2, Level.L4_L5)
    return session


def test_a_complete_reading_lacks_nothing(levelled):
    assert found(levelled) == []


def test_a_reading_with_nothing_in_it_can_not_be_explained(exam):
    empty = Session(exam, exam.series[0])
    (item,) = found(empty)
    assert (item.kind, item.weight) == (Kind.EMPTY, Weight.MUST_BE_MENDED)
    assert completeness(empty.analysis).must_be_mended


@pytest.mark.parametrize("key", [LEAN, FAT])
def test_a_reading_of_references_alone_can_not_be_explained(exam, key):
    alone = Session(exam, exam.series[0])
    alone.put(key, 0, [circle(36, 40, 5)])
    assert [item.kind for item in found(alone)] == [Kind.EMPTY]


def test_outlines_without_a_level_are_listed_slice_by_slice(session):
    (item,) = found(session)
    assert (item.kind, item.slice_index, item.weight) == (Kind.LEVEL, 2, Weight.NEEDS_REASON)
    assert item.words.startswith("Slice 3")


@pytest.mark.parametrize("how", ["typed", "landmarks", "shared"])
def test_a_level_counts_wherever_it_comes_from(exam, session, how):
    if how == "typed":
        session.set_level(2, Level.L4_L5)
    elif how == "landmarks":
        middle = session.series.slices[2].plane.to_patient([(36.0, 40.0)])[0]
        up = np.array([0.0, 0.0, 40.0])
        session.set_landmarks(
            [
                Landmark(LandmarkKind.DISC_CENTRE, Level.L4_L5, tuple(middle)),
                Landmark(LandmarkKind.DISC_CENTRE, Level.L3_L4, tuple(middle + up)),
            ]
        )
    else:
        typed = replace(session.drawing, landmarks=())
        session.set_level(2, Level.L4_L5)
        shared = replace(session.rois(), rois=(), landmarks=())
        session = Session(exam, exam.series[0], typed.rois(session.series), shared=shared)
    assert session.analysis.level_of(2)[0] is not None
    assert found(session, Kind.LEVEL) == []


def test_every_slice_with_a_level_wants_both_sides(levelled):
    levelled.set_level(3, Level.L5_S1)
    places = [(item.key, item.slice_index, item.level) for item in found(levelled, Kind.OUTLINE)]
    assert places == [(MULTIFIDUS_RIGHT, 3, Level.L5_S1), (MULTIFIDUS_LEFT, 3, Level.L5_S1)]
    assert completeness(levelled.analysis).needs_reason
    assert "2 outlines missing" in completeness(levelled.analysis).summary


def test_references_are_wanted_by_methods_that_need_them(levelled):
    assert needed_references(levelled.protocol) == (LEAN, FAT)
    levelled.put(LEAN, 2, ())
    (item,) = found(levelled, Kind.REFERENCE)
    assert (item.key, item.slice_index) == (LEAN, 2)
    levelled.set_protocol(MeasurementProtocol(fat_methods=(FatMethod.OTSU,)))
    assert found(levelled, Kind.REFERENCE) == []
    both = MeasurementProtocol(fat_methods=(FatMethod.POOLED_OTSU,), propose_references=True)
    assert needed_references(both) == ()


def test_grades_are_wanted_once_somebody_grades(levelled):
    assert found(levelled, Kind.GRADE) == []
    levelled.set_grade("goutallier", Level.L4_L5, Side.LEFT, 2)
    (item,) = found(levelled, Kind.GRADE)
    assert (item.key, item.slice_index) == (MULTIFIDUS_RIGHT, 2)
    levelled.set_grade("goutallier", Level.L4_L5, Side.RIGHT, 0)
    assert found(levelled, Kind.GRADE) == []


def test_an_outline_that_crosses_itself_must_be_mended_and_is_listed_once(levelled):
    levelled.put(MULTIFIDUS_LEFT, 2, [BOWTIE])
    (item,) = found(levelled)
    assert (item.kind, item.key, item.slice_index) == (Kind.UNFINISHED, MULTIFIDUS_LEFT, 2)
    assert "crosses itself" in item.words
    assert completeness(levelled.analysis).must_be_mended
    lost = completeness(levelled.analysis, ["fat reference: a shape lies on no slice"])
    assert len(lost.items) == 2


def test_what_is_half_drawn_or_in_the_hand_must_be_finished_first(levelled):
    levelled.put(MULTIFIDUS_LEFT, 2, ())
    half = HalfDrawn(POLYGON, circle(36, 58, 12)[:9], circle(36, 58, 12)[:9])
    levelled.change(with_half_drawn(levelled.drawing, (MULTIFIDUS_LEFT, 2), half))
    (item,) = found(levelled)
    assert (item.kind, item.key, item.slice_index) == (Kind.UNFINISHED, MULTIFIDUS_LEFT, 2)
    in_hand = [(MULTIFIDUS_LEFT, 2), (MULTIFIDUS_RIGHT, 4)]
    items = completeness(levelled.analysis, in_hand=in_hand).items
    assert [(item.key, item.weight) for item in items] == [
        (MULTIFIDUS_LEFT, Weight.MUST_BE_MENDED), (MULTIFIDUS_RIGHT, Weight.MUST_BE_MENDED)
    ]  # fmt: skip


def test_drafts_that_nobody_looked_at_are_listed_and_need_no_reason(levelled):
    levelled.put(MULTIFIDUS_LEFT, 2, [circle(36, 58, 12)], Source.DRAFT)
    (item,) = found(levelled)
    assert (item.kind, item.key, item.weight) == (Kind.FLAG, MULTIFIDUS_LEFT, Weight.TO_CHECK)
    assert "draft unedited" in item.words
    asked = completeness(levelled.analysis)
    assert not asked.must_be_mended
    assert not asked.needs_reason


@pytest.mark.parametrize("key", [LEAN, FAT])
def test_few_points_are_asked_for_where_area_counts_and_not_of_samples(levelled, key):
    levelled.put(key, 2, [circle(20, 40, 5, points=12)])
    assert Flag.FEW_POINTS in levelled.analysis.numbers(key, 2).flags
    levelled.put(MULTIFIDUS_RIGHT, 2, [circle(40, 24, 8, points=12)])
    (few,) = [item for item in found(levelled) if item.words.endswith("few points")]
    assert (few.kind, few.key) == (Kind.FLAG, MULTIFIDUS_RIGHT)


def test_a_reason_marks_nothing_at_a_level_where_an_outline_is_begun(levelled):
    levelled.set_level(4, Level.L5_S1)
    levelled.set_level(5, Level.L5_S1)
    half = HalfDrawn("polygon", circle(40, 58, 8)[:9], circle(40, 58, 8)[:9])
    levelled.change(with_half_drawn(levelled.drawing, (MULTIFIDUS_LEFT, 5), half))
    explain(levelled, completeness(levelled.analysis), "scan stopped")
    told = [(n.level, n.side) for n in levelled.drawing.not_measurable]
    assert told == [(Level.L5_S1, Side.RIGHT)]


def test_a_reason_marks_what_is_missing_at_its_whole_level_and_nothing_else(levelled):
    levelled.set_level(1, Level.L4_L5)
    levelled.set_level(4, Level.L5_S1)
    levelled.set_not_measurable(MULTIFIDUS_LEFT, 4, Reason.METAL)
    asked = completeness(levelled.analysis)
    assert len([item for item in asked.items if item.kind is Kind.OUTLINE]) == 3
    explain(levelled, asked, "scan stopped")
    told = {(n.level, n.side, n.reason, n.note) for n in levelled.drawing.not_measurable}
    assert told == {
        (Level.L5_S1, Side.LEFT, Reason.METAL, ""),
        (Level.L5_S1, Side.RIGHT, Reason.OTHER, "scan stopped"),
    }
    # L4-L5 is outlined on its other slice: what is missing there is no gap of the level.
    left = [(i.slice_index, i.key.side) for i in found(levelled, Kind.OUTLINE)]
    assert left == [(1, Side.RIGHT), (1, Side.LEFT)]


def test_what_is_outlined_and_marked_as_not_measurable_contradicts_itself(levelled):
    levelled.set_level(3, Level.L5_S1)
    levelled.set_not_measurable(MULTIFIDUS_LEFT, 3, Reason.OTHER, "blurred")
    levelled.put(MULTIFIDUS_LEFT, 3, [circle(36, 58, 13)])
    (item,) = found(levelled, Kind.CONTRADICTED)
    assert (item.key, item.slice_index) == (MULTIFIDUS_LEFT, 3)
    assert completeness(levelled.analysis).must_be_mended


def test_the_log_holds_plain_values(levelled):
    levelled.set_level(3, Level.L5_S1)
    first = found(levelled)[0].as_dict()
    assert first == {
        "kind": "outline", "structure": "multifidus", "side": "right", "level": "L5-S1", "slice": 4
    }  # fmt: skip


# --- what makes a reading unmeasurable ----------------------------------------------------------


def swap(session, index=2):
    """Exchange what is drawn, as a rater who takes one side for the other would."""
    sides = MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT
    loops = [session.drawing.loops(key, index) for key in sides]
    for key, drawn in zip(sides, reversed(loops), strict=True):
        session.put(key, index, drawn)


def test_a_swapped_pair_is_an_obstacle_that_swapping_mends(levelled):
    before = {
        row.key: row.value for row in levelled.analysis.measure() if row.quantity == "tcsa_mm2"
    }
    loops = levelled.drawing.loops(MULTIFIDUS_LEFT, 2)
    swap(levelled)
    obstacle = levelled.analysis.obstacle
    assert obstacle.is_refusal
    assert obstacle.mending is Mending.SWAP_SIDES
    assert "multifidus on slice 3" in obstacle.words
    assert [item.kind for item in found(levelled)] == [Kind.UNMEASURABLE]
    assert completeness(levelled.analysis).must_be_mended
    edit_operations.swap_sides(levelled, obstacle.places)
    assert levelled.analysis.obstacle is None
    assert levelled.drawing.loops(MULTIFIDUS_LEFT, 2)[0] == pytest.approx(loops[0])
    after = {
        row.key: row.value for row in levelled.analysis.measure() if row.quantity == "tcsa_mm2"
    }
    assert after == pytest.approx(before)


def test_all_swapped_slices_are_mended_at_once_and_undone_at_once(session):
    for key, column in ((MULTIFIDUS_RIGHT, 58), (MULTIFIDUS_LEFT, 20)):
        for index in (0, 2):
            session.put(key, index, [circle(36, column, 12)])
    session.begin_history()
    assert "slices 1, 3" in session.analysis.obstacle.words
    edit_operations.swap_sides(session, session.analysis.obstacle.places)
    session.commit()
    assert session.analysis.obstacle is None
    session.undo()
    assert session.analysis.obstacle is not None


def test_swapping_twice_gives_back_what_was_there(session):
    session.put(MULTIFIDUS_LEFT, 3, [BOWTIE])
    session.put(MULTIFIDUS_RIGHT, 4, [circle(36, 20, 9)], Source.DRAFT)
    before = session.drawing
    places = [(MULTIFIDUS_LEFT, 2), (MULTIFIDUS_LEFT, 3), (MULTIFIDUS_RIGHT, 4)]
    edit_operations.swap_sides(session, places)
    assert session.drawing.problem(MULTIFIDUS_RIGHT, 3)
    assert not session.drawing.loops(MULTIFIDUS_RIGHT, 4)
    edit_operations.swap_sides(session, places)
    assert session.drawing.outlines.keys() == before.outlines.keys()
    assert {k: [r.key for r in v] for k, v in session.drawing.outlines.items()} == {
        k: [r.key for r in v] for k, v in before.outlines.items()
    }
    assert session.drawing.origins.keys() == before.origins.keys()


def landmarks_at(session, column):
    """Return two discs in the column of slice 3 that is the midline."""
    middle = session.series.slices[2].plane.to_patient([(36.0, column)])[0]
    steps = ((Level.L4_L5, 0.0), (Level.L3_L4, 40.0))
    return [
        Landmark(LandmarkKind.DISC_CENTRE, level, tuple(middle + np.array([0.0, 0.0, up])))
        for level, up in steps
    ]


def test_one_side_across_the_midline_of_landmarks_is_said_at_once(session):
    session.set_landmarks(landmarks_at(session, 40.0))
    session.put(MULTIFIDUS_LEFT, 2, ())
    assert session.analysis.obstacle is None
    session.put(MULTIFIDUS_RIGHT, 2, ())
    session.put(MULTIFIDUS_RIGHT, 2, [circle(36, 66, 10)])
    obstacle = session.analysis.obstacle
    assert obstacle.is_refusal
    assert obstacle.mending is Mending.SWAP_SIDES
    assert "multifidus right on slice 3" in obstacle.words
    edit_operations.swap_sides(session, obstacle.places)
    assert session.analysis.obstacle is None
    assert session.drawing.loops(MULTIFIDUS_LEFT, 2)


def test_one_side_across_the_midline_of_other_outlines_is_a_doubt_that_is_said(session):
    # The pair of slice 3 gives the midline; on slice 4 the right side is drawn on the left.
    session.put(MULTIFIDUS_RIGHT, 3, [circle(36, 58, 12)])
    obstacle = session.analysis.obstacle
    assert not obstacle.is_refusal
    assert obstacle.places == ((MULTIFIDUS_RIGHT, 3),)
    assert "outlines of the multifidus" in obstacle.words
    assert session.analysis.measure()
    edit_operations.swap_sides(session, obstacle.places)
    assert session.analysis.obstacle is None


def test_landmarks_in_an_impossible_order_are_an_obstacle_that_marking_mends(session):
    first, second = landmarks_at(session, 40.0)
    session.set_landmarks([replace(first, level=Level.L3_L4), replace(second, level=Level.L4_L5)])
    obstacle = session.analysis.obstacle
    assert obstacle.is_refusal
    assert obstacle.mending is Mending.MARK_LEVELS
    assert obstacle.words == session.analysis.refusal
    session.set_landmarks([first, second])
    assert session.analysis.obstacle is None


def test_what_the_rater_can_not_mend_can_be_finished_with_a_reason(exam, session, monkeypatch):
    session.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    shared = replace(session.rois(), rois=(), levels=(), landmarks=())
    held = Session(exam, exam.series[0], session.rois(), shared=shared)
    obstacle = held.analysis.obstacle
    assert obstacle.is_refusal
    assert not obstacle.is_raters
    assert obstacle.mending is None
    assert not completeness(held.analysis).must_be_mended
    assert completeness(held.analysis).needs_reason
