"""A cohort of good cases among which are some that end or exhaust what reads them."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster.obstacles import Obstacle, met, no_mounts
from multifidus import Reading
from multifidus.figures.picture_files import picture_stem
from tests.support.poisons import (
    BY_DECODERS,
    POISONS,
    Poison,
    PoisonedCohort,
    environment,
    write_poisoned,
)

SAME = ("measurements.csv", "summary.csv", "muscles.csv", "acquisitions.csv")
"""Tables that hold nothing of a case that failed."""

WAIT_S = 900.0

TIMEOUT_S, MEMORY_GB = "30", "2"

ENGINES = {"processes": (), "Dask": ("--executor", "dask")}

SHORT = (*BY_DECODERS[:3:2], *(p for p in POISONS if p.what.startswith(("FIFO", "missing"))))
"""Poisons of a short run."""

UNDRAWN = "S00"
"""A good case whose picture cannot be drawn."""


@dataclass(frozen=True, slots=True)
class PoisonedRun:
    """A run over a poisoned cohort.

    Parameters
    ----------
    code
        What it exited with.
    said
        What it printed.
    failures
        Rows of its table of failures, by subject.
    differs
        What is not as in a run over the good cases alone.
    """

    code: int
    said: str
    failures: Mapping[str, Mapping[str, str]]
    differs: tuple[str, ...]

    def is_named(self, subject: str, poison: Poison) -> bool:
        """Whether a failure has its cause and its remedy, in the table and at the end."""
        row = self.failures.get(subject)
        if row is None or row["error"] != poison.error:
            return False
        listed = poison.cause in row["message"] and poison.remedy in row["remedy"]
        end = self.said.partition("Failed: ")[2]
        return listed and row["remedy"] in end and f"{subject} pre AB: {row['message']}" in end

    def problems(self, cohort: PoisonedCohort) -> Iterator[str]:
        """Yield what is not as it should be."""
        if self.code != 1:
            yield f"exit code {self.code}"
        yield from self.differs
        if {*self.failures} != {*cohort.poisons}:
            yield f"failed: {', '.join(self.failures)}"
        for subject, poison in cohort.poisons.items():
            if not self.is_named(subject, poison):
                yield f"{poison.what}: {self.failures.get(subject)}"
        if "images of 1 case could not be drawn" not in self.said:
            yield "no word of the image that could not be drawn"


def poisoned_run(cohort: PoisonedCohort, out: Path, *words: str) -> PoisonedRun:
    """Measure a poisoned cohort, and compare it with one of the good cases alone."""
    done = _measure(cohort.whole, out, *words)
    if done.returncode not in {0, 1}:
        return PoisonedRun(done.returncode, done.stderr, {}, (done.stderr[-2000:],))
    good = cohort.good.with_name("good")
    if not good.exists() and _measure(cohort.good, good).returncode:
        raise RuntimeError(good)
    failures = {row["subject"]: row for row in _rows(out / "failures.csv")}
    differs = [name for name in SAME if _bytes(out, name) != _bytes(good, name)]
    missing = [row for row in _rows(out / "missing.csv") if row["subject"] not in cohort.poisons]
    if missing != _rows(good / "missing.csv"):
        differs.append("missing.csv")
    return PoisonedRun(done.returncode, done.stderr, failures, tuple(differs))


def _measure(table: Path, out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    stem = picture_stem(Reading(UNDRAWN, "pre", "AB", 1))
    (out / "pictures" / f"{stem}_series1_slice000.jpg").mkdir(parents=True)
    return subprocess.run(
        [sys.executable, "-m", "multifidus", "measure", str(table), "-o", str(out),
         "--protocol", str(table.with_name("protocol.toml")), "--jobs", "2",
         "--timeout", TIMEOUT_S, "--memory", MEMORY_GB, *words],
        env=environment(), capture_output=True, text=True, check=False, timeout=WAIT_S,
    )  # fmt: skip


def _bytes(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _rows(path: Path) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))]


def page(*, smoke: bool) -> tuple[str, bool]:
    """Return the page and whether all is as it should be."""
    engines = {"processes": ()} if smoke else ENGINES
    with tempfile.TemporaryDirectory() as name:
        cohort = write_poisoned(Path(name) / "study", SHORT if smoke else POISONS)
        runs = {
            engine: poisoned_run(cohort, Path(name) / engine, *words)
            for engine, words in engines.items()
        }
        obstacles = [*met(Path(name) / "obstacles", smoke=smoke)]
    problems = [
        f"{engine}: {problem}" for engine, run in runs.items() for problem in run.problems(cohort)
    ]
    problems += [f"{one.what}: {problem}" for one in obstacles for problem in one.problems]
    text = _page(cohort, runs) + _obstacles(obstacles)
    if problems:
        text += "\n".join(("\n## Not as it should be\n", *(f"- {one}" for one in problems), ""))
    return text, not problems


def _page(cohort: PoisonedCohort, runs: Mapping[str, PoisonedRun]) -> str:
    good = len(cohort.poisons) + 2
    lines = [
        "# Cases that crash, hang or ask too much\n",
        "## One cohort of all of them\n",
        f"{good} good exams, before and after each of the cases below; one of the good has a name "
        "of 300 letters, and the image of another cannot be drawn. A decoder that does at its "
        "image what libraries in C do stands in the place of the one for JPEG-LS. Each case may "
        f"take {TIMEOUT_S} s and {MEMORY_GB} GB (`--timeout`, `--memory`). Measured at once, "
        f"with {' and with '.join(runs)}.\n",
        *(
            f"- {engine}: exit code {run.code}; {len(run.failures)} cases failed, each named with "
            "cause and remedy in `failures.csv` and at the end of the run; "
            f"{_differing(run.differs)}."
            for engine, run in runs.items()
        ),
        "\n| case | failure | cause, as reported |",
        "|---|---|---|",
    ]
    first = next(iter(runs.values()))
    for subject, poison in cohort.poisons.items():
        row = first.failures.get(subject, {"error": "**none**", "message": ""})
        lines.append(f"| {poison.what} | {row['error']} | {_short(row['message'])} |")
    return "\n".join(lines) + "\n"


def _obstacles(obstacles: Sequence[Obstacle]) -> str:
    lines = [
        "\n## Folders that cannot be written to, are taken, or are of another version\n",
        "A cohort of tiny exams is measured into a folder where something is in the way; then, "
        "with nothing in the way, the same command again (at another version, with "
        "`--overwrite`). `kept`: cases that were finished at the obstacle, none of which is "
        "measured again, but for another version's. `as undisturbed`: no record is half written, "
        "and the tables have at last the bytes of a run that nothing disturbed.\n",
        "| obstacle | exit code | reported | kept | as undisturbed |",
        "|---|---|---|---|---|",
        *(
            f"| {one.what} | {one.code} | {one.said} | {one.kept} | "
            f"{'**no**' if one.problems else 'yes'} |"
            for one in obstacles
        ),
    ]
    if lacks := no_mounts():
        lines.append(f"\nNot run: full disk, read-only folder; {lacks}.")
    return "\n".join(lines) + "\n"


def _differing(names: tuple[str, ...]) -> str:
    if names:
        return f"**not** as without them: {', '.join(names)}"
    return "the tables have the bytes of a run over the good cases alone"


def _short(text: str) -> str:
    words = " ".join(text.split()).replace("|", "/")
    return words if len(words) <= 120 else f"{words[:117]}..."
