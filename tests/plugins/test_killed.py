"""Killed between the writes of one change: nothing is lost, and nothing is there twice."""

from __future__ import annotations

from contextlib import contextmanager, suppress

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT
from napari_multifidus.models import autosave

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


def click(hand, corners):
    for corner in corners:
        hand.click(corner)


def put(hand, loop):
    workspace = hand.annotator.workspace
    workspace.session.put(*WHERE, [np.array(loop)])
    workspace.canvas.push(MULTIFIDUS_LEFT)


STEPS = {
    "comes to cross itself": (lambda hand: put(hand, SQUARE), lambda hand: put(hand, BOW_TIE)),
    "is mended": (lambda hand: put(hand, BOW_TIE), lambda hand: put(hand, SQUARE)),
    "is closed": (lambda hand: click(hand, SQUARE[:3]), lambda hand: hand.draw(SQUARE[3:])),
    "is begun": (lambda hand: None, lambda hand: click(hand, SQUARE[:3])),
    "is opened by undo": (lambda hand: hand.draw(SQUARE), lambda hand: hand.press("Ctrl+Z")),
}
"""What happens to an outline: how it was, and what is done then."""


def held(workspace):
    """Return what is kept at the place: as outline, to be corrected, begun."""
    drawing = workspace.session.drawing
    begun = {(key, index) for key, index, _ in workspace.canvas.unfinished()}
    return [WHERE in part for part in (drawing.outlines, drawing.unfinished, begun)]


def was_became_and_is(hand, steps, number):
    """Return what was kept before a change and after it, and what is after it was killed."""
    before, after = steps
    workspace, opener = hand.annotator.workspace, hand.annotator.opener
    hand.annotator.display.step(2)
    hand.annotator.edit_tools.draw(MULTIFIDUS_LEFT)
    source, saver = workspace.active.source, workspace.autosaver
    before(hand)
    workspace.committed()
    workspace.save()
    was, file = held(workspace), saver.file
    # The hand is slower than the files: nothing of the change is written before all of it is made.
    saver.write_to(None)
    after(hand)
    workspace.committed()
    became = held(workspace)
    saver.write_to(file)
    with killed_at(number):
        workspace.save()
    saver.write_to(None)
    opener.close()
    opener.switch_to(source, folder=file.path.parent)
    return was, became, held(workspace)


IN_HAND_AGAIN = [("is closed", 0), ("is begun", 1), ("is begun", 2), ("is begun", 3)]
"""Where a path is gone on with once the exam is open again: the tool for that needs a window."""

WITHOUT_WINDOW = [
    case for name in STEPS for number in range(4) if (case := (name, number)) not in IN_HAND_AGAIN
]


@pytest.mark.parametrize("case", WITHOUT_WINDOW, ids=str)
def test_an_outline_is_as_it_was_or_as_it_became(no_window, exam, tmp_path, case):
    name, number = case
    no_window.open(exam, tmp_path)
    was, became, found = was_became_and_is(no_window, STEPS[name], number)
    assert became != was
    assert found in ([was] if number == 0 else [was, became])


@pytest.mark.gui
def test_an_outline_in_hand_is_as_it_was_or_as_it_became(win, exam, tmp_path):
    win.open(exam, tmp_path)
    source = win.annotator.workspace.active.source
    for name, number in (*IN_HAND_AGAIN, ("is opened by undo", 2)):
        case = f"{name}, {number}"
        win.annotator.opener.switch_to(source, folder=tmp_path / case)
        was, became, found = was_became_and_is(win, STEPS[name], number)
        assert became != was, case
        assert found in ([was] if number == 0 else [was, became]), case
