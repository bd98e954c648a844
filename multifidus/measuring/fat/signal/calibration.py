"""The calibration of an exam's signal, and the fat signal fraction of each muscle by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.measuring.fat.signal.edges import unmixed
from multifidus.measuring.fat.signal.fat_level import FatLevel, fat_level
from multifidus.measuring.fat.signal.joint_field import (
    COMMON,
    JointField,
    fit_joint_field,
    terms,
)
from multifidus.measuring.fat.signal.lean_levels import (
    LeanLevel,
    LeanLevels,
    MuscleSignal,
    lean_levels,
)
from multifidus.measuring.fat.signal.samples import (
    SCALE_MM,
    Kind,
    Middle,
    Scale,
    SliceView,
    inside,
    samples_of,
)
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.uncertainty.components import lean_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

VOID = 0.5
"""Places whose 3 x 3 mean is below this share of lean muscle's signal hold neither tissue."""

DARKEST, BRIGHTEST = -0.7, 0.6
"""Lean tissue's level is sought between these logarithms over the fitted lean signal, the upper one
times the logarithm of fat over lean signal."""

LEAST_EVEN_PIXELS = 20

DIFFUSE_SD = 0.05
"""Standard deviation of the field's logarithm in an exam with diffuse fat, whose course the field
may follow."""

LEAST_CONTRAST = 0.25
"""Least logarithm of fat over lean signal."""

_HALF = 0.5


class NotCalibrated(StrEnum):
    """Why an exam's signal gives no fraction, in words for the row."""

    WEIGHTING = "the images are not T1-, T2- or proton-density-weighted"
    REFERENCES = "the references cannot be used"
    FEW_SAMPLES = "the references or the muscles have too few pixels of even signal"
    OTHER_SLICE = "no muscle of this slice was among the outlines of the calibration"
    NO_CONTRAST = "the fitted signal of fat is not brighter than that of lean muscle"


@dataclass(frozen=True, slots=True)
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
    """

    value_pct: float
    lean: float
    fat_level: float
    field: float
    edge: float
    shift: float
    void_pixels: int


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

    def lean_level(self, item: OutlinePixels) -> LeanLevel:
        """Return the lean level of an outline's muscle, also of one that was not calibrated."""
        return self.lean.by_muscle.get(_muscle(item), self.lean.common)

    def lean_signal(self, item: OutlinePixels) -> float:
        """Signal of a muscle's lean tissue where the field is 1."""
        return math.exp(self.field.lean_log + self.lean_level(item).mean)

    def fraction(self, item: OutlinePixels) -> SignalFraction | None:
        """Measure a muscle; None where its slice was not calibrated, or nothing of it is left."""
        number = self.slices.get(item.placed.slice.uid)
        if number is None or item.surroundings is None:
            return None
        view = self.middle.near(item)
        gain = np.exp(self.field.log_gain(view.x, view.y, number))
        lean, fat = self.lean_signal(item), self.fat_signal
        corrected, contrast = view.signal / gain, fat - lean
        weights = view.weights[0]
        used = view.mean / gain >= VOID * lean
        counted = used & (weights >= _HALF)
        if not counted.any():
            return None
        found = unmixed((corrected - lean) / contrast, weights, used)
        share = min(max(found.inside, 0.0), 1.0)
        parts = np.where(counted, weights * corrected / contrast, 0.0) / weights[counted].sum()
        return SignalFraction(
            100 * found.inside,
            100 * (1 - share) * lean / contrast * self.lean_level(item).sd,
            100 * share * fat / contrast * self.fat.sd,
            100 * self._field_sd(view, number, parts, ((1 - share) * lean, share * fat)),
            100 * abs(found.apparent - found.inside) / 2,
            100 * _shift_sd(item, (corrected - lean) / contrast, weights, found.apparent),
            int((~used & (weights >= _HALF)).sum()),
        )

    def _field_sd(
        self, view: SliceView, number: int, parts: Array, tissues: tuple[float, float]
    ) -> float:
        """Return a fraction's standard deviation by the fit.

        Parameters
        ----------
        view, number
            Its slice.
        parts
            Each pixel's part of the mean of corrected signal over contrast.
        tissues
            Mean signal that is lean muscle's, and that is fat's.
        """
        at = parts > 0
        x, y, part = view.x[at], view.y[at], parts[at]
        slope = np.zeros(len(self.field.parameters))
        slope[:9] = -(part @ terms(x, y))
        own = COMMON + 3 * number
        slope[own : own + 3] = -part.sum(), -part @ x, -part @ y
        slope[9:COMMON] = -np.array(tissues) * part.sum() / sum(tissues)
        fitted = float(slope @ self.field.covariance @ slope)
        followed = self.lean.diffuse * DIFFUSE_SD * float(part.sum())
        return math.sqrt(max(fitted, 0.0) + followed**2)

    def fractions_at(self, item: OutlinePixels, pixels: NDArray[np.intp], signal: Array) -> Array:
        """Return the fractions of single pixels, (n, 2), of a slice from their signal, (n,)."""
        middle = self.middle
        x, y, _ = item.placed.slice.plane.to_patient(pixels).T
        uid = item.placed.slice.uid
        log = self.field.log_gain(
            (x - middle.x_mm) / SCALE_MM, (y - middle.y_mm[uid]) / SCALE_MM, self.slices[uid]
        )
        lean = self.lean_signal(item)
        return np.asarray((signal / np.exp(log) - lean) / (self.fat_signal - lean))


def _shift_px(item: OutlinePixels) -> float:
    """Return how far fat is displaced; 0 where headers do not say."""
    found = math.hypot(*item.placed.series.acquisition.fat_shift_px(item.placed.slice.shape))
    return 0.0 if math.isnan(found) else found


def _shift_sd(item: OutlinePixels, fractions: Array, weights: Array, mean: float) -> float:
    """Return how much a fraction differs where fat is displaced one way or the other.

    Headers say how far fat is displaced, and along which axis, but not to which side: the root
    mean square of both.
    """
    from scipy.ndimage import shift as displaced

    by_rows, by_columns = item.placed.series.acquisition.fat_shift_px(item.placed.slice.shape)
    if math.isnan(by_rows):
        return math.nan
    squares = []
    for sign in (-1, 1):
        moved = displaced(weights, (sign * by_rows, sign * by_columns), order=1)
        total = float(moved.sum())
        # Displaced out of what is kept around the outline, nothing is known of it.
        if total <= 0:
            return math.nan
        squares.append((float((moved * fractions).sum()) / total - mean) ** 2)
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
    views = [middle.view(items) for items in by_slice.values()]
    scale = Scale.of(views)
    if not (scale.lean > 0 and scale.fat > scale.lean and math.isfinite(scale.noise)):
        return NotCalibrated.FEW_SAMPLES
    samples = samples_of(views, scale)
    if not all((samples.kind == kind).any() for kind in _NEEDED):
        return NotCalibrated.FEW_SAMPLES
    field = fit_joint_field(samples, scale, len(views))
    if field.fat_log - field.lean_log < LEAST_CONTRAST:
        return NotCalibrated.NO_CONTRAST
    gains = [np.exp(field.log_gain(view.x, view.y, k)) for k, view in enumerate(views)]
    return SignalCalibration(
        middle,
        {uid: number for number, uid in enumerate(by_slice)},
        field,
        lean_levels(*_muscle_signals(views, gains, scale, field)),
        fat_level(
            np.concatenate(
                [
                    (view.signal / gain)[inside(view.weights[number])]
                    for view, gain in zip(views, gains, strict=True)
                    for number, item in view.items.items()
                    if item.is_muscle
                ]
            ),
            math.exp(field.lean_log),
            math.exp(field.fat_log),
            scale.noise,
            shift_px=_shift_px(members[0]),
        ),
    )


_NEEDED = (Kind.MUSCLE, Kind.LEAN_REFERENCE, Kind.FAT_REFERENCE)


def _muscle(item: OutlinePixels) -> tuple[Structure, Side]:
    return item.roi.key.structure, item.roi.key.side


def _muscle_signals(
    views: Sequence[SliceView], gains: Sequence[Array], scale: Scale, field: JointField
) -> tuple[list[MuscleSignal], list[float]]:
    """Return what each muscle outline shows, and the levels of references outside of them all."""
    highest = BRIGHTEST * (field.fat_log - field.lean_log)

    def within(log: Array) -> Array:
        return log[(log > DARKEST) & (log < highest)]

    found: list[MuscleSignal] = []
    apart: list[float] = []
    for view, gain in zip(views, gains, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.log(view.mean / gain) - field.lean_log
        even = scale.even(view)
        inner = _references(view, log)
        for number, item in view.items.items():
            if item.is_muscle:
                weights = view.weights[number]
                places = inside(weights) & even
                if places.sum() < LEAST_EVEN_PIXELS:
                    places = weights > 0.9  # noqa: PLR2004 - nearly whole
                noise = scale.noise / 3 / float(np.median(view.mean[places]))
                found.append(
                    _muscle_signal(
                        item,
                        within(log[places]),
                        noise if math.isfinite(noise) else 0.0,
                        tuple(inner.pop(number, ())),
                    )
                )
        apart.extend(level for levels in inner.values() for level in levels)
    return found, apart


def _references(view: SliceView, log: Array) -> dict[int, list[float]]:
    """Return the level of each lean reference by the muscle it mostly lies in; else by -1."""
    found: dict[int, list[float]] = {}
    muscles = [number for number, item in view.items.items() if item.is_muscle]
    for number, item in view.items.items():
        weights = view.weights[number]
        places = (weights > _HALF) & np.isfinite(log)
        if item.roi.key.structure is Structure.LEAN_REFERENCE and places.sum() >= 4:  # noqa: PLR2004
            shared = {other: float((view.weights[other] * weights).sum()) for other in muscles}
            most = max(shared, key=shared.__getitem__, default=-1)
            within = most >= 0 and shared[most] > _HALF * weights.sum()
            found.setdefault(most if within else -1, []).append(float(np.median(log[places])))
    return found


def _muscle_signal(
    item: OutlinePixels, log: Array, noise: float, references: tuple[float, ...]
) -> MuscleSignal:
    level, spread = (math.nan, math.nan) if len(log) < LEAST_EVEN_PIXELS else lean_spread(log)
    return MuscleSignal(_muscle(item), level, spread, noise, len(log), references)


def lean_spread(values: Array) -> tuple[float, float]:
    """Return where values are densest, and their standard deviation on the darker side."""
    level, _ = lean_level(np.sort(values))
    darker = values[values < level] - level
    return level, math.sqrt(float((darker**2).mean())) if len(darker) else 0.0
