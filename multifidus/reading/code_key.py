"""The coordinator's key: which code stands for which reading. Only it undoes blinding.

Codes differ between raters and between readings of one exam: a rater does not see that an exam was
read before, and two raters cannot talk about one.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from multifidus.data.frozen_dict import NOTHING, FrozenDict
from multifidus.data.roi import Reading
from multifidus.errors import MultifidusError, ReadError
from multifidus.io.files import refuse_file_as_folder
from multifidus.io.json_documents import OWNER_ONLY, DocumentKind, read_document, write_document
from multifidus.reading.randomisation import code

_REMEDY = "Take it from a backup; do not mend it by hand."
"""A key that is made anew has other codes, and no longer tells what was read under the old ones."""

KIND = DocumentKind("a key of blinded readings", "multifidus-reading-key", remedy=_REMEDY)

BLINDED = "blinded"
"""Stands for the timepoint in files of blinded readings."""

_WAIT_S, _PATIENCE_S = 0.05, 5.0


@dataclass(frozen=True, slots=True)
class CodeKey:
    """Which code stands for which reading.

    Parameters
    ----------
    seed
        Of the codes and of the order of every list.
    cohort
        Path of the cohort table, relative to the key's folder where it can be.
    truth
        The reading that each code stands for.
    """

    seed: int
    cohort: str
    truth: Mapping[str, Reading] = NOTHING

    def with_codes(self, wanted: Iterable[Reading]) -> CodeKey:
        """Return the key with a code for each of these; codes that it has stay."""
        truth = dict(self.truth)
        have = set(truth.values())
        for by in wanted:
            if by not in have:
                words = (by.rater, by.subject, by.timepoint, by.reading)
                truth[code(self.seed, words, truth)] = by
        return replace(self, truth=FrozenDict(truth))

    def shown_as(self, by: Reading) -> Reading:
        """Return the reading under its code.

        Raises
        ------
        KeyError
            If the key has none for it.
        """
        found = {true: name for name, true in self.truth.items()}[by]
        return Reading(found, BLINDED, by.rater, 1)

    def true(self, shown: Reading) -> Reading | None:
        """Return the reading that a code stands for; None where the key does not know it."""
        found = self.truth.get(shown.subject)
        known = shown.timepoint == BLINDED and found is not None and found.rater == shown.rater
        return found if known else None


def read_key(path: Path) -> CodeKey:
    """Read a key.

    Raises
    ------
    ReadError
        If it is damaged, something else, or of a newer version.
    """
    root = read_document(path, KIND)
    entries = root.nodes("entries")
    truth = {entry.get("code", str): entry.reading() for entry in entries}
    if len(truth) != len(entries) or len(set(truth.values())) != len(entries):
        msg = f"A code or a reading stands twice in {path}."
        raise ReadError(msg, remedy=_REMEDY)
    return CodeKey(root.get("seed", int), root.get("cohort", str), FrozenDict(truth))


def write_key(path: Path, key: CodeKey) -> None:
    """Write a key for its owner alone.

    Raises
    ------
    MultifidusError
        If it cannot be written.
    """
    entries = [{"code": name, **asdict(by)} for name, by in key.truth.items()]
    values = {"seed": key.seed, "cohort": key.cohort, "entries": entries}
    write_document(path, KIND, values, private=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep others from changing a key meanwhile: two raters may begin at the same moment.

    Raises
    ------
    MultifidusError
        If somebody else holds it, or its folder cannot be written.
    """
    refuse_file_as_folder(path.parent)
    lock = path.with_name(f".{path.name}.lock")
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
            break
        except FileExistsError as error:
            if time.monotonic() > until:
                msg = f"Somebody else is changing {path}."
                raise ReadError(msg, remedy=f"If nobody is, delete {lock}.") from error
            time.sleep(_WAIT_S)
        except OSError as error:
            msg = f"Cannot write the key {path}: {error.strerror or error}."
            raise MultifidusError(msg, remedy="Name another place for it: --key FILE.") from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
