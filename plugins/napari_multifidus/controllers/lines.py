"""Lines of outlines: as thick on the screen at every zoom, and as opaque, as the person wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_multifidus.controllers.structure_layer import StructureLayer
from napari_multifidus.controllers.timers import single_shot
from napari_multifidus.models.grid import spacing_mm
from napari_multifidus.models.image_view import OutlineStyle
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    from napari_multifidus.models.session import Session

ZOOM_REST_MS = 80
"""Lines get their width on the screen back this long after the last change of the zoom."""


class Lines:
    """How outlines are drawn on the layers of a session.

    Parameters
    ----------
    viewer, session, structures
        Where, what is drawn, and the layers that show it.
    """

    def __init__(
        self, viewer: Any, session: Session, structures: Mapping[LayerKey, StructureLayer]
    ) -> None:
        self._viewer, self._session, self._structures = viewer, session, structures
        self._style = OutlineStyle()
        self._zoomed = single_shot(ZOOM_REST_MS, self._show)
        viewer.scene.camera.events.zoom.connect(self._zoom_changed)

    def close(self) -> None:
        """Follow the zoom no more."""
        self._zoomed.stop()
        self._viewer.scene.camera.events.zoom.disconnect(self._zoom_changed)

    def wear(self, style: OutlineStyle) -> None:
        """Draw outlines so thick and so opaque."""
        self._style = style
        self._show()

    def show_on(self, own: StructureLayer) -> None:
        """Draw the outlines of a structure."""
        zoom = float(self._viewer.scene.camera.zoom)
        width = self._style.width(zoom, spacing_mm(self._session.series))
        own.show_lines(width, self._style.opacity)

    def _zoom_changed(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        # Once the wheel rests: every line of every slice is laid out anew.
        self._zoomed.start()

    def _show(self) -> None:
        for own in self._structures.values():
            self.show_on(own)
