"""The spine as landmarks mark it: their order, what they imply, its local axis."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.geometry import tilt_deg
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.errors import LevelError
from multifidus.spine.curve import DISC_STEP_MM, Spine
from tests.support.spines import (
    DISCS,
    STEP_MM,
    arc,
    disc_centres,
    slice_through,
    straight,
    tilted_normal,
)
from tests.support.strategies import numbers, planes

SUPERIOR, INFERIOR = LandmarkKind.SUPERIOR_ENDPLATE, LandmarkKind.INFERIOR_ENDPLATE


def endplates(*marks):
    """Return endplates of (kind, level, z)."""
    return [Landmark(kind, level, (0, 0, z)) for kind, level, z in marks]


def stations(*marks):
    spine = Spine.marked_by(marks)
    return {(s.level, s.slice_position): s.position_mm.tolist() for s in spine.stations}


def test_facing_endplates_make_a_disc_and_both_of_a_vertebra_its_middle():
    marks = endplates(
        (INFERIOR, "L4", 40), (SUPERIOR, "L5", 30), (INFERIOR, "L5", 4), (SUPERIOR, "S1", -6)
    )
    assert {key: point[2] for key, point in stations(*marks).items()} == {
        (Level.L4, SlicePosition.INFERIOR_ENDPLATE): 40,
        (Level.L4_L5, SlicePosition.MID_DISC): 35,
        (Level.L5, SlicePosition.SUPERIOR_ENDPLATE): 30,
        (Level.L5, SlicePosition.MID_BODY): 17,
        (Level.L5, SlicePosition.INFERIOR_ENDPLATE): 4,
        (Level.L5_S1, SlicePosition.MID_DISC): -1,
        (Level.S1, SlicePosition.SUPERIOR_ENDPLATE): -6,
    }


def test_a_marked_centre_comes_before_a_cage_and_a_cage_before_endplates():
    plates = endplates((INFERIOR, "L4", 40), (SUPERIOR, "L5", 30))
    cages = [Landmark("cage", "L4-L5", (x, 0, 36)) for x in (-12, 12)]
    centre = Landmark("disc_centre", "L4-L5", (0, 0, 34))
    key = (Level.L4_L5, SlicePosition.MID_DISC)
    assert stations(*plates)[key] == [0, 0, 35]
    assert stations(*plates, *cages)[key] == [0, 0, 36]
    assert stations(*plates, *cages, centre)[key] == [0, 0, 34]


def test_the_same_landmark_from_two_files_is_one():
    marks = disc_centres(straight())
    assert stations(*marks, *marks) == stations(*marks)


@pytest.mark.parametrize("disc", ["L5-L6", "L6-S1"])
def test_a_spine_with_six_lumbar_vertebrae_has_its_own_discs(disc):
    levels = (*DISCS[1:4], Level.L5_L6, Level.L6_S1)
    spine = Spine.marked_by(disc_centres(straight(), levels))
    assert Level(disc) in {station.level for station in spine.stations}
    assert [station.level for station in spine.stations] == list(levels)
    # L5 and S1 do not face each other here.
    plates = endplates((INFERIOR, "L5", 40), (SUPERIOR, "L6", 30), (INFERIOR, "L6", 5))
    found = stations(*plates, *endplates((SUPERIOR, "S1", -5)))
    assert {level for level, place in found if place is SlicePosition.MID_DISC} == {
        Level.L5_L6, Level.L6_S1,
    }  # fmt: skip


def one(kind, level, point=(0, 0, 0)):
    return Landmark(kind, level, point)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ([], "There are no landmarks"),
        ([one("disc_centre", "L4")], "disc centre belongs to a disc, such as L4-L5, not to L4"),
        ([one("cage", "S1")], "cage belongs to a disc"),
        ([one(SUPERIOR, "L4-L5")], "superior endplate belongs to a vertebra, .* not to L4-L5"),
        (
            [one("disc_centre", "L4-L5"), one("disc_centre", "L4-L5", (0, 0, 2))],
            "disc centre of L4-L5 is marked at places 2.0 mm apart",
        ),
        (
            [one("cage", "L4-L5"), one("cage", "L4-L5", (0, 0, 50))],
            "cage of L4-L5 is marked at places 50.0 mm apart",
        ),
        (
            [one("disc_centre", "L5-S1"), one("disc_centre", "L5-L6", (0, 0, 35))],
            "both L5-S1 and L5-L6",
        ),
        (
            [one("disc_centre", "L4-L5", (0, 0, 8)), one("disc_centre", "L5-S1")],
            "L4-L5 and L5-S1 are marked 8.0 mm apart",
        ),
        (
            [one("disc_centre", "L4-L5", (0, 0, 75)), one("disc_centre", "L5-S1")],
            "L4-L5 and L5-S1 are marked 75.0 mm apart",
        ),
        (
            [one("disc_centre", "L3-L4", (0, 0, 140)), one("disc_centre", "L5-S1")],
            "L3-L4 and L5-S1 are marked 140.0 mm apart",
        ),
        (
            [one(SUPERIOR, "L5", (0, 0, 10)), one(INFERIOR, "L5", (0, 0, 30))],
            "out of order along the spine near L5 superior endplate and L5 mid body",
        ),
        ([one(SUPERIOR, "L5", (0, 0, 9)), one(INFERIOR, "L5", (0, 0, 9))], "out of order"),
    ],
)
def test_landmarks_that_contradict_each_other_are_refused(marks, message):
    with pytest.raises(LevelError, match=message):
        Spine.marked_by(marks)


@pytest.mark.parametrize(("height", "message"), [(4, None), (6, "out of order along the spine")])
def test_a_thin_discs_middle_and_border_may_be_turned_round_by_little(height, message):
    marks = [*disc_centres(straight()), Landmark(SUPERIOR, "S1", (0, 0, -2 * STEP_MM + height))]
    if message is None:
        assert len(Spine.marked_by(marks).stations) == 6
    else:
        with pytest.raises(LevelError, match=message):
            Spine.marked_by(marks)


@given(st.permutations(range(5)), st.booleans())
def test_landmarks_whose_names_do_not_run_down_the_spine_are_refused(order, curved):
    points = arc()[0] if curved else straight(10)
    marks = disc_centres([points[i] for i in order])
    if order == [0, 1, 2, 3, 4]:
        assert len(Spine.marked_by(marks).stations) == 5
    else:
        with pytest.raises(LevelError):
            Spine.marked_by(marks)


@given(st.permutations(disc_centres(arc()[0])))
def test_the_order_in_which_landmarks_were_set_does_not_matter(marks):
    plane = slice_through((0, 0, 3), 12)
    spine, same = Spine.marked_by(marks), Spine.marked_by(disc_centres(arc()[0]))
    assert spine.offsets_mm(plane).tolist() == same.offsets_mm(plane).tolist()
    assert spine.axis_at(plane).tolist() == same.axis_at(plane).tolist()


@given(numbers(120, 2000), numbers(0, 40), st.integers(3, 5), st.integers(0, 2))
def test_on_a_circle_the_axis_is_the_tangent_at_every_disc(radius, bottom, count, first):
    points, tilts = arc(radius, bottom)
    assume(first + count <= 5)
    chosen = slice(first, first + count)
    spine = Spine.marked_by(disc_centres(points[chosen], DISCS[chosen]))
    for point, tilt in zip(points[chosen], tilts[chosen], strict=True):
        axis = spine.axis_at(slice_through(point, tilt))
        assert tilt_deg(axis) == pytest.approx(tilt, abs=1e-6)
        assert axis[2] > 0


@given(numbers(0, 1), numbers(0, 40))
def test_between_discs_the_axis_turns_evenly(share, bottom):
    points, tilts = arc(300, bottom)
    spine = Spine.marked_by(disc_centres(points))
    for upper in range(4):
        tilt = (1 - share) * tilts[upper] + share * tilts[upper + 1]
        angle = np.radians(tilt)
        on_arc = 300 * np.array((0, 1 - np.cos(angle), -np.sin(angle)))
        assert tilt_deg(spine.axis_at(slice_through(on_arc, tilt))) == pytest.approx(tilt, abs=0.2)


def test_beyond_the_landmarks_the_axis_stays_as_it_is():
    points, tilts = arc()
    spine = Spine.marked_by(disc_centres(points))
    above, below = slice_through(points[0], 0, 60), slice_through(points[4], 20, -60)
    assert tilt_deg(spine.axis_at(above)) == pytest.approx(tilts[0])
    assert tilt_deg(spine.axis_at(below)) == pytest.approx(tilts[4])


@pytest.mark.parametrize("pair", [*combinations(range(5), 2)])
def test_two_landmarks_give_the_straight_line_between_them(pair):
    points = arc()[0]
    upper, lower = (points[i] for i in pair)
    spine = Spine.marked_by(disc_centres((upper, lower), [DISCS[i] for i in pair]))
    expected = (upper - lower) / np.linalg.norm(upper - lower)
    np.testing.assert_allclose(spine.axis_at(slice_through((0, 0, 0))), expected)


def test_the_middle_of_the_sacrum_puts_l5_s1_inside_the_axis():
    points, tilts = arc(200, 25)
    angle = np.radians(tilts[4] + 8)
    sacrum = 200 * np.array((0, 1 - np.cos(angle), -np.sin(angle)))
    down = -tilted_normal(tilts[4] + 8)
    plates = [
        Landmark(SUPERIOR, "S1", sacrum - 12 * down),
        Landmark(INFERIOR, "S1", sacrum + 12 * down),
    ]
    marks = disc_centres(points)
    # Endplates of a vertebra between discs give slices their level and do not bend the axis.
    inside = [
        Landmark(SUPERIOR, "L5", points[3] + (0, 3, -8)),
        Landmark(INFERIOR, "L5", points[4] + (0, 3, 8)),
    ]
    at = slice_through(points[4], tilts[4])
    with_sacrum = Spine.marked_by([*marks, *plates, *inside]).axis_at(at)
    assert tilt_deg(with_sacrum) == pytest.approx(tilts[4], abs=1e-6)
    # An error of L4-L5 now turns the axis at L5-S1 a third as much.
    marks[3] = Landmark("disc_centre", "L4-L5", points[3] + (0, 2, 0))
    off, without = (
        abs(tilt_deg(Spine.marked_by(found).axis_at(at)) - tilts[4])
        for found in ([*marks, *plates], marks)
    )
    assert off < without / 3


def test_one_disc_and_a_vertebra_give_an_axis_and_one_landmark_gives_none():
    plates = endplates((INFERIOR, "L4", 40), (SUPERIOR, "L5", 30), (INFERIOR, "L5", 4))
    assert Spine.marked_by(plates).axis_at(slice_through((0, 0, 0))).tolist() == [0, 0, 1]
    alone = Spine.marked_by(plates[:1])
    assert not alone.has_axis
    with pytest.raises(LevelError, match="One landmark has no direction"):
        alone.axis_at(slice_through((0, 0, 0)))


@given(planes())
def test_offsets_are_distances_to_the_plane_and_positive_where_it_lies_to_cranial(plane):
    spine = Spine.marked_by(disc_centres(straight()))
    assume(abs(plane.normal[2]) > 1e-3)
    for station, offset in zip(spine.stations, spine.offsets_mm(plane), strict=True):
        assert abs(offset) == pytest.approx(abs(float(plane.distance_mm(station.position_mm))))
        # Straight up or down to the plane is as far as the offset says, by its slope.
        rise = float(plane.distance_mm(station.position_mm)) / -plane.normal[2]
        assert np.sign(rise) == np.sign(offset) or abs(offset) < 1e-9


def test_a_landmark_reaches_half_way_to_the_next_disc_and_endplates_little_beyond_their_vertebra():
    half = STEP_MM / 2
    (first, *_) = Spine.marked_by(disc_centres(straight(20))).stations
    assert first.reach_mm == pytest.approx((half, half))
    (alone,) = Spine.marked_by(disc_centres([(0, 0, 0)])).stations
    assert alone.reach_mm == (DISC_STEP_MM / 2, DISC_STEP_MM / 2)
    (top,) = Spine.marked_by(endplates((SUPERIOR, "L5", 0))).stations
    (bottom,) = Spine.marked_by(endplates((INFERIOR, "L5", 0))).stations
    assert [top.reaches(offset) for offset in (-17, -18, 5, 6)] == [True, False, True, False]
    assert [bottom.reaches(offset) for offset in (17, 18, -5, -6)] == [True, False, True, False]


def test_the_axis_of_a_leaning_spine_leans_with_it():
    spine = Spine.marked_by(disc_centres(straight(30)))
    np.testing.assert_allclose(spine.axis_at(slice_through((0, 0, 0))), tilted_normal(30))
    np.testing.assert_allclose(spine.up, tilted_normal(30))
