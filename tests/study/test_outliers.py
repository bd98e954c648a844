"""What stands out in a study, against values worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

import multifidus as mf
from multifidus.study.outliers import Place, find_outliers, robust_z, watched_columns

AREA, FAT = "tcsa_mm2", "pooled_otsu_fi_pct"


def row(subject="S1", timepoint="pre", side="left", **values):
    names = {"rater": "A", "reading": 1, "level": "L4-L5", "structure": "multifidus", "name": ""}
    return {"subject": subject, "timepoint": timepoint, "side": side, **names, **values}


def test_the_robust_z_is_that_worked_out_by_hand():
    # Median 14, distances 4 2 1 0 1 2 16: their median is 2.
    found = robust_z([10, 12, 13, 14, 15, 16, 30])
    assert found == pytest.approx([0.6745 * away / 2 for away in (-4, -2, -1, 0, 1, 2, 16)])
    # Median 3.5, distances 2.5 1.5 0.5 0.5 1.5 96.5: their median is 1.5.
    assert robust_z([1, 2, 3, 4, 5, 100])[-1] == pytest.approx(0.6745 * 96.5 / 1.5)


def test_few_values_and_values_that_are_mostly_one_number_have_none():
    assert all(map(math.isnan, robust_z([1, 2, 3, 90])))
    assert all(map(math.isnan, robust_z([0, 0, 0, 0, 5])))
    assert robust_z([]) == []


numbers = st.lists(st.integers(-10_000, 10_000).map(float), min_size=5, max_size=30)


@given(numbers, st.integers(-1000, 1000), st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_another_zero_or_unit_changes_nothing_and_a_mirror_the_sign(values, added, factor):
    before = robust_z(values)
    assert robust_z([value + added for value in values]) == pytest.approx(before, nan_ok=True)
    assert robust_z([value * factor for value in values]) == pytest.approx(before, nan_ok=True)
    mirrored = robust_z([-value for value in values])
    assert mirrored == pytest.approx([-z for z in before], nan_ok=True)


@given(numbers, st.randoms(use_true_random=False))
def test_the_order_of_values_does_not_matter(values, random):
    shuffled = random.sample(values, len(values))
    found = dict(zip(shuffled, robust_z(shuffled), strict=True))
    assert found == pytest.approx(dict(zip(values, robust_z(values), strict=True)), nan_ok=True)


def test_a_value_is_compared_within_level_side_and_timepoint_alone():
    rows = [row(f"S{n}", tcsa_mm2=800.0 + n) for n in range(9)]
    assert find_outliers(rows, [AREA]) == []
    (found,) = find_outliers([*rows, row("S9", tcsa_mm2=700.0)], [AREA])
    # Median 803.5 of 10 values, whose distances have the median 2.5.
    assert found.place == Place("S9", "pre", "A", 1, "L4-L5", "multifidus", "left")
    assert (found.centre, found.n, found.is_change) == (803.5, 10, False)
    assert found.z == pytest.approx(0.6745 * -103.5 / 2.5)
    assert found.places == (found.place,)
    for other in ({"side": "right"}, {"timepoint": "post"}, {"level": "L5-S1"}):
        assert find_outliers([*rows, row("S9", tcsa_mm2=700.0) | other], [AREA]) == []


@pytest.mark.parametrize(("after", "stands_out"), [(401, False), (399, True), (1601, True)])
def test_a_change_of_over_sixty_percent_of_area_stands_out(after, stands_out):
    rows = [row(tcsa_mm2=1000.0, order="0"), row(timepoint="post", tcsa_mm2=after, order="1")]
    found = find_outliers(rows, [AREA])
    assert [item.change for item in found] == pytest.approx([after / 10 - 100] * stands_out)
    for item in found:
        assert [place.timepoint for place in item.places] == ["pre", "post"]


@pytest.mark.parametrize(("after", "stands_out"), [(49.5, False), (50.5, True)])
def test_a_change_of_over_forty_points_of_fat_stands_out(after, stands_out):
    rows = [row(pooled_otsu_fi_pct=10.0), row(timepoint="post", pooled_otsu_fi_pct=after)]
    assert len(find_outliers(rows, [AREA, FAT])) == stands_out


def test_timepoints_follow_the_tables_order_and_one_without_a_value_is_passed_over():
    rows = [
        row(timepoint="a", tcsa_mm2=900.0, order="2"),
        row(timepoint="b", tcsa_mm2=math.nan, order="1"),
        row(timepoint="c", tcsa_mm2=300.0, order="0"),
    ]
    (found,) = find_outliers(rows, [AREA])
    assert (found.earlier, found.place.timepoint, found.change) == ("c", "a", pytest.approx(200))


def test_readings_of_different_raters_are_no_change_and_undefined_values_are_none():
    rows = [row(tcsa_mm2=1000.0), row(timepoint="post", tcsa_mm2=100.0) | {"rater": "B"}]
    assert find_outliers([*rows, row("S2"), row("S3", tcsa_mm2=None)], [AREA]) == []
    zero = [row(tcsa_mm2=0.0), row(timepoint="post", tcsa_mm2=100.0)]
    assert find_outliers(zero, [AREA]) == []


def test_the_first_fat_method_of_the_protocol_is_watched():
    protocol = mf.MeasurementProtocol(fat_methods=("otsu", "linear"))
    assert watched_columns(protocol)[:2] == (AREA, "otsu_fi_pct")
