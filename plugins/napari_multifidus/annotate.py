"""Open a viewer on one exam, or on a worklist, ready to outline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_multifidus._compat import new_viewer, open_dock, stay_open
from napari_multifidus.models.opening import find_exams, layer_data, only, open_pair
from napari_multifidus.views.worklist import read_worklist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multifidus.data.roi import Reading
    from multifidus.reading.worklist import Worklist
    from napari_multifidus.models.opening import ExamOnDisk, OpenedExam


Pair = tuple[str | Path | None, str | Path | None]
Drafts = tuple[str | Path | None, str | None]


def annotate(
    images: str | Path | None = None,
    *,
    by: Reading | None = None,
    rater: str | None = None,
    folder: str | Path | None = None,
    pair: Pair = (None, None),
    drafts: Drafts = (None, None),
) -> Any:
    """Open an exam in a new viewer; ``napari.run()`` then hands the window to the person.

    Of several exams the window lists them, and the person chooses.

    Parameters
    ----------
    images
        File or folder of the exam; None where a Dixon pair is given.
    by
        Whose reading of which exam; as it was left last time if None.
    rater
        Who outlines, where the reading is not named; as it was left last time if None.
    folder
        Where outlines are kept; beside the images if None.
    pair
        The fat and the water image of a Dixon pair, whatever the files are called.
    drafts
        Outline file or label map to begin with as drafts, where nothing is drawn yet; and the
        label definitions of a label map.

    Returns
    -------
    napari.Viewer
        The viewer, with the plugin open.

    Raises
    ------
    MultifidusError
        If there is no exam, or it has no axial series that can be shown; or several, and the
        reading of one of them is named, or drafts are given.
    """
    where, (outlines, labels) = None if folder is None else Path(folder), drafts
    found = () if images is None else find_exams(Path(images))
    several = len(found) > 1 and by is None and outlines is None
    opened = None if several else _one(images, found, pair)
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
        if outlines is not None:
            dock.annotator.edit_tools.take_drafts(Path(outlines), labels)
    return viewer


def _one(images: str | Path | None, found: Sequence[ExamOnDisk], pair: Pair) -> OpenedExam:
    if images is not None:
        return only(found, Path(images))
    fat, water = (None if path is None else Path(path) for path in pair)
    return open_pair(fat, water)


def run(
    images: str | Path | None,
    *,
    rater: str | None = None,
    folder: str | Path | None = None,
    pair: Pair = (None, None),
    drafts: Drafts = (None, None),
) -> None:
    """Open an exam in a new window and stay until it is closed.

    Parameters
    ----------
    images, rater, folder, pair, drafts
        As of :func:`annotate`.

    Raises
    ------
    MultifidusError
        As of :func:`annotate`.
    """
    annotate(images, rater=rater, folder=folder, pair=pair, drafts=drafts)
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
