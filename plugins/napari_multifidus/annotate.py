"""Open a viewer on one exam, or on a worklist, ready to outline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_multifidus._compat import new_viewer, open_dock, stay_open
from napari_multifidus.models.opening import find_exams, layer_data, only
from napari_multifidus.views.worklist import read_worklist

if TYPE_CHECKING:
    from multifidus.data.roi import Reading
    from multifidus.reading.worklist import Worklist


def annotate(
    images: str | Path,
    *,
    by: Reading | None = None,
    rater: str | None = None,
    folder: str | Path | None = None,
) -> Any:
    """Open an exam in a new viewer; ``napari.run()`` then hands the window to the person.

    Of several exams the window lists them, and the person chooses.

    Parameters
    ----------
    images
        File or folder of the exam.
    by
        Whose reading of which exam; as it was left last time if None.
    rater
        Who outlines, where the reading is not named; as it was left last time if None.
    folder
        Where outlines are kept; beside the images if None.

    Returns
    -------
    napari.Viewer
        The viewer, with the plugin open.

    Raises
    ------
    MultifidusError
        If there is no exam, or it has no axial series that can be shown; or several, and the
        reading of one of them is named.
    """
    path, where = Path(images), None if folder is None else Path(folder)
    found = find_exams(path)
    several = len(found) > 1 and by is None
    opened = None if several else only(found, path)
    if opened is not None:
        # What cannot be shown is refused before there is a window.
        layer_data(opened)
    viewer = new_viewer()
    dock = open_dock(viewer)
    if rater is not None:
        dock.annotator.workspace.rater = rater
    if opened is None:
        dock.exams.offer(found, where)
    else:
        dock.annotator.opener.switch_to(opened, folder=where, by=by)
    return viewer


def run(images: str | Path, *, rater: str | None = None, folder: str | Path | None = None) -> None:
    """Open an exam in a new window and stay until it is closed.

    Parameters
    ----------
    images, rater, folder
        As of :func:`annotate`.

    Raises
    ------
    MultifidusError
        As of :func:`annotate`.
    """
    annotate(images, rater=rater, folder=folder)
    stay_open()


def run_worklist(worklist: Worklist, adjudicate: tuple[str, str] | None = None) -> None:
    """Open a worklist in a new window and stay until it is closed.

    Parameters
    ----------
    worklist
        What is to be read, by whom.
    adjudicate
        As of :func:`napari_multifidus.views.worklist.read_worklist`.
    """
    controller = read_worklist(worklist, adjudicate)
    stay_open()
    controller.close()
