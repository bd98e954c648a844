"""What is entered beside outlines: levels, landmarks, the rule, what is not measurable, grades."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition
from multifidus.data.roi_set import Reason
from multifidus.errors import MultifidusError
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.mouse import PAN_ZOOM
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.grading import GOUTALLIER, most_of
from napari_multifidus.models.shapes import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT

if TYPE_CHECKING:
    from multifidus.data.landmark import Landmark

_DIGITS = tuple("0123456789")
_MULTIFIDUS = {Side.LEFT: MULTIFIDUS_LEFT, Side.RIGHT: MULTIFIDUS_RIGHT}


class Entries:
    """Enters facts about the slice shown and the active structure.

    Parameters
    ----------
    workspace
        What is open. Every method raises a :class:`MultifidusError` if no exam is open, the
        reading is locked, or the entry is refused.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def set_level(self, level: Level | None, position: SlicePosition) -> None:
        """Say which level the slice shown lies at."""
        index = self.workspace.canvas.index
        self._levels_changed(changed=self.workspace.session.set_level(index, level, position))

    def set_landmarks(self, landmarks: Iterable[Landmark]) -> None:
        """Take over other landmarks of the spine: levels follow at once."""
        self._levels_changed(changed=self.workspace.session.set_landmarks(landmarks))

    def _levels_changed(self, *, changed: bool) -> None:
        if changed:
            self.workspace.canvas.refresh()
            self.workspace.selection_changed.emit()
            self.workspace.committed()

    def mark_levels(self) -> None:
        """Mark levels on the sagittal image."""
        self.workspace.marking_wanted.emit()

    def set_rule(self, rule: RoiRule) -> None:
        """Say by which rule outlines are drawn from now on."""
        self.workspace.session.roi_rule = rule

    def ask_reason(self) -> None:
        """Ask why the active structure cannot be measured."""
        _ = self.workspace.active_key
        self.workspace.reason_wanted.emit()

    def not_measurable(self, reason: Reason | None, note: str = "") -> None:
        """Say why the active structure cannot be measured at this level; None takes it back."""
        session, canvas = self.workspace.session, self.workspace.canvas
        canvas.strokes.finish()
        canvas.sync()
        key, index = self.workspace.active_key, canvas.index
        if session.set_not_measurable(key, index, reason, note):
            level = session.analysis.level_of(index)[0]
            why = f"not measurable: {reason.value.replace('_', ' ')}" if reason else "measurable"
            self.workspace.committed()
            self.workspace.message.emit(f"{key.words} at {level} is {why}.")


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

    @property
    def level(self) -> Level | None:
        """The level of the slice shown; None where none is known, or no exam is open."""
        if not self.workspace.is_open:
            return None
        return self.workspace.session.analysis.level_of(self.workspace.canvas.index)[0]

    def _known_level(self) -> Level:
        level = self.level
        if level is None:
            self.changed.emit()
            msg = "No level is assigned to this slice, so it cannot be graded."
            raise MultifidusError(msg, remedy="Assign its level first.")
        return level

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
        self.scheme = scheme
        self.changed.emit()

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
            If no exam is open, or the slice has no level.
        """
        canvas = self.workspace.canvas
        self._known_level()
        self.is_on = True
        if canvas.active not in _MULTIFIDUS.values():
            canvas.activate(MULTIFIDUS_RIGHT, PAN_ZOOM)
        self._arm()
        words = f"Digits grade the active side, 0 to {most_of(self.scheme)}."
        self.workspace.message.emit(words)
        self.changed.emit()

    def stop(self) -> None:
        """Give the digits back to what they did before."""
        was, self.is_on = self.is_on, False
        for owner in self._armed:
            for digit in _DIGITS:
                owner.bind_key(digit, None, overwrite=True)
        self._armed.clear()
        if was:
            self.digits_freed.emit()
            self.changed.emit()

    def _arm(self) -> None:
        """Bind the digits on every layer of ours: napari's own shapes use them as well."""
        for owner in (self.workspace.viewer, *self.workspace.canvas.layers.values()):
            for digit in _DIGITS:
                owner.bind_key(digit, _presses(partial(self._press, int(digit))), overwrite=True)
            if all(owner is not other for other in self._armed):
                self._armed.append(owner)

    def _press(self, value: int) -> None:
        """Grade the active side, and go on to the other if it has no grade yet."""
        with reported(self.workspace.warning):
            canvas, level = self.workspace.canvas, self._known_level()
            active = canvas.active
            side = Side.RIGHT if active is None or active.side not in _MULTIFIDUS else active.side
            self.grade(side, value)
            other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
            if (self.scheme, level, other) not in self.workspace.session.drawing.own_grades:
                canvas.activate(_MULTIFIDUS[other], PAN_ZOOM)
                self._arm()


def _presses(act: Callable[[], None]) -> Callable[[Any], None]:
    def press(_: Any) -> None:
        act()

    return press
