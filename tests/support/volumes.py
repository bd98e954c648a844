"""NRRD and MetaImage files of known content, their headers written as text by their rules."""

from __future__ import annotations

import bz2
import gzip
import zlib

import numpy as np

from tests.support.niftis import lumbar_affine

VOXELS = np.arange(5 * 4 * 3, dtype="<i2").reshape(5, 4, 3)
AFFINE = lumbar_affine(20)
NRRD_TYPES = {
    "i1": "int8",
    "u1": "uchar",
    "i2": "short",
    "u2": "uint16",
    "i4": "int",
    "f4": "float",
}
NRRD_TYPES |= {"f8": "double", "u4": "unsigned int"}
META_TYPES = {"i1": "CHAR", "u1": "UCHAR", "i2": "SHORT", "u2": "USHORT", "i4": "INT"}
META_TYPES |= {"u4": "UINT", "f4": "FLOAT", "f8": "DOUBLE"}

SIGNS = {
    "left-posterior-superior": (1, 1, 1),
    "LPS": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "RAS": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "LAS": (1, -1, 1),
}
"""Towards which side each axis of a space runs, in LPS."""


def numbers(values):
    return [repr(float(value)) for value in values]


def nrrd(path, voxels=VOXELS, affine=AFFINE, *, space="LPS", encoding="raw", without=(), **changed):
    """Write an NRRD file as its definition says: a vector for each axis, in the space's frame."""
    to_space = np.diag(SIGNS.get(space, (1, 1, 1))) @ affine[:3]
    vectors = ["(" + ",".join(numbers(to_space[:, axis])) + ")" for axis in range(4)]
    order = {"<": "little", ">": "big", "|": "little", "=": "little"}[voxels.dtype.byteorder]
    fields = {
        "type": NRRD_TYPES[voxels.dtype.str[1:]],
        "dimension": str(voxels.ndim),
        "space": space,
        "sizes": " ".join(map(str, voxels.shape)),
        "space directions": " ".join(vectors[:3]),
        "kinds": "domain domain domain",
        "endian": order,
        "encoding": encoding,
        "space origin": vectors[3],
    }
    fields |= {name.replace("_", " "): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if name not in without]
    data = voxels.tobytes(order="F")
    packed = {"gzip": gzip.compress, "bzip2": bz2.compress}.get(encoding, bytes)(data)
    head = "NRRD0004\n# a comment\n" + "\n".join(lines) + "\nkey:=value\n\n"
    if "data_file" in changed:
        (path.parent / changed["data_file"]).write_bytes(packed)
        packed = b""
    path.write_bytes(head.encode() + packed)
    return path


def meta(path, voxels=VOXELS, affine=AFFINE, *, zipped=False, without=(), **changed):
    """Write a MetaImage file: directions of unit length, one axis after another, then spacing."""
    count = voxels.ndim
    spacing, directions, offset = np.ones(count), np.eye(count), np.zeros(count)
    spacing[:3] = np.linalg.norm(affine[:3, :3], axis=0)
    directions[:3, :3] = affine[:3, :3] / spacing[:3]
    offset[:3] = affine[:3, 3]
    fields = {
        "ObjectType": "Image",
        "NDims": str(count),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": str(voxels.dtype.byteorder == ">"),
        "CompressedData": str(zipped),
        "TransformMatrix": " ".join(numbers(directions.T.ravel())),
        "Offset": " ".join(numbers(offset)),
        "ElementSpacing": " ".join(numbers(spacing)),
        "DimSize": " ".join(map(str, voxels.shape)),
        "ElementType": "MET_" + META_TYPES[voxels.dtype.str[1:]],
    }
    local = changed.pop("ElementDataFile", "LOCAL")
    fields |= changed
    lines = [f"{name} = {value}" for name, value in fields.items() if name not in without]
    head = "\n".join([*lines, f"ElementDataFile = {local}"]) + "\n"
    data = voxels.tobytes(order="F")
    data = zlib.compress(data) if zipped else data
    if local != "LOCAL":
        (path.parent / local).write_bytes(data)
        data = b""
    path.write_bytes(head.encode() + data)
    return path
