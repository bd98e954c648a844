"""Quality flags of one muscle's fat: what its numbers say, its signal, artefacts and surgery."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from multifidus.data.clinical import Clinical
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.measuring.fat.references import MOST_DARK_PCT

THRESHOLDS = frozenset({FatMethod.POOLED_OTSU, FatMethod.MIDPOINT})
"""Methods that rest on the same references as linear mixing, and see visible fat alone."""

FACTOR = 1.0
"""Numbers that differ by more than this many of their combined standard uncertainties disagree.

Both are of the same pixels, outline and references, so that most of what is uncertain about them
they have in common: on the phantom, whose fat is streaks, they never differ by more than half of
it. The part ``u_partial_volume`` of the threshold's is left out: it is an estimate of this very
difference, and would hide it."""

LEAST_POINTS = 2.0
"""Differences up to this many points are let pass however certain both numbers are: in a muscle
without any fat, noise and the references' own errors set them apart by as much."""

WHOLE_OUTLINE = frozenset({Quantity.TCSA_MM2, Quantity.TCSA_PIXEL_MM2, Quantity.TCSA_COS_MM2})
"""Areas that do not depend on the signal."""

DAYS_A_WEEK = 7


@lru_cache(maxsize=4)
def with_mixing(protocol: MeasurementProtocol) -> MeasurementProtocol:
    """Return the protocol with linear mixing beside a threshold that it can be held against."""
    methods = protocol.fat_methods
    if FatMethod.LINEAR in methods or not THRESHOLDS.intersection(methods):
        return protocol
    return replace(protocol, fat_methods=(*methods, FatMethod.LINEAR))


def with_disagreement(rows: list[Measurement]) -> list[Measurement]:
    """Flag one muscle's fat where thresholds and fat fractions disagree about it.

    A threshold is held against the fat signal fraction where there is one, else against linear
    mixing; each fraction against every threshold.

    Parameters
    ----------
    rows
        All numbers about the muscle, with their uncertainties.
    """
    cuts = [row for row in rows if row.quantity is Quantity.FI_PCT and row.method in THRESHOLDS]
    fractions = [
        row
        for quantity in (Quantity.FF_SIGNAL_PCT, Quantity.FF_LINEAR_PCT)
        for row in rows
        if row.quantity is quantity and not math.isnan(row.value)
    ]
    raised: dict[str, set[Flag]] = {}
    for cut in cuts:
        for place, fraction in enumerate(fractions):
            flag = _disagreement(cut, fraction)
            if flag is not None:
                raised.setdefault(fraction.method, set()).add(flag)
                if place == 0:
                    raised.setdefault(cut.method, set()).add(flag)
    if not raised:
        return rows
    return [
        replace(row, flags=(*row.flags, *sorted(raised[row.method])))
        if row.method in raised
        else row
        for row in rows
    ]


def _disagreement(cut: Measurement, mixed: Measurement) -> Flag | None:
    apart = mixed.value - cut.value
    parts = [
        float(value)
        for name, value in cut.parameters.items()
        if name.startswith("u_") and name != "u_partial_volume"
    ]
    limit = max(FACTOR * math.hypot(*parts, mixed.uncertainty), LEAST_POINTS)
    # What is undefined, or of unknown uncertainty, compares as no disagreement.
    if not abs(apart) > limit:
        return None
    return Flag.DIFFUSE_FAT if apart > 0 else Flag.FAT_METHODS_DIFFER


def with_quality_flags(
    rows: Iterable[Measurement], low_pct: float, areas: Mapping[str, Any]
) -> Iterator[Measurement]:
    """Flag the numbers about one outline whose signal is too low or whose area is implausible.

    Parameters
    ----------
    rows
        The numbers.
    low_pct
        How much of its signal is too low, in percent; flagged is what rests on it.
    areas
        What is implausible about its area
        (:func:`multifidus.measuring.plausibility.implausible`); every number is flagged, and the
        total area says why.
    """
    is_low = low_pct > MOST_DARK_PCT
    if not is_low and not areas:
        yield from rows
        return
    for row in rows:
        found = row
        if is_low and row.quantity not in WHOLE_OUTLINE:
            found = _marked(found, Flag.LOW_SIGNAL, {"low_signal_pct": low_pct})
        if areas:
            why = areas if row.quantity is Quantity.TCSA_MM2 else {}
            found = _marked(found, Flag.AREA_IMPLAUSIBLE, why)
        yield found


def _marked(row: Measurement, flag: Flag, why: Mapping[str, Any]) -> Measurement:
    parameters = FrozenDict({**row.parameters, **why})
    return replace(row, flags=(*row.flags, flag), parameters=parameters)


def with_fat_flags(
    rows: Iterable[Measurement], clinical: Clinical, protocol: MeasurementProtocol
) -> Iterator[Measurement]:
    """Flag what depends on fat where artefacts leave too little, or surgery was too recent."""
    recent = is_recent(clinical, protocol)
    for row in rows:
        few = row.provenance.valid_fraction < protocol.minimal_valid_fraction
        if row.method and (few or recent):
            causes = ((Flag.VALID_FRACTION_LOW, few), (Flag.OEDEMA_WINDOW, recent))
            flags = (*row.flags, *(flag for flag, raised in causes if raised))
            yield replace(row, flags=flags)
        else:
            yield row


def is_recent(clinical: Clinical, protocol: MeasurementProtocol) -> bool:
    """Whether an exam was made so soon after surgery that what is bright may be oedema."""
    days = clinical.days_since_surgery
    return days is not None and 0 <= days < protocol.oedema_weeks * DAYS_A_WEEK
