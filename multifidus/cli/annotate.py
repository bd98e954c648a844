"""``multifidus annotate``."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli import options
from multifidus.cli.printing import print_json, print_table, say

if TYPE_CHECKING:
    from types import ModuleType

    from multifidus.reading.worklist import Worklist


def annotate(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    exam: Annotated[
        Path | None, typer.Argument(help="File or folder of one exam, or a cohort.csv.")
    ] = None,
    rater: Annotated[
        str | None, typer.Option(help="Rater ID; the last one used if not given.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where outlines are saved; beside the images if not given. For a cohort: the "
            "folder that holds one folder per rater, 'readings' beside the table if not given."
        ),
    ] = None,
    fat: Annotated[
        Path | None, typer.Option(help="Fat image of a Dixon pair, whatever it is called.")
    ] = None,
    water: Annotated[Path | None, typer.Option(help="Water image of a Dixon pair.")] = None,
    outlines: Annotated[
        Path | None,
        typer.Option(help="Outline file or label map to begin with as drafts, of one exam."),
    ] = None,
    labels: options.Labels = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Show codes in place of subjects and timepoints.")
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(help="The coordinator's key file; beside the table if not given."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the random order and of the codes.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(help="Number of exams that are read twice.")
    ] = None,
    apart_days: Annotated[
        int | None, typer.Option(help="Minimum number of days between two readings of one exam.")
    ] = None,
    adjudicate: Annotated[
        str | None,
        typer.Option(
            help="Compare the outlines of two raters, such as AB,CD, and draw a consensus."
        ),
    ] = None,
    only_list: Annotated[
        bool,
        typer.Option(
            "--list", help="Print the worklist and its progress without opening a window."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="With --list: print JSON.")] = False,
) -> None:
    """Open napari to segment an exam, or the exams on a rater's worklist.

    Outlines are saved automatically. Blinding does not extend to
    implants or postoperative changes visible on the images.
    """
    from multifidus.io.table_names import is_table

    if exam is None or not is_table(exam):
        given = (blind, key, seed, repeats, apart_days, adjudicate, only_list)
        if any(value not in {None, False} for value in given):
            msg = "These options apply to a worklist, which needs a cohort.csv."
            raise typer.BadParameter(msg)
        if (exam is None) == (fat is None and water is None):
            msg = "Give an exam, a cohort.csv, or a Dixon pair (--fat, --water)."
            raise typer.BadParameter(msg)
        _plugin().run(
            exam, rater=rater, folder=folder, pair=(fat, water), drafts=(outlines, labels)
        )
        return
    if any(value is not None for value in (fat, water, outlines, labels)):
        msg = "These options apply to one exam; a cohort.csv names images and outlines itself."
        raise typer.BadParameter(msg)
    from multifidus.reading.schedule import CONSENSUS
    from multifidus.reading.session import SessionRequest, open_worklist

    raters = None if adjudicate is None else _two(adjudicate)
    who = (CONSENSUS if rater is None else rater) if raters else rater
    if who is None:
        msg = "Give the rater: --rater ID."
        raise typer.BadParameter(msg)
    plugin = None if only_list else _plugin()
    worklist = open_worklist(
        SessionRequest(exam, who, folder, blind, key, seed, repeats, apart_days, raters)
    )
    if plugin is None:
        _print_list(worklist, json=json)
    else:
        plugin.run_worklist(worklist, raters)


def _plugin() -> ModuleType:
    from multifidus.errors import ReadError

    try:
        from napari_multifidus import annotate as plugin
    except ImportError as error:
        msg = f"napari is not installed: {error}."
        raise ReadError(msg, remedy='Install it: pip install "multifidus[gui]".') from error
    return plugin


def _two(raters: str) -> tuple[str, str]:
    first, _, second = (part.strip() for part in raters.partition(","))
    if not first or not second or "," in second:
        msg = f"Name two raters, as AB,CD; got {raters!r}."
        raise typer.BadParameter(msg)
    return first, second


def _print_list(worklist: Worklist, *, json: bool) -> None:
    from multifidus.reading.worklist_table import worklist_table

    found = worklist_table(worklist, datetime.datetime.now(tz=datetime.UTC).astimezone())
    if json:
        print_json(found.as_json())
        return
    print_table(found.headings, found.rows)
    for words in (*worklist.notes, f"{found.progress}.", f"For the Methods: {found.methods}"):
        say(words)
