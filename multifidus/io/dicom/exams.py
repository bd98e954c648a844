"""From the slices of many DICOM files to people and their exams.

A UID is a hint. People are distinguished by all that headers say of them, exams by their study and
their day; what contradicts itself is kept apart and reported. The result does not depend on the
order of the files, but for the numbers that subjects get.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from multifidus.data.identity import Person, all_conflicts, group_people, merge_people
from multifidus.data.image import Exam
from multifidus.io.dicom.problems import Claim, DicomExam, problems_of
from multifidus.io.dicom.series import File, Frame, make_series
from multifidus.io.files import content_sha256
from multifidus.io.scan_result import Scan, Skipped

_NEXT_DAY = datetime.timedelta(days=1)
"""An exam may go on past midnight."""


def group_exams(files: Sequence[File]) -> Scan:
    """Part files by person and exam; both get neutral numbers, never identifiers.

    Parameters
    ----------
    files
        The slices of each; subjects are numbered in the order of their first file.
    """
    place = {id(file): number for number, file in enumerate(files)}
    groups = sorted(_people(files), key=lambda group: min(place[id(f)] for f in group.files))
    exams: list[Exam] = []
    paths = {}
    skipped: list[Skipped] = []
    found: list[DicomExam] = []
    for subject, group in enumerate(groups, 1):
        for number, visit in enumerate(sorted(_visits(group.files), key=_order), 1):
            who = f"subject-{subject}", f"exam-{number}"
            parts, copies = make_series(visit.files)
            skipped += copies
            for item, frames in parts:
                paths[*who, item.uid] = tuple(sorted({frame.path for frame in frames}))
            series = tuple(item for item, _ in parts)
            exams.append(Exam(*who, series, visit.date, identity=group.identity))
            found.append(DicomExam(who, group.person, group.claim, visit.files, visit.element))
    people = {item.exam: item.person for item in found}
    return Scan(tuple(exams), tuple(skipped), paths, problems=problems_of(found), people=people)


@dataclass(frozen=True, slots=True)
class _Group:
    """The files of one person, all that is known of the person, and what they were joined by."""

    files: list[File]
    person: Person
    claim: Claim

    @property
    def identity(self) -> str:
        """What the person is known by in every run, whatever else lies beside its files."""
        first = self.files[0][0]
        known = [first.person.patient_id]
        if not self.person.has_id:
            # Without a study too, nothing names the person but the images themselves.
            known.append(first.study or _hash_of_contents(self.files))
        known += [self.person.seal] if self.claim.facts else []
        return "|".join(filter(None, known))


def _hash_of_contents(files: Iterable[File]) -> str:
    contents = sorted(content_sha256(file[0].path) for file in files)
    return hashlib.sha256("".join(contents).encode()).hexdigest()


def _people(files: Sequence[File]) -> Iterator[_Group]:
    """Part files by person: by an identifier, and by whatever facts contradict it."""
    claimed: dict[tuple[str, ...], list[File]] = {}
    for file in files:
        claimed.setdefault(_claimed_by(file[0]), []).append(file)
    for claim, members in claimed.items():
        known = _known(members)
        parted = group_people(known)
        facts = all_conflicts(known)
        for number, indices in enumerate(parted.groups):
            person = merge_people(known[index] for index in indices)
            is_unclear = number in parted.unclear
            for own in _by_study([members[index] for index in indices], person):
                yield _Group(own, person, Claim(claim, facts, is_unclear))


def _claimed_by(frame: Frame) -> tuple[str, ...]:
    """Return the first identifier that there is: of the person, the study, else of the place."""
    if frame.person.patient_id:
        return "PatientID", frame.person.patient_id
    if frame.study:
        return "StudyInstanceUID", frame.study
    return "folder", *frame.place


def _known(files: Sequence[File]) -> list[Person]:
    """Return what is known of each file's person, from all files of its study that agree."""
    studies: dict[str, list[Person]] = {}
    for file in files:
        studies.setdefault(file[0].study, []).append(file[0].person)
    whole = {
        study: merge_people(people)
        for study, people in studies.items()
        if study and not all_conflicts(people)
    }
    return [whole.get(file[0].study, file[0].person) for file in files]


def _by_study(files: list[File], person: Person) -> Iterable[list[File]]:
    """Part the files of an identifier that names nobody: to join studies would be a guess."""
    if person.has_id:
        return [files]
    studies: dict[tuple[str, ...], list[File]] = {}
    for file in files:
        first = file[0]
        studies.setdefault((first.study,) if first.study else first.place, []).append(file)
    return studies.values()


@dataclass(frozen=True, slots=True)
class _Visit:
    """The files of one exam, its day, and the element of a header that says so."""

    files: list[File]
    date: datetime.date | None = None
    element: int = 0


def _order(visit: _Visit) -> tuple[datetime.date, str, str]:
    first = min(str(file[0].path) for file in visit.files)
    return visit.date or datetime.date.max, visit.files[0][0].study, first


def _visits(files: Sequence[File]) -> Iterator[_Visit]:
    """Part the files of one person into exams: by study, and by day.

    Without a study, images of one day are one exam; without a day too, those of one folder.
    """
    studies: dict[tuple[str, ...], list[File]] = {}
    for file in files:
        first = file[0]
        day = next((date for date in first.dates if date is not None), None)
        stand_in = first.place if day is None else (day.isoformat(),)
        studies.setdefault((first.study,) if first.study else ("", *stand_in), []).append(file)
    for members in studies.values():
        yield from _days(members)


def _days(files: list[File]) -> Iterator[_Visit]:
    """Part the files of one study by day: one StudyInstanceUID with two dates is two exams."""
    known = [n for file in files for n, date in enumerate(file[0].dates) if date is not None]
    if not known:
        yield _Visit(files)
        return
    element = min(known)
    days: dict[datetime.date, list[File]] = {}
    for file in files:
        if (date := file[0].dates[element]) is not None:
            days.setdefault(date, []).append(file)
    if element > 0:
        days = _past_midnight(days)
    undated = []
    for file in files:
        if file[0].dates[element] is not None:
            continue
        # Of several days, one has to be named; that of the only one needs not.
        own = set(days) & set(file[0].dates) if len(days) > 1 else set(days)
        if len(own) == 1:
            days[own.pop()].append(file)
        else:
            undated.append(file)
    for date, members in days.items():
        yield _Visit(members, date, element)
    if undated:
        yield _Visit(undated)


def _past_midnight(days: dict[datetime.date, list[File]]) -> dict[datetime.date, list[File]]:
    """Join days that follow each other, where only images and not the study have dates."""
    joined: dict[datetime.date, list[File]] = {}
    start = last = datetime.date.min
    for date in sorted(days):
        if date - last > _NEXT_DAY:
            start = date
        joined.setdefault(start, []).extend(days[date])
        last = date
    return joined
