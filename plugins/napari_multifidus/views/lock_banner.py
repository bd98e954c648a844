"""The banner over a finished reading: that nothing can be changed, and how it could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFrame, QHBoxLayout

from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.views.widgets import ask_reason, button, label

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator

WORDS = "Finished and locked: outlines, levels, landmarks and grades cannot be changed."
HERE = "Unlock… asks for the reason and records it."
ELSEWHERE = "It can only be unlocked in its reading list (multifidus annotate cohort.csv)."
UNLOCK_QUESTION = "Why must this finished reading be changed?"

_STYLE = (
    "LockBanner { background-color: #4a3a10; border: 1px solid #ffb000; border-radius: 4px; }"
    "LockBanner QLabel { color: #ffd27a; font-size: 12px; background: transparent; }"
)


class LockBanner(QFrame):
    """Stays over the window as long as what is open is locked.

    Parameters
    ----------
    annotator
        What is open.
    """

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self.annotator = annotator
        self.words = label()
        self.unlock = button("Unlock…", "Change this finished reading; the reason is recorded")
        self.setStyleSheet(_STYLE)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.unlock)
        self.unlock.clicked.connect(self._unlock)
        annotator.workspace.lock_changed.connect(self.refresh)
        annotator.workspace.opened.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show whether what is open is locked, and what can be done about that."""
        controller = self.annotator.worklist
        here = controller is not None and controller.has_open
        self.words.setText(f"{WORDS} {HERE if here else ELSEWHERE}")
        self.unlock.setVisible(here)
        self.setVisible(self.annotator.workspace.is_locked)

    def _unlock(self) -> None:
        controller = self.annotator.worklist
        reason = ask_reason(self, UNLOCK_QUESTION)
        if controller is not None and controller.by is not None and reason:
            with reported(self.annotator.workspace.warning):
                controller.unlock(controller.by, reason)
