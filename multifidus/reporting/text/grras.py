"""The 15 items of GRRAS, answered from a study's tables or marked missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from multifidus.reporting.study_data import StudyData
from multifidus.reporting.text.facts import OF_SUBJECTS, Facts, Range, number
from multifidus.reporting.text.statements import counted, listed, range_text
from multifidus.stats.reliability.results import Reliability

SOURCE = "kottner2011"


class Answer(StrEnum):
    """How far the tables answer an item."""

    YES = "answered"
    PARTLY = "partly"
    NO = "missing"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the list.

    Parameters
    ----------
    number, asks
        Which, and what it asks for.
    answer, words
        How far the tables answer it, with what; or what an author has to add.
    """

    number: int
    asks: str
    answer: Answer
    words: str


def grras(data: StudyData, facts: Facts) -> list[Item]:
    """Answer the items of Kottner et al. 2011 (doi:10.1016/j.jclinepi.2010.03.002)."""
    results = [
        item for study in (data.between, data.within) if study is not None for item in study.results
    ]
    return [
        Item(1, "Reliability or agreement named in title or abstract", Answer.NO,
             "For the authors to write."),
        Item(2, "Measurement device", *_device(facts)),
        Item(3, "Subject population", *_subjects(facts)),
        Item(4, "Rater population", *_raters(facts)),
        Item(5, "What is known already, and why the study", Answer.NO, "For the authors to write."),
        Item(6, "Sample size: raters, subjects, replicates, and why", *_planned(results)),
        Item(7, "Sampling method", Answer.NO, _NOT_FOUND),
        Item(8, "Rating process: interval, clinical information, blinding",
             *_process(facts, data.proven_list)),
        Item(9, "Ratings made independently", *_independence(facts, data.proven_list)),
        Item(10, "Statistical analysis", *_analysis(results, given=data.given)),
        Item(11, "Actual number of raters, subjects, replicates", *_actual(results)),
        Item(12, "Characteristics of raters and subjects", *_characteristics(facts)),
        Item(13, "Estimates with their uncertainty", *_estimates(results)),
        Item(14, "Practical relevance", Answer.NO, "For the authors to write."),
        Item(15, "Detailed results", Answer.YES,
             "Individual measurements are provided in measurements.csv."),
    ]  # fmt: skip


_NOT_FOUND = "Not found in the columns that this report reads."


def _subjects(facts: Facts) -> tuple[Answer, str]:
    """Say what columns of the cohort describe subjects, and of how many."""
    known = [
        f"{name} ({'; '.join(_values(facts.counts[name]))})"
        for name in OF_SUBJECTS
        if facts.counts[name]
    ]
    if not known:
        return Answer.NO, _NOT_FOUND
    return Answer.PARTLY, f"{counted(facts.subjects, 'subject')}: {', '.join(known)}."


def _values(counts: Mapping[str, int]) -> list[str]:
    """Give numbers by median and range, few words by their counts, many by their number."""
    numbers = [number({"": text}, "") for text, n in counts.items() for _ in range(n)]
    found = Range.of(numbers)
    if found is not None and all(map(math.isfinite, numbers)):
        return [f"{range_text(found, '', '.4g')}; {counted(len(numbers), 'subject')}"]
    if len(counts) <= _FEW_WORDS:
        return [f"{text} {n}" for text, n in counts.items()]
    return [f"given for {counted(sum(counts.values()), 'subject')}"]


_FEW_WORDS = 6
"""A column that says more different things is counted, not listed."""


def _raters(facts: Facts) -> tuple[Answer, str]:
    known = [name for name, raters in facts.of_raters.items() if raters]
    if not known:
        return Answer.NO, _NOT_FOUND
    return Answer.PARTLY, f"See Methods: {listed(known)}."


def _characteristics(facts: Facts) -> tuple[Answer, str]:
    subjects, raters = _subjects(facts), _raters(facts)
    if Answer.PARTLY not in {subjects[0], raters[0]}:
        return Answer.NO, _NOT_FOUND
    return Answer.PARTLY, "See items 3 and 4."


def _independence(facts: Facts, name: str) -> tuple[Answer, str]:
    proven = facts.blinded_by(name)
    if not proven:
        return Answer.NO, _NOT_FOUND
    words = f"{proven} of {counted(facts.readings, 'reading')} showed no outlines of other raters."
    return Answer.YES if proven == facts.readings else Answer.PARTLY, words


def _device(facts: Facts) -> tuple[Answer, str]:
    if not facts.versions:
        return Answer.NO, _NOT_FOUND
    scanner = listed(facts.counts["manufacturer"])
    words = f"multifidus {listed(facts.versions)} on axial MRI of the lumbar spine"
    if not scanner:
        return Answer.PARTLY, f"{words}; scanner: not found in the columns that this report reads."
    return Answer.YES, f"{words}; scanner: {scanner}."


def _planned(results: list[Reliability]) -> tuple[Answer, str]:
    if not results:
        return Answer.NO, "No repeated readings; a plan is not found in the tables."
    return Answer.PARTLY, f"{_numbers(results)}; how they were chosen is not found in the tables."


def _process(facts: Facts, name: str) -> tuple[Answer, str]:
    stated, apart = facts.counts["blinded"], facts.reread_days
    proven = facts.blinded_by(name)
    if not (stated or proven or apart):
        return Answer.NO, f"Blinding and the interval between readings: {_NOT_FOUND.lower()}"
    interval = f"{range_text(apart, 'days')}" if apart else "not found"
    # Codes in place of subject, timepoint and side of surgery leave no clinical information.
    whole = proven == facts.readings
    blinded = (
        f"{proven} of {counted(facts.readings, 'reading')} by a reading list"
        if proven
        else f"stated by the cohort table, not shown: {listed(stated) or 'nothing'}"
    )
    return Answer.YES if apart and whole else Answer.PARTLY, (
        f"Blinded: {blinded}; interval between readings: {interval}; clinical information: "
        f"{'hidden by the blinded list' if whole else 'not found'}."
    )


def _analysis(results: list[Reliability], *, given: bool) -> tuple[Answer, str]:
    if not results:
        return Answer.NO, "No repeated readings."
    source = " Taken from a file given to the report." if given else ""
    return Answer.YES, (
        "ICC(2,1) and ICC(3,1) with 95 % intervals, SEM, MDC95, limits of agreement; see Methods."
        + source
    )


def _actual(results: list[Reliability]) -> tuple[Answer, str]:
    if not results:
        return Answer.NO, "No repeated readings."
    return Answer.YES, f"{_numbers(results)}."


def _numbers(results: list[Reliability]) -> str:
    """Say the numbers of each kind of comparison, the widest where quantities differ."""
    parts = []
    for compare in dict.fromkeys(item.compare for item in results):
        own = [item for item in results if item.compare is compare]
        widest = max(own, key=lambda item: (item.n_subjects, item.n_targets))
        who = counted(widest.n_raters, compare.value) + (" of each rater" if widest.rater else "")
        parts.append(f"{who}, {counted(widest.n_subjects, 'subject')}")
    return "; ".join(parts)


def _estimates(results: list[Reliability]) -> tuple[Answer, str]:
    if not results:
        return Answer.NO, "No repeated readings."
    return Answer.YES, f"{counted(len(results), 'result')}, in the table of reliability."
