"""Which slices of a series form stacks: runs of parallel, evenly spaced planes of one size.

Works on planes and shapes alone, so that a reader can group slices before any pixel is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.geometry import SAME_DIRECTION_DEG, SAME_PLANE_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.geometry import Plane

    Array = NDArray[np.float64]
    Shape = tuple[int, int]

EVEN_STEP_MM = 0.1
"""Slices whose step differs from their stack's by more than this are not evenly spaced."""


def stack_order(planes: Sequence[Plane], shapes: Sequence[Shape]) -> list[int]:
    """Return the indices of slices in stack order.

    Slices stand along the normal within each stack, and stacks along the first slice's normal.
    Slices at one place are parted: each repeat goes to a further stack.
    """
    centres = _centres(planes, shapes)
    runs: list[list[int]] = []
    for group in _parallel_groups(planes, shapes):
        waiting = _along_normal(group, planes, centres)
        while waiting:
            distinct, waiting = _part_repeats(waiting, centres)
            step = _typical_step(distinct, planes, centres)
            runs.extend(_cut(distinct, centres, dict.fromkeys(distinct, step)))
    normal = planes[0].normal
    runs.sort(key=lambda run: float(centres[run].mean(axis=0) @ normal))
    return [index for run in runs for index in run]


def stack_runs(planes: Sequence[Plane], shapes: Sequence[Shape]) -> list[list[int]]:
    """Cut slices, kept in their order, into stacks; returns the indices of each."""
    centres = _centres(planes, shapes)
    steps: dict[int, Array | None] = {}
    groups = _parallel_groups(planes, shapes)
    for group in groups:
        ordered = _along_normal(group, planes, centres)
        steps.update(dict.fromkeys(group, _typical_step(ordered, planes, centres)))
    group_of = {index: number for number, group in enumerate(groups) for index in group}
    same = [group_of[i] for i in range(len(planes))]
    return _cut(range(len(planes)), centres, steps, same)


def _centres(planes: Sequence[Plane], shapes: Sequence[Shape]) -> Array:
    """Centre of each image in LPS millimetres, shape (n, 3)."""
    middle = (np.array(shapes, dtype=np.float64) - 1) / 2
    origins, rows, columns = (
        np.array([getattr(plane, name) for plane in planes])
        for name in ("origin_mm", "row_step_mm", "column_step_mm")
    )
    return np.asarray(origins + middle[:, :1] * rows + middle[:, 1:] * columns)


def _parallel_groups(planes: Sequence[Plane], shapes: Sequence[Shape]) -> list[list[int]]:
    """Group slices that could stand in one stack: equal size, spacing and direction."""
    steps = np.array([(plane.row_step_mm, plane.column_step_mm) for plane in planes])
    spacing = np.linalg.norm(steps, axis=2)
    directions = steps / spacing[:, :, None]
    sizes = np.array(shapes)
    groups: list[list[int]] = []
    waiting = np.arange(len(planes))
    while len(waiting):
        first = waiting[0]
        turned = np.linalg.norm(directions[waiting] - directions[first], axis=2).max(axis=1)
        stretched = (np.abs(spacing[waiting] - spacing[first]) * sizes[first]).max(axis=1)
        together = (
            (turned < np.radians(SAME_DIRECTION_DEG))
            & (stretched <= EVEN_STEP_MM)
            & (sizes[waiting] == sizes[first]).all(axis=1)
        )
        groups.append(waiting[together].tolist())
        waiting = waiting[~together]
    return groups


def _along_normal(group: Sequence[int], planes: Sequence[Plane], centres: Array) -> list[int]:
    heights = centres[list(group)] @ planes[group[0]].normal
    return [group[i] for i in np.argsort(heights, kind="stable")]


def _part_repeats(ordered: Sequence[int], centres: Array) -> tuple[list[int], list[int]]:
    """Part sorted slices into those at distinct places and the repeats that are left over."""
    distinct: list[int] = [ordered[0]]
    repeats: list[int] = []
    for index in ordered[1:]:
        apart = np.linalg.norm(centres[index] - centres[distinct[-1]])
        (distinct if apart > SAME_PLANE_MM else repeats).append(index)
    return distinct, repeats


def _typical_step(ordered: Sequence[int], planes: Sequence[Plane], centres: Array) -> Array | None:
    """Return the step between neighbours that most of a group's slices share."""
    steps = np.diff(centres[list(ordered)], axis=0)
    steps = steps[np.abs(steps @ planes[ordered[0]].normal) > SAME_PLANE_MM]
    if not len(steps):
        return None
    shared = np.linalg.norm(steps[:, None] - steps[None], axis=2) <= EVEN_STEP_MM
    # Of equally common steps the shortest is the step; longer ones are gaps between stacks.
    best = np.lexsort((np.linalg.norm(steps, axis=1), -shared.sum(axis=1)))[0]
    return np.asarray(np.median(steps[shared[best]], axis=0))


def _cut(
    ordered: Sequence[int],
    centres: Array,
    steps: dict[int, Array | None],
    same: Sequence[int] | None = None,
) -> list[list[int]]:
    """Cut ordered slices wherever the step is not the typical one, forwards or backwards."""
    runs: list[list[int]] = []
    direction = 0
    for index in ordered:
        sign = 0
        step = steps[index]
        if runs and step is not None and (same is None or same[index] == same[runs[-1][-1]]):
            moved = centres[index] - centres[runs[-1][-1]]
            forwards, backwards = np.linalg.norm([moved - step, moved + step], axis=1)
            sign = int(forwards <= EVEN_STEP_MM) - int(backwards <= EVEN_STEP_MM)
        if sign and (len(runs[-1]) == 1 or sign == direction):
            runs[-1].append(index)
            direction = sign
        else:
            runs.append([index])
    return runs
