"""The layers of a session, in a viewer without a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_multifidus.controllers.canvas import Canvas, CanvasCallbacks
from napari_multifidus.models.drawing import DrawingState
from napari_multifidus.models.opening import OpenedExam, layer_data

from tests.plugins.conftest import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from tests.support.exams import circle


@pytest.fixture
def commits() -> list[Any]:
    return []


@pytest.fixture
def canvas(qapp, exam, session, commits) -> Canvas:
    viewer = ViewerModel()
    for data, attributes, _ in layer_data(OpenedExam(exam, exam.series[0])):
        viewer.add_image(data, **attributes)
    calls = CanvasCallbacks(
        motion=lambda *_: None,
        commit=lambda: commits.append(session.drawing),
        place=lambda: None,
        corner=lambda: None,
        problem=lambda _: None,
    )
    made = Canvas(viewer, session, calls)
    made.go_to(2)
    return made


def test_a_layer_that_is_left_alone_is_not_read_again(canvas, session, monkeypatch, commits):
    canvas.go_to(3)
    asked: list[Any] = []
    loops = DrawingState.loops
    monkeypatch.setattr(
        DrawingState, "loops", lambda *args: asked.append(args) or loops(*args), raising=True
    )
    canvas.sync()
    assert asked == []
    assert commits == []


def test_what_no_event_announces_is_taken_over_when_the_slice_is_left(canvas, session, commits):
    canvas.go_to(3)
    layer = canvas.layers[MULTIFIDUS_LEFT]
    layer.data[0][:, 2] += 1
    canvas.go_to(4)
    assert len(commits) == 1
    (loop,) = session.drawing.loops(MULTIFIDUS_LEFT, 2)
    np.testing.assert_allclose(loop, circle(36, 59, 13), atol=1e-4)


def test_a_layer_is_compared_anew_after_the_session_has_changed(canvas, session, commits):
    canvas.go_to(3)
    # Nothing was pushed: what the layer shows is what counts.
    session.put(MULTIFIDUS_RIGHT, 2, [circle(36, 20, 6)])
    canvas.go_to(4)
    (loop,) = session.drawing.loops(MULTIFIDUS_RIGHT, 2)
    np.testing.assert_allclose(loop, circle(36, 20, 12), atol=1e-4)
