"""Layers are drawn anew where something has changed, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus.controllers.marks import MARKS
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.drawing_edits import with_half_drawn
from napari_multifidus.models.half_drawn import POLYGON, HalfDrawn

from tests.support.exams import circle


@pytest.fixture
def drawn(no_window, exam, tmp_path):
    """Return a viewer with both sides on the first slice."""
    no_window.open(exam, tmp_path)
    workspace = no_window.annotator.workspace
    workspace.session.put(MULTIFIDUS_RIGHT, 0, [circle(36, 20, 9)])
    workspace.session.put(MULTIFIDUS_LEFT, 0, [circle(36, 58, 9)])
    for key in (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT):
        workspace.canvas.push(key)
    workspace.committed()
    return no_window


def redrawn(layers):
    """Return a list that names each of some layers whenever it is drawn anew."""
    seen = []
    for layer in layers:
        layer.events.set_data.connect(lambda _, name=layer.name: seen.append(name))
    return seen


def test_another_structure_in_hand_draws_nothing_anew(drawn):
    seen = redrawn(drawn.viewer.layers)
    for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
        drawn.annotator.edit_tools.draw(key)
    assert not seen


def test_what_is_drawn_by_the_session_is_drawn_anew_once(drawn):
    workspace, layer = drawn.annotator.workspace, drawn.layer(MULTIFIDUS_RIGHT)
    seen = redrawn(drawn.viewer.layers)
    for loop in (circle(36, 22, 8), circle(36, 22, 8, 30)):
        workspace.session.put(MULTIFIDUS_RIGHT, 0, [loop])
        workspace.canvas.push(MULTIFIDUS_RIGHT)
        assert seen == [layer.name]
        np.testing.assert_allclose(layer.data[0][:, 1:], loop)
        seen.clear()
    # One that crosses itself is red.
    colour = layer.edge_color[0].copy()
    workspace.session.put(MULTIFIDUS_RIGHT, 0, [circle(36, 22, 8, 4)[[0, 2, 1, 3]]])
    workspace.canvas.push(MULTIFIDUS_RIGHT)
    assert not np.allclose(layer.edge_color[0], colour)
    assert seen == [layer.name]


def test_outlines_that_are_hidden_are_shown_once_one_is_drawn(drawn):
    drawn.annotator.display.toggle_outlines()
    assert not drawn.layer(MULTIFIDUS_LEFT).visible
    drawn.annotator.edit_tools.draw(MULTIFIDUS_LEFT)
    assert drawn.layer(MULTIFIDUS_LEFT).visible


def half(shift):
    path = np.array([(20.0, 10.0), (20.0, 30.0), (50.0, 30.0)]) + shift
    return HalfDrawn(POLYGON, path, path)


def test_dashes_are_drawn_anew_only_where_they_are_others(drawn):
    workspace = drawn.annotator.workspace
    session, canvas = workspace.session, workspace.canvas

    def wait(shift, index=0):
        waiting = None if shift is None else half(shift)
        session.change(with_half_drawn(session.drawing, (MULTIFIDUS_RIGHT, index), waiting))
        canvas.refresh()
        return drawn.viewer.layers[MARKS]

    layer = wait(0.0)
    count, first = layer.nshapes, layer.data[0].copy()
    assert count > 1
    seen = redrawn([layer])
    canvas.refresh()
    canvas.push(MULTIFIDUS_LEFT)
    assert not seen
    # Elsewhere, on another slice, or closed, they are others.
    wait(1.0)
    assert seen
    np.testing.assert_allclose(layer.data[0][:, 1:], first[:, 1:] + 1)
    canvas.go_to(1)
    assert layer.nshapes == 0
    canvas.go_to(0)
    assert layer.nshapes == count
    wait(None)
    assert layer.nshapes == 0
    # A layer that was taken away comes back with them.
    drawn.viewer.layers.remove(MARKS)
    wait(0.0)
    assert drawn.viewer.layers[MARKS].nshapes == count
