"""A picture of every measured slice: the image, its outlines, what was taken for fat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.data.drawing import AS_USUAL, PictureStyle
from multifidus.data.image import Exam, Slice
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.roi import Reading, RoiKey
from multifidus.data.roi_set import RoiSet
from multifidus.data.slice_number import slice_words
from multifidus.figures.picture_files import (
    SMALL,
    picture_stem,
    write_picture,
    write_thumbnail,
)
from multifidus.figures.shades import grey, label_font
from multifidus.measuring.coverage import coverage_box
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.locate import PlacedOutline, place

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    Array = NDArray[np.float64]

WIDTH = 900
"""Least width of a picture, in pixels; slices are enlarged by whole numbers to reach it."""

MARGIN_MM = 45.0
"""How much of the slice is shown around its outlines."""

CLOSE_MM = 22.0
"""The same in the small picture, around its muscles."""

STRIP = 96
"""Height of the strip above the image that says what is seen."""

# Okabe and Ito's colours, told apart by colour-blind readers as well.
SIDE_COLOURS = {Side.LEFT: (86, 180, 233), Side.RIGHT: (230, 159, 0)}
STRUCTURE_COLOURS = {
    Structure.LEAN_REFERENCE: (0, 158, 115),
    Structure.FAT_REFERENCE: (240, 228, 66),
    Structure.ARTEFACT: (255, 255, 255),
}
OTHER_COLOUR = (225, 225, 225)
FAT_COLOUR = np.array((204, 60, 140))
FAT_OPACITY = 0.55

FINER = 2
"""How much larger outlines are drawn than they are seen."""

LINE_ROOM = 4
"""Pixels around an outline that its line may take."""


def draw_overlays(
    exam: Exam,
    rois: RoiSet,
    rows: Sequence[Measurement],
    folder: Path,
    *,
    drawing: PictureStyle = AS_USUAL,
) -> list[tuple[str, str]]:
    """Draw each slice that was measured.

    Parameters
    ----------
    exam, rois, rows
        What was measured, on what, and the numbers to print.
    folder
        Where pictures go; older ones of the same name are replaced.
    drawing
        Which slices, and in what format.

    Returns
    -------
    list
        File name and caption of each picture, in the order of the slices.
    """
    drawn = []
    numbers = {series.uid: n for n, series in enumerate(exam.series)}
    members: dict[_Where, list[PlacedOutline]] = {}
    for item in place(rois, exam):
        where = item.series.uid, item.index, item.roi.key.reading
        members.setdefault(where, []).append(item)
    mine: dict[tuple[str, int | None, Reading], list[Measurement]] = {
        where: [] for where in members
    }
    for row in rows:
        where_measured = row.provenance.series, row.provenance.slice_index, row.key.reading
        if where_measured in mine:
            mine[where_measured].append(row)
    for where in sorted(members, key=lambda found: (numbers[found[0]], *found[1:])):
        uid, index, by = where
        if drawing.only_flagged and not any(row.flags for row in mine[where]):
            continue
        stem = f"{picture_stem(by)}_series{numbers[uid] + 1}_slice{index:03d}"
        caption = _caption(by, index, mine[where])
        picture = draw_slice(members[where], mine[where], caption)
        name = write_picture(picture, folder / stem, drawing.format)
        said = {**_whose(by, mine[where]), "pixel_mm": _pixel_mm(members[where])}
        write_thumbnail(_close(picture, members[where]), said, folder / SMALL / name)
        drawn.append((name, caption))
    return drawn


_Where = tuple[str, int, Reading]
"""Series, place in it, and reading."""


def _close(picture: Image, members: Sequence[PlacedOutline]) -> Image:
    """Cut the muscles and what is near them out of the picture of a slice."""
    item = members[0].slice
    part = _Part.around(members)
    corner, scale = part.corner, part.enlargement
    muscles = [one for one in members if one.roi.key.structure.is_muscle] or members
    points = np.concatenate([path for one in muscles for path in one.roi.paths])
    margin = CLOSE_MM / np.array(item.plane.pixel_spacing_mm)
    low = np.clip(np.floor(points.min(axis=0) - margin) - corner, 0, part.shape).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + margin) - corner, low + 1, part.shape).astype(int)
    (top, left), (bottom, right) = (low * scale).tolist(), (high * scale).tolist()
    return picture.crop((left, STRIP + top, right, STRIP + bottom))


def _caption(by: Reading, index: int, rows: Sequence[Measurement]) -> str:
    origin = rows[0].provenance
    level = origin.level or "level unknown"
    where = "" if origin.slice_position == "unknown" else origin.slice_position.replace("_", " ")
    parts = (by.subject, by.timepoint, f"{level} {where}".strip(), slice_words(index))
    tilt = "" if math.isnan(origin.tilt_deg) else f"tilt {round(origin.tilt_deg, 1) + 0.0:+.1f} deg"
    return " · ".join(filter(None, (*parts, tilt, by.rater and f"rater {by.rater}")))


def draw_slice(
    members: Sequence[PlacedOutline], rows: Sequence[Measurement], caption: str
) -> Image:
    """Draw one slice with its outlines; returns a PIL image."""
    from PIL import Image, ImageDraw

    item = members[0].slice
    pixels = item.pixels
    where = _Part.around(members)
    corner, scale = where.corner, where.enlargement
    part = np.repeat(where.of(grey(pixels))[:, :, None], 3, axis=2)
    thresholds = _thresholds(rows)
    for placed in members:
        threshold = thresholds.get(placed.roi.key, math.nan)
        _tint_fat(part, corner, placed, (pixels, threshold))
    size = (part.shape[1] * scale, part.shape[0] * scale)
    enlarged = Image.fromarray(part.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", (size[0], size[1] + STRIP), (16, 16, 16))
    _draw_outlines(enlarged, members, corner, scale)
    canvas.paste(enlarged, (0, STRIP))
    pen = ImageDraw.Draw(canvas)
    pen.text((14, 10), caption, fill=(255, 255, 255), font=label_font(24))
    _write_numbers(pen, rows, size[0])
    _write_sides(pen, item, size)
    return canvas


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a slice that is drawn: its first row and column, its rows and columns."""

    corner: tuple[int, int]
    shape: tuple[int, int]

    @classmethod
    def around(cls, members: Sequence[PlacedOutline]) -> _Part:
        """Take the outlines of a slice and their surroundings."""
        item = members[0].slice
        points = np.concatenate([path for placed in members for path in placed.roi.paths])
        margin = MARGIN_MM / np.array(item.plane.pixel_spacing_mm)
        low = np.clip(np.floor(points.min(axis=0) - margin), 0, item.shape).astype(int)
        high = np.clip(np.ceil(points.max(axis=0) + margin), low + 1, item.shape).astype(int)
        rows, columns = (high - low).tolist()
        return cls((int(low[0]), int(low[1])), (rows, columns))

    def of(self, image: Array) -> Array:
        """Cut it out of an image of the slice."""
        (top, left), (rows, columns) = self.corner, self.shape
        return image[top : top + rows, left : left + columns]

    @property
    def enlargement(self) -> int:
        """How many pixels of the picture a pixel of the slice is wide."""
        return max(1, math.ceil(WIDTH / self.shape[1]))


def _pixel_mm(members: Sequence[PlacedOutline]) -> list[float]:
    """Return the size of a picture's pixel, row and column step."""
    scale = _Part.around(members).enlargement
    return [float(step) / scale for step in members[0].slice.plane.pixel_spacing_mm]


def _whose(by: Reading, rows: Sequence[Measurement]) -> dict[str, Any]:
    """Say what a picture shows, in the words of the tables."""
    origin = rows[0].provenance
    return {
        "subject": by.subject,
        "timepoint": by.timepoint,
        "rater": by.rater,
        "reading": by.reading,
        "series": origin.series,
        "slice_index": origin.slice_index,
        "level": origin.level or "",
    }


def _thresholds(rows: Sequence[Measurement]) -> dict[RoiKey, float]:
    """Return the threshold of each outline by the first fat method, on the image as it is."""
    found: dict[RoiKey, float] = {}
    for row in rows:
        # The threshold of some methods is one of the equalised slice.
        if (
            row.quantity is Quantity.FI_PCT
            and row.key not in found
            and Need.EQUALISED_SLICE not in METHODS[row.method].needs
        ):
            # The correction divided the signal of the image by the gain.
            gain = row.parameters.get("bias_gain", 1.0)
            found[row.key] = row.parameters.get("threshold", math.nan) * gain
    return found


def _tint_fat(
    part: Array, corner: tuple[int, int], placed: PlacedOutline, fat_in: tuple[Array, float]
) -> None:
    """Tint the pixels of an outline that are fat by a threshold, in a part of the slice."""
    pixels, threshold = fat_in
    if math.isnan(threshold):
        return
    coverage = coverage_box(placed.roi.paths, placed.slice.shape)
    fat = (coverage.of(pixels) > threshold) * coverage.weights
    share = (FAT_OPACITY * fat)[:, :, None]
    top, left = coverage.top - corner[0], coverage.left - corner[1]
    tinted = part[top : top + fat.shape[0], left : left + fat.shape[1]]
    tinted[:] = (1 - share) * tinted + share * FAT_COLOUR


def _draw_outlines(
    image: Image, members: Sequence[PlacedOutline], corner: tuple[int, int], scale: int
) -> None:
    """Draw outlines at a larger size and shrink them, which smooths their edges."""
    from PIL import Image as Pillow, ImageDraw

    by_colour: dict[tuple[int, int, int], list[Array]] = {}
    for placed in members:
        by_colour.setdefault(_colour(placed.roi.key), []).extend(placed.roi.paths)
    for colour, paths in by_colour.items():
        # Pixel centres are whole numbers; a picture counts from its pixels' corners.
        shown = [(path - corner + 0.5) * scale for path in paths]
        box = _box_of(shown, image)
        left, top, right, bottom = box
        # The image itself is not enlarged: that takes longer, and blurs it.
        fine = Pillow.new("L", ((right - left) * FINER, (bottom - top) * FINER))
        pen = ImageDraw.Draw(fine)
        for path in shown:
            points = [((x - left) * FINER, (y - top) * FINER) for y, x in path.tolist()]
            pen.line([*points, points[0]], fill=255, width=4, joint="curve")
        image.paste(colour, box, fine.reduce(FINER))


def _box_of(paths: Sequence[Array], image: Image) -> tuple[int, int, int, int]:
    """Return the part of an image that paths and the width of their lines take."""
    points = np.concatenate(paths)
    size = np.array((image.height, image.width))
    # One pixel at least, also of an outline that lies beyond the image.
    low = np.clip(np.floor(points.min(axis=0)) - LINE_ROOM, 0, size - 1).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + LINE_ROOM, low + 1, size).astype(int)
    return int(low[1]), int(low[0]), int(high[1]), int(high[0])


def _colour(key: RoiKey) -> tuple[int, int, int]:
    if key.structure is Structure.MULTIFIDUS:
        return SIDE_COLOURS.get(key.side, OTHER_COLOUR)
    return STRUCTURE_COLOURS.get(key.structure, OTHER_COLOUR)


def _write_numbers(pen: ImageDraw, rows: Sequence[Measurement], width: int) -> None:
    """Print area and fat of the multifidus, the patient's right first."""
    for side, x in ((Side.RIGHT, 14), (Side.LEFT, width // 2)):
        mine = [
            row
            for row in rows
            if row.key.structure is Structure.MULTIFIDUS and row.key.side is side
        ]
        values = {row.quantity: row.value for row in reversed(mine)}
        if Quantity.TCSA_MM2 not in values:
            continue
        text = f"{side} multifidus {values[Quantity.TCSA_MM2] / 100:.2f} cm2"
        for quantity, name in (
            (Quantity.FI_PCT, "visible fat"),
            (Quantity.DIXON_FF_RATIO_PCT, "Dixon fat"),
        ):
            value = values.get(quantity, math.nan)
            text += "" if math.isnan(value) else f", {name} {value:.1f} %"
        pen.text((x, 52), text, fill=SIDE_COLOURS[side], font=label_font(22))
        fraction = values.get(Quantity.FF_SIGNAL_PCT, math.nan)
        if not math.isnan(fraction):
            below = f"fat signal fraction {fraction:.1f} %"
            pen.text((x, 73), below, fill=SIDE_COLOURS[side], font=label_font(17))


def _write_sides(pen: ImageDraw, item: Slice, size: tuple[int, int]) -> None:
    """Mark the patient's sides, by the geometry of the image."""
    grows_left = item.plane.column_step_mm[0] > 0
    marks = ("R", "L") if grows_left else ("L", "R")
    middle = STRIP + size[1] // 2
    pen.text((14, middle), marks[0], fill=(255, 255, 255), font=label_font(30), anchor="lm")
    pen.text(
        (size[0] - 14, middle), marks[1], fill=(255, 255, 255), font=label_font(30), anchor="rm"
    )
