"""All figures of a study, in the order in which its report shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from multifidus.figures.picture_files import Thumbnail
from multifidus.reporting.plots.asymmetry import asymmetry
from multifidus.reporting.plots.bland_altman import bland_altman
from multifidus.reporting.plots.forest import forest
from multifidus.reporting.plots.montage import matched, montage
from multifidus.reporting.plots.profiles import level_profiles
from multifidus.reporting.plots.slopes import slopes
from multifidus.reporting.plots.style import Drawing
from multifidus.reporting.study_data import StudyData
from multifidus.stats.change.exam_value import CONSENSUS, RATER
from multifidus.stats.values import Metric


def draw_study(data: StudyData) -> Iterator[Drawing]:
    """Draw what there is to draw of a study, one figure at a time."""
    yield from filter(None, _drawings(data))


def _drawings(data: StudyData) -> Iterator[Drawing | None]:
    for metric in data.metrics:
        # What a file said of another study has no points here.
        if not data.given:
            yield from _agreement(data, metric)
        if data.change is not None:
            yield forest(metric, data.change)
            yield slopes(metric, data.change)
        yield level_profiles(metric, data.values, data.timepoints, data.choice)
    structure = data.metrics[0].structure
    yield asymmetry(data.values, structure, data.timepoints, data.choice)
    yield _montage(data)


def _agreement(data: StudyData, metric: Metric) -> Iterator[Drawing | None]:
    if data.between is not None:
        yield bland_altman(metric, data.between.results, data.values)
    if data.within is not None:
        for rater in dict.fromkeys(item.rater for item in data.within.results):
            own = [item for item in data.within.results if item.rater == rater]
            yield bland_altman(metric, own, data.values)


def pictures_of(data: StudyData, subject: str) -> list[Thumbnail]:
    """Return a subject's pictures, of one reading an exam: the one whose value enters, if one."""
    own = [item for item in data.pictures if item.subject == subject]
    rule = data.choice.rule
    wanted = rule.removeprefix(RATER) if rule.startswith(RATER) else ""
    wanted = CONSENSUS if rule == CONSENSUS else wanted
    if wanted:
        own = [item for item in own if item.rater == wanted]
    first = {
        timepoint: min((item.rater, item.reading) for item in own if item.timepoint == timepoint)
        for timepoint in {item.timepoint for item in own}
    }
    return [item for item in own if (item.rater, item.reading) == first[item.timepoint]]


def _montage(data: StudyData) -> Drawing | None:
    """Show the subject whose change is the median of all; the first one where none changed."""
    changes: dict[str, list[float]] = {}
    if data.change is not None:
        for item in data.change.of(data.metrics[0]):
            if not item.pair.problem:
                changes.setdefault(item.pair.subject, []).append(item.pair.delta_pct)
    there = {item.subject for item in data.pictures}
    means = {
        subject: math.fsum(found) / len(found)
        for subject, found in changes.items()
        if subject in there and all(map(math.isfinite, found))
    }
    if means:
        middle = median(means.values())
        subject = min(sorted(means), key=lambda name: abs(means[name] - middle))
        why = "its mean change in percent is nearest to the median of all subjects"
    elif there:
        subject = min(
            sorted(there), key=lambda name: -len(matched(pictures_of(data, name), data.timepoints))
        )
        why = "the first with pictures of the most levels"
    else:
        return None
    return montage(subject, pictures_of(data, subject), data.timepoints, why)
