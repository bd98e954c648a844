"""The texts of a DICOM file, element by element, in its own character set."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from multifidus.io.privacy.known import read_header, texts_in, value_of

if TYPE_CHECKING:
    from pydicom import Dataset

_FILES = {"OB", "UN"}
"""Kinds of values that may be files, such as an encapsulated PDF."""

_BINARY = {"OD", "OF", "OL", "OV", "OW"}
"""Kinds of values that are numbers; their bytes are searched with those of the file."""


def element_texts(data: bytes) -> Iterator[tuple[str, str | bytes]]:
    """Yield where a text or a file stands in a DICOM file, and what is there."""
    dataset = read_header(io.BytesIO(data))
    if dataset is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from _texts(dataset)


def _texts(dataset: Dataset) -> Iterator[tuple[str, str | bytes]]:
    for tag in list(dataset.keys()):
        element = value_of(dataset, tag)
        if element is None or element.VR in _BINARY:
            continue
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _texts(item)
            continue
        where = f"DICOM {element.keyword or element.tag}"
        if element.VR in _FILES:
            if isinstance(element.value, bytes):
                yield where, element.value
            continue
        for text in texts_in(element.value):
            yield where, text
