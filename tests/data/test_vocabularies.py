"""Closed vocabularies are closed at birth: nothing is accepted, saved, and refused on reading."""

import numpy as np
import pytest

from multifidus.data.anatomy import Level, Side, SlicePosition, Structure
from multifidus.data.clinical import Clinical
from multifidus.data.image import Series, Weighting
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Reading, Roi, RoiKey, Source
from multifidus.data.roi_set import Grade, NotMeasurable, Reason, SliceLevel
from multifidus.errors import MultifidusError
from tests.support.exams import axial_plane, box, image_slice

KEY = RoiKey(Reading("S01", "pre"), "1.2.3", "multifidus", "left")


def roi(**words):
    plane = axial_plane()
    return Roi(KEY, (plane.to_patient(box(1, 1, 5, 5)),), plane, (80, 100), **words)


def gap(level="L4-L5", side="left", structure="multifidus", reason="metal"):
    return NotMeasurable(level, side, structure, reason)


def series(weighting):
    return Series("1", (image_slice(np.zeros((4, 4))),), weighting)


@pytest.mark.parametrize(
    ("make", "wrong", "choices"),
    [
        (lambda word: roi(level=word), "banana", Level),
        (lambda word: roi(level=word), "L4/L5", Level),
        (lambda word: roi(roi_rule=word), "facial", ("fascial", "muscle_border")),
        (lambda word: roi(slice_position=word), "mid-disc", SlicePosition),
        (lambda word: roi(source=word), "hand", Source),
        (lambda word: RoiKey(Reading(), "1", word), "multifidius", Structure),
        (lambda word: RoiKey(Reading(), "1", "multifidus", word), "L", Side),
        (lambda word: SliceLevel("1", word), "L4/L5", Level),
        (lambda word: SliceLevel("1", "L4-L5", word), "middle", SlicePosition),
        (lambda word: gap(level=word), "L4/5", Level),
        (lambda word: gap(side=word), "l", Side),
        (lambda word: gap(structure=word), "MF", Structure),
        (lambda word: gap(reason=word), "screws", Reason),
        (lambda word: Grade("goutallier", word, "left", 2), "L9", Level),
        (lambda word: Grade("goutallier", "L4-L5", word, 2), "links", Side),
        (lambda word: Landmark(word, "L4-L5", (0, 0, 0)), "disc", LandmarkKind),
        (lambda word: Landmark("disc_centre", word, (0, 0, 0)), "L45", Level),
        (lambda word: Clinical(operated_levels=(word,)), "L4/L5", Level),
        (lambda word: Clinical(operated_side=word), "l", Side),
        (series, "T2w", Weighting),
    ],
)
def test_a_word_that_is_no_choice_is_refused_and_the_choices_are_listed(make, wrong, choices):
    with pytest.raises(MultifidusError) as caught:
        make(wrong)
    assert isinstance(caught.value, ValueError)
    assert repr(wrong) in caught.value.message
    assert all(choice in caught.value.remedy for choice in choices)


def test_strings_are_accepted_for_every_word_and_become_it():
    drawn = roi(level="L4-L5", slice_position="mid_disc", roi_rule="fascial", source="draft")
    assert drawn.level is Level.L4_L5
    assert drawn.slice_position is SlicePosition.MID_DISC
    assert drawn.source is Source.DRAFT
    assert SliceLevel("1", "L4-L5").level is Level.L4_L5
    assert gap().reason is Reason.METAL
    assert Grade("goutallier", "L4-L5", "left", 2).side is Side.LEFT
    clinical = Clinical(operated_levels=("L4-L5",), operated_side="left")
    assert clinical.operated_levels == (Level.L4_L5,)
    assert clinical.operated_side is Side.LEFT
    assert series("t2").weighting is Weighting.T2


@pytest.mark.parametrize("shape", [(80,), (80, 0), (80.5, 100), (1, 80, 100)])
def test_an_outline_on_an_image_of_no_size_is_refused(shape):
    plane = axial_plane()
    with pytest.raises(MultifidusError, match="shape of the image"):
        Roi(KEY, (plane.to_patient(box(1, 1, 5, 5)),), plane, shape)
