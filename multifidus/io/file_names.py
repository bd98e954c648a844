"""Whose a file is by its name alone, whatever its format.

Labels are taken as BIDS writes them, from other names as well: a label map is seldom all BIDS.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

from multifidus.data.identity import BidsEntities

_LABEL = re.compile(r"(?:^|_)(sub|ses)-([0-9A-Za-z]+)(?=[_.]|$)")

_DESCRIPTION = "dataset_description.json"

_DERIVED = "derivatives"


def bids_entities(path: Path) -> BidsEntities:
    """Read the labels of subject and session in a file's name, and find their dataset."""
    labels = dict(_LABEL.findall(path.name))
    subject = labels.get("sub", "")
    return BidsEntities(
        subject, labels.get("ses", ""), _dataset(path, subject) if subject else None
    )


def _dataset(path: Path, subject: str) -> Path | None:
    """Return the dataset that has images of a subject and holds a file; None where none does.

    What a pipeline derived may lie anywhere, so that its own folder says nothing.
    """
    for folder in path.absolute().parents:
        if (folder / f"sub-{subject}").is_dir() and _is_of_images(folder):
            return folder.resolve()
    return None


def _is_of_images(folder: Path) -> bool:
    if _DERIVED in {folder.name, folder.parent.name}:
        return False
    with contextlib.suppress(OSError, ValueError, RecursionError):
        said = json.loads((folder / _DESCRIPTION).read_bytes())
        return isinstance(said, dict) and said.get("DatasetType", "raw") == "raw"
    return False
