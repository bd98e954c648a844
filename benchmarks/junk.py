"""One exam among very many files that are no images, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.cases import write_exam
from tests.support.junk import junk


@dataclass(frozen=True, slots=True)
class Inspected:
    """What ``inspect --json`` made of a folder."""

    code: int
    exams: int
    reported: int
    distinct: int
    seconds: float
    megabytes: float


def inspect(folder: Path) -> Inspected:
    """Run ``multifidus inspect --json`` and weigh it."""
    command = [sys.executable, "-m", "multifidus", "inspect", "--json", str(folder)]
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.DEVNULL, cwd=Path(__file__).parent.parent
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        out.seek(0)
        found = json.load(out)
    skipped = [item["path"] for item in found["skipped"]]
    return Inspected(
        os.waitstatus_to_exitcode(status),
        len(found["exams"]),
        len(skipped),
        len(set(skipped)),
        seconds,
        used.ru_maxrss / 1024,
    )


def run(count: int) -> tuple[Inspected, Inspected]:
    """Inspect so many files of junk beside an exam, and then without it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        junk(folder / "all" / "junk", count)
        write_exam(folder / "all" / "exam")
        return inspect(folder / "all"), inspect(folder / "all" / "junk")


def is_good(count: int, found: tuple[Inspected, Inspected]) -> bool:
    """Whether each file was reported once, the exam read, and the exit codes are right."""
    return all(item.reported == item.distinct == count for item in found) and (
        [(item.code, item.exams) for item in found] == [(0, 1), (3, 0)]
    )


def as_markdown(count: int, found: tuple[Inspected, Inspected]) -> str:
    """Print a table of the two runs."""
    lines = [
        f"{count} files of junk (empty ones, text, with the names of images) through "
        "`inspect --json`, beside an exam and alone:\n",
        "| | exit code | exams | reported as skipped | s | MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines.extend(
        f"| {name} | {item.code} | {item.exams} | {item.distinct} | {item.seconds:.0f} | "
        f"{item.megabytes:.0f} |"
        for name, item in zip(("beside an exam", "alone"), found, strict=True)
    )
    return "\n".join(lines) + "\n"
