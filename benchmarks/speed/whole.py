"""From DICOM and outlines on disk to tables on disk, as whole processes."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.synthetic import Sample
from benchmarks.timing import Comparison, alternate_processes

PEER = Path(__file__).with_name("peer_script.py")


def run(sample: Sample, folder: Path, repeats: int) -> list[Comparison]:
    """Compare with a script of pydicom and skimage that does the same."""
    ours = [
        sys.executable, "-m", "multifidus", "measure", str(sample.folder), "--outlines",
        str(sample.outline_file), "-o", str(folder / "ours"), "--no-pictures", "--overwrite",
    ]  # fmt: skip
    theirs = [
        sys.executable, str(PEER), str(sample.folder), str(sample.outline_file),
        str(folder / "theirs.csv"),
    ]  # fmt: skip
    (seconds, memory), (peer_seconds, peer_memory) = alternate_processes(ours, theirs, repeats)
    job, peer = "multifidus measure, 25 slices, 250 outlines", "pydicom + skimage script"
    return [
        Comparison(job, peer, seconds, peer_seconds, "CPU s", 1 / 1.5),
        Comparison(f"{job}: peak memory", peer, memory, peer_memory, "MB", 1.0),
    ]
