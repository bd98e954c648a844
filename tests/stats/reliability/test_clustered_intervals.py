"""Intervals where subjects give several targets: they count subjects, and hold what they should."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings, strategies as st

from multifidus.errors import StatisticsError
from multifidus.stats.reliability.clustered_intervals import (
    clustered_variance,
    divide,
    few_subjects_warning,
    icc_intervals,
    limit_intervals,
    sem_intervals,
)
from multifidus.stats.reliability.icc import icc
from multifidus.stats.reliability.measurement_error import bland_altman, bland_altman_ratio, sem
from multifidus.stats.reliability.ratings import mean_squares
from multifidus.stats.reliability.study import reliability
from tests.stats.reliability.test_reliability import row
from tests.support.tables import values_of

PERSON, EXAM, RATER, ERROR = 0.9, math.sqrt(1 - 0.81), 0.5, 1 / 3


def study(rng, n=20, exams=2, k=2, *, rater=RATER):
    """Return ratings of n persons with so many exams each, and whose each is."""
    subjects = np.repeat(np.arange(n), exams)
    table = (
        10
        + PERSON * rng.normal(size=(n, 1))[subjects]
        + EXAM * rng.normal(size=(len(subjects), 1))
        + rater * rng.normal(size=(1, k))
        + ERROR * rng.normal(size=(len(subjects), k))
    )
    return table, [f"S{number}" for number in subjects]


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
@settings(max_examples=30)
def test_where_every_subject_gives_one_target_all_is_the_classical_analysis(seed, k):
    table, subjects = study(np.random.default_rng(seed), 12, 1, k)
    found, squares = divide(table, subjects), mean_squares(table)
    assert found.targets.variance == pytest.approx(squares.between)
    assert found.error.variance == pytest.approx(squares.error)
    assert (found.targets.df, found.error.df) == (11, 11 * (k - 1))
    assert found.error.noise == 1
    classical = icc(table)
    ours = icc_intervals(classical, table, subjects)
    for place in (0, 2, 3, 5):
        assert ours[place].ci95 == pytest.approx(classical[place].ci95)
    assert sem_intervals(sem(table), table, subjects).consistency_ci95 == pytest.approx(
        sem(table).consistency_ci95
    )


def test_a_variance_of_balanced_targets_is_that_of_the_nested_analysis_of_variance():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(8, 1)) + 0.5 * rng.normal(size=(8, 3))
    found = clustered_variance(values.reshape(-1, 1), np.repeat(np.arange(8), 3))
    between = 3 * values.mean(axis=1).var(ddof=1)
    within = values.var(axis=1, ddof=1).mean()
    assert found.variance == pytest.approx(between / 3 + within * 2 / 3)
    assert found.of_mean == pytest.approx(between)
    expected = found.variance**2 / ((between / 3) ** 2 / 7 + (within * 2 / 3) ** 2 / 16)
    assert found.df == pytest.approx(expected)


def test_targets_that_repeat_their_subject_add_nothing():
    """The interval of copies must not shrink to that of so many subjects."""
    rng = np.random.default_rng(1)
    table, single = study(rng, 15, 1)
    copies, names = np.repeat(table, 4, axis=0), np.repeat(single, 4)
    once = icc_intervals(icc(table), table, single)[2].ci95
    again = icc_intervals(icc(copies), copies, names)[2].ci95
    alone = icc(copies)[2].ci95
    assert again == pytest.approx(once, abs=0.01)
    assert alone[1] - alone[0] < 0.7 * (once[1] - once[0])
    one, two = sem_intervals(sem(table), table, single), sem_intervals(sem(copies), copies, names)
    assert two.consistency_ci95 == pytest.approx(one.consistency_ci95, rel=0.05)
    first = limit_intervals(bland_altman(*table.T), table[:, 0] - table[:, 1], single)
    whole = limit_intervals(bland_altman(*copies.T), copies[:, 0] - copies[:, 1], names)
    assert whole.bias_ci95 == pytest.approx(first.bias_ci95)
    assert whole.limits_ci95[0] == pytest.approx(first.limits_ci95[0], rel=0.05)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([2, 3, 5]))
@settings(max_examples=40)
def test_no_interval_is_narrower_than_the_classical_one_or_leaves_out_its_value(seed, exams, k):
    rng = np.random.default_rng(seed)
    table, subjects = study(rng, int(rng.integers(3, 30)), exams, k, rater=float(rng.uniform()))
    kept = rng.uniform(size=len(table)) < 0.8
    kept[:3] = True
    table, subjects = table[kept], np.array(subjects)[kept]
    for classical, ours in zip(icc(table), icc_intervals(icc(table), table, subjects), strict=True):
        assert ours.value == classical.value
        assert ours.ci95[0] <= classical.ci95[0] <= ours.value
        assert ours.value <= classical.ci95[1] <= ours.ci95[1]
    wide, narrow = sem_intervals(sem(table), table, subjects), sem(table)
    assert wide.agreement_ci95[0] <= narrow.agreement_ci95[0] <= wide.agreement
    assert wide.agreement <= narrow.agreement_ci95[1] <= wide.agreement_ci95[1]


def test_two_exams_a_person_do_not_make_an_interval_of_icc_2_1_that_holds_raters_fixed():
    """Two raters who differ: with 40 persons and two exams each, as with one exam each."""
    rng = np.random.default_rng(7)
    truth = 1 / (1 + RATER**2 + ERROR**2)
    held = classical = 0
    for _ in range(300):
        table, subjects = study(rng, 40)
        (low, high) = icc_intervals(icc(table), table, subjects)[1].ci95
        held += low <= truth <= high
        (low, high) = icc(table)[1].ci95
        classical += low <= truth <= high
    assert held / 300 > 0.92
    assert classical / 300 < 0.8


@pytest.mark.parametrize("n", [5, 8, 15])
def test_intervals_of_few_subjects_hold_what_they_should(n):
    rng = np.random.default_rng(n)
    hits = {}

    def count(name, interval, true):
        hits.setdefault(name, []).append(interval[0] <= true <= interval[1])

    for _ in range(400):
        table, subjects = study(rng, n, rater=0)
        count("icc", icc_intervals(icc(table), table, subjects)[2].ci95, 1 / (1 + ERROR**2))
        count("sem", sem_intervals(sem(table), table, subjects).consistency_ci95, ERROR)
        found = limit_intervals(bland_altman(*table.T), table[:, 0] - table[:, 1], subjects)
        count("bias", found.bias_ci95, 0)
        count("limit", found.limits_ci95[1], 1.96 * math.sqrt(2) * ERROR)
    shares = {name: np.mean(hit) for name, hit in hits.items()}
    assert all(0.91 <= share <= 0.99 for share in shares.values()), shares


def test_of_alike_targets_the_bias_has_the_t_interval_of_the_subjects_means():
    rng = np.random.default_rng(2)
    means = rng.normal(1, 2, 9)
    difference = np.repeat(means, 3)
    found = limit_intervals(
        bland_altman(difference, np.zeros(27)), difference, np.repeat(np.arange(9), 3)
    )
    expected = scipy.stats.ttest_1samp(means, 0).confidence_interval()
    assert found.bias_ci95 == pytest.approx(tuple(expected))


def test_limits_as_ratios_are_those_of_logarithms():
    table, subjects = study(np.random.default_rng(3))
    logs = np.log(table[:, 0]) - np.log(table[:, 1])
    ours = limit_intervals(bland_altman_ratio(table[:, 0], table[:, 1]), logs, subjects, ratio=True)
    plain = limit_intervals(bland_altman(np.log(table[:, 0]), np.log(table[:, 1])), logs, subjects)
    assert ours.bias_ci95 == pytest.approx(tuple(np.exp(plain.bias_ci95)))
    assert ours.limits_ci95[1] == pytest.approx(tuple(np.exp(plain.limits_ci95[1])))


def test_raters_who_never_differ_leave_the_classical_intervals():
    table = np.repeat([[1.0], [2.0], [4.0], [4.5]], 2, axis=1)
    subjects = ["a", "a", "b", "b"]
    assert icc_intervals(icc(table), table, subjects) == icc(table)
    assert sem_intervals(sem(table), table, subjects) == sem(table)
    agreement = bland_altman(*table.T)
    assert limit_intervals(agreement, table[:, 0] - table[:, 1], subjects) == agreement


def read_twice(subject, level, rng):
    """Return two readings of one rater of a subject's two exams, each side at one level."""
    return [
        row(subject, "A", 900 + 50 * rng.normal(), level=level, side=side, timepoint=timepoint,
            reading=reading)
        for side in ("left", "right")
        for timepoint in ("pre", "post")
        for reading in (1, 2)
    ]  # fmt: skip


def test_of_one_subject_no_reliability_is_given_and_the_reason_is_said():
    rng = np.random.default_rng(7)
    alone = read_twice("S1", "L4-L5", rng)
    how = {"compare": "reading", "by": ("level",)}
    with pytest.raises(StatisticsError, match="all 4 targets are of one subject") as refused:
        reliability(values_of(alone), **how)
    assert "of two subjects or more" in refused.value.remedy
    others = [item for name in ("S1", "S2") for item in read_twice(name, "L5-S1", rng)]
    found = reliability(values_of(alone + others), **how)
    assert [(item.level, item.n_targets) for item in found.results] == [("L5-S1", 8)]
    assert "L4-L5 A: all 4 targets are of one subject" in found.problems[0]


def test_many_targets_of_few_subjects_are_doubted():
    assert "8 subjects give 64 targets" in few_subjects_warning([f"S{n // 8}" for n in range(64)])
    assert not few_subjects_warning([f"S{n // 2}" for n in range(16)])
    assert not few_subjects_warning([f"S{n // 8}" for n in range(160)])


def test_a_before_after_study_has_intervals_that_count_persons_and_says_so():
    table, _ = study(np.random.default_rng(4), 12)
    rows = [
        row(f"S{n // 2}", "AB"[rater], value, timepoint=("pre", "post")[n % 2])
        for n, ratings in enumerate(table)
        for rater, value in enumerate(ratings)
    ]
    (found,) = reliability(values_of(rows)).results
    assert (found.n_subjects, found.n_targets) == (12, 24)
    assert found.icc[2].ci95[0] < icc(table)[2].ci95[0]
    classical = bland_altman(table[:, 0], table[:, 1])
    assert found.pairs[0].agreement.limits_ci95 != classical.limits_ci95
    assert found.pairs[0].agreement.limits == pytest.approx(classical.limits)
    text = " ".join(found.problems)
    assert "intervals of the ICC, of the SEM, of bias and of the limits of agreement count" in text
    assert "below-nominal" not in text
