"""Results of a paper, in the numbers of its tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from multifidus.reporting.labels import quantity_name, quantity_unit
from multifidus.reporting.study_data import StudyData
from multifidus.reporting.tables.change import p_value
from multifidus.reporting.tables.reliability import short
from multifidus.reporting.text.statements import NOT_RECORDED, Statement, counted, unknown
from multifidus.stats.change.groups import BY_ZONE, Classification, GroupChange
from multifidus.stats.change.mixed_model import FACTORS, MixedModel, Unfitted
from multifidus.stats.change.pairs import ZONES
from multifidus.stats.change.random_intercept import Term
from multifidus.stats.change.study import ChangeStudy
from multifidus.stats.reliability.results import Reliability, ReliabilityStudy
from multifidus.stats.values import Metric


def results_text(data: StudyData) -> list[Statement]:
    """Say what was found: reliability, then change, quantity by quantity."""
    found = [
        statement
        for study, words in ((data.between, "Inter-rater"), (data.within, "Intra-rater"))
        if study is not None
        for metric in data.metrics
        for statement in _reliability(study, metric, words)
    ]
    if not found:
        found.append(unknown("Reliability"))
    if data.change is not None:
        found += [Statement("Groups", text) for text in data.change.pooled]
        for metric in data.metrics:
            found += _changes(data.change, metric)
            found += _muscles(data.change, metric)
            found += _models(data.change, metric)
        found += [Statement("Mixed model", _unfitted(item)) for item in data.change.unfitted]
    return found


def _unfitted(item: Unfitted) -> str:
    """Say which model is missing and why, in the words of the text."""
    if item.metric is None:
        return str(item)
    return item.named(quantity_name(item.metric.quantity, item.metric.method))


def _reliability(study: ReliabilityStudy, metric: Metric, words: str) -> Iterator[Statement]:
    """Give the range over levels and sides, and over raters where each has readings of its own."""
    own = metric.of(study.results)
    if not own:
        return
    name, unit = quantity_name(metric.quantity, metric.method), _after(metric.quantity)
    parts = []
    for form in ("ICC(2,1)", "ICC(3,1)"):
        found = [one for item in own for one in item.icc if one.shrout_fleiss == form]
        low = min(one.ci95[0] for one in found)
        parts.append(
            f"{form} {_range([one.value for one in found], '.2f')} (lowest 95 % confidence limit "
            f"{low:.2f})"
        )
    sems = [item.sem.agreement for item in own]
    mdcs = [item.sem.mdc95_agreement for item in own]
    places = len({(item.level, item.side) for item in own})
    yield Statement(
        "Reliability",
        f"{words} reliability of {name}"
        f"{'' if places == 1 else f' (range across {places} level-side combinations)'}, "
        f"{_examinations(own)}: "
        f"{', '.join(parts)}, SEM of agreement {_range(sems)}{unit}, MDC95 "
        f"{_range(mdcs)}{unit}.",
    )


def _examinations(own: Sequence[Reliability]) -> str:
    """Say of how many examinations of how many subjects, and of which timepoints and groups."""
    if not all(item.counts.n_exams for item in own):  # a file of an older version
        return f"{_range([item.n_targets for item in own], 'd')} targets"
    exams = _range([item.counts.n_exams for item in own], "d")
    subjects = _range([item.n_subjects for item in own], "d")
    whose = f"{exams} examinations of {subjects} subjects"
    names = sorted({name for item in own for name, _ in item.counts.timepoints})
    pooled = [f"timepoints {', '.join(names)}"] if len(names) > 1 else []
    for column in dict.fromkeys(name for item in own for name, _, _ in item.counts.groups):
        groups = sorted({g for item in own for name, g, _ in item.counts.groups if name == column})
        if len(groups) > 1:
            pooled.append(f"{column} {', '.join(group or 'not said' for group in groups)}")
    words = whose + (f" (pooled over {' and '.join(pooled)})" if pooled else "")
    lost: dict[str, list[int]] = {}
    for why, n in (found for item in own for found in item.exclusions):
        lost.setdefault(why, []).append(n)
    return words + "".join(
        f"; {_range(numbers, 'd')} targets excluded with {why}" for why, numbers in lost.items()
    )


def _after(quantity: str) -> str:
    """Return the unit of a difference, to stand behind a number."""
    unit = quantity_unit(quantity).replace("%", "percentage points")
    return f" {unit}" if unit else ""


def _range(numbers: Sequence[float], form: str = "") -> str:
    """Give the least and the largest, in a format or in as many digits as they deserve."""
    low, high = (format(n, form) if form else short(n) for n in (min(numbers), max(numbers)))
    return low if low == high else f"{low} to {high}"


def _changes(study: ChangeStudy, metric: Metric) -> Iterator[Statement]:
    """Give the change of each group: by zone where levels were operated, else by level and side."""
    found = study.zones, study.muscles
    mine = ([item for item in kind if item.key[: len(metric)] == metric] for kind in found)
    groups = next(filter(None, mine), [])
    name, unit = quantity_name(metric.quantity, metric.method), _after(metric.quantity)
    for item in groups:
        span, *where = item.key[BY_ZONE.index("span") :]
        group = where.pop() if study.column else ""
        at = _named(" ".join(filter(None, where)))
        place = (f" at {at}" if at else "") + (f" ({group})" if group else "")
        yield Statement(f"Change of {name}", _sentence(item, span, name + place, unit))


def _sentence(item: GroupChange, span: str, name: str, unit: str) -> str:
    relative = not (math.isnan(item.mean_pct) or "percentage" in unit)
    pct = f"; mean relative change, {short(item.mean_pct)} %" if relative else ""
    tests = item.tests
    return (
        f"From {span}, {name} {_changed(tests.mean)}{_by(tests.mean, unit)} "
        f"({_interval(tests.ci95, unit)}{pct}), n = {item.n}, Holm-adjusted "
        f"{_p(item.p_t_holm)} (paired t test) and {_p(item.p_wilcoxon_holm)} (signed-rank test)."
    )


def _changed(mean: float) -> str:
    return "decreased" if mean < 0 else "increased" if mean > 0 else "did not change"


def _by(mean: float, unit: str) -> str:
    """Give the size of a change, whose direction the verb says."""
    return f" by {short(abs(mean))}{unit}" if mean else ""


def _interval(ci95: tuple[float, float], unit: str) -> str:
    """Give the interval with its signs: its ends may lie on both sides of no change."""
    low, high = map(short, ci95)
    return f"95 % CI of the change, {low} to {high}{unit}"


def _p(p: float) -> str:
    return f"P = {p_value(p) or 'undefined'}".replace("= <", "< ")


def _models(study: ChangeStudy, metric: Metric) -> Iterator[Statement]:
    """Give what a mixed model says of the change; its other terms stand in the table."""
    name, unit = quantity_name(metric.quantity, metric.method), _after(metric.quantity)
    for model in metric.of(study.models):
        sentences = filter(None, (_term(model, term, unit) for term in model.terms))
        yield Statement(
            f"Change of {name}",
            f"By the mixed model ({counted(model.n_subjects, 'subject')}, "
            f"{counted(model.n_muscles, 'muscle')}) of {name}, "
            f"{'; '.join(sentences)}. {' '.join(model.problems)}".strip(),
        )


def _term(model: MixedModel, term: Term, unit: str) -> str:
    """Say a term about change; empty for one about how places differ to begin with."""
    first, place = model.reference
    when, where = term.effect.timepoint, term.effect.place
    if not when:
        return ""
    preposition = "at" if model.factor in FACTORS else "in"
    if where:
        low, high = map(short, term.ci95)
        return (
            f"the change from {first} to {when} was {short(abs(term.estimate))}{unit} "
            f"{'more negative' if term.estimate < 0 else 'more positive'} {preposition} "
            f"{_named(where)} than {preposition} {_named(place)} (95 % CI of the difference, "
            f"{low} to {high}{unit}; interaction of time and {model.factor}), {_p(term.p)}"
        )
    at = f" {preposition} {_named(place)}" if place else ""
    return (
        f"it {_changed(term.estimate)} from {first} to {when}{at}{_by(term.estimate, unit)} "
        f"({_interval(term.ci95, unit)}), {_p(term.p)}"
    )


def _named(place: str) -> str:
    return f"{place} levels" if place in ZONES else place


def _muscles(study: ChangeStudy, metric: Metric) -> Iterator[Statement]:
    """Count muscles beyond measurement error, which judges single muscles alone."""
    name = quantity_name(metric.quantity, metric.method)
    for span in study.spans:
        counts = Counter(item.classification for item in study.of(metric, span))
        n = counts.total() - counts[Classification.UNKNOWN]
        words = (
            f"{name} decreased by more than the MDC95 in {counts[Classification.DECREASE]} and "
            f"increased in {counts[Classification.INCREASE]} of {counted(n, 'assessable muscle')}; "
            f"in {counts[Classification.WITHIN_ERROR]} the change did not exceed the MDC95."
            if n
            else f"no change of {name} could be compared with measurement error: the minimal "
            f"detectable change is {NOT_RECORDED}."
        )
        yield Statement(f"Change of {name}", f"From {' to '.join(span)}, {words}")
