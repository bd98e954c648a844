"""What a click on the sagittal image means, without a screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st
from napari_multifidus.models.grid import axial_series
from napari_multifidus.models.landmark_edits import levels_down
from napari_multifidus.models.locator import Locator
from napari_multifidus.models.sagittal import sagittal_series
from napari_multifidus.models.session import Session
from napari_multifidus.models.slice_projection import SliceProjection

import multifidus as mf
from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi_set import RoiSet
from multifidus.errors import LevelError
from multifidus.sample_data import sample_dir
from tests.plugins.conftest import make_series
from tests.support.strategies import numbers

UPWARDS = [Level.L5_S1, Level.L4_L5, Level.L3_L4, Level.L2_L3, Level.L1_L2]


@pytest.fixture
def model(locator_session):
    return Locator(locator_session)


@pytest.fixture(scope="module")
def phantom():
    exam = mf.read_exam(sample_dir() / "S01_pre")
    return exam, mf.read_rois(sample_dir() / "S01_pre.outlines.json", exam)


def sagittal_item(row_step, column_step, shape=(40, 30), uid="9.1") -> Slice:
    """Return a slice whose middle is the patient's origin."""
    row, column = np.array(row_step, dtype=float), np.array(column_step, dtype=float)
    origin = -(shape[0] - 1) / 2 * row - (shape[1] - 1) / 2 * column
    pixels = np.random.default_rng(3).normal(100, 20, shape)
    return Slice.from_array(uid, Plane(origin, row, column), pixels, 4.0)


HEADWARDS_BACKWARDS = [
    ((0, 0, -2), (0, 1.5, 0)),
    ((0, 0, 2), (0, 1.5, 0)),
    ((0, 0, -2), (0, -1.5, 0)),
    ((0, 1.5, 0), (0, 0, -2)),
    ((0, -1.5, 0), (0, 0, 2)),
    ((0.3, 0.2, -2), (0.1, 1.5, 0.15)),
]


@pytest.mark.parametrize(("row", "column"), HEADWARDS_BACKWARDS)
def test_the_head_is_up_and_the_back_is_right_however_pixels_are_stored(row, column):
    view = SliceProjection.sagittal(sagittal_item(row, column))
    head, back = view.to_view(np.array([(0.0, 0.0, 10.0), (0.0, 10.0, 0.0)]))
    (middle,) = view.to_view(np.zeros((1, 3)))
    assert middle == pytest.approx(np.array(view.size_mm) / 2)
    assert head[1] < middle[1] - 8
    assert back[0] > middle[0] + 8


@pytest.mark.parametrize(("row", "column"), HEADWARDS_BACKWARDS)
@given(right=numbers(0, 40), down=numbers(0, 40))
def test_a_click_comes_back_to_its_place(row, column, right, down):
    view = SliceProjection.sagittal(sagittal_item(row, column))
    point = view.to_patient((right, down))
    assert view.item.plane.distance_mm([point])[0] == pytest.approx(0, abs=1e-9)
    assert view.to_view(point[None])[0] == pytest.approx((right, down), abs=1e-9)


@pytest.mark.parametrize(("row", "column"), HEADWARDS_BACKWARDS)
@given(place=st.tuples(st.integers(0, 39), st.integers(0, 29)))
def test_the_picture_shows_each_pixel_where_it_lies(row, column, place):
    item = sagittal_item(row, column)
    view = SliceProjection.sagittal(item)
    lone = np.zeros(item.shape)
    lone[place] = 1
    seen_row, seen_column = np.argwhere(view.turned(lone))[0]
    height, width = view.turned(lone).shape
    ((right, down),) = view.to_view(item.plane.to_patient([place]))
    assert (right, down) == pytest.approx(
        (
            (seen_column + 0.5) / width * view.size_mm[0],
            (seen_row + 0.5) / height * view.size_mm[1],
        )
    )


def test_clicking_the_true_discs_gives_every_slice_its_true_level(phantom):
    exam, perfect = phantom
    session = Session(exam, axial_series(exam)[0])
    model = Locator(session)
    centre = {mark.level: mark.position_mm for mark in perfect.landmarks}
    clicked = []
    while model.state.level is not None:
        clicked.append(model.state.level)
        # Where a rater sees the disc: its centre, seen on the sagittal slice nearest to it.
        place = model.scene.projection.to_view(centre[model.state.level][None])[0]
        assert model.place(tuple(place))
    assert clicked == UPWARDS
    assert session.analysis.refusal == ""
    true = {said.slice_uid: said.level for said in perfect.levels}
    assert [session.analysis.level_of(n)[0] for n in range(len(session.series.slices))] == [
        true[item.uid] for item in session.series.slices
    ]
    named = {session.analysis.level_of(n) for n in range(len(session.series.slices))}
    assert {level for level, position in named if position is SlicePosition.MID_DISC} == {*UPWARDS}


def test_cut_lines_run_through_the_discs_that_the_slices_were_planned_on(phantom):
    exam, perfect = phantom
    session = Session(exam, axial_series(exam)[0])
    model = Locator(session)
    positions = {said.slice_uid: said for said in perfect.levels}
    assert len(model.scene.lines) == len(session.series.slices)
    for mark in perfect.landmarks:
        place = model.scene.projection.to_view(mark.position_mm[None])[0]
        line = model.scene.line_at(tuple(place), 5.0)
        said = positions[session.series.slices[line.slice_index].uid]
        assert (said.level, said.slice_position) == (mark.level, SlicePosition.MID_DISC)
        assert line.distance_mm(tuple(place)) < 0.6


def test_the_first_sagittal_slice_shown_is_the_one_nearest_to_the_spine(phantom):
    exam, perfect = phantom
    model = Locator(Session(exam, axial_series(exam)[0]))
    away = [
        abs(float(item.plane.distance_mm([perfect.landmarks[2].position_mm])[0]))
        for item in model.state.series.slices
    ]
    assert model.state.index == int(np.argmin(away))


def test_a_line_is_as_far_as_its_nearest_point(model):
    line = model.scene.lines[0]
    along = line.ends[1] - line.ends[0]
    length = np.hypot(*along)
    across = np.array((-along[1], along[0])) / length
    assert line.distance_mm(tuple(line.ends.mean(axis=0) + 3 * across)) == pytest.approx(3)
    assert line.distance_mm(tuple(line.ends[1] + 4 * along / length)) == pytest.approx(4)
    assert model.scene.line_at(tuple(line.ends[1] + 40 * along / length), 5.0) is None


def test_marks_are_asked_for_from_the_sacrum_up_or_from_the_head_down(model):
    assert [model.state.level, model.state.from_sacrum] == [Level.L5_S1, True]
    model.set_direction(from_sacrum=False)
    assert model.state.level is Level.L1_L2
    model.place((20, 20))
    assert model.state.level is Level.L2_L3
    model.set_direction(from_sacrum=True)
    assert model.state.level is Level.L5_S1


def test_a_level_can_be_taken_out_of_turn_and_marked_again(model):
    model.activate(model.state.kind, Level.L3_L4)
    model.place((20, 30))
    assert model.state.level is Level.L2_L3
    model.step(-1)
    assert model.state.level is Level.L3_L4
    model.place((20, 34))
    (mark,) = model.session.drawing.landmarks
    assert mark.level is Level.L3_L4
    assert model.scene.projection.to_view(mark.position_mm[None])[0] == pytest.approx((20, 34))


def test_when_all_is_marked_a_click_marks_nothing_more(model):
    model.set_marking(on=True)
    for number in range(5):
        model.place((20.0, 95.0 - 15 * number))
    assert model.state.level is None
    assert not model.state.is_marking
    assert not model.place((10, 10))
    assert len(model.session.drawing.landmarks) == 5
    assert model.prompt == "All levels are marked."
    model.step(1)
    assert model.state.level is Level.L5_S1


def test_landmarks_are_moved_and_deleted(model):
    model.place((20, 90))
    (mark,) = model.session.drawing.landmarks
    assert model.scene.landmark_at((21.0, 91.0), 3.0).landmark is mark
    assert model.scene.landmark_at((30.0, 91.0), 3.0) is None
    assert model.move(mark, (25.0, 80.0))
    (moved,) = model.session.drawing.landmarks
    assert model.scene.landmarks[0].place == pytest.approx((25, 80))
    assert model.delete(moved)
    assert model.session.drawing.landmarks == ()


def test_a_landmark_of_another_sagittal_slice_is_seen_with_its_distance(model):
    model.place((20, 90))
    model.scroll(1)
    (mark,) = model.scene.landmarks
    assert mark.off_mm == pytest.approx(6)
    model.move(mark.landmark, (20.0, 90.0))
    assert model.scene.landmarks[0].off_mm == pytest.approx(0, abs=1e-9)
    model.scroll(-100)
    assert model.state.index == 0


def test_the_keyboard_goes_on_evenly_from_disc_to_disc(model):
    model.nudge(*(np.array((22.0, 95.0)) - model.cursor))
    assert model.place(tuple(model.cursor))
    # One disc says nothing about the next but its usual distance.
    assert model.cursor == pytest.approx((22, 60))
    model.nudge(1, 20)
    model.place(tuple(model.cursor))
    assert model.cursor == pytest.approx((24, 65))
    model.place(tuple(model.cursor))
    assert model.state.level is Level.L2_L3
    model.step(-1)
    assert model.cursor == pytest.approx((24, 65))
    assert model.delete_active()
    assert len(model.session.drawing.landmarks) == 2
    assert not model.delete_active()


def test_six_lumbar_vertebrae_are_counted_anew_from_the_sacrum(model):
    for number in range(3):
        model.place((20.0, 95.0 - 20 * number))
    model.set_l6(has_l6=True)
    assert [mark.level for mark in model.session.drawing.landmarks] == [
        Level.L6_S1,
        Level.L5_L6,
        Level.L4_L5,
    ]
    assert not model.warning
    assert model.state.level is Level.L3_L4
    assert Level.L5_S1 not in model.state.levels
    model.set_l6(has_l6=False)
    assert [mark.level for mark in model.session.drawing.landmarks] == UPWARDS[:3]
    again = Locator(
        Session(
            model.session.exam,
            model.session.series,
            RoiSet(landmarks=(Landmark(LandmarkKind.DISC_CENTRE, Level.L5_L6, (0, 0, 0)),)),
        )
    )
    assert again.state.has_l6


def test_a_wrong_count_is_mended_in_one_step(model):
    model.activate(model.state.kind, Level.L4_L5)
    for number in range(2):
        model.place((20.0, 80.0 - 20 * number))
    model.shift_levels(1)
    assert [mark.level for mark in model.session.drawing.landmarks] == [Level.L5_S1, Level.L4_L5]
    with pytest.raises(LevelError, match="no level below it"):
        model.shift_levels(1)
    model.shift_levels(-4)
    with pytest.raises(LevelError, match="no level above it"):
        model.shift_levels(-1)


def test_what_has_no_place_in_five_vertebrae_is_refused(model):
    model.set_l6(has_l6=True)
    model.activate(model.state.kind, Level.T12_L1)
    model.place((20, 20))
    with pytest.raises(LevelError, match="no place for it"):
        model.set_l6(has_l6=False)
    assert model.state.has_l6


def test_endplates_and_cages_are_marked_too(model):
    model.place((20, 90))
    model.set_kind(LandmarkKind.SUPERIOR_ENDPLATE)
    assert model.state.level is Level.S1
    # The endplate of S1 faces the disc above it.
    assert model.cursor == pytest.approx((20, 90))
    model.activate(model.state.kind, Level.L1)
    assert Level.T12 in model.state.levels
    model.place((20, 40))
    model.set_kind(LandmarkKind.CAGE)
    model.activate(model.state.kind, Level.L4_L5)
    model.place((22, 60))
    # A disc may hold a cage on either side, each once on its sagittal slice.
    assert model.state.level is Level.L4_L5
    model.place((23, 61))
    model.scroll(1)
    model.place((22, 60))
    model.place((22, 61))
    kinds = [mark.kind for mark in model.session.drawing.landmarks]
    assert kinds.count(LandmarkKind.CAGE) == 2
    assert kinds.count(LandmarkKind.SUPERIOR_ENDPLATE) == 1


def test_contradicting_landmarks_are_kept_and_told(model):
    model.place((20.0, 30.0))
    model.place((20.0, 90.0))
    assert "out of order" in model.warning
    assert len(model.session.drawing.landmarks) == 2
    assert all(line.is_flagged for line in model.scene.lines)


def test_shared_landmarks_are_seen_and_cannot_be_moved(locator_session):
    mark = Landmark(LandmarkKind.DISC_CENTRE, Level.L4_L5, (0.0, 0.0, 40.0))
    session = Session(
        locator_session.exam, locator_session.series, shared=RoiSet(landmarks=(mark,))
    )
    model = Locator(session)
    assert model.is_locked
    assert [seen.is_locked for seen in model.scene.landmarks] == [True]
    assert "locked" in model.prompt
    with pytest.raises(LevelError, match="shared by all raters"):
        model.place((10, 10))


def test_without_a_sagittal_series_the_locator_says_so(exam):
    model = Locator(Session(exam, exam.series[0]))
    assert "no sagittal series" in model.warning
    assert model.state.series is None
    model.scroll(1)
    with pytest.raises(LevelError, match="no sagittal series"):
        _ = model.scene.projection


def test_the_best_sagittal_series_comes_first():
    item = sagittal_item((0, 0, -2), (0, 1.5, 0))
    t2 = make_series("1.1")
    series = [
        Series("2.1", (item,), Weighting.LOCALIZER),
        Series("2.2", (item,), Weighting.T2, "elsewhere"),
        Series("2.3", (item,), Weighting.T1),
        Series("2.4", (item,), Weighting.UNKNOWN),
    ]
    found = sagittal_series(Exam("S", "pre", (*series, t2)), t2)
    assert [s.uid for s in found] == ["2.3", "2.4", "2.1", "2.2"]
    other = Session(Exam("S", "pre", (series[1], replace(t2, frame_of_reference_uid="here"))), t2)
    assert Locator(other).warning == ""
    other.series = replace(t2, frame_of_reference_uid="here")
    assert "different frames" in Locator(other).warning


@pytest.mark.parametrize("six", [True, False])
@pytest.mark.parametrize("kind", list(LandmarkKind))
def test_levels_run_down_the_spine_without_gaps(kind, six):
    down = levels_down(kind, has_l6=six)
    assert list(down) == sorted(down, key=lambda level: level.rank)
    of_discs = kind in {LandmarkKind.DISC_CENTRE, LandmarkKind.CAGE}
    assert len(down) == (6 if of_discs else 7) + six
