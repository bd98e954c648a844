"""Which level a slice shows: by distance to its plane, at any tilt, from any side."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane, tilt_deg
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.protocol import TiltAxis
from multifidus.errors import LevelError
from multifidus.phantom import PhantomSpec, Variant
from multifidus.phantom.exam import disc_landmarks
from multifidus.phantom.prescription import axial_grids
from multifidus.phantom.subject import make_subject
from multifidus.spine.levels import AMBIGUOUS_MM, assign_levels
from tests.support.spines import (
    DISCS,
    SHAPE,
    STEP_MM,
    arc,
    disc_centres,
    exam_through,
    slice_through,
    straight,
)
from tests.support.strategies import numbers

SPEC = PhantomSpec(seed=3)
STACK = (-8.8, -4.4, 0.0, 4.4, 8.8)


@pytest.fixture(scope="module")
def subject():
    return make_subject(SPEC)


def prescribed(subject, **facts):
    """Return the phantom's axial slices without their pixels, and how each was prescribed."""
    grids = axial_grids(subject, replace(SPEC, **facts))
    exam = exam_through((grid.plane for grid in grids), shape=grids[0].shape)
    return exam, {f"1.2.{n}": grid for n, grid in enumerate(grids)}


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize(
    "tilts", [*((tilt,) * 5 for tilt in (0, 5, 10, 15, 20, 25, 30)), (30, 0, 15, 5, 25), None]
)
def test_every_slice_of_a_phantom_is_at_its_level_with_its_margin(subject, tilts, variant):
    exam, grids = prescribed(subject, tilts_deg=tilts, variant=variant, slices_per_stack=5)
    marks = disc_landmarks(subject)
    found = assign_levels(exam, marks)
    assert [item.slice_uid for item in found] == [item.uid for item in exam.series[0].slices]
    for item, image in zip(found, exam.series[0].slices, strict=True):
        grid = grids[item.slice_uid]
        assert item.level is grid.level
        assert item.slice_position is grid.slice_position
        apart = sorted(abs(float(image.plane.distance_mm(mark.position_mm))) for mark in marks)
        assert abs(item.offset_mm) == pytest.approx(apart[0])
        assert item.margin_mm == pytest.approx(apart[1] - apart[0])
        assert (Flag.LEVEL_AMBIGUOUS in item.flags) == (item.margin_mm < AMBIGUOUS_MM)
    offsets = [round(item.offset_mm, 3) for item in found if item.level is Level.L4_L5]
    assert sorted(offsets) == pytest.approx(STACK, abs=1e-3)


def test_the_tilt_of_a_phantoms_slices_is_that_against_its_spine(subject):
    exam, grids = prescribed(subject, tilts_deg=(0, 5, 10, 15, 20), slices_per_stack=1)
    for item in assign_levels(exam, disc_landmarks(subject)):
        grid = grids[item.slice_uid]
        truth = tilt_deg(grid.plane.normal) - subject.disc_tilt_deg(grid.level)
        assert item.tilt_axis is TiltAxis.SPINE
        # Five landmarks 35 mm apart do not know how the spine bends between them.
        assert item.tilt_deg == pytest.approx(truth, abs=2.5)


def test_offsets_grow_to_the_head_whatever_way_slices_are_stored():
    marks = disc_centres(straight())
    upright, flipped = (
        exam_through(slice_through((0, 0, 0), 20, offset, flip=flip) for offset in STACK)
        for flip in (False, True)
    )
    for exam in (upright, flipped):
        assert [a.offset_mm for a in assign_levels(exam, marks)] == pytest.approx(STACK)
        assert [a.tilt_deg for a in assign_levels(exam, marks)] == pytest.approx([20] * 5)


PARTS = st.tuples(st.sampled_from(range(5)), numbers(-8, 8), numbers(-30, 30), st.booleans())
"""Disc, offset from it, tilt against the spine there, and whether rows run to the front."""


@st.composite
def scenes(draw):
    """Draw a curved spine and slices near its discs, at mixed angles in any order."""
    points, tilts = arc(draw(numbers(150, 1000)), draw(numbers(0, 35)))
    chosen = draw(st.lists(PARTS, min_size=1, max_size=8))
    planes = [
        slice_through(points[i], float(np.clip(tilts[i] + tilt, -40, 40)), offset, flip=f)
        for i, offset, tilt, f in chosen
    ]
    return disc_centres(points), planes, [DISCS[i] for i, *_ in chosen]


@given(scenes())
def test_slices_near_a_disc_are_its_slices_at_any_tilt(scene):
    marks, planes, truth = scene
    found = assign_levels(exam_through(planes), marks)
    assert [item.level for item in found] == truth
    assert all(item.margin_mm > 0 for item in found)


@st.composite
def motions(draw):
    """Draw a rigid motion, less than would make an axial slice anything else."""
    angles = [np.radians(draw(numbers(-low, low))) for low in (4, 9, 40)]
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = [i for i in range(3) if i != axis]
        step = np.eye(3)
        step[a, a] = step[b, b] = np.cos(angle)
        step[a, b], step[b, a] = -np.sin(angle), np.sin(angle)
        turn = step @ turn
    return turn, np.array([draw(numbers(-400, 400)) for _ in range(3)])


@given(scenes(), motions())
@settings(max_examples=40)
def test_moving_exam_and_landmarks_together_changes_nothing(scene, motion):
    marks, planes, _ = scene
    turn, shift = motion

    def moved(plane):
        return Plane(
            turn @ plane.origin_mm + shift, turn @ plane.row_step_mm, turn @ plane.column_step_mm
        )

    there = [Landmark(mark.kind, mark.level, turn @ mark.position_mm + shift) for mark in marks]
    ours = assign_levels(exam_through(planes), marks)
    theirs = assign_levels(exam_through(map(moved, planes)), there)
    for one, other in zip(ours, theirs, strict=True):
        assert one.level is other.level
        assert one.offset_mm == pytest.approx(other.offset_mm, abs=1e-6)
        assert one.margin_mm == pytest.approx(other.margin_mm, abs=1e-6)


@given(scenes(), numbers(-8, 8), st.tuples(*[numbers(-400, 400)] * 3))
@settings(max_examples=30)
def test_a_patient_who_lies_tilted_has_the_same_tilts_against_the_spine(scene, turn, shift):
    marks, planes, _ = scene
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    about_x = np.array(((1, 0, 0), (0, c, -s), (0, s, c)))
    moved = [
        Plane(about_x @ p.origin_mm + shift, about_x @ p.row_step_mm, about_x @ p.column_step_mm)
        for p in planes
    ]
    there = [Landmark(m.kind, m.level, about_x @ m.position_mm + shift) for m in marks]
    ours = assign_levels(exam_through(planes), marks)
    theirs = assign_levels(exam_through(moved), there)
    assert [item.tilt_deg for item in theirs] == pytest.approx([item.tilt_deg for item in ours])


@given(scenes(), st.randoms())
@settings(max_examples=30)
def test_the_order_of_slices_does_not_matter(scene, random):
    marks, planes, _ = scene
    order = list(range(len(planes)))
    random.shuffle(order)
    ours = assign_levels(exam_through(planes), marks)
    theirs = assign_levels(exam_through(planes[i] for i in order), marks)
    for place, i in enumerate(order):
        names = ("level", "offset_mm", "margin_mm", "tilt_deg")
        assert [getattr(theirs[place], n) for n in names] == [getattr(ours[i], n) for n in names]


def test_a_slice_beyond_the_landmarks_has_no_level():
    exam = exam_through(slice_through((0, 0, 0), 10, offset) for offset in (-95, -80, 0, 80, 95))
    found = assign_levels(exam, disc_centres(straight(10)))
    assert [item.level for item in found] == [
        None, Level.L5_S1, Level.L3_L4, Level.L1_L2, None,
    ]  # fmt: skip
    for item in (found[0], found[-1]):
        assert math.isnan(item.offset_mm)
        assert math.isnan(item.margin_mm)
        assert item.slice_position is SlicePosition.UNKNOWN
        assert item.tilt_deg == pytest.approx(0, abs=1e-9)


def test_a_slice_at_a_disc_that_nobody_marked_is_not_named_after_the_next_one():
    points = straight()
    marks = disc_centres((points[2], points[4]), (Level.L3_L4, Level.L5_S1))
    (item,) = assign_levels(exam_through([slice_through(points[3], 15)]), marks)
    assert item.level is None


def test_a_slice_half_way_between_two_discs_is_ambiguous():
    exam = exam_through(slice_through((0, 0, 0), 0, offset) for offset in (15, 16.5))
    clear, close = assign_levels(exam, disc_centres(straight()))
    assert (clear.level, clear.margin_mm, clear.flags) == (Level.L3_L4, pytest.approx(5), ())
    assert (close.level, close.margin_mm) == (Level.L3_L4, pytest.approx(2))
    assert close.flags == (Flag.LEVEL_AMBIGUOUS,)


def test_one_slice_of_a_series_is_mid_disc():
    planes = [slice_through((0, 0, 0), 5, offset) for offset in (-3.0, -1.0, 2.0)]
    marks = disc_centres(straight(5))
    found = assign_levels(exam_through(planes), marks)
    assert [item.slice_position.value for item in found] == ["unknown", "mid_disc", "unknown"]
    (far,) = assign_levels(exam_through([slice_through((0, 0, 0), 5, 7.0)]), marks)
    assert (far.level, far.slice_position) == (Level.L3_L4, SlicePosition.UNKNOWN)


def test_endplates_name_slices_of_the_vertebra():
    marks = [
        Landmark(kind, level, (0, 0, z))
        for kind, level, z in (
            (LandmarkKind.INFERIOR_ENDPLATE, "L4", 40),
            (LandmarkKind.SUPERIOR_ENDPLATE, "L5", 30),
            (LandmarkKind.INFERIOR_ENDPLATE, "L5", 4),
            (LandmarkKind.SUPERIOR_ENDPLATE, "S1", -6),
        )
    ]
    heights = (35.4, 30.5, 23, 16, 4, -1)
    found = assign_levels(exam_through(slice_through((0, 0, z)) for z in heights), marks)
    assert [(item.level, item.slice_position.value) for item in found] == [
        (Level.L4_L5, "mid_disc"),
        (Level.L5, "superior_endplate"),
        (Level.L5, "unknown"),
        (Level.L5, "mid_body"),
        (Level.L5, "inferior_endplate"),
        (Level.L5_S1, "mid_disc"),
    ]
    assert found[3].offset_mm == pytest.approx(-1)
    assert found[3].margin_mm == pytest.approx(16)


def test_one_landmark_alone_has_no_rival_and_gives_no_axis():
    (item,) = assign_levels(
        exam_through([slice_through((0, 0, 0), 12)]), disc_centres([(0, 0, 1)], [Level.L4_L5])
    )
    assert (item.level, item.margin_mm) == (Level.L4_L5, math.inf)
    assert (item.tilt_deg, item.tilt_axis) == (pytest.approx(12), TiltAxis.PATIENT_Z)


def other_series(orientation, frame="", uid="9"):
    columns = {"sagittal": ((0, 0, -4), (0, 4, 0)), "axial": ((0, 4, 0), (4, 0, 0))}[orientation]
    plane = Plane((0, -80, 100) if orientation == "sagittal" else (-80, -60, 0), *columns)
    item = Slice.from_array(f"{uid}.0", plane, np.zeros(SHAPE))
    return Series(uid, (item,), Weighting.T2, frame)


def test_only_axial_series_have_levels_and_all_of_them():
    exam = exam_through([slice_through((0, 0, 0))])
    localizer = replace(other_series("axial", uid="8"), weighting=Weighting.LOCALIZER)
    both = Exam("S01", "pre", (*exam.series, localizer, other_series("sagittal"),
                               other_series("axial")))  # fmt: skip
    found = assign_levels(both, disc_centres(straight()))
    assert [(item.series, item.slice_index) for item in found] == [("1.2", 0), ("9", 0)]


def test_an_exam_without_axial_series_has_no_slices_to_name():
    with pytest.raises(LevelError, match="Exam S01 pre has no axial series"):
        assign_levels(Exam("S01", "pre", (other_series("sagittal"),)), disc_centres(straight()))


@pytest.mark.parametrize(("frame", "flagged"), [("1", False), ("2", True), ("", False)])
def test_landmarks_of_a_sagittal_series_in_another_frame_of_reference_are_flagged(frame, flagged):
    axial = replace(exam_through([slice_through((0, 0, 0))]).series[0], frame_of_reference_uid="1")
    exam = Exam("S01", "pre", (axial, other_series("sagittal", frame)))
    (item,) = assign_levels(exam, disc_centres(straight()))
    assert (Flag.FRAME_OF_REFERENCE_DIFFERS in item.flags) == flagged


@given(st.sampled_from(np.vstack((np.eye(3), -np.eye(3))).tolist()), numbers(350, 2000))
def test_landmarks_of_another_frame_of_reference_are_refused(direction, shift):
    moved = [np.add(point, np.multiply(direction, shift)) for point in straight()]
    exam = exam_through(slice_through((0, 0, 0), 5, offset) for offset in STACK)
    for series in (exam.series, (*exam.series, other_series("sagittal"))):
        with pytest.raises(LevelError, match="another exam or frame of reference"):
            assign_levels(Exam("S01", "pre", series), disc_centres(moved))


def test_axial_images_alone_may_show_a_part_of_the_spine():
    exam = exam_through([slice_through((0, 0, -2 * STEP_MM), 5)])
    (item,) = assign_levels(exam, disc_centres(straight()))
    assert item.level is Level.L5_S1


def test_a_margin_says_how_far_all_landmarks_may_be_off():
    marks = disc_centres(straight())
    exam = exam_through([slice_through((0, 0, 0), 0, 12)])
    (item,) = assign_levels(exam, marks)
    for excess, level in ((-0.1, Level.L3_L4), (0.1, Level.L2_L3)):
        shift = item.margin_mm / 2 + excess
        moved = [Landmark(m.kind, m.level, m.position_mm - (0, 0, shift)) for m in marks]
        assert assign_levels(exam, moved)[0].level is level


def stacks_at(discs, offsets=STACK):
    """Return a straight spine's slices, a stack of its own angle at each disc."""
    points = straight()
    return [slice_through(points[i], 2.0 * i, offset) for i in discs for offset in offsets]


@pytest.mark.parametrize("forgotten", ["caudal", "cranial"])
def test_where_the_outermost_landmark_was_forgotten_no_slice_is_named_after_the_next_in_silence(
    forgotten,
):
    marks = disc_centres(straight())
    kept, missing = (marks[:4], 4) if forgotten == "caudal" else (marks[1:], 0)
    # The outermost slices of the forgotten disc's stack come to 17 mm from the next disc.
    offsets = (-18.0, -9.0, 0.0, 9.0, 18.0)
    found = assign_levels(exam_through(stacks_at(range(5), offsets)), kept)
    theirs = found[5 * missing : 5 * missing + 5]
    assert any(item.level is not None for item in theirs)
    for item in theirs:
        assert item.level is None or Flag.LEVEL_AMBIGUOUS in item.flags
    everything = assign_levels(exam_through(stacks_at(range(5))), marks)
    assert not any(item.flags for item in everything)


@pytest.mark.parametrize(("offset", "doubtful"), [(-12.0, False), (-12.5, True), (12.5, False)])
def test_a_slice_is_doubtful_beyond_a_third_of_the_way_to_where_the_next_disc_would_be(
    offset, doubtful
):
    marks = disc_centres(straight())[:4]
    (item,) = assign_levels(exam_through([slice_through(straight()[3], 0, offset)]), marks)
    assert item.level is Level.L4_L5
    assert (Flag.LEVEL_AMBIGUOUS in item.flags) is doubtful


def test_a_short_stack_centred_on_no_marked_disc_lends_its_slices_no_sure_level():
    points = straight()
    # Centred 20 mm below L4-L5, which is marked; L5-S1 is not.
    lower = [slice_through(points[3], 8, offset) for offset in (-28, -24, -20, -16, -12, -8)]
    exam = exam_through([*stacks_at([2, 3]), *lower])
    found = assign_levels(exam, disc_centres(points)[:4])
    assert not any(item.flags for item in found[:10])
    assert [item.level for item in found[-2:]] == [Level.L4_L5, Level.L4_L5]
    assert all(Flag.LEVEL_AMBIGUOUS in item.flags for item in found[10:] if item.level)


@pytest.mark.parametrize("offsets", [STACK, (-6.0, -2.0, 2.0, 6.0)])
@pytest.mark.parametrize("shift", [-17.5, -14.0, -10.0, 10.0, 14.0, 17.5])
def test_landmarks_that_most_short_stacks_are_not_centred_on_name_no_slice_for_sure(shift, offsets):
    exam = exam_through(stacks_at(range(5), offsets))
    of_another = [point + np.array((0, 0, shift)) for point in straight()]
    found = assign_levels(exam, disc_centres(of_another))
    assert any(item.level for item in found)
    assert all(Flag.LEVEL_AMBIGUOUS in item.flags for item in found if item.level)


@pytest.mark.parametrize("shift", [-4.0, 0.0, 4.0])
def test_landmarks_a_little_off_the_middles_of_short_stacks_are_believed(shift):
    exam = exam_through(stacks_at(range(5)))
    marks = disc_centres([point + np.array((0, 0, shift)) for point in straight()])
    assert not any(item.flags for item in assign_levels(exam, marks) if abs(item.offset_mm) < 8)


def test_one_short_stack_off_its_disc_puts_no_other_in_doubt():
    points = straight()
    lower = [slice_through(points[4], 8, offset) for offset in (6, 10, 14)]
    exam = exam_through([*stacks_at([0, 1, 2]), *lower])
    found = assign_levels(exam, disc_centres(points))
    assert not any(item.flags for item in found[:15])


def test_a_contiguous_stack_has_many_levels_and_none_is_doubted_for_it():
    planes = [slice_through((0, 0, z), 0) for z in np.arange(-75.0, 76.0, 5.0)]
    found = assign_levels(exam_through(planes), disc_centres(straight()))
    assert {item.level for item in found} == {*DISCS}
    doubted = [item for item in found if item.flags]
    assert all(item.margin_mm < AMBIGUOUS_MM for item in doubted)
