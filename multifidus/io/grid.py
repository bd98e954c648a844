"""A regular grid of voxels, placed by an affine: what one volume of a research file is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from multifidus.data.acquisition import Acquisition
from multifidus.data.flags import Flag
from multifidus.data.geometry import FARTHEST_MM, plane_from_affine
from multifidus.data.image import ScannerRun, Series, Slice, StoredPixels, Weighting
from multifidus.errors import GeometryError, ReadError
from multifidus.io.bids.names import bids_entities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DEFLATE_AT_MOST = 1032
"""How many times larger than its file a zipped image can be: the limit of the format."""

UID_DIGITS = 16
"""Hexadecimal digits of the file's hash that stand in its slices' UIDs."""

MOST_VOLUMES = 1000
"""Files of more volumes are no anatomy to be outlined, or damaged."""

SINGULAR = 1e-3
"""Axes that span less than this share of what upright ones would lie in one plane."""


@dataclass(frozen=True, slots=True, eq=False)
class VoxelGrid:
    """A three-dimensional image, its voxels read on first use.

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
    thickness_mm
        Of a slice; the length of the step along k if None, NaN where it is unknown.
    """

    path: Path
    affine_lps: Array
    shape: tuple[int, int, int]
    scale: tuple[str, float, float]
    read: Callable[[], NDArray[Any]]
    slope: float = 1.0
    intercept: float = 0.0
    flags: tuple[Flag, ...] = ()
    thickness_mm: float | None = None


def series_of_volumes(grids: Sequence[VoxelGrid], content: str, **facts: Any) -> tuple[Series, ...]:
    """Make one series of each volume of a file.

    Parameters
    ----------
    grids
        The volumes.
    content
        Start of the hash of the file, which names the series; several are counted from 1.
    facts
        As of :func:`series_of`. Volumes of one file share their signal scale.
    """
    if len(grids) == 1:
        return (series_of(grids[0], content, **facts),)
    facts["signal_group"] = facts.get("signal_group") or content
    return tuple(
        series_of(grid, f"{content}#{number}", **facts) for number, grid in enumerate(grids, 1)
    )


def series_of(  # noqa: PLR0913 - a series has the facts that it has
    grid: VoxelGrid,
    uid: str,
    *,
    weighting: Weighting = Weighting.UNKNOWN,
    acquisition: Acquisition = Acquisition(),  # noqa: B008 - frozen
    signal_group: str = "",
    run: ScannerRun = ScannerRun(),  # noqa: B008 - frozen
    unit: str = "",
) -> Series:
    """Make a series of a grid: its slices run along k, with columns along i.

    The slices are named after the series and their own k.
    """
    columns, rows, count = grid.shape
    thickness = grid.thickness_mm
    if thickness is None:
        thickness = float(np.linalg.norm(grid.affine_lps[:3, 2]))

    def stored(k: int) -> StoredPixels:
        return StoredPixels(lambda: grid.read()[:, :, k].T, grid.slope, grid.intercept)

    slices = tuple(
        Slice(
            f"{uid}#{k}",
            plane_from_affine(grid.affine_lps, k),
            (rows, columns),
            stored(k),
            thickness,
        )
        for k in range(count)
    )
    return Series(
        uid,
        slices,
        weighting,
        acquisition=acquisition,
        flags=grid.flags,
        signal_group=signal_group,
        run=replace(run, scale=(grid.scale,)),
        unit=unit,
        entities=bids_entities(grid.path),
    )


def volumes(one: VoxelGrid, count: int) -> tuple[VoxelGrid, ...]:
    """Make one grid of each volume of a file, whose voxels are read once for all.

    Parameters
    ----------
    one
        Of any volume, but that it reads the voxels of all, shape (i, j, k, volume).
    count
        How many volumes there are.

    Raises
    ------
    ReadError
        If there are more than any image of anatomy has; names the file.
    """
    if count > MOST_VOLUMES:
        msg = f"{one.path} holds {count} volumes; at most {MOST_VOLUMES} are read."
        raise ReadError(msg, remedy="Take out the volumes that are to be measured.")
    voxels = _once(one.read)

    def volume(number: int) -> VoxelGrid:
        return replace(one, read=lambda: voxels()[..., number])

    return tuple(map(volume, range(count)))


Volume = TypeVar("Volume")


def only(volumes: Sequence[Volume], path: Path) -> Volume:
    """Return the one volume of a file.

    Raises
    ------
    ReadError
        If there are several; names the file.
    """
    if len(volumes) != 1:
        msg = f"{path} holds {len(volumes)} volumes, where one is expected."
        raise ReadError(msg, remedy="Split it into one file a volume.")
    return volumes[0]


def check_affine(affine: Array, shape: tuple[int, ...], path: Path) -> None:
    """Refuse an affine that squeezes an image flat or throws it out of reach.

    Raises
    ------
    GeometryError
        If it does; names the file.
    """
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        regular = np.isfinite(affine).all() and (lengths > 0).all() and np.isfinite(lengths).all()
        if not regular or abs(np.linalg.det(affine[:3, :3] / lengths)) < SINGULAR:
            msg = f"{path} has a singular affine: {affine.round(4).tolist()}."
            raise GeometryError(msg, remedy="Convert it again from DICOM.")
    reach = np.abs(affine[:3, :3]) @ np.array(shape, dtype=np.float64) + np.abs(affine[:3, 3])
    if reach.max() > FARTHEST_MM:
        msg = f"{path} reaches further than {FARTHEST_MM:g} mm."
        raise GeometryError(msg, remedy="Convert it again from DICOM.")


def check_size(path: Path, needed: int, *, zipped: bool) -> None:
    """Refuse a header that promises more than its file can hold, before memory is asked for.

    Raises
    ------
    ReadError
        If it does; names the file.
    """
    most = path.stat().st_size * (DEFLATE_AT_MOST if zipped else 1)
    if needed > most:
        msg = f"{path} is cut short or damaged: {needed} bytes of voxels cannot be in it."
        raise ReadError(msg, remedy="Copy or export the file again.")


def check_left(path: Path, left: int, line: int) -> None:
    """Refuse a file with more voxels than its header says, which then lie elsewhere than it says.

    Parameters
    ----------
    left
        Bytes behind the voxels.
    line
        Bytes of the shortest row or column: what is less is padding.

    Raises
    ------
    ReadError
        If a row or more is left; names the file.
    """
    if left >= max(line, 2):
        msg = f"{path} holds {left} bytes more than its sizes and type make: one of them is wrong."
        raise ReadError(msg, remedy="Convert or export it again.")


def upright(affine: Array) -> Array:
    """Return the affine of a single slice whose third step is missing: 1 mm along its normal.

    Nothing lies along that step, so only its direction has to be right.
    """
    across = np.cross(affine[:3, 0], affine[:3, 1])
    length = float(np.linalg.norm(across))
    turned = affine.copy()
    turned[:3, 2] = across / length if length > 0 else across  # refused with the affine
    return turned


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
