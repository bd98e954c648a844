"""Helpers for the hand, against what geometry says."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from multifidus.data.anatomy import Side, Structure
from multifidus.data.geometry import Plane
from multifidus.data.polygon import area, first_crossing
from multifidus.data.polygon_sets import cut, joined, region_of
from multifidus.data.roi import Reading, Roi, RoiKey
from multifidus.editing.interpolate import interpolate
from multifidus.editing.livewire import Edges, LiveWire
from multifidus.editing.mirror import mirror_line, mirrored
from multifidus.editing.reshape import AREA_KEPT, grown, scaled, shifted, smoothed
from multifidus.editing.strokes import closed, stroke, without_tails
from multifidus.errors import GeometryError, RoiError
from multifidus.measuring.agreement.metrics import dice
from tests.support.exams import box, circle
from tests.support.strategies import planes

PIXELS = st.floats(0, 60, allow_subnormal=False)  # GEOS divides by what is between two points
SHAPE = (200, 200)


def roi_of(plane: Plane, paths, uid="1", structure=Structure.MULTIFIDUS, *, side=Side.NONE) -> Roi:
    mm = tuple(plane.to_patient(path) for path in paths)
    return Roi(RoiKey(Reading(), uid, structure, side), mm, plane, SHAPE)


def along(plane: Plane, mm: float, in_plane=(0.0, 0.0)) -> Plane:
    """Return a parallel plane further along the normal, moved by (rows, columns) as well."""
    origin = plane.to_patient([in_plane])[0] + mm * plane.normal
    return Plane(origin, plane.row_step_mm, plane.column_step_mm)


def round_in_mm(plane: Plane, row: float, column: float, radius_mm: float):
    """Return a circle of millimetres in a plane, whatever its pixels, in its pixels."""
    x = np.array(plane.column_step_mm) / plane.pixel_spacing_mm[1]
    y = np.cross(plane.normal, x)
    angle = np.arange(256) * 2 * np.pi / 256
    middle = plane.to_patient([(row, column)])
    mm = middle + radius_mm * (np.cos(angle)[:, None] * x + np.sin(angle)[:, None] * y)
    return plane.to_pixels(mm)


def farthest(first, second) -> float:
    """Hausdorff distance of two borders, in their unit."""
    import shapely

    borders = [region_of(paths).boundary for paths in (first, second)]
    points = [shapely.points(shapely.get_coordinates(b.segmentize(0.05))) for b in borders]
    # The nearest side by a tree: every point against every side takes time by their product.
    trees = [shapely.STRtree(sides_of(border)) for border in reversed(borders)]
    away = (
        tree.query_nearest(own, return_distance=True)[1]
        for own, tree in zip(points, trees, strict=True)
    )
    return max(float(distances.max()) for distances in away)


def sides_of(border):
    """Return the sides of a border, whatever its parts."""
    import shapely

    ends = (shapely.get_coordinates(part) for part in shapely.get_parts(border))
    return np.concatenate(
        [shapely.linestrings(np.stack((own[:-1], own[1:]), axis=1)) for own in ends]
    )


# --- interpolation -------------------------------------------------------------------------------


@given(planes(), st.floats(0.1, 0.9), st.floats(-8, 8), st.floats(-8, 8))
@settings(max_examples=10, deadline=None)
def test_between_two_circles_is_the_cone(plane, share, rows, columns):
    mm = min(plane.pixel_spacing_mm)
    low, high = plane, along(plane, 8.0)
    # The second pixel grid need not stand above the first: only places in the patient count.
    first = roi_of(low, [round_in_mm(low, 60, 60, 14 * mm)], "1")
    second = roi_of(high, [round_in_mm(high, 60 + rows, 60 + columns, 20 * mm)], "2")
    between = along(plane, 8.0 * share, (3.5, -2.25))
    found = interpolate(first, second, between)
    expected = round_in_mm(
        between,
        60 + share * rows - 3.5,
        60 + share * columns + 2.25,
        (14 + 6 * share) * mm,
    )
    pixels = np.array(plane.pixel_spacing_mm) / mm
    assert farthest([found[0] * pixels], [expected * pixels]) < 0.1
    assert area(found) == pytest.approx(area([expected]), rel=2e-3)


@pytest.mark.parametrize(
    "path",
    [
        box(30, 30, 60, 70),
        np.array([(20, 20), (80, 25), (50, 45), (75, 90), (22, 60)], dtype=float),
        circle(50, 50, 6),
    ],
)
@pytest.mark.parametrize("hole", [(), (box(40, 40, 44, 46),)])
def test_a_cylinder_is_interpolated_as_the_cylinder(path, hole):
    plane = Plane((0, 0, 0), (0, 0.6, 0), (0.5, 0, 0))
    paths = [path, *hole] if area([path]) > 900 else [path]
    ends = [roi_of(along(plane, z), paths, str(z)) for z in (0, 5)]
    found = interpolate(*ends, along(plane, 2))
    assert farthest(found, paths) < 0.1
    assert area(found) == pytest.approx(area(paths), rel=2e-3)
    assert sum(map(len, found)) < 120


def test_an_island_that_ends_shrinks():
    plane = Plane((0, 0, 0), (0, 0.5, 0), (0.5, 0, 0))
    first = roi_of(plane, [circle(50, 50, 20), circle(50, 90, 4)], "1")
    second = roi_of(along(plane, 4), [circle(50, 50, 20)], "2")
    areas = [area(interpolate(first, second, along(plane, z))) for z in (0.5, 2, 3.5)]
    assert areas == sorted(areas, reverse=True)


def test_only_parallel_slices_have_something_between():
    plane = Plane((0, 0, 0), (0, 0.5, 0), (0.5, 0, 0))
    angle = np.radians(5)
    tilted = Plane((0, 0, 8), (0, 0.5 * np.cos(angle), 0.5 * np.sin(angle)), (0.5, 0, 0))
    first, second = roi_of(plane, [circle(50, 50, 20)]), roi_of(tilted, [circle(50, 50, 20)])
    with pytest.raises(GeometryError, match=r"5\.0 degrees"):
        interpolate(first, second, along(plane, 4))
    with pytest.raises(GeometryError, match="does not lie between"):
        interpolate(first, roi_of(along(plane, 4), [circle(50, 50, 20)]), along(plane, 5))


def test_a_ring_and_a_disc_have_nothing_between():
    plane = Plane((0, 0, 0), (0, 0.5, 0), (0.5, 0, 0))
    ring = roi_of(plane, [circle(50, 50, 21), circle(50, 50, 20)])
    disc = roi_of(along(plane, 4), [circle(50, 50, 3)])
    with pytest.raises(RoiError, match="too unlike"):
        interpolate(ring, disc, along(plane, 2))


# --- mirroring -----------------------------------------------------------------------------------


@given(planes())
def test_mirrored_twice_is_where_it_was_and_as_large(plane):
    if abs(plane.normal[0]) > 0.99:
        return
    line = mirror_line(plane, SHAPE)
    path = circle(40, 60, 12)
    (once,) = mirrored([path], plane, line)
    (twice,) = mirrored([once], plane, line)
    np.testing.assert_allclose(twice, path, atol=1e-6)
    assert area([once]) == pytest.approx(area([path]), rel=1e-9)
    middle = (plane.to_patient(path).mean(axis=0) + plane.to_patient(once).mean(axis=0)) / 2
    assert (middle - line.point_mm) @ line.across == pytest.approx(0, abs=1e-6)
    # What was on the patient's left is on the right.
    sides = [(plane.to_patient(p).mean(axis=0) - line.point_mm) @ line.across for p in (path, once)]
    assert sides[0] == pytest.approx(-sides[1], abs=1e-6)


def turned(degrees: float) -> Plane:
    """Return an axial plane of a patient who lies turned about the long axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return Plane((0, 0, 0), (-0.5 * s, 0.5 * c, 0), (0.5 * c, 0.5 * s, 0))


@pytest.mark.parametrize("degrees", [0, 12, -20])
def test_the_midline_lies_halfway_between_both_sides(degrees):
    # The slices are turned with the patient; the other psoas tells.
    plane = turned(degrees)
    pair = [
        roi_of(plane, [circle(60, 40, 9)], "1", Structure.PSOAS, side=Side.RIGHT),
        roi_of(plane, [circle(60, 120, 9)], "1", Structure.PSOAS, side=Side.LEFT),
    ]
    line = mirror_line(plane, SHAPE, pair)
    assert "psoas" in line.words
    (found,) = mirrored([circle(90, 60, 11)], plane, line)
    assert farthest([found], [circle(90, 100, 11)]) < 1e-6
    # On a slice near by as well.
    (near,) = mirrored(
        [circle(90, 60, 11)], along(plane, 4), mirror_line(along(plane, 4), SHAPE, pair)
    )
    assert farthest([near], [circle(90, 100, 11)]) < 1e-6
    far = mirror_line(along(plane, 60), SHAPE, pair)
    assert far.words == "the centre of the image"


def test_a_disc_tells_the_midline_and_nearer_outlines_win():
    plane = turned(0)
    disc = roi_of(plane, [circle(50, 80, 20)], "1", Structure.DISC)
    line = mirror_line(along(plane, 3), SHAPE, [disc])
    assert line.words == "the outline of the disc"
    assert line.point_mm[0] == pytest.approx(40)
    assert line.across == pytest.approx((1, 0, 0))
    pair = [
        roi_of(along(plane, 5), [circle(60, 40, 9)], "2", Structure.PSOAS, side=Side.RIGHT),
        roi_of(along(plane, 5), [circle(60, 120, 9)], "2", Structure.PSOAS, side=Side.LEFT),
    ]
    assert "disc" in mirror_line(plane, SHAPE, [*pair, disc]).words
    assert "psoas" in mirror_line(along(plane, 5), SHAPE, [*pair, disc]).words


def test_swapped_sides_tell_no_midline():
    plane = turned(0)
    pair = [
        roi_of(plane, [circle(60, 120, 9)], "1", Structure.PSOAS, side=Side.RIGHT),
        roi_of(plane, [circle(60, 40, 9)], "1", Structure.PSOAS, side=Side.LEFT),
    ]
    assert mirror_line(plane, SHAPE, pair).words == "the centre of the image"


def test_a_sagittal_slice_is_not_mirrored():
    with pytest.raises(GeometryError, match="behind each other"):
        mirror_line(Plane((0, 0, 0), (0, 0, -1), (0, 1, 0)), SHAPE)


# --- smoothing -----------------------------------------------------------------------------------


@given(st.floats(5, 30), st.floats(0.3, 2.5), st.floats(0.4, 1.5), st.floats(0.4, 1.5))
@settings(deadline=None)
def test_a_circle_stays_the_circle_it_is(radius, sd, row_mm, column_mm):
    spacing = np.array((row_mm, column_mm))
    path = circle(0, 0, radius, 360) / spacing + 50
    (found,) = smoothed([path], spacing, sd)
    away = np.hypot(*((found - 50) * spacing).T)
    np.testing.assert_allclose(away, radius, rtol=1e-3)


@given(st.integers(0, 10**6), st.floats(1.5, 3))
@settings(deadline=None)
def test_smoothing_keeps_the_area_and_takes_the_noise(seed, sd):
    rng = np.random.default_rng(seed)
    angle = np.arange(120) * 2 * np.pi / 120
    away = 20 + rng.normal(0, 0.3, 120)
    path = 50 + away[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    hole = circle(50, 50, 6)
    found = smoothed([path, hole], (1, 1), sd)
    assert area(found) == pytest.approx(area([path, hole]), rel=AREA_KEPT)
    lengths = [np.hypot(*(p - np.roll(p, 1, axis=0)).T).sum() for p in (path, found[0])]
    assert lengths[1] < 0.99 * lengths[0]


def test_what_is_too_small_or_would_cross_is_not_smoothed():
    with pytest.raises(RoiError, match="too small"):
        smoothed([circle(10, 10, 1)], (1, 1), 5)
    with pytest.raises(RoiError, match="encloses nothing"):
        smoothed([np.array([(0.0, 0.0), (1.0, 1.0)])], (1, 1))
    wall = [box(0, 0, 40, 40), box(1, 1, 39, 39)]
    with pytest.raises(RoiError, match="cross"):
        smoothed([*wall, box(2, 2, 12, 38)], (1, 1), 12)


# --- moving --------------------------------------------------------------------------------------


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.2, 4))
def test_moved_and_scaled(rows, columns, factor):
    paths = [box(0, 0, 20, 30), box(5, 5, 8, 9)]
    moved = shifted(paths, (rows, columns))
    np.testing.assert_allclose(moved[0] - paths[0], [(rows, columns)] * 4, atol=1e-9)
    larger = scaled(moved, factor)
    assert area(larger) == pytest.approx(area(paths) * factor**2, rel=1e-9)


@given(st.floats(0, 6), st.floats(0.4, 1.5), st.floats(0.4, 1.5))
@example(1e-38, 1.0, 1.0)
def test_a_convex_outline_grows_by_steiners_formula(by, row_mm, column_mm):
    path = box(0, 0, 29, 39)
    found = grown([path], by, (row_mm, column_mm))
    high, wide = 30 * row_mm, 40 * column_mm
    expected = high * wide + 2 * (high + wide) * by + math.pi * by**2
    assert area(found) * row_mm * column_mm == pytest.approx(expected, rel=1e-3)
    (back,) = grown(found, -by, (row_mm, column_mm))
    assert area([back]) == pytest.approx(area([path]), rel=1e-4)


def test_what_shrinks_away_is_empty():
    assert grown([box(0, 0, 9, 9)], -6, (1, 1)) == ()


# --- brush and freehand --------------------------------------------------------------------------


@given(st.floats(1, 9), st.floats(0, 40), st.floats(0.4, 1.5), st.floats(0.4, 1.5))
def test_a_straight_stroke_is_a_stadium(radius, length, row_mm, column_mm):
    end = (20 + length / row_mm, 30.0)
    path = stroke([(20.0, 30.0), end], radius, (row_mm, column_mm))
    expected = math.pi * radius**2 + 2 * radius * length
    assert area(path) * row_mm * column_mm == pytest.approx(expected, rel=8e-3)


def test_a_dab_is_round_in_millimetres():
    (dab,) = stroke([(20.0, 30.0)], 4.0, (0.5, 1.0))
    assert np.ptp(dab, axis=0) == pytest.approx((16, 8))


@given(st.lists(st.tuples(PIXELS, PIXELS), min_size=1, max_size=6))
@settings(deadline=None)
def test_painting_and_erasing_with_one_stroke(points):
    paths = [box(10, 10, 40, 50)]
    brush = stroke(points, 5.0, (1, 1))
    painted, erased = joined(paths, brush), cut(paths, brush)
    assert area(painted) == pytest.approx(area(erased) + area(brush), rel=1e-6)
    assert dice(painted, joined(painted, brush)) == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_stroke_keeps_every_point_but_repeats(points):
    found = closed(points)
    if len(set(points)) == 1:
        assert found.tolist() == [list(points[0])]
        return
    kept = [p for p, last in zip(points, [points[-1], *points[:-1]], strict=True) if p != last]
    assert found.tolist() == [list(map(float, point)) for point in kept]


@pytest.mark.parametrize("beyond", [0.0, 0.2, 0.9])
def test_a_stroke_that_overshoots_is_closed_where_it_crosses(beyond):
    # A spiral that narrows and then crosses its own beginning.
    angle = np.linspace(0, 2 * np.pi + beyond, 200)
    radius = 20 + np.where(angle < 1, 1, -1) * 0.5 * (angle < 1) * (1 - angle)
    radius = radius + np.where(angle > 2 * np.pi - 0.5, 0.6 * (angle - 2 * np.pi + 0.5), 0)
    path = 50 + radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    found = without_tails(path)
    assert first_crossing([found]) is None
    assert area([found]) == pytest.approx(np.pi * 400, rel=0.02)
    kept = {tuple(point) for point in found.tolist()} & {tuple(p) for p in path.tolist()}
    assert len(kept) >= len(found) - 1
    if not beyond:
        np.testing.assert_array_equal(found, path)


def test_too_short_a_stroke_has_no_tails():
    assert len(without_tails([(0, 0), (1, 0), (1, 1)])) == 3


# --- livewire ------------------------------------------------------------------------------------


def disc_image(row, column, radius_mm, spacing, *, noise=0.0):
    rows, columns = np.mgrid[:160, :150]
    away = np.hypot((rows - row) * spacing[0], (columns - column) * spacing[1])
    # An edge as wide as the resolution of the scan.
    image = 400 / (1 + np.exp((away - radius_mm) / (0.5 * min(spacing))))
    return image + np.random.default_rng(5).normal(0, noise, image.shape)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.6, 0.8)])
@pytest.mark.parametrize("noise", [0, 20])
def test_the_wire_runs_along_the_edge_of_a_disc(spacing, noise):
    row, column, radius = 78.3, 71.6, 28.0
    edges = Edges.of(disc_image(row, column, radius, spacing, noise=noise), spacing)
    angles = np.radians((10, 95, 185, 280, 370))
    corners = [
        # Clicked a pixel or so beside the edge.
        (
            row + (radius + 0.8) * np.cos(a) / spacing[0],
            column + (radius - 0.7) * np.sin(a) / spacing[1],
        )
        for a in angles
    ]
    path = closed(np.concatenate([LiveWire(edges, a).to(b) for a, b in pairwise(corners)]))
    away = np.hypot(*((path - (row, column)) * spacing).T) - radius
    assert np.sqrt((away**2).mean()) < 0.25 * max(spacing)
    truth = math.pi * radius**2 / (spacing[0] * spacing[1])
    assert area([path]) == pytest.approx(truth, rel=0.01)


def test_without_edges_the_wire_is_straight():
    edges = Edges.of(np.full((50, 60), 7.0), (1.0, 1.0))
    path = LiveWire(edges, (10.2, 9.9)).to((10, 40))
    np.testing.assert_array_equal(path[[0, -1]], [(10, 10), (10, 40)])
    assert len(path) == 31


def test_what_is_out_of_reach_is_reached_straight():
    edges = Edges.of(np.zeros((40, 300)), (1.0, 1.0))
    path = LiveWire(edges, (20, 10)).to((20, 200))
    np.testing.assert_array_equal(path[[0, -1]], [(20, 10), (20, 200)])
    assert np.diff(path[:, 1]).max() > 100
    # Beyond the image is at its border.
    assert LiveWire(edges, (20, 10)).to((-9, -9))[-1].tolist() == [0, 0]
