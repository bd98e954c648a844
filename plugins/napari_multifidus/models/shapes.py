"""Between napari's shapes and outlines: pure functions on arrays, no window, no napari.

A Shapes layer holds one structure of one side on all slices of a series. Its vertices are (slice,
row, column), each slice a whole number; rows and columns are the pixels of that slice's own plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.data.polygon import MINIMAL_POINTS, area, first_crossing
from multifidus.data.roi import Roi
from multifidus.editing.strokes import closed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SAMPLES = frozenset(
    {Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.CSF, Structure.ARTEFACT}
)
"""Structures of which one slice may have several outlines, each on its own: named 1, 2, ..."""

ELLIPSE_POINTS = 72
"""Vertices of the polygon that replaces an ellipse; its area is the ellipse's, exactly."""

ON_SLICE = 1e-3
"""Vertices whose slice coordinates differ by less than this lie on one slice."""

AXES = ("slice", "row", "column")
UNITS = ("pixel", "mm", "mm")


@dataclass(frozen=True, slots=True, order=True)
class LayerKey:
    """What a Shapes layer holds: a structure, its side, and a name where a file gives one."""

    structure: Structure
    side: Side = Side.NONE
    name: str = ""

    @classmethod
    def of(cls, roi: Roi) -> LayerKey:
        """Say which layer an outline belongs to; names of samples do not tell layers apart."""
        key = cls(roi.key.structure, roi.key.side)
        return key if key.holds_samples else replace(key, name=roi.key.name)

    @property
    def title(self) -> str:
        """Name of the layer, such as ``multifidus left``."""
        side = "" if self.side is Side.NONE else self.side.value
        return " ".join(filter(None, (self.structure.value, side, self.name)))

    @property
    def words(self) -> str:
        """The same in words, for messages and buttons."""
        return self.title.replace("_", " ")

    @property
    def opposite(self) -> LayerKey | None:
        """The same structure of the other side; None where it has no side."""
        other = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}.get(self.side)
        return None if other is None else replace(self, side=other)

    @property
    def holds_samples(self) -> bool:
        """Whether each shape is an outline of its own."""
        return self.structure in SAMPLES

    def as_dict(self) -> dict[str, str]:
        """Return plain values."""
        return {"structure": self.structure.value, "side": self.side.value, "name": self.name}

    @classmethod
    def from_dict(cls, values: Mapping[str, str]) -> LayerKey:
        """Make it from plain values."""
        side = Side(values.get("side", "none"))
        return cls(Structure(values["structure"]), side, values.get("name", ""))


MULTIFIDUS_LEFT = LayerKey(Structure.MULTIFIDUS, Side.LEFT)
MULTIFIDUS_RIGHT = LayerKey(Structure.MULTIFIDUS, Side.RIGHT)
LEAN = LayerKey(Structure.LEAN_REFERENCE)
FAT = LayerKey(Structure.FAT_REFERENCE)

NEEDED_BY_MOST = (LEAN, FAT, MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT)
"""Structures that are drawn on nearly every exam: their layers are kept for the next one."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerShape:
    """One shape of a layer as it is now.

    Attributes
    ----------
    index
        Its place in the layer.
    slice_index
        The slice it lies on; None where it lies on none, as ``problem`` says.
    loop
        Its closed path, shape (n, 2): row, column in pixels.
    across
        The slices that it has vertices on, where these are several.
    """

    index: int
    slice_index: int | None
    loop: Array
    problem: str = ""
    across: tuple[int, ...] = ()


def read_shapes(
    data: Sequence[Any], shape_types: Sequence[str], slice_count: int
) -> tuple[LayerShape, ...]:
    """Read the shapes of a layer: every kind becomes a closed path, on a whole slice."""
    return tuple(
        _read_shape(index, np.asarray(vertices, dtype=np.float64), str(kind), slice_count)
        for index, (vertices, kind) in enumerate(zip(data, shape_types, strict=True))
    )


def _read_shape(index: int, vertices: Array, kind: str, slice_count: int) -> LayerShape:
    places = vertices[:, 0]
    loop = closed(_ellipse(vertices[:, 1:]) if kind == "ellipse" else vertices[:, 1:])
    if np.ptp(places) > ON_SLICE:
        problem = "runs across several slices; draw it in one slice"
        return LayerShape(index, None, loop, problem, tuple(map(int, np.unique(places.round()))))
    place = round(float(places[0]))
    if not 0 <= place < slice_count:
        return LayerShape(index, None, loop, "lies beyond the first or last slice")
    return LayerShape(index, place, loop)


def _ellipse(corners: Array) -> Array:
    """Replace an ellipse, given by its box's corners (4, 2), by a polygon of the same area."""
    centre = corners.mean(axis=0)
    first, second = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angle = np.arange(ELLIPSE_POINTS) * (2 * np.pi / ELLIPSE_POINTS)
    step = 2 * np.pi / ELLIPSE_POINTS
    grown = np.sqrt(step / np.sin(step))
    around = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
    return np.asarray(centre + grown * around)


def by_slice(drawn: Iterable[LayerShape]) -> dict[int, list[Array]]:
    """Group the paths of shapes by the slice they lie on."""
    grouped: dict[int, list[Array]] = {}
    for shape in drawn:
        if shape.slice_index is not None:
            grouped.setdefault(shape.slice_index, []).append(shape.loop)
    return grouped


def problem_of(loops: Sequence[Array]) -> str:
    """Say why paths are no outline, or nothing where they are one."""
    for loop in loops:
        if len(loop) < MINIMAL_POINTS:
            return f"has {len(loop)} points; an outline needs at least three"
    crossing = first_crossing(loops)
    if crossing is not None:
        who = "crosses itself" if len(loops) == 1 else "crosses itself or its neighbour"
        return f"{who} near row {crossing[0]:.0f}, column {crossing[1]:.0f}"
    if area(loops) == 0:
        return "encloses nothing"
    return ""


def vertices_of(loop: Array, slice_index: int) -> Array:
    """Turn a path (n, 2) on a slice into a layer's vertices (n, 3)."""
    return np.column_stack((np.full(len(loop), float(slice_index)), loop))


def as_napari(loop: Array) -> Array:
    """Round a path as napari keeps it (single precision), to compare what it gives back."""
    return loop.astype(np.float32).astype(np.float64)


def same_loops(first: Sequence[Array], second: Sequence[Array]) -> bool:
    """Whether two lists of paths are the same, but for napari's precision."""
    return len(first) == len(second) and all(
        a.shape == b.shape and bool((as_napari(a) == as_napari(b)).all())
        for a, b in zip(first, second, strict=True)
    )


# Okabe and Ito's palette, told apart with every kind of colour vision, and on grey.
_COLOURS = {
    Side.LEFT: "#56b4e9",
    Side.RIGHT: "#e69f00",
    Structure.LEAN_REFERENCE: "#1fd6a2",
    Structure.FAT_REFERENCE: "#f0e442",
    Structure.ARTEFACT: "#cc79a7",
}
_OTHER_COLOUR = "#dddddd"
LAYER_COLOURS = (*_COLOURS.values(), _OTHER_COLOUR)
"""Colours of layers."""

PROBLEM_COLOUR = "#ff1744"
EDGE_WIDTH = 0.8
"""Width of lines at first, in pixels of the image."""

PROBLEM_FACTOR = 2.25
"""So much thicker are the lines of what is no outline."""


def colour_of(key: LayerKey) -> str:
    """Colour of a layer: left blue, right orange, references green and yellow."""
    return _COLOURS.get(key.structure) or _COLOURS.get(key.side) or _OTHER_COLOUR


def face_of(key: LayerKey) -> str:
    """Fill of a layer's shapes: its colour, nearly transparent."""
    return f"{colour_of(key)}0d"
