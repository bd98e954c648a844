"""Sagittal and coronal sections through a series that is a volume, for the eye alone.

Knows neither napari nor Qt. Nothing is measured on them, and nothing is interpolated: each pixel is
one voxel of the series.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane
from multifidus.data.image import Series, Slice
from napari_multifidus.models.grid import pixel_stack, view_of
from napari_multifidus.models.slice_projection import SliceProjection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Voxel = tuple[float, float, float]

MOST_ANISOTROPY = 2.0
"""Slices further apart than this many pixels make sections in which nothing is recognised."""

FEWEST_SLICES = 20

GAP_MM = 0.1
"""Slices whose distance exceeds their thickness by more have something unseen between them."""

_BROKEN = {Flag.STACK_SHEARED, Flag.SLICES_MISSING, Flag.SLICES_UNEVEN}


def volume_problem(series: Series) -> str:
    """Say why a series is no volume to make sections of; empty where it is one."""
    if len(series.stacks) != 1:
        return f"the series has {len(series.stacks)} stacks of slices"
    (stack,) = series.stacks
    step, first = stack.slice_step_mm, series.slices[0]
    if step is None or len(series.slices) < FEWEST_SLICES:
        return f"the series has only {len(series.slices)} slices"
    if stack.affine_lps is None or not _BROKEN.isdisjoint(series.all_flags):
        return "its slices are not evenly one above the other"
    pixel = max(first.plane.pixel_spacing_mm)
    if step > MOST_ANISOTROPY * pixel:
        return f"its slices are {step:.1f} mm apart, and its pixels are {pixel:.1f} mm"
    thickness = first.thickness_mm
    if not math.isnan(thickness) and step > thickness + GAP_MM:
        return f"there are gaps of {step - thickness:.1f} mm between its slices"
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """The voxels of a series, to be cut.

    Attributes
    ----------
    series
        Whose they are; :func:`volume_problem` has nothing against it.
    voxels
        Shape (slices, rows, columns).
    """

    series: Series
    voxels: NDArray[np.float32]

    @classmethod
    def of(cls, series: Series) -> Volume:
        """Read a series.

        Raises
        ------
        ReadError
            If its pixels cannot be read.
        """
        return cls(series, pixel_stack(series))

    @property
    def middle(self) -> Voxel:
        """The voxel (slice, row, column) in the middle."""
        slices, rows, columns = ((count - 1) / 2 for count in self.voxels.shape)
        return slices, rows, columns

    def sections(self, voxel: Voxel) -> tuple[SliceProjection, SliceProjection]:
        """Return the sagittal and the coronal section through a voxel, as they are shown."""
        _, row, column = self._inside(voxel)
        along_row, along_column = self._section(1, row), self._section(2, column)
        # A column runs from front to back, unless the image lies on its side.
        is_turned = view_of(self.series.slices[0].plane).transposed
        sagittal, coronal = (along_row, along_column) if is_turned else (along_column, along_row)
        return SliceProjection.sagittal(sagittal), SliceProjection.coronal(coronal)

    def _inside(self, voxel: Voxel) -> tuple[int, int, int]:
        slices, rows, columns = (
            min(max(round(at), 0), count - 1)
            for at, count in zip(voxel, self.voxels.shape, strict=True)
        )
        return slices, rows, columns

    def _section(self, axis: int, index: int) -> Slice:
        """Cut along the slices at a row (axis 1) or a column (axis 2)."""
        plane, (stack,) = self.series.slices[0].plane, self.series.stacks
        step_mm = plane.normal * float(stack.step_mm @ plane.normal)  # type: ignore[operator] # it has many slices
        at = (index, 0) if axis == 1 else (0, index)
        across = plane.column_step_mm if axis == 1 else plane.row_step_mm
        cut = Plane(plane.to_patient([at])[0], step_mm, across)
        pixels = np.take(self.voxels, index, axis=axis)
        return Slice.from_array(f"{self.series.uid} {axis} {index}", cut, pixels)

    def point_mm(self, voxel: Voxel) -> Array:
        """Return where a voxel lies, LPS, shape (3,)."""
        plane, (stack,) = self.series.slices[0].plane, self.series.stacks
        return np.asarray(plane.to_patient([voxel[1:]])[0] + voxel[0] * np.asarray(stack.step_mm))

    def voxel_at(self, point_mm: Array) -> Voxel:
        """Return the voxel (slice, row, column) at a point of the patient, inside or not."""
        plane, (stack,) = self.series.slices[0].plane, self.series.stacks
        step = np.asarray(stack.step_mm)
        away = float(plane.normal @ (point_mm - plane.origin_mm)) / float(plane.normal @ step)
        row, column = plane.to_pixels((point_mm - away * step)[None])[0]
        return away, float(row), float(column)
