"""The file that a rater's reading list is kept in, beside the rater's outlines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from multifidus.data.roi import Reading
from multifidus.io.json_documents import DocumentKind, read_document, write_document
from multifidus.io.outlines_json import in_file_name

KIND = DocumentKind("a reading list", "multifidus-reading-list")
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
    root = read_document(path, KIND)
    rater = root.get("rater", str)
    return ReadingList(
        rater,
        tuple(entry.reading(rater) for entry in root.nodes("entries")),
        root.get("apart_days", int),
        root.get("blinded", bool),
        root.get("seed", int) if root.has("seed") else None,
    )


def write_list(path: Path, listed: ReadingList) -> None:
    """Write a reading list, atomically.

    Raises
    ------
    MultifidusError
        If it cannot be written.
    """
    values = asdict(listed)
    # The rater is the list's own; entries stand last, for whoever looks into the file.
    entries = [asdict(by) for by in listed.entries]
    for entry in entries:
        del entry["rater"]
    del values["entries"]
    write_document(path, KIND, {**values, "entries": entries})
