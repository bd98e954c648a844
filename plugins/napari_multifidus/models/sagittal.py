"""The sagittal image beside the slices, as it is shown: cut lines of the slices, and landmarks.

Knows neither napari nor Qt. Places are millimetres on the sagittal image as it is shown: to the
right (posterior) and down (caudal), from its upper left corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level
from multifidus.data.geometry import Orientation
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.landmark import Landmark
from napari_multifidus.models.slice_projection import SliceProjection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_multifidus.models.session import Session

    Array = NDArray[np.float64]
    Place = tuple[float, float]

_PREFERRED = (Weighting.T2, Weighting.T1, Weighting.PD)


@dataclass(frozen=True, slots=True, eq=False)
class CutLine:
    """Where an axial slice cuts the sagittal image.

    Attributes
    ----------
    ends
        Shape (2, 2): right, down.
    level
        Of the slice, if known.
    is_flagged
        Whether there are warnings about the slice.
    """

    slice_index: int
    ends: Array
    level: Level | None
    is_flagged: bool

    def distance_mm(self, place: Place) -> float:
        """Distance of a place from the line between its ends."""
        start, along = self.ends[0], self.ends[1] - self.ends[0]
        length = float(along @ along)
        share = 0.0 if length == 0 else float((np.array(place) - start) @ along) / length
        nearest = start + min(max(share, 0.0), 1.0) * along
        return float(np.hypot(*(np.array(place) - nearest)))


@dataclass(frozen=True, slots=True, eq=False)
class ShownLandmark:
    """A landmark as it is shown.

    Attributes
    ----------
    place
        Shape (2,): right, down.
    off_mm
        How far from the sagittal slice it lies.
    is_locked
        Whether all raters share it.
    """

    landmark: Landmark
    place: Array
    off_mm: float
    is_locked: bool


def sagittal_series(exam: Exam, beside: Series) -> tuple[Series, ...]:
    """Return the sagittal series of an exam, the best to find levels on first.

    Those in the frame of reference of the axial series come first, localizers last.
    """

    def rank(series: Series) -> tuple[object, ...]:
        frame = series.frame_of_reference_uid
        known = series.weighting in _PREFERRED
        return (
            frame != beside.frame_of_reference_uid,
            series.weighting is Weighting.LOCALIZER,
            _PREFERRED.index(series.weighting) if known else len(_PREFERRED),
            -len(series.slices),
        )

    found = [series for series in exam.series if series.orientation is Orientation.SAGITTAL]
    return tuple(sorted(found, key=rank))


def frame_warning(sagittal: Series, axial: Series) -> str:
    """Warn where two series lie in different frames of reference; else nothing."""
    frames = {sagittal.frame_of_reference_uid, axial.frame_of_reference_uid}
    if len(frames - {""}) > 1:
        return "Sagittal and axial images have different frames of reference: check the levels."
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class SagittalScene:
    """Everything that is drawn over one sagittal slice.

    Attributes
    ----------
    lines
        The cut line of every axial slice that reaches the sagittal one.
    landmarks
        Every landmark, those that raters share first.
    """

    projection: SliceProjection
    lines: tuple[CutLine, ...]
    landmarks: tuple[ShownLandmark, ...]

    @classmethod
    def of(cls, session: Session, item: Slice) -> SagittalScene:
        """Project a session's slices and landmarks on a sagittal slice."""
        projection, locked = SliceProjection.sagittal(item), _locked(session)
        lines = (_line(session, index, projection) for index in range(len(session.series.slices)))
        return cls(
            projection,
            tuple(line for line in lines if line is not None),
            tuple(
                _show_landmark(projection, landmark, is_locked=landmark in locked)
                for landmark in all_landmarks(session)
            ),
        )

    def line_at(self, place: Place, reach_mm: float) -> CutLine | None:
        """Return the cut line nearest to a place, unless it is further than this."""
        near = min(self.lines, key=lambda line: line.distance_mm(place), default=None)
        return near if near is not None and near.distance_mm(place) <= reach_mm else None

    def landmark_at(self, place: Place, reach_mm: float) -> ShownLandmark | None:
        """Return the landmark nearest to a place, unless it is further than this."""

        def away(shown: ShownLandmark) -> float:
            return float(np.hypot(*(shown.place - place)))

        near = min(self.landmarks, key=away, default=None)
        return near if near is not None and away(near) <= reach_mm else None


def all_landmarks(session: Session) -> tuple[Landmark, ...]:
    """Return every landmark of a session, those that raters share first."""
    locked = _locked(session)
    return (*locked, *(mark for mark in session.drawing.landmarks if mark not in locked))


def _locked(session: Session) -> tuple[Landmark, ...]:
    return session.shared.landmarks if session.shared is not None else ()


def _line(session: Session, index: int, projection: SliceProjection) -> CutLine | None:
    item = session.series.slices[index]
    ends = item.plane.crossing_mm(item.shape, projection.item.plane)
    if ends is None:
        return None
    flagged = bool(session.analysis.level_warnings(index))
    return CutLine(index, projection.to_view(ends), session.analysis.level_of(index)[0], flagged)


def _show_landmark(
    projection: SliceProjection, landmark: Landmark, *, is_locked: bool
) -> ShownLandmark:
    point = landmark.position_mm[None]
    away = abs(float(projection.item.plane.distance_mm(point)[0]))
    return ShownLandmark(landmark, projection.to_view(point)[0], away, is_locked)
