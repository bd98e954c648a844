"""How often intervals hold the truth where a person gives several targets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from multifidus.stats.reliability.clustered_intervals import (
    FEW_SUBJECTS,
    MANY_TARGETS,
    icc_intervals,
    limit_intervals,
    sem_intervals,
)
from multifidus.stats.reliability.icc import FEW_RATERS, icc
from multifidus.stats.reliability.measurement_error import bland_altman, sem
from multifidus.stats.reliability.ratings import Z

Array = NDArray[np.float64]

STUDIES = 1000

SUBJECT_SD = 1.0
ERROR_SD = 1 / 3
"""Of a single reading, so that ICC(3,1) is 0.9."""

PERSONS = (5, 8, 15, 30, 100)
Interval = tuple[float, float]

EXAMS = (1, 2, 8)
"""Targets a person: one exam, two exams, and the eight of four levels pooled."""

ALIKE = 0.8
"""Share of the subjects' variance that targets of one person share, and half that of the error."""

LEAST = 92.5
_LEAST_IN_SMOKE = 85.0
"""Of 75 studies chance moves a share further than of 1,000."""

CASES = tuple(
    (exams, k, sd, n)
    for exams in EXAMS
    for k, sd in ((2, 0.0), *itertools.product((2, 3, 5), (0.5, 1.0)))
    for n in PERSONS
    if exams < MANY_TARGETS or (k, sd) in {(2, 0.0), (3, 0.5)}
)
SMOKE_CASES = ((2, 2, 0.0, 8), (2, 3, 0.5, 15))


def _holds(interval: Interval, truth: float) -> bool:
    return interval[0] <= truth <= interval[1]


@dataclass(frozen=True, slots=True)
class ClusterCell:
    """Coverage in percent where persons give several targets: as it is, and classical."""

    exams: int
    raters: int
    rater_sd: float
    n: int
    covered: dict[str, float]
    classical: dict[str, float]


def coverage(
    studies: int, cases: Iterable[tuple[int, int, float, int]], seed: int
) -> Iterator[ClusterCell]:
    """Count what holds where a person gives several targets, and raters are drawn anew.

    Parameters
    ----------
    studies, seed
        Of each case.
    cases
        Targets a person, raters, their standard deviation, and persons.
    """
    for exams, k, sd, n in cases:
        rng = np.random.default_rng((seed, exams, k, round(100 * sd), n))
        subjects = np.repeat(np.arange(n), exams)
        names = [str(number) for number in subjects]
        hits: dict[str, list[tuple[bool, bool]]] = {}
        for _ in range(studies):
            table = _shared(rng, subjects, k, sd)
            for name, ours, classical, true in _intervals(table, names, sd):
                hits.setdefault(name, []).append((_holds(ours, true), _holds(classical, true)))
        shares = {name: 100 * np.mean(both, axis=0) for name, both in hits.items()}
        yield ClusterCell(
            exams, k, sd, n,
            {name: float(both[0]) for name, both in shares.items()},
            {name: float(both[1]) for name, both in shares.items()},
        )  # fmt: skip


def _shared(rng: np.random.Generator, subjects: NDArray[np.int64], k: int, sd: float) -> Array:
    """Draw ratings of targets that share their person's size and each rater's view of it."""
    n, targets = int(subjects[-1]) + 1, len(subjects)
    own, view = math.sqrt(ALIKE), math.sqrt(ALIKE / 2)
    return (
        100
        + SUBJECT_SD * own * rng.normal(size=(n, 1))[subjects]
        + SUBJECT_SD * math.sqrt(1 - ALIKE) * rng.normal(size=(targets, 1))
        + sd * rng.normal(size=(1, k))
        + ERROR_SD * view * rng.normal(size=(n, k))[subjects]
        + ERROR_SD * math.sqrt(1 - ALIKE / 2) * rng.normal(size=(targets, k))
    )


def _intervals(
    table: Array, names: Sequence[str], sd: float
) -> Iterator[tuple[str, Interval, Interval, float]]:
    """Give each statistic's interval, the classical one, and the truth."""
    forms, error = icc(table), sem(table)
    ours, wide = forms, error
    agreement = limits = bland_altman(table[:, 0], table[:, 1])
    if len(set(names)) < len(names):
        ours = icc_intervals(forms, table, names)
        wide = sem_intervals(error, table, names)
        limits = limit_intervals(agreement, table[:, 0] - table[:, 1], names)
    whole = SUBJECT_SD**2 + ERROR_SD**2
    for place, true in ((1, SUBJECT_SD**2 / (whole + sd**2)), (2, SUBJECT_SD**2 / whole)):
        yield forms[place].shrout_fleiss, ours[place].ci95, forms[place].ci95, true
    yield "SEM, consistency", wide.consistency_ci95, error.consistency_ci95, ERROR_SD
    both = math.hypot(ERROR_SD, sd)
    yield "SEM, agreement", wide.agreement_ci95, error.agreement_ci95, both
    if not sd:
        yield "bias", limits.bias_ci95, agreement.bias_ci95, 0.0
        edge = Z * math.sqrt(2) * ERROR_SD
        yield "limit of agreement", limits.limits_ci95[1], agreement.limits_ci95[1], edge


def section(*, smoke: bool) -> tuple[str, bool]:
    """Return the section of the page and whether the intervals hold what they should."""
    studies = 75 if smoke else STUDIES
    cells = list(coverage(studies, SMOKE_CASES if smoke else CASES, 14))
    least = _LEAST_IN_SMOKE if smoke else LEAST
    good = all(
        share >= least
        for cell in cells
        if cell.exams > 1 and not (cell.exams >= MANY_TARGETS and cell.n < FEW_SUBJECTS)
        for share in cell.covered.values()
    )
    return _text(studies, cells), good


def _text(studies: int, cells: Sequence[ClusterCell]) -> str:
    names = list(dict.fromkeys(name for cell in cells for name in cell.covered))
    lines = [
        f"| {cell.exams} | {cell.raters} | {cell.rater_sd:g} | {cell.n} | "
        + " | ".join(
            f"{cell.covered[name]:.1f} ({cell.classical[name]:.1f})" if name in cell.covered else ""
            for name in names
        )
        + " |"
        for cell in cells
    ]
    return (
        "\n## Several targets a person\n\n"
        f"{studies} simulated studies a row. A person gives one target (one exam), two (before and "
        "after surgery) or eight (levels and sides pooled). Targets of one person share "
        f"{100 * ALIKE:.0f} % of the variance between targets, and each rater's error about them "
        f"{50 * ALIKE:.0f} % of its variance. Percent of 95 % intervals that hold the truth; in "
        "brackets the classical interval, of targets as if each were a person. With one target a "
        "person the two are the same: the classical one is what is printed, and what papers "
        "print; where raters differ, that of ICC(2,1) covers less often than it says, and "
        f"`multifidus reliability` warns (fewer than {FEW_RATERS} raters, or raters far apart). "
        "With more than one the program counts persons: "
        "Satterthwaite's degrees of freedom between persons and within them, and for ICC(2,1) and "
        "the SEM of agreement a generalised confidence interval that takes raters as a sample; "
        "none is narrower than the classical one. Of two raters it is wide, and it is often "
        "wider than it has to be: two raters say little of how raters differ. With "
        f"{MANY_TARGETS} targets a person or more and fewer than {FEW_SUBJECTS} persons the "
        "intervals cover less often than they say, and the program says so.\n\n"
        f"| targets a person | raters | SD of raters | persons | {' | '.join(names)} |\n"
        + "| --- " * (4 + len(names))
        + "|\n"
        + "\n".join(lines)
        + "\n"
    )
