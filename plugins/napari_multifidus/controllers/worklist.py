"""A rater's session at the screen: one entry of a worklist after another.

Knows what is open and the worklist; no widgets.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from multifidus.data.slice_number import slice_words
from multifidus.errors import MultifidusError
from multifidus.io.identifiers import burned_in
from multifidus.reading.audit_log import Activity, Event, OutlinePlace
from multifidus.reading.worklist import (
    Progress,
    ReadingState,
    Worklist,
    WorklistItem,
    next_item,
    progress,
)
from napari_multifidus._compat import Signal, swapping_layers
from napari_multifidus.controllers.image_layers import remove_images
from napari_multifidus.controllers.opener import ExamOpener
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models import checklist
from napari_multifidus.models.blinding import Access, open_item, redactor
from napari_multifidus.models.completeness import Completeness, Weight, completeness, explain

if TYPE_CHECKING:
    from multifidus.data.anatomy import Level, Side
    from multifidus.data.image import Exam
    from multifidus.data.roi import Reading, Roi
    from multifidus.data.roi_set import RoiSet

FIXED = "This reading belongs to a reading list, which sets its rater, number and folder."

WORDS = {
    ReadingState.OPEN: "to do",
    ReadingState.STARTED: "in progress",
    ReadingState.DONE: "done, locked",
    ReadingState.WAITING: "waiting",
}

ALL_DONE = "All readings that are due today are done."


def now() -> datetime.datetime:
    """Return the present moment, in the person's own time zone."""
    return datetime.datetime.now(tz=datetime.UTC).astimezone()


class WorklistController(QObject):
    """A worklist, and the entry of it that is open.

    Parameters
    ----------
    workspace, opener
        Where entries are outlined, and what opens them there.
    worklist
        What is to be read.
    clock
        Tells the moment; another one for tests.

    Attributes
    ----------
    changed
        Emitted when an entry was opened, finished, unlocked or offered.
    progressed
        Emitted when the entry that is open was worked on, or saved.
    gate_wanted
        Emitted when the entry shall be finished, and something is missing or to be checked.
    left
        Emitted when the list was closed.
    """

    changed = Signal()
    progressed = Signal()
    gate_wanted = Signal()
    left = Signal()

    def __init__(
        self,
        workspace: Workspace,
        opener: ExamOpener,
        worklist: Worklist,
        clock: Callable[[], datetime.datetime] = now,
    ) -> None:
        super().__init__()
        self.workspace, self.opener = workspace, opener
        self.worklist = worklist
        self.clock = clock
        self.by: Reading | None = None
        self._exam: Exam | None = None
        self._written: dict[Any, Roi] = {}
        self._grades: dict[tuple[str, Level, Side], int] = {}
        self._activity = Activity()
        for signal, slot in self._connections():
            signal.connect(slot)

    def _connections(self) -> tuple[tuple[Any, Any], ...]:
        """Return what is listened to, and by what."""
        workspace, autosaver = self.workspace, self.workspace.autosaver
        return (
            (autosaver.written, self._note_saved),
            (workspace.opened, self._follow),
            (workspace.selection_changed, self._touch),
            (workspace.changed, self._touch),
            (workspace.outline_moved, self._touch),
            (workspace.changed, self.progressed),
            (workspace.changed, self._note_grades),
            (autosaver.saved, self.progressed),
            (autosaver.unsaved, self.progressed),
        )

    # --- what there is -------------------------------------------------------------------------

    def items(self) -> tuple[WorklistItem, ...]:
        """Return every entry and where it stands now."""
        return self.worklist.items(self.clock())

    def shown(self) -> tuple[WorklistItem, ...]:
        """Return the entries that the rater may know of."""
        return self.worklist.shown(self.items())

    def progress(self) -> Progress:
        """Return how far the rater is, over the entries that are shown."""
        return progress(self.shown())

    def status_of(self, item: WorklistItem) -> str:
        """Say where an entry stands; of the one that is open, how far it is."""
        if not self.has_open or item.by != self.by:
            return WORDS[item.state]
        session = self.workspace.session
        if session.locked:
            return WORDS[ReadingState.DONE]
        done, of = checklist.progress(session.analysis)
        far = f" {done} of {of}" if of else ""
        return f"in progress{far}{'' if self.workspace.autosaver.is_saved else ', not saved'}"

    def item(self, by: Reading) -> WorklistItem:
        """Return an entry.

        Raises
        ------
        MultifidusError
            If the list does not have it.
        """
        for item in self.items():
            if item.by == by:
                return item
        msg = "That reading is not on the list."
        raise MultifidusError(msg)

    @property
    def has_open(self) -> bool:
        """Whether what is open is an entry of the list."""
        return self.workspace.is_open and self.workspace.session.drawing.reading == self.by

    # --- opening -------------------------------------------------------------------------------

    def open(self, by: Reading) -> None:
        """Open an entry; what was open is saved and closed.

        Raises
        ------
        MultifidusError
            If it waits for its day, or its exam cannot be opened.
        """
        item = self.item(by)
        if item.state is ReadingState.WAITING:
            raise MultifidusError(waiting_words(item))
        blinded = self.worklist.is_blinded
        opened = open_item(item, blinded=blinded)
        access = Access(FIXED, blinded, redactor(item)) if blinded else Access(FIXED)
        with swapping_layers(self.workspace.viewer), self.opener.keeping_layers():
            with reported(self.workspace.warning):
                self.close()
            self.opener.switch_to(opened, folder=self.worklist.folder, by=by, access=access)
        self.by, self._exam = by, opened.exam
        self.workspace.lock_changed.emit()
        self._remember_written()
        self._activity.start(time.monotonic())
        self.note(Event.OPENED)
        self._warn(item)
        self.changed.emit()

    def _warn(self, item: WorklistItem) -> None:
        """Warn of text in the pixels, which no blinding hides; and of a locked reading."""
        if self.worklist.is_blinded and item.case is not None:
            for reason in burned_in(item.case.images):
                self.workspace.warning.emit(f"Pixels may show a name or a date: {reason}.")
        if item.state is ReadingState.DONE:
            self.workspace.message.emit("This reading is finished and can only be viewed.")

    def open_next(self) -> None:
        """Open the next entry that is not finished."""
        found = next_item(self.items(), self.by)
        if found is None:
            self.workspace.message.emit(ALL_DONE)
        else:
            self.open(found.by)

    def close(self) -> None:
        """Save and close the entry that is open; its images stay for the next one to use."""
        if self.by is None:
            return
        self.workspace.flush()
        self.note(Event.CLOSED)
        self.by = None
        self.opener.close()

    def leave(self) -> None:
        """Close the entry that is open, take its images away, and listen no more.

        Images that stayed would be opened anew, outside of the list and of its blinding.
        """
        with reported(self.workspace.warning):
            self.close()
            if self._exam is not None:
                remove_images(self.workspace.viewer, self._exam)
        for signal, slot in self._connections():
            signal.disconnect(slot)
        self.left.emit()

    def _follow(self) -> None:
        """Notice that another exam was opened, or this one closed, by other ways."""
        if self.by is not None and not self.has_open:
            with reported(self.workspace.warning):
                self.note(Event.CLOSED)
            self.by = None
            self.changed.emit()

    # --- finishing -----------------------------------------------------------------------------

    def lacks(self) -> Completeness:
        """List what the entry that is open still lacks.

        Raises
        ------
        MultifidusError
            If no entry is open.
        """
        self._refuse_if_none_open()
        canvas = self.workspace.canvas
        in_hand = [(key, index) for key, index, _ in canvas.unfinished()]
        analysis = self.workspace.session.analysis
        return completeness(
            analysis, canvas.shapes_off_slice(), in_hand, elsewhere=self._left_elsewhere()
        )

    def _left_elsewhere(self) -> list[str]:
        """Say what is no outline yet on the other series of the exam that can be outlined."""
        left = self.workspace.active.restore.left_elsewhere()
        if not left:
            return []
        all_series = self.opener.series_to_choose()
        places = {
            item.uid: (slice_words(index), name)
            for series, name in zip(all_series, self.workspace.names_of(all_series), strict=True)
            for index, item in enumerate(series.slices)
        }
        return [
            f"{key.words} on {place} of series {name} is not finished, or crosses itself: "
            "choose that series"
            for key, (place, name) in ((key, places[uid]) for key, uid in left if uid in places)
        ]

    def finish(self, reason: str = "") -> None:
        """Finish and lock the entry that is open.

        Parameters
        ----------
        reason
            Why something is missing. It is recorded, and whatever has no outline at its whole
            level is marked as not measurable for it.

        Raises
        ------
        MultifidusError
            If no entry is open, something must be mended first, something is missing without a
            reason, or it cannot be saved.
        """
        self._refuse_if_none_open()
        session = self.workspace.session
        if session.locked:
            return
        self.workspace.flush()
        found, note = self.lacks(), reason.strip()
        _refuse_incomplete(found, note)
        if found.needs_reason:
            explain(session, found, note)
            self.workspace.committed()
        self._check_saved()
        why = {"reason": note} if found.needs_reason else {}
        lacking = [item.as_dict() for item in found.items]
        self.note(Event.DONE, **why, **({"missing": lacking} if lacking else {}))
        self.workspace.lock(locked=True)
        self.changed.emit()

    def _refuse_if_none_open(self) -> None:
        if not self.has_open:
            msg = "No entry of the reading list is open."
            raise MultifidusError(msg)

    def _check_saved(self) -> None:
        file, by = self.workspace.file, self.workspace.session.drawing.reading
        if not self.workspace.save() or file is None or not file.path.exists():
            msg = "Not finished: the outlines could not be saved."
            raise MultifidusError(msg)
        if file.path != self.worklist.outlines_of(by):
            msg = f"Not finished: the outlines are in {file.path.name}, beside the list's file."
            raise MultifidusError(msg, remedy="Tell the study coordinator; both files are kept.")

    def ask_to_finish(self) -> None:
        """Finish the entry that is open and open the next, or say first what is missing."""
        self._refuse_if_none_open()
        self.workspace.flush()
        if self.lacks().items and not self.workspace.is_locked:
            self.gate_wanted.emit()
        else:
            self.finish_and_next()

    def finish_and_next(self, reason: str = "") -> None:
        """Finish the entry that is open, and open the next."""
        self.finish(reason)
        self.open_next()

    def unlock(self, by: Reading, reason: str) -> None:
        """Let a finished entry be changed again; the reason is recorded."""
        if self.item(by).state is not ReadingState.DONE:
            msg = "That reading is not finished."
            raise MultifidusError(msg)
        self.worklist.unlock(by, reason, self.clock())
        if by == self.by:
            self.workspace.lock(locked=False)
        self.changed.emit()

    def start_early(self, reason: str) -> None:
        """Offer the next entry that waits for its day, before it; the reason is recorded."""
        waiting = [item for item in self.items() if item.state is ReadingState.WAITING]
        if not waiting:
            msg = "No reading is waiting for its date."
            raise MultifidusError(msg)
        first = min(waiting, key=lambda item: item.not_before or datetime.date.max)
        self.worklist.offer(first.by, reason, self.clock())
        self.changed.emit()

    # --- the log -------------------------------------------------------------------------------

    def note(self, event: Event, **facts: object) -> None:
        """Record what happened to the entry that is open, and how long was worked on it."""
        if self.by is not None:
            seconds = self._activity.take(time.monotonic())
            self.worklist.note(self.by, event, self.clock(), **facts, seconds_active=seconds)

    def _touch(self, *_: object) -> None:
        self._activity.turn_to(time.monotonic(), self._in_hand())

    def _in_hand(self) -> OutlinePlace | None:
        """Return which outline whatever happens is about."""
        if not self.has_open or (key := self.workspace.canvas.active) is None:
            return None
        return key.structure.value, key.side.value, self.workspace.canvas.index + 1

    def _remember_written(self) -> None:
        self._written = {roi.key: roi for roi in self.workspace.session.rois()}
        self._grades = self.workspace.session.drawing.own_grades

    def _note_grades(self) -> None:
        """Record each grade that was given, changed or taken back, by undo as well."""
        if not self.has_open:
            return
        now, before = self.workspace.session.drawing.own_grades, self._grades
        self._grades = now
        for scheme, level, side in sorted({*now, *before}):
            value = now.get((scheme, level, side))
            if value != before.get((scheme, level, side)):
                with reported(self.workspace.warning):
                    self.note(Event.GRADED, scheme=scheme, level=level, side=side, value=value)

    def _note_saved(self, rois: RoiSet) -> None:
        """Record which structures on which slices a save changed."""
        if not self.has_open:
            return
        slices = self.workspace.session.series.slices
        place = {item.uid: number for number, item in enumerate(slices, 1)}
        new = {roi.key: roi for roi in rois.rois}
        changed = {
            key for key in {*new, *self._written} if new.get(key) is not self._written.get(key)
        }
        self._written = new
        edited = sorted(
            {(k.structure.value, k.side.value, place.get(k.slice_uid, 0)) for k in changed}
        )
        if edited:
            now = time.monotonic()
            listed = [
                {
                    "structure": what,
                    "side": side,
                    "slice": n,
                    "seconds": self._activity.take_of((what, side, n), now),
                }
                for what, side, n in edited
            ]
            with reported(self.workspace.warning):
                self.note(Event.SAVED, edited=listed)


def _refuse_incomplete(found: Completeness, reason: str) -> None:
    """Refuse to finish what must be mended first, or lacks something for no reason."""
    wrong = [item.words for item in found.items if item.weight is Weight.MUST_BE_MENDED]
    if wrong:
        msg = f"Not finished: {'; '.join(wrong)}."
        raise MultifidusError(msg, remedy="Correct or delete it first.")
    if found.needs_reason and not reason:
        msg = f"Not finished: {found.summary}."
        raise MultifidusError(msg, remedy="Complete it, or give a reason; it is recorded.")


def waiting_words(item: WorklistItem) -> str:
    """Say until when an entry waits."""
    if item.not_before is None:
        return "This reading waits until the one before it is finished."
    return f"This reading is not offered before {item.not_before.isoformat()}."
