"""``dictionary.json``: what every column, quantity and flag of the tables means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from multifidus.data.columns import (
    ACQUISITION_COLUMNS,
    COLUMNS,
    MISSING_COLUMNS,
    MUSCLE_COLUMNS,
    SUMMARY_COLUMNS,
    SUMMARY_KEYS,
)
from multifidus.data.flags import Flag
from multifidus.data.measurement import Quantity
from multifidus.io.files import write_text
from multifidus.study.missing import Absence
from multifidus.version import VERSION


def dictionary(further: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> dict[str, Any]:
    """Explain every column, quantity and flag of the tables.

    Parameters
    ----------
    further
        Columns of further tables, by file.
    """
    return {
        "software": "multifidus",
        "version": VERSION,
        "measurements.csv": dict(COLUMNS),
        "summary.csv": {
            **{name: COLUMNS[name] for name in SUMMARY_KEYS},
            **SUMMARY_COLUMNS,
            "other columns": "A quantity's mean or max over these slices, the fat method in front "
            "where there is one; NaN where a slice's value is undefined. Grades are given where "
            "the slices agree.",
            "columns that end in _u": "Standard uncertainty of that column. Errors of one rater's "
            "slices are taken to go together: the mean of the slices' uncertainties, or that of "
            "the slice with the largest value.",
            "flags": "Flags of any of these values.",
            "name": COLUMNS["name"],
        },
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
    further: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    *,
    overwrite: bool = False,
) -> None:
    """Write the dictionary as JSON."""
    write_text(path, json.dumps(dictionary(further), indent=1) + "\n", overwrite=overwrite)
