"""Make docs/images/levels.png: the sample's axial slices and their levels on its sagittal image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import multifidus as mf
from multifidus.sample_data import sample_dir

OUTPUT = Path(__file__).parent.parent / "docs" / "images" / "levels.png"
SCALE = 4
COLOURS = ("#4fc3f7", "#ffb74d", "#81c784", "#f06292", "#ba68c8")
ROOM = 190
"""Pixels at the right for words."""

BACK_MM, FRONT_MM = 75.0, 45.0
"""How far behind and in front of the disc a slice is drawn."""


def main() -> None:
    """Draw the middle sagittal slice with the plane of every axial one."""
    exam = mf.read_exam(sample_dir() / "S01_pre")
    marks = mf.read_rois(sample_dir() / "S01_pre.outlines.json", exam).landmarks
    sagittal = next(series for series in exam.series if series.orientation == "sagittal")
    middle = min(
        sagittal.slices, key=lambda s: abs(float(s.plane.distance_mm(marks[2].position_mm)))
    )
    pixels = middle.pixels
    grey = np.clip(pixels / np.percentile(pixels, 99.5) * 255, 0, 255).astype(np.uint8)
    canvas = Image.fromarray(grey).resize(
        (grey.shape[1] * SCALE, grey.shape[0] * SCALE), Image.Resampling.BICUBIC
    ).convert("RGB")  # fmt: skip
    shown = Image.new("RGB", (canvas.width + ROOM, canvas.height))
    shown.paste(canvas, (0, 0))
    canvas = shown
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(26)

    def spot(point: np.ndarray) -> tuple[float, float]:
        row, column = middle.plane.to_pixels([point])[0]
        return float(column + 0.5) * SCALE, float(row + 0.5) * SCALE

    levels = sorted({mark.level for mark in marks}, key=lambda level: level.rank)
    for item in mf.assign_levels(exam, marks):
        if item.level is None:
            continue
        series, index = exam.find_slice(item.slice_uid)
        plane = series.slices[index].plane
        mark = next(mark for mark in marks if mark.level is item.level)
        foot = mark.position_mm - plane.distance_mm(mark.position_mm) * plane.normal
        along = plane.row_step_mm / np.linalg.norm(plane.row_step_mm)
        colour = COLOURS[levels.index(item.level)]
        pen.line((*spot(foot - FRONT_MM * along), *spot(foot + BACK_MM * along)), colour, 2)
        if item.slice_position == "mid_disc":
            tilt = round(item.tilt_deg) + 0.0
            words = f"{item.level}  tilt {tilt:+.0f}°  margin {item.margin_mm:.0f} mm"
            x, y = spot(foot + (BACK_MM + 3) * along)
            pen.text((x, y), words, colour, font, anchor="lm")
    for mark in marks:
        x, y = spot(mark.position_mm)
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), outline="white", width=3)
    canvas = canvas.crop((150, 90, canvas.width, canvas.height - 90))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    canvas.quantize(256).save(OUTPUT, optimize=True)


if __name__ == "__main__":
    main()
