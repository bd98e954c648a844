"""Numbers of exams by level and side, and the order in which figures show levels and sides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.stats.change.exam_value import ReadingChoice, exam_value
from multifidus.stats.values import Metric, Value

Numbers = dict[tuple[str, str], dict[str, dict[str, float]]]
"""By level and side, then timepoint, then subject."""


def exam_numbers(values: Iterable[Value], metric: Metric, choice: ReadingChoice) -> Numbers:
    """Return one number an exam, level and side: whose it is, the rule says."""
    readings: dict[tuple[str, str], dict[str, dict[str, list[Value]]]] = {}
    for item in metric.of(values):
        place = readings.setdefault((item.level, item.side), {})
        place.setdefault(item.timepoint, {}).setdefault(item.subject, []).append(item)
    found: Numbers = {}
    for key, timepoints in readings.items():
        for timepoint, subjects in timepoints.items():
            for subject, own in sorted(subjects.items()):
                value = exam_value(timepoint, own, choice).value
                if math.isfinite(value):
                    place_of = found.setdefault(key, {}).setdefault(timepoint, {})
                    place_of[subject] = value
    return found


def along_the_spine(levels: Iterable[str]) -> list[str]:
    """Sort levels from cranial to caudal; no level comes first."""
    return sorted(set(levels), key=lambda level: Level(level).rank if level else -1)


def patient_sides(sides: Iterable[str]) -> list[str]:
    """Sort sides as figures show them: right, left, both."""
    order: Sequence[str] = (Side.RIGHT, Side.LEFT)
    return sorted(set(sides), key=lambda side: order.index(side) if side in order else len(order))


def file_stem(metric: Metric) -> str:
    """Name a number in files: ``tcsa_mm2``, ``fi_pct_pooled_otsu``."""
    other = "" if metric.structure == Structure.MULTIFIDUS else metric.structure
    return "_".join(filter(None, (other, metric.quantity, metric.method)))
