"""The page of a run's results: summary, failures, missing measurements, measured slices."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from multifidus.data.columns import SUMMARY_KEYS
from multifidus.data.measurement import Measurement
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.slice_number import slice_number
from multifidus.io.files import write_atomically
from multifidus.io.table_csv import Row
from multifidus.study.level_value import rule_in_words
from multifidus.study.missing import Absence
from multifidus.study.summary import summary_rows
from multifidus.version import VERSION

_TITLE = "<title>multifidus results</title>"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
$title
<style>
 body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 82rem; padding: 0 1rem;
        color: #1b1b1b; }
 table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
 th, td { padding: .25rem .45rem; text-align: right; border-bottom: 1px solid #ddd; }
 td:not(:last-child) { white-space: nowrap; }
 th { border-bottom: 2px solid #555; font-weight: 600; }
 .text { text-align: left; }
 figure { margin: 0; }
 figcaption { font-size: .85rem; color: #444; }
 img { width: 100%; border-radius: 4px; }
 .slices { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1rem; }
 .note { color: #555; }
 .scroll { overflow-x: auto; }
</style>
<h1>multifidus results</h1>
<p class="note">Research software, not a medical device. Version $version. All values are in
<a href="measurements.csv">measurements.csv</a>; <a href="dictionary.json">dictionary.json</a>
defines the columns.</p>
<h2>Summary</h2>
<p class="note">Value of a level: $rule. Values after ± are standard uncertainties; the expanded
uncertainty (k = 2) has about 95 % coverage. Visible fat is the percentage of pixels classified as
fat; it does not include fat within pixels that are mostly muscle. Pixels classified as fat are
highlighted in the pictures below.</p>
<div class="scroll">$summary</div>
<details><summary>All structures</summary><div class="scroll">$everything</div></details>
$failures
$missing
<h2>Slices</h2>
<div class="slices">
$slices
</div>
</html>
"""

COLUMNS = (
    *((name, name, "") for name in SUMMARY_KEYS),
    ("slice_indices", "slices", ""),
    ("tilt_deg", "tilt, deg", ".1f"),
    ("tcsa_mm2", "CSA, cm²", ".1f"),
    ("pooled_otsu_fi_pct", "visible fat, %", ".1f"),
    ("pooled_otsu_fcsa_mm2", "lean CSA, cm²", ".1f"),
    ("asymmetry_pct", "asymmetry, %", "+.1f"),
    ("volume_ml", "volume, ml", ".1f"),
    ("ff_linear_pct", "fat (linear), %", ".1f"),
    ("ff_signal_pct", "fat signal fraction, %", ".1f"),
    *(
        (f"{method}_fi_pct", f"visible fat ({method}), %", ".1f")
        for method in FatMethod
        if method is not FatMethod.POOLED_OTSU
    ),
    ("dixon_ff_mean_pct", "Dixon mean, %", ".1f"),
    ("dixon_ff_ratio_pct", "Dixon ratio, %", ".1f"),
    ("flags", "flags", ""),
)
"""Columns of the summary on the page: name in the table, heading, format."""


def printable(
    rows: Sequence[Measurement],
    structure: str | None = None,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
) -> tuple[list[str], list[list[str]]]:
    """Return headings and rounded cells of the summary; columns that nobody filled are left out.

    Parameters
    ----------
    rows
        What was measured.
    structure
        Show this one only, where it was measured at all.
    protocol
        Says which slices make up a level.
    """
    headings, cells = printable_summary(summary_rows(rows, protocol), structure)
    return headings, list(cells)


def printable_summary(
    summary: Iterable[Row], structure: str | None = None
) -> tuple[list[str], Iterator[list[str]]]:
    """Return the same of rows of the wide table, which are gone through several times."""
    known, filled = False, {True: set[str](), False: set[str]()}
    for row in summary:
        is_asked = row["structure"] == structure
        known = known or is_asked
        filled[is_asked] |= {name for name, _, _ in COLUMNS if row.get(name) not in (None, "")}
    names = filled[True] if known else filled[False]
    used = [column for column in COLUMNS if column[0] in names]
    shown = (row for row in summary if not known or row["structure"] == structure)
    cells = ([_with_uncertainty(row, name, form) for name, _, form in used] for row in shown)
    return [heading for _, heading, _ in used], cells


def _with_uncertainty(row: Row, name: str, form: str) -> str:
    """Round a value, and its standard uncertainty where one is stated; areas in cm2."""
    value, uncertainty = row.get(name), row.get(f"{name}_u", math.nan)
    if name == "slice_indices" and value:
        return "; ".join(str(slice_number(int(index))) for index in str(value).split(";"))
    if name.endswith("_mm2") and isinstance(value, float):
        value, uncertainty = value / 100, uncertainty / 100
    if math.isnan(uncertainty) or not isinstance(value, float) or math.isnan(value):
        return _cell(value, form)
    # A percentage with its uncertainty needs no decimals.
    short = ".0f" if name.endswith("_pct") else form
    return f"{value:{short}} ± {uncertainty:{short}}"


def _cell(value: Any, form: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "undefined" if math.isnan(value) else format(value, form or "g")
    return str(value).replace(";", "; ")


@dataclass(frozen=True, slots=True)
class PageContent:
    """What the page shows.

    Parameters
    ----------
    summary
        Rows of the wide table; they are gone through several times.
    failures, missing
        Rows of these tables.
    pictures
        File names in ``pictures/`` and their captions.
    """

    summary: Iterable[Row]
    failures: Sequence[Row]
    missing: Sequence[Row]
    pictures: Sequence[tuple[str, str]]


def write_page(
    content: PageContent,
    path: Path,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
) -> None:
    """Write the page."""
    slices = (
        f'<figure><a href="pictures/{escape(name)}"><img loading="lazy" '
        f'src="pictures/{escape(name)}" alt="{escape(caption)}"></a>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for name, caption in content.pictures
    )
    parts: dict[str, Iterable[str]] = {
        "title": [_TITLE],
        "version": [escape(VERSION)],
        "rule": [escape(rule_in_words(protocol))],
        "summary": _table(*printable_summary(content.summary, "multifidus")),
        "everything": _table(*printable_summary(content.summary)),
        "failures": _failures(content.failures),
        "missing": _missing(content.missing),
        "slices": _joined(slices),
    }

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as file:
            # Texts of the page and names of its parts take turns.
            for place, text in enumerate(re.split(r"\$(\w+)", _PAGE)):
                file.writelines(parts[text] if place % 2 else [text])

    write_atomically(path, write, overwrite=True)


def _joined(texts: Iterable[str]) -> Iterator[str]:
    """Yield texts with an end of line between them."""
    for place, text in enumerate(texts):
        yield f"\n{text}" if place else text


def is_page(path: Path) -> bool:
    """Whether a file is such a page, and not another one of the same name."""
    try:
        return _TITLE in path.read_text(encoding="utf-8", errors="replace")[:1000]
    except OSError:
        return False


def _missing(missing: Sequence[Row]) -> Iterator[str]:
    """Count missing measurements by reason."""
    if not missing:
        return
    counts = Counter(row["reason"] for row in missing)
    cells = [
        [str(n), str(_muscles(missing, reason)), reason, Absence(reason).meaning]
        for reason, n in sorted(counts.items())
    ]
    headings = ["measurements (muscle x reading)", "muscles", "reason", "meaning"]
    yield (
        "<h2>Missing measurements</h2>\n"
        "<p class='note'>Muscles outlined or declared not measurable anywhere in the study are "
        "expected in every reading of every exam. Missing ones are listed in "
        "<a href='missing.csv'>missing.csv</a>.</p>\n"
        "<div class='scroll'>"
    )
    yield from _table(headings, cells)
    yield "</div>"


def _muscles(missing: Sequence[Row], reason: str) -> int:
    """Count different muscles of examinations that are missing, in however many readings."""
    names = ("subject", "timepoint", "level", "structure", "side")
    return len({tuple(row[n] for n in names) for row in missing if row["reason"] == reason})


def _failures(failures: Sequence[Row]) -> Iterator[str]:
    if not failures:
        return
    headings = list(failures[0])
    cells = [[str(value) for value in row.values()] for row in failures]
    yield "<h2>Not measured</h2>\n<div class='scroll'>"
    yield from _table(headings, cells)
    yield "</div>"


def _table(headings: Sequence[str], cells: Iterable[Sequence[str]]) -> Iterator[str]:
    def row(tag: str, values: Sequence[str]) -> str:
        marked = (f"<{tag}{_kind(value)}>{escape(value)}</{tag}>" for value in values)
        return f"<tr>{''.join(marked)}</tr>"

    yield f"<table>\n{row('th', headings)}\n"
    yield from _joined(row("td", values) for values in cells)
    yield "\n</table>"


def _kind(value: str) -> str:
    """Numbers stand right, words left."""
    return "" if value[:1] in "+-0123456789" else ' class="text"'
