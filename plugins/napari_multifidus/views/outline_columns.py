"""The columns of the table of outlines, on the screen and as they are copied for a spreadsheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter

from multifidus.data.anatomy import Side
from multifidus.data.slice_number import slice_number
from napari_multifidus.models.analysis import OutlineRow
from napari_multifidus.models.fat_shown import FatKind, kind_of
from napari_multifidus.models.numbers import Numbers
from napari_multifidus.views.numbers import MM2_PER_CM2, flag_words
from napari_multifidus.views.table import Cell, Column


def _structure(line: OutlineRow) -> str:
    return " ".join(filter(None, (line.key.structure.replace("_", " "), line.key.name)))


def _side(line: OutlineRow) -> str:
    return "" if line.key.side is Side.NONE else line.key.side.value


def _level(line: OutlineRow) -> str:
    return line.level.value if line.level else ""


def _grade_words(line: OutlineRow) -> str:
    return ", ".join(
        str(value) if scheme == "goutallier" else f"{scheme} {value}"
        for scheme, value in line.grades
    )


def _flags(line: OutlineRow) -> str:
    return line.numbers.problem or ", ".join(map(flag_words, line.numbers.flags))


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else f"{value:{form}}"


def _area(line: OutlineRow) -> str:
    return "error" if line.numbers.problem else _number(line.numbers.area_mm2 / MM2_PER_CM2, ".2f")


_PLACE = (
    Column(
        "Slice",
        lambda line: str(slice_number(line.slice_index)),
        "Number of the slice, from 1",
        lambda line: slice_number(line.slice_index),
        is_number=True,
    ),
    Column("Level", _level, "Disc or vertebral body, set by hand or from landmarks"),
    Column("Structure", _structure, "Outlined structure"),
    Column("Side", _side, "The patient's side"),
    Column(
        "Area\n(cm²)",
        _area,
        "Cross-sectional area in the plane of the slice",
        lambda line: line.numbers.area_mm2,
        is_number=True,
    ),
    Column(
        "±",
        lambda line: _number(line.numbers.area_u_mm2 / MM2_PER_CM2, ".2f"),
        "Standard uncertainty of the area, in cm²",
        lambda line: line.numbers.area_u_mm2,
        is_number=True,
    ),
)
_DOUBTS = (
    Column(
        "Grade",
        _grade_words,
        "Visual grade of the level and side; Goutallier's unless another scheme is named",
        lambda line: "; ".join(f"{scheme} {value}" for scheme, value in line.grades),
        is_number=True,
    ),
    Column(
        "Flags",
        _flags,
        "Quality flags and errors",
        lambda line: line.numbers.problem or ";".join(line.numbers.flags),
    ),
)


@cache
def _columns(*kinds: FatKind) -> tuple[Column, ...]:
    """Return the columns of a table that shows fat of one or two kinds; the same every time."""
    fat = (
        _fat_columns(kind, value, doubt) for kind, (value, doubt) in zip(kinds, _FATS, strict=False)
    )
    return (*_PLACE, *chain.from_iterable(fat), *_DOUBTS)


_FATS = ((attrgetter("fat_pct"), attrgetter("fat_u_pct")),
         (attrgetter("beside_pct"), attrgetter("beside_u_pct")))  # fmt: skip


def _fat_columns(
    kind: FatKind, value: Callable[[Numbers], float], doubt: Callable[[Numbers], float]
) -> tuple[Column, Column]:
    return (
        Column(
            kind.head,
            lambda line: _number(value(line.numbers), ".1f"),
            kind.definition,
            lambda line: value(line.numbers),
            is_number=True,
        ),
        Column(
            "±",
            lambda line: _number(doubt(line.numbers), ".1f"),
            f"Standard uncertainty of the {kind.name.lower()}, in percentage points",
            lambda line: doubt(line.numbers),
            is_number=True,
        ),
    )


def kinds_for(lines: Iterable[OutlineRow]) -> tuple[FatKind, ...]:
    """Return the one or two kinds of fat that lines show."""
    found = [line.numbers for line in lines if line.numbers.fat_method]
    if not found:
        return (kind_of(""),)
    beside = next((numbers.beside_method for numbers in found if numbers.beside_method), "")
    return tuple(kind_of(method) for method in (found[0].fat_method, beside) if method)


COLUMNS = _columns(kind_of(""))
"""Columns of a table without fat, or with visible fat alone."""


def columns_for(lines: Iterable[OutlineRow]) -> tuple[Column, ...]:
    """Return the columns of some lines, those of fat named by how it was measured."""
    return _columns(*kinds_for(lines))


def exported_for(lines: Iterable[OutlineRow]) -> tuple[str, ...]:
    """Return the headings of lines that are copied for a spreadsheet, a column each.

    Numbers there are unrounded, areas in mm2.
    """
    fat = ((f"{kind.exported}_pct", f"{kind.exported}_u_pct") for kind in kinds_for(lines))
    return (
        *("slice", "level", "structure", "side", "area_mm2", "area_u_mm2"),
        *chain.from_iterable(fat),
        *("grades", "flags"),
    )


FILTERS = {"structure": _structure, "side": _side, "level": _level}


def as_tsv(lines: Sequence[OutlineRow]) -> str:
    """Write lines for a spreadsheet: headings, tabs between cells, numbers unrounded."""
    columns, rows = columns_for(lines), [list(exported_for(lines))]
    rows += [
        [_exported((column.value or column.words)(line)) for column in columns] for line in lines
    ]
    return "".join("\t".join(row) + "\n" for row in rows)


def _exported(value: Cell) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    text = " ".join(str(value).split())
    # A spreadsheet takes what begins like this for a formula.
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
