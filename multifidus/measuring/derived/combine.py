"""How numbers become one number.

Its value and uncertainty, of ratios and of sides compared; what it keeps of the flags, and of where
the numbers come from. It is NaN where nothing can be divided by.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from multifidus.data.anatomy import RoiRule, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.measurement import Measurement, Provenance, Quantity
from multifidus.data.roi import RoiKey

Fact = TypeVar("Fact")

Numbers = dict[tuple[Quantity, str], Measurement]
"""The numbers about one outline, by quantity and method."""

Place = tuple[RoiKey, Provenance]
"""Of what a number is, and where it comes from."""

NAN = float("nan")


def by_outline(rows: Iterable[Measurement]) -> dict[RoiKey, Numbers]:
    """Group numbers by the outline that they are about."""
    found: dict[RoiKey, Numbers] = {}
    for row in rows:
        found.setdefault(row.key, {})[row.quantity, row.method] = row
    return found


def combined(
    at: Place,
    quantity: Quantity,
    value: float,
    parts: Sequence[Measurement],
    *,
    parameters: Mapping[str, Any],
    flags: Sequence[Flag] = (),
) -> Measurement:
    """Make a number of others: it carries the flags of all, and its method is theirs.

    Parameters
    ----------
    at
        Of what it is, and where that comes from.
    quantity, value
        What, and how much.
    parts
        What it was made of.
    parameters
        The values that were used.
    flags
        Of its own. NaN of defined parts without any means that one divides and is 0.
    """
    key, origin = at
    every = dict.fromkeys((*(flag for part in parts for flag in part.flags), *flags))
    if math.isnan(value) and not flags and not any(math.isnan(part.value) for part in parts):
        every[Flag.ZERO_DENOMINATOR] = None
    return Measurement(
        key,
        quantity,
        value,
        origin,
        sum(part.n_pixels or 0 for part in parts),
        next((part.method for part in parts if part.method), ""),
        FrozenDict(dict(parameters)),
        tuple(every),
    )


def shared(origins: Sequence[Provenance]) -> Provenance:
    """Say what numbers about several outlines share; the slice is the first one's."""
    first = origins[0]
    return replace(
        first,
        level=_one({origin.level for origin in origins}, None),
        slice_position=_one({origin.slice_position for origin in origins}, SlicePosition.UNKNOWN),
        # NaN, as of an outline without pixels in the image, stays NaN.
        valid_fraction=math.nan
        if any(math.isnan(origin.valid_fraction) for origin in origins)
        else min(origin.valid_fraction for origin in origins),
        roi_rule=_one({origin.roi_rule for origin in origins}, RoiRule.UNKNOWN),
        source=_one({origin.source for origin in origins}, None),
        image_sha256=_hash([origin.image_sha256 for origin in origins]),
        outline_sha256=_hash([origin.outline_sha256 for origin in origins]),
    )


def _one(facts: set[Fact], otherwise: Fact) -> Fact:
    return facts.pop() if len(facts) == 1 else otherwise


def _hash(digests: Sequence[str]) -> str:
    """Return the one digest that all share, or that of all, one after another."""
    if len(set(digests)) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def signed_asymmetry_pct(right: float, left: float) -> float:
    """Difference over the mean of both sides, percent; positive where the right is larger.

    Examples
    --------
    >>> signed_asymmetry_pct(1100.0, 900.0)
    20.0
    """
    return ratio_pct(right - left, (right + left) / 2)


def maximal_asymmetry_pct(right: float, left: float) -> float:
    """Difference over the larger side, percent, without sign.

    Examples
    --------
    >>> maximal_asymmetry_pct(800.0, 1000.0)
    20.0
    """
    return ratio_pct(abs(right - left), max(right, left))


def ratio_pct(part: float, whole: float) -> float:
    """Return one number as a percentage of another; NaN of 0."""
    return 100 * part / whole if whole else NAN


def signed_asymmetry_uncertainty(right: float, left: float, u_right: float, u_left: float) -> float:
    """Return the standard uncertainty of :func:`signed_asymmetry_pct`, to first order.

    The sides' errors are taken as independent. What both share, such as a hand that always draws
    too wide, cancels in part, so that this is rather too much than too little.

    Examples
    --------
    >>> round(signed_asymmetry_uncertainty(1000.0, 1000.0, 30.0, 40.0), 9)
    5.0
    """
    both = right + left
    return 400 * math.hypot(left * u_right, right * u_left) / both**2 if both else NAN


def maximal_asymmetry_uncertainty(
    right: float, left: float, u_right: float, u_left: float
) -> float:
    """Return the standard uncertainty of :func:`maximal_asymmetry_pct`, as of the signed one."""
    if right >= left:
        return ratio_uncertainty(left, right, u_left, u_right)
    return ratio_uncertainty(right, left, u_right, u_left)


def ratio_uncertainty(part: float, whole: float, u_part: float, u_whole: float) -> float:
    """Return the standard uncertainty of :func:`ratio_pct` of numbers with independent errors."""
    return 100 * math.hypot(u_part, part / whole * u_whole) / abs(whole) if whole else NAN
