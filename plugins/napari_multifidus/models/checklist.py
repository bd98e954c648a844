"""What is still to be outlined: the structures of a checklist, on every slice that has a level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_multifidus.models.shapes import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, LayerKey

if TYPE_CHECKING:
    from napari_multifidus.models.analysis import Analysis
    from napari_multifidus.models.drawing import StructureOnSlice

CHECKLIST = (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT)
"""Structures that are outlined, unless somebody says otherwise; first on the left of the screen."""


def missing(
    analysis: Analysis, wanted: Sequence[LayerKey] = CHECKLIST
) -> tuple[StructureOnSlice, ...]:
    """List what is not outlined yet, slice by slice.

    A slice counts where its level is known and the protocol takes it. What was said to be not
    measurable is not missing; what is drawn and crosses itself is.
    """
    return tuple(place for place in _asked(analysis, wanted) if _is_missing(analysis, *place))


def progress(analysis: Analysis, wanted: Sequence[LayerKey] = CHECKLIST) -> tuple[int, int]:
    """Count what is outlined, or said to be not measurable, and what is asked for."""
    asked = _asked(analysis, wanted)
    return len(asked) - sum(_is_missing(analysis, *place) for place in asked), len(asked)


def _asked(analysis: Analysis, wanted: Sequence[LayerKey]) -> list[StructureOnSlice]:
    return [
        (key, index)
        for index, found in enumerate(analysis.slice_levels)
        if found.settled.level is not None and found.is_selected
        for key in wanted
    ]


def _is_missing(analysis: Analysis, key: LayerKey, index: int) -> bool:
    drawn = (key, index) in analysis.drawing.outlines
    return not drawn and analysis.not_measurable(key, index) is None


def next_missing(
    analysis: Analysis,
    after: StructureOnSlice | None = None,
    wanted: Sequence[LayerKey] = CHECKLIST,
) -> StructureOnSlice | None:
    """Return what to outline next: the first that is missing after a place, else from the start."""
    rest = missing(analysis, wanted)
    if after is None or after[0] not in wanted:
        start = (0 if after is None else after[1], -1)
    else:
        start = (after[1], wanted.index(after[0]))
    later = [place for place in rest if (place[1], wanted.index(place[0])) > start]
    return next(iter((*later, *rest)), None)


def following(
    analysis: Analysis, closed: StructureOnSlice, wanted: Sequence[LayerKey] = CHECKLIST
) -> StructureOnSlice | None:
    """Return where to go on by itself once an outline is closed; None where nothing follows.

    First come the other structures of the checklist on the same slice, whether its level is known
    or not, then what is missing elsewhere.
    """
    key, index = closed
    if key not in wanted:
        return None
    for other in wanted:
        drawn = other == key or analysis.drawing.loops(other, index)
        if not drawn and analysis.not_measurable(other, index) is None:
            return other, index
    return next_missing(analysis, (wanted[-1], index), wanted)
