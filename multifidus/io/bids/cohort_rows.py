"""What a BIDS dataset says for the rows of a cohort table: participants, sessions, label maps."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

from multifidus.data.image import Exam
from multifidus.errors import CohortError, ReadError
from multifidus.io.bids.dataset import dataset_of
from multifidus.io.bids.labels import (
    SEGMENTED,
    LabelMap,
    label_maps,
    label_table,
    mask_scheme,
    problems_of,
)
from multifidus.io.bids.names import BidsName, bids_name
from multifidus.io.bids.tables import PARTICIPANTS, identifies, participants
from multifidus.io.files import name_from
from multifidus.io.scan_result import Scan
from multifidus.io.table_csv import Row

PREFIX = "participants_"
"""Stands before a column of participants that is named like one of the study's own tables."""

MOST_NAMED = 3
"""Subjects named in a remark before the rest is only counted."""

_FIRST = re.compile(r"(pre|base|bl)(op|operative|surgery|line)?")
_LAST = re.compile(r"(post|follow)(op|operative|surgery|up)?|fu")
_NUMBERED = re.compile(r"([a-z]*)(\d+)([a-z]*)")


@dataclass(frozen=True, slots=True)
class BidsExam:
    """An exam whose files have BIDS names.

    Parameters
    ----------
    exam
        The exam.
    name
        What its files' names say of it.
    dataset
        The folder in which these labels hold.
    is_packed
        Whether that was unpacked from an archive and will be gone, so that a table cannot name
        files in it.
    """

    exam: Exam
    name: BidsName
    dataset: Path
    is_packed: bool = False


def bids_exam(exam: Exam, scan: Scan) -> BidsExam | None:
    """Return an exam with its BIDS labels; None where its files have none."""
    paths = scan.paths_of(exam)
    names = [bids_name(path) for path in paths]
    if not names or not all(name.subject for name in names):
        return None
    is_packed = scan.archive_of(paths[0]) is not None
    return BidsExam(exam, names[0], dataset_of(paths[0].absolute(), ()), is_packed)


@dataclass(slots=True)
class CohortRows:
    """Rows of a cohort table, and remarks about them."""

    rows: list[Row] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RowOptions:
    """How rows are made.

    Parameters
    ----------
    columns
        The cohort table's own, all in each row.
    is_reserved
        Whether columns of participants may not have a name.
    folder
        Where the table goes.
    sources
        Names an exam's files.
    show_identifiers
        Whether calendar dates, and columns that identify a person, may stand in the table.
    same
        Names of subjects to the names that stand in their place, of people whom somebody joined.
    """

    columns: Sequence[str]
    is_reserved: Callable[[str], bool]
    folder: Path
    sources: Callable[[Exam], Iterable[str]]
    show_identifiers: bool = False
    same: Mapping[str, str] = field(default_factory=dict)


def bids_rows(visits: Sequence[BidsExam], how: RowOptions) -> CohortRows:
    """Return the rows of exams with BIDS names, dataset by dataset.

    Subject and timepoint are the labels; one row an exam, or one for each folder of derivatives
    that has a label map of it.
    """
    listed = CohortRows()
    for dataset in dict.fromkeys(visit.dataset for visit in visits):
        _list_dataset([visit for visit in visits if visit.dataset == dataset], how, listed)
    _join(visits, how.same, listed)
    return listed


def _join(visits: Sequence[BidsExam], same: Mapping[str, str], listed: CohortRows) -> None:
    """Give the rows of people whom somebody joined one name, one order and days from one exam.

    Raises
    ------
    CohortError
        If two exams of one person have one timepoint.
    """
    exams: dict[str, list[Exam]] = {}
    for visit in visits:
        own = visit.exam.subject
        exams.setdefault(same.get(own, own), []).append(visit.exam)
    for person, members in exams.items():
        if len({exam.subject for exam in members}) > 1:
            _join_one(person, members, listed)


def _join_one(person: str, members: Sequence[Exam], listed: CohortRows) -> None:
    by_timepoint = {exam.timepoint: exam for exam in members}
    if len(by_timepoint) < len(members):
        twice = next(t for t in by_timepoint if sum(e.timepoint == t for e in members) > 1)
        msg = f"Subjects that are one person, {person}, have two exams called {twice}."
        raise CohortError(msg, remedy="Give their sessions labels of their own.")
    order = _by_date(members)
    days = [exam.date for exam in members if exam.date is not None]
    if order is None or len(set(days)) < len(members):
        order = []
        listed.remarks.append(
            f"Nothing says in which order the exams of {person} were, from several datasets or "
            "labels: fill in the column order."
        )
    subjects = {exam.subject for exam in members}
    for row in listed.rows:
        if row["subject"] in subjects:
            exam = by_timepoint[row["timepoint"]]
            place = order.index(exam.timepoint) + 1 if order else ""
            row |= {"subject": person, "order": place}
            if exam.date is not None:
                row["days"] = (exam.date - min(days)).days


def _list_dataset(visits: Sequence[BidsExam], how: RowOptions, listed: CohortRows) -> None:
    dataset = visits[0].dataset
    orders, unordered = visit_orders([visit.exam for visit in visits])
    if unordered:
        listed.remarks.append(unordered)
    people = _participants(dataset, {visit.name.subject for visit in visits}, how, listed)
    maps = label_maps(dataset)
    if maps and visits[0].is_packed:
        listed.remarks.append("Label maps in an archive are not joined: unpack it to have them.")
        maps = []
    pipelines = {found.pipeline for found in maps}
    for visit, order in zip(visits, orders, strict=True):
        exam = visit.exam
        row: Row = dict.fromkeys(how.columns, "")
        row |= {"subject": exam.subject, "timepoint": exam.timepoint, "order": order, "reading": 1}
        row |= {"images": ";".join(how.sources(exam))}
        if exam.date is not None:
            dates = [v.exam.date for v in visits if v.exam.subject == exam.subject and v.exam.date]
            row["days"] = (exam.date - min(dates)).days
            row["date"] = exam.date.isoformat() if how.show_identifiers else ""
        row |= people.get(visit.name.subject, {})
        whose = visit.name.subject, visit.name.session
        own = [found for found in maps if (found.subject, found.session) == whose]
        outlined = list(_outlined(own, how.folder, exam, listed)) or [{}]
        for cells in outlined:
            named = {} if len(pipelines) > 1 else {"rater": ""}
            listed.rows.append(row | cells | named)
    _say_of_maps(maps, visits, listed)


def _say_of_maps(maps: Sequence[LabelMap], visits: Sequence[BidsExam], listed: CohortRows) -> None:
    """Say what of the derivatives found no place in the table, and why."""
    known = {(visit.name.subject, visit.name.session) for visit in visits}
    lost = sum((found.subject, found.session) not in known for found in maps)
    if lost:
        listed.remarks.append(f"{lost} label maps in derivatives are of no exam that was found.")
    pipelines = sorted({found.pipeline or "derivatives" for found in maps})
    if len(pipelines) > 1:
        listed.remarks.append(
            f"Label maps are in several folders of derivatives ({', '.join(pipelines)}): each is "
            "a rater of its own in the table."
        )


def _participants(
    dataset: Path, subjects: Collection[str], how: RowOptions, listed: CohortRows
) -> dict[str, Row]:
    """Return each subject's further columns, and say what of them is not as in the dataset."""
    try:
        people = participants(dataset)
    except ReadError as error:
        reason = error.message.replace(f"{dataset}/", "")
        listed.remarks.append(f"{PARTICIPANTS} was not joined: {reason} {error.remedy}".rstrip())
        return {}
    if people is None:
        return {}
    columns = list(dict.fromkeys(name for row in people.values() for name in row))
    hidden = [
        name
        for name in columns
        if not how.show_identifiers and identifies(name, (row[name] for row in people.values()))
    ]
    if hidden:
        listed.remarks.append(
            f"{len(hidden)} columns of {PARTICIPANTS} hold names, numbers or dates of persons and "
            "were left out; --show-identifiers keeps them."
        )
    clash = [name for name in columns if name not in hidden and how.is_reserved(name)]
    if clash:
        listed.remarks.append(
            f"Columns of {PARTICIPANTS} that are named like the study's own have {PREFIX} in "
            f"front: {', '.join(clash)}."
        )
    kept = {name: PREFIX * (name in clash) + name for name in columns if name not in hidden}
    listed.remarks += _unmatched(set(subjects), set(people))
    return {
        who: {column: row.get(name, "") for name, column in kept.items()}
        for who, row in people.items()
    }


def _unmatched(seen: set[str], listed: set[str]) -> Iterator[str]:
    """Say who has images and no row of participants, and the other way round."""
    for who, what in (
        (seen - listed, f"not in {PARTICIPANTS}"),
        (listed - seen, f"in {PARTICIPANTS} and without images"),
    ):
        if who:
            some = ", ".join(f"sub-{label}" for label in sorted(who)[:MOST_NAMED])
            more = f" and {len(who) - MOST_NAMED} more" if len(who) > MOST_NAMED else ""
            yield f"Subjects {what}: {some}{more}."


def _outlined(
    maps: Sequence[LabelMap], folder: Path, exam: Exam, listed: CohortRows
) -> Iterator[Row]:
    """Yield the cells about outlines, one set for each folder of derivatives."""
    for pipeline in dict.fromkeys(found.pipeline for found in maps):
        own = [found for found in maps if found.pipeline == pipeline]
        whole = [found for found in own if found.kind == SEGMENTED]
        chosen = whole or own
        if len({found.image for found in chosen}) < len(chosen):
            listed.remarks.append(
                f"{exam.subject} {exam.timepoint} has several versions of one label map in "
                f"derivatives/{pipeline}: none is taken. Name one in the table."
            )
            continue
        schemes = {found: _scheme(found, folder, listed) for found in chosen}
        if not whole:  # a mask says by its name what it is of, or could be of anything
            unsaid = [found for found in chosen if not schemes[found]]
            for found in unsaid:
                del schemes[found]
            if unsaid:
                remark = "Masks whose names say no structure and side were left out."
                listed.remarks += [remark] if remark not in listed.remarks else []
        if schemes:
            different = dict.fromkeys(schemes.values())
            yield {
                "rater": pipeline,
                "outlines": ";".join(name_from(found.path, folder) for found in schemes),
                "labels": ";".join(different if len(different) == 1 else schemes.values()),
            }


def _scheme(found: LabelMap, folder: Path, listed: CohortRows) -> str:
    """Name the scheme of a label map from the table; empty where nothing says it."""
    said: list[str] = []
    try:
        table = label_table(found)
    except ReadError as error:
        table = None
        said = [f"Several tables could say what {found.path.name} means. {error.remedy}"]
    scheme = mask_scheme(found)
    if table is not None and not scheme:
        scheme = name_from(table, folder)
        said += problems_of(table)
    elif not scheme and found.kind == SEGMENTED and not said:
        said = ["Label maps without a dseg.tsv need their labels named in the table."]
    listed.remarks += [remark for remark in said if remark not in listed.remarks]
    return scheme


def visit_orders(exams: Sequence[Exam]) -> tuple[list[int | str], str]:
    """Return the place of each exam among its dataset's timepoints, where that is known.

    Dates say it; else labels such as pre and post, or numbers that differ in nothing else. Where
    neither does it is empty, with the reason.
    """
    visits: dict[str, list[Exam]] = {}
    for exam in exams:
        visits.setdefault(exam.subject, []).append(exam)
    labels = {exam.timepoint for exam in exams}
    dated = [found for who in visits.values() if (found := _by_date(who)) is not None]
    chain = _merged(dated, labels) or _known_order(labels)
    if chain is not None and all(_is_within(found, chain) for found in dated):
        return [chain.index(exam.timepoint) + 1 for exam in exams], ""
    own = {
        who: found for who, seen in visits.items() if (found := _by_date(seen)) and len(found) > 1
    }
    places: list[int | str] = [
        own[e.subject].index(e.timepoint) + 1 if e.subject in own else "" for e in exams
    ]
    if chain is not None:
        return places, "Dates contradict the order that the labels of sessions suggest."
    if "" in places:
        return places, (
            f"Nothing says in which order the sessions {', '.join(sorted(labels))} were: fill in "
            "the column order."
        )
    return places, ""


def _by_date(exams: Sequence[Exam]) -> list[str] | None:
    """Return a subject's timepoints in order of their dates; None where dates do not say it."""
    by_date = {exam.date: exam.timepoint for exam in exams if exam.date is not None}
    return [by_date[date] for date in sorted(by_date)] if len(by_date) == len(exams) else None


def _merged(orders: Sequence[Sequence[str]], labels: Collection[str]) -> list[str] | None:
    """Join what subjects say about the order of labels; None unless that orders all of them."""
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(labels, ()))
    for order in orders:
        for before, after in pairwise(order):
            sorter.add(after, before)
    found: list[str] = []
    try:
        sorter.prepare()
    except CycleError:
        return None
    while sorter.is_active():
        ready = sorter.get_ready()
        if len(ready) > 1:
            return None
        found += ready
        sorter.done(*ready)
    return found


def _is_within(order: Sequence[str], chain: Sequence[str]) -> bool:
    return [label for label in chain if label in order] == list(order)


def _known_order(labels: Collection[str]) -> list[str] | None:
    """Order labels by what they say; None where they do not."""
    first = [label for label in labels if _FIRST.fullmatch(label.lower())]
    last = [label for label in labels if _LAST.fullmatch(label.lower())]
    rest = [label for label in labels if label not in (*first, *last)]
    numbered = {label: _NUMBERED.fullmatch(label.lower()) for label in rest}
    forms = {found and (found[1], found[3]) for found in numbered.values()}
    numbers = {label: int(found[2]) for label, found in numbered.items() if found}
    # A follow-up without a number may be before or after those with one.
    unclear = len(first) > 1 or len(last) > 1 or (last and rest)
    if unclear or None in forms or len(forms) > 1 or len(set(numbers.values())) < len(rest):
        return None
    return [*first, *sorted(rest, key=numbers.__getitem__), *last]


def split_bids_exams(scan: Scan) -> tuple[list[BidsExam], list[Exam]]:
    """Part exams whose files have BIDS names from all others."""
    found = [(exam, bids_exam(exam, scan)) for exam in scan.exams]
    return [v for _, v in found if v is not None], [e for e, v in found if v is None]
