"""Plans against simulation, statsmodels' power, and published numbers."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from statsmodels.stats.power import TTestPower
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.errors import StatisticsError
from multifidus.stats.reliability.icc import icc
from multifidus.stats.sample_size import (
    plan_change,
    plan_reliability,
    power_of_change,
    sd_of_changes,
)


@pytest.mark.parametrize(
    ("correlation", "width", "raters"), [(0.9, 0.2, 2), (0.7, 0.3, 2), (0.8, 0.2, 3), (0.5, 0.3, 4)]
)
def test_a_planned_study_has_the_planned_width(correlation, width, raters):
    """600 simulated studies of the planned size: mean width of ICC(3,1)'s interval."""
    n = plan_reliability(correlation, width, raters).n
    rng = np.random.default_rng(8)
    noise = math.sqrt(1 / correlation - 1)
    widths = []
    for _ in range(600):
        table = rng.normal(size=(n, 1)) + noise * rng.normal(size=(n, raters))
        low, high = icc(table)[2].ci95
        widths.append(high - low)
    assert np.mean(widths) == pytest.approx(width, rel=0.08)


def test_the_closed_form_is_bonetts():
    """By hand: 8 x 1.959964^2 x 0.2^2 x 2.6^2 / (3 x 2 x 0.2^2) + 1 = 35.62."""
    assert plan_reliability(0.8, 0.2, 3).n == 36
    by_hand = 8 * 1.959964**2 * 0.01 * 1.9**2 / (2 * 0.04) + 1 + 4.5
    assert plan_reliability(0.9, 0.2, 2).n == math.ceil(by_hand)


@given(st.floats(0.1, 1.5), st.floats(0.5, 0.95), st.sampled_from([0.05, 0.01]))
def test_the_fewest_subjects_are_statsmodels(effect, power, alpha):
    found = plan_change(-effect, 1.0, power=power, alpha=alpha)
    exact = TTestPower()
    assert exact.power(effect, found.n, alpha) == pytest.approx(found.power, abs=1e-6)
    assert found.power >= power
    assert found.n == 2 or exact.power(effect, found.n - 1, alpha) < power + 1e-9


def test_power_is_how_often_the_change_is_found():
    from scipy.stats import ttest_1samp

    draws = np.random.default_rng(4).normal(5, 10, (4000, 34))
    found = (ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean()
    assert power_of_change(34, 5, 10) == pytest.approx(found, abs=4 * math.sqrt(0.8 * 0.2 / 4000))


def test_several_tests_share_their_level():
    assert plan_change(5, 10, tests=10) == plan_change(5, 10, alpha=0.005)
    assert plan_change(5, 10, tests=10).n > plan_change(5, 10).n


def test_measurement_error_alone_makes_changes_vary_by_root_2_sem():
    assert sd_of_changes(1.96 * math.sqrt(2) * 30) == pytest.approx(30 * math.sqrt(2))
    assert sd_of_changes(1.96 * 3, spread=4) == pytest.approx(5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: plan_reliability(1.0, 0.1), "correlation is 1"),
        (lambda: plan_reliability(-0.1, 0.1), "correlation is -0.1"),
        (lambda: plan_reliability(0.9, 0.0), "width of the interval is 0"),
        (lambda: plan_reliability(0.9, math.nan), "width of the interval is nan"),
        (lambda: plan_reliability(0.9, 0.1, raters=1), "1 raters cannot"),
        (lambda: plan_reliability(0.1, 0.001), "More than 100000"),
        (lambda: plan_change(0, 1), "change of 0"),
        (lambda: plan_change(math.nan, 1), "change of nan"),
        (lambda: plan_change(1, 0), "standard deviation of changes is 0"),
        (lambda: plan_change(1, 1, power=1), "power is 1"),
        (lambda: plan_change(1, 1, alpha=0), "level is 0"),
        (lambda: plan_change(1, 1, tests=0), "0 tests"),
        (lambda: plan_change(0.0001, 1), "More than 100000"),
        (lambda: sd_of_changes(0), "least detectable change is 0"),
        (lambda: sd_of_changes(1, -1), "spread of true changes is -1"),
    ],
)
def test_what_cannot_be_planned_is_refused(wrong, message):
    with pytest.raises(StatisticsError, match=message):
        wrong()


def run(*arguments):
    return CliRunner().invoke(app, ["plan", *map(str, arguments)])


def test_the_commands_print_the_plan():
    done = run("reliability", "--icc", 0.9, "--width", 0.2)
    assert "20 subjects" in " ".join(done.stdout.split())
    assert "ICC(2,1) is unreliable" in " ".join(done.stdout.split())
    many = run("reliability", "--icc", 0.9, "--width", 0.2, "--raters", 6, "--json")
    assert json.loads(many.stdout)["raters"] == 6
    change = run("change", "--delta", 50, "--mdc", 100)
    assert "a lower bound" in " ".join(change.stdout.split())
    found = json.loads(run("change", "--delta", 5, "--sd", 10, "--json").stdout)
    assert found["n"] == 34
    assert run("change", "--delta", 5).exit_code == 2
    assert run("change", "--delta", 5, "--sd", 1, "--mdc", 1).exit_code == 2
