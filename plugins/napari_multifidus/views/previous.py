"""The previous exam of the same subject, beside the image; off until somebody wants it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.views.picture import SlicePicture
from napari_multifidus.views.style import MARGIN, Palette, Tone
from napari_multifidus.views.widgets import ElidedLabel, button, check_box, choice, grid, label

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator

TITLE = "Previous exam"
NOTE_LINES, LINE = 3, 17
BIAS = "Its outlines steer the hand: draw first."


class PreviousPanel(QWidget):
    """A slice of another exam of the same subject, at the level of the one that is open.

    Parameters
    ----------
    annotator
        Whose exam it is.
    """

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self._annotator = annotator
        self.previous = annotator.previous
        self.exam = choice("Exam of the same subject that is shown", shortest=8)
        self.only_exam = ElidedLabel()
        self.folder = button("Folder…", "Choose the folder of another exam of this subject")
        self.picture = SlicePicture("Slice of the previous exam", ("R", "L"))
        self.outlines = check_box("outlines", BIAS)
        self.note = label(colour=Tone.QUIET)
        layout = grid(
            self,
            (self.exam, 0, 0),
            (self.only_exam, 0, 0),
            (self.folder, 0, 1),
            (self.outlines, 0, 2),
            (self.picture, 1, 0, 1, 3),
            (self.note, 2, 0, 1, 3),
        )
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setRowStretch(1, 1)
        layout.setColumnStretch(0, 1)
        self.exam.activated.connect(self._choose)
        self.folder.clicked.connect(self._choose_folder)
        self.outlines.toggled.connect(self._show_outlines)
        self.picture.paged.connect(self.previous.page)
        self.previous.changed.connect(self.refresh)
        self.previous.pointed.connect(self.picture.show_cross)
        self.refresh()

    def wear(self, palette: Palette) -> None:
        """Keep room for the note: the picture does not jump from slice to slice."""
        self.note.setMinimumHeight(palette.px(NOTE_LINES * LINE))

    def refresh(self) -> None:
        """Show what there is now."""
        previous = self.previous
        names = [other.words for other in previous.choices]
        if names != [self.exam.itemText(n) for n in range(self.exam.count())]:
            self.exam.clear()
            self.exam.addItems(names)
        chosen = previous.chosen
        self.exam.setCurrentIndex(
            previous.choices.index(chosen) if chosen in previous.choices else -1
        )
        # Of one there is nothing to choose.
        self.exam.setVisible(len(names) > 1)
        self.only_exam.setVisible(len(names) <= 1)
        self.only_exam.setText(names[0] if len(names) == 1 else "")
        access = self._annotator.workspace.access
        self.folder.setEnabled(self._annotator.workspace.is_open)
        self.folder.setVisible(not access.fixed)
        shown = previous.shown
        self.outlines.setEnabled(shown is not None and shown.has_outlines)
        if self.outlines.isChecked() != previous.shows_outlines:
            self.outlines.setChecked(previous.shows_outlines)
        if shown is None:
            self.picture.show_slice(None, words=previous.refusal)
            self.note.setText("")
            return
        paths = shown.paths() if previous.shows_outlines else ()
        self.picture.show_slice(shown.projection, paths, shown.place_words)
        outlines = BIAS if shown.has_outlines else "It has no outlines."
        self.note.setText(f"{shown.match_words} {shown.cursor_words} {outlines}")

    def _choose(self) -> None:
        with reported(self._annotator.workspace.warning):
            self.previous.choose(self.exam.currentIndex())

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of another exam of this subject")
        if chosen:
            with reported(self._annotator.workspace.warning):
                self.previous.choose_folder(Path(chosen))

    def _show_outlines(self) -> None:
        self.previous.show_outlines(on=self.outlines.isChecked())
