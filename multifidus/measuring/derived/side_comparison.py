"""Right against left, and the operated side against the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from multifidus.data.anatomy import Side, Structure
from multifidus.data.clinical import Clinical
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.roi import RoiKey
from multifidus.measuring.derived.asymmetry import (
    maximal_asymmetry_pct,
    maximal_asymmetry_uncertainty,
    ratio_pct,
    ratio_uncertainty,
    signed_asymmetry_pct,
    signed_asymmetry_uncertainty,
)
from multifidus.measuring.derived.combine import Numbers, Place, combined, shared
from multifidus.measuring.derived.grades import storheim_grade

_Compared = tuple[
    Quantity, Callable[[float, float], float], Callable[[float, float, float, float], float]
]
"""A comparison of two numbers, and how uncertain it is by their own uncertainties."""


def side_rows(outlines: Mapping[RoiKey, Numbers], clinical: Clinical) -> Iterator[Measurement]:
    """Yield how the two sides of every muscle compare, slice by slice; their side is ``both``.

    Parameters
    ----------
    outlines
        Numbers of every outline of an exam
        (:func:`multifidus.measuring.derived.combine.by_outline`).
    clinical
        Says which side and levels were operated on.
    """
    for key, left in outlines.items():
        right = outlines.get(replace(key, side=Side.RIGHT))
        if key.side is Side.LEFT and key.structure.is_muscle and right is not None:
            yield from _pair_rows(replace(key, side=Side.BOTH), right, left, clinical)


def _pair_rows(
    key: RoiKey, right: Numbers, left: Numbers, clinical: Clinical
) -> Iterator[Measurement]:
    operated, other = _operated(right, left, clinical)
    at = (key, shared([side[Quantity.TCSA_MM2, ""].provenance for side in (right, left)]))
    for quantity, method in right:
        if (quantity, method) not in left:
            continue
        pair = (right[quantity, method], left[quantity, method])
        values = {"right": pair[0].value, "left": pair[1].value}
        for compared in _COMPARED.get(quantity, ()):
            yield _compare(at, compared, pair, values)
        if operated and quantity in _OPERATED:
            sides = operated[quantity, method], other[quantity, method]
            used = {"operated_side": sides[0].key.side.value, **values}
            yield _compare(at, _OPERATED[quantity], sides, used)
        if quantity is Quantity.FAT_CSA_MM2 and key.structure is Structure.MULTIFIDUS:
            yield _storheim(at, right, left, method)


def _compare(
    at: Place, compared: _Compared, pair: tuple[Measurement, Measurement], used: Mapping[str, Any]
) -> Measurement:
    name, value, uncertainty = compared
    (first, second), errors = (row.value for row in pair), (row.uncertainty for row in pair)
    row = combined(at, name, value(first, second), pair, parameters=used)
    return row.with_uncertainty(uncertainty(first, second, *errors), {})


def _difference(first: float, second: float) -> float:
    return first - second


def _difference_uncertainty(_: float, __: float, u_first: float, u_second: float) -> float:
    return math.hypot(u_first, u_second)


_SIGNED = signed_asymmetry_pct, signed_asymmetry_uncertainty
_MAXIMAL = maximal_asymmetry_pct, maximal_asymmetry_uncertainty
_RATIO = ratio_pct, ratio_uncertainty
_DIFFERENCE = _difference, _difference_uncertainty

_COMPARED = {
    Quantity.TCSA_MM2: (
        (Quantity.ASYMMETRY_PCT, *_SIGNED),
        (Quantity.ASYMMETRY_MAX_PCT, *_MAXIMAL),
    ),
    Quantity.FCSA_MM2: (
        (Quantity.FCSA_ASYMMETRY_PCT, *_SIGNED),
        (Quantity.FCSA_ASYMMETRY_MAX_PCT, *_MAXIMAL),
    ),
    Quantity.FI_PCT: ((Quantity.FI_DIFFERENCE_PCT, *_DIFFERENCE),),
}
"""What is said of the right side and the left."""

_OPERATED = {
    Quantity.TCSA_MM2: (Quantity.OPERATED_CONTRALATERAL_PCT, *_RATIO),
    Quantity.FCSA_MM2: (Quantity.FCSA_OPERATED_CONTRALATERAL_PCT, *_RATIO),
    # Fat may be 0 on the healthy side, so it is subtracted, not divided.
    Quantity.FI_PCT: (Quantity.FI_OPERATED_DIFFERENCE_PCT, *_DIFFERENCE),
}
"""What is said of the operated side and the other."""


def _operated(right: Numbers, left: Numbers, clinical: Clinical) -> tuple[Numbers, Numbers]:
    """Return the operated side and the other; both empty where none was operated alone."""
    level = right[Quantity.TCSA_MM2, ""].provenance.level
    if level not in clinical.operated_levels:
        return {}, {}
    if clinical.operated_side is Side.RIGHT:
        return right, left
    return (left, right) if clinical.operated_side is Side.LEFT else ({}, {})


def _storheim(at: Place, right: Numbers, left: Numbers, method: str) -> Measurement:
    fat = [side[Quantity.FAT_CSA_MM2, method] for side in (right, left)]
    valid = sum(side[Quantity.VALID_CSA_MM2, ""].value for side in (right, left))
    share = ratio_pct(fat[0].value + fat[1].value, valid)
    return combined(
        at,
        Quantity.STORHEIM_GRADE,
        storheim_grade(share),
        fat,
        parameters={"fi_both_pct": share},
    )
