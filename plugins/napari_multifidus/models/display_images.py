"""Images of one exam on one grid, and the grey levels that they are shown in.

What is made here is for the eye alone: nothing is measured on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import Exam, Series, Weighting
from multifidus.measuring.dixon_pairs import pairings
from multifidus.measuring.fat.clusters import otsu_threshold
from multifidus.measuring.weighted_pixels import WeightedPixels
from napari_multifidus.models.grid import axial_series, pixel_stack, same_grid, weighting_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Stack = NDArray[np.float32]

PERCENT = (0.0, 100.0)
"""The grey levels of a fat fraction."""

TISSUE_SHARE, FAT_PERCENTILE = 0.1, 90.0
"""Pixels darker than this share of what is mostly fat are air."""

NO_FLUID_PERCENTILE = 97.0
"""Tissue brighter than this is mostly fluid: neither muscle nor fat."""

ENOUGH_PIXELS = 1_000_000
"""So many pixels of a stack tell its grey levels."""

NO_SIGNAL_SHARE = 0.05
"""Where water and fat together are below this share of their brightest, a fraction is noise."""


class WindowPreset(StrEnum):
    """Which grey levels are shown.

    ``AUTOMATIC``: all but the darkest and brightest few. ``FULL``: all. ``MUSCLE``: the darker of
    two classes of tissue (Otsu), fat being white. ``FAT``: from its middle on, muscle being black.
    """

    AUTOMATIC = "automatic"
    FULL = "full range"
    MUSCLE = "muscle"
    FAT = "fat"


_PERCENTILES = {WindowPreset.AUTOMATIC: (0.5, 99.7), WindowPreset.FULL: (0.0, 100.0)}
_OF_PERCENT = {WindowPreset.MUSCLE: (0.0, 50.0), WindowPreset.FAT: (50.0, 100.0)}


def limits(stack: Stack, window: WindowPreset, *, is_percent: bool = False) -> tuple[float, float]:
    """Return the signals that are shown black and white.

    Parameters
    ----------
    stack
        Shape (slices, rows, columns).
    window
        Which grey levels.
    is_percent
        Whether the signal is a fat fraction in percent.
    """
    if is_percent:
        return _OF_PERCENT.get(window, PERCENT)
    seen = stack if window is WindowPreset.FULL else _sample(stack)
    low, high = _of_tissue(seen, window) if window in _OF_PERCENT else _all_but_few(seen, window)
    return low, high if high > low else low + 1


def _sample(stack: Stack) -> Stack:
    """Return every second row and column, or fewer of a stack that has many."""
    step = 2
    while stack.size / step**2 > ENOUGH_PIXELS:
        step += 1
    return stack[:, ::step, ::step]


def _all_but_few(seen: Stack, window: WindowPreset) -> tuple[float, float]:
    low, high = np.percentile(seen, _PERCENTILES[window])
    return float(low), float(high)


def _of_tissue(seen: Stack, window: WindowPreset) -> tuple[float, float]:
    """Part the tissue into its darker and its brighter class; fluid does not count."""
    few = _all_but_few(seen, WindowPreset.AUTOMATIC)
    tissue = seen[seen > TISSUE_SHARE * np.percentile(seen, FAT_PERCENTILE)]
    if tissue.size == 0:
        return few
    border = otsu_threshold(
        WeightedPixels.of(tissue[tissue <= np.percentile(tissue, NO_FLUID_PERCENTILE)])
    )
    dark = tissue[tissue <= border]
    if dark.size == 0:
        return few
    if window is WindowPreset.MUSCLE:
        return float(dark.min()), border
    return float(np.median(dark)), few[1]


@dataclass(frozen=True, slots=True, eq=False)
class DisplayImage:
    """One image to be shown on a grid.

    Parameters
    ----------
    series
        What is shown; of a fraction that is computed, the fat image.
    water
        The water image of a fraction that is computed; None for images as they are.
    """

    series: Series
    water: Series | None = None

    @property
    def words(self) -> str:
        """Name it."""
        if self.water is not None:
            return "fat fraction of the Dixon pair"
        return weighting_words(self.series)

    @property
    def is_percent(self) -> bool:
        """Whether it shows percent of fat."""
        return self.water is not None

    @property
    def key(self) -> tuple[str, bool]:
        """Tells it from every other of its exam."""
        return self.series.uid, self.water is not None

    def stack(self) -> Stack:
        """Return its pixels, shape (slices, rows, columns)."""
        pixels = pixel_stack(self.series)
        return pixels if self.water is None else fat_fraction(pixels, pixel_stack(self.water))


def fat_fraction(fat: Stack, water: Stack) -> Stack:
    """Return 100 F / (F + W), and 0 where there is no signal to speak of."""
    both = np.abs(fat) + np.abs(water)
    loud = both > NO_SIGNAL_SHARE * np.percentile(both[:, ::2, ::2], 99)
    share = np.divide(100 * np.abs(fat), both, out=np.zeros_like(both), where=loud)
    return np.asarray(share, dtype=np.float32)


def display_images(exam: Exam, first: Series) -> tuple[DisplayImage, ...]:
    """Return everything of an exam that shows the slices of a series, pixel by pixel; it first."""
    return DisplayImage(first), *_beside(exam, first)


def _beside(exam: Exam, first: Series) -> Iterator[DisplayImage]:
    same = [
        series
        for series in axial_series(exam)
        if series.uid == first.uid or same_grid(series, first)
    ]
    pairs = pairings(exam)
    for series in same:
        if series.uid != first.uid:
            yield DisplayImage(series)
    for series in same:
        partner = pairs[series.uid].partner if series.uid in pairs else None
        if series.weighting is Weighting.DIXON_FAT and partner in same:
            yield DisplayImage(series, partner)
