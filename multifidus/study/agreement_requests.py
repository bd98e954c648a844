"""What the command line was asked to compare, outline by outline: files, or a cohort."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from multifidus.data.cohort import Case
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet, is_invented
from multifidus.errors import CohortError, MultifidusError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.outlines import read_rois
from multifidus.io.outlines_json import read_outlines as read_native
from multifidus.io.read import read_exam
from multifidus.measuring.agreement.outlines import OutlinePair, compare_outlines
from multifidus.study.batch import named_from_table, read_outlines


@dataclass(slots=True)
class Compared:
    """Pairs of outlines, those without a counterpart, exams that failed; how a table was read."""

    pairs: list[OutlinePair] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    remarks: tuple[str, ...] = ()


def compare_files(
    outlines: Sequence[Path],
    images: Sequence[Path] = (),
    labels: str | None = None,
    *,
    series: str | None = None,
) -> Compared:
    """Compare outline files of one exam; what names no rater is called by its place.

    Raises
    ------
    CohortError
        If there is one file only.
    MultifidusError
        If a file cannot be read, or they are not of one exam.
    """
    if len(outlines) < 2:  # noqa: PLR2004 - a comparison needs two
        msg = "There is one outline file only."
        raise CohortError(msg, remedy="Give those of two readings, or a cohort.csv.")
    exam = read_exam(*images) if images else None
    sets = [
        _named(
            read_native(path)
            if exam is None
            else read_rois(path, exam, labels=labels, series=series),
            place,
        )
        for place, path in enumerate(outlines, 1)
    ]
    pairs, problems = compare_outlines(_under_real_names(sets), exam)
    return Compared(pairs, problems)


def _named(rois: RoiSet, place: int) -> RoiSet:
    reading = rois.rois[0].key.reading if rois.rois else rois.reading
    return rois.read_by(replace(reading, rater=reading.rater or f"file {place}"))


def _under_real_names(sets: Sequence[RoiSet]) -> list[RoiSet]:
    """Give what has a neutral name for want of one the real name of the others, if they agree."""
    subject, timepoint = (
        _real_name({getattr(rois.reading, name) for rois in sets})
        for name in ("subject", "timepoint")
    )
    return [rois.read_by(_named_after(rois.reading, subject, timepoint)) for rois in sets]


def _real_name(words: Iterable[str]) -> str:
    real = [word for word in words if word and not is_invented(word)]
    return real[0] if len(real) == 1 else ""


def _named_after(by: Reading, subject: str, timepoint: str) -> Reading:
    return replace(
        by,
        subject=subject if subject and is_invented(by.subject) else by.subject,
        timepoint=timepoint if timepoint and is_invented(by.timepoint) else by.timepoint,
    )


def compare_cohort(path: Path) -> Compared:
    """Compare the readings of every exam of a cohort; one that fails does not stop the rest.

    Raises
    ------
    CohortError
        If the table is malformed, or no exam has two readings.
    """
    exams: dict[tuple[str, str], list[Case]] = {}
    cohort = read_cohort(path)
    for case in cohort.cases:
        if case.outlines:
            key = (case.reading.subject, case.reading.timepoint)
            exams.setdefault(key, []).append(case)
    several = {key: cases for key, cases in exams.items() if len(cases) > 1}
    if not several:
        msg = f"{path} lists no exam with the outlines of two readings."
        raise CohortError(msg, remedy="Give each reading a row with its rater and outlines.")
    done = Compared(remarks=cohort.remarks)
    for (subject, timepoint), cases in several.items():
        try:
            exam = read_exam(*cases[0].images)
            sets = [_named(read_outlines(case, exam), n) for n, case in enumerate(cases, 1)]
            pairs, problems = compare_outlines(sets, exam)
        except MultifidusError as error:
            done.failures.append(f"{subject} {timepoint}: {_named_from_table(error, cases)}")
            continue
        done.pairs += pairs
        done.problems += problems
    return done


def _named_from_table(error: MultifidusError, cases: Sequence[Case]) -> str:
    """Return what is wrong, with files named as the cohort's table names them."""
    text = str(error)
    for case in cases:
        text = named_from_table(case)(text)
    return text
