"""The value of one exam in a comparison: of which readings it is, and what is known of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from multifidus.errors import StatisticsError
from multifidus.stats.compared_slices import apart_mm, middle_offset_mm, shared
from multifidus.stats.values import Value

FIRST, MEAN, CONSENSUS, RATER = "first", "mean", "consensus", "rater:"


@dataclass(frozen=True, slots=True)
class ReadingChoice:
    """Which reading's value enters a comparison; never an accidental average.

    Parameters
    ----------
    rule
        ``first``: the first reading of the only rater. ``mean``: of all readings. ``consensus``:
        the rater of that name. ``rater:ID``: the first reading of one rater.
    mix_protocols
        Whether one quantity may have been measured by several protocols.

    Raises
    ------
    StatisticsError
        If the rule is none of these.
    """

    rule: str = FIRST
    mix_protocols: bool = False

    def __post_init__(self) -> None:
        known = self.rule in (FIRST, MEAN, CONSENSUS)
        if not known and not (self.rule.startswith(RATER) and len(self.rule) > len(RATER)):
            msg = f"No such value to compare: {self.rule!r}."
            remedy = "Choose first, mean, consensus or rater:ID."
            raise StatisticsError(msg, remedy=remedy)

    def of(self, readings: Sequence[Value]) -> tuple[Value, ...]:
        """Return which readings of one exam, level and side enter, by rater and reading.

        Raises
        ------
        StatisticsError
            If several raters read the exam and the rule is ``first``.
        """
        ordered = tuple(sorted(readings, key=lambda item: (item.rater, item.reading)))
        if self.rule == MEAN:
            return ordered
        raters = list(dict.fromkeys(item.rater for item in ordered))
        if self.rule == FIRST and len(raters) > 1:
            msg = f"{len(raters)} raters ({', '.join(raters)}) read {_where(readings[0])}."
            remedy = "Say whose value to compare: mean, consensus or rater:ID."
            raise StatisticsError(msg, remedy=remedy)
        wanted = {FIRST: raters[0], CONSENSUS: CONSENSUS}.get(
            self.rule, self.rule.removeprefix(RATER)
        )
        own = tuple(item for item in ordered if item.rater == wanted)
        # A second reading, which knows the first, is not taken for one.
        return own[:1] if self.rule == CONSENSUS or has_first_reading(own) else ()


def has_first_reading(readings: Sequence[Value]) -> bool:
    """Whether a rater's first reading is among them."""
    return any(item.reading == 1 for item in readings)


def _where(item: Value) -> str:
    return " ".join(filter(None, (item.subject, item.timepoint, item.level, item.side)))


@dataclass(frozen=True, slots=True)
class ExamValue:
    """What enters of one exam.

    Parameters
    ----------
    value
        The number: of one reading, or the mean of several.
    readings, raters
        Of how many readings, by whom; 0 and empty where the exam has none.
    tilt_deg, valid_fraction
        Mean tilt and least valid fraction of these readings.
    slices
        Of how many slices each of these readings' values is.
    rule
        Which slices these are, and what is made of them.
    uncertainty
        Mean of the readings' standard uncertainties: errors of tracing are not taken to cancel.
    offset_mm
        How far from the landmark of their level the slices lie in the mean, positive to cranial;
        NaN where it is not known of all.
    apart_mm
        How far apart the slices of several readings lie: 0 where they are the same, NaN where
        they differ and nothing says by how much.
    """

    timepoint: str
    value: float
    readings: int
    raters: tuple[str, ...]
    tilt_deg: float
    valid_fraction: float
    slice_position: str
    flags: frozenset[str]
    extra: Mapping[str, str]
    slices: tuple[int, ...] = ()
    rule: str = ""
    uncertainty: float = math.nan
    offset_mm: float = math.nan
    apart_mm: float = 0.0


def exam_value(name: str, readings: Sequence[Value], choice: ReadingChoice) -> ExamValue:
    """Take what enters of one exam, from its readings of one quantity of one muscle."""
    chosen = choice.of(readings) if readings else ()
    if not chosen:
        return ExamValue(name, math.nan, 0, (), math.nan, math.nan, "", frozenset(), {})
    return ExamValue(
        timepoint=name,
        value=_mean([item.value for item in chosen]),
        readings=len(chosen),
        raters=tuple(dict.fromkeys(item.rater for item in chosen)),
        tilt_deg=_mean([item.tilt_deg for item in chosen]),
        valid_fraction=min(item.valid_fraction for item in chosen),
        slice_position=chosen[0].extra.get("slice_position", ""),
        flags=frozenset().union(*(item.flags for item in chosen)),
        extra=chosen[0].extra,
        slices=tuple(item.slices for item in chosen),
        rule=chosen[0].rule,
        uncertainty=_mean([item.uncertainty for item in chosen]),
        offset_mm=middle_offset_mm(one for item in chosen for one in item.outlined),
        apart_mm=apart_mm([item.outlined for item in chosen]) if _differ(chosen) else 0.0,
    )


def _differ(readings: Sequence[Value]) -> bool:
    """Whether readings are of different slices; those that record none do not say."""
    slices = [item.outlined for item in readings if item.outlined]
    common = shared(slices)
    return any(len(own) < len(every) for own, every in zip(common, slices, strict=True))


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)
