"""The mixed model against analysis of variance, exact where balanced, and statsmodels' formulas."""

import math
import sys

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from multifidus.errors import StatisticsError
from multifidus.stats import models
from multifidus.stats.models import fit_random_intercept, model_changes
from multifidus.stats.pairs import Choice
from multifidus.stats.plain_change import plain_model
from multifidus.stats.ratings import mean_squares
from multifidus.stats.values import values_of
from tests.test_change import cohort, row


def balanced(seed, n=8, k=2, spread=100.0):
    rng = np.random.default_rng(seed)
    return 900 + spread * rng.normal(size=(n, 1)) + rng.normal(0, 20, (n, k)) - 30 * np.arange(k)


def fit(table):
    n, k = table.shape
    design = np.zeros((n * k, k))
    design[:, 0] = 1
    for later in range(1, k):
        design[later::k, later] = 1
    names = ["intercept", *(f"t{later}" for later in range(1, k))]
    return fit_random_intercept(table.ravel(), design, names, [f"S{i // k}" for i in range(n * k)])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 15))
def test_of_two_balanced_timepoints_it_is_the_paired_t_test(seed, n):
    table = balanced(seed, n)
    found = fit(table).terms[1]
    expected = scipy.stats.ttest_rel(table[:, 1], table[:, 0])
    assert found.estimate == pytest.approx(np.diff(table).mean(), rel=1e-6)
    assert found.df == n - 1
    assert found.estimate / found.se == pytest.approx(expected.statistic, rel=1e-3)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-2)
    assert found.ci95 == pytest.approx(tuple(expected.confidence_interval()), abs=0.1)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 4))
def test_of_balanced_timepoints_its_variances_are_those_of_the_analysis_of_variance(seed, k):
    table = balanced(seed, 10, k)
    found, squares = fit(table), mean_squares(table)
    assert found.sd_residual == pytest.approx(math.sqrt(squares.error), rel=1e-3)
    between = math.sqrt((squares.between - squares.error) / k)
    assert found.sd_subjects == pytest.approx(between, rel=1e-3)
    assert {term.df for term in found.terms[1:]} == {(10 - 1) * (k - 1)}


def test_unbalanced_values_are_fitted_as_statsmodels_formula_does():
    import pandas as pd
    import statsmodels.formula.api as smf

    rows = [
        item
        for place, item in enumerate(cohort({("L4-L5", "left"): 100, ("L1-L2", "left"): 10}, n=9))
        if place % 7
    ]
    ((found,), _) = model_changes(values_of(rows), ("pre", "post"), "zone")
    frame = pd.DataFrame(rows)
    frame["late"] = (frame.timepoint == "post").astype(float)
    frame["remote"] = (frame.level == "L1-L2").astype(float)
    expected = smf.mixedlm("value ~ late * remote", frame, groups=frame.subject).fit()
    assert [term.name for term in found.terms] == ["intercept", "post", "remote", "post x remote"]
    names = ("Intercept", "late", "remote", "late:remote")
    for term, name in zip(found.terms, names, strict=True):
        assert term.estimate == pytest.approx(expected.params[name], rel=1e-3, abs=0.05)
        assert term.se == pytest.approx(expected.bse[name], rel=1e-3)
    assert found.sd_residual == pytest.approx(math.sqrt(expected.scale), rel=1e-3)
    assert (found.n_subjects, found.n_values, found.n_missing) == (9, 30, 6)


def test_planted_changes_are_found_within_their_errors():
    losses = {("L4-L5", "left"): 100, ("L3-L4", "left"): 40, ("L1-L2", "left"): 0}
    ((found,), problems) = model_changes(values_of(cohort(losses, n=12)), ("pre", "post"), "zone")
    terms = {term.name: term for term in found.terms}
    planted = {"post": -100, "post x adjacent": 60, "post x remote": 100}
    for name, size in planted.items():
        assert terms[name].estimate == pytest.approx(size, abs=4 * terms[name].se)
        assert terms[name].p < 1e-6
    assert not problems
    assert "lbfgs" in found.optimiser


def test_what_lies_between_subjects_has_their_degrees_of_freedom():
    rows = [
        {**item, "approach": "open" if int(item["subject"][1:]) % 2 else "control"}
        for item in cohort({("L4-L5", "left"): 50}, n=10)
    ]
    ((found,), _) = model_changes(values_of(rows), ("pre", "post"), "approach")
    dfs = {term.name: term.df for term in found.terms}
    assert dfs == {"intercept": 8, "open": 8, "post": 8, "post x open": 8}
    assert found.n_missing == 0


def test_subjects_that_do_not_differ_are_said():
    table = balanced(3, 12, 2, spread=0.0)
    table[:, 1] -= 2 * (table[:, 0] - table[:, 0].mean())  # the two exams go against each other
    assert any("the variance between them is 0" in text for text in fit(table).problems)


def test_an_optimiser_that_fails_is_said_and_the_next_is_tried(monkeypatch):
    monkeypatch.setattr(models, "OPTIMISERS", ("nm-of-no-such-name", "bfgs"))
    found = fit(balanced(1))
    assert found.optimiser == "bfgs"
    assert found.problems == ("nm-of-no-such-name did not converge; bfgs did.",)


def test_no_convergence_is_an_error_and_no_other_model(monkeypatch):
    monkeypatch.setattr(models, "OPTIMISERS", ())
    with pytest.raises(StatisticsError, match="did not converge"):
        fit(balanced(1))


def test_without_statsmodels_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels.regression.mixed_linear_model", None)
    with pytest.raises(StatisticsError, match="needs statsmodels"):
        fit(balanced(1))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (balanced(1, 2), "2 subjects are too few"),
        (balanced(1, 5, 1), "leave nothing to estimate"),
        (np.full((5, 2), 7.0), "nothing varies"),
    ],
)
def test_values_without_a_model_are_refused(table, message):
    with pytest.raises(StatisticsError, match=message):
        fit(table)


def test_a_place_without_a_timepoint_is_refused_by_name():
    rows = [
        item
        for item in cohort({("L4-L5", "left"): 50, ("L1-L2", "left"): 0})
        if item["timepoint"] == "pre" or item["level"] == "L4-L5"
    ]
    found, problems = model_changes(values_of(rows), ("pre", "post"), "level")
    assert not found
    assert "Not every combination of post, L4-L5, post x L4-L5 has values" in problems[0]
    with pytest.raises(StatisticsError, match="No value of the table has a hospital"):
        model_changes(values_of(rows), ("pre", "post"), "hospital")


def test_grades_have_no_model_and_undefined_values_do_not_enter():
    rows = cohort({("L4-L5", "left"): 50, ("L4-L5", "right"): 50})
    rows[0] = {**rows[0], "value": math.nan}
    rows += [row(f"S{n}", "pre", n, quantity="goutallier_grade") for n in range(5)]
    ((found,), _) = model_changes(values_of(rows), ("pre", "post"), "", Choice("mean"))
    assert found.quantity == "tcsa_mm2"
    assert "enter with their mean" in found.problems[-1]
    plain = plain_model(found)
    assert plain["terms"][1]["name"] == "post"
    assert plain["optimiser"] == "lbfgs"
