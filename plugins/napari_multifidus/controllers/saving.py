"""Keeping a reading: written soon after every change, and taken up again where it was left."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer

from multifidus.data.roi_set import RoiSet
from multifidus.data.slice_number import slice_words
from multifidus.errors import MultifidusError
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.structure_layer import PAN_ZOOM
from napari_multifidus.models.autosave import Journal, OutlineFile
from napari_multifidus.models.drawing_edits import with_half_drawn, with_origin
from napari_multifidus.models.half_drawn import MINIMAL_PATH, HalfDrawn
from napari_multifidus.models.image_check import ImageHashes
from napari_multifidus.models.shapes import MULTIFIDUS_RIGHT, LayerKey

if TYPE_CHECKING:
    from napari_multifidus.controllers.canvas import Canvas
    from napari_multifidus.models.session import Session

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
    own = journal.drafts or journal.half_drawn or journal.roles is not None
    return bool(own) or rois != RoiSet(reading=rois.reading)


class SessionRestore:
    """Where a person is in a session, with all that is no outline yet.

    Parameters
    ----------
    session, canvas
        As they were opened; what was left is put back into them.
    journal
        How the reading was left.
    message, warning
        Called with what was put back, and with what of that is not measured.

    Attributes
    ----------
    image_hashes
        Whether the images are still those that outlines were drawn on.
    """

    def __init__(
        self,
        session: Session,
        canvas: Canvas,
        journal: Journal,
        *,
        message: Callable[[str], None],
        warning: Callable[[str], None],
    ) -> None:
        self._session, self._canvas = session, canvas
        self._message, self._warning = message, warning
        self._roles = journal.roles
        places = {item.uid: index for index, item in enumerate(session.series.slices)}
        # What lies on other series of the exam waits until they are outlined.
        self._unfinished_elsewhere = tuple(
            draft for draft in journal.drafts if draft[1] not in places
        )
        self._origins_elsewhere = tuple(begun for begun in journal.begun if begun[1] not in places)
        for key, uid, loops in journal.drafts:
            if uid in places:
                self._restore(key, places[uid], loops)
        self._half_drawn_elsewhere = tuple(
            begun for begun in journal.half_drawn if begun[1] not in places
        )
        for key, uid, half in journal.half_drawn:
            if uid in places:
                self._wait_for(key, places[uid], half)
        for key, uid, loops, _ in journal.begun:
            if uid in places:
                session.change(with_origin(session.drawing, (key, places[uid]), loops))
        session.begin_history()
        self.image_hashes = ImageHashes(session, journal.images)
        canvas.go_to(places.get(journal.slice_uid, self._first_drawn()))
        key = journal.active or MULTIFIDUS_RIGHT
        waiting = session.drawing.half_drawn.get((key, canvas.index))
        canvas.activate(key, PAN_ZOOM if waiting is None else waiting.goes_on_with)

    def _restore(self, key: LayerKey, index: int, loops: tuple[Any, ...]) -> None:
        """Put back what was no outline yet when the window went.

        No reading holds both at one place: a journal that does is not the one that was written
        with the outlines, and an outline is worth more than what was to be corrected.
        """
        where = f"{key.words} on {slice_words(index)}"
        if (key, index) in self._session.drawing.outlines:
            self._warning(
                f"The journal does not belong to the outline file: what it holds of {where} is no "
                "outline and is left out; the outline of the file stays."
            )
            return
        self._session.put(key, index, loops)
        self._canvas.push(key)
        problem = self._session.drawing.problem(key, index)
        if problem:
            self._warning(f"Restored, not measured yet: {where} {problem}.")

    def _wait_for(self, key: LayerKey, index: int, half: HalfDrawn) -> None:
        """Keep an outline that was not closed when the window went; it is no outline now either.

        One that the outline file holds closed was written there, and the window went before the
        journal was written.
        """
        if half.is_part_of(self._session.drawing.loops(key, index)):
            return
        self._session.change(with_half_drawn(self._session.drawing, (key, index), half))
        self._canvas.layer(key)
        self._message(
            f"Restored unfinished outline: {key.words} on {slice_words(index)}. It is dashed and "
            "not measured; the next click goes on with it, Esc discards it."
        )

    def _first_drawn(self) -> int:
        drawn = [self._session.drawing.slices_of(key) for key in self._session.drawing.layer_keys()]
        return min((slices[0] for slices in drawn if slices), default=0)

    def left_elsewhere(self) -> tuple[tuple[LayerKey, str], ...]:
        """List what is no outline yet on other series: structure, slice UID."""
        held = (*self._unfinished_elsewhere, *self._half_drawn_elsewhere)
        return tuple((key, uid) for key, uid, _ in held)

    def journal(self) -> Journal:
        """Return how the reading would be left now."""
        session = self._session
        drafts = tuple(
            (key, session.series.slices[index].uid, draft.loops)
            for (key, index), draft in session.drawing.unfinished.items()
        )
        half_drawn = tuple(
            (key, session.series.slices[index].uid, half)
            for key, index, half in self._canvas.unfinished()
            if len(half.path) >= MINIMAL_PATH
        )
        begun = tuple(
            (key, session.series.slices[index].uid, loops, session.drawing.draft_dice(key, index))
            for (key, index), loops in session.drawing.origins.items()
        )
        index, active = self._canvas.place
        return Journal(
            session.series.slices[index].uid,
            active,
            self._unfinished_elsewhere + drafts,
            half_drawn=(*self._half_drawn_elsewhere, *half_drawn),
            begun=(*self._origins_elsewhere, *begun),
            images=self.image_hashes.images(),
            roles=self._roles,
        )
