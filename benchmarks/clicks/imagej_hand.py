"""ImageJ's own window, worked in with mouse and keyboard of the X server: outline, name, measure.

Runs on the screen of this process. Parts of its windows are found by the names that Java's toolkit
gives them; nothing but events of mouse and keyboard reaches the program.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.imagej import JAR
from benchmarks.clicks.exams import PIXEL_MM, ReadingTask, Target
from benchmarks.clicks.hand import Hand, Place, Recorder
from benchmarks.clicks.windows import Screen, XWindow

if TYPE_CHECKING:
    from multifidus.data.image import Slice

ENLARGED = 4
"""Screen pixels of a pixel: with so large an image nobody has to zoom."""

PAUSE_S, LOOK_S, PATIENCE_S = 0.1, 0.6, 30.0

TOOL_WIDTH, POLYGON_TOOL = 31, 2
FIRST_ROW, ROW_HEIGHT = 9, 17
SAVE_LINE_PX = 30
"""Of the menu *More*, below its upper edge."""

WITHIN_PCT = 3.0
"""Corners lie on whole pixels of the screen."""

RENAME, MEASURE, DESELECT, MORE = 3, 4, 5, 8
"""Buttons of the ROI Manager, from the top."""

TOOL, DROP, POINTS, CLOSE = "take the polygon tool", "drop the outline before", "points", "close"
ADD, NEXT, NAME, SAVE = "add to the ROI Manager", "next slice", "name", "save the outlines"
MEASURED, TABLE = "measure", "save the table"


@dataclass(frozen=True, slots=True)
class ImageJReading:
    """What a session took, and what came of it.

    Attributes
    ----------
    targets
        In the order of drawing.
    areas_mm2
        Of ImageJ's own table, in this order.
    names
        Of the outlines saved.
    """

    steps: list[tuple[str, int, int]]
    targets: list[Target]
    areas_mm2: list[float]
    names: list[str]

    @property
    def errors_pct(self) -> list[float]:
        """Of the areas, against the polygons that were meant."""
        return [
            100 * (area / target.drawn_mm2 - 1)
            for target, area in zip(self.targets, self.areas_mm2, strict=True)
        ]

    @property
    def is_right(self) -> bool:
        """Whether areas and names are what was meant."""
        named = self.names == [short_name(target) for target in self.targets]
        return named and max(map(abs, self.errors_pct)) <= WITHIN_PCT


class ImageJHand:
    """Works in ImageJ.

    Parameters
    ----------
    folder
        Where it runs and saves.
    slices
        The slices that it shows, in their order.
    """

    def __init__(self, folder: Path, slices: list[Slice]) -> None:
        self.recorder = Recorder()
        self.hand = Hand(self.recorder, PAUSE_S)
        self.screen, self.folder = Screen(), folder
        _write_stack(folder / "exam.tif", slices)
        # As after File > Open: the folder of the image is offered for what is saved.
        start = f'open("{folder}/exam.tif"); File.setDefaultDir("{folder}/");'
        (folder / "start.ijm").write_text(start, encoding="utf-8")
        java = shutil.which("java") or "java"
        command = [java, f"-Duser.home={folder}", "-cp", str(JAR), "ij.ImageJ"]
        self._process = subprocess.Popen(
            [*command, "-macro", str(folder / "start.ijm")],
            cwd=folder, env=os.environ | {"XDG_DATA_HOME": str(folder)}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.wait(lambda: self.screen.named("exam.tif"), "the image")
        time.sleep(2 * LOOK_S)

    def close(self) -> None:
        """End the program."""
        self._process.terminate()
        self._process.wait()

    # --- eyes ----------------------------------------------------------------------------------

    def wait(self, there: Callable[[], object], what: str) -> None:
        """Wait until something is on the screen.

        Raises
        ------
        TimeoutError
            If it does not come.
        """
        until = time.monotonic() + PATIENCE_S
        while not there():
            if time.monotonic() > until:
                names = [window.name for window in self.screen.windows()]
                msg = f"ImageJ does not show {what}, but {names}"
                raise TimeoutError(msg)
            time.sleep(0.1)
        time.sleep(LOOK_S)

    def window(self, name: str) -> XWindow:
        """Return a window by the beginning of its name."""
        self.wait(lambda: self.screen.named(name), name)
        found = self.screen.named(name)
        assert found is not None  # noqa: S101 - waited for
        return found

    def part(self, window: XWindow, kind: str, least_width: int = 0) -> XWindow:
        """Return the first part of a window that is of a kind."""
        parts = self.screen.parts(window)
        return next(part for part in parts if kind in part.name and part.width > least_width)

    def button(self, number: int) -> Place:
        """Return where a button of the ROI Manager is."""
        parts = self.screen.parts(self.window("ROI Manager"))
        return [part for part in parts if "Button" in part.name][number].middle

    # --- hand ----------------------------------------------------------------------------------

    def click(self, step: str, place: Place) -> None:
        """Click, and look what comes."""
        self.hand.click(step, place)
        time.sleep(LOOK_S)

    def press(self, step: str, *names: str) -> None:
        """Press a key, and look what comes."""
        self.hand.press(step, *names)
        time.sleep(LOOK_S)

    def take_polygon(self) -> None:
        """Take the polygon tool."""
        bar = self.part(self.window("ImageJ"), "CanvasPeer", 400)
        middle = TOOL_WIDTH // 2
        self.click(TOOL, bar.at(TOOL_WIDTH * POLYGON_TOOL + middle, middle))

    def outline(self, target: Target, number: int) -> None:
        """Draw an outline and add it to the ROI Manager."""
        canvas = self.part(self.window("exam.tif"), "CanvasPeer", 100)
        places = [
            canvas.at((column + 0.5) * ENLARGED, (row + 0.5) * ENLARGED)
            for row, column in target.points
        ]
        if number:
            # The first click beside an outline takes that away, and begins none.
            self.click(DROP, places[0])
        self.hand.click_along(POINTS, places).join()
        # A double click on more than 25 points is asked about; a click on the first one is not.
        self.click(CLOSE, places[0])
        self.press(ADD, "t")
        self.window("ROI Manager")

    def name(self, number: int, name: str) -> None:
        """Name the outline that was added last."""
        manager = self.window("ROI Manager")
        top = self.part(manager, "PanelPeer").y + FIRST_ROW
        self.click(NAME, (manager.x + 40, top + ROW_HEIGHT * number))
        self.click(NAME, self.button(RENAME))
        for letter in name:
            self.hand.press(NAME, letter)
        self.press(NAME, "Return")

    def save_and_measure(self) -> None:
        """Save all outlines, measure them, and save the table, under the names that are offered."""
        self.click(SAVE, self.button(DESELECT))
        self.click(SAVE, self.button(MORE))
        self.wait(self._menus, "the menu of the button More")
        self.click(SAVE, self._menus()[0].at(30, SAVE_LINE_PX))
        self.window("Save ROIs")
        self.press(SAVE, "Return")
        self.wait(lambda: list(self.folder.glob("*.zip")), "that it has saved the outlines")
        self.click(MEASURED, self.button(MEASURE))
        self.window("Results")
        self.press(TABLE, "Control_L", "s")
        self.window("Save")
        self.press(TABLE, "Return")
        self.wait(lambda: list(self.folder.glob("*.csv")), "that it has saved the table")

    def _menus(self) -> list[XWindow]:
        return [window for window in self.screen.windows() if "PopupMenu" in window.name]


def _write_stack(path: Path, slices: list[Slice]) -> None:
    """Write slices as ImageJ's own kind of stack, each pixel enlarged."""
    import tifffile

    enlarging = np.ones((ENLARGED, ENLARGED), dtype=np.uint16)
    stack = np.stack([np.kron(item.pixels.astype(np.uint16), enlarging) for item in slices])
    per_mm = ENLARGED / PIXEL_MM
    about = {"unit": "mm", "axes": "ZYX", "spacing": 4.0}
    tifffile.imwrite(path, stack, imagej=True, resolution=(per_mm, per_mm), metadata=about)


def read_exam(folder: Path, slices: list[Slice], task: ReadingTask) -> ImageJReading:
    """Outline, name, save and measure every target of an exam."""
    order = [item.uid for item in slices]
    targets = sorted(task.targets, key=lambda target: order.index(target.slice_uid))
    reader = ImageJHand(folder, slices)
    try:
        reader.take_polygon()
        for number, target in enumerate(targets):
            if number and target.slice_uid != targets[number - 1].slice_uid:
                reader.press(NEXT, "Shift_L", "period")
            reader.outline(target, number)
            reader.name(number, short_name(target))
        reader.save_and_measure()
    finally:
        reader.close()
    (table,), (saved,) = folder.glob("*.csv"), folder.glob("*.zip")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    with zipfile.ZipFile(saved) as archive:
        names = [name.removesuffix(".roi") for name in archive.namelist()]
    areas = [float(row["Area"]) for row in rows]
    return ImageJReading(reader.recorder.as_rows(), targets, areas, names)


def short_name(target: Target) -> str:
    """Return a name of four letters for an outline, such as ``l45r``."""
    lower, upper = (part[-1] for part in target.level.value.split("-"))
    return f"l{lower}{upper}{target.side.value[0]}"
