"""What napari calls to open files and samples: exams, and outlines onto an exam that is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from multifidus.errors import CohortError, MultifidusError, ReadError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.outlines_json import SUFFIX
from multifidus.io.table_names import is_table
from multifidus.sample_data import sample_dir
from napari_multifidus import _compat
from napari_multifidus.models.opening import (
    ONE_OF_MANY,
    LayerData,
    OpenedExam,
    find_exams,
    holds_images,
    is_cohort,
    is_one_of_many,
    layer_data,
    only,
    open_exam,
)

Paths = str | Sequence[str]

NOTHING: list[Any] = [(None,)]
"""What a reader returns that was responsible, and adds no layer."""


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return the function that reads a path, or None where it is none of ours."""
    if not isinstance(path, str) and len(path) != 1:
        return None
    file = _one(path)
    if file.name.endswith(SUFFIX):
        return read_outlines
    if is_table(file):
        return read_cohort_list if is_cohort(file) else None
    if file.is_dir() and not holds_images(file):
        return None
    return read_images


def _one(path: Paths) -> Path:
    """Return the one path; napari gives a list of it when Shift is held while it is dropped."""
    return Path(path if isinstance(path, str) else path[0])


def read_images(path: Paths) -> list[LayerData]:
    """Read an exam and open the plugin's window beside it; of several, let the person choose."""
    viewer = _compat.current_viewer()
    dock = _compat.open_dock(viewer) if viewer is not None else None
    try:
        if dock is not None:
            dock.annotator.workspace.access.refuse_other_exams_if_blinded()
        found = find_exams(_one(path))
        if len(found) > 1 and dock is not None:
            dock.exams.offer(found)
            return NOTHING
        opened = only(found, _one(path))
        layers = layer_data(opened)
    except MultifidusError as error:
        _say(str(error), dock)
        return NOTHING
    if is_one_of_many(opened) and dock is None:
        _say(ONE_OF_MANY, dock)
    return layers


def _say(words: str, dock: Any) -> None:
    """Say what went wrong in the plugin's line; where its window is not open, beside napari's."""
    if dock is None:
        _compat.notify(words, bad=True)
    else:
        dock.annotator.workspace.warning.emit(words)


def read_cohort_list(path: Paths) -> list[LayerData]:
    """Open the reading list that a rater has of a cohort."""
    viewer = _compat.current_viewer()
    dock = _compat.open_dock(viewer) if viewer is not None else None
    try:
        if dock is None:
            msg = f"No window is open that {_one(path).name} could be read in."
            raise ReadError(msg)
        dock.open_cohort(_one(path))
    except MultifidusError as error:
        _say(str(error), dock)
    return NOTHING


def read_outlines(path: Paths) -> list[LayerData]:
    """Read outlines onto the exam that is open."""
    viewer = _compat.current_viewer()
    dock = _compat.open_dock(viewer) if viewer is not None else None
    try:
        if dock is None:
            msg = f"No exam is open that {_one(path).name} could be shown on."
            raise ReadError(msg, remedy="Open the exam first.")
        dock.annotator.opener.open_outlines(_one(path))
    except MultifidusError as error:
        _say(str(error), dock)
    return NOTHING


def sample_exam(timepoint: str) -> OpenedExam:
    """Read a sample exam, named as its cohort table names it, with its outlines.

    Raises
    ------
    MultifidusError
        If the sample data are not there, or have no such timepoint.
    """
    table = sample_dir() / "cohort.csv"
    for case in read_cohort(table).cases:
        if case.reading.timepoint == timepoint:
            opened = open_exam(case.images[0])
            exam = replace(opened.exam, subject=case.reading.subject, timepoint=timepoint)
            outlines = case.outlines[0] if case.outlines else None
            return replace(opened, exam=exam, outlines=outlines, is_sample=True)
    msg = f"{table} has no exam of timepoint {timepoint!r}."
    raise CohortError(msg)


def phantom_pre() -> list[LayerData]:
    """Open the phantom before surgery."""
    return _open_sample("pre")


def phantom_post() -> list[LayerData]:
    """Open the phantom after surgery."""
    return _open_sample("post")


def _open_sample(timepoint: str) -> list[LayerData]:
    viewer = _compat.current_viewer()
    dock = _compat.open_dock(viewer) if viewer is not None else None
    try:
        return layer_data(sample_exam(timepoint))
    except MultifidusError as error:
        _say(str(error), dock)
        return NOTHING
