"""A picture of what the correction of coil shading did: the slice before, after, and the field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import Exam
from multifidus.data.protocol import BiasCorrection, MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.figures.file_names import picture_stem
from multifidus.io.files import write_atomically
from multifidus.measuring.bias_field.correction import Correction, corrections
from multifidus.measuring.calibration import basis_key
from multifidus.measuring.locate import in_order, place
from multifidus.measuring.outline_pixels import OutlinePixels, sample_all
from multifidus.measuring.propose_references import with_proposals

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


def draw_corrections(
    exam: Exam, rois: RoiSet, protocol: MeasurementProtocol, folder: Path
) -> list[tuple[str, str]]:
    """Draw one slice of each series whose shading was corrected.

    Parameters
    ----------
    exam, rois, protocol
        What was measured, on what, and how.
    folder
        Where pictures go; older ones of the same name are replaced.

    Returns
    -------
    list
        File name and caption of each picture.
    """
    if protocol.bias_correction is BiasCorrection.NONE:
        return []
    if protocol.propose_references:
        rois = with_proposals(exam, rois)
    sampled = sample_all(exam, in_order(place(rois, exam), exam), protocol)
    drawn = []
    for number, (key, found) in enumerate(corrections(sampled, protocol).items()):
        members = [item for item in sampled if basis_key(item) == key]
        if found.method is BiasCorrection.NONE:
            continue
        muscles = [item for item in members if item.roi.key.structure.is_muscle]
        shown = _middle_slice(muscles)
        gains = np.concatenate([found.at(m.placed.slice, m.pixels) for m in muscles])
        caption = (
            f"shading corrected by {found.method}: before, after, field; it varies from "
            f"{gains.min():.2f} to {gains.max():.2f} inside the muscles"
        )
        name = f"{picture_stem(members[0].roi.key.reading)}_shading{number + 1}.png"
        write_atomically(folder / name, draw_correction(shown, found, caption).save, overwrite=True)
        drawn.append((name, caption))
    return drawn


def _middle_slice(muscles: Sequence[OutlinePixels]) -> list[OutlinePixels]:
    """Return the muscles of the slice in the middle of those that were outlined."""
    places = sorted({(item.placed.series.uid, item.placed.index) for item in muscles})
    middle = places[len(places) // 2]
    return [item for item in muscles if (item.placed.series.uid, item.placed.index) == middle]


def draw_correction(
    muscles: Sequence[OutlinePixels], correction: Correction, caption: str
) -> Image:
    """Draw one slice before and after, and the field; returns a PIL image."""
    from PIL import Image, ImageDraw, ImageFont

    item = muscles[0].placed.slice
    places = np.concatenate([muscle.pixels for muscle in muscles])
    margin = MARGIN_MM / np.array(item.plane.pixel_spacing_mm)
    low = np.clip(places.min(axis=0) - margin, 0, None).astype(int)
    high = np.clip(places.max(axis=0) + margin, None, np.array(item.shape)).astype(int)
    part = slice(low[0], high[0]), slice(low[1], high[1])
    pixels, gain = item.pixels[part], correction.gain(item)[part]
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
