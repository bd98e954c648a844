"""The scale of fat-fraction maps: declared, told by the range, or refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.measuring.pdff_map import STORED_TO_PCT, map_fat_fraction, map_scale
from multifidus.measuring.weighted_pixels import WeightedPixels

RNG = np.random.default_rng(3)
# A trunk in per cent: background, muscle, and fat under the skin in an eighth of the pixels.
TRUNK_PCT = np.concatenate(
    (np.zeros(4000), RNG.normal(8, 4, 3000), RNG.normal(94, 2, 1000).clip(max=100))
)


@given(st.sampled_from(STORED_TO_PCT), st.floats(0.8, 1.1))
def test_the_range_tells_which_of_the_scales_a_map_is_stored_in(factor, height):
    found = map_scale(TRUNK_PCT * height / factor)
    assert (found.to_pct, found.basis) == (factor, "range")


@given(st.floats(1e-3, 1e6))
def test_no_range_fits_two_scales(top):
    fitting = [factor for factor in STORED_TO_PCT if 50 <= top * factor <= 120]
    assert len(fitting) <= 1
    found = map_scale(np.full(10, top)).to_pct
    assert found == fitting[0] if fitting else math.isnan(found)


@pytest.mark.parametrize("stored", [[], [np.nan], [0, 0, 0], [30] * 9, [200] * 9, [1e6] * 9])
def test_values_that_fit_no_scale_have_none(stored):
    assert math.isnan(map_scale(stored).to_pct)


@pytest.mark.parametrize(
    ("unit", "stored", "factor"),
    [
        ("%", TRUNK_PCT, 1.0),
        ("%", TRUNK_PCT * 0.1, 1.0),
        ("1", TRUNK_PCT / 100, 100.0),
        ("[ppth]", TRUNK_PCT * 10, 0.1),
        ("ms", TRUNK_PCT * 10, 0.1),
        ("%", TRUNK_PCT * 10, math.nan),
        ("1", TRUNK_PCT, math.nan),
        ("%", TRUNK_PCT / 100, math.nan),
        ("1", TRUNK_PCT / 10_000, math.nan),
        ("[ppth]", TRUNK_PCT / 100, math.nan),
        ("%", [0.0] * 9, math.nan),
    ],
)
def test_a_declared_unit_counts_unless_the_values_exceed_it(unit, stored, factor):
    found = map_scale(stored, unit)
    assert found.to_pct == factor or (math.isnan(factor) and math.isnan(found.to_pct))
    assert found.basis == ("range" if unit == "ms" else "declared")


def test_a_declared_map_of_muscle_alone_is_taken_however_small_the_muscle():
    masked = np.concatenate((np.zeros(100_000), RNG.normal(8, 4, 300).clip(min=0.1)))
    assert map_scale(masked, "%").to_pct == 1.0
    assert math.isnan(map_scale(masked / 100, "%").to_pct)


def test_values_out_of_range_are_kept_and_counted():
    result = map_fat_fraction(WeightedPixels.of([-50, 200, 1050, np.nan], [1, 0.5, 1, 1]), 0.1)
    assert result.mean_pct == pytest.approx((-5 + 0.5 * 20 + 105) / 2.5)
    assert (result.n_pixels, result.n_below, result.n_above) == (3, 1, 1)


def test_nothing_has_no_mean():
    nothing = map_fat_fraction(WeightedPixels.of([]), 1.0)
    assert (math.isnan(nothing.mean_pct), nothing.n_pixels) == (True, 0)
    unknown = map_fat_fraction(WeightedPixels.of([5.0]), math.nan)
    assert math.isnan(unknown.mean_pct)
