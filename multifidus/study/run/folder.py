"""The folder of a run: its settings, its cohort, and which cases of a cohort it holds already."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multifidus.data.cohort import Case
from multifidus.data.roi import Reading
from multifidus.errors import WriteError
from multifidus.figures.picture_files import SMALL
from multifidus.io.files import write_text
from multifidus.io.scan_result import in_words
from multifidus.study.results_folder import (
    CASES,
    PICTURES,
    RUN,
    Output,
    is_assembled,
    remove_tables,
)
from multifidus.study.run.content import CaseContent, RunSettings
from multifidus.study.run.record import CaseRecord
from multifidus.study.run.record_files import record_paths, records_in
from multifidus.study.run.shard import WHOLE, Shard
from multifidus.study.run.worker import SCRATCH
from multifidus.study.table_files import FILES

_WAITING = re.compile(r"\..+\.[0-9a-f]{8}\.(jsonl?|csv|tsv|parquet|html|toml|png|jpg|webp)")
"""Names of files that were being written when a process was killed."""

MOST_NAMED = 5
"""So many differences are named; of the others the number is given."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a cohort is done, and what is to be done.

    Parameters
    ----------
    kept
        Records of cases that were measured before and are as they were.
    failed
        Records of cases that failed before.
    todo
        Cases to measure: what is missing, what failed, what changed.
    stale
        Files of records that are replaced.
    changes
        What differs from the run before, in words: it takes ``overwrite``.
    """

    kept: dict[Reading, tuple[Path, CaseRecord]] = field(default_factory=dict)
    failed: dict[Reading, tuple[Path, CaseRecord]] = field(default_factory=dict)
    todo: tuple[Case, ...] = ()
    stale: tuple[Path, ...] = ()
    changes: tuple[str, ...] = ()


def plan_run(
    cases: Sequence[Case],
    output: Output,
    settings: RunSettings,
    content: Callable[[Case], CaseContent],
    *,
    force: bool = False,
    share: Sequence[Case] | None = None,
) -> Plan:
    """Compare a cohort with what its results folder holds; nothing is changed.

    Parameters
    ----------
    cases
        All cases of the cohort.
    output
        The results folder.
    settings
        What the rows of all cases depend on.
    content
        Returns what a case consists of; asked of cases alone that were measured before.
    force
        Whether everything is measured again, whatever is there.
    share
        Those of the cases that the run is about; what other runs keep of others stays as it is.
    """
    folder = output.folder
    mine = cases if share is None else share
    if not (folder / RUN).exists():
        return Plan(todo=tuple(mine))
    listed = {case.reading for case in cases}
    others = listed - {case.reading for case in mine}
    found: dict[Reading, list[tuple[Path, CaseRecord]]] = {}
    is_shared, seen = False, set()
    for path, record in records_in(folder):
        seen.add(path)
        if record.reading in others:
            is_shared = True
        else:
            found.setdefault(record.reading, []).append((path, record))
    known = [item for items in found.values() for item in items]
    changes = settings.differences(run_facts(folder))
    if force or changes:
        # Those that cannot be read may be of another version's format.
        read = {path for path, _ in known}
        stale = tuple(path for path in record_paths(folder) if path in read or path not in seen)
        return Plan(
            todo=tuple(mine), stale=stale, changes=tuple(changes if stale or is_shared else ())
        )
    gone = [by for by in found if by not in listed]
    changes = [f"{who(by)} is not in this cohort" for by in gone]
    kept, failed = {}, {}
    for case in mine:
        for path, record in found.get(case.reading, ()):
            if record.failure is not None:
                failed[case.reading] = (path, record)
                continue
            now = content(case)
            if record.facts["key"] != now.key:
                what = in_words(now.differences(record.facts)) or "its content"
                changes.append(f"{who(case.reading)}: {what}")
            elif not output.pictures or _has_pictures(record, output):
                kept[case.reading] = (path, record)
    failed = {by: record for by, record in failed.items() if by not in kept}
    stays = {path for path, _ in (*kept.values(), *failed.values())}
    return Plan(
        kept,
        failed,
        tuple(case for case in mine if case.reading not in kept),
        tuple(path for path, _ in known if path not in stays),
        tuple(changes),
    )


def who(by: Reading) -> str:
    """Name a reading in a sentence."""
    return " ".join(filter(None, (by.subject, by.timepoint, by.rater, f"reading {by.reading}")))


def _has_pictures(record: CaseRecord, output: Output) -> bool:
    drawn, folder = record.pictures, output.folder / PICTURES
    if drawn is None or record.facts.get("drawn") != output.drawing.words:
        return False
    return all((folder / name).exists() for name, _ in drawn)


def run_facts(folder: Path) -> dict[str, Any]:
    """Return what all cases of the run in a folder share; empty where there is none."""
    try:
        found = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def check_plan(plan: Plan, output: Output) -> None:
    """Refuse to replace results unasked.

    Raises
    ------
    WriteError
        If the folder holds results of another kind, or of other settings, files or cases.
    """
    if output.overwrite:
        return
    try:
        output.check()
    except WriteError:
        if is_assembled(output.folder):
            msg = f"{output.folder} holds results that were put together from other folders."
            remedy = (
                f"Make them anew: multifidus assemble FOLDERS -o {output.folder} --overwrite. Or "
                "measure into another folder."
            )
            raise WriteError(msg, remedy=remedy) from None
        # Looked at last: another shard may just have begun this very run.
        if not (output.folder / RUN).exists():
            raise
    if plan.changes:
        more = len(plan.changes) - MOST_NAMED
        named = [*plan.changes[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
        msg = f"{output.folder} holds results of another run: {'; '.join(named)}."
        remedy = (
            "Choose another folder, or ask to overwrite: --overwrite measures again what changed, "
            "--force everything."
        )
        raise WriteError(msg, remedy=remedy)


def begin(
    plan: Plan,
    folder: Path,
    settings: RunSettings,
    cohort: Mapping[str, Any],
    *,
    shard: Shard = WHOLE,
) -> None:
    """Make a folder ready for the cases of a plan: what they replace is removed.

    Records go before their pictures are drawn again, so that no record ever names pictures of
    something else. What a killed run was writing is left where other shards may be writing.

    Parameters
    ----------
    plan
        What is to be done.
    folder
        The results folder.
    settings
        What the rows of all cases depend on.
    cohort
        File, hash and readings of the cohort, for who puts its parts together.
    shard
        Of the run.
    """
    remove_scratch(folder, shard)
    for path in plan.stale:
        path.unlink(missing_ok=True)
    facts = {**settings.as_plain(), "cohort": dict(cohort)}
    if run_facts(folder) != json.loads(json.dumps(facts)):
        write_text(folder / RUN, json.dumps(facts, indent=1) + "\n", overwrite=True)
    if shard.of == 1:
        remove_half_written(folder)
    elif plan.stale:
        # They are of rows that are no longer here, and a share makes no others.
        remove_tables(folder)


def remove_half_written(folder: Path) -> None:
    """Remove files that were being written when a process was killed."""
    for place in (
        folder,
        folder / PICTURES,
        folder / PICTURES / SMALL,
        *(folder / CASES).glob("??"),
        *{(folder / name).parent for names in FILES.values() for name in names},
    ):
        for path in place.glob(".*"):
            if _WAITING.fullmatch(path.name) and path.is_file():
                path.unlink(missing_ok=True)


def remove_scratch(folder: Path, shard: Shard = WHOLE) -> None:
    """Remove what processes unpacked, those of a killed run as well; of a shard its own alone."""
    place = folder / SCRATCH
    shutil.rmtree(place if shard.of == 1 else place / shard.name, ignore_errors=True)
