"""In what order a subject's exams were, as far as anything says so, and who of several is one."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from multifidus.data.image import Exam
from multifidus.io.scan_result import ExamKey, Problem, ProblemKind, Scan

UNDATED = "undated"
"""What an exam is called of which nothing says when it was; it must not suggest an order."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One exam among its subject's.

    Attributes
    ----------
    name
        ``t1``, ``t2`` by day, or ``undated``.
    order
        Its place; None where it is not known.
    is_one_of_several
        Whether other exams of the subject have the same name, which then needs an addition that
        suggests no order.
    """

    exam: Exam
    name: str
    order: int | None
    is_one_of_several: bool = False


def visits(exams: Iterable[Exam], *, in_order: bool = False) -> list[Visit]:
    """Put one subject's exams in order; those without a date come last.

    Parameters
    ----------
    exams
        Of one subject.
    in_order
        Whether exams without dates stand in their order already, as sessions with names that tell
        it do.
    """
    found = list(exams)
    if in_order and not any(exam.date for exam in found):
        return [Visit(exam, f"t{place}", place) for place, exam in enumerate(found, 1)]
    days: dict[datetime.date | None, list[Exam]] = {}
    for exam in sorted(found, key=lambda exam: exam.date or datetime.date.max):
        days.setdefault(exam.date, []).append(exam)
    made = []
    for place, (day, members) in enumerate(days.items(), 1):
        name = UNDATED if day is None else f"t{place}"
        order = place if day is not None and len(members) == 1 else None
        made += [Visit(exam, name, order, len(members) > 1) for exam in members]
    return made


def all_problems(scan: Scan) -> tuple[Problem, ...]:
    """Return the problems of a scan, and those of the order of its exams."""
    return (*scan.problems, *_order_problems(scan))


def _order_problems(scan: Scan) -> Iterator[Problem]:
    undated: list[ExamKey] = []
    same_day: list[ExamKey] = []
    for subject, members in by_subject(scan).items():
        for visit in visits(members):
            if visit.order is None and subject not in scan.in_order:
                unknown = undated if visit.exam.date is None else same_day
                unknown.append((subject, visit.exam.timepoint))
    if undated:
        message = (
            "Nothing says when these exams were (no StudyDate, AcquisitionDate, SeriesDate or "
            "ContentDate), so their order is not known: {who}. Fill in the column order of the "
            "cohort.csv before changes are computed."
        )
        yield Problem(ProblemKind.UNDATED, message, tuple(undated))
    if same_day:
        message = (
            "Several exams of one person are of one day, so their order is not known: {who}. Keep "
            "one row, or fill in the column order of the cohort.csv."
        )
        yield Problem(ProblemKind.SAME_DAY, message, tuple(same_day))


def by_subject(scan: Scan) -> dict[str, list[Exam]]:
    """Return the exams of each subject, in the order of the scan."""
    found: dict[str, list[Exam]] = {}
    for exam in scan.exams:
        found.setdefault(exam.subject, []).append(exam)
    return found


def joined(scan: Scan, same: Mapping[str, str]) -> Scan:
    """Make one subject of several that are one person.

    Parameters
    ----------
    scan
        What was found.
    same
        Subject to the subject that it is one with; all others are left as they are.
    """
    members: dict[str, list[Exam]] = {}
    for exam in scan.exams:
        members.setdefault(same.get(exam.subject, exam.subject), []).append(exam)
    now: dict[tuple[str, str], tuple[str, str]] = {}
    exams = []
    for subject, found in members.items():
        if len({exam.subject for exam in found}) == 1:
            now |= {(exam.subject, exam.timepoint): (subject, exam.timepoint) for exam in found}
            exams += [replace(exam, subject=subject) for exam in found]
            continue
        for number, visit in enumerate(visits(found), 1):
            old = visit.exam
            now[old.subject, old.timepoint] = subject, f"exam-{number}"
            exams.append(replace(old, subject=subject, timepoint=f"exam-{number}"))
    return replace(
        scan,
        exams=tuple(exams),
        paths={(*now[key[0], key[1]], key[2]): paths for key, paths in scan.paths.items()},
        people={now[key]: person for key, person in scan.people.items()},
        problems=tuple(_still(scan.problems, now)),
        # Where people are joined, what their sessions are called orders them no more.
        in_order=scan.in_order - set(same) - set(same.values()),
    )


def _still(
    found: Iterable[Problem], now: Mapping[tuple[str, str], tuple[str, str]]
) -> Iterator[Problem]:
    """Yield the problems that are left, with the exams that they are about now."""
    for problem in found:
        moved = replace(problem, exams=tuple(now[exam] for exam in problem.exams))
        # Of people of whom somebody said that they are one, there is nothing to say any more.
        if not problem.is_about_people or len(moved.subjects) > 1 or len(problem.subjects) == 1:
            yield moved
