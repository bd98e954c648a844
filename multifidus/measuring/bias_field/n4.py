"""Bias field of a stack by N4 (Tustison et al. 2010, doi:10.1109/TMI.2010.2046908)."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.image import Slice
from multifidus.errors import ReadError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SHRINK = 4
"""Pixels along rows and columns are thinned by this before fitting; slices are not."""

ITERATIONS = (20, 20)
"""Most rounds at each of two levels of detail."""

CACHE_VARIABLE = "MULTIFIDUS_CACHE"
"""Environment variable that names a folder in which fields are kept between runs."""

_KEPT_IN_MEMORY = 16
_memory: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
_DIGEST_BYTES = 32


def n4_field(slices: Sequence[Slice], cache: Path | None = None) -> NDArray[np.float32]:
    """Estimate the multiplicative bias field of a stack of parallel slices.

    A field is computed once: kept in memory by a hash of the slices' pixels and planes, of the
    settings and of SimpleITK's version, and in a folder where one is named. A file there holds the
    field alone, nothing about whose it is; a damaged one is computed again.

    Parameters
    ----------
    slices
        Slices of one stack, in order, all of one shape.
    cache
        Folder to keep fields in; by default the one that ``MULTIFIDUS_CACHE`` names, or none.

    Returns
    -------
    ndarray
        (slices, rows, columns) float32, positive; its scale is arbitrary.

    Raises
    ------
    ReadError
        If SimpleITK is not installed, or the pixels of a slice cannot be read.
    """
    sitk = _simpleitk()
    key = _key(slices, sitk.Version.VersionString())
    if key in _memory:
        _memory.move_to_end(key)
        return _memory[key]
    named = os.environ.get(CACHE_VARIABLE)
    folder = cache or (Path(named) if named else None)
    path = None if folder is None else folder / f"n4-{key[:32]}.bin"
    shape = (len(slices), *slices[0].shape)
    field = None if path is None else _read(path, shape)
    if field is None:
        field = _compute(sitk, slices)
        if path is not None:
            _write(path, field)
    field.flags.writeable = False
    _memory[key] = field
    while len(_memory) > _KEPT_IN_MEMORY:
        _memory.popitem(last=False)
    return field


def _simpleitk() -> Any:
    try:
        import SimpleITK
    except ImportError as error:
        msg = "Bias correction by N4 needs SimpleITK, which is not installed."
        remedy = "Install it with: pip install 'multifidus[preproc]'; or use low_order."
        raise ReadError(msg, remedy=remedy) from error
    return SimpleITK


def _key(slices: Sequence[Slice], version: str) -> str:
    settings = {"shrink": SHRINK, "iterations": ITERATIONS, "version": version, "layout": 1}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for item in slices:
        digest.update(item.sha256().encode())
    return digest.hexdigest()


def _compute(sitk: Any, slices: Sequence[Slice]) -> NDArray[np.float32]:
    """Run N4 on the shrunk stack and evaluate its field at every pixel."""
    volume = np.stack([item.pixels for item in slices]).astype(np.float32)
    # Whatever the scanner's scale: N4 takes logarithms, and 0 has none.
    volume = np.maximum(volume, 0) + np.float32(1e-3) * max(float(volume.max()), 1e-6)
    single = len(slices) == 1
    image = sitk.GetImageFromArray(volume[0] if single else volume)
    image.SetSpacing(_spacing(slices))
    mask = sitk.OtsuThreshold(image, 0, 1, 200)
    factors = [SHRINK, SHRINK] if single else [SHRINK, SHRINK, 1]
    small, small_mask = (sitk.Shrink(part, factors) for part in (image, mask))
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    # Sums differ in their last digits with the number of threads; one gives the same everywhere.
    corrector.SetNumberOfThreads(1)
    corrector.SetMaximumNumberOfIterations(list(ITERATIONS))
    corrector.Execute(small, small_mask)
    logarithm = sitk.GetArrayFromImage(corrector.GetLogBiasFieldAsImage(image))
    return np.asarray(np.exp(logarithm).reshape(volume.shape), dtype=np.float32)


def _spacing(slices: Sequence[Slice]) -> list[float]:
    row, column = slices[0].plane.pixel_spacing_mm
    if len(slices) == 1:
        return [column, row]
    step = float(slices[0].plane.normal @ (slices[1].plane.origin_mm - slices[0].plane.origin_mm))
    return [column, row, abs(step)]


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    """Return a field from its file; None where there is none or it is not whole."""
    try:
        data = path.read_bytes()
        digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(body).digest() != digest:
            return None
        field = np.load(io.BytesIO(body), allow_pickle=False)
    except (OSError, ValueError):
        return None
    return field if field.shape == shape and field.dtype == np.float32 else None


def _write(path: Path, field: NDArray[np.float32]) -> None:
    """Write a field beside its place and move it there; a cache that cannot be written is none."""
    body = io.BytesIO()
    np.save(body, field, allow_pickle=False)
    waiting = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            waiting.write_bytes(hashlib.sha256(body.getvalue()).digest() + body.getvalue())
            waiting.replace(path)
        finally:
            waiting.unlink(missing_ok=True)
