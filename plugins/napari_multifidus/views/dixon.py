"""Which series are the fat and the water image: chosen here where headers and names do not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QWidget

from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.views.style import Tone
from napari_multifidus.views.widgets import button, choice, grid, label

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator

NOTHING = "Choose the fat and the water image where headers and names do not tell them."
MEASURED = "The fat fraction is measured with this pair."
SHORTEST = 14


class DixonPanel(QWidget):
    """Two lists of series and what to do with them.

    Parameters
    ----------
    annotator
        Whose exam it is.
    """

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self._annotator = annotator
        self.fat = choice("Series that is the fat image", shortest=SHORTEST)
        self.water = choice("Series that is the water image", shortest=SHORTEST)
        self.use = button("Use as Dixon pair", "Measure the fat fraction with these two")
        self.undo = button("Take back", "See the exam as it was read: without this choice")
        self.words = label(colour=Tone.QUIET)
        layout = grid(
            self,
            (QLabel("Fat"), 0, 0),
            (self.fat, 0, 1),
            (self.use, 0, 2),
            (QLabel("Water"), 1, 0),
            (self.water, 1, 1),
            (self.undo, 1, 2),
            (self.words, 2, 0, 1, 3),
        )
        layout.setColumnStretch(1, 1)
        self.use.clicked.connect(self._choose)
        self.undo.clicked.connect(self._take_back)
        workspace = annotator.workspace
        workspace.opened.connect(self.refresh)
        workspace.lock_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what can be chosen, and what is."""
        dixon = self._annotator.dixon
        names, refusal, chosen = dixon.names(), dixon.refusal, dixon.chosen
        for field, uid in (
            (self.fat, chosen.fat if chosen else ""),
            (self.water, chosen.water if chosen else ""),
        ):
            field.clear()
            for own, name in names.items():
                field.addItem(name, own)
            # Nothing is proposed: a pair that is only confirmed would be a guess.
            field.setCurrentIndex(field.findData(uid) if uid else -1)
            field.setEnabled(not refusal)
        self.use.setEnabled(not refusal)
        self.undo.setEnabled(not refusal and chosen is not None)
        self.words.setText(refusal or (MEASURED if chosen is not None else NOTHING))

    def _choose(self) -> None:
        with reported(self._annotator.workspace.warning):
            self._annotator.dixon.choose(
                str(self.fat.currentData() or ""), str(self.water.currentData() or "")
            )

    def _take_back(self) -> None:
        with reported(self._annotator.workspace.warning):
            self._annotator.dixon.take_back()
