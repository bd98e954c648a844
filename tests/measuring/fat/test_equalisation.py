import numpy as np
import pytest

from multifidus.measuring.fat.outline_thresholds import equalised


def picture(shading=0.0):
    """Return stripes of two tissues under a coil that fades along the rows."""
    rows, columns = np.mgrid[:96, :128]
    stripes = np.where((rows // 6 + columns // 6) % 2, 400.0, 100.0)
    noise = np.random.default_rng(0).normal(0, 8, stripes.shape)
    return stripes * (1 + shading * (rows / 48 - 1)) + noise


def test_the_whole_range_is_used():
    found = equalised(picture())
    assert found.shape == (96, 128)
    assert (found.min(), found.max()) == (0, 1)


def test_contrast_is_raised_where_there_is_little():
    image = np.tile(picture(), (3, 3))
    image[:, 192:] = 100 + (image[:, 192:] - 100) / 10
    after = equalised(image)[:, 224:]
    before = (image[:, 224:] - image.min()) / (image.max() - image.min())
    assert after.std() > 1.25 * before.std()


def test_scale_and_offset_of_the_signal_do_not_matter():
    np.testing.assert_allclose(equalised(3 * picture() - 40), equalised(picture()), atol=1e-6)


def test_pixels_without_a_value_have_none_afterwards_and_change_no_other():
    image = picture()
    image[0, 0] = image.min()
    hole = image.copy()
    hole[0, 0] = np.nan
    found = equalised(hole)
    assert np.isnan(found[0, 0])
    assert np.isnan(found).sum() == 1
    np.testing.assert_allclose(found.ravel()[1:], equalised(image).ravel()[1:], atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_an_image_of_one_grey_level_stays_flat(value):
    found = equalised(np.full((16, 16), value))
    assert np.array_equal(found, np.full((16, 16), value * 0), equal_nan=True)
