"""Files of volumes (NIfTI, NRRD, MetaImage): which format a file is of, and its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from multifidus.data.image import Series
from multifidus.io.bids.names import sidecar_path
from multifidus.io.contrast import Contrasts
from multifidus.io.grid import VoxelGrid
from multifidus.io.itk import data_file, is_itk, open_itk_volume, read_itk
from multifidus.io.nifti import is_nifti, open_nifti, pair_of, read_volumes


@dataclass(frozen=True, slots=True)
class VolumeFormat:
    """One format of volumes.

    Parameters
    ----------
    holds
        Whether a file is of this format, by its name.
    open
        Reads the header of a file of one volume.
    read
        Reads a file as one series a volume; what words of names mean may matter to it.
    parts
        Names the files that belong to a file; None where there is none.
    """

    holds: Callable[[Path], bool]
    open: Callable[[Path], VoxelGrid]
    read: Callable[[Path, Contrasts | None], tuple[Series, ...]]
    parts: Callable[[Path], tuple[Path | None, ...]] = lambda _: ()


def _nifti_parts(path: Path) -> tuple[Path | None, ...]:
    header, voxels = pair_of(path) or (None, None)
    return (sidecar_path(path), voxels if path == header else None)


FORMATS = (
    VolumeFormat(
        is_itk, open_itk_volume, lambda path, _: read_itk(path), lambda p: (data_file(p),)
    ),
    VolumeFormat(is_nifti, open_nifti, read_volumes, _nifti_parts),
)
"""Every format; the first that holds a file reads it."""


def is_volume(path: Path) -> bool:
    """Whether a file's name is one of a format of volumes."""
    return any(known.holds(path) for known in FORMATS)


def _format_of(path: Path) -> VolumeFormat:
    """Return the format of a file; a file of none is read as NIfTI, which says what is wrong."""
    return next((known for known in FORMATS if known.holds(path)), FORMATS[-1])


def open_volume(path: Path) -> VoxelGrid:
    """Read the header of a file of one volume.

    Raises
    ------
    ReadError
        If it is damaged, or holds several volumes.
    GeometryError
        If its affine is singular.
    """
    return _format_of(path).open(path)


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
    return _format_of(path).read(path, contrasts)


def parts_of(path: Path) -> tuple[Path | None, ...]:
    """Return the files that belong to a volume's: its sidecar, or its voxels; None where none."""
    return _format_of(path).parts(path)
