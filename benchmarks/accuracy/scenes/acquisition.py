"""From tissue on the fine grid to the pixels that a scanner stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.accuracy.scenes.curves import FINE, Grid, Image
from benchmarks.accuracy.scenes.scene import Axis, Imaging

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_TOP = {8: 250, 12: 3600}
"""What the strongest signal of an exam is stored as, by bits of a pixel."""


def pixel_means(fine: NDArray[Any]) -> Array:
    """Return the mean of the fine grid over each pixel."""
    rows, columns = (n // FINE for n in fine.shape)
    blocks = fine.reshape(rows, FINE, columns, FINE)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float64))


def received(grid: Grid, water: Image, fat: Image, *, imaging: Imaging, blur_px: float) -> Array:
    """Return the signal of pixels without noise: blurred, then averaged over each pixel.

    Parameters
    ----------
    water, fat
        Signal of either on the fine grid; fat is displaced.
    """
    still = _images(grid, water, blur_px, (0.0, 0.0))
    rows = imaging.shift_px if imaging.shift_axis is Axis.ROW else 0.0
    columns = imaging.shift_px if imaging.shift_axis is Axis.COLUMN else 0.0
    return still + _images(grid, fat, blur_px, (rows, columns))


def _images(grid: Grid, fine: Image, blur_px: float, shift_px: tuple[float, float]) -> Array:
    down, across = (
        _point_spread(n, blur_px, shift) for n, shift in zip(grid.shape, shift_px, strict=True)
    )
    half = np.ascontiguousarray(down @ fine)
    return np.asarray((across @ np.ascontiguousarray(half.T)).T, dtype=np.float64)


def _point_spread(pixels: int, blur_px: float, shift_px: float) -> Any:
    """Return the matrix from a line of the fine grid to pixels.

    Each row is a pixel's width convolved with a Gaussian; what lies beyond the edge counts as the
    edge does.
    """
    from scipy.sparse import coo_array
    from scipy.special import ndtr

    fine = pixels * FINE
    reach = int(np.ceil(FINE * (0.5 + 4 * blur_px + abs(shift_px)))) + 1
    middle = (np.arange(pixels) + 0.5) * FINE - 0.5
    column = np.floor(middle)[:, None].astype(int) + np.arange(-reach, reach + 2)
    # Distance of a fine point's two borders from the pixel's two borders, in pixels.
    away = (column - middle[:, None]) / FINE + shift_px
    if blur_px > 0:
        edges = away[..., None] + np.array((0.5, -0.5))
        share = np.subtract(*np.moveaxis(ndtr(edges / blur_px), -1, 0)) / FINE
    else:
        share = (np.abs(away) < 0.5) / FINE
    row = np.repeat(np.arange(pixels), column.shape[1])
    at = np.clip(column, 0, fine - 1).ravel()
    # Repeated entries at the edges are summed.
    matrix = coo_array((share.ravel().astype(np.float32), (row, at)), shape=(pixels, fine))
    return matrix.tocsr()


def noisy(signal: Array, snr: float, rng: np.random.Generator) -> Array:
    """Return the magnitude of a signal with noise in its real and its imaginary part."""
    if not np.isfinite(snr):
        return signal
    real, imaginary = rng.standard_normal((2, *signal.shape)) / snr
    return np.asarray(np.hypot(signal + real, imaginary))


def stored(images: Sequence[Array], bits: int) -> list[NDArray[Any]]:
    """Return whole numbers on one scale for an exam; the signal itself where there are no bits."""
    if not bits:
        return list(images)
    scale = _TOP[bits] / max(float(image.max()) for image in images)
    kind = np.uint8 if bits == 8 else np.uint16
    return [np.round(image * scale).astype(kind) for image in images]
