"""``multifidus audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multifidus.cli import options
from multifidus.cli.exit_codes import ACTED_ON_SOME, REFUSED
from multifidus.cli.printing import counting, print_json, print_table, say

if TYPE_CHECKING:
    from multifidus.io.privacy.audit import Audit

HIDDEN = "What was found is not printed; --show-identifiers prints it."
NOTHING_KNOWN = (
    "No scans or list are named, so only what looks like an identifier whoever it is of was "
    "looked for: give --scans FOLDER, the images that the files were made from."
)
MANY_FILES = 20
"""What stands in so many files is listed once."""

PIXELS = "Text within the pixels of images is not looked for."


def audit(  # noqa: PLR0917 - a command has the options that it has
    folder: Annotated[Path, typer.Argument(help="Folder, or one file, that is to be shared.")],
    scans: Annotated[
        list[Path] | None,
        typer.Option(
            help="Images that the files were made from, whose headers name the persons: files, "
            "folders or zip archives of DICOM, or JSON files beside NIfTI; may be repeated."
        ),
    ] = None,
    identifiers: Annotated[
        Path | None,
        typer.Option(help="Text file of further names, numbers or dates, one a line."),
    ] = None,
    show_identifiers: Annotated[
        bool, typer.Option(help="Print the identifiers that were found.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Look for patients' names, IDs and dates in every file of a folder before sharing it.

    Looks into tables, JSON, pages, documents, metadata of pictures, headers of images, archives
    and compressed parts, and at the names of files.

    Exit codes: 0 nothing found; 1 something found; 2 wrong usage; 3 refused.
    """
    from multifidus.io.privacy.audit import audit_folder, masked
    from multifidus.io.privacy.known import known_in, listed_in
    from multifidus.io.privacy.search import Search

    known, holders = known_in(scans or ())
    if scans and not known:
        say("The scans name nobody: none of their headers holds an identifier.")
        raise typer.Exit(REFUSED)
    if identifiers is not None:
        known |= listed_in(identifiers)
    with counting("searching") as step:
        search = Search(known)
        found = audit_folder(folder, search, step)
    if not show_identifiers:
        found = masked(found, search)
    if json:
        print_json(_as_json(found, len(known), show_identifiers=show_identifiers))
    else:
        _print(found, show_identifiers=show_identifiers)
    if scans:
        say(f"Looked for {len(known)} identifiers from {holders} files of the scans.")
    elif not known:
        say(NOTHING_KNOWN)
    say(PIXELS)
    if found.findings:
        raise typer.Exit(ACTED_ON_SOME)


def _print(found: Audit, *, show_identifiers: bool) -> None:
    if found.findings:
        headings = ["file", "where", "identifier", *(["text"] if show_identifiers else ())]
        print_table(headings, _rows(found, show_identifiers=show_identifiers), most=None)
        if not show_identifiers:
            say(HIDDEN)
    for one in found.unread:
        place = f", {one.where}" if one.where else ""
        say(f"Not looked into: {one.file}{place}: {one.why}.")
    files = "1 file" if found.files == 1 else f"{found.files} files"
    holding = len({one.file for one in found.findings})
    verb = "holds" if holding == 1 else "hold"
    say(f"Searched {files}: " + (f"{holding} {verb} identifiers." if holding else "none found."))


def _rows(found: Audit, *, show_identifiers: bool) -> list[tuple[str, ...]]:
    """Return the rows of the list, last and in one row each what stands in many files.

    That is mostly a name which is also a word of tables, such as Page, Left or Mean; file by file
    it would hide the others.
    """
    files: dict[tuple[str, str], dict[str, None]] = {}
    for one in found.findings:
        files.setdefault((one.what, one.text), {})[one.file] = None
    often = {key: list(names) for key, names in files.items() if len(names) >= MANY_FILES}
    rows = [
        (one.file, one.where or "text", one.what, one.text)
        for one in found.findings
        if (one.what, one.text) not in often
    ]
    rows += [
        (f"{len(names)} files", f"such as {', '.join(names[:3])}", *key)
        for key, names in often.items()
    ]
    shown = 4 if show_identifiers else 3
    return list(dict.fromkeys(row[:shown] for row in rows))


def _as_json(found: Audit, known: int, *, show_identifiers: bool) -> dict[str, Any]:
    return {
        "files": found.files,
        "identifiers_looked_for": known,
        "findings": [
            {"file": one.file, "where": one.where, "identifier": one.what}
            | ({"text": one.text} if show_identifiers else {})
            for one in found.findings
        ],
        "not_looked_into": [
            {"file": one.file, "where": one.where, "reason": one.why} for one in found.unread
        ],
    }
