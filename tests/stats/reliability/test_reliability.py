import json
import math

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from multifidus.errors import ReadError, StatisticsError
from multifidus.reporting.tables.reliability import reliability_table
from multifidus.stats.reliability.document import plain_study
from multifidus.stats.reliability.icc import icc
from multifidus.stats.reliability.kappa import weighted_kappa
from multifidus.stats.reliability.study import reliability
from multifidus.stats.reliability.targets import Compare
from tests.stats.reliability.test_reliability_numbers import MINI, SET_A, WRIGHT
from tests.support.tables import values_of


def row(subject, rater, value, **other):
    usual = {
        "subject": subject, "timepoint": "pre", "rater": rater, "reading": 1,
        "structure": "multifidus", "side": "left", "level": "L4-L5", "quantity": "tcsa_mm2",
    }  # fmt: skip
    return {**usual, "value": value, **other}


def study_of(table, **where):
    """Return rows of a table, rows subjects and columns raters A, B, ..."""
    return [
        row(f"S{n}", chr(65 + rater), value, **where)
        for n, ratings in enumerate(table)
        for rater, value in enumerate(ratings)
    ]


def only(rows, **how):
    (found,) = reliability(values_of(rows), **how).results
    return found


def test_the_published_table_comes_out_of_a_tidy_table():
    found = only(study_of(SET_A))
    assert (found.n_targets, found.n_raters, found.n_missing) == (6, 4, 0)
    assert found.icc == icc(SET_A)
    assert found.sem.agreement == pytest.approx(2.502776, abs=1e-6)
    assert found.columns == ("A", "B", "C", "D")
    assert len(found.pairs) == 6


def test_bias_is_the_first_rater_minus_the_second_in_the_order_asked_for():
    rows = study_of(np.transpose([WRIGHT, MINI]))
    assert only(rows).pairs[0].agreement.bias == pytest.approx(-2.117647, abs=1e-6)
    turned = only(rows, raters=["B", "A"])
    assert (turned.pairs[0].first, turned.pairs[0].second) == ("B", "A")
    assert turned.pairs[0].agreement.bias == pytest.approx(2.117647, abs=1e-6)


def test_targets_without_every_rater_are_left_out_and_counted():
    rows = study_of(SET_A)
    missing = [*rows[:-1], {**rows[-1], "value": math.nan}]
    found = only(missing)
    assert (found.n_targets, found.n_missing) == (5, 1)
    assert found.icc == icc(SET_A[:5])
    assert only(rows[:-1]).n_missing == 1


def test_one_raters_readings_are_compared_apart():
    rows = []
    for n in range(6):
        for reading in (1, 2):
            rows += [
                row(f"S{n}", "A", 100 * n + reading, reading=reading),
                row(f"S{n}", "B", 100 * n + 5 * reading, reading=reading),
            ]
    found = reliability(values_of(rows), compare="reading").results
    assert [item.rater for item in found] == ["A", "B"]
    assert [item.pairs[0].agreement.bias for item in found] == pytest.approx([-1, -5])
    assert all("lower bound" in " ".join(item.problems) for item in found)
    between = only(rows)
    assert between.pairs[0].agreement.bias == pytest.approx(1 - 5)  # first readings alone


def test_levels_and_sides_stay_apart_unless_asked_otherwise():
    rng = np.random.default_rng(0)
    rows = []
    for level, offset in (("L4-L5", 0.0), ("L5-S1", 500.0)):
        true = rng.normal(900, 30, (20, 1)) + offset
        rows += study_of(true + rng.normal(0, 15, (20, 2)), level=level)
    apart = reliability(values_of(rows)).results
    assert [item.level for item in apart] == ["L4-L5", "L5-S1"]
    pooled = only(rows, by=["side"])
    assert pooled.level == ""
    assert (pooled.n_targets, pooled.n_subjects) == (40, 20)
    assert "Pooled over level" in " ".join(pooled.problems)
    # Pooling levels that differ inflates the correlation; that is what the warning says.
    assert pooled.icc[2].value > max(item.icc[2].value for item in apart)


def test_slices_of_a_level_are_their_mean_and_those_of_one_rater_alone_do_not_enter():
    rows = [
        row(f"S{n}", rater, 100 * n + 10 * place + offset, slice_index=place)
        for n in range(4)
        for rater, offset in (("A", 0), ("B", 1))
        for place in (0, 1)
    ]
    found = only(rows)
    assert found.pairs[0].agreement.bias == pytest.approx(-1)
    assert "more slices" not in " ".join(found.problems)
    uneven = only(rows[1:])
    assert uneven.pairs[0].agreement.bias == pytest.approx(-1)
    assert "At 1 targets more slices were outlined by some" in " ".join(uneven.problems)


def test_few_subjects_and_few_raters_are_said():
    words = " ".join(only(study_of(SET_A)).problems)
    assert "6 targets: sample below the recommended minimum of 30" in words
    assert "4 raters are few" in words


def test_the_plain_values_are_the_interfaces():
    plain = json.loads(json.dumps(plain_study(reliability(values_of(study_of(SET_A))))))
    (found,) = plain["results"]
    assert set(found) >= {
        "quantity", "structure", "level", "side", "compare", "n_targets", "n_raters", "n_missing",
        "icc", "sem_agreement", "sem_consistency", "mdc95_agreement", "mdc95_consistency",
        "mdc95_pct", "bland_altman",
    }  # fmt: skip
    assert set(found["icc"][0]) >= {"shrout_fleiss", "mcgraw_wong", "value", "ci95"}
    assert set(found["bland_altman"]) >= {
        "first", "second", "bias", "sd", "limits", "bias_ci95", "slope",
    }  # fmt: skip
    assert plain["problems"] == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"subject": "S1"}], "lacks the columns quantity, value"),
        (study_of(SET_A)[:2] * 2, "Lines 2 and 4 are of the same subject S0"),
        ([row("S1", "A", "many")], "no number"),
        ([row("S1", "A", 1, reading="first")], "readings count 1, 2"),
        (
            [row("S1", "A", 1, protocol="aa"), row("S1", "B", 1, protocol="bb")],
            r"several protocols: aa \(1 value: S1 pre A\); bb \(1 value: S1 pre B\)",
        ),
        (
            [row("S1", "A", 1, unit="mm2"), row("S1", "B", 1, unit="cm2")],
            "several values of unit",
        ),
        (study_of([[0.1, 0.2]] * 3, quantity="fi_pct"), "lie between 0 and 1"),
        (study_of([[10, 0.2]] * 5, quantity="fi_pct"), "fi_pct by B lie between 0 and 1"),
        (
            [
                row(f"S{n}", "A", v, timepoint=when, quantity="fi_pct")
                for n in range(5)
                for when, v in (("pre", 0.2), ("post", 30))
            ],
            "fi_pct at pre lie between 0 and 1",
        ),
        (study_of([[900, 9.1]] * 5), "900 by A and 9.1 by B: these are not of one unit"),
        (
            [row("S1", "A", 1, name="deep"), row("S1", "A", 2, name="superficial")],
            r"several names: \['deep', 'superficial'\]",
        ),
    ],
)
def test_tables_that_would_mislead_are_refused(rows, message):
    with pytest.raises((ReadError, StatisticsError), match=message):
        values_of(rows)


@pytest.mark.parametrize(
    ("rows", "how", "message"),
    [
        (study_of([[1], [2], [3]]), {}, "one rater only"),
        (study_of(SET_A), {"compare": "reading"}, "one reading only"),
        (study_of(SET_A[:2]), {}, "2 of 2 targets"),
        (study_of([[1, 1]] * 4), {}, "Subjects do not differ"),
        (study_of(SET_A), {"compare": "hospital"}, "compared by 'hospital'"),
        (study_of(SET_A), {"by": ["subject"]}, "kept apart by subject"),
        (study_of(SET_A), {"quantities": ["volume_ml"]}, "no quantity 'volume_ml'"),
        (study_of(SET_A), {"raters": ["A", "Z"]}, "no rater 'Z'"),
        ([], {}, "holds no value"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(rows, how, message):
    with pytest.raises(StatisticsError, match=message):
        reliability(values_of(rows), **how)


def test_a_level_that_cannot_be_compared_does_not_stop_the_others():
    rows = study_of(SET_A) + study_of([[1, 1]] * 4, level="L5-S1")
    found = reliability(values_of(rows))
    assert [item.level for item in found.results] == ["L4-L5"]
    assert "L5-S1" in found.problems[0]
    assert found.results[0].compare is Compare.RATER


def test_three_pairs_have_limits_but_no_concordance():
    found = only(study_of(SET_A[:3]))
    assert found.pairs[0].concordance is None
    assert (
        plain_study(reliability(values_of(study_of(SET_A[:3]))))["results"][0]["pairs"][0]["ccc"]
        is None
    )


def graded(grades, **where):
    return study_of(grades, quantity="goutallier_grade", **where)


GRADES = [(0, 0), (1, 1), (2, 1), (3, 4), (4, 4), (2, 2), (1, 0), (0, 0)]


def test_grades_have_a_kappa_and_no_correlation():
    found = reliability(values_of(graded(GRADES) + study_of(SET_A)))
    assert [item.quantity for item in found.results] == ["tcsa_mm2"]
    (grade,) = found.grades
    (pair,) = grade.pairs
    one, two = zip(*GRADES, strict=True)
    assert pair.linear == weighted_kappa(one, two, range(5), "linear")
    assert pair.quadratic == weighted_kappa(one, two, range(5), "quadratic")
    assert (pair.equal, grade.n_targets) == (5, 8)
    plain = plain_study(found)["grades"][0]["pairs"][0]
    assert plain["kappa_linear"] == pair.linear.value


def test_grades_that_nobody_gave_change_nothing():
    """Of grades 1 to 3 alone, kappa is that of the whole scheme."""
    low = [(min(max(a, 1), 3), min(max(b, 1), 3)) for a, b in GRADES]
    ((pair,),) = (item.pairs for item in reliability(values_of(graded(low))).grades)
    one, two = zip(*low, strict=True)
    assert pair.linear.value == pytest.approx(weighted_kappa(one, two, range(5), "linear").value)


def test_one_and_the_same_grade_has_no_kappa_and_says_so():
    (grade,) = reliability(values_of(graded([(2, 2)] * 4))).grades
    assert grade.pairs[0].linear is None
    assert grade.pairs[0].equal == 4
    assert "no kappa" in grade.problems[-1]
    assert (
        plain_study(reliability(values_of(graded([(2, 2)] * 4))))["grades"][0]["pairs"][0][
            "kappa_linear"
        ]
        is None
    )


def test_slices_of_one_level_with_different_grades_have_none():
    rows = [row(f"S{n}", rater, grade, quantity="goutallier_grade", slice_index=place)
            for n in range(4) for rater in "AB"
            for place, grade in enumerate((n % 3, n % 3 + (n == 0)))]  # fmt: skip
    (grade,) = reliability(values_of(rows)).grades
    assert (grade.n_targets, grade.n_missing) == (3, 1)


def test_what_is_no_whole_number_is_no_grade():
    with pytest.raises(StatisticsError, match=r"1.5 is no grade"):
        reliability(values_of(graded([(1, 1.5), (2, 2), (3, 3)])))


def test_readings_and_pools_of_grades_are_said():
    rows = graded(GRADES) + graded(GRADES, level="L5-S1")
    (grade,) = reliability(values_of(rows), by=["side"]).grades
    assert any("Pooled over level" in text for text in grade.problems)
    assert any("too narrow" in text for text in grade.problems)


def test_a_level_given_up_on_some_slices_has_the_value_of_the_others():
    rows = study_of(SET_A)
    given_up = {**rows[0], "value": math.nan, "flags": "not_measurable", "slice_index": ""}
    measured = [{**item, "slice_index": 3} for item in rows]
    assert only([*measured, given_up]).n_missing == 0
    assert only([*measured[1:], given_up]).n_missing == 1


def test_a_number_0_is_a_value():
    (found,) = values_of([row("S0", "A", 0.0, tilt_deg=0.0)])
    assert (found.value, found.tilt_deg) == (0, 0)


@pytest.mark.parametrize(
    ("raters", "spread", "said"), [(4, 0.0, True), (5, 0.0, False), (5, 3.0, True), (9, 3.0, True)]
)
def test_an_interval_that_raters_break_is_said(raters, spread, said):
    rng = np.random.default_rng(4)
    table = rng.normal(100, 10, (40, 1)) + rng.normal(0, 1, (40, raters))
    table += spread * np.linspace(-1, 1, raters)
    words = " ".join(only(study_of(table)).problems)
    assert ("ICC(2,.) and of the SEM of agreement have below-nominal coverage" in words) is said


@pytest.mark.parametrize("structure", ["lean_reference", "fat_reference", "artefact"])
def test_samples_are_no_measurements_of_anybody(structure):
    rows = study_of(SET_A) + study_of(SET_A, structure=structure)
    assert {item.structure for item in values_of(rows)} == {"multifidus"}


def test_a_negative_correlation_is_stated_and_printable():
    """Subjects who differ less than their own readings; the mean of two has no correlation."""
    study = reliability(values_of(study_of([[1, 5], [5, 1], [2, 4], [4, 2], [3, 3.1]])))
    (found,) = study.results
    assert found.icc[2].value < -0.9
    assert "A correlation is negative" in " ".join(found.problems)
    plain = json.loads(json.dumps(plain_study(study), allow_nan=False))
    assert None in {form["value"] for form in plain["results"][0]["icc"]}
    assert reliability_table(study).rows


def test_perfect_agreement_is_an_answer():
    study = reliability(values_of(study_of([[n, n] for n in range(1, 9)])))
    plain = json.loads(json.dumps(plain_study(study), allow_nan=False))["results"][0]
    assert {form["value"] for form in plain["icc"]} == {1}
    assert (plain["sem_agreement"], plain["mdc95_pct"], plain["bland_altman"]["sd"]) == (0, 0, 0)


def test_small_differences_between_sides_are_no_fractions():
    rows = study_of([[0.1, 5], [0.4, -3], [-0.2, 2], [0.3, 1], [0.9, 4]], quantity="asymmetry_pct")
    assert len(values_of(rows)) == 10


tables = st.tuples(st.integers(3, 7), st.integers(2, 3)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(-2, 4).map(float), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)

REASONS = {
    "cv_pct": "no coefficient of variation",
    "mdc95_pct": "MDC in percent",
    "ccc": "no concordance",
    "ccc_ci95": "no concordance",
    "ratio": "no limits as ratios",
    "ratio_limits": "no limits as ratios",
    "ratio_limits_ci95": "no limits as ratios",
    "slope_p": "no test of proportional bias",
    "value": "A correlation is negative",
    "ci95": "An end of an interval",
}
"""What is said where a number is missing."""


def missing_numbers(item, name=""):
    """Yield the names of what is None."""
    if item is None:
        yield name
    elif isinstance(item, dict):
        for key, value in item.items():
            yield from missing_numbers(value, key)
    elif isinstance(item, list):
        for value in item:
            yield from missing_numbers(value, name)


@given(tables)
def test_no_number_is_missing_without_a_reason(table):
    # Percentages none of which exceeds 1 are taken for fractions, and refused.
    assume(not 0 < max(abs(value) for ratings in table for value in ratings) <= 1)
    if len({sum(ratings) for ratings in table}) == 1:
        with pytest.raises(StatisticsError, match="Subjects do not differ"):
            reliability(values_of(study_of(table, quantity="asymmetry_pct")))
        return
    study = reliability(values_of(study_of(table, quantity="asymmetry_pct")))
    plain = json.loads(json.dumps(plain_study(study), allow_nan=False))["results"][0]
    words = " ".join(plain["problems"])
    for name in missing_numbers(plain):
        assert REASONS[name] in words, name


def test_an_interval_of_agreement_has_ends_where_few_degrees_of_freedom_are_left():
    """The lower quantile is infinite there, and the end its limit: -n MSE / rest."""
    (one,) = (f for f in icc([[0, 0, 0], [0, 0, 1], [-1, -2, 4]]) if f.shrout_fleiss == "ICC(2,1)")
    error, raters = 53 / 18, 43 / 9
    assert one.ci95[0] == pytest.approx(-3 * error / (3 * raters + 3 * error))
    assert one.ci95[0] <= one.ci95[1]
    assert one.band == "poor"


def test_an_interval_that_would_leave_out_its_own_value_has_no_bound():
    (one,) = (f for f in icc([[46, 62], [54, 56], [59, 51]]) if f.shrout_fleiss == "ICC(2,1)")
    assert one.value < -1
    assert one.ci95 == (-math.inf, 1)
    assert one.band == "poor to excellent"


def test_a_constant_rater_has_no_concordance_but_the_rest():
    (found,) = reliability(values_of(study_of([[5, n] for n in range(6)]))).results
    assert found.pairs[0].concordance is None
    assert found.icc[2].value == pytest.approx(0, abs=1e-12)


def test_the_protocols_of_the_table_are_named():
    rows = [{**item, "protocol": "aa"} for item in study_of(SET_A)]
    assert plain_study(reliability(values_of(rows)))["protocols"] == ["aa"]


def test_limits_of_ratios_are_given_where_all_values_are_positive():
    rows = study_of(np.transpose([WRIGHT, MINI]))
    found = only(rows).pairs[0].ratio
    logs = np.log(WRIGHT) - np.log(MINI)
    assert found.bias == pytest.approx(np.exp(logs.mean()))
    assert found.limits[1] == pytest.approx(np.exp(logs.mean() + 1.96 * logs.std(ddof=1)))
    plain = plain_study(reliability(values_of(rows)))["results"][0]["bland_altman"]
    assert plain["ratio"] == found.bias
    rows[0] = {**rows[0], "value": 0.0}
    assert only(rows).pairs[0].ratio is None
    assert plain_study(reliability(values_of(rows)))["results"][0]["bland_altman"]["ratio"] is None


def test_a_reading_that_a_spreadsheet_wrote_as_a_float_is_the_same_reading():
    plain, floats = (study_of(SET_A) for _ in range(2))
    for item in floats:
        item["reading"] = "1.0"
    assert repr(values_of(floats)) == repr(values_of(plain))


def test_words_for_nothing_are_no_values():
    rows = study_of(SET_A)
    rows += [{**rows[0], "subject": "X", "value": word, "rater": word} for word in ("NA", "N/A")]
    found = [item for item in values_of(rows) if item.subject == "X"]
    assert [item.rater for item in found] == ["NA", "N/A"]
    assert all(math.isnan(item.value) for item in found)


def test_rows_that_say_nothing_are_passed_over():
    rows = study_of(SET_A)
    more = [*rows, dict.fromkeys(rows[0], ""), dict.fromkeys(rows[0])]
    assert repr(values_of(more)) == repr(values_of(rows))


def test_words_for_nothing_in_columns_that_are_understood_say_nothing():
    more = {"order": "NA", "days": None, "operated_levels": "N/A", "site": "NA"}
    (found,) = values_of([{**study_of(SET_A)[0], **more}])
    assert dict(found.extra) == {"order": "", "days": "", "operated_levels": "", "site": "NA"}
