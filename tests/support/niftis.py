"""NIfTI files of known content, written with nibabel."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel
import numpy as np

from multifidus.data.geometry import ras_from_lps
from multifidus.data.image import Series
from multifidus.io.grid import only
from multifidus.io.nifti import read_volumes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def save(
    path: Path,
    voxels: NDArray[np.generic],
    affine_lps: NDArray[np.float64],
    *,
    form: str = "sform",
) -> Path:
    """Write voxels (i, j, k) with an affine to LPS as sform, qform, both or neither."""
    image = nibabel.Nifti1Image(voxels, None)
    affine = ras_from_lps(affine_lps)
    if form in ("sform", "both"):
        image.set_sform(affine, code=1)
    if form != "neither":
        image.header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    if form in ("qform", "both"):
        image.set_qform(affine, code=1)
    nibabel.save(image, path)
    return path


def read_nifti(path: Path) -> Series:
    """Read a file of one volume."""
    return only(read_volumes(path), path)


def set_scale(path: Path, slope: float, intercept: float) -> None:
    """Change scl_slope and scl_inter of an uncompressed file and nothing else of it."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<ff", data, 112, slope, intercept)
    path.write_bytes(data)


def lumbar_affine(tilt: float = 0.0, spacing: tuple[float, float, float] = (0.7, 0.7, 4.4)):
    """Return an affine of (column, row, slice) to LPS: axial, tilted about the x axis."""
    angle = np.radians(tilt)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([(1, 0, 0), (0, cos, -sin), (0, sin, cos)])
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing
    affine[:3, 3] = (-70, -80, 40)
    return affine
