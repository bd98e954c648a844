"""Montage: a subject's slices before and after, at the same levels and on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from multifidus.figures.picture_files import Thumbnail
from multifidus.reporting.exam_numbers import along_the_spine
from multifidus.reporting.plots.style import GREY, PAGE_MM, Drawing, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MATCHED = 2


def matched(
    pictures: Sequence[Thumbnail], timepoints: Sequence[str]
) -> dict[str, dict[str, Thumbnail]]:
    """Return one picture a level and timepoint, of the levels that have several timepoints.

    The middle one of a level's slices stands for it; levels from cranial to caudal. Where there is
    one timepoint only, all levels are returned.
    """
    slices: dict[str, dict[str, list[Thumbnail]]] = {}
    for picture in pictures:
        if picture.level and picture.timepoint in timepoints:
            level = slices.setdefault(picture.level, {})
            level.setdefault(picture.timepoint, []).append(picture)
    least = min(_MATCHED, len(timepoints))
    return {
        level: {name: _middle(found) for name, found in slices[level].items()}
        for level in along_the_spine(slices)
        if len(slices[level]) >= least
    }


def _middle(pictures: Sequence[Thumbnail]) -> Thumbnail:
    ordered = sorted(pictures, key=lambda item: (item.series, item.slice_index))
    return ordered[len(ordered) // 2]


@styled
def montage(
    subject: str, pictures: Sequence[Thumbnail], timepoints: Sequence[str], why: str
) -> Drawing | None:
    """Draw one reading's slices of a subject, a row a timepoint, a column a level.

    Parameters
    ----------
    subject
        Whose.
    pictures
        Of one reading an exam.
    timepoints
        Rows, in order.
    why
        Why this subject, for the caption.

    Returns
    -------
    Drawing or None
        None where no level has pictures of two timepoints.
    """
    from PIL import Image

    found = matched(pictures, timepoints)
    if not found:
        return None
    shown = [name for name in timepoints if any(name in row for row in found.values())]
    halves = [_half_mm(item) for row in found.values() for item in row.values()]
    tall, broad = (max(half[axis] for half in halves) for axis in (0, 1))
    width = PAGE_MM / max(len(found), 2)
    figure = new_figure(PAGE_MM, 8 + width * tall / broad * len(shown))
    panels = figure.subplots(len(shown), len(found), squeeze=False)
    for i, timepoint in enumerate(shown):
        for j, (level, row) in enumerate(found.items()):
            axes = panels[i][j]
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_visible(False)
            if i == 0:
                axes.set_title(level)
            if j == 0:
                axes.set_ylabel(timepoint)
            item = row.get(timepoint)
            if item is None:
                axes.annotate("no picture", (0.5, 0.5), xycoords="axes fraction", ha="center",
                              va="center", color=GREY)  # fmt: skip
                continue
            with Image.open(item.path) as picture:
                high, wide = _half_mm(item)
                axes.imshow(picture, extent=(-wide, wide, -high, high))
            axes.set_xlim(-broad, broad)
            axes.set_ylim(-tall, tall)
            axes.set_facecolor("black")
            if i == 0 and j == 0:
                _scale_bar(axes, tall, broad)
    return Drawing(
        name="montage",
        caption=f"Subject {subject} ({why}): the middle slice of each level, all on one scale "
        "(bar: 2 cm), with its outlines; pixels classified as fat are highlighted.",
        figure=figure,
    )


def _scale_bar(axes: Axes, tall: float, broad: float) -> None:
    left, low = 5 - broad, 5 - tall
    axes.plot((left, left + 20), (low, low), color="white", linewidth=1.6, solid_capstyle="butt")


def _half_mm(item: Thumbnail) -> tuple[float, float]:
    """Return half the height and half the width of what a picture shows."""
    from PIL import Image

    with Image.open(item.path) as picture:
        return item.pixel_mm[0] * picture.height / 2, item.pixel_mm[1] * picture.width / 2
