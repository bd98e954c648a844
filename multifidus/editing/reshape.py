"""Outlines moved, scaled, grown, smoothed: paths (row, column) in pixels, distances in mm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.polygon import MINIMAL_POINTS, area, first_crossing, signed_area
from multifidus.data.polygon_sets import centroid, loops_of, region_of
from multifidus.errors import RoiError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Paths = Sequence[Array]

QUADRANT_POINTS = 16
"""Edges of a quarter circle; its area is 0.2 % less than the circle's."""

UNMOVED_MM = 1e-6
"""Less is not moved: GEOS returns nothing for a distance of next to nothing."""

SMOOTHING_MM = 1.5
"""Standard deviation of the Gaussian along the border, unless another is given."""

AREA_KEPT = 1e-9
"""The enclosed area changes by less than this share of it."""

_POINTS_PER_SD = 2
_FEWEST, _MOST = 64, 2048


def shifted(paths: Paths, by: ArrayLike) -> tuple[Array, ...]:
    """Move paths by (rows, columns)."""
    return tuple(path + np.asarray(by, dtype=np.float64) for path in paths)


def scaled(paths: Paths, factor: float) -> tuple[Array, ...]:
    """Scale paths about the centroid of what they enclose; the area grows by the factor squared."""
    middle = centroid(paths)
    return tuple(middle + (path - middle) * factor for path in paths)


def grown(paths: Paths, by_mm: float, spacing_mm: ArrayLike) -> tuple[Array, ...]:
    """Move the border outwards by millimetres, or inwards where negative; corners become round.

    Parameters
    ----------
    paths
        Each (n, 2): row, column.
    by_mm
        How far.
    spacing_mm
        Between rows and between columns.

    Returns
    -------
    tuple of ndarray
        Empty where nothing is left.
    """
    if abs(by_mm) < UNMOVED_MM:
        return tuple(np.asarray(path, dtype=np.float64) for path in paths)
    spacing = np.asarray(spacing_mm, dtype=np.float64)
    region = region_of([path * spacing for path in paths])
    wider = region.buffer(by_mm, quad_segs=QUADRANT_POINTS)
    return tuple(loop / spacing for loop in loops_of(wider))


def smoothed(paths: Paths, spacing_mm: ArrayLike, sd_mm: float = SMOOTHING_MM) -> tuple[Array, ...]:
    """Smooth paths by a Gaussian along their own length, and give each its area back.

    Each path is sampled evenly along its length and filtered as a closed curve; then it is scaled
    about its own centroid, so that it encloses what it enclosed before (to ``AREA_KEPT``).
    A circle stays a circle of its size.

    Parameters
    ----------
    paths
        Each (n, 2): row, column.
    spacing_mm
        Between rows and between columns.
    sd_mm
        Standard deviation of the Gaussian along the border.

    Raises
    ------
    RoiError
        If a path encloses nothing, is too small for this smoothing, or paths would cross.
    """
    spacing = np.asarray(spacing_mm, dtype=np.float64)
    before = area(paths)
    done = tuple(_smooth(path * spacing, sd_mm) / spacing for path in paths)
    if first_crossing(done) is not None or abs(area(done) - before) > AREA_KEPT * before:
        msg = f"Smoothed by {sd_mm:g} mm, the outline would cross itself."
        raise RoiError(msg, remedy="Smooth less, or move the points by hand.")
    return done


def _smooth(path: Array, sd_mm: float) -> Array:
    held = signed_area(path)
    ends = np.concatenate((path, path[:1]))
    along = np.concatenate(([0.0], np.hypot(*np.diff(ends, axis=0).T).cumsum()))
    length = along[-1]
    if len(path) < MINIMAL_POINTS or held == 0:
        msg = "A path that encloses nothing cannot be smoothed."
        raise RoiError(msg, remedy="Delete it or draw it again.")
    count = int(np.clip(_POINTS_PER_SD * length / sd_mm, _FEWEST, _MOST))
    places = np.arange(count) * (length / count)
    even = np.interp(places, along, ends[:, 0]) + 1j * np.interp(places, along, ends[:, 1])
    waves = 2 * np.pi * np.fft.fftfreq(count, length / count)
    curve = np.fft.ifft(np.fft.fft(even) * np.exp(-((waves * sd_mm) ** 2) / 2))
    smooth = np.stack((curve.real, curve.imag), axis=1)
    now = signed_area(smooth)
    # A Gaussian of the whole length leaves little but a point.
    if now * held <= 0 or sd_mm > length / 4:
        msg = f"An outline of {length:.1f} mm around is too small to be smoothed by {sd_mm:g} mm."
        raise RoiError(msg, remedy="Smooth less.")
    middle = smooth.mean(axis=0)
    return np.asarray(middle + (smooth - middle) * np.sqrt(held / now))
