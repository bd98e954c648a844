import math

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from skimage.filters import threshold_otsu

from multifidus.data.flags import Flag
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.errors import ProtocolError
from multifidus.measuring.dixon_pairs import dixon_fat_fraction
from multifidus.measuring.fat.clusters import otsu_threshold
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import (
    METHODS,
    fat_by,
    fat_fraction,
)
from multifidus.measuring.fat.references import References, separation
from multifidus.measuring.weighted_pixels import WeightedPixels, pool
from tests.support.strategies import numbers

DEFAULT = MeasurementProtocol()
NO_REFERENCES = References(pool([]), pool([]))
LEAN_SIGNAL, FAT_SIGNAL = 100.0, 400.0
FROM_PIXELS = tuple(sorted({*FatMethod} - {"clahe_otsu", "dixon", "fixed", "signal"}))
BY_REFERENCES = [name for name in FROM_PIXELS if Need.LEAN_REFERENCE in METHODS[name].needs]
GREY = st.integers(0, 4095)
GREYS = st.lists(GREY, min_size=2, max_size=60).filter(lambda values: len(set(values)) > 1)


def rician(signal, sigma, rng):
    return np.hypot(signal + rng.normal(0, sigma, signal.shape), rng.normal(0, sigma, signal.shape))


def muscle(fat_pct, rng, snr=15, shading=0.0):
    """Return the pixels of a muscle: a share of fat, Rician noise, a coil that fades across it."""
    n = 3000
    signal = np.full(n, LEAN_SIGNAL)
    signal[: round(n * fat_pct / 100)] = FAT_SIGNAL
    rng.shuffle(signal)
    return rician(signal * np.linspace(1 + shading, 1 - shading, n), LEAN_SIGNAL / snr, rng)


def reference(signal, n, rng, snr=15):
    return rician(np.full(n, signal), LEAN_SIGNAL / snr, rng)


def test_otsu_parts_dark_from_bright():
    assert otsu_threshold(WeightedPixels.of([10, 11, 12, 90, 91])) == (12 + 90) / 2


@given(st.integers(0, 2**31), st.integers(2, 4096), st.integers(50, 400))
def test_otsu_classifies_integer_images_as_scikit_image_does(seed, levels, n):
    rng = np.random.default_rng(seed)
    dark, bright = rng.normal(0.3, 0.08, n), rng.normal(0.75, 0.08, n // 2)
    image = np.clip(np.concatenate((dark, bright)) * levels, 0, levels - 1).astype(np.int64)
    assume(image.min() < image.max())
    ours, theirs = otsu_threshold(WeightedPixels.of(image)), threshold_otsu(image)
    assert ((image > ours) == (image > theirs)).all()


@given(GREYS, numbers(0.01, 100), numbers(-1000, 1000))
def test_otsu_moves_with_the_scale_and_offset_of_the_signal(values, scale, shift):
    image = np.array(values)
    threshold = otsu_threshold(WeightedPixels.of(image))
    moved = otsu_threshold(WeightedPixels.of(image * scale + shift))
    between = [_between_class_variance(image, t) for t in (threshold, (moved - shift) / scale)]
    # Two cuts can be equally good; rounding then picks either.
    assert between[0] == pytest.approx(between[1], rel=1e-9)


def _between_class_variance(image, threshold):
    above = image > threshold
    return above.mean() * (~above).mean() * (image[above].mean() - image[~above].mean()) ** 2


@given(GREYS, st.data())
def test_a_pixel_of_weight_three_counts_as_three_pixels(values, data):
    weights = data.draw(
        st.lists(st.integers(0, 4), min_size=len(values), max_size=len(values)).filter(
            lambda found: len({v for v, w in zip(values, found, strict=True) if w}) > 1
        )
    )
    weighted, repeated = (
        WeightedPixels.of(values, weights),
        WeightedPixels.of(np.repeat(values, weights)),
    )
    threshold = otsu_threshold(weighted)
    assert threshold == otsu_threshold(repeated)
    assert 100 * weighted.share_above(threshold) == pytest.approx(
        100 * repeated.share_above(threshold)
    )
    assert weighted.mean == pytest.approx(np.repeat(values, weights).mean())
    assert weighted.variance == pytest.approx(np.repeat(values, weights).var(), abs=1e-6)
    assert weighted.total == sum(weights)


@pytest.mark.parametrize("values", [[], [5, 5, 5], [5, np.nan], [np.inf, np.nan]])
def test_otsu_has_no_answer_where_there_are_no_two_grey_levels(values):
    assert math.isnan(otsu_threshold(WeightedPixels.of(values)))
    found = fat_by(FatMethod.OTSU, WeightedPixels.of(values), NO_REFERENCES, DEFAULT)
    assert found.flags == (Flag.UNDETECTABLE,)


def test_separation_is_the_distance_of_means_in_standard_deviations():
    dark, bright = WeightedPixels.of([1, 3]), WeightedPixels.of([11, 13])
    assert separation(dark, bright) == pytest.approx(10)
    assert separation(bright, dark) == pytest.approx(10)
    assert separation(WeightedPixels.of([1]), WeightedPixels.of([2])) == math.inf
    assert separation(WeightedPixels.of([1]), WeightedPixels.of([1])) == 0
    assert math.isnan(separation(WeightedPixels.of([]), bright))


@given(st.integers(0, 2**31))
def test_halving_one_class_gives_the_separations_the_protocol_names(seed):
    rng = np.random.default_rng(seed)
    for draw, expected in ((rng.normal, 2.65), (rng.uniform, 3.46)):
        values = draw(0, 1, 20_000)
        found = WeightedPixels.of(values)
        above = values > np.median(values)
        assert separation(found.where(~above), found.where(above)) == pytest.approx(
            expected, abs=0.1
        )


@pytest.mark.parametrize("snr", [10, 25])
@pytest.mark.parametrize("shading", [0.0, 0.175, 0.35])
@pytest.mark.parametrize("seed", range(3))
def test_otsu_never_finds_half_of_a_lean_muscle_to_be_fat(snr, shading, seed):
    values = muscle(0, np.random.default_rng(seed), snr=snr, shading=shading)
    result = fat_fraction(values, np.ones_like(values), "otsu")
    assert math.isnan(result.value_pct)
    assert result.flags == (Flag.UNDETECTABLE,)


@pytest.mark.parametrize("fat_pct", [20, 39])
def test_otsu_finds_the_fat_of_an_infiltrated_muscle(fat_pct):
    values = muscle(fat_pct, np.random.default_rng(0))
    result = fat_fraction(values, np.ones_like(values), "otsu")
    assert result.value_pct == pytest.approx(fat_pct, abs=1)
    assert result.flags == ()


@pytest.mark.parametrize("fat_pct", [0, 3, 20, 39, 80, 100])
@pytest.mark.parametrize("shading", [0.0, 0.2])
def test_the_pooled_threshold_finds_the_fat_of_every_muscle(fat_pct, shading):
    rng = np.random.default_rng(1)
    values = muscle(fat_pct, rng, shading=shading)
    lean, fat = (reference(signal, 200, rng) for signal in (LEAN_SIGNAL, FAT_SIGNAL))
    result = fat_fraction(values, np.ones_like(values), "pooled_otsu", lean=lean, fat=fat)
    assert result.value_pct == pytest.approx(fat_pct, abs=1)
    assert LEAN_SIGNAL < result.threshold < FAT_SIGNAL
    assert result.flags == ()


@pytest.mark.parametrize("times", [2, 7, 40])
def test_the_pooled_threshold_does_not_depend_on_how_large_the_references_are(times):
    rng = np.random.default_rng(2)
    values = muscle(25, rng)
    lean, fat = (reference(signal, 30, rng) for signal in (LEAN_SIGNAL, FAT_SIGNAL))
    ones = np.ones_like(values)
    once = fat_fraction(values, ones, "pooled_otsu", lean=lean, fat=fat)
    often = fat_fraction(
        values, ones, "pooled_otsu", lean=np.tile(lean, times), fat=np.tile(fat, times)
    )
    assert often.threshold == pytest.approx(once.threshold)
    assert often.value_pct == once.value_pct


@given(st.integers(0, 2**31), st.integers(30, 600), st.integers(30, 600))
def test_references_drawn_elsewhere_and_larger_move_the_fat_by_less_than_half_a_point(
    seed, n_lean, n_fat
):
    rng = np.random.default_rng(3)
    values = muscle(25, rng, shading=0.1)
    ones = np.ones_like(values)
    usual = [reference(signal, 200, rng) for signal in (LEAN_SIGNAL, FAT_SIGNAL)]
    other = np.random.default_rng(seed)
    redrawn = [
        reference(signal, n, other) for signal, n in ((LEAN_SIGNAL, n_lean), (FAT_SIGNAL, n_fat))
    ]
    found = [
        fat_fraction(values, ones, "pooled_otsu", lean=lean, fat=fat).value_pct
        for lean, fat in (usual, redrawn)
    ]
    assert abs(found[0] - found[1]) < 0.5


@pytest.mark.parametrize("missing", [{"lean": None}, {"fat": None}, {"lean": [], "fat": None}])
def test_without_both_references_there_is_no_pooled_fat(missing):
    references = {"lean": [99, 100, 101], "fat": [399, 400, 401]} | missing
    result = fat_fraction([100, 400], [1, 1], "pooled_otsu", **references)
    assert math.isnan(result.value_pct)
    assert math.isnan(result.threshold)
    assert result.flags == (Flag.NO_REFERENCE,)


@pytest.mark.parametrize(
    ("lean", "fat", "flag"),
    [
        ([400, 401], [100, 101], Flag.REFERENCE_INVERTED),
        ([100, 101], [100, 101], Flag.REFERENCE_INVERTED),
        ([100, 140, 180], [120, 160, 200], Flag.UNDETECTABLE),
    ],
    ids=["swapped", "equal", "not separate"],
)
@pytest.mark.parametrize("method", BY_REFERENCES)
def test_references_that_cannot_tell_fat_from_muscle_leave_the_fat_undefined(
    method, lean, fat, flag
):
    result = fat_fraction([100, 400], [1, 1], method, lean=lean, fat=fat)
    assert math.isnan(result.value_pct)
    assert result.flags[0] == flag


def test_references_alone_measure_nothing():
    references = References(WeightedPixels.of([100, 101]), WeightedPixels.of([400, 401]))
    found = METHODS[FatMethod.POOLED_OTSU].shared_threshold([], references, DEFAULT)
    assert math.isnan(found.value)
    assert found.flags == (Flag.UNDETECTABLE,)


def test_a_pooled_threshold_that_cannot_be_found_is_flagged():
    # One grey level in the muscles, and references that weigh nothing.
    protocol = MeasurementProtocol(reference_weight=0)
    references = References(WeightedPixels.of([100, 101]), WeightedPixels.of([400, 401]))
    found = fat_by(FatMethod.POOLED_OTSU, WeightedPixels.of([100, 100]), references, protocol)
    assert math.isnan(found.threshold)
    assert found.flags == (Flag.UNDETECTABLE,)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_pixels_without_a_value_do_not_count(hole):
    sample = WeightedPixels.of([1, hole, 3], [1, 1, 0.5])
    assert sample.values.tolist() == [1, 3]
    assert fat_fraction([1, hole, 3], [1, 1, 0.5], "fixed", threshold=2).value_pct == (
        pytest.approx(100 / 3)
    )


@given(st.lists(st.tuples(numbers(0, 500), numbers(0.01, 1)), min_size=1), numbers(0, 500))
def test_a_given_threshold_parts_the_weights(pixels, threshold):
    values, weights = np.array(pixels).T
    result = fat_fraction(values, weights, "fixed", threshold=threshold)
    bright = math.fsum(weight for value, weight in pixels if value > threshold)
    assert result.value_pct == pytest.approx(100 * bright / math.fsum(weights))
    assert result.threshold == threshold
    assert result.flags == ()


def test_no_share_is_above_a_threshold_of_nothing():
    assert math.isnan(100 * WeightedPixels.of([]).share_above(5))
    assert math.isnan(100 * WeightedPixels.of([1, 2]).share_above(math.nan))
    assert math.isnan(WeightedPixels.of([]).mean)
    assert math.isnan(WeightedPixels.of([]).variance)


@pytest.mark.parametrize(
    ("method", "more", "message"),
    [
        ("magic", {}, "Unknown fat method"),
        ("fixed", {}, "needs fixed_threshold"),
        ("otsu", {"threshold": 80}, "needs 'fixed'"),
        ("pooled_otsu", {"threshold": 80}, "needs 'fixed'"),
    ],
)
def test_a_method_that_cannot_be_meant_is_refused(method, more, message):
    with pytest.raises(ProtocolError, match=message):
        fat_fraction([1, 2], [1, 1], method, **more)


@pytest.mark.parametrize(
    ("method", "needs"), [("clahe_otsu", "the image around"), ("dixon", "a pair of fat and water")]
)
def test_a_method_that_needs_more_than_pixels_says_what(method, needs):
    with pytest.raises(ProtocolError, match=f"'{method}' needs {needs}"):
        fat_fraction([1, 2], [1, 1], method)


WITH_REFERENCES = ("pooled_otsu", "midpoint", "linear")


def two_tissues(fat_pct, seed=0, snr=20):
    rng = np.random.default_rng(seed)
    values = muscle(fat_pct, rng, snr=snr)
    lean, fat = (reference(signal, 150, rng, snr=snr) for signal in (LEAN_SIGNAL, FAT_SIGNAL))
    return values, lean, fat


@pytest.mark.parametrize("method", FROM_PIXELS)
@pytest.mark.parametrize("fat_pct", [10, 40])
def test_every_method_finds_fat_that_is_not_mixed(method, fat_pct):
    values, lean, fat = two_tissues(fat_pct)
    result = fat_fraction(values, np.ones_like(values), method, lean=lean, fat=fat)
    if Flag.CLASSES_UNCLEAR not in result.flags:
        assert result.value_pct == pytest.approx(fat_pct, abs=1)
    else:
        # A third class can only split one of the two that there are.
        assert method in {"kmeans3", "gmm3"}


@pytest.mark.parametrize("method", FROM_PIXELS)
@pytest.mark.parametrize("seed", range(3))
def test_no_method_finds_fat_in_a_lean_muscle(method, seed):
    values, lean, fat = two_tissues(0, seed)
    result = fat_fraction(values, np.ones_like(values), method, lean=lean, fat=fat)
    assert result.value_pct < 1 or result.flags == (Flag.UNDETECTABLE,)


@pytest.mark.parametrize("method", FROM_PIXELS)
def test_the_same_pixels_in_any_order_have_the_same_fat(method):
    values, lean, fat = two_tissues(30)
    weights = np.random.default_rng(4).uniform(0.5, 1, len(values))
    once = fat_fraction(values, weights, method, lean=lean, fat=fat)
    again = fat_fraction(values, weights, method, lean=lean, fat=fat)
    assert (once.value_pct, once.threshold) == pytest.approx(
        (again.value_pct, again.threshold), rel=0, abs=0, nan_ok=True
    )
    order = np.random.default_rng(5).permutation(len(values))
    mixed = fat_fraction(values[order], weights[order], method, lean=lean, fat=fat)
    assert mixed.value_pct == pytest.approx(once.value_pct, abs=1e-6)


@pytest.mark.parametrize("method", FROM_PIXELS)
@given(st.integers(0, 2**31))
@settings(max_examples=10)
def test_scale_and_offset_of_the_signal_change_no_fat(method, seed):
    rng = np.random.default_rng(seed)
    values, lean, fat = two_tissues(25, seed=3)
    scale, shift = rng.uniform(0.1, 10), rng.uniform(-50, 500)
    plain = fat_fraction(values, np.ones_like(values), method, lean=lean, fat=fat)
    moved = fat_fraction(
        values * scale + shift,
        np.ones_like(values),
        method,
        lean=lean * scale + shift,
        fat=fat * scale + shift,
    )
    assert moved.flags == plain.flags
    assert moved.value_pct == pytest.approx(plain.value_pct, abs=0.2)


@pytest.mark.parametrize("method", WITH_REFERENCES)
@given(st.integers(0, 2**31), st.sampled_from([30, 100, 600]), st.sampled_from([30, 100, 600]))
@settings(max_examples=15)
def test_references_of_any_size_give_one_answer(method, seed, n_lean, n_fat):
    rng = np.random.default_rng(seed)
    values = muscle(30, np.random.default_rng(6))
    answers = [
        fat_fraction(
            values,
            np.ones_like(values),
            method,
            lean=reference(LEAN_SIGNAL, lean, rng),
            fat=reference(FAT_SIGNAL, fat, rng),
        ).value_pct
        for lean, fat in ((150, 150), (n_lean, n_fat))
    ]
    # The median of 30 pixels is known to a fifth of the noise; linear mixing passes that on.
    allowed = 2.5 if method == "linear" else 0.5
    assert abs(answers[0] - answers[1]) < allowed


def test_two_classes_too_near_for_the_references_are_no_fat():
    values = np.array([100, 101, 102, 130, 131, 132] * 20)
    ones = np.ones(len(values))
    alone = fat_fraction(values, ones, "otsu")
    assert alone.value_pct == pytest.approx(50)
    judged = fat_fraction(values, ones, "otsu", lean=[100, 101, 102], fat=[399, 400, 401])
    assert math.isnan(judged.value_pct)
    assert judged.flags == (Flag.UNDETECTABLE,)


def test_a_mixture_without_a_boundary_has_no_fat():
    result = fat_fraction([23, 37, 25, 20, 9, 28, 28, 20], np.ones(8), "gmm2")
    assert math.isnan(result.value_pct)
    assert Flag.UNDETECTABLE in result.flags


def test_a_muscle_without_pixels_is_refused():
    with pytest.raises(ProtocolError, match="No pixel has a positive weight"):
        fat_fraction([1, 2], [0, 0], "otsu")


def test_dixon_gives_the_mean_of_ratios_and_the_ratio_of_sums():
    result = dixon_fat_fraction([10, 90], [90, 210], [1, 1])
    assert result.mean_pct == pytest.approx((10 + 30) / 2)
    assert result.ratio_pct == pytest.approx(100 * 100 / 400)
    assert (result.n_pixels, result.weight) == (2, 2)
    assert (result.fat_sum, result.total_sum) == (100, 400)


@given(st.lists(st.tuples(numbers(0.1, 100), numbers(0.1, 100), numbers(0.01, 1)), min_size=1))
def test_dixon_weighs_pixels_by_their_coverage(pixels):
    fat, water, weights = np.array(pixels).T
    result = dixon_fat_fraction(fat, water, weights)
    mean = np.average(100 * fat / (fat + water), weights=weights)
    ratio = 100 * np.average(fat, weights=weights) / np.average(fat + water, weights=weights)
    assert result.mean_pct == pytest.approx(mean)
    assert result.ratio_pct == pytest.approx(ratio)
    outside = dixon_fat_fraction([*fat, 50], [*water, 0], [*weights, 0])
    assert (outside.mean_pct, outside.n_pixels) == pytest.approx((result.mean_pct, len(pixels)))


@given(numbers(0, 1), numbers(1, 1000), st.integers(1, 9))
def test_a_muscle_of_one_fat_fraction_has_it_by_both_formulas(fraction, signal, n):
    fat, water = np.full(n, fraction * signal), np.full(n, (1 - fraction) * signal)
    result = dixon_fat_fraction(fat, water, np.ones(n))
    assert result.mean_pct == pytest.approx(100 * fraction, abs=1e-9)
    assert result.ratio_pct == pytest.approx(100 * fraction, abs=1e-9)


def test_pixels_without_signal_are_left_out_and_negative_ones_are_not():
    result = dixon_fat_fraction([30, 0, -4, -10], [70, 0, 104, 5], [1, 1, 1, 1])
    assert result.n_pixels == 2
    assert result.mean_pct == pytest.approx((30 - 4) / 2)


@pytest.mark.parametrize("weights", [[0, 0], [1, 1]])
def test_no_signal_has_no_fat_fraction(weights):
    result = dixon_fat_fraction([0, -5], [0, 2], weights)
    assert math.isnan(result.mean_pct)
    assert math.isnan(result.ratio_pct)
    assert (result.n_pixels, result.weight) == (0, 0)


def test_every_method_has_an_estimator_of_its_name():
    assert set(METHODS) == set(FatMethod)
    assert all(method.name is name for name, method in METHODS.items())
