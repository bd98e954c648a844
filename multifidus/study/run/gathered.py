"""Finished cases of one or several run folders, put together; runs of other things are refused."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from multifidus.data.printed_table import PrintedTable
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.errors import MultifidusError, ReadError, WriteError
from multifidus.figures.picture_files import SMALL
from multifidus.io.scan_result import in_words
from multifidus.io.table_csv import Row
from multifidus.study.further_tables import check_tables
from multifidus.study.results_folder import PICTURES, RUN, TABLE, Output, holds_tables
from multifidus.study.reviewed import review_beside
from multifidus.study.run.assembly import assemble
from multifidus.study.run.cohort import now_as_text, review_facts, study_of
from multifidus.study.run.content import UNREADABLE, CaseContent, RunSettings
from multifidus.study.run.folder import remove_half_written, remove_scratch, run_facts, who
from multifidus.study.run.lock import locked
from multifidus.study.run.provenance import RunFacts, write_provenance
from multifidus.study.run.record import CaseRecord
from multifidus.study.run.record_files import records_in
from multifidus.study.run.shard import Shard, shards_in
from multifidus.study.run.study import Study

Found = tuple[Path, CaseRecord]

APART = "Measure what differs again into its folder, with --overwrite, or assemble it by itself."

AGAIN = "Measure it again into that folder, by the command that made it, or leave that folder out."


@dataclass(slots=True)
class Gathered:
    """The cases of a cohort that run folders hold.

    Parameters
    ----------
    settings
        What the rows of all of them depend on.
    cohort
        File, hash and readings of the cohort.
    readings
        All of the cohort, in its order.
    runs
        How the shards were run.
    done
        Record of each finished case.
    hashes
        Of each file, by its name in the cohort.
    notes
        What was measured in one folder and failed in another; in sentences.
    """

    settings: RunSettings
    cohort: Mapping[str, Any]
    readings: list[Reading]
    runs: list[dict[str, Any]] = field(default_factory=list)
    done: dict[Reading, Found] = field(default_factory=dict)
    hashes: dict[str, tuple[str, Path]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def study(self) -> Study:
        """The cases as a study, whose rows stay in their files."""
        return study_of(self.readings, self.done)

    def take(self, folder: Path) -> None:
        """Take the cases of a folder in.

        Raises
        ------
        ReadError
            If it holds no run.
        WriteError
            If it is of another cohort, other settings, or other files.
        """
        facts = _run_of(folder)
        differences = self.settings.differences(facts)
        if facts["cohort"] != self.cohort:
            theirs, ours = facts["cohort"], self.cohort
            differences.append(
                f"cohort {theirs['file']} ({theirs['sha256'][:8]}, {len(theirs['cases'])} cases), "
                f"not {ours['file']} ({ours['sha256'][:8]}, {len(ours['cases'])} cases)"
            )
        if differences:
            msg = f"{folder} holds another run: {'; '.join(differences)}."
            raise WriteError(msg, remedy=APART)
        self.runs += [
            run for run in shards_in(folder) if run["cohort_sha256"] == self.cohort["sha256"]
        ]
        known = set(self.readings)
        for path, record in _standing(records_in(folder)):
            if record.reading not in known:
                msg = f"{folder} holds {who(record.reading)}, which is not in its cohort."
                raise WriteError(msg, remedy=APART)
            self._add(path, record, folder)

    def _add(self, path: Path, record: CaseRecord, folder: Path) -> None:
        by, earlier = record.reading, self.done.get(record.reading)
        if record.facts.get("settings") != self.settings.digest:
            msg = f"{who(by)} in {folder} was measured with other settings or another version."
            raise WriteError(msg, remedy=APART)
        if earlier is not None:
            self._compare(by, (path, record), earlier)
        for name, digest in record.facts.get("files", {}).items():
            if digest == UNREADABLE:
                continue  # where it was not to be read it has no content that could differ
            first, place = self.hashes.setdefault(name, (digest, folder))
            if first != digest:
                msg = f"{name} of {who(by)} in {folder} differs from that in {place}."
                raise WriteError(msg, remedy=APART)
        if earlier is None or (earlier[1].failure and record.failure is None):
            self.done[by] = (path, record)

    def _compare(self, by: Reading, found: Found, earlier: Found) -> None:
        """Refuse a case that two folders have of different contents, even if it failed in one."""
        measured, other = sorted((earlier, found), key=lambda item: item[1].failure is not None)
        place = _folder_of(other)
        content = measured[1].facts.get("key"), other[1].facts.get("key")
        failure = other[1].failure if measured[1].failure is None else None
        if failure is not None and content[1] is None:
            msg = (
                f"{who(by)} was measured in {_folder_of(measured)} and failed in {place} "
                f"({failure['error']}), which has no record of the files that it failed on."
            )
            raise WriteError(msg, remedy=AGAIN)
        if None not in content and content[0] != content[1]:
            what = in_words(_content(found[1]).differences(earlier[1].facts)) or "its content"
            msg = f"{who(by)} is there twice, and {what} differ, in {_folder_of(found)}."
            raise WriteError(msg, remedy=APART)
        if failure is not None:
            self.notes.append(
                f"{who(by)} failed in {place} ({failure['error']}) and was measured in "
                f"{_folder_of(measured)} on the same files; the measurement is used."
            )

    def close(self) -> None:
        """Leave out what no run compared with this cohort."""
        compared = {
            by for run in self.runs for by in Shard(run["shard"], run["of"]).part_of(self.readings)
        }
        self.done = {by: found for by, found in self.done.items() if by in compared}


def _standing(records: Iterable[Found]) -> list[Found]:
    """Leave out failures of what the same folder holds a measurement of, as every run does."""
    found = [*records]
    measured = {record.reading for _, record in found if record.failure is None}
    return [item for item in found if item[1].failure is None or item[1].reading not in measured]


def _folder_of(found: Found) -> Path:
    return found[0].parents[2]


def _content(record: CaseRecord) -> CaseContent:
    return CaseContent(record.facts["files"], record.facts["cells"], record.facts["key"])


def _run_of(folder: Path) -> dict[str, Any]:
    facts = run_facts(folder)
    if "cohort" not in facts:
        msg = f"{folder} holds no run over a cohort ({RUN})."
        raise ReadError(msg, remedy="Name folders that 'multifidus measure cohort.csv -o' made.")
    return facts


def gather(folders: Sequence[Path]) -> Gathered:
    """Gather the finished cases of run folders.

    Parameters
    ----------
    folders
        One that all shards shared, or one for each.

    Raises
    ------
    ReadError
        If one of them holds no run.
    WriteError
        If they are of different cohorts, protocols, versions, contrasts or files.
    """
    facts = _run_of(folders[0])
    try:
        protocol = MeasurementProtocol.from_dict(facts["protocol"])
    except (MultifidusError, TypeError) as error:
        msg = f"{folders[0]} was measured by another version ({facts.get('version')}): {error}"
        raise WriteError(msg, remedy="Measure it again.") from error
    settings = RunSettings(protocol, facts["contrasts"])
    readings = [Reading(*names) for names in facts["cohort"]["cases"]]
    found = Gathered(settings, facts["cohort"], readings)
    for folder in dict.fromkeys(folders):
        found.take(folder)
    found.close()
    return found


@dataclass(frozen=True, slots=True)
class Gathering:
    """What was put together.

    Parameters
    ----------
    study
        All finished cases, and which there are none of.
    notes
        What is doubtful of several cases together, what failed in one of two folders, and what a
        review left out.
    missing
        Rows of the table of what is missing.
    printed
        What is printed of the summary: the multifidus.
    """

    study: Study
    notes: tuple[str, ...]
    missing: list[Row]
    printed: PrintedTable

    @property
    def absent(self) -> tuple[Reading, ...]:
        """Cases of the cohort that are not there."""
        return self.study.absent


def assemble_runs(
    folders: Sequence[Path], output: Output, command: tuple[str, ...] = ()
) -> Gathering:
    """Make tables, page and provenance of the finished cases of run folders.

    Parameters
    ----------
    folders
        Of one cohort and protocol.
    output
        Where to; may be one of them.
    command
        Words of the command line, for the record.

    Raises
    ------
    MultifidusError
        If they do not belong together, a run still writes to one of them, or other results would
        be replaced unasked.
    """
    started = now_as_text()
    own = any(_same(folder, output.folder) for folder in folders)
    _check(folders, output, own=own)
    with contextlib.ExitStack() as held:
        _lock(held, folders, output.folder)
        found = gather(folders)
        study = found.study
        check_tables(output.tables, found.done)
        review_beside(output.folder / TABLE, output.review)
        if not own:
            # Nothing is made of what is refused, and a lock makes its folder.
            held.enter_context(locked(output.folder))
        drawn = any(record.pictures is not None for record, _ in study.cases)
        for path, record in found.done.values():
            _take_pictures(record, _folder_of((path, record)), output.folder)
        if own:
            remove_scratch(output.folder)
            remove_half_written(output.folder)
        whole = replace(output, overwrite=True, pictures=drawn)
        made = assemble(study, whole, found.settings.protocol)
        facts = RunFacts(
            command, found.cohort["file"], found.cohort["sha256"], started, now_as_text(),
            review_facts(output), tuple(found.runs),
        )  # fmt: skip
        write_provenance(study, output.folder, found.settings, facts)
    notes = (*study.notes(), *found.notes, *made.remarks)
    return Gathering(study, notes, made.missing, made.printed)


def _check(folders: Sequence[Path], output: Output, *, own: bool) -> None:
    """Refuse to replace tables unasked, unless they are of the very cases that are put together.

    Raises
    ------
    WriteError
        If there are tables of other cases.
    """
    if not own:
        output.check()
    is_alone = all(_same(folder, output.folder) for folder in folders)
    if not (is_alone or output.overwrite) and holds_tables(output.folder):
        msg = f"{output.folder} already holds tables."
        raise WriteError(msg, remedy="Choose another folder, or ask to overwrite them.")


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _lock(held: contextlib.ExitStack, folders: Sequence[Path], output: Path) -> None:
    """Keep all folders of runs; one that may only be read is nobody's to write to."""
    for folder in {folder.resolve(): folder for folder in folders}.values():
        if not (folder / RUN).exists():
            continue  # said by who reads it
        try:
            held.enter_context(locked(folder))
        except PermissionError:
            if _same(folder, output):
                raise


def _take_pictures(record: CaseRecord, source: Path, target: Path) -> None:
    """Copy the pictures of a case to where its page is."""
    if _same(source, target):
        return
    for name, _ in record.pictures or ():
        small = (Path(PICTURES) / SMALL / name).with_suffix(".jpg")
        for place in (Path(PICTURES) / name, small):
            if (source / place).exists():
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / place, target / place)
