"""What a folder holds, as plain values: exams, series, stacks, and what was passed over."""

from __future__ import annotations

from collections import Counter
from typing import Any

from multifidus.geometry import Orientation, ras_from_lps, tilt_deg
from multifidus.image import Exam, Series, Stack, Weighting
from multifidus.io.scan import Scan


def inspection(scan: Scan, *, show_identifiers: bool = False) -> dict[str, Any]:
    """Describe a scan in the plain values of ``inspect --json``.

    Parameters
    ----------
    scan
        What was found.
    show_identifiers
        Whether to give calendar dates; otherwise days from the subject's first exam.
    """
    return {
        "exams": [
            {
                "subject": exam.subject,
                "timepoint": exam.timepoint,
                "date": _date(exam, scan, show_identifiers=show_identifiers),
                "series": [_series(series, scan) for series in exam.series],
            }
            for exam in scan.exams
        ],
        "skipped": [{"path": str(item.path), "reason": item.reason} for item in scan.skipped],
    }


def _date(exam: Exam, scan: Scan, *, show_identifiers: bool) -> str | int | None:
    if exam.date is None:
        return None
    if show_identifiers:
        return exam.date.isoformat()
    dates = (other.date for other in scan.exams if other.subject == exam.subject)
    return (exam.date - min(date for date in dates if date is not None)).days


def _series(series: Series, scan: Scan) -> dict[str, Any]:
    return {
        "uid": series.uid,
        "weighting": series.weighting.value,
        "orientation": series.orientation.value,
        "files": scan.files[series.uid],
        "flags": [flag.value for flag in series.all_flags],
        "not_measurable": not_measurable(series),
        "stacks": [_stack(stack) for stack in series.stacks],
    }


def not_measurable(series: Series) -> str:
    """Say why muscle cannot be measured on a series; empty where it can."""
    if series.weighting is Weighting.LOCALIZER:
        return "a localizer"
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
    """Say in few words what stacks a series has, such as ``5 x 3`` or ``1 x 11``."""
    counted = Counter(len(stack.slices) for stack in series.stacks)
    return ", ".join(f"{number} x {size}" for size, number in counted.items())


def inspection_table(scan: Scan) -> tuple[list[str], list[list[str]]]:
    """Describe a scan in headings and rows for people: one row a series."""
    headings = [
        "subject", "exam", "day", "orientation", "weighting", "slices", "stacks", "matrix",
        "pixel, mm", "step, mm", "tilt, deg", "files", "measure", "series",
    ]  # fmt: skip
    rows = []
    for exam in scan.exams:
        day = _date(exam, scan, show_identifiers=False)
        for series in exam.series:
            first = series.slices[0]
            step = series.stacks[0].slice_step_mm
            tilts = [tilt_deg(stack.slices[0].plane.normal) for stack in series.stacks]
            # Rounded first, so that nothing prints as -0.0.
            low, high = (round(tilt, 1) + 0.0 for tilt in (min(tilts), max(tilts)))
            tilt = f"{low:+.1f}" if low == high else f"{low:+.1f} to {high:+.1f}"
            axial = series.orientation is Orientation.AXIAL
            reason = not_measurable(series)
            rows.append(
                [
                    exam.subject,
                    exam.timepoint,
                    "" if day is None else str(day),
                    series.orientation.value,
                    series.weighting.value,
                    str(len(series.slices)),
                    stack_sizes(series),
                    f"{first.shape[0]} x {first.shape[1]}",
                    " x ".join(f"{mm:.3g}" for mm in first.plane.pixel_spacing_mm),
                    "" if step is None else f"{step:.2f}",
                    tilt if axial else "",
                    str(scan.files[series.uid]),
                    "no: " + reason if reason else "yes",
                    f"...{series.uid[-12:]}",
                ]
            )
    return headings, rows
