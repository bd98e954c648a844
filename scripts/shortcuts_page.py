"""Write docs/how-to/shortcuts.md from the plugin's table of keys.

Usage: ``python scripts/shortcuts_page.py``
"""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "how-to" / "shortcuts.md"

_HEAD = """# Keyboard shortcuts of the napari plugin

<!-- Written by scripts/shortcuts_page.py; do not edit. -->

The keys of the tools, as the button *Keys* in the tab *Help* shows them. They work unless a list, a
field or a dialog has the keys. Enter or a double click closes an outline, Esc discards it. Keys of
the sagittal image are under [levels](annotate-in-napari.md#levels). Letters that napari's own
shapes use (`R E L T P D S Z I X F B A`, `1` to `7`) are left to napari.

| Key | Action |
|---|---|
"""

_FOOT = """
## Without the mouse

Once outlines are drawn, a pass over an exam needs no mouse: `.` and `,` go from slice to slice,
`Shift+F` highlights fat on the image, the arrow keys with `Shift` move the active outline pixel by
pixel, `K` copies it from the nearest slice, `Shift+M` mirrors it, `Shift+I` interpolates it,
`Shift+Q` lets digits grade the level, `Shift+N` marks a muscle as not measurable, and `Ctrl+Z`
undoes the last change. Outlines themselves are drawn with the mouse or a pen.
"""


def page() -> str:
    """Return the page as it has to be."""
    from napari_multifidus.controllers.shortcuts import page_rows

    return _HEAD + "\n".join(page_rows()) + "\n" + _FOOT


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(PAGE.parents[2]))


if __name__ == "__main__":
    main()
