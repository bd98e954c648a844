"""All that the outlines of one exam on one scale of signal are measured by, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.protocol import BiasCorrection, FatMethod, MeasurementProtocol
from multifidus.measuring.bias_field.correction import (
    SHADED,
    BiasField,
    can_correct,
    fit_bias_field,
)
from multifidus.measuring.bias_field.joint import JointGain
from multifidus.measuring.fat.estimator import FatBasis, FatResult, Need, SharedThreshold
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.fat.references import (
    FATAL,
    REFERENCES,
    TO_DEVIATION,
    References,
    dark_pct,
    darkest_muscle,
)
from multifidus.measuring.fat.signal.calibration import (
    NotCalibrated,
    SignalCalibration,
    calibrate_signal,
)
from multifidus.measuring.locate import SignalScale
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.reference_checks import (
    WaterFatSwap,
    drawing_flags,
    is_reference,
    of_structure,
    shading_flags,
    water_fat_swap,
)
from multifidus.measuring.uncertainty.components import lean_level
from multifidus.measuring.uncertainty.resampling import median_sd
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels, pool

LEAST_OUTLINES = 2
"""Fewer outlines say nothing about how the remaining inhomogeneity differs from one to the next."""

LEAST_LEAN_PIXELS = 30
"""An outline with fewer pixels below the threshold says nothing about lean signal."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What a group of outlines that share a scale of signal is measured by.

    Parameters
    ----------
    bias_field
        By which their signal is divided.
    references
        Their lean and fat references.
    thresholds
        The threshold of every method that gives one an exam.
    uncertainty
        Of the references and the thresholds.
    swap
        Whether their water and fat images may be swapped, by what the outlines hold.
    darkest
        Signal below which a pixel is neither lean muscle nor fat, of a Dixon pair of both images
        together; NaN where it cannot be told.
    has_muscle
        Whether a muscle is among the outlines: without one, nothing is known of field and
        thresholds.
    gain_range
        Least and largest gain of the bias field inside the muscles.
    signal
        What fat signal fractions rest on, or why there is nothing; None where no method of the
        protocol needs it.
    of_lean_field
        By what methods are measured that keep to the field of lean muscle alone, where the others
        have another one; else None.
    """

    bias_field: BiasField
    references: References
    thresholds: Mapping[FatMethod, SharedThreshold]
    uncertainty: ReferenceUncertainty
    swap: WaterFatSwap
    darkest: float
    has_muscle: bool
    gain_range: tuple[float, float]
    signal: SignalCalibration | NotCalibrated | None = None
    of_lean_field: Calibration | None = None

    def correct(self, item: OutlinePixels) -> OutlinePixels:
        """Divide an outline's signal by the field, or by both where methods have two."""
        found = self.bias_field.correct(item)
        if self.of_lean_field is None:
            return found
        return replace(found, lean_corrected=self.of_lean_field.correct(item).corrected)

    def for_method(self, method: FatMethod | str) -> Calibration:
        """Return what a method's fat rests on."""
        if Need.LEAN_FIELD in METHODS[method].needs and self.of_lean_field is not None:
            return self.of_lean_field
        return self

    def fat_of(
        self, item: OutlinePixels, method: FatMethod, protocol: MeasurementProtocol
    ) -> FatResult:
        """Measure the fat of one muscle by one method that is not ``dixon``."""
        muscle = item.signal_for(method).inside
        if not len(muscle.values):
            return FatResult(NAN, flags=(Flag.UNDETECTABLE,))
        own = self.for_method(method)
        basis = FatBasis(own.references, protocol, own.thresholds.get(method))
        return METHODS[method].fat(muscle, basis, item.equalised)

    def low_signal_pct(self, item: OutlinePixels) -> float:
        """Return how much of a muscle is far darker than lean muscle; NaN where nobody can say.

        Of a Dixon pair it is water and fat together, since each alone is dark where the other is
        bright.
        """
        if not item.is_muscle:
            return NAN
        if item.dixon is not None:
            total = WeightedPixels.of(item.dixon.total, item.footprint.coverage.weights)
            return dark_pct(total, self.darkest)
        return dark_pct(item.pixels, self.darkest)


def calibrate(
    outlines: Sequence[OutlinePixels], protocol: MeasurementProtocol
) -> tuple[list[OutlinePixels], dict[SignalScale, Calibration]]:
    """Calibrate each group of an exam's outlines that share a scale of signal.

    Returns
    -------
    tuple
        The outlines with their signal corrected, in their order; and the calibrations.

    Raises
    ------
    ReadError
        If N4 is asked for and SimpleITK is not installed.
    """
    groups = _grouped(outlines)
    referred = {item.roi.key.reading for item in outlines if is_reference(item)}
    found = {
        scale: _calibration(members, protocol, elsewhere=scale[0] in referred)
        for scale, members in groups.items()
    }
    corrected = {scale: iter(members) for scale, (members, _) in found.items()}
    return [next(corrected[item.signal_scale]) for item in outlines], {
        scale: calibration for scale, (_, calibration) in found.items()
    }


def _grouped(outlines: Iterable[OutlinePixels]) -> dict[SignalScale, list[OutlinePixels]]:
    groups: dict[SignalScale, list[OutlinePixels]] = {}
    for item in outlines:
        groups.setdefault(item.signal_scale, []).append(item)
    return groups


@dataclass(frozen=True, slots=True, eq=False)
class _Corrected:
    """Outlines whose signal was divided by a field, and their references."""

    bias_field: BiasField
    members: Sequence[OutlinePixels]
    references: References

    @classmethod
    def by(
        cls, bias_field: BiasField, outlines: Sequence[OutlinePixels], *, elsewhere: bool
    ) -> _Corrected:
        members = [bias_field.correct(item) for item in outlines]
        return cls(bias_field, members, _references(members, bias_field, elsewhere=elsewhere))

    def judged(self, signal: SignalCalibration | NotCalibrated | None) -> _Corrected:
        """Flag all that rests on the references where these are hardly of the muscles' tissue."""
        if not isinstance(signal, SignalCalibration) or signal.is_surely_of_muscle:
            return self
        flags = tuple(dict.fromkeys((*self.references.flags, Flag.LEAN_REFERENCES_UNEQUAL)))
        return replace(self, references=replace(self.references, flags=flags))

    def calibrated(
        self, protocol: MeasurementProtocol, methods: Sequence[FatMethod]
    ) -> Calibration:
        """Find thresholds, and how uncertain they and the references are."""
        members, references = self.members, self.references
        muscles = [item for item in members if item.is_muscle]
        pixels = [item.pixels for item in muscles]
        found = {
            method: METHODS[method].shared_threshold(pixels, references, protocol)
            for method in methods
        }
        thresholds = {method: each for method, each in found.items() if each is not None}
        return Calibration(
            self.bias_field,
            references,
            thresholds,
            reference_uncertainty(members, references, thresholds, protocol),
            water_fat_swap(members),
            _darkest(members, muscles, references, references.pair_flags(protocol)),
            bool(muscles),
            _gain_range(muscles),
        )


def _calibration(
    outlines: Sequence[OutlinePixels], protocol: MeasurementProtocol, *, elsewhere: bool
) -> tuple[Sequence[OutlinePixels], Calibration]:
    """Calibrate outlines as they were read, and correct them; ``elsewhere`` as for references."""
    plain = _Corrected.by(fit_bias_field(outlines, protocol), outlines, elsewhere=elsewhere)
    wants_joint = protocol.bias_correction is BiasCorrection.JOINT and can_correct(
        outlines, protocol
    )
    is_asked = wants_joint or FatMethod.SIGNAL in protocol.fat_methods
    signal = _signal(plain, protocol) if is_asked else None
    plain = plain.judged(signal)
    if wants_joint:
        joint = _jointly(outlines, signal, protocol, elsewhere=elsewhere)
        if isinstance(joint, _Corrected):
            kept = [name for name in protocol.fat_methods if Need.LEAN_FIELD in METHODS[name].needs]
            both = zip(joint.members, plain.members, strict=True)
            return [replace(each, lean_corrected=other.corrected) for each, other in both], replace(
                joint.calibrated(protocol, protocol.fat_methods),
                signal=signal,
                of_lean_field=plain.calibrated(protocol, kept),
            )
        field = replace(plain.bias_field, joint_refusal=str(joint))
        plain = _Corrected.by(field, outlines, elsewhere=elsewhere).judged(signal)
    return plain.members, replace(plain.calibrated(protocol, protocol.fat_methods), signal=signal)


def _signal(found: _Corrected, protocol: MeasurementProtocol) -> SignalCalibration | NotCalibrated:
    if FATAL.intersection(found.references.pair_flags(protocol)):
        return NotCalibrated.REFERENCES
    if found.members[0].placed.series.weighting not in SHADED:
        return NotCalibrated.WEIGHTING
    return calibrate_signal(found.members)


def _jointly(
    outlines: Sequence[OutlinePixels],
    signal: SignalCalibration | NotCalibrated | None,
    protocol: MeasurementProtocol,
    *,
    elsewhere: bool,
) -> _Corrected | NotCalibrated | None:
    """Correct outlines by the field of the signal's calibration; else say why not."""
    if not isinstance(signal, SignalCalibration):
        return signal
    if not signal.is_of_muscle:
        return NotCalibrated.NOT_OF_MUSCLE
    field = BiasField(BiasCorrection.JOINT, joint=JointGain(signal))
    found = _Corrected.by(field, outlines, elsewhere=elsewhere).judged(signal)
    if FATAL.intersection(found.references.pair_flags(protocol)):
        return NotCalibrated.REFERENCES
    of_muscle = replace(found.references, fat_in_muscle=math.exp(signal.fat.mean))
    return replace(found, references=of_muscle)


def _references(
    members: Sequence[OutlinePixels], bias_field: BiasField, *, elsewhere: bool
) -> References:
    """Pool the references; ``elsewhere`` says whether the reading has some on any scale."""
    lean, fat = (_pooled(of_structure(members, structure)) for structure in REFERENCES)
    missing = elsewhere and not len(lean.values) and not len(fat.values)
    flags = (
        *((Flag.REFERENCE_ELSEWHERE,) if missing else ()),
        *drawing_flags(members),
        *shading_flags(members, lean, fat, bias_field),
    )
    return References(lean, fat, flags, bias_field.beyond[0])


def _gain_range(muscles: Sequence[OutlinePixels]) -> tuple[float, float]:
    ranges = [item.corrected.gain_range for item in muscles if len(item.pixels.values)]
    return min((low for low, _ in ranges), default=1.0), max((h for _, h in ranges), default=1.0)


def _darkest(
    members: Sequence[OutlinePixels],
    muscles: Sequence[OutlinePixels],
    references: References,
    flags: Sequence[Flag],
) -> float:
    """Find the darkest signal of muscle and fat in images that show both."""
    if any(item.dixon is not None for item in members):
        return darkest_muscle(
            _pooled_total(of_structure(members, Structure.LEAN_REFERENCE)),
            _pooled_total(muscles),
        )
    lit = members[0].placed.series.weighting in SHADED and Flag.REFERENCE_INVERTED not in flags
    if not lit:
        return NAN
    lean = references.lean
    # Muscles are only looked at without a lean reference; pooled, an exam's are a million pixels.
    return darkest_muscle(lean, _pooled([] if len(lean.values) else muscles))


def _pooled_total(members: Iterable[OutlinePixels]) -> WeightedPixels:
    """Pool water and fat together of outlines that lie on a Dixon pair."""
    return pool(
        [
            WeightedPixels.of(item.dixon.total, item.footprint.coverage.weights)
            for item in members
            if item.dixon is not None
        ]
    )


def _pooled(members: Iterable[OutlinePixels]) -> WeightedPixels:
    return pool([item.pixels for item in members])


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceUncertainty:
    """How uncertain is what muscles that share a calibration have in common.

    Parameters
    ----------
    lean_signal, fat_signal
        Medians of the references that they share; NaN where there are none.
    threshold
        Standard deviation of each method's threshold over resamples of the references.
    lean, fat
        The same of the references' medians; NaN where there are none.
    inhomogeneity
        Relative standard deviation of lean signal from outline to outline; NaN where there are no
        references to tell lean by.
    """

    lean_signal: float
    fat_signal: float
    threshold: Mapping[FatMethod, float]
    lean: float
    fat: float
    inhomogeneity: float

    @property
    def contrast(self) -> float:
        """Distance between the references' signals."""
        return self.fat_signal - self.lean_signal


def reference_uncertainty(
    members: Sequence[OutlinePixels],
    references: References,
    thresholds: Mapping[FatMethod, SharedThreshold],
    protocol: MeasurementProtocol,
) -> ReferenceUncertainty:
    """Work out how uncertain thresholds and references are, from resamples of the references.

    Parameters
    ----------
    members
        All outlines that share the references, corrected.
    thresholds
        What each method found.
    """
    count = protocol.threshold_resamples
    lean, fat = references.lean, references.fat
    muscles = [item.pixels for item in members if item.is_muscle]
    lean_sd, fat_sd = (
        median_sd(part, count) if len(part.values) and muscles else NAN for part in (lean, fat)
    )
    threshold = {
        method: METHODS[method].threshold_sd(muscles, references, protocol)
        for method, found in thresholds.items()
        if not math.isnan(found.value)
    }
    lean_signal, fat_signal = lean.median, fat.median
    inhomogeneity = _inhomogeneity(members, (lean_signal + fat_signal) / 2)
    return ReferenceUncertainty(lean_signal, fat_signal, threshold, lean_sd, fat_sd, inhomogeneity)


def _inhomogeneity(members: Sequence[OutlinePixels], middle: float) -> float:
    if math.isnan(middle):
        return NAN
    found = []
    for item in members:
        if item.is_muscle or item.roi.key.structure is Structure.LEAN_REFERENCE:
            values = item.pixels.values
            lean = values[(values < middle) & (values > 0)]
            if len(lean) >= LEAST_LEAN_PIXELS:
                level, error = lean_level(lean)
                found.append((math.log(level), error / level))
    if len(found) < LEAST_OUTLINES:
        return NAN
    signals, errors = np.array(found).T
    # A muscle with little that is lean is off for that reason: such outliers do not count.
    apart = TO_DEVIATION * float(np.median(np.abs(signals - np.median(signals))))
    # Noise sets outlines apart as well; what it explains is no inhomogeneity.
    return math.sqrt(max(apart**2 - float(np.median(errors)) ** 2, 0.0))
