"""Where a DICOM image lies: its position, directions and pixel spacing as a plane."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane
from multifidus.errors import ReadError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ORTHOGONAL = 1e-3
"""Orientation vectors within this of orthonormal (dot product, length) are taken as they are."""

ROUNDED_LENGTH = 0.01
"""Orientation vectors whose length differs from 1 by more than this are refused: rounding each
number to two digits changes a length by 0.0087 at most."""

ROUNDED_SKEW = 0.0175
"""Orientation vectors whose dot product is larger are refused: two digits leave 0.0174 at most."""

ROUNDED_DIGITS = 2
"""Directions written with no more decimals than this are rounded, unless they lie along the axes.

Rounding moves each of six numbers by 0.005 at most, and the nearest directions at right angles
by 0.0124 at most in all (the bound of the polar factor): the plane is turned by 0.71 degrees at
most, and a place 300 mm from the first pixel moves by 3.7 mm at most. Three digits, which are not
told from exact ones, turn it by 0.071 degrees and move such a place by 0.37 mm at most.
"""

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""A decimal string as DICOM defines it; Python would also read 1_0 as ten."""

_SAME_NUMBER = 1e-12
"""Numbers that differ by less are written alike."""


def decimal(text: str, name: str) -> float:
    """Return a number that is written as text.

    Raises
    ------
    ReadError
        If it is none; names its element.
    """
    number = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(number):
        msg = f"{name} is {text!r}, which is no finite number."
        raise ReadError(msg, remedy="Export the image again.")
    return number


def plane_of(
    position: tuple[str, ...], orientation: tuple[str, ...], spacing: tuple[str, ...]
) -> tuple[Plane, tuple[Flag, ...]]:
    """Return an image's plane and its quality flags.

    Parameters
    ----------
    position, orientation, spacing
        ImagePositionPatient, ImageOrientationPatient and PixelSpacing, as they are written.

    Raises
    ------
    ReadError
        If a number is none, the directions are not orthonormal, or the spacing is not positive.
    """
    origin = np.array([decimal(part, "ImagePositionPatient") for part in position])
    row_step, column_step, flags = _steps(orientation, spacing)
    return Plane(origin, row_step, column_step), flags


@lru_cache(maxsize=256)
def _steps(
    orientation: tuple[str, ...], spacing: tuple[str, ...]
) -> tuple[Array, Array, tuple[Flag, ...]]:
    """Return the steps from row to row and column to column, in mm, which many slices share."""
    directions = np.array([decimal(part, "ImageOrientationPatient") for part in orientation])
    row_mm, column_mm = (decimal(part, "PixelSpacing") for part in spacing)
    if not (row_mm > 0 and column_mm > 0):
        msg = f"PixelSpacing {row_mm:g}, {column_mm:g} is not positive."
        raise ReadError(msg)
    along_row, along_column, flags = _directions(directions)
    # The spacing is what says how far pixels are apart; stored with few digits, the directions
    # are slightly longer or shorter than 1.
    row_step = along_column / math.hypot(*along_column) * row_mm
    return row_step, along_row / math.hypot(*along_row) * column_mm, flags


def _directions(found: Array) -> tuple[Array, Array, tuple[Flag, ...]]:
    """Return the directions along a row and a column: as they are, or put at right angles.

    Raises
    ------
    ReadError
        If they are further from orthonormal than rounding can have moved them.
    """
    along_row, along_column = found[:3], found[3:]
    off = max(abs(math.hypot(*vector) - 1) for vector in (along_row, along_column))
    skew = abs(float(along_row @ along_column))
    if not (off <= ROUNDED_LENGTH and skew <= ROUNDED_SKEW):
        msg = f"ImageOrientationPatient {found.tolist()} is not orthonormal."
        raise ReadError(msg, remedy="Export the image again, with its directions in full.")
    if off <= ORTHOGONAL and skew <= ORTHOGONAL and not _is_rounded(found):
        return along_row, along_column, ()
    # The nearest pair of unit vectors at right angles favours neither of the two.
    left, _, right = np.linalg.svd(found.reshape(2, 3), full_matrices=False)
    nearest = left @ right
    return nearest[0], nearest[1], (Flag.ORIENTATION_ROUNDED,)


def _is_rounded(found: Array) -> bool:
    """Whether oblique directions have so few decimals that they must be rounded."""
    few = all(abs(number - round(number, ROUNDED_DIGITS)) < _SAME_NUMBER for number in found)
    return few and any(number != round(number) for number in found)
