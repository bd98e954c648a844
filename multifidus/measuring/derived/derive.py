"""All that follows from an exam's outlines, once each was measured alone."""

from __future__ import annotations

from collections.abc import Sequence

from multifidus.data.image import Exam
from multifidus.data.measurement import Measurement
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.derived.combine import by_outline
from multifidus.measuring.derived.muscle_volume import volume_rows
from multifidus.measuring.derived.quality_flags import with_fat_flags
from multifidus.measuring.derived.rater_statements import stated_rows
from multifidus.measuring.derived.ratios import ratio_rows
from multifidus.measuring.derived.side_comparison import side_rows


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
    flagged = list(with_fat_flags(rows, exam.clinical, protocol))
    outlines = by_outline(flagged)
    return [
        *flagged,
        *ratio_rows(outlines, exam),
        *side_rows(outlines, exam.clinical),
        *volume_rows(outlines, exam),
        *stated_rows(rois, protocol.digest),
    ]
