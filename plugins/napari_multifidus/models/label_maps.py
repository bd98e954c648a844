"""Label maps among the images of an exam: they are no images, and are not opened as such."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import Exam, Series, Weighting

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_LABELS = 255
SAME_AS_NEIGHBOUR = 0.8
"""Of the labelled pixels of a map, at least this share has the label of the pixel beside it."""


def without_label_maps(exam: Exam) -> tuple[Exam, tuple[Series, ...]]:
    """Part an exam from its label maps; where it has nothing else, nothing is parted.

    Only series whose contrast nothing tells are looked at: a label map has none.
    """
    maps = tuple(
        series
        for series in exam.series
        if series.weighting is Weighting.UNKNOWN and is_label_map(series)
    )
    if not maps or len(maps) == len(exam.series):
        return exam, ()
    kept = tuple(series for series in exam.series if series not in maps)
    return replace(exam, series=kept), maps


def is_label_map(series: Series) -> bool:
    """Whether pixels are labels: few whole numbers, 0 the most common, and all in patches.

    An image has noise, so that neighbours differ.
    """
    values: set[float] = set()
    labelled = same = pixels = 0
    for item in series.slices:
        found = item.pixels
        if not _are_labels(found):
            return False
        values |= set(np.unique(found).tolist())
        if len(values) > MOST_LABELS + 1:
            return False
        beside = found[:, 1:] == found[:, :-1]
        drawn = found[:, 1:] != 0
        labelled, same = labelled + int(drawn.sum()), same + int((beside & drawn).sum())
        pixels += drawn.size
    return 0 < labelled < pixels / 2 and same >= SAME_AS_NEIGHBOUR * labelled


def _are_labels(pixels: NDArray[np.float64]) -> bool:
    return bool((pixels >= 0).all() and (pixels == np.rint(pixels)).all())
