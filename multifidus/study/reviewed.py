"""A study's measurements without those that did not pass a review."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from multifidus.data.anatomy import MUSCLES
from multifidus.data.measurement import Measurement
from multifidus.data.review import Review, ReviewEntry, Verdict
from multifidus.io.review_csv import REVIEW, read_review
from multifidus.io.table_csv import Row
from multifidus.study.missing import Absence


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Measurements after a review.

    Parameters
    ----------
    rows
        All of them; the value of what does not pass is undefined, and flagged.
    missing
        The muscles that did not pass, as rows of the table of what is missing.
    remarks
        How many did not, and verdicts that are of nothing in the table; in sentences.
    """

    rows: tuple[Measurement, ...]
    missing: tuple[Row, ...] = ()
    remarks: tuple[str, ...] = ()


def review_beside(table: Path, named: str | Path | None = None) -> Review | None:
    """Read the review of a results table: the one named, or ``review.csv`` in its folder.

    Raises
    ------
    ReadError
        If it cannot be read, or the one named does not exist.
    """
    if named is not None:
        return read_review(named)
    beside = table.parent / REVIEW
    return read_review(beside) if beside.is_file() else None


def reviewed(rows: Sequence[Measurement], review: Review | None) -> Reviewed:
    """Leave out the values that did not pass."""
    if review is None:
        return Reviewed(tuple(rows))
    kept: list[Measurement] = []
    failed: dict[tuple[object, ...], ReviewEntry] = {}
    for row in rows:
        against = review.against(row)
        if against is None:
            kept.append(row)
            continue
        flag = against.verdict.flag
        assert flag is not None  # noqa: S101 - what passes is not against it
        kept.append(replace(row.with_flags(flag), value=math.nan, uncertainty=math.nan))
        if row.key.structure in MUSCLES:
            failed.setdefault(_muscle(row), against)
    return Reviewed(tuple(kept), tuple(_missing(failed)), tuple(_remarks(rows, review, failed)))


def _muscle(row: Measurement) -> tuple[object, ...]:
    by = row.key.reading
    level = row.provenance.level or ""
    return (
        by.subject, by.timepoint, by.rater, by.reading, level, row.key.structure, row.key.side,
    )  # fmt: skip


def _missing(failed: dict[tuple[object, ...], ReviewEntry]) -> Iterable[Row]:
    names = ("subject", "timepoint", "rater", "reading", "level", "structure", "side")
    for muscle, entry in failed.items():
        if muscle[-1] in {"left", "right"}:
            reason = _ABSENCES[entry.verdict]
            facts = {name: str(value) for name, value in zip(names, muscle, strict=True)}
            yield {**facts, "reason": str(reason), "detail": entry.comment, "rater_note": ""}


_ABSENCES = {Verdict.FAIL: Absence.FAILED_REVIEW, Verdict.REPEAT: Absence.TO_BE_REPEATED}


def _remarks(
    rows: Sequence[Measurement], review: Review, failed: dict[tuple[object, ...], ReviewEntry]
) -> Iterable[str]:
    sided = {muscle: entry for muscle, entry in failed.items() if muscle[-1] in {"left", "right"}}
    counts = Counter(entry.verdict for entry in sided.values())
    words = [f"{counts[verdict]} {what}" for verdict, what in _WORDS.items() if counts[verdict]]
    if words:
        count = len({muscle[:2] for muscle in sided})
        yield (
            f"By the review, values of muscles in {count} exam{'s' if count > 1 else ''} do not "
            f"enter (one muscle, level and side in one reading each): {' and '.join(words)}."
        )
    exams: dict[tuple[str, str], list[Measurement]] = {}
    for row in rows:
        exams.setdefault((row.key.reading.subject, row.key.reading.timepoint), []).append(row)
    # Of the structures a report may show one alone.
    strange = [
        entry
        for entry in review.entries
        if not any(map(replace(entry, structure="").covers, exams.get(entry.exam, ())))
    ]
    if strange:
        yield (
            f"{len(strange)} of {len(review.entries)} verdicts of the review are of nothing in "
            "this table: check their subjects, timepoints, raters, readings, levels and sides."
        )


_WORDS = {Verdict.FAIL: "failed", Verdict.REPEAT: "to be repeated"}
