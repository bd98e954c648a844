"""How the images of a study were acquired: one row an exam and series that was measured on.

What headers do not say stays unknown. Where those of one series contradict each other, all that
they say is given, and the column is named: nothing is averaged, and no value is preferred.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from multifidus.data.acquisition import Acquisition, header_text
from multifidus.data.columns import ACQUISITION_COLUMNS
from multifidus.data.frozen_dict import NOTHING
from multifidus.data.image import Series
from multifidus.data.measurement import Measurement
from multifidus.io.table_csv import Row
from multifidus.study.batch import Measured
from multifidus.study.summary import exam_place

Known = dict[str, Any]
"""Subject, timepoint and series, and by column all values that are known, sorted."""

KEYS = ("subject", "timepoint", "series")

_SAME = 1e-3
"""Numbers that differ by less than this share are one, written with noise."""

_MM_DECIMALS = 4
"""Places of slices have more digits than their scanner's table has steps."""

_TEXTS = ("manufacturer", "model", "sequence_type", "sequence_name", "coil")

_NUMBERS = (
    "field_strength_t",
    "repetition_time_ms",
    "echo_time_ms",
    "slice_thickness_mm",
)


def acquisitions_of(done: Measured) -> tuple[Known, ...]:
    """Return how the series that a case was measured on were acquired."""
    found = {}
    for key in dict.fromkeys(map(_place, done.rows)):
        series = next((item for item in done.exam.series if item.uid == key[2]), None)
        if series is not None:
            found[key] = {**dict(zip(KEYS, key, strict=True)), **known_of(series)}
    return tuple(found[key] for key in sorted(found))


def _place(row: Measurement) -> tuple[str, str, str]:
    by = row.key.reading
    return by.subject, by.timepoint, row.provenance.series


def known_of(series: Series) -> Known:
    """Return by column all values that are known of a series, sorted."""
    said = series.acquisitions or (series.acquisition,)
    spacing = _spacing(series, said)
    known: Known = {name: _texts(getattr(item, name) for item in said) for name in _TEXTS}
    known |= {name: _numbers(getattr(item, name) for item in said) for name in _NUMBERS}
    thickness = known["slice_thickness_mm"]
    pixels = [item.plane.pixel_spacing_mm for item in series.slices]
    return known | {
        "weighting": _texts([series.weighting.value]),
        "slice_spacing_mm": spacing,
        # Of several it is not known which belong together.
        "slice_gap_mm": [
            round(step - one, _MM_DECIMALS) for one in thickness[:1] for step in spacing
            if len(thickness) == 1
        ],
        "rows": sorted({item.shape[0] for item in series.slices}),
        "columns": sorted({item.shape[1] for item in series.slices}),
        "acquired_matrix": _texts(map(_matrix, said)),
        "pixel_row_mm": _numbers(round(row, _MM_DECIMALS) for row, _ in pixels),
        "pixel_column_mm": _numbers(round(column, _MM_DECIMALS) for _, column in pixels),
        "n_slices": [len(series.slices)],
    }  # fmt: skip


def _spacing(series: Series, said: Sequence[Acquisition]) -> list[float]:
    steps = (stack.slice_step_mm for stack in series.stacks)
    by_place = [round(step, _MM_DECIMALS) for step in steps if step is not None]
    return _numbers((*by_place, *(item.slice_spacing_mm for item in said)))


def _matrix(said: Acquisition) -> str:
    steps = said.frequency_steps, said.phase_steps
    return "" if any(map(math.isnan, steps)) else " x ".join(f"{step:g}" for step in steps)


def _texts(values: Iterable[str]) -> list[str]:
    return sorted(set(filter(None, map(header_text, values))))


def _numbers(values: Iterable[float]) -> list[float]:
    """Return what is known, sorted; of numbers that are one but for noise, the least."""
    kept: list[float] = []
    for value in sorted({float(value) for value in values if math.isfinite(value)}):
        if not kept or abs(value - kept[-1]) > _SAME * abs(kept[-1]):
            kept.append(value)
    return kept


def acquisition_rows(
    cases: Iterable[Iterable[Known]],
    orders: Mapping[tuple[str, str], str] = NOTHING,
) -> list[Row]:
    """Put what is known of all cases together: one row an exam and series, sorted.

    Parameters
    ----------
    cases
        What is known of the series of each.
    orders
        By subject and timepoint, the order that the cohort gives the timepoint.
    """
    found: dict[tuple[str, ...], Known] = {}
    for known in (known for case in cases for known in case):
        key = tuple(known[name] for name in KEYS)
        found[key] = _joined(found[key], known) if key in found else known

    def place(key: tuple[str, ...]) -> tuple[object, ...]:
        subject, timepoint, series = key
        return *exam_place(subject, timepoint, orders.get((subject, timepoint), "")), series

    return [_row(found[key]) for key in sorted(found, key=place)]


def _joined(one: Known, other: Known) -> Known:
    """Several readings are of one exam; where files of one name are not the same, both say it."""
    if one == other:
        return one
    values = {name: [*one[name], *other[name]] for name in one if name not in KEYS}
    return {
        **{name: one[name] for name in KEYS},
        **{
            name: _numbers(found) if found and isinstance(found[0], float) else sorted(set(found))
            for name, found in values.items()
        },
    }


def _row(known: Known) -> Row:
    columns = [name for name in ACQUISITION_COLUMNS if name not in {*KEYS, "differing"}]
    return {
        **{name: known[name] for name in KEYS},
        **{name: _cell(name, known[name]) for name in columns},
        "differing": ";".join(name for name in columns if len(known[name]) > 1),
    }


def _cell(name: str, values: Sequence[Any]) -> object:
    if len(values) == 1:
        return values[0]
    if not values:
        return math.nan if name.endswith(("_mm", "_ms", "_t")) else ""
    return ";".join(repr(value) if isinstance(value, float) else str(value) for value in values)
