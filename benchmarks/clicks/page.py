"""The page of clicks and keys, made of what was counted while both programs were driven."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.accuracy import imagej
from benchmarks.clicks import exams
from benchmarks.clicks.driving import PluginReading, Readings, driven, read_in_plugin
from benchmarks.clicks.exams import POINTS, SMOKE_SPEC, SPEC, write_exams
from benchmarks.clicks.fellow import DIALOG, POINTS as POINTS_STEP, REFERENCES
from benchmarks.clicks.imagej_hand import MEASURED, NAME, SAVE, TABLE

PAGE = Path(__file__).parents[2] / "docs" / "evidence" / "clicks.md"

SHORT = "A short run: exams of its list have one level, where this says five.\n\n"

TITLE = "# Clicks and keys compared with ImageJ\n\n"

Steps = list[tuple[str, int, int]]


def _table(steps: Steps, *, exams: int = 1) -> tuple[str, int]:
    """Write steps as a table, and return the sum of it."""
    every = sum(clicks + keys for _, clicks, keys in steps)
    rows = [f"| {step} | {clicks} | {keys} | {clicks + keys} |" for step, clicks, keys in steps]
    per = f" ({every / exams:.1f} an exam)" if exams > 1 else ""
    head = ["| step | clicks | keys | sum |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, f"| **all**{per} | | | **{every}** |"]) + "\n", every


def count(steps: Steps, *names: str) -> int:
    """Count the clicks and keys of steps; of all where none is named."""
    return sum(clicks + keys for step, clicks, keys in steps if not names or step in names)


def _of_one_exam(reading: PluginReading) -> Steps:
    """Return the steps of the last exam: all but the tour, which the first alone has.

    Steps are the same in every exam; what is asked for on the way is what else the last one took.
    """
    number, last = len(reading.stays), reading.stays[-1]
    steps = [
        (step, clicks // number, keys // number)
        for step, clicks, keys in reading.steps
        if step != DIALOG
    ]
    asked = last.clicks + last.keys - count(steps)
    return [*steps, (DIALOG, asked, 0)] if asked and number > 1 else steps


def text_of(found: Readings, asked: int) -> str:
    """Write the page; ``asked`` is how many exams the list should have had."""
    return "\n".join((INTRO, _five_levels(found), _one_level(found), _cohort(found, asked)))


INTRO = (
    f"{TITLE}"
    "Both programs are driven in real windows under a window manager by mouse and key events of "
    "the X server (XTEST), by `make evidence` (`benchmarks/clicks`). Whatever is sent is counted "
    "where it is sent, and nothing else reaches the programs: points, the clicks that close "
    "outlines, keys, dialogs and clicks that only give the focus. A key with Ctrl or Shift counts "
    "once. Exams are small digital phantoms; the hand knows their true outlines, and clicks on "
    f"{POINTS} points of each. In both programs the exam is open at the start. ImageJ's windows "
    "take the focus by clicks; for the plugin the window manager leaves clicks alone.\n"
)


def _five_levels(found: Readings) -> str:
    steps = _of_one_exam(found.five)
    table, ours = _table(steps)
    plugin = (
        "## Five levels: the plugin\n\n"
        "One exam of a reading list: five levels, both sides, ten outlines that know level and "
        "side; a lean and a fat reference; locked, saved, and the next exam opened. Levels come "
        "from clicks on five discs of the sagittal image. After an outline is closed the window "
        f"goes on by itself.\n\n{table}\n"
        f"The references, which fat is measured by, are {count(steps, REFERENCES)} of these. Area "
        "and fat are seen while drawing; `multifidus measure` makes the tables of all exams at "
        "once.\n"
    )
    if found.imagej_five is None:
        return plugin
    table, theirs = _table(found.imagej_five.steps)
    worst = max(map(abs, found.imagej_five.errors_pct))
    imagej_part = (
        "## Five levels: ImageJ's ROI Manager\n\n"
        "The same ten outlines on the same slices: drawn, added, named by four letters such as "
        "`l45r`, saved, measured, the table saved, files under the names that are offered. There "
        "are no references, and no fat is measured. Slices are shown so large that nobody has to "
        f"zoom.\n\n{table}\n"
        "An outline is closed by a click on its first point: at a double click ImageJ asks about "
        "every outline of more than 25 points. The first click beside an outline only takes that "
        "away. Its table came out, with areas within "
        f"{worst:.1f} % of the polygons that were meant.\n"
    )
    without = ours - count(steps, REFERENCES)
    points, names = count(steps, POINTS_STEP), count(found.imagej_five.steps, NAME)
    compared = (
        f"**{without} against {theirs}** for the same outlines, {ours} with the references; "
        f"beyond the points **{without - points} against {theirs - points}**. Without names in "
        f"ImageJ (which outline is which kept on paper) it is {theirs - points - names} instead of "
        f"{theirs - points}.\n"
    )
    return f"{plugin}\n{imagej_part}\n{compared}"


def _one_level(found: Readings) -> str:
    table, _ = _table([row for row in found.one.steps if row[0] != DIALOG])
    drawn = [row for row in found.imagej_one.steps if row[0] not in {NAME, SAVE, MEASURED, TABLE}]
    theirs, bare = _table(drawn)
    names = count(found.imagej_one.steps, NAME)
    rest = count(found.imagej_one.steps, SAVE, MEASURED, TABLE)
    return (
        "## One level: the plugin\n\n"
        "One slice without a sagittal image, both sides; the level is chosen from its list. It is "
        "saved, and area is seen while drawing; no references are drawn, so no fat is measured, in "
        "either program. The tour, which the first exam of all has, is not "
        f"counted: it is skipped by one click.\n\n{table}\n"
        "## One level: ImageJ\n\n"
        f"The same two outlines, drawn and added.\n\n{theirs}\n"
        f"That is without a name, a file and a number. With names it is {bare + names}; with both "
        f"files and the measurement {bare + names + rest}.\n"
    )


def _cohort(found: Readings, asked: int) -> str:
    five, errors = found.five, found.errors
    stays, number = five.stays, len(five.stays)
    table, _ = _table(five.steps, exams=number)
    counts = sorted({stay.clicks + stay.keys for stay in stays[1:]})
    usual = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    few = f" (of {asked}: this page was made with fewer; `make evidence` reads all)"
    seconds = [stay.cpu_s for stay in stays]
    memory = ", ".join(
        f"{stays[place - 1].memory_mb:.0f} MB after exam {place}"
        for place in sorted({1, 10, 20, 50, 100, 150, 200, number})
        if place <= number
    )
    notices = sorted({words for stay in stays for words in stay.notices})
    said = "; ".join(notices) if notices else "none"
    slow = np.median(seconds)
    return (
        f"## A reading list of {number} exams\n\n"
        f"{number} exams{few if number < asked else ''} read one after another in one window, "
        f"{exams.MATRIX} x {exams.MATRIX} pixels a slice, up to forty clicks a second.\n\n{table}\n"
        f"- {count(five.steps)} clicks and keys were sent, {sum(five.arrived)} arrived; "
        f"{five.lost} points, clicks or keys were lost.\n"
        f"- Every exam after the first took {usual}; the first had the tour as well, skipped by "
        "one click.\n"
        f"- Questions and warnings on the way: {said}.\n"
        f"- {slow:.1f} s of processor time an exam (median; the first {seconds[0]:.1f}, the last "
        f"{seconds[-1]:.1f}), {1000 * slow / stays[-1].clicks:.0f} ms a click, painted without a "
        "graphics card.\n"
        f"- Memory: {memory}.\n"
        f"- `multifidus measure` finds {errors.outlines - errors.missing} of {errors.outlines} "
        "outlines. Area against the polygon that was meant: "
        f"{_spread(errors.drawn_pct, '%')}; against the phantom's exact area: "
        f"{_spread(errors.area_pct, '%')} ({POINTS} corners cut some off). Fat by the default "
        f"method against the exact share: {_spread(errors.fat_points, 'points')}.\n"
    )


def _spread(values: list[float], unit: str) -> str:
    mean, most = np.mean(values), max(map(abs, values))
    return f"{mean:+.2f} {unit} on average, at most {most:.2f} {unit}"


def page(*, smoke: bool, number: int = 200) -> tuple[str, bool]:
    """Drive both programs; return the page, and whether all is as it should be.

    The short run reads two exams of one slice as its list, leaves ImageJ's long one out, and
    compares its counts of one level with the page that is there; a test does so with five.
    """
    if not imagej.available():
        return "# Clicks and keys compared with ImageJ\n\nImageJ is not installed here.\n", False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = 2 if smoke else number
        (folder / "five").mkdir()
        tasks = write_exams(folder / "five", asked, SMOKE_SPEC if smoke else SPEC)
        found = driven(folder, read_in_plugin(folder / "five", asked), tasks[0], smoke=smoke)
    text = (SHORT if smoke else "") + text_of(found, asked)
    return text, found.good and (not smoke or _same_counts(text))


def sums(text: str) -> dict[str, int]:
    """Return the sum of each table of a page, by the heading over it; rows are checked.

    Raises
    ------
    ValueError
        If a table does not add up.
    """
    found = {}
    for part in text.split("\n## ")[1:]:
        rows = re.findall(r"^\| [^|]+ \| (\d+) \| (\d+) \| (\d+) \|$", part, re.MULTILINE)
        (stated,) = re.findall(r"^\| \*\*all\*\*.*\*\*(\d+)\*\* \|$", part, re.MULTILINE)
        lines = [(int(clicks) + int(keys), int(each)) for clicks, keys, each in rows]
        heading = part.splitlines()[0]
        if any(own != each for own, each in lines) or sum(e for _, e in lines) != int(stated):
            raise ValueError(heading)
        found[heading] = int(stated)
    return found


def _same_counts(text: str) -> bool:
    """Whether the page that is there has the same sums of one level."""
    now, written = sums(text), sums(PAGE.read_text(encoding="utf-8"))
    return all(
        written.get(heading) == value for heading, value in now.items() if "One level" in heading
    )
