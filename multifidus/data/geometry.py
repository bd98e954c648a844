"""Planes in the patient: where the pixels of one slice lie.

One frame is used throughout: DICOM patient coordinates (LPS: x to the patient's left, y to
posterior, z to the head) in millimetres. Pixels are (row, column); whole numbers are pixel
centres.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.numeric_input import plain_numbers
from multifidus.errors import GeometryError, MultifidusError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Vector = Array | tuple[float, float, float]

MINIMAL_AXIS_SINE = 1e-3
"""Row and column steps closer to parallel than this (sine of their angle) span no plane."""

FARTHEST_MM = 1e6
"""Places and steps larger than this are damage, and too large to be computed with."""

SAME_PLANE_MM = 1e-2
"""Planes whose corners agree within this distance are the same plane."""

PATIENT_Z = (0.0, 0.0, 1.0)
"""The long axis of the patient, to the head."""

SAME_DIRECTION_DEG = 0.2
"""Planes whose axes differ by less than this are parallel: scanners write angles with noise."""


class Orientation(StrEnum):
    """The anatomical plane that a slice is nearest to."""

    AXIAL = "axial"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"


def readonly(
    values: ArrayLike,
    shape: tuple[int, ...],
    name: str,
    error: type[MultifidusError] = GeometryError,
) -> Array:
    """Copy values into a read-only float64 array of a given shape, or refuse them.

    Raises
    ------
    MultifidusError
        ``error``, if the shape differs or a value is not a finite number.
    """
    array = plain_numbers(values, f"the values of {name}", error)
    if array.shape != shape or not np.isfinite(array).all():
        msg = f"{name} must be finite numbers of shape {shape}, got {values!r}."
        raise error(msg)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """What parallel planes of one spacing share."""

    row_step_mm: Array
    column_step_mm: Array
    pixel_spacing_mm: tuple[float, float]
    pixel_area_mm2: float
    normal: Array
    to_row_column: Array


@lru_cache(maxsize=256)
def _grid(row_step: bytes, column_step: bytes) -> _Grid:
    """Work out once what parallel planes share; bytes tell 0 from -0, which are equal."""
    row, column = np.frombuffer(row_step), np.frombuffer(column_step)
    spacing = math.hypot(*row), math.hypot(*column)
    across = cross(column, row)
    pixel_area = math.hypot(*across)
    if pixel_area <= MINIMAL_AXIS_SINE * spacing[0] * spacing[1]:
        msg = f"row_step_mm {row.tolist()} and column_step_mm {column.tolist()} span no plane."
        raise GeometryError(msg, remedy="Check the orientation and pixel spacing of the image.")
    # A step's dual is at right angles to the other step and to the normal.
    duals = np.array((cross(across, column), cross(row, across))) / pixel_area**2
    return _Grid(
        row,
        column,
        spacing,
        pixel_area,
        readonly(np.array(across) / pixel_area, (3,), "normal"),
        readonly(duals, (2, 3), "duals"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A pixel grid in patient millimetres (LPS).

    ``patient_mm = origin_mm + row * row_step_mm + column * column_step_mm``

    Three vectors allow any tilt, non-square pixels and flipped axes.

    Parameters
    ----------
    origin_mm
        Centre of pixel (0, 0), shape (3,).
    row_step_mm
        From a pixel to the one in the next row, shape (3,). In DICOM,
        ``ImageOrientationPatient[3:6] * PixelSpacing[0]``.
    column_step_mm
        From a pixel to the one in the next column, shape (3,). In DICOM,
        ``ImageOrientationPatient[0:3] * PixelSpacing[1]``.

    Attributes
    ----------
    pixel_spacing_mm
        Distance between rows and between columns, as DICOM's PixelSpacing orders them.
    pixel_area_mm2
        Area of one pixel.
    normal
        Unit normal, ``column_step x row_step``, shape (3,); head-wards on a standard axial image.

    Raises
    ------
    GeometryError
        If a vector is not three finite numbers of at most ``FARTHEST_MM``, or the two steps span
        no plane.

    Examples
    --------
    >>> plane = Plane((0, 0, 50), row_step_mm=(0, 0.5, 0), column_step_mm=(0.5, 0, 0))
    >>> plane.to_patient([(2, 4)]).tolist()
    [[2.0, 1.0, 50.0]]
    >>> plane.pixel_area_mm2
    0.25
    """

    origin_mm: Array
    row_step_mm: Array
    column_step_mm: Array
    pixel_spacing_mm: tuple[float, float] = field(init=False, repr=False)
    pixel_area_mm2: float = field(init=False, repr=False)
    normal: Array = field(init=False, repr=False)
    _to_row_column: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = ("origin_mm", "row_step_mm", "column_step_mm")
        origin, row, column = (np.array(getattr(self, n), dtype=np.float64) for n in names)
        if not origin.shape == row.shape == column.shape == (3,) or not all(
            -FARTHEST_MM <= number <= FARTHEST_MM
            for number in (*origin.tolist(), *row.tolist(), *column.tolist())
        ):
            for name in names:
                readonly(getattr(self, name), (3,), name)
            msg = f"An image further out or larger than {FARTHEST_MM:g} mm: {origin.tolist()}."
            raise GeometryError(msg, remedy="Check the position and pixel spacing of the image.")
        origin.flags.writeable = False
        grid = _grid(row.tobytes(), column.tobytes())
        for name, value in (
            ("origin_mm", origin),
            ("row_step_mm", grid.row_step_mm),
            ("column_step_mm", grid.column_step_mm),
            ("pixel_spacing_mm", grid.pixel_spacing_mm),
            ("pixel_area_mm2", grid.pixel_area_mm2),
            ("normal", grid.normal),
            ("_to_row_column", grid.to_row_column),
        ):
            object.__setattr__(self, name, value)

    @property
    def orientation(self) -> Orientation:
        """The anatomical plane whose normal is nearest."""
        nearest = int(np.argmax(np.abs(self.normal)))
        return (Orientation.SAGITTAL, Orientation.CORONAL, Orientation.AXIAL)[nearest]

    @property
    def numbers(self) -> tuple[float, ...]:
        """The nine numbers: origin, row step, column step."""
        return (*self.origin_mm.tolist(), *self.row_step_mm.tolist(), *self.column_step_mm.tolist())

    def to_patient(self, pixels: ArrayLike) -> Array:
        """Map (row, column) pixels, shape (n, 2), to patient millimetres, shape (n, 3)."""
        return np.stack(self.axes_mm(pixels), axis=1)

    def axes_mm(self, pixels: ArrayLike) -> tuple[Array, Array, Array]:
        """Map (row, column) pixels, shape (n, 2), to their patient x, y and z, shape (n,) each."""
        row, column = np.array(np.asarray(pixels).reshape(-1, 2).T, dtype=np.float64, order="C")
        # Element by element, not as a matrix product: equal pixels give equal points, to the bit,
        # wherever they stand in the array. Outlines that touch at a corner depend on it.
        x, y, z = (
            start + row * down + column * across
            for start, down, across in zip(
                self.origin_mm, self.row_step_mm, self.column_step_mm, strict=True
            )
        )
        return x, y, z

    def to_pixels(self, points_mm: ArrayLike) -> Array:
        """Map patient millimetres, shape (n, 3), to (row, column), shape (n, 2).

        A point off the plane is projected onto it along the normal.
        """
        x, y, z = (np.asarray(points_mm, dtype=np.float64) - self.origin_mm).reshape(-1, 3).T
        return np.stack([x * a + y * b + z * c for a, b, c in self._to_row_column], axis=1)

    def distance_mm(self, points_mm: ArrayLike) -> Array:
        """Signed distance of points, shape (n, 3), along the normal, shape (n,)."""
        offset = np.asarray(points_mm, dtype=np.float64) - self.origin_mm
        return np.asarray(offset @ self.normal)

    def corners_mm(self, shape: tuple[int, int]) -> Array:
        """Outer corners of an image of (rows, columns) pixels, shape (4, 3), in turn around it."""
        bottom, right = shape[0] - 0.5, shape[1] - 0.5
        return self.to_patient([(-0.5, -0.5), (-0.5, right), (bottom, right), (bottom, -0.5)])

    def crossing_mm(self, shape: tuple[int, int], other: Plane) -> Array | None:
        """Where an image of (rows, columns) pixels on this plane cuts another plane.

        Parameters
        ----------
        shape
            Rows and columns of the image; its outer border ends the cut.
        other
            The plane that is cut, without end.

        Returns
        -------
        array or None
            Both ends of the cut, LPS, shape (2, 3); None where the image does not reach the plane
            or lies in it.
        """
        corners = self.corners_mm(shape)
        heights = other.distance_mm(corners)
        following, next_heights = np.roll(corners, -1, axis=0), np.roll(heights, -1)
        # The border of a rectangle passes through a plane twice, or not at all.
        passing = (heights < 0) != (next_heights < 0)
        if not passing.any():
            return None
        share = (heights[passing] / (heights[passing] - next_heights[passing]))[:, None]
        return np.asarray((1 - share) * corners[passing] + share * following[passing])

    def is_same(self, other: Plane, shape: tuple[int, int]) -> bool:
        """Whether two planes put an image of (rows, columns) pixels at one place."""
        ours, theirs = self.numbers, other.numbers
        # As numbers, not as arrays: of four corners those take ten times as long.
        return ours == theirs or all(
            abs(mine - yours) <= SAME_PLANE_MM
            for mine, yours in zip(_corners(ours, shape), _corners(theirs, shape), strict=True)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plane) and self.numbers == other.numbers

    def __hash__(self) -> int:
        return hash(self.numbers)


def _corners(plane: Sequence[float], shape: tuple[int, int]) -> Iterator[float]:
    """Yield the coordinates of :meth:`Plane.corners_mm` of a plane's nine numbers."""
    bottom, right = shape[0] - 0.5, shape[1] - 0.5
    for start, down, across in zip(plane[:3], plane[3:6], plane[6:], strict=True):
        for row in (-0.5, bottom):
            for column in (-0.5, right):
                yield start + row * down + column * across


def cross(first: Vector, second: Vector) -> tuple[float, float, float]:
    """Cross product of two vectors of shape (3,), many times faster than numpy's own."""
    (a, b, c), (x, y, z) = map(float, first), map(float, second)
    return b * z - c * y, c * x - a * z, a * y - b * x


def tilt_deg(normal: ArrayLike, axis: ArrayLike = PATIENT_Z) -> float:
    """Signed tilt of a slice against an axis, in the sagittal plane that holds the axis.

    That plane is at right angles to the patient's x as nearly as the axis allows; against patient
    z it is the (y, z) plane. Positive where the slice's anterior edge is lower than its posterior
    edge, as it is at L5-S1 against patient z. The signs of normal and axis do not matter. NaN for
    a normal across the plane or an axis along x, which have no tilt.

    Parameters
    ----------
    normal
        Slice normal, LPS, shape (3,).
    axis
        Such as the spine's, LPS, shape (3,), of any length but zero.

    Examples
    --------
    >>> round(tilt_deg((0, -0.5, 0.8660254)), 6)
    30.0
    >>> round(tilt_deg((0, -0.5, 0.8660254), axis=(0, -1, 1)), 6)
    -15.0
    """
    x, y, z = unit(axis).tolist()
    if y == 0 and z == 0:
        return float("nan")
    if z < 0 or (z == 0 and y > 0):
        x, y, z = -x, -y, -z
    lateral = np.array((y * y + z * z, -x * y, -x * z))
    lateral /= math.hypot(*lateral)
    across = np.asarray(normal, dtype=np.float64)
    along = float(across @ (x, y, z))
    backwards = float(across @ cross((x, y, z), lateral))
    if backwards == 0 and along == 0:
        return float("nan")
    if along < 0 or (along == 0 and backwards > 0):
        along, backwards = -along, -backwards
    return float(np.degrees(np.arctan2(-backwards, along)))


def unit(vector: ArrayLike) -> Array:
    """Scale a vector, shape (3,), to length 1.

    Raises
    ------
    GeometryError
        If it is not three finite numbers, or zero.
    """
    given = readonly(vector, (3,), "a direction")
    length = math.hypot(*given)
    if length == 0:
        msg = "A direction of length 0 points nowhere."
        raise GeometryError(msg)
    return np.asarray(given / length)


def ras_from_lps(affine_lps: ArrayLike) -> Array:
    """Turn a 4x4 affine to LPS into the same affine to RAS (NIfTI's frame), or back."""
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(affine_lps, dtype=np.float64)


def plane_from_affine(affine_lps: Any, k: int) -> Plane:
    """Take the plane of slice ``k`` from a 4x4 affine of (column, row, slice) indices to LPS."""
    affine = np.asarray(affine_lps, dtype=np.float64)
    return Plane(affine[:3, 3] + k * affine[:3, 2], affine[:3, 1], affine[:3, 0])
