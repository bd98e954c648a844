import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.measuring.fat.references import MOST_DARK_PCT, dark_pct, darkest_muscle
from multifidus.measuring.uncertainty.components import lean_level
from multifidus.measuring.weighted_pixels import WeightedPixels

NOTHING = WeightedPixels.of([])


def noisy(level, snr, count=4000, seed=0):
    rng = np.random.default_rng(seed)
    real, imaginary = rng.standard_normal((2, count)) * 100 / snr
    return np.hypot(level + real, imaginary)


@pytest.mark.parametrize("snr", [5.0, 8.0, 18.0])
def test_lean_muscle_is_not_dark_and_a_void_is(snr):
    limit = darkest_muscle(WeightedPixels.of(noisy(100, snr)), NOTHING)
    assert dark_pct(WeightedPixels.of(noisy(100, snr, seed=1)), limit) < MOST_DARK_PCT / 3
    void = np.concatenate([noisy(100, snr, 3000, 2), noisy(0, snr, 1000, 3)])
    assert dark_pct(WeightedPixels.of(void), limit) > 15


def test_muscle_at_two_thirds_of_the_lean_signal_is_in_the_coil_s_shade_and_no_void():
    limit = darkest_muscle(WeightedPixels.of(noisy(100, 18)), NOTHING)
    assert dark_pct(WeightedPixels.of(noisy(67, 18, seed=1)), limit) < 0.1


def test_without_a_lean_reference_the_muscles_say_what_is_lean_fat_and_void_or_not():
    lean = darkest_muscle(WeightedPixels.of(noisy(100, 18)), NOTHING)
    muscle = [noisy(100, 18, 6000, 1), noisy(400, 18, 3000, 2), noisy(0, 18, 1000, 3)]
    found = darkest_muscle(NOTHING, WeightedPixels.of(np.concatenate(muscle)))
    assert found == pytest.approx(lean, rel=0.1)


@given(st.floats(1e-3, 1e3))
def test_the_limit_goes_with_the_scale_of_the_signal(factor):
    values = noisy(100, 10)
    one, other = (
        darkest_muscle(WeightedPixels.of(each), NOTHING) for each in (values, values * factor)
    )
    assert other == pytest.approx(one * factor)


def test_nothing_known_is_nothing_said():
    assert math.isnan(darkest_muscle(NOTHING, NOTHING))
    assert math.isnan(dark_pct(WeightedPixels.of([1.0]), math.nan))
    assert math.isnan(dark_pct(NOTHING, 50.0))


@pytest.mark.parametrize("value", [0.1, 0.3, 1e-3, 250.0, 1234.567])
@pytest.mark.parametrize("n", [1, 3, 6, 7, 10, 49])
def test_pixels_that_are_all_alike_have_a_level(value, n):
    # Their mean may differ from each of them by rounding.
    level, error = lean_level(np.full(n, value))
    assert level == pytest.approx(value)
    assert error == pytest.approx(0.0)
