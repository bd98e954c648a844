"""What every fat method is: its name, what it needs, its answer for a muscle, its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import NOTHING
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.measuring.fat.references import References
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels


class Need(StrEnum):
    """What a fat method needs besides the muscle's own pixels, in words for a message."""

    LEAN_REFERENCE = "a sample of lean muscle"
    FAT_REFERENCE = "a sample of fat"
    UNCORRECTED_SIGNAL = "the signal as it is in the image"
    LEAN_FIELD = "the bias field of lean muscle alone, where it is corrected"
    EQUALISED_SLICE = "the image around the muscle, which it equalises"
    SURROUNDINGS = "the image around the muscle and the references"
    DIXON_PAIR = "a pair of fat and water images"


@dataclass(frozen=True, slots=True)
class FatResult:
    """What a fat method says about one muscle.

    Parameters
    ----------
    value_pct
        Fat infiltration, 0 to 100; NaN where undefined, with a flag that says why. ``linear`` is
        not clipped and may lie outside.
    threshold
        Signal above which a pixel is fat; NaN where there is none.
    flags
        Quality flags.
    parameters
        Further values that the method found or used.
    """

    value_pct: float
    threshold: float = NAN
    flags: tuple[Flag, ...] = ()
    parameters: Mapping[str, Any] = NOTHING


@dataclass(frozen=True, slots=True)
class SharedThreshold:
    """One threshold for all muscles that share references, and what it rests on.

    Parameters
    ----------
    value
        Signal above which a pixel is fat; NaN where undefined.
    flags
        Quality flags, among them why it is undefined.
    parameters
        For the rows that rest on it.
    """

    value: float
    flags: tuple[Flag, ...]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FatBasis:
    """What a method's answer for one muscle may rest on besides the muscle's own pixels.

    Parameters
    ----------
    references
        The lean and fat references; empty where there are none.
    protocol
        How to measure.
    threshold
        What the method's ``shared_threshold`` found.
    """

    references: References
    protocol: MeasurementProtocol
    threshold: SharedThreshold | None = None


class FatEstimator(Protocol):
    """One fat method; a method inherits what it does not do.

    The pixels that it is given are corrected for the bias field, unless it needs the signal as it
    is.

    Attributes
    ----------
    name
        Name of the method in protocols and tables.
    needs
        What it needs besides the muscle's own pixels.
    is_fraction
        Whether each pixel has a fraction of fat, instead of being fat or not by a threshold.
    """

    name: FatMethod
    needs: frozenset[Need]
    is_fraction: ClassVar[bool] = False

    def shared_threshold(
        self,
        muscles: Sequence[WeightedPixels],
        references: References,
        protocol: MeasurementProtocol,
    ) -> SharedThreshold | None:
        """Find one threshold for all muscles; None where each muscle has its own."""
        del muscles, references, protocol
        return None

    def threshold_sd(
        self,
        muscles: Sequence[WeightedPixels],
        references: References,
        protocol: MeasurementProtocol,
    ) -> float:
        """Return the standard deviation of the shared threshold over resamples of references."""
        del muscles, references, protocol
        return NAN

    def fat(
        self, muscle: WeightedPixels, basis: FatBasis, equalised: WeightedPixels | None = None
    ) -> FatResult:
        """Measure the fat of one muscle; ``equalised`` are its pixels on the equalised slice."""
