"""The exam table as phenotypic data of a BIDS dataset: a TSV file, and JSON that explains it."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from multifidus.data.columns import COLUMNS
from multifidus.errors import CohortError
from multifidus.io.files import write_atomically, write_text
from multifidus.study.exam_table import KEYS, ExamTable
from multifidus.version import VERSION

INDEX = {
    "participant_id": "Label of the subject in the dataset.",
    "session_id": "Label of the timepoint in the dataset.",
    "run_id": "Counts readings of the same images: rater and reading say whose each is.",
}
"""Columns that tell rows apart, and what they hold."""

_NOT_A_LABEL = re.compile(r"[^0-9A-Za-z]+")

_NONE = "n/a"

_REMEDY = "Rename it, or leave out --tables bids."

_UNITS = {"mm2": "mm^2", "%": "%"}


def write_phenotype(table: ExamTable, data: Path, explained: Path) -> None:
    """Write the table, and the JSON file beside it.

    Subject, session and run tell rows of such a file apart, so that each reading of an exam is a
    run. Columns of the study's own are left out: they belong into ``participants.tsv``.

    Raises
    ------
    CohortError
        If BIDS could not tell exams apart.
    """
    check_labels((row["subject"], row["timepoint"]) for row in table)
    names = [*KEYS, *(column.name for column in table.columns)]

    def lines() -> Iterator[str]:
        runs: Counter[tuple[str, str]] = Counter()
        yield "\t".join([*INDEX, *names]) + "\n"
        for row in table:
            exam = participant_id(row["subject"]), _label("ses", row["timepoint"])
            runs[exam] += 1
            index = *exam, f"run-{runs[exam]}"
            yield "\t".join([*index, *(_cell(row[name]) for name in names)]) + "\n"

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines())

    write_atomically(data, write, overwrite=True)
    write_text(explained, json.dumps(_explained(table), indent=1) + "\n", overwrite=True)


def participant_id(subject: str) -> str:
    """Return a subject's label in BIDS, which has letters and digits alone.

    Examples
    --------
    >>> participant_id("S-01"), participant_id("sub-02")
    ('sub-S01', 'sub-02')
    """
    return _label("sub", subject)


def _label(entity: str, name: str) -> str:
    plain = _NOT_A_LABEL.sub("", name.removeprefix(f"{entity}-"))
    return f"{entity}-{plain}" if plain else _NONE


def check_labels(exams: Iterable[tuple[str, str]]) -> None:
    """Refuse exams that BIDS could not tell apart.

    Parameters
    ----------
    exams
        Subject and timepoint of each.

    Raises
    ------
    CohortError
        Naming two subjects or timepoints of one label, or one without a letter or digit.
    """
    subjects: dict[str, str] = {}
    timepoints: dict[str, str] = {}
    for subject, timepoint in exams:
        label, session = participant_id(subject), _label("ses", timepoint)
        if label == _NONE or (timepoint and session == _NONE):
            what = f"subject {subject!r}" if label == _NONE else f"timepoint {timepoint!r}"
            msg = f"BIDS labels have letters and digits alone, and {what} has none."
            raise CohortError(msg, remedy=_REMEDY)
        _check_one(subjects.setdefault(label, subject), subject, label)
        _check_one(timepoints.setdefault(session, timepoint), timepoint, session)


def _check_one(first: str, name: str, label: str) -> None:
    if first != name:
        msg = f"BIDS labels have letters and digits alone: {first!r} and {name!r} are both {label}."
        raise CohortError(msg, remedy=_REMEDY)


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _NONE
    if isinstance(value, float):
        return repr(float(value))
    # A cell of this format holds no tab and no end of line, and has no quotes. It is no cell of a
    # spreadsheet: a name has no apostrophe in front, which would stay there.
    return " ".join(str(value).split()) or _NONE


def _explained(table: ExamTable) -> dict[str, Any]:
    about = f"Multifidus muscle on lumbar MRI, measured with multifidus {VERSION}."
    keys = {name: {"Description": COLUMNS[name]} for name in KEYS}
    numbers = {
        column.name: {
            "Description": column.description,
            **({"Units": _UNITS[column.unit]} if column.unit else {}),
        }
        for column in table.columns
    }
    return {
        "MeasurementToolMetadata": {
            "Description": f"{about} Protocol {table.protocol.digest}. n/a: not measured, or "
            "undefined with a flag that says why."
        },
        **{name: {"Description": about} for name, about in INDEX.items()},
        **keys,
        **numbers,
    }
