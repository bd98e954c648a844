"""Open a viewer on one exam, or on a worklist, ready to outline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from multifidus.roi import Reading
from napari_multifidus._compat import (
    new_viewer,
    open_dock,
    show_below_canvas,
    show_over_controls,
    stay_open,
)
from napari_multifidus.opening import layer_data, open_exam

if TYPE_CHECKING:
    from multifidus.readings.worklist import Worklist
    from napari_multifidus.desk import Desk


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


def read_worklist(
    worklist: Worklist, adjudicate: tuple[str, str] | None = None, *, viewer: Any | None = None
) -> Desk:
    """Open a worklist in a viewer, at the next entry that is not finished.

    Parameters
    ----------
    worklist
        What is to be read, by whom.
    adjudicate
        The two raters whose outlines are compared, where the list is for consensus.
    viewer
        Where to; a new one if None.

    Returns
    -------
    Desk
        What goes from entry to entry; ``napari.run()`` then hands the window to the person.
    """
    from napari_multifidus.desk import Desk
    from napari_multifidus.widgets.adjudicate import AdjudicationPanel
    from napari_multifidus.widgets.worklist import TITLE, WorklistPanel

    found = new_viewer() if viewer is None else viewer
    annotator = open_dock(found).annotator
    annotator.rater = worklist.listed.rater
    desk = Desk(annotator, worklist)
    show_over_controls(found, WorklistPanel(desk), TITLE)
    if adjudicate is not None:
        panel = AdjudicationPanel(desk, adjudicate)
        show_below_canvas(found, panel, panel.TITLE)
    for note in worklist.notes:
        annotator.complained.emit(note)
    desk.open_next()
    return desk


def run_worklist(worklist: Worklist, adjudicate: tuple[str, str] | None = None) -> None:
    """Open a worklist in a new window and stay until it is closed.

    Parameters
    ----------
    worklist
        What is to be read, by whom.
    adjudicate
        As of :func:`read_worklist`.
    """
    desk = read_worklist(worklist, adjudicate)
    stay_open()
    desk.close()
