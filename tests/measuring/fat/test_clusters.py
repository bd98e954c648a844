import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.measuring.fat import clusters
from multifidus.measuring.fat.clusters import NONE, kmeans, mixture, otsu_threshold
from multifidus.measuring.weighted_pixels import WeightedPixels

GREYS = st.lists(st.integers(0, 300), min_size=3, max_size=40)


def squares(parts):
    return sum(((part - part.mean()) ** 2).sum() for part in parts if len(part))


def least_squares(values, count):
    """Try every way to cut the sorted values into runs."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    cuts = combinations(range(1, len(ordered)), count - 1)
    return min(squares(np.split(ordered, cut)) for cut in cuts)


@pytest.mark.parametrize("count", [2, 3])
@given(values=GREYS)
def test_no_other_cut_has_less_squares(count, values):
    found = kmeans(WeightedPixels.of(values), count)
    if len(set(values)) < count:
        assert found == NONE
        return
    image = np.array(values, dtype=np.float64)
    classes = np.searchsorted(found.boundaries, image)
    parts = [image[classes == k] for k in range(count)]
    assert squares(parts) == pytest.approx(least_squares(values, count), abs=1e-6)
    assert found.means == pytest.approx([part.mean() for part in parts])
    assert found.shares == pytest.approx([len(part) / len(image) for part in parts])


@given(st.integers(0, 2**31))
def test_two_means_call_as_much_fat_as_every_cut_of_real_looking_pixels_tried(seed):
    rng = np.random.default_rng(seed)
    image = np.rint(np.append(rng.normal(180, 14, 700), rng.normal(700, 60, 260))).clip(0)
    ordered = np.sort(image)
    n = np.arange(1, len(ordered))
    sums, total = ordered.cumsum()[:-1], ordered.sum()
    # Least squares within two runs is the most between them.
    cut = np.argmax(sums**2 / n + (total - sums) ** 2 / (len(ordered) - n))
    expected = 100 * (image > ordered[cut]).mean()
    found = kmeans(WeightedPixels.of(image), 2)
    assert 100 * WeightedPixels.of(image).share_above(found.threshold) == pytest.approx(
        expected, abs=0.05
    )


@given(GREYS.filter(lambda values: len(set(values)) > 1))
def test_two_means_are_otsus_cut(values):
    image = np.array(values, dtype=np.float64)
    ours, otsu = (
        kmeans(WeightedPixels.of(values), 2).threshold,
        otsu_threshold(WeightedPixels.of(values)),
    )
    # Equally good cuts may be told apart by rounding alone.
    parts = [[image[image <= cut], image[image > cut]] for cut in (ours, otsu)]
    assert squares(parts[0]) == pytest.approx(squares(parts[1]), abs=1e-6)


@given(GREYS.filter(lambda values: len(set(values)) > 3), st.data())
def test_a_weight_of_three_is_three_pixels(values, data):
    size = {"min_size": len(values), "max_size": len(values)}
    weights = data.draw(st.lists(st.integers(1, 3), **size))
    for method in (kmeans, mixture):
        weighted = method(WeightedPixels.of(values, weights), 2)
        repeated = method(WeightedPixels.of(np.repeat(values, weights)), 2)
        assert weighted.boundaries == pytest.approx(repeated.boundaries, abs=1e-3, nan_ok=True)


@pytest.mark.parametrize("method", [kmeans, mixture])
@pytest.mark.parametrize("values", [[], [4, 4, 4], [4, 4, 7]])
def test_fewer_grey_levels_than_classes_have_no_classes(method, values):
    assert method(WeightedPixels.of(values), 3) == NONE
    assert math.isnan(NONE.threshold)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_mixture_of_two_normals_is_recovered(share):
    rng = np.random.default_rng(5)
    n, means, sd = 200_000, (200.0, 300.0), 25.0
    first = round(n * share)
    image = np.append(rng.normal(means[0], sd, first), rng.normal(means[1], sd, n - first))
    found = mixture(WeightedPixels.of(image), 2)
    assert found.means == pytest.approx(means, abs=1)
    assert found.shares == pytest.approx((share, 1 - share), abs=0.01)
    crossing = 250 + sd**2 * math.log(share / (1 - share)) / 100
    assert found.threshold == pytest.approx(crossing, abs=1)


def test_a_mixture_of_three_normals_is_recovered():
    rng = np.random.default_rng(6)
    image = np.concatenate(
        [rng.normal(m, 20, n) for m, n in ((200, 60_000), (350, 30_000), (500, 30_000))]
    )
    found = mixture(WeightedPixels.of(image), 3)
    assert found.means == pytest.approx((200, 350, 500), abs=1)
    assert found.shares == pytest.approx((0.5, 0.25, 0.25), abs=0.01)
    assert found.boundaries == pytest.approx((275 + 400 * math.log(2) / 150, 425), abs=1)


def test_the_boundary_stays_monotone_where_the_wide_class_takes_over_again():
    # Dark and wide, bright and narrow: beyond the bright class the dark one is likelier again.
    rng = np.random.default_rng(7)
    image = np.append(rng.normal(300, 120, 20_000), rng.normal(400, 8, 20_000))
    found = mixture(WeightedPixels.of(image), 2)
    assert found.means[0] < found.threshold < found.means[1]
    brightest = image[image > found.means[1] + 100]
    assert len(brightest) > 100
    assert (brightest > found.threshold).all()


def test_the_same_pixels_have_the_same_classes_every_time():
    image = np.random.default_rng(8).gamma(4, 60, 3000)
    for method, count in ((kmeans, 2), (kmeans, 3), (mixture, 2), (mixture, 3)):
        answers = {method(WeightedPixels.of(image), count) for _ in range(5)}
        assert len(answers) == 1


def test_classes_that_are_nowhere_equally_likely_have_no_boundary():
    # Wide and narrow around nearly one mean.
    found = mixture(WeightedPixels.of([23, 37, 25, 20, 9, 28, 28, 20]), 2)
    assert found.means[1] - found.means[0] < 1
    assert math.isnan(found.threshold)


def test_a_fit_that_takes_too_long_ends_where_it_is(monkeypatch):
    image = np.random.default_rng(9).normal(200, 20, 3000)
    monkeypatch.setattr(clusters, "ROUNDS", 2)
    cut_short = mixture(WeightedPixels.of(image), 3)
    assert sum(cut_short.shares) == pytest.approx(1)
    assert list(cut_short.means) == sorted(cut_short.means)
