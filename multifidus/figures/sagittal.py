"""A picture from the side: where the measured slices lie, and which level each is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.drawing import AS_USUAL, PictureStyle
from multifidus.data.geometry import Orientation
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.measurement import Measurement
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.figures.picture_files import (
    SAGITTAL,
    SMALL,
    picture_stem,
    write_picture,
    write_thumbnail,
)
from multifidus.figures.shades import grey, label_font
from multifidus.measuring.locate import PlacedOutline, place

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    Array = NDArray[np.float64]

HEIGHT = 640
"""Height of the picture, in pixels."""

MARGIN_MM = 25.0
"""How much is shown around the lines where slices lie."""

LINE, POINT = (240, 228, 66), (0, 190, 130)


def draw_side_views(
    exam: Exam,
    rois: RoiSet,
    rows: Sequence[Measurement],
    folder: Path,
    *,
    drawing: PictureStyle = AS_USUAL,
) -> list[tuple[str, str]]:
    """Draw where the measured slices of each reading lie.

    Parameters
    ----------
    exam, rois, rows
        What was measured, on what, and the rows that say of which level each slice is.
    folder
        Where pictures go; older ones of the same name are replaced.
    drawing
        In what format.

    Returns
    -------
    list
        File name and caption of each picture; none without a sagittal series.
    """
    readings: dict[Reading, list[PlacedOutline]] = {}
    for item in place(rois, exam):
        readings.setdefault(item.roi.key.reading, []).append(item)
    levels: dict[Reading, dict[tuple[str, int], str]] = {by: {} for by in readings}
    for row in rows:
        origin, by = row.provenance, row.key.reading
        if by in levels and origin.level and origin.slice_index is not None:
            levels[by][origin.series, origin.slice_index] = origin.level
    drawn = []
    for by, placed in readings.items():
        found = draw_sagittal(exam, rois, placed, levels[by])
        if found is None:
            continue
        name = write_picture(found[0], folder / f"{picture_stem(by)}{SAGITTAL}", drawing.format)
        said = {
            "subject": by.subject, "timepoint": by.timepoint, "rater": by.rater,
            "reading": by.reading, "series": "", "slice_index": 0, "level": "",
            "pixel_mm": found[1],
        }  # fmt: skip
        write_thumbnail(found[0], said, folder / SMALL / name)
        words = (by.subject, by.timepoint, "measured slices from the side")
        drawn.append((name, " · ".join(filter(None, words))))
    return drawn


def draw_sagittal(
    exam: Exam, rois: RoiSet, placed: Sequence[PlacedOutline], levels: Mapping[tuple[str, int], str]
) -> tuple[Image, list[float]] | None:
    """Draw the slice of a sagittal series nearest to the outlines.

    Parameters
    ----------
    exam, rois
        What was measured, and on what.
    placed
        Outlines of one reading.
    levels
        Level of each measured slice, by series and place in it.

    Returns
    -------
    tuple or None
        A PIL image and its pixel steps in mm; None where there is no sagittal series in the
        coordinates of the slices, or none that they cut.
    """
    from PIL import Image, ImageDraw

    found = _side_view(exam, placed)
    if found is None:
        return None
    slices = {(item.series.uid, item.index): item.slice for item in placed}
    cuts = {
        where: item.plane.crossing_mm(item.shape, found.plane) for where, item in slices.items()
    }
    ends = {where: found.plane.to_pixels(cut) for where, cut in cuts.items() if cut is not None}
    if not ends:
        return None
    (top, left), (bottom, right) = _part_shown(found, [*ends.values()])
    down, across = found.plane.pixel_spacing_mm
    part = grey(found.pixels)[top:bottom, left:right]
    scale = HEIGHT / part.shape[0]
    size = max(1, round(part.shape[1] * scale * across / down)), HEIGHT
    picture = Image.fromarray(part.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    picture = picture.convert("RGB")
    pen = ImageDraw.Draw(picture)
    steps = np.array((size[1] / part.shape[0], size[0] / part.shape[1]))

    def at(points: Array) -> list[tuple[float, float]]:
        shown = (points - (top, left) + 0.5) * steps
        return [(column, row) for row, column in shown.tolist()]

    for points in ends.values():
        pen.line(at(points), fill=LINE, width=3)
    _write_levels(pen, {where: at(points) for where, points in ends.items()}, levels, size[0])
    marks = np.array([mark.position_mm for mark in rois.landmarks]).reshape(-1, 3)
    for column, row in at(found.plane.to_pixels(marks)):
        pen.ellipse((column - 4, row - 4, column + 4, row + 4), outline=POINT, width=2)
    return picture, [float(down / steps[0]), float(across / steps[1])]


def _side_view(exam: Exam, placed: Sequence[PlacedOutline]) -> Slice | None:
    """Return the sagittal slice in the middle of the outlines; T2 before others."""
    frames = {item.series.frame_of_reference_uid for item in placed}
    series = [
        one
        for one in exam.series
        if one.slices[0].plane.orientation is Orientation.SAGITTAL
        and {one.frame_of_reference_uid} == frames
    ]
    if not series:
        return None
    middle = np.mean([item.slice.plane.to_patient(path).mean(axis=0)
                      for item in placed for path in item.roi.paths], axis=0)  # fmt: skip

    def rank(one: Series) -> tuple[Any, ...]:
        return one.weighting is not Weighting.T2, one.weighting is Weighting.LOCALIZER

    best = min(series, key=rank)
    return min(best.slices, key=lambda one: abs(one.plane.distance_mm(middle[None])[0]))


def _part_shown(found: Slice, ends: Sequence[Array]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first row and column of what is shown, and those after the last."""
    points = np.concatenate(ends)
    margin = MARGIN_MM / np.array(found.plane.pixel_spacing_mm)
    low = np.clip(points.min(axis=0) - margin, 0, np.array(found.shape) - 1).astype(int)
    high = np.clip(points.max(axis=0) + margin, low + 1, found.shape).astype(int)
    return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


def _write_levels(
    pen: ImageDraw,
    lines: Mapping[tuple[str, int], list[tuple[float, float]]],
    levels: Mapping[tuple[str, int], str],
    width: int,
) -> None:
    """Write each level once, beside the middle one of its slices."""
    by_level: dict[str, list[tuple[float, float]]] = {}
    for where, line in lines.items():
        if levels.get(where):
            by_level.setdefault(levels[where], []).append(min(line))
    for level, starts in by_level.items():
        column, row = sorted(starts, key=lambda start: start[1])[len(starts) // 2]
        start = min(max(column, 6), width - 120), row
        pen.text(start, level, fill=LINE, font=label_font(36), anchor="lb",
                 stroke_width=4, stroke_fill=(0, 0, 0))  # fmt: skip
