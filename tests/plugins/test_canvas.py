"""The layers of a session, in a viewer without a window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_multifidus.controllers.canvas import Canvas
from napari_multifidus.controllers.canvas_callbacks import CanvasCallbacks
from napari_multifidus.models.drawing import DrawingState
from napari_multifidus.models.opening import OpenedExam, layer_data
from napari_multifidus.models.redraw import DEFAULT
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import vertices_of

from tests.plugins.conftest import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from tests.support.exams import circle

pytestmark = pytest.mark.usefixtures("qapp")

CALLS = CanvasCallbacks(
    *[lambda *_: None] * 5,
    drawn_over=lambda over: over.outcome(over.choice(DEFAULT)),
    closed=lambda *_: None,
    usual_redraw=lambda: DEFAULT,
)


@pytest.fixture
def commits() -> list[Any]:
    return []


@pytest.fixture
def closed() -> list[Any]:
    return []


@pytest.fixture
def canvas(exam, session, commits, closed) -> Canvas:
    viewer = ViewerModel()
    for data, attributes, _ in layer_data(OpenedExam(exam, exam.series[0])):
        viewer.add_image(data, **attributes)
    calls = replace(
        CALLS,
        commit=lambda: commits.append(session.drawing),
        closed=lambda *where: closed.append(where),
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


def test_an_outline_is_kept_when_its_shape_comes_to_lie_across_slices(canvas, session):
    layer = canvas.layers[MULTIFIDUS_LEFT]
    before = session.drawing.outlines[MULTIFIDUS_LEFT, 2]
    layer.data[0][0, 0] = 3
    canvas.sync()
    assert session.drawing.outlines[MULTIFIDUS_LEFT, 2] is before
    (words,) = canvas.shapes_off_slice()
    assert "several slices" in words
    # Other slices are taken over as ever, and whoever deletes the shape deletes the outline.
    layer.add_polygons([vertices_of(circle(36, 58, 9), 5)])
    assert (MULTIFIDUS_LEFT, 5) in session.drawing.outlines
    layer.selected_data = {0}
    layer.remove_selected()
    canvas.sync()
    assert set(session.drawing.slices_of(MULTIFIDUS_LEFT)) == {5}


def test_a_layer_is_compared_anew_after_the_session_has_changed(canvas, session, commits):
    canvas.go_to(3)
    # Nothing was pushed: what the layer shows is what counts.
    session.put(MULTIFIDUS_RIGHT, 2, [circle(36, 20, 6)])
    canvas.go_to(4)
    (loop,) = session.drawing.loops(MULTIFIDUS_RIGHT, 2)
    np.testing.assert_allclose(loop, circle(36, 20, 12), atol=1e-4)


def test_layers_that_were_left_are_used_again_and_are_empty(canvas, exam):
    canvas.layers[MULTIFIDUS_LEFT].visible = False
    canvas.activate(MULTIFIDUS_RIGHT, "direct")
    before, viewer = canvas.layers, canvas.viewer
    left = canvas.close()
    assert left == before
    wider = tuple(replace(item, uid=f"9{item.uid}") for item in exam.series[0].slices)
    other = Session(exam, replace(exam.series[0], uid="9", slices=wider))
    again = Canvas(viewer, other, CALLS, left)
    assert again.layers == before
    assert left == {}
    for layer in again.layers.values():
        assert layer.nshapes == 0
        assert layer.visible
        assert layer.mode == "pan_zoom"
    # They follow the new session alone.
    again.layers[MULTIFIDUS_LEFT].add(vertices_of(circle(36, 58, 13), 1), shape_type="polygon")
    assert other.drawing.slices_of(MULTIFIDUS_LEFT) == (1,)
    assert canvas.session.drawing.slices_of(MULTIFIDUS_LEFT) == (2,)


def test_an_outline_drawn_over_another_takes_its_place(canvas, session, commits, closed):
    new = circle(38, 58, 11)
    canvas.layers[MULTIFIDUS_LEFT].add(vertices_of(new, 2), shape_type="polygon")
    canvas.sync()
    (loop,) = session.drawing.loops(MULTIFIDUS_LEFT, 2)
    np.testing.assert_allclose(loop, new, atol=1e-4)
    assert canvas.layers[MULTIFIDUS_LEFT].nshapes == 1
    assert len(commits) == 1
    assert closed == []


def test_an_outline_drawn_apart_is_one_more_piece(canvas, session):
    canvas.layers[MULTIFIDUS_LEFT].add(vertices_of(circle(10, 58, 4), 2), shape_type="polygon")
    assert len(session.drawing.loops(MULTIFIDUS_LEFT, 2)) == 2
    assert (MULTIFIDUS_LEFT, 2) in session.drawing.outlines


def test_the_first_outline_of_a_slice_is_said_to_be_closed(canvas, closed):
    canvas.go_to(4)
    canvas.layers[MULTIFIDUS_LEFT].add(vertices_of(circle(36, 58, 11), 4), shape_type="polygon")
    assert closed == [(MULTIFIDUS_LEFT, 4)]


def letters(canvas):
    overlays = canvas.viewer.canvas.overlays
    return [overlays[f"multifidus_{side}"].text for side in ("right", "left")]


@pytest.mark.parametrize("turn", ["roll", "transpose", "3d", "flip"])
def test_no_side_is_named_where_the_axes_are_turned(canvas, turn):
    viewer = canvas.viewer
    assert letters(canvas) == ["R", "L"]
    if turn == "roll":
        viewer.dims.roll()
    elif turn == "transpose":
        viewer.dims.transpose()
    elif turn == "3d":
        viewer.dims.ndisplay = 3
    else:
        viewer.scene.camera.orientation2d = ("down", "left")
    assert letters(canvas) == ["", ""]
    assert "turned" in viewer.canvas.overlays["multifidus_warnings"].text
    # Whoever begins to draw sees the slice as it belongs.
    canvas.activate(MULTIFIDUS_LEFT, "direct")
    assert letters(canvas) == ["R", "L"]
    assert viewer.dims.ndisplay == 2
