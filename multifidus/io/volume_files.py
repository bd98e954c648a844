"""Files of volumes (NIfTI, NRRD, MetaImage): which format a file is of, and its reader."""

from __future__ import annotations

from pathlib import Path

from multifidus.data.image import Series
from multifidus.io.bids.names import sidecar_path
from multifidus.io.contrast import Contrasts
from multifidus.io.grid import VoxelGrid
from multifidus.io.itk import data_file, is_itk, open_itk_volume, read_itk
from multifidus.io.nifti import is_nifti, open_nifti, pair_of, read_volumes


def is_volume(path: Path) -> bool:
    """Whether a file's name is one of a format of volumes: NIfTI, NRRD or MetaImage."""
    return is_nifti(path) or is_itk(path)


def open_volume(path: Path) -> VoxelGrid:
    """Read the header of a file of one volume.

    Raises
    ------
    ReadError
        If it is damaged, or holds several volumes.
    GeometryError
        If its affine is singular.
    """
    return open_itk_volume(path) if is_itk(path) else open_nifti(path)


def read_series(path: Path, contrasts: Contrasts | None = None) -> tuple[Series, ...]:
    """Read a file as one series a volume.

    Parameters
    ----------
    path
        The file.
    contrasts
        What the words of names and sidecars mean; the shipped table if None.

    Raises
    ------
    ReadError
        If it is damaged.
    GeometryError
        If its affine is singular.
    """
    return read_itk(path) if is_itk(path) else read_volumes(path, contrasts=contrasts)


def parts_of(path: Path) -> tuple[Path | None, ...]:
    """Return the files that belong to a volume's: its sidecar, or its voxels; None where none."""
    if is_itk(path):
        return (data_file(path),)
    header, voxels = pair_of(path) or (None, None)
    return (sidecar_path(path), voxels if path == header else None)
