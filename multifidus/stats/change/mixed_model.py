"""A linear mixed model of a study's values: each muscle is its own control."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from multifidus.data.anatomy import Level
from multifidus.data.measurement import is_grade
from multifidus.errors import StatisticsError
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.pairs import ZONES, ExamPair, make_pairs
from multifidus.stats.change.random_intercept import (
    LEAST_SUBJECTS,
    OPTIMISER,
    Effect,
    Fit,
    Term,
    fit_random_intercept,
)
from multifidus.stats.mixed_protocols import check_protocols
from multifidus.stats.values import Metric, Value

FACTORS = ("zone", "level", "side")
"""What may be fixed beside the timepoint; other names are columns of the table."""

FEW_DF = 4.0
"""Below so many of Satterthwaite's degrees of freedom p is not to be relied on (Tipton 2015)."""


@dataclass(frozen=True, slots=True)
class MixedModel:
    """A fitted model.

    Parameters
    ----------
    quantity, method, structure, factor
        Of what, and what is fixed beside the timepoint; empty where nothing is.
    n_subjects, n_muscles, n_values
        What entered: muscles (a level and side of a subject) with a value at every timepoint.
    n_missing
        Muscles that were left out; why is one of the problems.
    terms
        Fixed effects, the intercept first: the first timepoint at the first place.
    sd_subjects, sd_muscles
        Standard deviations at the first timepoint: between subjects, and of the muscles of one.
    sd_changes, sd_residual
        Of changes: between subjects, and between the muscles of one; over several later
        timepoints, their root mean square.
    optimiser
        By which search the variances were found.
    problems
        What a reader must know.
    reference
        Timepoint and place that the others are compared with.
    value_rule
        Which values entered.
    """

    quantity: str
    method: str
    structure: str
    factor: str
    n_subjects: int
    n_muscles: int
    n_values: int
    n_missing: int
    terms: tuple[Term, ...]
    sd_subjects: float
    sd_muscles: float
    sd_changes: float
    sd_residual: float
    optimiser: str
    problems: tuple[str, ...]
    reference: tuple[str, str] = ("", "")
    value_rule: str = ""


@dataclass(frozen=True, slots=True)
class Unfitted:
    """A mixed model that is missing, and why; without a metric, those of all."""

    reason: str
    metric: Metric | None = None

    def named(self, metric: str) -> str:
        """Say it, with these words for what the model is of."""
        return f"Mixed model of {metric}: {self.reason}"

    def __str__(self) -> str:
        of = "" if self.metric is None else f" of {self.metric}"
        return f"Mixed model{of}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Muscle:
    """One level and side of a subject, with its values at all timepoints, in order."""

    subject: str
    place: str
    values: tuple[float, ...]
    value_rule: str = ""


@dataclass(frozen=True, slots=True)
class TrajectoryFit:
    """Terms of a model over several timepoints, and the fits of first values and of changes."""

    terms: tuple[Term, ...]
    first: Fit
    changes: tuple[Fit, ...]


def model_changes(
    values: Iterable[Value],
    timepoints: Sequence[str],
    factor: str = "",
    choice: ReadingChoice = ReadingChoice(),  # noqa: B008 - frozen
    *,
    minimal_valid_fraction: float,
) -> tuple[list[MixedModel], list[Unfitted]]:
    """Model every quantity of every structure over the timepoints.

    ``value = timepoint x factor + subject + muscle + subject's change + rest``, the last four
    random. A muscle is a level and side of a subject. Only muscles with a value at every timepoint
    enter, so that what a muscle is to begin with, and whether it is the large or the small ones
    that lack an exam, cancels in its change (:func:`fit_trajectories`).

    Parameters
    ----------
    values
        Of a study.
    timepoints
        In order; the first is what others are compared with.
    factor
        ``zone``, ``level``, ``side``, another column of the table, or nothing.
    choice, minimal_valid_fraction
        Whose value enters, and how much of a muscle artefacts have to leave, as for pairs.

    Returns
    -------
    tuple
        The models, and why others are missing.

    Raises
    ------
    StatisticsError
        If no value has the factor, a subject's exams differ in it, or it is not clear whose value
        to take.
    """
    items = [item for item in values if not is_grade(item.quantity)]
    if not choice.mix_protocols:
        check_protocols(items)
    groups = _trajectories(items, timepoints, choice, minimal_valid_fraction)
    placed = {what: _placed(found, timepoints, factor) for what, found in sorted(groups.items())}
    if factor and not any(item.place for found, _ in placed.values() for item in found):
        msg = f"No value of the table has a {factor}."
        raise StatisticsError(msg, remedy=f"Choose {', '.join(FACTORS)} or a column of the table.")
    models: list[MixedModel] = []
    missing: list[Unfitted] = []
    for what, (muscles, reasons) in placed.items():
        try:
            kept, left = usable(muscles, reasons, factor)
            models.append(_model(what, timepoints, kept, left, factor=factor))
        except StatisticsError as error:
            missing.append(Unfitted(str(error), what))
    return models, missing


Courses = dict[tuple[str, str, str], dict[str, ExamPair]]
"""Subject, level and side, to the pairs of the first with each later timepoint."""


def _trajectories(
    items: Sequence[Value], timepoints: Sequence[str], choice: ReadingChoice, least: float
) -> dict[Metric, Courses]:
    """Pair the first timepoint with every later one, muscle by muscle."""
    first, *others = timepoints
    groups: dict[Metric, Courses] = {}
    for later in others:
        for pair in make_pairs(items, first, later, choice=choice, minimal_valid_fraction=least):
            muscle = (pair.subject, pair.level, pair.side)
            groups.setdefault(Metric.about(pair), {}).setdefault(muscle, {})[later] = pair
    return groups


def _placed(
    trajectories: Courses, timepoints: Sequence[str], factor: str
) -> tuple[list[Muscle], list[str]]:
    """Return muscles with a value at every timepoint, and why each other is left out."""
    muscles: list[Muscle] = []
    reasons: list[str] = []
    first, *others = timepoints
    for (subject, _, _), pairs in sorted(trajectories.items()):
        reason = next((pair.problem for pair in pairs.values() if pair.problem), "")
        absent = [name for name in others if name not in pairs]
        if reason or absent:
            reasons.append(reason or f"not measured at {', '.join((first, *absent))}")
            continue
        own = [pairs[name] for name in others]
        numbers = (own[0].before.value, *(pair.after.value for pair in own))
        value_rule = "; ".join(dict.fromkeys(pair.value_rule for pair in own))
        muscles.append(Muscle(subject, _place(own, factor), numbers, value_rule))
    return muscles, reasons


def _place(own: Sequence[ExamPair], factor: str) -> str:
    """Return a muscle's place; that of a column has to be one for all its exams."""
    last = own[-1]
    if not factor:
        return ""
    if factor in FACTORS:
        return str(getattr(last, factor))
    exams = (own[0].before, *(pair.after for pair in own))
    said = dict.fromkeys(filter(None, (exam.extra.get(factor, "").strip() for exam in exams)))
    if len(said) > 1:
        msg = f"Exams of {last.subject} differ in {factor}: {', '.join(said)}."
        remedy = "What a model compares has to be the same at all timepoints of a subject."
        raise StatisticsError(msg, remedy=remedy)
    return next(iter(said), "")


def usable(
    muscles: Sequence[Muscle], reasons: Sequence[str], factor: str
) -> tuple[list[Muscle], list[str]]:
    """Leave out muscles without a place, and places that too few subjects have.

    Parameters
    ----------
    muscles
        With a value at every timepoint.
    reasons
        Why others were left out.
    factor
        What the model compares; empty if nothing.

    Returns
    -------
    tuple
        The muscles that enter, and why each other is left out.

    Raises
    ------
    StatisticsError
        If none can enter.
    """
    people = Counter(place for _, place in {(item.subject, item.place) for item in muscles})
    kept: list[Muscle] = []
    left = list(reasons)
    for item in muscles:
        if factor and not item.place:
            left.append(f"no {factor} in the table")
        elif people[item.place] < LEAST_SUBJECTS:
            at = f" at {item.place}" if item.place else ""
            left.append(f"fewer than {LEAST_SUBJECTS} subjects have all values{at}")
        else:
            kept.append(item)
    if not kept:
        why = "; ".join(dict.fromkeys(left))
        msg = f"No muscle can enter: {why}."
        raise StatisticsError(msg, remedy="Each subject needs values at all timepoints.")
    return kept, left


def _model(
    what: Metric,
    timepoints: Sequence[str],
    muscles: Sequence[Muscle],
    left: Sequence[str],
    *,
    factor: str,
) -> MixedModel:
    fit = fit_trajectories(muscles, timepoints)
    return MixedModel(
        **what._asdict(),
        factor=factor,
        n_subjects=len({item.subject for item in muscles}),
        n_muscles=len(muscles),
        n_values=len(muscles) * len(timepoints),
        n_missing=len(left),
        terms=fit.terms,
        sd_subjects=fit.first.sd_subjects,
        sd_muscles=fit.first.sd_residual,
        sd_changes=_root_mean_square([item.sd_subjects for item in fit.changes]),
        sd_residual=_root_mean_square([item.sd_residual for item in fit.changes]),
        optimiser=OPTIMISER,
        problems=tuple(_problems(fit, left, len(muscles))),
        reference=(timepoints[0], _places(muscles)[0]),
        value_rule="; ".join(dict.fromkeys(item.value_rule for item in muscles)),
    )


def _root_mean_square(numbers: Sequence[float]) -> float:
    return math.sqrt(math.fsum(number**2 for number in numbers) / len(numbers))


def _problems(fit: TrajectoryFit, left: Sequence[str], n_kept: int) -> Iterable[str]:
    if left:
        counts = "; ".join(f"{count} {why}" for why, count in sorted(Counter(left).items()))
        yield f"{len(left)} of {n_kept + len(left)} muscles were left out: {counts}."
    if math.isnan(fit.first.sd_subjects):
        yield (
            "Every subject has one muscle: differences between subjects and between muscles are "
            "one number."
        )
    few = [term.name for term in fit.terms if term.df < FEW_DF]
    if few:
        yield (
            f"Degrees of freedom below {FEW_DF:g} ({', '.join(few)}): too few subjects for a p "
            "value to be relied on."
        )
    flat = [term.name for term in fit.terms if math.isnan(term.df)]
    if flat:
        yield f"Values do not vary between subjects: there is no error of {', '.join(flat)}."


def fit_trajectories(muscles: Sequence[Muscle], timepoints: Sequence[str]) -> TrajectoryFit:
    """Fit the model to muscles that all have a value at every timepoint.

    In ``value = timepoint x place + subject + muscle + subject's change + rest`` the subject and
    the muscle cancel in a muscle's difference from its first value, and what is left is a model of
    changes with a random intercept for each subject: the subject's own change, which all its
    muscles share. Each later timepoint has its own, so that nothing is assumed of how the
    timepoints' variances and correlations compare. Names are those of a model of values: the
    intercept and the places are of the first timepoint, ``post`` is the change at the first place,
    ``post x remote`` how much more the change is at that place.

    Raises
    ------
    StatisticsError
        As :func:`multifidus.stats.change.random_intercept.fit_random_intercept`.
    """
    first = _fit(muscles, [item.values[0] for item in muscles], "")
    changes = fit_changes(muscles, timepoints)
    intercept, *others = first.terms
    terms = (
        intercept,
        *(fit.terms[0] for fit in changes),
        *others,
        *(term for fit in changes for term in fit.terms[1:]),
    )
    return TrajectoryFit(terms, first, changes)


def fit_changes(muscles: Sequence[Muscle], timepoints: Sequence[str]) -> tuple[Fit, ...]:
    """Fit the changes from the first to each later timepoint, of muscles that have all values."""
    return tuple(
        _fit(muscles, [item.values[column] - item.values[0] for item in muscles], when)
        for column, when in enumerate(timepoints[1:], start=1)
    )


def _fit(muscles: Sequence[Muscle], response: Sequence[float], timepoint: str) -> Fit:
    """Code each place but the first as 0 or 1; the timepoint is empty where nothing changed yet."""
    at, others = np.array([item.place for item in muscles]), _places(muscles)[1:]
    design = np.stack([np.ones(len(at)), *(at == place for place in others)], axis=1)
    effects = [Effect(timepoint), *(Effect(timepoint, place) for place in others)]
    return fit_random_intercept(response, design, effects, [item.subject for item in muscles])


def _places(muscles: Iterable[Muscle]) -> list[str]:
    """Return the places of muscles in their order along the spine, else of the alphabet."""
    found = {item.place for item in muscles}
    for order in (ZONES, tuple(level.value for level in Level)):
        if found <= set(order):
            return [place for place in order if place in found]
    return sorted(found)
