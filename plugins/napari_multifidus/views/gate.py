"""Before a reading is locked: what is missing, each a click away, and the reason where it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QVBoxLayout,
)

from napari_multifidus._compat import focus_image
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.models.completeness import Completeness, Weight
from napari_multifidus.views.style import Palette, Tone, give
from napari_multifidus.views.widgets import button, label, only_deliberate, text_field

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator

LINES_SHOWN = 7
"""Longer lists scroll."""

_MARKS = {
    Weight.MUST_BE_MENDED: ("✕", Tone.ERROR),
    Weight.NEEDS_REASON: ("○", Tone.WARNING),
    Weight.TO_CHECK: ("▲", Tone.TEXT),
}
"""Told apart by the sign as well as by the colour."""

_HEADS = {
    Weight.MUST_BE_MENDED: "This reading cannot be locked yet",
    Weight.NEEDS_REASON: "This reading is incomplete",
    Weight.TO_CHECK: "Look at this before the reading is locked",
}
COMPLETE = "Nothing is missing."


class GatePanel(QFrame):
    """Lists what a reading lacks before it is locked; hidden until somebody wants to finish it.

    It needs the full width of the plugin's window, below what scrolls, and leaves the image free:
    one goes from line to line and mends, and the list follows.

    Parameters
    ----------
    annotator
        What is open.
    """

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self.annotator = annotator
        self._found = Completeness(())
        self.head, self.lines = label(px=13, bold=True), QListWidget()
        self.reason = text_field(
            "Recorded in the log; what has no outline at its level is marked as not measurable"
        )
        self.reason.setPlaceholderText("Why does it stay incomplete? Do not name anyone.")
        only_deliberate(self.lines)
        self.lines.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.lock = button("Lock and next", "Finish and lock this reading, and open the next one")
        self.stay = button("Go on reading", "Close this list; nothing is locked ( Esc )")
        self._palette: Palette | None = None
        give(self, framed=Tone.WARNING)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.lines.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lay_out()
        self._wire()
        self.hide()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.stay)
        buttons.addWidget(self.lock)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        for part in (self.head, self.lines, self.reason):
            layout.addWidget(part)
        layout.addLayout(buttons)

    def _wire(self) -> None:
        workspace = self.annotator.workspace
        self.annotator.gate_wanted.connect(self.ask)
        workspace.changed.connect(self._follow)
        workspace.opened.connect(self.hide)
        workspace.lock_changed.connect(self.hide)
        self.lines.itemClicked.connect(self._go_to)
        self.lines.itemActivated.connect(self._go_to)
        self.reason.textChanged.connect(lambda _: self._allow())
        self.reason.returnPressed.connect(self._lock)
        self.lock.clicked.connect(lambda _: self._lock())
        self.stay.clicked.connect(lambda _: self._leave())

    def wear(self, palette: Palette) -> None:
        """Write in the colours of a theme."""
        self._palette = palette
        self._follow()

    # --- showing -------------------------------------------------------------------------------

    def ask(self) -> None:
        """Show what the entry that is open lacks, ready for a reason or for the button."""
        self.reason.clear()
        self.show()
        found = self._refresh()
        if found is None or found.must_be_mended:
            return
        (self.reason if found.needs_reason else self.lock).setFocus()

    def _follow(self) -> None:
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> Completeness | None:
        """Show what is missing now."""
        worklist = self.annotator.worklist
        if worklist is None or not worklist.has_open:
            self.hide()
            return None
        found = worklist.lacks()
        weights = {item.weight for item in found.items}
        head = next((_HEADS[weight] for weight in Weight if weight in weights), "")
        self.head.setText(f"{head}: {found.summary}." if head else COMPLETE)
        redact = self.annotator.workspace.access.redact
        self.lines.clear()
        for item in found.items:
            mark, tone = _MARKS[item.weight]
            line = QListWidgetItem(f"{mark} {redact(item.words)}")
            if self._palette is not None:
                line.setForeground(QColor(self._palette.ink(tone)))
            line.setToolTip(f"{redact(item.words)}\n{item.weight.value}; click to go there")
            line.setData(Qt.ItemDataRole.UserRole, item)
            self.lines.addItem(line)
        self.lines.setVisible(bool(found.items))
        shown = min(len(found.items), LINES_SHOWN)
        frame = 2 * self.lines.frameWidth() + 2
        self.lines.setFixedHeight(shown * max(self.lines.sizeHintForRow(0), 0) + frame)
        self.reason.setVisible(found.needs_reason and not found.must_be_mended)
        self._found = found
        self._allow()
        return found

    def _allow(self) -> None:
        """Offer to lock what is complete, or has a reason."""
        explained = not self._found.needs_reason or bool(self.reason.text().strip())
        self.lock.setEnabled(explained and not self._found.must_be_mended)

    # --- acting --------------------------------------------------------------------------------

    def _go_to(self, line: QListWidgetItem) -> None:
        with reported(self.annotator.workspace.warning):
            self.annotator.go_to(line.data(Qt.ItemDataRole.UserRole))
        # Unless what is gone to has the keys already, as the sagittal image has while one marks.
        if self.lines.hasFocus():
            focus_image(self)

    def _lock(self) -> None:
        worklist = self.annotator.worklist
        if worklist is None or not self.lock.isEnabled():
            return
        with reported(self.annotator.workspace.warning):
            worklist.finish_and_next(self.reason.text())

    def _leave(self) -> None:
        """Close, and go on reading: keys go to the image."""
        self.hide()
        focus_image(self)

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Close at Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)
