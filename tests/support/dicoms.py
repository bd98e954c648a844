"""DICOM files of known content, written with pydicom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
)
from pydicom.valuerep import DSfloat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydicom.uid import UID

    from multifidus.data.geometry import Plane

ROOT = "1.2.826.0.1.3680043.8.498"
STUDY, SERIES = f"{ROOT}.1", f"{ROOT}.1.1"


def decimals(values: Sequence[float]) -> list[DSfloat]:
    """Return numbers as DICOM's decimal strings of at most 16 characters."""
    return [DSfloat(float(value), auto_format=True) for value in values]


def geometry(plane: Plane) -> dict[str, Any]:
    """Return DICOM's position, orientation and spacing of a plane."""
    row_mm, column_mm = plane.pixel_spacing_mm
    return {
        "ImagePositionPatient": decimals(plane.origin_mm),
        "ImageOrientationPatient": decimals(
            [*(plane.column_step_mm / column_mm), *(plane.row_step_mm / row_mm)]
        ),
        "PixelSpacing": decimals((row_mm, column_mm)),
    }


def header(pixels: NDArray[np.integer[Any]], sop_class: UID, uid: str) -> Dataset:
    """Return a data set of a subject whose identity everybody could recognise."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY, SERIES
    dataset.FrameOfReferenceUID = f"{ROOT}.7"
    dataset.PatientName, dataset.PatientID = "Doe^Jane", "HOSP-4711"
    dataset.StudyDate, dataset.Modality, dataset.Manufacturer = "20210304", "MR", "ACME"
    dataset.MagneticFieldStrength = DSfloat(1.5)
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = pixels.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    return dataset


def classic(plane: Plane, pixels: NDArray[np.integer[Any]], number: int = 1) -> Dataset:
    """Return one slice as a classic MR image: T2 weighted, 4 mm thick."""
    dataset = header(pixels, MRImageStorage, f"{SERIES}.{number}")
    for name, value in geometry(plane).items():
        setattr(dataset, name, value)
    dataset.InstanceNumber, dataset.EchoNumbers = number, 1
    dataset.SliceThickness = DSfloat(4)
    dataset.EchoTime, dataset.RepetitionTime = DSfloat(100), DSfloat(4000)
    dataset.PixelData = pixels.tobytes()
    return dataset


def item(**values: Any) -> Dataset:
    """Return a data set of the given elements."""
    dataset = Dataset()
    for name, value in values.items():
        setattr(dataset, name, value)
    return dataset


def enhanced(
    planes: Sequence[Plane],
    pixels: NDArray[np.integer[Any]],
    per_frame: Sequence[dict[str, Dataset]] | None = None,
) -> Dataset:
    """Return slices as one Enhanced MR image; ``per_frame`` adds groups of one item each."""
    dataset = header(pixels, EnhancedMRImageStorage, f"{SERIES}.99")
    dataset.NumberOfFrames = len(planes)
    groups = []
    for number, plane in enumerate(planes):
        facts = geometry(plane)
        group = item(
            PlanePositionSequence=Items([item(ImagePositionPatient=facts["ImagePositionPatient"])]),
            PlaneOrientationSequence=Items(
                [item(ImageOrientationPatient=facts["ImageOrientationPatient"])]
            ),
            PixelMeasuresSequence=Items(
                [item(PixelSpacing=facts["PixelSpacing"], SliceThickness=DSfloat(4))]
            ),
        )
        for name, value in (per_frame[number] if per_frame else {}).items():
            setattr(group, name, Items([value]))
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Items(groups)
    dataset.SharedFunctionalGroupsSequence = Items(
        [
            item(
                MREchoSequence=Items([item(EffectiveEchoTime=100.0)]),
                MRTimingAndRelatedParametersSequence=Items([item(RepetitionTime=DSfloat(4000))]),
            )
        ]
    )
    dataset.PixelData = pixels.tobytes()
    return dataset


def write(dataset: Dataset, path: Path, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """Write a data set; its pixels have to be in the byte order of the transfer syntax."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax == RLELossless:
        dataset.compress(RLELossless)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path
