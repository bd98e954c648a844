"""Which slices of a series form stacks: runs of parallel, evenly spaced planes of one size.

Works on planes and shapes alone, so that a reader can group slices before any pixel is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.flags import Flag
from multifidus.data.geometry import SAME_DIRECTION_DEG, SAME_PLANE_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.geometry import Plane

    Array = NDArray[np.float64]
    Shape = tuple[int, int]

EVEN_STEP_MM = 0.1
"""Slices whose step differs from their stack's by more than this are not evenly spaced."""

ANOTHER_VIEW_DEG = 60.0
"""Slices turned further than this from all others are another view, such as the sagittal one."""

WIDEST_STEP_MM = 20.0
"""Slices further apart than this lie at different levels; nothing is missing between them."""

WIDEST_GAP_STEPS = 3
"""A gap of at most this many steps is a fault of one stack; a wider one parts two stacks."""


_SAME_DIRECTION = math.radians(SAME_DIRECTION_DEG)

_ASKEW = np.array((0.31, 0.47, 0.826))
"""A direction that series do not run across; at most 1 long."""


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
            runs.extend(_cut(distinct, centres, np.broadcast_to(step, (len(distinct), 3))))
    normal = planes[0].normal
    runs.sort(key=lambda run: float(centres[run].mean(axis=0) @ normal))
    return [index for run in runs for index in run]


def stack_runs(planes: Sequence[Plane], shapes: Sequence[Shape]) -> list[list[int]]:
    """Cut slices, kept in their order, into stacks; returns the indices of each."""
    centres = _centres(planes, shapes)
    steps = np.empty((len(planes), 3))
    group_of = np.empty(len(planes), dtype=int)
    for number, group in enumerate(_parallel_groups(planes, shapes)):
        group_of[group] = number
        steps[group] = _typical_step(_along_normal(group, planes, centres), planes, centres)
    # Between slices that are not parallel there is no step.
    steps[1:][np.diff(group_of) != 0] = np.nan
    return _cut(range(len(planes)), centres, steps)


def view_groups(planes: Sequence[Plane]) -> list[list[int]]:
    """Part slices by view; returns the indices of each, such as axial and sagittal slices.

    Stacks angled to their discs stay together, however steep the steepest, as long as each has
    another within ``ANOTHER_VIEW_DEG``.
    """
    normals = np.array([plane.normal for plane in planes])
    waiting = np.arange(len(planes))
    groups: list[list[int]] = []
    while len(waiting):
        found = np.zeros(len(waiting), dtype=bool)
        edge = np.arange(len(waiting)) == 0
        while edge.any():
            found |= edge
            near = np.abs(normals[waiting] @ normals[waiting[edge]].T).max(axis=1)
            edge = (near >= np.cos(np.radians(ANOTHER_VIEW_DEG))) & ~found
        groups.append(waiting[found].tolist())
        waiting = waiting[~found]
    return groups


def same_places(planes: Sequence[Plane], shapes: Sequence[Shape]) -> list[list[int]]:
    """Find slices at one place; returns the indices at each place that holds several."""
    centres = _centres(planes, shapes)
    # What is apart along any one line is apart, which settles nearly every series at once.
    if (np.diff(np.sort(centres @ _ASKEW)) > SAME_PLANE_MM).all():
        return []
    places: list[list[int]] = []
    for group in _parallel_groups(planes, shapes):
        ordered = _along_normal(group, planes, centres)
        moved = _lengths(np.diff(centres[ordered], axis=0))
        ends = np.flatnonzero(moved > SAME_PLANE_MM) + 1
        places.extend(part.tolist() for part in np.split(np.array(ordered), ends) if len(part) > 1)
    return [sorted(place) for place in places]


def stack_flags(
    planes: Sequence[Plane], shapes: Sequence[Shape], runs: Sequence[Sequence[int]]
) -> list[tuple[Flag, ...]]:
    """Say what is doubtful about the places of slices, for each stack that they were cut into."""
    centres = _centres(planes, shapes)
    found: list[set[Flag]] = [set() for _ in runs]
    for number, run in enumerate(runs):
        if _is_sheared(centres[run[-1]] - centres[run[0]], len(run), planes[run[0]]):
            found[number].add(Flag.STACK_SHEARED)
    if len(runs) > 1:
        run_of = {index: number for number, run in enumerate(runs) for index in run}
        for place in same_places(planes, shapes):
            for index in place:
                found[run_of[index]].add(Flag.SLICES_DUPLICATED)
        firsts = [run[0] for run in runs]
        for group in _parallel_groups([planes[i] for i in firsts], [shapes[i] for i in firsts]):
            if len(group) == 1:
                continue
            normal = planes[firsts[group[0]]].normal
            heights = [np.sort(centres[list(runs[number])] @ normal) for number in group]
            for pair, flag in _gaps(heights):
                for place_in_group in pair:
                    found[group[place_in_group]].add(flag)
    return [tuple(flag for flag in Flag if flag in flags) for flags in found]


def _is_sheared(across: Array, count: int, plane: Plane) -> bool:
    aside = across - (across @ plane.normal) * plane.normal
    return count > 1 and float(np.linalg.norm(aside)) / (count - 1) > EVEN_STEP_MM


def _gaps(heights: Sequence[Array]) -> Iterator[tuple[tuple[int, int], Flag]]:
    """Find gaps of a few steps between parallel stacks, whose slices' heights are given.

    A gap of whole steps lacks slices; any other makes the distances uneven.
    """
    longest = max(heights, key=len)
    step = float(np.median(np.diff(longest))) if len(longest) > 1 else math.inf
    if not SAME_PLANE_MM < step <= WIDEST_STEP_MM:
        return
    upwards = sorted(range(len(heights)), key=lambda number: float(heights[number][0]))
    below = upwards[0]
    for above in upwards[1:]:
        gap = float(heights[above][0] - heights[below][-1])
        if SAME_PLANE_MM < gap <= WIDEST_GAP_STEPS * step + EVEN_STEP_MM:
            steps = round(gap / step)
            if steps < 1 or abs(gap - steps * step) > EVEN_STEP_MM:
                yield (below, above), Flag.SLICES_UNEVEN
            elif steps > 1:
                yield (below, above), Flag.SLICES_MISSING
        if heights[above][-1] > heights[below][-1]:
            below = above


def _centres(planes: Sequence[Plane], shapes: Sequence[Shape]) -> Array:
    """Centre of each image in LPS millimetres, shape (n, 3)."""
    middle = (np.array(shapes, dtype=np.float64) - 1) / 2
    origins = np.array([plane.origin_mm for plane in planes])
    rows = np.array([plane.row_step_mm for plane in planes])
    columns = np.array([plane.column_step_mm for plane in planes])
    return np.asarray(origins + middle[:, :1] * rows + middle[:, 1:] * columns)


def _parallel_groups(planes: Sequence[Plane], shapes: Sequence[Shape]) -> list[list[int]]:
    """Group slices that could stand in one stack: equal size, spacing and direction."""
    # Most slices have the very steps of another, so that few kinds are left to be compared.
    kinds: dict[tuple[bytes, bytes, Shape], list[int]] = {}
    for index, (plane, shape) in enumerate(zip(planes, shapes, strict=True)):
        key = plane.row_step_mm.tobytes(), plane.column_step_mm.tobytes(), shape
        kinds.setdefault(key, []).append(index)
    members = list(kinds.values())
    if len(members) == 1:
        return members
    firsts = [planes[group[0]] for group in members]
    steps = np.array([(plane.row_step_mm, plane.column_step_mm) for plane in firsts])
    sizes = np.array([shapes[group[0]] for group in members])
    spacing = _lengths(steps)
    directions = steps / spacing[:, :, None]
    groups: list[list[int]] = []
    waiting = np.arange(len(members))
    while len(waiting):
        first = waiting[0]
        turned = _lengths(directions[waiting] - directions[first])
        stretched = np.abs(spacing[waiting] - spacing[first]) * sizes[first]
        together = (
            (turned < _SAME_DIRECTION)
            & (stretched <= EVEN_STEP_MM)
            & (sizes[waiting] == sizes[first])
        ).all(axis=1)
        groups.append(sorted(index for kind in waiting[together] for index in members[kind]))
        waiting = waiting[~together]
    return groups


def _along_normal(group: Sequence[int], planes: Sequence[Plane], centres: Array) -> list[int]:
    heights = centres[list(group)] @ planes[group[0]].normal
    return [group[i] for i in np.argsort(heights, kind="stable")]


def _part_repeats(ordered: Sequence[int], centres: Array) -> tuple[list[int], list[int]]:
    """Part sorted slices into those at distinct places and the repeats that are left over."""
    if (_lengths(np.diff(centres[list(ordered)], axis=0)) > SAME_PLANE_MM).all():
        return list(ordered), []
    distinct: list[int] = [ordered[0]]
    repeats: list[int] = []
    for index in ordered[1:]:
        apart = np.linalg.norm(centres[index] - centres[distinct[-1]])
        (distinct if apart > SAME_PLANE_MM else repeats).append(index)
    return distinct, repeats


def _typical_step(ordered: Sequence[int], planes: Sequence[Plane], centres: Array) -> Array:
    """Return the step between neighbours that most of a group's slices share; NaN if none."""
    steps = np.diff(centres[list(ordered)], axis=0)
    steps = steps[np.abs(steps @ planes[ordered[0]].normal) > SAME_PLANE_MM]
    if not len(steps):
        return np.full(3, np.nan)
    if _lengths(steps.max(axis=0) - steps.min(axis=0)) > EVEN_STEP_MM / 2:
        # Thousands of slices have few kinds of step; comparing kinds keeps memory small.
        kinds, counts = np.unique(np.round(steps, 2), axis=0, return_counts=True)
        alike = np.linalg.norm(kinds[:, None] - kinds[None], axis=2) <= EVEN_STEP_MM
        # Of equally common steps the shortest is the step; longer ones are gaps between stacks.
        best = kinds[np.lexsort((np.linalg.norm(kinds, axis=1), -(alike @ counts)))[0]]
        steps = steps[_lengths(steps - best) <= EVEN_STEP_MM]
    upwards = np.sort(steps, axis=0)
    return np.asarray((upwards[(len(steps) - 1) // 2] + upwards[len(steps) // 2]) / 2)


def _cut(ordered: Sequence[int], centres: Array, steps: Array) -> list[list[int]]:
    """Cut ordered slices wherever the step is not the typical one, forwards or backwards.

    The typical step to each slice has shape (n, 3), in their order; NaN where there is none.
    """
    moved = np.diff(centres[list(ordered)], axis=0)
    forwards = _lengths(moved - steps[1:]) <= EVEN_STEP_MM
    backwards = _lengths(moved + steps[1:]) <= EVEN_STEP_MM
    signs = forwards.astype(int) - backwards.astype(int)
    runs = [[ordered[0]]]
    direction = 0
    for index, sign in zip(ordered[1:], signs.tolist(), strict=True):
        if sign and (len(runs[-1]) == 1 or sign == direction):
            runs[-1].append(index)
            direction = sign
        else:
            runs.append([index])
    return runs


def _lengths(vectors: Array) -> Array:
    """Lengths of vectors, shape (..., 3), several times faster than numpy's norm of a few."""
    return np.asarray(np.sqrt(np.add.reduce(vectors * vectors, axis=-1)))
