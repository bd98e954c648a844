"""Exams with outlines on disk, as a cohort of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from multifidus import Reading, RoiSet, SliceLevel, write_rois
from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.io.read import read_exam
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane, circle, outline

LEAN, FAT = 200, 900

PLACES = {
    (Structure.MULTIFIDUS, Side.RIGHT): (40, 22, 9),
    (Structure.MULTIFIDUS, Side.LEFT): (40, 58, 9),
    (Structure.LEAN_REFERENCE, Side.NONE): (12, 20, 5),
    (Structure.FAT_REFERENCE, Side.NONE): (12, 60, 5),
}
"""Centre (row, column) and radius of each outline."""


def pixels() -> np.ndarray:
    """Lean muscle on both sides, a quarter of the left one fat; references above them."""
    rng = np.random.default_rng(7)
    image = rng.normal(LEAN, 8, (80, 80))
    image[:25, 40:] += FAT - LEAN
    image[40:50, 58:68] += FAT - LEAN
    return image.round().astype(np.uint16)


def write_exam(folder: Path, slices: int = 2) -> Path:
    """Write one axial series."""
    folder.mkdir(parents=True)
    for number in range(slices):
        dataset = classic(axial_plane(z=4.4 * number, tilt=12.0), pixels(), number + 1)
        dataset.PatientName, dataset.PatientID = "Doe^Jane", "MRN-4711"
        write(dataset, folder / f"{number}.dcm")
    return folder


def write_outlines(images: Path, path: Path, reading: Reading) -> Path:
    """Outline both muscles on every slice of an exam, and the references on the first."""
    exam = read_exam(images)
    rois = []
    for number, item in enumerate(exam.series[0].slices):
        for (structure, side), (row, column, radius) in PLACES.items():
            if number and not structure.is_muscle:
                continue
            rois.append(
                outline(
                    item, circle(row, column, radius), structure, side,
                    reading=reading, roi_rule=RoiRule.FASCIAL,
                )
            )  # fmt: skip
    levels = (SliceLevel(exam.series[0].slices[0].uid, Level.L4_L5, SlicePosition.MID_DISC),)
    write_rois(RoiSet(tuple(rois), levels=levels, reading=reading), path)
    return path


def write_cohort(folder: Path) -> Path:
    """Write one subject before and after, and the table of them."""
    lines = ["subject,timepoint,order,rater,images,outlines,approach"]
    for order, timepoint in enumerate(("pre", "post")):
        images = write_exam(folder / f"S01_{timepoint}")
        reading = Reading("S01", timepoint, "AB", 1)
        write_outlines(images, folder / f"{timepoint}.outlines.json", reading)
        name = f"{timepoint}.outlines.json"
        lines.append(f"S01,{timepoint},{order},AB,S01_{timepoint},{name},open")
    path = folder / "cohort.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
