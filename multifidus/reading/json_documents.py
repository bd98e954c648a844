"""JSON files of reading sessions: read with care, since people carry them about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from multifidus.data.roi import Reading
from multifidus.errors import MultifidusError, ReadError
from multifidus.io.files import reading, write_atomically

T = TypeVar("T")

OWNER_ONLY = 0o600


def read_document(
    path: Path, what: str, header: tuple[str, int], make: Callable[[Mapping[str, Any]], T]
) -> T:
    """Read a file and make of it what it holds.

    Parameters
    ----------
    path
        The file.
    what
        Names it in errors, such as "a reading list".
    header
        Its format, and the newest version that is known.
    make
        Called with what the file holds.

    Raises
    ------
    ReadError
        If it is damaged, something else, or of a newer version.
    """
    with reading(path, what):
        text = path.read_text(encoding="utf-8")
    try:
        document = json.loads(text)
        if document["format"] != header[0]:
            msg = f"{path} is not {what}."
            raise ReadError(msg)
        if not 1 <= document["version"] <= header[1]:
            msg = f"{path} is {what} of a newer version."
            raise ReadError(msg, remedy="Update multifidus.")
        return make(document)
    except MultifidusError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        msg = f"{path} is not {what}, or damaged: {type(error).__name__}: {error}."
        raise ReadError(msg, remedy="Take it from a backup; do not mend it by hand.") from error


def write_document(
    path: Path, header: tuple[str, int], values: Mapping[str, Any], *, private: bool = False
) -> None:
    """Write a file, atomically, one entry of a list on a line.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    header
        Its format and version.
    values
        What it holds.
    private
        Whether nobody but its owner may read it.

    Raises
    ------
    MultifidusError
        If it cannot be written.
    """
    document = {"format": header[0], "version": header[1], **values}
    lines = [f" {json.dumps(key)}: {_as_text(value)}" for key, value in document.items()]
    data = ("{\n" + ",\n".join(lines) + "\n}\n").encode()
    mode = OWNER_ONLY if private else 0o666
    try:
        write_atomically(path, lambda part: _put(part, data), overwrite=True, mode=mode)
    except OSError as error:
        if isinstance(error, MultifidusError):
            raise
        msg = f"Cannot write {path}: {error.strerror or error}."
        raise MultifidusError(msg, remedy="Choose another folder.") from error


def _put(part: Path, data: bytes) -> None:
    part.write_bytes(data)


def _as_text(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
    return json.dumps(value)


def as_reading(entry: Mapping[str, Any], rater: str | None = None) -> Reading:
    """Make a reading of plain values; ``rater`` where they do not name one."""
    who = entry["rater"] if rater is None else rater
    subject, timepoint, number = entry["subject"], entry["timepoint"], entry["reading"]
    if not all(isinstance(word, str) for word in (subject, timepoint, who)):
        msg = "a reading is named by something else than text"
        raise ValueError(msg)
    if type(number) is not int:
        msg = f"a reading has the number {number!r}"
        raise ValueError(msg)
    return Reading(subject, timepoint, who, number)
