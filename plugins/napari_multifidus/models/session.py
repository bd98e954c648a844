"""One person outlining one series of one exam: a state, what follows from it, and its history.

Knows neither napari nor Qt. Paths come in as pixels (row, column) of a slice; outlines go out as
:class:`multifidus.Roi` in patient millimetres.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition
from multifidus.data.image import Exam, Series
from multifidus.data.landmark import Landmark
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import NotMeasurable, Reason, RoiSet
from multifidus.data.slice_number import slice_words
from multifidus.errors import LevelError, RoiError
from napari_multifidus.models import drawing_edits as edits
from napari_multifidus.models.analysis import Analysis, Images
from napari_multifidus.models.drawing import DrawingState
from napari_multifidus.models.grading import check_grade
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_multifidus.models.drawing import StructureOnSlice

    Array = NDArray[np.float64]

MOST_STEPS = 500
"""Changes that can be undone; older ones are forgotten."""

LOCKED = "This reading is finished and locked: it cannot be changed."
UNLOCK = "Unlock it in its reading list; the reason is recorded."

T = TypeVar("T")


class History(Generic[T]):
    """States, one after another, and the one that is now.

    Parameters
    ----------
    first
        The first state.
    most
        How many can be gone back.
    """

    def __init__(self, first: T, most: int = MOST_STEPS) -> None:
        self._states = [first]
        self._place = 0
        self._most = most

    @property
    def now(self) -> T:
        """The state that is now."""
        return self._states[self._place]

    def commit(self, state: T) -> None:
        """Go on to a new state; what was undone is forgotten."""
        self._states = [*self._states[: self._place + 1], state][-self._most - 1 :]
        self._place = len(self._states) - 1

    def back(self) -> T | None:
        """Go back by one state and return it; None at the first."""
        return self._go(-1)

    def forward(self) -> T | None:
        """Go forward again by one state and return it; None at the last."""
        return self._go(1)

    def _go(self, step: int) -> T | None:
        if not 0 <= self._place + step < len(self._states):
            return None
        self._place += step
        return self.now


class Session:
    """Outlines of one reading on one series of an exam.

    Parameters
    ----------
    exam
        The images.
    series
        The series that is outlined.
    rois
        What the reading holds so far; what lies on other series is kept as it is.
    protocol
        How to measure.
    shared
        Landmarks and levels that all raters of the exam share; they cannot be changed here, and
        are not part of the reading.

    Attributes
    ----------
    drawing
        The state: what is drawn and entered now. Changed by :meth:`change` alone.
    analysis
        What follows from the state; another object after every change.
    locked
        Whether the reading is finished: whatever would change it is refused.
    roi_rule, new_source
        Rule and source of outlines that are drawn from now on.

    Raises
    ------
    RoiError
        If an outline fits no slice of the exam; of every method that changes the reading, if it is
        locked.
    """

    def __init__(
        self,
        exam: Exam,
        series: Series,
        rois: RoiSet | None = None,
        protocol: MeasurementProtocol | None = None,
        *,
        shared: RoiSet | None = None,
    ) -> None:
        opened = RoiSet(reading=Reading(exam.subject, exam.timepoint)) if rois is None else rois
        self.exam, self.series, self.shared = exam, series, shared
        self.protocol = protocol or MeasurementProtocol()
        self.roi_rule = opened.rois[0].roi_rule if opened.rois else RoiRule.UNKNOWN
        self.new_source = Source.MANUAL
        self.locked = False
        self._images = Images(exam, series, shared)
        self.drawing = DrawingState.of(opened, exam, series)
        self.analysis = Analysis(self.drawing, self._images, self.protocol)
        self._history = History(self.drawing)

    def rois(self) -> RoiSet:
        """Return the reading as it would be written: outlines, levels, and what was there."""
        return self.drawing.rois(self.series)

    # --- changes -------------------------------------------------------------------------------

    def _refuse_if_locked(self) -> None:
        if self.locked:
            raise RoiError(LOCKED, remedy=UNLOCK)

    def _see(self, drawing: DrawingState) -> None:
        self.drawing = drawing
        self.analysis = Analysis(drawing, self._images, self.protocol)

    def change(self, drawing: DrawingState) -> bool:
        """Go on to another state; returns whether it is another."""
        if drawing is self.drawing:
            return False
        self._refuse_if_locked()
        self._see(drawing)
        return True

    def put(
        self, key: LayerKey, index: int, loops: Sequence[Array], source: Source | None = None
    ) -> bool:
        """Take over what is drawn of a structure on a slice; returns whether it changed.

        ``source`` says where the paths come from; they are drawn, or an edited draft, if None.
        """
        marks = edits.NewOutlines(
            self.drawing.reading, self.roi_rule, source or self.new_source, source is not None
        )
        image = self.series.slices[index]
        return self.change(edits.put(self.drawing, (key, index), image, loops, marks=marks))

    def set_level(
        self, index: int, level: Level | None, position: SlicePosition = SlicePosition.UNKNOWN
    ) -> bool:
        """Say which level a slice shows, for all its outlines; None takes it back.

        Raises
        ------
        LevelError
            If the levels of the exam are shared.
        """
        if self.analysis.typed_level(index) == (level, position):
            return False
        self._refuse_if_locked()
        if self.shared is not None:
            msg = "The levels of this exam are shared by all raters and locked."
            raise LevelError(msg, remedy="Tell the study coordinator if one of them is wrong.")
        uid = self.series.slices[index].uid
        return self.change(edits.with_level(self.drawing, index, uid, (level, position)))

    def set_landmarks(self, landmarks: Iterable[Landmark]) -> bool:
        """Take over other landmarks; returns whether they changed.

        Landmarks that contradict each other are kept as well: one is set after another. Nothing is
        measured until they agree, and the analysis' ``level_finder.problem`` says why.

        Raises
        ------
        LevelError
            If landmarks are shared and this would add one.
        """
        wanted = tuple(landmarks)
        if wanted == self.drawing.landmarks:
            return False
        self._refuse_if_locked()
        if self.shared is not None and not set(wanted) <= set(self.drawing.landmarks):
            msg = "The landmarks of this exam are shared by all raters and locked."
            raise LevelError(msg, remedy="Tell the study coordinator if one of them is wrong.")
        return self.change(replace(self.drawing, landmarks=wanted))

    def set_not_measurable(
        self, key: LayerKey, index: int, reason: Reason | None, note: str = ""
    ) -> bool:
        """Say why a structure cannot be measured at a slice's level; None takes it back.

        Raises
        ------
        RoiError
            If the level is not known, or the structure is outlined, or begun, on one of its slices.
        """
        self._refuse_if_locked()
        level, _ = self.analysis.level_of(index)
        if level is None:
            where = slice_words(index).capitalize()
            msg = f"{where} has no level yet, so its {key.words} cannot be marked."
            raise RoiError(msg, remedy="Assign its level first.")
        drawn = self.drawing.slices_of(key)
        there = [other for other in drawn if self.analysis.level_of(other)[0] is level]
        if reason is not None and there:
            msg = f"There is an outline of {key.words} at {level}, on {slice_words(there[0])}."
            raise RoiError(msg, remedy="Delete it first, if it cannot be measured.")
        begun = [other for found, other in sorted(self.drawing.half_drawn) if found == key]
        waiting = [other for other in begun if self.analysis.level_of(other)[0] is level]
        if reason is not None and waiting:
            where = f"{key.words} at {level}, on {slice_words(waiting[0])},"
            msg = f"An outline of {where} is begun and not closed."
            raise RoiError(msg, remedy="Close it, or discard it with Esc, first.")
        before = self.analysis.not_measurable(key, index)
        now = None
        if reason is not None:
            now = NotMeasurable(level, key.side, key.structure, reason, note)
        return self.change(edits.with_not_measurable(self.drawing, before, now))

    def set_grade(self, scheme: str, level: Level, side: Side, value: int | None) -> bool:
        """Grade the multifidus of a level and side; None takes the grade back.

        Raises
        ------
        RoiError
            If the scheme has no name, or no such grade.
        """
        check_grade(scheme, value)
        return self.change(edits.with_grade(self.drawing, (scheme, level, side), value))

    def set_protocol(self, protocol: MeasurementProtocol) -> bool:
        """Measure by another protocol; returns whether it is another.

        It is no part of the reading, and is not undone with it.
        """
        if protocol == self.protocol:
            return False
        self.protocol = protocol
        self._see(self.drawing)
        return True

    # --- undo ----------------------------------------------------------------------------------

    def newly_contradicted(self) -> tuple[StructureOnSlice, ...]:
        """Return where an outline came since the last change on what is not measurable."""
        before, now = self._history.now.outlines, self.drawing
        if not now.not_measurable:
            return ()
        new = sorted(where for where in now.outlines if where not in before)
        return tuple(where for where in new if self.analysis.not_measurable(*where) is not None)

    def commit(self) -> None:
        """End a change: what was changed since the last time is undone as one."""
        if self.drawing is not self._history.now:
            self._history.commit(self.drawing)

    def begin_history(self) -> None:
        """Forget what was: nothing before this can be undone."""
        self._history = History(self.drawing)

    def undo(self) -> frozenset[StructureOnSlice] | None:
        """Undo the last change; returns where something else is drawn now, None if nothing."""
        self._refuse_if_locked()
        self.commit()
        return self._show(self._history.back())

    def redo(self) -> frozenset[StructureOnSlice] | None:
        """Redo what was undone last; returns as :meth:`undo` does."""
        self._refuse_if_locked()
        self.commit()
        return self._show(self._history.forward())

    def _show(self, drawing: DrawingState | None) -> frozenset[StructureOnSlice] | None:
        if drawing is None:
            return None
        before = self.drawing
        self.change(drawing)
        return drawing.differences(before)
