"""How often the intervals of our statistics hold what they should: simulated studies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import several_targets
from multifidus.stats.change.paired_tests import paired_tests
from multifidus.stats.reliability.icc import FEW_RATERS, MUCH_APART, icc, wide_agreement_warning
from multifidus.stats.reliability.measurement_error import bland_altman, mdc95, sem
from multifidus.stats.reliability.ratings import Z, mean_squares

Array = NDArray[np.float64]

STUDIES = 2000
SUBJECTS = (10, 30, 100)
RATERS = (2, 3, 5)
RATER_SDS = (0.0, 0.1, 0.2, 0.3, 0.5)

SUBJECT_SD = 1.0
ERROR_SD = 1 / 3
"""Of a single reading, so that ICC(3,1) is 0.9."""

GOOD = (93.0, 97.0)
WARNED = 85.0
"""So many of the studies whose interval covers too rarely have to be warned."""

CHANGE = 0.4
"""Mean true change; subjects' own changes vary about it by as much."""


def ratings(  # noqa: PLR0917 - what makes a study
    rng: np.random.Generator, studies: int, n: int, k: int, rater_sd: float
) -> Iterator[Array]:
    """Yield tables of subjects x raters: subject, rater and error are normal and independent."""
    for _ in range(studies):
        yield (
            100
            + SUBJECT_SD * rng.normal(size=(n, 1))
            + rater_sd * rng.normal(size=(1, k))
            + ERROR_SD * rng.normal(size=(n, k))
        )


def _share(hits: Sequence[bool]) -> float:
    return 100 * sum(hits) / len(hits)


def _holds(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] <= truth <= interval[1]


@dataclass(frozen=True, slots=True)
class Row:
    """Coverage in percent of one statistic, by the number of subjects."""

    name: str
    covered: tuple[float, ...]


def fixed_raters(studies: int, subjects: Sequence[int], seed: int) -> list[Row]:
    """Count what holds where two raters' own offsets matter to nothing, or cancel."""
    found: dict[str, list[float]] = {}
    for n in subjects:
        rng = np.random.default_rng((seed, n))
        hits: dict[str, list[bool]] = {}
        for table in ratings(rng, studies, n, 2, 0.2):
            for name, hit in _of_table(table):
                hits.setdefault(name, []).append(hit)
        for name, hit in _of_changes(rng, studies, n):
            hits.setdefault(name, []).append(hit)
        for name, those in hits.items():
            found.setdefault(name, []).append(_share(those))
    return [Row(name, tuple(covered)) for name, covered in found.items()]


def _of_table(table: Array) -> Iterable[tuple[str, bool]]:
    single = SUBJECT_SD**2 / (SUBJECT_SD**2 + ERROR_SD**2)
    forms = {form.shrout_fleiss: form for form in icc(table)}
    yield "ICC(3,1)", _holds(forms["ICC(3,1)"].ci95, single)
    yield "ICC(3,k)", _holds(forms["ICC(3,k)"].ci95, 2 * single / (1 + single))
    yield "SEM, consistency", _holds(sem(table).consistency_ci95, ERROR_SD)


def _of_changes(rng: np.random.Generator, studies: int, n: int) -> Iterable[tuple[str, bool]]:
    sd = math.sqrt(2) * ERROR_SD
    bias = 0.3
    for _ in range(studies):
        subject = 100 + SUBJECT_SD * rng.normal(size=n)
        first = subject + bias + ERROR_SD * rng.normal(size=n)
        second = subject + ERROR_SD * rng.normal(size=n)
        found = bland_altman(first, second)
        yield "bias", _holds(found.bias_ci95, bias)
        for name, limit, interval in zip(
            ("lower", "upper"), (bias - Z * sd, bias + Z * sd), found.limits_ci95, strict=True
        ):
            yield f"{name} limit of agreement", _holds(interval, limit)
        true = CHANGE + CHANGE * rng.normal(size=n)
        after = subject + true + ERROR_SD * rng.normal(size=n)
        tests = paired_tests(after - second)
        spread = math.hypot(CHANGE, sd)
        yield "mean change", _holds(tests.ci95, CHANGE)
        yield "effect size d_z", _holds(tests.dz_ci95, CHANGE / spread)


@dataclass(frozen=True, slots=True)
class RaterCell:
    """Coverage of both single-rater correlations in one kind of study, and warnings; percent."""

    n: int
    raters: int
    rater_sd: float
    icc2: float
    icc3: float
    warned: float


def sampled_raters(  # noqa: PLR0917 - what makes a study
    studies: int,
    subjects: Sequence[int],
    raters: Sequence[int],
    sds: Sequence[float],
    seed: int,
) -> list[RaterCell]:
    """Count what holds where raters are drawn anew in each study and differ."""
    cells = []
    for k, sd, n in itertools.product(raters, sds, subjects):
        rng = np.random.default_rng((seed, n, k, round(100 * sd)))
        agreement = SUBJECT_SD**2 / (SUBJECT_SD**2 + sd**2 + ERROR_SD**2)
        consistency = SUBJECT_SD**2 / (SUBJECT_SD**2 + ERROR_SD**2)
        hits: list[tuple[bool, bool, bool]] = []
        for table in ratings(rng, studies, n, k, sd):
            forms = icc(table)
            two, three = _holds(forms[1].ci95, agreement), _holds(forms[2].ci95, consistency)
            hits.append((two, three, bool(wide_agreement_warning(mean_squares(table)))))
        cells.append(RaterCell(n, k, sd, *map(_share, zip(*hits, strict=True))))
    return cells


def false_alarms(studies: int, subjects: Sequence[int], seed: int) -> list[Row]:
    """Count unchanged muscles beyond an MDC95, estimated by a study of so many subjects."""
    rows: dict[str, list[float]] = {"consistency, the same rater": [], "agreement, two raters": []}
    for n in subjects:
        rng = np.random.default_rng((seed, n))
        beyond: dict[str, list[float]] = {name: [] for name in rows}
        for table in ratings(rng, studies, n, 3, 0.3):
            error = sem(table)
            noise = ERROR_SD * rng.normal(size=(2, 200))
            same = np.abs(noise[0] - noise[1])
            offsets = 0.3 * rng.normal(size=(2, 200))
            other = np.abs(noise[0] - noise[1] + offsets[0] - offsets[1])
            for name, change, size in zip(
                rows, (same, other), (error.consistency, error.agreement), strict=True
            ):
                beyond[name].append(float((change > mdc95(size)).mean()))
        for name, shares in beyond.items():
            rows[name].append(100 * float(np.mean(shares)))
    return [Row(name, tuple(shares)) for name, shares in rows.items()]


def page(*, smoke: bool) -> tuple[str, bool]:
    """Return the page of evidence and whether everything holds as it should."""
    studies = 150 if smoke else STUDIES
    subjects = SUBJECTS[:2] if smoke else SUBJECTS
    raters = RATERS[:1] if smoke else RATERS
    sds = (0.0, 0.5) if smoke else RATER_SDS
    fixed = fixed_raters(studies, subjects, 11)
    cells = sampled_raters(studies, subjects, raters, sds, 12)
    alarms = false_alarms(studies, subjects, 13)
    shared, held = several_targets.section(smoke=smoke)
    # Chance alone moves a share of 150 studies further than one of 2,000.
    low, high = (88.0, 100.0) if smoke else GOOD
    good = (
        all(low <= share <= high for row in fixed for share in row.covered)
        and all(low <= cell.icc3 <= high for cell in cells)
        and all(cell.warned >= WARNED for cell in cells if cell.icc2 < low)
        and held
    )
    return _text(studies, subjects, fixed, cells, alarms) + shared, good


def _text(  # noqa: PLR0917 - what the page shows
    studies: int,
    subjects: Sequence[int],
    fixed: Sequence[Row],
    cells: Sequence[RaterCell],
    alarms: Sequence[Row],
) -> str:
    chance = 196 * math.sqrt(0.95 * 0.05 / studies)
    return (
        "# Confidence intervals of reliability and change\n\n"
        f"{studies} simulated studies a cell, by the same functions that the program uses. "
        "Subjects, raters and errors are normal and independent; subjects vary by 1 (standard "
        f"deviation), a reading's error by a third, so that ICC(3,1) is 0.9. A share of 95 % "
        f"is estimated to {chance:.1f} points (95 % interval).\n\n"
        "## What does not depend on how raters were chosen\n\n"
        "How often, in percent, the 95 % interval holds the truth; two raters; changes of 0.4 on "
        "average that vary by 0.4 between subjects.\n\n"
        + _table("interval of", subjects, fixed)
        + "\n## ICC(2,1), where raters are a sample\n\n"
        "Raters are drawn anew in each study and differ by so much (standard deviation, in that "
        "of subjects). The interval of ICC(2,1) in common use (McGraw and Wong 1996) rests on an "
        "approximation that few raters break: they say too little of how much raters differ. More "
        "subjects make it worse. It is printed because it is what papers print. "
        "`multifidus reliability` warns with fewer than "
        f"{FEW_RATERS} raters, and with more where they differ by over {MUCH_APART:g} of the "
        "subjects' standard deviation, as estimated; the last columns say in how many studies, in "
        "percent.\n\n"
        "| raters | SD of raters | "
        + " | ".join(f"ICC(2,1), n = {n}" for n in subjects)
        + " | "
        + " | ".join(f"ICC(3,1), n = {n}" for n in subjects)
        + " | "
        + " | ".join(f"warned, n = {n}" for n in subjects)
        + " |\n"
        + "| --- " * (2 + 3 * len(subjects))
        + "|\n"
        + "".join(_rater_rows(cells))
        + "\n## Unchanged muscles beyond MDC95\n\n"
        "Percent of muscles that did not change and are called changed; 5 % are meant. Error is "
        "estimated from three raters who differ by 0.3; the change is of one rater who reads both "
        "exams, or of two others. Three raters say little of how far raters differ, so that "
        "between others too many muscles seem changed, however many subjects the study had: let "
        "the same rater read both exams.\n\n" + _table("MDC95 by", subjects, alarms)
    )


def _table(what: str, subjects: Sequence[int], rows: Iterable[Row]) -> str:
    return (
        f"| {what} | "
        + " | ".join(f"n = {n}" for n in subjects)
        + " |\n"
        + "| --- " * (1 + len(subjects))
        + "|\n"
        + "".join(
            f"| {row.name} | {' | '.join(f'{share:.1f}' for share in row.covered)} |\n"
            for row in rows
        )
    )


def _rater_rows(cells: Sequence[RaterCell]) -> Iterable[str]:
    def key(cell: RaterCell) -> tuple[int, float]:
        return cell.raters, cell.rater_sd

    for (raters, sd), group in itertools.groupby(cells, key):
        members = list(group)
        shares = [
            *(f"{cell.icc2:.1f}" for cell in members),
            *(f"{cell.icc3:.1f}" for cell in members),
            *(f"{cell.warned:.0f}" for cell in members),
        ]
        yield f"| {raters} | {sd:g} | {' | '.join(shares)} |\n"
