"""Shapes in a layer of the user's own that look like outlines: whose, and taking them over.

Knows neither napari nor Qt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Side, Structure
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_multifidus.models.session import Session

    Loops = Sequence[NDArray[np.float64]]

_SIDES = {"left": Side.LEFT, "l": Side.LEFT, "right": Side.RIGHT, "r": Side.RIGHT}

_SHORT = {
    "mf": Structure.MULTIFIDUS,
    "es": Structure.ERECTOR_SPINAE,
    "erector": Structure.ERECTOR_SPINAE,
    "ql": Structure.QUADRATUS_LUMBORUM,
    "quadratus": Structure.QUADRATUS_LUMBORUM,
    "lean": Structure.LEAN_REFERENCE,
    "fat": Structure.FAT_REFERENCE,
    **{structure.value.replace("_", ""): structure for structure in Structure},
    **{structure.value: structure for structure in Structure if "_" not in structure.value},
}
"""What people call structures, in words of a layer's name."""

_FILLERS = frozenset({"spinae", "lumborum", "reference", "ref", "roi", "outline", "muscle", ""})


def key_like(name: str) -> LayerKey | None:
    """Return the structure and side that a layer's name says; None where it says no such thing.

    Every word of the name has to be understood: ``MF left`` is an outline, ``notes on MF`` is none.
    A muscle without a side is none either.
    """
    sides: set[Side] = set()
    structures: set[Structure] = set()
    for word in re.split(r"[^a-z]+", re.sub(r"\[\d+\]$", "", name.strip()).lower()):
        if word in _SIDES:
            sides.add(_SIDES[word])
        elif word in _SHORT:
            structures.add(_SHORT[word])
        elif word not in _FILLERS:
            return None
    if len(structures) != 1 or len(sides) > 1:
        return None
    (structure,) = structures
    if structure.is_muscle != bool(sides):
        return None
    return LayerKey(structure, sides.pop() if sides else Side.NONE)


def take_over(session: Session, key: LayerKey, drawn: Mapping[int, Loops]) -> tuple[int, int]:
    """Take outlines over, by slice, where nothing is drawn of their structure.

    Returns
    -------
    tuple
        On how many slices they were taken over, and on how many there is an outline already.

    Raises
    ------
    RoiError
        If the reading is locked.
    """
    free = [index for index in sorted(drawn) if not session.drawing.loops(key, index)]
    for index in free:
        session.put(key, index, drawn[index])
    return len(free), len(drawn) - len(free)
