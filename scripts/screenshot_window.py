"""The window whose pictures `plugin_screenshots.py` takes: opened, sized, waited for, taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTH, HEIGHT = 1440, 960

LOOK: dict[str, Any] = {"into": IMAGES, "maximised": False}
"""Where pictures go, and whether the window is as large as the screen."""


def open_window() -> tuple[Any, Any]:
    """Open a new viewer with the plugin's window and return both."""
    import napari
    from napari_multifidus._compat import open_dock

    viewer = napari.Viewer()
    if LOOK["maximised"]:
        maximise(viewer)
    else:
        viewer.window.resize(WIDTH, HEIGHT)
    return viewer, open_dock(viewer)


def maximise(viewer: Any) -> None:
    """Make the window as large as the screen."""
    from napari_multifidus._compat import maximise as make_large

    make_large(viewer)
    settle()


def come_near(viewer: Any) -> None:
    """Fill the canvas with the middle of the image."""
    viewer.reset_view(margin=0)
    viewer.scene.camera.zoom *= 1.5
    settle()


def take(viewer: Any, name: str) -> None:
    """Write a picture of the whole window."""
    path = LOOK["into"] / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    print(path.name)


def settle() -> None:
    """Let the window do what waits to be done."""
    from qtpy.QtTest import QTest

    QTest.qWait(900)
