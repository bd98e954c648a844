"""Fat methods that find the threshold in each outline alone, from classes of its grey levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from multifidus.data.protocol import FatMethod
from multifidus.measuring.fat.clusters import Clusters, kmeans, mixture
from multifidus.measuring.fat.estimator import FatBasis, FatEstimator, FatResult, Need
from multifidus.measuring.fat.references import FATAL
from multifidus.measuring.fat.separation import outline_flags
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels


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
        return FatResult(value, found.threshold, flags, MappingProxyType(parameters))


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


METHODS: tuple[FatEstimator, ...] = (
    OutlineThreshold(FatMethod.OTSU, partial(kmeans, count=2)),
    OutlineThreshold(
        FatMethod.CLAHE_OTSU, partial(kmeans, count=2), frozenset({Need.EQUALISED_SLICE})
    ),
    OutlineThreshold(FatMethod.KMEANS2, partial(kmeans, count=2)),
    OutlineThreshold(FatMethod.KMEANS3, partial(kmeans, count=3)),
    OutlineThreshold(FatMethod.GMM2, partial(mixture, count=2)),
    OutlineThreshold(FatMethod.GMM3, partial(mixture, count=3)),
)
