"""Sagittal and coronal sections beside the axial image, with one cross, where there is a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from napari_multifidus._compat import Signal
from napari_multifidus.controllers.timers import single_shot
from napari_multifidus.models.grid import spacing_mm
from napari_multifidus.models.reformat import Volume, volume_problem

if TYPE_CHECKING:
    from napari_multifidus.controllers.workspace import Workspace
    from napari_multifidus.models.reformat import Voxel
    from napari_multifidus.models.slice_projection import SliceProjection

FRAME_MS = 40
"""Sections follow the mouse this often; drawing comes first."""


class LinkedViews(QObject):
    """Sections of the series that is outlined.

    Parameters
    ----------
    workspace
        What is open.

    Attributes
    ----------
    changed
        Emitted when the sections, the cross, or why there are none have changed.
    voxel
        Slice, row and column of the cross.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.is_on = False
        self.voxel: Voxel = (0.0, 0.0, 0.0)
        self._volume: Volume | None = None
        self._timer = single_shot(FRAME_MS, self.changed.emit)
        workspace.opened.connect(self._opened)
        workspace.selection_changed.connect(self._follow)

    @property
    def why_not(self) -> str:
        """Why there are no sections; empty where there are."""
        if not self.workspace.is_open:
            return "no exam is open"
        return volume_problem(self.workspace.session.series)

    def set_on(self, *, on: bool) -> None:
        """Show sections, or none; no voxel is read while they are off."""
        if on == self.is_on:
            return
        self.is_on = on
        moves = self.workspace.viewer.mouse_move_callbacks
        if on:
            moves.append(self._moved)
        elif self._moved in moves:
            moves.remove(self._moved)
        self._opened()

    def _opened(self) -> None:
        self._timer.stop()
        self._volume = None
        if self.is_on and not self.why_not:
            self._volume = Volume.of(self.workspace.session.series)
            _, row, column = self._volume.middle
            self.voxel = float(self.workspace.canvas.index), row, column
        self.changed.emit()

    def sections(self) -> tuple[tuple[SliceProjection, tuple[float, float]], ...]:
        """Return the sagittal and the coronal section with the place of the cross on each."""
        volume = self._volume
        if volume is None:
            return ()
        point = volume.point_mm(self.voxel)[None]
        found = []
        for projection in volume.sections(self.voxel):
            right, down = projection.to_view(point)[0]
            found.append((projection, (float(right), float(down))))
        return tuple(found)

    def point(self, projection: SliceProjection, place: tuple[float, float]) -> None:
        """Put the cross at a place of a section, and go to its slice."""
        volume = self._volume
        if volume is None or not self.workspace.is_open:
            return
        self.voxel = volume.voxel_at(projection.to_patient(place))
        last = len(volume.series.slices) - 1
        index = min(max(round(self.voxel[0]), 0), last)
        self.voxel = float(index), *self.voxel[1:]
        if index != self.workspace.canvas.index:
            self.workspace.canvas.go_to(index)
        self.changed.emit()

    def page(self, count: int) -> None:
        """Go on by so many axial slices."""
        if self.workspace.is_open:
            self.workspace.canvas.go_to(self.workspace.canvas.index + count)

    def _follow(self) -> None:
        """Keep the cross on the axial slice that is shown."""
        if self._volume is not None and self.workspace.is_open:
            self.voxel = float(self.workspace.canvas.index), *self.voxel[1:]
            self.changed.emit()

    def _moved(self, viewer: Any, event: Any) -> None:  # noqa: ARG002 - napari passes it
        """Follow the mouse over the image."""
        if self._volume is None or not self.workspace.is_open:
            return
        rows, columns = spacing_mm(self._volume.series)
        row, column = (float(at) for at in event.position[-2:])
        self.voxel = self.voxel[0], row / rows, column / columns
        if not self._timer.isActive():
            self._timer.start()
