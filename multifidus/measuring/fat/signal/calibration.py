"""The calibration of an exam's signal, and the fat signal fraction of each muscle by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.sums import dot
from multifidus.measuring.fat.references import MOST_DARK_PCT
from multifidus.measuring.fat.signal.edges import displaced, unmixed
from multifidus.measuring.fat.signal.fat_level import FatLevel, fat_level
from multifidus.measuring.fat.signal.joint_field import (
    JointField,
    fit_joint_field,
    weighted_terms,
)
from multifidus.measuring.fat.signal.lean_levels import (
    DOUBTFUL,
    UNLIKE,
    LeanLevel,
    LeanLevels,
    MuscleSignal,
    lean_levels,
)
from multifidus.measuring.fat.signal.samples import (
    Kind,
    Samples,
    Scale,
    darkest_fat,
    reference_signal,
    samples_of,
)
from multifidus.measuring.fat.signal.views import SCALE_MM, Means, Middle, SliceView
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.uncertainty.components import lean_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

VOID = 0.5
"""Places whose 3 x 3 mean is below this share of lean muscle's signal hold neither tissue."""

DARKEST, BRIGHTEST = -0.7, 0.6
"""Lean tissue's level is sought between these logarithms over the fitted lean signal, the upper one
times the logarithm of fat over lean signal."""

LEAST_EVEN_PIXELS, LEAST_REFERENCE_PIXELS = 20, 4

DIFFUSE_SD = 0.05
"""Standard deviation of the field's logarithm in an exam with diffuse fat, whose course the field
may follow."""

LEAST_CONTRAST = 0.25
"""Least logarithm of fat over lean signal."""

MOST_CONTRAST = 16.0
"""Fat is 2 to 8 times as bright as lean muscle; more than this, and the reference is none."""

_HALF = 0.5


class NotCalibrated(StrEnum):
    """Why an exam's signal gives no fraction, in words for the row."""

    WEIGHTING = "the images are not T1-, T2- or proton-density-weighted"
    REFERENCES = "the references cannot be used"
    REFERENCE_ALONE = (
        "no lean or no fat reference lies on a slice with a muscle outline, as this method needs"
    )
    NOT_POSITIVE = (
        "on slices with muscle outlines the signal of the lean reference is not above 0, "
        "or that of the fat reference not above it"
    )
    FEW_SAMPLES = "the references or the muscles have too few pixels of even signal"
    NOT_OF_MUSCLE = "the lean references are too dark to be of the muscles' tissue"
    OTHER_SLICE = "no muscle of this slice was among the outlines of the calibration"
    NO_CONTRAST = "the fitted signal of fat is not brighter than that of lean muscle"


@dataclass(frozen=True, slots=True, eq=False)
class SignalFraction:
    """A muscle's fat signal fraction, and what is uncertain about it.

    Parameters
    ----------
    value_pct
        Fraction, not clipped.
    lean, fat_level, field, edge, shift
        Standard uncertainties in points: by the signal of the muscle's lean tissue, by that of
        fat in muscle, by field and levels as they were fitted, by the border, and by chemical
        shift; the last is NaN where the exam's headers do not say how large it is.
    void_pixels
        Pixels that were left out because they hold neither tissue.
    pixels, along
        The fractions of the pixels in which fat is measured, (n,), and of the boundary band's, not
        in percent.
    """

    value_pct: float
    lean: float
    fat_level: float
    field: float
    edge: float
    shift: float
    void_pixels: int
    pixels: Array
    along: Array

    @property
    def calibration_sd(self) -> float:
        """Standard uncertainty in points by all of these together."""
        shift = 0.0 if math.isnan(self.shift) else self.shift
        return math.hypot(self.lean, self.fat_level, self.field, self.edge, shift)

    def visible_pct(self, weights: Array) -> float:
        """Return the share of the pixels that are mostly fat, each of a weight, (n,)."""
        return 100 * float(weights[self.pixels > _HALF].sum() / weights.sum())


@dataclass(frozen=True, slots=True, eq=False)
class SignalCalibration:
    """What the fat signal fractions of outlines on one scale of signal rest on.

    Parameters
    ----------
    middle, slices
        Where the field's coordinates are 0, and the number of each slice by its UID.
    field
        The bias field with the levels of both tissues.
    lean, fat
        The lean level of each muscle, and the level of fat in muscles, over the fitted ones.
    """

    middle: Middle
    slices: Mapping[str, int]
    field: JointField
    lean: LeanLevels
    fat: FatLevel

    @property
    def fat_signal(self) -> float:
        """Signal of fat in muscle where the field is 1."""
        return math.exp(self.field.fat_log + self.fat.mean)

    @property
    def is_of_muscle(self) -> bool:
        """Whether lean references and muscles can be of one tissue."""
        contrast = self.field.fat_log - self.field.lean_log
        return contrast <= math.log(MOST_CONTRAST) and self.lean.explained >= UNLIKE

    @property
    def is_surely_of_muscle(self) -> bool:
        """Whether they are, as far as can be seen."""
        return self.is_of_muscle and self.lean.explained >= DOUBTFUL

    def lean_level(self, item: OutlinePixels) -> LeanLevel:
        """Return the lean level of an outline's muscle, also of one that was not calibrated."""
        return self.lean.by_muscle.get(_muscle(item), self.lean.common)

    def lean_signal(self, item: OutlinePixels) -> float:
        """Signal of a muscle's lean tissue where the field is 1."""
        return math.exp(self.field.lean_log + self.lean_level(item).mean)

    def fraction(self, item: OutlinePixels) -> SignalFraction | None:
        """Measure a muscle; None where its slice was not calibrated, or nothing of it is left."""
        number = self.slices.get(item.placed.slice.uid)
        if number is None or item.surroundings is None or not len(item.footprint.places):
            return None
        view = self.middle.near(item)
        gain = np.exp(self.field.log_gain(view.x, view.y, number))
        lean, fat = self.lean_signal(item), self.fat_signal
        corrected, contrast = view.signal / gain, fat - lean
        weights = view.weights
        used = view.known & (view.mean >= VOID * lean * gain)
        mostly = view.known & (weights >= _HALF)
        counted = np.flatnonzero(used & mostly)
        if not len(counted):
            return None
        fractions = (corrected - lean) / contrast
        found = unmixed(fractions, weights, used)
        share = min(max(found.inside, 0.0), 1.0)
        own = weights.take(counted)
        parts = own * corrected.take(counted) / contrast / own.sum()
        places = view.x.take(counted), view.y.take(counted)
        return SignalFraction(
            100 * found.inside,
            100 * (1 - share) * lean / contrast * self.lean_level(item).sd,
            100 * share * fat / contrast * self.fat.sd,
            100 * self._field_sd(number, places, parts, ((1 - share) * lean, share * fat)),
            100 * abs(found.apparent - found.inside) / 2,
            # Of pixels without a value nothing is known that fat could be displaced from.
            100
            * _shift_sd(
                item, np.where(view.known, fractions, found.apparent), weights, found.apparent
            ),
            int(mostly.sum()) - len(counted),
            fractions[view.outline].take(item.footprint.places),
            self._along(item, number, lean),
        )

    def _along(self, item: OutlinePixels, number: int, lean: float) -> Array:
        """Return the fractions of the boundary band's pixels, from their signal."""
        pixels, signal = item.band.pixels, item.raw.along
        if pixels is None or signal is None:
            return np.zeros(0)
        x, y, _ = item.placed.slice.plane.axes_mm(pixels)
        middle = self.middle
        y_mm = middle.y_mm[item.placed.slice.uid]
        log = self.field.log_gain((x - middle.x_mm) / SCALE_MM, (y - y_mm) / SCALE_MM, number)
        return np.asarray((signal / np.exp(log) - lean) / (self.fat_signal - lean))

    def _field_sd(
        self,
        number: int,
        places: tuple[Array, Array],
        parts: Array,
        tissues: tuple[float, float],
    ) -> float:
        """Return a fraction's standard deviation by the fit.

        Parameters
        ----------
        number
            Its slice.
        places, parts
            x and y of its pixels, and each one's part of the mean of corrected signal over
            contrast.
        tissues
            Mean signal that is lean muscle's, and that is fat's.
        """
        total = float(parts.sum())
        shape = weighted_terms(parts, *places)
        of_levels = -np.array(tissues) * total / sum(tissues)
        slope = np.concatenate((-shape, of_levels, (-total, -shape[0], -shape[1])))
        # The field's and both levels' parameters, and the slice's own three; no others matter.
        fitted = float(slope @ self.field.covariance[number] @ slope)
        followed = self.lean.diffuse * DIFFUSE_SD * total
        return math.sqrt(max(fitted, 0.0) + followed**2)


def _shift_px(item: OutlinePixels) -> float:
    """Return how far fat is displaced; 0 where headers do not say."""
    found = math.hypot(*item.placed.series.acquisition.fat_shift_px(item.placed.slice.shape))
    return 0.0 if math.isnan(found) else found


def _shift_sd(item: OutlinePixels, fractions: Array, weights: Array, mean: float) -> float:
    """Return how much a fraction differs where fat is displaced one way or the other.

    Headers say how far fat is displaced, and along which axis, but not to which side: the root
    mean square of both.
    """
    by_rows, by_columns = item.placed.series.acquisition.fat_shift_px(item.placed.slice.shape)
    if math.isnan(by_rows):
        return math.nan
    squares = []
    for sign in (-1, 1):
        moved = displaced(displaced(weights, sign * by_rows, 0), sign * by_columns, 1)
        total = float(moved.sum())
        # Displaced out of what is kept around the outline, nothing is known of it.
        if total <= 0:
            return math.nan
        squares.append((dot(moved.ravel(), fractions.ravel()) / total - mean) ** 2)
    return math.sqrt(sum(squares) / 2)


def calibrate_signal(members: Sequence[OutlinePixels]) -> SignalCalibration | NotCalibrated:
    """Calibrate the outlines of one scale of signal, among them both references.

    Parameters
    ----------
    members
        All outlines, with what is around them.
    """
    if not any(item.is_muscle and len(item.footprint.places) for item in members):
        return NotCalibrated.FEW_SAMPLES
    middle = Middle.of(members)
    by_slice: dict[str, dict[int, OutlinePixels]] = {}
    for number, item in enumerate(members):
        uid = item.placed.slice.uid
        if uid in middle.y_mm:
            by_slice.setdefault(uid, {})[number] = item
    every = [item for items in by_slice.values() for item in items.values()]
    lean, fat = (reference_signal(every, structure) for structure in _REFERENCES)
    if math.isnan(lean) or math.isnan(fat):
        return NotCalibrated.REFERENCE_ALONE
    if not fat > lean > 0:
        return NotCalibrated.NOT_POSITIVE
    references = [
        middle.inside(item) for item in every if item.roi.key.structure is Structure.LEAN_REFERENCE
    ]
    scale = Scale.of(references, (lean, fat))
    views: list[SliceView] = []
    even: dict[int, Mask] = {}
    found: list[Samples] = []
    for items in by_slice.values():
        # Slice by slice, so that what only samples need is not kept.
        view = middle.view(items, darkest_fat(lean, fat))
        even |= {number: scale.even(view.inside[number]) for number in view.muscles}
        found.append(samples_of(view, len(views), scale, even))
        views.append(view.sampled())
    samples = Samples.together(found)
    if not all((samples.kind == kind).any() for kind in _NEEDED):
        return NotCalibrated.FEW_SAMPLES
    field = fit_joint_field(samples, scale, len(views))
    if field.fat_log - field.lean_log < LEAST_CONTRAST:
        return NotCalibrated.NO_CONTRAST
    shown = _Shown(middle, scale, field, even)
    return SignalCalibration(
        middle,
        {uid: number for number, uid in enumerate(by_slice)},
        field,
        lean_levels(*shown.signals(views)),
        fat_level(
            shown.corrected(views),
            math.exp(field.lean_log),
            math.exp(field.fat_log),
            scale.noise,
            # The largest where series of one scale differ: fat counts less where more is in doubt.
            shift_px=max(map(_shift_px, members)),
        ),
    )


_REFERENCES = (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)
_NEEDED = (Kind.MUSCLE, Kind.LEAN_REFERENCE, Kind.FAT_REFERENCE)


def _muscle(item: OutlinePixels) -> tuple[Structure, Side]:
    return item.roi.key.structure, item.roi.key.side


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """What the pixels inside muscles show, by the fitted field."""

    middle: Middle
    scale: Scale
    field: JointField
    even: Mapping[int, Mask]

    def corrected(self, views: Sequence[SliceView]) -> Array:
        """Return the signal inside muscles, divided by the field, (n,).

        Beside metal signal piles up, brighter than fat: muscles with an artefact or a void are left
        out, unless all have one.
        """
        found: list[Array] = []
        beside_metal: list[Array] = []
        darkest = VOID * math.exp(self.field.lean_log)
        for k, view in enumerate(views):
            for number, item in view.muscles.items():
                pixels = view.inside[number]
                gain = np.exp(self.field.log_gain(pixels.x, pixels.y, k))
                dark_pct = 100 * np.count_nonzero(pixels.mean / gain < darkest)
                is_whole = dark_pct <= MOST_DARK_PCT * len(gain)
                kept = is_whole and Flag.ARTEFACT not in item.quality.flags
                (found if kept else beside_metal).append(pixels.signal / gain)
        return np.concatenate(found or beside_metal)

    def signals(self, views: Sequence[SliceView]) -> tuple[list[MuscleSignal], list[float]]:
        """Return what each muscle outline shows, and levels of references outside of them all."""
        found: list[MuscleSignal] = []
        apart: list[float] = []
        for k, view in enumerate(views):
            inner = self._references(view, k)
            for number, item in view.muscles.items():
                references = tuple(inner.pop(number, ()))
                even = view.inside[number].means(self.even[number])
                found.append(self._signal(item, self._of_lean(item, even), k, references))
            apart.extend(level for levels in inner.values() for level in levels)
        return found, apart

    def _of_lean(self, item: OutlinePixels, even: Means) -> Means:
        """Return the even pixels of a muscle; where they are few, all that are nearly whole."""
        if len(even.x) >= LEAST_EVEN_PIXELS or not len(item.footprint.places):
            return even
        view = self.middle.near(item)
        places = np.flatnonzero(view.known & (view.weights > 0.9))  # noqa: PLR2004 - nearly whole
        return Means(view.mean.take(places), view.x.take(places), view.y.take(places))

    def _log(self, means: Means, view: int) -> Array:
        """Return the logarithm of 3 x 3 means over the fitted lean signal."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.log(means.mean)
        log -= self.field.log_gain(means.x, means.y, view)
        return np.asarray(log - self.field.lean_log)

    def _signal(
        self, item: OutlinePixels, means: Means, view: int, references: tuple[float, ...]
    ) -> MuscleSignal:
        noise = self.scale.noise / 3 / float(np.median(means.mean)) if len(means.x) else math.nan
        log = self._log(means, view)
        highest = BRIGHTEST * (self.field.fat_log - self.field.lean_log)
        return _muscle_signal(
            item,
            log[(log > DARKEST) & (log < highest)],
            noise if math.isfinite(noise) else 0.0,
            references,
        )

    def _references(self, view: SliceView, k: int) -> dict[int, list[float]]:
        """Return the level of each lean reference by the muscle it mostly lies in; else by -1."""
        found: dict[int, list[float]] = {}
        for number, item in view.items.items():
            if item.roi.key.structure is not Structure.LEAN_REFERENCE:
                continue
            pixels = view.inside[number]
            means = pixels.means(pixels.mean > 0)
            if len(means.x) >= LEAST_REFERENCE_PIXELS:
                own = item.footprint.coverage
                shared = {n: own.shared(o.footprint.coverage) for n, o in view.muscles.items()}
                most = max(shared, key=shared.__getitem__, default=-1)
                within = most >= 0 and shared[most] > _HALF * own.weights.sum()
                level = float(np.median(self._log(means, k)))
                found.setdefault(most if within else -1, []).append(level)
        return found


def _muscle_signal(
    item: OutlinePixels, log: Array, noise: float, references: tuple[float, ...]
) -> MuscleSignal:
    level, spread = (math.nan, math.nan) if len(log) < LEAST_EVEN_PIXELS else lean_spread(log)
    return MuscleSignal(_muscle(item), level, spread, noise, len(log), references)


def lean_spread(values: Array) -> tuple[float, float]:
    """Return where values are densest, and their standard deviation on the darker side."""
    ordered = np.sort(values)
    level, _ = lean_level(ordered, in_order=True)
    darker = ordered[: ordered.searchsorted(level)] - level
    return level, math.sqrt(float((darker**2).mean())) if len(darker) else 0.0
