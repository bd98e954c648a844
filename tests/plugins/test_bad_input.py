"""What people and disks do: a message in the window, nothing lost, no traceback."""

from __future__ import annotations

import errno
import json

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.session import Session

from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.io.outlines import write_rois
from multifidus.io.outlines_json import read_outlines
from tests.plugins.conftest import SPACING, make_series
from tests.support.exams import circle

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

SQUARE = [(20.0, 10.0), (20.0, 30.0), (50.0, 30.0), (50.0, 10.0)]
AREA_MM2 = 600 * SPACING[0] * SPACING[1]


@pytest.fixture
def drawn(win, exam, tmp_path):
    """Return a window with a muscle drawn and saved."""
    win.open(exam, tmp_path)
    win.press("Q")
    win.draw(SQUARE)
    win.annotator.workspace.save()
    return win


def unequal_series():
    """Return slices whose matrices differ, as a scan whose field of view was changed has them."""
    made = make_series(tilts=(0.0,) * 4)
    slices = []
    for number, item in enumerate(made.slices):
        rows, columns = 72 - 4 * (number % 2), 80 - 6 * (number % 2)
        pixels = np.asarray(item.pixels)[:rows, :columns]
        plane = Plane(item.plane.origin_mm, item.plane.row_step_mm, item.plane.column_step_mm)
        slices.append(Slice.from_array(item.uid, plane, pixels, 4.0))
    return Series("1.2", tuple(slices), Weighting.T2)


@pytest.mark.parametrize(
    ("make", "index"),
    [
        (lambda: make_series(tilts=(5.0,)), 0),
        (unequal_series, 3),
        (lambda: make_series(tilts=(0.0,) * 300), 299),
    ],
    ids=["one slice", "unequal matrices", "300 slices"],
)
def test_odd_series_are_outlined_saved_and_opened_again(  # noqa: PLR0917 - fixtures
    win, make, index, tmp_path, messages
):
    exam = Exam("S01", "pre", (make(),))
    win.open(exam, tmp_path)
    win.annotator.workspace.canvas.go_to(index)
    assert win.annotator.workspace.canvas.index == index
    win.press("Q")
    win.draw(SQUARE)
    session = win.annotator.workspace.session
    assert session.analysis.numbers(MULTIFIDUS_RIGHT, index).area_mm2 == pytest.approx(
        AREA_MM2, rel=0.03
    )
    win.press("Shift+I")
    win.press("Shift+K")
    win.annotator.workspace.flush()
    kept = len(read_outlines(win.annotator.workspace.file.path))
    assert kept >= 1
    win.empty()
    win.open(exam, tmp_path)
    assert len(win.annotator.workspace.session.rois()) == kept
    assert not any("Traceback" in words for words in messages)


def test_two_windows_on_one_file_overwrite_nothing(drawn, exam, messages):
    first = drawn.annotator.workspace.file.path
    other = Session(exam, exam.series[0], read_outlines(first))
    other.put(MULTIFIDUS_LEFT, 4, [circle(36, 58, 9)])
    write_rois(other.rois(), first, overwrite=True)
    theirs = first.read_bytes()
    drawn.annotator.workspace.canvas.go_to(1)
    drawn.press("Q")
    drawn.draw(SQUARE)
    drawn.annotator.workspace.flush()
    second = drawn.annotator.workspace.file.path
    assert first.read_bytes() == theirs
    assert second != first
    assert len(read_outlines(second)) == 2
    assert any("changed by somebody else" in words for words in messages)
    assert second.name in drawn.dock.status.saved.text()


def test_a_full_disk_is_said_until_there_is_room_and_nothing_is_lost(drawn, monkeypatch, messages):
    before = drawn.annotator.workspace.file.path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        drawn.annotator.workspace.canvas.go_to(1)
        drawn.press("Q")
        drawn.draw(SQUARE)
        drawn.annotator.workspace.flush()
        assert "NOT SAVED" in drawn.dock.status.saved.text()
        assert "No space left" in messages[-1]
        assert drawn.annotator.workspace.file.path.read_bytes() == before
    drawn.annotator.workspace.flush()
    assert "NOT SAVED" not in drawn.dock.status.saved.text()
    assert len(read_outlines(drawn.annotator.workspace.file.path)) == 2


def of_a_newer_version(text):
    return json.dumps({**json.loads(text), "version": 99})


def cut_short(text):
    return text[:200]


def of_another_exam(text):
    """Move planes to other images, under this exam's name."""
    document = json.loads(text.replace("1.2.", "9.9."))
    for outline in document["outlines"]:
        outline["plane"]["origin_mm"][2] += 500.0
        for loop in outline["paths_mm"]:
            for point in loop:
                point[2] += 500.0
    return json.dumps(document)


def test_a_file_that_cannot_be_used_is_kept_said_and_left_alone(drawn, exam, tmp_path, messages):
    workspace = drawn.annotator.workspace
    name, text = workspace.file.path.name, workspace.file.path.read_text()
    for harm in (of_a_newer_version, cut_short, of_another_exam):
        case = harm.__name__
        path = tmp_path / case / name
        path.parent.mkdir()
        path.write_text(harm(text))
        harmed = path.read_bytes()
        drawn.empty()
        messages.clear()
        drawn.open(exam, path.parent)
        assert any(name in words and "left unchanged" in words for words in messages), case
        drawn.press("Q")
        drawn.draw(SQUARE)
        workspace.flush()
        assert path.read_bytes() == harmed, case
        assert workspace.file.path != path, case
        assert workspace.file.path.parent == path.parent, case
        assert len(read_outlines(workspace.file.path)) == 1, case


def test_a_layer_that_is_renamed_hidden_or_deleted_keeps_its_outlines(drawn, exam, tmp_path):
    layer = drawn.layer(MULTIFIDUS_RIGHT)
    layer.name = "my best outlines"
    layer.visible = False
    drawn.press("W")
    drawn.draw([(r, c + 40.0) for r, c in SQUARE])
    names = [other.name for other in drawn.viewer.layers]
    drawn.viewer.layers.remove(drawn.layer(MULTIFIDUS_LEFT))
    drawn.annotator.workspace.flush()
    assert "my best outlines" in names
    sides = {roi.key.side.value for roi in read_outlines(drawn.annotator.workspace.file.path)}
    assert sides == {"right", "left"}
    drawn.press("W")
    assert len(drawn.layer(MULTIFIDUS_LEFT).data) == 1
    drawn.viewer.layers.select_all()
    drawn.viewer.layers.remove_selected()
    drawn.wait(lambda: not drawn.annotator.workspace.is_open)
    drawn.open(exam, tmp_path)
    assert len(drawn.annotator.workspace.session.rois()) == 2


def test_a_folder_that_goes_read_only_is_said_and_another_takes_all(drawn, tmp_path, monkeypatch):
    def denied(*_, **__):
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", denied)
        drawn.annotator.workspace.canvas.go_to(1)
        drawn.press("Q")
        drawn.draw(SQUARE)
        drawn.annotator.workspace.flush()
        assert "Permission denied" in drawn.dock.status.saved.text()
    (tmp_path / "else").mkdir()
    drawn.annotator.opener.set_folder(tmp_path / "else")
    assert drawn.annotator.workspace.file.path.parent == tmp_path / "else"
    assert len(read_outlines(drawn.annotator.workspace.file.path)) == 2
