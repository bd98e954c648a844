"""``python -m benchmarks.clicks.fellow FOLDER``: reads a list of exams in the plugin's window.

Runs ``multifidus annotate`` on the list, and works in its window with mouse and keyboard of the X
server alone. What is on the screen it sees by the widgets' own places; nothing is called that a
person does by hand. Writes ``fellow.json`` into the folder.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clicks.exams import Pixels, ReadingTask, read_tasks
from benchmarks.clicks.hand import Hand, Place, Recorder
from multifidus.data.anatomy import Level, Side, Structure

RATER = "R1"
READINGS = "readings"
RESULT = "fellow.json"

PATIENCE_S = 20.0
"""Until something that a person waits for is on the screen."""

LEVELS, REFERENCES, TOOL = "levels", "references", "take the right side in hand"
POINTS, CLOSE, DONE, DIALOG = (
    "points",
    "close the outline",
    "done, next exam",
    "dialogs and notices",
)


@dataclass(slots=True)
class Stay:
    """What one exam took.

    Attributes
    ----------
    clicks, keys
        Of this exam.
    cpu_s, wall_s
        Processor time of the whole window's process, and time on the clock.
    memory_mb
        Resident memory when it was done.
    lost
        Clicks and keys that were sent and did not arrive, and points that an outline lacks.
    """

    subject: str
    clicks: int = 0
    keys: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_mb: float = 0.0
    lost: int = 0
    notices: list[str] = field(default_factory=list)


def memory_mb() -> float:
    """Return the resident memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


class Fellow:
    """Reads exam after exam.

    Parameters
    ----------
    tasks
        What is to be outlined, by subject.
    """

    def __init__(self, tasks: list[ReadingTask]) -> None:
        from qtpy.QtWidgets import QApplication

        self.tasks = {task.subject: task for task in tasks}
        self.recorder = Recorder()
        self.hand = Hand(self.recorder)
        self.stays: list[Stay] = []
        self._app: Any = QApplication.instance()
        self.arrivals = _arrivals()
        self._app.installEventFilter(self.arrivals)
        self.window: Any = next(w for w in self._app.topLevelWidgets() if _is_main(w))
        self.dock = _found(self.window, "Dock")
        self.workspace = self.dock.annotator.workspace
        self.viewer = self.dock.viewer
        self.workspace.warning.connect(self._hear)

    def _hear(self, words: str) -> None:
        if self.stays:
            self.stays[-1].notices.append(words)

    # --- eyes ----------------------------------------------------------------------------------

    def wait(self, done: Callable[[], object], what: str) -> None:
        """Look at the window until something is there.

        Raises
        ------
        TimeoutError
            If it does not come.
        """
        until = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > until:
                raise TimeoutError(what)
            self._app.processEvents()
            time.sleep(0.002)

    def pause(self, seconds: float) -> None:
        """Let the window do what it does by itself."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._app.processEvents()
            time.sleep(0.005)

    def on_canvas(self, row: float, column: float) -> Place:
        """Return where a pixel of the image is on the screen."""
        from qtpy.QtCore import QPoint

        layer = next(item for item in self.viewer.layers if item.ndim == 3 and item.visible)
        camera = self.viewer.scene.camera
        middle = np.array(self.viewer.canvas.size) / 2
        world = np.array((row, column)) * layer.scale[-2:] + layer.translate[-2:]
        y, x = middle + (world - np.array(camera.center)[-2:]) * camera.zoom
        canvas = self.window._qt_viewer.canvas.native  # noqa: SLF001 - napari gives no public name
        at = canvas.mapToGlobal(QPoint(round(x), round(y)))
        return at.x(), at.y()

    def middle_of(self, widget: Any) -> Place:
        """Return where the middle of a widget is on the screen."""
        at = widget.mapToGlobal(widget.rect().center())
        return at.x(), at.y()

    # --- hand ----------------------------------------------------------------------------------

    def click(self, step: str, place: Place) -> None:
        """Click, and see it arrive."""
        self.hand.click(step, place)
        self._arrive()

    def press(self, step: str, *names: str) -> None:
        """Press a key, and see it arrive."""
        self.hand.press(step, *names)
        self._arrive()

    def _arrive(self) -> None:
        self.wait(lambda: self.arrivals.seen() == self.recorder.sent, "an event to arrive")

    def outline(self, step: str, pixels: Pixels) -> None:
        """Click on every point of an outline without waiting for the window, the last one twice."""
        places = [self.on_canvas(*pixel) for pixel in pixels]
        hand = self.hand.click_along(step, places, closing=CLOSE if step == POINTS else step)
        self.wait(lambda: not hand.is_alive(), "the hand")
        self._arrive()

    # --- an exam -------------------------------------------------------------------------------

    def read(self, task: ReadingTask) -> None:
        """Read the exam that is open."""
        self._dismiss_tour()
        self.mark_levels(task)
        self.draw_references(task)
        self.press(TOOL, "q")
        canvas = self.workspace.canvas
        self.wait(lambda: canvas.active and canvas.active.side is Side.RIGHT, "the right side")
        for _ in task.targets:
            self.draw_muscle(task)

    def _dismiss_tour(self) -> None:
        tour = self.dock.feedback.tour
        if tour.isVisible():
            self.click(DIALOG, self.middle_of(tour.skip))
            self.wait(lambda: not tour.isVisible(), "the end of the tour")

    def mark_levels(self, task: ReadingTask) -> None:
        """Click on one disc after another of the sagittal image."""
        locator = self.dock.locator
        self.press(LEVELS, "m")
        self.wait(lambda: locator.model.state.is_marking, "marking")
        self.pause(0.1)
        for number, disc in enumerate(task.discs_mm, start=1):
            place = locator.model.scene.projection.to_view(np.array([disc]))[0]
            at = locator.picture.mapToGlobal(locator.picture.to_screen(place).toPoint())
            self.click(LEVELS, (at.x(), at.y()))
            marks = self.workspace.session.drawing
            self.wait(
                lambda n=number: len(self.workspace.session.drawing.landmarks) == n,
                f"{number} levels, {len(marks.landmarks)} there",
            )
        self.wait(lambda: not locator.model.state.is_marking, "the end of marking")
        self.pause(0.1)

    def draw_references(self, task: ReadingTask) -> None:
        """Draw a lean and a fat reference on the first slice."""
        canvas = self.workspace.canvas
        for key, pixels, structure in (
            ("g", task.lean, Structure.LEAN_REFERENCE),
            ("h", task.fat, Structure.FAT_REFERENCE),
        ):
            self.press(REFERENCES, key)
            self.wait(lambda s=structure: canvas.active and canvas.active.structure is s, "tool")
            self.outline(REFERENCES, pixels)
            self._closed(canvas.active, canvas.index, len(pixels))

    def draw_muscle(self, task: ReadingTask) -> None:
        """Draw what the window has in hand, on the slice that it shows."""
        canvas = self.workspace.canvas
        key, index = canvas.active, canvas.index
        uid = self.workspace.session.series.slices[index].uid
        (target,) = (
            item for item in task.targets if item.slice_uid == uid and item.side is key.side
        )
        if key.structure is not Structure.MULTIFIDUS:
            msg = f"{key.words} is in hand, not multifidus"
            raise RuntimeError(msg)
        self.outline(POINTS, target.points)
        self._closed(key, index, len(target.points))
        left = len(task.targets) - len(self._drawn())
        self.wait(
            lambda: not left or (canvas.active, canvas.index) != (key, index), "the next in hand"
        )

    def _drawn(self) -> list[Any]:
        outlines = self.workspace.session.drawing.outlines
        return [key for key, _ in outlines if key.structure is Structure.MULTIFIDUS]

    def _closed(self, key: Any, index: int, points: int) -> None:
        loops = lambda: self.workspace.session.drawing.loops(key, index)  # noqa: E731
        self.wait(loops, f"{key.words} on slice {index + 1}")
        found = loops()
        if len(found) != 1:
            msg = f"{key.words} on slice {index + 1}: {[*map(len, found)]} corners, not {points}"
            raise RuntimeError(msg)
        self.stays[-1].lost += points - len(found[0])

    # --- lists ---------------------------------------------------------------------------------

    def read_list(self) -> None:
        """Read every exam of the list, in its order."""
        worklist = self.dock.annotator.worklist
        read: set[str] = set()
        while len(read) < len(self.tasks):
            self.wait(
                lambda: worklist.has_open and str(worklist.by.subject) not in read, "the next exam"
            )
            subject = str(worklist.by.subject)
            with _Timed(self, subject):
                self.read(self.tasks[subject])
                self.finish(worklist, subject)
            read.add(subject)

    def finish(self, worklist: Any, subject: str) -> None:
        """Lock the exam and open the next; answer what is asked on the way."""
        gate = _found(self.window, "GatePanel")
        self.press(DONE, "Control_L", "Return")
        gone = lambda: not worklist.has_open or str(worklist.by.subject) != subject  # noqa: E731
        locked = lambda: worklist.has_open and self.workspace.is_locked  # noqa: E731
        self.wait(lambda: gone() or locked() or gate.isVisible(), "the gate or the next exam")
        if gate.isVisible():
            lines = [gate.lines.item(n).text() for n in range(gate.lines.count())]
            self.stays[-1].notices += [gate.head.text(), *lines]
            self.click(DIALOG, self.middle_of(gate.lock))
            self.wait(lambda: gone() or locked(), "the next exam")

    def read_one_level(self) -> None:
        """Read the one slice of the one exam: its level from the list, both sides."""
        (task,) = self.tasks.values()
        self.wait(lambda: self.workspace.is_open, "the exam")
        with _Timed(self, task.subject):
            self._dismiss_tour()
            self.choose_level(task.targets[0].level)
            for _ in task.targets:
                self.draw_muscle(task)

    def choose_level(self, level: Level) -> None:
        """Choose the level of the slice from its list."""
        box = self.dock.slice_level.level
        self.click(LEVELS, self.middle_of(box))
        view = box.view()
        self.wait(view.isVisible, "the list of levels")
        self.pause(0.1)
        row = view.model().index(box.findData(level.value), 0)
        at = view.viewport().mapToGlobal(view.visualRect(row).center())
        self.click(LEVELS, (at.x(), at.y()))
        self.wait(lambda: self.workspace.session.analysis.level_of(0)[0] is level, "the level")
        self.wait(lambda: self.workspace.canvas.active is not None, "a muscle in hand")
        self.pause(0.1)


class _Timed:
    """Counts and times what is done for one exam."""

    def __init__(self, fellow: Fellow, subject: str) -> None:
        self._fellow, self._stay = fellow, Stay(subject)

    def __enter__(self) -> None:
        self._fellow.stays.append(self._stay)
        self._before = self._fellow.recorder.sent, time.process_time(), time.monotonic()

    def __exit__(self, *_: object) -> None:
        (clicks, keys), cpu, wall = self._before
        stay, sent, arrived = self._stay, self._fellow.recorder.sent, self._fellow.arrivals.seen()
        stay.clicks, stay.keys = sent[0] - clicks, sent[1] - keys
        stay.cpu_s, stay.wall_s = time.process_time() - cpu, time.monotonic() - wall
        stay.memory_mb = memory_mb()
        stay.lost += sum(sent) - sum(arrived)


def _is_main(widget: Any) -> bool:
    return type(widget).__name__ == "_QtMainWindow"


def _found(window: Any, name: str) -> Any:
    from qtpy.QtWidgets import QWidget

    return next(part for part in window.findChildren(QWidget) if type(part).__name__ == name)


def _arrivals() -> Any:
    """Return what counts the events that Qt receives from the X server, one for each press."""
    from qtpy.QtCore import QEvent, QObject, Qt
    from qtpy.QtGui import QWindow

    held = {Qt.Key.Key_Control, Qt.Key.Key_Shift}

    class Arrivals(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.clicks = self.keys = 0

        def seen(self) -> tuple[int, int]:
            return self.clicks, self.keys

        def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's
            kind = event.type()
            # The second click of a double click is a press as well, before it is double.
            if kind == QEvent.Type.MouseButtonPress:
                self.clicks += isinstance(watched, QWindow)
            elif kind == QEvent.Type.KeyPress and isinstance(watched, QWindow):
                self.keys += event.key() not in held
            return False

    return Arrivals()


def work(folder: Path, *, one_level: bool, watch: Any) -> None:
    """Read, write what it took, and close the window."""
    fellow = Fellow(read_tasks(folder))
    trouble = ""
    try:
        fellow.pause(1.0)
        if one_level:
            fellow.read_one_level()
        else:
            fellow.read_list()
    except Exception:  # noqa: BLE001 - whatever it is belongs into the result
        trouble = traceback.format_exc()
        fellow.window.grab().save(str(folder / "trouble.png"))
    found = {
        "steps": fellow.recorder.as_rows(),
        "stays": [asdict(stay) for stay in fellow.stays],
        "arrived": fellow.arrivals.seen(),
        "trouble": trouble,
    }
    (folder / RESULT).write_text(json.dumps(found, indent=1), encoding="utf-8")
    fellow.workspace.flush()
    watch.quit()


def main() -> None:
    """Begin the program as from the command line, and the hand once its window is there."""
    from qtpy.QtCore import QTimer

    from multifidus.cli.app import app as commands

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--one-level", action="store_true")
    given = parser.parse_args()
    import napari.qt

    qt: Any = napari.qt.get_qapp()
    timer = QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(lambda: work(given.folder, one_level=given.one_level, watch=qt))
    import napari

    run = napari.run

    def begin(*args: Any, **how: Any) -> None:
        timer.start(0)
        run(*args, **how)

    napari.run = begin
    sys.argv = ["multifidus"]
    if given.one_level:
        (task,) = read_tasks(given.folder)
        where = [str(given.folder / task.subject)]
    else:
        where = [str(given.folder / "cohort.csv")]
    commands(["annotate", *where, "--rater", RATER, "--folder", str(given.folder / READINGS)])


if __name__ == "__main__":
    main()
