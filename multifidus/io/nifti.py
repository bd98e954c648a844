"""NIfTI: one regular grid a file, placed by the file's affine, with one volume or several."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.geometry import ras_from_lps
from multifidus.data.image import LARGEST_SCALE, Series
from multifidus.errors import ReadError
from multifidus.io.bids.names import image_facts
from multifidus.io.contrast import Contrasts
from multifidus.io.files import content_sha256, reading
from multifidus.io.grid import (
    UID_DIGITS,
    VoxelGrid,
    check_affine,
    check_left,
    check_size,
    only,
    series_of_volumes,
    volumes,
)
from multifidus.io.nifti_header import NiftiHeader, conflict, pixdim, placed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SUFFIXES = (".nii", ".nii.gz")

PAIR = (".hdr", ".img")
"""Header and voxels of a NIfTI file that is stored as two."""

_PAIR_MARK, _PAIR_MARK_AT = b"ni1\0", 344

_GZIP = b"\x1f\x8b"

_MM = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}
"""Millimetres in a NIfTI header's unit of length; where it names none, they are meant."""

_CHUNK = re.compile(r"_chunk-\d+(?=_)")


def is_nifti(path: Path) -> bool:
    """Whether a file's name ends as NIfTI's do, or it is one of a pair of header and voxels."""
    return path.name.lower().endswith(SUFFIXES) or pair_of(path) is not None


def pair_of(path: Path) -> tuple[Path, Path] | None:
    """Return the header (.hdr) and the voxels (.img) of a pair that a file belongs to.

    None where the header is not NIfTI's: that of ANALYZE 7.5 does not tell left from right.
    """
    suffix = path.suffix.lower()
    if suffix not in PAIR:
        return None
    ending = str.upper if path.suffix.isupper() else str.lower
    header, voxels = (path.with_suffix(ending(name)) for name in PAIR)
    try:
        if not header.is_file():
            return None
        with header.open("rb") as file:
            head = file.read(_PAIR_MARK_AT + len(_PAIR_MARK))
    except OSError:  # what cannot be opened is said where it is read
        return None
    return (header, voxels) if head[_PAIR_MARK_AT:] == _PAIR_MARK else None


def open_nifti(path: Path) -> VoxelGrid:
    """Read the header of a NIfTI file of one volume.

    Raises
    ------
    ReadError
        If it is damaged, no slice or volume, not of numbers, or does not say where it lies.
    GeometryError
        If its affine is singular.
    """
    return only(open_volumes(path), path)


def open_volumes(path: Path) -> tuple[VoxelGrid, ...]:
    """Read the header of a NIfTI file; one grid for each of its volumes.

    Raises
    ------
    ReadError, GeometryError
        As :func:`open_nifti`, but for the number of volumes.
    """
    with reading(path, "NIfTI"), _without_log(), np.errstate(all="ignore"):
        image, header = _load(path)
        shape = _shape(tuple(int(n) for n in image.shape), path)
        if not header.coded:
            msg = f"{path} does not say where it lies: sform_code and qform_code are 0."
            remedy = "Convert it again from DICOM with a tool that keeps geometry."
            raise ReadError(msg, remedy=remedy)
        affine, thickness = placed(image, header, shape, path)
        check_affine(affine, shape[:3], path)
        flags = conflict(image, header, path)
        stored, slope, intercept = header.stored, header.slope, header.intercept
        if stored.kind not in "iuf":
            msg = f"{path} holds voxels of type {stored}; only single numbers are read."
            raise ReadError(msg, remedy="Export its magnitude.")
        if not abs(slope) <= LARGEST_SCALE or not abs(intercept) <= LARGEST_SCALE:
            msg = f"{path} rescales its voxels by slope {slope:g} and intercept {intercept:g}."
            raise ReadError(msg, remedy="Convert or export it again.")
        zipped = path.name.lower().endswith(".gz")
        needed = math.prod(shape) * stored.itemsize
        check_size(_parts(path)[-1], needed, zipped=zipped)
        _check_length(image, path, needed, min(shape[:2]) * stored.itemsize)
    grid = VoxelGrid(
        path,
        ras_from_lps(affine),
        shape[:3],
        (str(stored), slope, intercept),
        lambda: _voxels(image, path).reshape(shape),
        slope,
        intercept,
        flags,
        thickness,
    )
    return volumes(grid, shape[3])


def _parts(path: Path) -> tuple[Path, ...]:
    """Return the files that an image is stored in; the last holds the voxels."""
    return pair_of(path) or (path,)


def _check_length(image: Any, path: Path, needed: int, line: int) -> None:
    """Refuse a file in which the voxels are not where, or as many as, its header says.

    Parameters
    ----------
    needed, line
        Bytes of all voxels, and of the shortest row or column: what is less is padding.

    Raises
    ------
    ReadError
        If the voxels begin inside the header, or a row or more is left behind them.
    """
    offset, least = int(image.dataobj.offset), int(image.header.single_vox_offset)
    if pair_of(path) is None and offset < least:
        msg = f"{path} lets its voxels begin at byte {offset}, within its header."
        raise ReadError(msg, remedy="Convert or export it again.")
    check_left(path, _length(_parts(path)[-1]) - offset - needed, line)


def _length(path: Path) -> int:
    """Return a file's bytes, unzipped; of a zipped one of several parts those of its last."""
    if not path.name.lower().endswith(".gz"):
        return path.stat().st_size
    with path.open("rb") as file:
        file.seek(-min(4, path.stat().st_size), os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def _load(path: Path) -> tuple[Any, NiftiHeader]:
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    damage = (
        ImageFileError,
        HeaderDataError,
        ValueError,
        OverflowError,
        KeyError,
        EOFError,
        zlib.error,
    )
    for part in _parts(path):
        if part != path and not part.exists():
            msg = f"{path} is one of a pair, and {part.name} is not beside it."
            raise ReadError(msg, remedy="Put the pair (.hdr, .img) into one folder.")
        part.open("rb").close()  # nibabel reports what it may not open as of unknown type
    try:
        image: Any = nibabel.load(path)
        header = image.header
        unit_mm = _MM[header.get_xyzt_units()[0]]
        to_mm = np.diag([unit_mm, unit_mm, unit_mm, 1.0])
        # nibabel takes slope and intercept out of the header of what it loads.
        return image, NiftiHeader(
            int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0,
            to_mm @ np.asarray(image.affine, dtype=np.float64),
            unit_mm * pixdim(image),
            to_mm,
            header.get_data_dtype().newbyteorder("="),
            float(image.dataobj.slope),
            float(image.dataobj.inter),
        )
    except damage as error:
        msg = f"{path} is not a readable NIfTI file: {error}."
        raise ReadError(msg, remedy=_remedy(path)) from error


def _remedy(path: Path) -> str:
    """Say what to do about a file that cannot be read; its name may only be wrong."""
    with path.open("rb") as file:
        is_zipped = file.read(len(_GZIP)) == _GZIP
    if is_zipped == path.name.lower().endswith(".gz"):
        return "Convert or export it again."
    return f"It is {'' if is_zipped else 'not '}zipped: name it .nii{'.gz' if is_zipped else ''}."


def _shape(shape: tuple[int, ...], path: Path) -> tuple[int, int, int, int]:
    """Return (i, j, k, volume); a file of two axes is one slice.

    A fifth axis holds vectors, which are no image.
    """
    while len(shape) > 3 and shape[-1] == 1:  # noqa: PLR2004
        shape = shape[:-1]
    if len(shape) == 2:  # noqa: PLR2004
        shape = (*shape, 1)
    if len(shape) not in {3, 4} or min(shape) < 1:
        msg = f"{path} has shape {shape}; only slices, volumes, and files of several, are read."
        raise ReadError(msg, remedy="Convert one image of it, without vectors or colours.")
    return shape[0], shape[1], shape[2], shape[3] if len(shape) == 4 else 1  # noqa: PLR2004


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    """Keep nibabel from printing what it mends in a header; what cannot be mended is an error."""
    from nibabel.imageglobals import logger

    here = threading.get_ident()

    def elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != here

    logger.addFilter(elsewhere)
    try:
        yield
    finally:
        logger.removeFilter(elsewhere)


def _voxels(image: Any, path: Path) -> NDArray[Any]:
    with reading(path, "NIfTI voxels"):
        try:
            return np.asanyarray(image.dataobj.get_unscaled())
        except (ValueError, OverflowError, EOFError, zlib.error) as error:
            msg = f"The voxels of {path} are cut short or damaged: {error}."
            raise ReadError(msg, remedy="Copy or export the file again.") from error


def read_volumes(path: Path, contrasts: Contrasts | None = None) -> tuple[Series, ...]:
    """Read a NIfTI file as one series a volume; its slices run along k, with columns along i.

    Several are named by the file's content and their number, counted from 1, and share their
    signal scale.

    Parameters
    ----------
    contrasts
        What the words of name and sidecar mean; the shipped table if None.

    Raises
    ------
    ReadError, GeometryError
        As :func:`open_volumes`.
    """
    grids = open_volumes(path)
    known = image_facts(path, contrasts)
    return series_of_volumes(
        grids,
        content_sha256(*_parts(path))[:UID_DIGITS],
        weighting=known.weighting,
        acquisition=known.acquisition,
        run=known.run,
        unit=known.unit,
        signal_group=_acquisition_of(path),
    )


def _acquisition_of(path: Path) -> str:
    """Return what the parts of one acquisition share; empty for a file that is not a part.

    One NIfTI file holds one grid, so an acquisition of angled stacks becomes several files; BIDS
    calls the parts chunks.
    """
    whole = _CHUNK.sub("", path.name)
    return "" if whole == path.name else str(path.with_name(whole))
