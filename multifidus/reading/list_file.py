"""The file that a rater's reading list is kept in, beside the rater's outlines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.data.roi import Reading
from multifidus.io.outlines_json import in_file_name
from multifidus.reading.json_documents import as_reading, read_document, write_document

HEADER = ("multifidus-reading-list", 1)
SUFFIX = ".readings.json"


@dataclass(frozen=True, slots=True)
class ReadingList:
    """What a rater is to read, under the names that the rater's files have.

    Parameters
    ----------
    rater
        Whose list it is.
    entries
        In order; where the list is blinded, codes stand for subjects.
    apart_days
        Days between two readings of one exam.
    blinded
        Whether codes stand for subjects.
    seed
        Of the order; None where it is blinded, since whoever knows it can make the codes again.
    """

    rater: str
    entries: tuple[Reading, ...]
    apart_days: int
    blinded: bool = False
    seed: int | None = None


def list_path(folder: Path, rater: str) -> Path:
    """Name the list of a rater in a folder."""
    return folder / f"{in_file_name(rater)}{SUFFIX}"


def read_list(path: Path) -> ReadingList:
    """Read a reading list.

    Raises
    ------
    ReadError
        If it is damaged, something else, or of a newer version.
    """
    return read_document(path, "a reading list", HEADER, _make)


def _make(document: Mapping[str, Any]) -> ReadingList:
    rater = str(document["rater"])
    return ReadingList(
        rater,
        tuple(as_reading(entry, rater) for entry in document["entries"]),
        int(document["apart_days"]),
        bool(document["blinded"]),
        None if document["seed"] is None else int(document["seed"]),
    )


def write_list(path: Path, found: ReadingList) -> None:
    """Write a reading list, atomically.

    Raises
    ------
    MultifidusError
        If it cannot be written.
    """
    entries = [
        {"subject": by.subject, "timepoint": by.timepoint, "reading": by.reading}
        for by in found.entries
    ]
    values = {
        "rater": found.rater,
        "blinded": found.blinded,
        "seed": found.seed,
        "apart_days": found.apart_days,
        "entries": entries,
    }
    write_document(path, HEADER, values)
