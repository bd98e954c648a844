"""When outlines are written: soon after every change, and at once when the person moves on."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer

from multifidus.data.roi_set import RoiSet
from multifidus.errors import MultifidusError
from napari_multifidus._compat import Signal
from napari_multifidus.models.autosave import Journal, OutlineFile

SAVE_AFTER_MS = 0
"""Changes are written this long after the last: as soon as the hand is off, so none is lost."""

Contents = tuple[RoiSet, Journal]


class Autosaver(QObject):
    """Keeps one reading in its file.

    Parameters
    ----------
    contents
        Returns what is to be written; None where no exam is open.

    Attributes
    ----------
    saved, unsaved
        Emitted with words about what is saved, and what is not.
    warning
        Emitted with what the person should know about the file.
    written
        Emitted with the outlines that were written.
    is_saved
        Whether nothing waits to be written.
    """

    saved = Signal(str)
    unsaved = Signal(str)
    warning = Signal(str)
    written = Signal(object)

    def __init__(self, contents: Callable[[], Contents | None]) -> None:
        super().__init__()
        self.file: OutlineFile | None = None
        self.is_saved = True
        self._contents = contents
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER_MS)
        self._timer.timeout.connect(self.save)

    def write_to(self, file: OutlineFile | None) -> None:
        """Write to this file from now on; None to write no more."""
        self._timer.stop()
        self.file, self.is_saved = file, True

    def save_soon(self) -> None:
        """Write after a short while without another change."""
        self._timer.start()
        self._miss("not saved yet")

    def save_pending(self) -> None:
        """Write at once what was going to be written soon."""
        if self._timer.isActive():
            self.save()

    def save(self) -> bool:
        """Write now; returns whether all is written."""
        self._timer.stop()
        contents = self._contents()
        if self.file is None or contents is None:
            return True
        try:
            if is_worth_a_file(*contents) or self.file.path.exists():
                self.file.save(*contents)
                self.written.emit(contents[0])
        except MultifidusError as error:
            self._miss(f"NOT SAVED: {error}")
            self.warning.emit(str(error))
            return False
        self.report()
        return True

    def _miss(self, words: str) -> None:
        self.is_saved = False
        self.unsaved.emit(words)

    def report(self) -> None:
        """Say what is saved where, and what is to be known about the file."""
        if self.file is None:
            return
        for note in self.file.notes:
            self.warning.emit(note)
        self.file.notes.clear()
        self.is_saved = True
        if not self.file.path.exists():
            self.saved.emit("nothing to save yet")
            return
        written = self.file.path.stat().st_mtime
        moment = datetime.datetime.fromtimestamp(written, tz=datetime.UTC).astimezone()
        self.saved.emit(f"saved {moment:%H:%M:%S} in {self.file.path.name}")


def is_worth_a_file(rois: RoiSet, journal: Journal) -> bool:
    """Whether a reading holds anything at all."""
    return bool(journal.drafts or journal.unfinished) or rois != RoiSet(reading=rois.reading)
