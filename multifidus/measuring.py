"""The use case: outlines on an exam become numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from multifidus.anatomy import Structure
from multifidus.flag import Flag
from multifidus.geometry import tilt_deg
from multifidus.image import Exam
from multifidus.measurement import Measurement, Provenance, Quantity
from multifidus.metrics.fat import (
    FatResult,
    Sample,
    above_threshold_pct,
    by_otsu,
    dixon_fat_fraction,
    pool,
    pooled_otsu_threshold,
)
from multifidus.placement import place
from multifidus.protocol import FatMethod, MeasurementProtocol
from multifidus.roi import RoiSet, check_sides
from multifidus.sampling import Sampled, sample_all
from multifidus.version import VERSION

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def measure(
    exam: Exam, rois: RoiSet, protocol: MeasurementProtocol | None = None
) -> tuple[Measurement, ...]:
    """Measure every outline of an exam.

    Parameters
    ----------
    exam
        The images. Pixels of outlined slices are read, no others.
    rois
        Outlines on them; lean and fat references among them serve the whole exam.
    protocol
        How; the default protocol if None.

    Returns
    -------
    tuple of Measurement
        Sorted by key, then quantity. For every outline its areas and mean signal; for muscles
        their fat by each method of the protocol, and on Dixon pairs both fat fractions. What is
        undefined is NaN with a flag.

    Raises
    ------
    RoiError
        If an outline fits no slice, or left and right are swapped.
    ReadError
        If the pixels of a slice cannot be read.
    """
    protocol = protocol or MeasurementProtocol()
    check_sides(rois)
    # Sums are rounded in the order of their terms; sorted, they do not depend on the file's order.
    ordered = sorted(rois, key=lambda roi: roi.key)
    sampled = sample_all(exam, place(ordered, exam), protocol)
    bases = threshold_bases(sampled, protocol)
    digest = protocol.digest
    rows = [
        row
        for item in sampled
        for row in _rows(item, _provenance(item, rois, digest), protocol, bases)
    ]
    return tuple(sorted(rows, key=_order))


def _order(row: Measurement) -> tuple[object, ...]:
    key = row.key
    where = (row.provenance.series, row.provenance.slice_index)
    return (key.reading, where, key.structure, key.side, key.name, row.quantity, row.method)


@dataclass(frozen=True, slots=True)
class ThresholdBasis:
    """One threshold for all muscles that share references, and what it rests on."""

    threshold: float
    flags: tuple[Flag, ...]
    parameters: Mapping[str, Any]


BasisKey = tuple[object, ...]


def basis_key(item: Sampled) -> BasisKey:
    """Return what outlines share that share a threshold: their reading and its signal's scale."""
    series = item.placed.series
    return (item.roi.key.reading, series.signal_group or series.uid)


def threshold_bases(
    sampled: Sequence[Sampled], protocol: MeasurementProtocol
) -> dict[BasisKey, ThresholdBasis]:
    """Find the exam's threshold from all its muscles and references together."""
    groups: dict[BasisKey, list[Sampled]] = {}
    if FatMethod.POOLED_OTSU in protocol.fat_methods:
        for item in sampled:
            groups.setdefault(basis_key(item), []).append(item)
    return {key: _basis(members, protocol) for key, members in groups.items()}


def _basis(members: Sequence[Sampled], protocol: MeasurementProtocol) -> ThresholdBasis:
    muscle = pool([item.sample for item in members if item.roi.key.structure.is_muscle])
    lean, fat = (
        _pooled(members, structure)
        for structure in (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)
    )
    threshold, flags = pooled_otsu_threshold(muscle, lean, fat, protocol)
    parameters = {
        "threshold": threshold,
        "basis": "exam",
        "n_pixels_muscle": len(muscle.values),
        "n_pixels_lean": len(lean.values),
        "n_pixels_fat": len(fat.values),
        "mean_lean": lean.mean,
        "mean_fat": fat.mean,
        "reference_weight": protocol.reference_weight,
    }
    return ThresholdBasis(threshold, flags, MappingProxyType(parameters))


def _pooled(members: Sequence[Sampled], structure: Structure) -> Sample:
    return pool([item.sample for item in members if item.roi.key.structure is structure])


def fat_of(
    item: Sampled,
    method: FatMethod,
    protocol: MeasurementProtocol,
    bases: Mapping[BasisKey, ThresholdBasis],
) -> tuple[FatResult, Mapping[str, Any]]:
    """Measure one muscle's fat by one method; returns the result and the values it used."""
    if not len(item.sample.values):
        return FatResult(float("nan"), flags=(Flag.UNDETECTABLE,)), _NOTHING
    if method is FatMethod.POOLED_OTSU:
        basis = bases[basis_key(item)]
        value = above_threshold_pct(item.sample, basis.threshold)
        return FatResult(value, basis.threshold, basis.flags), basis.parameters
    if method is FatMethod.OTSU:
        result = by_otsu(item.sample, protocol)
        return result, {"threshold": result.threshold, "basis": "outline"}
    threshold = float(protocol.fixed_threshold or 0.0)
    result = FatResult(above_threshold_pct(item.sample, threshold), threshold)
    return result, {"threshold": threshold, "basis": "given"}


def _rows(
    item: Sampled,
    provenance: Provenance,
    protocol: MeasurementProtocol,
    bases: Mapping[BasisKey, ThresholdBasis],
) -> Iterator[Measurement]:
    key, n = item.roi.key, len(item.sample.values)
    for quantity, value, count in (
        (Quantity.TCSA_MM2, item.area_mm2, n),
        (Quantity.TCSA_PIXEL_MM2, item.centres_mm2, item.n_centres),
        (Quantity.VALID_CSA_MM2, item.valid_mm2, n),
        (Quantity.MEAN_SI, item.sample.mean, n),
    ):
        yield Measurement(key, quantity, value, provenance, count, flags=item.flags)
    if not key.structure.is_muscle:
        return
    for method in protocol.fat_methods:
        result, parameters = fat_of(item, method, protocol, bases)
        lean_mm2 = item.valid_mm2 - item.valid_mm2 * result.value_pct / 100
        # Taken from the lean area, not the other way round: so both add up to the last bit.
        fat_mm2 = item.valid_mm2 - lean_mm2
        flags = tuple(dict.fromkeys((*item.flags, *result.flags)))
        for quantity, value in (
            (Quantity.FI_PCT, result.value_pct),
            (Quantity.FAT_CSA_MM2, fat_mm2),
            (Quantity.FCSA_MM2, lean_mm2),
        ):
            yield Measurement(key, quantity, value, provenance, n, method, parameters, flags)
    yield from _dixon_rows(item, provenance)


def _dixon_rows(item: Sampled, provenance: Provenance) -> Iterator[Measurement]:
    if item.dixon is None:
        return
    result = dixon_fat_fraction(*item.dixon, item.cover.weights)
    # The sums let anybody pool outlines, slices or sides exactly.
    sums = {
        "basis": "signal",
        "weight": result.weight,
        "sum_fat": result.fat_sum,
        "sum_fat_water": result.total_sum,
    }
    flags = item.flags if result.n_pixels else (*item.flags, Flag.UNDETECTABLE)
    for quantity, value in (
        (Quantity.DIXON_FF_MEAN_PCT, result.mean_pct),
        (Quantity.DIXON_FF_RATIO_PCT, result.ratio_pct),
    ):
        yield Measurement(
            item.roi.key, quantity, value, provenance, result.n_pixels, "dixon", sums, flags
        )


def _provenance(item: Sampled, rois: RoiSet, protocol: str) -> Provenance:
    roi, placed = item.roi, item.placed
    level, slice_position = rois.level_of(roi)
    return Provenance(
        series=placed.series.uid,
        slice_index=placed.index,
        level=level,
        slice_position=slice_position,
        tilt_deg=tilt_deg(placed.slice.plane.normal),
        valid_fraction=_share(item.valid_mm2, item.inside_mm2),
        roi_rule=roi.roi_rule,
        source=roi.source,
        protocol=protocol,
        version=VERSION,
        image_sha256=item.image_sha256,
        outline_sha256=roi.sha256(),
    )


def _share(part: float, whole: float) -> float:
    """Return a part of a whole, NaN of nothing; sums of other terms may exceed it by rounding."""
    return min(part / whole, 1.0) if whole else float("nan")
