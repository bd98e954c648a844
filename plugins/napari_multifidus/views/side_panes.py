"""What can be seen in the place of the sagittal image: the previous exam, the linked views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from napari_multifidus.views.linked_views import TITLE as LINKED_VIEWS, LinkedViewsPanel
from napari_multifidus.views.previous import TITLE as PREVIOUS, PreviousPanel

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_multifidus.controllers.annotator import Annotator


class PaneSource(Protocol):
    """What a side pane shows."""

    is_on: bool

    @property
    def why_not(self) -> str:
        """Why there is nothing to show; empty where there is."""

    def set_on(self, *, on: bool) -> None:
        """Show it, or not; nothing is read or computed while it is off."""


@dataclass(frozen=True, slots=True)
class SidePane:
    """A panel in one place with the sagittal image, off until somebody wants it."""

    panel: QWidget
    title: str
    source: PaneSource


def side_panes(annotator: Annotator) -> dict[str, SidePane]:
    """Make the panes of a window, by the names of their buttons."""
    previous, views = annotator.previous, annotator.linked_views
    return {
        "previous": SidePane(PreviousPanel(annotator), PREVIOUS, previous),
        "views": SidePane(LinkedViewsPanel(views), LINKED_VIEWS, views),
    }
