"""``multifidus change``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli import options
from multifidus.cli.printing import print_json, print_paper_tables, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multifidus.stats.change.study import ChangeStudy
    from multifidus.stats.values import Value


def change(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    table: options.Table,
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
    before: options.Before = "",
    after: options.After = "",
    value: Annotated[
        str, typer.Option(help="Reading used for analysis: first, mean, consensus or rater:ID.")
    ] = "first",
    quantity: options.Quantities = None,
    structure: options.Structures = None,
    group: options.Group = "",
    model: Annotated[
        str | None,
        typer.Option(help="Fit a mixed model of time and of zone, level, side or another column."),
    ] = None,
    protocol: options.Protocol = None,
    mix_protocols: options.MixProtocols = False,
    review: options.Review = None,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    json: options.FullJson = False,
) -> None:
    """Test change between examinations and compare it with the MDC.

    Every muscle is held against the least detectable change; groups are tested. Of more than two
    timepoints every two consecutive ones are compared, and the first with the last.

    Exit codes: 0 done; 2 wrong usage; 3 refused.
    """
    from multifidus.io.json_documents import load_printed
    from multifidus.stats.change.exam_value import ReadingChoice
    from multifidus.stats.requests import ChangeRequest, compare_exams

    if reliability is not None and mdc:
        msg = "Give --reliability or --mdc, not both."
        raise typer.BadParameter(msg)
    found = options.read_table(
        table, quantity, structure, protocol, mix_protocols=mix_protocols, review=review
    )
    known = None if reliability is None else load_printed(reliability, "a study's reliability")
    request = ChangeRequest(
        before=before,
        after=after,
        choice=ReadingChoice(value, mix_protocols=mix_protocols),
        reliability=known,
        mdc=_limits(mdc or (), found.values),
        column=group,
        model=model,
    )
    _hand_out(compare_exams(found, request), output, overwrite=overwrite, json=json)


def _hand_out(study: ChangeStudy, output: Path | None, *, overwrite: bool, json: bool) -> None:
    """Write the tables, and print them or JSON."""
    from multifidus.reporting.tables.change import all_digits, change_tables, subject_table
    from multifidus.reporting.tables.paper_table import write_tables
    from multifidus.stats.change.document import plain_changes

    tables = change_tables(study, study.remarks)
    muscles = subject_table(study.changes)
    if output is not None:
        found = (*tables, muscles)
        for path in write_tables(found, output, all_digits(study), overwrite=overwrite):
            say(f"Wrote {path}")
    if json:
        print_json(plain_changes(study))
        return
    print_paper_tables(tables or (muscles,))
    if not tables:
        for problem in (*study.problems, *study.remarks):
            say(problem)


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
