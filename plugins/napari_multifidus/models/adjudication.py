"""Two raters' outlines of one exam side by side, and the consensus that is made of them.

Knows neither napari nor Qt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.roi import Source
from multifidus.measuring.agreement.metrics import dice
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_multifidus.models.session import Session

    Array = NDArray[np.float64]

NAMES = ("A", "B")
"""What the two raters are called where it must not be known who they are."""


@dataclass(frozen=True, slots=True, eq=False)
class RaterPair:
    """What two raters drew of one structure on one slice.

    Attributes
    ----------
    key, index
        The structure and the slice.
    loops
        Paths of each rater, (n, 2) pixels; none where a rater drew nothing, or no outline.
    levels
        The level that each rater's slice has.
    dice
        How far they agree; 0 where only one drew it.
    """

    key: LayerKey
    index: int
    loops: tuple[tuple[Array, ...], tuple[Array, ...]]
    levels: tuple[Level | None, Level | None]
    dice: float

    @property
    def level_words(self) -> str:
        """The level, or both where raters do not agree on it."""
        named = [level.value if level is not None else "?" for level in self.levels]
        return " / ".join(dict.fromkeys(named))

    @property
    def only(self) -> str:
        """Which rater alone drew it; empty where both did."""
        drew = [name for name, loops in zip(NAMES, self.loops, strict=True) if loops]
        return drew[0] if len(drew) == 1 else ""


def pairs(first: Session, second: Session) -> tuple[RaterPair, ...]:
    """Compare two readings of one series, the worst agreement first."""
    both = (first, second)
    places = {*first.drawing.outlines, *second.drawing.outlines}
    found = [_pair(both, key, index) for key, index in places]
    return tuple(sorted(found, key=lambda pair: (pair.dice, pair.index, pair.key)))


def _pair(both: tuple[Session, Session], key: LayerKey, index: int) -> RaterPair:
    first, second = (
        session.drawing.loops(key, index) if (key, index) in session.drawing.outlines else ()
        for session in both
    )
    found = dice(first, second) if first and second else 0.0
    levels = (both[0].analysis.level_of(index)[0], both[1].analysis.level_of(index)[0])
    return RaterPair(key, index, (first, second), levels, 0.0 if math.isnan(found) else found)


def adopt(consensus: Session, both: Sequence[Session]) -> bool:
    """Take over what both raters say about levels in the same words; returns whether anything."""
    first, second = both
    changed = False
    if consensus.shared is not None:
        return False
    if (
        first.drawing.landmarks
        and first.drawing.landmarks == second.drawing.landmarks
        and not consensus.drawing.landmarks
    ):
        changed = consensus.set_landmarks(first.drawing.landmarks)
    for index in range(len(consensus.series.slices)):
        typed = first.analysis.typed_level(index)
        agreed = typed[0] is not None and typed == second.analysis.typed_level(index)
        if agreed and consensus.analysis.typed_level(index)[0] is None:
            changed = consensus.set_level(index, *typed) or changed
    return changed


def take_all(
    consensus: Session, found: Sequence[RaterPair], which: int, rater: Session
) -> tuple[int, int]:
    """Take one rater's outlines wherever the consensus has none yet.

    Returns
    -------
    tuple
        How many were taken, and how many of the rater's were not since the consensus has its own.
    """
    theirs = [pair for pair in found if pair.loops[which]]
    wanted = [pair for pair in theirs if (pair.key, pair.index) not in consensus.drawing.outlines]
    for pair in wanted:
        take(consensus, pair, which, rater)
    return len(wanted), len(theirs) - len(wanted)


def take(consensus: Session, pair: RaterPair, which: int, rater: Session) -> bool:
    """Take one rater's outline into the consensus, and its level where none is said yet."""
    changed = consensus.put(pair.key, pair.index, pair.loops[which], Source.CONSENSUS)
    level, position = rater.analysis.level_of(pair.index)
    if (
        consensus.shared is None
        and consensus.analysis.level_of(pair.index)[0] is None
        and level is not None
    ):
        changed = consensus.set_level(pair.index, level, SlicePosition(position)) or changed
    return changed
