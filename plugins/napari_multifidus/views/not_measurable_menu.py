"""The menu of reasons why a structure cannot be measured; a letter chooses one."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QMenu

from multifidus.data.roi_set import Reason
from napari_multifidus._compat import Signal

WORDS = {
    Reason.METAL: "&Metal",
    Reason.MOTION: "M&otion",
    Reason.SCAR: "&Scar",
    Reason.OUTSIDE_IMAGE: "Outside the &image",
    Reason.OTHER: "O&ther reason",
    None: "&Can be measured",
}
"""Reasons, each with the letter that chooses it."""


class ReasonMenu(QMenu):
    """Choose why a structure cannot be measured, or that it can.

    Attributes
    ----------
    chosen
        Emitted with the reason; with None to take it back.
    """

    chosen = Signal(object)

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        for reason, words in WORDS.items():
            action = self.addAction(words)
            assert action is not None  # noqa: S101 - narrows the type
            action.triggered.connect(lambda _=False, reason=reason: self.chosen.emit(reason))
