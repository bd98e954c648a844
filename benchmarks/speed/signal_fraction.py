"""What the fat signal fraction adds to measuring an exam, and to a finished edit in the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from itertools import cycle

import multifidus as mf
from benchmarks.speed.measuring import check_numbers
from benchmarks.synthetic import MUSCLES, REFERENCES, Sample
from benchmarks.timing import Comparison, alternate
from multifidus.data.anatomy import Side, Structure

METHODS = ("pooled_otsu", "linear", "signal")

EDITED_SLICES = 6
"""Slices outlined in the exam that is edited: 60 outlines."""

MOVED_PIXELS = 0.25
"""How far the edited outline moves, back and forth."""


def run(sample: Sample, repeats: int) -> list[Comparison]:
    """Compare with the same job by thresholds and linear mixing alone."""
    (exam,) = mf.read_exams(sample.folder)
    rois = mf.read_rois(sample.outline_file, exam)
    with_it, without = (
        mf.MeasurementProtocol(fat_methods=methods)  # type: ignore[arg-type]
        for methods in (METHODS, METHODS[:-1])
    )
    counts = [len(mf.measure(exam, rois, protocol)) for protocol in (with_it, without)]
    check_numbers(mf.measure(exam, rois, with_it), METHODS)
    seconds = alternate(
        lambda: mf.measure(exam, rois, with_it), lambda: mf.measure(exam, rois, without), repeats
    )
    ours, theirs = (1e6 * each / n for each, n in zip(seconds, counts, strict=True))
    found = [
        Comparison(
            f"measure 150 muscles, 100 references by {', '.join(METHODS)}: each quantity",
            "the same without signal",
            ours,
            theirs,
            "us",
            None,
        )
    ]
    if find_spec("napari_multifidus") is not None:
        uids = [item.uid for item in exam.series[0].slices][:EDITED_SLICES]
        few = replace(rois, rois=tuple(roi for roi in rois if roi.key.slice_uid in uids))
        edits = (_edit(exam, few, protocol) for protocol in (with_it, without))
        job = f"finished edit of one of {EDITED_SLICES * len(MUSCLES + REFERENCES)} outlines"
        found.append(
            Comparison(
                f"{job}: all numbers anew by {', '.join(METHODS)}",
                "the same without signal",
                *alternate(*edits, repeats),
                "s",
                None,
            )
        )
    return found


def _edit(exam: mf.Exam, rois: mf.RoiSet, protocol: mf.MeasurementProtocol) -> Callable[[], object]:
    """Return what the window does when an outline was changed, painting left out."""
    from napari_multifidus.models.session import Session
    from napari_multifidus.models.shapes import LayerKey

    session = Session(exam, exam.series[0], rois, protocol)
    key, index = LayerKey(Structure.MULTIFIDUS, Side.LEFT), EDITED_SLICES // 2
    loops = session.drawing.loops(key, index)
    session.analysis.measure()
    places = cycle(([loop + MOVED_PIXELS for loop in loops], loops))

    def edit() -> object:
        if not session.put(key, index, next(places)):
            msg = "The outline did not change; nothing was measured."
            raise RuntimeError(msg)
        return session.analysis.outline_rows

    return edit
