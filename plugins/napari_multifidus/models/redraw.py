"""What becomes of an outline that is drawn over another one of the same structure and slice.

Knows neither napari nor Qt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from multifidus.data.polygon import MINIMAL_POINTS
from multifidus.data.polygon_sets import joined
from multifidus.editing.redraw import meets, repaired
from multifidus.errors import RoiError
from napari_multifidus.models.shapes import LayerKey, problem_of, same_loops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Loops = tuple[Array, ...]


class Redraw(StrEnum):
    """What drawing over an outline means."""

    REPLACE = "replace"
    PIECE = "piece"
    REPAIR = "repair"


DEFAULT = Redraw.REPLACE
"""Until somebody chooses otherwise."""

WORDS = {
    Redraw.REPLACE: "replaced",
    Redraw.PIECE: "joined with what was there",
    Redraw.REPAIR: "repaired along the new stretch",
}


@dataclass(frozen=True, slots=True, eq=False)
class DrawnOver:
    """Something drawn over an outline.

    Attributes
    ----------
    key, index
        The structure and the slice.
    before
        The outline that was there; pixels.
    drawn
        What was drawn over it, from its first point to its last.
    spacing_mm
        Between rows and between columns.
    is_closed
        Whether it is a polygon, whose end is joined to its beginning wherever both lie.
    """

    key: LayerKey
    index: int
    before: Loops
    drawn: Array
    spacing_mm: tuple[float, float]
    is_closed: bool = False

    @classmethod
    def found(
        cls,
        where: tuple[LayerKey, int],
        before: Loops,
        loops: Sequence[Array],
        spacing_mm: tuple[float, float],
        *,
        is_closed: bool = False,
    ) -> DrawnOver | None:
        """Say whether paths are those of before and one more, drawn over them; None if not.

        A path apart from the others is an island, and draws over nothing. Each of several samples
        is an outline of its own.
        """
        key, index = where
        if key.holds_samples or not before or len(loops) != len(before) + 1:
            return None
        drawn = loops[-1]
        if len(drawn) < MINIMAL_POINTS or not same_loops(loops[:-1], before):
            return None
        over = cls(key, index, before, drawn, spacing_mm, is_closed)
        if over.can_repair or problem_of(before) or problem_of([drawn]) or meets(before, drawn):
            return over
        return None

    @property
    def can_repair(self) -> bool:
        """Whether it runs from the border to the border."""
        if self.is_closed or problem_of(self.before):
            return False
        try:
            return repaired(self.before, self.drawn, self.spacing_mm) is not None
        except RoiError:
            return True

    def choice(self, usual: Redraw) -> Redraw:
        """Say what it means: the repair of a stretch where it can be one, else what is usual."""
        if self.can_repair:
            return Redraw.REPAIR
        return DEFAULT if usual is Redraw.REPAIR else usual

    def outcome(self, choice: Redraw) -> Loops:
        """Return the paths that come of it.

        Raises
        ------
        RoiError
            If it cannot mean that.
        """
        if choice is Redraw.REPLACE:
            return (self.drawn,)
        for paths, who in ((self.before, "The outline"), ([self.drawn], "The new shape")):
            problem = problem_of(paths)
            if problem and not (choice is Redraw.REPAIR and paths is not self.before):
                msg = f"{who} {problem}."
                raise RoiError(msg, remedy="Mend it first, or replace the outline.")
        if choice is Redraw.PIECE:
            return joined(self.before, [self.drawn])
        done = repaired(self.before, self.drawn, self.spacing_mm)
        if done is None:
            msg = "The new stroke does not run from border to border, so no stretch is repaired."
            raise RoiError(msg, remedy="Begin and end it at the border, or replace the outline.")
        return done
