"""Forest of change: each group's mean change, beside the least detectable change of one muscle."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from multifidus.reporting.exam_numbers import file_stem
from multifidus.reporting.labels import axis_label, quantity_name
from multifidus.reporting.plots.style import BLACK, BLUE, PAGE_MM, PALE, Drawing, new_figure, styled
from multifidus.stats.change.groups import BY_MUSCLE, GroupChange
from multifidus.stats.change.study import ChangeStudy
from multifidus.stats.values import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KEPT = len(BY_MUSCLE) - 3
"""Place of the span in a group's key; level, side and a column of the study follow."""


@styled
def forest(metric: Metric, study: ChangeStudy) -> Drawing | None:
    """Draw the mean change of each level and side with its 95 % interval; None without groups."""
    groups = [item for item in study.muscles if item.key[:_KEPT] == metric]
    if not groups:
        return None
    figure = new_figure(PAGE_MM, 18 + 5 * len(groups))
    axes = figure.subplots()
    bands = [_mdc95(study, metric, item) for item in groups]
    for place, (item, band) in enumerate(zip(groups, bands, strict=True)):
        _draw(axes, place, item, band)
    axes.axvline(0, color=BLACK, linewidth=0.6)
    several = len(study.spans) > 1
    axes.set_yticks(range(len(groups)), [_label(item, several=several) for item in groups])
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.set_xlabel(f"Change: {axis_label(metric.quantity, metric.method)}")
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(range(len(groups)), [_counts(item) for item in groups])
    beside.tick_params(length=0)
    beside.spines["right"].set_visible(False)
    name = quantity_name(metric.quantity, metric.method)
    assessable = any(not math.isnan(band) for band in bands)
    return Drawing(
        name=f"forest_{file_stem(metric)}",
        caption=f"Forest plot of the mean change in {name} (squares) with 95 % confidence "
        "intervals (lines), by level and side. "
        + (
            "Shading: minimal detectable change (MDC95) of a single muscle in either direction, "
            "median of the assessable muscles; it does not apply to the mean. Right: number of "
            "subjects; muscles whose change exceeded the MDC95 (decrease / increase / assessable)."
            if assessable
            else "The MDC95 is not known. Right: number of subjects."
        ),
        figure=figure,
    )


def _draw(axes: Axes, place: int, item: GroupChange, band: float) -> None:
    if not math.isnan(band):
        axes.barh(place, 2 * band, left=-band, height=0.8, color=PALE, zorder=0)
    low, high = item.tests.ci95
    axes.plot((low, high), (place, place), color=BLUE, linewidth=1.1)
    axes.plot(item.tests.mean, place, color=BLUE, marker="s", markersize=4)


def _label(item: GroupChange, *, several: bool) -> str:
    span, level, side, *rest = item.key[_KEPT:]
    return " ".join(filter(None, (level, side, *rest, f"({span})" if several else "")))


def _counts(item: GroupChange) -> str:
    n = f"n = {item.n}"
    if not item.judged:
        return n
    return f"{n}; {item.beyond_decrease} / {item.beyond_increase} / {item.judged}"


def _mdc95(study: ChangeStudy, metric: Metric, group: GroupChange) -> float:
    """Return the median of what this group's muscles were held against; NaN where nothing is."""
    span, level, side, *rest = group.key[_KEPT:]
    known = [
        item.mdc95
        for item in study.of(metric)
        if (item.pair.span, item.pair.level, item.pair.side) == (span, level, side)
        and (not study.column or [item.pair.column(study.column)] == rest)
        and not math.isnan(item.mdc95)
    ]
    return median(known) if known else math.nan
