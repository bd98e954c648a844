"""Files that come back from several computers, put together: none is overwritten, none chosen."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import CohortError, MultifidusError, ReadError, WriteError
from multifidus.io.files import reading, write_text
from multifidus.io.outlines_json import JOURNAL_SUFFIX, SUFFIX, beside, file_name, read_outlines
from multifidus.reading.audit_log import (
    AUDIT_SUFFIX,
    audit_path,
    done_at,
    entries,
    saved_at,
)
from multifidus.reading.returned_files import ReturnedFile, returned_files
from multifidus.reading.schedule import (
    LIST_SUFFIX,
    ReadingList,
    list_path,
    read_list,
    write_list,
)
from multifidus.reading.worklist import rater_folder

CONFLICTS = "conflicts"
"""Folder of readings of which several versions came back; none of them was chosen."""

UNREADABLE = "unreadable"

_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class ReadingVersion:
    """One file of a reading, with what stands beside it."""

    file: ReturnedFile
    rois: RoiSet
    drafts: str

    @property
    def path(self) -> Path:
        """Where it can be read."""
        return self.file.path

    def is_same(self, other: ReadingVersion) -> bool:
        """Whether both hold the same outlines, and the same paths that are no outline yet."""
        return (self.rois, self.drafts) == (other.rois, other.drafts)


@dataclass(frozen=True, slots=True)
class ConflictVersion:
    """One version of what is in conflict, and what tells it from the others.

    Attributes
    ----------
    file
        Where it came from.
    kept
        Where it is kept.
    outlines
        How many outlines it holds; None of a list.
    finished
        When it was finished; None where it is not.
    saved
        When it was saved last, as its log says; None where there is no log.
    """

    file: Path
    kept: Path
    outlines: int | None = None
    finished: datetime.datetime | None = None
    saved: datetime.datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "file": str(self.file),
            "kept": str(self.kept),
            "outlines": self.outlines,
            "finished": self.finished.isoformat() if self.finished else None,
            "saved": self.saved.isoformat() if self.saved else None,
        }


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A reading, or a rater's list, of which different versions came back.

    Attributes
    ----------
    what
        The reading, or the rater whose list it is.
    versions
        What came back.
    differs
        In what they differ.
    """

    what: Reading | str
    versions: tuple[ConflictVersion, ...]
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What came of merging.

    Attributes
    ----------
    files
        Of each reading that is not in conflict.
    identical
        Files that were there more than once.
    conflicts
        Of which no version was chosen.
    unreadable
        Files that could not be read, and why.
    left_out
        Files that are no part of reading sessions.
    """

    files: dict[Reading, Path] = field(default_factory=dict)
    identical: list[Path] = field(default_factory=list)
    conflicts: list[MergeConflict] = field(default_factory=list)
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything could be put together."""
        return not self.conflicts and not self.unreadable

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "merged": [{**asdict(by), "file": str(path)} for by, path in self.files.items()],
            "identical": [str(path) for path in self.identical],
            "conflicts": [
                {
                    **(asdict(c.what) if isinstance(c.what, Reading) else {"list_of": c.what}),
                    "versions": [version.as_json() for version in c.versions],
                    "differs": list(c.differs),
                }
                for c in self.conflicts
            ],
            "unreadable": [{"file": str(path), "reason": why} for path, why in self.unreadable],
            "left_out": [str(path) for path in self.left_out],
        }


def merge_readings(sources: Sequence[Path], out: Path) -> MergeReport:
    """Put together what raters returned, in folders or zip archives: a folder for each rater.

    The same reading with the same content is kept once. With different content every version is
    kept under ``conflicts``, and none where the others are. Logs of one reading become one.

    Raises
    ------
    CohortError
        If nothing is named, or nothing was returned in it.
    WriteError
        If ``out`` holds something already.
    ReadError
        If a folder or archive cannot be read.
    """
    _check_target(sources, out)
    files = returned_files(sources)
    merged = MergeReport()
    readings: dict[Reading, list[ReadingVersion]] = {}
    lists: dict[str, list[tuple[ReturnedFile, ReadingList]]] = {}
    unreadable: list[ReturnedFile] = []
    for file in files:
        try:
            _sort_in(file, readings, lists, merged)
        except MultifidusError as error:
            unreadable.append(file)
            merged.unreadable.append((file.shown, str(error)))
    if not readings and not lists and not unreadable:
        msg = f"There is no outline file in {', '.join(map(str, sources))}."
        raise CohortError(msg, remedy="Give the folders or zip archives that raters returned.")
    for by, versions in sorted(readings.items()):
        _merge_reading(by, versions, out, merged)
    for rater, found in sorted(lists.items()):
        _merge_lists(rater, found, out, merged)
    for number, file in enumerate(unreadable, 1):
        _copy(file.path, out / UNREADABLE / f"{number}_{file.path.name}")
    _merge_lone_logs(files, readings, lists, out)
    return merged


def _sort_in(
    file: ReturnedFile,
    readings: dict[Reading, list[ReadingVersion]],
    lists: dict[str, list[tuple[ReturnedFile, ReadingList]]],
    merged: MergeReport,
) -> None:
    """Put one file with its like."""
    if file.problem:
        raise ReadError(file.problem)
    name = file.path.name
    if name.endswith(SUFFIX):
        rois = read_outlines(file.path)
        version = ReadingVersion(file, rois, _drafts(file.path))
        readings.setdefault(_named(rois), []).append(version)
    elif name.endswith(LIST_SUFFIX):
        listed = read_list(file.path)
        lists.setdefault(listed.rater, []).append((file, listed))
    elif not name.endswith((AUDIT_SUFFIX, JOURNAL_SUFFIX)):
        merged.left_out.append(file.shown)


def _check_target(sources: Sequence[Path], out: Path) -> None:
    for source in sources:
        if out.resolve().is_relative_to(source.resolve()):
            msg = f"{out} lies in {source}, which is to be merged."
            raise WriteError(msg, remedy="Choose a folder elsewhere.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"{out} holds something already."
        raise WriteError(msg, remedy="Choose a new folder; nothing is merged into another.")


def _named(rois: RoiSet) -> Reading:
    return rois.rois[0].key.reading if rois.rois else rois.reading


def _drafts(outlines: Path) -> str:
    """Return the paths that are no outline yet, as comparable text; they are work as well."""
    journal = beside(outlines, JOURNAL_SUFFIX)
    if not journal.exists():
        return "[[], []]"
    with reading(journal, "a journal"):
        text = journal.read_text(encoding="utf-8", errors="replace")
    try:
        found = json.loads(text)
        return json.dumps([found.get(name) or [] for name in ("drafts", "unfinished")])
    except (ValueError, AttributeError, RecursionError):
        # Damaged, and nobody knows how: as a text it is the same only as itself.
        return text


def _merge_reading(
    by: Reading, versions: list[ReadingVersion], out: Path, merged: MergeReport
) -> None:
    different: list[ReadingVersion] = []
    for version in versions:
        if any(version.is_same(other) for other in different):
            merged.identical.append(version.file.shown)
        else:
            different.append(version)
    name = file_name(by)
    if len(different) == 1:
        target = rater_folder(out, by.rater) / name
        _copy_version(different[0], target)
        # Both computers' hours count, where one folder was carried on from the other.
        _merge_logs([version.path for version in versions], target)
        merged.files[by] = target
        return
    stem = name.removesuffix(SUFFIX)
    kept = []
    for number, version in enumerate(different, 1):
        target = out / CONFLICTS / f"{stem}.version{number}{SUFFIX}"
        _copy_version(version, target)
        _merge_logs([version.path], target)
        log = entries(audit_path(version.path))
        kept.append(
            ConflictVersion(
                version.file.shown, target, len(version.rois), done_at(log), saved_at(log)
            )
        )
    merged.conflicts.append(MergeConflict(by, tuple(kept), _differences(different)))


def _copy_version(version: ReadingVersion, target: Path) -> None:
    _copy(version.path, target)
    journal = beside(version.path, JOURNAL_SUFFIX)
    if journal.exists():
        _copy(journal, beside(target, JOURNAL_SUFFIX))


def _merge_logs(outlines: Sequence[Path], target: Path) -> None:
    """Unite the lines of logs, each once, in order of their time."""
    lines: dict[str, None] = {}
    for path in outlines:
        log = beside(path, AUDIT_SUFFIX)
        if log.exists():
            with reading(log, "an audit log"):
                text = log.read_text(encoding="utf-8", errors="replace")
            lines |= dict.fromkeys(line for line in text.splitlines() if line.strip())
    if lines:
        ordered = sorted(lines, key=_time)
        write_text(beside(target, AUDIT_SUFFIX), "\n".join(ordered) + "\n", overwrite=True)


def _time(line: str) -> str:
    try:
        return str(json.loads(line)["time"])
    except (ValueError, KeyError, TypeError):
        return ""


def _merge_lone_logs(
    files: Sequence[ReturnedFile],
    readings: dict[Reading, list[ReadingVersion]],
    lists: dict[str, list[tuple[ReturnedFile, ReadingList]]],
    out: Path,
) -> None:
    """Bring along logs of readings that nothing was drawn in yet."""
    known = {beside(v.path, AUDIT_SUFFIX) for versions in readings.values() for v in versions}
    # A folder that was mailed may have another name by now; the list in it says whose it is.
    whose = {file.path.parent: rater for rater, found in lists.items() for file, _ in found}
    named: dict[Path, list[Path]] = {}
    for path in (file.path for file in files):
        if path.name.endswith(AUDIT_SUFFIX) and path not in known:
            name = path.name.removesuffix(AUDIT_SUFFIX) + SUFFIX
            rater = whose.get(path.parent, path.parent.name)
            named.setdefault(rater_folder(out, rater) / name, []).append(path.with_name(name))
    for target, sources in named.items():
        if not beside(target, AUDIT_SUFFIX).exists():
            _merge_logs(sources, target)


def _merge_lists(
    rater: str, found: list[tuple[ReturnedFile, ReadingList]], out: Path, merged: MergeReport
) -> None:
    """Keep the longest list where it goes on from all others; else each."""
    longest = max(found, key=lambda item: len(item[1].entries))[1]
    if all(_goes_on(longest, listed) for _, listed in found):
        write_list(list_path(rater_folder(out, rater), rater), longest)
        return
    kept = []
    for number, (file, _) in enumerate(found, 1):
        target = out / CONFLICTS / f"{number}_{file.path.name}"
        _copy(file.path, target)
        kept.append(ConflictVersion(file.shown, target))
    differs = ("the lists name different readings, or in another order",)
    merged.conflicts.append(MergeConflict(rater, tuple(kept), differs))


def _goes_on(longer: ReadingList, listed: ReadingList) -> bool:
    same = (longer.blinded, longer.seed, longer.apart_days)
    count = len(listed.entries)
    return (
        same == (listed.blinded, listed.seed, listed.apart_days)
        and longer.entries[:count] == listed.entries
    )


def _differences(versions: Sequence[ReadingVersion]) -> tuple[str, ...]:
    """Say in what versions of a reading differ from the first."""
    first, *others = versions
    slices: dict[str, set[str]] = {}
    words: dict[str, None] = {}
    for other in others:
        ours, theirs = ({roi.key: roi for roi in v.rois} for v in (first, other))
        for key in sorted({*ours, *theirs}):
            if ours.get(key) != theirs.get(key):
                named = " ".join(filter(None, (key.structure.value, key.side.value, key.name)))
                named = named.removesuffix(" none").replace("_", " ")
                slices.setdefault(named, set()).add(key.slice_uid)
        for name in ("landmarks", "levels", "not_measurable", "grades"):
            if getattr(first.rois, name) != getattr(other.rois, name):
                words[name.replace("_", " ")] = None
        if first.drafts != other.drafts:
            words["paths that are no outline yet"] = None
    counted = (f"{named} on {_slices(len(uids))}" for named, uids in slices.items())
    found = (*counted, *words) or ("the order of outlines",)
    more = len(found) - _MOST_NAMED
    return (*found[:_MOST_NAMED], f"and {more} more") if more > 0 else found


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count} slices"


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        msg = f"Cannot copy {source} to {target}: {error.strerror or error}."
        raise MultifidusError(msg, remedy="Check permissions and space, and begin anew.") from error
