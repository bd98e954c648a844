"""What is saved, and the line of messages."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_multifidus.models.messages import MessageBoard
from napari_multifidus.views.style import Tone, give
from napari_multifidus.views.widgets import ElidedLabel, button

CLOSE_WIDTH = 22


class StatusLine(QWidget):
    """One line above the image: a message, else an error, else what to do next.

    Attributes
    ----------
    message
        The line.
    saved
        What is saved, and where.
    """

    def __init__(self) -> None:
        super().__init__()
        self.board = MessageBoard()
        self.hint = ""
        self.saved, self.message = ElidedLabel(), ElidedLabel()
        self.close_message = button("✕", "Close this message", width=CLOSE_WIDTH)
        self.close_message.setAccessibleName("Close this message")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._read)
        self.close_message.clicked.connect(self._read)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.message, 1)
        layout.addWidget(self.close_message)
        # Its place is kept while there is nothing to close: nothing jumps.
        policy = self.close_message.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.close_message.setSizePolicy(policy)
        self.show_saved("nothing to save yet")
        self._show(self.board)

    # --- what is saved -------------------------------------------------------------------------

    def show_saved(self, words: str) -> None:
        """Say that all is saved."""
        self._show_saved(f"✓ {words}", Tone.GOOD)

    def show_unsaved(self, words: str) -> None:
        """Say that something is not."""
        self._show_saved(f"● {words}", Tone.WARNING)

    def _show_saved(self, words: str, tone: Tone) -> None:
        self.saved.setText(words)
        self.saved.setToolTip(words)
        give(self.saved, tone=tone)

    # --- messages ------------------------------------------------------------------------------

    def show_message(self, words: str) -> None:
        """Show a message; it goes away by itself."""
        self._show(self.board.said(words))

    def show_warning(self, words: str) -> None:
        """Show a message about something wrong; it stays until something changes."""
        self._show(self.board.failed(words))

    def show_standing(self, words: str) -> None:
        """Show after a change what is wrong with the drawing; empty where nothing is."""
        self._show(self.board.changed().stands(words))

    def show_hint(self, words: str) -> None:
        """Show what to do next, where there is nothing else to say."""
        self.hint = words
        self._show(self.board)

    def forget(self) -> None:
        """Show nothing of what was said of another exam."""
        self._show(MessageBoard())

    def _read(self) -> None:
        self._show(self.board.read())

    def _show(self, board: MessageBoard) -> None:
        is_new = board.message != self.board.message
        self.board = board
        self.message.setText(board.shown or self.hint)
        tone = Tone.ERROR if board.is_error else Tone.TEXT if board.shown else Tone.QUIET
        give(self.message, tone=tone, strong=board.is_error)
        # What is wrong with the drawing stays until it is mended.
        self.close_message.setVisible(bool(board.message or board.error))
        if is_new or not board.message:
            self._timer.stop()
        if board.message and not self._timer.isActive():
            self._timer.start(board.stays_ms)

    def enterEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Keep a message while the mouse rests on it."""
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Let the message go after a while again."""
        super().leaveEvent(event)
        if self.board.message:
            self._timer.start(self.board.stays_ms)
