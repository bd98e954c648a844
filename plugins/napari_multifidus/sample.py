"""Sample data: the lumbar phantom before and after surgery."""

from __future__ import annotations

from dataclasses import replace

from multifidus.errors import CohortError, MultifidusError
from multifidus.io.cohort_csv import read_cohort
from multifidus.sample_data import sample_dir
from napari_multifidus import _compat
from napari_multifidus.models.opening import LayerData, OpenedExam, layer_data, open_exam
from napari_multifidus.reader import NOTHING


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
    return _open("pre")


def phantom_post() -> list[LayerData]:
    """Open the phantom after surgery."""
    return _open("post")


def _open(timepoint: str) -> list[LayerData]:
    try:
        found = layer_data(sample_exam(timepoint))
    except MultifidusError as error:
        _compat.notify(str(error), bad=True)
        return NOTHING
    viewer = _compat.current_viewer()
    if viewer is not None:
        _compat.open_dock(viewer)
    return found
