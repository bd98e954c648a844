"""Results of a study of reliability: of measurements, of grades, and all together."""

from __future__ import annotations

from dataclasses import dataclass, field

from multifidus.stats.exclusions import Exclusion
from multifidus.stats.reliability.icc import Icc
from multifidus.stats.reliability.kappa import Kappa
from multifidus.stats.reliability.measurement_error import BlandAltman, Concordance, Sem
from multifidus.stats.reliability.target_groups import TargetCounts
from multifidus.stats.reliability.targets import Compare, SliceMatch


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two raters, or two readings, beside each other.

    ``ratio`` holds the limits of agreement of the first over the second; None where a value is not
    positive.
    """

    first: str
    second: str
    agreement: BlandAltman
    concordance: Concordance | None
    ratio: BlandAltman | None = None


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability of one quantity.

    Parameters
    ----------
    quantity, method, structure, level, side
        Of what; level and side empty where several are pooled.
    compare, columns, rater
        Who was compared; of one rater's readings, whose.
    n_subjects, n_targets, n_raters, n_missing
        Subjects, complete targets (exams, or exam x level x side where pooled), raters or
        readings, and targets left out because a rater's value is missing.
    icc
        All six forms; where a subject gives several targets, with intervals that count subjects
        (:mod:`multifidus.stats.reliability.clustered_intervals`).
    sem
        Error of measurement, with such intervals as well.
    cv_pct
        Within-subject coefficient of variation; NaN where a value is not positive.
    pairs
        Every two raters or readings.
    problems
        What a reader must know before quoting these numbers.
    value_rule
        Which value of a reading entered: whose readings, and what of a level's slices.
    timepoint, group
        Of one timepoint, of one group (``approach=open``); empty where several are pooled.
    exclusions
        Why targets were left out, and how many.
    slices
        On which slices targets were compared.
    counts
        Of which examinations and people the targets are.
    """

    quantity: str
    method: str
    structure: str
    level: str
    side: str
    compare: Compare
    columns: tuple[str, ...]
    rater: str
    n_subjects: int
    n_targets: int
    n_raters: int
    n_missing: int
    icc: tuple[Icc, ...]
    sem: Sem
    cv_pct: float
    pairs: tuple[PairAgreement, ...]
    problems: tuple[str, ...]
    value_rule: str = ""
    timepoint: str = ""
    group: str = ""
    exclusions: tuple[tuple[str, int], ...] = ()
    slices: SliceMatch = field(default_factory=SliceMatch)
    counts: TargetCounts = field(default_factory=TargetCounts)


@dataclass(frozen=True, slots=True)
class GradePair:
    """Two raters' or two readings' grades of the same targets.

    Parameters
    ----------
    equal
        How many targets both gave one grade.
    linear, quadratic
        Weighted kappa; None where both gave all targets one and the same grade.
    """

    first: str
    second: str
    equal: int
    linear: Kappa | None
    quadratic: Kappa | None


@dataclass(frozen=True, slots=True)
class GradeReliability:
    """The reliability of one grade, which has an order and no distances: kappa instead of ICC.

    Parameters
    ----------
    quantity, method, structure, level, side, compare, columns, rater
        As of :class:`Reliability`.
    n_subjects, n_targets, n_missing
        Subjects, complete targets, and targets left out.
    pairs
        Every two raters or readings.
    problems
        What a reader must know.
    value_rule, timepoint, group, exclusions, slices, counts
        As of :class:`Reliability`.
    """

    quantity: str
    method: str
    structure: str
    level: str
    side: str
    compare: Compare
    columns: tuple[str, ...]
    rater: str
    n_subjects: int
    n_targets: int
    n_missing: int
    pairs: tuple[GradePair, ...]
    problems: tuple[str, ...]
    value_rule: str = ""
    timepoint: str = ""
    group: str = ""
    exclusions: tuple[tuple[str, int], ...] = ()
    slices: SliceMatch = field(default_factory=SliceMatch)
    counts: TargetCounts = field(default_factory=TargetCounts)


@dataclass(frozen=True, slots=True)
class ReliabilityStudy:
    """All results, of measurements and of grades, and why others are missing.

    ``protocols`` are those of the table, by which it was measured; ``exclusions`` are targets that
    lack a rater's or a reading's value.
    """

    results: tuple[Reliability, ...]
    problems: tuple[str, ...]
    grades: tuple[GradeReliability, ...] = ()
    protocols: tuple[str, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
