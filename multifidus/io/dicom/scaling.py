"""What a DICOM header says about the scale of its values beyond the rescale.

Real-world value maps are those of PS3.3 C.7.6.16.2.11. Philips writes a scale slope SS beside the
rescale slope RS: RS x SS is the scale of the rescaled values (Chenevert et al. 2014,
doi:10.1593/tlo.13811).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from multifidus.io.dicom.header import Header

_PERCENT = ("%", "PCT", "PERCENT")

_DIGITS = 4
"""Significant digits in which two scales are compared; headers round them."""


@dataclass(frozen=True, slots=True)
class RealWorld:
    """A map from stored values to a quantity: ``slope * stored + intercept`` in a UCUM unit.

    ``words`` names the quantity where it has a code of DICOM's own.
    """

    slope: float
    intercept: float
    unit: str
    words: tuple[str, ...] = ()


def real_world(levels: list[Header]) -> RealWorld | None:
    """Return the first linear real-world map of a frame's groups and header; None without one."""
    for level in levels:
        for item in level.items("RealWorldValueMappingSequence"):
            slope = _number(item, "RealWorldValueSlope")
            if math.isfinite(slope) and slope != 0:
                intercept = _number(item, "RealWorldValueIntercept")
                unit = "".join(_codes(item, "MeasurementUnitsCodeSequence"))
                words = tuple(
                    f"DCM {code}"
                    for definition in item.items("QuantityDefinitionSequence")
                    for code in _codes(definition, "ConceptCodeSequence")
                )
                return RealWorld(slope, 0.0 if math.isnan(intercept) else intercept, unit, words)
    return None


def _codes(item: Header, name: str) -> Iterator[str]:
    for code in item.items(name)[:1]:
        yield code.text("CodeValue")


def _number(item: Header, name: str) -> float:
    return next(iter(item.numbers(name)), math.nan)


def signal_scale(header: Header, slope: float, mapped: RealWorld | None) -> str:
    """Return what multiplies the signal in rescaled values; empty where the header leaves it open.

    Parameters
    ----------
    slope
        The rescale slope.
    mapped
        The real-world map of the same stored values, if any.
    """
    scale = math.nan
    if "philips" in header.text("Manufacturer").lower():
        scale = slope * _number(header, "PhilipsScaleSlope")
    if math.isnan(scale) and mapped is not None:
        scale = slope / mapped.slope
    return f"{scale:.{_DIGITS}g}" if math.isfinite(scale) else ""


def declared_unit(header: Header) -> str:
    """Return ``%`` where the rescaled values are declared to be percentages, else nothing."""
    return "%" if header.text("RescaleType").upper() in _PERCENT else ""
