"""Reading exams, whatever format they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from multifidus.data.identity import all_conflicts
from multifidus.data.image import Exam
from multifidus.errors import ReadError
from multifidus.io.dixon_by_hand import dixon_exam
from multifidus.io.scan import scan
from multifidus.io.scan_result import Scan
from multifidus.io.volume_files import is_volume


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
    if len(named) <= 1 and _is_all_volumes(paths):
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


def _is_all_volumes(paths: Sequence[str | Path]) -> bool:
    return all(is_volume(Path(path)) for path in paths)
