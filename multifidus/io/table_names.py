"""Names of files that are tables; imports nothing slow."""

from __future__ import annotations

from pathlib import Path

WORKBOOK = ".xlsx"

SUFFIXES = (".csv", ".tsv", WORKBOOK)
"""Endings of files that are tables."""


def is_table(path: Path) -> bool:
    """Whether a file's name is that of a table."""
    return path.suffix.lower() in SUFFIXES
