import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from multifidus.measuring.coverage import coverage_box
from multifidus.measuring.fat.signal.edges import BLUR_PIXELS, unmixed
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
