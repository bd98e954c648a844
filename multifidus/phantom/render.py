"""From tissues to pixels: partial volume, coil shading, noise and 12-bit numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import Weighting
from multifidus.phantom.spine import in_rows
from multifidus.phantom.tissue import Tissue, signal_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.geometry import Plane
    from multifidus.phantom.prescription import SliceGrid
    from multifidus.phantom.spec import PhantomSpec
    from multifidus.phantom.subject import Subject

    Array = NDArray[np.float64]

SUBSAMPLE_MM = 0.25
"""Pixels that are not of one tissue are sampled this finely, both ways."""

MOST_SUBSAMPLES = 3
"""Samples along a side of a pixel, however large."""

MUSCLE_VALUE = 180.0
"""Pixel value of lean muscle without shading and noise."""

MAXIMUM = 4095
"""Largest pixel value: 12 bits."""

_SHADING_REACH_MM = 50.0
_MUSCLE_DEPTH_V_MM = 58.0
_BLOCK_PIXELS = 16_384


def clean_signals(
    subject: Subject, grid: SliceGrid, spec: PhantomSpec, weightings: tuple[Weighting, ...]
) -> dict[Weighting, Array]:
    """Image a slice without shading and noise, relative to lean muscle.

    Partial volume within the plane comes from sampling pixels of more than one tissue finely;
    through the slice from ``spec.through_plane`` planes across its thickness.

    Returns
    -------
    dict
        One (rows, columns) image for each weighting.
    """
    tables = {w: signal_table(w, spec.contrast) for w in weightings}
    images = {w: np.zeros(grid.shape) for w in weightings}
    planes = spec.through_plane
    for n in range(planes):
        shift = ((n + 0.5) / planes - 0.5) * spec.thickness_mm * grid.plane.normal
        shares = _tissue_shares(subject, grid, shift)
        for weighting, table in tables.items():
            images[weighting] += _mixed(*shares, table) / planes
    return images


def _tissue_shares(
    subject: Subject, grid: SliceGrid, shift_mm: Array
) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.uint8]]:
    """Tissue of every pixel's centre, and those of the samples of mixed pixels.

    Returns
    -------
    tuple
        (rows, columns) tissues; flat indices of the mixed pixels, (n,); their samples, (n, k).
    """
    plane, (rows, columns) = grid.plane, grid.shape
    row, column = np.mgrid[:rows, :columns].reshape(2, -1)
    centres = in_rows(plane.axes_mm(np.column_stack((row, column)))) + shift_mm
    tissues = subject.tissues(centres).reshape(grid.shape)
    mixed = np.flatnonzero(_mixed_pixels(tissues) | (tissues == Tissue.MUSCLE))
    offsets = _offsets(plane)
    samples = np.empty((len(mixed), len(offsets)), dtype=np.uint8)
    for first in range(0, len(mixed), _BLOCK_PIXELS):
        block = slice(first, first + _BLOCK_PIXELS)
        points = in_rows(
            (centre[mixed[block], None] + offset).ravel()
            for centre, offset in zip(centres.T, offsets.T, strict=True)
        )
        samples[block] = subject.tissues(points).reshape(-1, len(offsets))
    return tissues, mixed, samples


def _mixed(
    tissues: NDArray[np.uint8], mixed: NDArray[np.intp], samples: NDArray[np.uint8], table: Array
) -> Array:
    image = table[tissues]
    image.ravel()[mixed] = table[samples].mean(axis=1)
    return image


def _mixed_pixels(tissues: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels with another tissue among their eight neighbours."""
    from scipy.ndimage import maximum_filter, minimum_filter

    high = maximum_filter(tissues, 3, mode="nearest")
    return np.asarray(high != minimum_filter(tissues, 3, mode="nearest"))


def _offsets(plane: Plane) -> Array:
    """Offsets of a pixel's samples from its centre, in patient millimetres, shape (k, 3)."""
    places = []
    for step in (plane.row_step_mm, plane.column_step_mm):
        count = min(int(np.ceil(np.linalg.norm(step) / SUBSAMPLE_MM)), MOST_SUBSAMPLES)
        places.append(((np.arange(count) + 0.5) / count - 0.5)[:, None] * step)
    along_rows, along_columns = places
    return np.asarray((along_rows[:, None] + along_columns[None]).reshape(-1, 3))


def shading(subject: Subject, grid: SliceGrid, spec: PhantomSpec) -> Array:
    """Sensitivity of the posterior coil, (rows, columns): 1 at the depth of the multifidus."""
    rows, columns = grid.shape
    depth = subject.pose.shift_mm[1] + _MUSCLE_DEPTH_V_MM
    plane = grid.plane
    y = (
        plane.origin_mm[1]
        + np.arange(rows)[:, None] * plane.row_step_mm[1]
        + np.arange(columns) * plane.column_step_mm[1]
    )
    fall = np.clip((y - depth) / _SHADING_REACH_MM, -1, 1)
    return np.asarray(1 + spec.shading * fall)


def stored_pixels(
    clean: Array, shade: Array, snr: float, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Turn a clean image into what a scanner stores: shaded, with Rician noise, whole numbers."""
    signal = MUSCLE_VALUE * clean * shade
    if np.isfinite(snr):
        sigma = MUSCLE_VALUE / snr
        real, imaginary = rng.standard_normal((2, *clean.shape)) * sigma
        signal = np.hypot(signal + real, imaginary)
    return np.clip(np.rint(signal), 0, MAXIMUM).astype(np.uint16)
