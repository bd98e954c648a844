"""How far apart fat methods are on the same images: a page, and what ``fat.md`` shows of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy import fat_peers, peers
from benchmarks.accuracy.fat_outlines import OURS, Outline, cases
from benchmarks.accuracy.fat_peers import EXAMS, GUARD, OF_0_1, PHANTOMS, phantom_cell
from benchmarks.accuracy.fat_tally import tally
from multifidus.data.protocol import FatMethod

SIGNAL = FatMethod.SIGNAL

PHANTOM, REAL = "phantom", "real pattern"
PATTERNS = ("lean", "streaks", "diffuse", "both")
GROUPS = (PHANTOM, *PATTERNS, REAL)

LEVELS: dict[str, tuple[float, float]] = {
    "below 10 %": (-math.inf, 10),
    "10 to 30 %": (10, 30),
    "30 % and more": (30, math.inf),
}
"""True fat of outlines of the second generator that are not lean."""

NEARLY_ALL_PCT = 95.0

MARKS = "<!-- {0} -->\n\n{1}\n<!-- end of {0} -->\n"
"""Tables that the guide for laboratories takes over."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the tables.

    Parameters
    ----------
    method
        Under which the answer of an outline stands.
    label
        What the tables call it.
    """

    method: str
    label: str


RULES = (
    Rule(SIGNAL, "`signal`"),
    Rule(FatMethod.LINEAR, "`linear`"),
    Rule(FatMethod.POOLED_OTSU, "`pooled_otsu`"),
    Rule(OF_0_1.format(FatMethod.LINEAR), "`linear` of 0.1 (preset `v0_1`)"),
    Rule(OF_0_1.format(FatMethod.POOLED_OTSU), "`pooled_otsu` of 0.1 (preset `v0_1`)"),
    Rule(FatMethod.CIRCLE_MAX, "`circle_max`: Fortin and Battié 2012"),
    Rule(FatMethod.CLAHE_OTSU, "`clahe_otsu`: as Fortin 2017"),
    Rule(FatMethod.OTSU, "`otsu`, `kmeans2`"),
    Rule("SpinoSarc", "SpinoSarc's own rule"),
    Rule(FatMethod.KMEANS3, "`kmeans3`"),
    Rule(FatMethod.GMM2, "`gmm2`"),
    Rule(FatMethod.GMM3, "`gmm3`"),
    *(Rule(peer.name, peer.name.replace("MuscleMap", "MuscleMap's own")) for peer in peers.PEERS
      if peer.by_muscle),
)  # fmt: skip

INTRODUCTION = f"""\
# Fat methods on the same images

How far a number moves when a laboratory changes its method: every rule in use, on the same
multifidus outlines. Simulated data, and one person's real pattern of fat; differences on patients
may be others.

- **phantom**: the digital phantom, {len(PHANTOMS)} whole exams of five slices: three exams of one
  subject, contrast 4 with SNR 18 and 2.5 with 10, shading 0 and 30 %. Its fat lies in streaks.
- **lean, streaks, diffuse, both**: the [second generator](fat-signal.md), {EXAMS} exams of three
  slices each of the neutral scene, with shading of a coil array of 40 %, and at contrast 2.5; lean
  of the neutral scene alone. Lean and fat samples are drawn by a simulated rater.
- **real pattern**: T2-like images made of one real Dixon exam at contrasts 2.5 and 4, with samples
  drawn. Its lean samples hold 3 % fat themselves, so that methods that take them for pure muscle
  read too little by about that much.

Differences are in percentage points; the truth is the fat fraction of volume inside the outline.
Which number answers which question, and how to keep a former one, is in
[which fat number](../how-to/which-fat-number.md).

## The rules

`signal`, `linear` and `pooled_otsu` are measured by the default protocol, with its correction of
the bias field; version 0.1 measured the last two by default, both with the field of lean muscle,
as its preset does. The others are of the image as it is. Those that look at one outline alone are
taken at their word here; our presets give no number where an outline's classes are not separate,
and the second row says how many outlines have one.

- `circle_max` wants six samples of the leanest multifidus and erector spinae. Here it takes the
  drawn lean samples: of the second generator six an exam, one a side and slice, of 25 to 60 pixels
  in whichever of the two muscles looks leanest there; of the phantom ten larger ones, in the lean
  cores of both erector spinae. All samples of an exam give one threshold; where samples are drawn
  and used slice by slice, thresholds differ between slices.
- `clahe_otsu`: the paper prints no parameters of its equalisation; ours are usual defaults.
- SpinoSarc's own rule: scikit-image's Otsu threshold of the whole pixels of a muscle on a slice.
  Ours weighs pixels by how much of them is inside, and finds the best cut exactly.
- MuscleMap's own rules part all slices of a muscle and side together, from whole pixels (here those
  at least half inside), by scikit-learn with 20 random starts (here seeded). Of two components, fat
  is what is brighter than every pixel of the darker cluster; of three, what is at least as bright
  as the darkest pixel of the brightest cluster (earlier versions: what is brighter than every pixel
  of the middle one). `kmeans2`, `kmeans3`, `gmm2` and `gmm3` part each slice alone, by the boundary
  between clusters, and start from the exact k-means. For k-means only the slices, and our weights
  of pixels at the border, differ. Clusters of a mixture overlap, so that one pixel in the tail of a
  wide cluster can move MuscleMap's threshold far.
"""


def page(*, smoke: bool) -> tuple[str, bool]:
    """Measure and describe; text, and whether each outline has a number by `signal`."""
    found = fat_peers.measured(smoke=smoke)
    return text(found), not tally(found, SIGNAL).missing


def text(found: Sequence[Outline]) -> str:
    """Return the page."""
    groups = {name: [item for item in found if group(item) == name] for name in GROUPS}
    spread = [item for item in found if group(item) in PATTERNS[1:]]
    levels = {
        name: [item for item in spread if low <= item.truth_pct < high]
        for name, (low, high) in LEVELS.items()
    }
    parts = [
        INTRODUCTION,
        "## By how fat lies\n\nMean difference to `signal` on the same outlines; in brackets, mean "
        "difference to the truth.\n",
        MARKS.format("by pattern", _table(groups, _difference)),
        _all_fat(groups),
        "## By how much fat there is\n\nThe same, of streaks, diffuse fat and both of the second "
        "generator, by the true fat of the outline.\n",
        MARKS.format("by amount", _table(levels, _difference)),
        "## How much it varies\n\nStandard deviation, over outlines, of the difference to "
        "`signal`; in brackets, mean absolute difference to the truth. Where a standard deviation "
        "is large, no constant turns one number into the other.\n",
        _table(groups, _scatter),
    ]
    if not peers.available():
        parts.append("scikit-learn is not installed here: other programs' rules are missing.\n")
    return "\n".join(parts)


def group(item: Outline) -> str:
    """Return which images an outline belongs to."""
    if item.cell.startswith(PHANTOM):
        return PHANTOM
    case = cases()[item.cell]
    return REAL if case.is_real else str(case.pattern)


def _table(columns: dict[str, list[Outline]], cell: Callable[[Sequence[Outline], str], str]) -> str:
    """Return a table of all rules with a column for each group of outlines."""
    rows = [
        ["outlines", *(str(len(items)) for items in columns.values())],
        ["presets that look at one outline give a number", *map(_let_through, columns.values())],
    ]
    rows += [
        [rule.label, *(cell(items, rule.method) for items in columns.values())] for rule in RULES
    ]
    return table(("method", *columns), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def values(items: Sequence[Outline], method: str) -> np.ndarray:
    """Return what a method says of each outline, NaN where it says nothing."""
    return np.array(
        [item.answers[method].value if method in item.answers else math.nan for item in items]
    )


def _difference(items: Sequence[Outline], method: str) -> str:
    value, truth = values(items, method), np.array([item.truth_pct for item in items])
    apart, error = value - values(items, SIGNAL), value - truth
    known = np.isfinite(apart)
    if not known.any():
        return ""
    mean = "" if method == SIGNAL else f"{apart[known].mean():+.1f} "
    return f"{mean}({error[known].mean():+.1f})"


def _scatter(items: Sequence[Outline], method: str) -> str:
    value, truth = values(items, method), np.array([item.truth_pct for item in items])
    apart, error = value - values(items, SIGNAL), value - truth
    known = np.isfinite(apart)
    if not known.any():
        return ""
    spread = "" if method == SIGNAL else f"{apart[known].std():.1f} "
    return f"{spread}({np.abs(error[known]).mean():.1f})"


def _all_fat(groups: dict[str, list[Outline]]) -> str:
    """Say where MuscleMap's mixture of three calls a whole muscle fat."""
    peer = next(peer.name for peer in peers.PEERS if "gmm, 3" in peer.name)
    counts = {
        name: (int((values(items, peer) >= NEARLY_ALL_PCT).sum()), len(items))
        for name, items in groups.items()
    }
    where = ", ".join(f"{n} of {of} ({name})" for name, (n, of) in counts.items() if n)
    return (
        "The brightest cluster of a mixture can be so wide that pixels among the darkest belong to "
        f"it. The rule of {peer}, then calls the whole muscle fat: at least {NEARLY_ALL_PCT:g} % "
        f"of it in {where or 'none of these'} outlines.\n"
    )


def _let_through(items: Sequence[Outline]) -> str:
    known = np.isfinite(values(items, GUARD))
    return f"{100 * known.mean():.0f} %" if len(known) else ""


# --- what the page about all fat methods shows of it ---------------------------------------------


def sources(*, smoke: bool) -> str:
    """Return the short table over the three sources."""
    found = fat_peers.measured(smoke=smoke)
    columns = {
        "whole phantom": [item for item in found if group(item) == PHANTOM],
        "second generator": [item for item in found if group(item) in PATTERNS],
        REAL: [item for item in found if group(item) == REAL],
    }
    return (
        "Multifidus outlines of three sources, the same for all rules: the whole digital phantom "
        "([cell by cell](#the-whole-phantom)), scenes of a second generator that shares nothing "
        "with it, and the pattern of fat of a real exam. The fat signal fraction in each of 145 "
        "scenes and on the real pattern is under [fat signal fraction](fat-signal.md); these "
        "exams, and the rules, are described under [fat methods on the same "
        "images](fat-methods-compared.md). Mean error, mean absolute error; of our own defaults, "
        "how often twice the stated uncertainty holds the truth.\n\n" + _table(columns, _errors)
    )


def _errors(items: Sequence[Outline], method: str) -> str:
    of = tally(items, method)
    if of.count == of.missing:
        return ""
    covers = f"; {of.covered.pct:.0f} %" if method in OURS else ""
    return f"{of.mean:+.1f}, {of.absolute:.1f}{covers}"


def whole_phantom(*, smoke: bool) -> str:
    """Return the table of the phantom's cells."""
    found = fat_peers.measured(smoke=smoke)
    rows = []
    for variant, (contrast, snr), shading in PHANTOMS:
        cell = phantom_cell(variant, contrast, snr, shading)
        items = [item for item in found if item.cell == cell]
        if not items:
            continue
        of = tally(items, SIGNAL)
        low, high = of.covered.interval_pct
        others = (_errors(items, method) for method in OURS if method != SIGNAL)
        rows.append([
            variant, f"{contrast:g}", f"{snr:g}", f"{100 * shading:g}", str(of.count),
            f"{of.mean:+.1f}, {of.absolute:.1f}", f"{of.covered.pct:.0f} ({low:.0f}-{high:.0f})",
            f"{of.uncertainty:.1f}", str(of.flagged), *others,
        ])  # fmt: skip
    heads = ("exam", "contrast", "SNR", "shading, %", "outlines", "`signal`: mean, mean absolute",
             "±2u covers, % (95 %)", "mean u", "flagged",
             *(f"`{method}`" for method in OURS if method != SIGNAL))  # fmt: skip
    return (
        "## The whole phantom\n\n"
        "The fat signal fraction is fitted to a whole exam, with the tissue around its muscles, "
        "and cannot be measured on the single muscles above. Here whole exams of the phantom are "
        "measured, five slices each; errors of the multifidus. `linear` and `pooled_otsu` on the "
        "same outlines: mean error, mean absolute error; how often twice their uncertainty "
        "holds the truth. Intervals are by Wilson's score, as if outlines were independent; those "
        "of a cell are of one exam.\n\n" + table(heads, rows)
    )
