"""What stands on the rows of a slice: typed levels before landmarks, tilt, corrected areas."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from multifidus.data.anatomy import Level, Side, SlicePosition, Structure
from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol, TiltAxis
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.errors import LevelError
from multifidus.measuring.pipeline import measure
from multifidus.spine.resolve import LevelResolver
from tests.support.exams import box, outline
from tests.support.spines import (
    DISCS,
    arc,
    disc_centres,
    exam_through,
    slice_through,
    straight,
    tilted_normal,
)
from tests.support.strategies import numbers, rotations

NO_FAT = MeasurementProtocol(fat_methods=())


def settled(offset, level=None, position="unknown", *, marks=None, protocol=NO_FAT, tilt=10.0):
    """Settle a slice at a distance above L3-L4 of a straight spine."""
    exam = exam_through([slice_through((0, 0, 0), tilt, offset)])
    marks = disc_centres(straight(10)) if marks is None else marks
    resolver = LevelResolver.of(exam, RoiSet(landmarks=tuple(marks)), protocol)
    return resolver.resolve(exam.series[0], 0, level, SlicePosition(position))


def test_landmarks_name_a_slice_that_nobody_named():
    found = settled(1.5)
    assert (found.level, found.slice_position) == (Level.L3_L4, SlicePosition.MID_DISC)
    assert found.offset_mm == pytest.approx(1.5)
    assert found.flags == ()
    assert settled(16.5).flags == (Flag.LEVEL_AMBIGUOUS,)


def test_what_was_typed_wins_and_landmarks_fill_in_what_was_not():
    same = settled(1.5, Level.L3_L4)
    assert (same.level, same.slice_position) == (Level.L3_L4, SlicePosition.MID_DISC)
    pedicle = settled(1.5, Level.L3_L4, "pedicle")
    assert pedicle.slice_position is SlicePosition.PEDICLE
    assert settled(1.5, position="pedicle").slice_position is SlicePosition.PEDICLE
    # Nothing is ambiguous about a level that somebody typed.
    assert settled(16.5, Level.L3_L4).flags == ()


@pytest.mark.parametrize(
    ("offset", "typed", "flags", "from_own"),
    [
        (16.5, Level.L2_L3, (), -18.5),
        (1.5, Level.L2_L3, (Flag.LEVEL_CONFLICT,), -33.5),
        (12.0, Level.L3, (), math.nan),
        (12.0, Level.L2, (Flag.LEVEL_CONFLICT,), math.nan),
        (-12.0, Level.L4, (), math.nan),
        (-12.0, Level.L3, (Flag.LEVEL_CONFLICT,), math.nan),
        (110.0, Level.T12_L1, (), math.nan),
        (110.0, Level.L1_L2, (), 40.0),
        (-100.0, Level.S1, (), math.nan),
        (-100.0, Level.L5, (Flag.LEVEL_CONFLICT,), math.nan),
    ],
)
def test_a_typed_level_that_landmarks_contradict_stays_and_is_flagged(
    offset, typed, flags, from_own
):
    found = settled(offset, typed)
    assert found.level is typed
    assert found.flags == flags
    assert found.slice_position is SlicePosition.UNKNOWN
    assert found.offset_mm == pytest.approx(from_own, nan_ok=True)


def test_an_endplate_nearby_does_not_contradict_the_disc_that_was_typed():
    marks = [
        Landmark(kind, level, (0, 0, z))
        for kind, level, z in (
            (LandmarkKind.INFERIOR_ENDPLATE, "L4", 5),
            (LandmarkKind.SUPERIOR_ENDPLATE, "L5", -5),
        )
    ]
    found = settled(-4.4, Level.L4_L5, marks=marks, tilt=0)
    assert (found.level, found.flags) == (Level.L4_L5, ())
    assert found.offset_mm == pytest.approx(-4.4)


def test_without_landmarks_there_is_what_was_typed_and_a_tilt_against_patient_z():
    found = settled(0, Level.L5, "mid_body", marks=())
    assert (found.level, found.slice_position) == (Level.L5, SlicePosition.MID_BODY)
    assert math.isnan(found.offset_mm)
    assert (found.tilt.deg, found.tilt.axis) == (pytest.approx(10), TiltAxis.PATIENT_Z)
    assert found.tilt.unknown == (Flag.TILT_UNKNOWN,)
    assert settled(0, marks=()).level is None


@pytest.mark.parametrize(
    ("settings", "tilt", "axis", "unknown"),
    [
        ({}, 15, TiltAxis.SPINE, ()),
        ({"tilt_axis": "patient_z"}, 25, TiltAxis.PATIENT_Z, ()),
        ({"tilt_axis": "vector", "tilt_vector": tuple(tilted_normal(20))}, 5, TiltAxis.VECTOR, ()),
    ],
)
def test_tilt_is_against_the_axis_of_the_protocol(settings, tilt, axis, unknown):
    protocol = MeasurementProtocol(fat_methods=(), **settings)
    found = settled(0, protocol=protocol, tilt=25).tilt
    assert (found.deg, found.axis, found.unknown) == (pytest.approx(tilt), axis, unknown)
    assert found.cosine == pytest.approx(math.cos(math.radians(tilt)))


def test_one_landmark_gives_a_level_and_no_axis():
    found = settled(0, marks=disc_centres([(0, 0, 0)]))
    assert found.level is Level.L1_L2
    assert (found.tilt.axis, found.tilt.unknown) == (TiltAxis.PATIENT_Z, (Flag.TILT_UNKNOWN,))


@pytest.mark.parametrize(
    ("tilt", "flags"), [(15, ()), (-15, ()), (15.1, (Flag.TILT_OVER_LIMIT,)), (-40, ...)]
)
def test_more_tilt_than_the_limit_is_a_doubt_about_areas(tilt, flags):
    found = settled(0, tilt=10 + tilt).tilt
    assert found.flags(15.0) == ((Flag.TILT_OVER_LIMIT,) if flags is ... else flags)
    without = settled(0, tilt=tilt, marks=()).tilt
    assert without.flags(15.0) == ((Flag.TILT_OVER_LIMIT, Flag.TILT_UNKNOWN) if flags else ())


@pytest.mark.parametrize(("lean", "over"), [(14.9, False), (15.1, True), (-20, True)])
def test_a_slice_that_leans_sideways_makes_areas_larger_as_well(lean, over):
    angle = math.radians(lean)
    plane = Plane((0, 0, 0), (0, 1, 0), (math.cos(angle), 0, math.sin(angle)))
    found = LevelResolver(MeasurementProtocol((), tilt_axis="patient_z")).tilt(plane)
    assert found.deg == pytest.approx(0)
    assert found.cosine == pytest.approx(math.cos(angle))
    assert found.flags(15.0) == ((Flag.TILT_OVER_LIMIT,) if over else ())


# --- corrected areas: prisms cut by planes ----------------------------------------------------

POINTS = 360
HALF_AXES_MM = (18.0, 11.0)
SECTION_MM2 = math.prod(HALF_AXES_MM) * POINTS / 2 * math.sin(2 * math.pi / POINTS)
"""Of the prism over a polygon of 360 points on the ellipse, at right angles to its axis."""


def cut(plane, axis, turn=0.0):
    """Cut an elliptical prism along an axis through the middle of a slice; corners in mm."""
    aside = np.cross(axis, (0.6, 0.8, 0.1))
    aside /= np.linalg.norm(aside)
    angles = 2 * np.pi * np.arange(POINTS) / POINTS + turn
    middle = plane.to_patient([(60, 50)])[0]
    on_section = (
        middle
        + HALF_AXES_MM[0] * np.cos(angles)[:, None] * aside
        + HALF_AXES_MM[1] * np.sin(angles)[:, None] * np.cross(axis, aside)
    )
    along = -plane.distance_mm(on_section) / (plane.normal @ axis)
    return plane.to_pixels(on_section + along[:, None] * axis)


def areas(planes, axis, protocol, landmarks=()):
    """Measure the prism on every slice: rows of its area as cut, and as corrected."""
    slices = [Slice.from_array(f"1.{n}", p, np.zeros((120, 100))) for n, p in enumerate(planes)]
    rois = tuple(outline(item, cut(item.plane, axis)) for item in slices)
    exam = Exam("S01", "pre", (Series("1", tuple(slices), Weighting.T2),))
    rows = measure(exam, RoiSet(rois, tuple(landmarks)), protocol)
    return [
        [row for row in rows if row.quantity is quantity]
        for quantity in (Quantity.TCSA_MM2, Quantity.TCSA_COS_MM2)
    ]


def at_tilt(tilt, z=0.0):
    normal = tilted_normal(tilt)
    row, column = np.cross(normal, (1.0, 0, 0)), np.array((1.0, 0, 0))
    return Plane(np.array((0, 0, z)) - 60 * row - 50 * column, row, column)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("axis", ["patient_z", "spine"])
def test_the_corrected_area_of_a_cylinder_cut_at_25_degrees_is_its_section(count, axis):
    marks = disc_centres(straight()) if axis == "spine" else ()
    planes = [at_tilt(25, 4.0 * k) for k in range(count)]
    found, corrected = areas(
        planes, np.array((0, 0, 1.0)), MeasurementProtocol((), tilt_axis=axis), marks
    )
    for row, better in zip(found, corrected, strict=True):
        assert row.value == pytest.approx(SECTION_MM2 / math.cos(math.radians(25)), rel=1e-9)
        assert better.value == pytest.approx(SECTION_MM2, rel=1e-9)
        assert better.value == pytest.approx(math.pi * math.prod(HALF_AXES_MM), rel=5e-4)
        assert better.provenance.tilt_deg == pytest.approx(25)
        assert better.provenance.tilt_axis == axis
        assert better.parameters["cosine"] == pytest.approx(math.cos(math.radians(25)))
        assert better.parameters["tilt_axis"] == axis
        assert better.uncertainty / row.uncertainty == pytest.approx(better.value / row.value)
        assert Flag.TILT_OVER_LIMIT in row.flags


@given(rotations(), rotations(), st.tuples(numbers(0.6, 2), numbers(0.6, 2)), numbers(0, 6))
@settings(max_examples=40)
def test_the_corrected_area_of_a_prism_is_its_section_whatever_plane_cuts_it(
    axes, frame, spacing, turn
):
    axis = frame[:, 2]
    plane = Plane((3, -7, 11), axes[:, 0] * spacing[0], axes[:, 1] * spacing[1])
    assume(abs(plane.normal @ axis) > 0.5)
    protocol = MeasurementProtocol((), tilt_axis="vector", tilt_vector=tuple(axis))
    ((row,), (better,)) = areas([plane], axis, protocol)
    assert better.value == pytest.approx(SECTION_MM2, rel=1e-7)
    assert better.value <= row.value * (1 + 1e-12)


def test_a_slice_too_steep_to_be_axial_has_a_tilt_and_no_level():
    ((row,), _) = areas([at_tilt(60)], np.array((0, 0, 1.0)), NO_FAT, disc_centres(straight()))
    assert row.provenance.level is None
    assert row.provenance.tilt_deg == pytest.approx(60)


def test_without_landmarks_the_corrected_area_says_that_the_tilt_is_unknown():
    found, corrected = areas([at_tilt(10)], np.array((0, 0, 1.0)), NO_FAT)
    assert [row.flags for row in found] == [()]
    assert [row.flags for row in corrected] == [(Flag.TILT_UNKNOWN,)]


def test_rows_carry_the_level_of_their_slice_and_its_doubts():
    planes = [at_tilt(0, z) for z in (0.0, 16.5, 60.0)]
    slices = [Slice.from_array(f"1.{n}", p, np.zeros((120, 100))) for n, p in enumerate(planes)]
    rois = tuple(outline(item, cut(item.plane, np.array((0, 0, 1.0)))) for item in slices)
    exam = Exam("S01", "pre", (Series("1", tuple(slices), Weighting.T2),))
    typed = (SliceLevel("1.2", Level.L5_S1),)
    rows = measure(exam, RoiSet(rois, tuple(disc_centres(straight())), typed), NO_FAT)
    found = {
        row.key.slice_uid: (
            row.provenance.level,
            row.provenance.offset_mm,
            tuple(flag for flag in row.flags if flag.startswith("level")),
        )
        for row in rows
        if row.quantity is Quantity.MEAN_SI
    }
    assert found == {
        "1.0": (Level.L3_L4, pytest.approx(0), ()),
        "1.1": (Level.L3_L4, pytest.approx(16.5), (Flag.LEVEL_AMBIGUOUS,)),
        "1.2": (Level.L5_S1, pytest.approx(130), (Flag.LEVEL_CONFLICT,)),
    }


def test_landmarks_that_do_not_belong_to_the_exam_are_refused_before_anything_is_measured():
    far = disc_centres([point + np.array((0, 900.0, 0)) for point in arc()[0]])
    with pytest.raises(LevelError, match="another exam or frame of reference"):
        areas([at_tilt(0)], np.array((0, 0, 1.0)), NO_FAT, far)


def two_slices():
    return exam_through(slice_through((0, 0, z)) for z in (0.0, 4.0))


def test_levels_typed_for_slices_of_another_exam_are_refused():
    exam = two_slices()
    strange = (SliceLevel("9.9.1", Level.L4_L5), SliceLevel("9.9.2", Level.L5_S1))
    with pytest.raises(LevelError, match=r"typed for slice 9\.9\.1.*exam S01 pre"):
        LevelResolver.of(exam, RoiSet(levels=strange), NO_FAT)
    # An exam of which a part is loaded, and one whose UIDs were changed, keep what fits.
    known = SliceLevel("1.2.0", Level.L3_L4)
    LevelResolver.of(exam, RoiSet(levels=(known, *strange)), NO_FAT)
    item = exam.series[0].slices[0]
    renamed = outline(item, box(5, 5, 9, 9))
    renamed = replace(renamed, key=replace(renamed.key, slice_uid="9.9.1"))
    rows = measure(exam, RoiSet((renamed,), levels=strange), NO_FAT)
    assert {row.provenance.level for row in rows} == {Level.L4_L5}


def test_a_slice_typed_as_two_levels_is_refused():
    exam = two_slices()
    typed = (SliceLevel("1.2.0", Level.L4_L5), SliceLevel("1.2.0", Level.L3_L4))
    with pytest.raises(LevelError, match=r"Slice 1\.2\.0 is typed as L4-L5 and as L3-L4"):
        LevelResolver.of(exam, RoiSet(levels=typed), NO_FAT)
    same = (SliceLevel("1.2.0", Level.L4_L5), SliceLevel("1.2.0", Level.L4_L5))
    LevelResolver.of(exam, RoiSet(levels=same), NO_FAT)


def down_the_spine(levels, tilts=(0, 0, 0, 0, 0), by="slices", apart=35.0):
    """Type a level for each of five slices, from the head down."""
    planes = [
        slice_through((0, 0, -apart * n), tilt) for n, tilt in zip(range(5), tilts, strict=True)
    ]
    exam = exam_through(planes)
    slices = exam.series[0].slices
    if by == "slices":
        typed = tuple(
            SliceLevel(item.uid, level) for item, level in zip(slices, levels, strict=True)
        )
        return exam, RoiSet(levels=typed)
    rois = tuple(
        outline(item, box(25, 5, 29, 9), side=Side.RIGHT, level=level)
        for item, level in zip(slices, levels, strict=True)
    )
    if by == "unknown UIDs":
        rois = tuple(
            replace(roi, key=replace(roi.key, slice_uid=f"9.{n}")) for n, roi in enumerate(rois)
        )
    return exam, RoiSet(rois)


@pytest.mark.parametrize("by", ["slices", "outlines", "unknown UIDs"])
@pytest.mark.parametrize("turned", ["reversed", "rotated", "two exchanged"])
@pytest.mark.parametrize("tilts", [(0, 0, 0, 0, 0), (-10, -5, 0, 10, 25)])
def test_levels_typed_in_an_order_that_no_spine_has_are_refused(by, turned, tilts):
    levels = {
        "reversed": DISCS[::-1],
        "rotated": (*DISCS[1:], DISCS[0]),
        "two exchanged": (*DISCS[:3], DISCS[4], DISCS[3]),
    }[turned]
    exam, rois = down_the_spine(levels, tilts, by)
    with pytest.raises(LevelError, match=r"slice \d as L.*slice \d, \d+ mm below it, as L"):
        LevelResolver.of(exam, rois, NO_FAT)


@pytest.mark.parametrize("by", ["slices", "outlines", "unknown UIDs"])
def test_levels_typed_down_the_spine_are_believed_however_slices_are_tilted(by):
    tilts = (-10, -5, 0, 10, 25)
    for levels in (DISCS, [Level.L3_L4] * 5):
        LevelResolver.of(*down_the_spine(levels, tilts, by), NO_FAT)
    # Slices of stacks that overlap.
    exam, rois = down_the_spine((*DISCS[:3], DISCS[4], DISCS[3]), by=by, apart=4.0)
    LevelResolver.of(exam, rois, NO_FAT)


def test_each_reading_types_an_order_of_its_own():
    exam, ours = down_the_spine(DISCS, by="outlines")
    _, theirs = down_the_spine((Level.L1_L2, *DISCS[:4]), by="outlines")
    other = theirs.read_by(Reading("S01", "pre", "CD"))
    LevelResolver.of(exam, RoiSet((*ours.rois, *other.rois)), NO_FAT)


def test_muscles_of_one_slice_lie_at_one_level():
    exam = two_slices()
    item = exam.series[0].slices[0]
    left = outline(item, box(5, 15, 9, 19), side=Side.LEFT, level=Level.L4_L5)
    right = outline(item, box(5, 5, 9, 9), side=Side.RIGHT, level=Level.L3_L4)
    with pytest.raises(LevelError, match=r"slice 1\.2\.0 .*L4-L5.*slice 1\.2\.0 .*L3-L4"):
        measure(exam, RoiSet((left, right)), NO_FAT)
    # An oblique slice may cut a disc and the vertebra beside it, and another reading may differ.
    body = outline(item, box(5, 5, 9, 9), Structure.VERTEBRAL_BODY, level=Level.L4)
    assert measure(exam, RoiSet((left, body)), NO_FAT)
    other = replace(right, key=replace(right.key, reading=Reading("S01", "pre", "CD")))
    assert measure(exam, RoiSet((left, other)), NO_FAT)
