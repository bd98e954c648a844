"""What is open, and what may be done with it, in a viewer without a window."""

from __future__ import annotations

from typing import Any

import pytest
from napari_multifidus.controllers.annotator import Annotator
from napari_multifidus.controllers.reported_errors import reported, reporting
from napari_multifidus.models import edit_operations
from napari_multifidus.models.blinding import Access
from napari_multifidus.models.opening import OpenedExam, layer_data

from multifidus.errors import MultifidusError
from tests.plugins.conftest import FAT, MULTIFIDUS_RIGHT
from tests.support.exams import circle


@pytest.fixture
def annotator(qapp: Any) -> Annotator:
    from napari.components import ViewerModel

    return Annotator(ViewerModel(), "R1")


@pytest.fixture
def opened(annotator, exam, tmp_path):
    """Return an annotator with the exam open."""
    source = OpenedExam(exam, exam.series[0], tmp_path)
    for data, attributes, _ in layer_data(source):
        annotator.workspace.viewer.add_image(data, **attributes)
    annotator.opener.open(source)
    yield annotator
    annotator.opener.close()


def test_without_an_exam_there_is_no_session_and_nothing_to_write(annotator):
    workspace = annotator.workspace
    assert not workspace.is_open
    assert not workspace.is_locked
    for wanted in ("session", "canvas", "active", "active_key"):
        with pytest.raises(MultifidusError, match="No exam is open"):
            getattr(workspace, wanted)
    assert workspace.save()
    assert workspace.file is None


def test_opening_and_closing_are_said_once_everything_is_there(annotator, exam, tmp_path):
    workspace, seen = annotator.workspace, []
    workspace.opened.connect(lambda: seen.append(workspace.is_open))
    source = OpenedExam(exam, exam.series[0], tmp_path)
    annotator.opener.switch_to(source)
    assert seen == [True]
    assert workspace.session.exam is exam
    assert workspace.active.source is source
    annotator.opener.close()
    assert seen == [True, False]
    annotator.opener.close()
    assert seen == [True, False]


def test_a_change_is_saved_and_undone_as_one(opened):
    workspace = opened.workspace
    for index in (1, 2):
        workspace.session.put(FAT, index, [circle(20, 20, 5)])
    workspace.canvas.push(FAT)
    workspace.committed()
    workspace.save()
    assert workspace.file.path.exists()
    opened.edit_tools.undo()
    assert not workspace.session.drawing.outlines


def test_tools_need_a_structure(opened):
    viewer = opened.workspace.viewer
    viewer.layers.selection.active = next(iter(viewer.layers))
    with pytest.raises(MultifidusError, match="No structure is active"):
        opened.edit_tools.change(edit_operations.smooth)
    opened.edit_tools.draw(MULTIFIDUS_RIGHT)
    assert opened.workspace.active_key == MULTIFIDUS_RIGHT
    assert opened.edit_tools.tool == "polygon"


def test_access_refuses_what_a_reading_list_settles(opened, tmp_path):
    opened.workspace.access = Access("It is settled.", blinded=True)
    with pytest.raises(MultifidusError, match=r"It is settled\."):
        opened.opener.set_folder(tmp_path)
    with pytest.raises(MultifidusError, match=r"It is settled\."):
        opened.opener.set_reading("CD", 1)
    with pytest.raises(MultifidusError, match="blinded"):
        opened.edit_tools.take_drafts(tmp_path)
    with pytest.raises(MultifidusError, match="from the reading list alone"):
        opened.workspace.access.refuse_other_exams_if_blinded()
    assert opened.workspace.first_folder == str(tmp_path)
    opened.opener.close()
    assert opened.workspace.access == Access()


def test_errors_are_words_at_the_edge_and_nowhere_else(annotator):
    said: list[str] = []
    warning = annotator.workspace.warning
    warning.connect(said.append)

    def fail(number: int) -> None:
        msg = f"No {number}."
        raise MultifidusError(msg)

    reporting(warning, fail)(3)
    assert said == ["No 3."]
    with pytest.raises(ZeroDivisionError), reported(warning):
        1 / 0  # noqa: B018 - a fault of the program is no message
    assert said == ["No 3."]
