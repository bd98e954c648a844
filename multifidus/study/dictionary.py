"""``dictionary.json``: what every column, quantity and flag of the tables means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from multifidus.data.columns import COLUMNS, MISSING_COLUMNS, SUMMARY_COLUMNS, SUMMARY_KEYS
from multifidus.data.flags import Flag
from multifidus.data.measurement import Quantity
from multifidus.io.files import write_text
from multifidus.study.missing import Absence
from multifidus.version import VERSION


def dictionary() -> dict[str, Any]:
    """Explain every column, quantity and flag of the tables."""
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


def write_dictionary(path: Path, *, overwrite: bool = False) -> None:
    """Write the dictionary as JSON."""
    write_text(path, json.dumps(dictionary(), indent=1) + "\n", overwrite=overwrite)
