"""Colours of the window: every text can be read, in every theme and with every colour vision."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st
from napari_multifidus.controllers.canvas_texts import WARNING_STYLE
from napari_multifidus.controllers.grading import BADGE_STYLE
from napari_multifidus.controllers.shortcuts import TOOL_BUTTONS
from napari_multifidus.models.shapes import LAYER_COLOURS, PROBLEM_COLOUR
from napari_multifidus.views.icons import PICTURES, icon
from napari_multifidus.views.style import (
    IMAGE_GROUND,
    IMAGE_TEXT,
    LEAST_CONTRAST,
    Palette,
    Tone,
    contrast,
    palette_of,
    readable,
    rgb,
    sheet,
)
from skimage.color import rgb2lab

from benchmarks.screens import DEUTERANOPIA, as_seen

ON_THE_IMAGE = (WARNING_STYLE, BADGE_STYLE)

INKS = (*Tone, *LAYER_COLOURS, PROBLEM_COLOUR)

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB: doi 10.1109/TVCG.2009.113
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)

colours = st.tuples(*[st.integers(0, 255)] * 3).map(
    lambda parts: "#" + "".join(f"{part:02x}" for part in parts)
)


class Themed:
    """What of a viewer a palette is worked out from."""

    def __init__(self, theme: str) -> None:
        self.theme = theme


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("ink", INKS)
def test_every_text_can_be_read_in_napari_s_themes(theme, ink):
    palette = palette_of(Themed(theme))
    for ground in palette.grounds:
        assert contrast(palette.ink(ink), ground) >= LEAST_CONTRAST, (theme, ink, ground)


def test_the_next_step_and_words_on_dark_grounds_can_be_read():
    assert contrast(IMAGE_TEXT, IMAGE_GROUND) >= LEAST_CONTRAST
    for theme in ("dark", "light"):
        palette = palette_of(Themed(theme))
        assert contrast(palette.on_current, palette.current) >= LEAST_CONTRAST


def test_contrast_is_that_of_the_published_examples():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    # Grey of WCAG's technique G18, the darkest that passes on white.
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#777777", "#777777") == 1


@given(colours, colours)
def test_a_readable_colour_can_be_read_and_stays_where_it_can(colour, ground):
    found = readable(colour, (ground,))
    assert contrast(found, ground) >= LEAST_CONTRAST
    if contrast(colour, ground) >= LEAST_CONTRAST:
        assert found == colour


def test_the_stylesheet_knows_every_tone_and_grows_with_the_letters():
    palette = Palette("#000000", "#222222", "#ffffff", "#444444", "#0000ff")
    small, large = sheet(palette), sheet(Palette(*palette_fields(palette), scale=2.0))
    for ink in INKS:
        assert f'tone="{ink}"' in small
    assert "font-size: 12px" in small
    assert "font-size: 24px" in large
    assert "font-size: 12px" not in large


def palette_fields(palette):
    return (palette.ground, palette.raised, palette.text, palette.line, palette.current)


@pytest.mark.parametrize("seen_by", [DEUTERANOPIA, PROTANOPIA])
def test_outlines_are_told_apart_without_red_or_green(seen_by):
    left, right, lean, fat = LAYER_COLOURS[:4]
    drawn = [[round(255 * part) for part in rgb(colour)] for colour in (left, right, lean, fat)]
    found = rgb2lab(as_seen(np.array([drawn], np.uint8), seen_by))[0]
    for first, second in itertools.combinations(found, 2):
        # In CIELAB a difference of 10 is plain to see.
        assert np.linalg.norm(first - second) > 10


def test_grey_looks_the_same_without_green_cones():
    greys = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    assert np.abs(as_seen(greys, DEUTERANOPIA).astype(int) - greys).max() <= 1


def test_red_and_green_look_alike_without_green_cones():
    red_green = np.array([[[200, 60, 60], [120, 120, 60]]], np.uint8)
    before, after = (rgb2lab(found)[0] for found in (red_green, as_seen(red_green, DEUTERANOPIA)))
    assert np.linalg.norm(after[0] - after[1]) < 0.5 * np.linalg.norm(before[0] - before[1])


def test_every_tool_has_a_picture(qapp):
    for _, name in TOOL_BUTTONS:
        assert not icon(name, "#ffffff").isNull()
        assert name in PICTURES


@pytest.mark.parametrize("style", ON_THE_IMAGE)
def test_warnings_on_the_image_stand_on_a_ground_of_their_own(style):
    """napari's own is white in its light theme."""
    assert contrast(style["color"], style["box_color"]) >= LEAST_CONTRAST
