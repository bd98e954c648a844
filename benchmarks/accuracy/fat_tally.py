"""What the errors, uncertainties and flags of a method add up to over outlines of known fat."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.fat_outlines import Answer, Outline
from multifidus.data.flags import Flag
from multifidus.data.protocol import FatMethod

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LARGE_PCT = 5.0
"""An error beyond this is large, in points."""

LEAN_PCT, LEAN_LIMIT_PCT = 2.0, 3.0
"""An outline with less true fat than the first is lean: traced by hand, it holds a little of the
fat around the muscle. A lean outline is wrong where it is said to have more than the second."""

DOUBTS = frozenset(
    {
        Flag.UNDETECTABLE,
        Flag.NO_REFERENCE,
        Flag.NOT_MEASURABLE,
        Flag.CLASSES_UNCLEAR,
        Flag.REFERENCE_ELSEWHERE,
        Flag.REFERENCE_INVERTED,
        Flag.REFERENCE_MIXED,
        Flag.REFERENCE_OVERLAPS_MUSCLE,
        Flag.REFERENCE_SATURATED,
        Flag.REFERENCE_SMALL,
        Flag.REFERENCE_INCONSISTENT,
        Flag.REFERENCE_OUTSIDE_FIELD,
        Flag.LEAN_REFERENCES_UNEQUAL,
        Flag.BIAS_NOT_CORRECTED,
        Flag.SHADING_STRONG,
        Flag.SHADING_UNCLEAR,
        Flag.CALIBRATION_AMBIGUOUS,
        Flag.CALIBRATION_UNCERTAIN,
        Flag.SIGNAL_NOT_CALIBRATED,
        Flag.FAT_METHODS_DIFFER,
        Flag.LOW_SIGNAL,
    }
)
"""Flags that say that the amount of fat may be wrong. Not among them: what says where references
come from (``reference_proposed``), what was left out (``artefact``, ``valid_fraction_low``), and
what concerns the outline, the slice or the exam."""


def doubts(method: str) -> frozenset[Flag]:
    """Return the flags that say that a method's amount of fat may be wrong.

    ``diffuse_fat`` doubts a threshold, which does not see such fat, and ``linear``, which takes
    brighter lean muscle for it. It is what the signal fraction is there to measure.
    """
    return DOUBTS if method == FatMethod.SIGNAL else DOUBTS | {Flag.DIFFUSE_FAT}


def is_flagged(method: str, answer: Answer) -> bool:
    """Whether a row says that its fat may be wrong, or gives no number."""
    return math.isnan(answer.value) or not doubts(method).isdisjoint(answer.flags)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    count: int

    @property
    def pct(self) -> float:
        """The share in percent; NaN of nothing."""
        return 100 * self.hits / self.count if self.count else math.nan

    @property
    def interval_pct(self) -> tuple[float, float]:
        """Its 95 % interval by Wilson's score, in percent, as if each were independent."""
        if not self.count:
            return math.nan, math.nan
        n, z = self.count, 1.959964
        middle = self.hits + z * z / 2
        half = z * math.sqrt(self.hits * (n - self.hits) / n + z * z / 4)
        return 100 * (middle - half) / (n + z * z), 100 * (middle + half) / (n + z * z)


@dataclass(frozen=True, slots=True)
class Tally:
    """One method over some outlines; errors in points, measured minus true.

    Parameters
    ----------
    count, missing
        Outlines, and how many of them have no number. Means and coverage are of the others.
    covered, covered_unflagged
        Those within two standard uncertainties of the truth; of these, those without a flag of
        doubt.
    flagged
        With a flag of doubt, or without a number.
    large, large_unflagged, lean_unflagged
        Errors of more than five points, with any flag and without one; lean outlines said to have
        more than 3 %, without a flag.
    """

    count: int
    missing: int
    mean: float
    absolute: float
    uncertainty: float
    covered: Share
    covered_unflagged: Share
    flagged: int
    large: int
    large_unflagged: int
    lean_unflagged: int

    @property
    def largest_uncertainty(self) -> float:
        """Mean uncertainty beyond which it says too little: twice the mean error and 1 point."""
        return 2 * self.absolute + 1


def asked(found: Iterable[Outline], method: str) -> list[Outline]:
    """Return the outlines that were measured by a method."""
    return [item for item in found if method in item.answers]


def tally(found: Iterable[Outline], method: str) -> Tally:
    """Add up a method's answers; an outline that it does not answer counts as missing."""
    items = [(item.truth_pct, item.answers.get(method, Answer())) for item in found]
    truth = np.array([true for true, _ in items], dtype=np.float64)
    value = np.array([answer.value for _, answer in items], dtype=np.float64)
    spread = np.array([answer.uncertainty for _, answer in items], dtype=np.float64)
    flagged = np.array([is_flagged(method, answer) for _, answer in items], dtype=bool)
    known, error = np.isfinite(value), value - truth
    covered = known & (np.abs(error) <= 2 * spread)
    large = known & (np.abs(error) > LARGE_PCT)
    lean = known & (truth < LEAN_PCT) & (value > LEAN_LIMIT_PCT)
    return Tally(
        count=len(items),
        missing=int((~known).sum()),
        mean=_mean(error[known]),
        absolute=_mean(np.abs(error[known])),
        uncertainty=_mean(spread[known]),
        covered=Share(int(covered.sum()), int(known.sum())),
        covered_unflagged=Share(int((covered & ~flagged).sum()), int((known & ~flagged).sum())),
        flagged=int(flagged.sum()),
        large=int(large.sum()),
        large_unflagged=int((large & ~flagged).sum()),
        lean_unflagged=int((lean & ~flagged).sum()),
    )


@dataclass(frozen=True, slots=True)
class Beyond:
    """One method on the real pattern, whose lean references hold fat that T2 cannot see.

    Parameters
    ----------
    mean
        Mean error against the truth itself.
    bias, absolute
        Mean and mean absolute error beyond the fat of the references: this is added to the answer.
    correlation
        Of answers with the truth.
    """

    reference_pct: float
    mean: float
    bias: float
    absolute: float
    correlation: float


def beyond_reference(found: Iterable[Outline], method: str) -> Beyond:
    """Compare a method's answers with the truth beyond the fat of the lean references."""
    items = [
        (item.truth_pct, item.reference_pct, item.answers[method].value)
        for item in found
        if method in item.answers and math.isfinite(item.answers[method].value)
    ]
    truth, reference, value = np.array(items, dtype=np.float64).reshape(-1, 3).T
    error = value + reference - truth
    varies = len(items) > 1 and np.ptp(value) > 0 and np.ptp(truth) > 0
    r = float(np.corrcoef(value, truth)[0, 1]) if varies else math.nan
    return Beyond(_mean(reference), _mean(value - truth), _mean(error), _mean(np.abs(error)), r)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else math.nan
