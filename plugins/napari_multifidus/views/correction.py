"""One line near the tools: what can be done otherwise with what was just drawn, or be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_multifidus._compat import Signal
from napari_multifidus.controllers.shortcuts import tip
from napari_multifidus.models.redraw import DrawnOver, Redraw
from napari_multifidus.views.style import Palette
from napari_multifidus.views.widgets import ElidedLabel, button

if TYPE_CHECKING:
    from napari_multifidus.models.half_drawn import Incomplete

CHOICES = {
    Redraw.REPLACE: ("Replace", "Take the new outline instead of the old one, now and from now on"),
    Redraw.PIECE: ("Add a piece", "Join the new shape to the outline, now and from now on"),
    Redraw.REPAIR: ("Repair", "Replace the stretch between the ends of the new stroke"),
}


class CorrectionLine(QWidget):
    """Asks what drawing over an outline means, and offers to mend what crosses itself.

    It keeps its place when it has nothing to say, so that nothing else moves.

    Attributes
    ----------
    chosen
        Emitted with a :class:`~napari_multifidus.models.redraw.Redraw`.
    mend_wanted
        Emitted when an outline shall be mended.
    """

    chosen = Signal(object)
    mend_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        # One line, whatever it says: what stands below it keeps its place.
        self.words = ElidedLabel()
        self.choices: dict[Redraw, QPushButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words, 1)
        for choice, (title, tooltip) in CHOICES.items():
            made = button(title, tooltip, checkable=True)
            made.clicked.connect(lambda _=False, choice=choice: self.chosen.emit(choice))
            layout.addWidget(made)
            self.choices[choice] = made
        self.mend = button("Mend", tip("mend"))
        self.mend.clicked.connect(lambda _=False: self.mend_wanted.emit())
        layout.addWidget(self.mend)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self._over: tuple[DrawnOver, Redraw] | None = None
        self.show_state(0, ())

    def wear(self, _palette: Palette) -> None:
        """Be as high as a button in these letters, whether one is shown or not."""
        self.setFixedHeight(self.mend.sizeHint().height())

    def offer(self, over: DrawnOver, choice: Redraw) -> None:
        """Show what was drawn over an outline, and what was made of it."""
        self._over = over, choice
        self._show_choices()
        self.setVisible(True)

    def show_state(self, index: int, incomplete: tuple[Incomplete, ...]) -> None:
        """Show what a slice holds to be mended; what was drawn on another one is settled."""
        crossing = [item for item in incomplete if item.index == index and not item.is_half_drawn]
        if self._over is not None and self._over[0].index != index:
            self._over = None
        for made in self.choices.values():
            made.setVisible(self._over is not None)
        self.mend.setVisible(bool(crossing))
        if crossing:
            self.words.setText(f"{crossing[0].key.words} {crossing[0].problem}")
        if self._over is not None:
            self._show_choices()
        self.setVisible(bool(crossing) or self._over is not None)

    def forget(self) -> None:
        """Offer nothing: what was drawn over has been settled."""
        self._over = None

    def _show_choices(self) -> None:
        assert self._over is not None  # noqa: S101 - narrows the type
        over, choice = self._over
        self.words.setText(f"Drawn over {over.key.words}:")
        for found, made in self.choices.items():
            made.setVisible(found is not Redraw.REPAIR or over.can_repair)
            made.setChecked(found is choice)


def connect(line: CorrectionLine, dock: Any, report: Any) -> None:
    """Wire the line to what is open in a window."""
    workspace, tools = dock.annotator.workspace, dock.annotator.edit_tools

    def show() -> None:
        if workspace.is_open:
            line.show_state(workspace.canvas.index, workspace.session.drawing.incomplete())

    workspace.redrawing.offered.connect(line.offer)
    line.chosen.connect(report(tools.redraw_as))
    line.mend_wanted.connect(report(tools.mend))
    workspace.changed.connect(show)
    workspace.selection_changed.connect(show)
    workspace.opened.connect(line.forget)
    workspace.opened.connect(show)
