"""Bland-Altman plots: the difference of two raters or readings against their mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from multifidus.figures.picture_files import distinct_stem
from multifidus.reporting.exam_numbers import along_the_spine, file_stem, patient_sides
from multifidus.reporting.labels import axis_label
from multifidus.reporting.plots.style import BLACK, BLUE, PALE, VERMILLION, Drawing, grid, styled
from multifidus.stats.reliability.results import Reliability
from multifidus.stats.reliability.targets import Compare, column_of, tabulate_targets
from multifidus.stats.values import Metric, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def bland_altman(
    metric: Metric, results: Iterable[Reliability], values: Iterable[Value]
) -> Drawing | None:
    """Draw each level and side of one quantity, the first two raters or readings of each.

    Parameters
    ----------
    metric
        Of which number.
    results
        Its reliability, between raters or of one rater's readings; one a level and side.
    values
        The study's, from which they are.

    Returns
    -------
    Drawing or None
        None where there is nothing to draw.
    """
    own = metric.of(results)
    if not own:
        return None
    mine = metric.of(values)
    levels = along_the_spine(item.level for item in own)
    sides = patient_sides(item.side for item in own)
    figure, panels = grid(sides, levels)
    shown = {(item.side, item.level): item for item in own}
    for place, axes in panels.items():
        item = shown.get(place)
        if item is None:
            axes.set_axis_off()
            continue
        _draw(axes, item, *_points(item, mine))
    first = own[0]
    who = _who(first)
    figure.supxlabel(f"Mean of both: {axis_label(metric.quantity, metric.method)}", fontsize=7)
    figure.supylabel(f"Difference: {who}", fontsize=7)
    kind = (
        f"readings_{distinct_stem((first.rater,), first.rater)}"
        if first.compare is Compare.READING
        else "raters"
    )
    return Drawing(
        name=f"bland_altman_{file_stem(metric)}_{kind}",
        caption=f"{axis_label(metric.quantity, metric.method)}: difference of {who} against their "
        "mean, one point an exam. Line: bias; dashed: 95 % limits of agreement; shaded: their "
        "exact 95 % intervals.",
        figure=figure,
    )


def _who(item: Reliability) -> str:
    pair = item.pairs[0]
    if item.compare is Compare.READING:
        whose = f" of {item.rater}" if item.rater else ""
        return f"reading {pair.first} minus reading {pair.second}{whose}"
    return f"{pair.first} minus {pair.second}"


def _points(item: Reliability, values: Iterable[Value]) -> tuple[list[float], list[float]]:
    """Return both numbers of each target, as the reliability took them."""
    between = item.compare is Compare.RATER
    members = [
        value
        for value in values
        if item.level in {"", value.level}
        and item.side in {"", value.side}
        and item.timepoint in {"", value.timepoint}
        and (value.reading == 1 if between else value.rater == item.rater)
        and column_of(value, item.compare) in item.columns
    ]
    raters = item.columns if between else ()
    table = tabulate_targets(members, item.compare, raters, item.slices.match).table
    places = [item.columns.index(name) for name in (item.pairs[0].first, item.pairs[0].second)]
    one, two = (table[:, place].tolist() for place in places)
    return one, two


def _draw(axes: Axes, item: Reliability, first: list[float], second: list[float]) -> None:
    found = item.pairs[0].agreement
    one, two = np.array(first), np.array(second)
    for low, high in found.limits_ci95:
        axes.axhspan(low, high, color=PALE, linewidth=0, zorder=0)
    axes.axhline(0, color=BLACK, linewidth=0.4, linestyle=":")
    axes.axhline(found.bias, color=VERMILLION)
    for limit in found.limits:
        axes.axhline(limit, color=VERMILLION, linestyle="--")
    axes.scatter((one + two) / 2, one - two, s=6, facecolor="none", edgecolor=BLUE, linewidth=0.6)
    axes.annotate(
        f"n = {found.n}", (0.98, 0.97), xycoords="axes fraction", ha="right", va="top", fontsize=5.5
    )
