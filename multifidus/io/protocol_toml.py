"""Measurement protocols as TOML files, and presets named after published methods."""

from __future__ import annotations

import inspect
import json
import textwrap
import tomllib
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from pathlib import Path

from multifidus.data.protocol import MeasurementProtocol, digest_of
from multifidus.errors import ProtocolError
from multifidus.io.files import reading

DEFAULT = "default"

SETTINGS_OF_0_1 = frozenset(
    {
        "fat_methods", "fixed_threshold", "reference_weight", "minimal_separation",
        "minimal_coverage", "minimal_contrast", "maximal_disagreement_pct",
        "lean_sd_multiple", "minimal_points", "propose_references", "bias_correction",
        "tracing_sd_mm", "tracing_correlation_mm", "tracing_offset_mm", "placement_sd_mm",
        "threshold_resamples", "minimal_valid_fraction", "oedema_weeks", "regional_fat",
        "tilt_axis", "tilt_vector", "tilt_limit_deg", "slice_selection", "band_mm",
        "level_value",
    }
)  # fmt: skip
"""What a protocol of version 0.1 consisted of. Its digests are known by these for good."""

_WIDTH = 98
"""Columns of a comment in a protocol file."""


@cache
def preset_texts() -> dict[str, str]:
    """Return the presets' files by their names, the default first.

    A name that ends in ``_like`` follows its source as far as that is published; the file says
    what is not.
    """
    folder = files("multifidus.io") / "presets"
    found = {
        item.name.removesuffix(".toml"): item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".toml")
    }
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def about_preset(name: str) -> list[str]:
    """Return what a preset's file says of itself, line by line: what it does, and its source."""
    lines = preset_texts()[name].splitlines()
    return [line.removeprefix("#").strip() for line in lines if line.startswith("#")]


def load_protocol(path_or_preset: str | Path) -> MeasurementProtocol:
    """Return a preset by name, or read a protocol from a TOML file; the rest is the default.

    Raises
    ------
    ReadError
        If the file cannot be opened.
    ProtocolError
        If there is no such preset or file, or a setting is unknown or not allowed.
    """
    presets = preset_texts()
    if path_or_preset in presets:
        return MeasurementProtocol.from_dict(tomllib.loads(presets[str(path_or_preset)]))
    path = Path(path_or_preset)
    if not path.is_file():
        msg = f"There is no protocol preset or file {str(path_or_preset)!r}."
        raise ProtocolError(msg, remedy=f"Presets are: {', '.join(presets)}.")
    with reading(path, "a protocol"):
        # Some editors begin files with a byte order mark.
        text = path.read_text(encoding="utf-8-sig")
    try:
        return MeasurementProtocol.from_dict(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        msg = f"{path} is not TOML: {error}."
        raise ProtocolError(msg) from error
    except ProtocolError as error:
        raise ProtocolError(f"{path}: {error.message}", remedy=error.remedy) from error


def digests_of(protocol: MeasurementProtocol) -> frozenset[str]:
    """Return the digests that a table measured by a protocol may have: of this version, and of 0.1.

    A protocol of 0.1 is one that leaves all settings that were added since at their defaults.
    """
    settings, usual = protocol.as_dict(), MeasurementProtocol().as_dict()
    later = settings.keys() - SETTINGS_OF_0_1
    if any(settings[name] != usual[name] for name in later):
        return frozenset({protocol.digest})
    of_0_1 = {name: settings[name] for name in settings.keys() & SETTINGS_OF_0_1}
    return frozenset({protocol.digest, digest_of(of_0_1)})


def protocol_of_table(
    digests: Collection[str], beside: Path, named: str | Path | None = None
) -> MeasurementProtocol | None:
    """Find the protocol that a table was measured by.

    Parameters
    ----------
    digests
        What the table's rows say of it; empty where they say nothing.
    beside
        The file that a results folder keeps it in.
    named
        A preset or file that somebody chose instead; it is taken as it is.

    Returns
    -------
    MeasurementProtocol or None
        The named one; else the one beside the table, or the preset, whose digest the rows have.
        None where there is none such.

    Raises
    ------
    ProtocolError
        If there is no such preset or file, or a file beside the table is of another protocol.
    """
    if named is not None:
        return load_protocol(named)
    if beside.is_file():
        found = load_protocol(beside)
        if not digests_of(found).issuperset(digests):
            msg = (
                f"{beside} is protocol {found.digest}; the table was measured by {_words(digests)}."
            )
            raise ProtocolError(msg, remedy="Name the table's protocol: --protocol FILE or PRESET.")
        return found
    presets = (load_protocol(name) for name in preset_texts())
    return next((one for one in presets if digests and digests_of(one) >= set(digests)), None)


def _words(digests: Collection[str]) -> str:
    return ", ".join(sorted(digests))


def as_toml(protocol: MeasurementProtocol) -> str:
    """Write a protocol as TOML, ready to be edited and given back; unset settings are left out.

    JSON's strings, numbers, truth values and lists of strings are TOML's as well.
    """
    return "".join(f"{line}\n" for line in _settings(protocol).values())


def as_explained_toml(protocol: MeasurementProtocol) -> str:
    """Write a protocol as TOML with each setting's meaning above it; unset ones as comments."""
    lines = _settings(protocol)
    meanings = setting_meanings()
    blocks = [
        textwrap.fill(meanings.get(name, ""), _WIDTH, initial_indent="# ", subsequent_indent="# ")
        + f"\n{lines.get(name, f'# {name} =')}\n"
        for name in protocol.as_dict()
    ]
    return "\n".join(blocks)


def setting_meanings() -> dict[str, str]:
    """Say what each setting means, as the documentation of the protocol does."""
    meanings: dict[str, list[str]] = {}
    names: list[str] = []
    for line in inspect.getdoc(MeasurementProtocol).splitlines():  # type: ignore[union-attr]
        if line.startswith("    ") and names:
            for name in names:
                meanings[name].append(line.strip())
        elif all(part.isidentifier() for part in line.split(", ")):
            names = line.split(", ")
            meanings.update({name: [] for name in names})
    known = MeasurementProtocol().as_dict()
    return {name: " ".join(found) for name, found in meanings.items() if name in known}


def changed_settings(protocol: MeasurementProtocol) -> list[str]:
    """Return the lines of a protocol's TOML that differ from the default's."""
    usual = _settings(MeasurementProtocol())
    return [line for name, line in _settings(protocol).items() if usual.get(name) != line]


def _settings(protocol: MeasurementProtocol) -> dict[str, str]:
    return {
        name: f"{name} = {json.dumps(value)}"
        for name, value in protocol.as_dict().items()
        if value is not None
    }
