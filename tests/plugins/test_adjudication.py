"""Two readings compared, and the consensus made of them, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus.models.adjudication import adopt, pairs, take, take_all
from napari_multifidus.models.drawing_edits import with_half_drawn
from napari_multifidus.models.half_drawn import POLYGON, HalfDrawn
from napari_multifidus.models.session import Session

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import RoiSet
from tests.plugins.conftest import FAT, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from tests.support.exams import box

MID = SlicePosition.MID_DISC


@pytest.fixture
def both(exam):
    """A draws two muscles; B the left one moved by a quarter of its width, and a reference."""
    made = []
    for rater in ("A", "B"):
        reading = Reading("S01", "pre", rater)
        made.append(Session(exam, exam.series[0], RoiSet(reading=reading)))
    first, second = made
    first.put(MULTIFIDUS_LEFT, 2, [box(30, 50, 49, 69)])
    first.put(MULTIFIDUS_RIGHT, 3, [box(30, 10, 49, 29)])
    second.put(MULTIFIDUS_LEFT, 2, [box(30, 55, 49, 74)])
    second.put(MULTIFIDUS_RIGHT, 3, [box(30, 10, 49, 29)])
    second.put(FAT, 1, [box(60, 10, 64, 14)])
    first.set_level(2, Level.L4_L5, MID)
    second.set_level(2, Level.L4_L5, MID)
    first.set_level(3, Level.L4_L5, MID)
    second.set_level(3, Level.L5_S1, MID)
    return first, second


@pytest.fixture
def consensus(exam):
    made = Session(exam, exam.series[0], RoiSet(reading=Reading("S01", "pre", "consensus")))
    made.new_source = Source.CONSENSUS
    return made


def test_the_worst_agreement_comes_first(both):
    found = pairs(*both)
    assert [(pair.key, pair.index) for pair in found] == [
        (FAT, 1),
        (MULTIFIDUS_LEFT, 2),
        (MULTIFIDUS_RIGHT, 3),
    ]
    assert [pair.dice for pair in found] == pytest.approx([0, 0.75, 1])
    assert [pair.only for pair in found] == ["B", "", ""]
    assert [pair.level_words for pair in found] == ["?", "L4-L5", "L4-L5 / L5-S1"]


def test_a_path_that_is_no_outline_counts_as_none(both):
    first, second = both
    crossing = np.array([(30.0, 50.0), (49.0, 69.0), (49.0, 50.0), (30.0, 69.0)])
    first.put(MULTIFIDUS_LEFT, 2, [crossing])
    assert next(p for p in pairs(first, second) if p.key == MULTIFIDUS_LEFT).only == "B"


def test_only_what_both_say_of_levels_is_adopted(both, consensus):
    assert adopt(consensus, both).changed
    assert consensus.analysis.typed_level(2) == (Level.L4_L5, MID)
    assert consensus.analysis.typed_level(3)[0] is None
    assert not adopt(consensus, both).changed


def test_what_the_consensus_has_not_finished_is_not_taken_over(both, consensus):
    crossing = np.array([(30.0, 50.0), (49.0, 69.0), (49.0, 50.0), (30.0, 69.0)])
    consensus.put(MULTIFIDUS_LEFT, 2, [crossing])
    path = np.array([(30.0, 10.0), (49.0, 10.0), (49.0, 29.0)])
    where = (MULTIFIDUS_RIGHT, 3)
    half = HalfDrawn(POLYGON, path, path)
    consensus.change(with_half_drawn(consensus.drawing, where, half))
    assert take_all(consensus, pairs(*both), 0, both[0]) == (0, 2)
    np.testing.assert_array_equal(consensus.drawing.loops(MULTIFIDUS_LEFT, 2), [crossing])
    assert consensus.drawing.half_drawn == {where: half}
    assert not consensus.drawing.outlines


def test_all_of_a_rater_is_taken_where_the_consensus_has_nothing(both, consensus):
    found = pairs(*both)
    mine = [box(30, 11, 49, 29)]
    consensus.put(MULTIFIDUS_RIGHT, 3, mine)
    assert take_all(consensus, found, 1, both[1]) == (2, 1)
    assert np.allclose(consensus.drawing.loops(MULTIFIDUS_RIGHT, 3)[0], mine[0])
    for pair in found[:2]:
        taken = consensus.drawing.loops(pair.key, pair.index)
        assert np.allclose(taken[0], pair.loops[1][0])
    # What the other alone drew is not taken along.
    assert take_all(consensus, found, 0, both[0]) == (0, 2)


def test_what_is_taken_is_the_raters_outline_with_its_level(both, consensus):
    right = pairs(*both)[2]
    assert take(consensus, right, 1, both[1])
    (roi,) = consensus.drawing.outlines[MULTIFIDUS_RIGHT, 3]
    assert roi.source is Source.CONSENSUS
    assert roi.key.reading.rater == "consensus"
    assert np.allclose(roi.paths[0], right.loops[1][0])
    assert consensus.analysis.typed_level(3) == (Level.L5_S1, MID)
    assert not take(consensus, right, 1, both[1])
    # Edited by hand or drawn anew it is the consensus' as well.
    consensus.put(MULTIFIDUS_RIGHT, 3, [box(30, 11, 49, 29)])
    consensus.put(FAT, 1, [box(60, 10, 65, 14)])
    assert {roi.source for roi in consensus.rois()} == {Source.CONSENSUS}


def marks(*places):
    centre = LandmarkKind.DISC_CENTRE
    return [Landmark(centre, level, position) for level, position in places]


def test_landmarks_of_both_are_joined_and_each_is_kept_in_words(both, consensus):
    first, second = both
    first.set_landmarks(
        marks((Level.L5_S1, (0, 0, 0)), (Level.L4_L5, (0, 0, 36)), (Level.L3_L4, (0, 0, 70)))
    )
    second.set_landmarks(marks((Level.L5_S1, (2, 0, 4)), (Level.L4_L5, (0, 0, 72))))
    adopted = adopt(consensus, both)
    taken = {mark.level: mark.position_mm.tolist() for mark in consensus.drawing.landmarks}
    # The mean of both; what one alone has set; and nothing where they mean different discs.
    assert taken == {Level.L5_S1: [1, 0, 2], Level.L3_L4: [0, 0, 70]}
    (l5, l4, l3) = (mark.as_dict() for mark in adopted.marks)
    assert l5["set_by"] == {"A": [0, 0, 0], "B": [2, 0, 4]}
    assert l5["taken"] == [1, 0, 2]
    assert l4["taken"] is None
    assert l3["set_by"] == {"A": [0, 0, 70]}
    assert "disc centre L4-L5 (36 mm)" in adopted.warning
    # What the consensus has is not joined again.
    assert adopt(consensus, both).marks == ()
