"""What is shown while and after one draws: the pixels behind the numbers, and fat on the image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

from multifidus.data.anatomy import Side
from multifidus.figures.overlay import FAT_COLOUR as _FAT
from napari_multifidus import _compat
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.canvas_texts import write
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.grid import spacing_mm
from napari_multifidus.models.preview import OutlinePreview
from napari_multifidus.models.shapes import AXES, MULTIFIDUS_RIGHT, UNITS, LayerKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

REST_MS = 60
"""How long the view rests before the pixels of a slice are previewed: leafing stays quick."""

FAT_COLOUR = tuple(int(part) for part in _FAT)
"""The colour of fat, as on the pictures of the results."""

LEAN_COLOUR = (0, 158, 115)
FAT_OPACITY, LEAN_OPACITY = 150, 60
"""Of 255."""

_FAT_PIXEL, _LEAN_PIXEL = np.array(
    ((*FAT_COLOUR, FAT_OPACITY), (*LEAN_COLOUR, LEAN_OPACITY)), np.uint8
).view(np.uint32)[:, 0]

NAME = "fat in the muscle"
FAT_SHOWN = "fat highlighted"
"""Said on the image, so that nobody takes the colours for it."""

MARGIN = 24
"""Pixels around outlines by which they may grow before the layer is laid out anew."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box of pixels of one slice."""

    top: int
    left: int
    rows: int
    columns: int

    @classmethod
    def around(cls, previews: Iterable[OutlinePreview], shape: tuple[int, int]) -> Box | None:
        """Lay a box around previews, with a margin; None around nothing."""
        found = [preview.pixels for preview in previews if len(preview.pixels)]
        if not found:
            return None
        points = np.concatenate(found)
        low = np.maximum(points.min(axis=0) - MARGIN, 0)
        high = np.minimum(points.max(axis=0) + 1 + MARGIN, shape)
        (top, left), (rows, columns) = low.tolist(), (high - low).tolist()
        return cls(top, left, rows, columns)

    def holds(self, previews: Iterable[OutlinePreview]) -> bool:
        """Whether all previewed pixels lie inside."""
        ends = ((self.top, self.top + self.rows), (self.left, self.left + self.columns))
        # Rows and columns by themselves: along short axes numpy is many times as slow.
        return all(
            first <= places.min() and places.max() < end
            for preview in previews
            if len(preview.pixels)
            for places, (first, end) in zip(preview.pixels.T, ends, strict=True)
        )


def paint(picture: Pixels, box: Box, previews: Iterable[OutlinePreview]) -> None:
    """Paint fat and lean pixels into a picture of a box, (rows, columns, red green blue opacity).

    What has no threshold stays as it is on the image.
    """
    picture[:] = 0
    # A pixel is one number: to write four of them takes ten times as long.
    whole = picture.view(np.uint32)[..., 0]
    for preview in previews:
        if not np.isnan(preview.numbers.threshold):
            row, column = preview.pixels.T
            whole[row - box.top, column - box.left] = np.where(
                preview.is_fat, _FAT_PIXEL, _LEAN_PIXEL
            )


class FatOverlay:
    """A layer on top of the image that shows fat and lean pixels of the active outlines.

    It covers the box around them and nothing else, and is painted in place while they move.

    Parameters
    ----------
    viewer
        The napari viewer.
    spacing_mm
        Of the images: distance between rows, and between columns.
    """

    def __init__(self, viewer: Any, spacing_mm: tuple[float, float]) -> None:
        self.viewer = viewer
        self._scale = (1.0, *spacing_mm)
        self._layer: Any = None
        self._place: tuple[int, Box] | None = None

    @property
    def is_shown(self) -> bool:
        """Whether there is a layer."""
        return self._layer is not None and self._layer in self.viewer.layers

    def show(
        self, index: int, previews: Mapping[LayerKey, OutlinePreview], shape: tuple[int, int]
    ) -> None:
        """Show what is fat of outlines on a slice of a shape."""
        found = list(previews.values())
        kept = self.is_shown and self._place is not None and self._place[0] == index
        if kept and self._place is not None and self._place[1].holds(found):
            paint(self._layer.data[0], self._place[1], found)
            _compat.show_pixels(self.viewer, self._layer)
            return
        box = Box.around(found, shape)
        if box is None:
            self.clear()
            return
        picture = np.zeros((1, box.rows, box.columns, 4), np.uint8)
        paint(picture[0], box, found)
        self._lay_out(picture, index, box)

    def _lay_out(self, picture: Pixels, index: int, box: Box) -> None:
        _, down, across = self._scale
        translate = (float(index), box.top * down, box.left * across)
        self._place = (index, box)
        if self.is_shown:
            self._layer.data = picture
            self._layer.translate = translate
            return
        from napari.layers import Image

        layer = Image(
            picture,
            rgb=True,
            name=NAME,
            scale=self._scale,
            translate=translate,
            units=UNITS,
            axis_labels=AXES,
            interpolation2d="nearest",
            metadata={},
        )
        active = self.viewer.layers.selection.active
        images = [n for n, other in enumerate(self.viewer.layers) if isinstance(other, Image)]
        self.viewer.layers.insert(images[-1] + 1 if images else 0, layer)
        self._layer = layer
        # A layer that is added becomes the active one.
        self.viewer.layers.selection.active = active

    def clear(self) -> None:
        """Show nothing."""
        if self.is_shown:
            self.viewer.layers.remove(self._layer)
        self._layer = self._place = None


class Feedback(QObject):
    """Shows what the active outline measures.

    Attributes
    ----------
    previewed
        Emitted with a structure and its :class:`~napari_multifidus.models.preview.OutlinePreview`,
        None where nothing is drawn.
    """

    previewed = Signal(object, object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.shows_fat = False
        self._overlay: FatOverlay | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self.show_preview)
        workspace.outline_moved.connect(self._follow)
        workspace.selection_changed.connect(self._timer.start)
        workspace.changed.connect(self._timer.start)
        workspace.opened.connect(self._begin)

    def _begin(self) -> None:
        """Start anew with the exam that was opened; clear away after one that was closed."""
        if self._overlay is not None:
            self._overlay.clear()
            self._say_fat()
        self._overlay = None
        if self.workspace.is_open:
            self._timer.start()
        else:
            self._timer.stop()
            self.previewed.emit(None, None)

    def _active_structure(self) -> LayerKey:
        """Return the active structure; the right multifidus where there is none."""
        canvas = self.workspace.canvas
        return canvas.active or canvas.place[1] or MULTIFIDUS_RIGHT

    def show_preview(self) -> None:
        """Show the active outline as it is at rest."""
        self._timer.stop()
        if not self.workspace.is_open:
            return
        analysis, index = self.workspace.session.analysis, self.workspace.canvas.index
        key = self._active_structure()
        drawn = bool(analysis.drawing.loops(key, index))
        self.previewed.emit(key, analysis.preview(key, index) if drawn else None)
        if self.shows_fat:
            self._show_fat({})

    def _follow(self, key: LayerKey, index: int, preview: OutlinePreview) -> None:
        """Follow the outline in motion."""
        self._timer.stop()
        self.previewed.emit(key, preview)
        if self.shows_fat and index == self.workspace.canvas.index:
            self._show_fat({key: preview})

    def toggle_fat(self) -> None:
        """Show fat and lean pixels of the active muscle on the image, or no longer."""
        self.shows_fat = not self.shows_fat
        if self.shows_fat and self.workspace.is_open:
            self._show_fat({})
        elif self._overlay is not None:
            self._overlay.clear()
            self._say_fat()

    def _say_fat(self) -> None:
        """Say on the image that not all of its brightness is its own, as long as fat is shown."""
        words = FAT_SHOWN if self._overlay is not None and self._overlay.is_shown else ""
        write(self.workspace.viewer, "fat", words, "bottom_right")

    def _show_fat(self, moving: dict[LayerKey, OutlinePreview]) -> None:
        """Show the fat of both sides: of one in motion as it is now, of others as at rest."""
        session, index = self.workspace.session, self.workspace.canvas.index
        drawing = session.drawing
        structure = self._active_structure().structure
        if not structure.is_muscle:
            structure = MULTIFIDUS_RIGHT.structure
        keys = [LayerKey(structure, side) for side in (Side.LEFT, Side.RIGHT)]
        previews = {
            key: moving.get(key) or session.analysis.preview(key, index)
            for key in keys
            if (key, index) in drawing.outlines or drawing.loops(key, index)
        }
        if self._overlay is None:
            self._overlay = FatOverlay(self.workspace.viewer, spacing_mm(session.series))
        self._overlay.show(index, previews, session.series.slices[index].shape)
        self._say_fat()
