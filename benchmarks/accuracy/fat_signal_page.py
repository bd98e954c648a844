"""The page of evidence about the fat signal fraction, beside other methods on the same images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.accuracy import real_dixon
from benchmarks.accuracy.fat_outlines import (
    FIRST_SEED,
    LOOKED_AT,
    METHODS,
    OURS,
    PEER_EXAMS,
    SEEDS_OF_CELL,
    Case,
    Outline,
    cases,
)
from benchmarks.accuracy.fat_scenes import Found, chosen, measured
from benchmarks.accuracy.fat_tally import (
    LARGE_PCT,
    LEAN_LIMIT_PCT,
    Tally,
    asked,
    beyond_reference,
    tally,
)
from benchmarks.accuracy.fat_targets import Met, holds, targets, together
from multifidus.data.anatomy import Structure
from multifidus.data.protocol import FatMethod

EXAMS = 25
WANTED = 100
"""Outlines that a cell is to have."""

SAMPLE = ("streaks", "shading/array_60/both", "crossed/fat_15_erector_plus_15/diffuse")

SIGNAL = FatMethod.SIGNAL

INTRODUCTION = f"""\
Simulated data only, but for the real pattern below: none of these numbers says how a method does
on a patient.

The images come from a generator that shares nothing with the digital phantom or the estimator
(`benchmarks/accuracy/scenes`): other anatomy, textures of fat and coils. Each exam has three slices
with both multifidi and erectors, traced with an error of 0.3 mm; contrast is fat over lean muscle.
The level of fat (±15 %), blur (0.3 to 0.8 pixels) and pixel spacing vary in every cell, and so does
the gain of each slice wherever there is shading. A cell changes one factor of the neutral scene
(contrast 4, SNR 25, no shading, references drawn); fat lies in streaks, diffusely, or both. Crossed
cells change lean signal as well as diffuse fat, so that pixels may not tell them apart; an erector
darker than the multifidus at contrast below 3 counts as crossed. Where nobody draws references,
they are proposed. Where chemical shift displaces fat, the headers say by how much.

Seeds are {FIRST_SEED} + {SEEDS_OF_CELL} x the cell's number. None of them was used to tune the
method (those were below 200000), or looked at while versions of it were chosen between
({", ".join(f"{seeds[0]} to {seeds[-1]}" for seeds in LOOKED_AT)}).

Errors are in points, measured minus true fat of volume inside the outline. Flagged: the row has a
flag that doubts its fat (`DOUBTS` in `benchmarks/accuracy/fat_tally.py`), or no number. Intervals
are 95 %, by Wilson's score, as if outlines were independent; those of one exam share their
calibration, so that true intervals are wider.
"""

PEERS_NOTE = f"""\
`signal` is `ff_signal_pct`, `linear` is `ff_linear_pct`, `pooled_otsu` is `fi_pct`, the visible
fat. The other four look at each outline alone, as SpinoSarc (`otsu`) and MuscleMap (`kmeans3`,
`gmm2`, `gmm3`; its `kmeans` with two components is `otsu`) do, here without correction of shading
and without our guard against classes that are not separate. Those programs' own rules differ in
details, and are held against ours under [fat methods on the same images](fat-methods-compared.md).
They give no flags here, and were measured on the first {PEER_EXAMS} exams of each cell.
"""

REAL_NOTE = """\
T2-like images made of the fat (F) and water (W) of one real Dixon exam: signal W + c F at contrasts
c, true fat 100 sum F / sum (F + W). Drawn: multifidus and erector spinae are outlined, with lean
samples in both and a sample of subcutaneous fat. Proposed: only the multifidus is outlined, and
references are proposed from it. The lean references hold fat themselves, which T2 cannot see: a
method that takes them for pure muscle reads too little by about that much. Bias and mean absolute
error are given beyond it (the references' true fat is added to the answer), as the targets ask; a
method that infers this fat by itself has its mean error for that. Coverage is of the answer as it
is. The targets are judged on the multifidus with proposed references, as an
exam would be measured whose rater outlined nothing else. It is one person's exam.
"""


def page(*, smoke: bool) -> tuple[str, bool]:
    """Measure and describe; text, and whether all targets are met (smoke: all have numbers)."""
    names = SAMPLE if smoke else chosen(())
    found = list(measured(names, 1 if smoke else EXAMS, processes=0 if smoke else 2))
    if smoke:
        return text(found), not tally(together(found), SIGNAL).missing
    return text(found), all(target.met is not Met.NO for target in targets(found))


def text(found: Sequence[Found]) -> str:
    """Return the page."""
    simulated = [each for each in found if not cases()[each.name].is_real]
    real = [each for each in found if cases()[each.name].is_real]
    parts = [
        "# The fat signal fraction on images with known fat\n\n",
        f"{INTRODUCTION}\n{_size(found)}\n\n",
        "## Targets\n\nOf `ff_signal_pct` over all cells but the crossed ones, where nothing else "
        "is said. `open`: a share misses its target, its interval does not. Diffuse fat and "
        "brighter lean muscle can have the same pixels: which ones, and by how much, is under "
        "[what cannot be told apart](../reference/fat-signal-fraction.md).\n\n",
        _table(("target", "found", "met"), ((t.text, t.found, t.met) for t in targets(found))),
        f"\n## Methods compared\n\n{PEERS_NOTE}\n{_methods(simulated)}\n",
    ]
    if real:
        parts.append(f"## The pattern of a real exam\n\n{REAL_NOTE}\n{_real(real)}\n")
    elif not real_dixon.available():
        parts.append("## The pattern of a real exam\n\nNot here; nothing was measured.\n\n")
    parts.append(_cells(simulated))
    return "".join(parts)


def _size(found: Sequence[Found]) -> str:
    """Say how large the run is."""
    simulated = [each for each in found if not cases()[each.name].is_real]
    counts = sorted({len(each.outlines) for each in simulated})
    refused = sum(each.refused for each in found)
    said = (
        f"{len(simulated)} cells of {' or '.join(map(str, counts))} outlines (12 an exam), "
        f"{len(together(simulated))} in all; exams that could not be made, as an outline "
        f"crossed itself: {refused}."
    )
    if counts and counts[0] < WANTED:
        said += f" A smaller run than the {WANTED} outlines a cell that were aimed at."
    return said


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _group(case: Case) -> str:
    return "crossed" if case.is_crossed else str(case.pattern)


def _methods(simulated: Sequence[Found]) -> str:
    """Compare all methods by how fat lies."""
    groups: dict[str, list[Found]] = {}
    for each in simulated:
        groups.setdefault(_group(cases()[each.name]), []).append(each)
    rows = []
    for group, cells in groups.items():
        items = together(cells)
        for method in METHODS:
            of = tally(asked(items, method), method)
            guarded = method in OURS
            rows.append((
                group,
                f"`{method}`",
                of.count,
                f"{of.mean:+.1f}",
                f"{of.absolute:.1f}",
                _pct(of.large, of.count),
                _pct(of.large_unflagged, of.count) if guarded else "",
                _pct(of.flagged, of.count) if guarded else "",
                f"{of.covered.pct:.0f}" if guarded else "",
                of.missing,
            ))  # fmt: skip
    heads = ("fat", "method", "outlines", "mean error", "mean absolute", f"over {LARGE_PCT:g}, %",
             "over 5 and unflagged, %", "flagged, %", "±2u covers, %", "no number")  # fmt: skip
    return _table(heads, rows)


def _real(real: Sequence[Found]) -> str:
    rows: list[tuple[str, ...]] = []
    for each in real:
        name = each.name.removeprefix("real/contrast_").replace("/", ", ")
        for structure in (Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE):
            items = each.of(structure)
            methods = METHODS if structure is Structure.MULTIFIDUS else OURS
            rows += [(name, structure, *_beyond(items, method)) for method in methods if items]
    heads = ("contrast, references", "muscle", "method", "outlines", "fat of lean references, %",
             "mean error", "bias beyond it", "mean absolute beyond it", "r", "±2u covers, %",
             "flagged, %")  # fmt: skip
    return _table(heads, rows)


def _beyond(items: Sequence[Outline], method: FatMethod) -> tuple[str, ...]:
    """Return what one method does with one muscle of the real pattern."""
    beyond, of = beyond_reference(items, method), tally(items, method)
    return (
        f"`{method}`",
        str(of.count),
        f"{beyond.reference_pct:.1f}",
        f"{beyond.mean:+.1f}",
        f"{beyond.bias:+.1f}",
        f"{beyond.absolute:.1f}",
        f"{beyond.correlation:.2f}",
        f"{of.covered.pct:.0f}" if method in OURS else "",
        _pct(of.flagged, of.count) if method in OURS else "",
    )


def _cells(simulated: Sequence[Found]) -> str:
    """Show the signal fraction in each cell."""
    by_name = {each.name: tally(each.outlines, SIGNAL) for each in simulated}
    missed = sum(not holds(name, of) for name, of in by_name.items())
    heads = ("cell", "n", "mean error", "mean absolute", "±2u covers, % (95 %)", "flagged, %",
             "over 5 unflagged", "mean u", "at most", "no number")  # fmt: skip
    return (
        "## Each cell\n\n`ff_signal_pct`. A cell is named by its factor, level and pattern of fat "
        "(`benchmarks/accuracy/scenes/factors.py`). At most: twice the mean absolute error and 1 "
        f"point, the largest mean u that is wanted. Bold: {missed} of {len(by_name)} cells whose "
        "coverage of unflagged rows is below 90 % with its whole interval or, crossed cells aside, "
        "whose mean error is beyond 4 points, whose u is larger than wanted, or with a lean muscle "
        f"above {LEAN_LIMIT_PCT:g} % unflagged.\n\n"
        + _table(heads, (_cell(name, of) for name, of in by_name.items()))
    )


def _cell(name: str, of: Tally) -> tuple[object, ...]:
    low, high = of.covered.interval_pct
    return (
        name if holds(name, of) else f"**{name}**",
        of.count,
        f"{of.mean:+.1f}",
        f"{of.absolute:.1f}",
        f"{of.covered.pct:.0f} ({low:.0f}-{high:.0f})",
        _pct(of.flagged, of.count),
        of.large_unflagged,
        f"{of.uncertainty:.1f}",
        f"{of.largest_uncertainty:.1f}",
        of.missing,
    )


def _pct(hits: int, count: int) -> str:
    return f"{100 * hits / count:.0f}" if count else ""
