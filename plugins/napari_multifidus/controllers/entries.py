"""What is entered beside outlines: levels, landmarks, the rule, what is not measurable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Level, RoiRule, SlicePosition
from multifidus.data.roi_set import Reason
from napari_multifidus.controllers.workspace import Workspace

if TYPE_CHECKING:
    from multifidus.data.landmark import Landmark


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
        changed = self.workspace.session.set_level(index, level, position)
        self._levels_changed(changed=changed)
        if changed and level is not None:
            self.workspace.level_set.emit(index)

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
        canvas.leave()
        canvas.sync()
        key, index = self.workspace.active_key, canvas.index
        if session.set_not_measurable(key, index, reason, note):
            level = session.analysis.level_of(index)[0]
            why = f"not measurable: {reason.value.replace('_', ' ')}" if reason else "measurable"
            self.workspace.committed()
            self.workspace.message.emit(f"{key.words} at {level} is {why}.")
