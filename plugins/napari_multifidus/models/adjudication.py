"""Two raters' outlines of one exam side by side, and the consensus that is made of them.

Knows neither napari nor Qt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.landmark import Landmark
from multifidus.data.roi import Source
from multifidus.measuring.agreement.metrics import dice
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
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


JOINED_MM = 10.0
"""Marks of one place that lie further apart mean different places: neither is taken over."""


@dataclass(frozen=True, slots=True, eq=False)
class JoinedMark:
    """A landmark as each of two raters set it, and what the consensus has.

    Attributes
    ----------
    set_by
        Each rater's, by :data:`NAMES`; one alone where the other set none.
    taken
        Their mean; None where they lie too far apart to mean the same.
    """

    set_by: Mapping[str, Landmark]
    taken: Landmark | None

    @property
    def apart_mm(self) -> float:
        """How far the two lie apart; NaN where one rater alone set it."""
        places = [mark.position_mm for mark in self.set_by.values()]
        return float(np.linalg.norm(places[0] - places[1])) if len(places) > 1 else math.nan

    @property
    def words(self) -> str:
        """Name it."""
        mark = next(iter(self.set_by.values()))
        return f"{mark.kind.value.replace('_', ' ')} {mark.level}"

    def as_dict(self) -> dict[str, object]:
        """Return plain values, for the log: both positions, and what was taken."""
        mark = next(iter(self.set_by.values()))
        return {
            "kind": mark.kind.value,
            "level": mark.level.value,
            "set_by": {name: found.position_mm.tolist() for name, found in self.set_by.items()},
            "taken": None if self.taken is None else self.taken.position_mm.tolist(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Adopted:
    """What a consensus took over from both raters.

    Attributes
    ----------
    changed
        Whether anything.
    marks
        Where its landmarks come from; empty where it had some already.
    """

    changed: bool
    marks: tuple[JoinedMark, ...] = ()

    @property
    def warning(self) -> str:
        """Say which landmarks are to be set anew; empty where none are."""
        apart = [f"{m.words} ({m.apart_mm:.0f} mm)" for m in self.marks if m.taken is None]
        where = ", ".join(apart)
        return f"The raters' landmarks lie too far apart; mark them anew: {where}." if apart else ""


def joined_marks(first: Sequence[Landmark], second: Sequence[Landmark]) -> tuple[JoinedMark, ...]:
    """Join what two raters set: the mean position of what both did, else the one there is."""
    by_rater = [{(mark.kind, mark.level): mark for mark in marks} for marks in (first, second)]
    found = []
    for what in dict.fromkeys((*by_rater[0], *by_rater[1])):
        set_by = {
            name: marks[what] for name, marks in zip(NAMES, by_rater, strict=True) if what in marks
        }
        mean = np.mean([mark.position_mm for mark in set_by.values()], axis=0)
        joined = JoinedMark(set_by, Landmark(*what, mean))
        found.append(replace(joined, taken=None) if joined.apart_mm > JOINED_MM else joined)
    return tuple(found)


def adopt(consensus: Session, both: Sequence[Session]) -> Adopted:
    """Take over the landmarks of both raters, and the levels that both set alike by hand."""
    first, second = both
    changed = False
    if consensus.shared is not None:
        return Adopted(changed=False)
    marks: tuple[JoinedMark, ...] = ()
    if not consensus.drawing.landmarks:
        marks = joined_marks(first.drawing.landmarks, second.drawing.landmarks)
        changed = consensus.set_landmarks(mark.taken for mark in marks if mark.taken is not None)
    for index in range(len(consensus.series.slices)):
        typed = first.analysis.typed_level(index)
        agreed = typed[0] is not None and typed == second.analysis.typed_level(index)
        if agreed and consensus.analysis.typed_level(index)[0] is None:
            changed = consensus.set_level(index, *typed) or changed
    return Adopted(changed, marks)


def take_all(
    consensus: Session, found: Sequence[RaterPair], which: int, rater: Session
) -> tuple[int, int]:
    """Take one rater's outlines wherever the consensus has nothing yet, finished or not.

    Returns
    -------
    tuple
        How many were taken, and how many of the rater's were not since the consensus has its own.
    """
    theirs = [pair for pair in found if pair.loops[which]]
    wanted = [pair for pair in theirs if not consensus.drawing.holds(pair.key, pair.index)]
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
