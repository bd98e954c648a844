"""How the image and the outlines on it are shown: grey levels, smoothness, thickness, opacity.

What is chosen here is for the eye alone: nothing is measured on it. Knows neither napari nor Qt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from multifidus.data.frozen_dict import NOTHING
from napari_multifidus.models.display_images import WindowPreset

if TYPE_CHECKING:
    from napari_multifidus.models.display_images import DisplayImage

Limits = tuple[float, float]

OWN = "own"
"""What grey levels are called that were dragged or typed."""

DOUBLED_BY_PX = 200.0
"""So far to the right the mouse doubles how many grey levels are shown."""

ACROSS_PX = 400.0
"""So far up the mouse moves what is shown by all the grey levels that are shown."""

LEAST_SHARE = 1e-3
"""Grey levels shown are not fewer than this share of those at first."""

THICKNESS_PX, OPACITY = 1.6, 1.0
THINNEST_PX, THICKEST_PX = 0.5, 6.0
FAINTEST = 0.1


def dragged(limits: Limits, right_px: float, down_px: float) -> Limits:
    """Return the signals shown black and white after the mouse was dragged so far.

    To the right more grey levels are shown, so that there is less contrast; up, it is brighter.

    Parameters
    ----------
    limits
        Before.
    right_px, down_px
        How far the mouse went.
    """
    low, high = limits
    width = high - low
    wider = width * max(2.0 ** (right_px / DOUBLED_BY_PX), LEAST_SHARE)
    middle = (low + high) / 2 + width * down_px / ACROSS_PX
    return middle - wider / 2, middle + wider / 2


def checked(low: float, high: float) -> Limits:
    """Return limits as they can be shown: numbers, black below white.

    Raises
    ------
    ValueError
        If one is no number.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        msg = f"Grey levels are shown between two numbers, not {low} and {high}."
        raise ValueError(msg)
    return (low, high) if high > low else (low, low + max(abs(low) * LEAST_SHARE, LEAST_SHARE))


@dataclass(frozen=True, slots=True)
class GreyLevels:
    """Which grey levels were chosen, of every contrast and of every image.

    Attributes
    ----------
    presets
        What was chosen last of a contrast; it holds for the next exam as well.
    own
        Signals shown black and white that were dragged or typed, by image: they are those of one
        exam, and hold for no other.
    """

    presets: Mapping[tuple[str, bool], WindowPreset] = NOTHING
    own: Mapping[tuple[str, bool], Limits] = NOTHING

    def preset_of(self, image: DisplayImage) -> WindowPreset | None:
        """Return the preset an image is shown in; None where its limits are its own."""
        if image.key in self.own:
            return None
        return self.presets.get(_contrast(image), WindowPreset.AUTOMATIC)

    def with_preset(self, image: DisplayImage, preset: WindowPreset) -> GreyLevels:
        """Choose a preset for all images of a contrast."""
        own = {key: limits for key, limits in self.own.items() if key != image.key}
        return replace(self, presets={**self.presets, _contrast(image): preset}, own=own)

    def with_own(self, image: DisplayImage, limits: Limits) -> GreyLevels:
        """Choose limits for one image."""
        return replace(self, own={**self.own, image.key: limits})

    def of_next_exam(self) -> GreyLevels:
        """Keep what another exam can be shown in."""
        return replace(self, own=NOTHING)


def _contrast(image: DisplayImage) -> tuple[str, bool]:
    return image.series.weighting.value, image.is_percent


@dataclass(frozen=True, slots=True)
class OutlineStyle:
    """How outlines are drawn on the image.

    Attributes
    ----------
    thickness_px
        Of their lines on the screen, at every zoom.
    opacity
        From 0 to 1.
    """

    thickness_px: float = THICKNESS_PX
    opacity: float = OPACITY

    def __post_init__(self) -> None:
        if not (THINNEST_PX <= self.thickness_px <= THICKEST_PX and FAINTEST <= self.opacity <= 1):
            msg = (
                f"Outlines are {THINNEST_PX:g} to {THICKEST_PX:g} pixels thick, and "
                f"{FAINTEST:g} to 1 opaque; got {self.thickness_px:g} and {self.opacity:g}."
            )
            raise ValueError(msg)

    def width(self, zoom: float, spacing_mm: tuple[float, float]) -> float:
        """Return the width of lines in pixels of the image.

        Parameters
        ----------
        zoom
            Pixels of the screen in a millimetre.
        spacing_mm
            Between rows and columns of the image.
        """
        return self.thickness_px / (zoom * math.sqrt(spacing_mm[0] * spacing_mm[1]))
