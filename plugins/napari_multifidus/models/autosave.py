"""The file a person's outlines live in, written while they work.

Two files stand side by side: ``<subject>_<timepoint>_<rater>_r<reading>.outlines.json`` holds every
outline, and ``….journal.json`` what no outline file can hold: paths that are no outline yet, the
slice and the structure the person left. A file that somebody else changed meanwhile is never
overwritten: writing goes on beside it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.image import Exam
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import MultifidusError, ReadError
from multifidus.io.files import reading, write_text
from multifidus.io.outlines import read_rois, write_rois
from multifidus.io.outlines_json import JOURNAL_SUFFIX, SUFFIX, file_name
from multifidus.measuring.dixon_roles import DixonRoles
from napari_multifidus.models.half_drawn import HalfDrawn
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Entry = tuple[LayerKey, str, tuple[Array, ...]]

JOURNAL_FORMAT = "multifidus-journal"
JOURNAL_VERSION = 1


def latest_reading(folder: Path, by: Reading) -> Reading:
    """Return the reading that this rater worked on last in a folder; the first where none."""
    pattern = file_name(by).replace(f"_r{by.reading}{SUFFIX}", "")
    found = {
        int(match[1]): path
        for path in folder.glob(f"{pattern}_r*{SUFFIX}")
        if (match := re.fullmatch(r".*_r(\d+)", path.name.removesuffix(SUFFIX)))
    }
    if not found:
        return by
    number = max(found, key=lambda number: (found[number].stat().st_mtime, number))
    return Reading(by.subject, by.timepoint, by.rater, number)


def default_folder(data: Path | None, series_uid: str, *, is_sample: bool) -> Path:
    """Choose where outlines of an exam go: beside it, unless it is a sample or read-only.

    Parameters
    ----------
    data
        File or folder of the exam; None where it was made in memory.
    series_uid
        Tells exams apart with the place that they were read from: de-identification gives one UID
        to several people.
    """
    place = "" if data is None or is_sample else str(data.resolve())
    own = hashlib.sha256(f"{series_uid}{place}".encode()).hexdigest()[:8]
    if is_sample or data is None:
        return Path(tempfile.gettempdir()) / f"multifidus-{_user()}" / own
    # One file is one exam among others of its folder, so it gets a folder of its own.
    beside = data if data.is_dir() else data.with_name(f"{data.name.split('.')[0]}_outlines")
    if os.access(beside if beside.is_dir() else beside.parent, os.W_OK):
        return beside
    return Path.home() / "multifidus_outlines" / own


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


@dataclass(frozen=True, slots=True, eq=False)
class Journal:
    """What a reading needs beside its outlines, to go on where the person left.

    Attributes
    ----------
    slice_uid, active
        The slice that was shown, and the active structure.
    drafts
        Slice UID and paths, each (n, 2) pixels, of everything drawn that is no outline yet.
    half_drawn
        Structure, slice UID and path of what was begun and not closed.
    begun
        The same of the drafts that outlines began as, and their Dice with what they are now.
    images
        Hash of every slice that outlines are drawn on, by slice UID, as it was then.
    roles
        The series that were chosen as the fat and the water image; None where none were.
    """

    slice_uid: str = ""
    active: LayerKey | None = None
    drafts: tuple[Entry, ...] = ()
    half_drawn: tuple[tuple[LayerKey, str, HalfDrawn], ...] = ()
    begun: tuple[tuple[LayerKey, str, tuple[Array, ...], float], ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    roles: DixonRoles | None = None

    @property
    def places(self) -> frozenset[tuple[LayerKey, str]]:
        """Where there is something that is no outline."""
        return frozenset((key, uid) for key, uid, *_ in (*self.drafts, *self.half_drawn))

    def takes_over_from(self, before: Journal) -> bool:
        """Whether it holds something where the one before held nothing: an outline, perhaps."""
        return not self.places <= before.places or len(self.begun) > len(before.begun)

    def along_with(self, before: Journal) -> Journal:
        """Return it with what the one before holds elsewhere.

        It loses nothing beside the outlines of before, nor beside those that go with it.
        """
        begun = {(key, uid) for key, uid, *_ in self.begun}
        return replace(
            self,
            drafts=(*self.drafts, *(d for d in before.drafts if d[:2] not in self.places)),
            half_drawn=(
                *self.half_drawn, *(h for h in before.half_drawn if h[:2] not in self.places)
            ),
            begun=(*self.begun, *(b for b in before.begun if b[:2] not in begun)),
        )  # fmt: skip

    def as_text(self) -> str:
        """Return it as JSON."""
        document = {
            "format": JOURNAL_FORMAT,
            "version": JOURNAL_VERSION,
            "slice_uid": self.slice_uid,
            "active": self.active.as_dict() if self.active else None,
            "drafts": [_entry_out(*entry) for entry in self.drafts],
            "unfinished": [
                {**key.as_dict(), "slice_uid": uid, **half.as_dict()}
                for key, uid, half in self.half_drawn
            ],
            "begun": [
                # JSON has no NaN: the Dice of what is no outline now is left out.
                {**_entry_out(key, uid, loops), "dice": None if math.isnan(found) else found}
                for key, uid, loops, found in self.begun
            ],
            "images": dict(self.images),
            "dixon": None if self.roles is None else asdict(self.roles),
        }
        return json.dumps(document, indent=1) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Journal:
        """Read it from JSON.

        Raises
        ------
        ReadError
            If it is damaged, or of a newer version.
        """
        try:
            document = json.loads(text)
            if document["format"] != JOURNAL_FORMAT or document["version"] > JOURNAL_VERSION:
                msg = "The journal is of a newer version."
                raise ReadError(msg, remedy="Update multifidus.")
            active, begun = document["active"], document.get("begun", [])
            dixon = document.get("dixon")
            return cls(
                str(document["slice_uid"]),
                LayerKey.from_dict(active) if active else None,
                tuple(map(_entry_in, document["drafts"])),
                tuple(map(_half_in, document.get("unfinished", []))),
                tuple((*_entry_in(found), _dice_in(found)) for found in begun),
                {str(uid): str(found) for uid, found in document.get("images", {}).items()},
                DixonRoles(str(dixon["fat"]), str(dixon["water"])) if dixon else None,
            )
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            msg = f"The journal is damaged: {error}."
            raise ReadError(msg) from error


def _entry_out(key: LayerKey, uid: str, loops: tuple[Array, ...]) -> dict[str, Any]:
    return {**key.as_dict(), "slice_uid": uid, "paths": [loop.tolist() for loop in loops]}


def _entry_in(entry: Mapping[str, Any]) -> Entry:
    paths = (np.array(path, dtype=np.float64).reshape(-1, 2) for path in entry["paths"])
    return LayerKey.from_dict(entry), str(entry["slice_uid"]), tuple(paths)


def _half_in(entry: Mapping[str, Any]) -> tuple[LayerKey, str, HalfDrawn]:
    return LayerKey.from_dict(entry), str(entry["slice_uid"]), HalfDrawn.from_dict(entry)


def _dice_in(entry: Mapping[str, Any]) -> float:
    found = entry["dice"]
    return math.nan if found is None else float(found)


@dataclass(slots=True)
class OutlineFile:
    """An outline file and its journal, with what is known to be in it.

    Parameters
    ----------
    path
        The outline file; it need not exist yet.

    Attributes
    ----------
    notes
        What happened that the person should know; emptied by who shows it.
    """

    path: Path
    notes: list[str] = field(default_factory=list)
    _known: str = ""
    _journal: Journal = field(default_factory=Journal)

    @classmethod
    def of(cls, folder: Path, by: Reading) -> OutlineFile:
        """Name the file of a reading in a folder."""
        return cls(folder / file_name(by))

    @property
    def journal_path(self) -> Path:
        """Path of the journal."""
        return self.path.with_name(self.path.name.removesuffix(SUFFIX) + JOURNAL_SUFFIX)

    def load(self, exam: Exam) -> RoiSet | None:
        """Read the outlines; None where there are none yet.

        A file that cannot be read, or that fits another exam, is left alone: a note says so, and
        writing goes on beside it.
        """
        if not self.path.exists():
            return None
        try:
            # The window says what is wrong with its sides, and mends it.
            rois = read_rois(self.path, exam, allow_swapped=True)
            self._known = _digest(self.path)
            self._mention_others()
        except MultifidusError as error:
            self.notes.append(f"{error} It is left unchanged.")
            self._step_aside()
            return None
        return rois

    def load_journal(self) -> Journal:
        """Read the journal; an empty one where there is none, or where it is damaged."""
        if not self.journal_path.exists():
            return Journal()
        try:
            with reading(self.journal_path, "a journal"):
                self._journal = Journal.from_text(self.journal_path.read_text(encoding="utf-8"))
                return self._journal
        except MultifidusError as error:
            self.notes.append(str(error))
            return Journal()

    def save(self, rois: RoiSet, journal: Journal) -> None:
        """Write both files, atomically; beside the outline file if somebody else changed it.

        A process that is killed in between loses nothing: what becomes an outline leaves the
        journal after it is in the outline file, and what is none any more, as it crosses itself
        now, is in the journal before it leaves the outline file.

        Raises
        ------
        MultifidusError
            If the folder cannot be written.
        """
        if self.path.exists() and _digest(self.path) != self._known:
            changed = self.path.name
            self._step_aside()
            self.notes.append(
                f"{changed} was changed by somebody else; your outlines now go to "
                f"{self.path.name}, beside it."
            )
        try:
            if journal.takes_over_from(self._journal):
                both = journal.along_with(self._journal)
                write_text(self.journal_path, both.as_text(), overwrite=True)
            write_rois(rois, self.path, overwrite=True)
            self._known = _digest(self.path)
            write_text(self.journal_path, journal.as_text(), overwrite=True)
            self._journal = journal
        except OSError as error:
            if isinstance(error, MultifidusError):
                raise
            msg = f"Cannot write {self.path}: {error.strerror or error}."
            raise MultifidusError(msg, remedy="Choose another folder for the outlines.") from error

    def _mention_others(self) -> None:
        """Say which files were once written beside this one."""
        stem = self.path.name.removesuffix(SUFFIX)
        others = sorted(path.name for path in self.path.parent.glob(f"{stem}-[0-9]*{SUFFIX}"))
        if others:
            self.notes.append(f"This reading has further files: {', '.join(others)}.")

    def _step_aside(self) -> None:
        """Take the next free name beside the present one."""
        stem = self.path.name.removesuffix(SUFFIX)
        number = 2
        while (beside := self.path.with_name(f"{stem}-{number}{SUFFIX}")).exists():
            number += 1
        self.path, self._known, self._journal = beside, "", Journal()


def _digest(path: Path) -> str:
    with reading(path, "an outline file"):
        return hashlib.sha256(path.read_bytes()).hexdigest()
