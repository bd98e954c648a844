"""What follows from a drawing: levels, measurements, previews, what is missing.

Everything here is worked out from one state of a reading under one protocol, once, when it is asked
for. A change makes a new analysis, so nothing has to be told that it is out of date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Level, SlicePosition, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series
from multifidus.data.landmark import Landmark
from multifidus.data.measurement import Measurement, Measurements
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Roi, RoiKey
from multifidus.data.roi_set import NotMeasurable, RoiSet
from multifidus.errors import MultifidusError, RoiError
from multifidus.measuring.locate import in_order, place
from multifidus.measuring.midline import WrongSide, wrong_sides
from multifidus.measuring.pipeline import ExamCalibration, measure_calibrated
from multifidus.measuring.shared_levels import with_shared_levels
from napari_multifidus.models.drawing_edits import NewOutlines, make_outline
from napari_multifidus.models.fat_shown import shown_methods
from napari_multifidus.models.numbers import Numbers, numbers_of
from napari_multifidus.models.obstacle import Obstacle, doubtful_side, refused
from napari_multifidus.models.preview import OutlinePreview, OutlinePreviewer, SliceReader
from napari_multifidus.models.shapes import LayerKey, problem_of
from napari_multifidus.models.slice_level import LevelFinder, SliceLevelInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_multifidus.models.drawing import DrawingState

    Array = NDArray[np.float64]


class Images:
    """The images of a session, with what is slow to find in them and stays while one draws.

    Parameters
    ----------
    exam, series
        All images, and the series that is outlined.
    shared
        Landmarks and levels that all raters of the exam share.
    """

    def __init__(self, exam: Exam, series: Series, shared: RoiSet | None) -> None:
        self.exam, self.series, self.shared = exam, series, shared
        self.reader = SliceReader(exam, series)
        self._finder: tuple[object, LevelFinder] | None = None

    def level_finder(
        self, landmarks: tuple[Landmark, ...], protocol: MeasurementProtocol
    ) -> LevelFinder:
        """Return what landmarks say about the slices; the last answer is kept."""
        asked = (landmarks, protocol)
        if self._finder is None or self._finder[0] != asked:
            self._finder = asked, LevelFinder.of(self.exam, landmarks, protocol)
        return self._finder[1]


@dataclass(frozen=True, slots=True)
class OutlineRow:
    """One row of the table of outlines: where, what, what it measures, how it was graded."""

    slice_index: int
    key: LayerKey
    level: Level | None
    numbers: Numbers
    grades: tuple[tuple[str, int], ...] = ()


class Analysis:
    """What follows from one drawing under one protocol.

    Parameters
    ----------
    drawing, images, protocol
        What is drawn, on what, and how it is measured.

    Attributes
    ----------
    exam, series, shared
        Of the images: all of them, the series that is outlined, what raters share.
    """

    def __init__(
        self, drawing: DrawingState, images: Images, protocol: MeasurementProtocol
    ) -> None:
        self.drawing, self.protocol = drawing, protocol
        self._images = images
        self.exam, self.series, self.shared = images.exam, images.series, images.shared
        self._previews: dict[tuple[LayerKey, int], OutlinePreview] = {}
        self._with_first: tuple[object, OutlinePreviewer] | None = None

    # --- levels --------------------------------------------------------------------------------

    @cached_property
    def level_finder(self) -> LevelFinder:
        """What the landmarks, shared or own, say about the exam's slices."""
        shared = self._images.shared
        marks = shared.landmarks if shared is not None and shared.landmarks else None
        return self._images.level_finder(marks or self.drawing.landmarks, self.protocol)

    @cached_property
    def slice_levels(self) -> tuple[SliceLevelInfo, ...]:
        """Where every slice lies on the spine, and what is doubtful about that."""
        series = self._images.series
        return tuple(
            self.level_finder.slice_level(series, index, *self.typed_level(index))
            for index in range(len(series.slices))
        )

    def level_of(self, index: int) -> tuple[Level | None, SlicePosition]:
        """Return the level of a slice as its rows say it: typed by hand, else by landmarks."""
        settled = self.slice_levels[index].settled
        return settled.level, settled.slice_position

    def typed_level(self, index: int) -> tuple[Level | None, SlicePosition]:
        """Return the level that was assigned to a slice: shared, typed, else by its outlines."""
        uid = self._images.series.slices[index].uid
        for shared in self._images.shared.levels if self._images.shared is not None else ():
            if shared.slice_uid == uid:
                return shared.level, shared.slice_position
        return self.drawing.typed_level(index, uid)

    def level_warnings(self, index: int) -> tuple[str, ...]:
        """Say what is doubtful about a slice's level, tilt and place; one line each."""
        problem = self.level_finder.problem
        wrong = (f"landmarks: {problem}",) if problem else ()
        return (*wrong, *self.slice_levels[index].warnings(self.protocol))

    def not_measurable(self, key: LayerKey, index: int) -> NotMeasurable | None:
        """Return why a structure cannot be measured at a slice's level; None where it can."""
        wanted = (self.level_of(index)[0], key.side, key.structure)
        return next(
            (
                found
                for found in self.drawing.not_measurable
                if found.reading in {None, self.drawing.reading}
                and (found.level, found.side, found.structure) == wanted
            ),
            None,
        )

    # --- measurements --------------------------------------------------------------------------

    def rois_to_measure(self) -> RoiSet:
        """Return the reading with the levels that raters share.

        Raises
        ------
        LevelError
            If the reading contradicts them.
        """
        rois, shared = self.drawing.rois(self._images.series), self._images.shared
        return rois if shared is None else with_shared_levels(rois, shared, self._images.exam)

    @cached_property
    def _measured(self) -> tuple[Measurements, ExamCalibration] | MultifidusError:
        try:
            return measure_calibrated(self._images.exam, self.rois_to_measure(), self.protocol)
        except MultifidusError as error:
            return error

    def _result(self) -> tuple[Measurements, ExamCalibration]:
        if isinstance(self._measured, MultifidusError):
            raise self._measured
        return self._measured

    def measure(self) -> Measurements:
        """Measure all outlines, as :func:`multifidus.measure` does.

        Raises
        ------
        MultifidusError
            If left and right are swapped, or pixels cannot be read.
        """
        return self._result()[0]

    @property
    def error(self) -> MultifidusError | None:
        """What :meth:`measure` raises; None where it measures."""
        return self._measured if isinstance(self._measured, MultifidusError) else None

    @property
    def refusal(self) -> str:
        """Why nothing can be measured; empty where it can."""
        return "" if self.error is None else str(self.error)

    @cached_property
    def obstacle(self) -> Obstacle | None:
        """What makes the reading unmeasurable, or a side doubtful, and what mends it."""
        if self.error is None:
            return doubtful_side(self._across, self.series)
        shared = self.shared is not None
        return refused(
            self.error, self.drawing, self._across, series=self.series, levels_are_shared=shared
        )

    @cached_property
    def _across(self) -> tuple[WrongSide, ...]:
        """The outlines that lie across the midline; it is looked for only where there are some."""
        if self.error is None and not any(
            Flag.SIDE_DOUBTFUL in row.flags for row in self.measure()
        ):
            return ()
        try:
            placed = in_order(place(self.rois_to_measure(), self.exam), self.exam)
        except MultifidusError:
            # Then this is what measuring raised, and its own words say it.
            return ()
        return wrong_sides(placed, self.level_finder.resolver.spine)

    @cached_property
    def _rows_by_key(self) -> dict[RoiKey, list[Measurement]]:
        found: dict[RoiKey, list[Measurement]] = {}
        for row in self.measure():
            found.setdefault(row.key, []).append(row)
        return found

    def numbers(self, key: LayerKey, index: int) -> Numbers | None:
        """Return what is measured of a structure on a slice; None where nothing is drawn."""
        problem = self.drawing.problem(key, index)
        if problem:
            return Numbers(problem=problem)
        rois = self.drawing.outlines.get((key, index), ())
        if not rois:
            return None
        if self.refusal:
            return Numbers(area_mm2=sum(roi.area_mm2 for roi in rois))
        rows = [row for roi in rois for row in self._rows_by_key[roi.key]]
        return numbers_of(rows, shown_methods(self.protocol))

    def absence_words(self, key: LayerKey, index: int) -> str:
        """Say why a structure has no outline on a slice."""
        if (key, index) in self.drawing.half_drawn:
            return "not closed yet, not measured"
        known = self.not_measurable(key, index)
        if known is None:
            return "not drawn"
        why = known.note or known.reason.value.replace("_", " ")
        return f"not measurable: {why}"

    @cached_property
    def outline_rows(self) -> tuple[OutlineRow, ...]:
        """Everything drawn, slice by slice, with its numbers and grades."""
        return tuple(self._outline_row(*where) for where in self.drawing.in_slice_order())

    def _outline_row(self, key: LayerKey, index: int) -> OutlineRow:
        level = self.level_of(index)[0]
        grades = tuple(
            (scheme, value)
            for (scheme, graded, side), value in self.drawing.own_grades.items()
            if key.structure is Structure.MULTIFIDUS and (graded, side) == (level, key.side)
        )
        return OutlineRow(index, key, level, self.numbers(key, index) or Numbers(), grades)

    # --- previews ------------------------------------------------------------------------------

    def preview(
        self, key: LayerKey, index: int, loops: Sequence[Array] | None = None
    ) -> OutlinePreview:
        """Return numbers and pixels of what is drawn, or of paths that are still in motion.

        They are measured as :meth:`measure` does, by the calibration of what is drawn; the fat
        signal fraction of paths in motion waits until they rest.
        """
        if loops is not None:
            return self._preview(key, index, loops)
        if (key, index) not in self._previews:
            found = self._preview(key, index, self.drawing.loops(key, index), at_rest=True)
            self._previews[key, index] = found
        return self._previews[key, index]

    def _preview(
        self, key: LayerKey, index: int, loops: Sequence[Array], *, at_rest: bool = False
    ) -> OutlinePreview:
        if not loops:
            return OutlinePreview(Numbers())
        before = self.drawing.outlines.get((key, index), ())
        if at_rest and len(before) == 1:
            roi = before[0]
        else:
            model = before[0] if before and not key.holds_samples else None
            image, marks = self._images.series.slices[index], NewOutlines(self.drawing.reading)
            try:
                roi = make_outline(key, image, loops, marks, before=model)
            except RoiError as error:
                return OutlinePreview(Numbers(problem=problem_of(loops) or error.message))
        if not roi.area_mm2:
            return OutlinePreview(Numbers(problem=problem_of(loops)))
        try:
            return self._preview_of(roi, index, moving=not at_rest)
        except MultifidusError:
            # Nothing is measured now; `refusal` says why.
            return OutlinePreview(Numbers(area_mm2=roi.area_mm2))

    def _preview_of(self, roi: Roi, index: int, *, moving: bool) -> OutlinePreview:
        typed = self.typed_level(index)
        artefacts = [
            other
            for other in self.drawing.on_slice(index)
            if other.key.structure is Structure.ARTEFACT
        ]
        found = self._previewer.preview(roi, index, typed, artefacts, moving=moving)
        if found is None:
            # The first muscle: its own pixels decide about the threshold, at every new point.
            with_it = self._previewer_with(roi)
            found = with_it.preview(roi, index, typed, artefacts, moving=moving)
        return found or OutlinePreview(Numbers(area_mm2=roi.area_mm2))

    @cached_property
    def _previewer(self) -> OutlinePreviewer:
        return OutlinePreviewer(self._result()[1], self._images.reader)

    def _previewer_with(self, roi: Roi) -> OutlinePreviewer:
        """Return what previews by the calibration that there is with one more outline."""
        asked = (roi.key, roi.n_points)
        if self._with_first is None or self._with_first[0] != asked:
            rois = self.rois_to_measure()
            others = tuple(other for other in rois if other.key != roi.key)
            with_it = replace(rois, rois=(*others, roi))
            calibration = measure_calibrated(self._images.exam, with_it, self.protocol)[1]
            self._with_first = asked, OutlinePreviewer(calibration, self._images.reader)
        return self._with_first[1]
