"""One person outlining one series of one exam: what is drawn, what it measures, what is missing.

Knows neither napari nor Qt. Paths come in as pixels (row, column) of a slice; outlines go out as
:class:`multifidus.Roi` in patient millimetres. Paths that are no outline yet, because they cross
themselves for instance, are kept as drafts: they are never measured and never lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.image import Exam, Series, Slice
from multifidus.data.landmark import Landmark
from multifidus.data.measurement import Measurement
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading, Roi, RoiKey, Source
from multifidus.data.roi_set import Grade, NotMeasurable, Reason, RoiSet, SliceLevel
from multifidus.errors import LevelError, MultifidusError, RoiError
from multifidus.measuring.agreement.overlap import dice
from multifidus.measuring.locate import place
from multifidus.measuring.outline_pixels import Companions
from multifidus.measuring.pipeline import Calibration, measure_calibrated
from multifidus.measuring.shared_levels import with_shared_levels
from napari_multifidus.models.grading import check_grade
from napari_multifidus.models.history import History, Snapshot
from napari_multifidus.models.preview import (
    Numbers,
    OutlinePreview,
    OutlinePreviewer,
    numbers_of,
    shown_method,
)
from napari_multifidus.models.reference_samples import layer_key_of, name_samples
from napari_multifidus.models.shapes import LayerKey, problem_of, same_loops
from napari_multifidus.models.slice_level import LevelFinder, SliceLevelInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Spot = tuple[LayerKey, int]

LOCKED = "This reading is finished and locked: nothing on it can be changed."
UNLOCK = "Unlock it in its reading list; the reason is recorded."

_BEGINS_AS_DRAFT = {Source.DRAFT, Source.INTERPOLATED}
_STAYS_A_DRAFT = {*_BEGINS_AS_DRAFT, Source.DRAFT_EDITED}


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Paths that are no outline yet.

    Attributes
    ----------
    loops
        As they were drawn, each (n, 2): row, column.
    problem
        Why they are no outline.
    before
        The outlines that stood there, whose keys and rules the next outlines take over.
    """

    loops: tuple[Array, ...]
    problem: str
    before: tuple[Roi, ...] = ()


@dataclass(frozen=True, slots=True)
class OutlineRow:
    """One line of the list of outlines: where, what, what it measures, how it was graded."""

    slice_index: int
    key: LayerKey
    level: Level | None
    numbers: Numbers
    grades: tuple[tuple[str, int], ...] = ()


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
    locked
        Whether the reading is finished: whatever would change it is refused.
    new_source
        Source of what is drawn by hand.
    in_motion
        The outline that moved last, with its pixels.

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
        nobody = RoiSet(reading=Reading(exam.subject, exam.timepoint))
        held = nobody if rois is None else rois
        self.exam = exam
        self.series = series
        self.reading = held.rois[0].key.reading if held.rois else held.reading
        self.protocol = protocol or MeasurementProtocol()
        self.roi_rule = held.rois[0].roi_rule if held.rois else RoiRule.UNKNOWN
        self.version = 0
        self.locked = False
        self.new_source = Source.MANUAL
        self._kept = held
        self._elsewhere: tuple[Roi, ...] = ()
        self._outlines: dict[Spot, tuple[Roi, ...]] = {}
        self._drafts: dict[Spot, Draft] = {}
        self._paths: dict[Spot, tuple[Array, ...]] = {}
        self._origins: dict[Spot, tuple[Array, ...]] = {}
        self.shared = shared
        self._levels = {typed.slice_uid: typed for typed in held.levels}
        self._landmarks = held.landmarks
        self._finder: tuple[object, LevelFinder] | None = None
        self._measured: tuple[int, tuple[Measurement, ...] | MultifidusError] | None = None
        self._by_key: tuple[int, dict[RoiKey, list[Measurement]]] | None = None
        self._calibration: Calibration | None = None
        self._preview: tuple[object, OutlinePreviewer] | None = None
        self._begun: tuple[object, Calibration] | None = None
        self._companions: Companions | None = None
        self._previews: tuple[int, dict[Spot, OutlinePreview]] | None = None
        self._lines: tuple[int, tuple[OutlineRow, ...]] | None = None
        self.in_motion = OutlinePreview(Numbers())
        self._sort_in(held)
        self._committed = self.version
        self._history = History(self._snapshot())

    def _sort_in(self, rois: RoiSet) -> None:
        for placed in place(rois, self.exam):
            if placed.series.uid != self.series.uid:
                self._elsewhere += (placed.roi,)
                continue
            spot = (layer_key_of(placed.roi), placed.index)
            self._outlines[spot] = (*self._outlines.get(spot, ()), placed.roi)

    # --- what is drawn -------------------------------------------------------------------------

    def slice(self, index: int) -> Slice:
        """Return a slice of the series."""
        return self.series.slices[index]

    def layer_keys(self) -> tuple[LayerKey, ...]:
        """Return every structure and side that something is drawn of."""
        return tuple(sorted({key for key, _ in (*self._outlines, *self._drafts)}))

    def slices_of(self, key: LayerKey) -> tuple[int, ...]:
        """Return the slices on which a structure is drawn, drafts included."""
        return tuple(sorted({i for found, i in (*self._outlines, *self._drafts) if found == key}))

    def outlines(self, key: LayerKey, index: int) -> tuple[Roi, ...]:
        """Return the outlines of a structure on a slice."""
        return self._outlines.get((key, index), ())

    def loops(self, key: LayerKey, index: int) -> tuple[Array, ...]:
        """Return the paths of a structure on a slice, drafts included; pixels."""
        spot = (key, index)
        draft = self._drafts.get(spot)
        if draft is not None:
            return draft.loops
        if spot not in self._paths:
            self._paths[spot] = tuple(path for roi in self.outlines(*spot) for path in roi.paths)
        return self._paths[spot]

    def problem(self, key: LayerKey, index: int) -> str:
        """Say why what is drawn there is no outline; nothing where it is one, or none."""
        draft = self._drafts.get((key, index))
        return draft.problem if draft else ""

    @property
    def drafts(self) -> Mapping[Spot, Draft]:
        """Everything drawn that is no outline yet."""
        return self._drafts

    def not_measured(self) -> tuple[str, ...]:
        """Say of every draft what it is, where, and what is wrong with it."""
        return tuple(
            f"{key.words} on slice {index + 1} {draft.problem}"
            for (key, index), draft in self._drafts.items()
        )

    def refuse_if_locked(self) -> None:
        """Refuse a change of a finished reading.

        Raises
        ------
        RoiError
            If the reading is locked.
        """
        if self.locked:
            raise RoiError(LOCKED, remedy=UNLOCK)

    def is_drawn(self, key: LayerKey, drawn: Mapping[int, Sequence[Array]]) -> bool:
        """Whether a layer shows what is drawn of a structure, and nothing else."""
        places = {*drawn, *self.slices_of(key)}
        return all(same_loops(drawn.get(i, ()), self.loops(key, i)) for i in places)

    def take_layer(self, key: LayerKey, drawn: Mapping[int, Sequence[Array]]) -> bool:
        """Take over all that a layer shows now; returns whether anything changed."""
        places = {*drawn, *self.slices_of(key)}
        changed = [self.put(key, index, drawn.get(index, ())) for index in sorted(places)]
        return any(changed)

    def put(
        self,
        key: LayerKey,
        index: int,
        loops: Sequence[Array],
        source: Source | None = None,
    ) -> bool:
        """Take over what is drawn of a structure on a slice; returns whether it changed."""
        if same_loops(loops, self.loops(key, index)):
            return False
        self.refuse_if_locked()
        spot = (key, index)
        draft = self._drafts.pop(spot, None)
        before = draft.before if draft else self._outlines.pop(spot, ())
        self._outlines.pop(spot, None)
        self._paths.pop(spot, None)
        if loops:
            try:
                self._outlines[spot] = self._outlines_from(spot, loops, before, source)
            except RoiError as error:
                problem = problem_of(loops) or error.message
                self._drafts[spot] = Draft(tuple(loops), problem, before)
        if source in _BEGINS_AS_DRAFT and loops:
            self._origins[spot] = tuple(loops)
        elif not loops:
            self._origins.pop(spot, None)
        self._changed()
        return True

    def _outlines_from(
        self, spot: Spot, loops: Sequence[Array], before: Sequence[Roi], source: Source | None
    ) -> tuple[Roi, ...]:
        """Make outlines of paths; who stood there before is asked for name, rule and level."""
        key, _ = spot
        if not key.holds_samples:
            problem = problem_of(loops)
            if problem:
                raise RoiError(problem)
            model = before[0] if before else None
            return (self._outline(spot, loops, model=model, name=key.name, source=source),)
        made: list[Roi] = []
        for name, found, paths in name_samples(loops, before):
            model = found
            problem = problem_of(paths)
            if problem:
                raise RoiError(problem)
            if model is None or not same_loops(paths, model.paths):
                model = self._outline(spot, paths, model=model, name=name, source=source)
            made.append(model)
        return tuple(made)

    def _outline(
        self,
        spot: Spot,
        loops: Sequence[Array],
        *,
        model: Roi | None = None,
        name: str = "",
        source: Source | None = None,
    ) -> Roi:
        key, image = spot[0], self.slice(spot[1])
        paths = tuple(image.plane.to_patient(loop) for loop in loops)
        if model is not None:
            edited = Source.DRAFT_EDITED if model.source in _STAYS_A_DRAFT else self.new_source
            return replace(
                model, paths_mm=paths, plane=image.plane, shape=image.shape, source=source or edited
            )
        return Roi(
            key=RoiKey(self.reading, image.uid, key.structure, key.side, name),
            paths_mm=paths,
            plane=image.plane,
            shape=image.shape,
            roi_rule=self.roi_rule,
            source=source or self.new_source,
        )

    def copy(self, key: LayerKey, start: int, end: int) -> bool:
        """Copy a structure's outlines to another slice, as a draft that waits for editing."""
        return self.put(key, end, self.loops(key, start), Source.DRAFT)

    def nearest_drawn(self, key: LayerKey, index: int) -> int | None:
        """Return the nearest other slice on which a structure is drawn; the one before wins."""
        others = [other for other in self.slices_of(key) if other != index]
        return min(others, key=lambda other: (abs(other - index), other), default=None)

    def restore_draft(self, key: LayerKey, index: int, loops: Sequence[Array]) -> None:
        """Put paths back as they were left, whether they make an outline or not."""
        self.put(key, index, loops)

    # --- drafts, and what became of them -------------------------------------------------------

    @property
    def origins(self) -> Mapping[Spot, tuple[Array, ...]]:
        """The drafts that outlines began as: paths in pixels."""
        return self._origins

    def restore_origin(self, key: LayerKey, index: int, loops: Sequence[Array]) -> None:
        """Say as what draft an outline began; outlines that never were drafts have none."""
        if any(roi.source in _STAYS_A_DRAFT for roi in self.outlines(key, index)):
            self._origins[key, index] = tuple(loops)

    def draft_dice(self, key: LayerKey, index: int) -> float:
        """Compare a draft with what it is now; NaN where it was none, or is no outline."""
        origin = self._origins.get((key, index))
        if origin is None or problem_of(origin) or not self.outlines(key, index):
            return float("nan")
        return dice(origin, self.loops(key, index))

    # --- undo ----------------------------------------------------------------------------------

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            dict(self._outlines),
            dict(self._drafts),
            dict(self._origins),
            dict(self._levels),
            self._landmarks,
            self._kept,
        )

    def commit(self) -> None:
        """End a change: what was changed since the last time is taken back as one."""
        if self.version != self._committed:
            self._history.commit(self._snapshot())
            self._committed = self.version

    def begin_history(self) -> None:
        """Forget what was: nothing before this can be taken back."""
        self._history = History(self._snapshot())
        self._committed = self.version

    def undo(self) -> frozenset[Spot] | None:
        """Take the last change back; returns where something else is drawn now, None if nothing."""
        self.refuse_if_locked()
        self.commit()
        before = self._history.now
        return self._restore(before, self._history.back())

    def redo(self) -> frozenset[Spot] | None:
        """Do again what was taken back last; returns as :meth:`undo` does."""
        self.refuse_if_locked()
        self.commit()
        before = self._history.now
        return self._restore(before, self._history.forward())

    def _restore(self, before: Snapshot, now: Snapshot | None) -> frozenset[Spot] | None:
        if now is None:
            return None
        self._outlines, self._drafts = dict(now.outlines), dict(now.drafts)
        self._origins, self._levels = dict(now.origins), dict(now.levels)
        self._landmarks, self._kept = now.landmarks, now.kept
        self._paths.clear()
        self._changed()
        self._committed = self.version
        return now.spots_unlike(before)

    # --- what else the reading says ------------------------------------------------------------

    def level_of(self, index: int) -> tuple[Level | None, SlicePosition]:
        """Return the level of a slice as its rows say it: typed by hand, else by landmarks."""
        settled = self.slice_level(index).settled
        return settled.level, settled.slice_position

    def slice_level(self, index: int) -> SliceLevelInfo:
        """Return where a slice stands on the spine, and what is doubtful about that."""
        return self.level_finder.slice_level(self.series, index, *self.said_level(index))

    def level_warnings(self, index: int) -> tuple[str, ...]:
        """Say what is doubtful about a slice's level, tilt and place; one line each."""
        finder = self.level_finder
        wrong = (f"landmarks: {finder.problem}",) if finder.problem else ()
        return (*wrong, *self.slice_level(index).warnings(self.protocol))

    def said_level(self, index: int) -> tuple[Level | None, SlicePosition]:
        """Return what was said about a slice's level: shared, typed, else by its outlines."""
        uid = self.slice(index).uid
        for said in self.shared.levels if self.shared is not None else ():
            if said.slice_uid == uid:
                return said.level, said.slice_position
        typed = self._levels.get(uid)
        if typed is not None:
            return typed.level, typed.slice_position
        for roi in self._on_slice(index):
            if roi.level is not None:
                return roi.level, roi.slice_position
            typed = self._levels.get(roi.key.slice_uid)
            if typed is not None:
                return typed.level, typed.slice_position
        return None, SlicePosition.UNKNOWN

    def set_level(
        self, index: int, level: Level | None, position: SlicePosition = SlicePosition.UNKNOWN
    ) -> bool:
        """Say which level a slice shows, for all its outlines; None takes it back.

        Raises
        ------
        LevelError
            If the levels of the exam are shared.
        """
        if self.said_level(index) == (level, position):
            return False
        self.refuse_if_locked()
        if self.shared is not None:
            msg = "The levels of this exam are shared by all raters, and locked."
            raise LevelError(msg, remedy="Tell who leads the study if one of them is wrong.")
        # Outlines that found this slice by its plane may name it differently.
        uids = {self.slice(index).uid, *(roi.key.slice_uid for roi in self._on_slice(index))}
        for uid in uids:
            self._levels.pop(uid, None)
            if level is not None:
                self._levels[uid] = SliceLevel(uid, level, position)
        for spot, rois in self._outlines.items():
            if spot[1] == index:
                self._outlines[spot] = tuple(
                    replace(roi, level=None, slice_position=SlicePosition.UNKNOWN) for roi in rois
                )
        self._changed()
        return True

    @property
    def landmarks(self) -> tuple[Landmark, ...]:
        """The reading's own landmarks."""
        return self._landmarks

    @property
    def locked_landmarks(self) -> tuple[Landmark, ...]:
        """The landmarks that all raters share; they cannot be changed here."""
        return self.shared.landmarks if self.shared is not None else ()

    def set_landmarks(self, landmarks: Iterable[Landmark]) -> bool:
        """Take over other landmarks; returns whether they changed.

        Landmarks that contradict each other are kept as well: one is set after another. Nothing is
        measured until they agree, and ``level_finder.problem`` says why.

        Raises
        ------
        LevelError
            If landmarks are shared and this would add one.
        """
        wanted = tuple(landmarks)
        if wanted == self._landmarks:
            return False
        self.refuse_if_locked()
        if self.shared is not None and not set(wanted) <= set(self._landmarks):
            msg = "The landmarks of this exam are shared by all raters, and locked."
            raise LevelError(msg, remedy="Tell who leads the study if one of them is wrong.")
        self._landmarks = wanted
        self._changed()
        return True

    @property
    def level_finder(self) -> LevelFinder:
        """What the landmarks say about the exam's slices."""
        marks = self.locked_landmarks or self._landmarks
        key = (marks, self.protocol)
        if self._finder is None or self._finder[0] != key:
            self._finder = (key, LevelFinder.of(self.exam, marks, self.protocol))
        return self._finder[1]

    def not_measurable(self, key: LayerKey, index: int) -> NotMeasurable | None:
        """Return why a structure cannot be measured at a slice's level; None where it can."""
        level, _ = self.level_of(index)
        mine = (level, key.side, key.structure)
        said = (gap for gap in self._kept.not_measurable if gap.reading in {None, self.reading})
        return next((gap for gap in said if (gap.level, gap.side, gap.structure) == mine), None)

    def set_not_measurable(
        self, key: LayerKey, index: int, reason: Reason | None, note: str = ""
    ) -> bool:
        """Say why a structure cannot be measured at a slice's level; None takes it back.

        Raises
        ------
        RoiError
            If the level is not known, or the structure is outlined on one of its slices.
        """
        self.refuse_if_locked()
        level, _ = self.level_of(index)
        if level is None:
            msg = f"Slice {index + 1} has no level yet, so nothing can be said of its {key.words}."
            raise RoiError(msg, remedy="Say the level first.")
        before = self.not_measurable(key, index)
        drawn = [i for i in self.slices_of(key) if self.level_of(i)[0] is level]
        if reason is not None and drawn:
            msg = f"There is an outline of {key.words} at {level}, on slice {drawn[0] + 1}."
            raise RoiError(msg, remedy="Delete it first, if it cannot be measured.")
        rest = tuple(gap for gap in self._kept.not_measurable if gap is not before)
        if reason is not None:
            rest = (*rest, NotMeasurable(level, key.side, key.structure, reason, note))
        if rest == self._kept.not_measurable:
            return False
        self._kept = replace(self._kept, not_measurable=rest)
        self._changed()
        return True

    def set_rule(self, rule: RoiRule) -> None:
        """Say by which rule outlines are drawn from now on."""
        self.roi_rule = rule

    def read_by(self, reading: Reading) -> None:
        """Give everything drawn to another reading."""
        self.refuse_if_locked()
        self._kept = self._kept.read_by(reading)
        self.reading = reading
        self._elsewhere = _read_by(self._elsewhere, reading)
        for spot, rois in self._outlines.items():
            self._outlines[spot] = _read_by(rois, reading)
        for spot, draft in self._drafts.items():
            self._drafts[spot] = replace(draft, before=_read_by(draft.before, reading))
        self._changed()
        # Whose reading it is, is not taken back with what is drawn.
        self.begin_history()

    def _on_slice(self, index: int) -> Iterator[Roi]:
        for (_, place_of), rois in self._outlines.items():
            if place_of == index:
                yield from rois

    def rois(self) -> RoiSet:
        """Return the reading as it would be written: outlines, levels, and what was there."""
        drawn = sorted(
            (spot[1], spot[0], n, roi)
            for spot, rois in self._outlines.items()
            for n, roi in enumerate(rois)
        )
        order = {item.uid: index for index, item in enumerate(self.series.slices)}
        levels = sorted(self._levels.values(), key=lambda typed: order.get(typed.slice_uid, -1))
        return replace(
            self._kept,
            rois=(*self._elsewhere, *(roi for *_, roi in drawn)),
            landmarks=self._landmarks,
            levels=tuple(levels),
            reading=self.reading,
        )

    def rois_to_measure(self) -> RoiSet:
        """Return the reading with the levels that raters share.

        Raises
        ------
        LevelError
            If the reading contradicts them.
        """
        rois = self.rois()
        return rois if self.shared is None else with_shared_levels(rois, self.shared, self.exam)

    # --- what it measures ----------------------------------------------------------------------

    def measure(self) -> tuple[Measurement, ...]:
        """Measure all outlines: :func:`multifidus.measure`, kept until something changes.

        Raises
        ------
        MultifidusError
            If left and right are swapped, or pixels cannot be read.
        """
        if self._measured is None or self._measured[0] != self.version:
            try:
                found, self._calibration = measure_calibrated(
                    self.exam, self.rois_to_measure(), self.protocol
                )
                self._measured = (self.version, found)
            except MultifidusError as error:
                self._measured = (self.version, error)
        result = self._measured[1]
        if isinstance(result, MultifidusError):
            raise result
        return result

    def refusal(self) -> str:
        """Say why nothing can be measured now; nothing where it can."""
        try:
            self.measure()
        except MultifidusError as error:
            return str(error)
        return ""

    def numbers(self, key: LayerKey, index: int) -> Numbers | None:
        """Return what is measured of a structure on a slice; None where nothing is drawn."""
        problem = self.problem(key, index)
        if problem:
            return Numbers(problem=problem)
        rois = self.outlines(key, index)
        if not rois:
            return None
        if self.refusal():
            return Numbers(area_mm2=sum(roi.area_mm2 for roi in rois))
        rows = [row for roi in rois for row in self._rows_by_key()[roi.key]]
        return numbers_of(rows, shown_method(self.protocol))

    def _rows_by_key(self) -> dict[RoiKey, list[Measurement]]:
        if self._by_key is None or self._by_key[0] != self.version:
            found: dict[RoiKey, list[Measurement]] = {}
            for row in self.measure():
                found.setdefault(row.key, []).append(row)
            self._by_key = (self.version, found)
        return self._by_key[1]

    def live_numbers(self, key: LayerKey, index: int, loops: Sequence[Array]) -> Numbers:
        """Measure paths that are still in motion, by the thresholds of the last measurement."""
        self.in_motion = self.preview(key, index, loops)
        return self.in_motion.numbers

    def preview(
        self, key: LayerKey, index: int, loops: Sequence[Array] | None = None
    ) -> OutlinePreview:
        """Return numbers and pixels of what is drawn, or of paths that are still in motion.

        Everything is measured as :meth:`measure` does, by the thresholds of the last measurement.
        """
        before = self.outlines(key, index)
        at_rest = loops is None
        drawn = self.loops(key, index) if loops is None else loops
        if not drawn:
            return OutlinePreview(Numbers())
        if at_rest and len(before) == 1:
            roi = before[0]
        else:
            model = before[0] if before and not key.holds_samples else None
            try:
                roi = self._outline((key, index), drawn, model=model)
            except RoiError as error:
                return OutlinePreview(Numbers(problem=problem_of(drawn) or error.message))
        if not roi.area_mm2:
            return OutlinePreview(Numbers(problem=problem_of(drawn)))
        try:
            return self._preview_of(roi, index)
        except MultifidusError:
            # Nothing is measured now; the reason is said where the outlines are measured.
            return OutlinePreview(Numbers(area_mm2=roi.area_mm2))

    def preview_at_rest(self, key: LayerKey, index: int) -> OutlinePreview:
        """Return :meth:`preview` of what is drawn, kept until something changes."""
        if self._previews is None or self._previews[0] != self.version:
            self._previews = (self.version, {})
        previews = self._previews[1]
        if (key, index) not in previews:
            previews[key, index] = self.preview(key, index)
        return previews[key, index]

    def _preview_of(self, roi: Roi, index: int) -> OutlinePreview:
        if self._calibration is None or self.refusal():
            self.measure()
        assert self._calibration is not None  # noqa: S101 - measure() set it, or raised
        place, said = (self.series, index), self.said_level(index)
        hidden = [other for other in self._on_slice(index) if _is_artefact(other)]
        found = self._by(self._calibration).preview(roi, place, said, hidden)
        if found is None:
            # The first muscle: its own pixels decide about the threshold, at every new point.
            found = self._by(self._calibration_with(roi)).preview(roi, place, said, hidden)
        return found or OutlinePreview(Numbers(area_mm2=roi.area_mm2))

    def _by(self, calibration: Calibration) -> OutlinePreviewer:
        if self._preview is None or self._preview[0] is not calibration:
            if self._companions is None:
                self._companions = Companions.of(self.exam)
            made = OutlinePreviewer(self.exam, calibration, self._companions)
            if self._preview is not None:
                made.take_slice_of(self._preview[1])
            self._preview = (calibration, made)
        return self._preview[1]

    def _calibration_with(self, roi: Roi) -> Calibration:
        state = (self.version, roi.key, roi.n_points)
        if self._begun is None or self._begun[0] != state:
            rois = self.rois_to_measure()
            others = tuple(other for other in rois if other.key != roi.key)
            with_it = replace(rois, rois=(*others, roi))
            self._begun = (state, measure_calibrated(self.exam, with_it, self.protocol)[1])
        return self._begun[1]

    def set_protocol(self, protocol: MeasurementProtocol) -> bool:
        """Measure by another protocol; returns whether it is another."""
        if protocol == self.protocol:
            return False
        self.protocol = protocol
        self._calibration = self._begun = None
        # The protocol is no part of the reading: it is not taken back with an outline.
        was_committed = self._committed == self.version
        self._changed()
        if was_committed:
            self._committed = self.version
        return True

    # --- grades --------------------------------------------------------------------------------

    @property
    def grades(self) -> Mapping[tuple[str, Level, Side], int]:
        """The grades of this reading, by scheme, level and side."""
        mine = (None, self.reading)
        return {
            (grade.scheme, grade.level, grade.side): grade.value
            for grade in self._kept.grades
            if grade.reading in mine
        }

    def set_grade(self, scheme: str, level: Level, side: Side, value: int | None) -> bool:
        """Grade the multifidus of a level and side; None takes the grade back.

        Raises
        ------
        RoiError
            If the scheme has no name, or no such grade.
        """
        check_grade(scheme, value)
        if self.grades.get((scheme, level, side)) == value:
            return False
        self.refuse_if_locked()
        mine, place = (None, self.reading), (scheme, level, side)
        others = tuple(
            grade
            for grade in self._kept.grades
            if grade.reading not in mine or (grade.scheme, grade.level, grade.side) != place
        )
        new = () if value is None else (Grade(scheme, level, side, value),)
        self._kept = replace(self._kept, grades=(*others, *new))
        self._changed()
        return True

    def lines(self) -> tuple[OutlineRow, ...]:
        """List everything drawn, slice by slice; kept until something changes."""
        if self._lines is None or self._lines[0] != self.version:
            spots = sorted({*self._outlines, *self._drafts}, key=lambda spot: (spot[1], spot[0]))
            self._lines = (self.version, tuple(self._line(key, index) for key, index in spots))
        return self._lines[1]

    def _line(self, key: LayerKey, index: int) -> OutlineRow:
        level = self.level_of(index)[0]
        grades = (
            ()
            if key.structure is not Structure.MULTIFIDUS
            else tuple(
                (scheme, value)
                for (scheme, graded, side), value in self.grades.items()
                if (graded, side) == (level, key.side)
            )
        )
        return OutlineRow(index, key, level, self.numbers(key, index) or Numbers(), grades)

    def _changed(self) -> None:
        self.version += 1


def _is_artefact(roi: Roi) -> bool:
    return roi.key.structure is Structure.ARTEFACT


def _read_by(rois: Iterable[Roi], reading: Reading) -> tuple[Roi, ...]:
    return tuple(replace(roi, key=replace(roi.key, reading=reading)) for roi in rois)
