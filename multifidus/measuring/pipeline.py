"""The use case: outlines on an exam become numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.image import Exam
from multifidus.data.measurement import Measurement, Measurements
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi import check_sides
from multifidus.data.roi_set import RoiSet, check_of_exam
from multifidus.measuring.calibration import Calibration, calibrate
from multifidus.measuring.derived.combine import by_outline
from multifidus.measuring.derived.comparisons import ratio_rows, side_rows
from multifidus.measuring.derived.fat_by_region import regional_rows
from multifidus.measuring.derived.muscle_volume import volume_rows
from multifidus.measuring.derived.rater_statements import stated_rows
from multifidus.measuring.fat.quality_checks import (
    with_disagreement,
    with_fat_flags,
    with_mixing,
    with_quality_flags,
)
from multifidus.measuring.locate import SignalScale, check_one_level, in_order, place, slice_words
from multifidus.measuring.midline import check_midline, wrong_sides
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.outline_rows import outline_rows, provenance_of, with_flag, with_level
from multifidus.measuring.plausibility import implausible, overlapping
from multifidus.measuring.propose_references import with_proposals
from multifidus.measuring.signal_rows import signal_fraction
from multifidus.measuring.slice_pixels import read_outline_pixels
from multifidus.measuring.uncertainty.budget import with_uncertainty
from multifidus.spine.resolve import LevelResolver


def measure(exam: Exam, rois: RoiSet, protocol: MeasurementProtocol | None = None) -> Measurements:
    """Measure every outline of an exam.

    Parameters
    ----------
    exam
        The images. Pixels of outlined slices are read, no others. Its clinical facts say what
        fat soon after surgery is worth, and what areas are divided by.
    rois
        Outlines on them; lean and fat references among them serve the whole exam. Gaps and grades
        become rows of their level.
    protocol
        How; the default protocol if None.

    Returns
    -------
    Measurements
        Sorted by key, then quantity. For every outline its areas and mean signal; for muscles
        their fat by each method of the protocol, and on Dixon pairs both fat fractions; then what
        follows from these: ratios, sides compared, volumes. What is undefined is NaN with a flag.

    Raises
    ------
    RoiError
        If an outline fits no slice or is of another subject or timepoint, left and right are
        swapped, landmarks put an outline on the other side of the midline, or a muscle has two
        grades.
    LevelError
        If landmarks or typed levels contradict each other, or do not belong to the exam.
    ReadError
        If the pixels of a slice cannot be read.
    """
    return measure_calibrated(exam, rois, protocol)[0]


def measure_calibrated(
    exam: Exam, rois: RoiSet, protocol: MeasurementProtocol | None = None
) -> tuple[Measurements, ExamCalibration]:
    """Do what :func:`measure` does, and keep by what it was done.

    Returns
    -------
    tuple
        The measurements, and the calibration by which further outlines can be measured alone.

    Raises
    ------
    MultifidusError
        As :func:`measure`.
    """
    protocol = protocol or MeasurementProtocol()
    check_of_exam(exam, rois)
    if protocol.propose_references:
        rois = with_proposals(exam, rois)
    placed = in_order(place(rois, exam), exam)
    check_sides(rois, slice_words(placed, rois))
    check_one_level(placed, rois)
    resolver = LevelResolver.of(exam, rois, protocol)
    wrong = wrong_sides(placed, resolver.spine)
    check_midline(wrong)
    outlines, groups = calibrate(read_outline_pixels(exam, placed, protocol), protocol)
    calibration = ExamCalibration(protocol, groups, resolver, protocol.digest)
    flagged = {
        Flag.SIDE_DOUBTFUL: {item.placed.roi.key for item in wrong},
        Flag.OUTLINES_OVERLAP: overlapping(outlines),
    }
    rows: list[Measurement] = []
    for item in outlines:
        measured = calibration.rows_of(item, *rois.level_of(item.roi))
        for flag, keys in flagged.items():
            if item.roi.key in keys:
                measured = [with_flag(row, flag) for row in measured]
        rows.extend(measured)
        if protocol.regional_fat and item.is_muscle:
            rows.extend(regional_rows(item, measured))
    done = sorted(_with_derived(rows, exam, rois, protocol), key=lambda row: row.sort_key)
    return Measurements(tuple(done)), calibration


def _with_derived(
    rows: Sequence[Measurement], exam: Exam, rois: RoiSet, protocol: MeasurementProtocol
) -> list[Measurement]:
    """Return the numbers about single outlines with all that follows from them, not yet sorted.

    Outlines are in an order of their own, which sums keep.
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


@dataclass(frozen=True, slots=True, eq=False)
class ExamCalibration:
    """What all outlines of an exam are measured by.

    Parameters
    ----------
    protocol
        How to measure.
    groups
        The calibration of the outlines on each scale of signal.
    resolver
        Of levels, by what the landmarks say.
    digest
        Of the protocol.
    """

    protocol: MeasurementProtocol
    groups: Mapping[SignalScale, Calibration]
    resolver: LevelResolver
    digest: str

    def of(self, item: OutlinePixels) -> Calibration | None:
        """Return the calibration of an outline; None if none was measured on its scale."""
        return self.groups.get(item.signal_scale)

    def rows_of(
        self,
        item: OutlinePixels,
        level: Level | None,
        position: SlicePosition,
        *,
        compares: bool = True,
    ) -> list[Measurement]:
        """Measure one outline whose signal was corrected.

        Parameters
        ----------
        item
            The outline and its pixels.
        level, position
            What was said about its level.
        compares
            Whether fat is flagged where thresholds and fractions disagree about it.

        Raises
        ------
        KeyError
            If no outline was measured on its scale of signal.
        """
        calibration = self.groups[item.signal_scale]
        resolved = self.resolver.resolve(item.placed.series, item.placed.index, level, position)
        origin = provenance_of(item, resolved, self.digest)
        checked = with_mixing(self.protocol) if compares else self.protocol
        is_asked = item.is_muscle and FatMethod.SIGNAL in checked.fat_methods
        fraction = signal_fraction(item, calibration) if is_asked else None
        found = list(outline_rows(item, origin, checked, calibration, fraction=fraction))
        areas = implausible(item.roi, item.areas.total_mm2, resolved.level)
        found = list(with_quality_flags(found, calibration.low_signal_pct(item), areas))
        found = list(with_level(found, resolved, self.protocol.tilt_limit_deg))
        found = list(with_uncertainty(found, item, calibration, self.protocol, fraction=fraction))
        rows = with_disagreement(found) if compares else found
        if len(checked.fat_methods) == len(self.protocol.fat_methods):
            return rows
        return [row for row in rows if row.method != FatMethod.LINEAR]
