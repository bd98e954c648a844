"""What a reading holds of one series at one moment: a frozen state, and what can be asked of it.

Paths that are no outline yet, because they cross themselves for instance, are kept as unfinished:
they are never measured and never lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Level, Side, SlicePosition
from multifidus.data.image import Exam, Series
from multifidus.data.landmark import Landmark
from multifidus.data.roi import Reading, Roi
from multifidus.data.roi_set import Grade, NotMeasurable, RoiSet, SliceLevel
from multifidus.measuring.agreement.metrics import dice
from multifidus.measuring.locate import place
from napari_multifidus.models.half_drawn import HalfDrawn, Incomplete
from napari_multifidus.models.shapes import LayerKey, problem_of, same_loops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Loops = tuple[Array, ...]
    StructureOnSlice = tuple[LayerKey, int]


HALF_DRAWN = "is not closed"


@dataclass(frozen=True, slots=True, eq=False)
class Unfinished:
    """Paths that are no outline yet.

    Attributes
    ----------
    loops
        As they were drawn, each (n, 2): row, column.
    problem
        Why they are no outline.
    before
        The outlines that were there, whose keys and rules the next outlines take over.
    """

    loops: Loops
    problem: str
    before: tuple[Roi, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class DrawingState:
    """All that a reading holds of one series. A change makes a new one; undo goes back to an old.

    Attributes
    ----------
    reading
        Whose it is.
    opened
        The set as it was opened; its outlines on other series are kept as they are.
    elsewhere
        Those outlines.
    outlines, unfinished
        What is drawn, by structure and slice.
    origins
        The paths, in pixels, of the drafts that outlines began as.
    levels
        Levels typed by hand, by slice UID.
    landmarks, not_measurable, grades
        As they are written.
    half_drawn
        What waits to be closed, by structure and slice.
    """

    reading: Reading
    opened: RoiSet
    elsewhere: tuple[Roi, ...]
    outlines: Mapping[StructureOnSlice, tuple[Roi, ...]]
    unfinished: Mapping[StructureOnSlice, Unfinished]
    origins: Mapping[StructureOnSlice, Loops]
    levels: Mapping[str, SliceLevel]
    landmarks: tuple[Landmark, ...]
    not_measurable: tuple[NotMeasurable, ...]
    grades: tuple[Grade, ...]
    half_drawn: Mapping[StructureOnSlice, HalfDrawn] = field(default_factory=dict)

    @classmethod
    def of(cls, rois: RoiSet, exam: Exam, series: Series) -> DrawingState:
        """Sort a reading by structure and slice of a series.

        Raises
        ------
        RoiError
            If an outline fits no slice of the exam.
        """
        elsewhere: list[Roi] = []
        outlines: dict[StructureOnSlice, tuple[Roi, ...]] = {}
        for placed in place(rois, exam):
            if placed.series.uid != series.uid:
                elsewhere.append(placed.roi)
                continue
            where = LayerKey.of(placed.roi), placed.index
            outlines[where] = (*outlines.get(where, ()), placed.roi)
        return cls(
            rois.rois[0].key.reading if rois.rois else rois.reading,
            rois,
            tuple(elsewhere),
            outlines,
            {},
            {},
            {typed.slice_uid: typed for typed in rois.levels},
            rois.landmarks,
            rois.not_measurable,
            rois.grades,
        )

    # --- what is drawn -------------------------------------------------------------------------

    def layer_keys(self) -> tuple[LayerKey, ...]:
        """Return every structure and side that something is drawn of."""
        return tuple(sorted({key for key, _ in self._drawn()}))

    def slices_of(self, key: LayerKey) -> tuple[int, ...]:
        """Return the slices on which a structure is drawn, unfinished ones included."""
        return tuple(sorted({index for found, index in self._drawn() if found == key}))

    def _drawn(self) -> tuple[StructureOnSlice, ...]:
        return (*self.outlines, *self.unfinished)

    def in_slice_order(self) -> list[StructureOnSlice]:
        """List everything drawn, slice by slice."""
        return sorted(set(self._drawn()), key=lambda where: (where[1], where[0]))

    def loops(self, key: LayerKey, index: int) -> Loops:
        """Return the paths of a structure on a slice, unfinished or not; pixels."""
        unfinished = self.unfinished.get((key, index))
        if unfinished is not None:
            return unfinished.loops
        return tuple(path for roi in self.outlines.get((key, index), ()) for path in roi.paths)

    def holds(self, key: LayerKey, index: int) -> bool:
        """Whether anything is drawn there: an outline, one to be mended, or one not closed."""
        where = (key, index)
        return where in self.outlines or where in self.unfinished or where in self.half_drawn

    def problem(self, key: LayerKey, index: int) -> str:
        """Say why what is drawn there is no outline; nothing where it is one, or none."""
        unfinished = self.unfinished.get((key, index))
        return unfinished.problem if unfinished else ""

    def not_measured(self, in_hand: Iterable[StructureOnSlice] = ()) -> tuple[str, ...]:
        """Say of everything unfinished what it is, where, and what is wrong with it."""
        return tuple(found.words for found in self.incomplete(in_hand))

    def incomplete(self, in_hand: Iterable[StructureOnSlice] = ()) -> tuple[Incomplete, ...]:
        """List all that is drawn and no outline: half drawn, or to be corrected; slice by slice.

        What is in the hand is known to the layers alone, and listed if it is given.
        """
        waiting = {*self.half_drawn, *in_hand}
        found = [Incomplete(*where, draft.problem) for where, draft in self.unfinished.items()]
        found += [Incomplete(*where, HALF_DRAWN, is_half_drawn=True) for where in waiting]
        return tuple(sorted(found, key=lambda item: (item.index, item.key)))

    def on_slice(self, index: int) -> Iterator[Roi]:
        """Return all outlines on a slice."""
        for (_, drawn_on), rois in self.outlines.items():
            if drawn_on == index:
                yield from rois

    def is_shown(self, key: LayerKey, shown: Mapping[int, Sequence[Array]]) -> bool:
        """Whether paths by slice are what is drawn of a structure, and nothing else."""
        slices = {*shown, *self.slices_of(key)}
        return all(same_loops(shown.get(i, ()), self.loops(key, i)) for i in slices)

    def nearest_drawn(self, key: LayerKey, index: int) -> int | None:
        """Return the nearest other slice on which a structure is drawn; the one before wins."""
        others = [other for other in self.slices_of(key) if other != index]
        return min(others, key=lambda other: (abs(other - index), other), default=None)

    def draft_dice(self, key: LayerKey, index: int) -> float:
        """Compare a draft with what it is now; NaN where it was none, or is no outline."""
        origin = self.origins.get((key, index))
        if origin is None or problem_of(origin) or not self.outlines.get((key, index)):
            return float("nan")
        return dice(origin, self.loops(key, index))

    def differences(self, other: DrawingState) -> frozenset[StructureOnSlice]:
        """Return where something else is drawn: other objects, whether equal or not."""
        return frozenset(
            where
            for where in {*self._drawn(), *other._drawn(), *self.half_drawn, *other.half_drawn}
            if self.outlines.get(where) is not other.outlines.get(where)
            or self.unfinished.get(where) is not other.unfinished.get(where)
            or self.half_drawn.get(where) is not other.half_drawn.get(where)
        )

    def is_same_of(self, key: LayerKey, other: DrawingState) -> bool:
        """Whether another state holds the same objects of a structure."""
        return self is other or all(found != key for found, _ in self.differences(other))

    # --- what else was entered -----------------------------------------------------------------

    def typed_level(self, index: int, slice_uid: str) -> tuple[Level | None, SlicePosition]:
        """Return the level that was typed for a slice, or that its outlines have."""
        typed = self.levels.get(slice_uid)
        if typed is not None:
            return typed.level, typed.slice_position
        for roi in self.on_slice(index):
            if roi.level is not None:
                return roi.level, roi.slice_position
            # An outline that found this slice by its plane may name it differently.
            typed = self.levels.get(roi.key.slice_uid)
            if typed is not None:
                return typed.level, typed.slice_position
        return None, SlicePosition.UNKNOWN

    @property
    def own_grades(self) -> dict[tuple[str, Level, Side], int]:
        """The grades of this reading, by scheme, level and side."""
        return {
            (grade.scheme, grade.level, grade.side): grade.value
            for grade in self.grades
            if grade.reading in {None, self.reading}
        }

    def rois(self, series: Series) -> RoiSet:
        """Return the reading as it would be written: outlines, levels, and what was there."""
        drawn = sorted(
            (index, key, n, roi)
            for (key, index), rois in self.outlines.items()
            for n, roi in enumerate(rois)
        )
        order = {item.uid: index for index, item in enumerate(series.slices)}
        return replace(
            self.opened,
            rois=(*self.elsewhere, *(roi for *_, roi in drawn)),
            landmarks=self.landmarks,
            levels=tuple(sorted(self.levels.values(), key=lambda t: order.get(t.slice_uid, -1))),
            not_measurable=self.not_measurable,
            grades=self.grades,
            reading=self.reading,
        )
