"""The report of a study: one page that holds all it shows, and its text for a paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from multifidus.data.flags import Flag
from multifidus.reporting.pages.render import render
from multifidus.reporting.plots.style import Drawing, as_svg
from multifidus.reporting.study_data import StudyData
from multifidus.reporting.tables.change import change_tables
from multifidus.reporting.tables.exclusions import left_out_table
from multifidus.reporting.tables.paper_table import PaperTable, is_numeric
from multifidus.reporting.tables.reliability import reliability_table
from multifidus.reporting.text.citations import Reference, cited
from multifidus.reporting.text.facts import Facts, facts_of
from multifidus.reporting.text.grras import SOURCE, Item, grras
from multifidus.reporting.text.methods import methods_text
from multifidus.reporting.text.participant_flow import (
    UNKNOWN_WORD,
    failed_cases,
    flow_of,
    lost_measurements,
)
from multifidus.reporting.text.results import results_text
from multifidus.reporting.text.statements import Statement, as_paragraph, by_topic
from multifidus.stats.exclusions import LeftOut
from multifidus.stats.reliability.study import Reliability, Study
from multifidus.study.outline_counts import outline_key, outlines_of

ON_SCREEN = 1.4
"""How much larger the page shows a figure than paper does."""


@dataclass(frozen=True, slots=True)
class Told:
    """All that a report says in words and tables.

    Parameters
    ----------
    methods, results
        Statements.
    items
        Of GRRAS.
    reliability, change
        Tables.
    references
        What is cited, in order.
    """

    facts: Facts
    methods: tuple[Statement, ...]
    results: tuple[Statement, ...]
    items: tuple[Item, ...]
    reliability: tuple[PaperTable, ...]
    change: tuple[PaperTable, ...]
    references: tuple[Reference, ...]


def tell(data: StudyData) -> Told:
    """Put a study into words and tables."""
    facts = facts_of(data.rows, data.timepoints)
    methods, results = methods_text(data, facts), results_text(data)
    keys = [key for item in (*methods, *results) for key in item.cites]
    tables = []
    for study, name in ((data.between, "reliability"), (data.within, "reliability_rereading")):
        if study is not None:
            tables += _of_report(study, data, name)
    return Told(
        facts=facts,
        methods=tuple(methods),
        results=tuple(results),
        items=tuple(grras(data, facts)),
        reliability=tuple(tables),
        change=() if data.change is None else change_tables(data.change, data.models),
        references=tuple(cited([*keys, SOURCE])),
    )


def _of_report(study: Study, data: StudyData, name: str) -> list[PaperTable]:
    """Make the tables of what the report is about; a given file may hold more."""
    abouts = {(what.quantity, what.method, what.structure) for what in data.whats}

    def is_told(item: Reliability | LeftOut) -> bool:
        return (item.quantity, item.method, item.structure) in abouts

    told = replace(study, results=tuple(filter(is_told, study.results)))
    lost = left_out_table(f"{name}_left_out", filter(is_told, study.left_out))
    return [replace(reliability_table(told), name=name), *([lost] if lost.rows else [])]


def study_page(
    data: StudyData, told: Told, drawings: Iterable[Drawing], sheets: Sequence[tuple[str, str]]
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    data, told
        The study, and what is said of it.
    drawings
        Its figures.
    sheets
        Subjects and the names of their sheets' files.
    """
    from markupsafe import Markup

    facts = told.facts
    lost = lost_measurements(data.missing, data.whats[0].structure)
    reasons = {item.reason: item.meaning for item in lost}
    return render(
        "report.html",
        {
            "tiles": [
                _tile(facts.subjects, "subject"),
                _tile(facts.exams, "exam"),
                _tile(facts.readings, "reading"),
                _tile(len([name for name in facts.raters if name]) or "?", "rater"),
                _tile(len(facts.levels), "level"),
            ],
            "remarks": [*data.remarks, *_why_no_tables(data, told)],
            "flow": flow_of(data),
            "failed": failed_cases(data.failures),
            "lost": lost,
            "meanings": list(reasons.items()),
            "methods": [item for item in told.methods if item.is_known],
            "unknown": [item.topic.lower() for item in told.methods if not item.is_known],
            "not_read": list(facts.not_read),
            "results": by_topic(told.results),
            "numbers": {item.key: n for n, item in enumerate(told.references, 1)},
            "references": told.references,
            "reliability": [_shown(table) for table in told.reliability if table.rows],
            "change": [_shown(table) for table in told.change],
            "drawings": [
                {
                    "name": item.name,
                    "caption": item.caption,
                    "number": n,
                    "wide": round(ON_SCREEN * item.figure.get_figwidth(), 2),
                    "svg": Markup(as_svg(item)),  # noqa: S704 - matplotlib escapes its words
                }
                for n, item in enumerate(drawings, 1)
            ],
            "flags": _flags(data),
            "grras": told.items,
            "grras_source": SOURCE,
            "sheets": list(sheets),
        },
    )


def _tile(number: int | str, what: str) -> tuple[int | str, str]:
    return number, what if number == 1 else f"{what}s"


def _why_no_tables(data: StudyData, told: Told) -> tuple[str, ...]:
    """Say what is the matter with changes where no table of them has notes that do."""
    return () if told.change or data.change is None else data.change.problems


def _shown(table: PaperTable) -> dict[str, Any]:
    columns = list(zip(*table.rows, strict=True))
    return {
        "caption": table.caption,
        "headings": table.headings,
        "rows": table.rows,
        "notes": table.notes,
        "numeric": {place for place, column in enumerate(columns) if is_numeric(column)},
    }


def _flags(data: StudyData) -> list[dict[str, Any]]:
    """Count what each flag stands on: outlines, each once, and all numbers."""
    outlines = outlines_of(data.rows)
    flagged: dict[str, list[Mapping[str, Any]]] = {}
    for row in data.rows:
        for flag in filter(None, str(row["flags"]).split(";")):
            flagged.setdefault(flag, []).append(row)
    return [
        {
            "name": flag,
            "outlines": len({outline_key(row) for row in rows} & outlines.keys()),
            "numbers": len(rows),
            "subjects": len({row["subject"] for row in rows}),
            "meaning": Flag(flag).meaning if flag in tuple(Flag) else UNKNOWN_WORD,
        }
        for flag, rows in sorted(flagged.items())
    ]


def as_markdown(data: StudyData, told: Told) -> str:
    """Return Methods, Results, flow and GRRAS as Markdown, citations as ``[@key]``."""
    known = [item for item in told.methods if item.is_known]
    topics = [item.topic.lower() for item in told.methods if not item.is_known]
    lines = ["# Methods", "", as_paragraph(known), ""]
    if topics:
        lines += [f"Not found in the tables: {'; '.join(topics)}.", ""]
    if told.facts.not_read:
        names = ", ".join(f"`{name}`" for name in told.facts.not_read)
        lines += [f"Columns of the cohort that no sentence above reads: {names}.", ""]
    lines += ["# Results", "", *_paragraphs(told.results), "# Participant flow", ""]
    for step in flow_of(data):
        lines += [f"- {step.label}: {step.n}"]
        lines += [f"  - without {n}: {reason}" for reason, n in step.lost]
    lines += ["", "# GRRAS", "", "| item | asks for | here | answer |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {item.number} | {_cell(item.asks)} | {item.answer} | {_cell(item.words)} |"
        for item in told.items
    ]
    lines += ["", "# References", ""]
    lines += [f"- `{item.key}`: {item.as_text()}" for item in told.references]
    return "\n".join(lines) + "\n"


def _paragraphs(found: Sequence[Statement]) -> list[str]:
    return [line for part in by_topic(found) for line in (as_paragraph(part), "")]


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
