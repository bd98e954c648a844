"""A cohort, case by case: one that fails never stops the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from multifidus.data.cohort import Case
from multifidus.data.image import Exam
from multifidus.data.measurement import Measurements
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet, is_invented, join, merge
from multifidus.errors import LevelError, MultifidusError, RoiError
from multifidus.io.files import name_from
from multifidus.io.outlines import read_rois
from multifidus.io.read import read_exam
from multifidus.measuring.pipeline import ExamCalibration, measure_calibrated
from multifidus.measuring.shared_levels import with_shared_levels


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A case that was measured, with what was measured on.

    Its rows carry the columns of the cohort table that pass through to the results.
    """

    case: Case
    exam: Exam
    rois: RoiSet
    rows: Measurements
    calibration: ExamCalibration


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that was not, and why."""

    case: Case
    error: str
    message: str
    remedy: str


ReadExam = Callable[[Sequence[Path], Path | None], Exam]
"""Reads the one exam that some files are of, by a table of contrasts of the user's own or none."""


def _read_exam(images: Sequence[Path], contrasts: Path | None) -> Exam:
    return read_exam(*images, contrasts=contrasts)


def measure_cases(
    cases: Sequence[Case],
    protocol: MeasurementProtocol,
    contrasts: Path | None = None,
    read: ReadExam = _read_exam,
) -> Iterator[Measured | Failure]:
    """Measure cases one after another, each read when its turn comes."""
    for case in cases:
        try:
            yield measure_case(case, protocol, contrasts, read)
        except MultifidusError as error:
            yield _failure(case, error, error.message, error.remedy)
        except MemoryError as error:
            message = "It takes more memory than it may use."
            remedy = "Measure with fewer processes (--jobs), or allow more memory (--memory)."
            yield _failure(case, error, message, remedy)
        except Exception as error:  # noqa: BLE001 - the one place: record it, and go on
            remedy = "This is a fault of multifidus; please report it with this message."
            yield _failure(case, error, str(error), remedy)


def _failure(case: Case, error: Exception, message: str, remedy: str) -> Failure:
    """Record why a case failed, with files named as the table names them.

    Where a study lies on a machine is nobody's business who reads its results, and folders may be
    named after persons.
    """
    named = named_from_table(case)
    return Failure(case, type(error).__name__, named(message), named(remedy))


def named_from_table(case: Case) -> Callable[[str], str]:
    """Return what names files in a text as the case's table does; of a case by hand, as it is."""
    folder = case.folder
    if folder is None:
        return lambda text: text
    names: dict[str, str] = {}
    for path in (*case.images, *case.outlines, *case.landmarks):
        short = name_from(path, folder)
        names |= {str(path): short, str(path.resolve()): short}
    # What was found below them, or beside them.
    names |= {f"{place}{os.sep}": "" for place in {folder.resolve(), folder.absolute()}}
    if folder != Path():
        names[f"{folder}{os.sep}"] = ""
    longest = sorted(names, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest)))
    return lambda text: pattern.sub(lambda found: names[found[0]], text)


def measure_case(
    case: Case,
    protocol: MeasurementProtocol,
    contrasts: Path | None = None,
    read: ReadExam = _read_exam,
) -> Measured:
    """Read and measure one case.

    Raises
    ------
    MultifidusError
        If its images or outlines cannot be read, or do not belong together.
    """
    by = case.reading
    exam = replace(
        read(case.images, contrasts),
        subject=by.subject,
        timepoint=by.timepoint,
        clinical=case.clinical,
    )
    if not case.outlines:
        msg = f"No outlines are named for {by}."
        raise RoiError(msg, remedy="Fill the outlines column, or draw them first.")
    return measure_exam(exam, read_outlines(case, exam), protocol, case)


def measure_exam(exam: Exam, rois: RoiSet, protocol: MeasurementProtocol, case: Case) -> Measured:
    """Measure outlines that were already read."""
    measured, calibration = measure_calibrated(exam, rois, protocol)
    rows = (replace(row, extra=case.extra) for row in measured)
    return Measured(case, exam, rois, Measurements(tuple(rows)), calibration)


def read_outlines(case: Case, exam: Exam) -> RoiSet:
    """Read a case's outline files as one set, under the case's own names.

    Raises
    ------
    RoiError
        If a file says that it is of another subject, timepoint, rater or reading.
    LevelError
        If its levels are not those that the cohort says raters share.
    """
    sets = _read_files(case, exam)
    if case.is_unnamed:
        return merge(sets)
    wanted = case.reading
    for path, rois in zip(case.outlines, sets, strict=True):
        for found in sorted({roi.key.reading for roi in rois} | {rois.reading}):
            # A file that names no rater, such as a label map, does not count readings either.
            names = ("subject", "timepoint", "rater", *(("reading",) if found.rater else ()))
            _check_names(wanted, found, names, path)
            wanted = replace(wanted, rater=wanted.rater or found.rater)
    rois = merge([found.read_by(wanted) for found in sets])
    return _share_levels(rois, case, exam) if case.landmarks else rois


def read_by_reading(
    case: Case, exam: Exam, rater: str = "", number: int | None = None
) -> tuple[RoiSet, ...]:
    """Read outline files given by hand, as one set a reading: landmarks and levels are its own.

    A file that holds landmarks or levels alone serves every reading; outlines that name no rater,
    such as a label map, join the only one.

    Parameters
    ----------
    case
        The files.
    exam
        The exam they were drawn on.
    rater, number
        Whose reading outlines are that name no rater.

    Raises
    ------
    RoiError
        If outlines do not fit the exam, two have one key, files are of several subjects or
        timepoints, or outlines that name nobody could be of several readings.
    """
    files = _read_files(case, exam)
    wanted = _names_of(case, files)
    sets = join([_under(found, wanted) for found in files], rater, number)
    common: list[RoiSet] = []
    groups: dict[Reading, list[RoiSet]] = {}
    for rois in sets:
        reading = _reading_of(rois)
        if rois.rois or rois.not_measurable or rois.grades:
            groups.setdefault(reading, []).append(rois)
        else:
            common.append(rois)
    return tuple(merge([*members, *common]) for members in groups.values()) or (merge(common),)


def _read_files(case: Case, exam: Exam) -> list[RoiSet]:
    schemes = zip(case.outlines, case.label_schemes, strict=True)
    return [read_rois(path, exam, labels=labels, series=case.series) for path, labels in schemes]


def _reading_of(rois: RoiSet) -> Reading:
    return rois.rois[0].key.reading if rois.rois else rois.reading


def _names_of(case: Case, sets: Sequence[RoiSet]) -> Reading:
    """Return the subject and timepoint that files name: one exam has one, whoever reads it."""
    wanted = case.reading
    for path, rois in zip(case.outlines, sets, strict=True):
        found = _reading_of(rois)
        _check_names(wanted, found, ("subject", "timepoint"), path)
        subject, timepoint = (
            ours or ("" if is_invented(theirs) else theirs)
            for ours, theirs in (
                (wanted.subject, found.subject),
                (wanted.timepoint, found.timepoint),
            )
        )
        wanted = replace(wanted, subject=subject, timepoint=timepoint)
    return wanted


def _under(rois: RoiSet, names: Reading) -> RoiSet:
    """Give outlines of a neutral name the real one of the files beside them."""
    found = _reading_of(rois)
    real = replace(
        found,
        subject=names.subject if is_invented(found.subject) and names.subject else found.subject,
        timepoint=(
            names.timepoint if is_invented(found.timepoint) and names.timepoint else found.timepoint
        ),
    )
    if real == found:
        return rois
    return replace(rois.read_by(real), is_unattributed=rois.is_unattributed)


def _share_levels(rois: RoiSet, case: Case, exam: Exam) -> RoiSet:
    sets = [read_rois(path, exam) for path in case.landmarks]
    for path, found in zip(case.landmarks, sets, strict=True):
        _check_names(case.reading, found.reading, ("subject", "timepoint"), path, what="levels")
    shared = merge(sets)
    try:
        return with_shared_levels(rois, shared, exam)
    except LevelError as error:
        ours, theirs = (", ".join(map(str, paths)) for paths in (case.outlines, case.landmarks))
        msg = f"{ours}, with levels shared in {theirs}: {error.message}"
        raise LevelError(msg, remedy=error.remedy) from error


def _check_names(
    wanted: Reading, found: Reading, names: Sequence[str], path: Path, *, what: str = "outlines"
) -> None:
    for name in names:
        ours, theirs = getattr(wanted, name), getattr(found, name)
        # A neutral number for what has no name identifies nobody.
        if ours and theirs and ours != theirs and not is_invented(str(theirs)):
            msg = f"{path} holds {what} of {name} {theirs!r}, not {ours!r}."
            raise RoiError(msg, remedy="Check which file belongs to this case.")


def case_of(
    images: Sequence[Path],
    outlines: Sequence[Path],
    labels: str | None,
    series: str | None = None,
) -> Case:
    """Make a case of files given by hand; names are taken from the outline files."""
    return Case(Reading(), tuple(images), tuple(outlines), labels, series=series)
