"""Run a tutorial as it stands, and hold what it prints against what the page shows.

Its shell and Python blocks run one after the other in one new folder. A block that is followed by a
block of ``text`` has to print that, but for numbers and spaces: those may differ in their last
places between computers, words and lines may not. With ``--write`` the page shows what was printed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "tutorials" / "from-scans-to-table.md"

_BLOCK = re.compile(
    r"^```(?P<kind>sh|python)\n(?P<code>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Step:
    """A block of the page, what it shows below it, and where both stand."""

    kind: str
    code: str
    shown: str
    start: int
    end: int


def steps_of(page: str) -> list[Step]:
    """Return the blocks that run, in order."""
    return [
        Step(found["kind"], found["code"], found["shown"] or "", *found.span())
        for found in _BLOCK.finditer(page)
    ]


def shape_of(text: str) -> str:
    """Return a text without its numbers and widths: what has to be alike on every computer."""
    words = (re.sub(r"\S*\d\S*", "0", line) for line in text.strip().splitlines())
    return "\n".join(re.sub(r"-{3,}", "-", " ".join(line.split())) for line in words)


def run(steps: list[Step], folder: Path) -> list[str]:
    """Run the blocks in a folder; returns what each printed on standard output.

    Raises
    ------
    SystemExit
        If a block fails.
    """
    # The program beside this Python is the one that is meant.
    path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", "")))
    names: dict[str, object] = {}
    printed = []
    with contextlib.chdir(folder):
        for step in steps:
            if step.kind == "python":
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    exec(step.code, names)  # noqa: S102 - our own page
                printed.append(out.getvalue())
                continue
            done = subprocess.run(  # noqa: S603
                ["/bin/sh", "-e", "-c", step.code],
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                sys.exit(f"{step.code}exit code {done.returncode}\n{done.stderr}")
            printed.append(done.stdout)
    return printed


def differences(steps: list[Step], printed: list[str]) -> list[str]:
    """Say where a page shows something else than was printed."""
    return [
        f"--- the page shows, below\n{step.code}\n{step.shown}\n--- printed\n{found}"
        for step, found in zip(steps, printed, strict=True)
        if shape_of(step.shown) != shape_of(found)
    ]


def written(page: str, steps: list[Step], printed: list[str]) -> str:
    """Return the page with what was printed below each block."""
    parts, place = [], 0
    for step, found in zip(steps, printed, strict=True):
        parts += [page[place : step.start], f"```{step.kind}\n{step.code}```\n"]
        if found.strip():
            parts.append(f"\n```text\n{found.strip()}\n```\n")
        place = step.end
    return "".join((*parts, page[place:]))


def main() -> None:
    """Run the tutorial; exit code 1 where the page shows something else."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write what was printed to the page")
    parser.add_argument("--keep", type=Path, help="run in this folder and keep it")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    steps = steps_of(page)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        printed = run(steps, folder)
    if options.write:
        PAGE.write_text(written(page, steps, printed), encoding="utf-8")
        return
    found = differences(steps, printed)
    if found:
        sys.exit("\n\n".join(found))
    print(f"{len(steps)} blocks of {PAGE.name} ran and printed what the page shows.")


if __name__ == "__main__":
    main()
