"""Outlines of labels along their pixels' edges, all labels of a slice at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Numbers = NDArray[np.intp]

STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""Steps along a pixel's upper, right, lower and left edge, as rows and columns. Each keeps the
pixel on its right, and the one after it turns right."""

_CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))
"""Where each of these steps starts, from the pixel's upper left corner."""


def trace(mask: NDArray[np.bool_]) -> list[Array]:
    """Trace a mask along its pixels' edges.

    Parameters
    ----------
    mask
        (rows, columns).

    Returns
    -------
    list
        Closed paths of (row, column) corners, each (n, 2), holes included; pixels that touch at a
        corner only are parted there.
    """
    return trace_labels(mask.view(np.uint8)).get(1, [])


def trace_labels(labels: NDArray[np.integer[Any]]) -> dict[int, list[Array]]:
    """Trace every label of a slice but 0, as :func:`trace` does a mask.

    Parameters
    ----------
    labels
        (rows, columns).
    """
    rows, columns = (np.flatnonzero(labels.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return {}
    # Muscles are a small part of their image: nothing else is looked at.
    top, left = int(rows[0]), int(columns[0])
    box = labels[top : rows[-1] + 1, left : columns[-1] + 1]
    edges = _Edges.of(np.pad(box, 1))
    numbers = edges.labels
    borders = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
    corner = np.array((top - 0.5, left - 0.5))
    return {
        int(numbers[part.start]): [path + corner for path in edges.paths(part)]
        for part in _parts(borders, len(numbers))
    }


def _parts(borders: Numbers, size: int) -> Iterator[slice]:
    """Yield the slices between borders of a sequence of some size."""
    for start, stop in pairwise([0, *borders.tolist(), size]):
        yield slice(start, stop)


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """The edges between labels and what is none of them, label by label.

    Of each label the upper edges of its pixels come first, row by row, then the right, the lower
    and the left ones.

    Attributes
    ----------
    labels, kinds
        The label on each edge's right, and which of ``STEPS`` it makes, (n,).
    starts
        The corner at which it starts, (n, 2).
    """

    labels: NDArray[np.integer[Any]]
    kinds: Numbers
    starts: Numbers

    @classmethod
    def of(cls, padded: NDArray[np.integer[Any]]) -> _Edges:
        """Find the edges of labels, (rows, columns), which none of the outermost pixels has."""
        inside = padded[1:-1, 1:-1]
        beside = (padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2])
        found = [np.flatnonzero((inside != other) & (inside != 0)) for other in beside]
        pixels = np.stack(np.divmod(np.concatenate(found), inside.shape[1]), axis=1)
        labels = inside[pixels[:, 0], pixels[:, 1]]
        kinds = np.repeat(np.arange(len(STEPS)), [len(each) for each in found])
        starts = pixels + np.array(_CORNERS).take(kinds, axis=0)
        order = np.argsort(labels, kind="stable")
        return cls(labels.take(order), kinds.take(order), starts.take(order, axis=0))

    def paths(self, part: slice) -> Iterator[Array]:
        """Yield the closed paths of one label's edges, as the corners at which they turn."""
        kinds, starts = self.kinds[part], self.starts[part]
        following, order = _following(kinds, starts)
        nexts = following.tolist()
        is_used = [False] * len(nexts)
        for first in order.tolist():
            edge, walked = first, []
            while not is_used[edge]:
                is_used[edge] = True
                edge = nexts[edge]
                walked.append(edge)
            if walked:
                last, own = kinds[[first, *walked[:-1]]], kinds[walked]
                yield starts[walked].compress(last != own, axis=0).astype(np.float64)


def _following(kinds: Numbers, starts: Numbers) -> tuple[Numbers, Numbers]:
    """Return the edge that follows each of one label's, and the order in which paths begin.

    Paths begin at corners in the order of their first edges, at a corner that has two with both.
    """
    ends = starts + np.array(STEPS).take(kinds, axis=0)
    width = int(starts[:, 1].max()) + 1
    at, to = (corners[:, 0] * width + corners[:, 1] for corners in (starts, ends))
    by_corner = np.argsort(at, kind="stable")
    corners = at.take(by_corner)
    first = corners.searchsorted(to)
    following = by_corner.take(first)
    # Where two pixels touch at a corner, turning right stays with the one walked round.
    meeting = corners.searchsorted(to, side="right") - first > 1
    wrong = meeting & (kinds.take(following) != (kinds + 1) % len(STEPS))
    following[wrong] = by_corner.take(first[wrong] + 1)
    leaders = by_corner.take(corners.searchsorted(at))
    return following, np.argsort(leaders, kind="stable")
