"""The default protocol beside that of version 0.1: an exam, and a finished edit in the window.

The default adds the fat signal fraction, and the bias field that is fitted with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from itertools import cycle

import multifidus as mf
from benchmarks.speed.measuring import check_numbers, with_former_field
from benchmarks.synthetic import MUSCLES, REFERENCES, Sample
from benchmarks.timing import Comparison, alternate
from multifidus.data.anatomy import Side, Structure

FORMER = with_former_field("pooled_otsu", "linear")

EDITED_SLICES = 6
"""Slices outlined in the exam that is edited: 60 outlines."""

MOVED_PIXELS = 0.25
"""How far the edited outline moves, back and forth."""


def run(sample: Sample, repeats: int) -> list[Comparison]:
    """Compare with the same job by the former protocol."""
    (exam,) = mf.read_exams(sample.folder)
    rois = mf.read_rois(sample.outline_file, exam)
    protocols = mf.MeasurementProtocol(), FORMER
    counts = [len(mf.measure(exam, rois, protocol)) for protocol in protocols]
    check_numbers(mf.measure(exam, rois), protocols[0].fat_methods)
    seconds = alternate(
        lambda: mf.measure(exam, rois), lambda: mf.measure(exam, rois, FORMER), repeats
    )
    ours, theirs = (1e6 * each / n for each, n in zip(seconds, counts, strict=True))
    found = [
        Comparison(
            "measure 150 muscles, 100 references by the default protocol: each quantity",
            "by the protocol of version 0.1",
            ours,
            theirs,
            "us",
            None,
        )
    ]
    if find_spec("napari_multifidus") is not None:
        uids = [item.uid for item in exam.series[0].slices][:EDITED_SLICES]
        few = replace(rois, rois=tuple(roi for roi in rois if roi.key.slice_uid in uids))
        edits = (_edit(exam, few, protocol) for protocol in protocols)
        job = f"finished edit of one of {EDITED_SLICES * len(MUSCLES + REFERENCES)} outlines"
        found.append(
            Comparison(
                f"{job}: all numbers anew by the default protocol",
                "by the protocol of version 0.1",
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
