"""The exams that were found in one place, of which one is open at a time; no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from multifidus.errors import MultifidusError
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.error_messages import told
from napari_multifidus.models.opening import ExamOnDisk

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator
    from napari_multifidus.models.opening import OpenedExam


class Exams(QObject):
    """What a folder or an archive of several exams offers.

    Parameters
    ----------
    annotator
        Where they are outlined.

    Attributes
    ----------
    changed
        Emitted when others are offered, or another one is open.
    """

    changed = Signal()

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self.annotator = annotator
        self.found: tuple[ExamOnDisk, ...] = ()
        self.chosen: ExamOnDisk | None = None
        self._folder: Path | None = None
        self._opened: OpenedExam | None = None
        annotator.opened.connect(self._follow)

    @property
    def warning(self) -> Any:
        """Where to say what could not be done."""
        return self.annotator.warning

    def offer(self, found: Sequence[ExamOnDisk], folder: Path | None = None) -> None:
        """Offer exams; what is open stays until one is chosen.

        Parameters
        ----------
        found
            The exams.
        folder
            Where outlines are kept; beside the images if None.
        """
        self.found, self.chosen, self._opened, self._folder = tuple(found), None, None, folder
        self.changed.emit()

    @told
    def open(self, exam: ExamOnDisk) -> None:
        """Open one of them; what was open is saved and closed."""
        opened = exam.open()
        before, self._opened = self._opened, opened
        try:
            self.annotator.bring(opened, folder=self._folder)
            self.chosen = exam
        except MultifidusError:
            self._opened = before
            raise
        finally:
            self.changed.emit()

    def _follow(self) -> None:
        """Offer them no more once another exam was opened by other ways."""
        source = self.annotator.source
        if source is None or not self.found or source is self._opened:
            return
        self.offer(())
