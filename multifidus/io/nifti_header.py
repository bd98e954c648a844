"""What a NIfTI header says about where its image lies, and whether it contradicts itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.flags import Flag
from multifidus.errors import GeometryError
from multifidus.io.grid import upright

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SAME_VOXEL = 1e-3
"""Voxel sizes of sform and qform that differ by more than this share are in conflict."""

SAME_PLACE_MM = 0.1
"""Corners that sform and qform put further apart than this are in conflict."""


@dataclass(frozen=True, slots=True, eq=False)
class NiftiHeader:
    """What a header says, before it is judged; the affine is to RAS."""

    coded: bool
    affine_mm: Array
    pixdim_mm: Array
    to_mm: Array
    stored: np.dtype[Any]
    slope: float
    intercept: float


def pixdim(image: Any) -> Array:
    """Return the voxel size as it stands in the file, 3 numbers: nibabel makes 1 of a 0."""
    header = image.file_map.get("header", image.file_map["image"])
    with header.get_prepare_fileobj("rb") as file:
        stored = type(image.header).from_fileobj(file, check=False)
    return np.abs(np.asarray(stored["pixdim"][1:4], dtype=np.float64))


def placed(
    image: Any, header: NiftiHeader, shape: tuple[int, ...], path: Path
) -> tuple[Array, float | None]:
    """Return the affine, and the slice thickness where it is not the length of the third step.

    A single slice need not say how thick it is. By the standard, pixdim counts for the axes that
    there are.

    Raises
    ------
    GeometryError
        If the image is placed by its qform, and pixdim lacks a voxel size.
    """
    affine, by_qform = header.affine_mm, int(image.header["sform_code"]) <= 0
    sizes = header.pixdim_mm if by_qform else np.linalg.norm(affine[:3, :3], axis=0)
    no_third = sizes[2] == 0 or (by_qform and len(image.shape) == 2)  # noqa: PLR2004
    if by_qform and not (sizes[: 2 if shape[2] == 1 else 3] > 0).all():
        msg = f"{path} is placed by its qform, and its pixdim is {sizes.round(4).tolist()}."
        raise GeometryError(msg, remedy="Convert it again from DICOM.")
    return (upright(affine), math.nan) if shape[2] == 1 and no_third else (affine, None)


def conflict(image: Any, header: NiftiHeader, path: Path) -> tuple[Flag, ...]:
    """Compare what a NIfTI header says in several ways; the first, its sform, is used.

    Raises
    ------
    GeometryError
        If sform and qform disagree about the size of a voxel, on which every area depends.
    """
    if int(image.header["sform_code"]) <= 0:
        return ()
    other = _by_qform(image, header)
    if other is None:
        return _spacing_conflict(image, header)
    if not np.isfinite(other).all():
        return (Flag.AFFINE_CONFLICT, *_spacing_conflict(image, header))
    affine = header.affine_mm
    axes = slice(0, max(len(image.shape[:3]), 2))
    ours, theirs = (np.linalg.norm(form[:3, axes], axis=0) for form in (affine, other))
    if np.abs(ours - theirs).max() > SAME_VOXEL * ours.max():
        msg = (
            f"The sform and qform of {path} disagree about its voxels: {ours.round(4).tolist()} "
            f"and {theirs.round(4).tolist()}."
        )
        raise GeometryError(msg, remedy="Convert it again from DICOM.")
    last = np.array((*image.shape[:3], 1)[:3]) - 1
    corners = np.array([np.where(pick, last, 0) for pick in np.ndindex(2, 2, 2)])
    apart = corners @ (affine - other)[:3, :3].T + (affine - other)[:3, 3]
    return (Flag.AFFINE_CONFLICT,) if np.abs(apart).max() > SAME_PLACE_MM else ()


def _by_qform(image: Any, header: NiftiHeader) -> Array | None:
    """Return the affine of the qform in mm, NaN where its quaternion is none; None without one."""
    try:
        with np.errstate(all="ignore"):
            placed = image.header.get_qform(coded=True)[0]
    except ValueError:
        return np.full((4, 4), np.nan)
    return None if placed is None else np.asarray(header.to_mm @ placed)


def _spacing_conflict(image: Any, header: NiftiHeader) -> tuple[Flag, ...]:
    """Compare the voxel size of pixdim with that of the sform, for the axes that it names.

    Where a qform is coded it rests on pixdim, and is compared itself.
    """
    axes = min(len(image.shape), 3)
    named = header.pixdim_mm[:axes]
    used = np.linalg.norm(header.affine_mm[:3, :axes], axis=0)
    off = (named > 0) & (np.abs(named - used) > SAME_VOXEL * used)
    return (Flag.SPACING_CONFLICT,) if off.any() else ()
