"""One row a reading of an exam, one column a number, level and side: what spreadsheets are made of.

Where each exam was read once it is one row an exam. Several readings of an exam keep rows of their
own: which of them is meant, or their mean, is a question of the analysis.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from multifidus.data.anatomy import Level, Side
from multifidus.data.columns import COLUMNS, OWN_COLUMN
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import WriteError
from multifidus.io.table_csv import Row
from multifidus.study.muscles import OWN, fat_method

KEYS = ("subject", "timepoint", "rater", "reading")

NUMBERS = {
    "area_mm2": "Area (tcsa_mm2)",
    "fat_pct": "Visible fat (fi_pct, {method})",
    "fcsa_mm2": "Functional (lean) area (fcsa_mm2, {method})",
    "ff_signal_pct": "Fat signal fraction (ff_signal_pct)",
    "ff_dixon_pct": "Mean fat fraction of a Dixon pair (dixon_ff_mean_pct)",
    "pdff_pct": "Mean of a map of proton density fat fractions (pdff_mean_pct)",
}
"""Numbers of a muscle and what they are."""

FLAGS = "flags"

_STUDY = "study_"

UNITS = {"mm2": "mm2", "pct": "%"}

_PLAIN = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
"""Names that every table takes as they are; no program takes two of them for one."""

_DIGEST = 6

LIKE_DIGESTED = re.compile(rf"_[0-9a-f]{{{_DIGEST}}}$")
"""Ending of a name with a digest."""

Place = tuple[str, str, str]
"""Level, side, and the name of an outline that has one."""


@dataclass(frozen=True, slots=True)
class ExamColumn:
    """A column of the table.

    Parameters
    ----------
    name
        As it stands there.
    description
        What it holds.
    unit
        Of numbers; empty for text.
    place, source
        Of which muscle, and which of its columns in the small table.
    """

    name: str
    description: str
    unit: str
    place: Place
    source: str


@dataclass(frozen=True, slots=True)
class ExamTable:
    """The table, made of rows of muscles, which are gone through several times.

    Parameters
    ----------
    muscles
        As :func:`multifidus.study.muscles.muscle_rows` makes them, in order; those of one reading
        follow each other.
    protocol
        By which they were measured.
    own
        Columns of the study's own.

    Attributes
    ----------
    columns
        Those that hold anything, along the spine.
    own_names
        How columns of the study's own are called here: not as another one.

    Raises
    ------
    WriteError
        If two columns would have one name.
    """

    muscles: Iterable[Row]
    protocol: MeasurementProtocol
    own: Sequence[str] = ()
    columns: tuple[ExamColumn, ...] = field(init=False)
    own_names: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        filled: set[tuple[Place, str]] = set()
        for row in self.muscles:
            filled |= {(_place(row), n) for n in NUMBERS if row[n] is not None}
            filled.add((_place(row), FLAGS))
        method = fat_method(self.protocol)
        places = sorted({place for place, _ in filled}, key=_along_the_spine)
        columns = tuple(
            _column(place, source, method)
            for place in places
            for source in (*NUMBERS, FLAGS)
            if (place, source) in filled
        )
        object.__setattr__(self, "columns", columns)
        _check_unique(columns)
        taken = {*KEYS, *(column.name for column in columns)}
        object.__setattr__(self, "own_names", {name: _own(name, taken) for name in self.own})

    @property
    def explained(self) -> dict[str, str]:
        """What each column holds."""
        own = dict.fromkeys(self.own_names.values(), OWN_COLUMN)
        numbers = {column.name: column.description for column in self.columns}
        return {**{name: COLUMNS[name] for name in KEYS}, **own, **numbers}

    def __iter__(self) -> Iterator[Row]:
        """Yield one row a reading; what was not measured is None."""
        for key, members in groupby(self.muscles, key=lambda row: [row[name] for name in KEYS]):
            muscles = {_place(row): row for row in members}
            own = next(iter(muscles.values()))[OWN]
            yield {
                **dict(zip(KEYS, key, strict=True)),
                **{ours: own[name] for name, ours in self.own_names.items()},
                **{
                    column.name: muscles.get(column.place, {}).get(column.source)
                    for column in self.columns
                },
            }


def _place(row: Row) -> Place:
    return row["level"], row["side"], row["name"] or ""


def _along_the_spine(place: Place) -> tuple[int, str, str]:
    level, side, name = place
    return Level(level).rank, side, name


def _column(place: Place, source: str, method: str) -> ExamColumn:
    level, side, name = place
    where = "_".join(filter(None, (level.replace("-", ""), side, _word(name))))
    called = f", outline {name}" if name else ""
    muscle = f"multifidus at {level}, {Side(side).value}{called}"
    if source == FLAGS:
        return ExamColumn(f"{FLAGS}_{where}", f"Quality flags: {muscle}.", "", place, source)
    stem, _, unit = source.rpartition("_")
    what = NUMBERS[source].format(method=method)
    described = f"{what}, {UNITS[unit]}: {muscle}."
    return ExamColumn(f"{stem}_{where}_{unit}", described, UNITS[unit], place, source)


def _own(name: str, taken: Collection[str]) -> str:
    """Call a column of the study's own as no other: also where it is called study_... itself."""
    plain = name
    while plain not in taken and plain.startswith(_STUDY):
        plain = plain.removeprefix(_STUDY)
    return f"{_STUDY}{name}" if plain in taken else name


def _word(name: str) -> str:
    """Return a name as part of a column's: by the name alone, so that it always means the same.

    Where it is not the name itself, a digest tells it from what else would be written like it.
    """
    if not name or (_PLAIN.fullmatch(name) and not LIKE_DIGESTED.search(name)):
        return name
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"{plain or 'outline'}_{digest_of(name)}"


def digest_of(text: str) -> str:
    """Return a few letters that tell a text from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def _check_unique(columns: Sequence[ExamColumn]) -> None:
    counts = Counter(column.name for column in columns)
    for column in columns:
        if counts[column.name] > 1:
            level, side, name = column.place
            msg = (
                f"Outline {name!r} of the multifidus at {level}, {side}, and another one there "
                f"would both stand in column {column.name}."
            )
            raise WriteError(msg, remedy="Rename one of them.")
