"""Outlines drawn by a rater, and everything else a rater says about an exam."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import (
    Level,
    RoiRule,
    Side,
    SlicePosition,
    Structure,
    choose,
    word_or_text,
)
from multifidus.data.geometry import Plane
from multifidus.data.polygon import MINIMAL_POINTS, area, first_crossing
from multifidus.errors import RoiError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

OFF_PLANE_MM = 0.05
"""Points further than this from their slice's plane were drawn on another plane."""


class Source(StrEnum):
    """Where an outline comes from."""

    MANUAL = "manual"
    IMPORTED = "imported"
    DRAFT = "draft"
    DRAFT_EDITED = "draft_edited"
    INTERPOLATED = "interpolated"
    CONSENSUS = "consensus"


@dataclass(frozen=True, slots=True, order=True)
class Reading:
    """One rater's one pass over one exam; an outline file holds one.

    Raises
    ------
    RoiError
        If a name is no text, or the reading no whole number from 1 on.
    """

    subject: str = ""
    timepoint: str = ""
    rater: str = ""
    reading: int = 1

    def __post_init__(self) -> None:
        for name in ("subject", "timepoint", "rater"):
            given = getattr(self, name)
            if not isinstance(given, str):
                msg = f"The {name} of a reading must be text, got {given!r}."
                raise RoiError(msg, remedy=f"Give it as text, such as {str(given)!r}.")
        number = _whole(self.reading)
        if number is None or number < 1:
            msg = f"reading counts 1, 2, ..., got {self.reading!r}."
            raise RoiError(
                msg, remedy="Give the number of the reading as a whole number, not text."
            )
        object.__setattr__(self, "reading", number)

    def __str__(self) -> str:
        return (
            f"subject {self.subject or '?'}, timepoint {self.timepoint or '?'}, "
            f"rater {self.rater or '?'}, reading {self.reading}"
        )


def _whole(value: Any) -> int | None:
    """Return a whole number as an int; None of anything else, such as 1.7, True or "2"."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return None
    number = float(value)
    return int(number) if number.is_integer() else None


@dataclass(frozen=True, slots=True, order=True)
class RoiKey:
    """What tells one outline from every other; unique in a :class:`RoiSet`.

    ``name`` tells outlines of one structure apart, such as six lean samples on one slice.
    """

    reading: Reading
    slice_uid: str
    structure: Structure
    side: Side = Side.NONE
    name: str = ""

    def __post_init__(self) -> None:
        choose(self, {"structure": Structure, "side": Side}, RoiError)

    @classmethod
    def as_written(
        cls, reading: Reading, slice_uid: str, *, structure: str, side: str, name: str
    ) -> RoiKey:
        """Return the key of a table's row; unknown structures and sides stay as text.

        A table made by other software may name a muscle as it likes. No outline has such a key.
        """
        key = object.__new__(cls)
        words = (word_or_text(structure, Structure), word_or_text(side, Side))
        for field, value in zip(cls.__slots__, (reading, slice_uid, *words, name), strict=True):
            object.__setattr__(key, field, value)
        return key

    def __str__(self) -> str:
        what = " ".join(filter(None, (self.side.value, self.structure.value, self.name)))
        return f"{what} on slice {self.slice_uid or '?'} ({self.reading})"


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """An outline: closed paths in the plane of one slice, holes and islands by the even-odd rule.

    It carries its plane, so that it finds its slice by geometry where de-identification changed
    the UIDs.

    Parameters
    ----------
    key
        Whose outline of what.
    paths_mm
        Closed paths, each (n, 3), LPS millimetres, the first point not repeated.
    plane, shape
        Pixel grid and (rows, columns) of the slice it was drawn on.
    level, slice_position
        Where the rater says the slice lies; None and unknown where nothing was said.
    roi_rule, source
        By which rule it was drawn, and where it comes from.

    Raises
    ------
    RoiError
        If a path has fewer than three points, leaves the plane, or paths cross; if the shape is
        no size of an image, or a word is none of the choices.
    """

    key: RoiKey
    paths_mm: tuple[Array, ...]
    plane: Plane
    shape: tuple[int, int]
    level: Level | None = None
    slice_position: SlicePosition = SlicePosition.UNKNOWN
    roi_rule: RoiRule = RoiRule.UNKNOWN
    source: Source = Source.MANUAL

    def __post_init__(self) -> None:
        if self.level is not None:
            choose(self, {"level": Level}, RoiError)
        words = {"slice_position": SlicePosition, "roi_rule": RoiRule, "source": Source}
        choose(self, words, RoiError)
        object.__setattr__(self, "shape", _size(self.shape, self.key))
        what = f"the outline of {self.key}"
        object.__setattr__(self, "paths_mm", checked_paths(self.paths_mm, self.plane, what))

    def under(self, key: RoiKey) -> Roi:
        """Return the same outline under another key; its paths were checked when it was made."""
        found = copy(self)
        object.__setattr__(found, "key", key)
        return found

    @property
    def paths(self) -> list[Array]:
        """The paths in pixels, each (n, 2): row, column."""
        return [self.plane.to_pixels(path) for path in self.paths_mm]

    @property
    def n_points(self) -> int:
        """Number of vertices of all its paths."""
        return sum(map(len, self.paths_mm))

    @property
    def area_mm2(self) -> float:
        """Exact even-odd area in its own plane."""
        return area(self.paths) * self.plane.pixel_area_mm2

    @property
    def centroid_mm(self) -> Array:
        """Mean of its vertices, LPS, shape (3,); tells sides apart, nothing finer."""
        return np.asarray(np.concatenate(self.paths_mm).mean(axis=0))

    def sha256(self) -> str:
        """Hash the paths as they are, (n, 3) little-endian float64 one after another."""
        digest = hashlib.sha256()
        for path in self.paths_mm:
            digest.update(np.int64(len(path)).astype("<i8").tobytes())
            digest.update(path.astype("<f8").tobytes())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Roi) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[object, ...]:
        facts = (self.key, self.plane, self.shape, self.level, self.slice_position)
        return (*facts, self.roi_rule, self.source, self.sha256())


def _size(shape: Sequence[int], key: RoiKey) -> tuple[int, int]:
    """Return (rows, columns) as plain whole numbers."""
    found = tuple(shape)
    if len(found) != 2 or not all(part == int(part) > 0 for part in found):  # noqa: PLR2004
        msg = f"The shape of the image under the outline of {key} is {found!r}."
        raise RoiError(msg, remedy="Give (rows, columns), both at least 1.")
    return int(found[0]), int(found[1])


def checked_paths(
    paths_mm: Sequence[ArrayLike] | Array, plane: Plane, what: str = "the outline"
) -> tuple[Array, ...]:
    """Return closed paths as read-only arrays, if they enclose an area in a plane.

    Parameters
    ----------
    paths_mm
        Closed paths, each (n, 3), LPS millimetres, the first point not repeated; a single path
        may be given as one (n, 3) array.
    plane
        The plane they have to lie in.
    what
        Names them in a message.

    Raises
    ------
    RoiError
        If there is no path, one has fewer than three points or a number that is not finite, lies
        more than ``OFF_PLANE_MM`` off the plane, two are one path, or paths cross.
    """
    if isinstance(paths_mm, np.ndarray) and paths_mm.ndim == 2:  # noqa: PLR2004
        paths_mm = (paths_mm,)
    frozen = tuple(_frozen_path(path, plane, what) for path in paths_mm)
    if not frozen:
        msg = f"{what[0].upper()}{what[1:]} has no path."
        raise RoiError(msg, remedy="Draw it, or mark the muscle as not measurable.")
    crossing = first_crossing([plane.to_pixels(path) for path in frozen])
    if crossing is not None:
        x, y, z = plane.to_patient([crossing])[0]
        msg = (
            f"{what[0].upper()}{what[1:]} crosses itself near row {crossing[0]:.1f}, column "
            f"{crossing[1]:.1f} (LPS {x:.1f}, {y:.1f}, {z:.1f} mm)."
        )
        raise RoiError(msg, remedy="Move the vertices there so that no two edges cross.")
    _check_no_repeat(frozen, what)
    return frozen


def _check_no_repeat(paths: Sequence[Array], what: str) -> None:
    """Refuse one path given twice, from whatever point and whichever way round: it would cancel."""
    seen: set[frozenset[bytes]] = set()
    for path in paths if len(paths) > 1 else ():
        # Paths with the same points that do not enclose the same cross each other.
        points = frozenset(point.tobytes() for point in path + 0.0)
        if points in seen:
            msg = f"{what[0].upper()}{what[1:]} has one path twice, which encloses nothing."
            raise RoiError(msg, remedy="Delete one of the two.")
        seen.add(points)


def _frozen_path(path: ArrayLike, plane: Plane, what: str) -> Array:
    array = np.array(path, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 3 or not np.isfinite(array).all():  # noqa: PLR2004
        msg = f"A path of {what} must be (n, 3) finite millimetres, got shape {array.shape}."
        raise RoiError(msg, remedy="Give a list of paths, each (n, 3), without NaN.")
    if len(array) < MINIMAL_POINTS:
        msg = f"A path of {what} has {len(array)} points; an area needs at least three."
        raise RoiError(msg, remedy="Delete it or draw it again.")
    apart = float(np.abs(plane.distance_mm(array)).max())
    if apart > OFF_PLANE_MM:
        msg = f"A path of {what} lies up to {apart:.2f} mm off the plane of its slice."
        raise RoiError(msg, remedy="It belongs to another slice or exam; load it with that one.")
    array.flags.writeable = False
    return array


def check_sides(rois: Iterable[Roi], where: Mapping[str, str] | None = None) -> None:
    """Refuse outlines whose left and right are swapped.

    Where both sides of a structure lie on one slice, the patient's left must have the larger
    LPS x.

    Parameters
    ----------
    rois
        Outlines.
    where
        What slices are called, by their UID; the UID where nothing is said.

    Raises
    ------
    RoiError
        Naming the first pair that is swapped.
    """
    placed: dict[tuple[object, ...], Roi] = {}
    for roi in rois:
        key = roi.key
        placed.setdefault((key.reading, key.slice_uid, key.structure, key.name, key.side), roi)
    for (*rest, side), left in placed.items():
        right = placed.get((*rest, Side.RIGHT))
        if side is not Side.LEFT or right is None:
            continue
        if left.centroid_mm[0] <= right.centroid_mm[0]:
            msg = (
                f"Left and right are swapped: {_called(left.key, where or {})} lies at x = "
                f"{left.centroid_mm[0]:.1f} mm, "
                f"its right side at {right.centroid_mm[0]:.1f} mm (LPS x grows to the left)."
            )
            raise RoiError(
                msg, remedy="Check the label preset, and that the image was not mirrored."
            )


def _called(key: RoiKey, where: Mapping[str, str]) -> str:
    place = where.get(key.slice_uid, f"slice {key.slice_uid or '?'}")
    what = " ".join(filter(None, (key.side.value, key.structure.value, key.name)))
    return f"{what} on {place} ({key.reading})"
