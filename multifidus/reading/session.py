"""Beginning or taking up a reading session: cohort, list, key and folder brought together."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from multifidus.data.cohort import Cohort
from multifidus.data.roi import Reading
from multifidus.errors import CohortError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.files import name_from, named_path
from multifidus.io.outlines_json import read_outlines
from multifidus.reading.code_key import CodeKey, locked, read_key, write_key
from multifidus.reading.schedule import (
    APART_DAYS,
    CONSENSUS,
    ReadingList,
    ReadingPlan,
    extend,
    list_path,
    read_list,
    readings_of,
    write_list,
)
from multifidus.reading.worklist import Worklist, rater_folder

FOLDER = "readings"
"""Folder of all raters' folders, beside the cohort table."""

KEY_SUFFIX = ".key.json"

_SEED_BITS = 32


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a rater's session was asked to be.

    Parameters
    ----------
    cohort
        The cohort table.
    rater
        Who reads.
    root
        Folder of all raters' folders; ``readings`` beside the table if None.
    blind
        Whether codes stand for subjects.
    key
        The coordinator's key file; beside the table if None.
    seed
        Of order and codes; drawn, and kept, if None.
    repeats
        How many exams are read a second time; as the list has them, at first none, if None.
    apart_days
        Days between two readings of one exam; as the list has it, at first ``APART_DAYS``, if None.
    adjudicate
        The two raters whose outlines are compared, where this is the session for consensus.
    """

    cohort: Path
    rater: str
    root: Path | None = None
    blind: bool = False
    key: Path | None = None
    seed: int | None = None
    repeats: int | None = None
    apart_days: int | None = None
    adjudicate: tuple[str, str] | None = None


def open_worklist(request: SessionRequest) -> Worklist:
    """Open a rater's worklist; what was listed before stays as it is, new exams are appended.

    Raises
    ------
    CohortError
        If the list was made with other settings, or the key lies in the rater's folder.
    MultifidusError
        If a file cannot be read or written.
    """
    _check(request)
    cohort = read_cohort(request.cohort)
    root, note = _writable_root(request)
    path = list_path(rater_folder(root, request.rater), request.rater)
    listed = read_list(path) if path.exists() else None
    if listed is not None:
        _check_same(request, listed, path)
    found = Worklist(
        root,
        listed or ReadingList(request.rater, (), _apart(request, listed), request.blind),
        {(c.reading.subject, c.reading.timepoint): c for c in cohort.cases},
        {c.reading: c.outlines for c in cohort.cases},
        notes=(*cohort.remarks, note) if note else cohort.remarks,
    )
    if request.blind:
        return _blinded(request, cohort, found, path)
    seed = _seed(request, None if listed is None else listed.seed)
    plan = ReadingPlan(request.rater, seed, found.listed.entries, found.listed.apart_days)
    entries = extend(plan, _wanted(request, cohort, found), request.repeats).entries
    return _kept(replace(found, listed=replace(found.listed, entries=entries, seed=seed)), path)


def listed_for(cohort: Path, rater: str) -> ReadingList | None:
    """Return the list that a rater has of a cohort where it usually lies; None where there is none.

    Raises
    ------
    MultifidusError
        If the list cannot be read.
    """
    root, _ = _writable_root(SessionRequest(cohort, rater))
    path = list_path(rater_folder(root, rater), rater)
    return read_list(path) if path.exists() else None


def _blinded(request: SessionRequest, cohort: Cohort, found: Worklist, path: Path) -> Worklist:
    key_path = _key_path(request, found.root)
    with locked(key_path):
        if not key_path.exists() and found.listed.entries:
            msg = f"There is no key {key_path} for the blinded list {path}."
            raise CohortError(msg, remedy="Name the key that the list was made with: --key FILE.")
        table = name_from(request.cohort.resolve(), key_path.parent.resolve())
        kept = read_key(key_path) if key_path.exists() else None
        key = kept or CodeKey(_seed(request, None), table)
        if request.seed not in {None, key.seed}:
            msg = f"The key {key_path} was made with another seed than {request.seed}."
            raise CohortError(msg, remedy="Leave out --seed, or name another key: --key FILE.")
        if not named_path(key.cohort, key_path.parent).exists():
            # The table was renamed; whoever unblinds looks for it where the key says.
            key = replace(key, cohort=table)
        found = replace(found, key=key)
        truths = tuple(found.truth(by) for by in found.listed.entries)
        plan = ReadingPlan(request.rater, key.seed, truths, found.listed.apart_days)
        plan = extend(plan, _wanted(request, cohort, found), request.repeats)
        coded = key.with_codes(plan.entries)
        # The key first: a list whose codes nobody knows would be worth nothing.
        if coded != kept:
            write_key(key_path, coded)
    entries = tuple(map(coded.shown_as, plan.entries))
    return _kept(replace(found, key=coded, listed=replace(found.listed, entries=entries)), path)


def _kept(found: Worklist, path: Path) -> Worklist:
    if not found.listed.entries:
        msg = f"There is nothing to read for {found.listed.rater}."
        raise CohortError(msg, remedy="Check the cohort table, and which raters have outlined.")
    if not path.exists() or read_list(path) != found.listed:
        write_list(path, found.listed)
    return found


def _wanted(request: SessionRequest, cohort: Cohort, found: Worklist) -> tuple[Reading, ...]:
    if request.adjudicate is None:
        return readings_of(cohort, request.rater)
    exams = dict.fromkeys((c.reading.subject, c.reading.timepoint) for c in cohort.cases)
    wanted = tuple(Reading(*exam, request.rater, 1) for exam in exams)
    files = {
        rater: {by: path for by in wanted if (path := found.outlines_by(rater, by)) is not None}
        for rater in request.adjudicate
    }
    _refuse_who_read_nothing(files)
    return tuple(by for by in wanted if all(by in read for read in files.values()))


def _refuse_who_read_nothing(files: Mapping[str, Mapping[Reading, Path]]) -> None:
    """Refuse to compare raters of whom one has no outline at all, or who share no exam."""
    idle = [
        rater
        for rater, read in files.items()
        if not any(read_outlines(path).rois for path in read.values())
    ]
    if idle:
        msg = f"There is no outline by {' nor by '.join(idle)}, so nothing can be compared."
        raise CohortError(msg, remedy="Check the raters' names, and where their outlines are.")
    first, second = files.values()
    if not first.keys() & second.keys():
        msg = f"No exam was read by both {' and '.join(files)}."
        raise CohortError(msg, remedy="Name two raters who read the same exams.")


def _check(request: SessionRequest) -> None:
    if not request.rater.strip():
        msg = "Nobody is named who reads."
        raise CohortError(msg, remedy="Give --rater ID, such as initials.")
    if request.rater == CONSENSUS and request.adjudicate is None:
        msg = f"The rater {CONSENSUS!r} is kept for adjudicated outlines."
        raise CohortError(msg, remedy="Give another --rater, or --adjudicate A,B.")
    if request.adjudicate is not None and len(set(request.adjudicate)) != 2:  # noqa: PLR2004
        msg = f"Two different raters are adjudicated, got {', '.join(request.adjudicate)}."
        raise CohortError(msg, remedy="Name them: --adjudicate AB,CD.")


def _check_same(request: SessionRequest, listed: ReadingList, path: Path) -> None:
    """Refuse to go on with a list under other conditions than it was begun."""
    differs = []
    if listed.rater != request.rater:
        differs.append(f"is of rater {listed.rater}, not {request.rater}")
    if listed.blinded != request.blind:
        differs.append("is blinded" if listed.blinded else "is not blinded")
    if listed.seed is not None and request.seed not in {None, listed.seed}:
        differs.append(f"was made with seed {listed.seed}")
    if request.apart_days not in {None, listed.apart_days}:
        differs.append(f"keeps readings {listed.apart_days} days apart")
    if differs:
        msg = f"The reading list {path} {', and '.join(differs)}."
        raise CohortError(msg, remedy="Go on as it was begun, or name another --folder.")


def _apart(request: SessionRequest, listed: ReadingList | None) -> int:
    if listed is not None:
        return listed.apart_days
    return APART_DAYS if request.apart_days is None else request.apart_days


def _seed(request: SessionRequest, known: int | None) -> int:
    if known is not None:
        return known
    return secrets.randbits(_SEED_BITS) if request.seed is None else request.seed


def _key_path(request: SessionRequest, root: Path) -> Path:
    beside = request.cohort.with_name(request.cohort.stem + KEY_SUFFIX)
    if request.key is None and not beside.exists() and not _can_write(beside.parent):
        beside = root / beside.name
    if request.key is None and not beside.exists():
        _refuse_second_key(request.cohort, beside)
    path = request.key or beside
    if path.resolve().is_relative_to(rater_folder(root, request.rater).resolve()):
        msg = f"The key {path} would lie in the rater's own folder."
        raise CohortError(msg, remedy="Keep it with the coordinator: name another --key FILE.")
    return path


def _refuse_second_key(cohort: Path, wanted: Path) -> None:
    """Refuse to begin a key where another lies: a table that was renamed has codes already."""
    others = [path for path in sorted(wanted.parent.glob(f"*{KEY_SUFFIX}")) if _is_of(path, cohort)]
    if others:
        names = ", ".join(path.name for path in others)
        msg = f"{cohort.name} has no key {wanted.name}, but {names} lies there and knows its exams."
        remedy = (
            f"If the table was renamed, name its key: --key {others[0]}. Else move {names} away."
        )
        raise CohortError(msg, remedy=remedy)


def _is_of(path: Path, cohort: Path) -> bool:
    """Whether a key stands for an exam of a table."""
    exams = {(case.reading.subject, case.reading.timepoint) for case in read_cohort(cohort).cases}
    return any((by.subject, by.timepoint) in exams for by in read_key(path).truth.values())


def _writable_root(request: SessionRequest) -> tuple[Path, str]:
    """Return where readings are kept, and a note about it."""
    wanted = request.root or request.cohort.parent / FOLDER
    nearest = next(path for path in (wanted, *wanted.absolute().parents) if path.exists())
    if nearest.is_dir() and _can_write(nearest):
        return wanted, ""
    table = str(request.cohort.resolve()).encode()
    instead = Path.home() / "multifidus_readings" / hashlib.sha256(table).hexdigest()[:8]
    return instead, f"The folder for readings cannot be written; they are kept in {instead}."


def _can_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK)
