"""Open a viewer on one exam, ready to outline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from multifidus.roi import Reading
from napari_multifidus._compat import new_viewer, open_dock, stay_open
from napari_multifidus.opening import layer_data, open_exam


def annotate(
    images: str | Path, *, by: Reading | None = None, folder: str | Path | None = None
) -> Any:
    """Open an exam in a new viewer; ``napari.run()`` then hands the window to the person.

    Parameters
    ----------
    images
        File or folder of the exam.
    by
        Whose reading of which exam; as it was left last time if None.
    folder
        Where outlines are kept; beside the images if None.

    Returns
    -------
    napari.Viewer
        The viewer, with the plugin open.

    Raises
    ------
    MultifidusError
        If there is not exactly one exam, or it has no axial series that can be shown.
    """
    opened = open_exam(Path(images))
    layers = layer_data(opened)
    viewer = new_viewer()
    dock = open_dock(viewer)
    for data, attributes, _ in layers:
        viewer.add_image(data, **attributes)
    dock.annotator.open(opened, folder=None if folder is None else Path(folder), by=by)
    return viewer


def run(images: str | Path, *, rater: str | None = None, folder: str | Path | None = None) -> None:
    """Open an exam in a new window and stay until it is closed.

    Parameters
    ----------
    images
        File or folder of the exam.
    rater
        Who outlines; as it was left last time if None.
    folder
        Where outlines are kept; beside the images if None.

    Raises
    ------
    MultifidusError
        If there is not exactly one exam, or it has no axial series that can be shown.
    """
    by = None
    if rater is not None:
        exam = open_exam(Path(images)).exam
        by = Reading(exam.subject, exam.timepoint, rater)
    annotate(images, by=by, folder=folder)
    stay_open()
