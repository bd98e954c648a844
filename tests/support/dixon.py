"""Four images of one Dixon acquisition as files whose names tell nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.support.niftis import lumbar_affine, save

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS, COLUMNS, SLICES = 72, 80, 3
MUSCLE_FAT, SKIN_FAT = 0.12, 0.93


def dixon_signals() -> dict[str, NDArray[np.int16]]:
    """Return in-phase, opposed-phase, water and fat signal: fat under the skin, muscle inside.

    Voxels are (column, row, slice).
    """
    columns, rows = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS), indexing="ij")
    away = np.hypot((columns - COLUMNS / 2) / 36, (rows - ROWS / 2) / 32)
    share = np.where(away < 0.8, MUSCLE_FAT, SKIN_FAT) + 0.02 * np.sin(columns)
    signal = np.where(away < 1, 900.0, 0.0)
    noise = np.random.default_rng(3).uniform(0, 6, (4, COLUMNS, ROWS, SLICES))
    fat, water = ((signal * part)[..., None] for part in (share, 1 - share))
    images = {"in": fat + water, "opposed": np.abs(water - fat), "water": water, "fat": fat}
    return {
        name: (image + noise[n]).astype(np.int16) for n, (name, image) in enumerate(images.items())
    }


def write_dixon(folder: Path) -> dict[str, Path]:
    """Write the four as ``img_0004.nii.gz`` and so on; returns which is which."""
    folder.mkdir(parents=True, exist_ok=True)
    affine = lumbar_affine(tilt=12, spacing=(0.7, 0.7, 4.4))
    return {
        name: save(folder / f"img_{number:04}.nii.gz", image, affine)
        for number, (name, image) in enumerate(dixon_signals().items(), 4)
    }
