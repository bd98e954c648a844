"""Visual grades of the level of the slice shown: by buttons, or by digits while that is on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QObject

from multifidus.data.anatomy import Level, Side
from multifidus.errors import MultifidusError
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.canvas_texts import write
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.controllers.structure_layer import PAN_ZOOM
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.grading import GOUTALLIER, most_of
from napari_multifidus.models.shapes import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT

_MULTIFIDUS = {Side.LEFT: MULTIFIDUS_LEFT, Side.RIGHT: MULTIFIDUS_RIGHT}

BADGE = "grading"
PLACE = "top_left"
"""napari puts texts of one corner below each other; those of two overlap on a narrow image."""

BADGE_STYLE = {"color": "#ffc233", "box_color": "#26292f"}
"""With a light theme as well as with a dark one."""

LAST_OF_NAPARI = 7
"""Digits up to this change napari's tools; those above are the brush's, and stay so if they can."""

ENDED = "Grading by keys has ended: digits are ordinary keys again."

NO_MUSCLE = "No multifidus is active, so nothing is graded."
CHOOSE = "Choose a side first: Q right, W left."


class Grading(QObject):
    """Takes grades of the level of the slice shown.

    Attributes
    ----------
    changed
        Emitted when a grade, the scheme, or whether digits grade, has changed.
    digits_freed
        Emitted when digits do again what they did before.
    """

    changed = Signal()
    digits_freed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.scheme = GOUTALLIER.name
        self.is_on = False
        self._armed: list[Any] = []
        workspace.opened.connect(self.stop)
        workspace.lock_changed.connect(self.stop)
        workspace.selection_changed.connect(self._follow)

    @property
    def level(self) -> Level | None:
        """The level of the slice shown; None where none is known, or no exam is open."""
        if not self.workspace.is_open:
            return None
        return self.workspace.session.analysis.level_of(self.workspace.canvas.index)[0]

    @property
    def side(self) -> Side | None:
        """The side of the multifidus that is active; None where something else is."""
        active = self.workspace.canvas.active if self.workspace.is_open else None
        return next((side for side, key in _MULTIFIDUS.items() if key == active), None)

    def _known_level(self) -> Level:
        level = self.level
        if level is None:
            self.changed.emit()
            msg = "No level is assigned to this slice, so it cannot be graded."
            raise MultifidusError(msg, remedy="Assign its level first.")
        return level

    def _active_side(self) -> Side:
        side = self.side
        if side is None:
            self.changed.emit()
            raise MultifidusError(NO_MUSCLE, remedy=CHOOSE)
        return side

    def grade(self, side: Side, value: int | None) -> None:
        """Grade one side of the level shown; None takes the grade back.

        Raises
        ------
        MultifidusError
            If no exam is open, the slice has no level, or the scheme no such grade.
        """
        session = self.workspace.session
        if session.set_grade(self.scheme, self._known_level(), side, value):
            self.workspace.committed()
        self.changed.emit()

    def set_scheme(self, scheme: str) -> None:
        """Grade by another scheme."""
        if scheme != self.scheme:
            self.scheme = scheme
            self.workspace.preferred.emit()
        if self.is_on:
            self._disarm()
            self._follow()
        self.changed.emit()

    # --- by digits -----------------------------------------------------------------------------

    def toggle(self) -> None:
        """Let digits grade the active side, or no longer."""
        if self.is_on:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """Let digits grade the active side, at the level of the slice shown.

        Raises
        ------
        MultifidusError
            If no exam is open, the slice has no level, or no multifidus is active.
        """
        canvas = self.workspace.canvas
        self._known_level()
        canvas.activate(_MULTIFIDUS[self._active_side()], PAN_ZOOM)
        self.is_on = True
        self._follow()
        self.changed.emit()

    def stop(self) -> None:
        """Give the digits back to what they did before, and say so."""
        was, self.is_on = self.is_on, False
        if not was:
            return
        self._disarm()
        write(self.workspace.viewer, BADGE, "", PLACE)
        self.workspace.message.emit(ENDED)
        self.changed.emit()

    def _follow(self) -> None:
        """Show what a digit would grade now, and take digits on layers that came since."""
        if not self.is_on:
            return
        self._arm()
        side, level = self.side, self.level
        if side is None:
            words = "GRADING: no muscle is active\nQ right, W left"
        elif level is None:
            words = "GRADING: slice without a level\nM marks levels"
        else:
            grades = f"0\N{EN DASH}{most_of(self.scheme)}"
            words = f"GRADING {side.value} at {level}\n{self.scheme.capitalize()} {grades}"
        write(self.workspace.viewer, BADGE, f"{words} · Shift+Q ends", PLACE, **BADGE_STYLE)

    def _digits(self) -> range:
        """Return the digits that are taken; one that is no grade is refused, and does no more."""
        return range(max(most_of(self.scheme), LAST_OF_NAPARI) + 1)

    def _arm(self) -> None:
        """Bind the digits of the scheme on all layers of ours: napari's shapes use them too."""
        for owner in (self.workspace.viewer, *self.workspace.canvas.layers.values()):
            if any(owner is other for other in self._armed):
                continue
            for digit in self._digits():
                owner.bind_key(str(digit), _presses(partial(self._press, digit)), overwrite=True)
            self._armed.append(owner)

    def _disarm(self) -> None:
        for owner in self._armed:
            for digit in range(10):
                owner.bind_key(str(digit), None, overwrite=True)
        self._armed.clear()
        self.digits_freed.emit()

    def _press(self, value: int) -> None:
        """Grade the active side, and go on to the other if it has no grade yet."""
        with reported(self.workspace.warning):
            canvas, level, side = self.workspace.canvas, self._known_level(), self._active_side()
            self.grade(side, value)
            other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
            if (self.scheme, level, other) not in self.workspace.session.drawing.own_grades:
                canvas.activate(_MULTIFIDUS[other], PAN_ZOOM)
            self._follow()


def _presses(act: Callable[[], None]) -> Callable[[Any], None]:
    def press(_: Any) -> None:
        act()

    return press
