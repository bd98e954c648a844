"""What the errors, uncertainties and flags of a method add up to over outlines of known fat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.fat_outlines import Answer, Outline

LARGE_PCT = 5.0
"""An error beyond this is large, in points."""

LEAN_PCT, LEAN_LIMIT_PCT = 2.0, 3.0
"""An outline with less true fat than the first is lean; more than the second is too much for it."""

DOUBTS = frozenset(
    {
        "undetectable",
        "no_reference",
        "not_measurable",
        "classes_unclear",
        "calibration_ambiguous",
        "reference_elsewhere",
        "reference_inverted",
        "reference_mixed",
        "reference_overlaps_muscle",
        "reference_saturated",
        "reference_small",
        "reference_inconsistent",
        "reference_outside_field",
        "lean_references_unequal",
        "bias_not_corrected",
        "shading_strong",
        "shading_unclear",
        "fat_methods_differ",
        "low_signal",
    }
)
"""Flags that say that the amount of fat may be wrong. Not among them: what says where references
come from (``reference_proposed``), what was left out (``artefact``, ``valid_fraction_low``), and
what concerns the outline, the slice or the exam."""

DOUBTS_OF = {
    "pooled_otsu": DOUBTS | {"diffuse_fat"},
    "linear": DOUBTS | {"diffuse_fat"},
}
"""Methods that ``diffuse_fat`` doubts: the first does not see such fat, and the second takes
brighter lean muscle for it. Of other methods it says nothing."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One method over some outlines; errors in points, measured minus true.

    Parameters
    ----------
    count, missing
        Outlines, and how many of them have no number. Errors and coverage are of the others.
    covered
        How many lie within two standard uncertainties of the truth.
    flagged
        How many are flagged by :data:`DOUBTS`, or have no number.
    large
        Errors of more than five points; of these without a flag, ``large_unflagged``.
    lean_unflagged
        Lean outlines with more than 3 %, without a flag.
    covered_unflagged, unflagged
        Outlines with a number and without a flag, and how many of them are covered.
    """

    count: int
    missing: int
    mean: float
    absolute: float
    covered: int
    uncertainty: float
    flagged: int
    large: int
    large_unflagged: int
    lean_unflagged: int
    unflagged: int
    covered_unflagged: int

    @property
    def known(self) -> int:
        """Outlines with a number."""
        return self.count - self.missing

    @property
    def coverage_pct(self) -> tuple[float, float, float]:
        """Coverage with its 95 % interval, in percent."""
        return _with_interval(self.covered, self.known)

    @property
    def largest_uncertainty(self) -> float:
        """Mean uncertainty beyond which it says too little: twice the mean error and 1 point."""
        return 2 * self.absolute + 1


def is_flagged(method: str, answer: Answer) -> bool:
    """Whether a row says that its fat may be wrong."""
    return math.isnan(answer.value) or not DOUBTS_OF.get(method, DOUBTS).isdisjoint(answer.flags)


def tally(outlines: Iterable[Outline], method: str) -> Tally:
    """Add up a method's answers; outlines that have none of it count as missing."""
    found = [(item.truth_pct, item.answers.get(method, Answer(math.nan))) for item in outlines]
    truth = np.array([true for true, _ in found], dtype=np.float64)
    value = np.array([answer.value for _, answer in found], dtype=np.float64)
    spread = np.array([answer.uncertainty for _, answer in found], dtype=np.float64)
    flagged = np.array([is_flagged(method, answer) for _, answer in found], dtype=bool)
    known = np.isfinite(value)
    error = value - truth
    covered = known & (np.abs(error) <= 2 * spread)
    large = known & (np.abs(error) > LARGE_PCT)
    lean = known & (truth < LEAN_PCT) & (value > LEAN_LIMIT_PCT)
    return Tally(
        count=len(found),
        missing=int((~known).sum()),
        mean=_mean(error[known]),
        absolute=_mean(np.abs(error[known])),
        covered=int(covered.sum()),
        uncertainty=_mean(spread[known]),
        flagged=int(flagged.sum()),
        large=int(large.sum()),
        large_unflagged=int((large & ~flagged).sum()),
        lean_unflagged=int((lean & ~flagged).sum()),
        unflagged=int((known & ~flagged).sum()),
        covered_unflagged=int((covered & ~flagged).sum()),
    )


def wilson_pct(hits: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score, in percent.

    Examples
    --------
    >>> low, high = wilson_pct(90, 100)
    >>> round(low, 1), round(high, 1)
    (82.6, 94.5)
    """
    if not count:
        return math.nan, math.nan
    share = hits / count
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 100 / (1 + z * z / count)
    return max(0.0, scale * (middle - half)), min(100.0, scale * (middle + half))


def flags_pct(outlines: Sequence[Outline], method: str) -> dict[str, float]:
    """Return how often each flag stands on a method's rows, the most frequent first."""
    seen = Counter(
        flag for item in outlines if method in item.answers for flag in item.answers[method].flags
    )
    return {flag: 100 * n / len(outlines) for flag, n in seen.most_common()}


def _with_interval(hits: int, count: int) -> tuple[float, float, float]:
    return (100 * hits / count if count else math.nan, *wilson_pct(hits, count))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
