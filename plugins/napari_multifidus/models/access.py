"""What may be done in the window while a reading is open, and which names are hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from multifidus.errors import MultifidusError


@dataclass(frozen=True, slots=True)
class Access:
    """The limits that a reading list sets.

    Attributes
    ----------
    fixed
        Why rater, reading and folder cannot be changed; empty where they can.
    blinded
        Whether subject, timepoint and the outlines of others are hidden.
    redact
        Takes out of a message what is hidden.
    """

    fixed: str = ""
    blinded: bool = False
    redact: Callable[[str], str] = str

    def refuse_if_fixed(self) -> None:
        """Refuse to change whose reading it is, or where it is kept, where that is settled.

        Raises
        ------
        MultifidusError
            If the reading belongs to a reading list.
        """
        if self.fixed:
            raise MultifidusError(self.fixed)

    def refuse_if_blinded(self) -> None:
        """Refuse what would show other raters' outlines.

        Raises
        ------
        MultifidusError
            If the reading is blinded.
        """
        if self.blinded:
            msg = "This reading is blinded: no other outlines can be loaded."
            raise MultifidusError(msg)

    def refuse_others_if_blinded(self) -> None:
        """Refuse to open exams by their files, whose names tell what blinding hides.

        Raises
        ------
        MultifidusError
            If the reading is blinded.
        """
        if self.blinded:
            msg = "This reading is blinded: exams are opened from the reading list alone."
            raise MultifidusError(msg)
