"""Count which modules a run enters, in order, and how often it enters one again.

Three walks: an exam to its rows, a dragged vertex to the live numbers, a cohort to its pages. A
call from one module of ours to another is an entry. It counts once for each pair of modules,
however often a loop makes it, so that the count is of the code as written and not of the data. An
entry into a module that was entered before, from elsewhere, is a return. Packages are counted in
the same way. Calls within a module, and
what Python, NumPy and Qt do between two of our functions, are not counted; nor are entries into the
modules of values (``multifidus.data``, ``multifidus.errors``), which everything uses.

``--root`` walks another checkout, and ``--values`` names its modules of values, so that both sides
of a change are counted by one program.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).resolve().parent.parent
OURS = ("multifidus", "napari_multifidus")
VALUES = ("multifidus.data", "multifidus.errors")
EXAM = "S01_pre"
PAUSE_S = 0.05
ZOOM = 4


@dataclass(slots=True)
class Walk:
    """The modules that a run entered.

    Parameters
    ----------
    entries
        From which module to which, in the order in which each was first done; the walk begins
        in no module of ours.
    """

    entries: dict[tuple[str, str], None] = field(default_factory=dict)

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Take note of a call; made for :func:`sys.setprofile`."""
        if event != "call" or frame.f_code.co_name.startswith("<module"):
            return
        module, caller = _module(frame), _caller(frame)
        if module and module != caller:
            self.entries[caller, module] = None

    def entered(self, values: tuple[str, ...]) -> list[str]:
        """Return the module of each entry, modules of values left out."""
        return [module for _, module in self.entries if not _is_of(module, values)]

    def packages_entered(self, values: tuple[str, ...]) -> list[str]:
        """Return the package of each entry into another package, those of values left out."""
        pairs = dict.fromkeys(
            (_package(caller), _package(module))
            for caller, module in self.entries
            if not _is_of(module, values)
        )
        return [package for caller, package in pairs if package != caller]


def _is_of(module: str, values: tuple[str, ...]) -> bool:
    return any(module == value or module.startswith(f"{value}.") for value in values)


def _package(module: str) -> str:
    """Return what lies directly in the library or the plugin: a package, or a flat module."""
    return ".".join(module.split(".")[:2])


def _module(frame: FrameType) -> str:
    name = str(frame.f_globals.get("__name__", ""))
    return name if name.partition(".")[0] in OURS else ""


def _caller(frame: FrameType) -> str:
    found = frame.f_back
    while found is not None and not _module(found):
        found = found.f_back
    return "" if found is None else _module(found)


@contextmanager
def _traced(walk: Walk) -> Iterator[None]:
    threading.setprofile(walk)
    sys.setprofile(walk)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _import_everything() -> None:
    """Import all modules first: what an import runs is no step of a walk."""
    package = importlib.import_module("multifidus")
    for found in pkgutil.walk_packages(package.__path__, "multifidus."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def exam_to_rows(sample: Path, folder: Path) -> Walk:
    """Read an exam and its outlines, measure them, write the table."""
    _import_everything()
    import multifidus as mf

    for name in ("read_exam", "read_rois", "measure", "write_table"):
        getattr(mf, name)
    walk = Walk()
    with _traced(walk):
        exam = mf.read_exam(sample / EXAM)
        outlines = mf.read_rois(sample / f"{EXAM}.outlines.json", exam)
        rows = mf.measure(exam, outlines)
        mf.write_table(rows, folder / "measurements.csv")
    return walk


def rows_alone(sample: Path, _folder: Path) -> Walk:
    """Measure outlines that are in memory."""
    _import_everything()
    import multifidus as mf

    exam = mf.read_exam(sample / EXAM)
    outlines = mf.read_rois(sample / f"{EXAM}.outlines.json", exam)
    measure = mf.measure
    walk = Walk()
    with _traced(walk):
        measure(exam, outlines)
    return walk


def _finished_here(pool: Any, cases: Iterable[Any]) -> Iterator[tuple[Any, Path]]:
    """Finish cases as the processes of a pool do, one after another."""
    from multifidus.study.run.cases import finish_case
    from multifidus.study.run.last_exam import LastExam

    last = LastExam()
    for case in cases:
        yield case, finish_case(case, pool.how, last)


def cohort_to_page(sample: Path, folder: Path) -> Walk:
    """Measure a cohort and write its report, as the command line does."""
    _import_everything()
    from multifidus.cli import main
    from multifidus.study.run import pool

    # In processes of their own the steps of a case would not be seen.
    pool.Pool.finish = _finished_here
    results = str(folder / "results")
    walk, said = Walk(), io.StringIO()
    for arguments in (
        ["measure", str(sample / "cohort.csv"), "-o", results],
        ["report", results],
    ):
        sys.argv = ["multifidus", *arguments]
        silent = redirect_stdout(io.StringIO()), redirect_stderr(said)
        with silent[0], silent[1], suppress(SystemExit), _traced(walk):
            main()
    if not (folder / "results" / "report" / "report.html").exists():
        msg = f"No report was written; nothing was counted. {said.getvalue()}"
        raise RuntimeError(msg)
    return walk


def vertex_to_number(_sample: Path, folder: Path) -> Walk:
    """Drag one vertex of the sample's left multifidus by the mouse; needs a display."""
    os.environ["NAPARI_CONFIG"] = str(folder / "settings.yaml")
    os.environ.setdefault("NAPARI_ASYNC", "0")
    os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = str(folder)
    import napari
    import numpy as np
    from qtpy.QtWidgets import QApplication

    _import_everything()
    viewer = napari.Viewer()
    viewer.open_sample("multifidus", "phantom_pre")
    _wait(QApplication)
    layer = next(found for found in viewer.layers if found.name == "multifidus left")
    viewer.layers.selection.active = layer
    viewer.dims.set_current_step(0, int(layer.data[0][0][0]))
    layer.mode = "direct"
    layer.selected_data = {0}
    before = layer.data[0].copy()
    place = before[0]
    viewer.scene.camera.center = tuple(layer.data_to_world(place))
    viewer.scene.camera.zoom *= ZOOM
    hand = _Hand(viewer, layer)
    _wait(QApplication)
    hand.send("MouseMove", place, held=False)
    hand.send("MouseButtonPress", place, held=True)
    hand.send("MouseMove", np.add(place, (0, 1, 0)), held=True)
    _wait(QApplication)
    walk = Walk()
    with _traced(walk):
        hand.send("MouseMove", np.add(place, (0, 2, 0)), held=True)
        _wait(QApplication)
    if (layer.data[0] == before).all():
        msg = "The vertex did not follow the mouse; nothing was counted."
        raise RuntimeError(msg)
    return walk


def _wait(application: Any) -> None:
    for _ in range(10):
        application.processEvents()
        time.sleep(PAUSE_S)


class _Hand:
    """A hand on the mouse: Qt's events go to napari's canvas, as its window sends them."""

    def __init__(self, viewer: Any, layer: Any) -> None:
        self._viewer, self._layer = viewer, layer
        self._canvas = viewer.window._qt_viewer.canvas.native  # noqa: SLF001 - no other way in

    def send(self, kind: str, place: Any, *, held: bool) -> None:
        """Send an event at a place of the layer's own data."""
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        camera = self._viewer.scene.camera
        world = self._layer.data_to_world(place)
        shift = [float(a - b) for a, b in zip(world[-2:], camera.center[-2:], strict=True)]
        height, width = self._viewer.canvas.size
        point = QPointF(shift[1] * camera.zoom + width / 2, shift[0] * camera.zoom + height / 2)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        event = QMouseEvent(
            getattr(QEvent.Type, kind),
            point,
            QPointF(self._canvas.mapToGlobal(point.toPoint())),
            none if kind == "MouseMove" else left,
            left if held else none,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self._canvas, event)
        QApplication.processEvents()


WALKS: dict[str, Callable[[Path, Path], Walk]] = {
    "an exam to its rows": exam_to_rows,
    "of that, measuring": rows_alone,
    "a vertex to the live numbers": vertex_to_number,
    "a cohort to its pages": cohort_to_page,
}


def _walked(name: str, root: Path) -> Walk:
    """Walk in a process of its own, which knows only the checkout at ``root``."""
    path = os.pathsep.join((str(root), str(root / "plugins")))
    done = subprocess.run(  # noqa: S603 - this script
        [sys.executable, str(Path(__file__).resolve()), "--root", str(root), "--one", name],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    pairs = json.loads(done.stdout.splitlines()[-1])
    return Walk(dict.fromkeys((before, after) for before, after in pairs))


def main() -> None:
    """Walk and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=HERE, help="another checkout to walk")
    parser.add_argument("--values", default=",".join(VALUES), help="modules that are not counted")
    parser.add_argument("--modules", action="store_true", help="list modules in order as well")
    parser.add_argument("--one", choices=WALKS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    root, values = asked.root.resolve(), tuple(asked.values.split(","))
    if asked.one:
        with tempfile.TemporaryDirectory() as folder:
            walk = WALKS[asked.one](root / "sample_data", Path(folder))
        print(json.dumps(list(walk.entries)), flush=True)
        # PyQt's own tidying at exit reads objects that are gone.
        os._exit(0)
    walks = {name: _walked(name, root) for name in WALKS}
    print("| walk | modules | entries | returns | packages | entries | returns |")
    print("|---|---|---|---|---|---|---|")
    for name, walk in walks.items():
        counts = []
        for entered in (walk.entered(values), walk.packages_entered(values)):
            different = len(set(entered))
            counts += [different, len(entered), len(entered) - different]
        print("|", " | ".join([name, *map(str, counts)]), "|")
    if asked.modules:
        for name, walk in walks.items():
            print(f"\n{name}: {', '.join(dict.fromkeys(walk.entered(values)))}")


if __name__ == "__main__":
    main()
