"""Measurement protocols as TOML files and presets."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multifidus.errors import ProtocolError
from multifidus.io.files import reading
from multifidus.protocol import MeasurementProtocol

PRESETS: Mapping[str, Mapping[str, Any]] = {"default": {}}
"""Protocols by name; what a preset does not set is the default."""


def load_protocol(path_or_preset: str | Path) -> MeasurementProtocol:
    """Return a preset by name, or read a protocol from a TOML file.

    Raises
    ------
    ReadError
        If the file cannot be opened.
    ProtocolError
        If there is no such preset or file, or a setting is unknown or not allowed.
    """
    if path_or_preset in PRESETS:
        return MeasurementProtocol.from_dict(dict(PRESETS[str(path_or_preset)]))
    path = Path(path_or_preset)
    if not path.is_file():
        msg = f"There is no protocol preset or file {str(path_or_preset)!r}."
        raise ProtocolError(msg, remedy=f"Presets are: {', '.join(PRESETS)}.")
    with reading(path, "a protocol"):
        text = path.read_text(encoding="utf-8")
    try:
        return MeasurementProtocol.from_dict(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        msg = f"{path} is not TOML: {error}."
        raise ProtocolError(msg) from error
    except ProtocolError as error:
        raise ProtocolError(f"{path}: {error.message}", remedy=error.remedy) from error


def as_toml(protocol: MeasurementProtocol) -> str:
    """Write a protocol as TOML, ready to be edited and given back; unset settings are left out.

    JSON's strings, numbers and lists of strings are TOML's as well.
    """
    settings = protocol.as_dict()
    lines = [
        f"{name} = {json.dumps(value)}" for name, value in settings.items() if value is not None
    ]
    return "\n".join(lines) + "\n"
