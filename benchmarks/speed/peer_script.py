"""What a lab would write with pydicom and skimage: series and outlines in, table out.

Run as a script, it is the whole-process peer of ``multifidus measure``.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def measure_with_skimage(
    volume: np.ndarray, paths: Sequence[tuple[int, np.ndarray]]
) -> list[tuple[float, ...]]:
    """Measure outlines, (slice, (n, 2) pixels), with regionprops_table and threshold_otsu."""
    from skimage.draw import polygon
    from skimage.filters import threshold_otsu
    from skimage.measure import regionprops_table

    by_slice: dict[int, list[np.ndarray]] = {}
    for number, path in paths:
        by_slice.setdefault(number, []).append(path)
    rows = []
    for number, members in by_slice.items():
        image = volume[number]
        labels = np.zeros(image.shape, np.uint8)
        for label, path in enumerate(members, 1):
            labels[polygon(path[:, 0], path[:, 1], image.shape)] = label
        table = regionprops_table(
            labels, image, properties=("label", "area", "intensity_mean", "bbox")
        )
        for index, label in enumerate(table["label"]):
            pixels = image[labels == label]
            fat = float((pixels > threshold_otsu(pixels)).mean())
            rows.append((number, table["area"][index], table["intensity_mean"][index], 100 * fat))
    return rows


def main(folder: str, outlines: str, output: str) -> None:
    """Read a folder of DICOM and an outline file, measure, write a CSV table."""
    import pydicom

    datasets = [pydicom.dcmread(path) for path in sorted(Path(folder).iterdir())]
    volume = np.stack([dataset.pixel_array for dataset in datasets])
    index = {str(dataset.SOPInstanceUID): number for number, dataset in enumerate(datasets)}
    document = json.loads(Path(outlines).read_text())
    paths = []
    for entry in document["outlines"]:
        dataset = datasets[index[entry["slice_uid"]]]
        across, down = np.split(np.array(dataset.ImageOrientationPatient, float), 2)
        offset = np.array(entry["paths_mm"][0]) - np.array(dataset.ImagePositionPatient, float)
        row = offset @ down / float(dataset.PixelSpacing[0])
        column = offset @ across / float(dataset.PixelSpacing[1])
        paths.append((index[entry["slice_uid"]], np.stack((row, column), axis=1)))
    rows = measure_with_skimage(volume, paths)
    with Path(output).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("slice", "area_pixels", "mean", "fat_pct"))
        writer.writerows(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
