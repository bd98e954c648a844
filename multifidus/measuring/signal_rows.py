"""The row of a muscle's fat signal fraction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, Provenance, Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.measuring.calibration import Calibration
from multifidus.measuring.fat.signal.calibration import (
    NotCalibrated,
    SignalCalibration,
    SignalFraction,
)
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.weighted_pixels import NAN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

REFERENCE_FAT_POINTS = 1.5
"""Standard uncertainty by fat in lean references that the image does not show: in one real Dixon
exam, samples that look lean hold 2.4 to 3.3 % (docs/evidence/fat-signal.md)."""

AMBIGUOUS_POINTS = 1.5
"""Readings of a muscle's lean signal that differ by twice this are flagged."""

UNSEEN_POINTS = 12.0
"""So much fat in pixels that are mostly lean muscle is flagged: it is known by their brightness
alone, and lean muscle may be brighter as well."""

UNCERTAIN_POINTS = 6.0
"""A larger standard uncertainty by the calibration alone is flagged."""


def signal_fraction(item: OutlinePixels, calibration: Calibration) -> SignalFraction | None:
    """Return a muscle's fat signal fraction; None where there is none."""
    signal = calibration.signal
    return signal.fraction(item) if isinstance(signal, SignalCalibration) else None


def signal_row(
    item: OutlinePixels,
    provenance: Provenance,
    protocol: MeasurementProtocol,
    *,
    calibration: Calibration,
    found: SignalFraction | None,
) -> Measurement:
    """Return the row of a muscle's fat signal fraction; NaN with its reason where there is none."""
    signal = calibration.signal
    if found is None or not isinstance(signal, SignalCalibration):
        return _refused(_row(item, provenance), calibration, protocol)
    return replace(
        _row(item, provenance),
        value=found.value_pct,
        parameters=_parameters(item, signal, found),
        flags=_once(
            *item.quality.flags,
            *_calibration_flags(found, item.raw.inside.weights),
            *_reference_flags(calibration, protocol),
        ),
    )


def _row(item: OutlinePixels, provenance: Provenance) -> Measurement:
    return Measurement(
        item.roi.key,
        Quantity.FF_SIGNAL_PCT,
        NAN,
        provenance,
        len(item.raw.inside.values),
        FatMethod.SIGNAL,
        {},
        item.quality.flags,
    )


def _calibration_flags(found: SignalFraction, weights: Array) -> Iterator[Flag]:
    unseen = found.value_pct - found.visible_pct(weights)
    if found.lean > AMBIGUOUS_POINTS or unseen > UNSEEN_POINTS:
        yield Flag.CALIBRATION_AMBIGUOUS
    if found.calibration_sd > UNCERTAIN_POINTS:
        yield Flag.CALIBRATION_UNCERTAIN


def _reference_flags(calibration: Calibration, protocol: MeasurementProtocol) -> tuple[Flag, ...]:
    """Return the references' flags but for one: the joint field is fitted to them as well."""
    flags = calibration.references.pair_flags(protocol)
    return tuple(flag for flag in flags if flag is not Flag.REFERENCE_OUTSIDE_FIELD)


def _once(*flags: Flag) -> tuple[Flag, ...]:
    return tuple(dict.fromkeys(flags))


def _refused(
    row: Measurement, calibration: Calibration, protocol: MeasurementProtocol
) -> Measurement:
    signal = calibration.signal
    if not row.n_pixels:
        return replace(row, flags=_once(*row.flags, Flag.UNDETECTABLE))
    if signal is NotCalibrated.REFERENCES:
        return replace(row, flags=_once(*row.flags, *_reference_flags(calibration, protocol)))
    reason = signal if isinstance(signal, NotCalibrated) else NotCalibrated.OTHER_SLICE
    return replace(
        row,
        flags=_once(*row.flags, Flag.SIGNAL_NOT_CALIBRATED),
        parameters={"signal_refusal": str(reason)},
    )


def _parameters(
    item: OutlinePixels, signal: SignalCalibration, found: SignalFraction
) -> dict[str, Any]:
    return {
        "basis": "exam",
        "bias_correction": "joint",
        "lean_signal": signal.lean_signal(item),
        "fat_signal": signal.fat_signal,
        "diffuse_probability": signal.lean.diffuse,
        "n_void_pixels": found.void_pixels,
    }


def calibration_parts(found: SignalFraction) -> dict[str, float]:
    """Return the parts of a fraction's uncertainty that its calibration brings, in points."""
    return {
        "u_lean_level": found.lean,
        "u_fat_level": found.fat_level,
        "u_bias_field": found.field,
        "u_edge": found.edge,
        "u_reference_fat": REFERENCE_FAT_POINTS * (1 - min(max(found.value_pct / 100, 0.0), 1.0)),
        "u_chemical_shift": found.shift,
    }
