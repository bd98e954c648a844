"""The rows of one outline: its areas, its signal, its fat."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, Provenance, Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.measuring.calibration import Calibration
from multifidus.measuring.dixon_pairs import dixon_fat_fraction
from multifidus.measuring.fat.estimator import FatResult, Need
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.fat.signal.calibration import SignalFraction
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.pdff_map import map_fat_fraction
from multifidus.measuring.reference_checks import WaterFatSwap
from multifidus.measuring.signal_rows import signal_row
from multifidus.measuring.weighted_pixels import NAN
from multifidus.spine.resolve import ResolvedLevel
from multifidus.version import VERSION


def outline_rows(
    item: OutlinePixels,
    provenance: Provenance,
    protocol: MeasurementProtocol,
    calibration: Calibration,
    *,
    fraction: SignalFraction | None = None,
) -> Iterator[Measurement]:
    """Yield every number about one outline, not yet sorted; ``fraction`` is its fat signal's."""
    key, areas = item.roi.key, item.areas
    for quantity, value, count in (
        (Quantity.TCSA_MM2, areas.total_mm2, areas.n_pixels),
        (Quantity.TCSA_PIXEL_MM2, areas.centres_mm2, areas.n_centres),
        (Quantity.VALID_CSA_MM2, areas.valid_mm2, areas.n_pixels),
        (Quantity.MEAN_SI, item.mean_si, areas.n_pixels),
    ):
        none = (Flag.UNDETECTABLE,) if math.isnan(value) else ()
        yield Measurement(
            key, quantity, value, provenance, count, flags=(*item.quality.flags, *none)
        )
    if not key.structure.is_muscle:
        return
    for method in protocol.fat_methods:
        if method is FatMethod.SIGNAL:
            yield signal_row(item, provenance, protocol, calibration=calibration, found=fraction)
        elif Need.DIXON_PAIR not in METHODS[method].needs:
            result = calibration.fat_of(item, method, protocol)
            yield from _fat_rows(item, method, result, provenance)
    yield from _map_rows(item, provenance)
    asked_for = FatMethod.DIXON in protocol.fat_methods
    yield from _dixon_rows(item, provenance, calibration.swap, asked_for=asked_for)


def _fat_rows(
    item: OutlinePixels, method: FatMethod, result: FatResult, provenance: Provenance
) -> Iterator[Measurement]:
    own, valid_mm2 = item.signal_for(method), item.areas.valid_mm2
    key, n = item.roi.key, len(own.inside.values)
    # What a method did by itself wins over what was done for all of them.
    parameters = {**own.parameters, **result.parameters}
    # What was not done to the signal is a flag of a number, and there is none without one.
    signal = () if math.isnan(result.value_pct) else own.flags
    flags = tuple(dict.fromkeys((*item.quality.flags, *result.flags, *signal)))
    if METHODS[method].is_fraction:
        found = {
            Quantity.FF_LINEAR_PCT: result.value_pct,
            Quantity.FF_LINEAR_CLIPPED_PCT: parameters.pop("clipped_pct", NAN),
        }
    else:
        lean_mm2 = valid_mm2 - valid_mm2 * result.value_pct / 100
        # Taken from the lean area, not the other way round: so both add up to the last bit.
        fat_mm2 = valid_mm2 - lean_mm2
        found = {
            Quantity.FI_PCT: result.value_pct,
            Quantity.FAT_CSA_MM2: fat_mm2,
            Quantity.FCSA_MM2: lean_mm2,
        }
    for quantity, value in found.items():
        yield Measurement(key, quantity, value, provenance, n, method, parameters, flags)


def _map_rows(item: OutlinePixels, provenance: Provenance) -> Iterator[Measurement]:
    if item.pdff is None:
        return
    series, scale = item.pdff.map.series, item.pdff.map.scale
    result = map_fat_fraction(item.pdff.inside, scale.to_pct)
    parameters = {
        "map": series.uid,
        "basis": scale.basis,
        "to_pct": scale.to_pct,
        "top_stored": scale.top,
        "n_below_0": result.n_below,
        "n_above_100": result.n_above,
    }
    own_flags = (
        *((Flag.MAP_SCALE_UNKNOWN,) if math.isnan(scale.to_pct) else ()),
        *(() if result.n_pixels else (Flag.UNDETECTABLE,)),
        *series.flags,
    )
    flags = tuple(dict.fromkeys((*item.quality.flags, *own_flags)))
    yield Measurement(
        item.roi.key,
        Quantity.PDFF_MEAN_PCT,
        result.mean_pct,
        provenance,
        result.n_pixels,
        "pdff",
        parameters,
        flags,
    )


def _dixon_rows(
    item: OutlinePixels, provenance: Provenance, swap: WaterFatSwap, *, asked_for: bool
) -> Iterator[Measurement]:
    """Yield both fractions of a pair; without one, the reason, if there is one or it was asked."""
    missing = item.dixon is None and not item.quality.dixon_flags
    if missing and not asked_for:
        return
    pair = None if swap is WaterFatSwap.SURELY else item.dixon
    weights = item.footprint.coverage.weights
    used = ((), (), ()) if pair is None else (pair.fat, pair.water, weights)
    result = dixon_fat_fraction(*used)
    # The sums let anybody pool outlines, slices or sides exactly.
    sums = {
        "basis": "signal",
        "weight": result.weight,
        "sum_fat": result.fat_sum,
        "sum_fat_water": result.total_sum,
    }
    is_swapped = item.dixon is not None and swap is not WaterFatSwap.NO
    empty = pair is not None and not result.n_pixels
    own_flags = (
        *item.quality.dixon_flags,
        *((Flag.WATER_FAT_SWAPPED,) if is_swapped else ()),
        *((Flag.UNDETECTABLE,) if empty else ()),
        *((Flag.NO_DIXON_PAIR,) if missing else ()),
    )
    flags = tuple(dict.fromkeys((*item.quality.flags, *own_flags)))
    for quantity, value in (
        (Quantity.DIXON_FF_MEAN_PCT, result.mean_pct),
        (Quantity.DIXON_FF_RATIO_PCT, result.ratio_pct),
    ):
        yield Measurement(
            item.roi.key, quantity, value, provenance, result.n_pixels, FatMethod.DIXON, sums, flags
        )


def with_level(
    rows: Iterable[Measurement], level: ResolvedLevel, limit_deg: float
) -> Iterator[Measurement]:
    """Add to one outline's rows the flags of its level and tilt, and the corrected area."""
    tilt = level.tilt
    of_areas = (*level.flags, *tilt.flags(limit_deg))
    for row in rows:
        own_flags = of_areas if row.quantity.unit == "mm2" else level.flags
        found = (
            replace(row, flags=tuple(dict.fromkeys((*row.flags, *own_flags)))) if own_flags else row
        )
        yield found
        if row.quantity is Quantity.TCSA_MM2:
            yield Measurement(
                row.key,
                Quantity.TCSA_COS_MM2,
                row.value * tilt.cosine,
                row.provenance,
                row.n_pixels,
                parameters={"cosine": tilt.cosine, "tilt_axis": tilt.axis.value},
                flags=tuple(dict.fromkeys((*found.flags, *tilt.unknown))),
            )


def with_flag(row: Measurement, flag: Flag) -> Measurement:
    """Return a row with one more flag."""
    return replace(row, flags=tuple(dict.fromkeys((*row.flags, flag))))


def provenance_of(item: OutlinePixels, level: ResolvedLevel, protocol: str) -> Provenance:
    """Say what all numbers about one outline share."""
    roi, placed = item.roi, item.placed
    return Provenance(
        series=placed.series.uid,
        slice_index=placed.index,
        level=level.level,
        slice_position=level.slice_position,
        tilt_deg=level.tilt.deg,
        valid_fraction=_share(item.areas.valid_mm2, item.areas.inside_mm2),
        roi_rule=roi.roi_rule,
        source=roi.source,
        protocol=protocol,
        version=VERSION,
        image_sha256=item.image_sha256,
        outline_sha256=roi.sha256(),
        tilt_axis=level.tilt.axis,
        offset_mm=level.offset_mm,
    )


def _share(part: float, whole: float) -> float:
    """Return a part of a whole, NaN of nothing; sums of other terms may exceed it by rounding."""
    return min(part / whole, 1.0) if whole else float("nan")
