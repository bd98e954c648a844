"""A phantom exam as files: DICOM or NIfTI images, outlines and truth, the same bytes every time."""

from __future__ import annotations

import gzip
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.geometry import Orientation, ras_from_lps
from multifidus.data.image import Series, Slice, Stack, Weighting
from multifidus.errors import WriteError
from multifidus.io.files import content_sha256, make_folder, refuse_file_as_folder
from multifidus.io.grid import UID_DIGITS
from multifidus.io.outlines_json import SUFFIX, write_outlines
from multifidus.io.table_csv import csv_text
from multifidus.phantom.prescription import COSINE_DECIMALS, POSITION_DECIMALS, SliceGrid
from multifidus.phantom.spec import (
    IMPLEMENTATION_UID,
    SUBJECT,
    ImageFormat,
    PhantomSpec,
    Sex,
    exam_date,
    timepoint,
    uid_of,
)
from multifidus.phantom.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.dataset import Dataset

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
        If the exam is there already, or the folder is a file.
    """
    images = images_folder(phantom.spec, folder)
    name = images.name
    write = write_nifti if ImageFormat(image_format) is ImageFormat.NIFTI else write_dicom
    read_as = write(phantom, images)
    write_outlines(_renamed(phantom.outlines, read_as), images.with_name(name + SUFFIX))
    truth = [replace(row, slice_uid=read_as[row.slice_uid]) for row in phantom.truth]
    write_truth(images.with_name(f"{name}.truth.csv"), truth)
    return images


def images_folder(spec: PhantomSpec, folder: str | Path) -> Path:
    """Return where the images of a phantom exam go, before the exam is made.

    Raises
    ------
    WriteError
        If the exam is there already, or the folder is a file.
    """
    images = Path(folder) / f"{SUBJECT}_{timepoint(spec.variant)}"
    refuse_file_as_folder(images)
    if images.exists():
        msg = f"{images} already exists."
        raise WriteError(msg, remedy="Choose another folder, or delete it.")
    return images


def _renamed(rois: RoiSet, read_as: dict[str, str]) -> RoiSet:
    """Name slices as they are named when the files are read."""
    outlines = tuple(
        roi.under(replace(roi.key, slice_uid=read_as[roi.key.slice_uid])) for roi in rois
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


_NIFTI_SUFFIX = {Weighting.T2: "T2w", Weighting.DIXON_FAT: "fat", Weighting.DIXON_WATER: "water"}


def write_nifti(phantom: Phantom, folder: Path) -> dict[str, str]:
    """Write every stack under a BIDS-like name: one NIfTI file cannot hold several angles.

    Voxels are (column, row, slice), nothing flipped. The format keeps affines as 32-bit floats,
    so geometry reads back to about 1e-5 mm.

    Returns
    -------
    dict
        UID that each slice has when the files are read, by its UID in the exam.
    """
    make_folder(folder)
    read_as = {}
    for series in phantom.exam.series:
        for number, stack in enumerate(series.stacks, start=1):
            path = folder / _nifti_name(phantom, series, number)
            path.write_bytes(_nifti_bytes(stack))
            content = content_sha256(path)[:UID_DIGITS]
            read_as.update({item.uid: f"{content}#{k}" for k, item in enumerate(stack.slices)})
    return read_as


def _nifti_name(phantom: Phantom, series: Series, number: int) -> str:
    exam = phantom.exam
    chunk = f"_chunk-{number}" if len(series.stacks) > 1 else ""
    return (
        f"sub-{exam.subject}_ses-{exam.timepoint}_acq-{series.orientation.value}{chunk}"
        f"_{_NIFTI_SUFFIX[series.weighting]}.nii.gz"
    )


def _nifti_bytes(stack: Stack) -> bytes:
    from nibabel.nifti1 import Nifti1Image

    voxels = np.stack([item.pixels.T for item in stack.slices], axis=-1).astype(np.uint16)
    affine = ras_from_lps(np.asarray(stack.affine_lps))
    image: Any = Nifti1Image(voxels, affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")
    image.set_qform(image.affine, code=1)
    image.set_sform(image.affine, code=1)
    # No time stamp: the same exam must give the same bytes.
    return gzip.compress(bytes(image.to_bytes()), mtime=0)


_IMAGE_TYPE = {
    Weighting.T2: ["ORIGINAL", "PRIMARY", "OTHER"],
    Weighting.DIXON_FAT: ["ORIGINAL", "PRIMARY", "FAT"],
    Weighting.DIXON_WATER: ["ORIGINAL", "PRIMARY", "WATER"],
}

_SEQUENCE = {Weighting.T2: ("SE", "SK", 17)}
_DIXON_SEQUENCE = ("GR", "SP", 1)

_TIME = "100000"
_BITS = 12


def write_dicom(phantom: Phantom, folder: Path) -> dict[str, str]:
    """Write every series into a folder of its own, one classic DICOM MR file a slice.

    Geometry and pixels read back equal to the exam in memory, to the last bit.

    Returns
    -------
    dict
        UID that each slice has when the files are read, by its UID in the exam: the same.
    """
    for number, series in enumerate(phantom.exam.series, start=1):
        target = folder / series_name(series)
        make_folder(target)
        for instance, item in enumerate(series.slices, start=1):
            dataset = _dataset(phantom, series, item)
            dataset.SeriesNumber, dataset.InstanceNumber = number, instance
            dataset.save_as(target / f"IM{instance:04d}.dcm", enforce_file_format=True)
    return {uid: uid for uid in phantom.grids}


def series_name(series: Series) -> str:
    """Name a series: its orientation, and for a Dixon image what it shows."""
    if series.weighting is Weighting.T2:
        return series.orientation.value
    return f"{series.orientation.value}_{series.weighting.value}"


def _dataset(phantom: Phantom, series: Series, item: Slice) -> Dataset:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, item.uid
    _set(dataset, _exam_attributes(phantom))
    _set(dataset, _series_attributes(series, item))
    _set(dataset, _plane_attributes(phantom.grids[item.uid], item.thickness_mm))
    _set_pixels(dataset, item)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, UID(item.uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # Ours, not those of the installed pydicom: bytes must not change with its version.
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = "MULTIFIDUS"
    dataset.file_meta = meta
    return dataset


def _set(dataset: Dataset, attributes: dict[str, Any]) -> None:
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)


def _exam_attributes(phantom: Phantom) -> dict[str, Any]:
    spec = phantom.spec
    date = exam_date(spec.variant).strftime("%Y%m%d")
    return {
        "PatientName": "PHANTOM^MULTIFIDUS",
        "PatientID": SUBJECT,
        "PatientBirthDate": "",
        "PatientSex": "F" if spec.sex is Sex.FEMALE else "M",
        "StudyInstanceUID": uid_of(spec, "study"),
        "StudyID": "1",
        "StudyDate": date,
        "StudyTime": _TIME,
        "SeriesDate": date,
        "SeriesTime": _TIME,
        "ContentDate": date,
        "ContentTime": _TIME,
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyDescription": "Digital lumbar phantom",
        "FrameOfReferenceUID": uid_of(spec, "frame of reference"),
        "PositionReferenceIndicator": "",
    }


def _series_attributes(series: Series, item: Slice) -> dict[str, Any]:
    sequence, variant, train = _SEQUENCE.get(series.weighting, _DIXON_SEQUENCE)
    acquisition = series.acquisition
    return {
        "Modality": "MR",
        "SeriesInstanceUID": series.uid,
        "SeriesDescription": series_name(series).replace("_", " "),
        "BodyPartExamined": "LSPINE",
        "PatientPosition": "HFS",
        "Manufacturer": acquisition.manufacturer,
        "ImageType": _IMAGE_TYPE[series.weighting],
        "ScanningSequence": sequence,
        "SequenceVariant": variant,
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "RepetitionTime": f"{acquisition.repetition_time_ms:g}",
        "EchoTime": f"{acquisition.echo_time_ms:g}",
        "EchoTrainLength": train,
        "MagneticFieldStrength": f"{acquisition.field_strength_t:g}",
        "SpacingBetweenSlices": f"{_step_mm(series, item):.6g}",
        "PatientOrientation": _PATIENT_ORIENTATION[series.orientation],
    }


_PATIENT_ORIENTATION = {Orientation.AXIAL: ["L", "P"], Orientation.SAGITTAL: ["P", "F"]}


def _step_mm(series: Series, item: Slice) -> float:
    """Distance to the next slice of the stack; the thickness where there is none."""
    for stack in series.stacks:
        if item in stack.slices and stack.slice_step_mm is not None:
            return stack.slice_step_mm
    return item.thickness_mm


def _plane_attributes(grid: SliceGrid, thickness_mm: float) -> dict[str, Any]:
    cosines = (*grid.column_direction, *grid.row_direction)
    return {
        "ImagePositionPatient": [_decimal(x, POSITION_DECIMALS) for x in grid.origin_mm],
        "ImageOrientationPatient": [_decimal(x, COSINE_DECIMALS) for x in cosines],
        "PixelSpacing": [_decimal(grid.pixel_mm, COSINE_DECIMALS)] * 2,
        "SliceThickness": f"{thickness_mm:g}",
    }


def _decimal(value: float, decimals: int) -> str:
    """Write a decimal string without exponent and without idle zeros."""
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


def _set_pixels(dataset: Dataset, item: Slice) -> None:
    stored = np.asarray(item.pixels, dtype="<u2")
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, _BITS, _BITS - 1
    dataset.PixelRepresentation = 0
    high = float(np.percentile(stored, 99.5))
    dataset.WindowCenter, dataset.WindowWidth = f"{high / 2:.0f}", f"{max(high, 2):.0f}"
    dataset.PixelData = stored.tobytes()
