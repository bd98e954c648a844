"""Check CITATION.cff: its form, and that it names the version and licence of the package."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from multifidus.version import VERSION

REPOSITORY = Path(__file__).resolve().parent.parent

TEXT = {"type": "string", "minLength": 1}
ENTITY = {
    "type": "object",
    "properties": {"name": TEXT},
    "required": ["name"],
    "additionalProperties": False,
}
PERSON = {
    "type": "object",
    "properties": {
        "family-names": TEXT,
        "given-names": TEXT,
        "affiliation": TEXT,
        "orcid": {"type": "string", "pattern": r"^https://orcid\.org/(\d{4}-){3}\d{3}[\dX]$"},
    },
    "required": ["family-names", "given-names"],
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {
        "cff-version": {"const": "1.2.0"},
        "message": TEXT,
        "type": {"const": "software"},
        "title": TEXT,
        "abstract": TEXT,
        "authors": {"type": "array", "minItems": 1, "items": {"anyOf": [PERSON, ENTITY]}},
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "date-released": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "doi": {"type": "string", "pattern": r"^10\.\d{4,9}/\S+$"},
        "license": TEXT,
        "keywords": {"type": "array", "minItems": 1, "items": TEXT, "uniqueItems": True},
    },
    "required": ["cff-version", "message", "title", "authors", "version", "license"],
    "additionalProperties": False,
}
"""The part of the Citation File Format 1.2.0 that this project uses."""


def problems(citation: dict[str, Any], expected: dict[str, str]) -> list[str]:
    """Return what is wrong, one sentence each."""
    found = [
        f"{'/'.join(map(str, error.path)) or 'CITATION.cff'}: {error.message}"
        for error in Draft202012Validator(SCHEMA).iter_errors(citation)
    ]
    found += [
        f"{key}: {citation.get(key)!r}, but the package says {value!r}"
        for key, value in expected.items()
        if citation.get(key) != value
    ]
    return found


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    found = problems(citation, {"version": VERSION, "license": project["license"]})
    for problem in found:
        print(f"CITATION.cff: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
