"""A Dixon pair that is given by hand: one file or folder of fat, one of water."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from multifidus.data.flags import Flag
from multifidus.data.identity import Person, conflicts
from multifidus.data.image import Exam, Series, Weighting
from multifidus.errors import GeometryError, ReadError
from multifidus.io.bids.dataset import NO_SESSION
from multifidus.io.contrast import load_contrasts
from multifidus.io.grid import only
from multifidus.io.scan import scan
from multifidus.io.volume_files import is_volume, read_series
from multifidus.measuring.dixon_pairs import (
    NOT_PLAIN,
    describe_grid,
    on_grid_of,
    paired_by_hand,
    same_grids,
    shapes,
)

PAIR_BY = ("geometry", "index")


def dixon_exam(fat: Path, water: Path, pair_by: str, contrasts: Path | None) -> Exam:
    """Read a Dixon pair; parameters and errors as of :func:`multifidus.io.read.read_exam`."""
    if pair_by not in PAIR_BY:
        msg = f"pair_by is {pair_by!r}."
        raise ReadError(msg, remedy=f"Choose one of: {', '.join(PAIR_BY)}.")
    ours, theirs = (
        _one_image(path, wanted, contrasts)
        for path, wanted in ((fat, Weighting.DIXON_FAT), (water, Weighting.DIXON_WATER))
    )
    first, second = ours.series, theirs.series
    if first.uid == second.uid:
        msg = f"Fat and water are one and the same image: {fat}, {water}."
        raise ReadError(msg)
    differences = ours.differs_from(theirs)
    if differences:
        msg = f"Fat {fat} and water {water} are not of one exam: they differ in {differences}."
        raise ReadError(msg, remedy="Give the fat and the water image of one acquisition.")
    flags: tuple[Flag, ...] = ()
    if not same_grids(first, second):
        if pair_by != "index" or shapes(first) != shapes(second):
            msg = (
                f"Fat and water lie on different grids. Fat {fat}: {describe_grid(first)}. "
                f"Water {water}: {describe_grid(second)}."
            )
            remedy = "If they are one acquisition with a damaged header, pair them by index."
            raise GeometryError(msg, remedy=remedy)
        flags = (Flag.GRID_PAIRED_BY_INDEX,)
        second = on_grid_of(first, second)
    subject = first.entities.subject or second.entities.subject or "subject-1"
    session = first.entities.session or second.entities.session or NO_SESSION
    return Exam(subject, session, paired_by_hand(first, second, flags))


@dataclass(frozen=True, slots=True)
class _Image:
    """One half of a pair given by hand, and what is known of whose it is and when it was made."""

    series: Series
    person: Person = field(default=Person())
    date: datetime.date | None = None

    def differs_from(self, other: _Image) -> str:
        """Say in what the two are of two exams; empty where nothing is against one."""
        days = {self.date, other.date} - {None}
        return ", ".join(
            (
                *self.series.entities.differs_from(other.series.entities),
                *conflicts(self.person, other.person),
                *(["date"] if len(days) > 1 else []),
            )
        )


def _one_image(path: Path, wanted: Weighting, contrasts: Path | None) -> _Image:
    """Read one half of a pair; a header may be silent about it, but not say something else."""
    if is_volume(path):
        found = _Image(only(read_series(path, load_contrasts(contrasts)), path))
    else:
        scanned = scan(path, contrasts=contrasts).or_refuse(str(path))
        held = [(exam, series) for exam in scanned.exams for series in exam.series]
        if len(held) != 1:
            msg = f"Expected one series in {path}, found {len(held)}."
            raise ReadError(msg)
        exam, series = held[0]
        # Where a file of a volume lies is no fact about a person.
        of_volume = exam.subject in scanned.in_order
        person = Person() if of_volume else scanned.people[exam.subject, exam.timepoint]
        found = _Image(series, person, exam.date)
    series = found.series
    if series.weighting in NOT_PLAIN - {wanted}:
        msg = f"{path} is given as {wanted}, and its header says {series.weighting}."
        raise ReadError(msg, remedy="Check which file is the fat image and which the water image.")
    return found
