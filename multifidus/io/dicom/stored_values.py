"""What the stored values of a DICOM file are by its header: their type, meaning and scale.

Real-world value maps are those of PS3.3 C.7.6.16.2.11. Philips writes a scale slope SS beside the
rescale slope RS: RS x SS is the scale of the rescaled values (Chenevert et al. 2014,
doi:10.1593/tlo.13811).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from multifidus.errors import ReadError
from multifidus.io.dicom.header import DOUBLE_PIXELS, FLOAT_PIXELS, Header

FLOAT_BITS = {FLOAT_PIXELS: 32, DOUBLE_PIXELS: 64}
"""Bits of the pixels in elements of floating-point numbers."""


def check_meaning(header: Header) -> None:
    """Refuse pixels whose values are no signal, or may run from bright to dark.

    Raises
    ------
    ReadError
        If they are inverted, indices of colours, or go through a table.
    """
    shown = header.text("PhotometricInterpretation").upper()
    if shown == "MONOCHROME1":
        msg = (
            "MONOCHROME1: low values are shown bright, and whether the signal or its negative is "
            "stored cannot be known; readers differ."
        )
        raise ReadError(msg, remedy="Export the image again as MONOCHROME2.")
    if shown not in {"", "MONOCHROME2"}:
        msg = f"Not a grey-scale image (PhotometricInterpretation {shown})."
        raise ReadError(msg, remedy="Export the image itself, not a picture of it.")
    if "ModalityLUTSequence" in header:
        msg = "Its values go through a table (ModalityLUTSequence), which is not supported."
        raise ReadError(msg, remedy="Export the image with a rescale slope and intercept.")


def stored_type(header: Header, tag: int) -> tuple[np.dtype[Any], int]:
    """Return the type of the stored pixels and how many of their highest bits are unused.

    Parameters
    ----------
    tag
        Of the element that holds them.

    Raises
    ------
    ReadError
        If they are not single numbers, or the header does not say how their bits are meant.
    """
    allocated = header.integer("BitsAllocated")
    if tag in FLOAT_BITS:
        return _float_type(header, allocated, FLOAT_BITS[tag])
    if header.integer("SamplesPerPixel", 1) != 1 or allocated not in {8, 16, 32}:
        msg = f"Not a grey-scale image of 8, 16 or 32 bits (bits allocated: {allocated})."
        raise ReadError(msg)
    for name in ("BitsStored", "PixelRepresentation"):
        if not header.numbers(name):
            msg = f"No {name}: how the bits of its pixels are meant cannot be known."
            raise ReadError(msg, remedy="Export the image again.")
    stored, signed = header.integer("BitsStored"), header.integer("PixelRepresentation")
    high = header.integer("HighBit", stored - 1)
    if high != stored - 1 or not 0 < stored <= allocated:
        msg = f"Pixels of {stored} bits of {allocated} with high bit {high} are not supported."
        raise ReadError(msg, remedy="Export the image again.")
    if signed not in {0, 1}:
        msg = f"PixelRepresentation is {signed}, where 0 or 1 is meant."
        raise ReadError(msg, remedy="Export the image again.")
    kind = "i" if signed else "u"
    return _dtype(f"{header.order}{kind}{allocated // 8}"), allocated - stored


def _float_type(header: Header, allocated: int, expected: int) -> tuple[np.dtype[Any], int]:
    if header.integer("SamplesPerPixel", 1) != 1 or allocated != expected:
        msg = f"Floating-point pixels of {allocated} bits, where one number of {expected} is meant."
        raise ReadError(msg, remedy="Export the image again.")
    return _dtype(f"{header.order}f{expected // 8}"), 0


@lru_cache(maxsize=16)
def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype(name)


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
