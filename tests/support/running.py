"""Runs of ``multifidus measure`` as programs of their own, while they write and when they end."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

LONGEST_S = 120


def wait_for_records(folder: Path, number: int, process: subprocess.Popen[str]) -> None:
    """Wait until a run has finished so many cases, or has ended."""
    until = time.monotonic() + LONGEST_S
    while len([*folder.glob("cases/??/[!.]*")]) < number and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.01)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of standard error, which workers share: none of them lives then."""
    _, said = process.communicate(timeout=LONGEST_S)
    return process.returncode, said
