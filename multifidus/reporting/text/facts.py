"""Facts for the Methods of a paper, as the tables hold them; what they do not hold is empty."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TypeVar

from multifidus.data.columns import COLUMNS
from multifidus.data.frozen_dict import NOTHING
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.roi import Reading
from multifidus.reporting.exam_numbers import along_the_spine
from multifidus.study.outline_counts import outlines_of

OwnColumns = Mapping[str, str]
"""What the rows of one exam, reading, subject or rater say in the study's own columns."""


@dataclass(frozen=True, slots=True)
class Range:
    """Least, median and largest of some numbers."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Range | None:
        """Return that of the finite numbers; None where there are none."""
        known = [number for number in numbers if math.isfinite(number)]
        return cls(min(known), float(median(known)), max(known)) if known else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tables say of how a study was made.

    Parameters
    ----------
    subjects, exams, readings
        How many were measured.
    raters
        Names, sorted; the unnamed one is empty.
    most_readings
        The most that one rater made of one exam.
    levels
        From cranial to caudal; without slices of unknown level.
    slices
        Outlined slices a level of a reading.
    tilt_deg, tilt_axes
        Absolute tilt of outlined slices, and against what it was measured.
    pixel_mm
        Side of a square of a pixel's area, of each slice.
    thresholds
        Of each fat method, as they were used.
    gaps_days
        From each timepoint to the next, of subjects that say when they were.
    surgery_days
        After surgery, by timepoint.
    reread_days, reading_minutes
        From a rater's first reading of an exam to a later one; how long a reading took.
    counts
        How many exams say what, by column; outlines for ``roi_rule`` and ``source``, readings for
        ``blinded`` and ``reading_list``, subjects for what describes them.
    versions, protocols
        Of the software and the settings; more than one is a doubt.
    blinding
        Readings by what ``reading_list`` and ``blinded`` say of them.
    of_raters
        What columns say of raters, by column and rater.
    not_read
        Columns of the cohort that hold something and that no sentence reads.
    """

    subjects: int
    exams: int
    readings: int
    raters: tuple[str, ...]
    most_readings: int
    levels: tuple[str, ...]
    slices: Range | None
    tilt_deg: Range | None
    tilt_axes: tuple[str, ...]
    pixel_mm: Range | None
    thresholds: Mapping[str, Range]
    gaps_days: Mapping[tuple[str, str], Range]
    surgery_days: Mapping[str, Range]
    reread_days: Range | None
    reading_minutes: Range | None
    counts: Mapping[str, Mapping[str, int]]
    versions: tuple[str, ...]
    protocols: tuple[str, ...]
    blinding: Mapping[tuple[str, str], int]
    of_raters: Mapping[str, Mapping[str, str]]
    not_read: tuple[str, ...]

    def blinded_by(self, name: str) -> int:
        """Count the readings of which a reading list of this name shows that they were blinded."""
        return sum(n for (found, _), n in self.blinding.items() if found == name)


OF_EXAMS = ("manufacturer", "model", "field_strength_t", "weighting", "sequence", "thickness_mm",
            "operated_levels", "operated_side")  # fmt: skip
"""Columns of a cohort table that the text speaks of where they are filled in."""

OF_OUTLINES = ("roi_rule", "source")

OF_READINGS = ("blinded", "reading_list")

OF_SUBJECTS = ("age", "age_years", "sex", "bmi", "height_cm", "weight_kg", "diagnosis", "group",
               "approach")  # fmt: skip
"""Columns of a cohort table that describe subjects."""

OF_RATERS = ("rater_experience", "rater_experience_years", "rater_profession")
"""Columns of a cohort table that describe raters."""

_READ = {
    *COLUMNS, *OF_EXAMS, *OF_OUTLINES, *OF_READINGS, *OF_SUBJECTS, *OF_RATERS, "order", "days",
    "date", "days_since_surgery", "surgery_date", "reread_after_days", "reading_minutes",
}  # fmt: skip


def facts_of(
    rows: Sequence[Measurement],
    timepoints: Sequence[str],
    by_headers: Mapping[tuple[str, str], OwnColumns] = NOTHING,
) -> Facts:
    """Gather the facts from what was measured.

    Parameters
    ----------
    rows
        With a row of ``tcsa_mm2`` for each outline.
    timepoints
        In order.
    by_headers
        What headers say of exams, where the cohort table does not.
    """
    outlines = list(outlines_of(rows).values())
    origins = [row.provenance for row in outlines]
    readings = _joined(rows, lambda by: (by.subject, by.timepoint, by.rater, str(by.reading)))
    told = _joined(rows, lambda by: (by.subject, by.timepoint))
    exams = {exam: {**by_headers.get(exam, {}), **said} for exam, said in told.items()}
    subjects = _joined(rows, lambda by: (by.subject,))
    raters = _joined(rows, lambda by: (by.rater,))
    per_rater = Counter(reading[:3] for reading in readings)
    return Facts(
        subjects=len(subjects),
        exams=len(exams),
        readings=len(readings),
        raters=tuple(sorted({reading[2] for reading in readings})),
        most_readings=max(per_rater.values(), default=0),
        levels=tuple(along_the_spine(origin.level for origin in origins if origin.level)),
        slices=Range.of(_slices(outlines)),
        tilt_deg=Range.of(abs(origin.tilt_deg) for origin in origins),
        tilt_axes=tuple(sorted({str(origin.tilt_axis) for origin in origins} - {""})),
        pixel_mm=Range.of(_pixels(rows)),
        thresholds=_thresholds(rows),
        gaps_days=_gaps(exams, timepoints),
        surgery_days=_after_surgery(exams, timepoints),
        reread_days=Range.of(number(said, "reread_after_days") for said in readings.values()),
        reading_minutes=Range.of(number(said, "reading_minutes") for said in readings.values()),
        counts={
            **{name: _counted(_text(s, name) for s in exams.values()) for name in OF_EXAMS},
            "roi_rule": _counted(origin.roi_rule for origin in origins),
            "source": _counted(origin.source or "" for origin in origins),
            **{name: _counted(_text(s, name) for s in readings.values()) for name in OF_READINGS},
            **{name: _counted(_text(s, name) for s in subjects.values()) for name in OF_SUBJECTS},
        },
        blinding=Counter(
            (_text(said, "reading_list"), _text(said, "blinded")) for said in readings.values()
        ),
        of_raters={
            name: {rater: text for (rater,), said in raters.items() if (text := _text(said, name))}
            for name in OF_RATERS
        },
        not_read=_not_read(rows),
        versions=tuple(sorted({row.provenance.version for row in rows} - {""})),
        protocols=tuple(sorted({row.provenance.protocol for row in rows} - {""})),
    )


def _text(said: OwnColumns, name: str) -> str:
    return said.get(name, "").strip()


def number(said: OwnColumns, name: str) -> float:
    """Read a cell; NaN where it is empty or no number."""
    try:
        return float(_text(said, name) or "nan")
    except ValueError:
        return math.nan


Whose = TypeVar("Whose")


def _joined(
    rows: Iterable[Measurement], whose: Callable[[Reading], Whose]
) -> dict[Whose, OwnColumns]:
    """Put together what the rows of one exam, reading, subject or rater say.

    Not all of its rows need say it; where they differ, all that they say stands there.
    """
    found: dict[Whose, dict[str, dict[str, None]]] = {}
    for row in rows:
        said = found.setdefault(whose(row.key.reading), {})
        for name, cell in row.extra.items():
            if text := cell.strip():
                said.setdefault(name, {})[text] = None
    return {
        key: {name: " / ".join(sorted(texts)) for name, texts in said.items()}
        for key, said in found.items()
    }


def _not_read(rows: Sequence[Measurement]) -> tuple[str, ...]:
    filled = {name for row in rows for name, text in row.extra.items() if text.strip()}
    names = dict.fromkeys(name for row in rows for name in row.extra)
    return tuple(name for name in names if name in filled and name not in _READ)


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, filter(None, words))).items()))


def _slices(outlines: Iterable[Measurement]) -> list[float]:
    places: dict[tuple[Reading, str], set[tuple[str, int | None]]] = {}
    for row in outlines:
        origin = row.provenance
        if origin.level:
            own = places.setdefault((row.key.reading, origin.level), set())
            own.add((origin.series, origin.slice_index))
    return [float(len(found)) for found in places.values()]


def _pixels(rows: Iterable[Measurement]) -> list[float]:
    """Area of a pixel from what was counted: pixels and the area that they make up."""
    counted = (row for row in rows if row.quantity == Quantity.TCSA_PIXEL_MM2)
    return [math.sqrt(row.value / row.n_pixels) for row in counted if row.n_pixels]


def _thresholds(rows: Iterable[Measurement]) -> dict[str, Range]:
    found: dict[str, list[float]] = {}
    for row in rows:
        used = row.parameters.get("threshold")
        if row.quantity == Quantity.FI_PCT and isinstance(used, (int, float)):
            found.setdefault(row.method, []).append(float(used))
    spreads = {method: Range.of(numbers) for method, numbers in sorted(found.items())}
    return {method: spread for method, spread in spreads.items() if spread is not None}


def _day(said: OwnColumns) -> float:
    """Return the day of an exam, counted from anywhere; NaN where the table does not say."""
    if _text(said, "days"):
        return number(said, "days")
    try:
        return float(datetime.date.fromisoformat(_text(said, "date")).toordinal())
    except ValueError:
        return math.nan


def _gaps(
    exams: Mapping[tuple[str, str], OwnColumns], timepoints: Sequence[str]
) -> dict[tuple[str, str], Range]:
    found = {}
    for before, after in pairwise(timepoints):
        gap = Range.of(
            _day(exams[subject, after]) - _day(said)
            for (subject, timepoint), said in exams.items()
            if timepoint == before and (subject, after) in exams
        )
        if gap is not None:
            found[before, after] = gap
    return found


def _after_surgery(
    exams: Mapping[tuple[str, str], OwnColumns], timepoints: Sequence[str]
) -> dict[str, Range]:
    found = {}
    for name in timepoints:
        days = Range.of(
            _since_surgery(said) for (_, timepoint), said in exams.items() if timepoint == name
        )
        if days is not None:
            found[name] = days
    return found


def _since_surgery(said: OwnColumns) -> float:
    if _text(said, "days_since_surgery"):
        return number(said, "days_since_surgery")
    try:
        exam, surgery = (
            datetime.date.fromisoformat(_text(said, name)) for name in ("date", "surgery_date")
        )
    except ValueError:
        return math.nan
    return float((exam - surgery).days)
