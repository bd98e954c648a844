"""The report of a study: one page that holds all it shows, and its text for a paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement
from multifidus.reporting.pages.render import render
from multifidus.reporting.plots.style import Drawing, as_svg
from multifidus.reporting.study_data import StudyData
from multifidus.reporting.tables.change import change_tables
from multifidus.reporting.tables.exclusions import exclusions_table
from multifidus.reporting.tables.paper_table import PaperTable, is_numeric
from multifidus.reporting.tables.reliability import reliability_table
from multifidus.reporting.text.acquired import header_columns
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
from multifidus.stats.exclusions import Exclusion
from multifidus.stats.reliability.results import Reliability, ReliabilityStudy
from multifidus.stats.values import Metric
from multifidus.study.outline_counts import outline_key, outlines_of

ON_SCREEN = 1.4
"""How much larger the page shows a figure than paper does."""


@dataclass(frozen=True, slots=True)
class ReportContent:
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


def content_of(data: StudyData) -> ReportContent:
    """Put a study into words and tables."""
    facts = facts_of(data.rows, data.timepoints, header_columns(data.acquired))
    methods, results = methods_text(data, facts), results_text(data)
    keys = [key for item in (*methods, *results) for key in item.cites]
    tables = []
    for study, name in ((data.between, "reliability"), (data.within, "reliability_rereading")):
        if study is not None:
            tables += _of_report(study, data, name)
    return ReportContent(
        facts=facts,
        methods=tuple(methods),
        results=tuple(results),
        items=tuple(grras(data, facts)),
        reliability=tuple(tables),
        change=() if data.change is None else change_tables(data.change),
        references=tuple(cited([*keys, SOURCE])),
    )


def _of_report(study: ReliabilityStudy, data: StudyData, name: str) -> list[PaperTable]:
    """Make the tables of what the report is about; a given file may hold more."""

    def is_reported(item: Reliability | Exclusion) -> bool:
        return Metric.about(item) in data.metrics

    reported = replace(study, results=tuple(filter(is_reported, study.results)))
    lost = exclusions_table(f"{name}_left_out", filter(is_reported, study.exclusions))
    return [replace(reliability_table(reported), name=name), *([lost] if lost.rows else [])]


def study_page(
    data: StudyData,
    content: ReportContent,
    drawings: Iterable[Drawing],
    sheets: Sequence[tuple[str, str]],
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    data, content
        The study, and what is said of it.
    drawings
        Its figures.
    sheets
        Subjects and the names of their sheets' files.
    """
    from markupsafe import Markup

    facts = content.facts
    lost = lost_measurements(data.missing, data.metrics[0].structure)
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
            "absent": data.absent,
            "remarks": [*data.remarks, *_notes_without_a_table(data, content)],
            "flow": flow_of(data),
            "failed": failed_cases(data.failures),
            "lost": lost,
            "meanings": list(reasons.items()),
            "methods": [item for item in content.methods if item.is_known],
            "unknown": [item.topic.lower() for item in content.methods if not item.is_known],
            "not_read": list(facts.not_read),
            "results": by_topic(content.results),
            "numbers": {item.key: n for n, item in enumerate(content.references, 1)},
            "references": content.references,
            "reliability": [_shown(table) for table in content.reliability if table.rows],
            "change": [_shown(table) for table in content.change],
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
            "grras": content.items,
            "grras_source": SOURCE,
            "sheets": list(sheets),
        },
    )


def _tile(number: int | str, metric: str) -> tuple[int | str, str]:
    return number, metric if number == 1 else f"{metric}s"


def _notes_without_a_table(data: StudyData, content: ReportContent) -> tuple[str, ...]:
    """Return what has to be known of changes, where no table of them has it below."""
    return () if content.change or data.change is None else data.change.problems


def _shown(table: PaperTable) -> dict[str, Any]:
    columns = list(zip(*table.rows, strict=True))
    return {
        "caption": table.caption,
        "headings": table.printed_headings,
        "rows": table.printed_rows,
        "notes": table.notes,
        "numeric": {place for place, column in enumerate(columns) if is_numeric(column)},
    }


def _flags(data: StudyData) -> list[dict[str, Any]]:
    """Count what each flag stands on: outlines, each once, and all numbers."""
    outlines = outlines_of(data.rows)
    flagged: dict[str, list[Measurement]] = {}
    for row in data.rows:
        for flag in row.flags:
            flagged.setdefault(str(flag), []).append(row)
    return [
        {
            "name": flag,
            "outlines": len({outline_key(row) for row in rows} & outlines.keys()),
            "numbers": len(rows),
            "subjects": len({row.key.reading.subject for row in rows}),
            "meaning": Flag(flag).meaning if flag in tuple(Flag) else UNKNOWN_WORD,
        }
        for flag, rows in sorted(flagged.items())
    ]


def as_markdown(data: StudyData, content: ReportContent) -> str:
    """Return Methods, Results, flow and GRRAS as Markdown, citations as ``[@key]``."""
    known = [item for item in content.methods if item.is_known]
    topics = [item.topic.lower() for item in content.methods if not item.is_known]
    lines = ["# Methods", "", as_paragraph(known), ""]
    if topics:
        lines += [f"Not found in the tables: {'; '.join(topics)}.", ""]
    if content.facts.not_read:
        names = ", ".join(f"`{name}`" for name in content.facts.not_read)
        lines += [f"Cohort columns not used in the text above: {names}.", ""]
    lines += ["# Results", "", *_paragraphs(content.results), "# Participant flow", ""]
    for step in flow_of(data):
        lines += [f"- {step.label}: {step.n}"]
        lines += [f"  - without {n}: {reason}" for reason, n in step.lost]
    lines += ["", "# GRRAS", "", "| item | asks for | here | answer |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {item.number} | {_cell(item.asks)} | {item.answer} | {_cell(item.words)} |"
        for item in content.items
    ]
    lines += ["", "# References", ""]
    lines += [f"- `{item.key}`: {item.as_text()}" for item in content.references]
    return "\n".join(lines) + "\n"


def _paragraphs(found: Sequence[Statement]) -> list[str]:
    return [line for part in by_topic(found) for line in (as_paragraph(part), "")]


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
