"""Every key of the plugin, in one table: for the viewer, the buttons, the help, the documentation.

Letters that napari's Shapes layers use are left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_multifidus.controllers.canvas import DRAW
from napari_multifidus.controllers.edit_tools import DOWN, LEFT, RIGHT, UP
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.models.shapes import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.strokes import Tool

__all__ = ["FAT", "LEAN", "MULTIFIDUS_LEFT", "MULTIFIDUS_RIGHT"]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A key and what it does.

    Attributes
    ----------
    key
        As napari names it.
    act
        Called with the annotator.
    name
        Of the button that does the same, where there is one.
    is_held
        Whether it acts for as long as it is held: ``act`` then returns an iterator.
    """

    key: str
    words: str
    act: Callable[[Any], object]
    name: str = ""
    is_held: bool = False

    @property
    def shown(self) -> str:
        """The key as people write it."""
        words = self.key.replace("Control", "Ctrl").replace("-", "+")
        return f"{words} held" if self.is_held else words


def _use(tool: Tool) -> Callable[[Any], object]:
    return lambda annotator: annotator.edit_tools.use(tool)


SHORTCUTS = (
    Shortcut(".", "next slice", lambda annotator: annotator.display.step(1)),
    Shortcut(",", "slice before", lambda annotator: annotator.display.step(-1)),
    Shortcut(
        "Q", "draw multifidus right (left on screen)", lambda a: a.edit_tools.draw(MULTIFIDUS_RIGHT)
    ),
    Shortcut(
        "W", "draw multifidus left (right on screen)", lambda a: a.edit_tools.draw(MULTIFIDUS_LEFT)
    ),
    Shortcut("G", "draw a lean reference", lambda a: a.edit_tools.draw(LEAN)),
    Shortcut("H", "draw a fat reference", lambda a: a.edit_tools.draw(FAT)),
    Shortcut("M", "mark levels on the sagittal image", lambda a: a.entries.mark_levels()),
    Shortcut(
        "0", "draw the next outline that is missing", lambda a: a.edit_tools.next_missing(), "next"
    ),
    Shortcut("O", "draw by clicks: a polygon", lambda a: a.edit_tools.use(DRAW), "polygon"),
    Shortcut("U", "draw by hand: unbroken, at full resolution", _use(Tool.FREEHAND), "freehand"),
    Shortcut("Y", "draw by clicks that snap to edges: livewire", _use(Tool.LIVEWIRE), "livewire"),
    Shortcut("J", "move vertices of the structure in hand", lambda a: a.edit_tools.edit(), "edit"),
    Shortcut("C", "paint with a round brush", _use(Tool.BRUSH), "brush"),
    Shortcut("Shift-C", "erase with a round brush", _use(Tool.ERASER), "eraser"),
    Shortcut("8", "smaller brush", lambda a: a.edit_tools.resize_brush(larger=False)),
    Shortcut("9", "larger brush", lambda a: a.edit_tools.resize_brush(larger=True)),
    Shortcut("Shift-H", "draw a hole in the structure in hand", _use(Tool.HOLE), "hole"),
    Shortcut("Shift-J", "draw an island, or more of it", _use(Tool.ISLAND), "island"),
    Shortcut("Shift-S", "smooth it; its area stays", lambda a: a.edit_tools.smooth(), "smooth"),
    Shortcut("K", "copy it from the nearest slice", lambda a: a.edit_tools.copy_nearest(), "copy"),
    Shortcut("Shift-K", "copy it to the next slice", lambda a: a.edit_tools.copy_on(), "copy_on"),
    Shortcut("Shift-M", "mirror it to the other side", lambda a: a.edit_tools.mirror(), "mirror"),
    Shortcut(
        "Shift-I",
        "interpolate it between the nearest slices that have it",
        lambda a: a.edit_tools.interpolate(),
        "interpolate",
    ),
    Shortcut("Shift-Left", "move it to the left by a pixel", lambda a: a.edit_tools.nudge(LEFT)),
    Shortcut("Shift-Right", "move it to the right", lambda a: a.edit_tools.nudge(RIGHT)),
    Shortcut("Shift-Up", "move it up", lambda a: a.edit_tools.nudge(UP)),
    Shortcut("Shift-Down", "move it down", lambda a: a.edit_tools.nudge(DOWN)),
    Shortcut(
        "Control-Z", "take back the last change, or corner", lambda a: a.edit_tools.undo(), "undo"
    ),
    Shortcut("Control-Shift-Z", "do it again", lambda a: a.edit_tools.redo(), "redo"),
    Shortcut("Control-Y", "do it again", lambda a: a.edit_tools.redo()),
    Shortcut("Shift-N", "not measurable, because …", lambda a: a.entries.ask_reason(), "gap"),
    Shortcut("Control-Enter", "done, next: of a reading list", lambda a: a.finish_and_next()),
    Shortcut("Shift-O", "see another image of the same slices", lambda a: a.display.next_image()),
    Shortcut("Shift-G", "show other grey levels", lambda a: a.display.next_window()),
    Shortcut(
        "Space",
        "move the view by the left button, whatever tool is in hand",
        lambda annotator: annotator.panning.hold(),
        is_held=True,
    ),
    Shortcut("N", "hide or show all outlines", lambda a: a.display.toggle_outlines()),
    Shortcut("Shift-F", "show fat and lean on the image", lambda a: a.feedback.toggle_fat(), "fat"),
    Shortcut(
        "Shift-Q",
        "grade: digits then grade the side in hand, until pressed again",
        lambda a: a.grading.toggle(),
        "grade",
    ),
)
"""Every shortcut, in the order of the help."""

GESTURES = (
    ("Middle button", "drag: move the view, whatever tool is in hand"),
    ("Wheel", "enlarge or make smaller around the mouse"),
    ("Ctrl+Wheel", "next slice, slice before"),
)
"""What the mouse does with every tool, beside drawing."""

BY_NAME = {shortcut.name: shortcut for shortcut in SHORTCUTS if shortcut.name}


def bind(viewer: Any, annotator: Any, warning: Any) -> None:
    """Bind the keys to a viewer; what a key cannot do is said by a signal."""
    for shortcut in SHORTCUTS:
        viewer.bind_key(shortcut.key, _pressed(shortcut, annotator, warning), overwrite=True)


def _pressed(shortcut: Shortcut, annotator: Any, warning: Any) -> Callable[[Any], Any]:
    def press(_: Any) -> None:
        with reported(warning):
            shortcut.act(annotator)

    def hold(_: Any) -> Any:
        yield from shortcut.act(annotator)  # type: ignore[misc] # what is held is an iterator

    return hold if shortcut.is_held else press


def unbind(viewer: Any) -> None:
    """Take the keys back."""
    for shortcut in SHORTCUTS:
        viewer.bind_key(shortcut.key, None, overwrite=True)


def tip(name: str) -> str:
    """Describe a button: what it does, and by which key."""
    shortcut = BY_NAME[name]
    return f"{shortcut.words[0].upper()}{shortcut.words[1:]} ( {shortcut.shown} )"


def act(name: str, annotator: Any) -> None:
    """Do what a button's key does."""
    BY_NAME[name].act(annotator)


def page_rows() -> list[str]:
    """Return the rows of the table in the documentation."""
    return [f"| `{shown}` | {words} |" for shown, words in rows()]


def rows() -> list[tuple[str, str]]:
    """Return every key and gesture, and what it does."""
    return [*((shortcut.shown, shortcut.words) for shortcut in SHORTCUTS), *GESTURES]


def help_text() -> str:
    """List all keys, one a line."""
    return "\n".join(f"{shown}  {words}" for shown, words in rows())
