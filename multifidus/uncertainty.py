"""The uncertainty of every area and fat value, with its parts, from what was sampled.

A part stands among the row's parameters, in the unit of the value: ``u_boundary`` (where the
outline was drawn), ``u_placement`` (where along the spine the slice lies), ``u_partial_volume``
(pixels of both tissues), ``u_threshold`` (the references' sampling error), ``u_shading`` (what
shading is left) and, of Dixon fractions, ``u_noise``; those that apply. They are taken as
independent: the row's uncertainty is the root of the sum of their squares. It is a standard
uncertainty; twice as much holds the truth about 95 times in 100.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.anatomy import Structure
from multifidus.fat_basis import BasisKey, ThresholdBasis, basis_key
from multifidus.measurement import Measurement, Quantity
from multifidus.metrics.references import References
from multifidus.metrics.samples import NAN, Sample
from multifidus.metrics.uncertainty import (
    Moved,
    Placing,
    Tracing,
    area_variance,
    counting_variance,
    in_order,
    lean_level,
    median_spread,
    mixed_pixels_pct,
    moved,
    otsu_spread,
    placement_pct,
    resamples,
    shifted_pct,
)
from multifidus.protocol import FatMethod, MeasurementProtocol
from multifidus.sampling import Sampled
from multifidus.sums import dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Parts = Mapping[str, float]

LEAST_OUTLINES = 2
"""Fewer outlines say nothing about how shading differs from one to the next."""

TO_DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, of normal errors."""

LEAST_LEAN_PIXELS = 30
"""An outline with fewer pixels below the threshold says nothing about lean signal."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How uncertain what muscles share is.

    Parameters
    ----------
    lean_signal, fat_signal
        Medians of the references that they share; NaN where there are none.
    threshold
        Standard deviation of each method's threshold over resamples of the references.
    lean, fat
        The same of the references' medians; NaN where there are none.
    shading
        Relative standard deviation of lean signal from outline to outline; NaN where there are no
        references to tell lean by.
    """

    lean_signal: float
    fat_signal: float
    threshold: Mapping[FatMethod, float]
    lean: float
    fat: float
    shading: float

    @property
    def contrast(self) -> float:
        """Distance between the references' signals."""
        return self.fat_signal - self.lean_signal


def spreads(
    sampled: Sequence[Sampled],
    bases: Mapping[BasisKey, ThresholdBasis],
    protocol: MeasurementProtocol,
) -> dict[BasisKey, Spread]:
    """Work out, once an exam, how uncertain the thresholds and references are."""
    groups: dict[BasisKey, list[Sampled]] = {}
    for item in sampled:
        groups.setdefault(basis_key(item), []).append(item)
    return {key: _spread(members, bases[key], protocol) for key, members in groups.items()}


def _spread(
    members: Sequence[Sampled], basis: ThresholdBasis, protocol: MeasurementProtocol
) -> Spread:
    references, count = basis.references, protocol.threshold_resamples
    lean, fat = references.lean, references.fat
    muscles = [item.sample for item in members if item.roi.key.structure.is_muscle]
    lean_sd, fat_sd = (
        median_spread(part, count) if len(part.values) and muscles else NAN for part in (lean, fat)
    )
    threshold = {
        method: _threshold_spread(method, muscles, references, protocol)
        for method, found in basis.thresholds.items()
        if not math.isnan(found.value)
    }
    if FatMethod.MIDPOINT in threshold:
        threshold[FatMethod.MIDPOINT] = math.hypot(lean_sd, fat_sd) / 2
    lean_signal, fat_signal = lean.median, fat.median
    shading = _shading(members, (lean_signal + fat_signal) / 2)
    return Spread(lean_signal, fat_signal, threshold, lean_sd, fat_sd, shading)


def _threshold_spread(
    method: FatMethod,
    muscles: Sequence[Sample],
    references: References,
    protocol: MeasurementProtocol,
) -> float:
    count = protocol.threshold_resamples
    if method is FatMethod.POOLED_OTSU:
        return otsu_spread(
            muscles, (references.lean, references.fat), protocol.reference_weight, count
        )
    ordered = in_order(references.lean)
    drawn = ordered.values[resamples(ordered, count)]
    if method is FatMethod.CIRCLE_MAX:
        found = drawn.max(axis=1)
    else:
        found = drawn.mean(axis=1) + protocol.lean_sd_multiple * drawn.std(axis=1)
    return float(found.std(ddof=1))


def _shading(members: Sequence[Sampled], middle: float) -> float:
    if math.isnan(middle):
        return NAN
    signals = []
    for item in members:
        structure = item.roi.key.structure
        if structure.is_muscle or structure is Structure.LEAN_REFERENCE:
            values = item.sample.values
            lean = values[(values < middle) & (values > 0)]
            if len(lean) >= LEAST_LEAN_PIXELS:
                signals.append(math.log(lean_level(lean)))
    if len(signals) < LEAST_OUTLINES:
        return NAN
    # A muscle with little that is lean is off for that reason: such outliers do not count.
    apart = np.array(signals) - np.median(signals)
    return TO_DEVIATION * float(np.median(np.abs(apart)))


def with_uncertainty(
    rows: Iterable[Measurement], item: Sampled, spread: Spread, protocol: MeasurementProtocol
) -> Iterator[Measurement]:
    """Give one outline's areas and fat values their uncertainty; other rows pass unchanged."""
    how = Tracing(
        protocol.tracing_sd_mm, protocol.tracing_correlation_mm, protocol.tracing_offset_mm
    )
    area_sd = math.sqrt(area_variance(item.rim.lengths_mm, how))
    placing: Placing | None = None
    known: dict[str, _Fat] = {}
    for row in rows:
        parts = _area_parts(row, item, area_sd)
        if parts is None and row.quantity in _FAT and not math.isnan(row.value):
            if row.method not in known:
                own = item.for_method(row.method)
                placing = placing or _placing(item)
                doubts = (how, placing if own is item else _placing(own), protocol.placement_sd_mm)
                known[row.method] = _fat(row, own, spread, doubts)
            parts = known[row.method].parts(row.quantity, item.valid_mm2)
        if parts is None and row.quantity in _DIXON and not math.isnan(row.value):
            parts = _dixon_parts(row, item, how, protocol.placement_sd_mm)
        yield row if parts is None else _stated(row, parts)


def _stated(row: Measurement, parts: Parts) -> Measurement:
    found = {name: value for name, value in parts.items() if not math.isnan(value)}
    uncertainty = math.sqrt(math.fsum(value**2 for value in found.values()))
    return row.with_uncertainty(uncertainty, found)


# --- areas ---------------------------------------------------------------------------------------


def _area_parts(row: Measurement, item: Sampled, sd_mm2: float) -> Parts | None:
    if math.isnan(row.value):
        return None
    if row.quantity in {Quantity.TCSA_MM2, Quantity.VALID_CSA_MM2}:
        return {"u_boundary": sd_mm2}
    if row.quantity is Quantity.TCSA_COS_MM2:
        return {"u_boundary": sd_mm2 * float(row.parameters["cosine"])}
    if row.quantity is Quantity.TCSA_PIXEL_MM2:
        spacing = item.placed.slice.plane.pixel_spacing_mm
        counting = counting_variance(math.fsum(item.rim.lengths_mm), spacing)
        return {"u_boundary": sd_mm2, "u_partial_volume": math.sqrt(counting)}
    return None


# --- fat -----------------------------------------------------------------------------------------

_FAT = frozenset(
    {
        Quantity.FI_PCT,
        Quantity.FAT_CSA_MM2,
        Quantity.FCSA_MM2,
        Quantity.FF_LINEAR_PCT,
        Quantity.FF_LINEAR_CLIPPED_PCT,
    }
)
_DIXON = frozenset({Quantity.DIXON_FF_MEAN_PCT, Quantity.DIXON_FF_RATIO_PCT})
_SHARES = _FAT - {Quantity.FAT_CSA_MM2, Quantity.FCSA_MM2}


@dataclass(frozen=True, slots=True)
class _Fat:
    """Uncertainty of one method's fat in one outline.

    Parameters
    ----------
    moved
        What tracing moves, mm4.
    fraction
        Fat over valid area.
    points
        Parts other than tracing, in points of the percentage.
    """

    moved: Moved
    fraction: float
    points: Parts

    def parts(self, quantity: Quantity, valid_mm2: float) -> Parts:
        if quantity in _SHARES:
            boundary = 100 * math.sqrt(self.moved.share_square(self.fraction)) / valid_mm2
            return {"u_boundary": boundary, **self.points}
        variance = (
            self.moved.fat_square if quantity is Quantity.FAT_CSA_MM2 else self.moved.lean_square
        )
        areas = {name: valid_mm2 * value / 100 for name, value in self.points.items()}
        return {"u_boundary": math.sqrt(variance), **areas}


def _fat(
    row: Measurement, item: Sampled, spread: Spread, how: tuple[Tracing, Placing, float]
) -> _Fat:
    """Work out a method's uncertainty from the first of its rows."""
    values = item.rim.values if item.rim.values is not None else np.zeros(0)
    share = row.value if row.quantity in _SHARES else 100 * row.value / item.valid_mm2
    if row.quantity is Quantity.FCSA_MM2:
        share = 100 - share
    if row.method == FatMethod.LINEAR:
        lean, fat = spread.lean_signal, spread.fat_signal
        fatness = (values - lean) / (fat - lean)
        points = _linear_points(item, share / 100, spread)
        threshold = (lean + fat) / 2
    else:
        threshold = _raw_threshold(row, item, share)
        fatness = (values > threshold).astype(np.float64)
        points = _binary_points(row, item, threshold, spread)
    rings = fatness.reshape(-1, sum(item.rim.counts))
    tracing, placing, placement_mm = how
    # Lay the sample out on its slice again to see how its pattern of fat changes.
    image = np.zeros(item.cover.weights.shape)
    image.put(item.places, item.sample.values > threshold)
    points["u_placement"] = placing.pct(image, placement_mm)
    return _Fat(moved(item.rim.lengths_mm, item.rim.counts, rings, tracing), share / 100, points)


def _placing(item: Sampled) -> Placing:
    weights = np.zeros(item.cover.weights.shape)
    weights.put(item.places, item.sample.weights)
    return Placing.of(weights, item.placed.slice.plane.pixel_spacing_mm)


def _raw_threshold(row: Measurement, item: Sampled, share: float) -> float:
    """Return the threshold on the image itself; where it was another's, of equal effect."""
    if row.method != FatMethod.CLAHE_OTSU:
        return float(row.parameters["threshold"])
    ordered = in_order(item.sample)
    below = ordered.weights.cumsum() / ordered.total
    place = int(np.searchsorted(below, 1 - share / 100))
    return float(ordered.values[min(place, len(below) - 1)])


def _binary_points(
    row: Measurement, item: Sampled, threshold: float, spread: Spread
) -> dict[str, float]:
    sample = item.sample
    known = spread.contrast > 0
    if known:
        lean, fat = spread.lean_signal, spread.fat_signal
    else:
        bright = sample.values > threshold
        lean, fat = sample.where(~bright).mean, sample.where(bright).mean
    points: dict[str, float] = {}
    if fat > lean:
        points["u_partial_volume"] = mixed_pixels_pct(sample, threshold, lean, fat, known=known)
    by = spread.threshold.get(FatMethod(row.method), NAN)
    if not math.isnan(by):
        points["u_threshold"] = shifted_pct(sample, threshold, by)
    if not math.isnan(spread.shading):
        points["u_shading"] = shifted_pct(sample, threshold, threshold * spread.shading)
    return points


def _linear_points(item: Sampled, fraction: float, spread: Spread) -> dict[str, float]:
    """Errors of both references' medians and of the muscle's own signal, carried through."""
    contrast = spread.contrast
    basis = math.hypot((1 - fraction) * spread.lean, fraction * spread.fat) / contrast
    points = {"u_threshold": 100 * basis}
    if not math.isnan(spread.shading):
        # Muscle and fat reference are shaded independently of each other.
        own, of_fat = item.sample.mean, fraction * spread.fat_signal
        points["u_shading"] = 100 * spread.shading * math.hypot(own, of_fat) / contrast
    return points


# --- Dixon ---------------------------------------------------------------------------------------


def _dixon_parts(
    row: Measurement, item: Sampled, tracing: Tracing, placement_mm: float
) -> Parts | None:
    if item.dixon is None or item.dixon_rim is None:
        return None
    fat, water = item.dixon_rim
    inside_fat, inside_water = item.dixon
    weights = item.cover.weights
    counts = (weights > 0) & (inside_fat + inside_water > 0)
    total, share = (inside_fat + inside_water)[counts], weights[counts]
    if row.quantity is Quantity.DIXON_FF_RATIO_PCT:
        # Bright pixels count more; relative to the mean signal they are areas again.
        level = dot(share, total) / float(share.sum())
        amount, fatness = (fat + water) / level, fat / level
        own = (inside_fat[counts] - row.value / 100 * total) / level
    else:
        amount = (fat + water > 0).astype(np.float64)
        fatness = np.divide(fat, fat + water, out=np.zeros_like(fat), where=fat + water > 0)
        own = inside_fat[counts] / total - row.value / 100
    # What the rim would change the fraction by: its excess of fat over the muscle's own.
    excess = (fatness - row.value / 100 * amount).reshape(-1, sum(item.rim.counts))
    found = moved(item.rim.lengths_mm, item.rim.counts, excess, tracing)
    area = float(share.sum()) * item.placed.slice.plane.pixel_area_mm2
    noise = math.sqrt(dot(share * own, share * own)) / float(share.sum())
    image = np.zeros(weights.shape)
    image[counts] = inside_fat[counts] / total
    spacing = item.placed.slice.plane.pixel_spacing_mm
    return {
        "u_boundary": 100 * math.sqrt(found.fat_square) / area,
        "u_placement": placement_pct(image, np.where(counts, weights, 0.0), spacing, placement_mm),
        "u_noise": 100 * noise,
    }
