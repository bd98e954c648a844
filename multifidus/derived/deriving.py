"""All that follows from an exam's outlines, once each was measured alone."""

from __future__ import annotations

from collections.abc import Sequence

from multifidus.derived.combining import by_outline
from multifidus.derived.doubts import with_fat_doubts
from multifidus.derived.ratios import ratio_rows
from multifidus.derived.sides import side_rows
from multifidus.derived.stated import stated_rows
from multifidus.derived.volumes import volume_rows
from multifidus.image import Exam
from multifidus.measurement import Measurement
from multifidus.protocol import MeasurementProtocol
from multifidus.roi import RoiSet


def with_derived(
    rows: Sequence[Measurement], exam: Exam, rois: RoiSet, protocol: MeasurementProtocol
) -> list[Measurement]:
    """Return the numbers about single outlines with all that follows from them, not yet sorted.

    Parameters
    ----------
    rows
        Of every outline of the exam; outlines in an order of their own, which sums keep.
    exam, rois, protocol
        What was measured, and how.

    Raises
    ------
    RoiError
        If a reading grades one level and side twice, and differently.
    """
    doubted = list(with_fat_doubts(rows, exam.clinical, protocol))
    outlines = by_outline(doubted)
    return [
        *doubted,
        *ratio_rows(outlines, exam),
        *side_rows(outlines, exam.clinical),
        *volume_rows(outlines, exam),
        *stated_rows(rois, protocol.digest),
    ]
