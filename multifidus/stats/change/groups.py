"""Did it change? One muscle against measurement error, and the group against chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from multifidus.data.anatomy import Level
from multifidus.errors import StatisticsError
from multifidus.stats.change.mdc import Mdc, MdcOf, unknown_mdc
from multifidus.stats.change.paired_tests import PairedTests, holm, paired_tests
from multifidus.stats.change.pairs import ZONES, ExamPair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


LEAST_PAIRS = 3
"""Fewer pairs are listed, not tested."""


class Classification(StrEnum):
    """What can be said of one muscle's change."""

    DECREASE = "decrease"
    INCREASE = "increase"
    WITHIN_ERROR = "within error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One pair judged.

    Parameters
    ----------
    mdc95
        What its change was held against; NaN where nothing is known.
    basis
        Where that comes from; empty where there is no change to be held against it.
    """

    pair: ExamPair
    mdc95: float
    basis: str
    classification: Classification


def classify_changes(pairs: Iterable[ExamPair], mdc_of: MdcOf = unknown_mdc) -> list[Change]:
    """Hold every pair's change against measurement error.

    Parameters
    ----------
    pairs
        Of a study.
    mdc_of
        Which least change each is held against.

    Returns
    -------
    list of Change
        In the pairs' order. MDC judges individuals, never group means.
    """
    return [
        # What has no change is held against nothing: nobody read an exam that is not there.
        _classified(pair, Mdc(math.nan, "") if pair.problem else mdc_of(pair))
        for pair in pairs
    ]


def _classified(pair: ExamPair, found: Mdc) -> Change:
    if math.isnan(pair.delta) or math.isnan(found.mdc95):
        classification = Classification.UNKNOWN
    elif abs(pair.delta) <= found.mdc95:
        classification = Classification.WITHIN_ERROR
    else:
        classification = Classification.DECREASE if pair.delta < 0 else Classification.INCREASE
    return Change(pair, found.mdc95, found.basis, classification)


@dataclass(frozen=True, slots=True)
class GroupChange:
    """The change of a group of subjects in one quantity.

    Parameters
    ----------
    key
        What makes the group.
    n, n_missing
        Subjects with a change, and without.
    mean_before, mean_after, median, mean_pct
        Of the values; of their differences; of the percent changes, NaN where a value before is
        not positive.
    tests
        Of the differences.
    beyond_decrease, beyond_increase, judged
        Muscles beyond measurement error either way, of how many that could be judged.
    p_t_holm, p_wilcoxon_holm
        Corrected for the number of tests made together (Holm 1979).
    family
        How many tests these were, of the same quantity and structure.
    value_rule
        Which values entered.
    """

    key: tuple[str, ...]
    n: int
    n_missing: int
    mean_before: float
    mean_after: float
    median: float
    mean_pct: float
    tests: PairedTests
    beyond_decrease: int
    beyond_increase: int
    judged: int
    p_t_holm: float = math.nan
    p_wilcoxon_holm: float = math.nan
    family: int = 0
    value_rule: str = ""


@dataclass(frozen=True, slots=True)
class Contrast:
    """How much more one kind of muscle changed than another of the same subjects.

    Parameters
    ----------
    key
        What makes the group.
    first, second
        Which kinds: the contrast is the change of the first minus that of the second.
    n, n_missing
        Subjects with both, and with one alone.
    tests
        Of the subjects' contrasts.
    p_t_holm, p_wilcoxon_holm, family, value_rule
        As of :class:`GroupChange`.
    """

    key: tuple[str, ...]
    first: str
    second: str
    n: int
    n_missing: int
    tests: PairedTests
    p_t_holm: float = math.nan
    p_wilcoxon_holm: float = math.nan
    family: int = 0
    value_rule: str = ""


Tested = TypeVar("Tested", GroupChange, Contrast)

FAMILY = ("quantity", "method", "structure")
"""What makes a family of tests, which are corrected together.

One question is asked of one quantity of one muscle: did it change, at any level, side, group of
subjects and pair of exams? Quantities, and muscles, are questions of their own; a study that asks
after one answers no differently because another was measured too.
"""

BY_MUSCLE = (*FAMILY, "span", "level", "side")
BY_ZONE = (*FAMILY, "span", "zone")
BY_SIDE = (*FAMILY, "span")


def group_changes(
    changes: Iterable[Change], by: Sequence[str] = BY_MUSCLE
) -> tuple[list[GroupChange], list[str]]:
    """Test each group of pairs for a change other than none.

    Parameters
    ----------
    changes
        Of a study.
    by
        What makes a group: :data:`FAMILY`, then names of a pair's properties, or of other columns
        of the table.

    Returns
    -------
    tuple
        The groups, corrected by Holm's method within each :data:`FAMILY`, and why others are
        missing. A subject that gives a group several pairs enters with their mean.
    """
    found: list[GroupChange] = []
    missing: dict[str, list[str]] = {}
    for key, members in _grouped(changes, by).items():
        try:
            found.append(_group(key, members))
        except StatisticsError as error:
            missing.setdefault(str(error), []).append(in_words(key))
    return corrected(found, by), gathered(missing)


def in_words(key: Iterable[str]) -> str:
    """Name a group by its key."""
    return " ".join(filter(None, key))


MOST_NAMED = 3
"""More groups that lack the same are counted, not named."""


def gathered(missing: Mapping[str, Sequence[str]]) -> list[str]:
    """Say what groups lack, once for all that lack the same."""
    return [
        f"{'; '.join(names)}: {why}"
        if len(names) <= MOST_NAMED
        else f"{len(names)} groups, such as {names[0]}: {why}"
        for why, names in missing.items()
    ]


def _grouped(changes: Iterable[Change], by: Sequence[str]) -> dict[tuple[str, ...], list[Change]]:
    groups: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        groups.setdefault(tuple(_said(change.pair, name) for name in by), []).append(change)
    return dict(sorted(groups.items(), key=lambda item: [*map(_place, item[0])]))


def _said(pair: ExamPair, name: str) -> str:
    return str(getattr(pair, name)) if hasattr(ExamPair, name) else pair.column(name)


def _place(word: str) -> tuple[int, str]:
    """Sort levels along the spine, zones outwards, and other words as they are."""
    for order in (list(Level), ZONES):
        if word in order:
            return order.index(word), ""  # type: ignore[arg-type] # a level is its text
    return 0, word


def _group(key: tuple[str, ...], members: Sequence[Change]) -> GroupChange:
    subjects = _by_subject(members)
    full = {subject: pairs for subject, pairs in subjects.items() if pairs}
    if len(full) < LEAST_PAIRS:
        raise _too_few(len(full), "a value at both timepoints")

    def mean(of: str) -> Array:
        return np.array([np.mean([_number(pair, of) for pair in own]) for own in full.values()])

    before, after = mean("before"), mean("after")
    difference = after - before
    classifications = [change.classification for change in members]
    return GroupChange(
        key=key,
        n=len(full),
        n_missing=len(subjects) - len(full),
        mean_before=float(before.mean()),
        mean_after=float(after.mean()),
        median=float(np.median(difference)),
        mean_pct=float(mean("delta_pct").mean()),
        tests=paired_tests(difference),
        beyond_decrease=classifications.count(Classification.DECREASE),
        beyond_increase=classifications.count(Classification.INCREASE),
        judged=len(classifications) - classifications.count(Classification.UNKNOWN),
        value_rule=_value_rule(members),
    )


def _value_rule(members: Iterable[Change]) -> str:
    """Say which values entered, of pairs that may have neither reading at some exam."""
    found = dict.fromkeys(item.pair.value_rule for item in members if not item.pair.problem)
    return " or ".join(found)


def _by_subject(members: Iterable[Change]) -> dict[str, list[ExamPair]]:
    """Return each subject's pairs that have a change; empty where it has none."""
    subjects: dict[str, list[ExamPair]] = {}
    for change in members:
        own = subjects.setdefault(change.pair.subject, [])
        if not math.isnan(change.pair.delta):
            own.append(change.pair)
    return dict(sorted(subjects.items()))


def _number(pair: ExamPair, of: str) -> float:
    return pair.delta_pct if of == "delta_pct" else float(getattr(pair, of).value)


def contrast_changes(
    changes: Iterable[Change], of: str, kinds: tuple[str, str], by: Sequence[str] = BY_SIDE
) -> tuple[list[Contrast], list[str]]:
    """Test whether one kind of muscle changed more than another of the same subjects.

    Parameters
    ----------
    changes
        Of a study.
    of, kinds
        What tells the kinds apart (``zone``, ``approached``), and which two.
    by
        What makes a group.

    Returns
    -------
    tuple
        Contrasts, not yet corrected, and why others are missing. Within a subject the changes of
        each kind are averaged first.
    """
    first, second = kinds
    found: list[Contrast] = []
    missing: dict[str, list[str]] = {}
    for key, members in _grouped(changes, by).items():
        one, two = ([item for item in members if _said(item.pair, of) == kind] for kind in kinds)
        means, others = _mean_changes(one), _mean_changes(two)
        if not (means and others):
            continue
        both = sorted(means.keys() & others.keys())
        if len(both) < LEAST_PAIRS:
            why = str(_too_few(len(both), f"both {first} and {second}"))
            missing.setdefault(why, []).append(in_words(key))
            continue
        tests = paired_tests([means[name] - others[name] for name in both])
        alone = len(means.keys() ^ others.keys())
        words = _value_rule(members)
        found.append(Contrast(key, first, second, len(both), alone, tests, value_rule=words))
    return found, gathered(missing)


def _mean_changes(members: Iterable[Change]) -> dict[str, float]:
    """Return the mean change of each subject that has one."""
    return {
        subject: float(np.mean([pair.delta for pair in pairs]))
        for subject, pairs in _by_subject(members).items()
        if pairs
    }


def _too_few(n: int, what: str) -> StatisticsError:
    have = "1 subject has" if n == 1 else f"{n} subjects have"
    return StatisticsError(f"{have} {what}; {LEAST_PAIRS} are needed.")


def corrected(found: Sequence[Tested], by: Sequence[str]) -> list[Tested]:
    """Correct tests that were made together by Holm's method, within each :data:`FAMILY`."""
    named = [place for place, name in enumerate(by) if name in FAMILY]
    families: dict[tuple[str, ...], list[int]] = {}
    for place, item in enumerate(found):
        families.setdefault(tuple(item.key[n] for n in named), []).append(place)
    all_tests = list(found)
    for places in families.values():
        tests = [found[place].tests for place in places]
        t_tests = holm([item.p_t for item in tests])
        ranks = holm([item.p_wilcoxon for item in tests])
        made = sum(not math.isnan(item.p_t) for item in tests)
        for place, one, two in zip(places, t_tests, ranks, strict=True):
            all_tests[place] = replace(found[place], p_t_holm=one, p_wilcoxon_holm=two, family=made)
    return all_tests
