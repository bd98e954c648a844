"""Opening exams: what is found under a path becomes image layers of a viewer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.roi_set import RoiSet, merge
from multifidus.errors import MultifidusError
from multifidus.io.cohort_csv import REQUIRED
from multifidus.io.dicom.syntax import begins_as_dicom
from multifidus.io.inspect import days_since_first
from multifidus.io.outlines import read_rois
from multifidus.io.read import read_exam
from multifidus.io.scan import scan
from multifidus.io.table_reader import read_header
from multifidus.measuring.dixon_roles import DixonRoles
from napari_multifidus.models.display_images import (
    DisplayImage,
    WindowPreset,
    display_images,
    limits,
)
from napari_multifidus.models.grid import axial_series, spacing_mm
from napari_multifidus.models.label_maps import without_label_maps
from napari_multifidus.models.series_names import file_names
from napari_multifidus.models.shapes import AXES, UNITS

METADATA = "multifidus_exam"
"""Key of an image layer's metadata under which its :class:`OpenedExam` stands."""

SNIFFED_FILES = 64
"""Files of a folder that are looked at before it is taken for something else."""

LayerData = tuple[Any, dict[str, Any], str]


@dataclass(frozen=True, slots=True, eq=False)
class OpenedExam:
    """One series of an exam that was opened, and where it came from.

    Attributes
    ----------
    path
        File or folder of the exam; None where it was made in memory.
    outlines
        Outlines to start with, where nobody has drawn any yet.
    is_sample
        Whether it is a sample exam, beside which nothing is written.
    is_first
        Whether this series is outlined unless another is chosen.
    shared
        Landmarks and levels that all raters share, or files of them; they are locked.
    contrast
        What of the exam a layer shows; the series itself if None.
    files
        Names of the files of series, by UID; not to be shown where the subject is hidden.
    label_maps
        Names of the label maps beside its images.
    roles
        The Dixon pair that somebody chose; None where headers and names tell it, or there is none.
    as_read
        The exam before they did; None where nobody has.
    """

    exam: Exam
    series: Series
    path: Path | None = None
    outlines: Path | None = None
    is_sample: bool = False
    is_first: bool = True
    shared: tuple[Path, ...] | RoiSet = ()
    contrast: DisplayImage | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    label_maps: tuple[str, ...] = ()
    roles: DixonRoles | None = None
    as_read: Exam | None = None

    @property
    def shown(self) -> DisplayImage:
        """What its layer shows."""
        return self.contrast or DisplayImage(self.series)


@dataclass(frozen=True, slots=True, eq=False)
class ExamOnDisk:
    """One of several exams that were found under a path.

    Attributes
    ----------
    path
        What was looked into.
    own
        The folder that holds this exam and no other; None where there is none.
    days
        Days from the subject's first exam; None where it has no date.
    files
        Names of the files of its series, by UID.
    label_maps
        What lies beside its images and is none.
    """

    exam: Exam
    path: Path
    own: Path | None = None
    days: int | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    label_maps: tuple[Series, ...] = ()

    def open(self) -> OpenedExam:
        """Open it: from a folder of its own as if that had been chosen, with the same names.

        Raises
        ------
        MultifidusError
            If it has no axial series, or its files have gone.
        """
        if self.own is not None:
            return open_exam(self.own)
        return self.opened_from(self.path)

    def opened_from(self, path: Path) -> OpenedExam:
        """Open it as what was found under a path."""
        maps = tuple(self.files.get(series.uid, "") for series in self.label_maps)
        named = tuple(filter(None, maps))
        first = axial_series(self.exam)[0]
        return OpenedExam(self.exam, first, path, files=self.files, label_maps=named)


def find_exams(path: Path) -> tuple[ExamOnDisk, ...]:
    """Find every exam under a path; label maps beside images are no part of it.

    Pixels are read of those series alone whose contrast nothing tells.

    Raises
    ------
    ReadError
        If the path does not exist.
    """
    found = scan(path)
    parted = [without_label_maps(exam) for exam in found.exams]
    folders = [_folder(found.paths_of(exam)) for exam in found.exams]
    return tuple(
        ExamOnDisk(
            images,
            path,
            _own(folder, folders, path),
            days_since_first(exam, found.exams),
            file_names({series.uid: found.paths_of(exam, series) for series in exam.series}),
            maps,
        )
        for exam, (images, maps), folder in zip(found.exams, parted, folders, strict=True)
    )


def _folder(paths: Sequence[Path]) -> Path:
    """Return the folder that all files of an exam lie in."""
    return Path(os.path.commonpath([path.parent for path in paths]))


def _own(folder: Path, folders: Sequence[Path], path: Path) -> Path | None:
    """Return the folder of an exam if no other lies in it, and if it stays: no unpacked archive."""
    inside = sum(folder in {other, *other.parents} for other in folders)
    return folder if inside == 1 and folder.is_relative_to(path) else None


def open_exam(path: Path) -> OpenedExam:
    """Read the one exam under a path; its first axial series is taken.

    Raises
    ------
    MultifidusError
        If there is not exactly one exam, or it has no axial series.
    """
    return only(find_exams(path), path)


def open_pair(fat: Path | None, water: Path | None) -> OpenedExam:
    """Read a Dixon pair that is given by hand, whatever its files are called.

    Raises
    ------
    MultifidusError
        If one of the two is missing, or they are no pair, or not axial.
    """
    exam = read_exam(fat=fat, water=water)
    roles = {Weighting.DIXON_FAT: fat, Weighting.DIXON_WATER: water}
    files = {
        series.uid: path.name
        for series in exam.series
        if (path := roles.get(series.weighting)) is not None
    }
    return OpenedExam(exam, axial_series(exam)[0], fat, files=files)


def only(found: Sequence[ExamOnDisk], path: Path) -> OpenedExam:
    """Open the one exam that was found under a path.

    Raises
    ------
    MultifidusError
        As of :func:`open_exam`.
    """
    if len(found) == 1:
        return found[0].opened_from(path)
    exam = read_exam(path)
    return OpenedExam(exam, axial_series(exam)[0], path)


def shared_levels(opened: OpenedExam) -> RoiSet | None:
    """Read the landmarks and levels that all raters of an exam share; None where there are none.

    Raises
    ------
    MultifidusError
        If a file cannot be read, or belongs to another exam.
    """
    if isinstance(opened.shared, RoiSet):
        return opened.shared
    if not opened.shared:
        return None
    return merge([read_rois(path, opened.exam) for path in opened.shared])


def layer_data(opened: OpenedExam) -> list[LayerData]:
    """Turn an exam's axial series into image layers, the one to be outlined last and visible.

    Raises
    ------
    MultifidusError
        If the slices of the series differ in pixel spacing, or pixels cannot be read.
    """
    beside = display_images(opened.exam, opened.series)[1:]
    return [*(layer_of(opened, contrast) for contrast in beside), layer_of(opened)]


def layer_of(opened: OpenedExam, contrast: DisplayImage | None = None) -> LayerData:
    """Turn what is shown of an exam into an image layer; another contrast is hidden at first.

    Raises
    ------
    MultifidusError
        If the slices of the series differ in pixel spacing, or pixels cannot be read.
    """
    if contrast is not None:
        opened = replace(opened, series=contrast.series, contrast=contrast, is_first=False)
    shown = opened.shown
    stack = shown.stack()
    attributes = {
        "name": f"axial {shown.words}",
        "scale": (1.0, *spacing_mm(shown.series)),
        "units": UNITS,
        "axis_labels": AXES,
        "colormap": "gray",
        "contrast_limits": limits(stack, WindowPreset.AUTOMATIC, is_percent=shown.is_percent),
        "visible": opened.is_first,
        "metadata": {METADATA: opened},
    }
    return stack, attributes, "image"


ONE_OF_MANY = "Only this one image was opened; open its folder for all of its series."


def is_one_of_many(opened: OpenedExam) -> bool:
    """Whether a lone DICOM slice was opened that has others beside it."""
    path = opened.path
    if path is None or path.is_dir() or len(opened.series.slices) > 1 or not _is_dicom(path):
        return False
    return any(other != path and _is_dicom(other) for other in _first_files(path.parent))


def holds_images(folder: Path) -> bool:
    """Whether a folder seems to hold DICOM or NIfTI; looks at a few files only."""
    return any(
        path.name.lower().endswith((".nii", ".nii.gz")) or _is_dicom(path)
        for path in _first_files(folder)
    )


def is_cohort(path: Path) -> bool:
    """Whether a table has the columns that every cohort has."""
    try:
        return set(REQUIRED) <= set(read_header(path, REQUIRED))
    except MultifidusError:
        return False


def _is_dicom(path: Path) -> bool:
    """Whether a file that can be opened begins as DICOM does."""
    try:
        return begins_as_dicom(path)
    except OSError:
        return False


def _first_files(folder: Path) -> Iterator[Path]:
    waiting, seen = [folder], 0
    while waiting and seen < SNIFFED_FILES:
        for path in sorted(waiting.pop(0).iterdir()):
            if path.is_dir():
                waiting.append(path)
                continue
            seen += 1
            if seen > SNIFFED_FILES:
                return
            yield path
