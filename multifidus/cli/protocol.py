"""``multifidus protocol``."""

from __future__ import annotations

from typing import Annotated

import typer

protocol = typer.Typer(
    help="Look at measurement protocols: everything that changes a number.", no_args_is_help=True
)


@protocol.callback()
def _group() -> None:
    """Look at measurement protocols: everything that changes a number."""


@protocol.command()
def show(
    name: Annotated[str, typer.Argument(help="A preset or a TOML file.")] = "default",
) -> None:
    """Print a protocol as TOML, with its digest; edit it and give it to ``measure --protocol``."""
    from multifidus.io.protocols import as_toml, load_protocol

    found = load_protocol(name)
    typer.echo(f"# multifidus protocol, digest {found.digest}\n{as_toml(found)}", nl=False)
