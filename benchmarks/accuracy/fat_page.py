"""The page of evidence about fat methods."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from benchmarks.accuracy import fat, fat_compared_page, peers
from benchmarks.accuracy.fat import CORRECTED, LINEAR_CORRECTED, PROTOCOL, Shot
from benchmarks.accuracy.muscle import STEEP_MM
from multifidus.data.protocol import FatMethod

DEFAULT = FatMethod.POOLED_OTSU

LARGEST_MEAN = 4.0
"""Target: no cell's mean error beyond this, in points."""

HEAD = """# Fat methods on images with known fat

Simulated data, and one person's real pattern of fat: none of these numbers says how a method does
on a patient.
"""

INTRODUCTION = """## Single muscles of the phantom

Simulated data only. Each draw is one multifidus of the digital phantom at L4-L5 (9 cm2, pixels of
0.6875 mm), with the phantom's own streaks of fat, tissue signal, coil shading (linear from front to
back, by the given share at 50 mm from the muscle's middle) and Rician noise, in whole 12-bit
numbers. Streaks are made wider or narrower so that the rarer tissue's are 1.5, 2.0 or 2.5 mm wide
on average, in turn. Fat lies around the muscle, the outline is perfect, and the references are
squares of pure tissue (169 and 100 pixels) where the phantom has its own: the lean core of the
erector spinae and the fat in the corner beside it, at the muscle's depth. What is left out:
through-plane partial volume, the error of a hand that draws, references that hold more than one
tissue, a coil whose sensitivity falls sideways (see the page on coil shading), and exams with more
than one muscle, which share a threshold.
"""


def page(*, smoke: bool) -> tuple[str, bool]:
    """Measure and write the page; returns it and whether every target that can be met is."""
    seeds = range(1 if smoke else fat.DRAWS)
    middle = [cell for cell in fat.grid() if (cell.contrast, cell.snr) == (4.0, 15.0)]
    cells = middle[::2] if smoke else fat.grid()
    found = list(fat.shots(cells, seeds))
    bare = fat.bare_lean(seeds, fat.CONTRASTS[-1:] if smoke else fat.CONTRASTS)
    thin_cells = middle[1 :: len(fat.SHADINGS)] if smoke else middle
    thin = list(fat.shots(thin_cells, seeds, (fat.THIN_MM,)))
    steep_cells = [cell for cell in fat.steep() if cell.fat_pct == 20.0 or not smoke]
    steep = list(fat.shots(steep_cells, seeds))
    spread = fat.reference_size_spread(seeds[: 1 if smoke else 8])
    targets = _targets(found, bare, spread)
    parts = (
        HEAD,
        fat_compared_page.sources(smoke=smoke),
        INTRODUCTION,
        f"The grid: true fat {_list(fat.FATS)} %, contrast {_list(fat.CONTRASTS)}, SNR "
        f"{_list(fat.SNRS)}, shading {_list([100 * x for x in fat.SHADINGS])} %; "
        f"{len(cells)} cells of {len(seeds)} draws, seeds fixed. Errors are in points, measured "
        "minus true.\n",
        _target_table(targets),
        _default_tables(found),
        _method_table(found),
        _guard_table(found, bare),
        _steep_table(steep),
        _thin_table(thin),
        _peer_table(seeds),
        fat_compared_page.whole_phantom(smoke=smoke),
    )
    guarded = [row for row in _alone_targets(steep) if not row[2]]
    return "\n".join(parts), all(met for _, _, met in targets) and not guarded


def _list(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _errors(shots: Iterable[Shot], method: str, *, unflagged: bool = False) -> np.ndarray:
    return np.array(
        [
            shot.error(method)
            for shot in shots
            if not (unflagged and shot.answers[method].flagged)
            and not math.isnan(shot.answers[method].value)
        ]
    )


def _cells(shots: Iterable[Shot]) -> list[list[Shot]]:
    cells: dict[tuple[float, ...], list[Shot]] = defaultdict(list)
    for shot in shots:
        cell = shot.cell
        cells[cell.fat_pct, cell.contrast, cell.snr, cell.shading].append(shot)
    return list(cells.values())


def _worst_cell(shots: Iterable[Shot], method: str) -> float:
    means = [errors.mean() for cell in _cells(shots) if len(errors := _errors(cell, method))]
    return max(means, key=abs)


def _largest(errors: np.ndarray) -> float:
    return float(np.abs(errors).max(initial=0.0))


def _targets(
    found: Sequence[Shot], bare: Sequence[Shot], spread: float
) -> list[tuple[str, str, bool]]:
    """Say of every target what was measured and whether it is met."""
    rows = []
    lean = [shot for shot in (*found, *bare) if shot.cell.fat_pct == 0]
    easy = [
        shot
        for shot in found
        if shot.cell.fat_pct >= 10 and shot.cell.contrast >= 3 and shot.cell.shading <= 0.15
    ]
    for method in (DEFAULT, CORRECTED):
        size = float(np.abs(_errors(found, method)).mean())
        worst = _worst_cell(found, method)
        answers = [shot.answers[method] for shot in lean]
        highest = max(answer.value for answer in answers if not answer.flagged)
        flagged = 100 * float(np.mean([shot.answers[method].flagged for shot in easy]))
        rows += [
            (f"{method}: mean absolute error <= 2", f"{size:.2f}", size <= 2),
            (f"{method}: no cell's mean beyond 4", f"{worst:+.2f}", abs(worst) <= LARGEST_MEAN),
            (f"{method}: no lean muscle above 3 % unflagged", f"{highest:.2f} %", highest <= 3),
            (f"{method}: at most 5 % flagged (fat >= 10 %, contrast >= 3, shading <= 15 %)",
             f"{flagged:.1f} %", flagged <= 5),
        ]  # fmt: skip
    name = f"{DEFAULT}: references of 30 to 600 pixels change it by less than 0.5"
    rows.append((name, f"{spread:.2f}", spread < 0.5))
    return rows + _alone_targets((*found, *bare))


def _alone_targets(shots: Sequence[Shot]) -> list[tuple[str, str, bool]]:
    rows = []
    for method in fat.WITHOUT_REFERENCES:
        worst = _largest(_errors(shots, method, unflagged=True))
        rows.append(
            (f"{method}, no references: never beyond 10 unflagged", f"{worst:.1f}", worst <= 10)
        )
    return rows


def _target_table(targets: Sequence[tuple[str, str, bool]]) -> str:
    return "## Targets\n\n" + _table(("target", "found", "met"), _marked(targets))


def _marked(targets: Iterable[tuple[str, str, bool]]) -> list[tuple[str, str, str]]:
    return [(name, value, "yes" if met else "**no**") for name, value, met in targets]


def _default_tables(found: Sequence[Shot]) -> str:
    columns = (DEFAULT, CORRECTED, FatMethod.LINEAR, LINEAR_CORRECTED)
    heads = [f"{name}: mean, mean absolute, worst cell" for name in columns]
    views: tuple[tuple[str, Sequence[float], Callable[[Shot], float]], ...] = (
        ("true fat, %", fat.FATS, lambda shot: shot.cell.fat_pct),
        ("contrast", fat.CONTRASTS, lambda shot: shot.cell.contrast),
        ("SNR", fat.SNRS, lambda shot: shot.cell.snr),
        ("shading, %", fat.SHADINGS, lambda shot: shot.cell.shading),
    )
    tables = []
    for name, values, of in views:
        rows = []
        for value in values:
            chosen = [shot for shot in found if of(shot) == value]
            if chosen:
                shown = 100 * value if name.startswith("shading") else value
                rows.append([f"{shown:g}", *(_summary(chosen, column) for column in columns)])
        tables.append(_table([name, *heads], rows))
    failed = sum(shot.answers[CORRECTED].flagged for shot in found)
    return (
        "## With references\n\n"
        "`pooled_otsu` and `linear` (unclipped), which are among the defaults. Corrected: "
        "`bias_correction = low_order`, fitted here to no more than one muscle and one lean "
        f"reference; in {failed} of {len(found)} draws there was too little lean muscle, and "
        "nothing was corrected, which is flagged. The default protocol's `bias_correction` is "
        f"`{PROTOCOL.bias_correction}`.\n\n" + "\n".join(tables)
    )


def _summary(shots: Sequence[Shot], method: str) -> str:
    errors = _errors(shots, method)
    worst = _worst_cell(shots, method)
    return f"{errors.mean():+.2f}, {np.abs(errors).mean():.2f}, {worst:+.2f}"


def _method_table(found: Sequence[Shot]) -> str:
    rows = []
    for method in (*fat.WITH_REFERENCES, *fat.WITHOUT_REFERENCES):
        row = [f"`{method}`"]
        for value in fat.FATS:
            chosen = [shot for shot in found if shot.cell.fat_pct == value]
            errors = _errors(chosen, method)
            kept = 100 * np.mean([not shot.answers[method].flagged for shot in chosen])
            text = f"{errors.mean():+.1f}" if len(errors) else "-"
            row.append(text if method in fat.WITH_REFERENCES else f"{text} ({kept:.0f} %)")
        rows.append(row)
    return (
        "## Every method\n\n"
        "Mean error over the grid by true fat, whatever is flagged; in brackets, for methods that "
        "look at the outline alone, how many draws they answer without a flag. `kmeans2` is "
        "`otsu`: in one dimension both minimise the same sum of squares.\n\n"
        + _table(["method", *(f"{value:g} %" for value in fat.FATS)], rows)
    )


def _guard_table(found: Sequence[Shot], bare: Sequence[Shot]) -> str:
    """Operating curve of the least separation, for Otsu's cut of one outline."""
    rows = []
    for limit in (0.0, 2.6, 3.0, 3.3, 3.6, 4.0, 4.5, 5.0, 6.0):
        lean = [shot for shot in bare if shot.separation >= limit]
        surrounded = [shot for shot in found if shot.cell.fat_pct == 0]
        answered = [shot for shot in surrounded if shot.separation >= limit]
        rows.append(
            [
                f"**{limit:g}**" if limit == PROTOCOL.minimal_separation else f"{limit:g}",
                f"{100 * len(lean) / len(bare):.0f} %, {_highest(lean):.0f}",
                f"{100 * len(answered) / len(surrounded):.0f} %, {_highest(answered):.0f}",
                *(f"{_missed(found, value, limit):.0f} %" for value in (3.0, 5.0, 10.0, 20.0)),
            ]
        )
    return (
        "## The guard without references\n\n"
        "An outline is answered where Otsu's two classes are apart by `minimal_separation` of "
        "their pooled standard deviation. Lean: how many lean muscles are answered, and the most "
        "fat that any of them is given, %; in lean muscle surrounded by fat, the bright class is "
        "pixels along the border that are partly fat. Missed: how many muscles with fat are "
        "answered `undetectable`. Bold: the default.\n\n"
        + _table(
            ["separation", "lean, nothing else", "lean, in fat",
             *(f"missed, {value} %" for value in (3, 5, 10, 20))],
            rows,
        )
        + f"\n{_disagreement_note(found)}"
    )  # fmt: skip


def _highest(shots: Sequence[Shot]) -> float:
    return max((shot.answers[FatMethod.OTSU].value for shot in shots), default=0.0)


def _missed(found: Sequence[Shot], value: float, limit: float) -> float:
    chosen = [shot.separation < limit for shot in found if shot.cell.fat_pct == value]
    return 100 * float(np.mean(chosen))


def _disagreement_note(found: Sequence[Shot]) -> str:
    others = [method for method in fat.WITHOUT_REFERENCES if method is not FatMethod.OTSU]
    rows = []
    for limit in (2.0, 3.0, 5.0, 7.0, 10.0, 100.0):
        row = [f"**{limit:g}**" if limit == PROTOCOL.maximal_disagreement_pct else f"{limit:g}"]
        for method in others:
            kept = [shot for shot in found if _agrees(shot, method, limit)]
            share = 100 * len(kept) / len(found)
            row.append(f"{share:.0f} %, {_largest(_errors(kept, method)):.1f}")
        rows.append(row)
    return (
        "Methods other than Otsu's are flagged `classes_unclear` as well where they call more than "
        "`maximal_disagreement_pct` points more or less fat than Otsu's cut. How many draws are "
        "answered without a flag, and the largest error among them:\n\n"
        + _table(["points", *(f"`{method}`" for method in others)], rows)
    )


def _agrees(shot: Shot, method: str, limit: float) -> bool:
    value, cut = shot.answers[method].value, shot.answers[FatMethod.OTSU].value
    return shot.separation >= PROTOCOL.minimal_separation and abs(value - cut) <= limit


def _steep_table(steep: Sequence[Shot]) -> str:
    methods = (DEFAULT, CORRECTED, FatMethod.LINEAR, LINEAR_CORRECTED)
    rows = []
    for contrast in fat.CONTRASTS:
        for shading in fat.SHADINGS[1:]:
            chosen = [
                shot
                for shot in steep
                if (shot.cell.contrast, shot.cell.shading) == (contrast, shading)
            ]
            answers = (_summary(chosen, method) for method in methods)
            rows.append([f"{contrast:g}", f"{100 * shading:g}", *answers])
    return (
        "## Steeper shading\n\n"
        f"The same shares, reached already {STEEP_MM:g} mm from the muscle's middle, at its "
        "front and back edge: a lean muscle is twice as bright behind as in front at 35 %. SNR 15, "
        "all fats; mean, mean absolute error, worst cell.\n\n"
        + _table(["contrast", "shading, %", *(str(method) for method in methods)], rows)
        + f"\n{_steep_note(steep)}\n"
        + _table(("target", "found", "met"), _marked(_alone_targets(steep)))
    )


def _steep_note(steep: Sequence[Shot]) -> str:
    """Say where the default fails, corrected and not."""
    notes = []
    for method in (DEFAULT, CORRECTED):
        failed = [
            cell
            for cell in _cells(steep)
            if abs(float(_errors(cell, method).mean())) > LARGEST_MEAN
        ]
        where = "; ".join(
            f"fat {cell[0].cell.fat_pct:g} %, contrast {cell[0].cell.contrast:g}, shading "
            f"{100 * cell[0].cell.shading:g} % ({_errors(cell, method).mean():+.1f})"
            for cell in failed
        )
        notes.append(f"- {method}: mean beyond 4 points in {len(failed)} of "
                     f"{len(_cells(steep))} cells{': ' if where else ''}{where}.")  # fmt: skip
    return (
        "The targets of `pooled_otsu` are not met everywhere here. At a contrast of 2, fat in the "
        "dark part of the field is as dark as lean muscle in the bright part, and no one threshold "
        "tells them apart; in a muscle that is mostly fat, a field fitted to what looks lean can "
        "follow the fat.\n\n" + "\n".join(notes) + "\n"
    )


def _thin_table(thin: Sequence[Shot]) -> str:
    methods = (DEFAULT, CORRECTED, FatMethod.LINEAR, FatMethod.OTSU, FatMethod.GMM2)
    rows = []
    for value in fat.FATS[1:]:
        chosen = [shot for shot in thin if shot.cell.fat_pct == value]
        rows.append([f"{value:g}", *(_summary(chosen, method) for method in methods)])
    return (
        "## Streaks of 0.8 mm\n\n"
        "Little wider than a pixel: hardly a pixel is all fat. Contrast 4, SNR 15, the three "
        "shadings; mean, mean absolute error, worst cell.\n\n"
        + _table(["true fat, %", *(str(method) for method in methods)], rows)
    )


def _peer_table(seeds: Sequence[int]) -> str:
    head = "## Beside other programs' rules\n\n"
    if not peers.available():
        return head + "scikit-learn is not installed here; nothing was compared.\n"
    rows = [
        [name, *(f"{np.mean(errors):+.1f} ({np.min(errors):+.1f} to {np.max(errors):+.1f})"
                 for errors in cells)]
        for name, cells in fat.peer_errors(seeds).items()
    ]  # fmt: skip
    return (
        head + "Their rules, not their programs, written anew: MuscleMap's scikit-learn clusters "
        "(20 starts; it sets no seed, here seeds are fixed), fat being, of two clusters, what is "
        "brighter than every pixel of the darker one, and of three, what is at least as bright as "
        "the darkest pixel of the brightest one; SpinoSarc's Otsu threshold of the muscle's "
        "pixels. Contrast "
        "4, SNR 15, shading 15 %, streaks of 2 mm; mean error and its range. The first column is "
        "lean muscle with nothing else in the outline, where our methods without references "
        "answer `undetectable`.\n\n"
        + _table(["rule", "0 %, nothing else", *(f"{value:g} %" for value in fat.PEER_FATS)], rows)
    )
