"""``multifidus change``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multifidus.cli.printing import print_json, print_wide_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multifidus.stats.change.mdc import MdcOf
    from multifidus.stats.values import Value


WORDY = ("value", "examinations", "slices", "left out")
"""Columns whose cells are mostly alike."""


def change(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    table: Annotated[Path, typer.Argument(help="measurements.csv of a study.")],
    reliability: Annotated[
        Path | None,
        typer.Option("--reliability", help="JSON output of 'multifidus reliability --json'."),
    ] = None,
    mdc: Annotated[
        list[str] | None,
        typer.Option(
            "--mdc", help="Minimal detectable change, such as tcsa_mm2=60; may be repeated."
        ),
    ] = None,
    before: Annotated[
        str, typer.Option("--from", help="Baseline timepoint; default: the first.")
    ] = "",
    after: Annotated[
        str, typer.Option("--to", help="Follow-up timepoint; default: the last.")
    ] = "",
    value: Annotated[
        str, typer.Option(help="Reading used for analysis: first, mean, consensus or rater:ID.")
    ] = "first",
    quantity: Annotated[
        list[str] | None,
        typer.Option("--quantity", help="Quantity to analyse; may be repeated. Default: all."),
    ] = None,
    structure: Annotated[
        list[str] | None,
        typer.Option("--structure", help="Structure to analyse; may be repeated. Default: all."),
    ] = None,
    group: Annotated[str, typer.Option(help="Grouping column, such as approach.")] = "",
    model: Annotated[
        str | None,
        typer.Option(help="Fit a mixed model of time and of zone, level, side or another column."),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Protocol that selects slices within a level and sets the minimum valid fraction; "
            "default: the one used for the table."
        ),
    ] = None,
    mix_protocols: Annotated[
        bool,
        typer.Option("--mix-protocols", help="Compare values measured with different protocols."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for changes.csv and the tables.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace existing files.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the full result as JSON.")] = False,
) -> None:
    """Test change between examinations and compare it with the MDC.

    Every muscle is held against the least detectable change; groups are tested. Of more than two
    timepoints every two consecutive ones are compared, and the first with the last.

    Exit codes: 0 done; 2 wrong usage; 3 refused.
    """
    from multifidus.io.json_file import read_json
    from multifidus.io.table_csv import read_results
    from multifidus.reporting.tables.change import change_tables, subject_table, write_changes
    from multifidus.stats.change.document import plain_changes
    from multifidus.stats.change.mdc import limit_warnings, protocol_warnings
    from multifidus.stats.change.mixed_model import model_changes
    from multifidus.stats.change.pairs import ReadingChoice
    from multifidus.stats.change.study import spans_of, study_change
    from multifidus.stats.study_table import study_table
    from multifidus.stats.values import of_quantities
    from multifidus.study.results import PROTOCOL

    if reliability is not None and mdc:
        msg = "Give --reliability or --mdc, not both."
        raise typer.BadParameter(msg)
    read = read_results(table)
    if read.remark:
        say(read.remark)
    found = study_table(
        read.rows, table.parent / PROTOCOL, protocol, lines=read.lines, mix_protocols=mix_protocols
    )
    values = of_quantities(found.values, quantity or (), structure or ())
    choice = ReadingChoice(value, mix_protocols=mix_protocols)
    known = None if reliability is None else read_json(reliability, "a study's reliability")
    limits = _limits(mdc or (), values)
    spans = spans_of(values, before, after)
    study = study_change(
        values,
        spans,
        choice=choice,
        mdc_of=_error_of(known, limits),
        minimal_valid_fraction=found.protocol.minimal_valid_fraction,
        column=group,
    )
    least = found.protocol.minimal_valid_fraction
    models, failed = (
        ([], [])
        if model is None
        else model_changes(values, _ordered(spans), model, choice, minimal_valid_fraction=least)
    )
    warnings = limit_warnings(limits, values) if known is None else protocol_warnings(known, values)
    study = replace(study, problems=(*study.problems, *warnings, *failed, *found.remarks))
    tables = change_tables(study, models)
    muscles = subject_table(study.changes)
    if output is not None:
        for path in write_changes(study, (*tables, muscles), output, overwrite=overwrite):
            say(f"Wrote {path}")
    if json:
        print_json(plain_changes(study, models))
        return
    for printed in tables or (muscles,):
        print_wide_table(printed.headings, printed.rows, WORDY)
        for note in printed.notes:
            say(note)
    if not tables:
        for problem in study.problems:
            say(problem)


def _error_of(known: dict[str, Any] | None, limits: dict[str, float]) -> MdcOf:
    from multifidus.stats.change.mdc import given, mdc_from_reliability, unknown_mdc

    if known is not None:
        return mdc_from_reliability(known)
    return given(limits) if limits else unknown_mdc


def _limits(texts: Sequence[str], values: Sequence[Value]) -> dict[str, float]:
    quantities = {item.quantity for item in values}
    found: dict[str, float] = {}
    for text in texts:
        quantity, _, number = text.partition("=")
        try:
            limit = float(number)
        except ValueError:
            msg = f"--mdc takes QUANTITY=NUMBER, such as tcsa_mm2=60, not {text!r}."
            raise typer.BadParameter(msg) from None
        if quantity not in quantities:
            msg = f"The table has no quantity {quantity!r}; it has {', '.join(sorted(quantities))}."
            raise typer.BadParameter(msg)
        if quantity in found:
            msg = f"--mdc names {quantity} twice."
            raise typer.BadParameter(msg)
        found[quantity] = limit
    return found


def _ordered(spans: Sequence[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for span in spans for name in span))
