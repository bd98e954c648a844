"""A large cohort of exams of real size by one command, beside measuring them one after another."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.synthetic import Extent, make_sample
from multifidus import Reading
from multifidus.data.anatomy import Structure
from multifidus.data.cohort import Case
from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.outlines_json import read_outlines, write_outlines
from multifidus.study.batch import Measured, measure_cases
from tests.support.dask_cluster import children

JOBS = 2
SLOWER_AT_MOST = 1.3
FIRST_LINE_S = 2.0
GROWTH_AT_MOST = 1.1
TEN_OUTLINES = Extent((Structure.MULTIFIDUS,), middle=True, references=False)
LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Size:
    """How many exams there are, and by how many raters each was read."""

    exams: int
    raters: int

    @property
    def cases(self) -> int:
        """How many cases that makes."""
        return self.exams * self.raters


WHOLE, SMALL, SMOKE = Size(50, 20), Size(10, 1), Size(2, 2)


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of the command.

    Parameters
    ----------
    wall_s
        From its start to its end, tables included.
    first_s
        From its start to its line about the first case.
    parent_mb, worker_mb
        Peak resident memory of the command, and of the largest of its processes.
    """

    cases: int
    wall_s: float
    first_s: float
    parent_mb: float
    worker_mb: float


def write_cohort(folder: Path, size: Size) -> Path:
    """Write exams and their readings; return the cohort table."""
    lines = ["subject,timepoint,rater,images,outlines"]
    for seed in range(1, size.exams + 1):
        subject = f"S{seed:03d}"
        sample = make_sample(folder / subject, seed, subject, TEN_OUTLINES)
        drawn = read_outlines(sample.outline_file)
        for rater in (f"R{number:02d}" for number in range(1, size.raters + 1)):
            path = f"{subject}/{rater}.outlines.json"
            write_outlines(drawn.read_by(Reading(subject, "pre", rater, 1)), folder / path)
            lines.append(f"{subject},pre,{rater},{subject}/series,{path}")
    table = folder / "cohort.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


def one_after_another(table: Path, exams: int) -> float:
    """Return the seconds that a process takes to read and measure the first reading of each exam.

    Its start is not counted.
    """
    command = [sys.executable, "-m", "benchmarks.cluster.large_cohort", str(table), str(exams)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _measure_here(table: Path, exams: int) -> float:
    firsts: dict[str, Case] = {}
    for case in read_cohort(table).cases:
        firsts.setdefault(case.reading.subject, case)
    cases = [*firsts.values()][:exams]
    warm = [*measure_cases(cases[:1], MeasurementProtocol())]
    begin = time.monotonic()
    done = [isinstance(found, Measured) for found in measure_cases(cases, MeasurementProtocol())]
    seconds = time.monotonic() - begin
    if not all(done) or not isinstance(warm[0], Measured):
        msg = f"{done.count(False)} of {len(done)} cases were not measured."
        raise RuntimeError(msg)
    return seconds


def run(table: Path, out: Path, cases: int) -> Ran:
    """Measure the first so many cases of a cohort by the command, and watch it."""
    words = ("measure", str(table), "-o", str(out), "--no-pictures", "--jobs", str(JOBS),
             "--limit", str(cases))  # fmt: skip
    begin = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "multifidus", *words],
        stdout=subprocess.DEVNULL, stderr=(out.with_suffix(".log")).open("w"),
    )  # fmt: skip
    first, parent, worker = 0.0, 0.0, 0.0
    while process.poll() is None:
        parent = max(parent, _peak_mb(process.pid))
        worker = max((worker, *map(_peak_mb, children(process.pid))))
        if not first and " rows" in out.with_suffix(".log").read_text():
            first = time.monotonic() - begin
        time.sleep(LOOK_S if first else LOOK_S / 10)
    wall = time.monotonic() - begin
    if process.returncode:
        raise RuntimeError(out.with_suffix(".log").read_text()[-2000:])
    return Ran(cases, wall, first, parent, worker)


def _peak_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _found(folder: Path, size: Size, small: Size) -> Iterator[dict[str, float]]:
    table = write_cohort(folder, size)
    before = one_after_another(table, size.exams)
    few = run(table, folder / "few", small.cases)
    many = run(table, folder / "many", size.cases)
    after = one_after_another(table, size.exams)
    yield {"each_s": statistics.mean((before, after)) / size.exams}
    yield asdict(few)
    yield asdict(many)


def page(*, smoke: bool) -> tuple[str, bool]:
    """Measure; return the page, and whether all is as it should be."""
    size, small = (SMOKE, Size(2, 1)) if smoke else (WHOLE, SMALL)
    with tempfile.TemporaryDirectory() as name:
        found = [*_found(Path(name), size, small)]
    each = found[0]["each_s"]
    few, many = (Ran(**each) for each in found[1:])  # type: ignore[arg-type] # as written
    ratio = many.wall_s / (each * size.cases / JOBS)
    growth = many.parent_mb / few.parent_mb, many.worker_mb / few.worker_mb
    good = ratio <= SLOWER_AT_MOST and max(growth) <= GROWTH_AT_MOST and few.first_s <= FIRST_LINE_S
    return _text(size, each, (few, many), ratio), good or smoke


def _text(size: Size, each: float, ran: tuple[Ran, Ran], ratio: float) -> str:
    few, many = ran
    lines = [
        f"| {found.cases} | {found.wall_s:.1f} | {found.first_s:.1f} | {found.parent_mb:.0f} | "
        f"{found.worker_mb:.0f} |"
        for found in ran
    ]
    return (
        "# A large cohort by one command\n\n"
        f"{size.exams} synthetic exams of 25 slices of 512 x 512 pixels on disk, ten outlines of "
        f"the multifidus each, read by {size.raters} raters: {size.cases} cases, measured by "
        f"`multifidus measure cohort.csv --jobs {JOBS} --no-pictures` with the default protocol. "
        "Beside it: one process that reads and measures one reading of each exam after the other "
        f"and writes nothing, before and after, {each:.3f} s each.\n\n"
        "| cases | seconds in all | until the first case's line, s | peak memory of the command, "
        "MB | of a process, MB |\n| --- | --- | --- | --- | --- |\n" + "\n".join(lines) + "\n\n"
        f"- The command takes {many.wall_s:.1f} s where {JOBS} processes that did nothing else "
        f"would take {each * size.cases / JOBS:.1f} s: **{ratio:.2f} times as long** (allowed: "
        f"{SLOWER_AT_MOST:g}). That is its start, the hashes of all files, records, tables and "
        "page.\n"
        f"- From {few.cases} to {many.cases} cases memory grows from {few.parent_mb:.0f} to "
        f"{many.parent_mb:.0f} MB, and in the processes from {few.worker_mb:.0f} to "
        f"{many.worker_mb:.0f} MB (allowed: {GROWTH_AT_MOST:g} times).\n"
        f"- The first case's line comes after {few.first_s:.1f} s (allowed: {FIRST_LINE_S:g}).\n"
    )


if __name__ == "__main__":
    print(json.dumps(_measure_here(Path(sys.argv[1]), int(sys.argv[2]))))
