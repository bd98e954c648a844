from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.edit_operations import put_layer
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import LayerKey, as_napari

import multifidus as mf
from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam
from multifidus.data.measurement import Quantity
from multifidus.data.roi import Source
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.errors import RoiError
from tests.plugins.conftest import SPACING, make_series
from tests.support.exams import axial_plane, circle, exam_of, image_slice, outline

BOW_TIE = np.array([(20.0, 20.0), (40.0, 40.0), (40.0, 20.0), (20.0, 40.0)])
ARTEFACT = LayerKey(Structure.ARTEFACT)


def test_a_path_on_a_tilted_slice_lies_in_its_plane(exam):
    session = Session(exam, exam.series[0])
    for index, item in enumerate(exam.series[0].slices):
        loop = circle(30, 30, 8)
        assert session.put(MULTIFIDUS_RIGHT, index, [loop])
        (roi,) = session.drawing.outlines[MULTIFIDUS_RIGHT, index]
        assert np.abs(item.plane.distance_mm(roi.paths_mm[0])).max() < 1e-9
        np.testing.assert_allclose(roi.paths[0], loop, atol=1e-9)
        assert roi.key.slice_uid == item.uid
        assert roi.source is Source.MANUAL


def test_numbers_are_those_of_the_library(session):
    rows = mf.measure(session.exam, session.rois())
    for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
        numbers = session.analysis.numbers(key, 2)
        of = {row.quantity: row.value for row in rows if row.key.side is key.side}
        assert numbers.area_mm2 == of[Quantity.TCSA_MM2]
        assert numbers.fat_pct == of[Quantity.FI_PCT]
        assert 20 < numbers.fat_pct < 45


def test_numbers_in_motion_agree_with_what_is_measured_on_release(session):
    session.analysis.measure()
    loop = circle(36.5, 20.3, 12)
    moving = session.analysis.preview(MULTIFIDUS_RIGHT, 2, [loop]).numbers
    session.put(MULTIFIDUS_RIGHT, 2, [loop])
    still = session.analysis.numbers(MULTIFIDUS_RIGHT, 2)
    assert moving.area_mm2 == pytest.approx(still.area_mm2, rel=1e-12)
    assert moving.fat_pct == pytest.approx(still.fat_pct, abs=0.2)
    assert moving.fat_method == still.fat_method


def test_the_first_muscle_is_measured_in_motion_by_the_references(exam):
    session = Session(exam, exam.series[0])
    session.put(LEAN, 0, [circle(6, 20, 4)])
    session.put(FAT, 0, [circle(66, 20, 4)])
    session.analysis.measure()
    loop = circle(36, 20, 12)
    moving = session.analysis.preview(MULTIFIDUS_RIGHT, 3, [loop]).numbers
    session.put(MULTIFIDUS_RIGHT, 3, [loop])
    assert moving == session.analysis.numbers(MULTIFIDUS_RIGHT, 3)


def test_without_references_there_is_area_and_a_flag(exam):
    session = Session(exam, exam.series[0])
    moving = session.analysis.preview(MULTIFIDUS_RIGHT, 3, [circle(36, 20, 12)]).numbers
    assert moving.area_mm2 > 0
    assert np.isnan(moving.fat_pct)
    assert Flag.NO_REFERENCE in moving.flags
    session.put(MULTIFIDUS_RIGHT, 3, [circle(36, 20, 12)])
    session.analysis.measure()
    again = session.analysis.preview(MULTIFIDUS_RIGHT, 3, [circle(36, 20, 11)]).numbers
    assert Flag.NO_REFERENCE in again.flags
    assert again.area_mm2 < moving.area_mm2


def test_artefacts_count_in_motion_as_they_do_at_rest(session):
    session.put(ARTEFACT, 2, [circle(36, 20, 3)])
    session.analysis.measure()
    loop = circle(36, 20, 12.5)
    moving = session.analysis.preview(MULTIFIDUS_RIGHT, 2, [loop]).numbers
    session.put(MULTIFIDUS_RIGHT, 2, [loop])
    assert Flag.ARTEFACT in moving.flags
    assert moving.mean_si == pytest.approx(session.analysis.numbers(MULTIFIDUS_RIGHT, 2).mean_si)


def test_doubts_about_a_stack_stand_in_motion_as_they_do_at_rest():
    # Positions straight along z, planes tilted: shifted sideways from one to the next.
    planes = [axial_plane(z=4.4 * k, tilt=20) for k in range(3)]
    slices = (image_slice(np.ones((80, 80)), plane, f"1.{k}") for k, plane in enumerate(planes))
    sheared = exam_of(*slices)
    session = Session(sheared, sheared.series[0])
    loop = circle(36, 20, 12)
    session.put(MULTIFIDUS_RIGHT, 1, [loop])
    session.analysis.measure()
    assert Flag.STACK_SHEARED in session.analysis.numbers(MULTIFIDUS_RIGHT, 1).flags
    assert Flag.STACK_SHEARED in session.analysis.preview(MULTIFIDUS_RIGHT, 1, [loop]).numbers.flags


def test_a_hole_and_an_island_are_one_outline(session):
    paths = [circle(36, 20, 12), circle(36, 20, 6), circle(36, 20, 3)]
    assert session.put(MULTIFIDUS_RIGHT, 2, paths)
    (roi,) = session.drawing.outlines[MULTIFIDUS_RIGHT, 2]
    assert len(roi.paths_mm) == 3
    polygon = 48 / 2 * np.sin(2 * np.pi / 48) * (12**2 - 6**2 + 3**2)
    assert session.analysis.numbers(MULTIFIDUS_RIGHT, 2).area_mm2 == pytest.approx(
        polygon * SPACING[0] * SPACING[1]
    )


def test_samples_are_outlines_of_their_own_and_keep_their_names(session):
    first, second, third = circle(6, 20, 4), circle(6, 40, 4), circle(6, 60, 4)
    session.put(LEAN, 2, [first, second, third])
    assert [roi.key.name for roi in session.drawing.outlines[LEAN, 2]] == ["1", "2", "3"]
    session.put(LEAN, 2, [first, third])
    assert [roi.key.name for roi in session.drawing.outlines[LEAN, 2]] == ["1", "3"]
    session.put(LEAN, 2, [first + 1, third])
    assert [roi.key.name for roi in session.drawing.outlines[LEAN, 2]] == ["1", "3"]
    session.put(LEAN, 2, [first + 1, third, second])
    assert {roi.key.name for roi in session.drawing.outlines[LEAN, 2]} == {"1", "2", "3"}


def test_the_same_paths_again_are_no_change(session):
    before = session.drawing.outlines[MULTIFIDUS_LEFT, 2]
    state = session.drawing
    loops = [as_napari(loop) for loop in session.drawing.loops(MULTIFIDUS_LEFT, 2)]
    assert not session.put(MULTIFIDUS_LEFT, 2, loops)
    assert session.drawing is state
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 2] is before


def test_a_crossing_path_is_kept_and_not_measured(session):
    session.put(MULTIFIDUS_RIGHT, 2, [BOW_TIE])
    assert "crosses itself" in session.drawing.problem(MULTIFIDUS_RIGHT, 2)
    assert (MULTIFIDUS_RIGHT, 2) not in session.drawing.outlines
    np.testing.assert_array_equal(session.drawing.loops(MULTIFIDUS_RIGHT, 2)[0], BOW_TIE)
    assert "crosses itself" in session.analysis.numbers(MULTIFIDUS_RIGHT, 2).problem
    assert {roi.key.side for roi in session.rois() if roi.key.structure.is_muscle} == {Side.LEFT}


def test_a_mended_path_takes_over_rule_and_level_of_what_it_was(exam):
    series = exam.series[0]
    roi = outline(
        series.slices[1],
        circle(36, 20, 12),
        side=Side.RIGHT,
        level=Level.L4_L5,
        slice_position=SlicePosition.MID_DISC,
        roi_rule=RoiRule.FASCIAL,
        source=Source.DRAFT,
    )
    session = Session(exam, series, RoiSet((roi,)))
    session.put(MULTIFIDUS_RIGHT, 1, [BOW_TIE])
    session.put(MULTIFIDUS_RIGHT, 1, [circle(36, 20, 11)])
    (mended,) = session.drawing.outlines[MULTIFIDUS_RIGHT, 1]
    assert (mended.key, mended.level, mended.roi_rule) == (roi.key, roi.level, roi.roi_rule)
    assert mended.source is Source.DRAFT_EDITED


def test_deleting_takes_outlines_away(session):
    assert put_layer(session, MULTIFIDUS_LEFT, {})
    assert session.drawing.slices_of(MULTIFIDUS_LEFT) == ()
    assert session.analysis.numbers(MULTIFIDUS_LEFT, 2) is None


def test_a_copy_is_a_draft_until_it_is_edited(session):
    assert session.drawing.nearest_drawn(MULTIFIDUS_LEFT, 4) == 2
    assert session.put(MULTIFIDUS_LEFT, 4, session.drawing.loops(MULTIFIDUS_LEFT, 2), Source.DRAFT)
    (copied,) = session.drawing.outlines[MULTIFIDUS_LEFT, 4]
    assert copied.source is Source.DRAFT
    assert Flag.DRAFT_UNEDITED in session.analysis.numbers(MULTIFIDUS_LEFT, 4).flags
    session.put(MULTIFIDUS_LEFT, 4, [circle(36, 58, 12)])
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 4][0].source is Source.DRAFT_EDITED


def test_a_level_is_said_once_for_a_slice_and_its_outlines(session):
    assert session.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    assert session.analysis.level_of(2) == (Level.L4_L5, SlicePosition.MID_DISC)
    assert session.rois().levels == (
        SliceLevel(session.series.slices[2].uid, Level.L4_L5, SlicePosition.MID_DISC),
    )
    assert {row.provenance.level for row in session.analysis.measure()} == {Level.L4_L5}
    assert not session.set_level(2, Level.L4_L5, SlicePosition.MID_DISC)
    session.set_level(2, None)
    assert session.analysis.level_of(2) == (None, SlicePosition.UNKNOWN)


def test_a_typed_level_wins_over_the_one_an_outline_came_with(exam):
    series = exam.series[0]
    roi = outline(series.slices[1], circle(36, 20, 12), side=Side.RIGHT, level=Level.L3_L4)
    session = Session(exam, series, RoiSet((roi,)))
    assert session.analysis.level_of(1)[0] is Level.L3_L4
    session.set_level(1, Level.L4_L5)
    assert {row.provenance.level for row in session.analysis.measure()} == {Level.L4_L5}


def test_levels_of_outlines_that_found_their_slice_by_its_plane_are_known(exam):
    series = exam.series[0]
    roi = outline(series.slices[1], circle(36, 20, 12), side=Side.RIGHT, slice_uid="other")
    rois = RoiSet((roi,), levels=(SliceLevel("other", Level.L3_L4),))
    session = Session(exam, series, rois)
    assert session.analysis.level_of(1)[0] is Level.L3_L4
    session.set_level(1, Level.L4_L5)
    assert {row.provenance.level for row in session.analysis.measure()} == {Level.L4_L5}


def test_swapped_sides_are_refused_with_areas_still_shown(session):
    session.put(MULTIFIDUS_LEFT, 2, [circle(36, 20, 12)])
    session.put(MULTIFIDUS_RIGHT, 2, [circle(36, 58, 12)])
    assert "swapped" in session.analysis.refusal
    with pytest.raises(RoiError, match="swapped"):
        session.analysis.measure()
    assert session.analysis.numbers(MULTIFIDUS_LEFT, 2).area_mm2 > 0


def test_outlines_on_other_series_and_gaps_are_kept(exam):
    other = make_series("1.9", (0.0, 0.0))
    both = Exam("S01", "pre", (*exam.series, other))
    roi = outline(other.slices[0], circle(36, 20, 12), side=Side.RIGHT)
    session = Session(both, exam.series[0], RoiSet((roi,)))
    assert session.drawing.layer_keys() == ()
    session.put(MULTIFIDUS_LEFT, 0, [circle(36, 58, 12)])
    assert roi in session.rois().rois
    assert len(session.rois()) == 2


def test_outlines_named_in_a_file_have_layers_of_their_own(exam):
    series = exam.series[0]
    deep = outline(series.slices[0], circle(36, 20, 12), side=Side.LEFT, name="deep")
    session = Session(exam, series, RoiSet((deep,)))
    (key,) = session.drawing.layer_keys()
    assert key == replace(MULTIFIDUS_LEFT, name="deep")
    session.put(key, 1, [circle(30, 30, 5)])
    assert {roi.key.name for roi in session.rois()} == {"deep"}


def test_the_list_has_a_line_for_everything_drawn(session):
    session.put(MULTIFIDUS_LEFT, 3, [BOW_TIE])
    lines = session.analysis.outline_rows
    assert [line.slice_index for line in lines] == [2, 2, 2, 2, 3]
    assert lines[-1].numbers.problem
