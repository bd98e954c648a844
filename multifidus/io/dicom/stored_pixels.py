"""What the stored pixels of a DICOM file are by its header: their type, and what they mean."""

from __future__ import annotations

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
