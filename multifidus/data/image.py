"""Images: a slice, the series that holds it, and the exam (one visit) that holds the series.

A typical lumbar axial series is several stacks, each angled to its disc. Every slice therefore
carries its own plane, and stacks are derived from the planes; nothing here assumes one volume.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.acquisition import Acquisition
from multifidus.data.anatomy import choose
from multifidus.data.clinical import UNKNOWN, Clinical
from multifidus.data.flags import Flag
from multifidus.data.geometry import Orientation, Plane, plane_from_affine
from multifidus.data.identity import BidsEntities
from multifidus.data.numeric_input import plain_numbers
from multifidus.data.stacks import EVEN_STEP_MM, stack_flags, stack_order, stack_runs
from multifidus.errors import GeometryError, ReadError

if TYPE_CHECKING:
    import datetime

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


class Weighting(StrEnum):
    """What the signal of a series shows."""

    T1 = "t1"
    T2 = "t2"
    PD = "pd"
    STIR = "stir"
    DIXON_FAT = "dixon_fat"
    DIXON_WATER = "dixon_water"
    DIXON_IN_PHASE = "dixon_in_phase"
    DIXON_OPPOSED_PHASE = "dixon_opposed_phase"
    FAT_FRACTION = "fat_fraction"
    PDFF = "pdff"
    NO_SIGNAL = "no_signal"

    @property
    def is_fat_fraction(self) -> bool:
        """Whether its values are fat fractions, not signal."""
        return self in {Weighting.FAT_FRACTION, Weighting.PDFF}

    LOCALIZER = "localizer"
    UNKNOWN = "unknown"


TO_PCT = {"%": 1.0, "1": 100.0, "[ppth]": 0.1}
"""Factors that make fractions percentages, by the unit of the fractions as UCUM spells it."""

LARGEST_SCALE = 1e30
"""Slopes and intercepts beyond this are damage, and too large to be computed with."""


class StoredPixels:
    """The pixels of one slice as stored, read on first use and kept at their stored precision.

    Parameters
    ----------
    read
        Returns the stored (rows, columns) array; called at most once.
    slope, intercept
        The slice's own rescale: ``value = slope * stored + intercept``.

    Raises
    ------
    ReadError
        If slope or intercept is not a number that can be computed with, or all values would be
        one.
    """

    __slots__ = ("_array", "_hashed", "_read", "intercept", "slope")

    def __init__(
        self, read: Callable[[], NDArray[np.generic]], slope: float = 1.0, intercept: float = 0.0
    ) -> None:
        if not abs(slope) <= LARGEST_SCALE or not abs(intercept) <= LARGEST_SCALE:
            msg = f"Pixels are to be rescaled by slope {slope:g} and intercept {intercept:g}."
            raise ReadError(msg, remedy="Export the image again.")
        if intercept + slope == intercept:
            msg = f"A slope of {slope:g} and an intercept of {intercept:g} make all pixels alike."
            raise ReadError(msg, remedy="Export the image again.")
        self._read = read
        self._array: NDArray[np.generic] | None = None
        self._hashed: hashlib._Hash | None = None
        self.slope = slope
        self.intercept = intercept

    def array(self, shape: tuple[int, int], uid: str) -> NDArray[np.generic]:
        """Return what is stored, read-only, reading it if this is the first time.

        Raises
        ------
        ReadError
            If what was read is not of the shape that the header promised.
        """
        if self._array is None:
            array = self._read()
            if array.shape != shape:
                msg = f"Slice {uid} holds {array.shape} pixels where its header says {shape}."
                raise ReadError(msg, remedy="Export the image again.")
            array.flags.writeable = False
            self._array = array
        return self._array

    def values(self, shape: tuple[int, int], uid: str) -> Array:
        """Return rescaled values, float64 and read-only."""
        values = self.array(shape, uid).astype(np.float64)
        if (self.slope, self.intercept) != (1.0, 0.0):
            values *= self.slope
            values += self.intercept
        values.flags.writeable = False
        return values

    def __getstate__(self) -> tuple[None, dict[str, object]]:
        # A hash that is under way cannot be copied with the rest; it is made again.
        kept = {name: getattr(self, name) for name in self.__slots__}
        return None, kept | {"_hashed": None}

    def hashed(self, values: Array) -> hashlib._Hash:
        """Hash the rescaled values, given at hand: once, as they never change."""
        if self._hashed is None:
            self._hashed = hashlib.sha256(np.ascontiguousarray(values, dtype="<f8").data)
        return self._hashed.copy()


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One image in its own plane; the atom that is measured.

    Parameters
    ----------
    uid
        SOPInstanceUID (``#frame`` added in multi-frame files), or the file hash and ``#k``.
    plane
        Where its pixels lie.
    shape
        (rows, columns).
    stored
        Where its pixels come from; read on first use.
    thickness_mm
        Slice thickness; NaN where unknown.
    """

    uid: str
    plane: Plane
    shape: tuple[int, int]
    stored: StoredPixels
    thickness_mm: float = float("nan")

    @classmethod
    def from_array(
        cls, uid: str, plane: Plane, pixels: ArrayLike, thickness_mm: float = float("nan")
    ) -> Slice:
        """Make a slice from pixels in memory, shape (rows, columns).

        Pixels that are masked have no value: they are NaN.

        Raises
        ------
        GeometryError
            If the pixels are not (rows, columns) of real numbers, or the thickness is negative
            or infinite.
        """
        array = plain_numbers(pixels, f"the pixels of slice {uid}", GeometryError)
        if array.ndim != 2:  # noqa: PLR2004 - a slice is two-dimensional
            msg = f"The pixels of slice {uid} must be (rows, columns), got shape {array.shape}."
            raise GeometryError(msg)
        if thickness_mm < 0 or np.isinf(thickness_mm):
            msg = f"Slice {uid} cannot be {thickness_mm:g} mm thick."
            raise GeometryError(msg, remedy="Give its thickness in millimetres; NaN if unknown.")
        rows, columns = array.shape
        return cls(uid, plane, (rows, columns), StoredPixels(lambda: array), thickness_mm)

    @property
    def pixels(self) -> Array:
        """Rescaled pixel values, (rows, columns) float64, read-only; a new array at each call."""
        return self.stored.values(self.shape, self.uid)

    @property
    def stored_pixels(self) -> NDArray[np.generic]:
        """Pixels before rescaling, at their stored type, (rows, columns), read-only."""
        return self.stored.array(self.shape, self.uid)

    def sha256(self, pixels: Array | None = None) -> str:
        """Hash what is measured: rescaled pixels, then the plane's numbers to 1e-6 mm.

        Classic and Enhanced copies of one scan agree. Pixels already at hand can be passed in.
        """
        values = self.pixels if pixels is None else pixels
        digest = self.stored.hashed(values)
        digest.update((np.round(self.plane.numbers, 6) + 0.0).astype("<f8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A run of parallel, evenly spaced slices of one size; at least one slice.

    Attributes
    ----------
    slices
        In their series' order.
    step_mm
        From each slice to the next, LPS, shape (3,); None for a single slice.
    flags
        Quality flags of where its slices lie, alone and beside the series' other stacks.
    """

    slices: tuple[Slice, ...]
    flags: tuple[Flag, ...] = ()
    step_mm: Array | None = field(init=False)

    def __post_init__(self) -> None:
        step = None
        if len(self.slices) > 1:
            first, last = self.slices[0].plane.origin_mm, self.slices[-1].plane.origin_mm
            step = (last - first) / (len(self.slices) - 1)
        object.__setattr__(self, "step_mm", step)

    @property
    def slice_step_mm(self) -> float | None:
        """Distance between neighbouring slice planes; None for a single slice."""
        if self.step_mm is None:
            return None
        return abs(float(self.step_mm @ self.slices[0].plane.normal))

    @property
    def affine_lps(self) -> Array | None:
        """4x4 affine of (column, row, slice) indices to LPS millimetres.

        None where no regular grid puts every slice within ``EVEN_STEP_MM`` of its own plane. For
        a single slice the third step is its thickness (1 mm where unknown) along its normal.
        """
        plane = self.slices[0].plane
        step = self.step_mm
        if step is None:
            thickness = self.slices[0].thickness_mm
            step = plane.normal * (thickness if np.isfinite(thickness) and thickness > 0 else 1.0)
        affine = np.eye(4)
        affine[:3] = np.stack((plane.column_step_mm, plane.row_step_mm, step, plane.origin_mm)).T
        shape = self.slices[0].shape
        for k, item in enumerate(self.slices):
            apart = plane_from_affine(affine, k).corners_mm(shape) - item.plane.corners_mm(shape)
            if np.linalg.norm(apart, axis=1).max() > EVEN_STEP_MM:
                return None
        return affine


@dataclass(frozen=True, slots=True)
class ScannerRun:
    """What tells one run of the scanner from the next; kept inside, never shown or written.

    Parameters
    ----------
    repeat
        Which repeat of several it is, such as a position in time; empty where unknown.
    marks
        What images made of the same data share, the most telling first; empty where unknown.
    scale
        What the scale of the signal is known by: images may be divided by each other where it is
        one and the same.
    """

    repeat: str = ""
    marks: tuple[str, ...] = ()
    scale: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Slices acquired together, in stack order.

    Parameters
    ----------
    acquisitions
        All that headers of its slices say, in an order of their content, where they do not say
        the same; ``acquisition`` is the first slice's.
    flags
        Quality flags of the whole series; those of one stack stand with the stack.
    signal_group
        Series of one group have their signal on one scale, such as the stacks of one acquisition
        that a converter put into files of their own; a series without one stands alone.
    run
        Which run of the scanner made it, as far as headers tell.
    unit
        Of its values, in UCUM's spelling, where a header declares one and fat fractions are meant.
    entities
        Whose it is by the name of its file; kept inside, never shown or written.

    Attributes
    ----------
    stacks
        Runs of parallel, evenly spaced slices, derived from the planes.
    """

    uid: str
    slices: tuple[Slice, ...]
    weighting: Weighting = Weighting.UNKNOWN
    frame_of_reference_uid: str = ""
    acquisition: Acquisition = Acquisition()  # noqa: RUF009 - frozen
    flags: tuple[Flag, ...] = ()
    signal_group: str = ""
    run: ScannerRun = field(default=ScannerRun(), repr=False)
    unit: str = ""
    entities: BidsEntities = field(default=BidsEntities(), repr=False)
    acquisitions: tuple[Acquisition, ...] = ()
    stacks: tuple[Stack, ...] = field(init=False)

    def __post_init__(self) -> None:
        choose(self, {"weighting": Weighting}, GeometryError)
        if not self.slices:
            msg = f"Series {self.uid} has no slices."
            raise GeometryError(msg)
        planes, shapes = [s.plane for s in self.slices], [s.shape for s in self.slices]
        runs = stack_runs(planes, shapes)
        by_stack = stack_flags(planes, shapes, runs)
        stacks = tuple(
            Stack(tuple(self.slices[i] for i in run), flags)
            for run, flags in zip(runs, by_stack, strict=True)
        )
        object.__setattr__(self, "stacks", stacks)

    @property
    def all_flags(self) -> tuple[Flag, ...]:
        """Its own flags, then those of its stacks, each once."""
        flags = (self.flags, *(stack.flags for stack in self.stacks))
        return tuple(dict.fromkeys(flag for given in flags for flag in given))

    def stack_at(self, index: int) -> Stack:
        """Return the stack that a slice stands in, by the slice's 0-based place in the series."""
        ends = accumulate(len(stack.slices) for stack in self.stacks)
        return next(s for s, end in zip(self.stacks, ends, strict=True) if index < end)

    def flags_at(self, index: int) -> tuple[Flag, ...]:
        """Return the quality flags of one slice: the series' own and its stack's."""
        return tuple(dict.fromkeys((*self.flags, *self.stack_at(index).flags)))

    @property
    def orientation(self) -> Orientation:
        """The anatomical plane that most of its slices are nearest to."""
        found = [item.plane.orientation for item in self.slices]
        return max(Orientation, key=found.count)


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """One visit of one subject: the series acquired then.

    "Study" is avoided: a DICOM study is an exam, a research study is a cohort.

    Attributes
    ----------
    subject, timepoint
        As the cohort names them; neutral numbers where a folder is read without one.
    date, identity
        Date of the exam, and what the scanner knows the subject by: kept inside to put exams
        together and in order, never shown or written.
    series
        In order of their UID.
    clinical
        What the research study knows beyond the images.
    """

    subject: str
    timepoint: str
    series: tuple[Series, ...]
    date: datetime.date | None = field(default=None, repr=False)
    identity: str = field(default="", repr=False)
    clinical: Clinical = UNKNOWN

    def find_slice(self, uid: str) -> tuple[Series, int] | None:
        """Return the series and index of the slice with this UID, or None."""
        for series in self.series:
            for index, item in enumerate(series.slices):
                if item.uid == uid:
                    return series, index
        return None

    def find_slices(self, plane: Plane, shape: tuple[int, int]) -> list[tuple[Series, int]]:
        """Return every series and index whose slice lies on this very pixel grid."""
        return [
            (series, index)
            for series in self.series
            for index, item in enumerate(series.slices)
            if item.shape == shape and item.plane.is_same(plane, shape)
        ]


def in_stack_order(slices: Iterable[Slice]) -> tuple[Slice, ...]:
    """Sort slices into stack order (see :func:`multifidus.data.stacks.stack_order`)."""
    found = tuple(slices)
    order = stack_order([item.plane for item in found], [item.shape for item in found])
    return tuple(found[index] for index in order)
