"""What can be checked of a cohort before hours of work: all problems in one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from multifidus.data.cohort import Case
from multifidus.errors import MultifidusError
from multifidus.io.files import name_from
from multifidus.io.labelmap import load_labels
from multifidus.io.outlines_json import SUFFIX, read_outlines


@dataclass(frozen=True, slots=True)
class CohortProblem:
    """Something in one row of a cohort table that would make its case fail.

    Parameters
    ----------
    line
        Line of the table; None where the case is of none.
    column
        Column.
    message
        What is wrong, and what to do.
    """

    line: int | None
    column: str
    message: str

    def in_words(self) -> str:
        """Return it as a sentence with its place."""
        row = "" if self.line is None else f"line {self.line}, "
        return f"{row}column {self.column}: {self.message}"


def problems_of_cases(cases: Iterable[Case]) -> Iterator[CohortProblem]:
    """Yield what would fail, as far as files and label schemes show; images are not decoded."""
    for case in cases:
        for column, paths in (
            ("images", case.images), ("outlines", case.outlines), ("landmarks", case.landmarks),
        ):  # fmt: skip
            for path in paths:
                if problem := _problem_of(path, case.folder or Path()):
                    yield CohortProblem(case.line, column, problem)
        if not case.outlines:
            message = "no outlines are named. Fill it, or draw them first."
            yield CohortProblem(case.line, "outlines", message)
        yield from _problems_of_labels(case)


def _problem_of(path: Path, folder: Path) -> str:
    name = name_from(path, folder)
    try:
        if not path.exists():
            return f"{name} does not exist. Check the path."
        if not path.is_file() and not path.is_dir():
            return f"{name} is neither a file nor a folder. Check the path."
        if path.is_file():
            with path.open("rb") as file:
                file.read(1)
        if path.name.endswith(SUFFIX):
            read_outlines(path)
    except MultifidusError as error:
        return str(error).replace(str(path), name)
    except OSError as error:
        return f"{name} cannot be opened: {error.strerror}. Check the path and its permissions."
    return ""


def _problems_of_labels(case: Case) -> Iterator[CohortProblem]:
    try:
        for scheme in dict.fromkeys(case.label_schemes):
            if scheme is not None:
                load_labels(scheme)
    except MultifidusError as error:
        folder = case.folder or Path()
        message = str(error).replace(f"{folder}/", "")
        yield CohortProblem(case.line, "labels", message)
