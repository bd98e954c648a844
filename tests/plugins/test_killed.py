"""Killed between the writes of one change: nothing is lost, and nothing is there twice."""

from __future__ import annotations

from contextlib import contextmanager, suppress

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT
from napari_multifidus.models import autosave

pytestmark = pytest.mark.gui

SQUARE = [(20.0, 48.0), (20.0, 68.0), (50.0, 68.0), (50.0, 48.0)]
BOW_TIE = [(20.0, 48.0), (50.0, 68.0), (50.0, 48.0), (20.0, 68.0)]
WHERE = MULTIFIDUS_LEFT, 2

WRITES = "write_rois", "write_text"
"""What writes the outlines, and the journal."""


class KilledError(BaseException):
    """Ends a write as a killed process would: nothing handles it."""


@contextmanager
def killed_at(number):
    """Let the first writes be done, and end all at the next one."""
    done = []

    def counted(write):
        def count(*args, **how):
            if len(done) == number:
                raise KilledError
            done.append(write)
            return write(*args, **how)

        return count

    with pytest.MonkeyPatch.context() as patch, suppress(KilledError):
        for name in WRITES:
            patch.setattr(autosave, name, counted(getattr(autosave, name)))
        yield


def click(win, corners):
    for corner in corners:
        win.click(corner)


def put(win, loop):
    session = win.annotator.workspace.session
    session.put(*WHERE, [np.array(loop)])
    win.annotator.workspace.canvas.push(MULTIFIDUS_LEFT)


def close_half(win):
    click(win, SQUARE[3:])
    win.press("Return")


def draw_and_close(win):
    click(win, SQUARE[:3])
    close_half(win)


STEPS = {
    "comes to cross itself": (lambda win: put(win, SQUARE), lambda win: put(win, BOW_TIE)),
    "is mended": (lambda win: put(win, BOW_TIE), lambda win: put(win, SQUARE)),
    "is closed": (lambda win: click(win, SQUARE[:3]), close_half),
    "is begun": (lambda win: None, lambda win: click(win, SQUARE[:3])),
    "is opened by undo": (draw_and_close, lambda win: win.press("Ctrl+Z")),
}
"""What happens to an outline: how it was, and what is done then."""


def held(workspace):
    """Return what is kept at the place: as outline, to be corrected, begun."""
    drawing = workspace.session.drawing
    begun = {(key, index) for key, index, _ in workspace.canvas.unfinished()}
    return [WHERE in part for part in (drawing.outlines, drawing.unfinished, begun)]


@pytest.fixture
def opened(win, exam, tmp_path):
    """Return the window of an exam, with the left muscle in hand on the third slice."""
    win.open(exam, tmp_path)
    win.annotator.display.step(2)
    win.annotator.edit_tools.draw(MULTIFIDUS_LEFT)
    return win


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_an_outline_is_as_it_was_or_as_it_became(opened, steps, number):
    before, after = steps
    workspace, opener = opened.annotator.workspace, opened.annotator.opener
    source, saver = workspace.active.source, workspace.autosaver
    before(opened)
    workspace.committed()
    workspace.save()
    was, file = held(workspace), saver.file
    # The hand is slower than the files: nothing of the change is written before all of it is made.
    saver.write_to(None)
    after(opened)
    workspace.committed()
    became = held(workspace)
    assert became != was
    saver.write_to(file)
    with killed_at(number):
        workspace.save()
    saver.write_to(None)
    opener.close()
    opener.switch_to(source, folder=file.path.parent)
    assert held(workspace) in ([was] if number == 0 else [was, became])
