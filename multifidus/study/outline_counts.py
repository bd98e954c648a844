"""How many outlines rows are about: the one place that counts them.

A tidy table has many rows an outline: quantities, fat methods, uncertainties of both. Rows of
``side`` ``both`` compare or join two outlines, volumes join many, and what a rater recorded for a
whole level is of none.
"""

from __future__ import annotations

from collections.abc import Iterable

from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.roi import RoiKey

OutlineKey = tuple[RoiKey, str, int | None]
"""Key of an outline, its series and the place of its slice there."""


def outline_key(row: Measurement) -> OutlineKey:
    """Return which outline a row would be about."""
    return row.key, row.provenance.series, row.provenance.slice_index


def outlines_of(rows: Iterable[Measurement]) -> dict[OutlineKey, Measurement]:
    """Return the outlines that rows are about, each with its row of the area.

    An outline is what has an area of its own on a slice; of several rows of one the first is kept.
    """
    found: dict[OutlineKey, Measurement] = {}
    for row in rows:
        on_a_slice = row.provenance.slice_index is not None or row.key.slice_uid
        if row.quantity == Quantity.TCSA_MM2 and on_a_slice:
            found.setdefault(outline_key(row), row)
    return found
