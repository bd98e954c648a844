"""A study's measurements without those that did not pass a review."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import MUSCLES
from multifidus.data.measurement import Measurement
from multifidus.data.review import Review, ReviewEntry, Verdict
from multifidus.io.review_csv import REVIEW, read_review
from multifidus.io.table_csv import Row
from multifidus.io.table_reader import TextRow
from multifidus.study.missing import Absence
from multifidus.study.slice_levels import SliceLevels

Muscle = tuple[Any, ...]
"""Subject, timepoint, rater, reading, level, structure and side."""


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
    path = review_file(table, named)
    return None if path is None else read_review(path)


def review_file(table: Path, named: str | Path | None = None) -> Path | None:
    """Return the file that :func:`review_beside` reads; None where there is none."""
    if named is not None:
        return Path(named)
    beside = table.parent / REVIEW
    return beside if beside.is_file() else None


@dataclass(slots=True)
class ReviewedReadings:
    """Takes what did not pass out of a study that comes piece by piece, and remembers it.

    Parameters
    ----------
    review
        The verdicts; None where there are none.
    """

    review: Review | None
    _failed: dict[Muscle, ReviewEntry] = field(default_factory=dict)
    _met: set[ReviewEntry] = field(default_factory=set)

    def passing(self, rows: Sequence[Measurement]) -> tuple[Measurement, ...]:
        """Return rows of which the value of what does not pass is undefined, and flagged."""
        if self.review is None:
            return tuple(rows)
        kept: list[Measurement] = []
        levels = SliceLevels.of(rows)
        for row in rows:
            of_row = levels.of_row(row)
            self._met.update(self.review.about(row, of_row))
            against = self.review.against(row, of_row)
            if against is None:
                kept.append(row)
                continue
            flag = against.verdict.flag
            assert flag is not None  # noqa: S101 - what passes is not against it
            kept.append(replace(row.with_flags(flag), value=math.nan, uncertainty=math.nan))
            if row.key.structure in MUSCLES and _is_about(against, row):
                self._failed.setdefault(_muscle(row), against)
        return tuple(kept)

    @property
    def missing(self) -> list[Row]:
        """The muscles that did not pass, as rows of the table of what is missing."""
        return list(_missing(self._failed))

    @property
    def remarks(self) -> tuple[str, ...]:
        """How many did not pass, and verdicts that are of nothing in the table; in sentences."""
        return () if self.review is None else tuple(_remarks(self.review, self._failed, self._met))


def reviewed(rows: Sequence[Measurement], review: Review | None) -> Reviewed:
    """Leave out the values that did not pass."""
    readings = ReviewedReadings(review)
    kept = readings.passing(rows)
    return Reviewed(kept, tuple(map(_as_text, readings.missing)), readings.remarks)


def without_verdicts(missing: Iterable[TextRow]) -> list[TextRow]:
    """Return rows of a table of what is missing but those of a review, which may have changed."""
    return [row for row in missing if row.get("reason") not in _ABSENCES.values()]


def _as_text(row: Row) -> Row:
    return {name: str(value) for name, value in row.items()}


def _muscle(row: Measurement) -> Muscle:
    by = row.key.reading
    level = row.provenance.level or ""
    return (
        by.subject, by.timepoint, by.rater, by.reading, level, row.key.structure, row.key.side,
    )  # fmt: skip


def _is_about(entry: ReviewEntry, row: Measurement) -> bool:
    """Whether it is this muscle that did not pass, not one that it is compared with."""
    if entry.structure not in {"", row.key.structure}:
        return True
    sides = entry.sides or (row.key.side,)
    return row.key.side in sides and entry.is_at(row.provenance.level)


def _missing(failed: Mapping[Muscle, ReviewEntry]) -> Iterable[Row]:
    names = ("subject", "timepoint", "rater", "reading", "level", "structure", "side")
    for muscle, entry in failed.items():
        if muscle[-1] in {"left", "right"}:
            reason = _ABSENCES[entry.verdict]
            facts = dict(zip(names, muscle, strict=True))
            facts |= {"structure": str(facts["structure"]), "side": str(facts["side"])}
            yield {**facts, "reason": str(reason), "detail": entry.comment, "rater_note": ""}


_ABSENCES = {Verdict.FAIL: Absence.FAILED_REVIEW, Verdict.REPEAT: Absence.TO_BE_REPEATED}


def _remarks(
    review: Review, failed: Mapping[Muscle, ReviewEntry], met: Collection[ReviewEntry]
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
    strange = [entry for entry in review.entries if entry not in met]
    if strange:
        yield (
            f"{len(strange)} of {len(review.entries)} verdicts of the review{_lines(strange)} are "
            "of nothing in this table: check their subjects, timepoints, raters, readings, levels, "
            "sides and structures."
        )


MOST_LINES = 10
"""So many lines are named."""


def _lines(entries: Iterable[ReviewEntry]) -> str:
    """Say in which lines of the file verdicts stand."""
    lines = sorted(entry.line for entry in entries if entry.line is not None)
    if not lines:
        return ""
    more = f" and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    named = ", ".join(map(str, lines[:MOST_LINES]))
    return f" (line{'s' if len(lines) > 1 else ''} {named}{more})"


_WORDS = {Verdict.FAIL: "failed", Verdict.REPEAT: "to be repeated"}
