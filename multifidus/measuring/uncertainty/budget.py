"""The uncertainty of every area and fat value, with its parts, from what was sampled.

A part stands among the row's parameters, in the unit of the value: ``u_boundary`` (where the
outline was drawn), ``u_placement`` (where along the spine the slice lies), ``u_partial_volume``
(pixels of both tissues), ``u_threshold`` (the references' sampling error), ``u_shading`` (what
shading is left) and, of Dixon fractions and maps, ``u_noise``; those that apply. They are taken as
independent: the row's uncertainty is the root of the sum of their squares. It is a standard
uncertainty; twice as much holds the truth about 95 times in 100.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.sums import dot
from multifidus.measuring.calibration import BasisKey, ThresholdBasis, basis_key
from multifidus.measuring.fat.references import References
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.uncertainty.components import (
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
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

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
class ReferenceUncertainty:
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
    sampled: Sequence[OutlinePixels],
    bases: Mapping[BasisKey, ThresholdBasis],
    protocol: MeasurementProtocol,
) -> dict[BasisKey, ReferenceUncertainty]:
    """Work out, once an exam, how uncertain the thresholds and references are."""
    groups: dict[BasisKey, list[OutlinePixels]] = {}
    for item in sampled:
        groups.setdefault(basis_key(item), []).append(item)
    return {key: _spread(members, bases[key], protocol) for key, members in groups.items()}


def _spread(
    members: Sequence[OutlinePixels], basis: ThresholdBasis, protocol: MeasurementProtocol
) -> ReferenceUncertainty:
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
    return ReferenceUncertainty(lean_signal, fat_signal, threshold, lean_sd, fat_sd, shading)


def _threshold_spread(
    method: FatMethod,
    muscles: Sequence[WeightedPixels],
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


def _shading(members: Sequence[OutlinePixels], middle: float) -> float:
    if math.isnan(middle):
        return NAN
    found = []
    for item in members:
        structure = item.roi.key.structure
        if structure.is_muscle or structure is Structure.LEAN_REFERENCE:
            values = item.sample.values
            lean = values[(values < middle) & (values > 0)]
            if len(lean) >= LEAST_LEAN_PIXELS:
                level, error = lean_level(lean)
                found.append((math.log(level), error / level))
    if len(found) < LEAST_OUTLINES:
        return NAN
    signals, errors = np.array(found).T
    # A muscle with little that is lean is off for that reason: such outliers do not count.
    apart = TO_DEVIATION * float(np.median(np.abs(signals - np.median(signals))))
    # Noise sets outlines apart as well; what it explains is no shading.
    return math.sqrt(max(apart**2 - float(np.median(errors)) ** 2, 0.0))


def with_uncertainty(
    rows: Iterable[Measurement],
    item: OutlinePixels,
    spread: ReferenceUncertainty,
    protocol: MeasurementProtocol,
) -> Iterator[Measurement]:
    """Give one outline's areas and fat values their uncertainty; other rows pass unchanged."""
    rows = tuple(rows)
    how = Tracing(
        protocol.tracing_sd_mm, protocol.tracing_correlation_mm, protocol.tracing_offset_mm
    )
    area_sd = math.sqrt(area_variance(item.rim.lengths_mm, how))
    fat = _fat_by_method(rows, item, spread, (how, protocol.placement_sd_mm))
    for row in rows:
        parts = _area_parts(row, item, area_sd)
        if parts is None and not math.isnan(row.value):
            if row.quantity in _FAT:
                parts = fat[row.method].parts(row.quantity, item.valid_mm2)
            elif row.quantity in _DIXON:
                parts = _dixon_parts(row, item, how, protocol.placement_sd_mm)
            elif row.quantity is Quantity.PDFF_MEAN_PCT:
                parts = _map_parts(row, item, how, protocol.placement_sd_mm)
        yield row if parts is None else _stated(row, parts)


def _stated(row: Measurement, parts: Parts) -> Measurement:
    found = {name: value for name, value in parts.items() if not math.isnan(value)}
    uncertainty = math.sqrt(math.fsum(value**2 for value in found.values()))
    return row.with_uncertainty(uncertainty, found)


# --- areas ---------------------------------------------------------------------------------------


def _area_parts(row: Measurement, item: OutlinePixels, sd_mm2: float) -> Parts | None:
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
    share_mm2, fat_mm2, lean_mm2
        What tracing moves: fat over valid area, as an area; fat; and lean area.
    points
        Parts other than tracing, in points of the percentage.
    """

    share_mm2: float
    fat_mm2: float
    lean_mm2: float
    points: Parts

    def parts(self, quantity: Quantity, valid_mm2: float) -> Parts:
        if quantity in _SHARES:
            return {"u_boundary": 100 * self.share_mm2 / valid_mm2, **self.points}
        boundary = self.fat_mm2 if quantity is Quantity.FAT_CSA_MM2 else self.lean_mm2
        areas = {name: valid_mm2 * value / 100 for name, value in self.points.items()}
        return {"u_boundary": boundary, **areas}


def _fat_by_method(
    rows: Sequence[Measurement],
    item: OutlinePixels,
    spread: ReferenceUncertainty,
    doubts: tuple[Tracing, float],
) -> dict[str, _Fat]:
    """Work out each method's uncertainty from the first of its rows."""
    firsts: dict[str, Measurement] = {}
    for row in rows:
        if row.quantity in _FAT and not math.isnan(row.value):
            firsts.setdefault(row.method, row)
    # One after the other, methods would take many times as long as all that see the same pixels.
    alike: dict[OutlinePixels, list[Measurement]] = {}
    for row in firsts.values():
        alike.setdefault(item.for_method(row.method), []).append(row)
    return {
        row.method: fat
        for own, members in alike.items()
        for row, fat in zip(members, _fats(members, own, spread, doubts), strict=True)
    }


def _fats(
    rows: Sequence[Measurement],
    item: OutlinePixels,
    spread: ReferenceUncertainty,
    doubts: tuple[Tracing, float],
) -> Iterator[_Fat]:
    """Yield the uncertainty of methods, one row each, that see the same pixels."""
    tracing, placement_mm = doubts
    shares = np.array([_share_pct(row, item) for row in rows])
    linear = np.array([row.method == FatMethod.LINEAR for row in rows])
    middle = (spread.lean_signal + spread.fat_signal) / 2
    cuts = np.array(
        [
            middle if is_linear else _raw_threshold(row, item, share)
            for row, share, is_linear in zip(rows, shares, linear, strict=True)
        ]
    )
    values = item.rim.values if item.rim.values is not None else np.zeros(0)
    fatness = (values > cuts[:, None]).astype(np.float64)
    fatness[linear] = (values - spread.lean_signal) / spread.contrast if linear.any() else 0.0
    rings = fatness.reshape(len(rows), -1, sum(item.rim.counts))
    found = moved(item.rim.lengths_mm, item.rim.counts, rings, tracing)
    places = _placement(item, cuts, placement_mm)
    mixed = _mixed(item, cuts, spread)
    squares = (found.share_square(shares / 100), found.fat_square, found.lean_square)
    for k, row in enumerate(rows):
        if linear[k]:
            points = _linear_points(item, shares[k] / 100, spread)
        else:
            points = {
                "u_partial_volume": float(mixed[k]),
                **_binary_points(row, item, cuts[k], spread),
            }
        points["u_placement"] = float(places[k])
        share, fat, lean = (math.sqrt(square[k]) for square in squares)
        yield _Fat(share, fat, lean, points)


def _share_pct(row: Measurement, item: OutlinePixels) -> float:
    """Fat over valid area, whichever of a method's rows it is read from."""
    share = row.value if row.quantity in _SHARES else 100 * row.value / item.valid_mm2
    return 100 - share if row.quantity is Quantity.FCSA_MM2 else share


def _placement(item: OutlinePixels, cuts: Array, placement_mm: float) -> Array:
    sample, spacing = item.sample, item.placed.slice.plane.pixel_spacing_mm
    fatness = (sample.values > cuts[:, None]).astype(np.float64)
    pixels = np.divmod(item.places, item.cover.weights.shape[1])
    return placement_pct(fatness, sample.weights, pixels, spacing_mm=spacing, sd_mm=placement_mm)


def _raw_threshold(row: Measurement, item: OutlinePixels, share: float) -> float:
    """Return the threshold on the image itself; where it was another's, of equal effect."""
    if row.method != FatMethod.CLAHE_OTSU:
        return float(row.parameters["threshold"])
    ordered = in_order(item.sample)
    below = ordered.weights.cumsum() / ordered.total
    place = int(np.searchsorted(below, 1 - share / 100))
    return float(ordered.values[min(place, len(below) - 1)])


def _mixed(item: OutlinePixels, cuts: Array, spread: ReferenceUncertainty) -> Array:
    """Uncertainty by pixels of both tissues, in points; NaN where no two tissues are told apart."""
    sample = item.sample
    known = spread.contrast > 0
    if known:
        lean, fat = (np.full(len(cuts), each) for each in (spread.lean_signal, spread.fat_signal))
    else:
        dark, bright = [], []
        for cut in cuts:
            above = sample.values > cut
            dark.append(sample.where(~above).mean)
            bright.append(sample.where(above).mean)
        lean, fat = np.array(dark), np.array(bright)
    apart = fat > lean
    found = np.full(len(cuts), NAN)
    found[apart] = mixed_pixels_pct(sample, cuts[apart], lean[apart], fat[apart], known=known)
    return found


def _binary_points(
    row: Measurement, item: OutlinePixels, threshold: float, spread: ReferenceUncertainty
) -> dict[str, float]:
    sample = item.sample
    points: dict[str, float] = {}
    by = spread.threshold.get(FatMethod(row.method), NAN)
    if not math.isnan(by):
        points["u_threshold"] = shifted_pct(sample, threshold, by)
    if not math.isnan(spread.shading):
        points["u_shading"] = shifted_pct(sample, threshold, threshold * spread.shading)
    return points


def _linear_points(
    item: OutlinePixels, fraction: float, spread: ReferenceUncertainty
) -> dict[str, float]:
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
    row: Measurement, item: OutlinePixels, tracing: Tracing, placement_mm: float
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
    inside = _Inside(counts, share, inside_fat[counts] / total, own)
    # What the rim would change the fraction by: its excess of fat over the muscle's own.
    excess = fatness - row.value / 100 * amount
    return _fraction_parts(item, inside, excess, tracing=tracing, placement_mm=placement_mm)


def _map_parts(
    row: Measurement, item: OutlinePixels, tracing: Tracing, placement_mm: float
) -> Parts | None:
    """Uncertainty of the mean of the scanner's map, as of the mean of a Dixon pair's fractions."""
    if item.mapped is None or item.rim.pixels is None:
        return None
    fractions = item.mapped.item.pixels * (row.parameters["to_pct"] / 100)
    weights, box = item.cover.weights, item.cover.of(fractions)
    counts = (weights > 0) & np.isfinite(box)
    mean = row.value / 100
    rim = fractions[tuple(item.rim.pixels.T)]
    inside = _Inside(counts, weights[counts], box[counts], box[counts] - mean)
    # Where the map says nothing, tracing moves nothing that is known.
    excess = np.nan_to_num(rim - mean)
    return _fraction_parts(item, inside, excess, tracing=tracing, placement_mm=placement_mm)


@dataclass(frozen=True, slots=True, eq=False)
class _Inside:
    """Pixels of a muscle that have a fat fraction.

    Parameters
    ----------
    counts
        Where they are in the outline's box.
    share, fractions, own
        How much of each lies inside, its fat fraction, and by how much it departs from the mean.
    """

    counts: NDArray[np.bool_]
    share: Array
    fractions: Array
    own: Array


def _fraction_parts(
    item: OutlinePixels, inside: _Inside, excess: Array, *, tracing: Tracing, placement_mm: float
) -> Parts:
    plane, share = item.placed.slice.plane, inside.share
    rings = excess.reshape(-1, sum(item.rim.counts))
    found = moved(item.rim.lengths_mm, item.rim.counts, rings, tracing)
    area = float(share.sum()) * plane.pixel_area_mm2
    noise = math.sqrt(dot(share * inside.own, share * inside.own)) / float(share.sum())
    (placement,) = placement_pct(
        inside.fractions[None],
        share,
        np.nonzero(inside.counts),
        spacing_mm=plane.pixel_spacing_mm,
        sd_mm=placement_mm,
    )
    return {
        "u_boundary": 100 * math.sqrt(float(found.fat_square)) / area,
        "u_placement": float(placement),
        "u_noise": 100 * noise,
    }
