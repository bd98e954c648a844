"""Siemens mosaics of known content, with a private CSA header as the scanner writes it."""

from __future__ import annotations

import math
import struct

import numpy as np
from pydicom.valuerep import DSfloat

from multifidus.data.geometry import Plane
from tests.support.dicoms import classic

ROWS, COLUMNS, FINEST_MM = 6, 8, 1 / 32


def csa(tags):
    """Return a CSA2 header: 'SV10', the number of tags, and for each its name and its values."""
    parts = [b"SV10\4\3\2\1", struct.pack("<2I", len(tags), 77)]
    for name, (code, values) in tags.items():
        head = (name.encode(), len(values), code.encode() + b"\0\0", 0, len(values), 77)
        parts.append(struct.pack("<64si4s3i", *head))
        for value in values:
            text = str(value).encode() + b"\0"
            parts.append(struct.pack("<4i", len(text), len(text), 77, len(text)))
            parts.append(text + bytes(-len(text) % 4))
    return b"".join(parts)


def private(count, normal, **changed):
    tags = {
        "NumberOfImagesInMosaic": ("US", [count]),
        "SliceNormalVector": ("FD", [repr(float(part)) for part in normal]),
        "ProtocolSliceNumber": ("IS", [0]),
    }
    return {name: value for name, value in {**tags, **changed}.items() if value is not None}


def mosaic(plane, count, step_mm, *, along=1, **changed):
    """Return a mosaic in which every voxel stores its own patient z, and the planes of its slices.

    As Siemens writes it, the position is that of a large image about the centre of the first tile.
    """
    side = math.ceil(math.sqrt(count))
    normal = along * plane.normal
    found = [
        Plane(plane.origin_mm + k * step_mm * normal, plane.row_step_mm, plane.column_step_mm)
        for k in range(count)
    ]
    whole = np.zeros((side * ROWS, side * COLUMNS), np.uint16)
    at = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
    for k, tile in enumerate(found):
        z = (tile.to_patient(at)[:, 2] / FINEST_MM).reshape(ROWS, COLUMNS) + 32_000
        row, column = k // side * ROWS, k % side * COLUMNS
        whole[row : row + ROWS, column : column + COLUMNS] = np.rint(z)
    down, right = (side - 1) * ROWS / 2, (side - 1) * COLUMNS / 2
    corner = plane.origin_mm - down * plane.row_step_mm - right * plane.column_step_mm
    dataset = classic(Plane(corner, plane.row_step_mm, plane.column_step_mm), whole)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    dataset.SpacingBetweenSlices = DSfloat(step_mm, auto_format=True)
    dataset.RescaleSlope, dataset.RescaleIntercept = DSfloat(FINEST_MM), DSfloat(-1000)
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", csa(private(count, normal, **changed)))
    return dataset, found
