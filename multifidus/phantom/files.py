"""A phantom exam as files: images, outlines and truth."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from multifidus.errors import WriteError
from multifidus.io.outlines_json import SUFFIX, write_outlines
from multifidus.io.table_text import csv_text
from multifidus.phantom.dicom import write_dicom
from multifidus.phantom.nifti import write_nifti
from multifidus.phantom.spec import ImageFormat
from multifidus.phantom.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from multifidus.data.roi_set import RoiSet
    from multifidus.phantom.exam import Phantom


TRUTH_DECIMALS = 6
"""Decimals of the numbers in a table of truth."""


def write_phantom(
    phantom: Phantom, folder: str | Path, image_format: ImageFormat = ImageFormat.DICOM
) -> Path:
    """Write a phantom exam into a folder, and return where its images are.

    ::

        S01_pre/                  images
        S01_pre.outlines.json     perfect outlines with references, levels and landmarks
        S01_pre.truth.csv         truth about every muscle on every axial slice, by quadrature

    Outlines and truth name slices as the files name them.

    Raises
    ------
    WriteError
        If the exam is there already.
    """
    name = f"{phantom.exam.subject}_{phantom.exam.timepoint}"
    images = Path(folder) / name
    if images.exists():
        msg = f"{images} already exists."
        raise WriteError(msg, remedy="Choose another folder, or delete it.")
    write = write_nifti if ImageFormat(image_format) is ImageFormat.NIFTI else write_dicom
    read_as = write(phantom, images)
    write_outlines(_renamed(phantom.outlines, read_as), images.with_name(name + SUFFIX))
    truth = [replace(row, slice_uid=read_as[row.slice_uid]) for row in phantom.truth]
    write_truth(images.with_name(f"{name}.truth.csv"), truth)
    return images


def _renamed(rois: RoiSet, read_as: dict[str, str]) -> RoiSet:
    """Name slices as they are named when the files are read."""
    outlines = tuple(
        replace(roi, key=replace(roi.key, slice_uid=read_as[roi.key.slice_uid])) for roi in rois
    )
    levels = tuple(replace(typed, slice_uid=read_as[typed.slice_uid]) for typed in rois.levels)
    return replace(rois, rois=outlines, levels=levels)


def write_truth(path: Path, truth: Iterable[Truth]) -> None:
    """Write truth as a table, one row a muscle and slice.

    Numbers have ``TRUTH_DECIMALS``: quadrature knows fewer, and the last bits of a float depend on
    the processor.
    """
    header = [field.name for field in fields(Truth)]
    lines = [[_cell(value) for value in asdict(row).values()] for row in truth]
    path.write_bytes(csv_text([header, *lines]).encode())


def _cell(value: object) -> object:
    return f"{value:.{TRUTH_DECIMALS}f}" if isinstance(value, float) else value
