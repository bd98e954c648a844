"""How fat was measured, for the methods of a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from multifidus.data.measurement import Quantity
from multifidus.data.protocol import BiasCorrection, FatMethod, MeasurementProtocol
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from multifidus.reporting.text.facts import Facts
from multifidus.reporting.text.statements import Statement, range_text
from multifidus.stats.values import Metric

_FAT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    FatMethod.POOLED_OTSU: (
        "one threshold per examination by Otsu's method over all outlined muscle and samples of "
        "lean muscle and fat",
        ("otsu1979",),
    ),
    FatMethod.OTSU: ("Otsu's threshold inside each outline", ("otsu1979",)),
    FatMethod.MIDPOINT: ("the mean of the medians of a lean and a fat sample", ()),
    FatMethod.CIRCLE_MAX: ("the brightest pixel of samples of lean muscle", ()),
    FatMethod.MEAN_KSD: ("the mean of a lean sample plus a multiple of its standard deviation", ()),
    FatMethod.FIXED: ("a fixed threshold", ()),
}

_FRACTIONS: Mapping[str, tuple[str, str]] = {
    FatMethod.LINEAR: (
        "Fat fraction",
        "The fat fraction was determined by linear interpolation of each pixel's signal between "
        "the medians of a lean and a fat sample, without a threshold.",
    ),
    FatMethod.SIGNAL: (
        "Fat signal fraction",
        "The fat signal fraction of a muscle was the mean over its pixels of (S / B - S_lean) / "
        "(S_fat - S_lean); it includes fat spread within pixels that are mostly muscle. The bias "
        "field B was fitted jointly to lean muscle and fat of each examination, the signal level "
        "of lean tissue (S_lean) was estimated for each muscle, and that of fat inside muscles "
        "(S_fat) for each examination. Standard uncertainties include those of both levels, of "
        "the field, of the border and of the outline.",
    ),
    FatMethod.DIXON: (
        "Dixon fat fraction",
        "The Dixon fat fraction was computed from fat (F) and water (W) images as F / (F + W).",
    ),
    "pdff": (
        "Proton-density fat fraction",
        "The proton-density fat fraction was the mean of the scanner's map over the muscle.",
    ),
}
"""Topic and text of methods that separate no pixels."""

_CORRECTIONS = {
    BiasCorrection.NONE: ("Intensity inhomogeneity (bias field) was not corrected.", ()),
    BiasCorrection.LOW_ORDER: (
        "Intensity inhomogeneity (bias field) was corrected before fat was measured, by a smooth "
        "field fitted to lean muscle.",
        (),
    ),
    BiasCorrection.JOINT: (
        "Intensity inhomogeneity (bias field) was corrected before fat was measured, by a smooth "
        "field fitted jointly to lean muscle and fat of each examination, or to lean muscle alone "
        "where that was not possible.",
        (),
    ),
    BiasCorrection.N4: (
        "Intensity inhomogeneity (bias field) was corrected before fat was measured, by N4.",
        ("tustison2010",),
    ),
}


_FAT_IN_MUSCLE = (
    "For the threshold, samples of fat were scaled to the signal of fat inside muscles, estimated "
    "for each examination together with that field."
)


def fat_text(
    metrics: Sequence[Metric], protocol: MeasurementProtocol, facts: Facts
) -> Iterator[Statement]:
    """Say how the fat of some numbers was measured, and what was done about the bias field."""
    methods = list(dict.fromkeys(metric.method for metric in metrics if metric.method))
    yield from (_fat(method, facts) for method in methods)
    if any(metric.quantity == Quantity.FI_PCT for metric in metrics):
        yield Statement(
            "Visible fat",
            "Fat infiltration is visible fat: the share of pixels classified as fat, without fat "
            "spread within pixels that are mostly muscle.",
        )
    if any(map(_is_corrected, methods)):
        text, cites = _CORRECTIONS[protocol.bias_correction]
        yield Statement("Shading", text, cites)
    if FatMethod.POOLED_OTSU in methods and protocol.bias_correction is BiasCorrection.JOINT:
        yield Statement("Fat in muscle", _FAT_IN_MUSCLE)


def _fat(method: str, facts: Facts) -> Statement:
    """Say how a method measured fat."""
    if method in _FRACTIONS:
        topic, text = _FRACTIONS[method]
        return Statement(topic, text)
    words, cites = _FAT.get(method, (f"the method {method.replace('_', ' ')}", ()))
    found = facts.thresholds.get(method)
    value = f" (threshold: {range_text(found, 'arbitrary units', '.4g')})" if found else ""
    return Statement("Fat", f"Fat and muscle pixels were separated using {words}{value}.", cites)


_UNCORRECTED = frozenset({Need.UNCORRECTED_SIGNAL, Need.EQUALISED_SLICE, Need.DIXON_PAIR})


def _is_corrected(method: str) -> bool:
    """Whether the protocol's bias correction is one of the signal that a method measures."""
    known = METHODS.get(method)
    return method != "pdff" if known is None else not known.needs & _UNCORRECTED
