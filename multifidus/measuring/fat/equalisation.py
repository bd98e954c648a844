"""Contrast-limited adaptive histogram equalisation of a whole slice, for ``clahe_otsu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TILES = 8
"""Tiles along each side of the image."""

CLIP_LIMIT = 0.01
"""Most of a tile's pixels that one grey level may hold, as a share of them."""

GREY_LEVELS = 256

ADJUSTED_PCT = (1.0, 99.0)
"""Percentiles of the equalised image that are stretched to 0 and 1."""


def equalised(pixels: Array) -> Array:
    """Equalise a slice as before the automated thresholding of Fortin et al. 2017.

    They name the steps (doi:10.1186/s12938-017-0350-y): contrast-limited adaptive histogram
    equalisation, then an intensity adjustment. They do not print the parameters; those here are
    the usual defaults of both steps, not theirs.

    Parameters
    ----------
    pixels
        Signal, (rows, columns).

    Returns
    -------
    ndarray
        (rows, columns) float64, 0 to 1; NaN where the signal is not finite. All 0 where the slice
        has one grey level.
    """
    from skimage.exposure import equalize_adapthist

    finite = np.isfinite(pixels)
    if not finite.any():
        return np.full(pixels.shape, np.nan)
    whole = bool(finite.all())
    known = pixels if whole else pixels[finite]
    low, high = float(known.min()), float(known.max())
    if low == high:
        return np.where(finite, 0.0, np.nan)
    unit = ((pixels if whole else np.where(finite, pixels, low)) - low) / (high - low)
    tile = tuple(max(-(-size // TILES), 1) for size in pixels.shape)
    even: Any = equalize_adapthist(unit, kernel_size=tile, clip_limit=CLIP_LIMIT, nbins=GREY_LEVELS)
    dark, bright = np.percentile(even if whole else even[finite], ADJUSTED_PCT)
    stretched = ((even - dark) / max(bright - dark, np.finfo(np.float64).tiny)).clip(0, 1)
    return stretched if whole else np.where(finite, stretched, np.nan)
