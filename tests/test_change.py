import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from multifidus.errors import StatisticsError
from multifidus.stats.agreement import mdc95
from multifidus.stats.change import (
    Detectable,
    Verdict,
    group_changes,
    holm,
    judge,
    paired_tests,
)
from multifidus.stats.pairs import Choice, make_pairs, timepoints_of
from multifidus.stats.values import values_of

VALID = 0.95


def row(subject, timepoint, value, **other):
    usual = {
        "subject": subject, "timepoint": timepoint, "rater": "AB", "reading": 1,
        "structure": "multifidus", "side": "left", "level": "L4-L5", "quantity": "tcsa_mm2",
        "tilt_deg": 5, "tilt_axis": "spine", "valid_fraction": 1, "operated_levels": "L4-L5",
    }  # fmt: skip
    return {**usual, "value": value, **other}


def pairs_of(rows, rule="first"):
    return make_pairs(
        values_of(rows), "pre", "post", choice=Choice(rule), minimal_valid_fraction=VALID
    )


def pair(before=1000.0, after=900.0, **other):
    (found,) = pairs_of([row("S1", "pre", before, **other), row("S1", "post", after, **other)])
    return found


def test_a_change_is_after_minus_before():
    found = pair()
    assert (found.delta, found.delta_pct) == (-100, -10)
    assert not found.problem
    assert math.isnan(pair(before=0.0).delta_pct)


@pytest.mark.parametrize(
    ("level", "operated", "distance", "zone"),
    [
        ("L4-L5", "L4-L5", 0, "operated"),
        ("L3-L4", "L4-L5", 1, "adjacent"),
        ("L5-S1", "L4-L5", 1, "adjacent"),
        ("L2-L3", "L4-L5", 2, "remote"),
        ("L5-S1", "L3-L4;L4-L5", 1, "adjacent"),
        ("L1-L2", "L3-L4;L4-L5", 2, "remote"),
        ("L4", "L4-L5", 0, "operated"),
        ("L5", "L4-L5", 0, "operated"),
        ("L3", "L4-L5", 1, "adjacent"),
        ("S1", "L5-S1", 0, "operated"),
        ("L6-S1", "L4-L5", 2, "remote"),
        ("L5-L6", "L4-L5", 1, "adjacent"),
        ("L4-L5", "", None, ""),
    ],
)
def test_levels_are_counted_from_the_nearest_operated_one(level, operated, distance, zone):
    found = pair(level=level, operated_levels=operated)
    assert (found.distance, found.zone) == (distance, zone)


def test_an_operated_level_that_is_none_is_refused():
    with pytest.raises(StatisticsError, match="'L9-L10' is no level"):
        pair(operated_levels="L9-L10")


def test_whose_value_enters_is_said_and_never_an_accident():
    rows = [
        row("S1", when, value + offset + 5 * (reading - 1), rater=rater, reading=reading)
        for when, value in (("pre", 1000), ("post", 900))
        for rater, offset in (("AB", 0), ("CD", 20), ("consensus", 100))
        for reading in (1, 2)
    ]
    with pytest.raises(StatisticsError, match=r"3 raters \(AB, CD, consensus\)"):
        pairs_of(rows)
    for rule, before, count in (
        ("rater:CD", 1020, 1),
        ("consensus", 1100, 1),
        ("mean", 1000 + 40 + 2.5, 6),
    ):
        (found,) = pairs_of(rows, rule)
        assert found.before.value == pytest.approx(before)
        assert (found.delta, found.readings) == (pytest.approx(-100), count)
    (nobody,) = pairs_of(rows, "rater:EF")
    assert "undefined at pre, post" in nobody.problem
    with pytest.raises(StatisticsError, match="No such value"):
        Choice("best")
    with pytest.raises(StatisticsError, match="No such value"):
        Choice("rater:")


def test_exams_without_a_value_are_kept_with_the_reason():
    (alone,) = pairs_of([row("S1", "pre", 5), row("S2", "post", 6)])[:1]
    assert alone.problem == "not measured at post"
    undefined = pair(after=math.nan, flags="undetectable")
    assert undefined.problem == "undefined at post (undetectable)"
    assert math.isnan(undefined.delta)


def test_metal_is_never_read_as_a_change_of_lean_area():
    hidden = pair(quantity="fcsa_mm2", valid_fraction=0.9)
    assert "artefacts left less than 0.95" in hidden.problem
    assert not pair(quantity="fcsa_mm2", valid_fraction=0.95).problem
    assert not pair(quantity="tcsa_mm2", valid_fraction=0.9).problem


def test_what_else_differs_between_the_exams_is_noted():
    rows = [row("S1", "pre", 1, tilt_deg=10), row("S1", "post", 1, tilt_deg=25)]
    (tilted,) = pairs_of(rows)
    assert "tilt differs by +15 deg: +8.7 % in area" in tilted.notes  # the published 10 vs 25
    assert pair().notes == ()
    assert "tilt against the spine unknown" in pair(tilt_axis="patient_z").notes[0]
    rows = [row("S1", when, 1, field_strength_t=t) for when, t in (("pre", "1.5"), ("post", "3"))]
    assert pairs_of(rows)[0].notes == ("field strength: 1.5 before, 3 after",)


def test_timepoints_stand_in_the_order_of_the_table():
    def order(**columns):
        rows = [
            {**row("S1", name, 1), **{key: values[n] for key, values in columns.items()}}
            for n, name in enumerate(("later", "first", "last"))
        ]
        return timepoints_of(values_of(rows))

    assert order(order=("2", "1", "3")) == ("first", "later", "last")
    assert order(days=("90", "0", "400")) == ("first", "later", "last")
    assert order(date=("2020-05-01", "2020-01-01", "2021-01-01")) == ("first", "later", "last")
    with pytest.raises(StatisticsError, match="in which order"):
        order()
    with pytest.raises(StatisticsError, match="puts nothing in order"):
        order(order=("2", "1", "soon"))
    assert timepoints_of(values_of([row("S1", "pre", 1)])) == ("pre",)


def test_subjects_that_disagree_on_the_order_give_none():
    rows = [row("S1", "a", 1, order=1), row("S1", "b", 1, order=2),
            row("S2", "a", 1, order=2), row("S2", "b", 1, order=1)]  # fmt: skip
    with pytest.raises(StatisticsError, match="in which order"):
        timepoints_of(values_of(rows))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [("pre", "late", "no timepoint 'late'"), ("pre", "pre", "Both timepoints")],
)
def test_timepoints_that_make_no_pair_are_refused(before, after, message):
    values = values_of([row("S1", "pre", 1), row("S1", "post", 2)])
    with pytest.raises(StatisticsError, match=message):
        make_pairs(values, before, after, minimal_valid_fraction=VALID)


def test_a_change_is_judged_by_the_nearest_known_error():
    known = {
        ("tcsa_mm2",): Detectable(50, "given"),
        ("tcsa_mm2", ""): Detectable(150, "agreement"),
        ("tcsa_mm2", "", "multifidus", "L4-L5", "left"): Detectable(99, "agreement at L4-L5"),
    }
    (here,) = judge([pair()], known)
    assert (here.verdict, here.mdc95, here.basis) == (Verdict.DECREASE, 99, "agreement at L4-L5")
    (elsewhere,) = judge([pair(level="L3-L4")], known)
    assert (elsewhere.verdict, elsewhere.mdc95) == (Verdict.WITHIN_ERROR, 150)
    (grown,) = judge([pair(before=900, after=1000)], {("tcsa_mm2",): Detectable(50, "given")})
    assert grown.verdict is Verdict.INCREASE
    (unknown,) = judge([pair(quantity="fi_pct", before=10, after=20)], known)
    assert (unknown.verdict, unknown.basis) == (Verdict.UNKNOWN, "")
    (missing,) = judge(pairs_of([row("S1", "pre", 5), row("S2", "post", 6)])[:1], known)
    assert missing.verdict is Verdict.UNKNOWN


def test_means_of_readings_detect_smaller_changes_and_rereading_is_a_lower_bound():
    rows = [
        row("S1", when, value, reading=reading)
        for when, value in (("pre", 1000), ("post", 930))
        for reading in (1, 2, 3, 4)
    ]
    error = Detectable(mdc95(50), "consistency", is_lower_bound=True)
    (single,) = judge(pairs_of(rows), {("tcsa_mm2",): error})
    (averaged,) = judge(pairs_of(rows, "mean"), {("tcsa_mm2",): error})
    assert (single.verdict, averaged.verdict) == (Verdict.WITHIN_ERROR, Verdict.DECREASE)
    assert averaged.mdc95 == pytest.approx(single.mdc95 / 2)
    assert single.basis == "consistency (reread, lower bound)"


@given(st.integers(0, 2**32 - 1), st.integers(4, 25))
def test_paired_tests_are_scipys(seed, n):
    values = np.random.default_rng(seed).normal(0.5, 1, n)
    found = paired_tests(values)
    expected = scipy.stats.ttest_1samp(values, 0)
    assert (found.t, found.p_t) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.ci95 == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert found.p_wilcoxon == pytest.approx(scipy.stats.wilcoxon(values).pvalue)
    assert found.dz_ci95[0] < found.dz < found.dz_ci95[1]


def test_the_interval_of_an_effect_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(5)
    inside = 0
    for draw in rng.normal(0.6, 1, (1000, 15)):
        low, high = paired_tests(draw).dz_ci95
        inside += low <= 0.6 <= high
    assert inside / 1000 == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 1000))


def test_differences_that_do_not_vary_are_said_as_they_are():
    none = paired_tests([0, 0, 0])
    assert (none.mean, none.ci95) == (0, (0, 0))
    assert all(map(math.isnan, (none.t, none.p_t, none.p_wilcoxon, none.dz, *none.dz_ci95)))
    same = paired_tests([-2, -2, -2])
    assert (same.t, same.p_t) == (-math.inf, 0)


def test_holm_is_the_published_rule():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    corrected = holm([0.5, math.nan, 0.9])
    assert corrected[0] == 1
    assert math.isnan(corrected[1])
    assert corrected[2] == 1


def test_groups_are_tested_and_corrected_within_their_quantity():
    rng = np.random.default_rng(2)
    rows = []
    for n in range(12):
        for level, loss in (("L4-L5", 100), ("L1-L2", 0)):
            before = 1000 + 50 * rng.normal()
            rows += [
                row(f"S{n}", "pre", before, level=level),
                row(f"S{n}", "post", before - loss + 10 * rng.normal(), level=level),
            ]
    rows.append(row("S99", "pre", 1000))
    changes = judge(pairs_of(rows), {("tcsa_mm2",): Detectable(60, "given")})
    found, problems = group_changes(changes)
    remote, operated = found
    assert (operated.n, operated.n_missing, operated.judged) == (12, 1, 12)
    assert operated.tests.mean == pytest.approx(-100, abs=10)
    assert (operated.beyond_decrease, remote.beyond_decrease) == (12, 0)
    assert operated.p_t_holm == pytest.approx(2 * operated.tests.p_t)
    assert not problems
    zones, _ = group_changes(changes, ("quantity", "method", "zone"))
    assert [item.key[2] for item in zones] == ["operated", "remote"]


def test_a_subject_with_several_muscles_counts_once():
    rows = [
        row(f"S{n}", when, 100 + n + (side == "left") + 7 * (when == "post"), side=side)
        for n in range(5)
        for side in ("left", "right")
        for when in ("pre", "post")
    ]
    ((found,), _) = group_changes(judge(pairs_of(rows), {}), ("quantity",))
    assert (found.n, found.judged) == (5, 0)
    assert found.tests.mean == pytest.approx(7)


def test_too_few_subjects_are_said_not_tested():
    found, problems = group_changes(judge([pair()], {}))
    assert not found
    assert "1 subjects have a value at both" in problems[0]
