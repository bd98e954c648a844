"""Siemens mosaics: many slices tiled in one image, which their private header tells apart.

The position in the public header is that of the whole mosaic, taken for one large image of the same
centre (https://nipy.org/nibabel/dicom/dicom_mosaic.html). How many tiles there are and which way
they follow each other stands in the private CSA header alone; where de-identification has taken it
out, the mosaic is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.geometry import Plane
from multifidus.errors import ReadError
from multifidus.io.dicom.header import quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARALLEL = 1e-3
"""Normals of the private and the public header that differ by more than this contradict."""

MOST_TILES = 1024
"""Headers that promise more slices in one image are damaged."""

_REMEDY = "Export the series as single slices or as Enhanced MR, with its private header."


@dataclass(frozen=True, slots=True)
class Tile:
    """One slice of a mosaic.

    Parameters
    ----------
    plane
        Where its pixels lie.
    rows, columns
        Which pixels of the mosaic are its own.
    """

    plane: Plane
    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def cut(self, mosaic: NDArray[Any]) -> NDArray[Any]:
        """Return its pixels, shape (rows, columns)."""
        return mosaic[self.rows, self.columns].copy()


def tiles(path: Path, plane: Plane, shape: tuple[int, int]) -> list[Tile]:
    """Return the slices of a mosaic in the order in which they are tiled.

    Parameters
    ----------
    path
        The file, whose private header is read.
    plane, shape
        Of the whole mosaic, as its public header has them.

    Raises
    ------
    ReadError
        If the header lacks the number of tiles, their distance or their direction, or contradicts
        itself.
    """
    count, step_mm, normal = _facts(path)
    side = math.ceil(math.sqrt(max(count, 1)))
    rows, columns = shape[0] // side, shape[1] // side
    if not 1 <= count <= MOST_TILES or (rows * side, columns * side) != shape:
        raise _refused(f"{count} tiles do not fill {shape[0]} x {shape[1]} pixels")
    cosine = float(normal @ plane.normal)
    if not abs(abs(cosine) - 1) <= PARALLEL:
        raise _refused("its private header has another direction than its orientation")
    first = plane.to_patient([((shape[0] - rows) / 2, (shape[1] - columns) / 2)])[0]
    step = math.copysign(step_mm, cosine) * plane.normal
    return [
        Tile(
            Plane(first + number * step, plane.row_step_mm, plane.column_step_mm),
            slice(number // side * rows, (number // side + 1) * rows),
            slice(number % side * columns, (number % side + 1) * columns),
        )
        for number in range(count)
    ]


def _facts(path: Path) -> tuple[int, float, NDArray[np.float64]]:
    """Return how many tiles there are, how far apart, and the direction in which they follow."""
    from pydicom import dcmread

    with quiet():
        import nibabel.nicom.csareader

        # Its header was read before, so it is DICOM, with a preamble or without.
        dataset = dcmread(path, stop_before_pixels=True, force=True)
        reader: Any = nibabel.nicom.csareader
        private = reader.get_csa_header(dataset)
        step_mm = float(dataset.get("SpacingBetweenSlices") or math.nan)
    known: Mapping[str, Any] = (private or {}).get("tags", {})
    counted, normal, numbering = (
        known.get(name, {}).get("items", [])
        for name in ("NumberOfImagesInMosaic", "SliceNormalVector", "ProtocolSliceNumber")
    )
    if len(counted) != 1 or len(normal) != 3:  # noqa: PLR2004
        raise _refused("its private header with their number and direction was lost")
    if not step_mm > 0:
        raise _refused("its header does not say how far they are apart")
    if any(int(number) != 0 for number in numbering):
        raise _refused("they are numbered from the other end")
    return int(counted[0]), step_mm, np.array(normal, dtype=np.float64)


def _refused(why: str) -> ReadError:
    return ReadError(f"A mosaic, whose slices cannot be told apart: {why}.", remedy=_REMEDY)
