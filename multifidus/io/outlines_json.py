"""The outline file of multifidus: ``*.outlines.json``, one exam x rater x reading.

Lossless: what is written is read back equal, to the last bit of every coordinate. The format is
described by ``outlines.schema.json`` beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.geometry import Plane
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Reading, Roi, RoiKey, Source
from multifidus.data.roi_set import Grade, NotMeasurable, Reason, RoiSet, SliceLevel
from multifidus.errors import ReadError, RoiError
from multifidus.io.files import write_text
from multifidus.io.json_documents import DocumentKind, Node, as_text, read_document, root_node

KIND = DocumentKind("an outline file", "multifidus-outlines")
SUFFIX = ".outlines.json"
JOURNAL_SUFFIX = ".journal.json"
"""Of the file beside an outline file that holds what is no outline yet."""


def file_name(by: Reading, suffix: str = SUFFIX) -> str:
    """Name the file of a reading.

    Examples
    --------
    >>> file_name(Reading("S01", "pre", "AB", 2))
    'S01_pre_AB_r2.outlines.json'
    """
    names = (by.subject or "subject", by.timepoint or "exam", by.rater or "rater")
    return f"{'_'.join(map(in_file_name, names))}_r{by.reading}{suffix}"


def in_file_name(word: str) -> str:
    """Return a word as it may stand in the name of a file."""
    return re.sub(r"[^\w.-]+", "-", word).strip(".") or "x"


def beside(outlines: Path, suffix: str) -> Path:
    """Name the file that stands beside an outline file, such as its journal or its log."""
    return outlines.with_name(outlines.name.removesuffix(SUFFIX) + suffix)


def write_outlines(rois: RoiSet, path: Path, *, overwrite: bool = False) -> None:
    """Write one reading's outlines, atomically.

    Raises
    ------
    RoiError
        If the outlines are of more than one reading.
    WriteError
        If the file exists and overwriting was not asked for.
    """
    readings = {roi.key.reading for roi in rois} or {rois.reading}
    if len(readings) > 1:
        names = "; ".join(str(found) for found in sorted(readings))
        msg = f"An outline file holds one reading, these are {len(readings)}: {names}."
        raise RoiError(msg, remedy="Write one file for each.")
    document = as_document(rois, readings.pop())
    write_text(path, as_text(document), overwrite=overwrite)


_WORDS: Mapping[str, type] = {
    "structure": Structure,
    "side": Side,
    "name": str,
    "slice_uid": str,
    "level": Level,
    "slice_position": SlicePosition,
    "roi_rule": RoiRule,
    "source": Source,
    "kind": LandmarkKind,
    "reason": Reason,
    "note": str,
    "scheme": str,
    "value": int,
    "position_mm": list,
}
"""Every field of an entry, and what stands in it."""

_OUTLINE_DEFAULTS = {"side": "none", "name": "", "slice_uid": ""}
_OUTLINE_DEFAULTS |= {"slice_position": "unknown", "roi_rule": "unknown", "source": "imported"}
_ENTRY_DEFAULTS = {"slice_position": "unknown", "note": ""}
"""What is meant where an entry leaves a field out; other fields are required."""

_OF_KEY = ("structure", "side", "name", "slice_uid")
_OF_OUTLINE = ("level", "slice_position", "roi_rule", "source")
_OF_PLANE = ("origin_mm", "row_step_mm", "column_step_mm")

_ENTRIES = {
    "landmarks": (Landmark, ("kind", "level", "position_mm")),
    "levels": (SliceLevel, ("slice_uid", "level", "slice_position")),
    "not_measurable": (NotMeasurable, ("level", "side", "structure", "reason", "note")),
    "grades": (Grade, ("scheme", "level", "side", "value")),
}
"""The lists of a file beside its outlines: what an entry becomes, and its fields."""


def as_document(rois: RoiSet, reading: Reading) -> dict[str, Any]:
    """Return the outlines of one reading as the plain values that stand in its file."""
    return {
        "format": KIND.name,
        "version": KIND.version,
        "frame": "LPS",
        "unit": "mm",
        **asdict(reading),
        "outlines": [_outline_out(roi) for roi in rois],
        **{
            name: [_fields(item, fields) for item in getattr(rois, name)]
            for name, (_, fields) in _ENTRIES.items()
        },
    }


def _outline_out(roi: Roi) -> dict[str, Any]:
    return {
        **_fields(roi.key, _OF_KEY),
        **_fields(roi, _OF_OUTLINE),
        "plane": {**_fields(roi.plane, _OF_PLANE), "shape": list(roi.shape)},
        "paths_mm": [path.tolist() for path in roi.paths_mm],
    }


def _fields(item: object, names: Iterable[str]) -> dict[str, Any]:
    values = ((name, getattr(item, name)) for name in names)
    return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in values}


def read_outlines(path: Path) -> RoiSet:
    """Read an outline file.

    Raises
    ------
    ReadError
        If it is not an outline file, is damaged, or is of a newer version.
    RoiError
        If an outline in it is malformed; names the file and the entry.
    """
    return _rois(read_document(path, KIND))


def from_document(document: object, where: str) -> RoiSet:
    """Read outlines from the plain values of a file; ``where`` names it in errors."""
    return _rois(root_node(document, KIND, where))


def _rois(root: Node) -> RoiSet:
    if (root.get("frame", str), root.get("unit", str)) != ("LPS", "mm"):
        msg = f"{root.where} is not in LPS millimetres, the only frame and unit of outline files."
        raise ReadError(msg)
    by = root.make(
        Reading,
        subject=root.get("subject", str, default=""),
        timepoint=root.get("timepoint", str, default=""),
        rater=root.get("rater", str, default=""),
        reading=root.get("reading", int, default=1),
    )
    entries = {
        name: tuple(
            node.make(kind, **_read(node, fields, _ENTRY_DEFAULTS)) for node in root.nodes(name)
        )
        for name, (kind, fields) in _ENTRIES.items()
    }
    outlines = tuple(_outline_in(node, by) for node in root.nodes("outlines"))
    return root.make(RoiSet, rois=outlines, reading=by, **entries)


def _read(node: Node, fields: Iterable[str], defaults: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: node.numbers(name)
        if _WORDS[name] is list
        else node.get(name, _WORDS[name], default=defaults.get(name))
        for name in fields
    }


def _outline_in(node: Node, by: Reading) -> Roi:
    plane = node.node("plane")
    of_outline = _OF_OUTLINE if node.has("level") else _OF_OUTLINE[1:]
    return node.make(
        Roi,
        key=RoiKey(by, **_read(node, _OF_KEY, _OUTLINE_DEFAULTS)),
        paths_mm=tuple(map(node.as_numbers, node.get("paths_mm", list))),
        plane=plane.make(Plane, **{name: plane.numbers(name) for name in _OF_PLANE}),
        shape=plane.shape("shape"),
        **_read(node, of_outline, _OUTLINE_DEFAULTS),
    )
