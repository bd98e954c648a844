"""Colours and sizes of the window: worked out from napari's theme, in one place.

A text has a tone (what it means) and a size; the stylesheet of the panel that it is in says what
both look like. So a text needs no style of its own, and follows the theme and napari's font size.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

from napari_multifidus import _compat
from napari_multifidus.models.shapes import LAYER_COLOURS, PROBLEM_COLOUR

LEAST_CONTRAST = 4.5
"""Of every text against its ground: WCAG 2.1, level AA."""

SMALLEST, SMALL, NORMAL, TITLE, NUMBER = 10, 11, 12, 13, 18
"""Heights of letters, in pixels at napari's own font size."""

SIZES = (SMALLEST, SMALL, NORMAL, TITLE, NUMBER)

LINE_HEIGHT = 1.4
"""Of a line of words, in heights of its letters."""

USUAL_PT = 12 if sys.platform == "darwin" else 9
"""napari's own font size."""

PANEL_WIDTH = 362
"""Of the panel on the right, at napari's own font size."""

ICON = 20
"""Of a button's picture."""

GAP, MARGIN = 6, 4
"""Between parts of a panel, and around them."""

IMAGE_GROUND, IMAGE_TEXT = "#101216", "#c8ccd4"
"""Around images, which are dark in every theme, and what is written there."""


class Tone(StrEnum):
    """What a text means."""

    TEXT = "text"
    QUIET = "quiet"
    WARNING = "warning"
    ERROR = "error"
    GOOD = "good"


# Okabe and Ito's amber, vermilion and green, told apart with every kind of colour vision.
_HUES = {Tone.WARNING: "#e69f00", Tone.ERROR: "#ff5a5f", Tone.GOOD: "#1fb58f"}


def rgb(colour: str) -> tuple[float, float, float]:
    """Return red, green and blue of ``#rrggbb``, from 0 to 1."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2.1 defines it."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - of sRGB
        for part in rgb(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, from 1 to 21, as WCAG 2.1 defines it."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def mixed(colour: str, other: str, share: float) -> str:
    """Mix a share of another colour into a colour."""
    parts = zip(rgb(colour), rgb(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + share * (b - a))):02x}" for a, b in parts)


def readable(colour: str, grounds: Iterable[str], least: float = LEAST_CONTRAST) -> str:
    """Return a colour, or the nearest lighter or darker one that can be read on all grounds."""
    grounds = tuple(grounds)
    for step in range(21):
        for end in ("#ffffff", "#000000"):
            found = mixed(colour, end, step / 20)
            if all(contrast(found, ground) >= least for ground in grounds):
                return found
    return max(("#ffffff", "#000000"), key=lambda end: min(contrast(end, g) for g in grounds))


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme, and the size of its letters.

    Attributes
    ----------
    ground, raised
        Behind panels, and behind buttons, tables and cards that stand out.
    text, line, current
        Of words, of frames, and of what is chosen.
    scale
        How much larger letters are than napari's own.
    """

    ground: str
    raised: str
    text: str
    line: str
    current: str
    scale: float = 1.0

    def ink(self, colour: str) -> str:
        """Return a colour as it can be read in this theme; of a tone its own."""
        if colour in {"", Tone.TEXT}:
            return self.text
        if colour == Tone.QUIET:
            return readable(mixed(self.text, self.ground, 0.3), self.grounds)
        return readable(_HUES.get(colour, colour), self.grounds)  # type: ignore[call-overload] # a tone, or a colour

    @property
    def on_current(self) -> str:
        """The colour of words on what is chosen."""
        return readable(self.text, (self.current,))

    @property
    def grounds(self) -> tuple[str, str]:
        """What words stand on."""
        return self.ground, self.raised

    def px(self, size: float) -> int:
        """Return a length on the screen at the size of the letters."""
        return round(size * self.scale)


def palette_of(viewer: Any) -> Palette:
    """Return the palette of a viewer's theme."""
    colours, font_pt = _compat.theme_of(viewer)
    return Palette(
        ground=colours["background"],
        raised=colours["foreground"],
        text=readable(colours["text"], (colours["background"], colours["foreground"])),
        line=colours["secondary"],
        current=colours["current"],
        scale=font_pt / USUAL_PT,
    )


def sheet(palette: Palette) -> str:
    """Return the stylesheet of a panel."""
    inks = (*Tone, *LAYER_COLOURS, PROBLEM_COLOUR)
    warning, error = palette.ink(Tone.WARNING), palette.ink(Tone.ERROR)
    words = "QLabel, QPushButton, QToolButton, QComboBox, QCheckBox, QSpinBox, QLineEdit, QTabBar"
    small = palette.px(SMALL)
    framed = f"border: 1px solid {warning}; border-radius: 4px; background: {palette.raised};"
    return "\n".join(
        (
            f"{words} {{ font-size: {palette.px(NORMAL)}px; }}",
            *(f'QLabel[px="{size}"] {{ font-size: {palette.px(size)}px; }}' for size in SIZES),
            *(f'QLabel[tone="{ink}"] {{ color: {palette.ink(ink)}; }}' for ink in inks),
            'QLabel[strong="true"] { font-weight: bold; }',
            f"QTableView, QTreeView, QListView {{ font-size: {small}px; }}",
            f"QHeaderView::section {{ font-size: {palette.px(SMALLEST)}px; padding: 1px; }}",
            f"QProgressBar::chunk {{ background-color: {palette.ink(Tone.GOOD)}; }}",
            f"QFrame[card] {{ border: 1px solid {palette.line}; border-radius: 4px; }}",
            *_cards(palette),
            f'QFrame[card="problem"] {{ border: 3px solid {error}; border-left: 5px solid {error};'
            " border-radius: 4px; }",
            f"QFrame[framed] {{ {framed} }}",
            f'QFrame[framed="error"] {{ border: 2px solid {error}; }}',
            "QFrame[framed] QLabel { background: transparent; }",
            f"Highlight {{ border: 3px solid {warning}; border-radius: 4px;"
            " background: transparent; }",
            _step_sheet(palette),
        )
    )


def _cards(palette: Palette) -> Iterator[str]:
    for colour in LAYER_COLOURS:
        ink = palette.ink(colour)
        yield (
            f'QFrame[card="{colour}"] {{ border: 1px solid {ink}; border-left: 5px solid {ink};'
            " border-radius: 4px; }"
        )


def _step_sheet(palette: Palette) -> str:
    good = palette.ink(Tone.GOOD)
    return (
        "QPushButton[step] { border: 1px solid transparent; border-radius: 4px;"
        f" padding: 2px 6px; background: transparent; color: {palette.ink(Tone.QUIET)}; }}"
        f'QPushButton[step="done"] {{ color: {good}; }}'
        f'QPushButton[step="begun"] {{ color: {palette.text}; }}'
        f'QPushButton[step="next"] {{ background: {palette.current}; color: {palette.on_current};'
        " font-weight: bold; }"
        f"QPushButton[step]:hover, QPushButton[step]:focus {{ border-color: {palette.text}; }}"
    )


def give(widget: QWidget, **properties: Any) -> None:
    """Set properties that a stylesheet asks for, such as tone and size; only where they differ."""
    changed = False
    for name, value in properties.items():
        written = str(value).lower() if isinstance(value, bool) else str(value)
        if widget.property(name) != written:
            widget.setProperty(name, written)
            changed = True
    style = widget.style()
    if changed and style is not None:
        style.unpolish(widget)
        style.polish(widget)


class _Follower(QObject):
    """Dresses a panel anew when napari's theme or font size changes."""

    def __init__(self, panel: QWidget, viewer: Any) -> None:
        super().__init__(panel)
        self._panel, self._viewer = panel, viewer
        self._worn: Palette | None = None
        panel.installEventFilter(self)
        self.dress()

    def dress(self) -> None:
        """Give the panel the colours of the theme, unless it has them."""
        palette = palette_of(self._viewer)
        if palette == self._worn:
            return
        self._worn = palette
        self._panel.setStyleSheet(sheet(palette))
        for part in (self._panel, *self._panel.findChildren(QWidget)):
            wear = getattr(part, "wear", None)
            if wear is not None:
                wear(palette)

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's
        """Notice that the style of the window is another."""
        if event.type() == QEvent.Type.StyleChange:
            # A window that is being taken apart has no theme any more.
            with contextlib.suppress(RuntimeError):
                self.dress()
        return bool(super().eventFilter(watched, event))


def follow_theme(panel: QWidget, viewer: Any) -> None:
    """Dress a panel in a viewer's theme, now and whenever it changes.

    What paints itself has a method ``wear``, which takes the palette.
    """
    _Follower(panel, viewer)
