import math

import numpy as np
import pytest
from hypothesis import given

from multifidus.measuring.derived.combine import (
    maximal_asymmetry_pct,
    maximal_asymmetry_uncertainty,
    ratio_pct,
    ratio_uncertainty,
    signed_asymmetry_pct,
    signed_asymmetry_uncertainty,
)
from tests.support.strategies import numbers

AREAS = numbers(1, 5000)


@pytest.mark.parametrize(
    ("right", "left", "signed", "maximal"),
    [(1100, 900, 20, 200 / 11), (900, 1100, -20, 200 / 11), (800, 800, 0, 0), (500, 0, 200, 100)],
)
def test_asymmetry_by_hand(right, left, signed, maximal):
    assert signed_asymmetry_pct(right, left) == pytest.approx(signed)
    assert maximal_asymmetry_pct(right, left) == pytest.approx(maximal)


@given(AREAS, AREAS, numbers(0.1, 10))
def test_asymmetry_changes_sign_with_the_sides_and_knows_no_unit(right, left, unit):
    assert signed_asymmetry_pct(left, right) == -signed_asymmetry_pct(right, left)
    assert maximal_asymmetry_pct(left, right) == maximal_asymmetry_pct(right, left)
    for measure in (signed_asymmetry_pct, maximal_asymmetry_pct):
        expected = measure(right, left)
        assert measure(unit * right, unit * left) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert 0 <= maximal_asymmetry_pct(right, left) <= 100


def test_of_nothing_there_is_no_asymmetry_and_no_ratio():
    assert math.isnan(signed_asymmetry_pct(0, 0))
    assert math.isnan(maximal_asymmetry_pct(0, 0))
    assert math.isnan(ratio_pct(5, 0))
    assert math.isnan(signed_asymmetry_pct(float("nan"), 5))


PAIRS = (
    (signed_asymmetry_pct, signed_asymmetry_uncertainty),
    (maximal_asymmetry_pct, maximal_asymmetry_uncertainty),
    (ratio_pct, ratio_uncertainty),
)


@pytest.mark.parametrize(("value", "uncertainty"), PAIRS)
@pytest.mark.parametrize("sides", [(900.0, 700.0), (700.0, 900.0), (400.0, 1500.0)])
def test_uncertainty_is_the_spread_of_what_independent_errors_make(value, uncertainty, sides):
    rng, doubts = np.random.default_rng(3), (9.0, 14.0)
    drawn = rng.normal(sides, doubts, (20000, 2))
    spread = np.std([value(*pair) for pair in drawn.tolist()])
    assert uncertainty(*sides, *doubts) == pytest.approx(spread, rel=0.02)


@given(AREAS, AREAS, numbers(0.01, 50), numbers(0.01, 50), numbers(0.1, 10))
def test_uncertainty_knows_no_side_and_no_unit(right, left, u_right, u_left, unit):  # noqa: PLR0917
    for measure in (signed_asymmetry_uncertainty, maximal_asymmetry_uncertainty):
        found = measure(right, left, u_right, u_left)
        assert measure(left, right, u_left, u_right) == pytest.approx(found, rel=1e-9)
        scaled = measure(unit * right, unit * left, unit * u_right, unit * u_left)
        assert scaled == pytest.approx(found, rel=1e-9)


def test_of_nothing_there_is_no_uncertainty():
    assert math.isnan(signed_asymmetry_uncertainty(0, 0, 1, 1))
    assert math.isnan(ratio_uncertainty(5, 0, 1, 1))
    assert math.isnan(signed_asymmetry_uncertainty(5, 5, float("nan"), 1))
