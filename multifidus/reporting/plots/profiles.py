"""Level profiles: a quantity along the spine, at every timepoint."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from multifidus.reporting.exam_numbers import (
    along_the_spine,
    exam_numbers,
    file_stem,
    patient_sides,
)
from multifidus.reporting.labels import axis_label
from multifidus.reporting.plots.style import (
    COLUMN_MM,
    PAGE_MM,
    Drawing,
    new_figure,
    styled,
    timepoint_legend,
    timepoint_style,
)
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.values import Metric, Value


@styled
def level_profiles(
    metric: Metric, values: Iterable[Value], timepoints: Sequence[str], choice: ReadingChoice
) -> Drawing | None:
    """Draw means and standard deviations from cranial to caudal, a panel for each side."""
    numbers = exam_numbers(values, metric, choice)
    levels = along_the_spine(level for level, _ in numbers)
    if not numbers:
        return None
    sides = patient_sides(side for _, side in numbers)
    figure = new_figure(COLUMN_MM if len(sides) == 1 else PAGE_MM, 20 + 9 * len(levels))
    panels = figure.subplots(1, len(sides), sharex=True, sharey=True, squeeze=False)[0]
    for axes, side in zip(panels, sides, strict=True):
        for n, timepoint in enumerate(timepoints):
            found = [
                (place, list(numbers.get((level, side), {}).get(timepoint, {}).values()))
                for place, level in enumerate(levels)
            ]
            drawn = [(place, own) for place, own in found if own]
            if not drawn:
                continue
            # Apart by so little that bars of two timepoints can be told from each other.
            apart = 0.16 * (n - (len(timepoints) - 1) / 2)
            axes.errorbar(
                [float(np.mean(own)) for _, own in drawn],
                [place + apart for place, _ in drawn],
                xerr=[float(np.std(own, ddof=1)) if len(own) > 1 else math.nan for _, own in drawn],
                **timepoint_style(n),
                markersize=3.5,
                capsize=1.5,
                elinewidth=0.6,
                label=timepoint,
            )
        axes.set_title({"right": "Right", "left": "Left"}.get(side, side))
        axes.set_yticks(range(len(levels)), [level or "no level" for level in levels])
        axes.margins(y=0.08)
    panels[0].invert_yaxis()
    figure.supxlabel(axis_label(metric.quantity, metric.method), fontsize=7)
    timepoint_legend(figure, panels[0], timepoints)
    return Drawing(
        name=f"profile_{file_stem(metric)}",
        caption=f"{axis_label(metric.quantity, metric.method)} from cranial to caudal: mean over "
        "subjects; bars: standard deviation, where there are several.",
        figure=figure,
    )
