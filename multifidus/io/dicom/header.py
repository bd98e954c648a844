"""The header facts of a DICOM file that measuring needs, read once and nothing else.

pydicom finds the elements; only the handful that is asked for is turned into values, which is
most of the time that reading a header takes.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

from multifidus.errors import ReadError
from multifidus.io.dicom.syntax import Syntax, begin

PIXEL_DATA, FLOAT_PIXELS, DOUBLE_PIXELS = 0x7FE00010, 0x7FE00008, 0x7FE00009
"""Elements that hold pixels, of which a file has one: whole numbers, or floating-point ones."""

_HEAD_BYTES = 128 * 1024
"""What is read of a file at first; nearly every header of one image is smaller."""

_LONG_VRS = ("OB", "OW", "OF", "OD", "UN")
"""Of pixels with a length of four bytes, behind two that are kept free."""

_SHORT = 256
"""Longer values, in bytes, are not remembered from one file to the next."""

_QUIET = threading.RLock()
"""Held while warnings are silenced, which is not the business of one thread alone."""

TAGS: Mapping[str, int] = {
    "SpecificCharacterSet": 0x00080005,
    "ImageType": 0x00080008,
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "StudyDate": 0x00080020,
    "SeriesDate": 0x00080021,
    "AcquisitionDate": 0x00080022,
    "ContentDate": 0x00080023,
    "AcquisitionDateTime": 0x0008002A,
    "AcquisitionTime": 0x00080032,
    "Manufacturer": 0x00080070,
    "CodeValue": 0x00080100,
    "SeriesDescription": 0x0008103E,
    "ManufacturerModelName": 0x00081090,
    "FrameType": 0x00089007,
    "ComplexImageComponent": 0x00089208,
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "PatientBirthDate": 0x00100030,
    "PatientSex": 0x00100040,
    "ScanningSequence": 0x00180020,
    "SequenceName": 0x00180024,
    "SliceThickness": 0x00180050,
    "RepetitionTime": 0x00180080,
    "EchoTime": 0x00180081,
    "InversionTime": 0x00180082,
    "EchoNumbers": 0x00180086,
    "MagneticFieldStrength": 0x00180087,
    "SpacingBetweenSlices": 0x00180088,
    "PixelBandwidth": 0x00180095,
    "ReceiveCoilName": 0x00181250,
    "AcquisitionMatrix": 0x00181310,
    "InPlanePhaseEncodingDirection": 0x00181312,
    "PulseSequenceName": 0x00189005,
    "MRImagingModifierSequence": 0x00189006,
    "EchoPulseSequence": 0x00189008,
    "MRReceiveCoilSequence": 0x00189042,
    "MRAcquisitionFrequencyEncodingSteps": 0x00189058,
    "MRAcquisitionPhaseEncodingStepsInPlane": 0x00189231,
    "MRFOVGeometrySequence": 0x00189125,
    "EffectiveEchoTime": 0x00189082,
    "MREchoSequence": 0x00189114,
    "MRTimingAndRelatedParametersSequence": 0x00189112,
    "MRImageFrameTypeSequence": 0x00189226,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "SeriesNumber": 0x00200011,
    "AcquisitionNumber": 0x00200012,
    "InstanceNumber": 0x00200013,
    "ImagePositionPatient": 0x00200032,
    "ImageOrientationPatient": 0x00200037,
    "FrameOfReferenceUID": 0x00200052,
    "TemporalPositionIdentifier": 0x00200100,
    "FrameContentSequence": 0x00209111,
    "PlanePositionSequence": 0x00209113,
    "PlaneOrientationSequence": 0x00209116,
    "TemporalPositionIndex": 0x00209128,
    "SamplesPerPixel": 0x00280002,
    "PhotometricInterpretation": 0x00280004,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
    "RescaleIntercept": 0x00281052,
    "RescaleSlope": 0x00281053,
    "LossyImageCompression": 0x00282110,
    "RescaleType": 0x00281054,
    "ModalityLUTSequence": 0x00283000,
    "PixelMeasuresSequence": 0x00289110,
    "PixelValueTransformationSequence": 0x00289145,
    "MeasurementUnitsCodeSequence": 0x004008EA,
    "RealWorldValueMappingSequence": 0x00409096,
    "QuantityDefinitionSequence": 0x00409220,
    "RealWorldValueIntercept": 0x00409224,
    "RealWorldValueSlope": 0x00409225,
    "ConceptCodeSequence": 0x0040A168,
    "PhilipsScaleSlope": 0x2005100E,
    "SharedFunctionalGroupsSequence": 0x52009229,
    "PerFrameFunctionalGroupsSequence": 0x52009230,
}
"""Everything that is read from a header."""

_SEQUENCE_VRS = {"SQ", "UN", None}

_BINARY: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "SamplesPerPixel",
            "Rows",
            "Columns",
            "BitsAllocated",
            "BitsStored",
            "HighBit",
            "PixelRepresentation",
            "AcquisitionMatrix",
            "MRAcquisitionFrequencyEncodingSteps",
            "MRAcquisitionPhaseEncodingStepsInPlane",
        ),
        "H",
    ),
    "TemporalPositionIndex": "I",
    "EffectiveEchoTime": "d",
    "PhilipsScaleSlope": "f",
    "RealWorldValueIntercept": "d",
    "RealWorldValueSlope": "d",
}
"""Type of the values that are not text."""


class Header:
    """The wanted elements of one data set, turned into values when asked for.

    Parameters
    ----------
    elements
        Tag to pydicom's raw element.
    order
        ``<`` or ``>``: the byte order of numbers.
    """

    __slots__ = ("_elements", "_items", "order")

    def __init__(self, elements: Mapping[int, Any], order: str) -> None:
        self._elements = elements
        self._items: dict[str, list[Header]] | None = None
        self.order = order

    def __contains__(self, name: str) -> bool:
        return TAGS[name] in self._elements

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an element's parts as text; none where it is absent or empty."""
        value, form = self._value(name)
        return (_known_texts if len(value) <= _SHORT else _texts)(value, form) if value else ()

    def text(self, name: str) -> str:
        """Return an element as one text; empty where it is absent."""
        return "\\".join(self.texts(name))

    def decoded(self, name: str) -> str:
        """Return an element that is written in the character set that the header names."""
        value, _ = self._value(name)
        return _decoded(bytes(value), self.texts("SpecificCharacterSet")) if value else ""

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return an element's parts as numbers; none where it is absent or empty."""
        value, form = self._value(name)
        return (_known_numbers if len(value) <= _SHORT else _numbers)(value, form) if value else ()

    def integer(self, name: str, default: int = 0) -> int:
        """Return an element as a whole number, or the default where it is absent or empty."""
        found = self.numbers(name)
        return int(found[0]) if found else default

    def items(self, name: str) -> list[Header]:
        """Return the items of a sequence; none where it is absent."""
        if TAGS[name] not in self._elements:
            return []
        if self._items is None:
            self._items = {}
        if name not in self._items:
            self._items[name] = self._read_items(name)
        return self._items[name]

    def _value(self, name: str) -> tuple[bytes, str]:
        """Return a value and its form: empty for text, else the byte order and a type."""
        element = self._elements.get(TAGS[name])
        value = None if element is None else element.value
        if not value:
            return b"", ""
        if not isinstance(value, bytes):
            msg = f"{name} is a sequence where a value is expected."
            raise ReadError(msg)
        return value, self.order + _BINARY[name] if name in _BINARY else ""

    def _read_items(self, name: str) -> list[Header]:
        from pydicom.dataelem import convert_raw_data_element

        element = self._elements[TAGS[name]]
        if getattr(element, "is_raw", False):
            if element.VR not in _SEQUENCE_VRS:
                msg = f"{name} is {element.VR} where a sequence is expected."
                raise ReadError(msg)
            element = convert_raw_data_element(element)
        return [_from_dataset(item, self.order) for item in element.value or ()]


def _texts(value: bytes, form: str) -> tuple[str, ...]:
    """Part a value that is text (no form), or binary numbers of a form such as ``<H``."""
    if form:
        count = len(value) // struct.calcsize(form)
        return tuple(map(str, struct.unpack_from(f"{form[0]}{count}{form[1]}", value)))
    text = value.decode("latin-1").strip(" \0")
    return tuple(part.strip(" \0") for part in text.split("\\")) if "\\" in text else (text,)


@lru_cache(maxsize=256)
def _decoded(value: bytes, sets: tuple[str, ...]) -> str:
    """Decode a name; one in a character set that is not known is taken for Latin."""
    from pydicom.charset import convert_encodings, decode_bytes
    from pydicom.valuerep import PN_DELIMS

    try:
        with quiet():
            encodings = convert_encodings(list(sets) or [""])
            parts = [decode_bytes(part, encodings, PN_DELIMS) for part in value.split(b"=")]
        return "=".join(parts).strip(" \0")
    except (LookupError, UnicodeError, ValueError):
        return value.decode("latin-1").strip(" \0")


def _numbers(value: bytes, form: str) -> tuple[float, ...]:
    return tuple(float(part) for part in _texts(value, form) if part)


# The files of one series say mostly the same: read once, it also takes its memory once.
_known_texts = lru_cache(maxsize=1024)(_texts)
_known_numbers = lru_cache(maxsize=1024)(_numbers)


def _from_dataset(dataset: Any, order: str) -> Header:
    """Wrap a sequence item; its elements stay raw until they are asked for."""
    wanted = (tag for tag in dataset.keys() if tag in _WANTED)  # noqa: SIM118 - a Dataset is no dict
    return Header({int(tag): dataset.get_item(tag) for tag in wanted}, order)


_WANTED = frozenset(TAGS.values())
_PIXELS = (PIXEL_DATA, FLOAT_PIXELS, DOUBLE_PIXELS)
_WANTED_LIST: list[Any] = sorted((*_WANTED, *_PIXELS))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings: what pydicom finds odd is either an error, or no matter here."""
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_header(file: BinaryIO) -> tuple[Header, Syntax]:
    """Read a file's header up to its pixels, at which the file is left standing.

    Returns
    -------
    tuple
        The header and the transfer syntax.

    Raises
    ------
    ReadError
        If the file does not begin as DICOM does or names no known transfer syntax.
    """
    size = os.fstat(file.fileno()).st_size
    with quiet():
        parsed = _parsed(file, size)
    file.seek(parsed.end)
    return parsed.header, parsed.syntax


def _parsed(file: BinaryIO, size: int) -> _Parsed:
    # In memory, stepping from element to element costs no calls of the system.
    parsed = None
    try:
        parsed = _parse(io.BytesIO(file.read(_HEAD_BYTES)), step_over_pixels=True)
    except (EOFError, OSError, struct.error):  # a sequence without a length was cut
        if size <= _HEAD_BYTES:
            raise
    if parsed is None or (not parsed.whole and size > _HEAD_BYTES):
        parsed = _parse(_Bounded(file, size), step_over_pixels=False)
    return parsed


@dataclass(frozen=True, slots=True)
class _Parsed:
    header: Header
    syntax: Syntax
    end: int
    whole: bool
    """Whether the pixels were reached."""


class _Bounded:
    """A file of which no more is asked than it holds; memory is taken for what is asked."""

    __slots__ = ("_file", "_size", "seek", "tell")

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.seek, self.tell = file.seek, file.tell
        file.seek(0)

    def read(self, count: int) -> bytes:
        return self._file.read(max(min(count, self._size - self._file.tell()), 0))


def _parse(file: Any, *, step_over_pixels: bool) -> _Parsed:
    from pydicom.filereader import data_element_generator

    syntax = begin(file)
    # Asked before each element whether to stop, pydicom takes half as long again; it need not be
    # where the pixels have a length and little of them is at hand.
    ask = not step_over_pixels or syntax.is_compressed or not syntax.is_named
    elements = _by_tag(
        data_element_generator(
            file,
            is_implicit_VR=syntax.is_implicit,
            is_little_endian=syntax.is_little_endian,
            stop_when=_at_pixels if ask else None,
            specific_tags=_WANTED_LIST,
        )
    )
    end = file.tell()
    pixels = next((elements.pop(tag) for tag in _PIXELS if tag in elements), None)
    if pixels is not None:
        end = pixels.value_tell - (12 if pixels.VR in _LONG_VRS else 8)
    header = Header(elements, syntax.order)
    return _Parsed(header, syntax, end, pixels is not None or (ask and len(file.read(4)) > 0))


def _at_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return int(tag) >= FLOAT_PIXELS


def _by_tag(elements: Iterable[Any]) -> dict[int, Any]:
    return {int(element.tag): element for element in elements}
