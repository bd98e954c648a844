"""The 15 items of GRRAS, answered from a study's tables or marked missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from multifidus.report.facts import Facts
from multifidus.report.statements import counted, listed, spread
from multifidus.report.study import StudyData
from multifidus.stats.reliability import Reliability

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
        Item(3, "Subject population", Answer.NO, "Not recorded in the tables."),
        Item(4, "Rater population", Answer.NO, "Not recorded in the tables."),
        Item(5, "What is known already, and why the study", Answer.NO, "For the authors to write."),
        Item(6, "Sample size: raters, subjects, replicates, and why", *_planned(results)),
        Item(7, "Sampling method", Answer.NO, "Not recorded in the tables."),
        Item(8, "Rating process: interval, clinical information, blinding", *_process(facts)),
        Item(9, "Ratings made independently", Answer.NO, "Not recorded in the tables."),
        Item(10, "Statistical analysis", *_analysis(results, given=data.given)),
        Item(11, "Actual number of raters, subjects, replicates", *_actual(results)),
        Item(12, "Characteristics of raters and subjects", Answer.NO,
             "Not recorded in the tables."),
        Item(13, "Estimates with their uncertainty", *_estimates(results)),
        Item(14, "Practical relevance", Answer.NO, "For the authors to write."),
        Item(15, "Detailed results", Answer.YES,
             "Every number of every reading stands in measurements.csv."),
    ]  # fmt: skip


def _device(facts: Facts) -> tuple[Answer, str]:
    if not facts.versions:
        return Answer.NO, "Not recorded in the tables."
    scanner = listed(facts.counts["manufacturer"])
    words = f"multifidus {listed(facts.versions)} on axial MRI of the lumbar spine"
    if not scanner:
        return Answer.PARTLY, f"{words}; scanner: not recorded."
    return Answer.YES, f"{words}; scanner: {scanner}."


def _planned(results: list[Reliability]) -> tuple[Answer, str]:
    if not results:
        return Answer.NO, "No repeated readings; a plan is not recorded."
    return Answer.PARTLY, f"{_numbers(results)}; how they were chosen is not recorded."


def _process(facts: Facts) -> tuple[Answer, str]:
    blinded, apart = facts.counts["blinded"], facts.reread_days
    if not (blinded or apart):
        return Answer.NO, "Blinding and the interval between readings: not recorded."
    interval = f"{spread(apart, 'days')}" if apart else "not recorded"
    # Codes in place of subject, timepoint and side of surgery leave no clinical information.
    known = apart and facts.counts["reading_list"] and set(blinded) == {"yes"}
    return Answer.YES if known else Answer.PARTLY, (
        f"Blinded: {listed(blinded) or 'not recorded'}; interval between readings: {interval}; "
        f"clinical information: {'hidden by the blinded list' if known else 'not recorded'}."
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
