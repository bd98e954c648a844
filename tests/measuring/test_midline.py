"""Sides that contradict the midline: flagged, and refused where landmarks are sure."""

import numpy as np
import pytest

from multifidus import measure, read_exam, read_rois
from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.roi_set import RoiSet
from multifidus.errors import RoiError
from multifidus.measuring.locate import place
from multifidus.measuring.midline import wrong_sides
from multifidus.sample_data import sample_dir
from multifidus.spine.curve import Spine
from tests.support.exams import box, outline
from tests.support.spines import SHAPE, disc_centres, exam_through, slice_through, straight

POINTS = straight()
EXAM = exam_through(slice_through(point) for point in POINTS)
SLICES = EXAM.series[0].slices
LEVELS = (Level.L1_L2, Level.L2_L3, Level.L3_L4, Level.L4_L5, Level.L5_S1)
MIDDLE = SHAPE[1] / 2
"""Column of patient x = 0; pixels are 5 mm wide, columns run to the patient's left."""


def muscle(n, side, at_mm, structure=Structure.MULTIFIDUS):
    """Outline a muscle of 15 x 20 mm whose middle lies at a patient x."""
    column = MIDDLE + at_mm / 5 - 0.5
    drawn = box(30, column - 1, 34, column + 2)
    return outline(SLICES[n], drawn, structure, side, level=LEVELS[n])


def moved(point, left_mm):
    return np.asarray(point) + np.array((left_mm, 0, 0))


def flagged(rois, landmarks=()):
    spine = Spine.marked_by(landmarks) if landmarks else None
    return wrong_sides(place(rois, EXAM), spine)


def test_left_muscles_labelled_right_at_five_levels_are_refused_where_landmarks_are_sure():
    rois = RoiSet(tuple(muscle(n, Side.RIGHT, 20.0) for n in range(5)))
    with pytest.raises(
        RoiError, match=r"right multifidus on slice 1 \(L1-L2\).* lies on the patient's left"
    ):
        measure(EXAM, RoiSet(rois.rois, tuple(disc_centres(POINTS))))


def test_without_landmarks_they_are_flagged_by_the_middle_of_the_image():
    rois = RoiSet(tuple(muscle(n, Side.RIGHT, 20.0) for n in range(5)))
    rows = measure(EXAM, rois)
    assert rows
    assert all(Flag.SIDE_DOUBTFUL in row.flags for row in rows if row.key.side is Side.RIGHT)
    right = RoiSet(tuple(muscle(n, Side.LEFT, 20.0) for n in range(5)))
    assert not any(Flag.SIDE_DOUBTFUL in row.flags for row in measure(EXAM, right))


@pytest.mark.parametrize("off", [-60.0, 60.0])
def test_landmarks_win_over_an_image_that_is_not_centred(off):
    marks = disc_centres([moved(point, off) for point in POINTS])
    good = [muscle(n, Side.LEFT, off + 20.0) for n in range(5)]
    assert not flagged(good, marks)
    bad = [muscle(n, Side.RIGHT, off + 20.0) for n in range(5)]
    assert len(flagged(bad, marks)) == 5


def test_the_midline_follows_a_scoliosis_between_landmarks():
    bend = [30 * np.sin(n) for n in range(5)]
    marks = disc_centres([moved(p, x) for p, x in zip(POINTS, bend, strict=True)])
    assert not flagged([muscle(n, Side.LEFT, bend[n] + 12) for n in range(5)], marks)
    found = flagged([muscle(n, Side.RIGHT, bend[n] + 12) for n in range(5)], marks)
    assert [item.across_mm for item in found] == pytest.approx([12.0] * 5)


def test_both_sides_of_another_muscle_on_a_slice_nearby_say_where_the_middle_is():
    pair = [
        muscle(2, side, 40 + at, Structure.ERECTOR_SPINAE)
        for side, at in ((Side.LEFT, 60), (Side.RIGHT, -60))
    ]
    wrong = muscle(3, Side.RIGHT, 60.0)
    (found,) = flagged([*pair, wrong])
    assert found.placed.roi is wrong
    assert found.across_mm == pytest.approx(20.0)
    assert not found.is_refused
    assert not flagged([*pair, muscle(3, Side.RIGHT, 20.0)])


def test_without_pairs_the_canal_says_where_the_middle_is():
    canal = outline(SLICES[1], box(20, MIDDLE + 7, 22, MIDDLE + 9), Structure.CSF, Side.NONE)
    assert not flagged([canal, muscle(1, Side.RIGHT, 20.0)])
    (found,) = flagged([canal, muscle(1, Side.LEFT, 20.0)])
    assert "csf" in found.midline.source


def test_an_outline_that_reaches_over_the_midline_is_not_doubted():
    marks = disc_centres(POINTS)
    assert not flagged([muscle(n, Side.LEFT, 3.0) for n in range(5)], marks)
    assert not flagged([muscle(n, Side.RIGHT, 3.0) for n in range(5)], marks)


@pytest.mark.parametrize("case", ["S01_pre", "S01_post"])
@pytest.mark.parametrize("kept", [(Side.LEFT,), (Side.RIGHT,), (Side.LEFT, Side.RIGHT)])
def test_the_sample_is_not_doubted_whichever_sides_and_landmarks_are_there(case, kept):
    exam = read_exam(sample_dir() / case)
    rois = read_rois(sample_dir() / f"{case}.outlines.json", exam)
    chosen = [roi for roi in rois if roi.key.side in {*kept, Side.NONE}]
    placed = place(chosen, exam)
    assert not wrong_sides(placed, Spine.marked_by(rois.landmarks))
    assert not wrong_sides(placed)
    assert not wrong_sides([item for item in placed if item.roi.key.structure.is_muscle])
