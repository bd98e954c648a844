"""A rater's reading list: exams in random order, some of them read again later, and its file.

With the sentences for a paper's Methods about how exams were read, and what blinding was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from multifidus.data.cohort import Cohort
from multifidus.data.roi import Reading
from multifidus.errors import CohortError
from multifidus.io.json_documents import DocumentKind, read_document, write_document
from multifidus.io.outlines_json import file_name, in_file_name
from multifidus.reading.randomisation import draw

APART_DAYS = 14
"""Days between two readings of one exam by one rater, unless the study says otherwise."""

CONSENSUS = "consensus"
"""The rater that adjudicated outlines are of."""


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """In which order a rater reads.

    Parameters
    ----------
    rater
        Whose list it is.
    seed
        Of the random order.
    entries
        One reading after another; the second of an exam stands behind its first.
    apart_days
        Days that have to pass between two readings of one exam.
    """

    rater: str
    seed: int
    entries: tuple[Reading, ...] = ()
    apart_days: int = APART_DAYS

    def __post_init__(self) -> None:
        if self.apart_days < 0:
            msg = f"Readings of one exam lie days apart, got {self.apart_days}."
            raise CohortError(msg)
        if len(set(self.entries)) != len(self.entries):
            msg = f"The reading list of {self.rater} names a reading twice."
            raise CohortError(msg)

    @property
    def repeats(self) -> int:
        """How many entries read an exam again."""
        exams = {(entry.subject, entry.timepoint) for entry in self.entries}
        return len(self.entries) - len(exams)


def readings_of(cohort: Cohort, rater: str) -> tuple[Reading, ...]:
    """Return the readings that a cohort wants of a rater.

    Those of the rows that name the rater, or nobody; where no row does, one of every exam, as
    when the table names others.
    """
    own = [case.reading for case in cohort.cases if case.reading.rater in {rater, ""}]
    wanted = own or [replace(case.reading, reading=1) for case in cohort.cases]
    return tuple(dict.fromkeys(replace(by, rater=rater) for by in wanted))


def extend(plan: ReadingPlan, wanted: Iterable[Reading], repeats: int | None = None) -> ReadingPlan:
    """Append readings that a plan lacks, in random order; what it holds stays as it is.

    Parameters
    ----------
    plan
        So far; empty at first.
    wanted
        As :func:`readings_of` returns them.
    repeats
        How many exams are read once more, drawn by the seed; as many as there are if None.

    Raises
    ------
    CohortError
        If there are fewer exams than repeats, or the plan has more already.
    """
    new = [by for by in wanted if by not in plan.entries]
    firsts = sorted((by for by in new if by.reading == 1), key=lambda by: _draw(plan, "order", by))
    # A second reading that the table itself asks for is placed as any repeat is.
    again = [by for by in new if by.reading != 1]
    again += _drawn_again(plan, firsts, again, repeats)
    place = {_exam(by): n for n, by in enumerate(firsts)}
    slots = [(float(n), 0, by) for n, by in enumerate(firsts)]
    for by in again:
        # Not before the second half, so that most of the days between go by with other exams.
        earliest = max(place.get(_exam(by), -1) + 1, len(firsts) // 2)
        slot = earliest + _draw(plan, "slot", by) * (len(firsts) - earliest)
        slots.append((slot, by.reading, by))
    entries = (*plan.entries, *(by for *_, by in sorted(slots)))
    _check_names(entries)
    return replace(plan, entries=entries)


def _drawn_again(
    plan: ReadingPlan, firsts: Sequence[Reading], again: Sequence[Reading], repeats: int | None
) -> list[Reading]:
    """Choose the exams of which one more reading is wanted."""
    have = plan.repeats + len(again)
    if repeats is None or repeats == have:
        return []
    if repeats < have:
        msg = f"The reading list of {plan.rater} has {have} repeat readings already, not {repeats}."
        raise CohortError(msg, remedy="A list is never shortened; leave out --repeats.")
    number = dict.fromkeys(map(_exam, (*plan.entries, *firsts)), 1)
    for by in (*plan.entries, *again):
        number[_exam(by)] = max(number.get(_exam(by), 1), by.reading)
    once = [exam for exam, last in number.items() if last == 1]
    if repeats - have > len(once):
        msg = f"{repeats - have} exams are to be read once more, and {len(once)} are read once."
        raise CohortError(msg, remedy="Ask for fewer --repeats.")
    chosen = sorted(once, key=lambda exam: draw(plan.seed, plan.rater, "again", *exam))
    return [Reading(*exam, plan.rater, 2) for exam in chosen[: repeats - have]]


def _draw(plan: ReadingPlan, what: str, by: Reading) -> float:
    return draw(plan.seed, plan.rater, what, by.subject, by.timepoint, by.reading)


def _exam(by: Reading) -> tuple[str, str]:
    return by.subject, by.timepoint


def _check_names(entries: Iterable[Reading]) -> None:
    """Refuse readings whose files would have one name, on any system."""
    named: dict[str, Reading] = {}
    for by in entries:
        other = named.setdefault(file_name(by).casefold(), by)
        if other != by:
            msg = f"The outlines of {by} and of {other} would go to one file."
            raise CohortError(msg, remedy="Rename one subject or timepoint.")


KIND = DocumentKind(
    "a reading list",
    "multifidus-reading-list",
    remedy="Take it from a backup; do not mend it by hand.",
)
LIST_SUFFIX = ".readings.json"


@dataclass(frozen=True, slots=True)
class ReadingList:
    """What a rater is to read, under the names that the rater's files have.

    Parameters
    ----------
    rater
        Whose list it is.
    entries
        In order; where the list is blinded, codes stand for subjects.
    apart_days
        Days between two readings of one exam.
    blinded
        Whether codes stand for subjects.
    seed
        Of the order; None where it is blinded, since whoever knows it can make the codes again.
    """

    rater: str
    entries: tuple[Reading, ...]
    apart_days: int
    blinded: bool = False
    seed: int | None = None


def list_path(folder: Path, rater: str) -> Path:
    """Name the list of a rater in a folder."""
    return folder / f"{in_file_name(rater)}{LIST_SUFFIX}"


def read_list(path: Path) -> ReadingList:
    """Read a reading list.

    Raises
    ------
    ReadError
        If it is damaged, something else, or of a newer version.
    """
    root = read_document(path, KIND)
    rater = root.get("rater", str)
    return ReadingList(
        rater,
        tuple(entry.reading(rater) for entry in root.nodes("entries")),
        root.get("apart_days", int),
        root.get("blinded", bool),
        root.get("seed", int) if root.has("seed") else None,
    )


def write_list(path: Path, listed: ReadingList) -> None:
    """Write a reading list, atomically.

    Raises
    ------
    MultifidusError
        If it cannot be written.
    """
    values = asdict(listed)
    # The rater is the list's own; entries stand last, for whoever looks into the file.
    entries = [asdict(by) for by in listed.entries]
    for entry in entries:
        del entry["rater"]
    del values["entries"]
    write_document(path, KIND, {**values, "entries": entries})


LIMITS = (
    "Blinding did not extend to what the images show: implants, scars, resected bone and text in "
    "the pixels tell an examination after surgery from one before."
)

BLINDED_LIST = (
    "Raters were blinded to subject, timepoint and side of surgery: they saw codes, another for "
    "each reading, and no outlines of other raters."
)


def methods(*, blinded: bool, repeats: int, apart_days: int) -> str:
    """Say how a list was read; to be put into Methods as it is.

    Examples
    --------
    >>> methods(blinded=False, repeats=0, apart_days=14)
    'Exams were read in random order. Raters were not blinded.'
    """
    words = ["Exams were read in random order."]
    if repeats:
        exams = "1 exam was" if repeats == 1 else f"{repeats} exams were"
        words.append(f"{exams} read a second time, at least {apart_days} days after the first.")
    if blinded:
        words += [BLINDED_LIST, LIMITS]
    else:
        words.append("Raters were not blinded.")
    return " ".join(words)
