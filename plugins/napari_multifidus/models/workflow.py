"""The steps from an opened exam to a finished reading: what is done, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Structure
from napari_multifidus.models import checklist
from napari_multifidus.models.completeness import needed_references
from napari_multifidus.models.shapes import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, LayerKey

if TYPE_CHECKING:
    from napari_multifidus.models.analysis import Analysis
    from napari_multifidus.models.drawing import StructureOnSlice

_BOTH = (LEAN, FAT)
"""References are drawn without a side; what other programs drew may have one."""


class StepName(StrEnum):
    """A step of a reading, in the usual order."""

    LEVELS = "mark levels"
    REFERENCES = "references"
    RIGHT = "right"
    LEFT = "left"
    DONE = "done"


KEY_OF = {StepName.RIGHT: MULTIFIDUS_RIGHT, StepName.LEFT: MULTIFIDUS_LEFT}
"""The structures that the steps of both sides draw."""


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One step.

    Attributes
    ----------
    done, of
        How many of its parts are done; a step of no parts is not asked for.
    is_next
        Whether it is what to do now. One step always is.
    is_touched
        Whether anything of it is there, finished or not.
    """

    name: StepName
    done: int
    of: int
    is_next: bool = False
    is_touched: bool = False

    @property
    def is_begun(self) -> bool:
        """Whether something of it is done, or half done, and something is left to do."""
        return not self.is_complete and (self.done > 0 or self.is_touched)

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.done >= self.of


def next_reference(analysis: Analysis) -> LayerKey | None:
    """Return the first reference that is needed and not drawn."""
    drawn = _drawn(analysis)
    needed = needed_references(analysis.protocol)
    return next((key for key in needed if key.structure not in drawn), None)


def _drawn(analysis: Analysis) -> set[Structure]:
    return {key.structure for key in analysis.drawing.layer_keys()}


def steps(analysis: Analysis, here: StructureOnSlice | None = None) -> tuple[WorkflowStep, ...]:
    """Return the steps of a reading, one of them the next.

    Parameters
    ----------
    here
        The active structure and the slice shown: which side comes next depends on it.
    """
    known = any(found.settled.level is not None for found in analysis.slice_levels)
    found = {name: WorkflowStep(name, *_count(analysis, name, known=known)) for name in StepName}
    following = _next(analysis, found, here)
    return tuple(
        replace(step, is_next=name is following, is_touched=_is_touched(analysis, name))
        for name, step in found.items()
    )


def _is_touched(analysis: Analysis, name: StepName) -> bool:
    drawing = analysis.drawing
    if name is StepName.LEVELS:
        return bool(drawing.landmarks)
    wanted = _BOTH if name is StepName.REFERENCES else (KEY_OF.get(name),)
    waiting = {key for key, _ in drawing.half_drawn}
    return any(key in wanted for key in (*drawing.layer_keys(), *waiting))


def _count(analysis: Analysis, name: StepName, *, known: bool) -> tuple[int, int]:
    if name is StepName.LEVELS:
        return int(known), 1
    if name is StepName.REFERENCES:
        needed, drawn = needed_references(analysis.protocol), _drawn(analysis)
        return sum(key.structure in drawn for key in needed), len(needed)
    side = KEY_OF.get(name)
    # Without a level nothing is asked for yet, which is not to say that all is done.
    return checklist.progress(analysis, (side,)) if side is not None and known else (0, 1)


def _next(
    analysis: Analysis, found: dict[StepName, WorkflowStep], here: StructureOnSlice | None
) -> StepName:
    for name in (StepName.LEVELS, StepName.REFERENCES):
        if not found[name].is_complete:
            return name
    place = here if here in checklist.missing(analysis) else checklist.next_missing(analysis, here)
    by_key = {key: name for name, key in KEY_OF.items()}
    return StepName.DONE if place is None else by_key[place[0]]
