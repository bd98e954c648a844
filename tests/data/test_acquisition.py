import math

import pytest

from multifidus.data.acquisition import Acquisition

# 3.4 ppm of 42.577 MHz/T at 1.5 T.
HZ = 3.4 * 42.577 * 1.5


@pytest.mark.parametrize(
    ("phase_axis", "expected"), [("ROW", (1.0, 0.0)), ("COL", (0.0, 1.0)), ("COLUMN", (0.0, 1.0))]
)
def test_fat_is_displaced_along_frequency_encoding(phase_axis, expected):
    known = Acquisition(field_strength_t=1.5, pixel_bandwidth_hz=HZ, phase_axis=phase_axis)
    assert known.fat_shift_px((320, 256)) == pytest.approx(expected)


def test_an_image_with_more_pixels_than_were_acquired_has_a_larger_shift_in_pixels():
    known = Acquisition(
        field_strength_t=3.0, pixel_bandwidth_hz=2 * HZ, phase_axis="COL", frequency_steps=256
    )
    assert known.fat_shift_px((512, 512)) == pytest.approx((0.0, 2.0))


@pytest.mark.parametrize(
    "known",
    [
        Acquisition(),
        Acquisition(field_strength_t=1.5, pixel_bandwidth_hz=HZ),
        Acquisition(field_strength_t=1.5, phase_axis="ROW"),
        Acquisition(field_strength_t=1.5, pixel_bandwidth_hz=0.0, phase_axis="ROW"),
        Acquisition(field_strength_t=1.5, pixel_bandwidth_hz=HZ, phase_axis="OTHER"),
    ],
)
def test_without_bandwidth_or_direction_it_is_not_known(known):
    assert all(math.isnan(each) for each in known.fat_shift_px((256, 256)))


def test_without_a_field_strength_it_is_not_known():
    rows, _ = Acquisition(pixel_bandwidth_hz=HZ, phase_axis="ROW").fat_shift_px((256, 256))
    assert math.isnan(rows)
