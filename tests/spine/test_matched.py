"""The slice of another exam at the same level, and the same place on it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.protocol import TiltAxis
from multifidus.spine.curve import Spine
from multifidus.spine.matched import AnchoredPlane, matched_slice, same_place, shared_stations
from multifidus.spine.resolve import ResolvedLevel, Tilt
from tests.support.exams import axial_plane
from tests.support.strategies import planes

NAN = math.nan
TILT = Tilt(0.0, TiltAxis.PATIENT_Z, 1.0)
MID = SlicePosition.MID_DISC


def at(level, offset=NAN, position=SlicePosition.UNKNOWN, flags=()):
    return ResolvedLevel(level, position, offset, TILT, flags)


def test_the_slice_as_far_from_the_landmark_is_the_same():
    others = [at(Level.L3_L4, 1.0), *(at(Level.L4_L5, offset, MID) for offset in (5.0, 1.0, -3.0))]
    assert matched_slice(at(Level.L4_L5, 4.2, MID), others).index == 1
    assert matched_slice(at(Level.L4_L5, -9.0, MID), others).index == 3
    assert matched_slice(at(Level.L4_L5, 4.2, MID), others).words == ""


def test_without_distances_it_is_the_middle_slice_of_the_level_and_said():
    others = [at(Level.L4_L5), at(Level.L4_L5), at(Level.L4_L5), at(Level.L5_S1)]
    found = matched_slice(at(Level.L4_L5, 2.0), others)
    assert found.index == 1
    assert found.words == "the middle one of 3 slices of L4-L5"
    assert matched_slice(at(Level.L5_S1), others).words == ""


@pytest.mark.parametrize(
    ("wanted", "others", "words"),
    [
        (at(None), [at(Level.L4_L5)], "the level of this slice is not known"),
        (at(Level.L4_L5), [at(None), at(None)], "no level of the other exam is known"),
        (at(Level.L4_L5), [at(Level.L5_S1)], "no slice of the other exam is known to show L4-L5"),
    ],
)
def test_a_level_that_is_not_known_is_no_guess(wanted, others, words):
    found = matched_slice(wanted, others)
    assert found.index is None
    assert found.words == words


def test_a_doubtful_level_is_matched_and_the_doubt_is_said():
    other = at(Level.L4_L5, 1.0, flags=(Flag.LEVEL_AMBIGUOUS,))
    assert matched_slice(at(Level.L4_L5, 1.0), [other]).words == "its level is in doubt"


def test_the_place_within_a_level_counts_first():
    top, middle = SlicePosition.SUPERIOR_ENDPLATE, SlicePosition.MID_BODY
    others = [at(Level.L4, 0.0, top), at(Level.L4, 6.0, middle)]
    assert matched_slice(at(Level.L4, 0.0, middle), others).index == 1
    assert "another place" in matched_slice(at(Level.L4, 0.0, middle), others[:1]).words


DISCS = [
    Landmark(LandmarkKind.DISC_CENTRE, level, (3.0, 5.0, height))
    for level, height in ((Level.L3_L4, 40.0), (Level.L4_L5, 5.0), (Level.L5_S1, -30.0))
]


def test_a_landmark_links_two_exams_only_where_both_have_it():
    one, other = Spine.marked_by(DISCS), Spine.marked_by(DISCS[:2])
    ours, theirs = shared_stations(one, other, at(Level.L4_L5))
    assert ours.position_mm.tolist() == theirs.position_mm.tolist() == [3.0, 5.0, 5.0]
    assert shared_stations(one, other, at(Level.L5_S1)) is None
    assert shared_stations(one, None, at(Level.L4_L5)) is None
    assert shared_stations(one, other, at(None)) is None


POINTS = st.tuples(*[st.floats(-60, 60)] * 2)
SHIFTS = st.tuples(*[st.floats(-300, 300)] * 3)


@given(planes(), POINTS, SHIFTS)
def test_a_patient_who_lies_elsewhere_has_the_same_place_as_far_from_the_landmark(
    plane, pixel, shift
):
    moved = replace(plane, origin_mm=plane.origin_mm + shift)
    landmark = plane.origin_mm + np.array((7.0, -3.0, 2.0))
    point = plane.to_patient([pixel])[0]
    # A sagittal plane has no left.
    assume(abs(plane.normal[0]) < 0.95)
    found = same_place(
        point, AnchoredPlane(plane, landmark), AnchoredPlane(moved, landmark + np.array(shift))
    )
    np.testing.assert_allclose(found, point + shift, atol=1e-6)


@given(st.floats(-25, 25), st.floats(-25, 25), POINTS)
def test_a_slice_that_is_tilted_otherwise_keeps_distances_from_the_landmark(first, second, pixel):
    one, other = (axial_plane(tilt=tilt) for tilt in (first, second))
    landmarks = [plane.to_patient([(20, 30)])[0] for plane in (one, other)]
    point = one.to_patient([pixel])[0]
    found = same_place(point, *map(AnchoredPlane, (one, other), landmarks))
    assert abs(other.distance_mm(found[None])[0]) < 1e-6
    # Both have the same pixels, so that the same place is the same pixel.
    np.testing.assert_allclose(other.to_pixels(found[None])[0], pixel, atol=1e-6)


def test_left_stays_left_whichever_way_pixels_are_counted():
    plane = Plane((0, 0, 0), (0, 1, 0), (1, 0, 0))
    turned = Plane((50, 50, 0), (0, -1, 0), (-1, 0, 0))
    landmark = np.array((10.0, 10.0, 0.0))
    found = same_place(
        np.array((15.0, 12.0, 0.0)), AnchoredPlane(plane, landmark), AnchoredPlane(turned, landmark)
    )
    np.testing.assert_allclose(found, (15, 12, 0), atol=1e-9)
