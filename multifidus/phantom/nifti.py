"""Writing a phantom exam as NIfTI, one file a stack: one file cannot hold several angles."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.geometry import ras_from_lps
from multifidus.data.image import Series, Stack, Weighting
from multifidus.io.files import content_sha256
from multifidus.io.grid import UID_DIGITS

if TYPE_CHECKING:
    from multifidus.phantom.exam import Phantom

_SUFFIX = {Weighting.T2: "T2w", Weighting.DIXON_FAT: "fat", Weighting.DIXON_WATER: "water"}


def write_nifti(phantom: Phantom, folder: Path) -> dict[str, str]:
    """Write every stack under a BIDS-like name into a folder.

    Voxels are (column, row, slice), nothing flipped. The format keeps affines as 32-bit floats,
    so geometry reads back to about 1e-5 mm.

    Returns
    -------
    dict
        UID that each slice has when the files are read, by its UID in the exam.
    """
    folder.mkdir(parents=True, exist_ok=True)
    read_as = {}
    for series in phantom.exam.series:
        for number, stack in enumerate(series.stacks, start=1):
            path = folder / _name(phantom, series, number)
            path.write_bytes(_compressed(stack))
            content = content_sha256(path)[:UID_DIGITS]
            read_as.update({item.uid: f"{content}#{k}" for k, item in enumerate(stack.slices)})
    return read_as


def _name(phantom: Phantom, series: Series, number: int) -> str:
    exam = phantom.exam
    chunk = f"_chunk-{number}" if len(series.stacks) > 1 else ""
    return (
        f"sub-{exam.subject}_ses-{exam.timepoint}_acq-{series.orientation.value}{chunk}"
        f"_{_SUFFIX[series.weighting]}.nii.gz"
    )


def _compressed(stack: Stack) -> bytes:
    from nibabel.nifti1 import Nifti1Image

    voxels = np.stack([item.pixels.T for item in stack.slices], axis=-1).astype(np.uint16)
    affine = ras_from_lps(np.asarray(stack.affine_lps))
    image: Any = Nifti1Image(voxels, affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")
    image.set_qform(image.affine, code=1)
    image.set_sform(image.affine, code=1)
    # No time stamp: the same exam must give the same bytes.
    return gzip.compress(bytes(image.to_bytes()), mtime=0)
