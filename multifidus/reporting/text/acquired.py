"""How images were acquired, by the table that headers were written to: for Methods."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from multifidus.data.measurement import Measurement
from multifidus.reporting.text.facts import Facts, Range
from multifidus.reporting.text.statements import Statement, counted, listed, range_text, unknown

HeaderRow = Mapping[str, str]
"""One row of the table: what the headers of one series say."""

_TOPICS = (
    ("Repetition time", "repetition_time_ms", " ms"),
    ("Echo time", "echo_time_ms", " ms"),
    ("Slice gap", "slice_gap_mm", " mm"),
    ("Matrix", "matrix", ""),
    ("Acquired matrix", "acquired_matrix", ""),
    ("Coil", "coil", ""),
)
"""Topics, columns and units of what differs from one contrast to the next."""

_LISTED = 4
"""So many different numbers are listed; of more their range is given."""


def of_measured(
    rows: Iterable[Measurement], acquired: Iterable[HeaderRow]
) -> tuple[HeaderRow, ...]:
    """Return the series that rows are of."""
    places = {(*_exam(row), row.provenance.series) for row in rows}
    return tuple(
        row for row in acquired if (row["subject"], row["timepoint"], row["series"]) in places
    )


def _exam(row: Measurement) -> tuple[str, str]:
    return row.key.reading.subject, row.key.reading.timepoint


def acquisition_text(facts: Facts, acquired: Sequence[HeaderRow]) -> Iterator[Statement]:
    """Say by contrast what sequences were like; what headers do not say was not found."""
    by_contrast: dict[str, list[HeaderRow]] = {}
    for row in acquired:
        by_contrast.setdefault(row["weighting"], []).append(row)
    for topic, column, unit in _TOPICS:
        parts = {
            name: text
            for name, rows in sorted(by_contrast.items())
            if (text := _spread(rows, column, unit, facts.exams if len(by_contrast) == 1 else 0))
        }
        if not parts:
            yield unknown(topic)
        elif len(by_contrast) == 1:
            yield Statement(topic, f"{topic}: {next(iter(parts.values()))}.")
        else:
            told = (f"{name or 'unknown contrast'}: {text}" for name, text in parts.items())
            yield Statement(topic, f"{topic} by contrast: {'; '.join(told)}.")


def _spread(rows: Sequence[HeaderRow], column: str, unit: str, exams: int) -> str:
    """Say what exams have in common, or how many have what; empty where no header says it."""
    said: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        said.setdefault((row["subject"], row["timepoint"]), set()).update(_values(row, column))
    counts = Counter(" / ".join(sorted(values, key=_order)) for values in said.values() if values)
    if not counts:
        return ""
    silent = max(exams, len(said)) - counts.total()
    missing = [f"not said of {counted(silent, 'exam')}"] if silent else []
    numbers = [_number(text) for text in counts.elements()]
    if unit and len(counts) > _LISTED and not any(map(math.isnan, numbers)):
        spread = Range.of(numbers)
        assert spread is not None  # noqa: S101 - there are numbers
        return "; ".join([range_text(spread, unit.strip(), ".6g"), *missing])
    if len(counts) == 1 and not silent:
        return f"{next(iter(counts))}{unit}"
    ordered = sorted(counts, key=_order)
    return listed([*(f"{t}{unit} ({counted(counts[t], 'exam')})" for t in ordered), *missing])


def _values(row: HeaderRow, column: str) -> Iterator[str]:
    """Yield what a row says in a column; several values where headers contradict each other."""
    cell = f"{row['rows']} x {row['columns']}" if column == "matrix" else row[column]
    for text in cell.split(";"):
        number = _number(text)
        if text not in {"", "NaN"}:
            yield text if math.isnan(number) else f"{number:.6g}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _order(text: str) -> tuple[float, str]:
    number = _number(text)
    return (math.inf if math.isnan(number) else number), text


_OF_EXAMS = {"manufacturer": "manufacturer", "model": "model",
             "field_strength_t": "field_strength_t", "thickness_mm": "slice_thickness_mm",
             "weighting": "weighting"}  # fmt: skip
"""Columns of a cohort table, and what headers say of the same."""


def header_columns(acquired: Iterable[HeaderRow]) -> dict[tuple[str, str], dict[str, str]]:
    """Return what headers say in place of a cohort table's columns, by exam."""
    found: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    for row in acquired:
        said = found.setdefault((row["subject"], row["timepoint"]), {})
        for ours, column in _OF_EXAMS.items():
            said.setdefault(ours, {}).update(dict.fromkeys(_values(row, column)))
        kind = ", ".join(filter(None, (row["sequence_type"], row["sequence_name"])))
        if kind:
            words = f"{row['weighting']} ({kind.replace(';', ' / ')})"
            said.setdefault("sequence", {})[words] = None
    return {
        exam: {name: " / ".join(sorted(texts, key=_order)) for name, texts in said.items() if texts}
        for exam, said in found.items()
    }
