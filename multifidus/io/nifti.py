"""NIfTI: one regular grid a file, placed by the file's affine, with one volume or several."""

from __future__ import annotations

import contextlib
import logging
import math
import re
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.errors import GeometryError, ReadError
from multifidus.flag import Flag
from multifidus.geometry import ras_from_lps
from multifidus.image import LARGEST_SCALE, Series, Weighting
from multifidus.io.bids import described
from multifidus.io.contrast import Contrasts
from multifidus.io.files import content_sha256, reading
from multifidus.io.grid import (
    MOST_VOLUMES,
    UID_DIGITS,
    Grid,
    check_affine,
    check_size,
    once,
    only,
    series_of_volumes,
    upright,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SUFFIXES = (".nii", ".nii.gz")

PAIR = (".hdr", ".img")
"""Header and voxels of a NIfTI file that is stored as two."""

_PAIR_MARK, _PAIR_MARK_AT = b"ni1\0", 344

SAME_VOXEL = 1e-3
"""Voxel sizes of sform and qform that differ by more than this share are in conflict."""

SAME_PLACE_MM = 0.1
"""Corners that sform and qform put further apart than this are in conflict."""

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
        with header.open("rb") as file:
            head = file.read(_PAIR_MARK_AT + len(_PAIR_MARK))
    except OSError:  # what cannot be opened is said where it is read
        return None
    return (header, voxels) if head[_PAIR_MARK_AT:] == _PAIR_MARK else None


def open_nifti(path: Path) -> Grid:
    """Read the header of a NIfTI file of one volume.

    Raises
    ------
    ReadError
        If it is damaged, no slice or volume, not of numbers, or does not say where it lies.
    GeometryError
        If its affine is singular.
    """
    return only(open_volumes(path), path)


def open_volumes(path: Path) -> tuple[Grid, ...]:
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
        affine, thickness = _placed(image, header, shape, path)
        check_affine(affine, shape[:3], path)
        flags = _conflict(image, header, path)
        stored, slope, intercept = header.stored, header.slope, header.intercept
        if stored.kind not in "iuf":
            msg = f"{path} holds voxels of type {stored}; only single numbers are read."
            raise ReadError(msg, remedy="Export its magnitude.")
        if not abs(slope) <= LARGEST_SCALE or not abs(intercept) <= LARGEST_SCALE:
            msg = f"{path} rescales its voxels by slope {slope:g} and intercept {intercept:g}."
            raise ReadError(msg, remedy="Convert or export it again.")
        zipped = path.name.lower().endswith(".gz")
        check_size(_parts(path)[-1], math.prod(shape) * stored.itemsize, zipped=zipped)
    voxels = once(lambda: _voxels(image, path).reshape(shape))

    def volume(number: int) -> Grid:
        return Grid(
            path,
            ras_from_lps(affine),
            (shape[0], shape[1], shape[2]),
            (str(stored), slope, intercept),
            lambda: voxels()[..., number],
            slope,
            intercept,
            flags,
            thickness,
        )

    return tuple(volume(number) for number in range(shape[3]))


@dataclass(frozen=True, slots=True, eq=False)
class _Header:
    """What a header says, before it is judged; the affine is to RAS."""

    coded: bool
    affine_mm: Array
    pixdim_mm: Array
    to_mm: Array
    stored: np.dtype[Any]
    slope: float
    intercept: float


def _parts(path: Path) -> tuple[Path, ...]:
    """Return the files that an image is stored in; the last holds the voxels."""
    return pair_of(path) or (path,)


def _load(path: Path) -> tuple[Any, _Header]:
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
        return image, _Header(
            int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0,
            to_mm @ np.asarray(image.affine, dtype=np.float64),
            unit_mm * _pixdim(image),
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


def _pixdim(image: Any) -> Array:
    """Return the voxel size as it stands in the file, 3 numbers: nibabel makes 1 of a 0."""
    header = image.file_map.get("header", image.file_map["image"])
    with header.get_prepare_fileobj("rb") as file:
        stored = type(image.header).from_fileobj(file, check=False)
    return np.abs(np.asarray(stored["pixdim"][1:4], dtype=np.float64))


def _placed(
    image: Any, header: _Header, shape: tuple[int, ...], path: Path
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
    if len(shape) == 4 and shape[3] > MOST_VOLUMES:  # noqa: PLR2004
        msg = f"{path} holds {shape[3]} volumes; at most {MOST_VOLUMES} are read."
        raise ReadError(msg, remedy="Take out the volumes that are to be measured.")
    return shape[0], shape[1], shape[2], shape[3] if len(shape) == 4 else 1  # noqa: PLR2004


def _conflict(image: Any, header: _Header, path: Path) -> tuple[Flag, ...]:
    """Compare what a NIfTI header says in several ways; the first, its sform, is used.

    Raises
    ------
    GeometryError
        If sform and qform disagree about the size of a voxel, on which every area depends.
    """
    if int(image.header["sform_code"]) <= 0:
        return ()
    placed = _by_qform(image, header)
    if placed is None:
        return _spacing_conflict(image, header)
    if not np.isfinite(placed).all():
        return (Flag.AFFINE_CONFLICT, *_spacing_conflict(image, header))
    affine = header.affine_mm
    axes = slice(0, max(len(image.shape[:3]), 2))
    ours, theirs = (np.linalg.norm(form[:3, axes], axis=0) for form in (affine, placed))
    if np.abs(ours - theirs).max() > SAME_VOXEL * ours.max():
        msg = (
            f"The sform and qform of {path} disagree about its voxels: {ours.round(4).tolist()} "
            f"and {theirs.round(4).tolist()}."
        )
        raise GeometryError(msg, remedy="Convert it again from DICOM.")
    last = np.array((*image.shape[:3], 1)[:3]) - 1
    corners = np.array([np.where(pick, last, 0) for pick in np.ndindex(2, 2, 2)])
    apart = corners @ (affine - placed)[:3, :3].T + (affine - placed)[:3, 3]
    return (Flag.AFFINE_CONFLICT,) if np.abs(apart).max() > SAME_PLACE_MM else ()


def _by_qform(image: Any, header: _Header) -> Array | None:
    """Return the affine of the qform in mm, NaN where its quaternion is none; None without one."""
    try:
        with np.errstate(all="ignore"):
            placed = image.header.get_qform(coded=True)[0]
    except ValueError:
        return np.full((4, 4), np.nan)
    return None if placed is None else np.asarray(header.to_mm @ placed)


def _spacing_conflict(image: Any, header: _Header) -> tuple[Flag, ...]:
    """Compare the voxel size of pixdim with that of the sform, for the axes that it names.

    Where a qform is coded it rests on pixdim, and is compared itself.
    """
    axes = min(len(image.shape), 3)
    named = header.pixdim_mm[:axes]
    used = np.linalg.norm(header.affine_mm[:3, :axes], axis=0)
    off = (named > 0) & (np.abs(named - used) > SAME_VOXEL * used)
    return (Flag.SPACING_CONFLICT,) if off.any() else ()


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


def read_nifti(path: Path, weighting: Weighting | None = None) -> Series:
    """Read a NIfTI file of one volume as a series; its slices run along k, with columns along i.

    What is not given is taken from a BIDS name and from the JSON file beside it.

    Raises
    ------
    ReadError, GeometryError
        As :func:`open_nifti`.
    """
    return only(read_volumes(path, weighting), path)


def read_volumes(
    path: Path, weighting: Weighting | None = None, contrasts: Contrasts | None = None
) -> tuple[Series, ...]:
    """Read a NIfTI file as one series a volume.

    Several are named by the file's content and their number, counted from 1, and share their
    signal scale.

    Parameters
    ----------
    weighting
        What it shows; told from its name and sidecar if None.
    contrasts
        What the words of name and sidecar mean; the shipped table if None.

    Raises
    ------
    ReadError, GeometryError
        As :func:`open_volumes`.
    """
    grids = open_volumes(path)
    known = described(path, contrasts)
    return series_of_volumes(
        grids,
        content_sha256(*_parts(path))[:UID_DIGITS],
        weighting=known.weighting if weighting is None else weighting,
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
