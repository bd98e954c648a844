"""Fat methods that find the threshold in each outline alone, from classes of its grey levels.

One of them, ``clahe_otsu``, seeks it in the equalised slice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.measuring.fat.clusters import Clusters, kmeans, mixture, otsu_threshold
from multifidus.measuring.fat.estimator import FatBasis, FatEstimator, FatResult, Need
from multifidus.measuring.fat.references import FATAL, separation
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TILES = 8
"""Tiles along each side of the image."""

CLIP_LIMIT = 0.01
"""Most of a tile's pixels that one grey level may hold, as a share of them."""

GREY_LEVELS = 256

ADJUSTED_PCT = (1.0, 99.0)
"""Percentiles of the equalised image that are stretched to 0 and 1."""


def equalised(pixels: Array) -> Array:
    """Equalise a slice as before the automated thresholding of Fortin et al. 2017.

    They name the steps (doi:10.1186/s12938-017-0350-y): contrast-limited adaptive histogram
    equalisation, then an intensity adjustment. They do not print the parameters; those here are
    the usual defaults of both steps, not theirs.

    Parameters
    ----------
    pixels
        Signal, (rows, columns).

    Returns
    -------
    ndarray
        (rows, columns) float64, 0 to 1; NaN where the signal is not finite. All 0 where the slice
        has one grey level.
    """
    from skimage.exposure import equalize_adapthist

    finite = np.isfinite(pixels)
    if not finite.any():
        return np.full(pixels.shape, np.nan)
    whole = bool(finite.all())
    known = pixels if whole else pixels[finite]
    low, high = float(known.min()), float(known.max())
    if low == high:
        return np.where(finite, 0.0, np.nan)
    unit = ((pixels if whole else np.where(finite, pixels, low)) - low) / (high - low)
    tile = tuple(max(-(-size // TILES), 1) for size in pixels.shape)
    even: Any = equalize_adapthist(unit, kernel_size=tile, clip_limit=CLIP_LIMIT, nbins=GREY_LEVELS)
    dark, bright = np.percentile(even if whole else even[finite], ADJUSTED_PCT)
    stretched = ((even - dark) / max(bright - dark, np.finfo(np.float64).tiny)).clip(0, 1)
    return stretched if whole else np.where(finite, stretched, np.nan)


@dataclass(frozen=True, slots=True)
class OutlineThreshold(FatEstimator):
    """A method that parts the pixels of each outline into classes; fat is the brightest.

    Of three classes the middle one is undefined: it counts as a part of the muscle that is not
    fat, and its share stands among the parameters.

    Parameters
    ----------
    name, needs
        As :class:`multifidus.measuring.fat.estimator.FatEstimator` has them.
    classes
        Parts pixels into classes.
    """

    name: FatMethod
    classes: Callable[[WeightedPixels], Clusters]
    needs: frozenset[Need] = frozenset()

    def fat(
        self, muscle: WeightedPixels, basis: FatBasis, equalised: WeightedPixels | None = None
    ) -> FatResult:
        """Measure the share of the brightest class.

        Returns
        -------
        FatResult
            NaN and ``undetectable`` where the outline's classes are not separate; with
            ``classes_unclear`` where the method's boundary runs through a class.
        """
        parted = muscle
        if Need.EQUALISED_SLICE in self.needs and equalised is not None:
            parted = equalised
        found = self.classes(parted)
        share = parted.share_above(found.threshold)
        flags = outline_flags(muscle, share, basis.references.contrast, basis.protocol)
        value = NAN if FATAL.intersection(flags) else 100 * share
        parameters = _named(found, parted)
        if parted is not muscle:
            # The slice is equalised as it is: to level shading is what equalisation does.
            parameters["bias_correction"] = "none"
        return FatResult(value, found.threshold, flags, FrozenDict(parameters))


def _named(found: Clusters, sample: WeightedPixels) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "threshold": found.threshold,
        "basis": "outline",
        "n_pixels_muscle": len(sample.values),
        "class_means": list(found.means),
        "class_shares": list(found.shares),
    }
    if len(found.boundaries) > 1:
        brighter = sample.share_above(found.boundaries[0]) - sample.share_above(found.threshold)
        parameters["undefined_pct"] = 100 * brighter
    return parameters


def outline_flags(
    sample: WeightedPixels, share: float, contrast: float, protocol: MeasurementProtocol
) -> tuple[Flag, ...]:
    """Judge a share of fat that was found in one outline alone.

    Whatever the method, the outline is parted once by Otsu. Its two classes must stand apart by
    ``minimal_separation`` of their own spread, which holds noise, shading and partial volume
    alike, and by ``minimal_contrast`` of the references' distance where there are references;
    else the fat is ``undetectable``. A method that calls much more or much less of the muscle fat
    than that plain cut does has put its boundary through a class: ``classes_unclear``.

    Parameters
    ----------
    sample, share
        The pixels, and how much of them the method calls fat, 0 to 1; NaN where it has no answer.
    contrast
        Distance between the signals of the references; NaN without references.
    protocol
        With the limits.
    """
    classes = _classes(sample)
    if classes is None or math.isnan(share):
        return (Flag.UNDETECTABLE,)
    if classes.separation < protocol.minimal_separation:
        return (Flag.UNDETECTABLE,)
    if classes.apart < protocol.minimal_contrast * contrast:
        return (Flag.UNDETECTABLE,)
    differ = abs(share - classes.bright_share)
    return (Flag.CLASSES_UNCLEAR,) if 100 * differ > protocol.maximal_disagreement_pct else ()


@dataclass(frozen=True, slots=True)
class _Classes:
    """The two classes that Otsu parts a sample into: how they lie to each other."""

    separation: float
    apart: float
    bright_share: float


# The same for every method that a muscle is measured by, one after another.
@lru_cache(maxsize=1)
def _classes(sample: WeightedPixels) -> _Classes | None:
    cut = otsu_threshold(sample)
    if math.isnan(cut):
        return None
    is_bright = sample.values > cut
    dark, bright = sample.where(~is_bright), sample.where(is_bright)
    apart = bright.mean - dark.mean
    return _Classes(separation(dark, bright), apart, bright.total / sample.total)


METHODS: tuple[FatEstimator, ...] = (
    OutlineThreshold(FatMethod.OTSU, partial(kmeans, count=2)),
    OutlineThreshold(FatMethod.KMEANS2, partial(kmeans, count=2)),
    OutlineThreshold(FatMethod.KMEANS3, partial(kmeans, count=3)),
    OutlineThreshold(FatMethod.GMM2, partial(mixture, count=2)),
    OutlineThreshold(FatMethod.GMM3, partial(mixture, count=3)),
    OutlineThreshold(
        FatMethod.CLAHE_OTSU, partial(kmeans, count=2), frozenset({Need.EQUALISED_SLICE})
    ),
)
