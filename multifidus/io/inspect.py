"""What a folder holds, as plain values: exams, series, stacks, and what was passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from multifidus.data.flags import Flag
from multifidus.data.geometry import Orientation, ras_from_lps, tilt_deg
from multifidus.data.image import Exam, Series, Stack, Weighting
from multifidus.io.identifiers import Identifiers, names_patient, read_identifiers
from multifidus.io.scan_result import Problem, Scan
from multifidus.io.visit_order import all_problems
from multifidus.measuring.dixon_pairs import Pairing, pairings


def inspection(scan: Scan, *, show_identifiers: bool = False) -> dict[str, Any]:
    """Describe a scan in the plain values of ``inspect --json``.

    Parameters
    ----------
    scan
        What was found.
    show_identifiers
        Whether to give calendar dates, names, identifiers and descriptions; otherwise there are
        days from the subject's first exam.
    """
    found = all_problems(scan)
    return {
        "exams": [_exam(exam, scan, show_identifiers=show_identifiers) for exam in scan.exams],
        "skipped": [{"path": str(item.path), "reason": item.reason} for item in scan.skipped],
        "remarks": [item.message for item in found if item.is_remark],
        "problems": [_problem(item) for item in found if not item.is_remark],
    }


def _problem(item: Problem) -> dict[str, Any]:
    return {
        "kind": item.kind.value,
        "exams": [{"subject": subject, "timepoint": time} for subject, time in item.exams],
        "facts": list(item.facts),
        "message": item.message,
    }


def _exam(exam: Exam, scan: Scan, *, show_identifiers: bool) -> dict[str, Any]:
    pairs = pairings(exam)
    entry: dict[str, Any] = {
        "subject": exam.subject,
        "timepoint": exam.timepoint,
        "date": _date(exam, scan, show_identifiers=show_identifiers),
        "identifiers_in_paths": identifiers_in_paths(exam, scan),
        "series": [
            _series(series, len(scan.paths_of(exam, series)), pairs.get(series.uid, Pairing()))
            for series in exam.series
        ],
    }
    if show_identifiers:
        known = _identifiers(exam, exam.series[0], scan)
        entry |= {"patient_id": known.patient_id, "patient_name": known.patient_name}
        entry |= {"sex": known.patient_sex, "birth_date": known.patient_birth_date}
        entry["description"] = known.exam_description
        for item, series in zip(entry["series"], exam.series, strict=True):
            item["description"] = _identifiers(exam, series, scan).series_description
    return entry


def identifiers_in_paths(exam: Exam, scan: Scan) -> bool:
    """Whether files or folders of an exam are named after its patient; says no more than that."""
    paths = {scan.known_as(path) for path in scan.paths_of(exam)}
    return any(names_patient(_identifiers(exam, series, scan), paths) for series in exam.series)


def _date(exam: Exam, scan: Scan, *, show_identifiers: bool) -> str | int | None:
    if exam.date is None:
        return None
    return exam.date.isoformat() if show_identifiers else days_since_first(exam, scan.exams)


def days_since_first(exam: Exam, exams: Iterable[Exam]) -> int | None:
    """Count the days from the subject's first exam; None of an exam without a date."""
    dates = [other.date for other in exams if other.subject == exam.subject and other.date]
    return None if exam.date is None else (exam.date - min(dates)).days


def _series(series: Series, files: int, pairing: Pairing) -> dict[str, Any]:
    return {
        "uid": series.uid,
        "weighting": series.weighting.value,
        "orientation": series.orientation.value,
        "files": files,
        "flags": [flag.value for flag in series.all_flags],
        "not_measurable": not_measurable(series),
        "pair": None if pairing.partner is None else pairing.partner.uid,
        "problem": pairing.problem,
        "stacks": [_stack(stack) for stack in series.stacks],
    }


def not_measurable(series: Series) -> str:
    """Say why muscle cannot be measured on a series; empty where it can."""
    if series.weighting is Weighting.LOCALIZER:
        return "a localizer"
    if series.weighting is Weighting.NO_SIGNAL:
        return "a phase or a map, no signal"
    if series.orientation is not Orientation.AXIAL:
        return f"{series.orientation}, not axial"
    return ""


def _stack(stack: Stack) -> dict[str, Any]:
    first = stack.slices[0]
    affine = stack.affine_lps
    tilt = tilt_deg(first.plane.normal)
    return {
        "slices": len(stack.slices),
        "rows": first.shape[0],
        "columns": first.shape[1],
        "pixel_spacing_mm": list(first.plane.pixel_spacing_mm),
        "slice_step_mm": stack.slice_step_mm,
        "affine_ras_mm": None if affine is None else ras_from_lps(affine).tolist(),
        "normal_lps": first.plane.normal.tolist(),
        "tilt_deg": None if tilt != tilt else tilt,  # noqa: PLR0124 - NaN, which JSON lacks
        "flags": [flag.value for flag in stack.flags],
    }


def stack_sizes(series: Series) -> str:
    """Say in few words what stacks a series has, such as ``5 x 3`` or ``1 x 11`` slices."""
    counted = Counter(len(stack.slices) for stack in series.stacks)
    return ", ".join(f"{number} x {size}" for size, number in counted.items())


@dataclass(frozen=True, slots=True)
class Overview:
    """A scan as people read it.

    Attributes
    ----------
    headings
        Of the columns.
    exams
        A title for each exam, and its rows: one for each series.
    remarks
        What cannot be measured and why, and what is doubtful and what to do, by row number.
    """

    headings: tuple[str, ...]
    exams: tuple[tuple[str, list[list[str]]], ...]
    remarks: tuple[str, ...]


SPARE_COLUMNS = ("series", "files", "matrix", "step, mm", "pixel, mm")
"""Headings that a narrow terminal can do without, the first to go first."""


def overview(scan: Scan, *, show_identifiers: bool = False) -> Overview:
    """Describe a scan for people.

    Parameters
    ----------
    scan
        What was found.
    show_identifiers
        Whether to give calendar dates, names, identifiers and descriptions.
    """
    exams: list[tuple[str, list[dict[str, str]]]] = []
    reasons: dict[str, list[int]] = {}
    number = 0
    for exam in scan.exams:
        rows = []
        pairs = pairings(exam)
        for series in exam.series:
            number += 1
            doubts = series.all_flags
            reason = not_measurable(series)
            if reason:
                reasons.setdefault(f"cannot be measured: {reason}.", []).append(number)
            problem = pairs[series.uid].problem if series.uid in pairs else ""
            if problem:
                reasons.setdefault(f"no Dixon fat fraction: {problem}.", []).append(number)
            for flag in doubts:
                remark = f"{_words(flag)}: {flag.meaning} {flag.remedy}".rstrip()
                reasons.setdefault(remark, []).append(number)
            row = {"no.": str(number), "measure": "no" if reason else "yes"} | _facts(series)
            row |= {
                "problems": ", ".join((*map(_words, doubts), *(["unpaired"] if problem else []))),
                "files": str(len(scan.paths_of(exam, series))),
            }
            if show_identifiers:
                row["description"] = _identifiers(exam, series, scan).series_description
            rows.append(row | {"series": f"...{series.uid[-9:]}"})
        exams.append((_title(exam, scan, show_identifiers=show_identifiers), rows))
    every = [row for _, rows in exams for row in rows]
    shown = [name for name in every[0] if any(row[name] for row in every)] if every else []
    return Overview(
        tuple(shown),
        tuple((title, [[row[name] for name in shown] for row in rows]) for title, rows in exams),
        tuple(f"{_ranges(numbers)}: {reason}" for reason, numbers in reasons.items()),
    )


def _words(flag: Flag) -> str:
    return flag.value.replace("_", " ")


def _title(exam: Exam, scan: Scan, *, show_identifiers: bool) -> str:
    date = _date(exam, scan, show_identifiers=show_identifiers)
    parts = [f"{exam.subject} {exam.timepoint}"]
    if date is not None:
        parts.append(str(date) if show_identifiers else f"day {date}")
    if show_identifiers:
        known = _identifiers(exam, exam.series[0], scan)
        parts += [known.patient_name, known.patient_id, known.patient_sex]
        parts += [known.patient_birth_date, known.exam_description]
    return ", ".join(filter(None, parts))


def _identifiers(exam: Exam, series: Series, scan: Scan) -> Identifiers:
    paths = scan.paths_of(exam, series)
    return read_identifiers(paths[0]) if paths else Identifiers()


def _facts(series: Series) -> dict[str, str]:
    """Describe how a series lies, in the columns of the table for people."""
    first = series.slices[0]
    tilts = [tilt_deg(stack.slices[0].plane.normal) for stack in series.stacks]
    steps = [stack.slice_step_mm for stack in series.stacks]
    spacing = [f"{round(mm, 6):.3g}" for mm in first.plane.pixel_spacing_mm]
    is_axial = series.orientation is Orientation.AXIAL
    return {
        "view": series.orientation.value,
        "weighting": series.weighting.value,
        "stacks": stack_sizes(series),
        "matrix": f"{first.shape[0]} x {first.shape[1]}",
        "pixel, mm": " x ".join(dict.fromkeys(spacing)),
        "step, mm": _span([step for step in steps if step is not None], "{:.2f}"),
        "tilt, deg": _span(tilts, "{:+.1f}") if is_axial else "",
    }


def _span(values: Sequence[float], pattern: str) -> str:
    """Say from where to where values reach, as one where they print alike."""
    if not values:
        return ""
    # Rounded first, so that nothing prints as -0.0.
    ends = (pattern.format(round(end, 2) + 0.0) for end in (min(values), max(values)))
    return " to ".join(dict.fromkeys(ends))


def _ranges(numbers: Sequence[int]) -> str:
    """Say rising numbers in few words, such as ``1-3, 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
