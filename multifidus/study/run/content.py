"""What a case consists of: a key that changes with every content that its rows depend on.

Contents are hashed, and with them the names by which the table calls files, since BIDS names say
what an image shows and names set the order of series. Times of files and where the study lies on a
machine do not enter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from multifidus.data.cohort import Case
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import MultifidusError
from multifidus.io.files import content_sha256, is_file, name_from
from multifidus.io.volume_files import is_volume, parts_of
from multifidus.io.walk import walk
from multifidus.version import VERSION

FORMAT = 2
"""Of records; a record of another one is measured again."""

UNREADABLE = "unreadable"
"""Stands for the content of what cannot be read."""


@dataclass(slots=True)
class ContentHashes:
    """Hashes of files and folders; each file is read once in the life of this object.

    It is made for one run and not kept: between runs a file may change and have its old time.
    """

    known: dict[tuple[str, int, int], str] = field(default_factory=dict)

    def of(self, path: Path) -> str:
        """Return the hash of a file with the files that belong to it, or of a whole folder."""
        try:
            if path.is_dir():
                return self._joined(path, walk([path]).files)
            if not path.is_file():
                return UNREADABLE
            beside = parts_of(path) if is_volume(path) else ()
            files = dict.fromkeys((path, *(part for part in beside if part and part.is_file())))
            return self._file(path) if len(files) == 1 else self._joined(path.parent, files)
        except (MultifidusError, OSError):
            return UNREADABLE

    def _joined(self, folder: Path, files: Any) -> str:
        lines = (f"{self._file(path)} {name_from(path, folder)}\n" for path in files)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def _file(self, path: Path) -> str:
        try:
            at = path.stat()
            place = (str(path), at.st_size, at.st_mtime_ns)
            if place not in self.known:
                self.known[place] = content_sha256(path)
            return self.known[place]
        except (MultifidusError, OSError):
            return UNREADABLE


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What all cases of a run share and their rows depend on.

    Parameters
    ----------
    protocol
        By which they are measured.
    contrasts
        Hash of the user's own table of contrasts; empty where there is none.
    version
        Of the software.
    """

    protocol: MeasurementProtocol
    contrasts: str = ""
    version: str = VERSION

    def as_plain(self) -> dict[str, Any]:
        """Return them as plain values for JSON."""
        return {
            "format": FORMAT,
            "version": self.version,
            "protocol": self.protocol.as_dict(),
            "contrasts": self.contrasts,
        }

    @property
    def digest(self) -> str:
        """Hash of them all, which every record has."""
        text = json.dumps(self.as_plain(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def differences(self, earlier: Mapping[str, Any]) -> list[str]:
        """Say in what an earlier run's settings differ from these, in words."""
        ours = self.as_plain()
        found = []
        if earlier.get("version") != ours["version"]:
            found.append(f"version {earlier.get('version')}, not {self.version}")
        elif earlier.get("format") != FORMAT:
            found.append(f"records of format {earlier.get('format')}, not {FORMAT}")
        theirs = earlier.get("protocol") or {}
        found += [
            f"protocol: {name} {json.dumps(theirs.get(name))}, not {json.dumps(value)}"
            for name, value in ours["protocol"].items()
            if theirs.get(name) != json.loads(json.dumps(value))
        ]
        if (earlier.get("contrasts") or "") != self.contrasts:
            found.append("another table of contrasts (--contrasts)")
        return found


@dataclass(frozen=True, slots=True)
class CaseContent:
    """What one case consists of.

    Parameters
    ----------
    files
        Hash of each file or folder, by its kind and by how the table names it.
    cells
        What else the table says of the case.
    key
        The hash of all this and of the run's settings.
    """

    files: Mapping[str, str]
    cells: Mapping[str, str]
    key: str

    def differences(self, earlier: Mapping[str, Any]) -> list[str]:
        """Say in what a record's content differs from this one, in words."""
        files, cells = earlier.get("files", {}), earlier.get("cells", {})
        found = [
            name for name in {**files, **self.files} if files.get(name) != self.files.get(name)
        ]
        named = {**cells, **self.cells}
        found += [f"column {name}" for name in named if cells.get(name) != self.cells.get(name)]
        return found


def content_of(case: Case, settings: RunSettings, hashes: ContentHashes) -> CaseContent:
    """Hash what a case consists of."""
    folder = case.folder or Path()
    files = {f"{kind} {name_from(path, folder)}": hashes.of(path) for kind, path in _files(case)}
    cells = {"series": case.series or "", **case.extra}
    if not any(kind == "labels" for kind, _ in _files(case)):
        cells["labels"] = case.labels or ""
    by = case.reading
    content = {
        "settings": settings.as_plain(),
        "reading": [by.subject, by.timepoint, by.rater, by.reading],
        "files": list(files.items()),
        "cells": list(cells.items()),
        "clinical": asdict(case.clinical),
    }
    text = json.dumps(content, default=str).encode("utf-8", "surrogatepass")
    return CaseContent(files, cells, hashlib.sha256(text).hexdigest())


def _files(case: Case) -> Iterator[tuple[str, Path]]:
    """Yield every file and folder of a case, and what it is."""
    yield from (("images", path) for path in case.images)
    yield from (("outlines", path) for path in case.outlines)
    yield from (("landmarks", path) for path in case.landmarks)
    for scheme in (case.labels or "").split(";"):
        if Path(scheme.strip()).suffix and is_file(Path(scheme.strip())):
            yield "labels", Path(scheme.strip())
