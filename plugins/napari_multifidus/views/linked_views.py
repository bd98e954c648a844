"""The sagittal and the coronal section beside the axial image; off until somebody wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_multifidus.views.picture import SlicePicture
from napari_multifidus.views.style import MARGIN, Tone
from napari_multifidus.views.widgets import grid, label

if TYPE_CHECKING:
    from napari_multifidus.controllers.linked_views import LinkedViews

TITLE = "Linked views"
HELP = "Press on a section to go there; the cross follows the mouse over the image."


class LinkedViewsPanel(QWidget):
    """Two sections through the cross.

    Parameters
    ----------
    controller
        What makes them.
    """

    def __init__(self, controller: LinkedViews) -> None:
        super().__init__()
        self.controller = controller
        self.sagittal = SlicePicture("Sagittal section", ("A", "P"))
        self.coronal = SlicePicture("Coronal section", ("R", "L"))
        self.note = label(HELP, colour=Tone.QUIET)
        layout = grid(self, (self.sagittal, 0, 0), (self.coronal, 1, 0), (self.note, 2, 0))
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        for row in (0, 1):
            layout.setRowStretch(row, 1)
        self.sagittal.pointed.connect(self._point_sagittal)
        self.coronal.pointed.connect(self._point_coronal)
        for picture in (self.sagittal, self.coronal):
            picture.paged.connect(controller.page)
        controller.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the sections as they are now."""
        found = self.controller.sections()
        names = ("sagittal section", "coronal section")
        if not found:
            words = f"No linked views: {self.controller.why_not}."
            for picture in (self.sagittal, self.coronal):
                picture.show_slice(None, words=words)
            return
        pictures = (self.sagittal, self.coronal)
        for picture, (projection, cross), name in zip(pictures, found, names, strict=True):
            picture.show_slice(projection, words=name)
            picture.show_cross(cross)

    def _point_sagittal(self, place: tuple[float, float]) -> None:
        self._point(0, place)

    def _point_coronal(self, place: tuple[float, float]) -> None:
        self._point(1, place)

    def _point(self, which: int, place: tuple[float, float]) -> None:
        found = self.controller.sections()
        if found:
            self.controller.point(found[which][0], place)
