"""Layers of the user's own that look like outlines."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus.models.taking_over import key_like, take_over

from multifidus.data.anatomy import Side, Structure
from multifidus.errors import RoiError
from tests.plugins.conftest import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, LayerKey
from tests.support.exams import circle


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("multifidus left", MULTIFIDUS_LEFT),
        ("MF_R", MULTIFIDUS_RIGHT),
        ("L MF", MULTIFIDUS_LEFT),
        ("right multifidus muscle [1]", MULTIFIDUS_RIGHT),
        ("erector_spinae right", LayerKey(Structure.ERECTOR_SPINAE, Side.RIGHT)),
        ("QL left", LayerKey(Structure.QUADRATUS_LUMBORUM, Side.LEFT)),
        ("lean ref", LEAN),
        ("fat_reference", FAT),
    ],
)
def test_names_that_people_give_are_understood(name, key):
    assert key_like(name) == key


@pytest.mark.parametrize(
    "name",
    [
        "Shapes",
        "",
        "left",
        "multifidus",
        "MF left right",
        "notes on MF left",
        "fat left",
        "mf es l",
    ],
)
def test_other_names_are_no_outline(name):
    assert key_like(name) is None


def test_nothing_is_drawn_over(session):
    (before,) = session.drawing.loops(MULTIFIDUS_LEFT, 2)
    new = [circle(30, 30, 5)]
    assert take_over(session, MULTIFIDUS_LEFT, {2: new, 4: new}) == (1, 1)
    (after,) = session.drawing.loops(MULTIFIDUS_LEFT, 2)
    np.testing.assert_array_equal(after, before)
    assert len(session.drawing.loops(MULTIFIDUS_LEFT, 4)) == 1
    session.commit()
    session.locked = True
    with pytest.raises(RoiError):
        take_over(session, MULTIFIDUS_LEFT, {5: new})


@pytest.mark.gui
def test_a_layer_of_the_users_own_is_offered_and_taken_over(win, exam, tmp_path):
    win.open(exam, tmp_path)
    banner, workspace = win.dock.taking_over, win.annotator.workspace
    # A layer of another scale: what counts is where its shapes are seen.
    spacing = np.array(win.layer(MULTIFIDUS_LEFT).scale)
    for name in ("MF left", "notes"):
        shape = np.column_stack((np.full(48, 3.0), circle(36, 58, 13))) * spacing
        win.viewer.add_shapes([shape], shape_type="polygon", name=name)
    workspace.selection_changed.emit()
    assert "MF left" in banner.words.text()
    assert not banner.isHidden()
    banner.take.click()
    (loop,) = workspace.session.drawing.loops(MULTIFIDUS_LEFT, 3)
    np.testing.assert_allclose(loop, circle(36, 58, 13), atol=1e-3)
    assert not win.viewer.layers["MF left"].visible
    assert banner.isHidden()
