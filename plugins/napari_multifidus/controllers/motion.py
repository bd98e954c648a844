"""What moves on a canvas, until it rests."""

from __future__ import annotations

from collections.abc import Callable

from napari_multifidus.controllers.timers import single_shot

SYNC_MS = 250
"""What no event announces, such as pasted shapes, is taken over after this long without motion."""


class Motion:
    """Waits until nothing moves; then numbers of what moved are shown no longer.

    Parameters
    ----------
    is_busy
        Returns whether the button is down, or an outline begun: a hand may rest meanwhile.
    take_over
        Takes over all that is drawn; returns whether anything changed.
    over
        Called where numbers of an outline in motion are shown, and nothing came of it.
    """

    def __init__(
        self,
        is_busy: Callable[[], bool],
        take_over: Callable[[], bool],
        over: Callable[[], None],
    ) -> None:
        self._is_busy, self._take_over, self._over = is_busy, take_over, over
        self._is_shown = False
        self._timer = single_shot(SYNC_MS, self._rest)

    def wait(self) -> None:
        """Wait for rest, from now on."""
        self._timer.start()

    def show(self) -> None:
        """Note that numbers of an outline in motion are shown."""
        self._is_shown = True
        self.wait()

    def end(self) -> None:
        """Note that all numbers are shown anew."""
        self._is_shown = False

    def stop(self) -> None:
        """Wait no more."""
        self._timer.stop()

    def _rest(self) -> None:
        if self._is_busy():
            self.wait()
        elif not self._take_over() and self._is_shown:
            self.end()
            self._over()
