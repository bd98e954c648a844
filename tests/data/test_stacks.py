import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane
from multifidus.data.stacks import same_places, stack_flags, stack_order, stack_runs, view_groups
from tests.support.strategies import planes

SHAPE = (40, 60)
STEP_MM = 4.4


def block(centre_z, tilt, count=4, spacing=0.7):
    """Return planes of one stack, angled to its disc, from its lowest slice to its highest."""
    angle = np.radians(tilt)
    row_step = np.array((0, np.cos(angle), np.sin(angle))) * spacing
    column_step = np.array((spacing, 0, 0))
    normal = np.array((0, -np.sin(angle), np.cos(angle)))
    corner = -(SHAPE[0] - 1) / 2 * row_step - (SHAPE[1] - 1) / 2 * column_step
    middle = np.array((0, -30, centre_z))
    return [
        Plane(middle + corner + (k - (count - 1) / 2) * STEP_MM * normal, row_step, column_step)
        for k in range(count)
    ]


def lumbar_series():
    """Return five blocks of four slices, angled more and more towards L5-S1, feet first."""
    return [
        plane
        for z, tilt in [(-70, 28), (-35, 12), (0, 3), (35, -4), (70, -8)]
        for plane in block(z, tilt)
    ]


def stacks_of(found, shapes=None):
    """Return each stack of planes as their numbers, in stack order."""
    shapes = shapes or [SHAPE] * len(found)
    order = stack_order(found, shapes)
    ordered, sizes = [found[i] for i in order], [shapes[i] for i in order]
    return [[ordered[i].numbers for i in run] for run in stack_runs(ordered, sizes)]


def sizes_of(found, shapes=None):
    return [len(stack) for stack in stacks_of(found, shapes)]


def test_five_blocks_angled_to_their_discs_are_five_stacks():
    found = lumbar_series()
    assert sizes_of(found) == [4, 4, 4, 4, 4]
    in_order = [numbers for stack in stacks_of(found) for numbers in stack]
    assert in_order == [plane.numbers for plane in found]


@given(st.permutations(range(20)))
def test_stacks_do_not_depend_on_the_order_of_files(order):
    found = lumbar_series()
    assert stacks_of([found[i] for i in order]) == stacks_of(found)


@given(planes(), st.permutations(range(9)), st.integers(2, 40), st.integers(2, 40))
def test_parallel_slices_are_one_stack_at_every_orientation(plane, order, rows, columns):
    moved = [
        Plane(
            plane.origin_mm + k * (STEP_MM * plane.normal + 0.2 * plane.row_step_mm),
            plane.row_step_mm,
            plane.column_step_mm,
        )
        for k in range(9)
    ]
    shapes = [(rows, columns)] * 9
    found = stack_order([moved[i] for i in order], shapes)
    assert [order[i] for i in found] == list(range(9))
    assert stack_runs(moved, shapes) == [list(range(9))]


def test_two_stacks_three_degrees_apart_stay_two():
    assert sizes_of(block(0, 5) + block(20, 8)) == [4, 4]


def test_two_stacks_that_cross_each_other_stay_two():
    assert sorted(sizes_of(block(0, 0, count=7) + block(4, 25, count=5))) == [5, 7]


def test_parallel_blocks_with_a_gap_are_cut_at_the_gap():
    found = block(0, 10) + block(40, 10, count=5)
    assert sizes_of(found) == [4, 5]


def test_slices_of_another_size_or_spacing_are_another_stack():
    assert sizes_of(block(0, 10) + block(4 * STEP_MM, 10), [SHAPE] * 4 + [(41, 60)] * 4) == [4, 4]
    assert sizes_of(block(0, 10) + block(4 * STEP_MM, 10, spacing=0.8)) == [4, 4]


def test_one_slice_a_level_at_uneven_distances_is_no_volume():
    found = [block(z, tilt, count=1)[0] for z, tilt in [(0, 20), (33, 9), (69, 1), (104, -5)]]
    assert sizes_of(found) == [1, 1, 1, 1]


def test_a_missing_slice_cuts_its_stack_in_two():
    whole = block(0, 10, count=8)
    assert sizes_of(whole[:3] + whole[4:]) == [3, 4]


def test_slices_acquired_twice_make_a_second_stack():
    found = block(0, 10)
    assert stacks_of(found + found) == [[plane.numbers for plane in found]] * 2
    assert sizes_of([plane for plane in found for _ in range(3)]) == [4, 4, 4]


def test_one_slice_is_one_stack():
    found = block(0, 10, count=1)
    assert stack_order(found, [SHAPE]) == [0]
    assert stack_runs(found, [SHAPE]) == [[0]]


def test_one_slice_given_twice_is_two_stacks_of_one():
    assert sizes_of(block(0, 10, count=1) * 2) == [1, 1]


def test_sagittal_slices_run_along_their_normal():
    found = [Plane((x, -80, 100), (0, 0, -0.6), (0, 0.6, 0)) for x in (0, 4, -4, 8, -8)]
    # The normal of this orientation points to the right: x falls.
    assert [numbers[0] for numbers in stacks_of(found)[0]] == [8, 4, 0, -4, -8]
    assert sizes_of(found) == [5]


def test_angles_written_with_few_digits_stay_one_stack():
    rng = np.random.default_rng(1)
    noisy = [
        Plane(
            plane.origin_mm,
            plane.row_step_mm + rng.normal(0, 1e-5, 3),
            plane.column_step_mm + rng.normal(0, 1e-5, 3),
        )
        for plane in block(0, 10, count=8)
    ]
    assert sizes_of(noisy) == [8]


@pytest.mark.parametrize("step", [1, -1], ids=["towards the head", "towards the feet"])
def test_slices_in_their_files_order_stay_one_stack_whichever_way_they_run(step):
    found = block(0, 10, count=6)[::step]
    assert stack_runs(found, [SHAPE] * 6) == [[0, 1, 2, 3, 4, 5]]


def test_a_stack_does_not_turn_round():
    a, b, c = block(0, 10, count=3)
    assert stack_runs([a, b, c, b, a], [SHAPE] * 5) == [[0, 1, 2], [3, 4]]


def test_stacks_in_their_files_order_are_cut_where_the_angle_changes():
    found = block(0, 5)[::-1] + block(60, 12)
    assert stack_runs(found, [SHAPE] * 8) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def flags_of(found):
    """Return the flags of each stack, in stack order."""
    shapes = [SHAPE] * len(found)
    ordered = [found[i] for i in stack_order(found, shapes)]
    return stack_flags(ordered, shapes, stack_runs(ordered, shapes))


def lifted(plane, height, aside=0.0):
    offset = height * plane.normal + aside * plane.row_step_mm
    return Plane(plane.origin_mm + offset, plane.row_step_mm, plane.column_step_mm)


def at_heights(*heights):
    (plane,) = block(0, 10, count=1)
    return [lifted(plane, height) for height in heights]


def test_stacks_angled_to_their_discs_are_beyond_doubt():
    assert flags_of(lumbar_series()) == [()] * 5


@given(planes(), st.integers(2, 3))
def test_a_gap_of_two_or_three_steps_lacks_slices_at_every_orientation(plane, steps):
    heights = [0, 4.4, 8.8, 8.8 + steps * 4.4, 8.8 + steps * 4.4 + 4.4]
    found = [lifted(plane, height) for height in heights]
    assert flags_of(found) == [(Flag.SLICES_MISSING,)] * 2


@pytest.mark.parametrize("gap", [2.2, 5.0, 7.0, 11.0])
def test_a_gap_of_no_whole_steps_makes_distances_uneven(gap):
    found = at_heights(0, 4.4, 8.8, 8.8 + gap, 8.8 + gap + 4.4)
    assert set(flags_of(found)) == {(Flag.SLICES_UNEVEN,)}


def test_a_wide_gap_parts_stacks_that_are_beyond_doubt():
    assert flags_of(at_heights(0, 4.4, 8.8, 26.4, 30.8)) == [(), ()]


def test_single_slices_of_parallel_discs_lack_nothing():
    assert set(flags_of(at_heights(0, 33, 69, 104))) == {()}


def test_only_the_stacks_beside_a_gap_are_flagged():
    found = at_heights(0, 4.4, 13.2, 17.6, 60.0, 64.4)
    assert flags_of(found) == [(Flag.SLICES_MISSING,)] * 2 + [()]


def test_slices_at_one_place_are_found_and_flagged():
    found = block(0, 10)
    assert same_places(found, [SHAPE] * 4) == []
    assert same_places([*found, found[2]], [SHAPE] * 5) == [[2, 4]]
    assert same_places([found[2], *found, found[2]], [SHAPE] * 6) == [[0, 3, 5]]
    assert same_places([*found, found[2]], [SHAPE] * 4 + [(41, 60)]) == []
    assert flags_of([*found, found[2]]) == [(Flag.SLICES_DUPLICATED,)] * 2
    assert flags_of([*found, *block(60, 10)[:1] * 2])[0] == ()


def test_slices_that_are_shifted_sideways_are_sheared():
    (plane,) = block(0, 10, count=1)
    straight, leaning = (
        [lifted(plane, 4.4 * k, aside * k) for k in range(6)] for aside in (0.1, 0.3)
    )
    assert flags_of(straight) == [()]
    assert flags_of(leaning) == [(Flag.STACK_SHEARED,)]


def test_axial_and_sagittal_slices_are_two_views_and_steep_discs_one():
    sagittal = [Plane((x, -80, 100), (0, 0, -0.6), (0, 0.6, 0)) for x in (0, 4, 8)]
    assert view_groups([*lumbar_series(), *sagittal]) == [list(range(20)), [20, 21, 22]]
    assert view_groups(block(0, 55) + block(40, 0)) == [list(range(8))]
    chain = block(0, 70, 1) + block(40, 0, 1) + block(20, 35, 1)
    assert view_groups(chain) == [[0, 1, 2]]
    # The same plane seen from the other side is the same view.
    assert view_groups([sagittal[0], Plane((0, 0, 0), (0, 0, -1), (0, -1, 0))]) == [[0, 1]]


def test_blocks_one_step_apart_but_moved_aside_are_two_stacks_that_lack_nothing():
    (plane,) = block(0, 10, count=1)
    found = [lifted(plane, 4.4 * k, aside=10.0 * (k > 2)) for k in range(6)]
    assert [len(run) for run in stack_runs(found, [SHAPE] * 6)] == [3, 3]
    assert flags_of(found) == [(), ()]
