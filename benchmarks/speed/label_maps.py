"""A reading drawn by a program: a NIfTI exam with a label map of six muscles on each slice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import multifidus as mf
from benchmarks.synthetic import MUSCLES, SPACING_MM, Sample
from benchmarks.timing import Comparison, alternate
from multifidus.data.cohort import Case
from multifidus.data.roi import Reading
from multifidus.study.run.cases import CaseSettings, finish_case
from multifidus.study.run.content import RunSettings
from multifidus.study.run.last_exam import LastExam
from multifidus.study.run.record_files import read_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROTOCOLS: Mapping[str, tuple[mf.MeasurementProtocol, float]] = {
    "area, signal and otsu": (
        mf.MeasurementProtocol(fat_methods=("otsu",), bias_correction="none"),  # type: ignore[arg-type]
        1.0,
    ),
    "everything by the default protocol": (mf.MeasurementProtocol(), 2.0),
}
"""What is measured, and how many times the peer's time it may take."""


def run(sample: Sample, folder: Path, repeats: int) -> list[Comparison]:
    """Compare a case of a run, files to record, with nibabel and skimage on the same files.

    A study's cases are alike, so that joblib does to the peer what workers do to ours: it is left
    out on both sides.
    """
    case = write_case(sample, folder / "label_maps")

    def compared(what: str, protocol: mf.MeasurementProtocol, target: float) -> Comparison:
        how = CaseSettings(folder / "label_maps" / "out", RunSettings(protocol), pictures=False)
        check_measured(finish_case(case, how, LastExam()))
        return Comparison(
            f"case of a run, 150 labels on 25 slices of NIfTI: {what}",
            "nibabel, regionprops_table, threshold_otsu",
            *alternate(
                lambda: finish_case(case, how, LastExam()),
                lambda: measure_labels(case.images[0], case.outlines[0]),
                repeats,
            ),
            "s",
            target,
        )

    return [compared(what, *each) for what, each in PROTOCOLS.items()]


def check_measured(record: Path) -> None:
    """Hold that a case was measured: one that fails early would be fast.

    Raises
    ------
    RuntimeError
        If it failed.
    """
    failure = read_record(record).failure
    if failure is not None:
        msg = f"The label map was not measured: {failure['message']}"
        raise RuntimeError(msg)


def write_case(sample: Sample, folder: Path) -> Case:
    """Write the sample's slices as one volume, and its muscles as a label map."""
    import nibabel
    from skimage.draw import polygon

    (exam,) = mf.read_exams(sample.folder)
    volume = np.stack([item.stored_pixels for item in exam.series[0].slices]).astype(np.int16)
    labels = np.zeros(volume.shape, np.uint8)
    per_slice = len(sample.paths) // len(volume)
    for place, (number, path) in enumerate(sample.paths):
        if place % per_slice < len(MUSCLES):
            value = place % per_slice + 1
            labels[number][polygon(path[:, 0], path[:, 1], labels[number].shape)] = value
    folder.mkdir()
    # Columns run to the patient's left and rows to the back, as in the sample.
    affine = np.diag((-SPACING_MM, -SPACING_MM, 4.4, 1.0))
    files = []
    for name, voxels in (("image", volume), ("labels", labels)):
        path = folder / f"{name}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(voxels.transpose(2, 1, 0), affine), path)
        files.append(path)
    scheme = ", ".join(
        f"{value}={structure} {side}" for value, (structure, side, *_) in enumerate(MUSCLES, 1)
    )
    reading = Reading("S01", "pre", "program", 1)
    return Case(reading, (files[0],), (files[1],), scheme, folder=folder)


def measure_labels(image: Path, labels: Path) -> list[tuple[float, ...]]:
    """Measure area, mean and fat by Otsu of each label on each slice, as a lab's script would."""
    import nibabel
    from skimage.filters import threshold_otsu
    from skimage.measure import regionprops_table

    voxels, numbers = (_voxels(nibabel.load(path)) for path in (image, labels))
    wanted = ("label", "area", "intensity_mean", "image", "image_intensity")
    rows = []
    for k in range(voxels.shape[2]):
        table = regionprops_table(numbers[:, :, k], voxels[:, :, k], properties=wanted)
        for n, label in enumerate(table["label"]):
            pixels = table["image_intensity"][n][table["image"][n]]
            fat = 100 * float((pixels > threshold_otsu(pixels)).mean())
            rows.append((k, label, table["area"][n], table["intensity_mean"][n], fat))
    return rows


def _voxels(image: object) -> NDArray[np.generic]:
    return np.asarray(image.dataobj)  # type: ignore[attr-defined]
