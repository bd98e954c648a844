import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.flags import Flag
from multifidus.data.protocol import MeasurementProtocol
from multifidus.measuring.fat.references import References, linear_mixing
from multifidus.measuring.weighted_pixels import WeightedPixels
from tests.support.strategies import numbers

DEFAULT = MeasurementProtocol()
NOTHING = WeightedPixels.of([])
LEAN, FAT = WeightedPixels.of([98, 99, 100, 101, 102]), WeightedPixels.of([396, 398, 400, 402, 404])
GOOD = References(LEAN, FAT)


@given(st.lists(st.tuples(numbers(0, 1), numbers(0.01, 1)), min_size=1, max_size=30))
def test_linear_mixing_finds_the_fat_that_was_mixed_in(pixels):
    share, weights = np.array(pixels).T
    muscle = WeightedPixels.of(100 + 300 * share, weights)
    mixed = 100 * np.average(share, weights=weights)
    assert linear_mixing(muscle, GOOD) == pytest.approx((mixed, mixed), abs=1e-9)


def test_noise_biases_the_clipped_fraction_alone():
    # Lean muscle at contrast 2 and SNR 8: half of a normal of 12.5 points is cut off.
    noise = np.random.default_rng(0).normal(0, 100 / 8, 200_000)
    references = References(WeightedPixels.of([100.0]), WeightedPixels.of([200.0]))
    plain, clipped = linear_mixing(WeightedPixels.of(100 + noise), references)
    assert plain == pytest.approx(0, abs=0.1)
    assert clipped == pytest.approx(12.5 / math.sqrt(2 * math.pi), abs=0.1)


def test_good_references_raise_no_doubt():
    assert GOOD.pair_flags(DEFAULT) == ()
    assert GOOD.lean_flags(DEFAULT) == ()
    assert GOOD.contrast == 300
    assert GOOD.midpoint == 250


@pytest.mark.parametrize(
    ("references", "flag"),
    [
        (References(NOTHING, FAT), Flag.NO_REFERENCE),
        (References(LEAN, NOTHING), Flag.NO_REFERENCE),
        (References(FAT, LEAN), Flag.REFERENCE_INVERTED),
        (References(LEAN, LEAN), Flag.REFERENCE_INVERTED),
        (
            References(WeightedPixels.of([50, 100, 150]), WeightedPixels.of([90, 140, 190])),
            Flag.UNDETECTABLE,
        ),
        (References(WeightedPixels.of([100] * 8 + [400] * 2), FAT), Flag.REFERENCE_MIXED),
        (References(LEAN, WeightedPixels.of([400] * 8 + [100] * 2)), Flag.REFERENCE_MIXED),
    ],
    ids=["no lean", "no fat", "swapped", "equal", "not separate", "fat in lean", "lean in fat"],
)
def test_references_that_cannot_be_trusted_are_named(references, flag):
    assert flag in references.pair_flags(DEFAULT)


def test_a_little_of_the_other_tissue_is_no_doubt():
    lean = WeightedPixels.of([100] * 19 + [400])
    assert References(lean, WeightedPixels.of([400.0, 401.0] * 10)).pair_flags(DEFAULT) == ()


def test_what_is_known_of_the_drawing_is_passed_on():
    known = (Flag.REFERENCE_SATURATED,)
    for references in (
        References(LEAN, FAT, known),
        References(NOTHING, FAT, known),
        References(FAT, LEAN, known),
    ):
        assert Flag.REFERENCE_SATURATED in references.pair_flags(DEFAULT)
        assert Flag.REFERENCE_SATURATED in references.lean_flags(DEFAULT)


def test_methods_of_lean_muscle_do_without_fat():
    assert References(LEAN, NOTHING).lean_flags(DEFAULT) == ()
    assert References(NOTHING, FAT).lean_flags(DEFAULT) == (Flag.NO_REFERENCE,)
    assert References(FAT, LEAN).lean_flags(DEFAULT) == (Flag.REFERENCE_INVERTED,)


def test_the_brightest_lean_pixel_is_one_that_lies_inside_by_half():
    lean = WeightedPixels.of([90, 120, 115, 300], [1, 1, 0.5, 0.49])
    assert References(lean, NOTHING).lean_maximum == 120
    assert math.isnan(References(WeightedPixels.of([300], [0.3]), NOTHING).lean_maximum)


def test_the_lean_mean_and_its_deviations():
    lean = WeightedPixels.of([90, 110], [1, 1])
    assert References(lean, NOTHING).lean_mean_plus(2.5) == pytest.approx(100 + 2.5 * 10)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_the_median_of_equal_weights_is_the_usual_one(values):
    assert WeightedPixels.of(values).median == np.median(values)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 4)), min_size=1, max_size=20))
def test_the_median_counts_a_weight_of_three_as_three_pixels(pixels):
    values, weights = zip(*pixels, strict=True)
    assert WeightedPixels.of(values, weights).median == np.median(np.repeat(values, weights))


def test_nothing_has_no_median():
    assert math.isnan(NOTHING.median)
