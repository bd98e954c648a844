"""Paths drawn by an unbroken stroke, kept at full resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def closed(points: ArrayLike) -> Array:
    """Make a closed path of the points of a stroke, (n, 2): all of them, but for repeats.

    A point that stands exactly where the one before it stands is dropped, and so is a last one on
    the first. Nothing is thinned or smoothed.
    """
    path = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    keep = (path != np.roll(path, 1, axis=0)).any(axis=1)
    return path[keep] if keep.any() else path[:1]
