"""The random-intercept model: analysis of variance where balanced, statsmodels' where not."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings, strategies as st

from multifidus.errors import StatisticsError
from multifidus.stats.change import random_intercept
from multifidus.stats.change.random_intercept import Effect, fit_random_intercept
from multifidus.stats.reliability.ratings import mean_squares

TWO = (Effect(), Effect(place="b"))
"""What two columns are of, where their names do not matter."""


def balanced(seed, n=8, k=2, spread=100.0):
    rng = np.random.default_rng(seed)
    return 900 + spread * rng.normal(size=(n, 1)) + rng.normal(0, 20, (n, k)) - 30 * np.arange(k)


def fit(table):
    n, k = table.shape
    design = np.zeros((n * k, k))
    design[:, 0] = 1
    for later in range(1, k):
        design[later::k, later] = 1
    effects = [Effect(), *(Effect(f"t{later}") for later in range(1, k))]
    return fit_random_intercept(
        table.ravel(), design, effects, [f"S{i // k}" for i in range(n * k)]
    )


def uneven(seed, n=14):
    """Values of subjects that have one to eight of them, of two kinds."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(n), rng.integers(1, 9, n))
    design = np.column_stack([np.ones(len(subjects)), rng.integers(0, 2, len(subjects))])
    own = rng.choice([0.0, 15.0, 40.0]) * rng.normal(size=n)
    values = design @ [5, -60] + own[subjects] + 30 * rng.normal(size=len(subjects))
    return values, design, [f"S{number}" for number in subjects]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 15))
def test_of_two_balanced_timepoints_it_is_the_paired_t_test(seed, n):
    table = balanced(seed, n)
    found = fit(table).terms[1]
    expected = scipy.stats.ttest_rel(table[:, 1], table[:, 0])
    assert found.estimate == pytest.approx(np.diff(table).mean(), rel=1e-9)
    assert found.df == pytest.approx(n - 1)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.ci95 == pytest.approx(tuple(expected.confidence_interval()), abs=1e-6)


def test_of_two_groups_of_subjects_it_is_welchs_t_test_with_the_means_of_each():
    """Balanced groups: the robust error is Welch's, and the degrees of freedom the model's."""
    rng = np.random.default_rng(3)
    values = np.repeat(rng.normal(0, [1] * 8 + [3] * 8), 2) + np.tile([0.5, -0.5], 16)
    group = np.repeat([0, 1], 16)
    design = np.column_stack([np.ones(32), group])
    term = fit_random_intercept(values, design, TWO, np.repeat(np.arange(16), 2)).terms[1]
    means = values.reshape(16, 2).mean(axis=1)
    expected = scipy.stats.ttest_ind(means[8:], means[:8], equal_var=False)
    assert term.estimate / term.se == pytest.approx(expected.statistic, rel=1e-9)
    assert term.df == pytest.approx(14)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 4))
def test_of_balanced_timepoints_its_variances_are_those_of_the_analysis_of_variance(seed, k):
    table = balanced(seed, 10, k)
    found, squares = fit(table), mean_squares(table)
    assert found.sd_residual == pytest.approx(math.sqrt(squares.error), rel=1e-4)
    between = math.sqrt((squares.between - squares.error) / k)
    assert found.sd_subjects == pytest.approx(between, rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_of_uneven_subjects_its_estimates_and_variances_are_statsmodels(seed):
    from statsmodels.regression.mixed_linear_model import MixedLM

    values, design, subjects = uneven(seed)
    found = fit_random_intercept(values, design, TWO, subjects)
    if found.sd_subjects == 0:  # where statsmodels may not converge, and least squares says all
        expected = np.linalg.lstsq(design, values, rcond=None)[0]
        assert [term.estimate for term in found.terms] == pytest.approx(expected.tolist())
        return
    theirs = MixedLM(values, design, groups=np.array(subjects)).fit(reml=True)
    assert theirs.converged
    assert [term.estimate for term in found.terms] == pytest.approx(
        theirs.fe_params.tolist(), abs=0.01
    )
    assert found.sd_subjects == pytest.approx(math.sqrt(theirs.cov_re[0, 0]), rel=2e-3)
    assert found.sd_residual == pytest.approx(math.sqrt(theirs.scale), rel=2e-3)


@pytest.mark.parametrize("seed", range(4))
def test_its_errors_and_degrees_of_freedom_are_those_of_their_definition(seed):
    """CR2 from whole matrices: the sandwich, and moments of the quadratic form it is."""
    values, design, subjects = uneven(seed)
    found = fit_random_intercept(values, design, TWO, subjects)
    whose = np.array(subjects)
    ratio = (found.sd_subjects / found.sd_residual) ** 2
    covariance = np.eye(len(values)) + ratio * (whose[:, None] == whose)
    size, turn = np.linalg.eigh(covariance)
    white = turn / np.sqrt(size) @ turn.T
    x, y = white @ design, white @ values
    bread = np.linalg.inv(x.T @ x)
    rest = np.eye(len(y)) - x @ bread @ x.T
    for column, term in enumerate(found.terms):
        forms = []
        for name in sorted(set(subjects)):
            own = whose == name
            left, axes = np.linalg.eigh(rest[np.ix_(own, own)])
            turned = axes / np.sqrt(left) @ axes.T
            forms.append(rest[:, own] @ turned @ x[own] @ bread[:, column])
        forms = np.array(forms)
        moments = forms @ forms.T
        assert term.se == pytest.approx(math.sqrt(((forms @ y) ** 2).sum()), rel=1e-4)
        assert term.df == pytest.approx(np.trace(moments) ** 2 / (moments**2).sum(), rel=1e-4)


def test_the_order_of_values_and_names_of_subjects_change_nothing():
    values, design, subjects = uneven(2)
    order = np.random.default_rng(0).permutation(len(values))
    once = fit_random_intercept(values, design, TWO, subjects)
    again = fit_random_intercept(
        values[order], design[order], TWO, [f"X{subjects[i]}" for i in order]
    )
    for one, two in zip(once.terms, again.terms, strict=True):
        assert (one.estimate, one.p) == pytest.approx((two.estimate, two.p), rel=1e-6)


def test_subjects_that_do_not_differ_have_no_variance():
    table = balanced(3, 12, 2, spread=0.0)
    table[:, 1] -= 2 * (table[:, 0] - table[:, 0].mean())  # the two exams go against each other
    assert fit(table).sd_subjects == 0


def test_one_value_a_subject_leaves_one_variance():
    values = [1.0, 2.0, 4.0, 3.0]
    found = fit_random_intercept(values, np.ones((4, 1)), [Effect()], list("abcd"))
    expected = scipy.stats.ttest_1samp(values, 0)
    assert found.terms[0].p == pytest.approx(expected.pvalue)
    assert math.isnan(found.sd_subjects)
    assert found.sd_residual == pytest.approx(np.std(values, ddof=1))


def test_a_mean_that_subjects_do_not_differ_in_has_no_error():
    """Three subjects of one value each place, all alike at one of them."""
    values = [1.0, 5.0, 1.0, 7.0, 1.0, 6.5]
    design = np.column_stack([np.tile([1, 0], 3), np.tile([0, 1], 3)])
    one, other = fit_random_intercept(values, design, TWO, list("aabbcc")).terms
    assert one.estimate == pytest.approx(1)
    assert math.isnan(one.p)
    assert 0 < other.p < 0.05


def test_no_convergence_is_an_error_and_no_other_model(monkeypatch):
    monkeypatch.setattr(random_intercept, "MOST_STEPS", 1)
    with pytest.raises(StatisticsError, match="did not converge in 1 step"):
        fit(balanced(1))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (balanced(1, 2), "2 subjects are too few"),
        (balanced(1, 1), "1 subject is too few"),
        (np.full((5, 2), 7.0), "nothing varies"),
    ],
)
def test_values_without_a_model_are_refused(table, message):
    with pytest.raises(StatisticsError, match=message):
        fit(table)


def test_designs_without_a_model_are_refused():
    with pytest.raises(StatisticsError, match="errors of intercept, b, c from"):
        fit_random_intercept([1, 2, 3], np.eye(3), [*TWO, Effect(place="c")], list("abc"))
    twice = np.ones((6, 2))
    with pytest.raises(StatisticsError, match="Not every combination of b has values"):
        fit_random_intercept([1, 2, 3, 4, 5, 7], twice, TWO, list("aabbcc"))
