import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.polygon import oriented_loops
from multifidus.measuring.outline_pixels import (
    POINTS,
    WIDEST_MM,
    BoundaryBand,
    boundary_band,
    perimeters_mm,
)
from tests.support.exams import box, circle
from tests.support.strategies import simple_polygons

SPACING = (0.5, 0.5)
ROW, COLUMN = np.mgrid[:80, :100]


def values(paths, image, sd_mm=1.0, spacing=SPACING):
    """Return the band's values as (rings, places)."""
    band = boundary_band(oriented_loops(paths), spacing, image.shape, sd_mm)
    return band.of(image.astype(float)).reshape(3, -1), band


def test_the_rings_lie_inside_on_and_outside_of_a_circle():
    distance = np.hypot(ROW - 40, COLUMN - 50)
    found, band = values([circle(40, 50, 20, points=400)], distance, sd_mm=2.0)
    # 2 mm are 4 pixels; the nearest pixel's centre is within 0.71.
    for ring, radius in zip(found, (16, 20, 24), strict=True):
        assert np.abs(ring - radius).max() < 0.75
    assert band.lengths_mm[0] == pytest.approx(2 * math.pi * 20 * 0.5, rel=1e-3)


def test_of_a_hole_the_muscle_lies_outside():
    hole = circle(40, 50, 8, points=200)
    outer = circle(40, 50, 25, points=200)
    distance = np.hypot(ROW - 40, COLUMN - 50)
    found, band = values([outer, hole], distance)
    of_hole = found[:, band.counts[0] :]
    assert of_hole[0].mean() > of_hole[1].mean() > of_hole[2].mean()


def test_oblong_pixels_are_measured_in_millimetres():
    row_mm, column_mm = 0.4, 1.0
    ellipse = circle(0, 0, 1, points=400) * (12 / row_mm, 12 / column_mm) + (40, 50)
    distance_mm = np.hypot((ROW - 40) * row_mm, (COLUMN - 50) * column_mm)
    found, band = values([ellipse], distance_mm, 2.0, (row_mm, column_mm))
    assert band.lengths_mm[0] == pytest.approx(24 * math.pi, rel=1e-3)
    assert found.mean(axis=1) == pytest.approx([10, 12, 14], abs=0.1)


@given(simple_polygons(centre=40.0, radius=20.0), st.booleans())
def test_the_length_is_the_sum_of_the_edges_either_way_round(path, turned):
    loop = path[::-1] if turned else path
    edges = np.linalg.norm(np.roll(path, -1, axis=0) - path, axis=1)
    assert perimeters_mm([loop], SPACING)[0] == pytest.approx(0.5 * edges.sum())
    _, band = values([loop], ROW)
    assert band.lengths_mm[0] == pytest.approx(0.5 * edges.sum())


def test_places_are_evenly_spaced_and_more_along_longer_loops():
    long = box(0, 0, 79, 99)
    _, band = values([long], ROW, spacing=(3.0, 3.0))
    (count,) = band.counts
    assert count & (count - 1) == 0
    assert count > POINTS
    assert band.lengths_mm[0] / count <= WIDEST_MM


def test_beyond_the_image_its_nearest_pixel_counts():
    found, _ = values([box(-10, 20, 9, 39)], ROW)
    assert found.min() == 0
    assert np.isfinite(found).all()


def test_a_band_without_pixels_has_no_values():
    assert BoundaryBand((3.0,)).of(ROW) is None
    assert boundary_band([], SPACING, ROW.shape, 1.0).of(ROW) is None
