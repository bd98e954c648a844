import math

import pytest
from hypothesis import given

from multifidus.metrics.asymmetry import maximal_asymmetry_pct, ratio_pct, signed_asymmetry_pct
from tests.strategies import numbers

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
