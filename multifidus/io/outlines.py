"""Outlines of an exam, in whatever format: which reader reads a file."""

from __future__ import annotations

from pathlib import Path

from multifidus.data.image import Exam
from multifidus.data.roi import check_sides
from multifidus.data.roi_set import RoiSet
from multifidus.errors import ReadError, RoiError
from multifidus.io.files import refuse_pipe
from multifidus.io.label_names import numbers_in
from multifidus.io.labelmap import PRESETS, load_labels, read_labelmap
from multifidus.io.outlines_json import SUFFIX, read_outlines, write_outlines
from multifidus.io.volume_files import is_volume, open_volume
from multifidus.measuring.locate import on_chosen_series, place, slice_words


def read_rois(
    path: str | Path,
    exam: Exam,
    *,
    labels: str | None = None,
    series: str | int | None = None,
    allow_swapped: bool = False,
) -> RoiSet:
    """Read outlines or a label map of an exam.

    Parameters
    ----------
    path
        An ``*.outlines.json`` file or a label map (NIfTI, NRRD, MetaImage).
    exam
        The exam they were drawn on; outlines that fit none of its slices are refused.
    labels
        For a label map: a preset's name, or a TOML or TSV file of value, structure, side.
    series
        Which series a label map was drawn on, or outlines whose slices are found by their place
        alone: its number as ``inspect`` counts the exam's series, its UID, or its weighting.
        Needed where several series have one geometry.
    allow_swapped
        Whether outlines whose left and right are swapped are read, to be mended; :func:`measure`
        refuses them all the same.

    Raises
    ------
    ReadError
        If the file is damaged, of another format, or a newer version.
    RoiError
        If an outline is malformed, fits no series of the exam or several of which none is chosen,
        or left and right are swapped and that is not allowed.
    """
    file = Path(path)
    refuse_pipe(file)
    if is_volume(file):
        if labels is None:
            msg = f"{file} is a label map, and nothing says what its numbers mean."
            raise ReadError(msg, remedy=f"Name a label preset: {', '.join(PRESETS)}; or a file.")
        scheme = load_labels(labels)
        known = frozenset[int]() if labels in PRESETS else numbers_in(labels)
        rois = read_labelmap(open_volume(file), exam, scheme, series, passed_over=known)
    elif file.suffix == ".json":
        rois = read_outlines(file)
    else:
        msg = f"{file} is in no known outline format."
        raise ReadError(msg, remedy=f"Known are *{SUFFIX} and label maps (NIfTI, NRRD, MetaImage).")
    try:
        if series is not None:
            rois = on_chosen_series(rois, exam, series)
        placed = place(rois, exam)
        if not allow_swapped:
            check_sides(rois, slice_words(placed, rois))
    except RoiError as error:
        raise RoiError(f"{file}: {error.message}", remedy=error.remedy) from error
    return rois


def write_rois(
    rois: RoiSet,
    path: str | Path,
    *,
    format: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write one reading's outlines, atomically.

    Parameters
    ----------
    rois
        Outlines of one reading.
    path
        Usually ``*.outlines.json``.
    format
        ``native``, the default, is the only one so far.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    RoiError
        If the outlines are of several readings.
    WriteError
        If the file exists and ``overwrite`` is not set.
    ReadError
        If the format is not known.
    """
    if format not in (None, "native"):
        msg = f"Unknown outline format {format!r}."
        raise ReadError(msg, remedy="Known is: native.")
    write_outlines(rois, Path(path), overwrite=overwrite)
