"""Label maps: grids of voxels in which each number names a structure.

Labels become outlines along pixel edges, so that their area is exactly the number of voxels times
the pixel area. A label map must lie on the image's own grid; nothing is resampled.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.data.cells import whole
from multifidus.data.image import Exam, Series, Slice, Stack
from multifidus.data.roi import Reading, Roi, RoiKey, Source
from multifidus.data.roi_set import RoiSet, UnnamedLabels
from multifidus.errors import ReadError, RoiError
from multifidus.io.bids.names import bids_entities
from multifidus.io.files import is_file, reading
from multifidus.io.grid import VoxelGrid
from multifidus.io.label_edges import trace, trace_labels
from multifidus.io.label_names import INDEX, NAME, inline_scheme, is_bids_table, named_scheme
from multifidus.io.table_reader import ExpectedTable, read_table
from multifidus.measuring.locate import choose_series, describe, only_series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = Mapping[int, tuple[Structure, Side]]
    Voxels = NDArray[np.integer[Any]]

SAME_GRID_PIXELS = 0.05
"""Grids whose corners agree within this many pixels are one grid."""

WHOLE = 1e-3
"""Values this near to a whole number are that number: floating-point files round."""

WHOLE_STEPS = 0.05
"""Where values are stored as whole numbers with a slope, they are whole to half a slope, but to no
more than this: a converter that scales labels 0 to 3 into 16 bits leaves 1.99999 or 2.00003, and
one that scales labels up to 5132 is off by 0.039."""

LARGEST_LABEL = 2.0**31
"""Larger numbers are no labels."""

_MF, _ES = Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE
_PS, _QL = Structure.PSOAS, Structure.QUADRATUS_LUMBORUM
_R, _L = Side.RIGHT, Side.LEFT

PRESETS: Mapping[str, Labels] = {
    "lpm": {1: (_ES, _R), 2: (_MF, _R), 3: (_MF, _L), 4: (_ES, _L)},
    "lpm3shot": {50: (_ES, _R), 100: (_MF, _R), 150: (_MF, _L), 200: (_ES, _L)},
    "musclemap_abdomen": {
        1: (_MF, _R), 2: (_MF, _L), 3: (_ES, _R), 4: (_ES, _L),
        5: (_PS, _R), 6: (_PS, _L), 7: (_QL, _R), 8: (_QL, _L),
    },
    "musclemap_wholebody": {
        5101: (_MF, _L), 5102: (_MF, _R), 5111: (_ES, _L), 5112: (_ES, _R),
        5121: (_PS, _L), 5122: (_PS, _R), 5131: (_QL, _L), 5132: (_QL, _R),
    },
}  # fmt: skip
"""What the numbers of known label schemes mean. The two MuscleMap schemes run in opposite order,
so none is called just "musclemap"."""


_SCHEME_COLUMNS = ("value", "structure", "side", INDEX, NAME)


def load_labels(name: str) -> Labels:
    """Return a preset by name, or read a scheme from a TOML or TSV file.

    A table (TSV, CSV or a workbook) has the columns value, structure, side; a TOML file a list of
    tables ``labels`` with these keys. A BIDS table has the columns index, name; the names that say
    one structure and one side are taken. A scheme may be written out as well:
    ``1=multifidus left``.

    Raises
    ------
    ReadError
        If there is no such preset or file, or an entry is not understood.
    """
    if name in PRESETS:
        return PRESETS[name]
    inline = inline_scheme(name)
    if inline is not None:
        return inline
    path = Path(name)
    if not is_file(path):
        msg = f"There is no label preset or file {name!r}."
        raise ReadError(msg, remedy=f"Presets are: {', '.join(PRESETS)}.")
    try:
        if path.suffix == ".toml":
            with reading(path, "label scheme"):
                text = path.read_text(encoding="utf-8-sig")
            return _scheme(tomllib.loads(text)["labels"])
        table = read_table(path, ExpectedTable("label scheme", known=_SCHEME_COLUMNS))
        return named_scheme(table.rows) if is_bids_table(table.header) else _scheme(table.rows)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path} is not a label scheme of value, structure, side: {error!r}."
        remedy = "In a BIDS table of index and name, name muscles such as multifidus_left."
        raise ReadError(msg, remedy=remedy) from error


def _scheme(rows: Iterable[Mapping[str, Any]]) -> Labels:
    found: dict[int, tuple[Structure, Side]] = {}
    for row in rows:
        # By its text, so that 7.5 and true are refused in TOML as they are in TSV.
        value = whole(str(row["value"]))
        if value is None:
            msg = "an entry has no value"
            raise ValueError(msg)
        if value in found:
            msg = f"the value {value} stands there twice"
            raise ValueError(msg)
        structure, side = (str(row[name]).strip() for name in ("structure", "side"))
        found[value] = Structure(structure), Side(side)
    if not found:
        msg = "it is empty"
        raise ValueError(msg)
    return found


def read_labelmap(
    grid: VoxelGrid,
    exam: Exam,
    labels: Labels,
    series: str | int | None = None,
    *,
    passed_over: Collection[int] = (),
) -> RoiSet:
    """Read a label map as outlines of an exam's slices.

    Parameters
    ----------
    grid
        The label map.
    exam
        The exam it was drawn on.
    labels
        What its numbers mean.
    series
        Which series it was drawn on, as of
        :func:`multifidus.measuring.locate.choose_series`; needed where several have its
        geometry.
    passed_over
        Numbers that are known and not measured; others without a meaning stand in the result.

    Raises
    ------
    ReadError
        If the file is damaged or holds none of the labels.
    RoiError
        If its grid is none of the exam's, or that of several series of which none is chosen; or
        its file is named after another subject or session than the images are.
    """
    _check_whose(grid.path, exam)
    stack, axes = _matching_stack(grid, exam, series)
    voxels = _oriented(grid, axes)
    held = _held(voxels)
    known = [value for value in labels if value in held]
    if not known:
        first = sorted(held)[:12]
        msg = f"{grid.path} holds the values {first}, none of them in its label scheme."
        raise ReadError(msg, remedy=f"Check the preset; it expects {sorted(labels)}.")
    by = Reading(exam.subject, exam.timepoint)
    rois = tuple(
        _outline(traced, item, RoiKey(by, item.uid, *labels[value]))
        for item, image in zip(stack.slices, voxels, strict=True)
        for value, traced in _traced(image, known)
    )
    beyond = sorted(held - {0, *labels, *passed_over})
    unnamed = (UnnamedLabels(grid.path, tuple(beyond)),) if beyond else ()
    return RoiSet(rois, reading=by, is_unattributed=True, unnamed_labels=unnamed)


def _check_whose(path: Path, exam: Exam) -> None:
    """Refuse a label map of somebody else, whose grid may well be the same.

    Names of files are held against each other, not against what a study calls the subject.
    """
    for series in exam.series:
        differences = bids_entities(path).differs_from(series.entities)
        if differences:
            msg = f"{path} and the image that it is to outline differ by their names in: "
            raise RoiError(
                f"{msg}{', '.join(differences)}.",
                remedy="Give the label map of this image; if it is, name it after the image.",
            )


@dataclass(frozen=True, slots=True)
class _Axes:
    """How to turn a label map's (i, j, k) into an image's (slice, row, column)."""

    order: tuple[int, int, int]
    flipped: tuple[int, ...]


def _matching_stack(grid: VoxelGrid, exam: Exam, choice: str | int | None) -> tuple[Stack, _Axes]:
    chosen = None if choice is None else choose_series(exam, choice)
    stacks = [
        (series, stack)
        for series in ([chosen] if chosen else exam.series)
        for stack in series.stacks
    ]
    fitting = [
        (series, stack, axes)
        for series, stack in stacks
        if (axes := _same_grid(grid, stack)) is not None
    ]
    if fitting:
        what = f"The label map {grid.path}"
        only = only_series(exam, [series for series, _, _ in fitting], what)
        return _only_stack([item for item in fitting if item[0] is only], exam, what)
    msg = (
        f"The label map {grid.path} lies on another grid than the image. Label map: "
        f"{_describe(grid.shape, grid.affine_lps)}. "
        f"Image: {'; '.join(_describe_stack(stack) for _, stack in stacks)}."
    )
    raise RoiError(msg, remedy="Resample or draw it on this image; it is not resampled silently.")


def _only_stack(
    fitting: list[tuple[Series, Stack, _Axes]], exam: Exam, what: str
) -> tuple[Stack, _Axes]:
    series, stack, axes = fitting[0]
    if len(fitting) > 1:
        msg = (
            f"{what} fits {len(fitting)} stacks of the series {describe(exam, [series])}, which "
            f"holds several images of one place."
        )
        raise RoiError(msg, remedy="Give the images that it was drawn on alone.")
    return stack, axes


def _same_grid(grid: VoxelGrid, stack: Stack) -> _Axes | None:
    affine = stack.affine_lps
    if affine is None:
        return None
    rows, columns = stack.slices[0].shape
    wanted = (columns, rows, len(stack.slices))
    # Takes an index of the label map to one of the image; must permute and flip, nothing else.
    turn = _one_slice(np.linalg.inv(affine) @ grid.affine_lps, grid.shape, wanted)
    whole = np.rint(turn[:3, :3])
    if not (np.abs(whole).sum(axis=0) == 1).all() or not (np.abs(whole).sum(axis=1) == 1).all():
        return None
    came_from = np.argmax(np.abs(whole), axis=1)
    flipped = tuple(int(axis) for axis in range(3) if whole[axis, came_from[axis]] < 0)
    if tuple(grid.shape[source] for source in came_from) != wanted:
        return None
    last = np.array(grid.shape) - 1
    corners = np.array([np.where(pick, last, 0) for pick in np.ndindex(2, 2, 2)])
    found = corners @ turn[:3, :3].T + turn[:3, 3]
    exact = corners[:, came_from].astype(np.float64)
    for axis in flipped:
        exact[:, axis] = wanted[axis] - 1 - exact[:, axis]
    if np.abs(found - exact).max() > SAME_GRID_PIXELS:
        return None
    column, row, k = (int(axis) for axis in came_from)
    return _Axes((k, row, column), tuple(2 - axis for axis in flipped))


def _one_slice(
    turn: NDArray[np.float64], shape: tuple[int, ...], wanted: tuple[int, ...]
) -> NDArray[np.float64]:
    """Leave the length of the one step that nobody takes out of the comparison of single slices.

    How thick a single slice is, one file may say and the other not.
    """
    across = int(np.argmax(np.abs(turn[2, :3])))
    if wanted[2] != 1 or shape[across] != 1:
        return turn
    found = turn.copy()
    found[:3, across] = (0, 0, math.copysign(1.0, turn[2, across]))
    return found


def _oriented(grid: VoxelGrid, axes: _Axes) -> Voxels:
    """Read the labels as (slice, row, column), each slice in one piece of memory."""
    labels = np.flip(_labels(grid).transpose(axes.order), axes.flipped)
    return np.ascontiguousarray(labels)


def _held(voxels: Voxels) -> set[int]:
    """Return the values that a label map holds."""
    # Most voxels are of no label: looking for them alone is many times as fast.
    found = {value for image in voxels for value in np.unique(image[image != 0]).tolist()}
    return found if voxels.all() else {0, *found}


def _labels(grid: VoxelGrid) -> Voxels:
    found = grid.read()
    is_whole = found.dtype.kind in "iu"
    is_scaled = (grid.slope, grid.intercept) != (1.0, 0.0)
    if is_whole and not is_scaled and np.iinfo(found.dtype).max <= LARGEST_LABEL:
        return found
    half_step = abs(grid.slope) / 2 if is_whole else 0.0
    near = max(WHOLE, min(half_step, WHOLE_STEPS))
    values = found.astype(np.float64) * grid.slope + grid.intercept
    rounded = np.rint(values)
    with np.errstate(invalid="ignore"):
        whole = (np.abs(values - rounded) <= near) & (np.abs(values) <= LARGEST_LABEL)
    if not whole.all():
        value = float(values[~whole].flat[0])
        msg = (
            f"{grid.path} holds values that are not whole numbers, such as {value:.6g}; it is no "
            "label map."
        )
        remedy = "Threshold probabilities, and resample label maps by nearest neighbour only."
        raise ReadError(msg, remedy=remedy)
    return rounded.astype(np.int64)


def _describe(shape: tuple[int, ...], affine: NDArray[np.float64]) -> str:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return (
        f"shape {tuple(shape)}, spacing {spacing.round(4).tolist()} mm, first voxel at LPS "
        f"{affine[:3, 3].round(2).tolist()} mm, axes {affine[:3, :3].round(3).tolist()}"
    )


def _describe_stack(stack: Stack) -> str:
    rows, columns = stack.slices[0].shape
    shape = (columns, rows, len(stack.slices))
    affine = stack.affine_lps
    return f"shape {shape}, no regular grid" if affine is None else _describe(shape, affine)


def _traced(
    image: Voxels, values: Collection[int]
) -> Iterator[tuple[int, list[NDArray[np.float64]]]]:
    """Yield those of some values that a slice holds, each with its paths."""
    found = trace_labels(image)
    if 0 in values:
        found[0] = trace(image == 0)
    for value in values:
        if found.get(value):
            yield value, found[value]


def _outline(paths: Iterable[NDArray[np.float64]], item: Slice, key: RoiKey) -> Roi:
    paths_mm = tuple(map(item.plane.to_patient, paths))
    return Roi(key, paths_mm, item.plane, item.shape, source=Source.IMPORTED)
