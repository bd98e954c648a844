"""What is shown while and after one draws: the pixels behind the numbers, and fat on the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer

from multifidus.data.anatomy import Side
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.fat_overlay import FatOverlay
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.grid import spacing_mm
from napari_multifidus.models.shapes import MULTIFIDUS_RIGHT, LayerKey

if TYPE_CHECKING:
    from napari_multifidus.models.preview import OutlinePreview

REST_MS = 60
"""How long the view rests before the pixels of a slice are previewed: leafing stays quick."""


class Feedback(QObject):
    """Shows what the active outline measures.

    Parameters
    ----------
    workspace
        What is open.

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

    def _show_fat(self, moving: dict[LayerKey, OutlinePreview]) -> None:
        """Show the fat of both sides: of one in motion as it is now, of others as at rest."""
        session, index = self.workspace.session, self.workspace.canvas.index
        structure = self._active_structure().structure
        if not structure.is_muscle:
            structure = MULTIFIDUS_RIGHT.structure
        keys = [LayerKey(structure, side) for side in (Side.LEFT, Side.RIGHT)]
        previews = {
            key: moving.get(key) or session.analysis.preview(key, index)
            for key in keys
            if session.drawing.loops(key, index)
        }
        if self._overlay is None:
            self._overlay = FatOverlay(self.workspace.viewer, spacing_mm(session.series))
        self._overlay.show(index, previews, session.series.slices[index].shape)
