"""The sagittal image beside the slices: cut lines, landmarks, and which landmark comes next.

Knows neither napari nor Qt. Places come in and go out as millimetres on the sagittal image as it
is seen: to the right (posterior) and down (caudal), from its upper left corner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level
from multifidus.data.geometry import PATIENT_Z, Orientation
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.errors import LevelError
from multifidus.spine.curve import CAGES_APART_MM, DISC_STEP_MM
from napari_multifidus.models.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Commit = Callable[[tuple[Landmark, ...]], object]

_EXTRA = frozenset({Level.L5_L6, Level.L6, Level.L6_S1})
"""Levels of a spine with six lumbar vertebrae."""

_NOT_ASKED = frozenset({Level.T12, Level.T12_L1})
"""Levels that can be marked, and are not asked for."""

_PREFERRED = (Weighting.T2, Weighting.T1, Weighting.PD)

_PERCENTILES = (1.0, 99.5)


@dataclass(frozen=True, slots=True, eq=False)
class SagittalProjection:
    """How one sagittal slice is seen: anterior on the left, head up.

    Parameters
    ----------
    item
        The slice.
    transposed
        Whether rows run from left to right.
    flipped
        Whether pixels are counted from below, and from the right.
    """

    item: Slice
    transposed: bool
    flipped: tuple[bool, bool]

    @classmethod
    def of(cls, item: Slice) -> SagittalProjection:
        """Find how a slice has to be turned."""
        row, column = item.plane.row_step_mm, item.plane.column_step_mm
        transposed = bool(abs(column[2]) > abs(row[2]))
        down, right = (column, row) if transposed else (row, column)
        return cls(item, transposed, (bool(down[2] > 0), bool(right[1] < 0)))

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height."""
        height, width = (
            count * mm
            for count, mm in zip(self.item.shape, self.item.plane.pixel_spacing_mm, strict=True)
        )
        return (height, width) if self.transposed else (width, height)

    def to_view(self, points_mm: Array) -> Array:
        """Map patient points, shape (n, 3), to places (right, down), shape (n, 2)."""
        spacing = self.item.plane.pixel_spacing_mm
        down, right = ((self.item.plane.to_pixels(points_mm) + 0.5) * spacing).T
        if self.transposed:
            down, right = right, down
        width, height = self.size_mm
        from_below, from_right = self.flipped
        return np.stack(
            (width - right if from_right else right, height - down if from_below else down), axis=1
        )

    def to_patient(self, place: tuple[float, float]) -> Array:
        """Map a place (right, down) to the patient, shape (3,)."""
        width, height = self.size_mm
        from_below, from_right = self.flipped
        right = width - place[0] if from_right else place[0]
        down = height - place[1] if from_below else place[1]
        row, column = (right, down) if self.transposed else (down, right)
        row_mm, column_mm = self.item.plane.pixel_spacing_mm
        found = self.item.plane.to_patient([(row / row_mm - 0.5, column / column_mm - 0.5)])
        return np.asarray(found[0])

    def turned(self, pixels: Array) -> Array:
        """Turn pixels as they are seen, first row on top."""
        seen = pixels.T if self.transposed else pixels
        seen = seen[::-1] if self.flipped[0] else seen
        return seen[:, ::-1] if self.flipped[1] else seen


@dataclass(frozen=True, slots=True, eq=False)
class CutLine:
    """Where an axial slice cuts the sagittal image.

    Attributes
    ----------
    ends
        Shape (2, 2): right, down.
    level
        Of the slice, if known.
    is_doubtful
        Whether there are warnings about the slice.
    """

    slice_index: int
    ends: Array
    level: Level | None
    is_doubtful: bool

    def distance_mm(self, place: tuple[float, float]) -> float:
        """Distance of a place from the line between its ends."""
        start, along = self.ends[0], self.ends[1] - self.ends[0]
        length = float(along @ along)
        share = 0.0 if length == 0 else float((np.array(place) - start) @ along) / length
        nearest = start + min(max(share, 0.0), 1.0) * along
        return float(np.hypot(*(np.array(place) - nearest)))


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A landmark as it is seen.

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


def levels_down(kind: LandmarkKind, *, six: bool) -> tuple[Level, ...]:
    """List what a kind of landmark can mark, from cranial to caudal."""
    of_discs = kind in {LandmarkKind.DISC_CENTRE, LandmarkKind.CAGE}
    other = {Level.L5_S1} if six else _EXTRA
    return tuple(level for level in Level if level.is_disc == of_discs and level not in other)


class LocatorModel:
    """What the locator shows of a session, and what a click on it means.

    Parameters
    ----------
    session
        The exam, its slices and landmarks.
    commit
        Takes over other landmarks; the session's own way if None.

    Attributes
    ----------
    current
        The axial slice in hand.
    index
        The sagittal slice that is seen.
    kind, hand
        What is marked next; the hand is empty when all is marked.
    marking
        Whether a click marks, or goes to a slice.
    upwards
        Whether levels are counted from the sacrum up.
    """

    def __init__(
        self, session: Session, commit: Commit | None = None, *, upwards: bool = True
    ) -> None:
        self.session = session
        self._commit = commit or session.set_landmarks
        self.choices = sagittal_series(session.exam, session.series)
        self.series = self.choices[0] if self.choices else None
        self.current = 0
        self.index = 0
        self.marking = False
        self.upwards = upwards
        self.six = any(mark.level in _EXTRA for mark in self._landmarks)
        self.kind = LandmarkKind.DISC_CENTRE
        self.hand: Level | None = None
        self._cursor: Array | None = None
        self._lines: tuple[object, tuple[CutLine, ...]] | None = None
        self._view: SagittalProjection | None = None
        self.go_to_midline()
        self.take_next()

    # --- what is seen --------------------------------------------------------------------------

    @property
    def note(self) -> str:
        """Say what is wrong with the sagittal images, or that there are none."""
        if self.series is None:
            return "This exam has no sagittal series: type the levels beside the axial slices."
        frames = {self.series.frame_of_reference_uid, self.session.series.frame_of_reference_uid}
        if len(frames - {""}) > 1:
            return "Sagittal and axial images lie in different frames of reference: look twice."
        return ""

    @property
    def problem(self) -> str:
        """Say why the landmarks cannot be; nothing where they can."""
        return self.session.analysis.level_finder.problem

    @property
    def view(self) -> SagittalProjection:
        """The sagittal slice as it is seen.

        Raises
        ------
        LevelError
            If the exam has no sagittal series.
        """
        if self.series is None:
            raise LevelError(self.note)
        item = self.series.slices[self.index]
        if self._view is None or self._view.item is not item:
            self._view = SagittalProjection.of(item)
        return self._view

    def picture(self) -> NDArray[np.uint8]:
        """Return the sagittal slice as it is seen, in greys."""
        pixels = self.view.item.pixels
        low, high = np.percentile(pixels, _PERCENTILES)
        scaled = (pixels - low) / max(float(high - low), 1e-9)
        grey = np.clip(self.view.turned(scaled) * 255, 0, 255)
        return np.ascontiguousarray(grey.astype(np.uint8))

    def choose(self, series: Series) -> None:
        """Show another sagittal series."""
        self.series = series
        self._cursor = None
        self.go_to_midline()

    def go_to_midline(self) -> None:
        """Show the sagittal slice nearest to the landmarks, else to the axial slices' middle."""
        if self.series is None:
            return
        points = [mark.position_mm for mark in self._landmarks] or [
            item.plane.corners_mm(item.shape).mean(axis=0) for item in self.session.series.slices
        ]
        middle = np.mean(points, axis=0)
        away = [abs(float(s.plane.distance_mm([middle])[0])) for s in self.series.slices]
        self.index = int(np.argmin(away))

    def scroll(self, count: int) -> None:
        """Show a sagittal slice further on; what the keyboard points at stays where it is seen."""
        if self.series is not None:
            self.index = min(max(self.index + count, 0), len(self.series.slices) - 1)

    def lines(self) -> tuple[CutLine, ...]:
        """Return the cut line of every axial slice that reaches the sagittal one."""
        key = (self.session.analysis, self.view)
        if self._lines is None or self._lines[0] != key:
            found = (self._line(index) for index in range(len(self.session.series.slices)))
            self._lines = key, tuple(line for line in found if line is not None)
        return self._lines[1]

    def _line(self, index: int) -> CutLine | None:
        item = self.session.slice(index)
        ends = item.plane.crossing_mm(item.shape, self.view.item.plane)
        if ends is None:
            return None
        doubts = self.session.analysis.level_warnings(index)
        level = self.session.analysis.level_of(index)[0]
        return CutLine(index, self.view.to_view(ends), level, bool(doubts))

    def line_at(self, place: tuple[float, float], reach_mm: float) -> CutLine | None:
        """Return the cut line nearest to a place, unless it is further than this."""
        near = min(self.lines(), key=lambda line: line.distance_mm(place), default=None)
        return near if near is not None and near.distance_mm(place) <= reach_mm else None

    @property
    def _landmarks(self) -> tuple[Landmark, ...]:
        locked = self.session.locked_landmarks
        return (*locked, *(mark for mark in self.session.landmarks if mark not in locked))

    def marks(self) -> tuple[Mark, ...]:
        """Return every landmark as it is seen, shared ones first."""
        locked = self.session.locked_landmarks
        return tuple(self._mark(mark, is_locked=mark in locked) for mark in self._landmarks)

    def _mark(self, landmark: Landmark, *, is_locked: bool) -> Mark:
        point = landmark.position_mm[None]
        away = abs(float(self.view.item.plane.distance_mm(point)[0]))
        return Mark(landmark, self.view.to_view(point)[0], away, is_locked)

    def mark_at(self, place: tuple[float, float], reach_mm: float) -> Mark | None:
        """Return the landmark nearest to a place, unless it is further than this."""

        def away(mark: Mark) -> float:
            return float(np.hypot(*(mark.place - place)))

        near = min(self.marks(), key=away, default=None)
        return near if near is not None and away(near) <= reach_mm else None

    # --- what is marked next -------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        """Whether nothing can be marked: levels are shared, or the reading is finished."""
        return self.session.shared is not None or self.session.locked

    @property
    def levels(self) -> tuple[Level, ...]:
        """What can be marked, in the order in which it is asked for."""
        down = levels_down(self.kind, six=self.six)
        return down[::-1] if self.upwards else down

    def take(self, level: Level | None) -> None:
        """Take a level in hand: the next click marks it."""
        self.hand = level
        self._cursor = None

    def take_next(self) -> None:
        """Take in hand what follows and is not marked yet; nothing if all is."""
        asked = [level for level in self.levels if level not in _NOT_ASKED]
        start = asked.index(self.hand) + 1 if self.hand in asked else 0
        order = (*asked[start:], *asked[:start])
        self.take(next((level for level in order if not self._of(level)), None))
        if self.hand is None:
            self.marking = False

    def step(self, count: int) -> None:
        """Take the next level in hand, or the one before, marked or not."""
        levels = self.levels
        if self.hand is None:
            self.take(levels[0] if count > 0 else levels[-1])
            return
        self.take(levels[(levels.index(self.hand) + count) % len(levels)])

    def set_kind(self, kind: LandmarkKind) -> None:
        """Mark another kind of place."""
        self.kind = kind
        self.take(None)
        self.take_next()

    def set_direction(self, *, upwards: bool) -> None:
        """Count from the sacrum up, or from the head down."""
        self.upwards = upwards
        self.take(None)
        self.take_next()

    @property
    def hand_words(self) -> str:
        """Say what the next click marks."""
        if self.is_locked:
            whose = "Shared by all raters" if self.session.shared is not None else "Finished"
            return f"{whose}, locked."
        if self.hand is None:
            return "All levels are marked."
        return f"{self.kind.replace('_', ' ')} of {self.hand}"

    def _of(self, level: Level) -> tuple[Landmark, ...]:
        return tuple(m for m in self._landmarks if m.kind is self.kind and m.level is level)

    # --- the keyboard's point ------------------------------------------------------------------

    @property
    def cursor(self) -> Array:
        """Where the keyboard points, shape (2,): on the landmark in hand, or where it may be."""
        if self._cursor is None:
            width, height = self.view.size_mm
            guess = self._guess()
            middle = np.array((width / 2, height / 2))
            place = middle if guess is None else self.view.to_view(guess[None])[0]
            self._cursor = np.clip(place, 0, (width, height))
        return self._cursor

    def nudge(self, right_mm: float, down_mm: float) -> None:
        """Move the keyboard's point."""
        self._cursor = np.clip(np.add(self.cursor, (right_mm, down_mm)), 0, self.view.size_mm)

    def confirm(self) -> bool:
        """Mark where the keyboard points."""
        right, down = self.cursor.tolist()
        return self.place((right, down))

    def _guess(self) -> Array | None:
        """Guess where the level in hand may be, from what is marked; shape (3,)."""
        if self.hand is None:
            return None
        own = self._of(self.hand)
        if own:
            return own[0].position_mm
        down = levels_down(LandmarkKind.DISC_CENTRE, six=self.six)
        discs = {
            down.index(mark.level): mark.position_mm
            for mark in self._landmarks
            if mark.kind is LandmarkKind.DISC_CENTRE and mark.level in down
        }
        beside = self._disc_beside(self.hand)
        if beside not in down or not discs:
            return None
        return _along(discs, down.index(beside))

    def _disc_beside(self, level: Level) -> Level | None:
        """Return the disc that a level is, or that its endplate faces."""
        if level.is_disc:
            return level
        above = self.kind is LandmarkKind.SUPERIOR_ENDPLATE
        for disc in levels_down(LandmarkKind.DISC_CENTRE, six=self.six):
            upper, lower = disc.split("-")
            if level == (lower if above else upper):
                return disc
        return None

    # --- landmarks -----------------------------------------------------------------------------

    def place(self, place: tuple[float, float]) -> bool:
        """Mark what is in hand at a place, in the stead of an older mark, and take the next."""
        if self.hand is None:
            return False
        made = Landmark(self.kind, self.hand, self.view.to_patient(place))
        old = self._replaced_by(made)
        kept = tuple(mark for mark in self.session.landmarks if mark is not old)
        self._commit((*kept, made))
        done = made in self.session.landmarks
        if done and self.kind is not LandmarkKind.CAGE:
            self.take_next()
        self._cursor = None
        return done

    def _replaced_by(self, made: Landmark) -> Landmark | None:
        """Return the landmark that a new one replaces; a disc may hold a cage on either side."""
        old = [m for m in self.session.landmarks if (m.kind, m.level) == (made.kind, made.level)]
        if made.kind is LandmarkKind.CAGE:
            lone = len(old) == 1 and self._mark(old[0], is_locked=False).off_mm > self._half_gap
            old = [] if lone else old
        return min(old, key=lambda mark: _apart(mark, made), default=None)

    @property
    def _half_gap(self) -> float:
        """Half the distance of the sagittal slices; the widest a cage can be where there is one."""
        slices = self.series.slices if self.series is not None else ()
        gaps = [
            abs(float(b.plane.distance_mm([a.plane.origin_mm])[0])) for a, b in pairwise(slices)
        ]
        return min(gaps, default=CAGES_APART_MM) / 2

    def move(self, landmark: Landmark, place: tuple[float, float]) -> bool:
        """Put a landmark of this reading elsewhere, onto the sagittal slice that is seen."""
        moved = replace(landmark, position_mm=self.view.to_patient(place))
        marks = (moved if mark is landmark else mark for mark in self.session.landmarks)
        self._commit(tuple(marks))
        self._cursor = None
        return moved in self.session.landmarks

    def delete(self, landmark: Landmark) -> bool:
        """Delete a landmark of this reading."""
        self._commit(tuple(mark for mark in self.session.landmarks if mark is not landmark))
        self._cursor = None
        return landmark not in self.session.landmarks

    def delete_in_hand(self) -> bool:
        """Delete the landmark of the level in hand."""
        own = [mark for mark in self.session.landmarks if self._is_in_hand(mark)]
        return bool(own) and self.delete(own[-1])

    def _is_in_hand(self, mark: Landmark) -> bool:
        return mark.kind is self.kind and mark.level is self.hand

    def set_six(self, *, six: bool) -> None:
        """Count six lumbar vertebrae, or five; what is marked is counted anew from the sacrum up.

        Raises
        ------
        LevelError
            If there are more marks than levels.
        """
        if six == self.six:
            return
        self._commit(_counted_from_sacrum(self.session.landmarks, self.six, six))
        self.six = six
        self.take(None)
        self.take_next()

    def recount(self, down: int) -> None:
        """Name everything marked one level further down, or up: the count began wrongly.

        Raises
        ------
        LevelError
            If a level would leave the lumbar spine.
        """
        self._commit(tuple(_shifted(mark, down, self.six) for mark in self.session.landmarks))
        self.take(None)
        self.take_next()


def _apart(first: Landmark, second: Landmark) -> float:
    return float(np.linalg.norm(first.position_mm - second.position_mm))


def _along(discs: dict[int, Array], wanted: int) -> Array:
    """Go on, evenly, along the nearest marked discs; straight up or down from a single one."""
    near = sorted(discs, key=lambda count: abs(count - wanted))[:2]
    if len(near) == 1:
        return np.asarray(discs[near[0]] - (wanted - near[0]) * DISC_STEP_MM * np.array(PATIENT_Z))
    first, second = near
    step = (discs[second] - discs[first]) / (second - first)
    return np.asarray(discs[first] + (wanted - first) * step)


def _shifted(mark: Landmark, down: int, six: bool) -> Landmark:  # noqa: FBT001 - within
    levels = levels_down(mark.kind, six=six)
    number = levels.index(mark.level) + down
    if not 0 <= number < len(levels):
        msg = (
            f"{mark.level} is marked, and there is no level {'below' if down > 0 else 'above'} it."
        )
        raise LevelError(msg, remedy="Delete that landmark first.")
    return replace(mark, level=levels[number])


def _counted_from_sacrum(
    marks: Iterable[Landmark],
    was_six: bool,  # noqa: FBT001 - within
    six: bool,  # noqa: FBT001 - within
) -> tuple[Landmark, ...]:
    found = []
    for mark in marks:
        before, after = (levels_down(mark.kind, six=number) for number in (was_six, six))
        number = len(before) - before.index(mark.level)
        if number > len(after):
            msg = (
                f"{mark.level} is marked, and with five lumbar vertebrae there is no place for it."
            )
            raise LevelError(msg, remedy="Delete that landmark first.")
        found.append(replace(mark, level=after[-number]))
    return tuple(found)
