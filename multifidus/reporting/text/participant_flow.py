"""Participant flow: how many subjects, exams and muscles there were, and why some are not in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from multifidus.io.table_reader import TextRow
from multifidus.reporting.labels import quantity_name
from multifidus.reporting.study_data import StudyData
from multifidus.reporting.text.statements import listed
from multifidus.study.missing import Absence

UNKNOWN_WORD = "not a word of this version of the software"
"""Stands for the meaning of a flag or reason that another version, or a hand, wrote."""


@dataclass(frozen=True, slots=True)
class Step:
    """One box of the flow.

    Parameters
    ----------
    label, n
        How many of what are left.
    lost
        How many were lost before it, by reason; they and ``n`` make up the step before.
    """

    label: str
    n: int
    lost: tuple[tuple[str, int], ...] = ()

    @property
    def n_lost(self) -> int:
        """How many were lost in all."""
        return sum(count for _, count in self.lost)


def flow_of(data: StudyData) -> list[Step]:
    """Follow the subjects from the study's tables to each comparison."""
    measured = {row.key.reading.subject for row in data.rows}
    lost = {str(row["subject"]) for table in (data.failures, data.missing) for row in table}
    everyone = (measured | lost) - {""}
    steps = [
        Step("Subjects in the tables", len(everyone)),
        Step(
            "Subjects with a measured exam", len(measured), _unmeasured(everyone - measured, data)
        ),
    ]
    if data.change is None or not data.metrics:
        return steps
    return steps + [_compared(data, span, measured) for span in data.change.spans]


def _unmeasured(subjects: Iterable[str], data: StudyData) -> tuple[tuple[str, int], ...]:
    reasons: Counter[str] = Counter()
    for subject in subjects:
        errors = {str(row["error"]) for row in data.failures if row["subject"] == subject}
        reasons[f"failed: {listed(sorted(errors))}" if errors else "nothing measured"] += 1
    return tuple(sorted(reasons.items()))


def _compared(data: StudyData, span: tuple[str, str], measured: set[str]) -> Step:
    """Count the subjects with a change of the first number, and why others have none."""
    assert data.change is not None  # noqa: S101 - asked for where there is one
    metric = data.metrics[0]
    own = [item.pair for item in data.change.of(metric, span)]
    kept = {pair.subject for pair in own if not pair.problem}
    reasons: Counter[str] = Counter()
    for subject in measured - kept:
        problems = sorted({pair.problem for pair in own if pair.subject == subject})
        reasons[listed(problems) or "no muscle measured at either"] += 1
    name = quantity_name(metric.quantity, metric.method)
    label = f"Subjects with a change of {name} from {span[0]} to {span[1]}"
    return Step(label, len(kept), tuple(sorted(reasons.items())))


@dataclass(frozen=True, slots=True)
class LostMeasurements:
    """Measurements that are missing at one timepoint for one reason.

    Parameters
    ----------
    n
        Measurements: one muscle in one reading.
    n_muscles, n_exams
        Different muscles of a subject, by level and side; and examinations.
    """

    timepoint: str
    reason: str
    meaning: str
    detail: str
    n: int
    n_muscles: int
    n_exams: int


def lost_measurements(missing: Iterable[TextRow], structure: str) -> list[LostMeasurements]:
    """Count missing measurements by timepoint, reason and what more is known."""
    found: dict[tuple[str, str, str], list[TextRow]] = {}
    for row in missing:
        if row["structure"] == structure:
            key = (str(row["timepoint"]), str(row["reason"]), str(row["detail"]))
            found.setdefault(key, []).append(row)
    return [
        LostMeasurements(
            timepoint,
            reason,
            _meaning(reason),
            detail,
            n=len(rows),
            n_muscles=len({(row["subject"], row["level"], row["side"]) for row in rows}),
            n_exams=len({row["subject"] for row in rows}),
        )
        for (timepoint, reason, detail), rows in sorted(found.items())
    ]


def _meaning(reason: str) -> str:
    return Absence(reason).meaning if reason in tuple(Absence) else UNKNOWN_WORD


def failed_cases(failures: Iterable[TextRow]) -> list[tuple[str, int]]:
    """Count the cases that could not be measured, by the name of the error."""
    return sorted(Counter(str(row["error"]) for row in failures).items())
