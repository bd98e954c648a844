"""``provenance.json``: by what command, of which files, with what and when results were made."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from multifidus.io.files import write_atomically
from multifidus.study.results_folder import PROVENANCE
from multifidus.study.run.content import RunSettings
from multifidus.study.run.study import Study

PACKAGES = ("numpy", "scipy", "scikit-image", "shapely", "pydicom", "nibabel", "pillow")
"""What numbers and pictures depend on beside this software."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run beside its cases.

    Parameters
    ----------
    command
        Words of the command line, files by their names alone; empty for a call from Python.
    cohort
        Name of the cohort table.
    cohort_sha256
        Its hash.
    started, ended
        When, by the clock of the machine, as ISO 8601.
    review
        Name and hash of the table of verdicts that the tables follow; None where there is none.
    shards
        How each share was run, where it was measured in several.
    """

    command: tuple[str, ...]
    cohort: str
    cohort_sha256: str
    started: str
    ended: str
    review: Mapping[str, str] | None = None
    shards: tuple[Mapping[str, Any], ...] = ()


def write_provenance(study: Study, folder: Path, settings: RunSettings, facts: RunFacts) -> None:
    """Write where every row of the results comes from, case by case."""
    head: dict[str, Any] = {
        "software": "multifidus",
        "version": settings.version,
        "command": list(facts.command),
        "cohort": {
            "file": facts.cohort,
            "sha256": facts.cohort_sha256,
            "cases": len(study.cases) + len(study.absent),
            "not_measured": len(study.absent),
        },
        "protocol": {"digest": settings.protocol.digest, **settings.protocol.as_dict()},
        "contrasts_sha256": settings.contrasts,
        "review": facts.review,
        "started": facts.started,
        "ended": facts.ended,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }

    if facts.shards:
        head["shards"] = [dict(shard) for shard in facts.shards]

    def texts() -> Iterator[str]:
        yield json.dumps(head, indent=1).removesuffix("\n}") + ',\n "cases": [\n'
        for place, (record, _) in enumerate(study.cases):
            yield (",\n" if place else "") + "  " + json.dumps(_case(record))
        yield "\n ]\n}\n"

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.writelines(texts())

    write_atomically(folder / PROVENANCE, write, overwrite=True)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _case(record: Any) -> dict[str, Any]:
    by, facts = record.reading, record.facts
    files = facts.get("files", {})
    return {
        "subject": by.subject,
        "timepoint": by.timepoint,
        "rater": by.rater,
        "reading": by.reading,
        "readings": [{"rater": found.rater, "reading": found.reading} for found in record.readings],
        "measured": record.failure is None,
        "rows": record.n_rows,
        "files": files,
        "outlines": [
            name.removeprefix("outlines ") for name in files if name.startswith("outlines ")
        ],
        "key": facts.get("key"),
        "started": facts.get("started"),
        "seconds": facts.get("seconds"),
    }
