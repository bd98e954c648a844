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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.sums import dot
from multifidus.measuring.calibration import Calibration, ReferenceUncertainty
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.fat.signal.calibration import SignalFraction
from multifidus.measuring.outline_pixels import OutlinePixels, OutlineSignal
from multifidus.measuring.signal_rows import calibration_parts
from multifidus.measuring.uncertainty.components import (
    Tracing,
    area_variance,
    counting_variance,
    mixed_pixels_pct,
    moved,
    placement_pct,
    shifted_pct,
)
from multifidus.measuring.uncertainty.resampling import in_order
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Parts = Mapping[str, float]


def with_uncertainty(
    rows: Sequence[Measurement],
    item: OutlinePixels,
    calibration: Calibration,
    protocol: MeasurementProtocol,
    *,
    fraction: SignalFraction | None = None,
) -> Iterator[Measurement]:
    """Give one outline's areas and fat values their uncertainty; other rows pass unchanged.

    Parameters
    ----------
    fraction
        Its fat signal fraction, where there is one.
    """
    how = Tracing(
        protocol.tracing_sd_mm, protocol.tracing_correlation_mm, protocol.tracing_offset_mm
    )
    area_sd = math.sqrt(area_variance(item.band.lengths_mm, how))
    assumed = how, protocol.placement_sd_mm
    fat = _fat_by_method(rows, item, calibration, assumed, fraction=fraction)
    for row in rows:
        parts = _area_parts(row, item, area_sd)
        if parts is None and not math.isnan(row.value):
            if row.quantity in _FAT:
                parts = fat[row.method].parts(row.quantity)
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
        spacing = item.spacing_mm
        counting = counting_variance(math.fsum(item.band.lengths_mm), spacing)
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
        Quantity.FF_SIGNAL_PCT,
    }
)
_DIXON = frozenset({Quantity.DIXON_FF_MEAN_PCT, Quantity.DIXON_FF_RATIO_PCT})
_AREAS = frozenset({Quantity.FAT_CSA_MM2, Quantity.FCSA_MM2})


@dataclass(frozen=True, slots=True)
class _Fat:
    """Uncertainty of one method's fat in one outline.

    Parameters
    ----------
    share_mm2, fat_mm2, lean_mm2
        What tracing moves: fat over valid area, as an area; fat; and lean area.
    valid_mm2
        That area.
    points
        Parts other than tracing, in points of the percentage.
    """

    share_mm2: float
    fat_mm2: float
    lean_mm2: float
    valid_mm2: float
    points: Parts

    def parts(self, quantity: Quantity) -> Parts:
        if quantity not in _AREAS:
            return {"u_boundary": 100 * self.share_mm2 / self.valid_mm2, **self.points}
        boundary = self.fat_mm2 if quantity is Quantity.FAT_CSA_MM2 else self.lean_mm2
        areas = {name: self.valid_mm2 * value / 100 for name, value in self.points.items()}
        return {"u_boundary": boundary, **areas}


@dataclass(frozen=True, slots=True, eq=False)
class _Methods:
    """Methods, one row each, that see the same pixels.

    Parameters
    ----------
    rows
        The first row of each method.
    shares
        Fat over valid area, in percent, (m,).
    valid_mm2
        That area.
    along, inside
        How fat the boundary band's pixels are, and those inside, (m, places) and (m, n).
    points
        Of each method the parts of its uncertainty that neither tracing nor placement brings.
    """

    rows: Sequence[Measurement]
    shares: Array
    valid_mm2: float
    along: Array
    inside: Array
    points: Sequence[Parts]


def _fat_by_method(
    rows: Sequence[Measurement],
    item: OutlinePixels,
    calibration: Calibration,
    assumed: tuple[Tracing, float],
    *,
    fraction: SignalFraction | None,
) -> dict[str, _Fat]:
    """Work out each method's uncertainty from the first of its rows."""
    firsts: dict[str, Measurement] = {}
    for row in rows:
        if row.quantity in _FAT and not math.isnan(row.value):
            firsts.setdefault(row.method, row)
    of_signal = firsts.pop(FatMethod.SIGNAL, None)
    # One after the other, methods would take many times as long as all that see the same pixels.
    alike: dict[OutlineSignal, list[Measurement]] = {}
    for row in firsts.values():
        alike.setdefault(item.signal_for(row.method), []).append(row)
    found = []
    for signal, members in alike.items():
        shared = calibration.for_method(members[0].method).uncertainty
        found.append(_methods(members, item, signal, shared))
    if of_signal is not None and fraction is not None:
        found.append(_of_signal(of_signal, item, fraction))
    return _fats(found, item, assumed) if found else {}


def _fats(
    methods: Sequence[_Methods], item: OutlinePixels, assumed: tuple[Tracing, float]
) -> dict[str, _Fat]:
    """Return the uncertainty of all methods of an outline, whatever pixels they see."""
    tracing, placement_mm = assumed
    shares = np.concatenate([each.shares for each in methods])
    along, inside = (
        np.concatenate([getattr(each, name) for each in methods]) for name in ("along", "inside")
    )
    rings = along.reshape(len(shares), -1, sum(item.band.counts))
    moving = moved(item.band.lengths_mm, item.band.counts, rings, tracing)
    places = placement_pct(
        inside,
        item.raw.inside.weights,
        np.divmod(item.footprint.places, item.footprint.coverage.weights.shape[1]),
        spacing_mm=item.spacing_mm,
        sd_mm=placement_mm,
    )
    squares = (moving.share_square(shares / 100), moving.fat_square, moving.lean_square)
    found: dict[str, _Fat] = {}
    for each in methods:
        for row, points in zip(each.rows, each.points, strict=True):
            k = len(found)
            share, fat, lean = (math.sqrt(square[k]) for square in squares)
            every = {**points, "u_placement": float(places[k])}
            found[row.method] = _Fat(share, fat, lean, each.valid_mm2, every)
    return found


def _of_signal(row: Measurement, item: OutlinePixels, fraction: SignalFraction) -> _Methods:
    along = fraction.along
    return _Methods(
        [row],
        np.array([fraction.value_pct]),
        item.raw.inside.total * item.placed.slice.plane.pixel_area_mm2,
        # Where pixels have no value, tracing moves nothing that is known.
        np.where(np.isfinite(along), along, fraction.value_pct / 100)[None],
        fraction.pixels[None],
        [calibration_parts(fraction)],
    )


def _methods(
    rows: Sequence[Measurement],
    item: OutlinePixels,
    signal: OutlineSignal,
    shared: ReferenceUncertainty,
) -> _Methods:
    """Look at an outline as methods do that see the same pixels."""
    sample = signal.inside
    shares = np.array([_share_pct(row, item) for row in rows])
    linear = np.array([METHODS[row.method].is_fraction for row in rows])
    middle = (shared.lean_signal + shared.fat_signal) / 2
    cuts = np.array(
        [
            middle if is_linear else _raw_threshold(row, sample, share)
            for row, share, is_linear in zip(rows, shares, linear, strict=True)
        ]
    )
    values = np.zeros(0) if signal.along is None else signal.along
    fatness = (values > cuts[:, None]).astype(np.float64)
    fatness[linear] = (values - shared.lean_signal) / shared.contrast if linear.any() else 0.0
    # Where pixels have no value, tracing moves nothing that is known.
    fatness = np.where(np.isfinite(values), fatness, shares[:, None] / 100)
    mixed = _mixed(sample, cuts, shared)
    points = [
        _linear_points(sample, shares[k] / 100, shared)
        if linear[k]
        else {
            "u_partial_volume": float(mixed[k]),
            **_binary_points(row, sample, cuts[k], shared),
        }
        for k, row in enumerate(rows)
    ]
    inside = (sample.values > cuts[:, None]).astype(np.float64)
    return _Methods(rows, shares, item.areas.valid_mm2, fatness, inside, points)


def _share_pct(row: Measurement, item: OutlinePixels) -> float:
    """Fat over valid area, whichever of a method's rows it is read from."""
    share = 100 * row.value / item.areas.valid_mm2 if row.quantity in _AREAS else row.value
    return 100 - share if row.quantity is Quantity.FCSA_MM2 else share


def _raw_threshold(row: Measurement, sample: WeightedPixels, share: float) -> float:
    """Return the threshold on the image itself; where it was another's, of equal effect."""
    if Need.EQUALISED_SLICE not in METHODS[row.method].needs:
        return float(row.parameters["threshold"])
    ordered = in_order(sample)
    below = ordered.weights.cumsum() / ordered.total
    place = int(np.searchsorted(below, 1 - share / 100))
    return float(ordered.values[min(place, len(below) - 1)])


def _mixed(sample: WeightedPixels, cuts: Array, shared: ReferenceUncertainty) -> Array:
    """Uncertainty by pixels of both tissues, in points; NaN where no two tissues are told apart."""
    known = shared.contrast > 0
    if known:
        lean, fat = (np.full(len(cuts), each) for each in (shared.lean_signal, shared.fat_signal))
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
    row: Measurement, sample: WeightedPixels, threshold: float, shared: ReferenceUncertainty
) -> dict[str, float]:
    points: dict[str, float] = {}
    by = shared.threshold.get(FatMethod(row.method), NAN)
    if not math.isnan(by):
        points["u_threshold"] = shifted_pct(sample, threshold, by)
    if not math.isnan(shared.inhomogeneity):
        points["u_shading"] = shifted_pct(sample, threshold, threshold * shared.inhomogeneity)
    return points


def _linear_points(
    sample: WeightedPixels, fraction: float, shared: ReferenceUncertainty
) -> dict[str, float]:
    """Errors of both references' medians and of the muscle's own signal, carried through."""
    contrast = shared.contrast
    basis = math.hypot((1 - fraction) * shared.lean, fraction * shared.fat) / contrast
    points = {"u_threshold": 100 * basis}
    if not math.isnan(shared.inhomogeneity):
        # Muscle and fat reference are shaded independently of each other.
        own, of_fat = sample.mean, fraction * shared.fat_signal
        points["u_shading"] = 100 * shared.inhomogeneity * math.hypot(own, of_fat) / contrast
    return points


# --- Dixon ---------------------------------------------------------------------------------------


def _dixon_parts(
    row: Measurement, item: OutlinePixels, tracing: Tracing, placement_mm: float
) -> Parts | None:
    if item.dixon is None or item.dixon.along is None:
        return None
    fat, water = item.dixon.along
    inside_fat, inside_water = item.dixon.fat, item.dixon.water
    weights = item.footprint.coverage.weights
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
    inside = PixelFractions(np.nonzero(counts), share, inside_fat[counts] / total, own)
    # What the boundary band would change the fraction by: its excess of fat over the muscle's own.
    excess = fatness - row.value / 100 * amount
    return fraction_parts(item, inside, excess, tracing=tracing, placement_mm=placement_mm)


def _map_parts(
    row: Measurement, item: OutlinePixels, tracing: Tracing, placement_mm: float
) -> Parts | None:
    """Uncertainty of the mean of the scanner's map, as of the mean of a Dixon pair's fractions."""
    if item.pdff is None or item.band.pixels is None:
        return None
    fractions = item.pdff.map.item.pixels * (row.parameters["to_pct"] / 100)
    coverage = item.footprint.coverage
    weights, box = coverage.weights, coverage.of(fractions)
    counts = (weights > 0) & np.isfinite(box)
    mean = row.value / 100
    along = fractions[tuple(item.band.pixels.T)]
    inside = PixelFractions(np.nonzero(counts), weights[counts], box[counts], box[counts] - mean)
    # Where the map says nothing, tracing moves nothing that is known.
    excess = np.nan_to_num(along - mean)
    return fraction_parts(item, inside, excess, tracing=tracing, placement_mm=placement_mm)


@dataclass(frozen=True, slots=True, eq=False)
class PixelFractions:
    """Pixels of a muscle that have a fat fraction.

    Parameters
    ----------
    places
        Their rows and their columns in the outline's box.
    share, fractions, own
        How much of each lies inside, its fat fraction, and by how much it departs from the mean.
    """

    places: Sequence[NDArray[np.signedinteger]]
    share: Array
    fractions: Array
    own: Array


def fraction_parts(
    item: OutlinePixels,
    inside: PixelFractions,
    excess: Array,
    *,
    tracing: Tracing,
    placement_mm: float,
) -> Parts:
    """Return the parts of a mean fraction's uncertainty, in points.

    Parameters
    ----------
    inside
        The muscle's pixels.
    excess
        By how much each pixel of the boundary band departs from the mean fraction.
    """
    plane, share = item.placed.slice.plane, inside.share
    rings = excess.reshape(-1, sum(item.band.counts))
    found = moved(item.band.lengths_mm, item.band.counts, rings, tracing)
    area = float(share.sum()) * plane.pixel_area_mm2
    noise = math.sqrt(dot(share * inside.own, share * inside.own)) / float(share.sum())
    (placement,) = placement_pct(
        inside.fractions[None],
        share,
        inside.places,
        spacing_mm=plane.pixel_spacing_mm,
        sd_mm=placement_mm,
    )
    return {
        "u_boundary": 100 * math.sqrt(float(found.fat_square)) / area,
        "u_placement": float(placement),
        "u_noise": 100 * noise,
    }
