"""What the window says: messages that go away by themselves, errors that stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

READING_MS, LETTER_MS = 3000, 60
"""How long a message stays: a while to notice it, and the time to read its letters."""


@dataclass(frozen=True, slots=True)
class MessageBoard:
    """What there is to say, the most urgent first.

    Attributes
    ----------
    message
        What was done; it goes away by itself.
    error
        What is wrong; it stays until something is changed, or the person has read it.
    standing
        What is wrong with what is drawn, for as long as it is.
    """

    message: str = ""
    error: str = ""
    standing: str = ""

    def said(self, words: str) -> MessageBoard:
        """Return the board with a message."""
        return replace(self, message=words)

    def failed(self, words: str) -> MessageBoard:
        """Return the board with an error, which is more urgent than what was said before."""
        return replace(self, message="", error=words)

    def stands(self, words: str) -> MessageBoard:
        """Return the board with another thing that is wrong with the drawing; empty for none."""
        return replace(self, standing=words)

    def changed(self) -> MessageBoard:
        """Return the board after a change: an error about what was before is over."""
        return replace(self, error="")

    def read(self) -> MessageBoard:
        """Return the board after the message was read, or its time is over."""
        return replace(self, message="") if self.message else replace(self, error="")

    @property
    def shown(self) -> str:
        """What is shown: the newest message, then errors; empty where there is neither."""
        return self.message or self.error or self.standing

    @property
    def is_error(self) -> bool:
        """Whether what is shown is about something wrong."""
        return not self.message and bool(self.error or self.standing)

    @property
    def stays_ms(self) -> int:
        """How long what is shown stays, in milliseconds; 0 where it does not go by itself."""
        return READING_MS + LETTER_MS * len(self.message) if self.message else 0
