"""Which water and fat image are of one acquisition, and why others are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.acquisition import Acquisition
from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, ScannerRun, Series, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.dixon_pairs import differences, paired_by_hand, pairings, same_grids
from multifidus.measuring.pipeline import measure
from tests.support.exams import axial_plane, circle, image_slice, outline
from tests.support.strategies import planes

SHAPE = (30, 40)
FAT, WATER = Weighting.DIXON_FAT, Weighting.DIXON_WATER


def series(uid, weighting, *, value=1.0, plane=None, count=3, **facts):
    """Return a series of equal pixels on parallel slices."""
    first = plane or axial_plane(tilt=12)
    slices = tuple(
        image_slice(
            np.full(SHAPE, value),
            Plane(
                first.origin_mm + k * 4.4 * first.normal, first.row_step_mm, first.column_step_mm
            ),
            uid=f"{uid}/{k}",
        )
        for k in range(count)
    )
    return Series(uid, slices, weighting, **facts)


def pairs(*parts):
    return pairings(Exam("S01", "pre", parts))


def partners(*parts):
    """Return which is whose other one, both ways; None where there is none."""
    return {
        uid: None if found.partner is None else found.partner.uid
        for uid, found in pairs(*parts).items()
    }


@given(planes(), st.integers(1, 4), st.permutations(range(3)))
def test_fat_and_water_on_one_grid_are_each_others(plane, count, order):
    parts = [
        series("f", FAT, plane=plane, count=count),
        series("w", WATER, plane=plane, count=count),
        series("t2", Weighting.T2, plane=plane, count=count),
    ]
    assert partners(*(parts[n] for n in order)) == {"f": "w", "w": "f"}


@given(st.sampled_from(range(3)), st.floats(0.3, 50))
def test_images_on_other_grids_are_no_pair_and_both_grids_are_named(axis, mm):
    step = np.eye(3)[axis] * mm
    near = axial_plane()
    far = Plane(near.origin_mm + step, near.row_step_mm, near.column_step_mm)
    found = pairs(series("f", FAT, plane=near), series("w", WATER, plane=far))
    for uid, other, name in (("f", "w", "water image"), ("w", "f", "fat image")):
        assert found[uid].partner is None
        assert f"its {name} (...{other}) lies on another grid: 3 slices" in found[uid].problem
        assert found[uid].problem.count("first pixel at LPS") == 2


def test_an_image_alone_is_no_problem():
    (alone,) = pairs(series("f", FAT)).values()
    assert (alone.partner, alone.problem, alone.flags) == (None, "", ())
    assert pairs(series("t2", Weighting.T2)) == {}


def test_slices_that_the_other_one_lacks_are_left_alone():
    fat, water = series("f", FAT, count=5), series("w", WATER, count=3)
    found = pairs(fat, water)
    assert found["f"].partner is water
    others = [found["f"].co_registered(item) for item in fat.slices]
    assert others == [*water.slices, None, None]


def test_stacks_shifted_by_one_slice_are_no_pair():
    near = axial_plane()
    far = Plane(near.origin_mm + 4.4 * near.normal, near.row_step_mm, near.column_step_mm)
    assert partners(series("f", FAT, plane=near), series("w", WATER, plane=far)) == {
        "f": None,
        "w": None,
    }


def test_two_images_at_one_place_are_not_told_apart():
    fat, water = series("f", FAT, count=1), series("w", WATER, count=1)
    twice = replace(water, slices=(*water.slices, replace(water.slices[0], uid="again")))
    found = pairs(fat, twice)
    assert found["f"].co_registered(fat.slices[0]) is None


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"frame_of_reference_uid": "9"}, "another frame of reference"),
        ({"acquisition": Acquisition(repetition_time_ms=700)}, "repetition time 700 ms instead of"),
        (
            {"acquisition": Acquisition(repetition_time_ms=600, echo_time_ms=20)},
            "echo time 20 ms instead of 10 ms",
        ),
        ({"run": ScannerRun(repeat="2")}, "another repeat"),
    ],
)
def test_what_speaks_against_one_acquisition_is_told(facts, said):
    first = series(
        "f",
        FAT,
        acquisition=Acquisition(repetition_time_ms=600, echo_time_ms=10),
        run=ScannerRun(repeat="1"),
    )
    second = series("w", WATER, **facts)
    assert said in differences(first, second)
    found = pairs(first, second)["f"]
    assert found.partner is None
    assert f"no water image of its acquisition (...w: {said}" in found.problem


def test_what_headers_leave_out_speaks_against_nothing():
    known = Acquisition(repetition_time_ms=600, echo_time_ms=10)
    first = series("f", FAT, acquisition=known, run=ScannerRun("1", ("a",)))
    assert differences(first, series("w", WATER)) == ""
    assert partners(first, series("w", WATER)) == {"f": "w", "w": "f"}


@given(st.permutations(range(4)))
def test_of_repeats_those_of_one_run_are_paired(order):
    parts = [
        series("1", FAT, run=ScannerRun(marks=("101500", "3"))),
        series("2", WATER, run=ScannerRun(marks=("101500", "3"))),
        series("3", FAT, run=ScannerRun(marks=("102000", "4"))),
        series("4", WATER, run=ScannerRun(marks=("102001", "4"))),
    ]
    assert partners(*(parts[n] for n in order)) == {"1": "2", "2": "1", "3": "4", "4": "3"}


def test_the_uid_that_was_split_tells_more_than_the_time():
    found = partners(
        series("1#1", FAT, run=ScannerRun(marks=("101500",))),
        series("1#2", WATER, run=ScannerRun(marks=("101501",))),
        series("2#1", FAT, run=ScannerRun(marks=("101501",))),
        series("2#2", WATER, run=ScannerRun(marks=("101500",))),
    )
    assert found == {"1#1": "1#2", "1#2": "1#1", "2#1": "2#2", "2#2": "2#1"}


def test_repeats_that_nothing_tells_apart_are_not_paired():
    found = pairs(*(series(str(n), kind) for n, kind in enumerate((FAT, WATER, FAT, WATER))))
    assert {item.partner for item in found.values()} == {None}
    assert found["0"].problem == "2 water images fit, and nothing tells which (...1, ...3)"
    assert found["1"].problem == "2 fat images fit, and nothing tells which (...0, ...2)"


def test_one_water_image_is_not_shared_by_two_fat_images():
    found = pairs(series("1", FAT), series("2", FAT), series("3", WATER))
    assert {item.partner for item in found.values()} == {None}
    assert found["1"].problem == "2 fat images fit, and nothing tells which (...1, ...2)"


def test_an_image_whose_other_one_belongs_to_another_is_left_alone():
    found = pairs(
        series("1", FAT, run=ScannerRun(marks=("a",))),
        series("2", FAT, run=ScannerRun(marks=("b",))),
        series("3", WATER, run=ScannerRun(marks=("b",))),
    )
    assert found["1"].problem == "its water image (...3) belongs to ...2"
    assert found["2"].partner.uid == "3"


@pytest.mark.parametrize(
    ("scales", "flags"),
    [
        (((), ()), ()),
        (((("int16", 1.0, 0.0),), (("int16", 1.0, 0.0),)), ()),
        (((("float32", 1.0, 0.0),), (("int16", 1.0, 0.0),)), (Flag.SCALE_UNVERIFIED,)),
        (((1.0,), ()), (Flag.SCALE_UNVERIFIED,)),
        (((1.0, 2.0), (1.0, 2.0)), (Flag.SCALE_UNVERIFIED,)),
    ],
)
def test_pairs_whose_scales_are_not_known_to_be_one_are_flagged(scales, flags):
    fat, water = (
        series(uid, kind, run=ScannerRun(scale=scale))
        for uid, kind, scale in zip("fw", (FAT, WATER), scales, strict=True)
    )
    assert pairs(fat, water)["f"].flags == flags


def test_a_pair_made_by_hand_is_one_whatever_its_headers_say():
    first = series("a", Weighting.T1, acquisition=Acquisition(echo_time_ms=10))
    second = series("b", Weighting.T2, acquisition=Acquisition(echo_time_ms=20))
    assert same_grids(first, second)
    fat, water = paired_by_hand(first, second)
    assert partners(fat, water) == {"a": "b", "b": "a"}
    assert fat.flags == water.flags == ()


def dixon_rows(*parts):
    (drawn,) = (outline(parts[0].slices[0], circle(15, 20, 8)),)
    rows = measure(Exam("S01", "pre", parts), RoiSet((drawn,)))
    return [row for row in rows if row.method == "dixon"]


@pytest.mark.parametrize("first", [FAT, WATER])
def test_a_pair_is_measured_from_either_image(first):
    parts = series("f", FAT, value=3), series("w", WATER, value=7)
    rows = dixon_rows(*(parts if first is FAT else parts[::-1]))
    assert [row.value for row in rows] == pytest.approx([30, 30])
    assert {row.quantity for row in rows} == {
        Quantity.DIXON_FF_MEAN_PCT,
        Quantity.DIXON_FF_RATIO_PCT,
    }
    assert all(Flag.DIXON_UNPAIRED not in row.flags for row in rows)


def test_a_pair_that_is_none_gives_no_number_and_says_so():
    moved = axial_plane(z=30)
    rows = dixon_rows(series("f", FAT, plane=axial_plane()), series("w", WATER, plane=moved))
    assert len(rows) == 2
    assert all(np.isnan(row.value) and row.flags == (Flag.DIXON_UNPAIRED,) for row in rows)


def test_doubts_about_a_pair_stand_on_its_fat_fraction_alone():
    fat = series("f", FAT, run=ScannerRun(scale=(1,)))
    water = series("w", WATER, run=ScannerRun(scale=(2,)))
    (drawn,) = (outline(fat.slices[0], circle(15, 20, 8)),)
    for row in measure(Exam("S01", "pre", (fat, water)), RoiSet((drawn,))):
        assert (Flag.SCALE_UNVERIFIED in row.flags) == (row.method == "dixon")
