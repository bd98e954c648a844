"""NIfTI: one regular grid a file, placed by the file's affine."""

from __future__ import annotations

import contextlib
import logging
import math
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.errors import GeometryError, ReadError
from multifidus.flag import Flag
from multifidus.geometry import FARTHEST_MM, plane_from_affine, ras_from_lps
from multifidus.image import LARGEST_SCALE, Series, Slice, StoredPixels, Weighting
from multifidus.io.bids import bids_name, sidecar
from multifidus.io.files import content_sha256, reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

UID_DIGITS = 16
"""Hexadecimal digits of the file's hash that stand in its slices' UIDs."""

SUFFIXES = (".nii", ".nii.gz")

SAME_VOXEL = 1e-3
"""Voxel sizes of sform and qform that differ by more than this share are in conflict."""

SAME_PLACE_MM = 0.1
"""Corners that sform and qform put further apart than this are in conflict."""

_MM = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}
"""Millimetres in a NIfTI header's unit of length; where it names none, they are meant."""

DEFLATE_AT_MOST = 1032
"""How many times larger than its file a zipped image can be: the limit of the format."""

_CHUNK = re.compile(r"_chunk-\d+(?=_)")


def is_nifti(path: Path) -> bool:
    """Whether a file's name ends as NIfTI's do."""
    return path.name.lower().endswith(SUFFIXES)


@dataclass(frozen=True, slots=True, eq=False)
class NiftiGrid:
    """A three-dimensional NIfTI image, its voxels read on first use.

    Attributes
    ----------
    affine_lps
        4x4, (i, j, k) indices to LPS millimetres.
    shape
        (i, j, k).
    scale
        Stored type, slope and intercept: files that differ in it may differ in signal scale.
    read
        Returns the stored voxels, shape (i, j, k).
    slope, intercept
        ``value = slope * stored + intercept``.
    """

    path: Path
    affine_lps: Array
    shape: tuple[int, int, int]
    scale: tuple[str, float, float]
    read: Callable[[], NDArray[Any]]
    slope: float
    intercept: float
    flags: tuple[Flag, ...] = ()


def open_nifti(path: Path) -> NiftiGrid:
    """Read the header of a NIfTI file.

    Raises
    ------
    ReadError
        If it is damaged, not three-dimensional, not of numbers, or does not say where it lies.
    GeometryError
        If its affine is singular.
    """
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
    with reading(path, "NIfTI"), _without_log(), np.errstate(all="ignore"):
        path.open("rb").close()  # nibabel reports what it may not open as of unknown type
        try:
            image: Any = nibabel.load(path)
            header = image.header
            coded = int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0
            # nibabel takes them out of the header of what it loads.
            slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
            affine = np.asarray(image.affine, dtype=np.float64)
            shape = tuple(int(n) for n in image.shape)
            unit_mm = _MM[header.get_xyzt_units()[0]]
        except damage as error:
            msg = f"{path} is not a readable NIfTI file: {error}."
            raise ReadError(msg, remedy="Convert or export it again.") from error
    while len(shape) > 3 and shape[-1] == 1:  # noqa: PLR2004
        shape = shape[:-1]
    if len(shape) != 3 or min(shape) < 1:  # noqa: PLR2004
        msg = f"{path} has shape {shape}; only three-dimensional images are read."
        raise ReadError(msg, remedy="Split it into one file a volume.")
    if not coded:
        msg = f"{path} does not say where it lies: sform_code and qform_code are 0."
        raise ReadError(msg, remedy="Convert it again from DICOM with a tool that keeps geometry.")
    _check_affine(affine, shape, path)
    flags = _conflict(image, affine, path)
    affine = np.diag([unit_mm, unit_mm, unit_mm, 1.0]) @ affine
    stored = header.get_data_dtype().newbyteorder("=")
    if stored.kind not in "iuf":
        msg = f"{path} holds voxels of type {stored}; only single numbers are read."
        raise ReadError(msg, remedy="Export its magnitude.")
    if not abs(slope) <= LARGEST_SCALE or not abs(intercept) <= LARGEST_SCALE:
        msg = f"{path} rescales its voxels by slope {slope:g} and intercept {intercept:g}."
        raise ReadError(msg, remedy="Convert or export it again.")
    _check_size(path, math.prod(shape) * stored.itemsize)
    return NiftiGrid(
        path,
        ras_from_lps(affine),
        (shape[0], shape[1], shape[2]),
        (str(stored), slope, intercept),
        _once(lambda: _voxels(image, path).reshape(shape)),
        slope,
        intercept,
        flags,
    )


def _conflict(image: Any, affine: Array, path: Path) -> tuple[Flag, ...]:
    """Compare the two places that a NIfTI header can name; the first, its sform, is used.

    Raises
    ------
    GeometryError
        If they disagree about the size of a voxel, on which every area depends.
    """
    if int(image.header["sform_code"]) <= 0:
        return ()
    try:
        with np.errstate(all="ignore"):
            placed = image.header.get_qform(coded=True)[0]
    except ValueError:  # its quaternion is none
        return (Flag.AFFINE_CONFLICT,)
    if placed is None:
        return ()
    if not np.isfinite(placed).all():
        return (Flag.AFFINE_CONFLICT,)
    ours, theirs = (np.linalg.norm(form[:3, :3], axis=0) for form in (affine, placed))
    if np.abs(ours - theirs).max() > SAME_VOXEL * ours.max():
        msg = (
            f"The sform and qform of {path} disagree about its voxels: {ours.round(4).tolist()} "
            f"and {theirs.round(4).tolist()}."
        )
        raise GeometryError(msg, remedy="Convert it again from DICOM.")
    last = np.array(image.shape[:3]) - 1
    corners = np.array([np.where(pick, last, 0) for pick in np.ndindex(2, 2, 2)])
    apart = corners @ (affine - placed)[:3, :3].T + (affine - placed)[:3, 3]
    return (Flag.AFFINE_CONFLICT,) if np.abs(apart).max() > SAME_PLACE_MM else ()


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


def _check_size(path: Path, needed: int) -> None:
    """Refuse a header that promises more than its file can hold, before memory is asked for."""
    zipped = path.name.lower().endswith(".gz")
    most = path.stat().st_size * (DEFLATE_AT_MOST if zipped else 1)
    if needed > most:
        msg = f"{path} is cut short or damaged: {needed} bytes of voxels cannot be in it."
        raise ReadError(msg, remedy="Copy or export the file again.")


def _check_affine(affine: Array, shape: tuple[int, ...], path: Path) -> None:
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    regular = np.isfinite(affine).all() and (lengths > 0).all()
    if not regular or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:  # noqa: PLR2004
        msg = f"{path} has a singular affine: {affine.round(4).tolist()}."
        raise GeometryError(msg, remedy="Convert it again from DICOM.")
    reach = np.abs(affine[:3, :3]) @ np.array(shape) + np.abs(affine[:3, 3])
    if reach.max() > FARTHEST_MM:
        msg = f"{path} reaches further than {FARTHEST_MM:g} mm."
        raise GeometryError(msg, remedy="Convert it again from DICOM.")


def _voxels(image: Any, path: Path) -> NDArray[Any]:
    with reading(path, "NIfTI voxels"):
        try:
            return np.asanyarray(image.dataobj.get_unscaled())
        except (ValueError, OverflowError, EOFError, zlib.error) as error:
            msg = f"The voxels of {path} are cut short or damaged: {error}."
            raise ReadError(msg, remedy="Copy or export the file again.") from error


def _once(read: Callable[[], NDArray[Any]]) -> Callable[[], NDArray[Any]]:
    """Call ``read`` at the first call only, whichever thread makes it."""
    lock = threading.Lock()
    kept: list[NDArray[Any]] = []

    def wrapped() -> NDArray[Any]:
        with lock:
            if not kept:
                kept.append(read())
        return kept[0]

    return wrapped


def read_nifti(path: Path, weighting: Weighting | None = None) -> Series:
    """Read a NIfTI file as a series; its slices run along k, with columns along i.

    What is not given is taken from a BIDS name and from the JSON file beside it.

    Raises
    ------
    ReadError, GeometryError
        As :func:`open_nifti`.
    """
    grid = open_nifti(path)
    content = content_sha256(path)[:UID_DIGITS]
    columns, rows, count = grid.shape
    thickness = float(np.linalg.norm(grid.affine_lps[:3, 2]))

    def stored(k: int) -> StoredPixels:
        return StoredPixels(lambda: grid.read()[:, :, k].T, grid.slope, grid.intercept)

    slices = tuple(
        Slice(
            f"{content}#{k}",
            plane_from_affine(grid.affine_lps, k),
            (rows, columns),
            stored(k),
            thickness,
        )
        for k in range(count)
    )
    return Series(
        content,
        slices,
        bids_name(path).weighting if weighting is None else weighting,
        acquisition=sidecar(path),
        flags=grid.flags,
        signal_group=_acquisition_of(path),
    )


def _acquisition_of(path: Path) -> str:
    """Return what the parts of one acquisition share; empty for a file that is not a part.

    One NIfTI file holds one grid, so an acquisition of angled stacks becomes several files; BIDS
    calls the parts chunks.
    """
    whole = _CHUNK.sub("", path.name)
    return "" if whole == path.name else str(path.with_name(whole))
