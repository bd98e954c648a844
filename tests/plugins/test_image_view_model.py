"""Grey levels and lines for the eye: no window, no napari."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from napari_multifidus.models.display_images import DisplayImage, WindowPreset
from napari_multifidus.models.image_view import (
    ACROSS_PX,
    DOUBLED_BY_PX,
    GreyLevels,
    OutlineStyle,
    checked,
    dragged,
)

from multifidus.data.image import Weighting
from tests.plugins.conftest import make_series

T2 = DisplayImage(make_series("1.1"))
OTHER_T2 = DisplayImage(make_series("1.2"))
T1 = DisplayImage(replace(make_series("1.3"), weighting=Weighting.T1))

pixels = st.floats(-2000, 2000)


def test_to_the_right_there_is_less_contrast_and_upwards_it_is_brighter():
    assert dragged((100, 300), DOUBLED_BY_PX, 0) == (0, 400)
    assert dragged((100, 300), -DOUBLED_BY_PX, 0) == (150, 250)
    assert dragged((100, 300), 0, -ACROSS_PX) == (-100, 100)


@given(st.floats(-1e4, 1e4), st.floats(1e-2, 1e4), pixels, pixels)
def test_black_stays_below_white_however_far_one_drags(low, width, right, down):
    new_low, new_high = dragged((low, low + width), right, down)
    assert new_low < new_high


def test_a_preset_holds_for_its_contrast_in_every_exam_and_own_limits_for_their_image():
    levels = GreyLevels()
    assert levels.preset_of(T2) is WindowPreset.AUTOMATIC
    levels = levels.with_preset(T2, WindowPreset.MUSCLE).with_own(T2, (10.0, 90.0))
    assert levels.preset_of(T2) is None
    assert levels.own[T2.key] == (10.0, 90.0)
    assert levels.preset_of(OTHER_T2) is WindowPreset.MUSCLE
    assert levels.preset_of(T1) is WindowPreset.AUTOMATIC
    following = levels.of_next_exam()
    assert following.preset_of(T2) is WindowPreset.MUSCLE
    assert following.own == {}
    assert levels.with_preset(T2, WindowPreset.FULL).preset_of(T2) is WindowPreset.FULL


def test_limits_that_are_typed_are_put_in_order():
    assert checked(10, 20) == (10, 20)
    low, high = checked(10, 5)
    assert low == 10
    assert high > low
    with pytest.raises(ValueError, match="two numbers"):
        checked(float("nan"), 3)


@given(st.floats(0.5, 6), st.floats(0.1, 50), st.floats(0.2, 2), st.floats(0.2, 2))
def test_a_line_has_one_thickness_on_the_screen_at_every_zoom(thickness, zoom, rows, columns):
    style = OutlineStyle(thickness)
    width = style.width(zoom, (rows, columns))
    assert width * zoom * (rows * columns) ** 0.5 == pytest.approx(thickness)


@pytest.mark.parametrize("wrong", [(0.1, 1.0), (9.0, 1.0), (1.0, 0.0), (1.0, 1.1)])
def test_lines_that_cannot_be_seen_are_refused(wrong):
    with pytest.raises(ValueError, match="opaque"):
        OutlineStyle(*wrong)
