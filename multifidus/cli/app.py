"""The application: its subcommands and what all of them share."""

from __future__ import annotations

from typing import Annotated

import typer

from multifidus.cli.agreement import agreement
from multifidus.cli.annotate import annotate
from multifidus.cli.assemble import assemble
from multifidus.cli.audit import audit
from multifidus.cli.change import change
from multifidus.cli.demo import demo
from multifidus.cli.inspect import inspect
from multifidus.cli.levels import levels
from multifidus.cli.measure import measure
from multifidus.cli.merge import merge
from multifidus.cli.phantom import phantom
from multifidus.cli.plan import plan
from multifidus.cli.propose import propose
from multifidus.cli.protocol import protocol
from multifidus.cli.reliability import reliability
from multifidus.cli.report import report
from multifidus.cli.unblind import unblind
from multifidus.version import VERSION

app = typer.Typer(
    name="multifidus",
    help="Quantify the multifidus on axial lumbar MRI. Research software, not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(inspect)
app.command()(annotate)
app.command()(merge)
app.command()(unblind)
app.command()(levels)
app.command()(measure)
app.command()(assemble)
app.command()(propose)
app.command()(reliability)
app.command()(change)
app.command()(report)
app.command()(audit)
app.command()(agreement)
app.command()(phantom)
app.command()(demo)
app.add_typer(plan, name="plan")
app.add_typer(protocol, name="protocol")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"multifidus {VERSION}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Quantify the multifidus on axial lumbar MRI. Research software, not a medical device."""
