"""Damaged files, tens of thousands of them: each is read or refused with a reason, quickly.

Each input is scanned by :func:`multifidus.io.scan.scan` and, where that finds slices, their pixels
are read; outlines go through :func:`multifidus.io.outlines.read_rois`. This happens in processes of
their own, whose memory is limited, so that a crash or a request for absurd memory shows.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import queue
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.mutations import SHAPE, Seed, damaged, make_seeds, outline_plane

LIMIT_SECONDS = 2.0
LIMIT_MB = 64.0
"""An input of a few kilobytes may not need more memory than this on top of what was used before."""

ROOM_MB = 768
"""Address space that the process gets beyond what it takes when it starts to read."""

HANGS_SECONDS = 30.0

KNOWN_NOISE = re.compile(
    r"^(Corrupt JPEG|Bogus |Unsupported|Invalid |Not a JPEG|Unexpected ).*$", re.MULTILINE
)
"""What the JPEG library inside GDCM prints from C about JPEG lossless; it has no switch for it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one input."""

    number: int
    seed: str
    way: str
    kind: str
    detail: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0


@dataclass(slots=True)
class Tally:
    """All outcomes, counted by the file that was damaged."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    megabytes: float = 0.0

    def add(self, found: Outcome) -> None:
        """Count one."""
        self.counts.setdefault(found.seed, Counter())[found.kind] += 1
        self.seconds = max(self.seconds, found.seconds)
        self.megabytes = max(self.megabytes, found.megabytes)
        if found.kind == "finding":
            self.findings.append(found)

    def total(self, kind: str) -> int:
        """Count the outcomes of one kind over all files."""
        return sum(counter[kind] for counter in self.counts.values())


# --- the process that reads -------------------------------------------------------------------


def read(path: Path, exam: Any) -> tuple[str, str]:
    """Read a file as users do; returns ``read`` or ``refused``, or else what should not be."""
    import multifidus as mf
    from multifidus.errors import MultifidusError

    if path.suffix == ".json":
        try:
            mf.read_rois(path, exam)
        except MultifidusError as error:
            return _refused(error)
        return "read", ""
    found = mf.scan(path)
    outcome = "read" if found.exams else "refused"
    for item in found.skipped:
        if _asks_for_memory(item.reason):
            return "finding", f"asks for absurd memory: {item.reason}"
    for exam_found in found.exams:
        for series in exam_found.series:
            for item in series.slices:
                try:
                    _ = item.pixels
                except MultifidusError as error:
                    outcome, detail = _refused(error)
                    if detail:
                        return outcome, detail
    return outcome, ""


def _refused(error: Exception) -> tuple[str, str]:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or _asks_for_memory(str(cause)):
            return "finding", f"asks for absurd memory: {error}"
        cause = cause.__cause__
    return "refused", ""


def _asks_for_memory(text: str) -> bool:
    return any(word in text for word in ("MemoryError", "Unable to allocate", "bad_alloc"))


def _status_mb(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


def _judged(path: Path, exam: Any, errors: Path) -> tuple[str, str, float, float]:
    """Read one input; returns kind, detail, seconds and megabytes beyond those used before."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, written = _status_mb("VmRSS"), errors.stat().st_size
    begin = time.perf_counter()
    try:
        kind, detail = read(path, exam)
    except Exception as error:  # noqa: BLE001 - what this looks for
        kind, detail = "finding", f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - begin
    grown = _status_mb("VmHWM") - before
    sys.stderr.flush()
    if kind != "finding":
        with errors.open("rb") as file:
            file.seek(written)
            said = KNOWN_NOISE.sub("", file.read().decode(errors="replace")).strip()
        if said:
            kind, detail = "finding", f"written to standard error: {said}"
        elif seconds > LIMIT_SECONDS:
            kind, detail = "finding", f"took {seconds:.1f} s"
        elif grown > LIMIT_MB:
            kind, detail = "finding", f"needed {grown:.0f} MB"
    return kind, detail[:300], seconds, grown


def work(seed: int, start: int, stop: int) -> None:
    """Read inputs ``start`` to ``stop`` and print an outcome for each, one JSON document a line."""
    from multifidus.data.image import Exam, Series, Slice

    out = os.fdopen(os.dup(1), "w", buffering=1)
    seeds = make_seeds()
    blank = Slice.from_array("1.2.3", outline_plane(), [[0.0] * SHAPE[1]] * SHAPE[0])
    exam = Exam("S01", "pre", (Series("1.2", (blank,)),))
    with tempfile.TemporaryDirectory(dir=_memory_folder()) as name:
        folder = Path(name)
        errors = folder / "stderr"
        for item in seeds:  # imports and caches are not the input's memory
            path = folder / f"valid{item.suffix}"
            path.write_bytes(item.data)
            if read(path, exam) != ("read", ""):
                msg = f"The undamaged {item.name} is not read."
                raise RuntimeError(msg)
        warnings.simplefilter("always")
        own_stderr = os.dup(2)
        handle = os.open(errors, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        room = int((_status_mb("VmSize") + ROOM_MB) * 2**20)
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        try:
            for number in range(start, stop):
                chosen, way, data = _quietly(seeds, seed, number)
                path = folder / f"input{chosen.suffix}"
                path.write_bytes(data)
                out.write(json.dumps((number, chosen.name, way, "begins")) + "\n")
                found = (number, chosen.name, way, *_judged(path, exam, errors))
                out.write(json.dumps(found) + "\n")
        finally:
            os.dup2(own_stderr, 2)  # what goes wrong here is no finding


def _quietly(seeds: list[Seed], seed: int, number: int) -> tuple[Seed, str, bytes]:
    """Make an input; what pydicom says about absurd values while writing them is not wanted."""
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return damaged(seeds, seed, number)
    finally:
        logging.disable(logging.NOTSET)


def _memory_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder is made in it


# --- the process that watches -----------------------------------------------------------------


def run(count: int, seed: int, report: Callable[[Outcome], None] | None = None) -> Tally:
    """Try ``count`` inputs, going on after one that ends the process that reads it."""
    tally = Tally()
    start = 0
    while start < count:
        for found in _watched(seed, start, count):
            tally.add(found)
            start = found.number + 1
            if report and found.kind == "finding":
                report(found)
    return tally


def _watched(seed: int, start: int, stop: int) -> Iterator[Outcome]:
    """Yield outcomes until the process ends or hangs, which is the last outcome."""
    command = [sys.executable, "-m", "benchmarks.fuzz", "--work", *map(str, (seed, start, stop))]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    begun: tuple[Any, ...] | None = None
    ended = "hangs"
    try:
        while True:
            line = lines.get(timeout=HANGS_SECONDS if begun else None)
            if line is None:
                ended = f"ends the process (code {process.wait()})"
                break
            values = json.loads(line)
            if values[3] == "begins":
                begun = values
                continue
            begun = None
            yield Outcome(*values)
    except queue.Empty:
        pass
    finally:
        process.kill()
        process.wait()
    if begun:
        yield Outcome(begun[0], begun[1], begun[2], "finding", ended)
    elif process.returncode not in (0, -9):
        said = process.stderr.read() if process.stderr else ""
        msg = f"The process that reads ended with {process.returncode}: {said[-2000:]}"
        raise RuntimeError(msg)


def as_markdown(tally: Tally) -> str:
    """Print a table of outcomes, and the findings."""
    lines = ["| file | tried | read | refused | findings |", "| --- | --- | --- | --- | --- |"]
    for name in sorted(tally.counts):
        found = tally.counts[name]
        lines.append(
            f"| {name} | {found.total()} | {found['read']} | {found['refused']} | "
            f"{found['finding']} |"
        )
    kinds = ("read", "refused", "finding")
    total = [tally.total(kind) for kind in kinds]
    lines.append(f"| all | {sum(total)} | " + " | ".join(map(str, total)) + " |")
    lines.append(
        f"\nSlowest input: {tally.seconds:.2f} s. Largest growth of memory over one input: "
        f"{tally.megabytes:.0f} MB."
    )
    lines.extend(
        f"\n- input {item.number}, {item.seed}, {item.way}: {item.detail}"
        for item in tally.findings[:20]
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run by hand: ``python -m benchmarks.fuzz --count 1000 --seed 1``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--work", type=int, nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(*options.work)
        return
    tally = run(options.count, options.seed, lambda found: print(found, flush=True))
    print(as_markdown(tally))
    sys.exit(1 if tally.findings else 0)


if __name__ == "__main__":
    main()
