from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from napari_multifidus.models.shapes import (
    LayerKey,
    as_napari,
    by_slice,
    colour_of,
    problem_of,
    read_shapes,
    same_loops,
    vertices_of,
)

from multifidus.data.anatomy import Side, Structure
from multifidus.data.polygon import area
from tests.support.exams import box, circle


def test_a_path_becomes_vertices_and_comes_back():
    loop = circle(30.25, 40.5, 9)
    (drawn,) = read_shapes([vertices_of(loop, 3)], ["polygon"], 6)
    assert drawn.slice_index == 3
    assert not drawn.problem
    np.testing.assert_array_equal(drawn.loop, loop)


def test_shapes_are_grouped_by_slice():
    loops = [circle(10, 10, 3), circle(20, 20, 3), circle(30, 30, 3)]
    data = [vertices_of(loop, index) for loop, index in zip(loops, (1, 4, 1), strict=True)]
    grouped = by_slice(read_shapes(data, ["polygon"] * 3, 6))
    assert {index: len(found) for index, found in grouped.items()} == {1: 2, 4: 1}


@given(
    axes=st.tuples(st.floats(2, 20), st.floats(2, 20)),
    angle=st.floats(0, 3.1),
    centre=st.tuples(st.floats(20, 40), st.floats(20, 40)),
)
def test_an_ellipse_keeps_its_area_however_it_is_turned(axes, angle, centre):
    a, b = axes
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    corners = np.array([(-a, -b), (-a, b), (a, b), (a, -b)]) @ turn.T + centre
    (drawn,) = read_shapes([vertices_of(corners, 0)], ["ellipse"], 1)
    assert area([drawn.loop]) == pytest.approx(np.pi * a * b, rel=1e-12)


def test_a_rectangle_is_its_corners():
    (drawn,) = read_shapes([vertices_of(box(2, 3, 9, 12), 0)], ["rectangle"], 1)
    assert area([drawn.loop]) == 8 * 10


def test_a_slice_coordinate_between_slices_is_the_nearest_slice():
    vertices = vertices_of(circle(10, 10, 4), 2)
    vertices[:, 0] += 0.4
    assert read_shapes([vertices], ["polygon"], 6)[0].slice_index == 2


def test_a_shape_across_slices_lies_on_none_and_says_so():
    vertices = vertices_of(circle(10, 10, 4), 2)
    vertices[0, 0] = 3
    (drawn,) = read_shapes([vertices], ["polygon"], 6)
    assert drawn.slice_index is None
    assert "several slices" in drawn.problem


@pytest.mark.parametrize("place", [-1, 6, 40])
def test_a_shape_beyond_the_series_lies_on_no_slice(place):
    (drawn,) = read_shapes([vertices_of(circle(10, 10, 4), place)], ["polygon"], 6)
    assert drawn.slice_index is None
    assert "beyond" in drawn.problem


def test_repeated_vertices_are_dropped():
    loop = box(2, 3, 9, 12)
    doubled = np.concatenate((loop[:2], loop[1:2], loop[2:], loop[:1]))
    (drawn,) = read_shapes([vertices_of(doubled, 0)], ["polygon"], 1)
    assert len(drawn.loop) == 4
    assert area([drawn.loop]) == area([loop])


def test_napari_keeps_single_precision_and_that_is_no_change():
    loop = circle(30.1, 40.7, 9)
    assert not np.array_equal(as_napari(loop), loop)
    assert same_loops([as_napari(loop)], [loop])
    assert not same_loops([loop + 1e-3], [loop])
    assert not same_loops([loop, loop], [loop])


def test_problems_are_said():
    bow_tie = np.array([(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)])
    assert problem_of([bow_tie]) == "crosses itself near row 2, column 2"
    assert "neighbour" in problem_of([circle(10, 10, 5), circle(14, 10, 5)])
    assert "2 points" in problem_of([bow_tie[:2]])
    assert "nothing" in problem_of([np.array([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (1.0, 1.0)])])
    assert not problem_of([circle(10, 10, 5), circle(10, 10, 3)])


def test_keys_go_to_plain_values_and_back():
    key = LayerKey(Structure.ERECTOR_SPINAE, Side.RIGHT, "deep")
    assert LayerKey.from_dict(key.as_dict()) == key
    assert key.title == "erector_spinae right deep"
    assert LayerKey(Structure.LEAN_REFERENCE).title == "lean_reference"


def test_sides_and_references_have_colours_of_their_own():
    keys = [
        LayerKey(Structure.MULTIFIDUS, Side.LEFT),
        LayerKey(Structure.MULTIFIDUS, Side.RIGHT),
        LayerKey(Structure.LEAN_REFERENCE, Side.LEFT),
        LayerKey(Structure.FAT_REFERENCE),
        LayerKey(Structure.DISC),
    ]
    assert len({colour_of(key) for key in keys}) == len(keys)
