"""Names that label maps give to structures, such as ``multifidus_left`` or ``MF_L``.

A name is understood where it says one structure and one side and nothing else. Others are never
guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from multifidus.data.anatomy import MUSCLES, Side, Structure
from multifidus.errors import ReadError
from multifidus.io.table_reader import ExpectedTable, read_table

LabelMeaning = tuple[Structure, Side]

_STRUCTURES: Mapping[Structure, str] = {
    Structure.MULTIFIDUS: "multifidus multifidi mf",
    Structure.ERECTOR_SPINAE: "erector_spinae erectorspinae es",
    Structure.PSOAS: "psoas psoas_major",
    Structure.QUADRATUS_LUMBORUM: "quadratus_lumborum quadratuslumborum ql",
    Structure.AUTOCHTHONOUS: "autochthonous autochthon autochthonous_back",
    Structure.VERTEBRAL_BODY: "vertebral_body",
    Structure.DISC: "disc disk intervertebral_disc intervertebral_disk",
    Structure.LEAN_REFERENCE: "lean_reference",
    Structure.FAT_REFERENCE: "fat_reference",
    Structure.SUBCUTANEOUS_FAT: "subcutaneous_fat subcutaneous_adipose_tissue",
    Structure.CSF: "csf cerebrospinal_fluid",
    Structure.ARTEFACT: "artefact artifact",
}

_BY_NAME = {name: known for known, names in _STRUCTURES.items() for name in names.split()}

_SIDES = {
    **dict.fromkeys(("left", "l", "lt", "sinister"), Side.LEFT),
    **dict.fromkeys(("right", "r", "rt", "dexter"), Side.RIGHT),
}

_MIDLINE = {Structure.VERTEBRAL_BODY, Structure.DISC, Structure.CSF}

_SAY_NOTHING = {"muscle", "muscles", "musculus", "m", "lumbar"}

_MULTIFIDUS = frozenset(_STRUCTURES[Structure.MULTIFIDUS].split())
"""What is called so and not understood is refused, for it must not be lost unsaid."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W_]+")

_INLINE = re.compile(r"(\d+)=([^=,;]+)")

INDEX, NAME = "index", "name"
"""The columns that BIDS gives a table of label names."""


def structure_of(name: str) -> LabelMeaning | None:
    """Say which structure and side a name means; None where it means none for certain.

    Raises
    ------
    ValueError
        If it names a muscle without one side, or the multifidus and something else.

    Examples
    --------
    >>> structure_of("MF_L")
    (<Structure.MULTIFIDUS: 'multifidus'>, <Side.LEFT: 'left'>)
    """
    words = [word.lower() for word in _WORD.findall(name)]
    sides = {_SIDES[word] for word in words if word in _SIDES}
    rest = [word for word in words if word not in _SIDES and word not in _SAY_NOTHING]
    structure = _BY_NAME.get("_".join(rest))
    is_muscle = structure in MUSCLES
    if (is_muscle and len(sides) != 1) or (structure is None and _MULTIFIDUS & set(words)):
        msg = f"the name {name!r} does not say one muscle and one side"
        raise ValueError(msg)
    if structure is None or len(sides) > 1 or (sides and structure in _MIDLINE):
        return None
    return structure, next(iter(sides), Side.NONE)


def named_scheme(rows: Iterable[Mapping[str, str]]) -> dict[int, LabelMeaning]:
    """Return what the numbers of a BIDS table of label names mean; other names are left out.

    Raises
    ------
    ValueError
        If a number or a structure stands there twice, a name is ambiguous, or none is known.
    """
    found: dict[int, LabelMeaning] = {}
    seen: set[int] = set()
    for row in rows:
        value = int(str(row[INDEX]))
        if value in seen:
            msg = f"the index {value} stands there twice"
            raise ValueError(msg)
        seen.add(value)
        known = structure_of(str(row[NAME]))
        if value == 0 or known is None:  # 0 is what is outside of everything
            continue
        if known in found.values():
            msg = f"two numbers are called {known[0]} {known[1]}"
            raise ValueError(msg)
        found[value] = known
    if not found:
        msg = "none of its names is a structure that is measured"
        raise ValueError(msg)
    return found


def inline_scheme(text: str) -> dict[int, LabelMeaning] | None:
    """Read a scheme that is no file, such as ``1=multifidus left``; None where it is none.

    Raises
    ------
    ReadError
        If a name is not understood.
    """
    parts = [_INLINE.fullmatch(part.strip()) for part in text.split(",")]
    if not all(parts):
        return None
    rows = [{INDEX: part[1], NAME: part[2]} for part in parts if part]
    try:
        found = named_scheme(rows)
    except ValueError as error:
        msg = f"The labels {text!r} are not understood: {error}."
        raise ReadError(
            msg, remedy="Write them as 1=multifidus left, 2=multifidus right."
        ) from error
    if len(found) < len(rows):
        msg = f"The labels {text!r} are not understood."
        raise ReadError(msg, remedy="Write them as 1=multifidus left, 2=multifidus right.")
    return found


def is_bids_table(columns: Collection[str]) -> bool:
    """Whether a table of these columns names labels as BIDS does."""
    return INDEX in columns and "value" not in columns


def numbers_in(scheme: str) -> frozenset[int]:
    """Return the numbers that a BIDS table names, whatever they are; none of another scheme.

    Raises
    ------
    ReadError
        If it is a table that cannot be read.
    """
    path = Path(scheme)
    if inline_scheme(scheme) is not None or path.suffix == ".toml":
        return frozenset()
    table = read_table(path, ExpectedTable("a table of label names", known=(INDEX, NAME, "value")))
    return frozenset(int(row[INDEX]) for row in table.rows if is_bids_table(table.header))


def names_left_out(path: Path) -> list[str]:
    """Return the names in a BIDS table that are of no structure that is measured.

    Another table leaves none out.

    Raises
    ------
    ReadError
        If it cannot be read, or is no such table.
    """
    table = read_table(path, ExpectedTable("a table of label names", known=(INDEX, NAME, "value")))
    if not is_bids_table(table.header):
        return []
    rows = table.rows
    try:
        known = named_scheme(rows)
        return [row[NAME] for row in rows if int(row[INDEX]) not in {0, *known}]
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path} is not a table of index and name: {error}."
        remedy = "Name each muscle by structure and side, such as multifidus_left."
        raise ReadError(msg, remedy=remedy) from error
