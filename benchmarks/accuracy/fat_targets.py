"""What is asked of the fat signal fraction, and what was found, computed from outlines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.accuracy.fat_outlines import Outline, cases
from benchmarks.accuracy.fat_scenes import Found
from benchmarks.accuracy.fat_tally import (
    LEAN_LIMIT_PCT,
    Share,
    Tally,
    beyond_reference,
    tally,
)
from benchmarks.accuracy.scenes.scene import Pattern
from multifidus.data.anatomy import Structure
from multifidus.data.protocol import FatMethod

SIGNAL, VISIBLE, LINEAR = FatMethod.SIGNAL, FatMethod.POOLED_OTSU, FatMethod.LINEAR
_NAMES = {SIGNAL: "`ff_signal_pct`", VISIBLE: "`fi_pct` on streaks"}

MOST_FAT_PCT = 60.0
COVERAGE_PCT = 90.0


class Met(StrEnum):
    """Whether a target is met. ``OPEN``: a share misses it, and its interval does not."""

    YES = "yes"
    NO = "no"
    OPEN = "open"

    @classmethod
    def of(cls, holds: bool) -> Met:  # noqa: FBT001 - a comparison
        """Say whether a comparison holds."""
        return cls.YES if holds else cls.NO


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, what was found, and whether that is enough."""

    text: str
    found: str
    met: Met


def targets(found: Sequence[Found]) -> list[Target]:
    """Compare everything that is asked with what was found."""
    simulated = [each for each in found if not cases()[each.name].is_real]
    plain = [each for each in simulated if not cases()[each.name].is_crossed]
    streaks = [each for each in plain if cases()[each.name].pattern is Pattern.STREAKS]
    rows: list[Target] = []
    for method, cells in ((SIGNAL, plain), (VISIBLE, streaks)):
        if cells:
            rows += (_absolute(method, cells), _worst(method, cells))
    if plain:
        rows += _flags(plain) + _coverage(plain)
    crossed = [each for each in simulated if cases()[each.name].is_crossed]
    if crossed:
        rows += _crossed(crossed)
    rows.append(_missing(found))
    for each in found:
        # Drawn samples are in the table; what is asked is of references that are proposed.
        case = cases()[each.name]
        if case.is_real and not case.scene.drawing.references:
            rows += _real(each)
    return rows


def together(found: Iterable[Found]) -> list[Outline]:
    """Return the outlines of all cells."""
    return [item for each in found for item in each.outlines]


def _absolute(method: FatMethod, cells: Sequence[Found]) -> Target:
    items = [item for item in together(cells) if item.truth_pct <= MOST_FAT_PCT]
    size = tally(items, method).absolute
    return Target(
        f"{_NAMES[method]}: mean absolute error over 0-60 % at most 2 points",
        f"{size:.2f}",
        Met.of(size <= 2),
    )


def _worst(method: FatMethod, cells: Sequence[Found]) -> Target:
    means = {each.name: tally(each.outlines, method).mean for each in cells}
    name = max(means, key=lambda each: -math.inf if math.isnan(means[each]) else abs(means[each]))
    beyond = sum(abs(mean) > 4 for mean in means.values())
    return Target(
        f"{_NAMES[method]}: mean error of the worst cell within ±4",
        f"{means[name]:+.1f} ({name}); {beyond} of {len(means)} beyond",
        Met.of(abs(means[name]) <= 4),
    )


def _flags(plain: Sequence[Found]) -> list[Target]:
    of = tally(together(plain), SIGNAL)
    large, flagged = Share(of.large_unflagged, of.count), Share(of.flagged, of.count)
    return [
        Target(
            f"no lean muscle above {LEAN_LIMIT_PCT:g} % unflagged",
            f"{of.lean_unflagged}",
            Met.of(not of.lean_unflagged),
        ),
        Target("errors over 5 points unflagged: at most 1 %", _text(large), at_most(large, 1)),
        Target("flagged: at most 30 %", _text(flagged), at_most(flagged, 30)),
    ]


def _coverage(plain: Sequence[Found]) -> list[Target]:
    of = tally(together(plain), SIGNAL)
    by_cell = [tally(each.outlines, SIGNAL) for each in plain]
    shares = [each.covered_unflagged for each in by_cell if each.covered_unflagged.count]
    below = sum(share.pct < COVERAGE_PCT for share in shares)
    surely = sum(share.interval_pct[1] < COVERAGE_PCT for share in shares)
    wide = sum(each.uncertainty > each.largest_uncertainty for each in by_cell)
    return [
        Target("±2u covers at least 90 %", _text(of.covered), at_least(of.covered, COVERAGE_PCT)),
        Target(
            "±2u covers at least 90 % of the unflagged rows of every cell",
            f"less in {below} of {len(shares)} cells; in {surely} of them the interval is below",
            Met.NO if surely else Met.OPEN if below else Met.YES,
        ),
        Target(
            "mean u at most 2 x mean absolute error + 1",
            f"{of.uncertainty:.2f} against {of.largest_uncertainty:.2f}; "
            f"more in {wide} of {len(by_cell)} cells",
            Met.of(of.uncertainty <= of.largest_uncertainty and not wide),
        ),
    ]


def _crossed(cells: Sequence[Found]) -> list[Target]:
    of = tally(together(cells), SIGNAL)
    flagged = Share(of.flagged, of.count)
    large = Share(of.large_unflagged, of.count)
    return [
        Target("crossed cells: every row flagged", _text(flagged), Met.of(of.flagged == of.count)),
        Target(
            "crossed cells: errors over 5 points unflagged: at most 1 %",
            _text(large),
            at_most(large, 1),
        ),
        Target(
            "crossed cells: ±2u holds the truth in at least 90 %",
            _text(of.covered),
            at_least(of.covered, COVERAGE_PCT),
        ),
    ]


def _missing(found: Sequence[Found]) -> Target:
    of = tally(together(found), SIGNAL)
    share = Share(of.missing, of.count)
    return Target("no number: at most 2 % of rows", _text(share), at_most(share, 2))


def _real(each: Found) -> list[Target]:
    items = each.of(Structure.MULTIFIDUS)
    ours, theirs = (beyond_reference(items, method) for method in (SIGNAL, LINEAR))
    name = each.name.replace("real/contrast_", "real pattern, contrast ").replace("/", ", ")
    return [
        Target(
            f"{name}: bias beyond the references' fat within ±2.5",
            f"{ours.bias:+.2f} ({ours.mean:+.2f} of the truth itself)",
            Met.of(abs(ours.bias) <= 2.5),
        ),
        Target(
            f"{name}: mean absolute error beyond it at most 3",
            f"{ours.absolute:.2f}",
            Met.of(ours.absolute <= 3),
        ),
        Target(
            f"{name}: correlation with the truth no worse than `linear`'s",
            f"{ours.correlation:.2f} against {theirs.correlation:.2f}",
            Met.of(ours.correlation >= theirs.correlation),
        ),
    ]


def at_most(share: Share, limit_pct: float) -> Met:
    """Judge a share that is to be small by its interval."""
    return _judged(share, lambda pct: pct <= limit_pct, share.interval_pct[0])


def at_least(share: Share, limit_pct: float) -> Met:
    """Judge a share that is to be large by its interval."""
    return _judged(share, lambda pct: pct >= limit_pct, share.interval_pct[1])


def _judged(share: Share, holds: Callable[[float], bool], kindest_pct: float) -> Met:
    if holds(share.pct):
        return Met.YES
    return Met.OPEN if holds(kindest_pct) else Met.NO


def _text(share: Share) -> str:
    low, high = share.interval_pct
    return f"{share.pct:.1f} % ({low:.1f}-{high:.1f}) of {share.count}"


def holds(name: str, of: Tally) -> bool:
    """Whether a cell misses no target of a single cell; crossed ones are to be covered only."""
    if at_least(of.covered_unflagged, COVERAGE_PCT) is Met.NO:
        return False
    return cases()[name].is_crossed or (
        abs(of.mean) <= 4 and of.uncertainty <= of.largest_uncertainty and not of.lean_unflagged
    )
