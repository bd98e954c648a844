"""What is still to be outlined: the structures of a checklist, on every slice that has a level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_multifidus.models.shapes import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, LayerKey

if TYPE_CHECKING:
    from napari_multifidus.models.session import Session

    Spot = tuple[LayerKey, int]

CHECKLIST = (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT)
"""Structures that are outlined, unless somebody says otherwise; first on the left of the screen."""


def missing(session: Session, wanted: Sequence[LayerKey] = CHECKLIST) -> tuple[Spot, ...]:
    """List what is not outlined yet, slice by slice.

    A slice counts where its level is known and the protocol takes it. What was said to be not
    measurable is not missing; what is drawn and crosses itself is.
    """
    return tuple(spot for spot in _asked(session, wanted) if _is_missing(session, *spot))


def progress(session: Session, wanted: Sequence[LayerKey] = CHECKLIST) -> tuple[int, int]:
    """Count what is outlined, or said to be not measurable, and what is asked for."""
    asked = _asked(session, wanted)
    return len(asked) - sum(_is_missing(session, *spot) for spot in asked), len(asked)


def _asked(session: Session, wanted: Sequence[LayerKey]) -> list[Spot]:
    slice_levels = (session.slice_level(index) for index in range(len(session.series.slices)))
    return [
        (key, index)
        for index, slice_level in enumerate(slice_levels)
        if slice_level.settled.level is not None and slice_level.is_selected
        for key in wanted
    ]


def _is_missing(session: Session, key: LayerKey, index: int) -> bool:
    return not session.outlines(key, index) and session.not_measurable(key, index) is None


def next_missing(
    session: Session, after: Spot | None = None, wanted: Sequence[LayerKey] = CHECKLIST
) -> Spot | None:
    """Return what to outline next: the first that is missing after a place, else from the start."""
    rest = missing(session, wanted)
    if after is None or after[0] not in wanted:
        start = (0 if after is None else after[1], -1)
    else:
        start = (after[1], wanted.index(after[0]))
    later = [spot for spot in rest if (spot[1], wanted.index(spot[0])) > start]
    return next(iter((*later, *rest)), None)
