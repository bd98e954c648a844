"""Reading exams, whatever format they are in."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

from multifidus.data.flags import Flag
from multifidus.data.identity import Person, all_conflicts, conflicts
from multifidus.data.image import Exam, Series, Weighting
from multifidus.errors import GeometryError, ReadError
from multifidus.io.bids.dataset import NO_SESSION
from multifidus.io.contrast import load_contrasts
from multifidus.io.grid import only
from multifidus.io.scan import scan
from multifidus.io.scan_result import Scan
from multifidus.io.volume_files import is_volume, read_series
from multifidus.measuring.dixon_pairs import (
    NOT_PLAIN,
    describe_grid,
    on_grid_of,
    paired_by_hand,
    same_grids,
    shapes,
)


def read_exams(path: str | Path, contrasts: Path | None = None) -> tuple[Exam, ...]:
    """Read every exam under a file or folder of DICOM, NIfTI, NRRD or MetaImage.

    Subjects and timepoints get neutral numbers, those of BIDS names their labels; names and
    identifiers are not kept. Pixels are read when they are first asked for. Use :func:`scan` to
    learn what was skipped.

    Parameters
    ----------
    path
        File or folder.
    contrasts
        As of :func:`scan`.

    Raises
    ------
    ReadError
        If the path does not exist or holds no image that can be measured.
    """
    return scan(path, contrasts=contrasts).or_refuse(str(path)).exams


def read_exam(
    *paths: str | Path,
    fat: str | Path | None = None,
    water: str | Path | None = None,
    pair_by: str = "geometry",
    contrasts: Path | None = None,
) -> Exam:
    """Read one exam, or a Dixon pair given by hand.

    Parameters
    ----------
    paths
        Files or folders that together hold one exam.
    fat, water
        The two images of a Dixon pair, each a file of one volume or a folder of one DICOM series.
    pair_by
        ``geometry``: the two grids must agree. ``index``: equal shapes are paired pixel by pixel
        on the fat image's grid and flagged ``grid_paired_by_index``.
    contrasts
        As of :func:`scan`.

    Raises
    ------
    ReadError
        If there is not exactly one exam, or one image of a pair is missing.
    GeometryError
        If the grids of a pair disagree; names both.
    """
    if fat is not None or water is not None:
        if fat is None or water is None or paths:
            msg = "A Dixon pair is given as both fat and water, and nothing else."
            raise ReadError(msg)
        return dixon_exam(Path(fat), Path(water), pair_by, contrasts)
    where = ", ".join(map(str, paths))
    scanned = scan(*paths, contrasts=contrasts).or_refuse(where)
    _check_each(paths, scanned)
    found = scanned.exams
    if len(found) == 1:
        return _named_alike(found[0], where)
    # Files by hand are one exam unless their names say otherwise; most say nothing.
    named = {(exam.subject, exam.timepoint): exam for exam in found if exam.identity}
    if len(named) <= 1 and all(is_volume(Path(path)) for path in paths):
        who = next(iter(named.values()), found[0])
        series = tuple(item for exam in found for item in exam.series)
        return _named_alike(replace(who, series=series), where)
    names = ", ".join(f"{exam.subject} {exam.timepoint}" for exam in found)
    facts = all_conflicts(scanned.people[exam.subject, exam.timepoint] for exam in found)
    why = f" They differ in: {', '.join(facts)}." if facts else ""
    doubts = "".join(f" {problem.message}" for problem in scanned.problems)
    msg = f"Expected one exam in {where}, found {len(found)}: {names}.{why}{doubts}"
    raise ReadError(msg, remedy="Give each exam's folder alone, or a cohort.csv.")


def _named_alike(exam: Exam, where: str) -> Exam:
    """Return an exam unless the names of its files say that it is several.

    Raises
    ------
    ReadError
        If they do: outside of BIDS, files are put together whatever their names.
    """
    for one, other in combinations(dict.fromkeys(series.entities for series in exam.series), 2):
        differences = one.differs_from(other)
        if differences:
            what = ", ".join(differences)
            msg = f"The images in {where} are of several exams; their names differ in: {what}."
            raise ReadError(msg, remedy="Give each exam's files alone, or a cohort.csv.")
    return exam


def _check_each(paths: Sequence[str | Path], found: Scan) -> None:
    """Refuse what was asked for by name and holds no image.

    Raises
    ------
    ReadError
        If one of the paths holds no image that can be measured.
    """
    if len(paths) == 1:
        return
    read = {path for exam in found.exams for path in found.paths_of(exam)}
    held = {place for path in read for place in (path, found.archive_of(path), *path.parents)}
    why = {item.path: item.reason for item in found.skipped}
    for path in map(Path, paths):
        if path not in held:
            msg = f"No image to measure in {path}: {why.get(path, 'nothing there was read')}"
            raise ReadError(msg, remedy="Leave it out, or give its folder.")


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
