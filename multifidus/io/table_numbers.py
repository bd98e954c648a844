"""Numbers in tables that are not separated by commas: whose commas are decimal commas.

Spreadsheets of many countries write 9.1 as ``9,1`` and separate fields by semicolons. A comma or a
point with three digits behind it may also part thousands, and only the rest of the table tells:

- of a number such as ``9,1``, ``0,123`` or ``12,3456`` the comma is decimal; of ``9.1`` the point;
- ``1,234`` and ``1.234`` are read as what the sure numbers of their column are, or, where it has
  none, of the table, if these are all of one kind; else the table is refused;
- a column that holds both kinds is refused, and so are two marks in one number (``1.234,5``);
- names and texts are left alone, and so is a column that holds anything but numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from multifidus.data.cells import is_missing
from multifidus.errors import MultifidusError

TEXTS = frozenset(
    {
        "subject", "timepoint", "rater", "series", "slice_uid", "name", "parameters", "images",
        "outlines", "labels", "landmarks", "version", "protocol", "image_sha256",
        "outline_sha256", "approach", "comment", "reviewer",
    }
)  # fmt: skip
"""Columns whose cells are no numbers, whatever they look like."""

_SIGN, _POWER = r"[+-]?", r"(?:[eE][+-]?\d+)?"
_PLAIN = re.compile(rf"{_SIGN}\d+{_POWER}", re.ASCII)
_COMMA = re.compile(rf"{_SIGN}\d*,\d+{_POWER}", re.ASCII)
_POINT = re.compile(rf"{_SIGN}(?:\d+\.\d*|\.\d+){_POWER}", re.ASCII)
_UNSURE = re.compile(rf"{_SIGN}[1-9]\d{{0,2}}[.,]\d{{3}}", re.ASCII)
_THOUSANDS = re.compile(
    rf"{_SIGN}\d{{1,3}}(?:(?:\.\d{{3}})+,\d+|(?:,\d{{3}})+\.\d+|(?:[.,]\d{{3}}){{2,}})", re.ASCII
)
_BLANKS = re.compile(r"(?<=\d)[ \u00a0\u202f\u2009](?=\d{3}(?:\D|$))", re.ASCII)

Place = tuple[int, str]
"""A line and what stands there."""


@dataclass(slots=True)
class _Column:
    """What the cells of one column look like; the first of each kind, with its line."""

    name: str
    comma: Place | None = None
    point: Place | None = None
    unsure_comma: Place | None = None
    unsure_point: Place | None = None
    thousands: Place | None = None
    is_text: bool = False

    def see(self, line: int, cell: str) -> None:
        text = bare(cell)
        if is_missing(text) or self.is_text or _PLAIN.fullmatch(text):
            return
        here = (line, text)
        if _THOUSANDS.fullmatch(text):
            self.thousands = self.thousands or here
        elif _COMMA.fullmatch(text) and _UNSURE.fullmatch(text):
            self.unsure_comma = self.unsure_comma or here
        elif _COMMA.fullmatch(text):
            self.comma = self.comma or here
        elif _POINT.fullmatch(text) and _UNSURE.fullmatch(text):
            self.unsure_point = self.unsure_point or here
        elif _POINT.fullmatch(text):
            self.point = self.point or here
        else:
            self.is_text = True


@dataclass(slots=True)
class DecimalCommas:
    """Finds out which columns of a table have decimal commas, line by line, and then reads them.

    Parameters
    ----------
    header
        Names of the columns.
    refuse
        Makes the error of a line.
    """

    header: Sequence[str]
    refuse: Callable[[int, str, str], MultifidusError]
    _columns: list[_Column] = field(init=False)

    def __post_init__(self) -> None:
        self._columns = [_Column(name, is_text=name in TEXTS) for name in self.header]

    def see(self, line: int, cells: Sequence[str]) -> None:
        """Look at one line."""
        for column, cell in zip(self._columns, cells, strict=True):
            column.see(line, cell)

    def places(self) -> frozenset[int]:
        """Return which columns have decimal commas.

        Raises
        ------
        MultifidusError
            If that is ambiguous, or a number has separators of thousands.
        """
        numeric = [column for column in self._columns if not column.is_text]
        commas = any(column.comma for column in numeric)
        points = any(column.point for column in numeric)
        return frozenset(
            place
            for place, column in enumerate(self._columns)
            if not column.is_text and self._has_commas(column, commas=commas, points=points)
        )

    def _has_commas(self, column: _Column, *, commas: bool, points: bool) -> bool:
        if column.thousands:
            raise self.refuse(
                column.thousands[0],
                f"has {column.name} {column.thousands[1]}: thousands are separated.",
                "Write numbers without separators of thousands.",
            )
        with_comma = column.comma or column.unsure_comma
        with_point = column.point or column.unsure_point
        if with_comma and with_point:
            raise self.refuse(
                max(with_comma, with_point)[0],
                f"and others have {column.name} both as {with_comma[1]} and as {with_point[1]}.",
                "Write all numbers with a decimal point.",
            )
        unsure = column.unsure_comma or column.unsure_point
        if unsure and not (column.comma or column.point):
            known = commas != points and (commas if column.unsure_comma else points)
            if not known:
                raise self.refuse(
                    unsure[0],
                    f"has {column.name} {unsure[1]}, which may be a decimal or thousands.",
                    "Write decimals with a point in a table separated by commas, and thousands "
                    "without a separator.",
                )
        return with_comma is not None


def bare(cell: str) -> str:
    """Return a cell without blanks around it, and without blanks that part thousands."""
    return _BLANKS.sub("", cell.strip())


def with_points(cells: Iterable[str], places: frozenset[int]) -> list[str]:
    """Return a line with decimal points in these columns."""
    return [
        bare(cell).replace(",", ".") if place in places else cell
        for place, cell in enumerate(cells)
    ]
