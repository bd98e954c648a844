"""Numbers to show beside an outline: measured, or while it is still in motion.

Both come from :func:`multifidus.measure`. In motion only the slice in hand is measured, with the
threshold that the exam had at the last measurement; on release everything is measured again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from multifidus.anatomy import Structure
from multifidus.flag import Flag
from multifidus.image import Exam, Slice
from multifidus.measurement import Measurement, Quantity
from multifidus.measuring import measure
from multifidus.protocol import BiasCorrection, FatMethod, MeasurementProtocol
from multifidus.roi import Roi, RoiKey, RoiSet

NAN = float("nan")

_REFERENCES = (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is measured of one structure on one slice.

    Parameters
    ----------
    area_mm2
        Total cross-sectional area; of several samples their sum.
    fat_pct
        Fat infiltration by ``fat_method``; NaN where undefined.
    dixon_pct
        Mean Dixon fat fraction; NaN where there is no Dixon pair.
    mean_si
        Mean signal of the valid pixels; NaN for several samples.
    problem
        Why what is drawn is no outline; then nothing is measured.
    """

    area_mm2: float = NAN
    fat_pct: float = NAN
    fat_method: str = ""
    threshold: float = NAN
    dixon_pct: float = NAN
    mean_si: float = NAN
    flags: tuple[Flag, ...] = ()
    problem: str = ""


def numbers_of(rows: Sequence[Measurement]) -> Numbers:
    """Gather the numbers of one structure on one slice from rows of the tidy table."""
    areas = [row.value for row in rows if row.quantity is Quantity.TCSA_MM2]
    fat = next((row for row in rows if row.quantity is Quantity.FI_PCT), None)
    signal = [row.value for row in rows if row.quantity is Quantity.MEAN_SI]
    dixon = [row.value for row in rows if row.quantity is Quantity.DIXON_FF_MEAN_PCT]
    return Numbers(
        area_mm2=math.fsum(areas) if areas else NAN,
        fat_pct=fat.value if fat else NAN,
        fat_method=fat.method if fat else "",
        threshold=fat.parameters.get("threshold", NAN) if fat else NAN,
        dixon_pct=dixon[0] if dixon else NAN,
        mean_si=signal[0] if len(signal) == 1 else NAN,
        flags=tuple(dict.fromkeys(flag for row in rows for flag in row.flags)),
    )


def preview(
    exam: Exam,
    rois: RoiSet,
    roi: Roi,
    *,
    last: Iterable[Measurement],
    protocol: MeasurementProtocol,
) -> Numbers:
    """Measure one outline in motion.

    Parameters
    ----------
    exam, rois
        The images, and everything else that is drawn.
    roi
        The outline in motion.
    last
        The last measurement, whose threshold is used; without one, the references are.
    protocol
        How to measure.
    """
    found = exam.find_slice(roi.key.slice_uid)
    if found is None:
        return Numbers()
    image = found[0].slices[found[1]]
    artefacts = [
        other
        for other in rois
        if other.key.structure is Structure.ARTEFACT and other.plane.is_same(image.plane, roi.shape)
    ]
    alone = replace(roi, key=replace(roi.key, name="\0in motion"))
    basis = _basis(last, found[0].uid, roi.key)
    if basis is None or FatMethod.POOLED_OTSU not in protocol.fat_methods:
        references = [other for other in rois if other.key.structure in _REFERENCES]
        rows = measure(exam, RoiSet((alone, *artefacts, *references)), protocol)
        return numbers_of([row for row in rows if row.key == alone.key])
    rows = measure(_only(exam, image), RoiSet((alone, *artefacts)), basis.protocol(protocol))
    numbers = numbers_of([row for row in rows if row.key == alone.key])
    return replace(
        numbers,
        fat_method=FatMethod.POOLED_OTSU.value,
        threshold=basis.threshold,
        flags=tuple(dict.fromkeys((*numbers.flags, *basis.flags))),
    )


@dataclass(frozen=True, slots=True)
class _Basis:
    """The threshold that all muscles of a series share, and what is doubtful about it.

    Parameters
    ----------
    gain
        By how much the coil brightens the outline's place: corrected signal is divided by it.
    """

    threshold: float
    gain: float
    flags: tuple[Flag, ...]

    def protocol(self, wanted: MeasurementProtocol) -> MeasurementProtocol:
        """Return the protocol that measures by this threshold; without one, area alone."""
        if math.isnan(self.threshold):
            return replace(wanted, fat_methods=(), fixed_threshold=None)
        return replace(
            wanted,
            fat_methods=(FatMethod.FIXED,),
            fixed_threshold=self.threshold * self.gain,
            bias_correction=BiasCorrection.NONE,
        )


def _basis(last: Iterable[Measurement], series: str, key: RoiKey) -> _Basis | None:
    """Return the threshold of the last measurement; None where it had no muscle yet.

    The gain is the outline's own when it was measured last, else that of its slice.
    """
    shared = (Flag.UNDETECTABLE, Flag.NO_REFERENCE)
    pooled = [
        row
        for row in last
        if row.method == FatMethod.POOLED_OTSU
        and row.quantity is Quantity.FI_PCT
        and row.provenance.series == series
    ]
    if not pooled:
        return None
    nearest = max(pooled, key=lambda row: (row.key == key, row.key.slice_uid == key.slice_uid))
    flags = tuple(flag for flag in pooled[0].flags if flag in shared)
    threshold = float(pooled[0].parameters.get("threshold", NAN))
    return _Basis(threshold, float(nearest.parameters.get("bias_gain", 1.0)), flags)


def _only(exam: Exam, image: Slice) -> Exam:
    """Return the exam with nothing but one slice, and its companions in other contrasts.

    Alone, a slice has no stack to be doubted, so that its stack's flags become its series'.
    """
    series = tuple(
        replace(found, slices=(found.slices[index],), flags=found.flags_at(index))
        for found, index in exam.find_slices(image.plane, image.shape)
    )
    return replace(exam, series=series)
