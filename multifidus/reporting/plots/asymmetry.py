"""Asymmetry: right against left, level by level and exam by exam."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from multifidus.reporting.exam_numbers import along_the_spine, exam_numbers
from multifidus.reporting.plots.style import (
    BLACK,
    COLUMN_MM,
    MARKERS,
    PAGE_MM,
    SERIES,
    Drawing,
    new_figure,
    styled,
    timepoint_legend,
)
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.values import Metric, Value

QUANTITY = "asymmetry_pct"

MANY_LEVELS = 3
"""More levels take two columns of a journal."""


@styled
def asymmetry(
    values: Iterable[Value], structure: str, timepoints: Sequence[str], choice: ReadingChoice
) -> Drawing | None:
    """Draw every subject's asymmetry of area, and the median of each level and timepoint."""
    metric = Metric(QUANTITY, "", structure)
    numbers = exam_numbers(values, metric, choice)
    levels = along_the_spine(level for level, _ in numbers)
    if not numbers:
        return None
    figure = new_figure(PAGE_MM if len(levels) > MANY_LEVELS else COLUMN_MM, 62)
    axes = figure.subplots()
    for n, timepoint in enumerate(timepoints):
        colour, marker = SERIES[n % len(SERIES)], MARKERS[n % len(MARKERS)]
        labelled = False
        for place, level in enumerate(levels):
            subjects = numbers.get((level, "both"), {}).get(timepoint, {})
            if not subjects:
                continue
            own = list(subjects.values())
            middle = place + 0.7 * ((n + 0.5) / len(timepoints) - 0.5)
            # Spread by the golden ratio: without chance, and without a pattern.
            apart = [
                middle + 0.4 / len(timepoints) * ((i * 0.618) % 1 - 0.5) for i in range(len(own))
            ]
            axes.scatter(
                apart, own, s=8, facecolor="none", edgecolor=colour, marker=marker, linewidth=0.6,
                label="" if labelled else timepoint,
            )  # fmt: skip
            labelled = True
            width = 0.24 / len(timepoints)
            axes.plot(
                (middle - width, middle + width), (median(own), median(own)), color=colour,
                linewidth=1.6,
            )  # fmt: skip
    axes.axhline(0, color=BLACK, linewidth=0.6)
    axes.set_xticks(range(len(levels)), levels)
    axes.set_ylabel("Asymmetry of area, %\nright larger: positive")
    timepoint_legend(figure, axes, timepoints)
    return Drawing(
        name="asymmetry",
        caption="Asymmetry of the total cross-sectional area, 100 x (R - L) / ((R + L) / 2): one "
        "mark a subject; lines: medians.",
        figure=figure,
    )
