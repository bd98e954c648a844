"""What makes the reading unmeasurable, in sight until it is mended, with the button for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.views.style import Tone, give
from napari_multifidus.views.widgets import button, label

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator


class ObstacleBanner(QFrame):
    """Says what is wrong with the reading as a whole for as long as it is; else it is hidden.

    It needs the full width of the plugin's window, below what scrolls: nothing moves when it comes.

    Parameters
    ----------
    annotator
        What is open.
    """

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self.annotator = annotator
        self.words = label()
        self.mend = button("", "Mend what is wrong; Ctrl+Z undoes it")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.mend)
        self.mend.clicked.connect(self._mend)
        workspace = annotator.workspace
        for signal in (workspace.changed, workspace.opened, workspace.lock_changed):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is wrong now, or nothing."""
        workspace = self.annotator.workspace
        found = workspace.session.analysis.obstacle if workspace.is_open else None
        self.setVisible(found is not None)
        if found is None:
            return
        tone = Tone.ERROR if found.is_refusal else Tone.WARNING
        give(self, framed=tone)
        give(self.words, tone=tone)
        self.words.setText(workspace.access.redact(found.words))
        self.mend.setText(found.mending.value if found.mending is not None else "")
        self.mend.setVisible(found.mending is not None and not workspace.is_locked)

    def _mend(self) -> None:
        with reported(self.annotator.workspace.warning):
            self.annotator.mend()
