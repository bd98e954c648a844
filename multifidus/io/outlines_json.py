"""The outline file of multifidus: ``*.outlines.json``, one exam x rater x reading.

Lossless: what is written is read back equal, to the last bit of every coordinate. The format is
described by ``outlines.schema.json`` beside this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.geometry import FARTHEST_MM, Plane
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Reading, Roi, RoiKey, Source
from multifidus.data.roi_set import Grade, NotMeasurable, Reason, RoiSet, SliceLevel
from multifidus.errors import MultifidusError, ReadError, RoiError
from multifidus.io.files import reading, write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "multifidus-outlines"
VERSION = 1
SUFFIX = ".outlines.json"
JOURNAL_SUFFIX = ".journal.json"
"""Of the file beside an outline file that holds what is no outline yet."""

T = TypeVar("T")


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
    write_text(path, _as_text(document), overwrite=overwrite)


def _as_text(document: dict[str, Any]) -> str:
    """Write one entry a line, so that files stay small and differences readable."""
    lines = []
    for key, value in document.items():
        text = json.dumps(value)
        if isinstance(value, list) and value:
            text = "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def as_document(rois: RoiSet, reading: Reading) -> dict[str, Any]:
    """Return the outlines of one reading as the plain values that stand in its file."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "frame": "LPS",
        "unit": "mm",
        "subject": reading.subject,
        "timepoint": reading.timepoint,
        "rater": reading.rater,
        "reading": reading.reading,
        "outlines": [_outline_out(roi) for roi in rois],
        "landmarks": [
            {"kind": mark.kind, "level": mark.level, "position_mm": mark.position_mm.tolist()}
            for mark in rois.landmarks
        ],
        "levels": [
            {
                "slice_uid": typed.slice_uid,
                "level": typed.level,
                "slice_position": typed.slice_position,
            }
            for typed in rois.levels
        ],
        "not_measurable": [
            {
                "level": gap.level,
                "side": gap.side,
                "structure": gap.structure,
                "reason": gap.reason,
                "note": gap.note,
            }
            for gap in rois.not_measurable
        ],
        "grades": [
            {"scheme": grade.scheme, "level": grade.level, "side": grade.side, "value": grade.value}
            for grade in rois.grades
        ],
    }


def _outline_out(roi: Roi) -> dict[str, Any]:
    return {
        "structure": roi.key.structure,
        "side": roi.key.side,
        "name": roi.key.name,
        "slice_uid": roi.key.slice_uid,
        "level": roi.level,
        "slice_position": roi.slice_position,
        "roi_rule": roi.roi_rule,
        "source": roi.source,
        "plane": {
            "origin_mm": roi.plane.origin_mm.tolist(),
            "row_step_mm": roi.plane.row_step_mm.tolist(),
            "column_step_mm": roi.plane.column_step_mm.tolist(),
            "shape": list(roi.shape),
        },
        "paths_mm": [path.tolist() for path in roi.paths_mm],
    }


def read_outlines(path: Path) -> RoiSet:
    """Read an outline file.

    Raises
    ------
    ReadError
        If it is not an outline file, is damaged, or is of a newer version.
    RoiError
        If an outline in it is malformed; names the file and the entry.
    """
    with reading(path, "an outline file"):
        data = path.read_bytes()
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        msg = f"{path} is not a readable outline file: {error}."
        raise ReadError(
            msg, remedy="It may be half written; look for a backup, or export it again."
        ) from error
    return from_document(document, str(path))


def from_document(document: object, where: str) -> RoiSet:
    """Read outlines from the plain values of a file; ``where`` names it in errors."""
    root = _Node(document, where)
    found = root.get("format", str, default="")
    if found != FORMAT:
        msg = f"{where} is not an outline file: its format is {found!r}, not {FORMAT!r}."
        raise ReadError(msg)
    version = root.get("version", int)
    if not 1 <= version <= VERSION:
        msg = f"{where} has version {version}; this software reads up to version {VERSION}."
        raise ReadError(msg, remedy="Update multifidus.")
    if (root.get("frame", str), root.get("unit", str)) != ("LPS", "mm"):
        msg = f"{where} is not in LPS millimetres, the only frame and unit of outline files."
        raise ReadError(msg)
    by = root.make(
        Reading,
        subject=root.get("subject", str, default=""),
        timepoint=root.get("timepoint", str, default=""),
        rater=root.get("rater", str, default=""),
        reading=root.get("reading", int, default=1),
    )
    return root.make(
        RoiSet,
        rois=tuple(_outline_in(node, by) for node in root.nodes("outlines")),
        landmarks=tuple(
            node.make(
                Landmark,
                kind=node.choice("kind", LandmarkKind),
                level=node.choice("level", Level),
                position_mm=node.numbers("position_mm"),
            )
            for node in root.nodes("landmarks")
        ),
        levels=tuple(
            SliceLevel(
                node.get("slice_uid", str),
                node.choice("level", Level),
                node.choice("slice_position", SlicePosition, default="unknown"),
            )
            for node in root.nodes("levels")
        ),
        not_measurable=tuple(
            NotMeasurable(
                node.choice("level", Level),
                node.choice("side", Side),
                node.choice("structure", Structure),
                node.choice("reason", Reason),
                node.get("note", str, default=""),
            )
            for node in root.nodes("not_measurable")
        ),
        grades=tuple(
            node.make(
                Grade,
                scheme=node.get("scheme", str),
                level=node.choice("level", Level),
                side=node.choice("side", Side),
                value=node.get("value", int),
            )
            for node in root.nodes("grades")
        ),
        reading=by,
    )


def _outline_in(node: _Node, by: Reading) -> Roi:
    plane = _Node(node.get("plane", dict), f"{node.where}.plane")
    return node.make(
        Roi,
        key=RoiKey(
            by,
            node.get("slice_uid", str, default=""),
            node.choice("structure", Structure),
            node.choice("side", Side, default="none"),
            node.get("name", str, default=""),
        ),
        paths_mm=tuple(map(node.as_numbers, node.get("paths_mm", list))),
        plane=plane.make(
            Plane,
            origin_mm=plane.numbers("origin_mm"),
            row_step_mm=plane.numbers("row_step_mm"),
            column_step_mm=plane.numbers("column_step_mm"),
        ),
        shape=plane.shape("shape"),
        level=node.choice("level", Level) if node.has("level") else None,
        slice_position=node.choice("slice_position", SlicePosition, default="unknown"),
        roi_rule=node.choice("roi_rule", RoiRule, default="unknown"),
        source=node.choice("source", Source, default="imported"),
    )


class _Node:
    """A JSON object and where it stands, so that every error can say so."""

    __slots__ = ("_values", "where")

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            msg = f"{where} must be a JSON object, got {type(values).__name__}."
            raise ReadError(msg)
        self._values = values
        self.where = where

    def has(self, key: str) -> bool:
        return self._values.get(key) not in (None, "")

    def get(self, key: str, kind: type[T], *, default: T | None = None) -> T:
        value = self._values.get(key, default)
        if not isinstance(value, kind) or isinstance(value, bool):
            got = "nothing" if value is None else repr(value)[:60]
            msg = f"{self.where}.{key} must be a {kind.__name__}, got {got}."
            raise ReadError(msg)
        return value

    def choice(self, key: str, kind: Callable[[str], T], *, default: str | None = None) -> T:
        value = self.get(key, str, default=default)
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(map(str, kind))  # type: ignore[call-overload]
            msg = f"{self.where}.{key} is {value!r}."
            raise ReadError(msg, remedy=f"Allowed are: {allowed}.") from None

    def numbers(self, key: str) -> NDArray[np.generic]:
        return self.as_numbers(self.get(key, list))

    def as_numbers(self, value: object) -> NDArray[np.generic]:
        try:
            found = np.asarray(value)
        except ValueError:
            found = np.empty(0, dtype=object)
        if found.dtype.kind not in "if":
            msg = f"{self.where} holds {repr(value)[:60]} where numbers are expected."
            raise ReadError(msg)
        if np.abs(found).max(initial=0) > FARTHEST_MM:
            msg = f"{self.where} has a coordinate of more than {FARTHEST_MM:g} mm."
            raise ReadError(msg)
        return found

    def shape(self, key: str) -> tuple[int, int]:
        value = self.get(key, list)
        good = len(value) == 2 and all(type(n) is int and n > 0 for n in value)  # noqa: PLR2004
        if not good:
            msg = f"{self.where}.{key} must be [rows, columns], got {value!r}."
            raise ReadError(msg)
        return value[0], value[1]

    def nodes(self, key: str) -> Sequence[_Node]:
        entries = self.get(key, list, default=[])
        return [_Node(entry, f"{self.where}: {key}[{i}]") for i, entry in enumerate(entries)]

    def make(self, kind: Callable[..., T], /, **values: Any) -> T:
        """Build a domain object; whatever it refuses is said with the place in the file."""
        try:
            return kind(**values)
        except MultifidusError as error:
            raise type(error)(f"{self.where}: {error.message}", remedy=error.remedy) from error
