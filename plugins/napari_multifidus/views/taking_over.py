"""The line that offers to take over a layer of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFrame, QHBoxLayout

from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.views.widgets import button, label

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator


class TakeOverLine(QFrame):
    """Stays in sight while a layer looks like an outline and is none.

    Parameters
    ----------
    annotator
        What is open.
    """

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self._annotator = annotator
        self.words = label()
        self.take = button("Take over", "Its shapes become outlines where nothing is drawn yet")
        self.leave = button("No", "Leave the layer alone")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.take)
        layout.addWidget(self.leave)
        self.take.clicked.connect(self._take)
        self.leave.clicked.connect(self._leave)
        annotator.taking_over.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what may be taken over."""
        words = self._annotator.taking_over.words
        self.words.setText(words)
        self.setVisible(bool(words))

    def _take(self) -> None:
        with reported(self._annotator.workspace.warning):
            self._annotator.taking_over.take()

    def _leave(self) -> None:
        self._annotator.taking_over.decline()
