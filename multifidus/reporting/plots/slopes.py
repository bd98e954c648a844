"""Paired slopes: every muscle from exam to exam, and the group's mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from multifidus.reporting.exam_numbers import along_the_spine, file_stem, patient_sides
from multifidus.reporting.labels import axis_label
from multifidus.reporting.plots.style import BLACK, CLASSIFICATIONS, Drawing, grid, styled
from multifidus.reporting.text.statements import listed
from multifidus.stats.change.groups import Change, Classification
from multifidus.stats.change.study import ChangeStudy
from multifidus.stats.values import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def slopes(metric: Metric, study: ChangeStudy) -> Drawing | None:
    """Draw every pair of one quantity, coloured by what can be said of it; None without pairs."""
    changes = [item for item in study.of(metric) if not item.pair.problem]
    if not changes:
        return None
    names = study.timepoints
    # Of several spans the last one leads over all others.
    steps = study.spans if len(study.spans) == 1 else study.spans[:-1]
    levels = along_the_spine(item.pair.level for item in changes)
    sides = patient_sides(item.pair.side for item in changes)
    figure, panels = grid(sides, levels)
    for (side, level), axes in panels.items():
        mine = [
            item
            for item in changes
            if (item.pair.side, item.pair.level) == (side, level) and item.pair.timepoints in steps
        ]
        _draw(axes, mine, names)
    figure.supylabel(axis_label(metric.quantity, metric.method), fontsize=7)
    _legend(figure, {item.classification for item in changes})
    return Drawing(
        name=f"slopes_{file_stem(metric)}",
        caption=f"{axis_label(metric.quantity, metric.method)} at {listed(names)}: one line a "
        "muscle, coloured by whether its change exceeds the MDC95; bold line: mean of complete "
        "pairs.",
        figure=figure,
    )


def _draw(axes: Axes, changes: Sequence[Change], names: Sequence[str]) -> None:
    from matplotlib.collections import LineCollection

    for classification, (colour, line, width, _) in CLASSIFICATIONS.items():
        segments = [
            [
                (names.index(exam.timepoint), exam.value)
                for exam in (item.pair.before, item.pair.after)
            ]
            for item in changes
            if item.classification is classification
        ]
        if segments:
            drawn = LineCollection(segments, colors=colour, linestyles=line, linewidths=width)
            axes.add_collection(drawn)
    for step in dict.fromkeys(item.pair.span for item in changes):
        own = [item.pair for item in changes if item.pair.span == step]
        places = [names.index(name) for name in own[0].timepoints]
        before = math.fsum(pair.before.value for pair in own) / len(own)
        after = math.fsum(pair.after.value for pair in own) / len(own)
        axes.plot(places, (before, after), color=BLACK, linewidth=1.6, marker="o", markersize=3)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.25, len(names) - 0.75)
    axes.autoscale_view(scalex=False)


def _legend(figure: Figure, found: set[Classification]) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=colour, linestyle=line, linewidth=width + 0.3, label=name)
        for classification, (colour, line, width, name) in CLASSIFICATIONS.items()
        if classification in found
    ]
    lines.append(Line2D([], [], color=BLACK, linewidth=1.6, marker="o", markersize=3, label="mean"))
    figure.legend(handles=lines, loc="outside lower center", ncols=len(lines))
