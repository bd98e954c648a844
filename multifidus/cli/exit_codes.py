"""What the program exits with; 0 (done) and 2 (wrong usage) are typer's own."""

from __future__ import annotations

ACTED_ON_SOME = 1
"""Done, but some cases failed or were left out."""

REFUSED = 3
"""The input was refused, or every case failed; of a shard alone that is ``ACTED_ON_SOME``."""

CRASHED = 4
"""A fault of the program or of the machine; what was finished is kept."""

INTERRUPTED = 130
"""Stopped by Ctrl-C, as shells number it."""
