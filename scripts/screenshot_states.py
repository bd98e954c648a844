"""States of the window that are looked at on many screens, and not all shown in docs/images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from screenshot_window import come_near, open_window, settle, take

VOLUME_SLICES, VOLUME_STEP_MM = 48, 2.0
FEW = 6
"""Points of an outline that is flagged for having few."""

HALF = 0.6
"""How much of an outline is drawn before it is left."""


def take_grading(viewer: Any, dock: Any, index: int) -> None:
    """Show digits grading, then the tab of grey levels and Dixon images."""
    from napari_multifidus.controllers.shortcuts import MULTIFIDUS_RIGHT

    annotator = dock.annotator
    annotator.workspace.canvas.go_to(index)
    annotator.workspace.canvas.activate(MULTIFIDUS_RIGHT, "pan_zoom")
    annotator.grading.start()
    settle()
    take(viewer, "plugin-grading")
    annotator.grading.stop()
    dock.feedback.tabs.setCurrentWidget(dock.feedback.image.parentWidget().parentWidget())
    settle()
    take(viewer, "plugin-image")
    dock.feedback.tabs.setCurrentIndex(0)


def take_half_drawn(viewer: Any, dock: Any, index: int) -> None:
    """Show an outline that was left before it was closed: its corners are clicked."""
    from napari_multifidus.controllers.canvas import DRAW
    from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT

    annotator = dock.annotator
    canvas, session = annotator.workspace.canvas, annotator.workspace.session
    canvas.go_to(index)
    (loop,) = session.drawing.loops(MULTIFIDUS_RIGHT, index)
    canvas.activate(MULTIFIDUS_RIGHT, "pan_zoom")
    annotator.edit_tools.clear()
    canvas.activate(MULTIFIDUS_RIGHT, DRAW)
    settle()
    for corner in loop[: round(HALF * len(loop)) : max(1, len(loop) // 24)]:
        click(viewer, session, corner)
    canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    settle()
    take(viewer, "plugin-half-drawn")


def click(viewer: Any, session: Any, pixel: Any) -> None:
    """Click on a pixel of the image."""
    import numpy as np
    from napari_multifidus._compat import native_canvas
    from napari_multifidus.models.grid import spacing_mm
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    camera, native = viewer.scene.camera, native_canvas(viewer)
    at = np.asarray(pixel) * spacing_mm(session.series)
    down, right = (at - np.array(camera.center)[-2:]) * camera.zoom
    middle = native.rect().center()
    place = QPoint(round(middle.x() + right), round(middle.y() + down))
    QTest.mouseMove(native, place)
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, pos=place)
    QTest.qWait(20)


def take_previous(viewer: Any, dock: Any, index: int, scratch: Path) -> None:
    """Show the exam after surgery, and the one before beside it."""
    viewer.open_sample("multifidus", "phantom_post")
    settle()
    dock.annotator.workspace.canvas.go_to(index)
    dock.parts.show_pane("previous", shown=True)
    dock.annotator.previous.choose_folder(copy_before(scratch / "before"))
    settle()
    come_near(viewer)
    take(viewer, "plugin-previous")
    dock.parts.show_pane("previous", shown=False)


def copy_before(folder: Path) -> Path:
    """Copy the sample exam before surgery, with its outlines beside it."""
    import shutil

    from multifidus.sample_data import sample_dir

    shutil.copytree(sample_dir() / "S01_pre", folder)
    shutil.copy2(sample_dir() / "S01_pre.outlines.json", folder)
    return folder


def take_volume(scratch: Path) -> None:
    """Show a series without gaps, and its sections beside it."""
    viewer, dock = open_window()
    viewer.open(str(write_volume(scratch / "volume")), plugin="multifidus")
    settle()
    dock.feedback.tour.end()
    dock.annotator.workspace.canvas.go_to(VOLUME_SLICES // 2)
    dock.parts.show_pane("views", shown=True)
    settle()
    come_near(viewer)
    take(viewer, "plugin-sections")
    viewer.close()


def write_volume(folder: Path) -> Path:
    """Write a phantom's slices around L4-L5 without gaps, as NIfTI."""
    from dataclasses import replace

    import nibabel as nib
    import numpy as np

    from multifidus.data.image import Weighting
    from multifidus.phantom import PhantomSpec, make_phantom
    from multifidus.phantom.render import MUSCLE_VALUE, clean_signals

    spec = PhantomSpec(
        stacks=2, slices_per_stack=1, matrix=180, pixel_mm=1.25, sagittal=False,
        thickness_mm=VOLUME_STEP_MM,
    )  # fmt: skip
    phantom = make_phantom(spec)
    grid = phantom.grids[phantom.exam.series[0].slices[0].uid]
    normal = grid.plane.normal
    placed = [
        replace(grid, origin_mm=grid.origin_mm + (k - VOLUME_SLICES // 2) * VOLUME_STEP_MM * normal)
        for k in range(VOLUME_SLICES)
    ]
    signals = [clean_signals(phantom.subject, at, spec, (Weighting.T2,)) for at in placed]
    voxels = np.stack([MUSCLE_VALUE * of[Weighting.T2].T for of in signals], axis=-1)
    first = placed[0].plane
    affine = np.eye(4)
    steps = first.column_step_mm, first.row_step_mm, VOLUME_STEP_MM * normal, first.origin_mm
    affine[:3] = np.column_stack(steps)
    folder.mkdir(parents=True)
    path = folder / "T2w.nii.gz"
    nib.save(nib.Nifti1Image(voxels.astype(np.int16), np.diag((-1, -1, 1, 1)) @ affine), path)
    return path


def take_gate(viewer: Any, dock: Any, controller: Any) -> None:
    """Show what an open reading lacks before it is finished, and what is to be looked at."""
    from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT

    annotator, session = dock.annotator, dock.annotator.workspace.session
    index = annotator.workspace.canvas.index
    (loop,) = session.drawing.loops(MULTIFIDUS_RIGHT, index)
    session.put(MULTIFIDUS_RIGHT, index, [loop[:: len(loop) // FEW]])
    annotator.workspace.canvas.push(MULTIFIDUS_RIGHT)
    annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    annotator.edit_tools.clear()
    controller.ask_to_finish()
    settle()
    take(viewer, "plugin-gate")


def take_locked(viewer: Any, controller: Any) -> None:
    """Show a finished reading."""
    controller.finish("shown in a picture")
    settle()
    take(viewer, "plugin-locked")


def take_reading(viewer: Any, dock: Any) -> None:
    """Show the tab of rater, reading and protocol, with another protocol than the default."""
    tabs = dock.feedback.tabs
    dock.annotator.outputs.choose_protocol("fortin2017_like")
    tabs.setCurrentWidget(dock.feedback.protocol.parentWidget().parentWidget())
    settle()
    take(viewer, "plugin-reading")
    dock.annotator.outputs.choose_protocol("default")
    tabs.setCurrentIndex(0)
