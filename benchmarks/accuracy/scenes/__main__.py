"""``python -m benchmarks.accuracy.scenes OUT.png``: a contact sheet of all factors."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.accuracy.scenes.sheet import write


def main() -> None:
    """Parse, draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.scenes")
    parser.add_argument("out", type=Path, help="image file to write")
    parser.add_argument("--seed", type=int, default=1, help="which person")
    options = parser.parse_args()
    write(options.out, options.seed)


if __name__ == "__main__":
    main()
