"""Which slices speak for a level: the same for the summary table and for every comparison."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from multifidus.data.protocol import MeasurementProtocol
from multifidus.study.level_value import (
    chosen_slices,
    level_number,
    rule_in_words,
    selection_name,
    slice_of,
    slices_taken,
)
from multifidus.study.summary import summary_rows
from tests.support.strategies import protocols
from tests.support.tables import measurements, values_of

OFFSETS = {"a": -6.0, "b": 1.5, "c": -1.0, "d": math.nan}


def by(**settings):
    return MeasurementProtocol(**settings)


@pytest.mark.parametrize(
    ("settings", "taken", "name"),
    [
        ({}, "abcd", "all"),
        ({"slice_selection": "nearest"}, "c", "nearest"),
        ({"slice_selection": "band", "band_mm": 1.5}, "bc", "band 1.5 mm"),
        ({"slice_selection": "band", "band_mm": 0.5}, "", "band 0.5 mm"),
    ],
)
def test_slices_are_taken_by_their_distance_from_the_landmark(settings, taken, name):
    assert chosen_slices(OFFSETS, by(**settings)) == set(taken)
    assert selection_name(by(**settings)) == name


def test_without_a_level_or_a_landmark_nothing_is_near():
    nearest = by(slice_selection="nearest")
    assert chosen_slices(OFFSETS, nearest, has_level=False) == set("abcd")
    assert chosen_slices({"a": math.nan}, nearest) == set()


def number(values, uncertainties=(), quantity="tcsa_mm2", **settings):
    """Return the number of a level with a slice for each value."""
    doubts = uncertainties or [math.nan] * len(values)
    rows = measurements(
        row(index, value, 0.0, quantity) | {"uncertainty": doubt}
        for index, (value, doubt) in enumerate(zip(values, doubts, strict=True))
    )
    return level_number(rows, slices_taken(rows, by(**settings)), by(**settings))


def test_a_level_says_the_mean_or_the_largest_and_never_half_of_what_is_undefined():
    assert number([1, 2, 6]).value == 3
    assert number([1, 2, 6], level_value="max").value == 6
    assert math.isnan(number([1, math.nan], level_value="max").value)
    assert math.isnan(number([]).value)
    assert number([2, 2], quantity="goutallier_grade").value == 2
    assert math.isnan(number([1, 2], quantity="goutallier_grade", level_value="max").value)


def test_errors_of_one_raters_slices_do_not_cancel():
    assert number([900, 1000], [20, 30]).uncertainty == 25
    assert number([900, 1000], [20, 30], level_value="max").uncertainty == 30
    assert math.isnan(number([]).uncertainty)
    # What has no value has no uncertainty, in whichever order its slices come.
    for settings in ({}, {"level_value": "max"}):
        for values, doubts in (
            ([900, math.nan], [20, math.nan]),
            ([math.nan, 900], [math.nan, 20]),
        ):
            assert math.isnan(number(values, doubts, **settings).uncertainty)


def test_two_slices_as_near_as_each_other_are_taken_by_their_place_not_by_their_name():
    rows = measurements([row(9, 900.0, -2.0), row(10, 950.0, 2.0)])
    taken = slices_taken(rows, by(slice_selection="nearest"))
    assert taken == {slice_of(rows[0])}


def test_the_rule_is_said_in_words():
    assert rule_in_words(by()) == "mean of all slices"
    assert rule_in_words(by(slice_selection="nearest", level_value="max")) == "nearest slice"
    band = by(slice_selection="band", band_mm=5, level_value="max")
    assert rule_in_words(band) == "max within 5 mm"


def row(index, value, offset, quantity="tcsa_mm2", *, level="L4-L5"):
    return {
        "subject": "S1", "timepoint": "pre", "rater": "A", "reading": 1, "series": "1.2",
        "slice_index": index, "slice_uid": f"1.2.{index}", "level": level,
        "structure": "multifidus", "side": "left", "quantity": quantity, "method": "",
        "value": value, "unit": "mm2", "flags": "", "tilt_deg": float(index),
        "valid_fraction": 1.0, "offset_mm": offset, "uncertainty": value / 50, "name": "",
    }  # fmt: skip


offsets = st.one_of(st.just(math.nan), st.floats(-20, 20))
areas = st.one_of(st.floats(1, 2000), st.just(math.nan))
slices = st.lists(st.tuples(areas, offsets), min_size=1, max_size=5)
given_up = {
    "series": "", "slice_index": None, "slice_uid": "", "value": math.nan, "offset_mm": math.nan,
    "flags": "not_measurable", "tilt_deg": math.nan,
}  # fmt: skip
"""What a rater says of a level as a whole."""


@given(slices, protocols(), st.sampled_from(["L4-L5", ""]), st.booleans())
def test_what_is_compared_is_what_the_summary_table_says(found, protocol, level, gave_up):
    if not level:
        found = found[:1]  # the summary has a row for each such slice
    rows = [row(n, v, offset, level=level) for n, (v, offset) in enumerate(found)]
    if gave_up and level:
        rows.append(rows[0] | given_up)
    (summed,) = summary_rows(measurements(rows), protocol)
    (value,) = values_of(rows, protocol)
    assert value.value == pytest.approx(summed["tcsa_mm2"], nan_ok=True)
    assert ("no_slice_selected" in value.flags) == ("no_slice_selected" in summed["flags"])
    assert value.rule == rule_in_words(protocol)


def test_a_slice_is_taken_for_all_quantities_of_a_muscle_alike():
    rows = [row(0, 900.0, 0.5), row(1, 950.0, 4.0), row(1, 20.0, 4.0, "fi_pct")]
    area, fat = values_of(rows, by(slice_selection="nearest"))
    assert area.value == 900
    assert math.isnan(fat.value)
    assert "no_slice_selected" in fat.flags


def test_a_volume_is_of_a_run_of_slices_whatever_is_selected():
    rows = [row(0, 12.5, 30.0, "volume_ml"), row(1, 900.0, 0.5)]
    by_name = {item.quantity: item for item in values_of(rows, by(slice_selection="nearest"))}
    assert by_name["volume_ml"].value == 12.5
    assert not by_name["volume_ml"].rule
