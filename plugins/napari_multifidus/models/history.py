"""Undo and redo: what was, what is, and what was taken back.

A session's dictionaries are replaced, never changed in depth, so that a snapshot is a copy of
their tops, and costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from multifidus.data.landmark import Landmark
    from multifidus.data.roi import Roi
    from multifidus.data.roi_set import RoiSet, SliceLevel
    from napari_multifidus.models.session import Draft
    from napari_multifidus.models.shapes import LayerKey

    Spot = tuple[LayerKey, int]
    Loops = tuple[NDArray[np.float64], ...]

MOST_STEPS = 500
"""Changes that can be taken back; older ones are forgotten."""

T = TypeVar("T")


class History(Generic[T]):
    """States, one after another, and the one that is now.

    Parameters
    ----------
    now
        The first state.
    most
        How many can be gone back.
    """

    def __init__(self, now: T, most: int = MOST_STEPS) -> None:
        self._past: list[T] = []
        self._future: list[T] = []
        self._most = most
        self.now = now

    def commit(self, state: T) -> None:
        """Go on to a new state; what was taken back is forgotten."""
        self._past = [*self._past, self.now][-self._most :]
        self._future.clear()
        self.now = state

    def back(self) -> T | None:
        """Go back by one state and return it; None at the first."""
        if not self._past:
            return None
        self._future.append(self.now)
        self.now = self._past.pop()
        return self.now

    def forward(self) -> T | None:
        """Go forward again by one state and return it; None at the last."""
        if not self._future:
            return None
        self._past.append(self.now)
        self.now = self._future.pop()
        return self.now


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that a session can change."""

    outlines: Mapping[Spot, tuple[Roi, ...]]
    drafts: Mapping[Spot, Draft]
    origins: Mapping[Spot, Loops]
    levels: Mapping[str, SliceLevel]
    landmarks: tuple[Landmark, ...]
    kept: RoiSet

    def spots_unlike(self, other: Snapshot) -> frozenset[Spot]:
        """Return where something else is drawn."""
        spots = {*self.outlines, *other.outlines, *self.drafts, *other.drafts}
        return frozenset(spot for spot in spots if self._at(spot) != other._at(spot))

    def _at(self, spot: Spot) -> tuple[int, int]:
        """Tell what is drawn at a spot: the objects themselves, not what they are equal to."""
        return id(self.outlines.get(spot)), id(self.drafts.get(spot))
