"""Every key of the plugin, in one table: for the viewer, for the help, for the documentation.

Letters that napari's Shapes layers use are left alone, but for ``3``, which deletes a shape at one
touch and cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_multifidus.layers import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT

__all__ = ["FAT", "LEAN", "MULTIFIDUS_LEFT", "MULTIFIDUS_RIGHT"]

DANGEROUS = "3"
"""napari deletes the selected shapes at this key; on our layers it does nothing."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A key and what it does.

    Attributes
    ----------
    act
        Called with the annotator.
    """

    key: str
    words: str
    act: Callable[[Any], object]


SHORTCUTS = (
    Shortcut(".", "next slice", lambda annotator: annotator.step(1)),
    Shortcut(",", "slice before", lambda annotator: annotator.step(-1)),
    Shortcut("Q", "draw multifidus right (left on screen)", lambda a: a.draw(MULTIFIDUS_RIGHT)),
    Shortcut("W", "draw multifidus left (right on screen)", lambda a: a.draw(MULTIFIDUS_LEFT)),
    Shortcut("G", "draw a lean reference", lambda a: a.draw(LEAN)),
    Shortcut("H", "draw a fat reference", lambda a: a.draw(FAT)),
    Shortcut("J", "move vertices of the structure in hand", lambda a: a.edit()),
    Shortcut("K", "copy the structure in hand from the nearest slice", lambda a: a.copy_nearest()),
    Shortcut("M", "mark levels on the sagittal image", lambda a: a.mark_levels()),
    Shortcut("Shift-O", "see another image of the same slices", lambda a: a.next_contrast()),
    Shortcut("Shift-G", "show other grey levels", lambda a: a.next_window()),
    Shortcut("N", "hide or show all outlines", lambda a: a.toggle_outlines()),
)
"""Every shortcut, in the order of the help."""


def bind(viewer: Any, annotator: Any) -> None:
    """Bind the keys to a viewer."""
    for shortcut in SHORTCUTS:
        viewer.bind_key(shortcut.key, lambda _, act=shortcut.act: act(annotator), overwrite=True)


def unbind(viewer: Any) -> None:
    """Take the keys back."""
    for shortcut in SHORTCUTS:
        viewer.bind_key(shortcut.key, None, overwrite=True)


def disarm(layer: Any) -> None:
    """Take the key that deletes shapes from a layer; Delete and Backspace still do."""
    layer.bind_key(DANGEROUS, _nothing, overwrite=True)


def _nothing(layer: Any) -> None:
    """Do nothing."""


def help_text() -> str:
    """List all keys, one a line."""
    return "\n".join(f"{shortcut.key}  {shortcut.words}" for shortcut in SHORTCUTS)
