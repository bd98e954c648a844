"""Pictures of a measured case."""

from __future__ import annotations

from pathlib import Path

from multifidus.figures.bias_field import draw_bias_fields
from multifidus.figures.overlay import draw_overlays
from multifidus.study.batch import Measured


def draw_pictures(done: Measured, folder: Path) -> tuple[tuple[str, str], ...]:
    """Draw what was measured; file name and caption of each picture."""
    return (
        *draw_overlays(done.exam, done.rois, done.rows, folder),
        *draw_bias_fields(done.exam, done.rois, done.calibration, folder),
    )
