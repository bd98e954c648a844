"""SHA-256 of every table that the program writes: of the sample, of the tutorial, of a real exam.

A change of shape leaves them as they are. Run it before and after; ``--against`` holds them against
an earlier list and names every table that differs. The real exam is read where it stands, and left
out where it does not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REAL = HERE.parent / "shared" / "data" / "a01_real_lumbar_dixon_TUM01"
TABLES = (".csv", ".md", ".tex", ".bib")


def program(*words: str | Path) -> None:
    """Run the multifidus of this Python, from this checkout."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "multifidus", *map(str, words)],
        capture_output=True, text=True, check=False, cwd=HERE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "plugins")])},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"multifidus {' '.join(map(str, words))}\n{done.stderr}")


def make_all(out: Path) -> None:
    """Make every table, in a folder for each source."""
    program("demo", "-o", out / "sample")
    # Subjects are named by a secret, which is drawn anew where there is none.
    secret = {"format": "multifidus-subject-keys", "version": 1, "secret": "00" * 32}
    (out / "tutorial").mkdir(parents=True)
    (out / "tutorial" / "cohort.subjects.json").write_text(json.dumps(secret), encoding="utf-8")
    subprocess.run(  # noqa: S603 - our own script
        [sys.executable, HERE / "scripts" / "tutorial.py", "--keep", out / "tutorial"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    if REAL.is_dir():
        images = ("--fat", REAL / "fat.nii.gz", "--water", REAL / "water.nii.gz")
        outlines = ("--outlines", REAL / "label_fatgrid.nii.gz", "--labels", "lpm")
        program(
            "measure", *images, "--pair-by", "index", *outlines, "--rater", "TUM",
            "--reading", "1", "-o", out / "a01",
        )  # fmt: skip
        program("report", out / "a01")


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every table below a folder, by its path there."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.suffix in TABLES and path.name != "text.md"
    }


def main() -> None:
    """Print digests and paths; exit code 1 where they differ from an earlier list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, help="a list that this program printed before")
    parser.add_argument("--keep", type=Path, help="make the tables in this folder and keep them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        make_all(folder)
        found = digests(folder)
    for path, digest in found.items():
        print(digest, path)
    if options.against:
        lines = options.against.read_text(encoding="utf-8").splitlines()
        earlier = {path: digest for digest, path in (line.split(" ", 1) for line in lines)}
        names = sorted(set(earlier) | set(found))
        differ = [name for name in names if earlier.get(name) != found.get(name)]
        if differ:
            sys.exit("Not as before: " + ", ".join(differ))
        print(f"All {len(found)} tables are as before.")


if __name__ == "__main__":
    main()
