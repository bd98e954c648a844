"""What importing and asking for help cost, as whole processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.timing import Comparison, alternate_processes

KEPT_OUT = ("nibabel", "pydicom", "skimage", "pandas", "napari", "scipy", "shapely")
"""Packages that neither an import nor --help may load."""


def run(repeats: int) -> list[Comparison]:
    """Compare with importing numpy, and with pydicom's own command line."""
    python = sys.executable
    scripts = Path(python).parent
    ours, theirs = alternate_processes(
        [python, "-c", "import multifidus; multifidus.Plane"],
        [python, "-c", "import numpy"],
        repeats,
    )
    help_ours, help_theirs = alternate_processes(
        [str(scripts / "multifidus"), "--help"], [str(scripts / "pydicom"), "--help"], repeats
    )
    for code in ("import multifidus; multifidus.Plane", _HELP):
        _check_imports(code)
    return [
        Comparison("import multifidus; multifidus.Plane", "import numpy", ours[0], theirs[0],
                   "CPU s", 1.3),
        Comparison("multifidus --help", "pydicom --help", help_ours[0], help_theirs[0],
                   "CPU s", 0.5),
    ]  # fmt: skip


_HELP = (
    "import sys; sys.argv = ['multifidus', '--help']\n"
    "from multifidus.cli import main\n"
    "try: main()\nexcept SystemExit: pass"
)


def _check_imports(code: str) -> None:
    listing = f"{code}\nimport sys\nprint('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split("LOADED")[-1].split()
    slow = [name for name in KEPT_OUT if name in loaded]
    if slow:
        msg = f"{code!r} loads {', '.join(slow)}."
        raise RuntimeError(msg)
