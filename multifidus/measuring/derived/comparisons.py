"""A muscle against something else: its other side, other outlines, the subject's size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from multifidus.data.anatomy import Side, Structure
from multifidus.data.clinical import Clinical
from multifidus.data.image import Exam
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.roi import Reading, RoiKey
from multifidus.measuring.derived.combine import (
    NAN,
    Numbers,
    Place,
    combined,
    maximal_asymmetry_pct,
    maximal_asymmetry_uncertainty,
    ratio_pct,
    ratio_uncertainty,
    shared,
    signed_asymmetry_pct,
    signed_asymmetry_uncertainty,
)

_Compared = tuple[
    Quantity, Callable[[float, float], float], Callable[[float, float, float, float], float]
]
"""A comparison of two numbers, and how uncertain it is by their own uncertainties."""

_AREAS = {
    Structure.VERTEBRAL_BODY: Quantity.RCSA_VERTEBRAL_BODY_PCT,
    Structure.DISC: Quantity.RCSA_DISC_PCT,
}

_SIGNALS = {
    Structure.PSOAS: Quantity.SIR_PSOAS,
    Structure.SUBCUTANEOUS_FAT: Quantity.SIR_SUBCUTANEOUS_FAT,
    Structure.CSF: Quantity.SIR_CSF,
}

_WHOLE_EXAM = None

_Signals = dict[tuple[Structure, str, str | None], list[Numbers]]
"""References of signal by structure, scale and slice, or of the whole exam."""

_Found = tuple[str, Sequence[Numbers]]
"""Where references were found, and their numbers."""

STORHEIM_PCT = (20.0, 50.0)
"""Below the first is grade 0, above the second grade 2 (doi:10.1186/s12891-017-1505-5)."""


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
        if key.side is not Side.LEFT or not key.structure.is_muscle:
            continue
        right = outlines.get(replace(key, side=Side.RIGHT))
        if right is not None:
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


def ratio_rows(outlines: Mapping[RoiKey, Numbers], exam: Exam) -> Iterator[Measurement]:
    """Yield relative areas and signal ratios of every muscle, as far as there is what to divide by.

    Relative areas carry the uncertainty of both areas, taken as independent: what one hand does to
    both cancels in part. Height and weight are taken as exact. Signal ratios state none, since
    none is stated of signal.

    Parameters
    ----------
    outlines
        Numbers of every outline of an exam
        (:func:`multifidus.measuring.derived.combine.by_outline`).
    exam
        Whose series say which signals are on one scale, and whose clinical facts give the size
        of the subject.
    """
    groups = {series.uid: series.signal_group or series.uid for series in exam.series}
    references: dict[Reading, dict[Structure, list[Numbers]]] = {}
    for key, numbers in outlines.items():
        if key.structure in _AREAS or key.structure in _SIGNALS:
            own = references.setdefault(key.reading, {})
            own.setdefault(key.structure, []).append(numbers)
    signals = {reading: _by_scale(own, groups) for reading, own in references.items()}
    for key, numbers in outlines.items():
        if key.structure.is_muscle:
            yield from _relative_areas(numbers, references.get(key.reading, {}))
            yield from _per_size(numbers, exam.clinical)
            group = groups[_area(numbers).provenance.series]
            yield from _signal_ratios(numbers, signals.get(key.reading, {}), group)


def _relative_areas(
    numbers: Numbers, references: Mapping[Structure, Sequence[Numbers]]
) -> Iterator[Measurement]:
    area = numbers[Quantity.TCSA_MM2, ""]
    level = area.provenance.level
    for structure, quantity in _AREAS.items():
        known = [_area(other) for other in references.get(structure, ())]
        where, found = "slice", [o for o in known if o.key.slice_uid == area.key.slice_uid]
        if not found and level is not None:
            where, found = "level", [o for o in known if o.provenance.level is level]
        if found:
            reference = math.fsum(other.value for other in found) / len(found)
            row = combined(
                (area.key, area.provenance),
                quantity,
                ratio_pct(area.value, reference),
                (area, *found),
                parameters=_used("mm2", reference, where, found),
            )
            # One hand drew all references, so that their errors go together.
            error = math.fsum(other.uncertainty for other in found) / len(found)
            u = ratio_uncertainty(area.value, reference, area.uncertainty, error)
            yield row.with_uncertainty(u, {})


def _used(unit: str, value: float, where: str, found: Sequence[object]) -> dict[str, object]:
    return {f"reference_{unit}": value, "reference_from": where, "n_outlines": len(found)}


def _area(numbers: Numbers) -> Measurement:
    return numbers[Quantity.TCSA_MM2, ""]


def _per_size(numbers: Numbers, clinical: Clinical) -> Iterator[Measurement]:
    area = _area(numbers)
    at = (area.key, area.provenance)
    if clinical.height_cm is not None:
        height = clinical.height_cm / 100
        value = area.value / height**2
        used = {"height_m": height}
        row = combined(at, Quantity.TCSA_PER_HEIGHT2, value, (area,), parameters=used)
        # How well the subject's size is known nobody said.
        yield row.with_uncertainty(area.uncertainty / height**2, {})
    index = clinical.body_mass_index
    if index is not None:
        value = area.value / index
        used = {"bmi_kg_m2": index}
        row = combined(at, Quantity.TCSA_PER_BMI, value, (area,), parameters=used)
        yield row.with_uncertainty(area.uncertainty / index, {})


def _by_scale(
    references: Mapping[Structure, Sequence[Numbers]], groups: Mapping[str, str]
) -> _Signals:
    """Group references of signal by their scale, all of the exam and those of each slice."""
    found: _Signals = {}
    for structure in _SIGNALS.keys() & references.keys():
        for numbers in references[structure]:
            area = _area(numbers)
            scale = structure, groups[area.provenance.series]
            for uid in (_WHOLE_EXAM, area.key.slice_uid):
                found.setdefault((*scale, uid), []).append(numbers)
    return found


def _signal_ratios(numbers: Numbers, references: _Signals, group: str) -> Iterator[Measurement]:
    signal = numbers[Quantity.MEAN_SI, ""]
    for structure, quantity in _SIGNALS.items():
        if structure is signal.key.structure:
            continue
        where, found = _on_one_scale(signal.key, references, (structure, group))
        if not found:
            continue
        # By valid area, so that several outlines count as one that holds them all.
        areas = [other[Quantity.VALID_CSA_MM2, ""].value for other in found]
        means = [other[Quantity.MEAN_SI, ""] for other in found]
        seen = math.fsum(areas)
        pairs = zip(means, areas, strict=True)
        total = math.fsum(mean.value * area for mean, area in pairs if area)
        reference = total / seen if seen else NAN
        yield combined(
            (signal.key, signal.provenance),
            quantity,
            signal.value / reference if reference else NAN,
            (signal, *means),
            parameters=_used("si", reference, where, found),
        )


def _on_one_scale(key: RoiKey, references: _Signals, scale: tuple[Structure, str]) -> _Found:
    """Find references: on the slice those of the muscle's side first, else all of the exam's."""
    here = references.get((*scale, key.slice_uid), ())
    own = [other for other in here if _area(other).key.side is key.side is not Side.NONE]
    if own:
        return "slice and side", own
    return ("slice", here) if here else ("exam", references.get((*scale, _WHOLE_EXAM), ()))


def storheim_grade(fat_pct: float) -> float:
    """Grade the fat of both multifidus muscles together, 0 to 2; NaN of NaN.

    Examples
    --------
    >>> [storheim_grade(fat) for fat in (19.9, 20.0, 50.0, 50.1)]
    [0.0, 1.0, 1.0, 2.0]
    """
    if math.isnan(fat_pct):
        return fat_pct
    low, high = STORHEIM_PCT
    return float(fat_pct >= low) + float(fat_pct > high)
