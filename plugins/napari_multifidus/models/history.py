"""Undo and redo: a list of states, and a place in it."""

from __future__ import annotations

from typing import Generic, TypeVar

MOST_STEPS = 500
"""Changes that can be undone; older ones are forgotten."""

T = TypeVar("T")


class History(Generic[T]):
    """States, one after another, and the one that is now.

    Parameters
    ----------
    first
        The first state.
    most
        How many can be gone back.
    """

    def __init__(self, first: T, most: int = MOST_STEPS) -> None:
        self._states = [first]
        self._place = 0
        self._most = most

    @property
    def now(self) -> T:
        """The state that is now."""
        return self._states[self._place]

    def commit(self, state: T) -> None:
        """Go on to a new state; what was undone is forgotten."""
        self._states = [*self._states[: self._place + 1], state][-self._most - 1 :]
        self._place = len(self._states) - 1

    def back(self) -> T | None:
        """Go back by one state and return it; None at the first."""
        return self._go(-1)

    def forward(self) -> T | None:
        """Go forward again by one state and return it; None at the last."""
        return self._go(1)

    def _go(self, step: int) -> T | None:
        if not 0 <= self._place + step < len(self._states):
            return None
        self._place += step
        return self.now
