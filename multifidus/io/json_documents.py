"""JSON documents: read with the place of whatever is wrong in them, written atomically."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from multifidus.data.geometry import FARTHEST_MM
from multifidus.data.roi import Reading
from multifidus.errors import MultifidusError, ReadError
from multifidus.io.files import reading, write_atomically

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

OWNER_ONLY = 0o600

LARGEST_BYTES = 256 << 20
"""A file of our own kinds takes hardly a hundredth of it: some 60 bytes a vertex of an outline."""


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of file.

    Parameters
    ----------
    what
        Names it in errors, such as ``a reading list``.
    name
        Stands in the file under ``format``.
    version
        The newest that is known.
    remedy
        What to do where one is damaged.
    """

    what: str
    name: str
    version: int = 1
    remedy: str = "It may be half written: take it from a backup, or export it again."


class Node:
    """A JSON object and where it stands, so that every error can say so.

    Parameters
    ----------
    values
        The object.
    where
        File and place, such as ``a.outlines.json: outlines[3]``.
    remedy
        What to do where it is not as expected.

    Raises
    ------
    ReadError
        If it is no object; every method raises it for what is not as expected.
    """

    __slots__ = ("_remedy", "_values", "where")

    def __init__(self, values: object, where: str, remedy: str = "") -> None:
        if not isinstance(values, Mapping):
            msg = f"{where} must be a JSON object, got {type(values).__name__}."
            raise ReadError(msg, remedy=remedy)
        self._values = values
        self._remedy = remedy
        self.where = where

    def has(self, key: str) -> bool:
        """Whether something stands under a key."""
        return self._values.get(key) not in (None, "")

    def get(self, key: str, kind: type[T], *, default: T | None = None) -> T:
        """Return the value of a key, of one JSON type or one of the words of an enumeration."""
        value = self._values.get(key, default)
        is_word = issubclass(kind, StrEnum)
        if type(value) is not kind and not (is_word and isinstance(value, str)):
            got = "nothing" if value is None else repr(value)[:60]
            msg = f"{self.where}.{key} must be a {'str' if is_word else kind.__name__}, got {got}."
            raise ReadError(msg, remedy=self._remedy)
        try:
            return kind(value) if is_word else value  # type: ignore[call-arg,return-value]
        except ValueError:
            msg = f"{self.where}.{key} is {value!r}."
            raise ReadError(msg, remedy=f"Allowed are: {', '.join(kind)}.") from None  # type: ignore[arg-type]

    def numbers(self, key: str) -> NDArray[np.generic]:
        """Return the array of a key: coordinates in millimetres."""
        return self.as_numbers(self.get(key, list))

    def as_numbers(self, value: object) -> NDArray[np.generic]:
        """Return coordinates in millimetres that stand in this object."""
        try:
            found = np.asarray(value)
        except ValueError:
            found = np.empty(0, dtype=object)
        if found.dtype.kind not in "if":
            msg = f"{self.where} holds {repr(value)[:60]} where numbers are expected."
            raise ReadError(msg, remedy=self._remedy)
        if np.abs(found).max(initial=0) > FARTHEST_MM:
            msg = f"{self.where} has a coordinate of more than {FARTHEST_MM:g} mm."
            raise ReadError(msg, remedy=self._remedy)
        return found

    def shape(self, key: str) -> tuple[int, int]:
        """Return the (rows, columns) of a key."""
        value = self.get(key, list)
        good = len(value) == 2 and all(type(n) is int and n > 0 for n in value)  # noqa: PLR2004
        if not good:
            msg = f"{self.where}.{key} must be [rows, columns], got {value!r}."
            raise ReadError(msg, remedy=self._remedy)
        return value[0], value[1]

    def node(self, key: str) -> Node:
        """Return the object of a key."""
        return Node(self.get(key, dict), f"{self.where}.{key}", self._remedy)

    def named_nodes(self, key: str) -> dict[str, Node]:
        """Return the objects that a key holds by name; none where it is left out."""
        found = Node(self.get(key, dict, default={}), f"{self.where}.{key}", self._remedy)
        return {name: found.node(name) for name in found._values}

    def nodes(self, key: str) -> Sequence[Node]:
        """Return the objects in the list of a key; none where it is left out."""
        entries = self.get(key, list, default=[])
        return [
            Node(entry, f"{self.where}: {key}[{i}]", self._remedy)
            for i, entry in enumerate(entries)
        ]

    def make(self, kind: Callable[..., T], /, **values: Any) -> T:
        """Build a domain object; what it refuses is reported with the place in the file."""
        try:
            return kind(**values)
        except MultifidusError as error:
            msg, remedy = f"{self.where}: {error.message}", error.remedy or self._remedy
            raise type(error)(msg, remedy=remedy) from error

    def reading(self, rater: str | None = None) -> Reading:
        """Return the reading that it names; ``rater`` where it names none."""
        return self.make(
            Reading,
            subject=self.get("subject", str),
            timepoint=self.get("timepoint", str),
            rater=self.get("rater", str, default=rater),
            reading=self.get("reading", int),
        )


def load_json(path: Path, what: str, remedy: str) -> Any:
    """Read the plain values of a JSON file.

    Parameters
    ----------
    path
        The file.
    what
        What it should be, for the error: ``an outline file``.
    remedy
        What to do where it is damaged.

    Raises
    ------
    ReadError
        If it cannot be opened or is no JSON.
    """
    with reading(path, what):
        data = path.read_bytes()
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        msg = f"{path} is not {what}, or damaged: it is no JSON ({error})."
        raise ReadError(msg, remedy=remedy) from error


def load_printed(path: Path, what: str) -> dict[str, Any]:
    """Read the one JSON object that a command printed with ``--json``.

    Raises
    ------
    ReadError
        If the file cannot be opened or holds no JSON object.
    """
    remedy = "Save what the command prints with --json, all of it."
    document = load_json(path, what, remedy)
    if not isinstance(document, dict):
        msg = f"{path} is not {what}: it holds no JSON object."
        raise ReadError(msg, remedy=remedy)
    return document


def number_or_nan(value: Any) -> float:
    """Return a number of a document; NaN for null, which stands for undefined in JSON."""
    return math.nan if value is None else float(value)


def read_document(path: Path, kind: DocumentKind) -> Node:
    """Read a file of one of our own kinds.

    Raises
    ------
    ReadError
        If it is damaged, of another kind, or of a newer version.
    """
    with reading(path, kind.what):
        size = path.stat().st_size
    if size > LARGEST_BYTES:
        msg = f"{path} is too large for {kind.what}: {size} bytes, {LARGEST_BYTES} at most."
        raise ReadError(msg, remedy="Export it again with fewer points.")
    return root_node(load_json(path, kind.what, kind.remedy), kind, str(path))


def root_node(document: object, kind: DocumentKind, where: str) -> Node:
    """Return the plain values of a file, which ``where`` names, if they are of a kind.

    Raises
    ------
    ReadError
        If they are of another kind, or of a newer version.
    """
    root = Node(document, where, kind.remedy)
    found = root.get("format", str, default="")
    if found != kind.name:
        msg = f"{where} is not {kind.what}: its format is {found!r}, not {kind.name!r}."
        raise ReadError(msg, remedy=f"Give {kind.what}.")
    version = root.get("version", int)
    if not 1 <= version <= kind.version:
        msg = f"{where} has version {version}; this software reads up to version {kind.version}."
        raise ReadError(msg, remedy="Update multifidus.")
    return root


def as_text(document: Mapping[str, Any]) -> str:
    """Write one entry of a list a line, so that files stay small and differences readable."""
    lines = []
    for key, value in document.items():
        text = json.dumps(value)
        if isinstance(value, list) and value:
            text = "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_document(
    path: Path,
    kind: DocumentKind,
    values: Mapping[str, Any],
    *,
    private: bool = False,
    overwrite: bool = True,
) -> None:
    """Write a file of one of our own kinds, atomically.

    Parameters
    ----------
    path
        The file.
    kind
        Which it is.
    values
        What it holds, as plain values.
    private
        Whether nobody but its owner may read it.
    overwrite
        Whether it may be replaced if it exists.

    Raises
    ------
    MultifidusError
        If it cannot be written.
    """
    data = as_text({"format": kind.name, "version": kind.version, **values}).encode()
    mode = OWNER_ONLY if private else 0o666
    try:
        write_atomically(path, lambda part: _put(part, data), overwrite=overwrite, mode=mode)
    except OSError as error:
        if isinstance(error, MultifidusError):
            raise
        msg = f"Cannot write {path}: {error.strerror or error}."
        raise MultifidusError(msg, remedy="Choose another folder.") from error


def _put(part: Path, data: bytes) -> None:
    part.write_bytes(data)
