"""``multifidus protocol``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli.options import Json
from multifidus.cli.printing import print_json, say

protocol = typer.Typer(
    help="Show and write measurement protocols: all settings that change a value.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="A preset or a TOML file.")]


@protocol.callback()
def _group() -> None:
    """Show and write measurement protocols: all settings that change a value."""


@protocol.command("list")
def list_presets(json: Json = False) -> None:
    """List the presets with their description and source."""
    from multifidus.io.protocol_toml import about_preset, load_protocol, preset_texts

    if json:
        digests = {name: load_protocol(name).digest for name in preset_texts()}
        about = {name: " ".join(about_preset(name)) for name in digests}
        print_json({name: {"digest": digests[name], "about": about[name]} for name in digests})
        return
    for name in preset_texts():
        typer.echo(f"{name}\n" + "".join(f"    {line}\n" for line in about_preset(name)))


@protocol.command()
def show(name: Name = "default", json: Json = False) -> None:
    """Print a protocol as TOML, with its digest."""
    from multifidus.io.protocol_toml import about_preset, as_toml, load_protocol, preset_texts

    found = load_protocol(name)
    if json:
        print_json({"digest": found.digest, "settings": found.as_dict()})
        return
    about = about_preset(name) if name in preset_texts() else []
    head = [f"multifidus protocol, digest {found.digest}", *about]
    typer.echo("".join(f"# {line}\n" for line in head) + as_toml(found), nl=False)


@protocol.command()
def init(
    path: Annotated[Path, typer.Argument(help="TOML file to write.")] = Path("protocol.toml"),
    start: Annotated[
        str, typer.Option("--from", help="Preset or TOML file to start from.")
    ] = "default",
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Write a protocol file to edit, with the meaning of every setting."""
    from multifidus.io.files import write_text
    from multifidus.io.protocol_toml import as_explained_toml, load_protocol

    found = load_protocol(start)
    write_text(path, as_explained_toml(found), overwrite=overwrite)
    say(f"Wrote {path}; edit it and give it to 'multifidus measure --protocol {path}'.")


@protocol.command()
def validate(name: Name, json: Json = False) -> None:
    """Check a protocol; print its digest and the settings that differ from the default.

    Exit codes: 0 valid; 3 refused, with the reason.
    """
    from multifidus.io.protocol_toml import changed_settings, load_protocol

    found = load_protocol(name)
    changed = changed_settings(found)
    if json:
        print_json({"digest": found.digest, "changed": changed})
        return
    differs = (
        "All settings are defaults." if not changed else "Settings that differ from the default:"
    )
    typer.echo(f"{name} is valid, digest {found.digest}. {differs}")
    for line in changed:
        typer.echo(f"  {line}")
