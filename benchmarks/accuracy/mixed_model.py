"""Change that the mixed model invents, and change that it finds, where muscles are missing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from multifidus.stats.change.mixed_model import Muscle, fit_changes, usable
from multifidus.stats.change.pairs import zone_of
from multifidus.stats.change.random_intercept import Effect, Term, fit_random_intercept

Array = NDArray[np.float64]
Seen = NDArray[np.bool_]

STUDIES = 1000
PEER_STUDIES = 250
"""Of the estimators for comparison."""

SUBJECTS = (10, 20, 40)

LEVELS = ("L2-L3", "L3-L4", "L4-L5", "L5-S1")
SIDES = ("left", "right")
PLACES = tuple(itertools.product(LEVELS, SIDES))
OPERATED = "L4-L5"

SIZES_MM2 = np.array([700.0, 800.0, 950.0, 1050.0]).repeat(2) + np.tile([-15.0, 15.0], 4)
"""Mean area of each level and side."""

SUBJECT_SD, MUSCLE_SD, ERROR_SD = 120.0, 60.0, 40.0

CHANGE_SDS = ((0.0, 0.0), (40.0, 0.0), (40.0, 30.0))
"""How much changes vary between subjects, and beyond that between the levels of one."""

CASES = tuple((n, spread) for spread in CHANGE_SDS for n in SUBJECTS if not spread[1] or n == 20)

PLANTED_MM2 = -60.0

FACTORS = ("", "zone", "level", "side")
TIMEPOINTS = ("pre", "post")

MEASURED = ("small when measured before", "small when measured after")
"""Losses that depend on what was measured, not on the muscle: their rates are shown, not judged."""

GOOD = (3.0, 7.0)
_SMOKE = (0.0, 14.0)
"""What chance makes of 100 studies."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What was simulated: true areas and measured ones, shape (studies, subjects, muscles)."""

    true: Array
    before: Array
    after: Array


def simulate(
    rng: np.random.Generator, shape: tuple[int, int], change_sds: tuple[float, float], change: Array
) -> Truth:
    """Draw studies: muscles in subjects, errors, and changes shared by a subject's muscles."""
    whole = (*shape, len(PLACES))
    true = (
        SIZES_MM2 + SUBJECT_SD * rng.normal(size=(*shape, 1)) + MUSCLE_SD * rng.normal(size=whole)
    )
    own = change_sds[0] * rng.normal(size=(*shape, 1))
    level = change_sds[1] * rng.normal(size=(*shape, len(LEVELS))).repeat(2, axis=-1)
    before = true + ERROR_SD * rng.normal(size=whole)
    after = true + change + own + level + ERROR_SD * rng.normal(size=whole)
    return Truth(true, before, after)


def _of_half(truth: Truth, places: Sequence[bool]) -> tuple[Seen, Seen]:
    """Every other subject lacks these muscles afterwards."""
    lost = np.zeros(truth.true.shape, bool)
    lost[:, ::2] = np.array(places)
    return np.ones_like(lost), ~lost


def _small(of: Array, rng: np.random.Generator) -> Seen:
    """Lose muscles, the small ones rather: 30 % of those of 800 mm2, 5 % of those of 1,000."""
    return rng.uniform(size=of.shape) > 0.6 / (1 + np.exp((of - 800) / 80))


LOSSES: dict[str, Callable[[Truth, np.random.Generator], tuple[Seen, Seen]]] = {
    "nothing": lambda truth, _: _of_half(truth, [False] * len(PLACES)),
    "L5-S1 after, in half": lambda truth, _: _of_half(truth, [at[0] == "L5-S1" for at in PLACES]),
    "left after, in half": lambda truth, _: _of_half(truth, [at[1] == "left" for at in PLACES]),
    "30 % after, 10 % before": lambda truth, rng: (
        rng.uniform(size=truth.true.shape) > 0.1,
        rng.uniform(size=truth.true.shape) > 0.3,
    ),
    "truly small after": lambda truth, rng: (
        np.ones(truth.true.shape, bool),
        _small(truth.true, rng),
    ),
    MEASURED[0]: lambda truth, rng: (np.ones(truth.true.shape, bool), _small(truth.before, rng)),
    MEASURED[1]: lambda truth, rng: (np.ones(truth.true.shape, bool), _small(truth.after, rng)),
}
"""Which muscles are seen before and after."""


def place_of(muscle: int, factor: str) -> str:
    """Return where a muscle lies, as a model with this factor says it."""
    level, side = PLACES[muscle]
    away = abs(LEVELS.index(level) - LEVELS.index(OPERATED))
    return {"": "", "zone": zone_of(away), "level": level, "side": side}[factor]


def terms_of(before: Array, after: Array, both: Seen, factor: str) -> tuple[Term, ...]:
    """Fit one study's changes, shape (subjects, muscles), by the program's own functions."""
    muscles = [
        Muscle(f"S{who:02}", place_of(which, factor), (before[who, which], after[who, which]))
        for who, which in np.argwhere(both).tolist()
    ]
    (fit,) = fit_changes(usable(muscles, (), factor)[0], TIMEPOINTS)
    return fit.terms


def _studies(truth: Truth, seen: tuple[Seen, Seen]) -> Iterator[tuple[Array, Array, Seen, Seen]]:
    yield from zip(truth.before, truth.after, *seen, strict=True)


def cells_averaged(before: Array, after: Array, seen: Seen, still: Seen) -> Term:
    """Fit what a subject's cell of a timepoint is: the mean of whatever muscles are there."""
    rows = [
        (f"S{who:02}", late, float(values[who][there[who]].mean()))
        for late, (values, there) in enumerate(((before, seen), (after, still)))
        for who in range(len(values))
        if there[who].any()
    ]
    design = [[1.0, late] for _, late, _ in rows]
    fit = fit_random_intercept(
        [value for *_, value in rows],
        design,
        [Effect(), Effect("post")],
        [who for who, *_ in rows],
    )
    return fit.terms[1]


def places_fixed(before: Array, after: Array, seen: Seen, still: Seen) -> Term:
    """Fit all values with level and side fixed, the subject random, and no muscle."""
    subjects, values, design = [], [], []
    for late, (table, there) in enumerate(((before, seen), (after, still))):
        for who, which in np.argwhere(there).tolist():
            level, side = PLACES[which]
            subjects.append(f"S{who:02}")
            values.append(table[who, which])
            design.append([1.0, late, *(level == one for one in LEVELS[1:]), side == "right"])
    effects = [Effect(), Effect("post"), *(Effect(place=name) for name in (*LEVELS[1:], "right"))]
    return fit_random_intercept(values, design, effects, subjects).terms[1]


PEERS = {"cells averaged": cells_averaged, "level and side fixed": places_fixed}


@dataclass(frozen=True, slots=True)
class Cell:
    """Shares in percent of studies where nothing changed and p is below 0.05."""

    loss: str
    n: int
    change_sds: tuple[float, float]
    shares: dict[str, float]


def invented(
    studies: int, cases: Iterable[tuple[int, tuple[float, float]]], seed: int
) -> list[Cell]:
    """Count p values below 0.05 where no muscle changes on average."""
    cells = []
    for n, spread in cases:
        rng = np.random.default_rng((seed, n, CHANGE_SDS.index(spread)))
        truth = simulate(rng, (studies, n), spread, np.zeros(len(PLACES)))
        for loss, draw in LOSSES.items():
            found: dict[str, list[float]] = {}
            for number, study in enumerate(_studies(truth, draw(truth, rng))):
                for name, p in _p_values(*study):
                    found.setdefault(name, []).append(p)
                for name, peer in PEERS.items() if number < PEER_STUDIES else ():
                    found.setdefault(name, []).append(peer(*study).p)
            shares = {name: 100 * float(np.mean(np.array(p) < 0.05)) for name, p in found.items()}
            cells.append(Cell(loss, n, spread, shares))
    return cells


def _p_values(before: Array, after: Array, seen: Seen, still: Seen) -> Iterable[tuple[str, float]]:
    for factor in FACTORS:
        for term in terms_of(before, after, seen & still, factor):
            yield f"{factor}: post x place" if " x " in term.name else f"{factor}: post", term.p


@dataclass(frozen=True, slots=True)
class Found:
    """A planted change: its mean estimate, and how often p is below 0.05, in percent."""

    loss: str
    n: int
    name: str
    planted: float
    mean: float
    power: float
    covered: float


def planted(studies: int, subjects: Sequence[int], seed: int) -> list[Found]:
    """Find -60 mm2, planted in every muscle, or at the operated level alone."""
    at_level = np.array([PLANTED_MM2 if level == OPERATED else 0.0 for level, _ in PLACES])
    kinds = (
        ("", np.full(len(PLACES), PLANTED_MM2), {"post": PLANTED_MM2}),
        ("zone", at_level, {"post": PLANTED_MM2, "post x remote": -PLANTED_MM2}),
    )
    rows = []
    losses = [name for name in LOSSES if name != "left after, in half"]
    for n, loss, (factor, change, true) in itertools.product(subjects, losses, kinds):
        rng = np.random.default_rng((seed, n))
        truth = simulate(rng, (studies, n), CHANGE_SDS[1], change)
        fits = [
            {term.name: term for term in terms_of(before, after, seen & still, factor)}
            for before, after, seen, still in _studies(truth, LOSSES[loss](truth, rng))
        ]
        for name, size in true.items():
            terms = [fit[name] for fit in fits if name in fit]
            rows.append(
                Found(
                    loss, n, f"{factor}: {name}", size,
                    float(np.mean([term.estimate for term in terms])),
                    100 * float(np.mean([term.p < 0.05 for term in terms])),
                    100 * float(np.mean([term.ci95[0] <= size <= term.ci95[1] for term in terms])),
                )
            )  # fmt: skip
    return rows


def chance(studies: int) -> float:
    """Return by how many points chance moves a share of 5 % in so many studies."""
    return 196 * math.sqrt(0.05 * 0.95 / studies)


def page(*, smoke: bool) -> tuple[str, bool]:
    """Return the page of evidence and whether the model invents no change."""
    studies = 100 if smoke else STUDIES
    subjects = SUBJECTS[:1] if smoke else SUBJECTS
    cells = invented(studies, CASES[:1] if smoke else CASES, 21)
    found = planted(studies // 4, subjects, 22)
    low, high = _SMOKE if smoke else (GOOD[0] - chance(studies), GOOD[1] + chance(studies))
    good = all(
        low <= share <= high
        for cell in cells
        if cell.loss not in MEASURED
        for name, share in cell.shares.items()
        if name not in PEERS
    )
    return _text(studies, cells, found), good


def _text(studies: int, cells: Sequence[Cell], found: Sequence[Found]) -> str:
    names = list(cells[0].shares)
    lines = [
        f"| {cell.loss} | {cell.n} | {cell.change_sds[0]:g} | {cell.change_sds[1]:g} | "
        + " | ".join(f"{cell.shares[name]:.1f}" for name in names)
        + " |"
        for cell in cells
    ]
    changes = [
        f"| {row.loss} | {row.n} | {row.name.strip(': ')} | {row.planted:+.0f} | {row.mean:+.1f} | "
        f"{row.power:.0f} | {row.covered:.0f} |"
        for row in found
    ]
    return (
        "# Mixed model of change with missing muscles\n\n"
        "Simulated numbers only: normal and independent, no images. "
        f"{studies} studies a row, by the functions that `multifidus change --model` uses: "
        f"{len(LEVELS)} levels of two sides, "
        f"{SIZES_MM2.min():.0f} to {SIZES_MM2.max():.0f} mm2 on average, standard deviation "
        f"{SUBJECT_SD:g} mm2 between subjects, {MUSCLE_SD:g} between the muscles of one, "
        f"{ERROR_SD:g} of a reading; {OPERATED} operated. Two exams. Muscles are missing at "
        "one of them in these ways: `L5-S1 after, in half` is both sides in every other subject; "
        "`small` ones are lost by a logistic curve of the area, 30 % of those "
        "of 800 mm2 and 5 % of those of 1,000. A model takes only muscles with a "
        "value at both exams.\n\n"
        "## Nothing changes\n\n"
        "Percent of p values below 0.05, where no muscle changes on average; 5 are meant, and "
        f"chance moves a share by {chance(studies):.1f} points (95 % interval). SD of change: how "
        "much changes vary between subjects, and beyond that between the levels of a subject, in "
        "mm2. `: post` is `--model ''`, `zone: post x place` the mean over the products of the "
        "model with zones. For comparison, by the same estimator: `cells averaged` is the mean of "
        "whatever muscles an exam has, `level and side fixed` a model of all values that knows "
        "levels, sides and subjects but not muscles "
        f"({min(studies, PEER_STUDIES)} studies each).\n\n"
        "Where muscles are missing because of their level, their side, their exam or their true "
        "size, "
        f"the share is to lie between {GOOD[0]:g} and {GOOD[1]:g} %, up to chance. Where it is "
        "what was measured that decides, what is left has changed by the errors of measurement "
        "(regression to the mean), and no model of such values can know; those rows show by "
        "how much.\n\n"
        f"| missing | subjects | SD of change | of levels | {' | '.join(names)} |\n"
        + "| --- " * (4 + len(names))
        + "|\n"
        + "\n".join(lines)
        + "\n\n## A change of 60 mm2\n\n"
        f"{studies // 4} studies a row; changes vary by {CHANGE_SDS[1][0]:g} mm2 between subjects. "
        "`: post`: every muscle loses 60 mm2. `zone:` the operated level alone does, so that the "
        "remote level changes by 60 more. Power: p below 0.05. Covered: the 95 % interval holds "
        "what was planted.\n\n"
        "| missing | subjects | term | planted, mm2 | mean estimate, mm2 | power, % | covered, % "
        "|\n" + "| --- " * 7 + "|\n" + "\n".join(changes) + "\n"
    )
