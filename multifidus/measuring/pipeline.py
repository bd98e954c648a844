"""The use case: outlines on an exam become numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.image import Exam
from multifidus.data.measurement import Measurement, Measurements
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi import check_sides
from multifidus.data.roi_set import RoiSet, check_of_exam
from multifidus.measuring.bias_field.correction import Correction, corrections
from multifidus.measuring.calibration import BasisKey, ThresholdBasis, basis_key, threshold_bases
from multifidus.measuring.derived.derive import with_derived
from multifidus.measuring.derived.fat_by_region import regional_rows
from multifidus.measuring.fat.quality_checks import (
    low_signal_pct,
    with_disagreement,
    with_doubts,
    with_mixing,
)
from multifidus.measuring.locate import check_one_level, in_order, place, slice_words
from multifidus.measuring.midline import check_midline, wrong_sides
from multifidus.measuring.outline_pixels import OutlinePixels, sample_all
from multifidus.measuring.outline_rows import outline_rows, provenance_of, with_flag, with_level
from multifidus.measuring.overlapping_muscles import overlapping
from multifidus.measuring.plausibility import implausible
from multifidus.measuring.propose_references import with_proposals
from multifidus.measuring.uncertainty.budget import ReferenceUncertainty, spreads, with_uncertainty
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
) -> tuple[Measurements, Calibration]:
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
    sampled = sample_all(exam, placed, protocol)
    fields = corrections(sampled, protocol)
    sampled = [fields[basis_key(item)].apply(item) for item in sampled]
    bases = threshold_bases(sampled, protocol)
    calibration = Calibration(
        protocol,
        fields,
        bases,
        spreads(sampled, bases, protocol),
        resolver,
        protocol.digest,
        frozenset(basis_key(item) for item in sampled if item.roi.key.structure.is_muscle),
    )
    doubtful = {
        Flag.SIDE_DOUBTFUL: {item.placed.roi.key for item in wrong},
        Flag.OUTLINES_OVERLAP: overlapping(sampled),
    }
    rows: list[Measurement] = []
    for item in sampled:
        measured = calibration.rows_of(item, *rois.level_of(item.roi))
        for flag, keys in doubtful.items():
            if item.roi.key in keys:
                measured = [with_flag(row, flag) for row in measured]
        rows.extend(measured)
        if protocol.regional_fat and item.roi.key.structure.is_muscle:
            rows.extend(regional_rows(item, measured))
    done = sorted(with_derived(rows, exam, rois, protocol), key=lambda row: row.sort_key)
    return Measurements(tuple(done)), calibration


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What all outlines of an exam are measured by: shading, thresholds, their doubt, levels.

    Parameters
    ----------
    protocol
        How to measure.
    fields, bases, uncertain
        The shading, the thresholds and references, and their uncertainty, by what outlines share
        that share them.
    resolver
        What the landmarks say.
    digest
        Of the protocol.
    with_muscle
        What outlines share that share these, where a muscle is among them: without one, nothing
        is known of shading and thresholds.
    """

    protocol: MeasurementProtocol
    fields: Mapping[BasisKey, Correction]
    bases: Mapping[BasisKey, ThresholdBasis]
    uncertain: Mapping[BasisKey, ReferenceUncertainty]
    resolver: LevelResolver
    digest: str
    with_muscle: frozenset[BasisKey]

    def corrected(self, item: OutlinePixels) -> OutlinePixels:
        """Take the coil's shading out of what was sampled.

        Raises
        ------
        KeyError
            If no outline was measured that shares a threshold with this one.
        """
        return self.fields[basis_key(item)].apply(item)

    def rows_of(
        self, item: OutlinePixels, level: Level | None, position: SlicePosition
    ) -> list[Measurement]:
        """Measure one outline whose shading was taken out.

        Parameters
        ----------
        item
            What was sampled.
        level, position
            What was said about its level.
        """
        settled = self.resolver.resolve(item.placed.series, item.placed.index, level, position)
        origin = provenance_of(item, settled, self.digest)
        key, checked = basis_key(item), with_mixing(self.protocol)
        found = outline_rows(item, origin, checked, self.bases)
        areas = implausible(item.roi, item.area_mm2, settled.level)
        found = with_doubts(found, low_signal_pct(item, self.bases[key]), areas)
        found = with_level(found, settled, self.protocol.tilt_limit_deg)
        found = with_uncertainty(found, item, self.uncertain[key], self.protocol)
        rows = with_disagreement([*found])
        if len(checked.fat_methods) == len(self.protocol.fat_methods):
            return rows
        return [row for row in rows if row.method != FatMethod.LINEAR]
