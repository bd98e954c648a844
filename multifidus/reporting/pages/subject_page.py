"""One page a subject: slices at matched levels, numbers with uncertainty, change against MDC."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Any

from multifidus.figures.picture_files import Thumbnail
from multifidus.reporting.exam_numbers import along_the_spine, patient_sides
from multifidus.reporting.labels import axis_label, quantity_unit
from multifidus.reporting.pages.render import render
from multifidus.reporting.plots.montage import matched
from multifidus.reporting.plots.study_plots import pictures_of
from multifidus.reporting.plots.style import CLASSIFICATIONS
from multifidus.reporting.study_data import StudyData
from multifidus.reporting.tables.reliability import short
from multifidus.stats.change.exam_value import ExamValue, exam_value
from multifidus.stats.change.groups import Change, Classification
from multifidus.stats.values import Metric, Value

ROOM_MM = (176.0, 70.0)
"""Width and height that slices may take on the sheet."""

_SAID = {
    "operated_levels": "operated levels",
    "operated_side": "side of the surgery",
    "approach": "approach",
}


def sheet_files(subjects: Iterable[str]) -> dict[str, str]:
    """Name a file for each subject, of plain letters; no two are the same, whatever their case."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for subject in sorted(set(subjects)):
        stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in subject)
        stem = stem or "subject"
        tries = chain([stem], (f"{stem}-{n}" for n in count(2)))
        name = next(one for one in tries if one.casefold() not in taken)
        taken.add(name.casefold())
        names[subject] = f"{name}.html"
    return names


def subject_sheets(data: StudyData) -> Iterator[tuple[str, str]]:
    """Yield each subject of a study and its sheet as HTML."""
    values: dict[str, list[Value]] = {}
    for item in data.values:
        values.setdefault(item.subject, []).append(item)
    changes: dict[str, list[Change]] = {}
    for change in () if data.change is None else data.change.changes:
        changes.setdefault(change.pair.subject, []).append(change)
    pictures: dict[str, list[Thumbnail]] = {}
    for picture in data.pictures:
        pictures.setdefault(picture.subject, []).append(picture)
    for subject, own in sorted(values.items()):
        mine = replace(
            data,
            values=own,
            pictures=pictures.get(subject, ()),
            change=None
            if data.change is None
            else replace(data.change, changes=tuple(changes.get(subject, ()))),
        )
        yield subject, _sheet(mine, subject)


def _sheet(data: StudyData, subject: str) -> str:
    values = data.values
    pictures = pictures_of(data, subject)
    levels = matched(pictures, data.timepoints)
    rows, aspect = _slices(levels, data.timepoints)
    marks = _Marks()
    sections = [
        _section(data, metric, own, marks) for metric in data.metrics if (own := metric.of(values))
    ]
    first = values[0].extra if values else {}
    return render(
        "subject.html",
        {
            "subject": subject,
            "said": [f"{words}: {first[name]}" for name, words in _SAID.items() if first.get(name)],
            "levels": list(levels),
            "slices": rows,
            "aspect": round(aspect, 4),
            "wide": round(
                min(ROOM_MM[0] / max(len(levels), 1), ROOM_MM[1] / max(len(rows), 1) * aspect)
            ),
            "rater": ", ".join(sorted({item.rater for item in pictures} - {""})),
            "sections": sections,
            "notes": list(marks.notes),
            "explained": _explained(data),
        },
    )


class _Marks:
    """Notes under the tables, each once, and their numbers."""

    def __init__(self) -> None:
        self.notes: dict[str, int] = {}
        self._next = count(1)

    def of(self, note: str) -> str:
        if not note:
            return ""
        if note not in self.notes:
            self.notes[note] = next(self._next)
        return str(self.notes[note])


def _slices(
    levels: Mapping[str, Mapping[str, Thumbnail]], timepoints: Sequence[str]
) -> tuple[list[dict[str, Any]], float]:
    """Lay pictures out, a row a timepoint, in frames that hold the highest and the widest of all.

    Sizes are in percent of the frame; its width over its height is returned as well.
    """
    shown = [item for row in levels.values() for item in row.values()]
    if not shown:
        return [], 1.0
    sizes = {item.path: _size_mm(item) for item in shown}
    frame = [max(size[axis] for size in sizes.values()) for axis in (0, 1)]
    rows = []
    for timepoint in timepoints:
        slices: list[dict[str, Any] | None] = []
        for level, row in levels.items():
            item = row.get(timepoint)
            if item is None:
                slices.append(None)
                continue
            size = sizes[item.path]
            high, wide = (round(100 * size[axis] / frame[axis], 2) for axis in (0, 1))
            data = base64.b64encode(item.path.read_bytes()).decode()
            slices.append({"level": level, "data": data, "high": high, "wide": wide})
        if any(slices):
            rows.append({"timepoint": timepoint, "slices": slices})
    return rows, frame[1] / frame[0]


def _size_mm(item: Thumbnail) -> tuple[float, float]:
    from PIL import Image

    with Image.open(item.path) as picture:
        return picture.height * item.pixel_mm[0], picture.width * item.pixel_mm[1]


def _printed(exam: ExamValue) -> str:
    """Print a value with its stated standard uncertainty; empty where there is none."""
    if not exam.readings:
        return ""
    if math.isnan(exam.value):
        return "undefined"
    text = short(exam.value)
    decimals = len(text.partition(".")[2])
    known = math.isfinite(exam.uncertainty)
    return f"{text} ± {exam.uncertainty:.{decimals}f}" if known else text


def _section(
    data: StudyData, metric: Metric, own: Sequence[Value], marks: _Marks
) -> dict[str, Any]:
    title = axis_label(metric.quantity, metric.method)

    def at(timepoint: str, level: str, side: str) -> str:
        place = (timepoint, level, side)
        readings = [item for item in own if (item.timepoint, item.level, item.side) == place]
        return _printed(exam_value(timepoint, readings, data.choice))

    changes = _changes(data, metric, own[0].subject)
    if changes:
        return {"title": title, **_compared(changes, data.timepoints, at, marks)}
    rows = [
        {"level": level, "side": side, "exams": [at(name, level, side) for name in data.timepoints]}
        for level in along_the_spine(item.level for item in own)
        for side in patient_sides(item.side for item in own if item.level == level)
    ]
    return {
        "title": title,
        "headings": [name or "value" for name in data.timepoints],
        "compared": False,
        "rows": rows,
    }


def _changes(data: StudyData, metric: Metric, subject: str) -> list[Change]:
    """Return the changes over the whole time, which stands last; a page has no room for steps."""
    if data.change is None:
        return []
    found = [
        item
        for item in data.change.of(metric, data.change.spans[-1])
        if item.pair.subject == subject
    ]
    levels = along_the_spine(item.pair.level for item in found)
    sides = patient_sides(item.pair.side for item in found)
    return sorted(
        found, key=lambda item: (levels.index(item.pair.level), sides.index(item.pair.side))
    )


def _compared(
    changes: Sequence[Change],
    timepoints: Sequence[str],
    at: Callable[[str, str, str], str],
    marks: _Marks,
) -> dict[str, Any]:
    numbers = [abs(n) for item in changes for n in (item.pair.delta, item.mdc95)]
    largest = max(filter(math.isfinite, numbers), default=0.0)
    rows = []
    for item in changes:
        place = item.pair.level, item.pair.side
        exams = [at(name, *place) for name in timepoints]
        rows.append({**_row(item, marks, largest), "exams": exams})
    return {"headings": list(timepoints), "compared": True, "rows": rows}


def _row(item: Change, marks: _Marks, largest: float) -> dict[str, Any]:
    pair = item.pair
    note = "; ".join(filter(None, (pair.problem, *pair.notes)))
    if item.classification is Classification.UNKNOWN and not pair.problem:
        note = "; ".join(filter(None, (item.basis, note)))
    return {
        "level": pair.level,
        "side": pair.side,
        "delta": _signed(pair.delta),
        # Of a percentage the change is in points; percent of percent would be taken for them.
        "delta_pct": "" if quantity_unit(pair.quantity) == "%" else _signed(pair.delta_pct),
        "mdc95": short(item.mdc95),
        "bar": _bar(item, largest),
        "verdict": "no change known" if pair.problem else item.classification.value,
        "kind": item.classification.value.replace(" ", "-"),
        "mark": marks.of(note),
    }


def _signed(number: float) -> str:
    text = short(number)
    return f"+{text}" if text and number > 0 else text


def _bar(item: Change, largest: float) -> dict[str, Any] | None:
    """Return a change and what is within error, in percent of the largest of the table."""
    delta = item.pair.delta
    if math.isnan(delta) or not largest:
        return None
    scaled = 96 * delta / largest
    mdc = 0.0 if math.isnan(item.mdc95) else 96 * item.mdc95 / largest
    return {
        "left": round(min(scaled, 0.0), 2),
        "width": round(abs(scaled), 2),
        "mdc": round(mdc, 2),
        "colour": CLASSIFICATIONS[item.classification][0],
    }


def _explained(data: StudyData) -> list[str]:
    value_rule = dict.fromkeys(
        filter(None, (data.choice.rule, *(item.rule for item in data.values if item.rule)))
    )
    lines = [
        f"Values: {'; '.join(value_rule)}.",
        "Behind ±: standard uncertainty of one exam's value, as stated when it was measured; twice "
        "as much holds the truth about 95 times in 100.",
    ]
    if data.change is not None:
        before, after = data.change.spans[-1]
        if len(data.change.spans) > 1:
            lines.append(
                f"Change: from {before} to {after}; the steps between stand in changes.csv."
            )
        bases = dict.fromkeys(item.basis for item in data.change.changes if item.mdc95 > 0)
        lines.append(
            "MDC95: least change of one muscle beyond measurement error, shaded in the bars"
            + (f" ({'; '.join(bases)})." if bases else ".")
        )
    return lines
