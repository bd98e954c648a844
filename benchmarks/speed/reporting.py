"""The report of a large study: time and memory, and how a browser sees its pages."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.browser import Seen, chromium, pages_on_paper, see
from benchmarks.timing import process
from multifidus.figures.picture_files import write_thumbnail
from multifidus.reporting.build import PAGE, SUBJECTS
from multifidus.study.results_folder import PICTURES
from tests.support.studies import LEVELS, study_rows, write_study

SECTIONS = ("flow", "methods", "results", "reliability", "change", "figures", "flags", "grras",
            "references", "subjects")  # fmt: skip
"""What the page has to hold."""

MOST_CPU_S = 30.0

PRINTED = 5
"""So many sheets are printed, the first and others spread over the study."""

_PICTURE = (360, 480)
"""Height and width of a picture of a slice, before it is made small."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one report.

    Parameters
    ----------
    subjects, rows
        Of the study.
    cpu_s, memory_mb
        Of the whole command.
    page_mb, files
        Size of the page, and how many files there are.
    seen
        What a browser says of the page and of a sheet; None without a browser.
    sheets_of_paper
        That each of some subjects' sheets takes.
    """

    subjects: int
    rows: int
    cpu_s: float
    memory_mb: float
    page_mb: float
    files: int
    seen: tuple[Seen, Seen] | None
    sheets_of_paper: tuple[int, ...]

    @property
    def is_good(self) -> bool:
        """Whether the target is met and a browser, if there is one, has nothing to complain of."""
        if self.cpu_s > MOST_CPU_S:
            return False
        if self.seen is None:
            return True
        clean = not any(one.requests or one.messages for one in self.seen)
        return clean and set(SECTIONS) <= self.seen[0].ids and set(self.sheets_of_paper) == {1}


def measure(subjects: int, *options: str) -> Found:
    """Make a study, report it by the command with options, and look at its pages."""
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name) / "results", Path(name) / "report"
        rows = list(_rows(subjects))
        write_study(folder, rows)
        _pictures(folder / PICTURES, sorted({row["subject"] for row in rows}))
        command = ("report", str(folder), "-o", str(out), "--value", "rater:A", *options)
        cpu, memory = process((sys.executable, "-m", "multifidus", *command))
        sheets = sorted((out / SUBJECTS).iterdir())
        seen, printed = None, ()
        if chromium():
            seen = (see(out / PAGE), see(sheets[0]))
            some = sheets[:: max(len(sheets) // PRINTED, 1)][:PRINTED]
            printed = tuple(map(pages_on_paper, some))
        return Found(
            subjects=subjects,
            rows=len(rows),
            cpu_s=cpu,
            memory_mb=memory,
            page_mb=(out / PAGE).stat().st_size / 1e6,
            files=sum(path.is_file() for path in out.rglob("*")),
            seen=seen,
            sheets_of_paper=printed,
        )


def _rows(subjects: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of a study, and beside them another muscle's, which a report passes over."""
    for row in study_rows(subjects):
        yield row
        yield {**row, "structure": "erector_spinae"}


def _pictures(folder: Path, subjects: list[str]) -> None:
    """Draw a picture of each level of each exam; noise makes the files as large as real ones."""
    rng = np.random.default_rng(2)
    noise = [rng.integers(30, 200, (*_PICTURE, 3), dtype=np.uint8) for _ in range(4)]
    number = 0
    for subject in subjects:
        for timepoint in ("pre", "post"):
            for place, level in enumerate(LEVELS):
                said = {
                    "subject": subject, "timepoint": timepoint, "rater": "A", "reading": 1,
                    "series": "1.2", "slice_index": place, "level": level, "pixel_mm": [0.3, 0.3],
                }  # fmt: skip
                picture = Image.fromarray(noise[number % len(noise)])
                write_thumbnail(picture, said, folder / "small" / f"{number:05d}.jpg")
                number += 1


def as_markdown(found: Found) -> str:
    """Return the page of evidence."""
    return (
        "# The report of a large study\n\n"
        f"An artificial study of {found.subjects} subjects, two timepoints, three levels, two "
        "raters with two readings each: tables and pictures alone, no images. `multifidus report` "
        "makes the page, figures as PDF, tables, and a sheet for each subject.\n\n"
        "| what | measured | target |\n| --- | --- | --- |\n"
        f"| rows of the table | {found.rows:,} | |\n"
        f"| CPU time of the command, s | {found.cpu_s:.1f} | {MOST_CPU_S:g} |\n"
        f"| peak memory, MB | {found.memory_mb:.0f} | |\n"
        f"| the page, MB | {found.page_mb:.1f} | |\n"
        f"| files | {found.files} | |\n\n"
        "## In a browser\n\n" + _browser(found)
    )


def _browser(found: Found) -> str:
    if found.seen is None:
        return "Not run: there is no Chromium on this computer.\n"
    page, sheet = found.seen
    lacking = [name for name in SECTIONS if name not in page.ids]
    sections = f"lacking {lacking}" if lacking else f"all {len(SECTIONS)} are there"
    sheets = ", ".join(map(str, found.sheets_of_paper))
    return (
        "Opened in Chromium without a window, cut off from every network, with its log of requests "
        "and its console.\n\n"
        f"- Addresses asked for by the page: {len(page.requests)}; by a sheet: "
        f"{len(sheet.requests)}.\n"
        f"- Messages on the console, errors of scripts among them: {len(page.messages)} and "
        f"{len(sheet.messages)}.\n"
        f"- Sections: {sections}.\n"
        f"- Subjects' sheets printed on A4, pages of each of {len(found.sheets_of_paper)}: "
        f"{sheets}.\n"
    )
