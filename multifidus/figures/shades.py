"""Grey levels and letters of pictures."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WINDOW_PCT = (0.5, 99.7)
"""Percentiles of a slice that become black and white."""


def grey(pixels: Array) -> Array:
    """Return a slice as grey levels from 0 to 255."""
    low, high = np.percentile(pixels, WINDOW_PCT)
    return np.asarray(np.clip((pixels - low) / max(high - low, 1e-9), 0, 1) * 255)


@cache
def label_font(size: int) -> Any:
    """Return the letters of pictures in a size."""
    from PIL import ImageFont

    return ImageFont.load_default(size)
