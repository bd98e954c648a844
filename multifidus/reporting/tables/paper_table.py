"""A paper's tables: the same rows as CSV, Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from multifidus.io.files import refuse_existing, write_text
from multifidus.io.table_csv import Row, csv_text, write_rows

TIMES = "\N{MULTIPLICATION SIGN}"

_LATEX = str.maketrans(
    {
        "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
        "±": r"$\pm$", TIMES: r"$\times$", "²": r"\textsuperscript{2}", "≥": r"$\geq$",
        "<": r"\textless{}", ">": r"\textgreater{}",
    }
)  # fmt: skip


PRINTED = {
    "before": "baseline",
    "after": "follow-up",
    "without": "missing, n",
    "beyond error": "exceeding MDC95 (decrease / increase / assessable)",
    "p (t)": "P (t)",
    "p (t), Holm": "P (t), Holm",
    "p (Wilcoxon)": "P (Wilcoxon)",
    "p (Wilcoxon), Holm": "P (Wilcoxon), Holm",
    "p": "P",
    "tests": "tests in Holm family",
    "verdict": "classification",
    "left out": "excluded",
    "muscles left out": "muscles excluded",
}
"""Headings as a paper prints them; as CSV, columns keep the names that scripts read."""


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table for people, every cell already text.

    Parameters
    ----------
    name
        Of its files.
    caption
        What it shows, one sentence.
    headings, rows
        Its cells.
    notes
        What stands below it.
    printed
        The rows with the signs that a page has, where CSV spells them in letters; empty where there
        are none.
    """

    name: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    printed: tuple[tuple[str, ...], ...] = ()

    @property
    def printed_headings(self) -> tuple[str, ...]:
        """Headings in the words of a paper."""
        return tuple(PRINTED.get(name, name) for name in self.headings)

    @property
    def printed_rows(self) -> tuple[tuple[str, ...], ...]:
        """Rows as a page or a terminal shows them."""
        return self.printed or self.rows

    def as_csv(self) -> str:
        """Return headings and rows as CSV; caption and notes are left out."""
        return csv_text([self.headings, *self.rows])

    def as_markdown(self) -> str:
        """Return the table in Markdown, caption above, notes below."""

        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"

        rule = "| " + " | ".join("---" for _ in self.headings) + " |"
        body = [line(self.printed_headings), rule, *map(line, self.printed_rows)]
        notes = [f"{note}\n" for note in self.notes]
        return "\n".join([f"**{self.caption}**\n", *body, "", *notes])

    def as_latex(self) -> str:
        """Return the table in LaTeX, with the rules of the booktabs package."""

        def line(cells: Sequence[str]) -> str:
            return " & ".join(cell.translate(_LATEX) for cell in cells) + r" \\"

        kinds = "".join(
            "r" if is_numeric(column) else "l" for column in zip(*self.rows, strict=True)
        )
        parts = [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{self.caption.translate(_LATEX)}}}",
            rf"\begin{{tabular}}{{{kinds or 'l' * len(self.headings)}}}",
            r"\toprule",
            line(self.printed_headings),
            r"\midrule",
            *map(line, self.printed_rows),
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par\footnotesize {note.translate(_LATEX)}" for note in self.notes),
            r"\end{table}",
        ]
        return "\n".join(parts) + "\n"


def is_numeric(column: Sequence[str]) -> bool:
    """Whether a column's cells are numbers, so that they stand to the right."""
    return all(
        cell[:1] in "+-<0123456789" and not _WORD.search(cell.replace(" to ", " "))
        for cell in column
        if cell
    )


_WORD = re.compile(r"[^\W\d_]{2}")
"""Two letters: what counts things, such as ``2 subjects``, is no number."""


def write_tables(
    tables: Sequence[PaperTable],
    folder: Path,
    raw: Mapping[str, Sequence[Row]] | None = None,
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write tables as CSV, Markdown and LaTeX; all or none where a file is there already.

    Parameters
    ----------
    tables
        For people.
    folder
        Where they go.
    raw
        Names of CSV files, and rows with all their digits; empty ones are left out.

    Raises
    ------
    WriteError
        If a file exists and ``overwrite`` is not set.
    """
    files = files_of_tables(tables, folder, raw)
    for path in files:
        refuse_existing(path, overwrite=overwrite)
    for name, rows in (raw or {}).items():
        if rows:
            write_rows(rows, folder / name, tuple(rows[0]), overwrite=overwrite)
    for table in tables:
        for path, text in _files(table, folder).items():
            write_text(path, text, overwrite=overwrite)
    return files


def files_of_tables(
    tables: Iterable[PaperTable], folder: Path, raw: Mapping[str, Sequence[Row]] | None = None
) -> list[Path]:
    """Return where tables go."""
    written = [folder / name for name, rows in (raw or {}).items() if rows]
    return written + [path for table in tables for path in _files(table, folder)]


def _files(table: PaperTable, folder: Path) -> dict[Path, str]:
    return {
        folder / f"{table.name}.csv": table.as_csv(),
        folder / f"{table.name}.md": table.as_markdown(),
        folder / f"{table.name}.tex": table.as_latex(),
    }
