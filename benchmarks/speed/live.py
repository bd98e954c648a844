"""What the plugin adds to every motion of a vertex, beside what napari itself does for it.

Needs a display. Both sides are CPU time of the main thread while napari's own handlers of the mouse
move a vertex: once on a layer of napari's, once on one of the plugin's, where napari's own part is
taken off. Painting is left out on both sides.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import multifidus as mf
from benchmarks.speed.hand import Hand, Stroke, napari_lasso, plugin_freehand, rest, timed
from benchmarks.timing import SMOKE_REPEATS, Comparison, in_own_process, tell
from multifidus.data.anatomy import Side, Structure
from multifidus.data.image import Exam, Series, Slice, Weighting

SIZE, SLICES, POINTS, DENSE = 512, 20, 60, 300
SPACING = 0.4
ROOM = 3
"""Vertices left out on both sides of the one that the mouse takes."""

MOTIONS, SMOKE_MOTIONS = 120, 24
P50, P95, P99 = 50, 95, 99

FOLLOWS_PX = 0.5
"""How far a vertex may be from the mouse once a move is delivered."""

MOVE_S, FRAME_S = 0.005, 0.016
"""What a move of the mouse, and a frame with what is drawn, may take of the main thread."""

Loop = Any
Drags = tuple[Sequence[float], ...]


def can_run() -> bool:
    """Whether napari is there, and a display to open its window on."""
    display = sys.platform in {"win32", "darwin"} or bool(os.environ.get("DISPLAY"))
    return display and find_spec("napari") is not None


def run(repeats: int) -> list[Comparison]:
    """Compare in a process of its own."""
    return in_own_process("benchmarks.speed.live", repeats)


def compare(repeats: int) -> list[Comparison]:
    """Drag a vertex of a muscle; returns the middle and the slowest of many motions."""
    few = repeats <= SMOKE_REPEATS
    motions = SMOKE_MOTIONS if few else MOTIONS * max(1, repeats // 4)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("NAPARI_CONFIG", str(Path(folder) / "settings.yaml"))
        drags, scrolls, strokes = _measure(Path(folder), motions)
    (plain, ours, overlay), dense = drags
    scroll_ours, scroll_plain = scrolls
    found = [
        Comparison(
            f"vertex of {POINTS} moves, {SIZE}x{SIZE}: numbers, uncertainty, histogram; p{share}",
            "napari's own edit of the vertex",
            _added(ours, plain, share),
            float(np.percentile(plain, share)),
            "s",
            1.0 if share == P50 else None,
        )
        for share in (P50, P99)
    ]
    found.append(
        Comparison(
            "the same with fat on the image; p50",
            "napari's own edit of the vertex",
            _added(overlay, plain, P50),
            float(np.percentile(plain, P50)),
            "s",
            None,
        )
    )
    found += [
        Comparison(
            f"vertex of {DENSE} moves, as freehand makes them; p{share}",
            "napari's own edit of the vertex",
            _added(dense[1], dense[0], share),
            float(np.percentile(dense[0], share)),
            "s",
            1.0 if share == P50 else None,
        )
        for share in (P50, P99)
    ]
    found += [
        Comparison(
            f"another slice is shown, the plugin open; p{share}",
            "napari without the plugin",
            float(np.percentile(scroll_ours, share)),
            float(np.percentile(scroll_plain, share)),
            "s",
            1.2 if share == P50 else None,
        )
        for share in (P50, P99)
    ]
    return [*found, *_compared(*strokes)]


def _compared(ours: Stroke, theirs: Stroke) -> list[Comparison]:
    """Compare a stroke by hand with one by napari's lasso, and with what it may take."""
    rows = (
        ("freehand: a move is delivered; p95", ours.moves, theirs.moves, MOVE_S),
        ("freehand: what follows it until all is painted; p95", ours.rests, theirs.rests, FRAME_S),
    )
    return [
        Comparison(job, peer, float(np.percentile(own, P95)), other, "CPU s", target)
        for job, own, peers, allowed in rows
        for peer, other, target in (
            ("napari's own lasso", float(np.percentile(peers, P95)), None),
            ("allowed", allowed, 1.0),
        )
    ]


def _added(total: Sequence[float], plain: Sequence[float], share: int) -> float:
    return float(np.percentile(total, share) - np.percentile(plain, share))


def _exam() -> Exam:
    rng = np.random.default_rng(5)
    slices = []
    for number in range(SLICES):
        pixels = np.full((SIZE, SIZE), 100.0)
        pixels[:, ::4] = 400.0
        pixels[40:110, 40:110], pixels[40:110, 140:210] = 100.0, 400.0
        pixels = (pixels + rng.normal(0, 10, pixels.shape)).round()
        plane = mf.Plane((-100, -100, 4.0 * number), (0, SPACING, 0), (SPACING, 0, 0))
        slices.append(Slice.from_array(f"1.2.{number}", plane, pixels, 4.0))
    return Exam("S01", "pre", (Series("1.2", tuple(slices), Weighting.T2),))


def _circle(row: float, column: float, radius: float, count: int = POINTS) -> Loop:
    angle = np.arange(count) * 2 * np.pi / count
    return np.stack((row + radius * np.cos(angle), column + radius * np.sin(angle)), axis=1)


def _dense() -> Loop:
    """Return a circle of many vertices, the first with room for the mouse to take it alone."""
    circle = _circle(330, 320, 50, DENSE + 2 * ROOM)
    return np.delete(circle, [*range(1, ROOM + 1), *range(len(circle) - ROOM, len(circle))], axis=0)


def _opened(folder: Path) -> tuple[Any, Any, Any]:
    """Open a window with outlines on every slice; returns it, and a structure in hand."""
    import napari
    from napari_multifidus._compat import open_dock
    from napari_multifidus.models.opening import OpenedExam, layer_data
    from napari_multifidus.models.shapes import LayerKey
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    exam = _exam()
    viewer = napari.Viewer()
    dock = open_dock(viewer)
    opened = OpenedExam(exam, exam.series[0], folder)
    for data, attributes, _ in layer_data(opened):
        viewer.add_image(data, **attributes)
    QApplication.processEvents()
    annotator = dock.annotator
    session = annotator.workspace.session
    left = LayerKey(Structure.MULTIFIDUS, Side.LEFT)
    for key, loop in (
        (LayerKey(Structure.LEAN_REFERENCE), _circle(75, 75, 25)),
        (LayerKey(Structure.FAT_REFERENCE), _circle(75, 175, 25)),
        (LayerKey(Structure.MULTIFIDUS, Side.RIGHT), _circle(330, 200, 45)),
        (left, _circle(330, 320, 45)),
    ):
        for index in range(SLICES if key.side is not Side.NONE else 1):
            session.put(key, index, [loop])
        annotator.workspace.canvas.push(key)
    annotator.workspace.committed()
    annotator.workspace.canvas.go_to(0)
    viewer.window.resize(1440, 900)
    QTest.qWait(800)
    viewer.scene.camera.center = (SPACING * 330, SPACING * 320)
    viewer.scene.camera.zoom *= 4
    QTest.qWait(200)
    annotator.workspace.canvas.activate(left, "direct")
    annotator.workspace.canvas.layers[left].selected_data = {0}
    return viewer, annotator, left


def _measure(
    folder: Path, motions: int
) -> tuple[tuple[Drags, Drags], tuple[Sequence[float], ...], tuple[Stroke, Stroke]]:
    viewer, annotator, left = _opened(folder)
    canvas = annotator.workspace.canvas
    layer = canvas.layers[left]
    sparse = _both_drag(viewer, canvas, left, motions)
    annotator.feedback.toggle_fat()
    with_fat = _drag(viewer, layer, motions)
    annotator.feedback.toggle_fat()
    annotator.workspace.session.put(left, 0, [_dense()])
    canvas.push(left)
    annotator.workspace.committed()
    dense = _both_drag(viewer, canvas, left, motions)
    circle = _circle(330, 320, 30, motions)
    # Before the stroke, as with napari alone: it adds a layer, and leaves a tool in hand.
    mine_scroll = _scroll(viewer, motions // 4)
    mine_stroke = plugin_freehand(annotator, Hand(viewer, SPACING), circle)
    annotator.opener.close()
    viewer.window.remove_dock_widget("all")
    plain_scroll = _plain_scroll(viewer, layer, motions // 4)
    plain_stroke = napari_lasso(viewer, Hand(viewer, SPACING), circle)
    viewer.close()
    drags, scrolls = ((*sparse, with_fat), dense), (mine_scroll, plain_scroll)
    return drags, scrolls, (mine_stroke, plain_stroke)


def _both_drag(viewer: Any, canvas: Any, key: Any, motions: int) -> Drags:
    """Drag the first vertex with napari alone, then with the plugin."""
    from qtpy.QtWidgets import QApplication

    theirs = _plain_drag(viewer, canvas.layers[key], motions)
    canvas.activate(key, "direct")
    QApplication.processEvents()
    return theirs, _drag(viewer, canvas.layers[key], motions)


def _drag(viewer: Any, layer: Any, motions: int) -> list[float]:
    """Take the first vertex and move it; returns the CPU time of every motion."""
    hand = Hand(viewer, SPACING)
    row, column = layer.data[0][0][1:].tolist()
    hand.send(hand.event("MouseMove", (row, column), held=False))
    hand.send(hand.event("MouseButtonPress", (row, column), held=True))
    found = []
    place = (row, column)
    for n in range(motions):
        place = (row + 8 * np.sin((n + 1) / 9), column)
        found.append(hand.deliver(hand.event("MouseMove", place, held=True)))
        if abs(layer.data[0][0][1] - place[0]) > FOLLOWS_PX:
            msg = "The vertex did not follow the mouse; nothing was measured."
            raise RuntimeError(msg)
        rest()
    hand.send(hand.event("MouseMove", (row, column), held=True))
    hand.send(hand.event("MouseButtonRelease", (row, column), held=False))
    return found


def _plain_drag(viewer: Any, layer: Any, motions: int) -> list[float]:
    """Let napari move a vertex of a layer of its own, of the same shapes."""
    other = viewer.add_shapes(
        layer.data,
        shape_type="polygon",
        ndim=3,
        scale=layer.scale,
        units=layer.units,
        axis_labels=layer.axis_labels,
        edge_width=0.8,
    )
    other.mode = "direct"
    other.selected_data = {0}
    found = _drag(viewer, other, motions)
    viewer.layers.remove(other)
    viewer.layers.selection.active = layer
    layer.selected_data = {0}
    return found


def _scroll(viewer: Any, count: int) -> list[float]:
    return [
        timed(lambda n=n: viewer.dims.set_current_step(0, 1 + n % (SLICES - 2)))
        for n in range(count)
    ]


def _plain_scroll(viewer: Any, layer: Any, count: int) -> list[float]:
    """Leaf through the same images and shapes without the plugin."""
    pixels = np.random.default_rng(5).normal(size=(SLICES, SIZE, SIZE)).astype(np.float32)
    kinds = {"scale": layer.scale, "units": layer.units, "axis_labels": layer.axis_labels}
    viewer.layers.clear()
    viewer.add_image(pixels, **kinds)
    for columns in ((200, 320), (75,), (175,), (320,)):
        shapes = [
            np.column_stack((np.full(POINTS, float(index)), _circle(330, column, 45)))
            for index in range(SLICES)
            for column in columns[:1]
        ]
        viewer.add_shapes(shapes, shape_type="polygon", ndim=3, **kinds)
    return _scroll(viewer, count)


if __name__ == "__main__":
    tell(compare)
