"""Leaving a reading, and taking it up where it was left: what stands in no outline file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multifidus.data.polygon import MINIMAL_POINTS
from napari_multifidus.controllers.mouse import PAN_ZOOM
from napari_multifidus.models.autosave import Journal
from napari_multifidus.models.drawing_edits import with_origin
from napari_multifidus.models.image_check import ImageWatch
from napari_multifidus.models.shapes import MULTIFIDUS_RIGHT, LayerKey

if TYPE_CHECKING:
    from napari_multifidus.controllers.canvas import Canvas
    from napari_multifidus.models.session import Session


@dataclass(frozen=True, slots=True)
class Messages:
    """Where it is said what was put back, and what of that is not measured."""

    message: Callable[[str], None]
    warning: Callable[[str], None]


class SessionRestore:
    """Where a person is in a session, with all that is no outline yet.

    Parameters
    ----------
    session, canvas
        As they were opened; what was left is put back into them.
    journal
        How the reading was left.
    messages
        Where to say what was put back.

    Attributes
    ----------
    watch
        Whether the images are still those that outlines were drawn on.
    """

    def __init__(
        self, session: Session, canvas: Canvas, journal: Journal, messages: Messages
    ) -> None:
        self._session, self._canvas, self._messages = session, canvas, messages
        places = {item.uid: index for index, item in enumerate(session.series.slices)}
        # What lies on other series of the exam waits until they are outlined.
        self._unfinished_elsewhere = tuple(
            draft for draft in journal.drafts if draft[1] not in places
        )
        self._origins_elsewhere = tuple(begun for begun in journal.begun if begun[1] not in places)
        for key, uid, loops in journal.drafts:
            if uid in places:
                self._restore(key, places[uid], loops)
        for key, uid, loops in journal.unfinished:
            if uid in places:
                self._restore(key, places[uid], (*session.drawing.loops(key, places[uid]), *loops))
        for key, uid, loops, _ in journal.begun:
            if uid in places:
                session.change(with_origin(session.drawing, (key, places[uid]), loops))
        session.begin_history()
        self.watch = ImageWatch(session, journal.images)
        canvas.go_to(places.get(journal.slice_uid, self._first_drawn()))
        active = journal.active if journal.active in canvas.layers else None
        canvas.activate(active or MULTIFIDUS_RIGHT, PAN_ZOOM)

    def _restore(self, key: LayerKey, index: int, loops: tuple[Any, ...]) -> None:
        """Put back what was no outline yet when the window went."""
        self._session.put(key, index, loops)
        self._canvas.layer(key)
        self._canvas.push(key)
        where = f"{key.words} on slice {index + 1}"
        problem = self._session.drawing.problem(key, index)
        if problem:
            self._messages.warning(f"Restored, not measured yet: {where} {problem}.")
        else:
            self._messages.message(f"Restored unfinished outline: {where}.")

    def _first_drawn(self) -> int:
        drawn = [self._session.drawing.slices_of(key) for key in self._session.drawing.layer_keys()]
        return min((slices[0] for slices in drawn if slices), default=0)

    def journal(self) -> Journal:
        """Return how the reading would be left now."""
        session = self._session
        drafts = tuple(
            (key, session.series.slices[index].uid, draft.loops)
            for (key, index), draft in session.drawing.unfinished.items()
        )
        unfinished = tuple(
            (key, session.series.slices[index].uid, loops)
            for key, index, loops in self._canvas.unfinished()
            if all(len(loop) >= MINIMAL_POINTS for loop in loops)
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
            unfinished=unfinished,
            begun=(*self._origins_elsewhere, *begun),
            images=self.watch.images(),
        )
