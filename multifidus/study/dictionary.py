"""``dictionary.json``: what every column, quantity and flag of the tables means."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from multifidus.data.columns import (
    ACQUISITION_COLUMNS,
    COLUMNS,
    FAILURE_COLUMNS,
    MISSING_COLUMNS,
    MUSCLE_COLUMNS,
    OWN_COLUMN,
    SUMMARY_COLUMNS,
    SUMMARY_KEYS,
    UNCERTAINTY,
)
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import NOTHING
from multifidus.data.measurement import Quantity
from multifidus.io.files import write_text
from multifidus.study.level_value import OF_MANY_SLICES
from multifidus.study.missing import Absence
from multifidus.version import VERSION

_LAST = {"flags": "Flags of any of these values.", "name": COLUMNS["name"]}

_FIXED = {**{name: COLUMNS[name] for name in SUMMARY_KEYS}, **SUMMARY_COLUMNS, **_LAST}
"""Columns that the wide table has in every study."""


def tidy_meanings(own: Iterable[str]) -> dict[str, str]:
    """Explain the tidy table's columns, the study's own at the end."""
    return {**COLUMNS, **dict.fromkeys(own, OWN_COLUMN)}


def summary_meanings(columns: Iterable[str], own: Collection[str] = ()) -> dict[str, str]:
    """Explain columns of the wide table.

    Parameters
    ----------
    columns
        Names, in order.
    own
        Those among them that are the study's own.
    """
    return {
        name: OWN_COLUMN if name in own else _FIXED.get(name) or _quantity_meaning(name)
        for name in columns
    }


def _quantity_meaning(column: str) -> str:
    value = column.removesuffix(UNCERTAINTY)
    # The longest: some names of quantities end in another one's.
    quantity = max((q for q in Quantity if f"_{value}".endswith(f"_{q}")), key=len)
    unit = "" if quantity.is_grade else f", {quantity.unit}"
    if value != column:
        return (
            f"Standard uncertainty of {value}{unit}. Errors of one rater's slices are taken to go "
            "together: the mean of the slices' uncertainties, or that of the slice with the "
            "largest value."
        )
    method = value.removesuffix(quantity).strip("_")
    kind = "scheme" if quantity is Quantity.VISUAL_GRADE else "fat method"
    by = f", {kind} {method}" if method else ""
    return f"{quantity.definition} Here{unit}{by}: {_of_slices(quantity)}"


def _of_slices(quantity: Quantity) -> str:
    if quantity in OF_MANY_SLICES:
        return "of all slices of the level together."
    if quantity.is_grade:
        return "of slices that agree; NaN where they do not, or one is undefined."
    return "mean or max over these slices (level_value); NaN where one of them is undefined."


def dictionary(further: Mapping[str, Mapping[str, str]] = NOTHING) -> dict[str, Any]:
    """Explain every column, quantity and flag of the tables.

    Parameters
    ----------
    further
        Columns of tables that are not the same in every study, by file: in place of those that
        every study has.
    """
    return {
        "software": "multifidus",
        "version": VERSION,
        "measurements.csv": dict(COLUMNS),
        "summary.csv": summary_meanings((*SUMMARY_KEYS, *SUMMARY_COLUMNS, *_LAST)),
        "failures.csv": dict(FAILURE_COLUMNS),
        "missing.csv": dict(MISSING_COLUMNS),
        "muscles.csv": dict(MUSCLE_COLUMNS),
        "acquisitions.csv": dict(ACQUISITION_COLUMNS),
        **{name: dict(columns) for name, columns in further.items()},
        "reasons": {absence.value: absence.meaning for absence in Absence},
        "quantities": {
            quantity.value: {
                "unit": quantity.unit,
                "definition": quantity.definition,
                "source": quantity.source,
            }
            for quantity in Quantity
        },
        "flags": {flag.value: flag.meaning for flag in Flag},
    }


def write_dictionary(
    path: Path,
    further: Mapping[str, Mapping[str, str]] = NOTHING,
    *,
    overwrite: bool = False,
) -> None:
    """Write the dictionary as JSON."""
    write_text(path, json.dumps(dictionary(further), indent=1) + "\n", overwrite=overwrite)
