"""Numbers to show beside an outline: measured, or while it is still in motion.

In motion an outline is measured as :func:`multifidus.measure` measures it, by the calibration of
the last measurement: the thresholds, the shading and the levels that the exam had then. On release
everything is measured again. The fat signal fraction, and the flags of fat that rest on it, wait
for that: they take as long as all other numbers of an outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.image import Exam, Series, Slice
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi import Roi
from multifidus.measuring.bias_field.correction import BiasField
from multifidus.measuring.calibration import Calibration
from multifidus.measuring.fat.quality_checks import THRESHOLDS, with_fat_flags
from multifidus.measuring.fat.signal.calibration import SignalCalibration
from multifidus.measuring.locate import PlacedOutline
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.pipeline import ExamCalibration
from multifidus.measuring.slice_pixels import CoRegistered, SlicePixels
from napari_multifidus.models.fat_shown import FRACTIONS, shown_methods
from napari_multifidus.models.numbers import Numbers, numbers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CENTRAL_PCT = (5.0, 95.0)
"""Percentiles of a reference's pixels between which its range is drawn."""

WHOLE_PCT = (0.5, 99.5)
"""Percentiles of an outline's pixels that its histogram spans where there are no references."""

BINS = 48


@dataclass(frozen=True, slots=True)
class Ranges:
    """Where signal is drawn, and where the references lie in it.

    Parameters
    ----------
    low, high
        Signal at the two ends of a histogram.
    lean, fat
        Between what values most pixels of each reference lie; None where there is none.
    """

    low: float
    high: float
    lean: tuple[float, float] | None = None
    fat: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OutlinePreview:
    """One outline: its numbers, and the pixels behind them.

    Parameters
    ----------
    pixels
        (row, column) of the pixels in which fat was measured, shape (n, 2).
    values, weights
        What they were compared with the threshold by, and how much of each lies inside; (n,).
    """

    numbers: Numbers
    pixels: NDArray[np.intp] = field(default_factory=lambda: np.empty((0, 2), np.intp))
    values: Array = field(default_factory=lambda: np.empty(0))
    weights: Array = field(default_factory=lambda: np.empty(0))
    ranges: Ranges | None = None

    @property
    def is_fat(self) -> NDArray[np.bool_]:
        """Which pixels were taken for fat; none where there is no threshold."""
        return self.values > self.numbers.threshold

    def counts(self, bins: int = BINS) -> Array:
        """Count pixels by their signal, each by how much of it lies inside; (bins,).

        Pixels beyond the ends are counted at the ends.
        """
        if self.ranges is None or not len(self.values):
            return np.zeros(bins)
        span = self.ranges.high - self.ranges.low
        place = ((self.values - self.ranges.low) * (bins / span)).astype(np.intp)
        return np.asarray(np.bincount(place.clip(0, bins - 1), self.weights, bins), np.float64)


class SliceReader:
    """Reads the slices of a series for outlines on them; the last one is kept.

    Parameters
    ----------
    exam, series
        All images, since which are pairs depends on what else there is; and those outlined.
    """

    def __init__(self, exam: Exam, series: Series) -> None:
        self.exam, self.series = exam, series
        self._last: tuple[object, SlicePixels] | None = None

    @cached_property
    def _companions(self) -> CoRegistered:
        return CoRegistered.of(self.exam)

    def read(self, index: int, protocol: MeasurementProtocol) -> SlicePixels:
        """Read a slice; what is read stays what it is under one protocol.

        Raises
        ------
        ReadError
            If its pixels cannot be read.
        """
        asked = index, protocol
        if self._last is None or self._last[0] != asked:
            self._last = asked, SlicePixels.of(self.series, index, self._companions, protocol)
        return self._last[1]


class OutlinePreviewer:
    """Measures single outlines by one calibration.

    Parameters
    ----------
    calibration
        Of the last measurement.
    reader
        Reads the slices that they lie on.
    """

    def __init__(self, calibration: ExamCalibration, reader: SliceReader) -> None:
        self.methods = shown_methods(calibration.protocol)
        self._reader = reader
        self._calibration = replace(
            calibration,
            protocol=_only(calibration.protocol, self.methods),
            groups={
                scale: _with_cached_fields(group) for scale, group in calibration.groups.items()
            },
        )
        self._ranges: dict[Calibration, Ranges | None] = {}

    def preview(
        self,
        roi: Roi,
        index: int,
        typed: tuple[Level | None, SlicePosition],
        artefacts: Sequence[Roi] = (),
        *,
        moving: bool = False,
    ) -> OutlinePreview | None:
        """Measure one outline alone; None where this calibration knows nothing of its like.

        Parameters
        ----------
        roi, index
            The outline, and the slice that it lies on.
        typed
            The slice's level as it was typed.
        artefacts
            Of the slice.
        moving
            Whether it is in motion: then its fat signal fraction waits.

        Raises
        ------
        ReadError
            If the slice's pixels cannot be read.
        """
        known, series = self._calibration, self._reader.series
        read = self._reader.read(index, known.protocol)
        item = read.under(PlacedOutline(roi, series, index), artefacts)
        waits = moving and item.is_muscle and self._can_wait(known.of(item))
        known = self._without_signal if waits else known
        group = known.of(item)
        if item.is_muscle and (group is None or not group.has_muscle):
            return None
        if group is None:
            area, flags = item.areas.total_mm2, item.quality.flags
            return OutlinePreview(Numbers(area_mm2=area, mean_si=item.mean_si, flags=flags))
        item = group.correct(item)
        # Thresholds are held against the fat signal fraction first.
        found = known.rows_of(item, *typed, compares=not waits or self._has_mixing)
        rows = with_fat_flags(found, self._reader.exam.clinical, known.protocol)
        numbers = numbers_of(list(rows), self.methods)
        if waits:
            numbers = _awaiting_signal(numbers, self.methods)
        return self._outline_preview(item, numbers, group)

    def _can_wait(self, group: Calibration | None) -> bool:
        """Whether there is a fat signal fraction, so that it may be shown as one to come."""
        calibrated = group is not None and isinstance(group.signal, SignalCalibration)
        return calibrated and FatMethod.SIGNAL in self.methods

    @property
    def _has_mixing(self) -> bool:
        return bool(_MIXED.intersection(self.methods))

    @cached_property
    def _without_signal(self) -> ExamCalibration:
        known = self._calibration
        kept = tuple(name for name in self.methods if name is not FatMethod.SIGNAL)
        groups = known.groups
        if not self._has_mixing:
            # Only mixing has a field of its own.
            groups = {scale: replace(group, of_lean_field=None) for scale, group in groups.items()}
        return replace(known, protocol=_only(known.protocol, kept), groups=groups)

    def _outline_preview(
        self, item: OutlinePixels, numbers: Numbers, group: Calibration
    ) -> OutlinePreview:
        shown = item.pixels if item.equalised is None else item.equalised
        if group not in self._ranges:
            self._ranges[group] = self._ranges_of(group) if item.equalised is None else None
        ranges = self._ranges[group] or _whole(shown.values)
        return OutlinePreview(numbers, item.footprint.pixels, shown.values, shown.weights, ranges)

    def _ranges_of(self, group: Calibration) -> Ranges | None:
        """Return the ranges that references give; None where they give none."""
        references = group.references
        if not references.contrast > 0:
            return None
        lean, fat = (
            (float(low), float(high))
            for low, high in (
                np.percentile(sample.values, CENTRAL_PCT)
                for sample in (references.lean, references.fat)
            )
        )
        margin = references.contrast / 4
        low = min(lean[0], references.lean.median - margin)
        return Ranges(low, max(fat[1], references.fat.median + margin), lean, fat)


MARGIN = 24
"""Pixels around an outline in which it may move before its shading is worked out anew."""


@dataclass(frozen=True, slots=True, eq=False)
class CachedBiasField(BiasField):
    """A bias field that is remembered around the last outline.

    The polynomial takes as long as all else that is done to an outline in motion.
    """

    last: dict[str, tuple[NDArray[np.intp], Array]] = field(default_factory=dict)

    def at(self, item: Slice, pixels: NDArray[np.generic]) -> Array:
        """Return the field at pixels of a slice, (n, 2) of whole (row, column)."""
        row, column = np.asarray(pixels, dtype=np.intp).T
        if not len(row):
            return np.ones(0)
        # Rows and columns by themselves: along short axes numpy is many times as slow.
        low = np.array((row.min(), column.min()))
        high = np.array((row.max(), column.max()))
        corner, known = self.last.get(item.uid, (low, np.empty((0, 0))))
        if (low < corner).any() or (high >= corner + known.shape).any():
            corner = np.maximum(low - MARGIN, 0)
            size = np.minimum(high + MARGIN + 1, item.shape) - corner
            around = np.indices(tuple(size)).reshape(2, -1).T + corner
            known = super(CachedBiasField, self).at(item, around).reshape(tuple(size))
            self.last.clear()
            self.last[item.uid] = (corner, known)
        places = (row - corner[0]) * known.shape[1] + (column - corner[1])
        return np.asarray(known.ravel().take(places))


def cached(bias_field: BiasField) -> BiasField:
    """Return the same field, quicker for outlines in motion."""
    if bias_field.low_order is None and bias_field.joint is None:
        return bias_field
    return CachedBiasField(
        bias_field.method,
        bias_field.reason,
        bias_field.low_order,
        bias_field.joint,
        bias_field.joint_refusal,
    )


def _with_cached_fields(group: Calibration) -> Calibration:
    of_lean = group.of_lean_field
    return replace(
        group,
        bias_field=cached(group.bias_field),
        of_lean_field=None if of_lean is None else _with_cached_fields(of_lean),
    )


def _whole(values: Array) -> Ranges | None:
    if not len(values):
        return None
    low, high = (float(end) for end in np.percentile(values, WHOLE_PCT))
    return Ranges(low, high) if high > low else None


_MIXED = FRACTIONS - {FatMethod.SIGNAL}


def _awaiting_signal(numbers: Numbers, methods: Sequence[FatMethod]) -> Numbers:
    """Say of an outline in motion that its fat signal fraction is to come."""
    if methods[0] is FatMethod.SIGNAL:
        return replace(numbers, fat_method=FatMethod.SIGNAL, awaits_signal=True)
    return replace(numbers, beside_method=FatMethod.SIGNAL, awaits_signal=True)


def _only(protocol: MeasurementProtocol, methods: Sequence[FatMethod]) -> MeasurementProtocol:
    """Return the protocol with the methods shown, what they are held against, and Dixon."""
    # A threshold brings linear mixing with it; fractions have only those that the protocol names.
    beside = THRESHOLDS if FRACTIONS.intersection(methods) else frozenset()
    kept = {*methods, FatMethod.DIXON, *beside}
    return replace(
        protocol,
        fat_methods=tuple(m for m in protocol.fat_methods if m in kept),
        fixed_threshold=protocol.fixed_threshold if FatMethod.FIXED in methods else None,
        regional_fat=False,
    )
