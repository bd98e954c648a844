"""The sagittal locator: which slice is shown, which landmark comes next, and what a click does.

Knows neither napari nor Qt. Places are those of :mod:`napari_multifidus.models.sagittal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level
from multifidus.data.image import Series
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.errors import LevelError
from napari_multifidus.models import landmark_edits as edits
from napari_multifidus.models.sagittal import (
    SagittalScene,
    all_landmarks,
    frame_warning,
    sagittal_series,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_multifidus.models.sagittal import Place
    from napari_multifidus.models.session import Session

    Array = NDArray[np.float64]
    Commit = Callable[[tuple[Landmark, ...]], object]

NO_SAGITTAL = "This exam has no sagittal series: assign levels to the axial slices by hand."


@dataclass(frozen=True, slots=True, eq=False)
class LocatorState:
    """What a person has chosen in the locator; landmarks are the session's.

    Attributes
    ----------
    series
        The sagittal series that is shown; None where the exam has none.
    index
        The sagittal slice that is shown.
    is_marking
        Whether a click marks a level, or goes to a slice.
    kind, level
        What is marked next; no level when all are marked.
    from_sacrum
        Whether levels are counted from the sacrum up, or from the head down.
    has_l6
        Whether the spine has six lumbar vertebrae.
    cursor
        Where the keyboard points, shape (2,); None where it has not been moved.
    """

    series: Series | None = None
    index: int = 0
    is_marking: bool = False
    kind: LandmarkKind = LandmarkKind.DISC_CENTRE
    level: Level | None = None
    from_sacrum: bool = True
    has_l6: bool = False
    cursor: Array | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """What can be marked, in the order in which it is asked for."""
        down = edits.levels_down(self.kind, has_l6=self.has_l6)
        return down[::-1] if self.from_sacrum else down

    @property
    def words(self) -> str:
        """What the next click marks."""
        if self.level is None:
            return "All levels are marked."
        return f"{self.kind.replace('_', ' ')} of {self.level}"

    def stepped(self, count: int) -> LocatorState:
        """Return the state with the next level active, or the one before, marked or not."""
        levels = self.levels
        if self.level is None:
            return replace(self, level=levels[0 if count > 0 else -1], cursor=None)
        place = (levels.index(self.level) + count) % len(levels)
        return replace(self, level=levels[place], cursor=None)

    def advanced(self, landmarks: tuple[Landmark, ...]) -> LocatorState:
        """Return the state with the next level active that is not marked yet; none if all are."""
        level = edits.next_level(landmarks, self.kind, self.levels, self.level)
        return replace(
            self, level=level, cursor=None, is_marking=self.is_marking and level is not None
        )


class Locator:
    """The locator of a session.

    Parameters
    ----------
    session
        The exam, its slices and landmarks.
    commit
        Takes over other landmarks; the session's own way if None.
    from_sacrum
        Whether levels are counted from the sacrum up.

    Attributes
    ----------
    state
        What is chosen.
    choices
        The sagittal series of the exam, the best one first.
    """

    def __init__(
        self, session: Session, commit: Commit | None = None, *, from_sacrum: bool = True
    ) -> None:
        self.session = session
        self.choices = sagittal_series(session.exam, session.series)
        self.state = LocatorState(
            from_sacrum=from_sacrum,
            has_l6=any(mark.level in edits.L6_LEVELS for mark in all_landmarks(session)),
        )
        self._commit = commit or session.set_landmarks
        self._scene: tuple[object, SagittalScene] | None = None
        if self.choices:
            self.choose_series(self.choices[0])
        self._advance()

    # --- what is shown -------------------------------------------------------------------------

    @property
    def warning(self) -> str:
        """Why landmarks cannot be, or what is wrong with the sagittal images; else nothing."""
        series = self.state.series
        images = NO_SAGITTAL if series is None else frame_warning(series, self.session.series)
        return self.session.analysis.level_finder.problem or images

    @property
    def scene(self) -> SagittalScene:
        """The sagittal slice with cut lines and landmarks.

        Raises
        ------
        LevelError
            If the exam has no sagittal series.
        """
        series = self.state.series
        if series is None:
            raise LevelError(NO_SAGITTAL)
        item = series.slices[self.state.index]
        key = (self.session.analysis, item)
        if self._scene is None or self._scene[0] != key:
            self._scene = key, SagittalScene.of(self.session, item)
        return self._scene[1]

    def choose_series(self, series: Series) -> None:
        """Show a sagittal series: the slice nearest to the landmarks, else to the axial slices."""
        points = [mark.position_mm for mark in all_landmarks(self.session)] or [
            item.plane.corners_mm(item.shape).mean(axis=0) for item in self.session.series.slices
        ]
        middle = np.mean(points, axis=0)
        away = [abs(float(item.plane.distance_mm([middle])[0])) for item in series.slices]
        self.state = replace(self.state, series=series, index=int(np.argmin(away)), cursor=None)

    def scroll(self, count: int) -> None:
        """Show a sagittal slice further on; where the keyboard points stays."""
        if self.state.series is not None:
            last = len(self.state.series.slices) - 1
            self.state = replace(self.state, index=min(max(self.state.index + count, 0), last))

    # --- what is marked next -------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        """Whether nothing can be marked: levels are shared, or the reading is finished."""
        return self.session.shared is not None or self.session.locked

    @property
    def prompt(self) -> str:
        """What the next click marks, or why it marks nothing."""
        if self.is_locked:
            whose = "Shared by all raters" if self.session.shared is not None else "Finished"
            return f"{whose}, locked."
        return self.state.words

    def set_marking(self, *, on: bool) -> None:
        """Mark levels by clicks, or go to slices by them."""
        self.state = replace(self.state, is_marking=on)
        if on and self.state.level is None:
            self.step(1)

    def activate(self, kind: LandmarkKind, level: Level) -> None:
        """Let the next click mark this."""
        self.state = replace(self.state, kind=kind, level=level, cursor=None)

    def step(self, count: int) -> None:
        """Let the next click mark the next level, or the one before, marked or not."""
        self.state = self.state.stepped(count)

    def set_kind(self, kind: LandmarkKind) -> None:
        """Mark another kind of place."""
        self._restart(kind=kind)

    def set_direction(self, *, from_sacrum: bool) -> None:
        """Count from the sacrum up, or from the head down."""
        self._restart(from_sacrum=from_sacrum)

    def _restart(self, **changes: LandmarkKind | bool) -> None:
        self.state = replace(self.state, level=None, **changes)  # type: ignore[arg-type] # by name
        self._advance()

    def _advance(self) -> None:
        self.state = self.state.advanced(all_landmarks(self.session))

    # --- the keyboard's cursor -----------------------------------------------------------------

    @property
    def cursor(self) -> Array:
        """Where the keyboard points, shape (2,): on the active landmark, or where it may be."""
        if self.state.cursor is None:
            projection, state = self.scene.projection, self.state
            size = np.array(projection.size_mm)
            likely = (
                None
                if state.level is None
                else edits.likely_position(
                    all_landmarks(self.session), state.kind, state.level, has_l6=state.has_l6
                )
            )
            place = size / 2 if likely is None else projection.to_view(likely[None])[0]
            self.state = replace(state, cursor=np.clip(place, 0, size))
        assert self.state.cursor is not None  # noqa: S101 - narrows the type; set above
        return self.state.cursor

    def nudge(self, right_mm: float, down_mm: float) -> None:
        """Move the keyboard's cursor."""
        moved = np.add(self.cursor, (right_mm, down_mm))
        size = self.scene.projection.size_mm
        self.state = replace(self.state, cursor=np.clip(moved, 0, size))

    # --- landmarks -----------------------------------------------------------------------------

    def place(self, place: Place) -> bool:
        """Mark the active level at a place, instead of an older mark, and go on to the next."""
        state, projection = self.state, self.scene.projection
        if state.level is None or state.series is None:
            return False
        new = Landmark(state.kind, state.level, projection.to_patient(place))
        self._take(edits.placed(self.session.drawing.landmarks, new, state.series, projection))
        done = new in self.session.drawing.landmarks
        if done and new.kind is not LandmarkKind.CAGE:
            self._advance()
        return done

    def move(self, landmark: Landmark, place: Place) -> bool:
        """Put a landmark of this reading elsewhere, onto the sagittal slice that is shown."""
        moved = replace(landmark, position_mm=self.scene.projection.to_patient(place))
        self._take(moved if mark is landmark else mark for mark in self.session.drawing.landmarks)
        return moved in self.session.drawing.landmarks

    def delete(self, landmark: Landmark) -> bool:
        """Delete a landmark of this reading."""
        self._take(mark for mark in self.session.drawing.landmarks if mark is not landmark)
        return landmark not in self.session.drawing.landmarks

    def delete_active(self) -> bool:
        """Delete the landmark of the active level."""
        own = edits.landmarks_at(self.session.drawing.landmarks, self.state.kind, self.state.level)
        return bool(own) and self.delete(own[-1])

    def set_l6(self, *, has_l6: bool) -> None:
        """Count six lumbar vertebrae, or five; landmarks are renamed from the sacrum up.

        Raises
        ------
        LevelError
            If there are more landmarks than levels.
        """
        if has_l6 != self.state.has_l6:
            self._take(edits.renumbered(self.session.drawing.landmarks, to_l6=has_l6))
            self._restart(has_l6=has_l6)

    def shift_levels(self, down: int) -> None:
        """Rename every landmark so many levels further down: the count began wrongly.

        Raises
        ------
        LevelError
            If a level would leave the lumbar spine.
        """
        self._take(edits.shifted(self.session.drawing.landmarks, down, has_l6=self.state.has_l6))
        self._restart()

    def _take(self, landmarks: Iterable[Landmark]) -> None:
        self._commit(tuple(landmarks))
        self.state = replace(self.state, cursor=None)
