"""Measuring 150 muscles and their references, and covering one outline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import compress

import numpy as np

import multifidus as mf
from benchmarks.speed.peer_script import measure_with_skimage
from benchmarks.synthetic import SIZE, Sample
from benchmarks.timing import Comparison, alternate
from multifidus.measuring.coverage import coverage_box


def run(sample: Sample, repeats: int) -> list[Comparison]:
    """Compare with skimage on the same outlines, already loaded on both sides."""
    from skimage.draw import polygon2mask

    (exam,) = mf.read_exams(sample.folder)
    rois = mf.read_rois(sample.outline_file, exam)
    volume = np.stack([item.stored_pixels for item in exam.series[0].slices])
    outline = sample.paths[0][1]

    def measured(*methods: str) -> Comparison:
        protocol = with_former_field(*methods)
        check_numbers(mf.measure(exam, rois, protocol), methods)
        job = f"measure 150 muscles, 100 references by {' and '.join(methods)}"
        return compared(job, rois, sample.paths, protocol)

    def compared(
        job: str,
        outlines: mf.RoiSet,
        paths: Sequence[tuple[int, np.ndarray]],
        protocol: mf.MeasurementProtocol,
    ) -> Comparison:
        return Comparison(
            job,
            "skimage polygon, regionprops_table, threshold_otsu",
            *alternate(
                lambda: mf.measure(exam, outlines, protocol),
                lambda: measure_with_skimage(volume, paths),
                repeats,
            ),
            "s",
            1 / 3,
        )

    is_muscle = [roi.key.structure.is_muscle for roi in rois]
    return [
        measured("pooled_otsu", "linear"),
        measured("pooled_otsu", "otsu"),
        compared(
            "measure 150 muscles without references: areas and signal, fat undefined",
            replace(rois, rois=tuple(compress(rois, is_muscle))),
            tuple(compress(sample.paths, is_muscle)),
            with_former_field("pooled_otsu", "linear"),
        ),
        Comparison(
            "exact coverage of a 120-vertex outline",
            "skimage.draw.polygon2mask on the slice",
            *alternate(
                lambda: [coverage_box([outline], (SIZE, SIZE)) for _ in range(20)],
                lambda: [polygon2mask((SIZE, SIZE), outline) for _ in range(20)],
                repeats,
            ),
            "s",
            1.0,
        ),
    ]


def with_former_field(*methods: str) -> mf.MeasurementProtocol:
    """Return the job of version 0.1; the default's joint field has lines of its own."""
    return mf.MeasurementProtocol(
        fat_methods=methods,  # type: ignore[arg-type]
        bias_correction="low_order",  # type: ignore[arg-type]
    )


def check_numbers(rows: mf.Measurements, methods: Sequence[str]) -> None:
    """Hold that every method gives a number: one that ends early in NaN would be fast.

    Raises
    ------
    RuntimeError
        If a value or its uncertainty is missing.
    """
    for method in methods:
        own = [row for row in rows if row.method == method and not row.quantity.is_grade]
        if not own or any(math.isnan(row.value) or math.isnan(row.uncertainty) for row in own):
            msg = f"{method} does not give a number for every muscle; nothing was compared."
            raise RuntimeError(msg)
