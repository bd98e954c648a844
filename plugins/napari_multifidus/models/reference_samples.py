"""Samples: several outlines of one structure on one slice, told apart by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from multifidus.data.roi import Roi
from napari_multifidus.models.shapes import LayerKey, same_loops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def layer_key_of(roi: Roi) -> LayerKey:
    """Say which layer an outline belongs to; names of samples do not tell layers apart."""
    key = LayerKey(roi.key.structure, roi.key.side)
    return key if key.holds_samples else replace(key, name=roi.key.name)


def name_samples(
    loops: Sequence[Array], before: Sequence[Roi]
) -> Iterator[tuple[str, Roi | None, list[Array]]]:
    """Give each sample its name, the outline it was before, and its paths.

    Samples that did not move keep their names whatever happened to the others; where none came or
    went, those that moved keep theirs as well.
    """
    paths = [path for roi in before for path in roi.paths]
    rest = list(loops)
    if len(paths) == len(rest):
        for roi in before:
            yield roi.key.name, roi, rest[: len(roi.paths_mm)]
            rest = rest[len(roi.paths_mm) :]
        return
    taken: set[str] = set()
    kept: list[tuple[Roi, list[Array]]] = []
    for roi in before:
        found = _take(rest, roi.paths)
        if found is not None:
            rest = found
            kept.append((roi, roi.paths))
            taken.add(roi.key.name)
    for roi, own in kept:
        yield roi.key.name, roi, own
    number = 0
    for loop in rest:
        number += 1
        while str(number) in taken:
            number += 1
        yield str(number), None, [loop]


def _take(loops: Sequence[Array], wanted: Iterable[Array]) -> list[Array] | None:
    """Remove paths from a list; None if one is not there."""
    left = list(loops)
    for path in wanted:
        place_of = next((i for i, loop in enumerate(left) if same_loops([loop], [path])), None)
        if place_of is None:
            return None
        del left[place_of]
    return left
