"""Problems of the identity and the dates of DICOM exams, in words that name nobody."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from multifidus.data.identity import Fact, Person, all_conflicts
from multifidus.io.dicom.series import DATES, File, is_same_image
from multifidus.io.scan_result import ExamKey, Problem, ProblemKind, in_words

_PLURALS = {
    Fact.PATIENT_ID: "PatientIDs",
    Fact.NAME: "names",
    Fact.SEX: "sexes",
    Fact.BIRTH_DATE: "birth dates",
}

_UNDO = "If some are one person, say who with --same-person."


@dataclass(frozen=True, slots=True)
class Claim:
    """What files were joined by, and what contradicts it.

    Parameters
    ----------
    by
        An identifier: what it is, and its value.
    facts
        In which its images differ.
    is_unclear
        Whether the person may be one with several others that differ.
    """

    by: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    is_unclear: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class DicomExam:
    """One exam, and what it was made of."""

    exam: ExamKey
    person: Person
    claim: Claim
    files: list[File]
    element: int


def problems_of(found: Sequence[DicomExam]) -> tuple[Problem, ...]:
    """Return the problems of who the exams' subjects are and when the exams were."""
    return (
        *_people_parted(found),
        *_people_unknown(found),
        *_study_shared(found),
        *_series_shared(found),
        *_images_shared(found),
        *_dated_elsewhere(found),
    )


def _people_parted(found: Sequence[DicomExam]) -> Iterator[Problem]:
    for claim, members in _grouped(found, lambda item: item.claim.by).items():
        facts, subjects = members[0].claim.facts, _subjects(members)
        if not facts or len(subjects) == 1:
            continue
        unclear = _subjects([item for item in members if item.claim.is_unclear])
        what = claim[0] if claim[0] != "folder" else "folder without PatientID"
        message = (
            f"One {what} is used with differing {in_words([_PLURALS[fact] for fact in facts])}, so "
            f"its images are taken as {{count}} people: {{who}}. {_UNDO}"
        )
        kind = ProblemKind.PATIENT_ID_SHARED
        yield Problem(kind, message, _exams(members), tuple(map(str, facts)))
        if unclear:
            message = (
                "{who}: too little is known to tell whose images these are of several "
                f"people with one {what}, so they are joined with nobody's. {_UNDO}"
            )
            exams = _exams([item for item in members if item.claim.is_unclear])
            yield Problem(ProblemKind.PERSON_UNCLEAR, message, exams, tuple(map(str, facts)))


def _people_unknown(found: Sequence[DicomExam]) -> Iterator[Problem]:
    nobody = [item for item in found if not item.person.has_id]
    bare = [item for item in nobody if not item.files[0][0].study]
    if bare:
        message = (
            "Neither a PatientID nor a StudyInstanceUID names these images; those of one folder "
            f"and one frame of reference are taken as one exam of one person: {{who}}. {_UNDO}"
        )
        yield Problem(ProblemKind.IDENTITY_UNKNOWN, message, _exams(bare))
    # Subjects parted by facts are reported already, unless studies part them further.
    reported = {
        members[0].exam[0]
        for members in _grouped(nobody, lambda item: (item.claim.by, item.person)).values()
        if members[0].claim.facts and len(_subjects(members)) == 1
    }
    nobody = [item for item in nobody if item not in bare and item.exam[0] not in reported]
    if len(_subjects(nobody)) > 1:
        message = (
            "The PatientID is missing or names nobody, so each study is taken as a person of its "
            f"own: {{who}}. {_UNDO}"
        )
        yield Problem(ProblemKind.PERSON_UNKNOWN, message, _exams(nobody))


def _study_shared(found: Sequence[DicomExam]) -> Iterator[Problem]:
    for study, members in _grouped(found, lambda item: item.files[0][0].study).items():
        if not study or len(members) == 1:
            continue
        several = len(_subjects(members)) > 1
        facts = tuple(map(str, all_conflicts(item.person for item in members)))
        days = {date for item in members for date in _days(item)}
        facts += (DATES[members[0].element],) if len(days) > 1 else ()
        message = (
            "One StudyInstanceUID is used for {count} exams of differing "
            f"{'people' if several else 'dates'}, which are kept apart: {{who}}."
        )
        yield Problem(ProblemKind.STUDY_UID_SHARED, message, _exams(members), facts)


def _days(item: DicomExam) -> set[datetime.date]:
    dates = (file[0].dates[item.element] for file in item.files)
    return {date for date in dates if date is not None}


def _series_shared(found: Sequence[DicomExam]) -> Iterator[Problem]:
    """Find series UIDs of several exams; those of the same exams make one problem."""
    exams_of: dict[str, dict[ExamKey, DicomExam]] = {}
    for item in found:
        for uid in {frame.series for file in item.files for frame in file} - {""}:
            exams_of.setdefault(uid, {})[item.exam] = item
    for members in {tuple(by.values()): None for by in exams_of.values() if len(by) > 1}:
        message = "One SeriesInstanceUID is used in {count} exams; each keeps its own files: {who}."
        yield Problem(ProblemKind.SERIES_UID_SHARED, message, _exams(members))


def _images_shared(found: Sequence[DicomExam]) -> Iterator[Problem]:
    """Find exams that hold the very same image."""
    first: dict[str, list[tuple[DicomExam, File]]] = {}
    shared: dict[tuple[ExamKey, ExamKey], tuple[DicomExam, DicomExam]] = {}
    for item in found:
        for file in item.files:
            uid = file[0].item.uid
            for other, twin in first.setdefault(uid, []) if uid else ():
                pair = other.exam, item.exam
                if other is not item and pair not in shared and is_same_image(file, twin):
                    shared[pair] = other, item
            if all(other is not item for other, _ in first.get(uid, ())):
                first.setdefault(uid, []).append((item, file))
    for members in shared.values():
        message = "{who} hold the same images; look whether they are one exam under two names."
        yield Problem(ProblemKind.IMAGES_SHARED, message, _exams(members))


def _dated_elsewhere(found: Sequence[DicomExam]) -> Iterator[Problem]:
    for element, members in _grouped(found, lambda item: item.element).items():
        if element:
            message = f"StudyDate is empty; {DATES[element]} was taken in its place for {{who}}."
            kind = ProblemKind.DATE_TAKEN_ELSEWHERE
            yield Problem(kind, message, _exams(members), (DATES[element],))


def _grouped(
    found: Iterable[DicomExam], key: Callable[[DicomExam], Hashable]
) -> dict[Any, list[DicomExam]]:
    groups: dict[Any, list[DicomExam]] = {}
    for item in found:
        groups.setdefault(key(item), []).append(item)
    return groups


def _subjects(found: Iterable[DicomExam]) -> list[str]:
    return list(dict.fromkeys(item.exam[0] for item in found))


def _exams(found: Iterable[DicomExam]) -> tuple[ExamKey, ...]:
    return tuple(item.exam for item in found)
