"""Right against left, and the operated side against the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from multifidus.anatomy import Side, Structure
from multifidus.clinical import Clinical
from multifidus.derived.combining import Numbers, Place, combined, shared
from multifidus.measurement import Measurement, Quantity
from multifidus.metrics.asymmetry import maximal_asymmetry_pct, ratio_pct, signed_asymmetry_pct
from multifidus.metrics.grades import storheim_grade
from multifidus.roi import RoiKey


def side_rows(outlines: Mapping[RoiKey, Numbers], clinical: Clinical) -> Iterator[Measurement]:
    """Yield how the two sides of every muscle compare, slice by slice; their side is ``both``.

    Parameters
    ----------
    outlines
        Numbers of every outline of an exam (:func:`multifidus.derived.combining.by_outline`).
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
        for name, value in _compared(quantity, pair[0].value, pair[1].value):
            yield combined(at, name, value, pair, parameters=values)
        if operated and quantity in _OPERATED:
            ours, theirs = operated[quantity, method], other[quantity, method]
            name, compare = _OPERATED[quantity]
            used = {"operated_side": ours.key.side.value, **values}
            value = compare(ours.value, theirs.value)
            yield combined(at, name, value, pair, parameters=used)
        if quantity is Quantity.FAT_CSA_MM2 and key.structure is Structure.MULTIFIDUS:
            yield _storheim(at, right, left, method)


def _compared(quantity: Quantity, right: float, left: float) -> Iterator[tuple[Quantity, float]]:
    if quantity is Quantity.TCSA_MM2:
        yield Quantity.ASYMMETRY_PCT, signed_asymmetry_pct(right, left)
        yield Quantity.ASYMMETRY_MAX_PCT, maximal_asymmetry_pct(right, left)
    elif quantity is Quantity.FCSA_MM2:
        yield Quantity.FCSA_ASYMMETRY_PCT, signed_asymmetry_pct(right, left)
        yield Quantity.FCSA_ASYMMETRY_MAX_PCT, maximal_asymmetry_pct(right, left)
    elif quantity is Quantity.FI_PCT:
        yield Quantity.FI_DIFFERENCE_PCT, right - left


def _difference(operated: float, other: float) -> float:
    return operated - other


_OPERATED = {
    Quantity.TCSA_MM2: (Quantity.OPERATED_CONTRALATERAL_PCT, ratio_pct),
    Quantity.FCSA_MM2: (Quantity.FCSA_OPERATED_CONTRALATERAL_PCT, ratio_pct),
    # Fat may be 0 on the healthy side, so it is subtracted, not divided.
    Quantity.FI_PCT: (Quantity.FI_OPERATED_DIFFERENCE_PCT, _difference),
}


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
