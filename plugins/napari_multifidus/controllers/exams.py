"""The exams that were found in one place, of which one is open at a time; no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from multifidus.errors import MultifidusError
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.opener import ExamOpener
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.opening import ExamOnDisk

if TYPE_CHECKING:
    from napari_multifidus.models.opening import OpenedExam


class Exams(QObject):
    """What a folder or an archive of several exams offers.

    Parameters
    ----------
    workspace, opener
        Where they are outlined, and what opens them there.

    Attributes
    ----------
    changed
        Emitted when others are offered, or another one is open.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, opener: ExamOpener) -> None:
        super().__init__()
        self.workspace, self.opener = workspace, opener
        self.found: tuple[ExamOnDisk, ...] = ()
        self.chosen: ExamOnDisk | None = None
        self._folder: Path | None = None
        self._opened: OpenedExam | None = None
        workspace.opened.connect(self._follow)

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

    def open(self, exam: ExamOnDisk) -> None:
        """Open one of them; what was open is saved and closed."""
        opened = exam.open()
        before, self._opened = self._opened, opened
        try:
            self.opener.switch_to(opened, folder=self._folder)
            self.chosen = exam
        except MultifidusError:
            self._opened = before
            raise
        finally:
            self.changed.emit()

    def _follow(self) -> None:
        """Offer them no more once another exam was opened by other ways."""
        workspace = self.workspace
        if self.found and workspace.is_open and not self._is_open():
            self.offer(())

    def _is_open(self) -> bool:
        """Whether the exam that was opened last is, with a Dixon pair chosen for it or not."""
        source = self.workspace.active.source
        return self._opened is not None and self._opened.exam in {source.exam, source.as_read}
