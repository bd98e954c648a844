"""Cells of a table as values: missing, a number, a whole number; and names nearly the same."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan"})
"""Words that stand for no value, in any case: as spreadsheets, R and pandas write them."""

_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)

_BLANKS = re.compile(r"[\s_]+")

_SEPARATORS = re.compile(r"[\s_.-]+")

_DIGITS = re.compile(r"0+(?=\d)", re.ASCII)


def is_missing(cell: object) -> bool:
    """Whether a cell holds no value."""
    return cell is None or str(cell).strip().casefold() in MISSING


def number(cell: object) -> float:
    """Return the number in a cell; NaN where it is missing.

    Raises
    ------
    ValueError
        If it holds anything else. ``1_000``, which Python would take, is no number of a table.

    Examples
    --------
    >>> number(" 9.1 "), number("N/A")
    (9.1, nan)
    """
    if is_missing(cell):
        return math.nan
    text = str(cell).strip()
    try:
        if "_" in text:
            raise ValueError  # noqa: TRY301 - one message, below
        return float(text)
    except ValueError:
        msg = f"{text!r} is no number"
        raise ValueError(msg) from None


def whole(cell: object) -> int | None:
    """Return the whole number in a cell, 1.0 as 1; None where it is missing.

    Raises
    ------
    ValueError
        If it holds anything else.
    """
    if is_missing(cell):
        return None
    text = str(cell).strip()
    if not _WHOLE.fullmatch(text):
        msg = f"{text!r} is no whole number"
        raise ValueError(msg)
    return int(text.partition(".")[0])


def folded(name: str) -> str:
    """Return a column's name without case, blanks and underscores, to compare names by.

    Examples
    --------
    >>> folded(" Operated\u00a0levels") == folded("operated_levels")
    True
    """
    return _BLANKS.sub("", unicodedata.normalize("NFKC", name)).casefold()


def nearly(name: str) -> str:
    """Return a subject's name without case, blanks, hyphens and leading zeros.

    Names that agree so far are two for the program, and one person for whoever typed them.

    Examples
    --------
    >>> nearly("S-01"), nearly("s1"), nearly("0"), nearly("001")
    ('s1', 's1', '0', '1')
    """
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", name)).casefold()
    return re.sub(r"\d+", lambda found: _DIGITS.sub("", found.group(), count=1), plain)


MOST_NAMES = 10
"""So many pairs of nearly equal names are listed."""


def near_names(what: str, names: Iterable[str]) -> tuple[str, ...]:
    """Report names that differ only by what is easily mistyped: one sentence, or none.

    Parameters
    ----------
    what
        What they are names of, such as ``subject``.
    names
        All of them.
    """
    alike: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        alike.setdefault(nearly(name), []).append(name)
    pairs = [" and ".join(map(repr, found)) for found in alike.values() if len(found) > 1]
    if not pairs:
        return ()
    more = len(pairs) - MOST_NAMES
    listed = ", ".join(pairs[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    return (
        f"{what.capitalize()}s {listed} differ by leading zeros, case, blanks or hyphens alone: "
        f"check that they are not one {what}.",
    )
