"""The page about 100,000 exams."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.scaling.finished import HEAD, FinishedCase
from benchmarks.scaling.handing_out import HandedOut, hand_out
from benchmarks.scaling.simulation import simulated_s
from benchmarks.scaling.steps import TARGET, Step, steps
from benchmarks.synthetic import Extent, make_sample
from multifidus.data.anatomy import Structure

WORKERS = (1, 2, 4, 8, 16, 32, 64)

KINDS = {
    "10 outlines": Extent((Structure.MULTIFIDUS,), middle=True, references=False),
    "30 outlines": Extent((Structure.MULTIFIDUS,), middle=True),
    "50 outlines": Extent(middle=True),
}
"""What is outlined in the cases that are measured: on five of the 25 slices."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Parameters
    ----------
    kinds, cases
        Which kinds of cases are measured, and how many of each.
    finished
        Finished cases in the folders on which steps are timed.
    workers
        How many workers sleep, in the runs over sleeping cases.
    asleep_s
        How long these runs would take if nobody waited.
    """

    kinds: tuple[str, ...]
    cases: int
    finished: tuple[int, ...]
    workers: tuple[int, ...]
    asleep_s: float


WHOLE = Size((*KINDS,), 5, (500, 2_000), WORKERS, 8.0)
SMOKE = Size(("10 outlines",), 1, (5, 10), (2,), 0.5)


def page(*, smoke: bool) -> tuple[str, bool]:
    """Return the page and whether the run can do what it says."""
    size = SMOKE if smoke else WHOLE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = measured_s(folder / "sample", size)
        case = FinishedCase.measured(folder / "case")
        found = steps(case, folder, size.finished)
        records = [*(folder / f"finished_{size.finished[0]}").glob("cases/??/*.jsonl")]
        runs = [
            hand_out(folder, workers, _drawn(times, workers, size.asleep_s), records)
            for workers in size.workers
        ]
    served = runs[-1].run_s
    parts = [_head(), _times(times, size), _sleeping(runs), _simulated(times, served, found),
             _steps(found, case, size)]  # fmt: skip
    return "\n\n".join(parts) + "\n", all(run.wall_s > 0 for run in runs)


def measured_s(folder: Path, size: Size) -> list[float]:
    """Measure cases of each kind one after another; return the CPU seconds that the log has."""
    lines = [HEAD]
    for place, kind in enumerate(size.kinds):
        for seed in range(size.cases):
            subject = f"{kind.replace(' ', '_')}_{seed}"
            make_sample(folder / subject, 100 * place + seed, subject, KINDS[kind])
            lines.append(f"{subject},pre,AB,{subject}/series,{subject}/{subject}.outlines.json")
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n")
    words = ("measure", str(folder / "cohort.csv"), "-o", str(folder / "out"), "--jobs", "1")
    command = [sys.executable, "-m", "multifidus", *words]
    subprocess.run(command, check=True, capture_output=True)
    log = (folder / "out" / "run.log.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in log]
    return [float(event["cpu_s"]) for event in events if event["event"] == "case_finished"]


def _drawn(times: list[float], workers: int, asleep_s: float) -> list[float]:
    """Draw the times of a run that keeps all workers asleep for about so long."""
    number = max(int(asleep_s * workers / statistics.mean(times)), 2 * workers)
    return np.random.default_rng(workers).choice(times, number).tolist()


def _head() -> str:
    return (
        "# 100,000 exams on 1 to 64 workers\n\n"
        f"These figures are simulated: nobody measured {TARGET:,} exams or had 64 machines. A "
        "sample of cases was measured on this machine; workers that sleep as long as these took "
        "were given cases by the run's own code and Dask's own scheduler; an event-by-event "
        "simulation carries that on to the whole cohort; and what a run does by itself was timed "
        "on small folders and extrapolated. Exams are synthetic, 25 slices of 512 x 512."
    )


def _times(times: list[float], size: Size) -> str:
    at = np.quantile(times, (0, 0.25, 0.5, 0.75, 1))
    return (
        "## What a case takes\n\n"
        f"CPU seconds of {len(times)} cases, {size.cases} each with {', '.join(size.kinds)} (both "
        "multifidi on five slices; the same with samples of lean muscle and fat; the same with six "
        "muscles), all with images, in one process, the first of which loads libraries. They are "
        "in the run's log as `cpu_s`.\n\n"
        "| least | quarter | median | three quarters | most | mean |\n|---|---|---|---|---|---|\n"
        f"| {' | '.join(f'{value:.2f}' for value in at)} | {statistics.mean(times):.2f} |"
    )


def _sleeping(runs: list[HandedOut]) -> str:
    lines = [
        "## Cases that sleep, handed out by Dask\n",
        "Scheduler, run, and all workers (in one process, which a cluster would spread over "
        f"machines) shared {os.cpu_count()} cores with other programs: efficiency, the share of "
        "the workers' time in which they slept, is a lower bound. `simulated` is the same run in "
        "the simulation below, in which nothing but the run's own CPU time delays a worker.\n",
        "| workers | cases | cases/s | efficiency | simulated | run, CPU ms a case | "
        "scheduler, CPU ms a case |\n|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        cases, asleep = len(run.times), sum(run.times)
        simulated = asleep / simulated_s(run.workers, run.times, run.run_s) / run.workers
        lines.append(
            f"| {run.workers} | {cases} | {cases / run.wall_s:.1f} | {run.efficiency:.2f} "
            f"| {simulated:.2f} | {1e3 * run.run_s:.1f} | {1e3 * run.scheduler_s:.1f} |"
        )
    return "\n".join(lines)


def _simulated(times: list[float], served: float, found: list[Step]) -> str:
    before = sum(step.at_target for step in found if step.when == "before")
    after = sum(step.at_target for step in found if step.when == "after")
    drawn = np.random.default_rng(0).choice(times, TARGET).tolist()
    alone = sum(drawn)
    lines = [
        f"## {TARGET:,} exams\n",
        "Simulated: each case takes one of the times above, drawn at random, and the run is busy "
        f"for {1e3 * served:.1f} ms with each. With it alone no more than {1 / served:.0f} cases a "
        f"second can be handed out, however many workers there are. Before and after the cases "
        f"the run works alone ({before / 60:.1f} and {after / 60:.0f} minutes of CPU, extrapolated "
        "below): that part no worker shortens. Efficiency of the cases here is an upper bound: "
        "the simulation leaves out the scheduler's own time and the wait for its answers, which "
        "come one after another, and which the runs above contain. A cluster lies between the "
        "two.\n",
        "| workers | cases, h | cases/s | efficiency | whole run, h | efficiency of the whole |\n"
        "|---|---|---|---|---|---|",
    ]
    for workers in WORKERS:
        seconds = simulated_s(workers, drawn, served)
        whole = seconds + before + after
        lines.append(
            f"| {workers} | {seconds / 3600:.2f} | {TARGET / seconds:.1f} | "
            f"{alone / seconds / workers:.2f} | {whole / 3600:.2f} | "
            f"{alone / whole / workers:.2f} |"
        )
    return "\n".join(lines)


def _steps(found: list[Step], case: FinishedCase, size: Size) -> str:
    lines = [
        "## What a run does by itself, and what breaks first\n",
        f"On folders of copies of one finished case ({case.rows} rows, a record of "
        f"{len(case.text) / 1e3:.0f} kB). The last column is extrapolated by a power law through "
        "the two sizes, at least in proportion; a power above 1.2 means that the step grows "
        "faster than the cohort.\n",
        f"| step | when | {' | '.join(f'{n:,} exams' for n in size.finished)} | power | "
        f"{TARGET:,} exams, extrapolated |\n|---|---|{'---|' * (len(size.finished) + 2)}",
    ]
    for step in sorted(found, key=lambda step: (step.unit, -step.at_target)):
        values = " | ".join(f"{value:.3g}" for value in step.values)
        lines.append(
            f"| {step.name}, {step.unit} | {step.when} | {values} | {step.power:.2f} | "
            f"{step.at_target:.3g} |"
        )
    slowest = max((step for step in found if step.unit == "CPU s"), key=lambda s: s.at_target)
    lines.append(f"\nOf what a run does by itself, the longest is: {slowest.name}.")
    return "\n".join(lines)
