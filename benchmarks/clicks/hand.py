"""A hand on mouse and keyboard of the X server, which counts all that it does."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.native_mouse import NativeMouse

Place = tuple[int, int]
"""On the screen, x and y."""

PAUSE_S = 0.025
"""Between two clicks: forty a second, faster than people click."""


@dataclass(slots=True)
class Recorder:
    """Counts what is sent to the X server, by what it is for.

    Attributes
    ----------
    clicks, keys
        Presses of a mouse button, and of a key with those held with it, by step.
    """

    clicks: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> tuple[int, int]:
        """All clicks and all keys."""
        return self.clicks.total(), self.keys.total()

    def as_rows(self) -> list[tuple[str, int, int]]:
        """Return the steps in the order of their first use, with clicks and keys."""
        names = dict.fromkeys((*self.clicks, *self.keys))
        return [(name, self.clicks[name], self.keys[name]) for name in names]


class Hand:
    """Clicks and presses keys; nothing reaches the screen but through the recorder.

    Parameters
    ----------
    recorder
        Where it is counted.
    pause_s
        Between two clicks.
    """

    def __init__(self, recorder: Recorder, pause_s: float = PAUSE_S) -> None:
        self.recorder, self._pause_s = recorder, pause_s
        self._mouse = NativeMouse()

    def click(self, step: str, place: Place) -> None:
        """Click on a place of the screen."""
        self.recorder.clicks[step] += 1
        self._mouse.click(*place)

    def press(self, step: str, *names: str) -> None:
        """Press a key, with others held."""
        self.recorder.keys[step] += 1
        self._mouse.press_key(*names)

    def click_along(
        self, step: str, places: Sequence[Place], closing: str = ""
    ) -> threading.Thread:
        """Click on one place after another without looking; on the last one twice if it closes.

        Parameters
        ----------
        closing
            What the second click of the last double click is counted as.
        """
        hand = threading.Thread(target=self._click_along, args=(step, places, closing))
        hand.start()
        return hand

    def _click_along(self, step: str, places: Sequence[Place], closing: str) -> None:
        for place in places:
            time.sleep(self._pause_s)
            self.click(step, place)
        if closing:
            time.sleep(self._pause_s)
            self.click(closing, places[-1])
