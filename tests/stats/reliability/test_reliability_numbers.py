"""Reliability statistics against the published tables and against simpler definitions."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, strategies as st

from multifidus.errors import StatisticsError
from multifidus.stats.reliability.icc import icc
from multifidus.stats.reliability.kappa import weighted_kappa
from multifidus.stats.reliability.measurement_error import (
    bland_altman,
    bland_altman_ratio,
    concordance,
    mdc95,
    sem,
    within_subject_cv_pct,
)
from multifidus.stats.reliability.ratings import mean_squares

SET_A = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
"""Shrout and Fleiss 1979, six targets and four judges."""

WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
"""Bland and Altman 1986, peak flow, first readings of two meters."""

SET_C = [(2, 4), (4, 6), (6, 8)]

tables = st.tuples(st.integers(3, 12), st.integers(2, 5), st.integers(0, 2**32 - 1)).map(
    lambda drawn: (
        np.random.default_rng(drawn[2]).normal(50, 10, (drawn[0], 1))
        + np.random.default_rng(drawn[2] + 1).normal(0, 3, (1, drawn[1]))
        + np.random.default_rng(drawn[2] + 2).normal(0, 5, drawn[:2])
    )
)


def forms(ratings):
    return {form.shrout_fleiss: form for form in icc(ratings)}


def test_the_mean_squares_are_the_published_ones():
    squares = mean_squares(SET_A)
    assert squares.between == pytest.approx(11.241667, abs=1e-6)
    assert squares.within == pytest.approx(6.263889, abs=1e-6)
    assert squares.raters == pytest.approx(32.486111, abs=1e-6)
    assert squares.error == pytest.approx(1.019444, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ICC(1,1)", 0.165742), ("ICC(2,1)", 0.289764), ("ICC(3,1)", 0.714841),
        ("ICC(1,k)", 0.442797), ("ICC(2,k)", 0.620051), ("ICC(3,k)", 0.909316),
    ],
)  # fmt: skip
def test_all_six_correlations_are_the_published_ones(name, value):
    assert forms(SET_A)[name].value == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("ICC(1,1)", -0.132932, 0.722560),
        ("ICC(2,1)", 0.018787, 0.761084),
        ("ICC(3,1)", 0.342465, 0.945858),
    ],
)
def test_the_intervals_are_the_published_ones(name, low, high):
    assert forms(SET_A)[name].ci95 == pytest.approx((low, high), abs=1e-6)


def test_every_form_has_its_name_in_both_schemes():
    names = {form.shrout_fleiss: form.mcgraw_wong for form in icc(SET_A)}
    assert names == {
        "ICC(1,1)": "ICC(1)", "ICC(2,1)": "ICC(A,1)", "ICC(3,1)": "ICC(C,1)",
        "ICC(1,k)": "ICC(k)", "ICC(2,k)": "ICC(A,k)", "ICC(3,k)": "ICC(C,k)",
    }  # fmt: skip


def test_a_band_is_judged_on_the_interval():
    assert forms(SET_A)["ICC(3,1)"].band == "poor to excellent"
    exact = np.arange(10.0)[:, None] + [[0.0, 0.01]]
    assert forms(exact)["ICC(2,1)"].band == "excellent"
    assert all(form.when for form in icc(SET_A))


def test_an_offset_between_raters_is_disagreement_but_no_inconsistency():
    found = forms(SET_C)
    assert found["ICC(3,1)"].value == pytest.approx(1, abs=1e-6)
    assert found["ICC(2,1)"].value == pytest.approx(0.666667, abs=1e-6)


def test_full_agreement_is_1_with_an_interval_of_no_width():
    for form in icc([[1, 1], [2, 2], [5, 5]]):
        assert (form.value, form.ci95) == (1, (1, 1))


@given(tables)
def test_correlations_do_not_depend_on_order_unit_or_zero(ratings):
    turned = ratings[::-1, ::-1] * 0.01 + 7
    for one, two in zip(icc(ratings), icc(turned), strict=True):
        assert one.value == pytest.approx(two.value, abs=1e-9)
        assert one.ci95 == pytest.approx(two.ci95, abs=1e-7)
        assert one.ci95[0] <= one.value <= one.ci95[1]


@given(tables)
def test_the_one_way_correlation_is_that_of_an_analysis_of_variance(ratings):
    """Against scipy's own one-way F: ICC(1,1) = (F - 1) / (F + k - 1)."""
    f = scipy.stats.f_oneway(*ratings).statistic
    k = ratings.shape[1]
    assert forms(ratings)["ICC(1,1)"].value == pytest.approx((f - 1) / (f + k - 1), abs=1e-9)


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ([[1, 2]], "at least two of either"),
        ([1, 2, 3], "at least two of either"),
        ([[1, 2], [3, math.nan]], "Rating 2 of subject 2 is missing"),
        ([[4, 4], [4, 4]], "Subjects do not differ"),
        ([[1, 2], [1, 2], [1, 2]], "Subjects do not differ"),
        ([[0.1, 0.1], [0.1, 0.1]], "Subjects do not differ"),
    ],
)
def test_ratings_without_an_answer_are_refused(ratings, message):
    with pytest.raises(StatisticsError, match=message):
        icc(ratings)


def test_the_errors_of_measurement_are_the_published_ones():
    found = sem(SET_A)
    assert found.agreement == pytest.approx(2.502776, abs=1e-6)
    assert found.consistency == pytest.approx(1.009675, abs=1e-6)
    assert found.mdc95_agreement == pytest.approx(1.96 * math.sqrt(2) * 2.502776, abs=1e-5)
    assert found.mdc95_consistency == pytest.approx(1.96 * math.sqrt(2) * 1.009675, abs=1e-5)
    assert found.mdc95_pct == pytest.approx(100 * found.mdc95_agreement / np.mean(SET_A))


@given(tables)
def test_the_error_of_agreement_is_the_pooled_spread_within_subjects(ratings):
    pooled = math.sqrt(ratings.var(axis=1, ddof=1).mean())
    found = sem(ratings)
    assert found.agreement == pytest.approx(pooled, rel=1e-9)
    assert found.consistency_ci95[0] < found.consistency < found.consistency_ci95[1]
    assert found.agreement_ci95[0] < found.agreement < found.agreement_ci95[1]


@given(st.integers(0, 2**32 - 1))
def test_two_raters_errors_are_those_of_their_differences(seed):
    """With two raters, consistency is the standard deviation of differences over root 2."""
    ratings = np.random.default_rng(seed).normal(size=(8, 2))
    difference = ratings[:, 0] - ratings[:, 1]
    assert sem(ratings).consistency == pytest.approx(difference.std(ddof=1) / math.sqrt(2))


def test_the_mean_of_several_readings_detects_less_change():
    assert mdc95(10, readings=4) == pytest.approx(mdc95(10) / 2)
    assert sem([[-1, 1], [1, -1]]).mdc95_pct == math.inf


def test_the_coefficient_of_variation_is_that_of_each_subject():
    assert within_subject_cv_pct([[90, 110], [900, 1100]]) == pytest.approx(14.142136, abs=1e-6)
    with pytest.raises(StatisticsError, match="positive"):
        within_subject_cv_pct([[1, 2], [0, 1]])


def test_limits_of_agreement_are_the_published_ones():
    found = bland_altman(WRIGHT, MINI)
    assert found.bias == pytest.approx(-2.117647, abs=1e-6)
    assert found.sd == pytest.approx(38.765130, abs=1e-6)
    assert found.limits == pytest.approx((-78.0973, 73.8620), abs=1e-4)
    t = scipy.stats.t.ppf(0.975, 16) * found.sd / math.sqrt(17)
    assert found.bias_ci95 == pytest.approx((found.bias - t, found.bias + t))
    assert np.corrcoef(WRIGHT, MINI)[0, 1] == pytest.approx(0.943279, abs=1e-6)


def test_the_interval_of_a_limit_contains_it_as_often_as_it_says():
    """Of samples of 12 from a known population, seeded; 4 standard errors of 2,000 draws."""
    rng = np.random.default_rng(0)
    limit = 1.96
    draws = rng.normal(size=(2000, 12))
    inside = 0
    for draw in draws:
        low, high = bland_altman(draw, np.zeros(12)).limits_ci95[1]
        inside += low <= limit <= high
    assert inside / 2000 == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 2000))


def test_a_proportional_difference_has_a_slope():
    true = np.arange(1.0, 9.0)
    found = bland_altman(1.2 * true, 0.8 * true)
    assert found.slope == pytest.approx(0.4)
    assert found.slope_p < 1e-6
    assert bland_altman([5, 6, 7], [5, 4, 3]).slope == 0
    assert math.isnan(bland_altman([5, 6, 7], [5, 4, 3]).slope_p)


def test_ratios_are_those_of_logarithms():
    found = bland_altman_ratio([2, 4, 8, 9], [1, 2, 4, 4])
    logs = bland_altman(np.log([2, 4, 8, 9]), np.log([1, 2, 4, 4]))
    assert found.bias == pytest.approx(math.exp(logs.bias))
    assert found.limits == pytest.approx(np.exp(logs.limits))
    with pytest.raises(StatisticsError, match="positive"):
        bland_altman_ratio([1, 2, 3], [1, 0, 3])


def test_concordance_is_correlation_times_accuracy():
    found = concordance(WRIGHT, MINI)
    one, two = np.array(WRIGHT, float), np.array(MINI, float)
    lin = 2 * np.cov(one, two, ddof=0)[0, 1] / (
        one.var() + two.var() + (one.mean() - two.mean()) ** 2
    )  # fmt: skip
    assert found.value == pytest.approx(lin, abs=1e-12)
    assert found.precision * found.accuracy == pytest.approx(found.value)
    assert found.ci95[0] < found.value < found.ci95[1]
    same = concordance([1, 2, 3, 4], [1, 2, 3, 4])
    assert (same.value, same.ci95) == (pytest.approx(1), pytest.approx((1, 1)))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1, 2, 3, 4], [1, 2, 3], "same subjects"),
        ([1, 2], [1, 2], "2 pairs are too few"),
        ([1, 2, math.nan, 4], [1, 2, 3, 4], "missing or not finite"),
        ([1, 1, 1, 1], [1, 2, 3, 4], "constant"),
        ([1, 2, 4], [1, 2, 3], "3 pairs are too few"),
    ],
)
def test_pairs_without_an_answer_are_refused(first, second, message):
    with pytest.raises(StatisticsError, match=message):
        concordance(first, second)


def test_kappa_without_weights_is_cohens():
    """Cohen 1960's form: 2 x 2 table 20, 5, 10, 15: observed 0.7, by chance 0.5."""
    first = [1] * 25 + [0] * 25
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    found = weighted_kappa(first, second, [0, 1], "none")
    assert (found.observed, found.expected) == (pytest.approx(0.7), pytest.approx(0.5))
    assert found.value == pytest.approx(0.4)


@given(st.integers(0, 2**32 - 1))
def test_quadratic_kappa_is_the_concordance_of_grades(seed):
    """Fleiss and Cohen 1973: with quadratic weights kappa is a correlation of agreement."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 5, 40)
    second = np.clip(first + rng.integers(-1, 2, 40), 0, 4)
    found = weighted_kappa(first.tolist(), second.tolist(), range(5), "quadratic")
    assert found.value == pytest.approx(concordance(first, second).value, abs=1e-9)


def test_the_interval_of_kappa_is_that_of_resampled_grades():
    rng = np.random.default_rng(3)
    first = rng.integers(0, 5, 400)
    second = np.clip(first + rng.integers(-1, 2, 400), 0, 4)
    found = weighted_kappa(first.tolist(), second.tolist(), range(5), "linear")
    values = []
    for _ in range(300):
        chosen = rng.integers(0, 400, 400)
        again = weighted_kappa(first[chosen].tolist(), second[chosen].tolist(), range(5), "linear")
        values.append(again.value)
    half = (found.ci95[1] - found.ci95[0]) / 2
    assert 1.96 * np.std(values) == pytest.approx(half, rel=0.2)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1, 2], [1], "same subjects"),
        ([], [], "same subjects"),
        ([1, 9], [1, 2], r"grades \[9\] are not of the scheme"),
        ([2, 2], [2, 2], "one and the same grade"),
    ],
)
def test_grades_without_an_answer_are_refused(first, second, message):
    with pytest.raises(StatisticsError, match=message):
        weighted_kappa(first, second, range(5))
