"""JSON documents that commands printed and others read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from multifidus.errors import ReadError
from multifidus.io.files import reading


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Read one JSON object.

    Parameters
    ----------
    path
        Its file.
    what
        What it should be, for the error: ``a study's reliability``.

    Raises
    ------
    ReadError
        If it cannot be opened or is no JSON object.
    """
    with reading(path, what):
        text = path.read_text(encoding="utf-8-sig")
    try:
        document = json.loads(text)
    except ValueError as error:
        msg = f"Cannot read {path} as {what}: it is no JSON ({error})."
        raise ReadError(
            msg, remedy="Save what the command prints with --json, all of it."
        ) from None
    if not isinstance(document, dict):
        msg = f"Cannot read {path} as {what}: it holds no JSON object."
        raise ReadError(msg, remedy="Save what the command prints with --json, all of it.")
    return document


def number_or_nan(value: Any) -> float:
    """Return a number of a document; NaN for null, which stands for undefined in JSON."""
    return math.nan if value is None else float(value)
