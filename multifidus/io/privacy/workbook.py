"""Dates in workbooks, which are stored as numbers of days that only their look makes dates."""

from __future__ import annotations

import re
from datetime import date, timedelta
from zipfile import ZipFile

_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_FORMAT = re.compile(r'<numFmt\b[^>]*?numFmtId="(\d+)"[^>]*?formatCode="([^"]*)"')
_NO_LETTERS = re.compile(r'&quot;.*?&quot;|\[[^\]]*\]|\\.|"[^"]*"')
_LOOKS = re.compile(r"<cellXfs\b.*?</cellXfs>", re.DOTALL)
_LOOK = re.compile(r'<xf\b[^>]*?numFmtId="(\d+)"')
_CELL = re.compile(r'<c\b[^>]*?\bs="(\d+)"[^>]*>\s*<v>(\d{1,6})(?:\.\d*)?</v>')
_FIRST = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
_DAYS_AT_MOST = 200_000


def dates_of(archive: ZipFile) -> str:
    """Write out the dates in the cells of a workbook, one a line; nothing of another archive."""
    names = archive.namelist()
    if "xl/styles.xml" not in names:
        return ""
    looks = _date_looks(_text(archive, "xl/styles.xml"))
    book = _text(archive, "xl/workbook.xml") if "xl/workbook.xml" in names else ""
    first = _FIRST[re.search(r'date1904="(1|true)"', book) is not None]
    days = {
        int(found[2])
        for name in names
        if name.startswith("xl/worksheets/") and name.endswith(".xml")
        for found in _CELL.finditer(_text(archive, name))
        if found[1] in looks and int(found[2]) <= _DAYS_AT_MOST
    }
    return "\n".join((first + timedelta(day)).isoformat() for day in sorted(days))


def _text(archive: ZipFile, name: str) -> str:
    return archive.read(name).decode("utf-8", "replace")


def _date_looks(styles: str) -> set[str]:
    """Return the numbers of the looks that show a number as a date."""
    formats = set(_DATE_FORMATS)
    for number, code in _FORMAT.findall(styles):
        if re.search("[dy]", _NO_LETTERS.sub("", code), re.IGNORECASE):
            formats.add(int(number))
    block = _LOOKS.search(styles)
    looks = _LOOK.findall(block[0]) if block else []
    return {str(place) for place, number in enumerate(looks) if int(number) in formats}
