"""The results folder: what lies in it, and what of an earlier run goes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from multifidus.data.drawing import AS_USUAL, PictureFormat, PictureStyle
from multifidus.errors import WriteError
from multifidus.figures.picture_files import SMALL, is_picture_stem
from multifidus.io.files import refuse_file_as_folder
from multifidus.study.results_page import is_page
from multifidus.study.table_files import FILES

TABLE = "measurements.csv"
SUMMARY = "summary.csv"
DICTIONARY = "dictionary.json"
FAILURES = "failures.csv"
MISSING = "missing.csv"
ACQUISITIONS = "acquisitions.csv"
MUSCLES = "muscles.csv"
PROTOCOL = "protocol.toml"
PICTURES = "pictures"
PAGE = "index.html"
CASES = "cases"
"""Folder of the records of a run's finished cases."""

RUN = "run.json"
"""What all cases of a run share."""

PROVENANCE = "provenance.json"
LOG = "run.log.jsonl"
SHARDS = "shards"
"""Folder of how each shard of a run went."""

REPORT = "report"
"""Folder of the report that is made of all these."""

OLD_REPORT = (
    f"{REPORT}/ in this folder was made of the results that were just replaced: delete it, or make "
    "it anew with 'multifidus report --overwrite'."
)


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go.

    Parameters
    ----------
    folder
        Made if need be.
    overwrite
        Whether results already there may be replaced.
    pictures
        Whether to draw every measured slice and the page that shows them.
    review
        A table of verdicts, in place of the ``review.csv`` in the folder.
    tables
        Further tables: ``wide``, ``parquet``, ``redcap``, ``bids``.
    drawing
        Which slices are drawn, and in what format.
    """

    folder: Path
    overwrite: bool = False
    pictures: bool = True
    review: Path | None = None
    tables: tuple[str, ...] = ()
    drawing: PictureStyle = AS_USUAL

    def check(self) -> None:
        """Refuse, before anything is measured, to replace results unasked.

        Raises
        ------
        WriteError
            If the folder is a file, lies below one or holds results.
        """
        refuse_file_as_folder(self.folder)
        if not self.overwrite and self._holds_results():
            msg = f"{self.folder} already holds results."
            raise WriteError(msg, remedy="Choose another folder, or ask to overwrite them.")

    def _holds_results(self) -> bool:
        # Pictures alone are of a run that did not end; a report would show them among the new.
        begun = any((self.folder / name).exists() for name in (TABLE, RUN))
        return begun or any(self.old_pictures())

    def old_pictures(self, drawn: Sequence[tuple[str, str]] = ()) -> Iterator[Path]:
        """Yield the pictures of slices in the folder, large and small, besides those just drawn.

        Other files there are not this program's.
        """
        large = self.folder / PICTURES
        new = [large / name for name, _ in drawn]
        new += [(large / SMALL / name).with_suffix(".jpg") for name, _ in drawn]
        # As files, not by name: some systems take names of another case for the same.
        kept = {(at.st_dev, at.st_ino) for at in (path.stat() for path in new if path.exists())}
        suffixes = [form.suffix for form in PictureFormat]
        drawn_before = [path for suffix in suffixes for path in large.glob(f"*{suffix}")]
        for path in (*drawn_before, *(large / SMALL).glob("*.jpg")):
            at = path.lstat()
            if (
                is_picture_stem(path.stem)
                and not path.is_dir()
                and (at.st_dev, at.st_ino) not in kept
            ):
                yield path


def remove_earlier(
    output: Output, drawn: Sequence[tuple[str, str]], *, has_tables: bool, has_page: bool
) -> None:
    """Remove what an earlier run wrote and this one does not replace.

    Nothing but files that this program names. The protocol is not among them: it is always
    replaced, and may be the very file that the user wrote.
    """
    remove_tables(
        output.folder,
        () if has_tables else (TABLE, SUMMARY, DICTIONARY, ACQUISITIONS, MUSCLES),
        has_page=has_page,
    )
    for path in [*output.old_pictures(drawn)]:
        path.unlink()


ALL_TABLES = (
    TABLE, SUMMARY, DICTIONARY, FAILURES, MISSING, PROVENANCE, ACQUISITIONS, MUSCLES,
    *(name for names in FILES.values() for name in names),
)  # fmt: skip


def holds_tables(folder: Path) -> bool:
    """Whether there is any table or page of results in a folder."""
    return any((folder / name).exists() for name in ALL_TABLES) or is_page(folder / PAGE)


def is_assembled(folder: Path) -> bool:
    """Whether the results in a folder were put together from runs in other folders."""
    if (folder / RUN).exists():
        return False
    try:
        found = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and "shards" in found


def remove_tables(
    folder: Path,
    names: Sequence[str] = ALL_TABLES,
    *,
    has_page: bool = False,
) -> None:
    """Remove tables of an earlier run, and its page if there is to be none."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    if not has_page and is_page(folder / PAGE):
        (folder / PAGE).unlink()


def remove_run(folder: Path) -> None:
    """Remove the records of a run, where results of another kind take its place."""
    if (folder / RUN).exists():
        for name in (CASES, SHARDS):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (RUN, PROVENANCE, LOG):
            (folder / name).unlink(missing_ok=True)
