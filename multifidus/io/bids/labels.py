"""Label maps among the derivatives of a BIDS dataset: whose they are, what their numbers mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from multifidus.errors import ReadError
from multifidus.io.bids.names import bids_name
from multifidus.io.label_names import inline_scheme, names_left_out

SEGMENTED, MASKED = "dseg", "mask"

_LABEL_MAP = re.compile(r"_(dseg|mask)\.nii(\.gz)?$")

_ENTITY = re.compile(r"([a-z]+)-([0-9A-Za-z+]+)$")

_VARIANTS = {"desc", "space", "res", "den"}
"""Entities that tell versions of one label map apart, of which one can be meant."""

_TABLE = f"{SEGMENTED}.tsv"


@dataclass(frozen=True, slots=True)
class LabelMap:
    """A label map, and whose it is.

    Parameters
    ----------
    path
        Its file.
    dataset
        The dataset among whose derivatives it is.
    pipeline
        The folder of derivatives; empty where there is none.
    entities
        Of its name.
    """

    path: Path
    dataset: Path
    pipeline: str
    entities: dict[str, str] = field(compare=False)

    @property
    def subject(self) -> str:
        """Label of the subject."""
        return self.entities["sub"]

    @property
    def session(self) -> str:
        """Label of the session; empty where there is none."""
        return self.entities.get("ses", "")

    @property
    def kind(self) -> str:
        """Its suffix: one of ``SEGMENTED`` and ``MASKED``."""
        return bids_name(self.path).suffix

    @property
    def image(self) -> frozenset[tuple[str, str]]:
        """What versions of one label map have in common."""
        return frozenset(pair for pair in self.entities.items() if pair[0] not in _VARIANTS)


def label_maps(dataset: Path) -> list[LabelMap]:
    """Find the label maps among the derivatives of a dataset, in order of their paths."""
    derived = dataset / "derivatives"
    found = []
    for path in sorted(derived.rglob("*.nii*")) if derived.is_dir() else ():
        entities = _entities(path.name)
        if _LABEL_MAP.search(path.name) and "sub" in entities:
            first = path.relative_to(derived).parts[0]
            pipeline = "" if first in {path.name, f"sub-{entities['sub']}"} else first
            found.append(LabelMap(path, dataset, pipeline, entities))
    return found


def _entities(name: str) -> dict[str, str]:
    parts = name.split(".", maxsplit=1)[0].split("_")
    return dict(pair.groups() for part in parts if (pair := _ENTITY.fullmatch(part)))  # type: ignore[misc]


def label_table(found: LabelMap) -> Path | None:
    """Return the table that says what a label map's numbers mean; None where there is none.

    It lies beside it or in a folder above, up to the dataset, and its name has no entity that the
    label map's lacks. The nearest counts.

    Raises
    ------
    ReadError
        If several in one folder could be meant.
    """
    own = set(found.entities.items())
    for folder in found.path.parents:
        tables = [
            path
            for path in sorted(folder.glob(f"*{_TABLE}"))
            if path.name == _TABLE or path.name.endswith(f"_{_TABLE}")
            if set(_entities(path.name).items()) <= own
        ]
        exact = [path for path in tables if set(_entities(path.name).items()) == own]
        if len(exact or tables) > 1:
            msg = f"Several tables in {folder} could say what {found.path.name} means."
            raise ReadError(msg, remedy="Keep one of them, or name the label scheme yourself.")
        if tables:
            return (exact or tables)[0]
        if folder == found.dataset:
            break
    return None


def mask_scheme(found: LabelMap) -> str:
    """Write out what a mask is of, by the label and hemisphere of its name; empty if unsaid."""
    if found.kind != MASKED or "label" not in found.entities:
        return ""
    text = f"1={found.entities['label']} {found.entities.get('hemi', '')}".rstrip()
    try:
        return text if inline_scheme(text) else ""
    except ReadError:
        return ""


def problems_of(table: Path) -> Iterator[str]:
    """Say what in a table of label names is not measured, or why it cannot be used."""
    try:
        names = names_left_out(table)
    except ReadError as error:
        yield f"{table.name} is no label scheme: {error.message.partition(': ')[2]}"
        return
    if names:
        some = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")  # noqa: PLR2004
        yield f"{len(names)} names in {table.name} are of nothing that is measured: {some}."
