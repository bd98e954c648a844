"""A research study: subjects x timepoints x raters, and where their files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from multifidus.data.clinical import UNKNOWN, Clinical
from multifidus.data.columns import check_extra
from multifidus.data.frozen_dict import NOTHING
from multifidus.data.roi import Reading
from multifidus.errors import CohortError


@dataclass(frozen=True, slots=True)
class Case:
    """One exam read by one rater once: one row of a cohort table.

    Parameters
    ----------
    reading
        Subject, timepoint, rater and reading; the rater may be empty.
    images, outlines
        Files or folders.
    labels
        Label scheme of outlines that are label maps.
    extra
        Whatever else the table says; passes through to the results.
    clinical
        What of it enters measurements.
    landmarks
        Files of landmarks and levels that all raters of the exam share; empty where each rater
        sets them.
    folder
        Where the table lies that names the case; None where it was given by hand. Messages
        about it name files relative to there.
    series
        Which series label maps were drawn on, or outlines that are found by their place alone:
        number, UID or weighting; None where only one fits.
    line
        Of the table; None where it is not known.

    Raises
    ------
    CohortError
        If another column of the table has the name of a column of the results.
    """

    reading: Reading
    images: tuple[Path, ...]
    outlines: tuple[Path, ...] = ()
    labels: str | None = None
    extra: Mapping[str, str] = NOTHING
    clinical: Clinical = UNKNOWN
    landmarks: tuple[Path, ...] = ()
    folder: Path | None = None
    series: str | None = None
    line: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_extra(self.extra)

    @property
    def subject(self) -> str:
        """Whose exam it is."""
        return self.reading.subject

    @property
    def timepoint(self) -> str:
        """Which of the subject's exams it is."""
        return self.reading.timepoint

    @property
    def is_unnamed(self) -> bool:
        """Whether it was given by hand, so that its files say whose reading it is."""
        return not self.reading.subject

    @property
    def label_schemes(self) -> tuple[str | None, ...]:
        """The label scheme of each outline file: one for all of them, or one each.

        Raises
        ------
        CohortError
            If there are several, and not one for each outline file.
        """
        schemes = [part.strip() or None for part in (self.labels or "").split(";")]
        if len(schemes) == 1:
            return (*schemes,) * len(self.outlines)
        if len(schemes) != len(self.outlines):
            msg = f"{len(schemes)} labels stand beside {len(self.outlines)} outlines."
            raise CohortError(msg, remedy="Name one for all of them, or one for each, in order.")
        return tuple(schemes)


@dataclass(frozen=True, slots=True)
class Cohort:
    """Cases, each with a reading of its own.

    Parameters
    ----------
    cases
        In the order of the table.
    remarks
        How the table was read, and what about its names may be a mistake.

    Raises
    ------
    CohortError
        If there is no case, two cases are of one reading, or raters of one exam do not share the
        same landmarks.
    """

    cases: tuple[Case, ...]
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.cases:
            msg = "The cohort has no cases."
            raise CohortError(msg)
        seen: set[Reading] = set()
        for case in self.cases:
            if case.reading in seen:
                msg = f"The cohort lists {case.reading} twice."
                raise CohortError(msg, remedy="Give each row another rater or reading.")
            seen.add(case.reading)
        shared: dict[tuple[str, str], tuple[Path, ...]] = {}
        for case in self.cases:
            exam = case.reading.subject, case.reading.timepoint
            if shared.setdefault(exam, case.landmarks) != case.landmarks:
                msg = f"Not all rows of subject {exam[0]}, timepoint {exam[1]} name one landmarks."
                remedy = "Raters of an exam share the same landmarks, or each sets their own."
                raise CohortError(msg, remedy=remedy)


HEIGHTS_APART_CM = 5.0
"""No adult's height changes by more between exams; it is measured to 1 or 2 cm."""


def heights_apart(cohort: Cohort) -> tuple[str, ...]:
    """Report subjects whose heights differ by more than an adult's can, a sentence each."""
    heights: dict[str, list[tuple[float, str]]] = {}
    for case in cohort.cases:
        if case.clinical.height_cm is not None:
            height = case.clinical.height_cm, case.timepoint
            heights.setdefault(case.subject, []).append(height)
    sentences = []
    for subject, found in heights.items():
        (low, first), (high, last) = min(found), max(found)
        if high - low > HEIGHTS_APART_CM:
            sentences.append(
                f"Heights of {subject} differ by {high - low:g} cm ({low:g} in the row of {first}, "
                f"{high:g} in that of {last}), more than an adult's can: check the columns "
                "height_cm and subject."
            )
    return tuple(sentences)


def shared_images(cohort: Cohort) -> tuple[tuple[Path, tuple[str, ...]], ...]:
    """Find images that are given to several exams: a file, or a folder that holds another's.

    Returns
    -------
    tuple
        Each path as it was given, and to whom: the subjects, or of one subject the timepoints.
    """
    given: dict[Path, tuple[Path, set[tuple[str, str]]]] = {}
    for case in cohort.cases:
        for path in case.images:
            _, exams = given.setdefault(path.resolve(), (path, set()))
            exams.add((case.reading.subject, case.reading.timepoint))
    found = []
    for place, (path, exams) in given.items():
        above = (given[folder][1] for folder in place.parents if folder in given)
        owners = exams.union(*above)
        if len(owners) > 1:
            subjects = sorted({subject for subject, _ in owners})
            times = sorted(f"{subject} {timepoint}" for subject, timepoint in owners)
            found.append((path, tuple(subjects if len(subjects) > 1 else times)))
    return tuple(found)
