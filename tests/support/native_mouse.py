"""Events of mouse and keyboard as the X server sends them, by its XTEST extension.

``python -m tests.support.native_mouse`` plays steps from its input, each at its time: a process of
its own is not held up by the window that it draws in.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

LEFT, WHEEL_UP, WHEEL_DOWN = 1, 4, 5

Step = tuple[float, str, int, int]
"""After how many seconds; ``move``, ``press`` or ``release``; where on the screen, x and y."""


class NativeMouse:
    """The pointer of the screen that tests run on.

    Raises
    ------
    OSError
        If the libraries of X are not there.
    """

    def __init__(self) -> None:
        self._x11, self._xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(None))
        if not self._display:
            raise OSError("no X display")

    def turn_wheel(self, widget: Any, steps: int) -> None:
        """Point at the middle of a widget and turn the wheel; below 0 towards the hand."""
        at = widget.mapToGlobal(widget.rect().center())
        self._xtst.XTestFakeMotionEvent(self._display, -1, at.x(), at.y(), 0)
        for _ in range(abs(steps)):
            for pressed in (1, 0):
                button = WHEEL_UP if steps > 0 else WHEEL_DOWN
                self._xtst.XTestFakeButtonEvent(self._display, button, pressed, 0)
        self._x11.XSync(self._display, 0)

    def click(self, x: int, y: int) -> None:
        """Point at a place of the screen, press the left button and let go."""
        self._xtst.XTestFakeMotionEvent(self._display, -1, x, y, 0)
        for pressed in (1, 0):
            self._xtst.XTestFakeButtonEvent(self._display, LEFT, pressed, 0)
        self._x11.XSync(self._display, 0)

    def double_click(self, x: int, y: int) -> None:
        """Click twice on a place of the screen."""
        self.click(x, y)
        # Presses of the same millisecond are no double click to Qt.
        time.sleep(0.02)
        self.click(x, y)

    def press_key(self, *names: str) -> None:
        """Press keys by their names in X, such as ``Control_L`` and ``Return``, and let go.

        Raises
        ------
        ValueError
            If the keyboard lacks one.
        """
        self._x11.XStringToKeysym.restype = ctypes.c_ulong
        self._x11.XKeysymToKeycode.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
        codes = []
        for name in names:
            symbol = self._x11.XStringToKeysym(name.encode())
            codes.append(self._x11.XKeysymToKeycode(self._display, symbol) if symbol else 0)
            if not codes[-1]:
                msg = f"the keyboard has no key {name!r}"
                raise ValueError(msg)
        for code in codes:
            self._xtst.XTestFakeKeyEvent(self._display, code, 1, 0)
        for code in reversed(codes):
            self._xtst.XTestFakeKeyEvent(self._display, code, 0, 0)
        self._x11.XSync(self._display, 0)

    def play(self, steps: Sequence[Step]) -> None:
        """Move, press and let go, each at its time; what is late follows at once."""
        start = time.perf_counter()
        for after, kind, x, y in steps:
            time.sleep(max(0.0, start + after - time.perf_counter()))
            if kind == "move":
                self._xtst.XTestFakeMotionEvent(self._display, -1, x, y, 0)
            else:
                self._xtst.XTestFakeButtonEvent(self._display, LEFT, int(kind == "press"), 0)
            self._x11.XFlush(self._display)
        self._x11.XSync(self._display, 0)


def playing(steps: Sequence[Step]) -> subprocess.Popen[str]:
    """Play steps in a process of its own, which ends with the last of them."""
    command = [sys.executable, "-m", "tests.support.native_mouse"]
    hand = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)  # noqa: S603
    assert hand.stdin is not None
    hand.stdin.write(json.dumps(steps))
    hand.stdin.close()
    return hand


if __name__ == "__main__":
    NativeMouse().play(json.load(sys.stdin))
