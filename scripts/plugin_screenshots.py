"""Make the pictures of the napari plugin in docs/images.

Usage: ``xvfb-run -a -s "-screen 0 1600x1200x24" python scripts/plugin_screenshots.py``

Opens the sample exam from the menu, with the outlines it comes with, and takes pictures of the
whole window. Your own settings are neither read nor written.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTH, HEIGHT = 1440, 960
TALL, WIDE = 1150, 560
SLICE = 4


def main() -> None:
    """Take every picture."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NAPARI_CONFIG"] = str(Path(scratch) / "settings.yaml")
        tempfile.tempdir = scratch
        viewer, dock = open_sample(scratch)
        take_annotator(viewer, dock)
        take_results(viewer, dock)
        take_warnings(viewer, dock)
        take_crossing(viewer, dock)
        take_locator(dock)
        viewer.close()


def open_sample(scratch: str) -> tuple[Any, Any]:
    """Open the sample exam in a new viewer and return viewer and plugin window."""
    import napari
    from napari_multifidus._compat import open_dock
    from qtpy.QtCore import QSettings

    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
    viewer = napari.Viewer()
    viewer.window.resize(WIDTH, HEIGHT)
    dock = open_dock(viewer)
    viewer.open_sample("multifidus", "phantom_pre")
    settle()
    dock.more.tour.end()
    hide_structures(viewer, dock)
    return viewer, dock


def hide_structures(viewer: Any, dock: Any) -> None:
    """Leave the multifidus and the references in sight."""
    from multifidus.anatomy import Structure

    shown = {Structure.MULTIFIDUS, Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE}
    for key, layer in dock.annotator.canvas.layers.items():
        layer.visible = key.structure in shown
    dock.annotator.canvas.go_to(SLICE)
    viewer.reset_view(margin=0)
    viewer.scene.camera.zoom *= 1.5
    settle()


def take_annotator(viewer: Any, dock: Any) -> None:
    """Show a structure in hand, its vertices ready to be moved."""
    from napari_multifidus.canvas import EDIT
    from napari_multifidus.keys import MULTIFIDUS_LEFT

    session, canvas = dock.annotator.session, dock.annotator.canvas
    (loop,) = session.loops(MULTIFIDUS_LEFT, SLICE)
    replace_outline(canvas, loop[:: max(1, len(loop) // 36)])
    canvas.take_in_hand(MULTIFIDUS_LEFT, EDIT)
    settle()
    take(viewer, "plugin-annotator")


def take_warnings(viewer: Any, dock: Any) -> None:
    """Show a slice whose level was typed wrongly, under a protocol of a narrow tilt."""
    from dataclasses import replace

    from multifidus.anatomy import Level, SlicePosition

    annotator, session = dock.annotator, dock.annotator.session
    protocol, (level, position) = session.protocol, session.said_level(SLICE)
    session.set_protocol(replace(protocol, tilt_limit_deg=1.0))
    annotator.set_level(Level.L3_L4, SlicePosition.UNKNOWN)
    settle()
    take(viewer, "plugin-warnings")
    session.set_protocol(protocol)
    annotator.set_level(level, position)
    settle()


def take_results(viewer: Any, dock: Any) -> None:
    """Show fat on the muscle, the histogram, and the table."""
    from napari_multifidus.keys import MULTIFIDUS_LEFT
    from qtpy.QtCore import Qt

    from multifidus.anatomy import Side

    annotator = dock.annotator
    for side, grade in ((Side.RIGHT, 3), (Side.LEFT, 2)):
        annotator.feedback.grade(side, grade)
    annotator.canvas.take_in_hand(MULTIFIDUS_LEFT, "pan_zoom")
    annotator.feedback.toggle_fat()
    table = dock.table
    table.filters["structure"].setCurrentText("multifidus")
    table.filters["structure"].activated.emit(0)
    table.view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    viewer.window.resize(WIDTH, TALL)
    narrow = dock.width()
    make_wide(dock, WIDE)
    settle()
    table.follow(SLICE)
    settle()
    take(viewer, "plugin-results")
    make_wide(dock, narrow)
    viewer.window.resize(WIDTH, HEIGHT)
    annotator.feedback.toggle_fat()
    table.filters["structure"].setCurrentIndex(0)
    table.filters["structure"].activated.emit(0)
    for side in (Side.RIGHT, Side.LEFT):
        annotator.feedback.grade(side, None)
    settle()


def make_wide(dock: Any, width: int) -> None:
    """Give the plugin's window another share of the whole one."""
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QDockWidget

    holder = dock.parentWidget()
    while not isinstance(holder, QDockWidget):
        holder = holder.parentWidget()
    dock.window().resizeDocks([holder], [width], Qt.Orientation.Horizontal)


def take_crossing(viewer: Any, dock: Any) -> None:
    """Show an outline that crosses itself."""
    import numpy as np
    from napari_multifidus.keys import MULTIFIDUS_LEFT

    session, canvas = dock.annotator.session, dock.annotator.canvas
    moved = session.loops(MULTIFIDUS_LEFT, SLICE)[0].copy()
    lowest = int(np.argmax(moved[:, 0]))
    moved[lowest] = moved[:, 0].min() - 6, moved[:, 1].mean()
    replace_outline(canvas, moved)
    settle()
    take(viewer, "plugin-crossing")


def take_locator(dock: Any) -> None:
    """Show the locator while the last discs are being marked."""
    from multifidus.anatomy import Level

    locator, session = dock.locator, dock.annotator.session
    left = {Level.L1_L2, Level.L2_L3}
    dock.annotator.set_landmarks(mark for mark in session.landmarks if mark.level not in left)
    locator.show_exam()
    locator.start_marking()
    settle()
    path = IMAGES / "plugin-locator.png"
    holder = locator.parentWidget()
    holder.setFloating(True)
    holder.resize(560, 900)
    settle()
    locator.grab().save(str(path))
    holder.setFloating(False)
    print(path.relative_to(IMAGES.parent.parent))


def replace_outline(canvas: Any, loop: Any) -> None:
    """Put another path in the place of the left multifidus."""
    from napari_multifidus.keys import MULTIFIDUS_LEFT
    from napari_multifidus.layers import vertices_of

    layer = canvas.layer(MULTIFIDUS_LEFT)
    data = list(layer.data)
    places = [round(float(vertices[0, 0])) for vertices in data]
    data[places.index(SLICE)] = vertices_of(loop, SLICE)
    layer.data = data


def take(viewer: Any, name: str) -> None:
    """Write a picture of the whole window."""
    path = IMAGES / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    print(path.relative_to(IMAGES.parent.parent))


def settle() -> None:
    """Let the window do what waits to be done."""
    from qtpy.QtTest import QTest

    QTest.qWait(900)


if __name__ == "__main__":
    main()
