"""``multifidus phantom``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli.printing import say
from multifidus.phantom.spec import ImageFormat, PhantomSpec, Variant

_DEFAULT = PhantomSpec()


def phantom(  # noqa: PLR0917 - a command has the options that it has
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
    variant: Annotated[
        Variant, typer.Option(help="Exam of the subject; surgery is at L4-L5.")
    ] = _DEFAULT.variant,
    seed: Annotated[int, typer.Option(help="Seed of the subject's anatomy and of the noise.")] = (
        _DEFAULT.seed
    ),
    image_format: Annotated[ImageFormat, typer.Option("--format", help="Format of the images.")] = (
        ImageFormat.DICOM
    ),
    dixon: Annotated[bool, typer.Option("--dixon", help="Add water and fat series.")] = False,
    screws: Annotated[bool, typer.Option("--screws", help="Add pedicle screws.")] = False,
) -> None:
    """Write an exam of the digital lumbar phantom, with exact outlines and true values."""
    from multifidus.phantom import images_folder, make_phantom, write_phantom

    spec = PhantomSpec(variant=variant, seed=seed, dixon=dixon, screws=screws)
    images_folder(spec, out)
    say(f"Wrote {write_phantom(make_phantom(spec), out, image_format)}")
