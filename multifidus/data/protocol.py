"""How a measurement is made: everything that changes a number, and the one home of defaults."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from multifidus.data.geometry import unit
from multifidus.errors import GeometryError, ProtocolError


class FatMethod(StrEnum):
    """How fat and muscle pixels are separated.

    With lean and fat references, one basis an exam: ``POOLED_OTSU`` (Otsu over all muscle outlines
    and both references), ``MIDPOINT`` (between the medians of the references), ``LINEAR`` (mixing
    of the two signals, no threshold) and ``SIGNAL`` (mixing as well, with a bias field and levels
    of signal that are fitted to muscles, references and the fat around them). With a lean
    reference: ``CIRCLE_MAX`` (its brightest pixel) and ``MEAN_KSD`` (its mean plus standard
    deviations). From each outline alone: ``OTSU``, ``CLAHE_OTSU`` (after equalisation of the
    slice), ``KMEANS2``, ``KMEANS3``, ``GMM2``, ``GMM3``.
    ``FIXED``: a threshold given. ``DIXON``: the fat fractions of a Dixon pair; they are measured on
    every pair, and named here they are missed, with a flag, where there is none.

    What each does to lean muscle, partial volume and shading stands in the reference page on fat
    methods.
    """

    POOLED_OTSU = "pooled_otsu"
    LINEAR = "linear"
    SIGNAL = "signal"
    MIDPOINT = "midpoint"
    CIRCLE_MAX = "circle_max"
    OTSU = "otsu"
    CLAHE_OTSU = "clahe_otsu"
    KMEANS2 = "kmeans2"
    KMEANS3 = "kmeans3"
    GMM2 = "gmm2"
    GMM3 = "gmm3"
    FIXED = "fixed"
    MEAN_KSD = "mean_ksd"
    DIXON = "dixon"


class BiasCorrection(StrEnum):
    """What is done about the coil's shading before fat is measured.

    ``LOW_ORDER``: a smooth field fitted to lean muscle
    (:func:`multifidus.measuring.bias_field.low_order.low_order_field`). ``JOINT``: the field that
    the fat signal fraction fits to lean muscle and fat together, for all methods but ``linear``,
    which keeps that of ``low_order``; where it cannot be fitted, as ``low_order``. ``N4``: the
    field that SimpleITK finds in each stack. Areas and mean signal are of the image as it is,
    whatever is chosen.
    """

    NONE = "none"
    LOW_ORDER = "low_order"
    JOINT = "joint"
    N4 = "n4"


class TiltAxis(StrEnum):
    """Against what a slice's tilt is measured.

    ``SPINE``: the spine's own axis at the slice, from landmarks; without landmarks that give one,
    patient z, flagged ``tilt_unknown``. ``PATIENT_Z``: the long axis of the patient. ``VECTOR``: a
    direction given.
    """

    SPINE = "spine"
    PATIENT_Z = "patient_z"
    VECTOR = "vector"


class SliceSelection(StrEnum):
    """Which of a level's outlined slices enter its row of the summary.

    ``ALL``; ``NEAREST``: the one whose plane is nearest to the level's landmark; ``BAND``: those
    within ``band_mm`` of it.
    """

    ALL = "all"
    NEAREST = "nearest"
    BAND = "band"


class LevelValue(StrEnum):
    """What the summary says of the slices that were selected."""

    MEAN = "mean"
    MAX = "max"


def digest_of(settings: Mapping[str, Any]) -> str:
    """Return twelve hexadecimal digits that change with any of these plain values."""
    text = json.dumps(dict(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class MeasurementProtocol:
    """Everything that changes a number; its digest stands on every row.

    Parameters
    ----------
    fat_methods
        Each gives its own rows, with its name in ``method``.
    fixed_threshold
        Signal above which a pixel is fat, for the method ``fixed``; image units. It is held
        against the image as it is, whatever is done about shading.
    reference_weight
        Total weight of the lean and of the fat reference in ``pooled_otsu``, each as a multiple
        of the total weight of all muscle outlines. Fixed, so that the answer does not depend on
        how large the references were drawn.
    minimal_separation
        Least distance between the means of two classes, in units of their pooled standard
        deviation, for which a threshold is believed; below it the fat is undetectable. Halving a
        single class gives 2.6 where it is normal and 3.5 where it is uniform, as under coil
        shading.
    minimal_coverage
        Least share of a pixel inside the outline for its signal to say anything about fat, 0 to
        1. A pixel along the border that lies mostly outside shows mostly what lies outside, which
        around the multifidus is often fat. Areas and the mean signal count all pixels by their
        coverage, whatever is chosen.
    minimal_contrast
        Least distance between the means of the two classes that Otsu finds in an outline, as a
        share of the distance between the references, for which methods that look at the outline
        alone are believed. Asked for where there are references.
    maximal_disagreement_pct
        Methods that look at the outline alone are flagged ``classes_unclear`` where they call this
        many points more or less fat than Otsu's cut of the same outline.
    lean_sd_multiple
        How many standard deviations above the lean mean the threshold of ``mean_ksd`` lies. No
        value is agreed on in the literature; the default is ours.
    minimal_points
        Outlines with fewer points are flagged ``few_points``.
    propose_references
        Whether reference samples are proposed by rule where none are drawn.
    bias_correction
        What is done about the coil's shading before fat is measured. Where ``joint`` can fit no
        field, ``low_order`` is done; where that can fit none, nothing, and fat is flagged
        ``bias_not_corrected`` with the reason.
    tracing_sd_mm, tracing_correlation_mm
        How far from the true boundary a careful tracing runs: standard deviation of its
        displacement at right angles, and the distance along the boundary over which
        displacements stay alike. Decides ``uncertainty``, nothing else.
    tracing_offset_mm
        Standard deviation of the displacement that a whole outline has in common, such as a
        rater's habit of drawing on the inner or the outer edge of the border. The three defaults
        give an area of 900 mm2 a standard uncertainty of 3.1 %, nearly as much as a shift of the
        boundary by half a pixel; they are not taken from published differences between raters.
    placement_sd_mm
        Standard deviation of where along the spine a slice lies, against where it is meant to.
    threshold_resamples
        Resamples of the references from which the uncertainty of a threshold is taken.
    minimal_valid_fraction
        Muscles of which artefacts leave less than this share are flagged ``valid_fraction_low``
        in every number about their fat: metal must not read as a change of the muscle.
    oedema_weeks
        Exams sooner than this after surgery are flagged ``oedema_window`` in every number about
        fat: what is bright then may be water.
    regional_fat
        Whether fat is measured by regions of the muscle as well.
    tilt_axis, tilt_vector
        Against what tilt is measured; the direction, LPS, for ``vector``.
    tilt_limit_deg
        Areas on slices with more tilt than this, sideways lean included, are flagged
        ``tilt_over_limit``: 15 degrees make the section of a prism 3.5 % larger.
    slice_selection, band_mm
        Which slices enter a level's row of the summary; how far from the level's landmark, for
        ``band``.
    level_value
        Whether the summary gives the selected slices' mean or largest value.

    Raises
    ------
    ProtocolError
        If settings are unknown, out of range, or contradict each other.
    """

    fat_methods: tuple[FatMethod, ...] = (
        FatMethod.POOLED_OTSU,
        FatMethod.SIGNAL,
        FatMethod.LINEAR,
    )
    fixed_threshold: float | None = None
    reference_weight: float = 0.5
    minimal_separation: float = 3.6
    minimal_coverage: float = 0.5
    minimal_contrast: float = 0.4
    maximal_disagreement_pct: float = 5.0
    lean_sd_multiple: float = 3.0
    minimal_points: int = 20
    propose_references: bool = False
    bias_correction: BiasCorrection = BiasCorrection.JOINT
    tracing_sd_mm: float = 0.5
    tracing_correlation_mm: float = 5.0
    tracing_offset_mm: float = 0.2
    placement_sd_mm: float = 1.0
    threshold_resamples: int = 64
    minimal_valid_fraction: float = 0.95
    oedema_weeks: float = 12.0
    regional_fat: bool = False
    tilt_axis: TiltAxis = TiltAxis.SPINE
    tilt_vector: tuple[float, float, float] | None = None
    tilt_limit_deg: float = 15.0
    slice_selection: SliceSelection = SliceSelection.ALL
    band_mm: float | None = None
    level_value: LevelValue = LevelValue.MEAN

    def __post_init__(self) -> None:
        object.__setattr__(self, "fat_methods", _fat_methods(self.fat_methods))
        for name, choices in _CHOICES.items():
            object.__setattr__(self, name, _choice(name, getattr(self, name), choices))
        object.__setattr__(self, "tilt_vector", _direction(self.tilt_vector))
        wants_threshold = FatMethod.FIXED in self.fat_methods
        if wants_threshold != (self.fixed_threshold is not None):
            msg = (
                "The fat method 'fixed' needs fixed_threshold, and fixed_threshold needs 'fixed'; "
                f"got fat_methods {list(map(str, self.fat_methods))} and fixed_threshold "
                f"{self.fixed_threshold!r}."
            )
            raise ProtocolError(msg, remedy="Give both or neither.")
        for name, choice, needed in (
            ("tilt_axis", TiltAxis.VECTOR, "tilt_vector"),
            ("slice_selection", SliceSelection.BAND, "band_mm"),
        ):
            if (getattr(self, name) is choice) != (getattr(self, needed) is not None):
                msg = (
                    f"{name} = {choice.value!r} needs {needed}, and {needed} needs it; got "
                    f"{name} {getattr(self, name).value!r} and {needed} {getattr(self, needed)!r}."
                )
                raise ProtocolError(msg, remedy="Give both or neither.")
        for name, low, kind in (
            ("fixed_threshold", -math.inf, float),
            ("reference_weight", 0.0, float),
            ("minimal_separation", 0.0, float),
            ("minimal_coverage", 0.0, float),
            ("minimal_contrast", 0.0, float),
            ("maximal_disagreement_pct", 0.0, float),
            ("lean_sd_multiple", 0.0, float),
            ("minimal_points", 3, int),
            ("tracing_sd_mm", 0.0, float),
            ("tracing_correlation_mm", 0.1, float),
            ("tracing_offset_mm", 0.0, float),
            ("placement_sd_mm", 0.0, float),
            ("threshold_resamples", 2, int),
            ("minimal_valid_fraction", 0.0, float),
            ("oedema_weeks", 0.0, float),
            ("tilt_limit_deg", 0.0, float),
            ("band_mm", 0.0, float),
        ):
            # Of one type whatever was given, so that equal settings have equal digests.
            object.__setattr__(self, name, _number(name, getattr(self, name), low, kind))
        for name in ("propose_references", "regional_fat"):
            if not isinstance(getattr(self, name), bool):
                msg = f"{name} must be true or false, got {getattr(self, name)!r}."
                raise ProtocolError(msg)
        for name in ("minimal_valid_fraction", "minimal_coverage"):
            if getattr(self, name) > 1:
                msg = f"{name} must be 0 to 1, got {getattr(self, name):g}."
                raise ProtocolError(msg)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any setting."""
        return digest_of(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, unset ones as None."""
        settings = asdict(self)
        settings["fat_methods"] = [method.value for method in self.fat_methods]
        settings |= {name: getattr(self, name).value for name in _CHOICES}
        settings["tilt_vector"] = None if self.tilt_vector is None else list(self.tilt_vector)
        return settings

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> MeasurementProtocol:
        """Make a protocol from plain values such as a TOML file's.

        Raises
        ------
        ProtocolError
            If a key is unknown or a value is not allowed.
        """
        known = [item.name for item in fields(cls)]
        unknown = sorted(set(settings) - set(known))
        if unknown:
            msg = f"Unknown protocol settings: {', '.join(unknown)}."
            raise ProtocolError(msg, remedy=f"Known are: {', '.join(known)}.")
        return cls(**settings)


def _fat_methods(methods: Any) -> tuple[FatMethod, ...]:
    try:
        found = tuple(map(FatMethod, [methods] if isinstance(methods, str) else methods))
    except (TypeError, ValueError):
        msg = f"Unknown fat method among {methods!r}."
        known = ", ".join(method.value for method in FatMethod)
        raise ProtocolError(msg, remedy=f"Known are: {known}.") from None
    if len(set(found)) != len(found):
        msg = f"A fat method is named twice in {methods!r}."
        raise ProtocolError(msg)
    return found


_CHOICES: dict[str, type[StrEnum]] = {
    "bias_correction": BiasCorrection,
    "tilt_axis": TiltAxis,
    "slice_selection": SliceSelection,
    "level_value": LevelValue,
}
"""Settings that are one word of a closed list."""

_OPTIONAL = {"fixed_threshold", "band_mm"}

_LARGEST = sys.float_info.max

_SHOWN = 40
"""Characters of a refused number that are shown."""


def _choice(name: str, value: Any, choices: type[StrEnum]) -> StrEnum:
    try:
        return choices(value)
    except ValueError:
        msg = f"Unknown {name} {value!r}."
        known = ", ".join(item.value for item in choices)
        raise ProtocolError(msg, remedy=f"Known are: {known}.") from None


def _direction(vector: Any) -> tuple[float, ...] | None:
    if vector is None:
        return None
    try:
        unit(vector)
        return tuple(map(float, vector))
    except (GeometryError, TypeError, ValueError):
        msg = f"tilt_vector must be three finite numbers, not all 0, got {vector!r}."
        raise ProtocolError(msg) from None


def _number(name: str, value: Any, low: float, kind: type[float]) -> float | None:
    if value is None and name in _OPTIONAL:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # Whole numbers may be larger than any that can be computed with.
    if not number or not abs(value) <= _LARGEST or value < low or kind(value) != value:
        sort = {float: "finite", int: "whole"}[kind]
        least = f" of at least {low:g}" if math.isfinite(low) else ""
        got = repr(value)
        shown = got if len(got) <= _SHOWN else f"{got[:_SHOWN]}..."
        msg = f"{name} must be a {sort} number{least}, got {shown}."
        raise ProtocolError(msg)
    return kind(value)
