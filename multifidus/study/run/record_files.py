"""Records of finished cases as files: written when a case is finished, whole or not at all.

Each is two lines of JSON, what a study needs of the case and the rows of the case, so that the
first can be read without the second.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from multifidus.data.measurement import Measurement
from multifidus.errors import ReadError
from multifidus.io.files import write_text
from multifidus.study.results_folder import CASES
from multifidus.study.run.record import CaseRecord, as_plain, from_plain
from multifidus.study.run.row_pack import packed_rows, unpacked_rows


def record_path(folder: Path, key: str) -> Path:
    """Return where the record of a case lies in a results folder."""
    return folder / CASES / key[:2] / f"{key}.jsonl"


def write_record(record: CaseRecord, rows: Sequence[Measurement], path: Path) -> None:
    """Write a record and its rows; one of the same name is replaced."""
    parts = (as_plain(record), packed_rows(rows))
    write_text(path, "".join(json.dumps(part) + "\n" for part in parts), overwrite=True)


def read_record(path: Path) -> CaseRecord:
    """Read a record without its rows.

    Raises
    ------
    ReadError
        If the file is none of this version's, or was damaged.
    """
    with _damage_named(path), path.open(encoding="utf-8") as file:
        return from_plain(_with_shared_texts(json.loads(file.readline())))


def _with_shared_texts(plain: Any) -> Any:
    """Return plain values in which equal texts are one: records of a study say the same things."""
    if isinstance(plain, str):
        return sys.intern(plain)
    if isinstance(plain, list):
        return [*map(_with_shared_texts, plain)]
    if isinstance(plain, dict):
        return {sys.intern(name): _with_shared_texts(value) for name, value in plain.items()}
    return plain


def read_rows(path: Path) -> list[Measurement]:
    """Read the rows of a record.

    Raises
    ------
    ReadError
        If the file was damaged.
    """
    with _damage_named(path), path.open(encoding="utf-8") as file:
        file.readline()
        return unpacked_rows(json.loads(file.readline()))


def records_in(folder: Path) -> Iterator[tuple[Path, CaseRecord]]:
    """Yield the records of a results folder; what cannot be read is none, and is done again."""
    for path in record_paths(folder):
        with contextlib.suppress(ReadError):
            yield path, read_record(path)


def record_paths(folder: Path) -> list[Path]:
    """Return the files of records of a results folder, those as well that cannot be read."""
    found = sorted((folder / CASES).glob("??/*.jsonl"))
    return [path for path in found if not path.name.startswith(".")]


@contextlib.contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        msg = f"{path} is not a readable record of a case: {error}."
        raise ReadError(msg, remedy="Delete it and measure again.") from error
