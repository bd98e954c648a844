"""A muscle against something else: another outline, the subject's size, a reference's signal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from multifidus.data.anatomy import Side, Structure
from multifidus.data.clinical import Clinical
from multifidus.data.image import Exam
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.roi import Reading, RoiKey
from multifidus.measuring.derived.asymmetry import ratio_pct, ratio_uncertainty
from multifidus.measuring.derived.combine import Numbers, combined

NAN = float("nan")

_AREAS = {
    Structure.VERTEBRAL_BODY: Quantity.RCSA_VERTEBRAL_BODY_PCT,
    Structure.DISC: Quantity.RCSA_DISC_PCT,
}

_SIGNALS = {
    Structure.PSOAS: Quantity.SIR_PSOAS,
    Structure.SUBCUTANEOUS_FAT: Quantity.SIR_SUBCUTANEOUS_FAT,
    Structure.CSF: Quantity.SIR_CSF,
}

_Found = tuple[str, Sequence[Numbers]]
"""Where references were found, and their numbers."""


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
    for key, numbers in outlines.items():
        if key.structure.is_muscle:
            own = references.get(key.reading, {})
            yield from _relative_areas(numbers, own)
            yield from _per_size(numbers, exam.clinical)
            yield from _signal_ratios(numbers, own, groups)


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


def _signal_ratios(
    numbers: Numbers,
    references: Mapping[Structure, Sequence[Numbers]],
    groups: Mapping[str, str],
) -> Iterator[Measurement]:
    signal = numbers[Quantity.MEAN_SI, ""]
    for structure, quantity in _SIGNALS.items():
        if structure is signal.key.structure:
            continue
        where, found = _on_one_scale(signal, references.get(structure, ()), groups)
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


def _on_one_scale(
    signal: Measurement, references: Sequence[Numbers], groups: Mapping[str, str]
) -> _Found:
    """Find references: on the slice those of the muscle's side first, else all of the exam's."""
    key, group = signal.key, groups[signal.provenance.series]
    known = [other for other in references if groups[_area(other).provenance.series] == group]
    here = [other for other in known if _area(other).key.slice_uid == key.slice_uid]
    own = [other for other in here if _area(other).key.side is key.side is not Side.NONE]
    if own:
        return "slice and side", own
    return ("slice", here) if here else ("exam", known)
