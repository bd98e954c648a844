"""The exam that is open in a viewer, and the signals by which all parts of the window hear of it.

This is the one place that knows whether an exam is open. Whatever needs one asks for it, and an
error says that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.slice_number import slice_words
from multifidus.errors import MultifidusError
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.canvas import Canvas
from napari_multifidus.controllers.redrawing import Redrawing
from napari_multifidus.controllers.saving import Autosaver, SessionRestore
from napari_multifidus.models.blinding import Access
from napari_multifidus.models.drawing_edits import BEGINS_AS_DRAFT
from napari_multifidus.models.grid import series_words
from napari_multifidus.models.opening import OpenedExam
from napari_multifidus.models.series_names import names_of
from napari_multifidus.models.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from multifidus.data.image import Series
    from multifidus.data.roi_set import RoiSet
    from napari_multifidus.models.autosave import Journal, OutlineFile
    from napari_multifidus.models.preview import OutlinePreview
    from napari_multifidus.models.shapes import LayerKey


@dataclass(frozen=True, slots=True, eq=False)
class ActiveExam:
    """An exam that is open: where it came from, its session, its layers, how it was left."""

    source: OpenedExam
    session: Session
    canvas: Canvas
    restore: SessionRestore


class Workspace(QObject):
    """What is open in a viewer.

    Parameters
    ----------
    viewer
        The napari viewer.
    rater
        Who outlines, until somebody says otherwise.

    Attributes
    ----------
    opened
        Emitted when an exam was opened, or closed.
    selection_changed
        Emitted when another slice or structure is active.
    outline_moved
        Emitted with structure, slice and preview while a vertex or a stroke moves.
    changed
        Emitted when something drawn or entered has changed.
    lock_changed
        Emitted when the reading that is open was locked or unlocked, or opened as either.
    marking_wanted
        Emitted when levels shall be marked on the sagittal image.
    reason_wanted
        Emitted when somebody is to say why a structure cannot be measured.
    grades_wanted
        Emitted when grades shall be shown to be entered.
    outline_closed
        Emitted with structure and slice when an outline was drawn where none was before.
    level_set
        Emitted with a slice when its level was set by hand.
    rater_changed
        Emitted when somebody else outlines from now on.
    preferred
        Emitted when somebody has chosen how to work from now on.
    message, warning
        Emitted with a message; with one about something wrong.
    protocol
        How exams are measured.
    access
        What may be done with the reading that is open.
    """

    opened = Signal()
    selection_changed = Signal()
    outline_moved = Signal(object, int, object)
    changed = Signal()
    lock_changed = Signal()
    marking_wanted = Signal()
    reason_wanted = Signal()
    grades_wanted = Signal()
    outline_closed = Signal(object, int)
    level_set = Signal(int)
    rater_changed = Signal()
    preferred = Signal()
    message = Signal(str)
    warning = Signal(str)

    def __init__(self, viewer: Any, rater: str) -> None:
        super().__init__()
        self.viewer, self._rater = viewer, rater
        self.protocol = MeasurementProtocol()
        self.access = Access()
        self.autosaver = Autosaver(self._contents)
        self.autosaver.warning.connect(self.warning)
        self._active: ActiveExam | None = None
        self.redrawing = Redrawing()
        self.redrawing.message.connect(self.message)
        self.redrawing.warning.connect(self.warning)

    @property
    def rater(self) -> str:
        """Who outlines, until somebody says otherwise."""
        return self._rater

    @rater.setter
    def rater(self, rater: str) -> None:
        if rater != self._rater:
            self._rater = rater
            self.rater_changed.emit()

    # --- what is open --------------------------------------------------------------------------

    def activate(self, exam: ActiveExam | None) -> None:
        """Make another exam the one that is open; None where none is."""
        self._active = exam

    @property
    def is_open(self) -> bool:
        """Whether an exam is open."""
        return self._active is not None

    @property
    def active(self) -> ActiveExam:
        """The exam that is open.

        Raises
        ------
        MultifidusError
            If there is none.
        """
        if self._active is None:
            msg = "No exam is open."
            raise MultifidusError(msg, remedy="Open one first.")
        return self._active

    @property
    def session(self) -> Session:
        """The session of the exam that is open."""
        return self.active.session

    @property
    def canvas(self) -> Canvas:
        """The layers of the exam that is open."""
        return self.active.canvas

    @property
    def active_key(self) -> LayerKey:
        """The active structure.

        Raises
        ------
        MultifidusError
            If there is none.
        """
        found = self.canvas.active
        if found is None:
            msg = "No structure is active: choose one first."
            raise MultifidusError(msg)
        return found

    @property
    def file(self) -> OutlineFile | None:
        """The file that outlines are kept in."""
        return self.autosaver.file

    @property
    def first_folder(self) -> str:
        """Where dialogs for folders begin: of a blinded reading in the rater's own.

        Elsewhere they may list folders named after subjects. Empty where it does not matter.
        """
        return str(self.file.path.parent) if self.access.blinded and self.file is not None else ""

    def names_of(
        self, series: Sequence[Series], words: Callable[[Series], str] = series_words
    ) -> tuple[str, ...]:
        """Name series of the exam so that each is told from the others.

        Names of files are left out where subjects are hidden.
        """
        return names_of(series, {} if self.access.blinded else self.active.source.files, words)

    # --- changing and saving -------------------------------------------------------------------

    def committed(self) -> None:
        """End a change: it can be undone as one, and is saved and shown."""
        if not self.is_open:
            # What an exam is opened with is no change of it.
            return
        said = [self._contradicted(*where) for where in self.session.newly_contradicted()]
        self.session.commit()
        self.autosaver.save_soon()
        self.changed.emit()
        for words in filter(None, said):
            self.warning.emit(words)
        for words in self.canvas.shapes_off_slice():
            self.warning.emit(words)

    def _contradicted(self, key: LayerKey, index: int) -> str:
        """Measure what was drawn where it was said to be not measurable; a draft decides nothing.

        Returns what the person should know.
        """
        session = self.session
        found = session.analysis.not_measurable(key, index)
        if found is None:
            return ""
        marked = f"marked as not measurable ({found.reason.value.replace('_', ' ')})"
        if all(roi.source in BEGINS_AS_DRAFT for roi in session.drawing.outlines[key, index]):
            where = f"{key.words} on {slice_words(index)}"
            return (
                f"There is a draft of {where}, and {found.level} is {marked}: delete one of them."
            )
        session.set_not_measurable(key, index, None)
        return (
            f"{key.words} at {found.level} was {marked}; it is outlined now, so the mark is gone."
        )

    def moved(self, key: LayerKey, index: int, preview: OutlinePreview) -> None:
        """Follow an outline in motion."""
        if self.is_open:
            self.outline_moved.emit(key, index, preview)

    def selected(self) -> None:
        """Follow the person to another slice or structure."""
        if self.is_open:
            self.autosaver.save_pending()
            self.selection_changed.emit()

    @property
    def is_locked(self) -> bool:
        """Whether the reading that is open is finished, and may only be looked at."""
        return self.is_open and self.session.locked

    def lock(self, *, locked: bool) -> None:
        """Make the reading that is open read-only, or no longer so."""
        self.flush()
        self.set_locked(locked=locked)
        # What was drawn before is not to be undone through the lock.
        self.session.begin_history()

    def set_locked(self, *, locked: bool) -> None:
        """Show the reading that is open as one that is locked, or is not."""
        self.canvas.leave()
        self.session.locked = locked
        self.canvas.show_lock()
        self.lock_changed.emit()

    def flush(self) -> None:
        """Take over and write everything now, a stroke of the brush that is held included."""
        if self.is_open:
            # A path that is not closed stays in hand.
            if self.canvas.strokes.unfinished is None:
                self.canvas.strokes.leave()
            self.canvas.sync()
            self.canvas.remember()
            self.save()

    def save(self) -> bool:
        """Write the outlines and the journal; returns whether all is written."""
        return self.autosaver.save()

    def _contents(self) -> tuple[RoiSet, Journal] | None:
        """Return what is to be written; None where no exam is open."""
        if not self.is_open or self.session.locked:
            return None
        return self.session.rois(), self.active.restore.journal()
