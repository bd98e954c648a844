"""A cohort of tiny exams, and runs over it as programs of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from multifidus import Reading
from tests.support.cases import write_exam, write_outlines

TABLES = ("measurements.csv", "summary.csv", "missing.csv", "failures.csv", "dictionary.json",
          "index.html")  # fmt: skip
PROTOCOL = 'fat_methods = ["pooled_otsu"]\nbias_correction = "none"\n'


@dataclass(frozen=True, slots=True)
class TinyCohort:
    """A cohort on disk, and the tables of an undisturbed serial run over it."""

    table: Path
    number: int
    expected: dict[str, bytes]

    def begin(self, out: Path, *words: str | Path) -> subprocess.Popen[str]:
        """Begin a run."""
        return subprocess.Popen(
            [str(word) for word in self.words(out, *words)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def words(self, out: Path, *words: str | Path) -> Sequence[str | Path]:
        """Return the words of a run."""
        return (
            sys.executable, "-m", "multifidus", "measure", self.table, "-o", out,
            "--protocol", self.table.with_name("protocol.toml"), *words,
        )  # fmt: skip

    def is_equal(self, out: Path) -> bool:
        """Whether a folder holds the tables of the undisturbed run."""
        return tables_in(out) == self.expected


def tables_in(folder: Path) -> dict[str, bytes]:
    """Return the tables and the page of a results folder."""
    return {name: (folder / name).read_bytes() for name in TABLES if (folder / name).exists()}


def records_in(folder: Path) -> dict[str, int]:
    """Return when each record of a results folder was written."""
    found = {}
    for path in folder.glob("cases/??/[!.]*.jsonl"):
        try:
            found[path.name] = path.stat().st_mtime_ns
        except FileNotFoundError:
            continue
    return found


def tiny_cohort(folder: Path, number: int) -> TinyCohort:
    """Write a cohort of so many exams of one slice, and measure it without disturbance."""
    lines = ["subject,timepoint,rater,images,outlines"]
    for place in range(number):
        subject = f"S{place:03}"
        images = write_exam(folder / subject, slices=1)
        name = f"{subject}.outlines.json"
        write_outlines(images, folder / name, Reading(subject, "pre", "AB", 1))
        lines.append(f"{subject},pre,AB,{subject},{name}")
    table = folder / "cohort.csv"
    table.write_text("\n".join(lines) + "\n")
    (folder / "protocol.toml").write_text(PROTOCOL)
    bare = TinyCohort(table, number, {})
    done = bare.begin(folder / "whole", "--jobs", "1")
    _, said = done.communicate()
    if done.returncode:
        raise RuntimeError(said)
    return TinyCohort(table, number, tables_in(folder / "whole"))
