"""Facts for the Methods of a paper, as the tables hold them; what they do not hold is empty."""

from __future__ import annotations

import datetime
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from multifidus.data.columns import COLUMNS
from multifidus.data.measurement import Quantity
from multifidus.reporting.metric import along_the_spine
from multifidus.study.outline_counts import outlines_of

Row = Mapping[str, Any]


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


def facts_of(rows: Sequence[Row], timepoints: Sequence[str]) -> Facts:
    """Gather the facts from tidy rows, all as text.

    Parameters
    ----------
    rows
        With a row of ``tcsa_mm2`` for each outline.
    timepoints
        In order.
    """
    outlines = list(outlines_of(rows).values())
    exams = {(key[0], key[1]): row for key, row in _joined(rows, _READING[:2]).items()}
    readings = _joined(rows, _READING)
    subjects = _joined(rows, _READING[:1])
    raters = _joined(rows, ("rater",))
    per_rater = Counter(reading[:3] for reading in readings)
    return Facts(
        subjects=len({subject for subject, _ in exams}),
        exams=len(exams),
        readings=len(readings),
        raters=tuple(sorted({reading[2] for reading in readings})),
        most_readings=max(per_rater.values(), default=0),
        levels=tuple(along_the_spine(row["level"] for row in outlines if row["level"])),
        slices=Range.of(_slices(outlines)),
        tilt_deg=Range.of(abs(number(row, "tilt_deg")) for row in outlines),
        tilt_axes=tuple(sorted({_text(row, "tilt_axis") for row in outlines} - {""})),
        pixel_mm=Range.of(_pixels(rows)),
        thresholds=_thresholds(rows),
        gaps_days=_gaps(exams, timepoints),
        surgery_days=_after_surgery(exams, timepoints),
        reread_days=Range.of(number(row, "reread_after_days") for row in readings.values()),
        reading_minutes=Range.of(number(row, "reading_minutes") for row in readings.values()),
        counts={
            **{name: _counted(exams.values(), name) for name in OF_EXAMS},
            **{name: _counted(outlines, name) for name in OF_OUTLINES},
            **{name: _counted(readings.values(), name) for name in OF_READINGS},
            **{name: _counted(subjects.values(), name) for name in OF_SUBJECTS},
        },
        blinding=Counter(
            (_text(row, "reading_list"), _text(row, "blinded")) for row in readings.values()
        ),
        of_raters={
            name: {rater[0]: said for rater, row in raters.items() if (said := _text(row, name))}
            for name in OF_RATERS
        },
        not_read=_not_read(rows),
        versions=tuple(sorted({_text(row, "version") for row in rows} - {""})),
        protocols=tuple(sorted({_text(row, "protocol") for row in rows} - {""})),
    )


_READING = ("subject", "timepoint", "rater", "reading")


def _text(row: Row, name: str) -> str:
    return str(row.get(name) or "").strip()


def number(row: Row, name: str) -> float:
    """Read a cell; NaN where it is empty or no number."""
    try:
        return float(_text(row, name) or "nan")
    except ValueError:
        return math.nan


def _joined(rows: Sequence[Row], names: Sequence[str]) -> dict[tuple[str, ...], Row]:
    """Put together what the rows of one exam, reading, subject or rater say outside of tables.

    Not all of its rows need say it; where they differ, all that they say stands there.
    """
    cohort = [name for name in (rows[0] if rows else ()) if name not in _OF_A_NUMBER]
    found: dict[tuple[str, ...], dict[str, dict[str, None]]] = {}
    for row in rows:
        said = found.setdefault(tuple(_text(row, name) for name in names), {})
        for name in cohort:
            if text := _text(row, name):
                said.setdefault(name, {})[text] = None
    return {
        key: {name: " / ".join(sorted(texts)) for name, texts in said.items()}
        for key, said in found.items()
    }


_OF_A_NUMBER = frozenset(COLUMNS)
"""Columns of single numbers, as against those of the cohort."""


def _not_read(rows: Sequence[Row]) -> tuple[str, ...]:
    names = [name for name in (rows[0] if rows else ()) if name not in _READ]
    return tuple(name for name in names if any(_text(row, name) for row in rows))


def _counted(rows: Iterable[Row], name: str) -> dict[str, int]:
    return dict(sorted(Counter(filter(None, (_text(row, name) for row in rows))).items()))


def _slices(outlines: Iterable[Row]) -> list[float]:
    places: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for row in outlines:
        if row["level"]:
            key = (*(_text(row, name) for name in _READING), row["level"])
            places.setdefault(key, set()).add((_text(row, "series"), _text(row, "slice_index")))
    return [float(len(found)) for found in places.values()]


def _pixels(rows: Iterable[Row]) -> list[float]:
    """Area of a pixel from what was counted: pixels and the area that they make up."""
    counted = (row for row in rows if row["quantity"] == Quantity.TCSA_PIXEL_MM2)
    return [
        math.sqrt(number(row, "value") / number(row, "n_pixels"))
        for row in counted
        if number(row, "n_pixels") > 0
    ]


def _thresholds(rows: Iterable[Row]) -> dict[str, Range]:
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["quantity"] == Quantity.FI_PCT:
            used = _parameter(row, "threshold")
            if isinstance(used, (int, float)):
                found.setdefault(_text(row, "method"), []).append(float(used))
    spreads = {method: Range.of(numbers) for method, numbers in sorted(found.items())}
    return {method: range_text for method, range_text in spreads.items() if range_text is not None}


def _parameter(row: Row, name: str) -> object:
    try:
        found = json.loads(_text(row, "parameters") or "{}")
    except ValueError:
        return None
    return found.get(name) if isinstance(found, dict) else None


def _day(row: Row) -> float:
    """Return the day of an exam, counted from anywhere; NaN where the table does not say."""
    if _text(row, "days"):
        return number(row, "days")
    try:
        return float(datetime.date.fromisoformat(_text(row, "date")).toordinal())
    except ValueError:
        return math.nan


def _gaps(
    exams: Mapping[tuple[str, str], Row], timepoints: Sequence[str]
) -> dict[tuple[str, str], Range]:
    found = {}
    for before, after in pairwise(timepoints):
        gap = Range.of(
            _day(exams[subject, after]) - _day(row)
            for (subject, timepoint), row in exams.items()
            if timepoint == before and (subject, after) in exams
        )
        if gap is not None:
            found[before, after] = gap
    return found


def _after_surgery(
    exams: Mapping[tuple[str, str], Row], timepoints: Sequence[str]
) -> dict[str, Range]:
    found = {}
    for name in timepoints:
        days = Range.of(
            _since_surgery(row) for (_, timepoint), row in exams.items() if timepoint == name
        )
        if days is not None:
            found[name] = days
    return found


def _since_surgery(row: Row) -> float:
    if _text(row, "days_since_surgery"):
        return number(row, "days_since_surgery")
    try:
        exam, surgery = (
            datetime.date.fromisoformat(_text(row, name)) for name in ("date", "surgery_date")
        )
    except ValueError:
        return math.nan
    return float((exam - surgery).days)
