"""Damaged files by seed and number: valid ones, bytes of them changed or fields absurd."""

from __future__ import annotations

import copy
import gzip
import io
import json
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from multifidus import Plane, Reading, Roi, RoiKey, RoiSet, write_rois
from multifidus.data.anatomy import Side, Structure
from tests.support.dicoms import classic, enhanced, write
from tests.support.exams import axial_plane
from tests.support.mosaics import mosaic
from tests.support.niftis import lumbar_affine, save
from tests.support.volumes import meta, nrrd

SHAPE = (36, 32)

INTEGERS = (0, 1, 2, 3, 7, 8, 16, 32, 64, 255, 4096, 32767, 32768, 65535)
TEXTS = (
    b"", b" ", b"\\", b"0", b"-1", b"1", b"2", b"1e308", b"-1e308", b"1e999", b"nan", b"inf",
    b"-inf", b"1e-320", b"99999999999999", b"2147483648", b"1\\0\\0\\0\\1\\0", b"1\\1\\1\\1\\1\\1",
    b"nan\\nan\\nan", b"1e200\\1e200\\1e200", b"0\\0", b"-1\\1", b"1e-300\\1e-300", b"1e300\\1e300",
    b"1\\0\\0\\nan\\1\\0", b"a\\b\\c", b"1,5\\2,5", b"\xff\xfe\x00\x01", b"1.2.3", b"W\\F\\IP\\OP",
    b"\\" * 2000, b"9" * 4000, b"0x10", b"1_0", "\u0663".encode(),
)  # fmt: skip
VRS = (b"DS", b"IS", b"US", b"UL", b"FD", b"OB", b"OW", b"SQ", b"UN", b"UT", b"UI", b"CS", b"ZZ")
LENGTHS = (0, 1, 2, 7, 255, 65534, 65535, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)

TARGETS = (
    "ImageType", "SOPInstanceUID", "StudyDate", "PatientID", "SliceThickness", "RepetitionTime",
    "EchoTime", "InversionTime", "EchoNumbers", "MagneticFieldStrength", "StudyInstanceUID",
    "SeriesInstanceUID", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient",
    "FrameOfReferenceUID", "TemporalPositionIdentifier", "SamplesPerPixel", "NumberOfFrames",
    "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation",
    "RescaleIntercept", "RescaleSlope", "PhotometricInterpretation", "PixelMeasuresSequence",
    "PlanePositionSequence", "PlaneOrientationSequence", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "SpecificCharacterSet", "MREchoSequence",
    "EffectiveEchoTime", "PixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip
"""The header fields that are given nonsense, wherever in a data set they stand."""

NIFTI_FIELDS = (
    (0, "i"), (40, "8h"), (70, "h"), (72, "h"), (76, "8f"), (108, "f"), (112, "f"), (116, "f"),
    (252, "h"), (254, "h"), (256, "3f"), (268, "3f"), (280, "4f"), (296, "4f"), (312, "4f"),
    (344, "4s"),
)  # fmt: skip
"""Offset and type of the NIfTI-1 header fields that reading depends on."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A small valid file."""

    name: str
    suffix: str
    data: bytes


def make_seeds() -> list[Seed]:
    """Return the valid files that are damaged; compressed ones where their encoder is installed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            *_dicom_seeds(folder),
            _mosaic_seed(folder),
            *_nifti_seeds(folder),
            *_text_header_seeds(folder),
            _outline_seed(folder),
        ]


def _planes(count: int) -> list[Plane]:
    return [axial_plane(4.4 * k, 11.3, spacing=(0.7, 0.71)) for k in range(count)]


def _dicom_seeds(folder: Path) -> list[Seed]:
    from pydicom.uid import (
        ExplicitVRBigEndian,
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        JPEG2000Lossless,
        JPEGLSLossless,
        RLELossless,
    )

    pixels = np.arange(3 * SHAPE[0] * SHAPE[1], dtype=np.uint16).reshape(3, *SHAPE)
    makers: dict[str, Callable[[], Any]] = {
        "classic": lambda: classic(_planes(1)[0], pixels[0]),
        "enhanced": lambda: enhanced(_planes(3), pixels),
    }
    plain = {
        "": ExplicitVRLittleEndian,
        ", implicit": ImplicitVRLittleEndian,
        ", big endian": ExplicitVRBigEndian,
    }
    encoded = {", RLE": RLELossless, ", JPEG-LS": JPEGLSLossless, ", JPEG 2000": JPEG2000Lossless}
    seeds = []
    for kind, make in makers.items():
        for label, syntax in plain.items():
            path = write(make(), folder / "a.dcm", syntax)
            seeds.append(Seed(f"DICOM {kind}{label}", ".dcm", path.read_bytes()))
        for label, syntax in encoded.items():
            path = write(make(), folder / "a.dcm")
            data = _compressed(path, syntax)
            if data:
                seeds.append(Seed(f"DICOM {kind}{label}", ".dcm", data))
        data = _jpeg_lossless(write(make(), folder / "a.dcm"))
        if data:
            seeds.append(Seed(f"DICOM {kind}, JPEG lossless", ".dcm", data))
    return seeds


def _jpeg_lossless(path: Path) -> bytes:
    try:
        import gdcm
    except ImportError:
        return b""
    reader, writer = gdcm.ImageReader(), gdcm.ImageWriter()
    change = gdcm.ImageChangeTransferSyntax()
    reader.SetFileName(str(path))
    reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    if not change.Change():
        return b""
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    return path.read_bytes() if writer.Write() else b""


def _compressed(path: Path, syntax: Any) -> bytes:
    import pydicom

    dataset = pydicom.dcmread(path)
    try:
        dataset.compress(syntax, generate_instance_uid=False)
    except RuntimeError:  # its encoder is not installed
        return b""
    found = io.BytesIO()
    dataset.save_as(found, enforce_file_format=True)
    return found.getvalue()


def _nifti_seeds(folder: Path) -> list[Seed]:
    voxels = np.arange(10 * 12 * 4, dtype=np.int16).reshape(10, 12, 4)
    return [
        Seed(f"NIfTI {suffix}", suffix, save(folder / f"a{suffix}", voxels, lumbar_affine(7.0),
                                             form="both").read_bytes())
        for suffix in (".nii", ".nii.gz")
    ]  # fmt: skip


def _mosaic_seed(folder: Path) -> Seed:
    dataset, _ = mosaic(_planes(1)[0], 7, 4.4)
    return Seed("DICOM mosaic", ".dcm", write(dataset, folder / "a.dcm").read_bytes())


def _text_header_seeds(folder: Path) -> list[Seed]:
    voxels = np.arange(SHAPE[1] * SHAPE[0] * 3, dtype="<i2").reshape(SHAPE[1], SHAPE[0], 3)
    files = {
        "NRRD": nrrd(folder / "a.nrrd", voxels),
        "NRRD, zipped": nrrd(folder / "b.nrrd", voxels, encoding="gzip"),
        "MetaImage": meta(folder / "a.mha", voxels),
        "MetaImage, zipped": meta(folder / "b.mha", voxels, zipped=True),
    }
    return [Seed(name, path.suffix, path.read_bytes()) for name, path in files.items()]


def outline_plane() -> Plane:
    """Return the plane of the outline file's only slice."""
    return _planes(1)[0]


def _outline_seed(folder: Path) -> Seed:
    plane, by = outline_plane(), Reading("S01", "pre", "AB", 1)
    corners = np.array([(2, 2), (2, 7.5), (8, 7.5), (8, 2)])
    shift = np.array((0, 1))
    rois = [
        Roi(RoiKey(by, "", Structure.MULTIFIDUS, side), (plane.to_patient(path),), plane, SHAPE)
        for side, path in ((Side.LEFT, corners + shift), (Side.RIGHT, corners - shift))
    ]
    path = folder / "a.outlines.json"
    write_rois(RoiSet(tuple(rois), reading=by), path)
    return Seed("outlines", ".outlines.json", path.read_bytes())


def damaged(seeds: list[Seed], seed: int, number: int) -> tuple[Seed, str, bytes]:
    """Return which file is damaged, how, and what became of it; the same for the same numbers."""
    rng = np.random.default_rng((seed, number))
    chosen = seeds[number % len(seeds)]
    ways: list[tuple[str, Callable[[], bytes]]] = [
        ("bytes", lambda: _mutate(chosen.data, rng, seeds)),
        ("fields", lambda: _absurd(chosen, rng)),
    ]
    name, make = ways[int(rng.integers(len(ways)))]
    return chosen, name, make()


def _mutate(data: bytes, rng: np.random.Generator, seeds: list[Seed]) -> bytes:
    """Flip, overwrite, cut, insert, delete, repeat and splice bytes, up to six times."""
    found = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        if not found:
            break
        at = int(rng.integers(len(found)))
        size = int(min(rng.geometric(0.08), len(found) - at))
        other = seeds[int(rng.integers(len(seeds)))].data
        begin = int(rng.integers(len(other)))
        match int(rng.integers(8)):
            case 0:
                found[at] ^= 1 << int(rng.integers(8))
            case 1:
                found[at : at + size] = rng.bytes(size)
            case 2:
                del found[at:]
            case 3:
                found[at:at] = rng.bytes(size)
            case 4:
                del found[at : at + size]
            case 5:
                found[at:at] = found[at : at + size] * int(rng.integers(1, 50))
            case 6:
                found[at : at + size] = other[begin : begin + size]
            case _:
                found[at : at + 4] = struct.pack("<I", LENGTHS[int(rng.integers(len(LENGTHS)))])
    return bytes(found)


def _absurd(chosen: Seed, rng: np.random.Generator) -> bytes:
    if chosen.suffix == ".dcm":
        return _absurd_dicom(chosen.data, rng)
    if chosen.suffix == ".nii":
        return _absurd_nifti(chosen.data, rng)
    if chosen.suffix == ".nii.gz":
        inner = gzip.decompress(chosen.data)
        changed = _absurd_nifti(inner, rng) if rng.random() < 0.7 else _mutate(inner, rng, [chosen])
        return gzip.compress(changed, mtime=0)
    if chosen.suffix in {".nrrd", ".mha"}:
        return _absurd_lines(chosen.data, rng)
    return _absurd_json(chosen.data, rng)


def _absurd_dicom(data: bytes, rng: np.random.Generator) -> bytes:
    """Give a few fields other values, other VRs, or take them away; at any depth."""
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(data))
    explicit = not dataset.original_encoding[0]
    holders = [(d, e.tag) for d in _datasets(dataset) for e in d if e.keyword in TARGETS]
    for chosen in rng.permutation(len(holders))[: int(rng.integers(1, 5))]:
        holder, tag = holders[int(chosen)]
        if rng.random() < 0.15:
            del holder[tag]
            continue
        _set_raw(holder, tag, rng, explicit=explicit)
    found = io.BytesIO()
    try:
        pydicom.dcmwrite(found, dataset, enforce_file_format=False)
    except Exception:  # noqa: BLE001 - so absurd that pydicom cannot write it: damage the bytes
        return _mutate(data, rng, [Seed("", "", data)])
    return found.getvalue()


def _datasets(dataset: Any) -> list[Any]:
    found = [dataset]
    for element in dataset:
        if element.VR == "SQ" and element.value:
            for item in element.value:
                found.extend(_datasets(item))
    return found


def _set_raw(holder: Any, tag: Any, rng: np.random.Generator, *, explicit: bool) -> None:
    from pydicom.dataelem import RawDataElement

    vr = holder[tag].VR
    numeric = {"US": "H", "UL": "I", "FD": "d"}
    if vr in numeric and rng.random() < 0.8:
        values: tuple[float, ...] = INTEGERS
        if vr == "FD":
            values = (0.0, -1.0, float("nan"), float("inf"), 1e308, 5e-324)
        count = int(rng.choice((0, 1, 1, 1, 1, 2, 3)))
        value = b"".join(
            struct.pack(f"<{numeric[vr]}", values[int(rng.integers(len(values)))])
            for _ in range(count)
        )
    elif vr in {"SQ", "OB", "OW"}:
        value = rng.bytes(int(rng.choice((0, 1, 8, 300))))
    else:
        value = TEXTS[int(rng.integers(len(TEXTS)))]
    if rng.random() < 0.15:
        vr = VRS[int(rng.integers(len(VRS)))].decode()
    if vr == "SQ" and not explicit:
        vr = "UN"
    if len(value) > 60000 and explicit:
        value = value[:60000]
    holder[tag] = RawDataElement(
        tag, vr, len(value), value, 0, is_implicit_VR=not explicit, is_little_endian=True
    )


def _absurd_nifti(data: bytes, rng: np.random.Generator) -> bytes:
    found = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        offset, kind = NIFTI_FIELDS[int(rng.integers(len(NIFTI_FIELDS)))]
        size = struct.calcsize(f"<{kind}")
        if kind == "4s":
            found[offset : offset + 4] = (b"n+1\0", b"ni1\0", b"n+2\0", b"\0\0\0\0")[
                int(rng.integers(4))
            ]
            continue
        code, count = kind[-1], size // struct.calcsize(kind[-1])
        at = offset + int(rng.integers(count)) * struct.calcsize(code)
        if code == "f":
            values: tuple[float, ...] = (0, 1, -1, np.nan, np.inf, 1e30, 1e-40, 352.5, 2e9)
        elif code == "h":
            values = (0, 1, 2, 4, 7, 8, 16, 64, 128, 512, 1024, 1536, 2304, 32767, -1, -32768)
        else:
            values = (0, 348, 540, -1, 1543569408, 2**31 - 1)
        struct.pack_into(f"<{code}", found, at, values[int(rng.integers(len(values)))])
    return bytes(found)


def _absurd_lines(data: bytes, rng: np.random.Generator) -> bytes:
    """Give fields of a header of lines absurd values, or take lines out, double or swap them."""
    lines = data.split(b"\n", 16)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(min(len(lines), 14)))
        mark = b": " if b": " in lines[at] else b" = "
        name, _, value = lines[at].partition(mark)
        parts = value.split(b" ")
        parts[int(rng.integers(len(parts)))] = TEXTS[int(rng.integers(len(TEXTS)))]
        other = int(rng.integers(min(len(lines), 14)))
        lines[at : at + 1] = (
            [name + mark + b" ".join(parts)],
            [name + mark + TEXTS[int(rng.integers(len(TEXTS)))]],
            [],
            [lines[at], lines[at]],
            [lines[other]],
        )[int(rng.integers(5))]
    return b"\n".join(lines)


def _absurd_json(data: bytes, rng: np.random.Generator) -> bytes:
    """Put strange values at random places of the document, or take entries away."""
    document = copy.deepcopy(json.loads(data))
    strange = (
        None, True, -1, 0, 1e308, 10**400, float("nan"), float("inf"), "", "left", "x" * 10000,
        [], [[]], [[[]]], {}, {"a": 1}, [1, "a"], [[1, 2], [3]], [[1, 2, 3]] * 3, "\ud800", [None],
    )  # fmt: skip
    for _ in range(int(rng.integers(1, 4))):
        places = _places(document)
        holder, key = places[int(rng.integers(len(places)))]
        if rng.random() < 0.1:
            del holder[key]
            break
        holder[key] = copy.deepcopy(strange[int(rng.integers(len(strange)))])
    if rng.random() < 0.02:
        return b"[" * 100_000
    return json.dumps(document).encode()


def _places(node: Any) -> list[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else range(len(node))
    found = [(node, key) for key in keys]
    for key in keys:
        if isinstance(node[key], dict | list):
            found.extend(_places(node[key]))
    return found
