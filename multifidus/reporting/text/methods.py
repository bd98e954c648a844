"""Methods of a paper, from a study's tables and protocol; it states only what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from multifidus.data.protocol import MeasurementProtocol, SliceSelection
from multifidus.reporting.labels import quantity_name
from multifidus.reporting.study_data import StudyData
from multifidus.reporting.tables.change import model_rule
from multifidus.reporting.text.acquired import acquisition_text
from multifidus.reporting.text.facts import Facts, Range
from multifidus.reporting.text.fat_methods import fat_text
from multifidus.reporting.text.statements import (
    NOT_RECORDED,
    Statement,
    counted,
    listed,
    range_text,
    unknown,
)
from multifidus.stats.change.exam_value import CONSENSUS, FIRST, MEAN, RATER
from multifidus.stats.exam_facts import GROUP_COLUMNS
from multifidus.stats.reliability.icc import FEW_RATERS
from multifidus.stats.reliability.results import ReliabilityStudy
from multifidus.study.level_value import rule_in_words

_AXES = {
    "spine": "the landmark-derived spinal axis",
    "patient_z": "the axis of the scanner",
    "vector": "a given axis",
}

_RULES = {
    "fascial": "inside the fascial plane, epimuscular fat included",
    "muscle_border": "along the visible border of the muscle",
    "unknown": "by a rule that was not recorded",
}

_SOURCES = {
    "manual": "segmented manually",
    "imported": "imported",
    "draft": "unedited drafts",
    "draft_edited": "edited drafts",
    "interpolated": "interpolated between slices",
    "consensus": "segmented in consensus",
}


def methods_text(data: StudyData, facts: Facts) -> list[Statement]:
    """Say how a study was made, topic by topic.

    Parameters
    ----------
    data
        The study.
    facts
        Of its rows.

    Returns
    -------
    list of Statement
        A topic that the tables do not hold says that it was not found there.
    """
    return [
        *_images(data, facts),
        *_outlines(facts),
        *_reading(data, facts),
        *_measures(data, facts),
        *_statistics(data),
        _software(facts),
    ]


def _images(data: StudyData, facts: Facts) -> Iterator[Statement]:
    at = f" ({listed(data.timepoints)})" if any(data.timepoints) else ""
    yield Statement(
        "Exams",
        f"{counted(facts.exams, 'exam')} of {counted(facts.subjects, 'subject')} were "
        f"measured{at}.",
    )
    for column in GROUP_COLUMNS:
        if groups := facts.counts[column]:
            parts = [f"{name} ({counted(n, 'subject')})" for name, n in groups.items()]
            silent = facts.subjects - sum(groups.values())
            parts += [f"not said of {counted(silent, 'subject')}"] if silent else []
            yield Statement("Groups", f"{column.capitalize()}: {listed(parts)}.")
    yield _intervals(facts)
    for topic, column, unit in (
        ("Scanner", "manufacturer", ""),
        ("Model", "model", ""),
        ("Field strength", "field_strength_t", " T"),
        ("Sequence", "sequence" if facts.counts["sequence"] else "weighting", ""),
        ("Slice thickness", "thickness_mm", " mm"),
    ):
        yield _of_exams(topic, facts.counts[column], unit, facts.exams)
    yield from acquisition_text(facts, data.acquired)
    yield (
        Statement(
            "Pixels",
            "In-plane pixel size (square root of the pixel area) was "
            f"{range_text(facts.pixel_mm, 'mm', '.4g')}.",
        )
        if facts.pixel_mm
        else unknown("Pixel size")
    )
    yield (
        Statement(
            "Levels",
            f"Muscles were segmented at {listed(facts.levels)}; {_slices_of(facts.slices)} per "
            f"level. The value of a level was the {rule_in_words(data.protocol)}"
            f"{_near(data.protocol)}.",
        )
        if facts.levels and facts.slices
        else unknown("Level of the slices")
    )
    axes = listed(_AXES.get(axis, axis) for axis in facts.tilt_axes)
    yield (
        Statement(
            "Tilt",
            f"The absolute angle between the slice normal and {axes} was "
            f"{range_text(facts.tilt_deg, 'degrees', '.1f')}; areas were measured in the slice "
            "plane, without correction for tilt.",
        )
        if facts.tilt_deg and axes
        else unknown("Tilt of the slices")
    )


def _slices_of(slices: Range) -> str:
    if slices.low == slices.high == 1:
        return "one slice was segmented"
    return f"{range_text(slices, '', '.3g')} slices were segmented"


def _near(protocol: MeasurementProtocol) -> str:
    """Say what a slice is near to, where it has to be."""
    return "" if protocol.slice_selection is SliceSelection.ALL else " (of the level's landmark)"


def _intervals(facts: Facts) -> Statement:
    parts = [
        f"{range_text(gap, 'days')} between {before} and {after}"
        for (before, after), gap in facts.gaps_days.items()
    ]
    parts += [
        f"{timepoint} {_from_surgery(days)}" for timepoint, days in facts.surgery_days.items()
    ]
    if not parts:
        return unknown("Interval between exams")
    return Statement("Interval", f"Intervals: {'; '.join(parts)}.")


def _from_surgery(days: Range) -> str:
    """Say how long before or after surgery exams were; on both sides of it, by sign."""
    if days.high < 0:
        before = Range(-days.high, -days.middle, -days.low)
        return f"{range_text(before, 'days')} before surgery"
    signed = " (negative: before it)" if days.low < 0 else ""
    return f"{range_text(days, 'days')} after surgery{signed}"


def _of_exams(topic: str, counts: Mapping[str, int], unit: str, exams: int) -> Statement:
    """Say what exams have in common, or how many have what; and of how many nobody said."""
    if not counts:
        return unknown(topic)
    silent = exams - sum(counts.values())
    if len(counts) == 1 and not silent:
        return Statement(topic, f"{topic}: {next(iter(counts))}{unit}.")
    parts = [f"{value}{unit} ({counted(n, 'exam')})" for value, n in counts.items()]
    if silent:
        parts.append(f"not said of {counted(silent, 'exam')}")
    return Statement(topic, f"{topic}: {listed(parts)}.")


def _outlines(facts: Facts) -> Iterator[Statement]:
    rules = facts.counts["roi_rule"]
    if rules:
        parts = [
            f"{_RULES.get(rule, rule)}{f' ({n} ROIs)' if len(rules) > 1 else ''}"
            for rule, n in rules.items()
        ]
        yield Statement(
            "Outlines", f"Muscles were segmented {listed(parts)}.", ("crawford2017", "berry2018")
        )
    else:
        yield unknown("Rule of the outlines")
    sources = facts.counts["source"]
    if sources:
        parts = [f"{n} were {_SOURCES.get(source, source)}" for source, n in sources.items()]
        total = sum(sources.values())
        words = f"Of {total} ROIs, {listed(parts)}."
        if len(sources) == 1 and total > 1:
            words = f"All {total} ROIs were {parts[0].partition(' were ')[2]}."
        yield Statement("Origin of the outlines", words)
    names = [name for name in facts.raters if name]
    if not names:
        yield unknown("Raters")
        return
    times = {1: "once", 2: "up to twice"}.get(
        facts.most_readings, f"up to {facts.most_readings} times"
    )
    yield Statement(
        "Raters",
        f"{counted(len(names), 'rater')} ({listed(names)}) segmented each examination {times}; "
        f"{counted(facts.readings, 'reading')} in total.",
    )
    experience = [
        f"{rater or 'unnamed'}: {said}{' years' if column.endswith('_years') else ''}"
        for column, raters in facts.of_raters.items()
        for rater, said in raters.items()
    ]
    topic = "Experience of the raters"
    yield Statement(topic, f"{topic}: {'; '.join(experience)}.") if experience else unknown(topic)


def _reading(data: StudyData, facts: Facts) -> Iterator[Statement]:
    """Say how exams were read: blinded or not, how long after each other, for how long."""
    yield _blinding(data, facts)
    if facts.most_readings > 1:
        yield (
            Statement(
                "Interval between readings",
                "A rater's later reading of an exam was finished "
                f"{range_text(facts.reread_days, 'days')} after the first.",
            )
            if facts.reread_days
            else unknown("Interval between readings")
        )
    if facts.reading_minutes:
        yield Statement(
            "Time", f"A reading took {range_text(facts.reading_minutes, 'minutes')} of work."
        )


def _blinding(data: StudyData, facts: Facts) -> Statement:
    """Assert what a reading list proves; what a column states is told as that."""
    proven = facts.blinded_by(data.proven_list)
    stated: Counter[str] = Counter()
    for (name, answer), n in facts.blinding.items():
        if name != data.proven_list and answer:
            stated[answer] += n
    silent = facts.readings - proven - sum(stated.values())
    if not (proven or stated):
        return unknown("Blinding")
    words = []
    if proven:
        of = "All" if proven == facts.readings else "Of all readings"
        words += [
            f"{of} {counted(proven, 'reading')} followed a reading list that was "
            f"{data.proven_list}.",
            data.blinded_list,
            data.blinding_limits,
        ]
    if stated:
        parts = [f"{answer} ({counted(n, 'reading')})" for answer, n in sorted(stated.items())]
        words.append(
            f"Blinding as the cohort table states it, shown by no reading list: {listed(parts)}."
        )
    if silent:
        words.append(f"Blinding of {counted(silent, 'reading')} is stated nowhere.")
    return Statement("Blinding", " ".join(words))


def _measures(data: StudyData, facts: Facts) -> Iterator[Statement]:
    names = [quantity_name(metric.quantity, metric.method) for metric in data.metrics]
    yield Statement("Quantities", f"Quantities: {'; '.join(names)}.")
    yield from fat_text(data.metrics, data.protocol, facts)
    least = data.protocol.minimal_valid_fraction
    yield Statement(
        "Artefacts",
        "Outlined artefacts were excluded from lean and fat areas, not from total area; changes of "
        f"lean and fat area were analysed where at least {100 * least:g} % of the muscle remained "
        "in both examinations.",
    )


def _statistics(data: StudyData) -> Iterator[Statement]:
    kinds = {"between raters": data.between, "within raters": data.within}
    known = {words: study for words, study in kinds.items() if study is not None}
    yield _reliability(known, given=data.given) if known else unknown("Reliability")
    if data.change is None:
        return
    yield Statement("Values compared", _compared(data.choice.rule))
    bases = dict.fromkeys(item.basis for item in data.change.changes if item.mdc95 > 0)
    rests = "; or ".join(bases) if bases else NOT_RECORDED
    yield Statement(
        "Minimal detectable change",
        f"Minimal detectable change (MDC95) of a single muscle: {rests}.",
    )
    if data.change.muscles or data.change.zones or data.change.contrasts:
        yield Statement(
            "Tests",
            "Within-group changes were tested using the paired t test and the Wilcoxon signed-rank "
            "test; P values of each test were adjusted by Holm's method for all tests of one table "
            "of one quantity, fat method and muscle.",
            ("holm1979",),
        )
    for rule in dict.fromkeys(map(model_rule, data.change.models)):
        yield Statement("Mixed model", rule, ("patterson1971", "bell2002", "pustejovsky2018"))


def _compared(rule: str) -> str:
    return {
        FIRST: "The first reading of each exam's only rater was compared.",
        MEAN: "The mean of all readings of an exam was compared.",
        CONSENSUS: "The consensus reading was compared.",
    }.get(rule, f"The first reading of rater {rule.removeprefix(RATER)} was compared.")


def _reliability(known: Mapping[str, ReliabilityStudy], *, given: bool) -> Statement:
    """Say which model was used; few raters are a doubt between raters alone."""
    between = [item for study in known.values() for item in study.results if not item.rater]
    few = any(item.n_raters < FEW_RATERS and item.n_subjects == item.n_targets for item in between)
    caution = (
        f" With fewer than {FEW_RATERS} raters the interval of ICC(2,1) has below-nominal coverage."
        if few
        else ""
    )
    several = any(
        item.n_subjects < item.n_targets for study in known.values() for item in study.results
    )
    clustered = (
        " Where subjects gave several targets, intervals account for clustering within subjects "
        "(Satterthwaite degrees of freedom; generalised confidence intervals for agreement)."
        if several
        else ""
    )
    source = " (from a file given to the report)" if given else ""
    return Statement(
        "Reliability",
        f"Reliability {listed(known)}{source}: ICC(2,1) for agreement and ICC(3,1) for consistency "
        "of single measurements, two-way models, 95 % intervals; standard error of measurement "
        "of agreement and of consistency; minimal detectable change MDC95 = 1.96 x sqrt(2) x SEM; "
        f"limits of agreement with exact intervals.{clustered}{caution}",
        (
            "shrout1979",
            "mcgraw1996",
            "koo2016",
            "blandaltman1986",
            "carkeet2015",
            *(("weerahandi1993",) if several else ()),
        ),
    )


def _software(facts: Facts) -> Statement:
    if not facts.versions:
        return unknown("Software version")
    digests = listed(facts.protocols) or NOT_RECORDED
    return Statement(
        "Software",
        f"Software: multifidus {listed(facts.versions)}; measurement protocol {digests}.",
    )
