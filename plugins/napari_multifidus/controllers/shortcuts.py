"""Every key of the plugin, in one table: for the viewer, the buttons, the help, the documentation.

Letters that napari's Shapes layers use are left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_multifidus.controllers.canvas import DRAW
from napari_multifidus.controllers.edit_tools import DOWN, LEFT, RIGHT, UP, Operation
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.models import edit_operations
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


def _change(operation: Operation) -> Callable[[Any], object]:
    return lambda annotator: annotator.edit_tools.change(operation)


SHORTCUTS = (
    Shortcut(".", "next slice", lambda annotator: annotator.display.step(1)),
    Shortcut(",", "previous slice", lambda annotator: annotator.display.step(-1)),
    Shortcut(
        "Q",
        "draw the right multifidus (left on screen)",
        lambda a: a.edit_tools.draw(MULTIFIDUS_RIGHT),
    ),
    Shortcut(
        "W",
        "draw the left multifidus (right on screen)",
        lambda a: a.edit_tools.draw(MULTIFIDUS_LEFT),
    ),
    Shortcut("G", "draw a lean reference", lambda a: a.edit_tools.draw(LEAN)),
    Shortcut("H", "draw a fat reference", lambda a: a.edit_tools.draw(FAT)),
    Shortcut("M", "mark levels on the sagittal image", lambda a: a.entries.mark_levels()),
    Shortcut(
        "0",
        "go to the next missing outline and draw it",
        lambda a: a.edit_tools.next_missing(),
        "next",
    ),
    Shortcut(
        "Shift-W",
        "go on by itself after an outline is closed, or no longer",
        lambda a: a.edit_tools.toggle_advance(),
    ),
    Shortcut("O", "polygon: click vertices", lambda a: a.edit_tools.use(DRAW), "polygon"),
    Shortcut("U", "freehand drawing", _use(Tool.FREEHAND), "freehand"),
    Shortcut("Y", "livewire: clicks snap to edges", _use(Tool.LIVEWIRE), "livewire"),
    Shortcut("J", "move vertices of the active structure", lambda a: a.edit_tools.edit(), "edit"),
    Shortcut("C", "brush: add to the outline", _use(Tool.BRUSH), "brush"),
    Shortcut("Shift-C", "eraser: take from the outline", _use(Tool.ERASER), "eraser"),
    Shortcut("8", "smaller brush", lambda a: a.edit_tools.resize_brush(larger=False)),
    Shortcut("9", "larger brush", lambda a: a.edit_tools.resize_brush(larger=True)),
    Shortcut("Shift-H", "draw a hole in the active structure", _use(Tool.HOLE), "hole"),
    Shortcut(
        "Shift-J",
        "draw an island of the active structure, or extend it",
        _use(Tool.ISLAND),
        "island",
    ),
    Shortcut(
        "Shift-S", "smooth contour (area preserved)", _change(edit_operations.smooth), "smooth"
    ),
    Shortcut(
        "Shift-X", "mend an outline that crosses itself", lambda a: a.edit_tools.mend(), "mend"
    ),
    Shortcut(
        "K", "copy from the nearest slice", _change(edit_operations.copy_from_nearest), "copy"
    ),
    Shortcut("Shift-K", "copy to the next slice", lambda a: a.edit_tools.copy_on(), "copy_on"),
    Shortcut("Shift-M", "mirror to the other side", lambda a: a.edit_tools.mirror(), "mirror"),
    Shortcut(
        "Shift-I",
        "interpolate between the nearest outlined slices",
        lambda a: a.edit_tools.interpolate(),
        "interpolate",
    ),
    Shortcut(
        "Shift-Left", "move the outline left by one pixel", lambda a: a.edit_tools.nudge(LEFT)
    ),
    Shortcut("Shift-Right", "move the outline right", lambda a: a.edit_tools.nudge(RIGHT)),
    Shortcut("Shift-Up", "move the outline up", lambda a: a.edit_tools.nudge(UP)),
    Shortcut("Shift-Down", "move the outline down", lambda a: a.edit_tools.nudge(DOWN)),
    Shortcut("Control-Z", "undo the last change or vertex", lambda a: a.edit_tools.undo(), "undo"),
    Shortcut("Control-Shift-Z", "redo", lambda a: a.edit_tools.redo(), "redo"),
    Shortcut("Control-Y", "redo", lambda a: a.edit_tools.redo()),
    Shortcut(
        "Shift-N", "mark as not measurable, with a reason", lambda a: a.entries.ask_reason(), "gap"
    ),
    Shortcut(
        "Control-Enter",
        "finish this reading and open the next one of the list",
        lambda a: a.finish_and_next(),
    ),
    Shortcut("Shift-O", "show the next image of the same slices", lambda a: a.display.next_image()),
    Shortcut("Shift-G", "change the grey levels", lambda a: a.display.next_window()),
    Shortcut(
        "Space",
        "pan with the left button, with any tool",
        lambda annotator: annotator.panning.hold(),
        is_held=True,
    ),
    Shortcut("N", "hide or show all outlines", lambda a: a.display.toggle_outlines()),
    Shortcut(
        "Shift-B",
        "show the bare image: hide everything that lies on it, or show it again",
        lambda a: a.image_view.toggle_bare(),
    ),
    Shortcut(
        "Shift-F",
        "highlight pixels classified as fat and as lean",
        lambda a: a.feedback.toggle_fat(),
        "fat",
    ),
    Shortcut(
        "Shift-Q",
        "grading keys: digits grade the active side, until pressed again",
        lambda a: a.grading.toggle(),
        "grade",
    ),
)
"""Every shortcut, in the order of the help."""

TOOL_BUTTONS = (
    ("Polygon", "polygon"),
    ("Freehand", "freehand"),
    ("Livewire", "livewire"),
    ("Edit", "edit"),
    ("Brush", "brush"),
    ("Eraser", "eraser"),
    ("Hole", "hole"),
    ("Island", "island"),
    ("Smooth", "smooth"),
    ("Copy", "copy"),
    ("Mirror", "mirror"),
    ("Interpolate", "interpolate"),
    ("Undo", "undo"),
    ("Redo", "redo"),
    ("Next missing", "next"),
    ("Not measurable…", "gap"),
)
"""Buttons of the tools panel, in its order: the words of each for a screen reader, and the name of
its shortcut and of its picture in ``views.icons``."""

STAY_DOWN = ("polygon", "freehand", "livewire", "edit", "brush", "eraser", "hole", "island")
"""Buttons that stay down while their tool is active."""

GESTURES = (
    ("Middle button", "drag to pan, with any tool"),
    (
        "Right button",
        "drag to change the grey levels, with any tool: right for less contrast, up for brighter",
    ),
    ("Wheel", "zoom around the mouse"),
    ("Ctrl+Wheel", "next or previous slice"),
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
