"""Bland-Altman plots: the difference of two raters or readings against their mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from multifidus.report.figures.exams import What, along_the_spine, patient_sides
from multifidus.report.figures.style import BLACK, BLUE, PALE, VERMILLION, Drawing, grid, styled
from multifidus.report.picture_names import distinct_stem
from multifidus.report.words import axis_label
from multifidus.stats.reliability import Compare, Reliability
from multifidus.stats.values import Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def bland_altman(
    what: What, results: Iterable[Reliability], values: Iterable[Value]
) -> Drawing | None:
    """Draw each level and side of one quantity, the first two raters or readings of each.

    Parameters
    ----------
    what
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
    own = [
        item
        for item in results
        if (item.quantity, item.method, item.structure)
        == (what.quantity, what.method, what.structure)
    ]
    if not own:
        return None
    mine = what.of(values)
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
    figure.supxlabel(f"Mean of both: {axis_label(what.quantity, what.method)}", fontsize=7)
    figure.supylabel(f"Difference: {who}", fontsize=7)
    kind = (
        f"readings_{distinct_stem((first.rater,), first.rater)}"
        if first.compare is Compare.READING
        else "raters"
    )
    return Drawing(
        name=f"bland_altman_{what.stem}_{kind}",
        caption=f"{axis_label(what.quantity, what.method)}: difference of {who} against their "
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
    """Return both numbers of each target that has them, as the reliability took them."""
    columns: dict[tuple[str, ...], dict[str, float]] = {}
    for value in values:
        elsewhere = (item.level and value.level != item.level) or (
            item.side and value.side != item.side
        )
        between = item.compare is Compare.RATER
        another = value.reading != 1 if between else value.rater != item.rater
        if elsewhere or another:
            continue
        target = (value.subject, value.timepoint, value.level, value.side)
        column = value.rater if between else str(value.reading)
        columns.setdefault(target, {})[column] = value.value
    full = [[row.get(name, np.nan) for name in item.columns] for _, row in sorted(columns.items())]
    kept = [row for row in full if np.isfinite(row).all()]
    places = [item.columns.index(name) for name in (item.pairs[0].first, item.pairs[0].second)]
    return [row[places[0]] for row in kept], [row[places[1]] for row in kept]


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
