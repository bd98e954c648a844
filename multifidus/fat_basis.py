"""On what a muscle's fat rests: the threshold that its exam, or its outline alone, gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from multifidus.anatomy import Structure
from multifidus.flag import Flag
from multifidus.metrics.fat import (
    FatResult,
    above_threshold_pct,
    by_otsu,
    pooled_otsu_threshold,
)
from multifidus.metrics.samples import Sample, pool
from multifidus.protocol import FatMethod, MeasurementProtocol
from multifidus.roi import Source
from multifidus.sampling import Sampled

_REFERENCES = (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


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
    if any(
        item.roi.source is Source.DRAFT for item in members if item.roi.key.structure in _REFERENCES
    ):
        flags = (*flags, Flag.REFERENCE_PROPOSED)
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
