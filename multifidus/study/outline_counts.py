"""How many outlines rows are about: the one place that counts them.

A tidy table has many rows an outline: quantities, fat methods, uncertainties of both. Rows of
``side`` ``both`` compare or join two outlines, volumes join many, and what a rater said of a level
as a whole is of none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from multifidus.data.measurement import Quantity

OutlineKey = tuple[str, ...]

_NAMES = ("subject", "timepoint", "rater", "reading", "series", "slice_index", "slice_uid",
          "structure", "side", "name")  # fmt: skip


def outline_key(row: Mapping[str, Any]) -> OutlineKey:
    """Say which outline a row of the tidy table would be about."""
    return tuple("" if row.get(name) is None else str(row[name]).strip() for name in _NAMES)


def outlines_of(rows: Iterable[Mapping[str, Any]]) -> dict[OutlineKey, Mapping[str, Any]]:
    """Return the outlines that rows are about, each with its row of the area.

    An outline is what has an area of its own on a slice; of several rows of one the first is kept.

    Examples
    --------
    >>> area = {"subject": "S1", "slice_index": 3, "side": "left", "quantity": "tcsa_mm2"}
    >>> fat = area | {"quantity": "fi_pct"}
    >>> sides = area | {"quantity": "asymmetry_pct", "side": "both"}
    >>> len(outlines_of([area, fat, sides]))
    1
    """
    found: dict[OutlineKey, Mapping[str, Any]] = {}
    for row in rows:
        key = outline_key(row)
        on_a_slice = key[_NAMES.index("slice_index")] or key[_NAMES.index("slice_uid")]
        if row["quantity"] == Quantity.TCSA_MM2 and on_a_slice:
            found.setdefault(key, row)
    return found
