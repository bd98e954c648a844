"""Every fat method on muscles of known fat, beside other programs' rules. Simulated data only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.muscle import STEEP_MM, Cell, Draw, draw
from benchmarks.accuracy.peers import PEERS
from multifidus.data.anatomy import Structure
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.measuring.bias_field.low_order import low_order_field
from multifidus.measuring.fat import exam_thresholds, outline_thresholds
from multifidus.measuring.fat.clusters import otsu_threshold
from multifidus.measuring.fat.methods import (
    fat_by,
)
from multifidus.measuring.fat.outline_thresholds import equalised, outline_flags
from multifidus.measuring.fat.references import References, linear_mixing, separation
from multifidus.measuring.weighted_pixels import WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROTOCOL = MeasurementProtocol()
NO_REFERENCES = References(WeightedPixels.of([]), WeightedPixels.of([]))
UNGUARDED = MeasurementProtocol(
    minimal_separation=0, minimal_contrast=0, maximal_disagreement_pct=100
)

FATS = (0.0, 3.0, 5.0, 10.0, 20.0, 40.0, 70.0)
CONTRASTS = (2.0, 3.0, 4.0, 8.0)
SNRS = (8.0, 15.0, 25.0)
SHADINGS = (0.0, 0.15, 0.35)
STREAKS_MM = (1.5, 2.0, 2.5)
"""Draws of a cell take these in turn."""

THIN_MM = 0.8
DRAWS = 20

WITHOUT_REFERENCES = tuple(
    method.name for method in outline_thresholds.METHODS if method.name is not FatMethod.KMEANS2
)
"""``kmeans2`` is Otsu's cut and has no row of its own."""

WITH_REFERENCES = tuple(method.name for method in exam_thresholds.METHODS)

CORRECTED = "pooled_otsu, corrected"
LINEAR_CORRECTED = "linear, corrected"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method says of one draw; ``flagged`` where it says that it may be wrong."""

    value: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class Shot:
    """One draw with every method's answer, and the guard's measure of it."""

    cell: Cell
    true_pct: float
    separation: float
    answers: dict[str, Answer] = field(default_factory=dict)

    def error(self, method: str) -> float:
        """Answer minus truth, whatever its flags."""
        return self.answers[method].value - self.true_pct


def shots(
    cells: Iterable[Cell], seeds: Sequence[int], widths: Sequence[float] = STREAKS_MM
) -> Iterator[Shot]:
    """Draw every cell with every seed and measure it by every method."""
    wanted = list(cells)
    for n, seed in enumerate(seeds):
        for cell in wanted:
            at = replace(cell, streak_mm=widths[n % len(widths)])
            yield shot(at, draw(at, seed))


def grid() -> list[Cell]:
    """Return the cells of the main grid."""
    return [Cell(*values, 0.0) for values in product(FATS, CONTRASTS, SNRS, SHADINGS)]


def steep() -> list[Cell]:
    """Return cells whose shading is at its full at the edges of the muscle."""
    values = product(FATS, CONTRASTS, (15.0,), SHADINGS[1:])
    return [Cell(*value, 0.0, STEEP_MM) for value in values]


def shot(cell: Cell, made: Draw) -> Shot:
    """Measure one draw by every method."""
    sample, references = _sampled(made)
    cut = sample.values > otsu_threshold(sample)
    found = Shot(cell, made.true_pct, separation(sample.where(~cut), sample.where(cut)))
    for method in WITH_REFERENCES:
        found.answers[method] = _by_exam(method, sample, references)
    found.answers[FatMethod.LINEAR] = _linear(sample, references)
    even = equalised(made.image)[_inside(made)]
    for method in WITHOUT_REFERENCES:
        found.answers[method] = _alone(method, sample, WeightedPixels(even, sample.weights))
    sample, references, corrected = _corrected(made)
    answer = _by_exam(FatMethod.POOLED_OTSU, sample, references)
    found.answers[CORRECTED] = replace(answer, flagged=answer.flagged or not corrected)
    found.answers[LINEAR_CORRECTED] = replace(_linear(sample, references), flagged=not corrected)
    return found


def _inside(made: Draw) -> NDArray[np.bool_]:
    return made.weights >= PROTOCOL.minimal_coverage


def _sampled(made: Draw) -> tuple[WeightedPixels, References]:
    inside = _inside(made)
    sample = WeightedPixels(made.image[inside], made.weights[inside])
    return sample, References(WeightedPixels.of(made.lean), WeightedPixels.of(made.fat))


def _by_exam(method: FatMethod, sample: WeightedPixels, references: References) -> Answer:
    found = fat_by(method, sample, references, PROTOCOL)
    return Answer(found.value_pct, bool(found.flags))


def _linear(sample: WeightedPixels, references: References) -> Answer:
    return Answer(linear_mixing(sample, references)[0], bool(references.pair_flags(PROTOCOL)))


def _alone(method: FatMethod, sample: WeightedPixels, even: WeightedPixels) -> Answer:
    """Answer without references, guard or no guard, and whether the guard would flag it."""
    parted = even if method is FatMethod.CLAHE_OTSU else None
    value = fat_by(method, sample, NO_REFERENCES, UNGUARDED, equalised=parted).value_pct
    return Answer(value, bool(outline_flags(sample, value / 100, float("nan"), PROTOCOL)))


def _corrected(made: Draw) -> tuple[WeightedPixels, References, bool]:
    """Divide everything by the low-order field of the muscle and its lean reference."""
    sample, references = _sampled(made)
    inside = _inside(made).ravel()
    at = [np.column_stack((place, np.zeros(len(place)))) for place in made.places_mm]
    at[0] = at[0][inside]
    values = (sample.values, references.lean.values)
    found, _ = low_order_field(
        np.concatenate(at[:2]),
        np.concatenate(values),
        np.concatenate((sample.weights, references.lean.weights)),
        outline=np.repeat((0, 1), [len(part) for part in values]),
        reference=np.repeat((False, True), [len(part) for part in values]),
        lean_signal=references.lean.median,
        fat_signal=references.fat.median,
    )
    if found is None:
        return sample, references, False
    parts = (sample, references.lean, references.fat)
    flat = [
        WeightedPixels(part.values / found.at(places), part.weights)
        for part, places in zip(parts, at, strict=True)
    ]
    return flat[0], References(flat[1], flat[2]), True


# --- what else is asked of the methods -----------------------------------------------------------


def reference_size_spread(seeds: Sequence[int]) -> float:
    """Largest change of the default's answer when references of 30 to 600 pixels are drawn."""
    worst = 0.0
    for seed, fat, shading in product(seeds, (5.0, 20.0, 40.0), SHADINGS):
        cell = Cell(fat, 4.0, 15.0, shading, 2.0)
        values = [
            _by_exam(FatMethod.POOLED_OTSU, *_sampled(_with_sizes(cell, seed, *sides))).value
            for sides in product((6, 12, 24), repeat=2)
        ]
        worst = max(worst, max(values) - min(values))
    return worst


def _with_sizes(cell: Cell, seed: int, lean: int, fat: int) -> Draw:
    """Draw the same muscle with references of other sizes: only these differ."""
    usual = draw(cell, seed)
    other = draw(cell, seed, sides={Structure.LEAN_REFERENCE: lean, Structure.FAT_REFERENCE: fat})
    return replace(usual, lean=other.lean, fat=other.fat)


def bare_lean(seeds: Sequence[int], contrasts: Sequence[float]) -> list[Shot]:
    """Draw lean muscles without any fat around: one tissue and nothing else."""
    cells = product(contrasts, SNRS, SHADINGS)
    return [
        shot(cell, draw(cell, seed, around_fat=False))
        for seed, values in product(seeds, cells)
        for cell in (Cell(0.0, *values, 2.0),)
    ]


# --- other programs' rules -----------------------------------------------------------------------

PEER_FATS = (0.0, 5.0, 10.0, 20.0, 40.0, 70.0)
PEER_CELLS = [Cell(fat, 4.0, 15.0, 0.15, 2.0) for fat in PEER_FATS]


def peer_errors(seeds: Sequence[int]) -> dict[str, list[list[float]]]:
    """Errors of other programs' rules: for each rule a list of errors for each cell.

    The first cell is a lean muscle with no fat around it. They see what they would: whole pixels
    at least half inside, and no references.
    """
    found: dict[str, list[list[float]]] = {peer.name: [] for peer in PEERS}
    for n, cell in enumerate((PEER_CELLS[0], *PEER_CELLS)):
        draws = [draw(cell, seed, around_fat=n > 0) for seed in seeds]
        for peer in PEERS:
            found[peer.name].append(
                [
                    peer.fat_pct(made.image[made.weights >= 0.5], seed) - made.true_pct
                    for seed, made in zip(seeds, draws, strict=True)
                ]
            )
    return found
