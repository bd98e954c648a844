"""The windows on the screen as the X server knows them: names and places."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class XWindow:
    """A window that is shown.

    Attributes
    ----------
    name
        What stands in its title bar; empty for parts of windows.
    x, y, width, height
        Place on the screen and size, in pixels.
    """

    number: int
    name: str
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[int, int]:
        """Its middle on the screen."""
        return self.x + self.width // 2, self.y + self.height // 2

    def at(self, right: float, down: float) -> tuple[int, int]:
        """Return a place in it, from its upper left corner."""
        return self.x + round(right), self.y + round(down)


class _Attributes(ctypes.Structure):
    # The beginning of XWindowAttributes, and where map_state stands in it.
    _fields_ = (
        ("x", ctypes.c_int), ("y", ctypes.c_int), ("width", ctypes.c_int),
        ("height", ctypes.c_int), ("border_width", ctypes.c_int), ("depth", ctypes.c_int),
        ("visual", ctypes.c_void_p), ("root", ctypes.c_ulong), ("class_", ctypes.c_int),
        ("bit_gravity", ctypes.c_int), ("win_gravity", ctypes.c_int),
        ("backing_store", ctypes.c_int), ("backing_planes", ctypes.c_ulong),
        ("backing_pixel", ctypes.c_ulong), ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong), ("map_installed", ctypes.c_int),
        ("map_state", ctypes.c_int), ("rest", ctypes.c_char * 64),
    )  # fmt: skip


VIEWABLE = 2


class Screen:
    """What is on the screen."""

    def __init__(self) -> None:
        self._x11 = ctypes.CDLL("libX11.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(None))
        self._x11.XDefaultRootWindow.restype = ctypes.c_ulong
        self._root = self._x11.XDefaultRootWindow(self._display)
        # A window may be gone before it is asked for: that is no reason to end the process.
        self._handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(
            lambda *_: 0
        )
        self._x11.XSetErrorHandler(self._handler)

    def windows(self) -> list[XWindow]:
        """Return the windows that have a name, topmost last."""
        return [found for found in self._below(self._root) if found.name]

    def named(self, *words: str) -> XWindow | None:
        """Return the topmost window whose name begins with one of some words."""
        found = [window for window in self.windows() if window.name.startswith(words)]
        return found[-1] if found else None

    def parts(self, window: XWindow) -> list[XWindow]:
        """Return what lies in a window, nested parts included, from the top to the bottom."""
        return sorted(self._below(window.number), key=lambda part: (part.y, part.x))

    def _below(self, number: int) -> Iterator[XWindow]:
        for child in self._children(number):
            found = self._look(child)
            if found is not None:
                yield found
                yield from self._below(child)

    def _children(self, number: int) -> list[int]:
        root, parent = ctypes.c_ulong(), ctypes.c_ulong()
        children, count = ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
        refs = map(ctypes.byref, (root, parent, children, count))
        if not self._x11.XQueryTree(self._display, ctypes.c_ulong(number), *refs):
            return []
        found = [children[n] for n in range(count.value)]
        if children:
            self._x11.XFree(children)
        return found

    def _look(self, number: int) -> XWindow | None:
        attributes, x, y, child = _Attributes(), ctypes.c_int(), ctypes.c_int(), ctypes.c_ulong()
        window = ctypes.c_ulong(number)
        asked = self._x11.XGetWindowAttributes(self._display, window, ctypes.byref(attributes))
        if not asked or attributes.map_state != VIEWABLE:
            return None
        self._x11.XTranslateCoordinates(
            self._display, window, ctypes.c_ulong(self._root), 0, 0,
            *map(ctypes.byref, (x, y, child)),
        )  # fmt: skip
        size = attributes.width, attributes.height
        return XWindow(number, self._name(window), x.value, y.value, *size)

    def _name(self, window: ctypes.c_ulong) -> str:
        text = ctypes.c_char_p()
        if not self._x11.XFetchName(self._display, window, ctypes.byref(text)) or not text.value:
            return ""
        found = text.value.decode("latin-1")
        self._x11.XFree(text)
        return found
