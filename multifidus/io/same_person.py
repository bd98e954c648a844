"""Whether two exams are of one person: facts that are known of both, and agree.

One identifier decides nothing: de-identification writes one into everybody. Names and birth dates
are compared by their hashes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from multifidus.data.identity import Person, all_conflicts, are_one, merge_people
from multifidus.data.image import Exam
from multifidus.errors import ReadError
from multifidus.io.scan import scan


@dataclass(frozen=True, slots=True, eq=False)
class KnownExam:
    """An exam and what its files say about whose it is.

    Attributes
    ----------
    people
        One of each part that was read on its own.
    paths
        Its files.
    """

    exam: Exam
    people: tuple[Person, ...] = field(default=(), repr=False)
    paths: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def slice_uids(self) -> frozenset[str]:
        """Tell its slices from those of others."""
        return frozenset(item.uid for series in self.exam.series for item in series.slices)

    def is_one_with(self, other: KnownExam) -> bool:
        """Whether the two are one and the same exam: the same files, or all the same slices."""
        same_files = bool(self.paths) and set(self.paths) == set(other.paths)
        return same_files or self.slice_uids == other.slice_uids


def known_exams(*paths: Path) -> tuple[KnownExam, ...]:
    """Read every exam under paths, with what is known of its person.

    Raises
    ------
    ReadError
        If a path does not exist, or there is no exam.
    """
    found = scan(*paths).or_refuse(", ".join(path.name for path in paths))
    return tuple(
        KnownExam(
            exam,
            (found.people[exam.subject, exam.timepoint],)
            if (exam.subject, exam.timepoint) in found.people
            else (),
            found.paths_of(exam),
        )
        for exam in found.exams
    )


def refuse_other_person(one: KnownExam, other: KnownExam, *, listed_as_one: bool = False) -> None:
    """Refuse two exams unless they are of one person, and two exams.

    Parameters
    ----------
    one, other
        The exams.
    listed_as_one
        Whether a cohort table says that they are one subject's; then nothing known may differ, and
        nothing else need be known.

    Raises
    ------
    ReadError
        If a fact differs, too little is known of them, or they are one and the same exam.
    """
    if one.is_one_with(other):
        msg = "That is the exam that is open."
        raise ReadError(msg, remedy="Choose another exam of the same subject.")
    differing = [str(fact) for fact in all_conflicts((*one.people, *other.people))]
    if not listed_as_one:
        differing += _names_apart(one.exam, other.exam)
    if differing:
        msg = f"The other exam is of another person: they differ in {', '.join(differing)}."
        raise ReadError(msg, remedy="Choose an exam of the same subject.")
    if listed_as_one or _agree(one.people, other.people) or _same_name(one.exam, other.exam):
        return
    msg = (
        "Too little tells that both exams are of one person: of PatientID, name and birth date, "
        "two must be known of both, and be no placeholder."
    )
    raise ReadError(msg, remedy="List both as one subject's in a cohort.csv, and open that.")


def _agree(ours: tuple[Person, ...], theirs: tuple[Person, ...]) -> bool:
    return bool(ours and theirs) and are_one(merge_people(ours), merge_people(theirs))


def _names_apart(one: Exam, other: Exam) -> list[str]:
    """Say in what the BIDS names of two exams differ; sessions may."""
    pairs = (
        (replace(ours.entities, session=""), replace(theirs.entities, session=""))
        for ours in one.series
        for theirs in other.series
    )
    return sorted({words for ours, theirs in pairs for words in ours.differs_from(theirs)})


def _same_name(one: Exam, other: Exam) -> bool:
    """Whether both have one subject's label of one BIDS dataset."""
    ours, theirs = (_labels(exam) for exam in (one, other))
    return len(ours) == 1 and ours == theirs


def _labels(exam: Exam) -> set[tuple[str, Path]]:
    named: Iterable[tuple[str, Path | None]] = (
        (series.entities.subject, series.entities.dataset) for series in exam.series
    )
    return {(subject, place) for subject, place in named if subject and place is not None}
