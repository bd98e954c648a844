"""``python -m benchmarks``: speed and memory beside peers, printed as ratios."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.speed import (
    fat,
    first_window,
    label_maps,
    live,
    loading,
    measuring,
    opening,
    scanning,
    signal_fraction,
    startup,
    whole,
)
from benchmarks.synthetic import make_sample
from benchmarks.timing import SMOKE_REPEATS, Comparison

REPEATS = 11

WINDOWED = (first_window, live, opening)
"""What opens windows."""


def compare(repeats: int) -> list[Comparison]:
    """Run every comparison once."""
    smoke = repeats <= SMOKE_REPEATS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample = make_sample(folder)
        return [
            *startup.run(repeats),
            *loading.run(sample, folder, repeats),
            *scanning.run(
                folder / "scans",
                min(repeats, 5),
                files=scanning.SMOKE_FILES if smoke else scanning.FILES,
            ),
            *measuring.run(sample, repeats),
            *label_maps.run(sample, folder, repeats),
            *signal_fraction.run(sample, repeats),
            *fat.run(repeats, smoke=smoke),
            *whole.run(sample, folder, repeats),
            *(row for job in WINDOWED if live.can_run() for row in job.run(repeats)),
        ]


def left_out() -> str:
    """Say what cannot be compared here; empty where everything can."""
    if live.can_run():
        return ""
    return (
        "Not compared: everything with a window (the first one, drawing, opening exams), for "
        "there is no display, or no napari, here."
    )


def as_markdown(found: list[Comparison], *, judged: bool = True) -> str:
    """Print comparisons as a Markdown table, with or without verdicts on the targets."""
    lines = [
        "| job | ours | peer | peer's | ratio | target | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for item in found:
        target = "" if item.target is None else f"<= {item.target:.3g}"
        verdict = "" if item.target is None or not judged else ("met" if item.met else "NOT MET")
        lines.append(
            f"| {item.job} | {item.ours:.4g} {item.unit} | {item.peer} | "
            f"{item.theirs:.4g} {item.unit} | {item.ratio:.2g} | {target} | {verdict} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="once, on less: does it still run?")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    options = parser.parse_args()
    if left_out():
        print(left_out(), file=sys.stderr)
    found = compare(SMOKE_REPEATS if options.smoke else REPEATS)
    if options.json:
        print(json.dumps([item.as_dict() for item in found], indent=1))
    else:
        print(as_markdown(found, judged=not options.smoke))
    missed = [item for item in found if not item.met]
    # A smoke run is too short to judge by; it shows that everything runs.
    sys.exit(1 if missed and not options.smoke else 0)


if __name__ == "__main__":
    main()
