"""The texts of a DICOM file, element by element, in its own character set."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from multifidus.io.privacy.known import read_header, texts_in, value_of

if TYPE_CHECKING:
    from pydicom import Dataset

_BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
"""Kinds of values that are no text; their bytes are searched with those of the file."""


def element_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield where a text stands in a DICOM file, and the text."""
    dataset = read_header(io.BytesIO(data))
    if dataset is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from _texts(dataset)


def _texts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    for tag in list(dataset.keys()):
        element = value_of(dataset, tag)
        if element is None or element.VR in _BINARY:
            continue
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _texts(item)
            continue
        for text in texts_in(element.value):
            yield f"DICOM {element.keyword or element.tag}", text
