"""A Dixon pair that somebody names is checked, measured as a pair given by hand, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.acquisition import Acquisition
from multifidus.data.anatomy import Side, Structure
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.roi_set import RoiSet
from multifidus.errors import GeometryError
from multifidus.io.read import read_exam
from multifidus.measuring.dixon_pairs import pairings
from multifidus.measuring.dixon_roles import DixonRoles, check_pair, possible_roles, with_roles
from multifidus.measuring.pipeline import measure
from tests.support.dixon import dixon_signals, write_dixon
from tests.support.exams import axial_plane, circle, outline
from tests.support.strategies import planes

NAMES = ("in", "opposed", "water", "fat")


def series(name, *, plane=None, count=3, **facts):
    """Return an image of the acquisition whose header tells nothing."""
    first = plane or axial_plane(tilt=12)
    slices = tuple(
        Slice.from_array(
            f"{name}/{k}",
            replace(first, origin_mm=first.origin_mm + k * 4.4 * first.normal),
            dixon_signals()[name][:, :, k].T,
        )
        for k in range(count)
    )
    return Series(name, slices, **facts)


@pytest.fixture(scope="module")
def exam():
    return Exam("S01", "pre", tuple(map(series, NAMES)))


def test_the_pair_that_is_named_is_the_pair_and_nothing_else_changes(exam):
    assert [item.uid for item in possible_roles(exam)] == list(NAMES)
    assert pairings(exam) == {}
    found = with_roles(exam, DixonRoles("fat", "water"))
    assert {uid: pair.partner.uid for uid, pair in pairings(found).items()} == {
        "fat": "water",
        "water": "fat",
    }
    assert found.series[:2] == exam.series[:2]


@pytest.mark.parametrize(
    ("fat", "water", "words"),
    [
        ("fat", "fat", "one and the same"),
        ("fat", "nothing", "not in this exam"),
        ("in", "water", "alike"),
        ("fat", "in", "mostly fat"),
        ("opposed", "water", "alike"),
        ("in", "opposed", "alike"),
    ],
)
def test_what_cannot_be_a_pair_is_refused_with_the_reason(exam, fat, water, words):
    with pytest.raises(GeometryError, match=words):
        with_roles(exam, DixonRoles(fat, water))


@given(planes(), st.floats(1, 30))
def test_two_grids_are_no_pair_wherever_they_lie(plane, shift):
    moved = replace(plane, origin_mm=plane.origin_mm + shift * plane.normal)
    fat, water = series("fat", plane=plane, count=1), series("water", plane=moved, count=1)
    check_pair(fat, series("water", plane=plane, count=1))
    with pytest.raises(GeometryError, match="different grids"):
        check_pair(fat, water)


def test_a_header_that_says_something_else_wins():
    with pytest.raises(GeometryError, match="its header says dixon water"):
        check_pair(series("fat", weighting=Weighting.DIXON_WATER), series("water"))
    two = Acquisition(echo_time_ms=1.2), Acquisition(echo_time_ms=2.4)
    with pytest.raises(GeometryError, match="echo time"):
        check_pair(series("fat", acquisition=two[0]), series("water", acquisition=two[1]))
    map_of_fat = series("in", weighting=Weighting.PDFF)
    offered = possible_roles(Exam("S", "pre", (map_of_fat, series("fat"), series("water"))))
    assert [item.uid for item in offered] == ["fat", "water"]


def test_no_signal_is_no_pair():
    empty = [
        Series(uid, (Slice.from_array(f"{uid}/0", axial_plane(tilt=3), np.zeros((9, 9))),))
        for uid in ("a", "b")
    ]
    with pytest.raises(GeometryError, match="no signal"):
        check_pair(*empty)


def test_a_pair_that_is_named_does_not_mix_with_one_that_headers_name(exam):
    """A second acquisition on the same grid keeps its own pair."""
    others = [
        replace(series(name), uid=f"second {name}", weighting=weighting)
        for name, weighting in (("fat", Weighting.DIXON_FAT), ("water", Weighting.DIXON_WATER))
    ]
    found = with_roles(replace(exam, series=(*exam.series, *others)), DixonRoles("fat", "water"))
    partners = {uid: pair.partner.uid for uid, pair in pairings(found).items() if pair.partner}
    assert partners == {
        "fat": "water",
        "water": "fat",
        "second fat": "second water",
        "second water": "second fat",
    }


def test_numbers_are_those_of_the_pair_given_by_hand(tmp_path):
    files = write_dixon(tmp_path)
    by_hand = read_exam(fat=files["fat"], water=files["water"])
    fat, water = by_hand.series
    chosen = with_roles(read_exam(*files.values()), DixonRoles(fat.uid, water.uid))
    item = fat.slices[1]
    roi = outline(item, circle(36, 40, 9), structure=Structure.MULTIFIDUS, side=Side.LEFT)
    values = [
        [row.value for row in measure(exam, RoiSet((roi,))) if row.quantity is quantity]
        for exam in (by_hand, chosen)
        for quantity in (Quantity.DIXON_FF_MEAN_PCT, Quantity.DIXON_FF_RATIO_PCT)
    ]
    assert values[:2] == values[2:]
    assert values[0][0] == pytest.approx(12, abs=1)
