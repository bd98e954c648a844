import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from multifidus.data.polygon import signed_area
from multifidus.measuring.coverage import count_centres
from multifidus.measuring.fat.clusters import otsu_threshold
from multifidus.measuring.uncertainty.components import (
    Tracing,
    area_variance,
    counting_variance,
    lean_level,
    mixed_pixels_pct,
    moved,
    placement_pct,
    shifted_pct,
)
from multifidus.measuring.uncertainty.resampling import median_sd, otsu_threshold_sd
from multifidus.measuring.weighted_pixels import WeightedPixels

SMALL = Tracing(0.05, 4.0, 0.03)
RADIUS = 12.0
LENGTH = 2 * math.pi * RADIUS
POINTS = 256
LENGTHS = st.floats(1, 500)


def displaced(tracing, draws, seed=0):
    """Draw displacements of a circle's points from the model's own covariance, (draws, points)."""
    angle = np.arange(POINTS) * 2 * np.pi / POINTS
    apart = RADIUS * np.abs(angle[:, None] - angle)
    kernel = sum(
        np.exp(-((apart + turn * LENGTH) ** 2) / (2 * tracing.correlation_mm**2))
        for turn in range(-12, 13)
    )
    covariance = tracing.sd_mm**2 * kernel / kernel[0, 0] + tracing.offset_mm**2
    rng = np.random.default_rng(seed)
    found = rng.multivariate_normal(np.zeros(POINTS), covariance, draws, method="eigh")
    return angle, found


@pytest.mark.parametrize(
    "tracing", [SMALL, Tracing(0.05, 1.0, 0.0), Tracing(0.05, 60.0, 0.0), Tracing(0, 4, 0.04)]
)
def test_the_area_of_a_circle_varies_as_the_model_draws_it(tracing):
    angle, errors = displaced(tracing, 4000)
    radii = RADIUS + errors
    areas = [signed_area(np.column_stack((r * np.cos(angle), r * np.sin(angle)))) for r in radii]
    assert np.std(areas) == pytest.approx(math.sqrt(area_variance([LENGTH], tracing)), rel=0.05)


@given(LENGTHS, st.floats(0.1, 5), st.floats(0.01, 2))
def test_a_long_loop_has_the_closed_form(length, correlation, sd):
    long = 20 * correlation + length
    expected = sd**2 * long * correlation * math.sqrt(2 * math.pi)
    found = area_variance([long], Tracing(sd, correlation, 0))
    assert found == pytest.approx(expected, rel=1e-6)


@given(LENGTHS, st.floats(0.01, 2))
def test_a_loop_much_shorter_than_the_correlation_moves_as_a_whole(length, sd):
    found = area_variance([length], Tracing(sd, 20 * length, 0))
    assert found == pytest.approx((sd * length) ** 2, rel=1e-6)


@given(st.lists(LENGTHS, min_size=1, max_size=3), st.floats(0.1, 10))
def test_areas_vary_with_the_square_of_the_scale(lengths, scale):
    one = area_variance(lengths, Tracing(0.5, 5.0, 0.2))
    other = area_variance(
        [scale * length for length in lengths], Tracing(0.5 * scale, 5.0 * scale, 0.2 * scale)
    )
    assert other == pytest.approx(scale**4 * one, rel=1e-9)


def test_loops_move_apart_from_each_other_but_for_what_they_have_in_common():
    local, common = Tracing(0.5, 5, 0), Tracing(0, 5, 0.3)
    assert area_variance([60, 40], local) == area_variance([60], local) + area_variance([40], local)
    assert area_variance([60, 40], common) == pytest.approx((0.3 * 100) ** 2)


def rings(on):
    return np.stack([on, on, on])


@given(LENGTHS)
def test_where_all_of_the_rim_is_fat_the_fat_moves_as_the_area_does(length):
    found = moved([length], [64], rings(np.ones(64)), SMALL)
    assert found.area == pytest.approx(area_variance([length], SMALL), rel=1e-9)
    assert found.fat == pytest.approx(found.area, rel=1e-9)
    assert found.lean_square == pytest.approx(0, abs=1e-9 * found.area)
    assert found.share_square(1.0) == pytest.approx(0, abs=1e-9 * found.area)


@given(LENGTHS)
def test_where_none_of_the_rim_is_fat_only_the_share_changes(length):
    found = moved([length], [64], rings(np.zeros(64)), SMALL)
    assert found.fat_square == 0
    assert found.lean_square == pytest.approx(found.area)
    assert found.share_square(0.4) == pytest.approx(0.16 * found.area)


def test_fat_along_part_of_a_circle_varies_as_the_model_draws_it():
    angle, errors = displaced(SMALL, 6000, seed=1)
    is_fat = (angle < 2.0).astype(float)
    step = LENGTH / POINTS
    area, fat = errors.sum(axis=1) * step, (errors * is_fat).sum(axis=1) * step
    found = moved([LENGTH], [POINTS], rings(is_fat), SMALL)
    assert math.sqrt(found.fat) == pytest.approx(fat.std(), rel=0.05)
    assert math.sqrt(found.lean_square) == pytest.approx((area - fat).std(), rel=0.05)
    assert math.sqrt(found.share_square(0.3)) == pytest.approx((fat - 0.3 * area).std(), rel=0.05)


def test_fat_outside_and_muscle_inside_make_every_tracing_error_add_fat():
    _, errors = displaced(SMALL, 6000, seed=2)
    gained = np.maximum(errors, 0).sum(axis=1) * LENGTH / POINTS
    inside_on_outside = np.stack([np.zeros(64), np.full(64, 0.5), np.ones(64)])
    found = moved([LENGTH], [64], inside_on_outside, SMALL)
    assert found.leaning == pytest.approx(gained.mean(), rel=0.05)


def test_several_loops_are_added():
    one = moved([LENGTH], [64], rings(np.ones(64)), Tracing(0.1, 3, 0))
    two = moved([LENGTH, LENGTH], [64, 128], rings(np.ones(192)), Tracing(0.1, 3, 0))
    assert two.fat == pytest.approx(2 * one.fat)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.6, 1.1)])
def test_counting_pixels_of_discs_that_lie_anyhow_varies_as_stated(spacing):
    rng = np.random.default_rng(3)
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    disc = np.column_stack((np.cos(angle), np.sin(angle))) * RADIUS / np.array(spacing)
    counts = [count_centres([disc + 40 + rng.random(2)], (90, 90)) for _ in range(400)]
    stated = math.sqrt(counting_variance(LENGTH, spacing))
    assert np.std(counts) * spacing[0] * spacing[1] == pytest.approx(stated, rel=0.35)


def test_pixels_of_one_tissue_each_leave_no_doubt():
    sample = WeightedPixels.of([100.0] * 30 + [400.0] * 10)
    assert mixed_pixels_pct(sample, 250, 100, 400, known=True) == 0


def test_a_pixel_half_of_fat_counts_half_wrong():
    sample = WeightedPixels.of([100.0] * 9 + [251.0])
    # All of the error is one pixel's: 0.5 of 10 pixels, alone and together.
    part = 1 - 151 / 300
    expected = 10 * part * math.sqrt(1 + 1 / 3)
    assert mixed_pixels_pct(sample, 250, 100, 400, known=True) == pytest.approx(expected)
    assert mixed_pixels_pct(sample, 250, 100, 400, known=False) == pytest.approx(10 * part)


def test_a_threshold_that_may_move_changes_fat_by_what_lies_around_it():
    sample = WeightedPixels.of(np.arange(100.0))
    assert shifted_pct(sample, 49.5, 5) == pytest.approx(5)
    assert shifted_pct(sample, 49.5, 0) == 0


def normal(mean, sd, count, seed):
    return WeightedPixels.of(np.random.default_rng(seed).normal(mean, sd, count))


def test_the_median_spreads_as_theory_says():
    found = median_sd(normal(100, 8, 4000, 4), 400)
    assert found == pytest.approx(math.sqrt(math.pi / 2) * 8 / math.sqrt(4000), rel=0.2)


def test_the_threshold_spreads_as_a_plain_bootstrap_of_the_references_says():
    muscle = [normal(100, 12, 900, 5), normal(260, 60, 300, 6)]
    lean, fat = normal(100, 12, 60, 7), normal(300, 60, 40, 8)
    total = sum(part.total for part in muscle)
    rng = np.random.default_rng(9)
    cuts = []
    for _ in range(300):
        parts = [
            WeightedPixels.of(rng.choice(part.values, len(part.values))).scaled_to(0.5 * total)
            for part in (lean, fat)
        ]
        values = np.concatenate([part.values for part in (*muscle, *parts)])
        cuts.append(otsu_threshold(WeightedPixels.of(values, np.concatenate(
            [part.weights for part in (*muscle, *parts)]
        ))))  # fmt: skip
    found = otsu_threshold_sd(muscle, (lean, fat), 0.5, 300)
    assert found == pytest.approx(np.std(cuts), rel=0.2)


def test_resampling_depends_neither_on_the_run_nor_on_the_order_of_pixels():
    muscle, lean, fat = normal(100, 12, 500, 1), normal(100, 12, 90, 2), normal(400, 30, 70, 3)
    turned = [WeightedPixels(part.values[::-1], part.weights[::-1]) for part in (lean, fat)]
    found = {otsu_threshold_sd([muscle], (lean, fat), 0.5, 32) for _ in range(5)}
    found.add(otsu_threshold_sd([muscle], tuple(turned), 0.5, 32))
    assert len(found) == 1
    assert median_sd(lean, 32) == median_sd(turned[0], 32)


def test_references_without_noise_have_a_certain_threshold():
    lean, fat = WeightedPixels.of([100.0] * 50), WeightedPixels.of([400.0] * 50)
    assert otsu_threshold_sd([WeightedPixels.of([100.0, 400.0])], (lean, fat), 0.5, 32) == 0
    assert median_sd(lean, 32) == 0


def test_lean_signal_is_found_among_pixels_that_are_part_fat():
    rng = np.random.default_rng(10)
    mixed = rng.uniform(100, 240, 600)
    level, _ = lean_level(np.append(rng.normal(100, 6, 1400), mixed))
    assert level == pytest.approx(100, abs=1.5)
    assert lean_level(np.full(40, 70.0)) == (70, 0)


@pytest.mark.parametrize("count", [60, 250, 1000])
def test_the_level_of_lean_signal_errs_as_stated(count):
    rng = np.random.default_rng(11)
    levels, errors = np.array([lean_level(rng.normal(100, 8, count)) for _ in range(1200)]).T
    # So many rounds do not quite come to rest, which makes it err a little less.
    assert 0.75 * errors.mean() < levels.std() < 1.03 * errors.mean()


def test_lean_signal_of_values_that_leave_nothing_near_is_their_middle():
    assert lean_level(np.array([1.0, 2.0]))[0] == pytest.approx(1.5)


placed = partial(placement_pct, spacing_mm=(0.75, 0.75))


def placement_of(image, weights, sd_mm):
    """Return the uncertainty of one image's fat."""
    pixels = np.nonzero(weights)
    (found,) = placed(image[pixels][None], weights[pixels], pixels, sd_mm=sd_mm)
    return found


def pattern(cells, seed=0):
    """Return independent cells of 1.5 mm, fat in three of ten."""
    rng = np.random.default_rng(seed)
    return np.kron((rng.random((cells, cells)) < 0.3).astype(float), np.ones((2, 2)))


def test_a_slice_elsewhere_cuts_an_independent_pattern_anew():
    image = pattern(60)
    share = image.mean()
    expected = 100 * math.sqrt(2 * share * (1 - share) / 60**2)
    found = placement_of(image, np.ones(image.shape), 50)
    assert found == pytest.approx(expected, rel=0.15)


@given(st.floats(0, 0.4), st.floats(1.1, 3))
def test_the_nearer_the_slice_lies_the_less_its_fat_changes(sd, times):
    image, weights = pattern(20), np.ones((40, 40))
    near, far = (placement_of(image, weights, s) for s in (sd, sd * times))
    assert near <= far
    assert placement_of(image, weights, 0) == 0


@pytest.mark.parametrize(
    ("image", "weights"),
    [
        (np.zeros((20, 20)), np.ones((20, 20))),
        (np.ones((20, 20)), np.ones((20, 20))),
        (np.ones((20, 20)), np.zeros((20, 20))),
        (np.ones((1, 1)), np.ones((1, 1))),
        (np.ones((8, 8)), np.full((8, 8), 0.1)),
    ],
    ids=["lean", "fat", "nothing", "one pixel", "slivers"],
)
def test_what_has_no_pattern_has_the_same_fat_everywhere(image, weights):
    assert placement_of(image, weights, 1.0) == 0


def test_several_ways_to_call_pixels_fat_are_worked_out_apart():
    rng = np.random.default_rng(4)
    images, weights = rng.random((3, 30, 40)) ** 2, rng.random((30, 40)) + 0.5
    pixels = np.nonzero(weights)
    together = placed(images[:, *pixels], weights[pixels], pixels, sd_mm=1.0)
    alone = [placement_of(image, weights, 1.0) for image in images]
    assert together == pytest.approx(alone, rel=1e-12)


def test_a_muscle_of_few_cells_changes_as_a_whole():
    image = np.kron([[1.0, 0.0], [0.0, 1.0]], np.ones((2, 2)))
    found = placement_of(image, np.ones((4, 4)), 50)
    assert found == pytest.approx(100 * math.sqrt(2 * 0.25))


def test_cells_that_are_nobodys_neighbours_are_taken_to_change_wholly():
    weights = np.kron(np.eye(2), np.ones((2, 2)))
    image = np.zeros((4, 4))
    image[:2, :2] = 1
    assert placement_of(image, weights, 0.1) > 0


@given(st.integers(2, 8), st.integers(0, 10_000))
@settings(max_examples=40)
def test_one_way_to_call_pixels_fat_has_one_answer_whatever_others_are_asked_for(many, seed):
    rng = np.random.default_rng(seed)
    where = np.nonzero(rng.random((40, 37)) > 0.3)
    values, weights = rng.normal(size=len(where[0])), rng.random(len(where[0]))
    cuts = rng.normal(size=many) / 2
    fatness = (values > cuts[:, None]).astype(float)
    together = placed(fatness, weights, where, sd_mm=1.0)
    alone = [placed(fatness[k : k + 1], weights, where, sd_mm=1.0)[0] for k in range(many)]
    assert together.tolist() == alone
    mixed = mixed_pixels_pct(WeightedPixels(values, weights), cuts, -1.0, 1.0, known=True)
    assert mixed.tolist() == [
        mixed_pixels_pct(WeightedPixels(values, weights), cuts[k : k + 1], -1.0, 1.0, known=True)[0]
        for k in range(many)
    ]
    rings = rng.random((many, 3, 128))
    of_all = moved([90.0, 30.0], [64, 64], rings, SMALL)
    for k in range(many):
        of_one = moved([90.0, 30.0], [64, 64], rings[k : k + 1], SMALL)
        assert of_all.share_square(0.3)[k] == of_one.share_square(0.3)[0]
        assert of_all.fat_square[k] == of_one.fat_square[0]
        assert of_all.lean_square[k] == of_one.lean_square[0]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=80))
def test_the_lean_level_of_values_in_order_is_theirs_to_the_last_bit(signal):
    values = np.sort(np.array(signal, dtype=np.float64) / 7)
    assert lean_level(values, in_order=True) == lean_level(values)
