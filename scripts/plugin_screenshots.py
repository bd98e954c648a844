"""Make the pictures of the napari plugin in docs/images.

Usage: ``xvfb-run -a -s "-screen 0 1600x1200x24" python scripts/plugin_screenshots.py [PART …]``

Parts are ``exam``, ``volume``, ``worklist`` and ``adjudication``; all of them if none is named.
``exam`` opens the sample exam from the menu, with the outlines it comes with, ``volume`` a phantom
without gaps; the others read a small study of phantoms in sessions. Pictures are of the whole
window. Your own settings are neither read nor written. ``--into``, ``--theme``, ``--font`` and
``--maximised`` make others, and more states, as ``python -m benchmarks.screens`` does for many
screens.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from screenshot_states import (
    take_gate,
    take_grading,
    take_half_drawn,
    take_locked,
    take_previous,
    take_reading,
    take_volume,
)
from screenshot_study import draw_perfectly, make_study
from screenshot_window import IMAGES, LOOK, come_near, open_window, settle, take

SLICE = 4

WORKED = (9, 7, 8)
"""Minutes of the readings that are finished in the picture of the worklist."""
RATERS = ("AB", "CD")


def main() -> None:
    """Take the pictures of the parts that are named, else every picture."""
    parts = {
        "exam": take_exam,
        "volume": take_volume,
        "worklist": take_worklist,
        "adjudication": take_adjudication,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--into", type=Path, default=IMAGES, help="folder of the pictures")
    parser.add_argument("--theme", default="dark", help="napari's theme: dark or light")
    parser.add_argument("--font", type=int, default=0, help="napari's font size in points")
    parser.add_argument("--maximised", action="store_true", help="as large as the screen")
    given = parser.parse_args()
    wanted = given.parts or list(parts)
    if not parts.keys() >= set(wanted):
        parser.error(f"parts are {', '.join(parts)}")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NAPARI_CONFIG"] = str(Path(scratch) / "settings.yaml")
        tempfile.tempdir = scratch
        keep_settings_in(scratch)
        choose_look(given.theme, given.font)
        LOOK.update(into=given.into, maximised=given.maximised)
        for part in wanted:
            parts[part](Path(scratch))


def choose_look(theme: str, font_pt: int) -> None:
    """Choose napari's theme and, unless it is 0, its font size."""
    from napari.settings import get_settings

    get_settings().appearance.theme = theme
    if font_pt:
        get_settings().appearance.font_size = font_pt


def keep_settings_in(folder: str) -> None:
    """Keep the plugin's settings away from the person's own."""
    from qtpy.QtCore import QSettings

    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)


def take_exam(scratch: Path) -> None:
    """Take the pictures of the sample exam."""
    viewer, dock = open_sample()
    take_annotator(viewer, dock)
    take_results(viewer, dock)
    take_reading(viewer, dock)
    take_warnings(viewer, dock)
    take_crossing(viewer, dock)
    take_locator(viewer, dock)
    if LOOK["maximised"]:
        take_grading(viewer, dock, SLICE)
        take_half_drawn(viewer, dock, SLICE + 3)
    take_previous(viewer, dock, SLICE, scratch)
    viewer.close()


def open_sample() -> tuple[Any, Any]:
    """Open the sample exam in a new viewer and return viewer and plugin window."""
    viewer, dock = open_window()
    if LOOK["maximised"]:
        settle()
        take(viewer, "plugin-empty")
    viewer.open_sample("multifidus", "phantom_pre")
    settle()
    if LOOK["maximised"]:
        settle()
        take(viewer, "plugin-tour")
    dock.feedback.tour.end()
    hide_structures(dock)
    dock.annotator.workspace.canvas.go_to(SLICE)
    come_near(viewer)
    return viewer, dock


def hide_structures(dock: Any) -> None:
    """Leave the multifidus and the references in sight."""
    from multifidus.data.anatomy import Structure

    shown = {Structure.MULTIFIDUS, Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE}
    for key, layer in dock.annotator.workspace.canvas.layers.items():
        layer.visible = key.structure in shown


def take_annotator(viewer: Any, dock: Any) -> None:
    """Show a structure in hand, its vertices ready to be moved."""
    from napari_multifidus.controllers.canvas import EDIT
    from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT

    session, canvas = dock.annotator.workspace.session, dock.annotator.workspace.canvas
    (loop,) = session.drawing.loops(MULTIFIDUS_LEFT, SLICE)
    replace_outline(canvas, loop[:: max(1, len(loop) // 36)])
    canvas.activate(MULTIFIDUS_LEFT, EDIT)
    settle()
    take(viewer, "plugin-annotator")


def take_warnings(viewer: Any, dock: Any) -> None:
    """Show a slice whose level was typed wrongly, under a protocol of a narrow tilt."""
    from dataclasses import replace

    from multifidus.data.anatomy import Level, SlicePosition

    annotator, session = dock.annotator, dock.annotator.workspace.session
    protocol, (level, position) = session.protocol, session.analysis.typed_level(SLICE)
    session.set_protocol(replace(protocol, tilt_limit_deg=1.0))
    annotator.entries.set_level(Level.L3_L4, SlicePosition.UNKNOWN)
    settle()
    take(viewer, "plugin-warnings")
    session.set_protocol(protocol)
    annotator.entries.set_level(level, position)
    settle()


def take_results(viewer: Any, dock: Any) -> None:
    """Show fat on the muscle, the histogram, and the table."""
    from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT
    from qtpy.QtCore import Qt

    from multifidus.data.anatomy import Side

    annotator = dock.annotator
    for side, grade in ((Side.RIGHT, 3), (Side.LEFT, 2)):
        annotator.grading.grade(side, grade)
    annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    annotator.feedback.toggle_fat()
    table = dock.table
    table.filters["structure"].setCurrentText("multifidus")
    table.filters["structure"].activated.emit(0)
    table.view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    settle()
    table.follow(SLICE)
    settle()
    take(viewer, "plugin-results")
    annotator.feedback.toggle_fat()
    table.filters["structure"].setCurrentIndex(0)
    table.filters["structure"].activated.emit(0)
    for side in (Side.RIGHT, Side.LEFT):
        annotator.grading.grade(side, None)
    settle()


def take_crossing(viewer: Any, dock: Any) -> None:
    """Show an outline that crosses itself."""
    import numpy as np
    from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT

    session, canvas = dock.annotator.workspace.session, dock.annotator.workspace.canvas
    moved = session.drawing.loops(MULTIFIDUS_LEFT, SLICE)[0].copy()
    lowest = int(np.argmax(moved[:, 0]))
    moved[lowest] = moved[:, 0].min() - 6, moved[:, 1].mean()
    replace_outline(canvas, moved)
    settle()
    take(viewer, "plugin-crossing")


def take_locator(viewer: Any, dock: Any) -> None:
    """Show the locator while the last discs are being marked."""
    from multifidus.data.anatomy import Level

    locator, session = dock.locator, dock.annotator.workspace.session
    left = {Level.L1_L2, Level.L2_L3}
    dock.annotator.entries.set_landmarks(
        mark for mark in session.drawing.landmarks if mark.level not in left
    )
    locator.show_exam()
    locator.start_marking()
    settle()
    take(viewer, "plugin-locator")
    locator.set_marking(marking=False)
    settle()


def replace_outline(canvas: Any, loop: Any) -> None:
    """Put another path in the place of the left multifidus."""
    from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT
    from napari_multifidus.models.shapes import vertices_of

    layer = canvas.layer(MULTIFIDUS_LEFT)
    data = list(layer.data)
    places = [round(float(vertices[0, 0])) for vertices in data]
    data[places.index(SLICE)] = vertices_of(loop, SLICE)
    layer.data = data


# --- a study read in sessions ------------------------------------------------------------------


def take_worklist(scratch: Path) -> None:
    """Show a blinded list: some readings finished, one open with a structure in hand."""
    from napari_multifidus.controllers.canvas import EDIT
    from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT
    from napari_multifidus.views.worklist import read_worklist

    from multifidus.reading.audit_log import Event
    from multifidus.reading.session import SessionRequest, open_worklist

    folder = scratch / "blinded"
    table = make_study(folder)
    viewer, dock = open_window()
    request = SessionRequest(table, "AB", folder / "readings", blind=True, seed=7)
    controller = read_worklist(open_worklist(request), viewer=viewer)
    dock.feedback.tour.end()
    for minutes in WORKED:
        draw_perfectly(controller)
        controller.worklist.note(
            controller.by, Event.SAVED, controller.clock(), seconds_active=60 * minutes
        )
        controller.finish_and_next("shown in a picture")
    draw_perfectly(controller)
    show_middle(viewer, dock)
    dock.annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, EDIT)
    settle()
    take(viewer, "plugin-worklist")
    take_gate(viewer, dock, controller)
    if LOOK["maximised"]:
        take_locked(viewer, controller)
    controller.leave()
    viewer.close()


def take_adjudication(scratch: Path) -> None:
    """Show two raters' outlines of an exam, and what they differ in most."""
    from napari_multifidus.views.adjudication import AdjudicationPanel
    from napari_multifidus.views.worklist import read_worklist

    from multifidus.reading.session import SessionRequest, open_worklist

    folder = scratch / "settled"
    table = make_study(folder, RATERS)
    viewer, dock = open_window()
    request = SessionRequest(table, "consensus", folder / "readings", seed=7, adjudicate=RATERS)
    controller = read_worklist(open_worklist(request), request.adjudicate, viewer=viewer)
    dock.feedback.tour.end()
    panel = viewer.window.dock_widgets[AdjudicationPanel.TITLE]
    settle()
    row = next(n for n, pair in enumerate(panel.model.rows) if not pair.only)
    for settled in range(row):
        panel.table.selectRow(settled)
        panel.take(0)
    panel.table.selectRow(row)
    panel.table.clicked.emit(panel.model.index(row, 0))
    come_near(viewer)
    take(viewer, "plugin-adjudication")
    panel.leave()
    controller.leave()
    viewer.close()


def show_middle(viewer: Any, dock: Any) -> None:
    """Go to the middle slice and near to it."""
    dock.annotator.workspace.canvas.go_to(1)
    settle()
    come_near(viewer)


if __name__ == "__main__":
    main()
