"""Outlines that a hand has begun and not closed: kept, never measured, and gone on with later.

Knows neither napari nor Qt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.slice_number import slice_words
from multifidus.errors import ReadError
from napari_multifidus.models.shapes import LayerKey
from napari_multifidus.models.strokes import Stroke, StrokeContext, Tool, new_stroke

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

POLYGON = "polygon"
"""How a journal names the tool that sets corner after corner."""

_TOOLS = {POLYGON: Tool.FREEHAND, **{tool.value: tool for tool in Tool}}

MINIMAL_PATH = 2
"""A single click draws nothing that could be gone on with."""

SAME_PIXELS = 1e-3
"""A point that went through an outline file is where it was, but for the rounding of numbers."""

DASH_MM = 1.5
"""Length of a dash, and of the gap after it."""


@dataclass(frozen=True, slots=True, eq=False)
class HalfDrawn:
    """An outline that is not closed.

    Attributes
    ----------
    tool
        With what it was drawn.
    points
        Where the hand set something, (n, 2): row, column. The tool goes on from these.
    path
        What they made, (m, 2), as it is shown.
    presses
        At which of the points the button was pressed; at each if empty.
    """

    tool: str
    points: Array
    path: Array
    presses: tuple[int, ...] = ()

    @property
    def goes_on_with(self) -> Tool:
        """The tool that goes on with it."""
        return _TOOLS[self.tool]

    def stroke(self, context: StrokeContext) -> Stroke:
        """Take it up again: the next click appends."""
        made = new_stroke(self.goes_on_with, context)
        starts = self.presses or tuple(range(len(self.points)))
        for start, end in pairwise((*starts, len(self.points))):
            made.press(self.points[start])
            if end > start + 1:
                made.drag(*self.points[start + 1 : end])
            made.release()
        return made

    def dashes(self, spacing_mm: tuple[float, float]) -> tuple[Array, ...]:
        """Cut its path into dashes, each (n, 2)."""
        return dashes_of(self.path, spacing_mm)

    def is_part_of(self, loops: Iterable[Array]) -> bool:
        """Whether paths have most of its points: closed, it loses but the tails of a stroke."""
        corners = np.concatenate([np.empty((0, 2)), *loops])
        away = np.abs(self.path[:, None] - corners).max(axis=2, initial=0.0)
        found: int = (away <= SAME_PIXELS).any(axis=1).sum()
        return 2 * found > len(self.path)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "tool": self.tool,
            "points": self.points.tolist(),
            "presses": list(self.presses),
            "paths": [self.path.tolist()],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> HalfDrawn:
        """Make it from plain values; those of earlier versions have paths alone.

        Raises
        ------
        ReadError
            If the tool is not known.
        """
        tool = str(values.get("tool", POLYGON))
        if tool not in _TOOLS:
            msg = f"The journal holds an outline drawn with the tool '{tool}', which is not known."
            raise ReadError(msg, remedy="Update multifidus.")
        path = np.array(values["paths"][-1], dtype=np.float64).reshape(-1, 2)
        points = np.array(values.get("points", path), dtype=np.float64).reshape(-1, 2)
        return cls(tool, points, path, tuple(map(int, values.get("presses", ()))))


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Something drawn that is no outline, and is not measured.

    Attributes
    ----------
    key, index
        The structure and the slice.
    problem
        What is wrong with it, as the end of a sentence.
    is_half_drawn
        Whether it waits to be closed; else it is to be corrected.
    """

    key: LayerKey
    index: int
    problem: str
    is_half_drawn: bool = False

    @property
    def words(self) -> str:
        """Say it to the person."""
        return f"{self.key.words} on {slice_words(self.index)} {self.problem}"


def dashes_of(path: Array, spacing_mm: tuple[float, float]) -> tuple[Array, ...]:
    """Cut a path in pixels, (n, 2), into dashes, each (m, 2)."""
    steps = np.hypot(*(np.diff(path, axis=0) * spacing_mm).T)
    along = np.concatenate(([0.0], steps.cumsum()))
    starts = np.arange(0.0, along[-1], 2 * DASH_MM)
    return tuple(_between(path, along, start, start + DASH_MM) for start in starts)


def _between(path: Array, along: Array, start: float, end: float) -> Array:
    """Return a path from one distance along it to another."""
    end = min(end, float(along[-1]))
    inside = path[(along > start) & (along < end)]
    ends = [[np.interp(place, along, axis) for axis in path.T] for place in (start, end)]
    return np.concatenate((ends[:1], inside, ends[1:]))
