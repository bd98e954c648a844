"""Pictures of a measured case."""

from __future__ import annotations

from pathlib import Path

from multifidus.data.drawing import AS_USUAL, PictureStyle
from multifidus.figures.bias_field import draw_bias_fields
from multifidus.figures.overlay import draw_overlays
from multifidus.figures.sagittal import draw_side_views
from multifidus.study.batch import Measured


def draw_pictures(
    done: Measured,
    folder: Path,
    drawing: PictureStyle = AS_USUAL,
) -> tuple[tuple[str, str], ...]:
    """Draw what was measured; file name and caption of each picture."""
    what = done.exam, done.rois, done.rows
    slices = draw_overlays(*what, folder, drawing=drawing)
    if not slices:
        return ()
    slices += draw_side_views(*what, folder, drawing=drawing)
    if drawing.only_flagged:
        return tuple(slices)
    return (
        *slices,
        *draw_bias_fields(done.exam, done.rois, done.calibration, folder, drawing=drawing),
    )
