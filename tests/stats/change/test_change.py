import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, strategies as st

from multifidus.errors import StatisticsError
from multifidus.stats.change.document import change_rows
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.groups import (
    Classification,
    classify_changes,
    contrast_changes,
    group_changes,
)
from multifidus.stats.change.mdc import given_mdc, mdc_from_reliability
from multifidus.stats.change.paired_tests import holm, paired_tests
from multifidus.stats.change.pairs import make_pairs, timepoints_of
from multifidus.stats.reliability.measurement_error import mdc95
from tests.support.tables import values_of

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
        values_of(rows), "pre", "post", choice=ReadingChoice(rule), minimal_valid_fraction=VALID
    )


def pair(before=1000.0, after=900.0, **other):
    (found,) = pairs_of([row("S1", "pre", before, **other), row("S1", "post", after, **other)])
    return found


def test_a_change_is_after_minus_before():
    found = pair()
    assert (found.delta, found.delta_pct) == (-100, -10)
    assert not found.problem
    assert math.isnan(pair(before=0.0).delta_pct)


def test_exams_of_one_day_and_exams_without_order_or_date_give_no_order():
    same_day = [
        row("S1", "t1-0a3f", 1, order="", days=0),
        row("S1", "t1-9b21", 1, order="", days=0),
    ]
    undated = [row("S1", "undated-1", 1, order="", days=""), row("S1", "t1", 1, order=1, days=0)]
    for rows in (same_day, undated):
        with pytest.raises(StatisticsError, match="in which order"):
            timepoints_of(values_of(rows))


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
    assert "not read at pre, post" in nobody.problem
    with pytest.raises(StatisticsError, match="No such value"):
        ReadingChoice("best")
    with pytest.raises(StatisticsError, match="No such value"):
        ReadingChoice("rater:")


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


def test_an_exam_whose_fat_signal_fraction_has_two_readings_is_noted():
    usual = {"quantity": "ff_signal_pct", "method": "signal"}
    rows = [
        row("S1", "pre", 10, **usual),
        row("S1", "post", 20, flags="calibration_ambiguous", **usual),
    ]
    (found,) = pairs_of(rows)
    # A fraction may be below 0, and artefacts take no fat from it that they leave to others.
    assert (found.delta, found.problem) == (10, "")
    assert found.notes == ("calibration_ambiguous after",)
    assert pair(before=-2.0, after=3.0, valid_fraction=0.9, **usual).delta == 5


def test_what_else_differs_between_the_exams_is_noted():
    rows = [row("S1", "pre", 1, tilt_deg=10), row("S1", "post", 1, tilt_deg=25)]
    (tilted,) = pairs_of(rows)
    # The published 10 against 25 degrees.
    assert tilted.notes[0].startswith("tilt differs by +15 deg: +8.7 % in area of a prism")
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


def known(quantity="tcsa_mm2", **other):
    usual = {
        "quantity": quantity, "method": "", "structure": "multifidus", "level": "L4-L5",
        "side": "left", "compare": "rater", "rater": "", "columns": ["AB", "CD"],
        "sem_agreement": 50.0, "sem_consistency": 30.0,
    }  # fmt: skip
    return {**usual, **other}


def judged(found, *results):
    (change,) = classify_changes([found], mdc_from_reliability({"results": list(results)}))
    return change


def read_by(before, after, rule="first", readings=(1,)):
    (found,) = pairs_of(
        [
            row("S1", when, value, rater=rater, reading=reading)
            for when, raters, value in (("pre", before, 1000), ("post", after, 900))
            for rater in raters
            for reading in readings
        ],
        rule,
    )
    return found


def test_one_raters_offset_cancels_and_two_raters_do_not():
    same = judged(read_by(["AB"], ["AB"]), known())
    assert same.mdc95 == pytest.approx(1.96 * math.sqrt(2) * 30)
    assert same.classification is Classification.DECREASE
    assert same.basis == "consistency of raters AB, CD; AB read both exams"
    other = judged(read_by(["AB"], ["CD"]), known())
    assert other.mdc95 == pytest.approx(1.96 * math.sqrt(2) * 50)
    assert other.classification is Classification.WITHIN_ERROR
    assert other.basis == "agreement of raters AB, CD; AB read one exam, CD the other"
    assert "read by AB before, CD after" in other.pair.notes
    stranger = judged(read_by(["EF"], ["EF"]), known())
    assert stranger.basis.endswith("EF not among them")


def test_error_is_taken_from_this_level_or_from_a_pool_never_from_another_level():
    here = read_by(["AB"], ["AB"])
    elsewhere = known(level="L3-L4", sem_consistency=1.0)
    pooled = known(level="", sem_consistency=40.0)
    assert judged(here, elsewhere, pooled, known()).mdc95 == pytest.approx(mdc95(30))
    found = judged(here, elsewhere, pooled)
    assert found.mdc95 == pytest.approx(mdc95(40))
    assert "pooled over level" in found.basis
    alone = judged(here, elsewhere)
    assert (alone.classification, math.isnan(alone.mdc95)) == (Classification.UNKNOWN, True)
    assert "known, but not at L4-L5 left" in alone.basis
    assert "fi_pct" not in judged(here, known("fi_pct")).basis
    assert "reliability of tcsa_mm2 multifidus is unknown" in judged(here, known("fi_pct")).basis


def test_rereading_is_a_lower_bound_and_of_its_own_rater_alone():
    own = known(compare="reading", rater="AB", columns=["1", "2"], sem_agreement=10.0)
    found = judged(read_by(["AB"], ["AB"]), own)
    assert found.mdc95 == pytest.approx(mdc95(10))
    assert found.basis == "re-reading by AB (reread, lower bound)"
    for before, after in ((["AB"], ["CD"]), (["CD"], ["CD"])):
        other = judged(read_by(before, after), own)
        assert other.classification is Classification.UNKNOWN
        assert "re-reading by others says nothing" in other.basis


def test_means_detect_smaller_changes_but_rereading_does_not_average_raters():
    readings = read_by(["AB"], ["AB"], "mean", readings=(1, 2, 3, 4))
    own = known(compare="reading", rater="AB", sem_agreement=10.0)
    assert judged(readings, own).mdc95 == pytest.approx(mdc95(10) / 2)
    assert judged(readings, known()).mdc95 == pytest.approx(mdc95(30))
    raters = read_by(["AB", "CD"], ["AB", "CD"], "mean")
    assert judged(raters, known()).mdc95 == pytest.approx(mdc95(30) / math.sqrt(2))
    (by_hand,) = classify_changes([raters], given_mdc({"tcsa_mm2": 80}))
    assert by_hand.mdc95 == pytest.approx(80 / math.sqrt(2))


def test_a_number_given_by_hand_is_held_against_either_way():
    (grown,) = classify_changes([pair(before=900, after=1000)], given_mdc({"tcsa_mm2": 50}))
    assert (grown.classification, grown.basis) == (Classification.INCREASE, "given")
    (unknown,) = classify_changes(
        [pair(quantity="fi_pct", before=10, after=20)], given_mdc({"tcsa_mm2": 50})
    )
    assert (unknown.classification, unknown.basis) == (
        Classification.UNKNOWN,
        "no MDC of fi_pct was given",
    )
    missing = pairs_of([row("S1", "pre", 5), row("S2", "post", 6)])[:1]
    (without,) = classify_changes(missing, given_mdc({"tcsa_mm2": 50}))
    assert without.classification is Classification.UNKNOWN
    (nothing,) = classify_changes([pair()])
    assert (nothing.classification, nothing.basis) == (
        Classification.UNKNOWN,
        "no reliability was given",
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "no reliability of a study"),
        ({"results": [{"quantity": "tcsa_mm2"}]}, "no reliability of a study"),
        ({"results": [known(), known()]}, "stands in the file twice"),
        ({"results": [known(sem_agreement=None)]}, "standard errors of tcsa_mm2"),
        ({"results": [known(columns=7)]}, "columns of tcsa_mm2 are 7"),
    ],
)
def test_a_document_that_is_no_reliability_is_refused(document, message):
    with pytest.raises(StatisticsError, match=message):
        mdc_from_reliability(document)


def test_an_entry_without_columns_of_another_quantity_stops_nothing():
    mdc_from_reliability({"results": [known(), known("fi_pct", columns=None)]})


@pytest.mark.parametrize("limit", [-1.0, math.nan, math.inf])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(StatisticsError, match="Give a number of 0 or more"):
        given_mdc({"tcsa_mm2": limit})


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
    changes = classify_changes(pairs_of(rows), given_mdc({"tcsa_mm2": 60}))
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
    ((found,), _) = group_changes(classify_changes(pairs_of(rows)), ("quantity",))
    assert (found.n, found.judged) == (5, 0)
    assert found.tests.mean == pytest.approx(7)


def test_too_few_subjects_are_said_not_tested():
    found, problems = group_changes(classify_changes([pair()]))
    assert not found
    assert "1 subject has a value at both" in problems[0]


def cohort(losses, n=8, seed=3, **other):
    """Return rows of n subjects who lose so much at each (level, side) given."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(n):
        size = 1000 + 100 * rng.normal()
        for (level, side), loss in losses.items():
            where = {"level": level, "side": side, **other}
            rows += [
                row(f"S{person}", "pre", size + 5 * rng.normal(), **where),
                row(f"S{person}", "post", size - loss + 5 * rng.normal(), **where),
            ]
    return rows


def test_contrasts_are_each_subjects_own():
    rows = cohort({("L4-L5", "left"): 100, ("L1-L2", "left"): 20})
    changes = classify_changes(pairs_of(rows))
    ((found,), problems) = contrast_changes(changes, "zone", ("operated", "remote"))
    deltas = {
        zone: np.array([item.pair.delta for item in changes if item.pair.zone == zone])
        for zone in ("operated", "remote")
    }
    expected = scipy.stats.ttest_rel(deltas["operated"], deltas["remote"])
    assert (found.tests.t, found.tests.p_t) == pytest.approx((expected.statistic, expected.pvalue))
    assert (found.first, found.second, found.n, found.n_missing) == ("operated", "remote", 8, 0)
    assert not problems


def test_a_contrast_of_two_subjects_is_not_tested():
    rows = cohort({("L4-L5", "left"): 100, ("L1-L2", "left"): 20}, n=2)
    found, problems = contrast_changes(
        classify_changes(pairs_of(rows)), "zone", ("operated", "remote")
    )
    assert not found
    assert "2 subjects have both operated and remote" in problems[0]


@pytest.mark.parametrize(
    ("operated_side", "roles"),
    [
        ("left", ("operated", "contralateral")),
        ("right", ("contralateral", "operated")),
        ("both", ("", "")),
        ("none", ("", "")),
        ("", ("", "")),
    ],
)
def test_midline_surgery_has_no_contralateral_side(operated_side, roles):
    found = tuple(pair(side=side, operated_side=operated_side).approached
                  for side in ("left", "right"))  # fmt: skip
    assert found == roles
    assert not pair(side="both", operated_side="left").approached


def test_operated_levels_are_those_of_the_later_exam():
    def between(before, after):
        said = {"pre": before, "post": after}
        (found,) = pairs_of(
            [row("S1", when, 5, operated_levels=said[when], level="L5-S1") for when in said]
        )
        return found

    assert between("", "L5-S1").zone == "operated"
    assert between("L5-S1", "").zone == "operated"
    again = between("L4-L5", "L4-L5;L5-S1")
    assert again.zone == "operated"
    assert "operated levels: L4-L5 before, L4-L5;L5-S1 after" in again.notes
    with pytest.raises(StatisticsError, match="several operated levels"):
        pairs_of([row("S1", "pre", 5), row("S1", "post", 5),
                  row("S1", "post", 5, side="right", operated_levels="L5-S1")])  # fmt: skip


def at(when, place, offset, **other):
    return row("S1", when, 900.0, series="1", slice_index=place, offset_mm=offset, **other)


def test_slices_at_other_places_of_a_level_are_noted_with_millimetres():
    """Two visits are paired by level; how far from its landmark each was cut is said."""
    (found,) = pairs_of([at("pre", 3, 0.5), at("post", 8, -3.5)])
    assert found.notes == (
        "slices lie +0.5 mm before and -3.5 mm after from the landmark of their level: 4.0 mm "
        "apart along the muscle",
    )
    (near,) = pairs_of([at("pre", 3, 0.5), at("post", 8, 0.1)])
    assert near.notes == ()
    (plain,) = change_rows(classify_changes([found]))
    assert (plain["offset_mm_before"], plain["offset_difference_mm"]) == (0.5, -4.0)


def test_an_offset_that_is_not_known_is_none():
    (found,) = pairs_of([at("pre", 3, ""), at("post", 8, -3.5)])
    assert found.notes == ()
    assert math.isnan(change_rows(classify_changes([found]))[0]["offset_difference_mm"])


def test_a_mean_of_readings_of_different_slices_is_noted():
    rows = [at("pre", 3, 0.0), at("pre", 4, 4.0, rater="CD"), at("post", 3, 2.0),
            at("post", 3, 2.0, rater="CD")]  # fmt: skip
    (found,) = pairs_of(rows, "mean")
    assert found.notes == ("readings at pre are of different slices (4.0 mm apart)",)


def test_a_pair_that_lacks_an_exam_is_held_against_nothing():
    """Its error would be that of "AB read one exam, nobody the other", of an exam not there."""
    (alone,) = pairs_of([row("S1", "pre", 900.0), row("S2", "post", 900.0)])[:1]
    asked = []
    (found,) = classify_changes([alone], asked.append)
    assert not asked
    assert (found.classification, found.basis) == (Classification.UNKNOWN, "")
    assert math.isnan(found.mdc95)
