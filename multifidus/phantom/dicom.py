"""Writing a phantom exam as classic DICOM MR images, the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.geometry import Orientation
from multifidus.data.image import Series, Slice, Weighting
from multifidus.phantom.identity import IMPLEMENTATION_UID, SUBJECT, exam_date, uid_of
from multifidus.phantom.prescription import COSINE_DECIMALS, POSITION_DECIMALS, SliceGrid
from multifidus.phantom.spec import Sex

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from multifidus.phantom.exam import Phantom

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
    """Write every series into a folder of its own, one file a slice.

    Geometry and pixels read back equal to the exam in memory, to the last bit.

    Returns
    -------
    dict
        UID that each slice has when the files are read, by its UID in the exam: the same.
    """
    for number, series in enumerate(phantom.exam.series, start=1):
        target = folder / series_name(series)
        target.mkdir(parents=True, exist_ok=True)
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
