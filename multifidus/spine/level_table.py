"""The levels of an exam's slices as plain values: what ``multifidus levels`` prints."""

from __future__ import annotations

import math
from typing import Any

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.image import Exam
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.data.slice_number import slice_number
from multifidus.errors import LevelError
from multifidus.spine.levels import axial_series
from multifidus.spine.resolve import LevelResolver


def level_rows(
    exam: Exam,
    rois: RoiSet,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
) -> list[dict[str, Any]]:
    """Return the level of every slice of every axial series, as it stands in the tables.

    Parameters
    ----------
    exam
        Pixels are not read.
    rois
        Its landmarks, and the levels typed for slices or outlines, which win over landmarks.
    protocol
        Names the axis of tilt.

    Returns
    -------
    list of dict
        ``slice_uid, series, slice_index, level, slice_position, typed, offset_mm, margin_mm,
        tilt_deg, tilt_axis, flags``; what is not known is None.

    Raises
    ------
    LevelError
        If nothing says a level, or landmarks contradict each other or the images.
    """
    typed = _typed(rois)
    if not rois.landmarks and not typed:
        msg = "There are neither landmarks nor levels typed by hand."
        raise LevelError(msg, remedy="Mark the centres of the discs, or type the levels.")
    resolver = LevelResolver.of(exam, rois, protocol)
    found = []
    for series in axial_series(exam):
        for index, item in enumerate(series.slices):
            given = typed.get(item.uid, (None, SlicePosition.UNKNOWN))
            level = resolver.resolve(series, index, *given)
            by_marks = resolver.assigned.get((series.uid, index))
            tilt_flags = level.tilt.flags(protocol.tilt_limit_deg) or level.tilt.unknown
            found.append(
                {
                    "slice_uid": item.uid,
                    "series": series.uid,
                    "slice_index": index,
                    "level": None if level.level is None else level.level.value,
                    "slice_position": level.slice_position.value,
                    "typed": given[0] is not None,
                    "offset_mm": _known(level.offset_mm),
                    "margin_mm": _known(by_marks.margin_mm if by_marks else math.nan),
                    "tilt_deg": _known(level.tilt.deg),
                    "tilt_axis": level.tilt.axis.value,
                    "flags": [flag.value for flag in (*level.flags, *tilt_flags)],
                }
            )
    return found


def _typed(rois: RoiSet) -> dict[str, tuple[Level, SlicePosition]]:
    """Return what was typed for slices by their UID; an outline's own level comes first."""
    found = {item.slice_uid: (item.level, item.slice_position) for item in reversed(rois.levels)}
    for roi in reversed(rois.rois):
        if roi.level is not None:
            found[roi.key.slice_uid] = (roi.level, roi.slice_position)
    return found


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def level_table(rows: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Lay rows of :func:`level_rows` out for people: headings, and rounded cells."""
    headings = [
        "series", "slice", "level", "position", "offset, mm", "margin, mm", "tilt, deg", "against",
        "flags",
    ]  # fmt: skip
    numbers = {uid: str(n) for n, uid in enumerate(dict.fromkeys(r["series"] for r in rows), 1)}
    cells = [
        [
            numbers[row["series"]],
            str(slice_number(row["slice_index"])),
            (row["level"] or "none") + (" (set by hand)" if row["typed"] else ""),
            row["slice_position"].replace("_", " ").replace("unknown", ""),
            _rounded(row["offset_mm"], "+.1f"),
            _rounded(row["margin_mm"], ".1f"),
            _rounded(row["tilt_deg"], "+.1f"),
            row["tilt_axis"].replace("_", " "),
            "; ".join(row["flags"]),
        ]
        for row in rows
    ]
    return headings, cells


def _rounded(value: float | None, form: str) -> str:
    # Rounded first, so that nothing prints as -0.0.
    return "" if value is None else format(round(value, 1) + 0.0, form)
