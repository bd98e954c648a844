"""Check the branch coverage of the core tests.

Usage: ``check_coverage.py COVERAGE_DATA``. The nouns and the metrics are covered to the last
branch; the coverage of everything else is printed for the reader.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent

COMPLETE = (
    "multifidus/data/anatomy.py",
    "multifidus/data/clinical.py",
    "multifidus/data/cohort.py",
    "multifidus/data/flags.py",
    "multifidus/data/geometry.py",
    "multifidus/data/image.py",
    "multifidus/data/landmark.py",
    "multifidus/data/measurement.py",
    "multifidus/data/polygon.py",
    "multifidus/data/protocol.py",
    "multifidus/data/roi.py",
    "multifidus/data/stacks.py",
    "multifidus/data/sums.py",
    "multifidus/errors.py",
    "multifidus/measuring/agreement/metrics.py",
    "multifidus/measuring/derived/combine.py",
    "multifidus/measuring/derived/comparisons.py",
    "multifidus/measuring/derived/fat_by_region.py",
    "multifidus/measuring/derived/muscle_volume.py",
    "multifidus/measuring/dixon_pairs.py",
    "multifidus/measuring/fat/clusters.py",
    "multifidus/measuring/fat/methods.py",
    "multifidus/measuring/fat/outline_thresholds.py",
    "multifidus/measuring/fat/references.py",
    "multifidus/measuring/pdff_map.py",
    "multifidus/measuring/shared_levels.py",
    "multifidus/measuring/uncertainty/components.py",
    "multifidus/measuring/weighted_pixels.py",
    "multifidus/spine/curve.py",
    "multifidus/spine/levels.py",
    "multifidus/spine/resolve.py",
    "multifidus/study/level_value.py",
    "multifidus/study/missing.py",
)
"""Files, and folders with all their files, of which every line and branch is tested."""


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """How much of one file the tests ran."""

    path: str
    percent: float
    missing_lines: tuple[int, ...]
    missing_branches: tuple[tuple[int, int], ...]

    @property
    def is_complete(self) -> bool:
        """Whether every line and branch ran."""
        return not self.missing_lines and not self.missing_branches

    def __str__(self) -> str:
        text = f"{self.path:44} {self.percent:6.1f} %"
        if self.missing_lines:
            text += "  lines " + ", ".join(map(str, self.missing_lines[:12]))
        if self.missing_branches:
            text += "  branches " + ", ".join(f"{a}->{b}" for a, b in self.missing_branches[:6])
        return text


def read_coverage(data: Path) -> list[FileCoverage]:
    """Return the coverage of every file in a data file of coverage.py."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "--quiet"]
        subprocess.run(  # noqa: S603 - our own interpreter, no outside input
            [*command, f"--data-file={data}", "-o", str(report)], cwd=REPOSITORY, check=True
        )
        files: dict[str, dict[str, Any]] = json.loads(report.read_text())["files"]
    return [
        FileCoverage(
            path=Path(name).as_posix(),
            percent=entry["summary"]["percent_covered"],
            missing_lines=tuple(entry["missing_lines"]),
            missing_branches=tuple((a, b) for a, b in entry["missing_branches"]),
        )
        for name, entry in sorted(files.items())
    ]


def problems(files: list[FileCoverage], data: Path) -> list[str]:
    """Return what is wrong, one sentence each."""
    found = []
    newest = max((REPOSITORY / file.path).stat().st_mtime for file in files)
    if newest > data.stat().st_mtime:
        found.append(f"{data} is older than the code: run `make test-core COVERAGE=1` again")
    for place in COMPLETE:
        inside = [f for f in files if f.path == place or f.path.startswith(f"{place}/")]
        if not inside:
            found.append(f"{place}: not in the report; was it moved?")
        found += [f"not complete: {file}" for file in inside if not file.is_complete]
    return found


def main() -> int:
    """Print the report; return 1 if a threshold is missed."""
    data = Path(sys.argv[1]).resolve()
    if not data.is_file():
        print(f"no {data.name}: run `make test-core COVERAGE=1` first", file=sys.stderr)
        return 1
    files = [file for file in read_coverage(data) if file.path.startswith("multifidus/")]
    for file in files:
        print(file)
    found = problems(files, data)
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
