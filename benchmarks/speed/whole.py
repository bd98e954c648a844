"""From DICOM and outlines on disk to tables on disk, as whole processes."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.synthetic import Sample
from benchmarks.timing import Comparison, alternate_processes

PEER = Path(__file__).with_name("peer_script.py")


def run(sample: Sample, folder: Path, repeats: int) -> list[Comparison]:
    """Compare with a script of pydicom and skimage that does the same.

    The targets are for what version 0.1 measures; the default adds the fat signal fraction.
    """
    job = "multifidus measure, 25 slices, 250 outlines"
    former = _compared(sample, folder, repeats, f"{job}, protocol v0_1", "v0_1", (1 / 1.5, 1.0))
    return former + _compared(sample, folder, repeats, job, "default", (None, None))


def _compared(  # noqa: PLR0917 - a table of two lines
    sample: Sample,
    folder: Path,
    repeats: int,
    job: str,
    protocol: str,
    targets: tuple[float | None, float | None],
) -> list[Comparison]:
    ours = [
        sys.executable, "-m", "multifidus", "measure", str(sample.folder), "--outlines",
        str(sample.outline_file), "-o", str(folder / "ours"), "--no-pictures", "--overwrite",
        "--protocol", protocol,
    ]  # fmt: skip
    theirs = [
        sys.executable, str(PEER), str(sample.folder), str(sample.outline_file),
        str(folder / "theirs.csv"),
    ]  # fmt: skip
    (seconds, memory), (peer_seconds, peer_memory) = alternate_processes(ours, theirs, repeats)
    peer = "pydicom + skimage script"
    return [
        Comparison(job, peer, seconds, peer_seconds, "CPU s", targets[0]),
        Comparison(f"{job}: peak memory", peer, memory, peer_memory, "MB", targets[1]),
    ]
