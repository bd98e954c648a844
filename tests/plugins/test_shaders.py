"""Shaders are read once and linked when they change; what is painted is as without that."""

from __future__ import annotations

import napari
import numpy as np
import pytest
from napari_multifidus import _compat
from napari_multifidus._shaders import keep_shaders
from vispy.gloo import glir, program
from vispy.visuals.shaders import ModularProgram

pytestmark = pytest.mark.gui

SQUARE = np.array([(20.0, 20.0), (20.0, 60.0), (60.0, 60.0), (60.0, 20.0)])
GREEN, RED = (0, 255, 0), (255, 0, 0)


def test_a_shader_is_read_as_vispy_reads_it():
    vertex = (
        "uniform float a; // of all\nattribute vec2 b;\nvoid main() { gl_Position.xy = a * b; }"
    )
    fragment = "varying vec4 c;\n// uniform float d;\nvoid main() { gl_FragColor = c; }"
    hits = program.re.sub.cache_info().hits
    wanted = {("uniform", "float", "a"), ("attribute", "vec2", "b"), ("varying", "vec4", "c")}
    for _ in range(2):
        assert set(program.Program(vertex, fragment).variables) == wanted
    assert program.re.sub.cache_info().hits > hits


def test_a_window_of_ours_keeps_shaders(monkeypatch):
    asked = []
    monkeypatch.setattr(_compat, "keep_shaders", lambda: asked.append("shaders"))
    monkeypatch.setattr(napari, "Viewer", lambda: None)
    monkeypatch.setattr(_compat, "maximise", lambda _: None)
    _compat.new_viewer()
    assert asked == ["shaders"]


def test_it_is_asked_for_once():
    before = program.re, glir.convert_shader, ModularProgram.set_shaders
    keep_shaders()
    assert (program.re, glir.convert_shader, ModularProgram.set_shaders) == before


@pytest.fixture
def links(monkeypatch):
    """Return a list that grows with every program that is linked."""
    found, link = [], glir.GlirProgram.link_program
    monkeypatch.setattr(
        glir.GlirProgram, "link_program", lambda self: (found.append(self), link(self))[1]
    )
    return found


def has(viewer, colour):
    return bool((viewer.screenshot(flash=False)[..., :3] == colour).all(axis=-1).any())


def test_what_changes_is_painted_and_nothing_is_linked_for_it(shared_viewer, links):
    layer = shared_viewer.add_shapes([SQUARE], face_color="#00ff00", edge_width=0, opacity=1.0)
    layer.mode = "pan_zoom"
    assert has(shared_viewer, GREEN)
    assert links
    links.clear()
    layer.face_color = ["#ff0000"]
    assert has(shared_viewer, RED)
    assert not has(shared_viewer, GREEN)
    layer.add([SQUARE / 4 + 30], face_color="#00ff00", edge_width=0)
    assert has(shared_viewer, GREEN)
    layer.data = []
    assert not has(shared_viewer, RED)
    assert not links


def test_a_program_whose_code_changes_is_linked(shared_viewer, links):
    image = shared_viewer.add_image(np.tile(np.linspace(0.0, 1.0, 32), (32, 1)))
    assert not has(shared_viewer, GREEN)
    links.clear()
    # The colours of a map are part of the code.
    image.colormap = np.array([(0.0, 1.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)])
    assert has(shared_viewer, GREEN)
    assert links
