"""What a hand has begun and not closed, with our tools or with napari's, on any layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_multifidus import _compat
from napari_multifidus.controllers.mouse import MouseStrokes
from napari_multifidus.controllers.structure_layer import StructureLayer
from napari_multifidus.models.half_drawn import HalfDrawn
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    from napari_multifidus.models.drawing import StructureOnSlice


class InHand:
    """Knows what is begun, and lets it wait where the hand goes elsewhere.

    Parameters
    ----------
    strokes, structures
        What our tools draw, and the layers that napari's draw in.
    """

    def __init__(
        self, strokes: MouseStrokes, structures: Mapping[LayerKey, StructureLayer]
    ) -> None:
        self._strokes, self._structures = strokes, structures

    def __bool__(self) -> bool:
        return self._strokes.has_begun or any(own.is_drawing for own in self._structures.values())

    def begun(self) -> list[tuple[LayerKey, int, HalfDrawn]]:
        """List what is begun and not closed: structure, slice, path."""
        found = [
            self._strokes.unfinished,
            *(own.unfinished() for own in self._structures.values()),
        ]
        return [one for one in found if one is not None]

    def places(self) -> list[StructureOnSlice]:
        """List where something is begun and not closed."""
        return [(key, index) for key, index, _ in self.begun()]

    def leave(self) -> bool:
        """Let what napari's tools draw wait; returns whether there was anything."""
        return any([own.leave() for own in self._structures.values()])  # noqa: C419 - all are left

    def leave_others(self, active: Any) -> bool:
        """Let what is drawn on layers other than the active one wait; returns as :meth:`leave`."""
        key = self._strokes.key
        if key is not None and key in self._structures and self._structures[key].layer != active:
            self._strokes.leave()
        others = [own for own in self._structures.values() if own.layer != active]
        return any([own.leave() for own in others])  # noqa: C419 - all are left

    def undo_corner(self) -> bool:
        """Undo the last corner; returns whether there was one."""
        if self._strokes.undo_corner():
            return True
        for own in self._structures.values():
            if own.is_drawing:
                _compat.take_back_vertex(own.layer)
                return True
        return False
