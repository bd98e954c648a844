"""A study's changes: which timepoints, every pair judged, groups tested, courses laid out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from multifidus.data.cells import near_names
from multifidus.data.measurement import is_grade
from multifidus.data.roi import Reading
from multifidus.errors import StatisticsError
from multifidus.stats.change.exam_value import ExamValue, ReadingChoice, exam_value
from multifidus.stats.change.groups import (
    BY_MUSCLE,
    BY_SIDE,
    BY_ZONE,
    Change,
    Contrast,
    GroupChange,
    classify_changes,
    contrast_changes,
    corrected,
    gathered,
    group_changes,
    in_words,
)
from multifidus.stats.change.mdc import MdcOf, unknown_mdc
from multifidus.stats.change.mixed_model import MixedModel, Unfitted
from multifidus.stats.change.pairs import (
    Span,
    by_muscle,
    make_pairs,
    timepoints_of,
    unknown_timepoint,
)
from multifidus.stats.exam_facts import GROUP_COLUMNS, groups_alike
from multifidus.stats.exclusions import Exclusion, name_hints, pair_exclusions
from multifidus.stats.mixed_protocols import mixtures
from multifidus.stats.reliability.target_groups import groups_of
from multifidus.stats.values import Metric, Value
from multifidus.study.exam_order import contradictions
from multifidus.study.exchanged_sides import AREA, SideArea, exchanged_sides


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One quantity of one muscle of a subject over all timepoints.

    Parameters
    ----------
    key
        Subject, structure, level, side, quantity and method.
    exams
        One a timepoint, in order; NaN where the muscle has no value there.
    value_rule
        Which values entered.
    """

    key: tuple[str, ...]
    exams: tuple[ExamValue, ...]
    value_rule: str = ""


@dataclass(frozen=True, slots=True)
class ChangeStudy:
    """All changes of a study.

    Parameters
    ----------
    spans
        Which timepoints were compared.
    value
        Whose value entered: the rule.
    changes
        Every pair, also those without a change.
    muscles, zones
        Groups by level and side, and by distance from the operated levels.
    contrasts
        Operated against adjacent, against remote, and against the contralateral side.
    trajectories
        Of every muscle, where there are more than two timepoints.
    problems
        What a reader must know, and why groups are missing.
    exclusions
        Pairs without a change.
    column
        Which column keeps groups of subjects apart; empty for none.
    pooled
        Which groups of subjects are tested together, and who is in no table by zone.
    models, unfitted
        Mixed models of the change, and why others are missing.
    remarks
        What of the table, of the MDC95 and of the models a reader must know besides.
    """

    spans: tuple[Span, ...]
    value: str
    changes: tuple[Change, ...]
    muscles: tuple[GroupChange, ...]
    zones: tuple[GroupChange, ...]
    contrasts: tuple[Contrast, ...]
    trajectories: tuple[Trajectory, ...]
    problems: tuple[str, ...]
    column: str = ""
    exclusions: tuple[Exclusion, ...] = ()
    pooled: tuple[str, ...] = ()
    models: tuple[MixedModel, ...] = ()
    unfitted: tuple[Unfitted, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def timepoints(self) -> tuple[str, ...]:
        """Names of all that were compared, in order."""
        return tuple(dict.fromkeys(name for span in self.spans for name in span))

    def of(self, metric: Metric, span: Span | None = None) -> list[Change]:
        """Return the pairs of one number, between two timepoints or all."""
        return [
            item
            for item in self.changes
            if Metric.about(item.pair) == metric and span in {None, item.pair.timepoints}
        ]


def spans_of(values: Iterable[Value], before: str = "", after: str = "") -> tuple[Span, ...]:
    """Return which timepoints are compared.

    Both named: these. Else those between the first and the last, by the table's order: of two
    timepoints the one pair, of more every two consecutive ones, and the first with the last.

    Raises
    ------
    StatisticsError
        If there is one timepoint only, one is unknown, or nothing puts them in order.
    """
    if before and after:
        return ((before, after),)
    names = timepoints_of(values)
    for name in filter(None, (before, after)):
        if name not in names:
            raise unknown_timepoint(name, names)
    start = names.index(before) if before else 0
    stop = names.index(after) if after else len(names) - 1
    names = names[start : stop + 1]
    if len(names) < 2:  # noqa: PLR2004 - a change has two ends
        msg = f"There is one timepoint only ({', '.join(names) or 'none'})."
        raise StatisticsError(msg, remedy="Put the exams before and after in one table.")
    steps = tuple(pairwise(names))
    return steps if len(steps) == 1 else (*steps, (names[0], names[-1]))


def study_change(
    values: Iterable[Value],
    spans: Sequence[Span],
    *,
    choice: ReadingChoice = ReadingChoice(),  # noqa: B008 - frozen
    mdc_of: MdcOf = unknown_mdc,
    minimal_valid_fraction: float,
    column: str = "",
) -> ChangeStudy:
    """Pair, judge and test a study's changes.

    Parameters
    ----------
    values
        Of a study.
    spans
        Which timepoints are compared (:func:`spans_of`).
    choice, mdc_of, minimal_valid_fraction
        Whose value enters, what changes are held against, and how much of a muscle artefacts have
        to leave.
    column
        A column of the table that keeps groups of subjects apart, such as ``approach``.

    Raises
    ------
    StatisticsError
        If a timepoint or column is unknown, a subject is of several groups, it is not clear whose
        value to take, or no pair has a change.
    """
    items = tuple(values)
    if column and not any(column in item.extra for item in items):
        msg = f"The table has no column {column!r}."
        raise StatisticsError(msg, remedy="Name a column of the cohort table.")
    if column:
        compared = {name for span in spans for name in span}
        groups_of((item for item in items if item.timepoint in compared), column)
    pairs = [
        pair
        for before, after in spans
        for pair in make_pairs(
            items, before, after, choice=choice, minimal_valid_fraction=minimal_valid_fraction
        )
    ]
    lost = pair_exclusions(pairs)
    alike = tuple(_alike(items))
    if all(pair.problem for pair in pairs):
        said = (*(pair.problem for pair in pairs), *name_hints(lost), *alike)
        reasons = "; ".join(dict.fromkeys(said))
        msg = f"No subject has a value at both timepoints: {reasons}."
        raise StatisticsError(msg, remedy="Subjects must have the same name at both timepoints.")
    changes = classify_changes(pairs, mdc_of)
    extra = (column,) if column else ()
    # Grades have an order and no distances: their changes are listed, and have no mean.
    measured = [change for change in changes if not is_grade(change.pair.quantity)]
    muscles, lacking = group_changes(measured, (*BY_MUSCLE, *extra))
    operated = [change for change in measured if change.pair.zone]
    zones, more = group_changes(operated, (*BY_ZONE, *extra))
    contrasts, most = _contrasts(operated, (*BY_SIDE, *extra))
    pooled = tuple(pooled_groups(measured, column))
    return ChangeStudy(
        spans=tuple(spans),
        value=choice.rule,
        changes=tuple(changes),
        muscles=tuple(muscles),
        zones=tuple(zones),
        contrasts=tuple(contrasts),
        trajectories=_trajectories(items, spans, choice),
        problems=(
            *contradictions(items),
            *(found.in_words() for found in exchanged_sides(_areas(items))),
            *_remarks(changes),
            *name_hints(lost),
            *alike,
            *mixtures(items),
            *groups_alike(items, column),
            *pooled,
            *(["--group COLUMN keeps groups of subjects apart."] if pooled and not column else []),
            *lacking,
            *more,
            *most,
            *_undefined((*muscles, *zones, *contrasts)),
        ),
        column=column,
        exclusions=lost,
        pooled=pooled,
    )


def _alike(items: Sequence[Value]) -> Iterator[str]:
    """Say which muscles and methods may be one under two spellings."""
    for name in ("structure", "method"):
        yield from near_names(name, {getattr(item, name) for item in items} - {""})


def _areas(items: Iterable[Value]) -> Iterator[SideArea]:
    for item in items:
        if item.quantity == AREA:
            by = Reading(item.subject, item.timepoint, item.rater, item.reading)
            yield SideArea(by, item.structure, item.level, item.side, item.value)


def _contrasts(changes: Sequence[Change], by: Sequence[str]) -> tuple[list[Contrast], list[str]]:
    one_level = [change for change in changes if change.pair.zone == "operated"]
    found: list[Contrast] = []
    problems: list[str] = []
    for members, of, other in (
        (changes, "zone", "adjacent"),
        (changes, "zone", "remote"),
        (one_level, "approached", "contralateral"),
    ):
        some, why = contrast_changes(members, of, ("operated", other), by)
        found += some
        problems += why
    midline = {item.pair.subject for item in one_level if item.pair.operated_side == "both"}
    if midline:
        problems.append(
            f"{'1 subject was' if len(midline) == 1 else f'{len(midline)} subjects were'} operated "
            "on both sides or in the midline: there is no contralateral side there."
        )
    return corrected(found, by), problems


def _undefined(groups: Iterable[GroupChange | Contrast]) -> list[str]:
    """Say why numbers of groups are missing."""
    missing: dict[str, list[str]] = {}
    for item in groups:
        if math.isnan(item.tests.dz):
            missing.setdefault(_FLAT, []).append(in_words(item.key))
        if isinstance(item, GroupChange) and math.isnan(item.mean_pct):
            missing.setdefault(_NO_PERCENT, []).append(in_words(item.key))
    return gathered(missing)


_FLAT = "changes do not vary: there is no effect size, and no test where nothing changed."
_NO_PERCENT = "a value before is not positive: there is no mean change in percent."


def _remarks(changes: Sequence[Change]) -> Iterable[str]:
    yield (
        "The minimal detectable change applies to single muscles, never to the mean of a group, "
        "which the tests of groups assess."
    )
    for reason, count in _counted(item.pair.problem for item in changes):
        yield f"{count} pairs without a change: {reason}."
    graded = sum(is_grade(item.pair.quantity) for item in changes)
    if graded:
        yield f"{graded} pairs of grades are listed and not tested: grades have no mean."
    unjudged = (item.basis for item in changes if math.isnan(item.mdc95) and not item.pair.problem)
    for reason, count in _counted(unjudged):
        yield f"{count} changes not assessable: {reason}."
    for note, count in _counted(_kind(note) for item in changes for note in item.pair.notes):
        yield f"{count} pairs noted: {note}."


def pooled_groups(changes: Iterable[Change], column: str) -> Iterable[str]:
    """Say which groups of subjects are tested together, and who is left out of zones."""
    own: dict[str, list[Change]] = {}
    for item in changes:
        if not item.pair.problem:
            own.setdefault(item.pair.subject, []).append(item)
    for name in GROUP_COLUMNS:
        counts = _subjects_by(own, name)
        if name != column and len(counts) > 1:
            yield (
                f"Subjects of several groups of {name} ({_in_numbers(counts)}) were tested "
                "together."
            )
    without = {
        subject: items for subject, items in own.items() if not any(i.pair.zone for i in items)
    }
    if without and len(without) < len(own):
        counts = _subjects_by(without, column or GROUP_COLUMNS[0])
        whose = f" ({column or GROUP_COLUMNS[0]}: {_in_numbers(counts)})" if any(counts) else ""
        yield (
            f"{len(without)} of {len(own)} subjects have no operated level{whose}: they are in "
            "the table by level and side, and in no table by zone, no contrast and no model of "
            "zones."
        )


def _subjects_by(own: Mapping[str, Sequence[Change]], column: str) -> dict[str, int]:
    """Count subjects by what a column says of them."""
    found = Counter(
        " and ".join(sorted({item.pair.column(column).strip() for item in items} - {""}))
        for items in own.values()
    )
    return dict(sorted(found.items()))


def _in_numbers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'not said'} {n}" for name, n in counts.items())


def _kind(note: str) -> str:
    """Return what a note is about, so that notes of different sizes are counted together."""
    if note.startswith("tilt differs"):
        return "tilt differs between the exams; its predicted effect is given pair by pair"
    if note.startswith("slices lie"):
        return (
            "slices lie at different distances from the landmark of their level; both are given "
            "pair by pair"
        )
    if note.startswith("readings at"):
        return "readings of one exam are of different slices; the distance is given pair by pair"
    return note


def _counted(words: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(filter(None, words)).items())


def _trajectories(
    items: Sequence[Value], spans: Sequence[Span], choice: ReadingChoice
) -> tuple[Trajectory, ...]:
    names = list(dict.fromkeys(name for span in spans for name in span))
    if len(names) < 3:  # noqa: PLR2004 - of two timepoints the pair says all
        return ()
    return tuple(
        _trajectory(key, [exam_value(name, found.get(name, ()), choice) for name in names], choice)
        for key, found in by_muscle(items).items()
    )


def _trajectory(
    key: tuple[str, ...], exams: Sequence[ExamValue], choice: ReadingChoice
) -> Trajectory:
    rules = dict.fromkeys((choice.rule, *(exam.rule for exam in exams)))
    return Trajectory(key, tuple(exams), "; ".join(filter(None, rules)))
