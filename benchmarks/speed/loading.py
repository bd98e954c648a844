"""Loading a series of 25 slices of 512 x 512."""

from __future__ import annotations

import numpy as np

import multifidus as mf
from benchmarks.synthetic import Sample
from benchmarks.timing import Comparison, alternate


def run(sample: Sample, repeats: int) -> list[Comparison]:
    """Compare with pydicom's dcmread and pixel_array in a loop."""
    import pydicom

    def stored() -> object:
        (exam,) = mf.read_exams(sample.folder)
        return [item.stored_pixels for item in exam.series[0].slices]

    def rescaled() -> object:
        (exam,) = mf.read_exams(sample.folder)
        return [item.pixels for item in exam.series[0].slices]

    def peer_stored() -> object:
        return [pydicom.dcmread(path).pixel_array for path in sample.files]

    def peer_rescaled() -> object:
        return [pydicom.dcmread(path).pixel_array.astype(np.float64) for path in sample.files]

    return [
        Comparison("load 25 slices: exam, stacks, stored pixels", "pydicom dcmread + pixel_array",
                   *alternate(stored, peer_stored, repeats), "s", 1.0),
        Comparison("the same, pixels rescaled to float64", "the same, as float64",
                   *alternate(rescaled, peer_rescaled, repeats), "s", None),
    ]  # fmt: skip
