"""Drawing over an outline: done as usual at once, and otherwise if the person says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from multifidus.errors import MultifidusError, RoiError
from napari_multifidus._compat import Signal
from napari_multifidus.models.redraw import DEFAULT, WORDS, DrawnOver, Redraw
from napari_multifidus.models.shapes import same_loops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_multifidus.models.session import Session

    Loops = tuple[NDArray[np.float64], ...]


class Redrawing(QObject):
    """Decides what drawing over an outline means.

    Attributes
    ----------
    usual
        What it means where nothing else is said: the last choice of the person.
    offered
        Emitted with what was drawn over, and what was made of it: it can be made otherwise.
    message, warning
        Emitted with what was made of it, and with why it could not be.
    """

    offered = Signal(object, object)
    message = Signal(str)
    warning = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.usual: Redraw = DEFAULT
        self._last: tuple[DrawnOver, Loops] | None = None

    def take(self, over: DrawnOver) -> Loops:
        """Return what comes of something drawn over an outline; what is refused changes nothing."""
        choice = over.choice(self.usual)
        try:
            done = over.outcome(choice)
        except RoiError as error:
            done = over.before
            self.warning.emit(f"{over.key.words} is as before. {error}")
        else:
            self.message.emit(f"{over.key.words} is {WORDS[choice]}.")
        self._last = (over, done)
        self.offered.emit(over, choice)
        return done

    def choose(self, choice: Redraw, session: Session) -> DrawnOver:
        """Make of what was drawn over last something else, and do so from now on; returns it.

        Raises
        ------
        MultifidusError
            If it was changed since, the reading is locked, or it cannot mean that.
        """
        if self._last is None:
            msg = "Nothing was drawn over an outline."
            raise MultifidusError(msg, remedy="Draw it again.")
        over, made = self._last
        if not same_loops(session.drawing.loops(over.key, over.index), made):
            msg = "The outline has changed since it was drawn over."
            raise MultifidusError(msg, remedy="Undo the changes, or draw it again.")
        done = over.outcome(choice)
        session.put(over.key, over.index, done)
        if choice is not Redraw.REPAIR:
            # A repair is known by where its ends lie.
            self.usual = choice
        self._last = (over, done)
        self.offered.emit(over, choice)
        return over
