"""Killed between the writes of one change: nothing is lost, and nothing is there twice."""

from __future__ import annotations

import dataclasses
import shutil
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


def was_became_and_is(hand, steps, numbers):
    """Return what was kept before a change and after it, and what is after each kill of it.

    Every kill meets files of its own, as they were before the change.
    """
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
    copies = [copy_of(file, f"killed at {number}") for number in numbers]
    for number, copied in zip(numbers, copies, strict=True):
        saver.write_to(copied)
        with killed_at(number):
            workspace.save()
    saver.write_to(None)
    opener.close()
    found = []
    for copied in copies:
        opener.switch_to(source, folder=copied.path.parent)
        found.append(held(workspace))
    return was, became, found


def copy_of(file, folder):
    """Copy an outline file and its journal, with what is known to be in them."""
    copied = dataclasses.replace(file, path=file.path.parent / folder / file.path.name)
    copied.path.parent.mkdir(parents=True)
    for path in (file.path, file.journal_path):
        if path.exists():
            shutil.copy(path, copied.path.parent)
    return copied


IN_HAND_AGAIN = {"is closed": [0], "is begun": [1, 2, 3]}
"""Where a path is gone on with once the exam is open again: the tool for that needs a window."""


def check(hand, name, numbers):
    was, became, found = was_became_and_is(hand, STEPS[name], numbers)
    assert became != was, name
    for number, kept in zip(numbers, found, strict=True):
        assert kept in ([was] if number == 0 else [was, became]), f"{name}, killed at {number}"


@pytest.mark.parametrize("name", STEPS)
def test_an_outline_is_as_it_was_or_as_it_became(no_window, exam, tmp_path, name):
    no_window.open(exam, tmp_path)
    numbers = [number for number in range(4) if number not in IN_HAND_AGAIN.get(name, ())]
    check(no_window, name, numbers)


@pytest.mark.gui
def test_an_outline_in_hand_is_as_it_was_or_as_it_became(win, exam, tmp_path):
    win.open(exam, tmp_path)
    source = win.annotator.workspace.active.source
    for name, numbers in (IN_HAND_AGAIN | {"is opened by undo": [2]}).items():
        win.annotator.opener.switch_to(source, folder=tmp_path / name)
        check(win, name, numbers)
