"""A picture of bias field correction: the slice before, after, and the field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.drawing import AS_USUAL, PictureStyle
from multifidus.data.image import Exam
from multifidus.data.protocol import BiasCorrection, MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.figures.picture_files import picture_stem, write_picture
from multifidus.measuring.bias_field.correction import BiasField
from multifidus.measuring.locate import SignalScale, place
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.pipeline import ExamCalibration
from multifidus.measuring.slice_pixels import read_outline_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    Array = NDArray[np.float64]

MARGIN_MM = 30.0
"""How much of the slice is shown around its muscles."""

HEIGHT = 420
"""Least height of a panel, in pixels; slices are enlarged by whole numbers to reach it."""

STRIP, GAP = 64, 6

WINDOW_PCT = (0.5, 99.5)
"""Percentiles of the slice before correction that are black and white in both pictures."""

FIELD_RANGE = 0.5
"""The field's picture is black where it is this much below 1, and white as much above."""

_BY = {
    BiasCorrection.LOW_ORDER: "a smooth field fitted to lean muscle",
    BiasCorrection.JOINT: "a smooth field fitted to lean muscle and fat together",
    BiasCorrection.N4: "N4",
}


def draw_bias_fields(
    exam: Exam,
    rois: RoiSet,
    calibration: ExamCalibration,
    folder: Path,
    *,
    drawing: PictureStyle = AS_USUAL,
) -> list[tuple[str, str]]:
    """Draw one slice of each group of outlines whose bias field was corrected.

    Parameters
    ----------
    exam, rois, calibration
        What was measured, on what, and by what.
    folder
        Where pictures go; older ones of the same name are replaced.
    drawing
        In what format.

    Returns
    -------
    list
        File name and caption of each picture.
    """
    drawn = []
    for number, (scale, found) in enumerate(calibration.groups.items(), 1):
        if found.bias_field.method is BiasCorrection.NONE:
            continue
        muscles = _middle_slice(exam, rois, scale, calibration.protocol)
        low, high = found.gain_range
        caption = (
            f"shading corrected by {_BY[found.bias_field.method]}: before, after, field; it "
            f"varies from {low:.2f} to {high:.2f} inside the muscles"
        )
        stem = f"{picture_stem(scale[0])}_shading{number}"
        picture = draw_bias_field(muscles, found.bias_field, caption)
        name = write_picture(picture, folder / stem, drawing.format)
        drawn.append((name, caption))
    return drawn


def _middle_slice(
    exam: Exam, rois: RoiSet, scale: SignalScale, protocol: MeasurementProtocol
) -> list[OutlinePixels]:
    """Return the muscles of the slice in the middle of those that were outlined."""
    placed = place(rois, exam)
    muscles = [
        item for item in placed if item.roi.key.structure.is_muscle and item.signal_scale == scale
    ]
    places = sorted({(item.series.uid, item.index) for item in muscles})
    middle = places[len(places) // 2]
    # Artefacts on the slice hide pixels of its muscles, so all its outlines are read.
    shown = [item for item in placed if (item.series.uid, item.index) == middle]
    read = read_outline_pixels(exam, shown, protocol)
    return [item for item in read if item.is_muscle and item.signal_scale == scale]


def draw_bias_field(muscles: Sequence[OutlinePixels], field: BiasField, caption: str) -> Image:
    """Draw one slice before and after, and the field; returns a PIL image."""
    from PIL import Image, ImageDraw, ImageFont

    item = muscles[0].placed.slice
    places = np.concatenate([muscle.footprint.pixels for muscle in muscles])
    margin = MARGIN_MM / np.array(item.plane.pixel_spacing_mm)
    low = np.clip(places.min(axis=0) - margin, 0, None).astype(int)
    high = np.clip(places.max(axis=0) + margin, None, np.array(item.shape)).astype(int)
    part = slice(low[0], high[0]), slice(low[1], high[1])
    pixels, gain = item.pixels[part], field.gain(item)[part]
    black, white = np.percentile(item.pixels, WINDOW_PCT)
    panels = [
        _grey(pixels, black, white),
        _grey(pixels / gain, black, white),
        _grey(gain, 1 - FIELD_RANGE, 1 + FIELD_RANGE),
    ]
    scale = max(1, -(-HEIGHT // pixels.shape[0]))
    rows, columns = pixels.shape[0] * scale, pixels.shape[1] * scale
    canvas = Image.new("RGB", (3 * columns + 2 * GAP, rows + STRIP), (16, 16, 16))
    for place_, panel in enumerate(panels):
        large = Image.fromarray(panel).resize((columns, rows), Image.Resampling.BICUBIC)
        canvas.paste(large, (place_ * (columns + GAP), STRIP))
    pen = ImageDraw.Draw(canvas)
    pen.text((14, 18), caption, fill=(255, 255, 255), font=ImageFont.load_default(22))
    return canvas


def _grey(values: Array, black: float, white: float) -> NDArray[np.uint8]:
    shown = np.clip((values - black) / max(white - black, 1e-9), 0, 1)
    return (255 * shown).astype(np.uint8)
