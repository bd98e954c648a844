"""Both programs driven: the reader's list and one level in the plugin, an exam in ImageJ."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clicks import imagej_hand
from benchmarks.clicks.exams import SPEC, ReadingTask, Target, read_tasks, write_exams
from benchmarks.clicks.fellow import RATER, READINGS, RESULT, Stay
from benchmarks.clicks.imagej_hand import ImageJReading
from benchmarks.screens import desktop
from multifidus.io.read import read_exam

SCREEN = "1920x1080"
MINUTES_AN_EXAM = 2
ONE_LEVEL = replace(SPEC, stacks=1, sagittal=False)

AREA_WITHIN_PCT, FAT_WITHIN_POINTS = 3.0, 12.0
"""The largest errors of a reading that is what was meant: 30 corners on whole pixels of the screen
lose about 1 % of the area; the default fat method has errors of its own."""

Steps = list[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class PluginReading:
    """What the scripted reader did in the plugin."""

    steps: Steps
    stays: list[Stay]
    arrived: tuple[int, int]
    trouble: str

    @property
    def lost(self) -> int:
        """Clicks, keys and points that were lost."""
        return sum(stay.lost for stay in self.stays)


@dataclass(frozen=True, slots=True)
class Errors:
    """What ``multifidus measure`` says of the readings, beside the phantoms' truth."""

    outlines: int
    missing: int
    drawn_pct: list[float]
    area_pct: list[float]
    fat_points: list[float]

    @property
    def good(self) -> bool:
        """Whether every outline is there and is what was meant."""
        return (
            not self.missing
            and max(map(abs, self.area_pct)) <= AREA_WITHIN_PCT
            and max(map(abs, self.fat_points)) <= FAT_WITHIN_POINTS
        )


def read_in_plugin(folder: Path, number: int, *, one_level: bool = False) -> PluginReading:
    """Let the scripted reader read the exams in a folder, on a screen of its own."""
    command = [sys.executable, "-m", "benchmarks.clicks.fellow", str(folder)]
    with desktop(SCREEN) as environment:
        own = {
            "XDG_CONFIG_HOME": str(folder / "config"), "NAPARI_CONFIG": "", "LP_NUM_THREADS": "0",
        }  # fmt: skip
        subprocess.run(
            [*command, "--one-level"] if one_level else command,
            env=environment | own, check=True, timeout=60 * (2 + MINUTES_AN_EXAM * number),
        )  # fmt: skip
    return plugin_reading(folder)


def plugin_reading(folder: Path) -> PluginReading:
    """Read what the scripted reader wrote."""
    found: dict[str, Any] = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    if found["trouble"]:
        print(found["trouble"], file=sys.stderr)
    return PluginReading(
        [(step, clicks, keys) for step, clicks, keys in found["steps"]],
        [Stay(**stay) for stay in found["stays"]],
        tuple(found["arrived"]),
        found["trouble"],
    )


def measured(folder: Path, subjects: list[str]) -> Errors:
    """Measure the saved readings by the command, and compare with truth."""
    rows = [
        f"{name},pre,{name},{READINGS}/{RATER}/{name}_pre_{RATER}_r1.outlines.json"
        for name in subjects
    ]
    table = folder / "read.csv"
    text = "\n".join(("subject,timepoint,images,outlines", *rows))
    table.write_text(text + "\n", encoding="utf-8")
    results = folder / "results"
    command = [sys.executable, "-m", "multifidus", "measure", str(table), "-o", str(results)]
    ended = subprocess.run([*command, "--no-pictures"], check=False, capture_output=True, text=True)
    # Cases that failed lack their outlines, and are counted as such below.
    if ended.returncode not in {0, 1}:
        raise RuntimeError(ended.stderr)
    with (results / "measurements.csv").open(encoding="utf-8", newline="") as lines:
        values = {
            (row["subject"], row["slice_uid"], row["side"], row["quantity"]): float(row["value"])
            for row in csv.DictReader(lines)
            if row["structure"] == "multifidus" and row["quantity"] in {"tcsa_mm2", "fi_pct"}
        }
    tasks = {task.subject: task for task in read_tasks(folder)}
    wanted = [(name, target) for name in subjects for target in tasks[name].targets]
    return _errors(wanted, values)


def _errors(wanted: list[tuple[str, Target]], values: dict[tuple[str, ...], float]) -> Errors:
    missing, drawn, area, fat = 0, [], [], []
    for name, target in wanted:
        found, fat_pct = (
            values.get((name, target.slice_uid, target.side.value, quantity), np.nan)
            for quantity in ("tcsa_mm2", "fi_pct")
        )
        if np.isnan(found) or np.isnan(fat_pct):
            missing += 1
            continue
        drawn.append(100 * (found / target.drawn_mm2 - 1))
        area.append(100 * (found / target.area_mm2 - 1))
        fat.append(fat_pct - target.fat_pct)
    return Errors(len(wanted), missing, drawn, area, fat)


def read_in_imagej(folder: Path, images: Path, task: ReadingTask) -> ImageJReading:
    """Read an exam in ImageJ, on a screen of its own."""
    exam = read_exam(images)
    uid = task.targets[0].slice_uid
    (series,) = (series for series in exam.series if any(item.uid == uid for item in series.slices))
    # Its windows take the focus by clicks, which are counted.
    with desktop(SCREEN, focus_by_click=True) as environment, _display(environment["DISPLAY"]):
        return imagej_hand.read_exam(folder, list(series.slices), task)


@contextmanager
def _display(name: str) -> Iterator[None]:
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["DISPLAY"]
        else:
            os.environ["DISPLAY"] = before


@dataclass(frozen=True, slots=True)
class Readings:
    """All that was driven."""

    five: PluginReading
    one: PluginReading
    errors: Errors
    imagej_five: ImageJReading | None
    imagej_one: ImageJReading

    @property
    def good(self) -> bool:
        """Whether nothing was lost, and everything drawn is what was meant."""
        theirs = [self.imagej_one, *([self.imagej_five] if self.imagej_five else [])]
        return (
            not (self.five.trouble or self.one.trouble or self.five.lost or self.one.lost)
            and all(item.is_right for item in theirs)
            and self.errors.good
        )


def driven(folder: Path, five: PluginReading, task: ReadingTask, *, smoke: bool) -> Readings:
    """Do what remains once the list is read: one level, ImageJ, and measure."""
    for part in ("one", "imagej-five", "imagej-one"):
        (folder / part).mkdir()
    (single,) = write_exams(folder / "one", 1, ONE_LEVEL)
    one = read_in_plugin(folder / "one", 1, one_level=True)
    read = [stay.subject for stay in five.stays]
    return Readings(
        five,
        one,
        measured(folder / "five", read),
        None if smoke else read_in_imagej(
            folder / "imagej-five", folder / "five" / task.subject, task
        ),
        read_in_imagej(folder / "imagej-one", folder / "one" / single.subject, single),
    )  # fmt: skip
