"""Copy, mirror, interpolate, smooth, nudge and drafts, decided without a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.checklist import missing, next_missing
from napari_multifidus.models.edit_operations import (
    copy_from_nearest,
    copy_on,
    interpolate_here,
    mirror,
    nudge,
    smooth,
    take_drafts,
)
from napari_multifidus.models.session import Session

import multifidus as mf
from multifidus.data.anatomy import Level
from multifidus.data.flags import Flag
from multifidus.data.geometry import plane_from_affine
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.polygon import area
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import Reason, RoiSet
from multifidus.errors import GeometryError, MultifidusError, RoiError
from tests.plugins.conftest import COLUMNS, make_series
from tests.support.exams import axial_plane, circle
from tests.support.niftis import lumbar_affine, save

BOW_TIE = np.array([(20.0, 20.0), (40.0, 40.0), (40.0, 20.0), (20.0, 40.0)])


@pytest.fixture
def stack():
    """Return a session on one stack of five parallel slices."""
    rng = np.random.default_rng(3)
    slices = [
        Slice.from_array(f"1.{n}", axial_plane(4.0 * n, 0, (0.8, 0.7)), rng.random((72, 80)), 4.0)
        for n in range(5)
    ]
    exam = Exam("S01", "pre", (Series("1", tuple(slices), Weighting.T2),))
    return Session(exam, exam.series[0])


def test_copies_wait_for_editing_and_replace_nothing(session):
    copy_from_nearest(session, MULTIFIDUS_LEFT, 5)
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 5][0].source is Source.DRAFT
    assert copy_on(session, MULTIFIDUS_LEFT, 2) == 3
    with pytest.raises(RoiError, match="already"):
        copy_on(session, MULTIFIDUS_LEFT, 2)
    with pytest.raises(RoiError, match="already"):
        copy_from_nearest(session, MULTIFIDUS_LEFT, 3)
    with pytest.raises(RoiError, match="last slice"):
        copy_on(session, MULTIFIDUS_LEFT, 5)
    with pytest.raises(RoiError, match="no outline"):
        copy_on(session, MULTIFIDUS_LEFT, 0)


def test_the_side_that_is_missing_is_mirrored(exam):
    session = Session(exam, exam.series[0])
    with pytest.raises(RoiError, match="no outline"):
        mirror(session, MULTIFIDUS_LEFT, 1)
    session.put(MULTIFIDUS_RIGHT, 1, [circle(36, 20, 12), circle(36, 20, 3)])
    # Whichever side is in hand, the empty one is filled; across the centre of the image.
    key, words = mirror(session, MULTIFIDUS_RIGHT, 1)
    assert key == MULTIFIDUS_LEFT
    assert "centre of the image" in words
    expected = (COLUMNS - 1) - 20
    found = session.drawing.loops(MULTIFIDUS_LEFT, 1)
    np.testing.assert_allclose(found[0].mean(axis=0), (36, expected), atol=1e-9)
    assert area(found) == pytest.approx(area([circle(36, 20, 12)]) - area([circle(36, 20, 3)]))
    (roi,) = session.drawing.outlines[MULTIFIDUS_LEFT, 1]
    assert roi.source is Source.DRAFT
    assert not session.analysis.refusal
    with pytest.raises(RoiError, match="already"):
        mirror(session, MULTIFIDUS_LEFT, 1)
    with pytest.raises(RoiError, match="no other side"):
        mirror(session, LEAN, 1)


def test_mirrors_across_the_midline_of_what_is_outlined_beside(session):
    # The pair of slice 2 has its middle at column 39, not at the image's 39.5.
    session.put(MULTIFIDUS_LEFT, 3, [circle(36, 58, 9)])
    key, words = mirror(session, MULTIFIDUS_RIGHT, 3)
    assert key == MULTIFIDUS_RIGHT
    assert "both outlines of the multifidus" in words
    np.testing.assert_allclose(session.drawing.loops(key, 3)[0].mean(axis=0), (36, 20), atol=1e-6)


def test_between_two_slices_of_a_stack(stack):
    stack.put(MULTIFIDUS_LEFT, 0, [circle(36, 56, 8, 180)])
    with pytest.raises(RoiError, match="one side"):
        interpolate_here(stack, MULTIFIDUS_LEFT, 1)
    stack.put(MULTIFIDUS_LEFT, 4, [circle(36, 60, 16, 180)])
    assert interpolate_here(stack, MULTIFIDUS_LEFT, 1) == (0, 4)
    (roi,) = stack.drawing.outlines[MULTIFIDUS_LEFT, 1]
    assert roi.source is Source.INTERPOLATED
    # A quarter of the way; circles of pixels are ellipses of millimetres, a little off theirs.
    assert area(roi.paths) == pytest.approx(np.pi * 10**2, rel=0.01)
    np.testing.assert_allclose(roi.paths[0].mean(axis=0), (36, 57), atol=0.2)
    assert stack.drawing.draft_dice(MULTIFIDUS_LEFT, 1) == pytest.approx(1)
    with pytest.raises(RoiError, match="already"):
        interpolate_here(stack, MULTIFIDUS_LEFT, 1)
    stack.put(MULTIFIDUS_LEFT, 1, [])
    stack.put(MULTIFIDUS_LEFT, 0, [BOW_TIE])
    with pytest.raises(RoiError, match="crosses itself"):
        interpolate_here(stack, MULTIFIDUS_LEFT, 1)


def test_nothing_lies_between_angled_stacks(session):
    session.put(MULTIFIDUS_LEFT, 5, [circle(36, 58, 9)])
    with pytest.raises(GeometryError, match="degrees"):
        interpolate_here(session, MULTIFIDUS_LEFT, 3)


def test_smoothed_and_nudged(session):
    rough = circle(36, 58, 13) + np.random.default_rng(1).normal(0, 0.3, (48, 2))
    session.put(MULTIFIDUS_LEFT, 2, [rough])
    before = session.drawing.outlines[MULTIFIDUS_LEFT, 2][0].area_mm2
    assert smooth(session, MULTIFIDUS_LEFT, 2)
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 2][0].area_mm2 == pytest.approx(
        before, rel=1e-9
    )
    loop = session.drawing.loops(MULTIFIDUS_LEFT, 2)[0]
    assert nudge(session, MULTIFIDUS_LEFT, 2, (0, -1.5))
    np.testing.assert_allclose(
        session.drawing.loops(MULTIFIDUS_LEFT, 2)[0], loop - (0, 1.5), atol=1e-9
    )
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 2][0].source is Source.MANUAL
    for act in (smooth, lambda *a: nudge(*a, (1, 1))):
        with pytest.raises(RoiError, match="no outline"):
            act(session, MULTIFIDUS_LEFT, 4)


def test_the_next_missing_outline(session):
    assert missing(session.analysis) == ()
    assert next_missing(session.analysis) is None
    session.set_level(2, Level.L4_L5)
    session.set_level(4, Level.L3_L4)
    session.put(MULTIFIDUS_RIGHT, 2, [])
    right, left = MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT
    assert missing(session.analysis) == ((right, 2), (right, 4), (left, 4))
    assert next_missing(session.analysis) == (right, 2)
    assert next_missing(session.analysis, (right, 2)) == (right, 4)
    assert next_missing(session.analysis, (left, 2)) == (right, 4)
    assert next_missing(session.analysis, (LEAN, 3)) == (right, 4)
    # After the last, the first again.
    assert next_missing(session.analysis, (left, 4)) == (right, 2)
    # What crosses itself is missing still.
    session.put(right, 2, [BOW_TIE])
    assert next_missing(session.analysis) == (right, 2)
    session.put(right, 2, [])
    session.set_not_measurable(right, 2, Reason.METAL, "screw")
    assert missing(session.analysis) == ((right, 4), (left, 4))


def test_what_cannot_be_measured_is_said_for_a_level(session, tmp_path):
    with pytest.raises(RoiError, match="no level yet"):
        session.set_not_measurable(MULTIFIDUS_LEFT, 4, Reason.METAL)
    session.set_level(4, Level.L3_L4)
    session.set_level(5, Level.L3_L4)
    assert session.set_not_measurable(MULTIFIDUS_LEFT, 4, Reason.METAL, "cage")
    assert not session.set_not_measurable(MULTIFIDUS_LEFT, 5, Reason.METAL, "cage")
    assert session.analysis.not_measurable(MULTIFIDUS_LEFT, 5).note == "cage"
    assert session.analysis.not_measurable(MULTIFIDUS_RIGHT, 5) is None
    path = tmp_path / "a.outlines.json"
    mf.write_rois(session.rois(), path)
    (gap,) = mf.read_rois(path, session.exam).not_measurable
    assert (gap.level, gap.side, gap.reason) == (Level.L3_L4, "left", Reason.METAL)
    assert session.set_not_measurable(MULTIFIDUS_LEFT, 5, Reason.OTHER)
    assert session.set_not_measurable(MULTIFIDUS_LEFT, 5, None)
    assert not session.set_not_measurable(MULTIFIDUS_LEFT, 5, None)
    session.set_level(2, Level.L4_L5)
    with pytest.raises(RoiError, match="There is an outline"):
        session.set_not_measurable(MULTIFIDUS_LEFT, 2, Reason.METAL)


def test_an_outline_file_is_taken_as_drafts(session, exam, tmp_path):
    path = tmp_path / "automatic.outlines.json"
    mf.write_rois(session.rois().read_by(Reading("S01", "pre", "net", 1)), path)
    mine = Session(exam, exam.series[0], RoiSet(reading=Reading("S01", "pre", "R1", 1)))
    mine.put(MULTIFIDUS_LEFT, 2, [circle(36, 58, 5)])
    taken = take_drafts(mine, path)
    assert (taken.taken, taken.drawn, taken.elsewhere) == (3, 1, 0)
    assert "Imported 3 drafts" in taken.words
    assert "1 where something is drawn" in taken.words
    (kept,) = mine.drawing.outlines[MULTIFIDUS_LEFT, 2]
    assert kept.source is Source.MANUAL
    (draft,) = mine.drawing.outlines[MULTIFIDUS_RIGHT, 2]
    assert draft.source is Source.DRAFT
    assert draft.key.reading.rater == "R1"
    flags = mine.analysis.numbers(MULTIFIDUS_RIGHT, 2).flags
    assert Flag.DRAFT_UNEDITED in flags
    nudge(mine, MULTIFIDUS_RIGHT, 2, (1, 0))
    assert mine.drawing.outlines[MULTIFIDUS_RIGHT, 2][0].source is Source.DRAFT_EDITED
    assert Flag.DRAFT_UNEDITED not in mine.analysis.numbers(MULTIFIDUS_RIGHT, 2).flags
    assert 0.9 < mine.drawing.draft_dice(MULTIFIDUS_RIGHT, 2) < 1


def test_a_label_map_is_taken_as_drafts(tmp_path):
    affine = lumbar_affine(12)
    slices = [
        Slice.from_array(f"1.{k}", plane_from_affine(affine, k), np.zeros((60, 70)))
        for k in range(3)
    ]
    exam = Exam("S01", "pre", (Series("1", tuple(slices), Weighting.T2),))
    labels = np.zeros((70, 60, 3), dtype=np.uint8)
    # Columns first; the patient's left has the larger x.
    labels[10:20, 30:42, 1], labels[40:52, 30:42, 1] = 2, 3
    path = save(tmp_path / "net.nii.gz", labels, affine)
    session = Session(exam, exam.series[0])
    with pytest.raises(MultifidusError, match="label map"):
        take_drafts(session, path)
    assert take_drafts(session, path, "lpm").taken == 2
    for key, count in ((MULTIFIDUS_RIGHT, 10 * 12), (MULTIFIDUS_LEFT, 12 * 12)):
        assert area(session.drawing.loops(key, 1)) == pytest.approx(count)
        assert session.drawing.outlines[key, 1][0].source is Source.DRAFT


def test_a_label_map_that_fits_several_series_gives_drafts_on_the_one_being_outlined(tmp_path):
    affine = lumbar_affine(12)
    exam = Exam(
        "S01",
        "pre",
        tuple(
            Series(
                uid,
                tuple(
                    Slice.from_array(f"{uid}.{k}", plane_from_affine(affine, k), np.zeros((60, 70)))
                    for k in range(3)
                ),
                weighting,
            )
            for uid, weighting in (("1.1", Weighting.T1), ("1.2", Weighting.T2))
        ),
    )
    labels = np.zeros((70, 60, 3), np.uint8)
    labels[10:20, 20:32, 1], labels[40:52, 20:32, 1] = 2, 3
    path = save(tmp_path / "net.nii.gz", labels, affine)
    for series in exam.series:
        session = Session(exam, series)
        taken = take_drafts(session, path, "lpm")
        assert (taken.taken, taken.elsewhere) == (2, 0)
        (draft,) = session.drawing.outlines[MULTIFIDUS_RIGHT, 1]
        assert draft.key.slice_uid == f"{series.uid}.1"


def test_drafts_of_another_exam_are_refused(session, tmp_path):
    other = Exam("S01", "pre", (make_series("1.9", (30.0, 30.0)),))
    theirs = Session(other, other.series[0])
    theirs.put(MULTIFIDUS_LEFT, 0, [circle(36, 58, 5)])
    path = tmp_path / "theirs.outlines.json"
    mf.write_rois(theirs.rois(), path)
    before = session.rois()
    with pytest.raises(MultifidusError, match="fits no slice"):
        take_drafts(session, path)
    assert session.rois() == before
