import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from multifidus.measuring.coverage import coverage_box
from multifidus.measuring.fat.signal.edges import BLUR_PIXELS, displaced, unmixed
from tests.support.exams import circle

SHAPE = (60, 60)


def disc(radius):
    return coverage_box([circle(30, 30, radius)[:, :2]], SHAPE).full(SHAPE)


@pytest.mark.parametrize("radius", [8.0, 14.0, 20.0])
@pytest.mark.parametrize(("own", "beside"), [(0.0, 1.0), (0.2, 0.9), (0.6, 0.1), (0.3, 0.3)])
def test_a_blurred_disc_has_its_own_fraction_again(radius, own, beside):
    weights = disc(radius)
    image = gaussian_filter(beside + (own - beside) * weights, BLUR_PIXELS)
    found = unmixed(image, weights, np.ones(SHAPE, dtype=bool))
    assert found.inside == pytest.approx(own, abs=0.012)
    assert abs(found.inside - own) <= abs(found.apparent - own) + 1e-9


def test_an_outline_of_which_nothing_around_is_known_is_left_as_it_is():
    weights = disc(12.0)
    used = weights >= 0.5
    found = unmixed(np.where(used, 0.4, 9.0), weights, used)
    assert found.inside == found.apparent == pytest.approx(0.4)


def test_the_border_is_blurred_by_a_normal_distribution():
    """The transfer of the derivation, worked out by the filter of scipy."""
    weights = disc(9.0)
    quantity = np.random.default_rng(2).random(SHAPE)
    used = np.random.default_rng(3).random(SHAPE) > 0.1
    mostly = weights >= 0.5
    beside = np.zeros(SHAPE, dtype=bool)
    for axis in (0, 1):
        for step in (-1, 1):
            beside |= np.roll(mostly, step, axis)
    inner, rim = mostly & used, beside & ~mostly & used
    blurred = gaussian_filter(weights, BLUR_PIXELS)
    alpha = np.average(blurred[inner], weights=weights[inner])
    beta = blurred[rim].mean()
    inside = np.average(quantity[inner], weights=weights[inner])
    outside = quantity[rim].mean()
    expected = (inside * (1 - beta) - outside * (1 - alpha)) / (alpha - beta)
    found = unmixed(quantity, weights, used)
    assert found.apparent == pytest.approx(inside, rel=1e-12)
    assert found.inside == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("by", [0.0, 0.3, -0.3, 1.0, -2.0, 2.75, -3.5, 80.0])
@pytest.mark.parametrize("axis", [0, 1])
def test_weights_are_displaced_linearly_and_nothing_comes_from_beyond(by, axis):
    weights = np.random.default_rng(1).random((9, 12))
    along = (by, 0.0) if axis == 0 else (0.0, by)
    np.testing.assert_allclose(
        displaced(weights, by, axis), shift(weights, along, order=1), atol=1e-12
    )
