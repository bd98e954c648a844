"""The series that speed is measured on: five angled stacks of 512 x 512.

Each slice has six muscles, and two references of lean muscle and of fat, as the sample exams have.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from multifidus import Plane, Reading, Roi, RoiKey, RoiSet, SliceLevel, write_rois
from multifidus.data.anatomy import Side, SlicePosition, Structure
from multifidus.phantom.spine import DISCS

STACKS, PER_STACK, SIZE, SPACING_MM = 5, 5, 512, 0.39
VERTICES, REFERENCE_VERTICES = 120, 48
ROOT = "1.2.826.0.1.3680043.10"
"""Of all UIDs here; the number of an exam follows."""

Outlined = tuple[Structure, Side, tuple[int, int], int]
"""Structure, side, centre (row, column) and radius in pixels."""

MUSCLES: tuple[Outlined, ...] = (
    (Structure.MULTIFIDUS, Side.RIGHT, (330, 215), 36),
    (Structure.MULTIFIDUS, Side.LEFT, (330, 297), 36),
    (Structure.ERECTOR_SPINAE, Side.RIGHT, (340, 125), 47),
    (Structure.ERECTOR_SPINAE, Side.LEFT, (340, 387), 47),
    (Structure.PSOAS, Side.RIGHT, (210, 150), 47),
    (Structure.PSOAS, Side.LEFT, (210, 362), 47),
)

REFERENCES: tuple[Outlined, ...] = (
    (Structure.LEAN_REFERENCE, Side.RIGHT, (340, 125), 13),
    (Structure.LEAN_REFERENCE, Side.LEFT, (340, 387), 13),
    (Structure.FAT_REFERENCE, Side.RIGHT, (430, 150), 10),
    (Structure.FAT_REFERENCE, Side.LEFT, (430, 362), 10),
)
"""Circles of one tissue: lean muscle within the erector spinae, fat under the skin."""

LEAN, FAT = 400.0, 1600.0
MARGIN = 4
"""Pixels by which the tissue of a reference reaches beyond its circle."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A series on disk with its outlines; paths in pixels serve peers that know no millimetres."""

    folder: Path
    outline_file: Path
    files: tuple[Path, ...]
    paths: tuple[tuple[int, np.ndarray], ...]


@dataclass(frozen=True, slots=True)
class Extent:
    """What of the series is outlined.

    Parameters
    ----------
    structures
        Which muscles; None for all.
    middle
        Whether only the middle slice of each stack is outlined, which has then a level.
    references
        Whether lean muscle and fat are sampled too.
    """

    structures: tuple[Structure, ...] | None = None
    middle: bool = False
    references: bool = True

    def kinds(self, place: int) -> list[Outlined]:
        """Return what is outlined on a slice, by its place in its stack."""
        if self.middle and place != PER_STACK // 2:
            return []
        muscles = [m for m in MUSCLES if self.structures is None or m[0] in self.structures]
        return [*muscles, *(REFERENCES if self.references else ())]


EVERYTHING = Extent()


def make_sample(
    folder: Path, seed: int = 1, subject: str = "S01", extent: Extent = EVERYTHING
) -> Sample:
    """Write the series and its outlines."""
    rng = np.random.default_rng(seed)
    images = folder / "series"
    images.mkdir(parents=True)
    files, rois, paths = [], [], []
    levels: list[SliceLevel] = []
    by = Reading(subject, "pre", "AB", 1)
    for number in range(STACKS * PER_STACK):
        stack, place = divmod(number, PER_STACK)
        plane = _plane(stack, place)
        uid = f"{ROOT}.{seed}.{number + 1}"
        path = images / f"{number:03d}.dcm"
        write_slice(path, uid, plane, pixels=tissue_pixels(rng), number=number, exam=seed)
        files.append(path)
        kinds = extent.kinds(place)
        if extent.middle and kinds:
            levels.append(SliceLevel(uid, DISCS[stack], SlicePosition.MID_DISC))
        for structure, side, centre, radius in kinds:
            is_circle = structure in {Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE}
            outline = _circle(centre, radius) if is_circle else _blob(rng, centre, radius)
            paths.append((number, outline))
            key = RoiKey(by, uid, structure, side)
            rois.append(Roi(key, (plane.to_patient(outline),), plane, (SIZE, SIZE)))
    outline_file = folder / f"{subject}.outlines.json"
    write_rois(RoiSet(tuple(rois), levels=tuple(levels), reading=by), outline_file)
    return Sample(images, outline_file, tuple(files), tuple(paths))


def _plane(stack: int, place: int) -> Plane:
    tilt = np.radians(-12 + 9.5 * stack)
    down = np.array((0.0, np.cos(tilt), np.sin(tilt)))
    normal = np.array((0.0, -np.sin(tilt), np.cos(tilt)))
    centre = np.array((0.0, 0.0, 150.0 - 35.0 * stack)) + normal * 4.4 * (place - 2)
    half = SPACING_MM * (SIZE - 1) / 2
    across = np.array((1.0, 0.0, 0.0))
    origin = np.round(centre - half * (down + across), 6)
    return Plane(origin, SPACING_MM * down, SPACING_MM * across)


def _blob(rng: np.random.Generator, centre: tuple[int, int], radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, VERTICES, endpoint=False)
    wobble = 1 + sum(
        rng.normal(0, 0.04) * np.cos(order * angle + rng.uniform(0, 6)) for order in (2, 3, 5)
    )
    outline = np.stack((np.cos(angle), np.sin(angle)), axis=1) * (radius * wobble)[:, None]
    return outline + centre + rng.uniform(-0.5, 0.5, 2)


def _circle(centre: tuple[int, int], radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, REFERENCE_VERTICES, endpoint=False)
    return radius * np.stack((np.cos(angle), np.sin(angle)), axis=1) + centre


def tissue_pixels(rng: np.random.Generator) -> np.ndarray:
    """Lean muscle with streaks of fat in smooth shading, 12 bits; one tissue at each reference."""
    row, column = np.mgrid[:SIZE, :SIZE] / SIZE
    streaks = np.sin(40 * row + rng.uniform(0, 6)) + np.sin(55 * column + rng.uniform(0, 6))
    signal = np.where(streaks > 0.9, FAT, LEAN)
    for structure, _, (y, x), radius in REFERENCES:
        near = np.hypot(row * SIZE - y, column * SIZE - x) < radius + MARGIN
        signal[near] = LEAN if structure is Structure.LEAN_REFERENCE else FAT
    signal *= 1.15 - 0.3 * row
    noisy = np.hypot(signal + rng.normal(0, 25, signal.shape), rng.normal(0, 25, signal.shape))
    return noisy.round().astype(np.uint16)


def write_slice(
    path: Path, uid: str, plane: Plane, *, pixels: np.ndarray, number: int, exam: int = 1
) -> None:
    """Write a slice of an exam, which is known by its number, as DICOM."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, uid, "MR"
    data.StudyInstanceUID = f"{ROOT}.{exam}.0.2"
    data.SeriesInstanceUID = f"{ROOT}.{exam}.0.3"
    data.FrameOfReferenceUID = f"{ROOT}.{exam}.0.4"
    data.PatientID, data.PatientName, data.StudyDate = f"B{exam}", "BENCH", "20260101"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    data.EchoTime, data.RepetitionTime, data.InstanceNumber = 90, 3500, number + 1
    data.ImagePositionPatient = [f"{value:.6f}" for value in plane.origin_mm]
    row_mm, column_mm = plane.pixel_spacing_mm
    directions = (*(plane.column_step_mm / column_mm), *(plane.row_step_mm / row_mm))
    data.ImageOrientationPatient = [f"{value:.12f}" for value in directions]
    data.PixelSpacing, data.SliceThickness = [SPACING_MM, SPACING_MM], 4.0
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = pixels.tobytes()
    # Scanners add private headers; 61 KiB is what one vendor's weigh.
    block = data.private_block(0x0029, "BENCH", create=True)
    block.add_new(0x10, "OB", bytes(61 * 1024))
    data.save_as(path, enforce_file_format=True)
