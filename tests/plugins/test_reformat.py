"""Sections through a volume show its voxels where they are; what is no volume says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st
from napari_multifidus.models.reformat import Volume, volume_problem

from multifidus.data.geometry import Plane
from multifidus.data.image import Series, Slice, Weighting
from tests.plugins.conftest import make_series

SHAPE = (24, 30, 26)
VOXELS = np.random.default_rng(5).integers(0, 900, SHAPE).astype(float)


def plane_at(tilt: float, turned: bool, flips: tuple[int, int]) -> Plane:
    angle = np.radians(tilt)
    row = np.array((0, np.cos(angle), np.sin(angle))) * 0.9 * flips[0]
    column = np.array((1.0, 0, 0)) * 0.8 * flips[1]
    if turned:
        row, column = column / 0.8 * 0.9, row / 0.9 * 0.8
    return Plane((-12.0, -20.0, 5.0), row, column)


def shifted(plane: Plane, away) -> Plane:
    return replace(plane, origin_mm=plane.origin_mm + away)


def volume(tilt=0.0, turned=False, flips=(1, 1), *, step=1.0, thickness=1.0) -> Series:
    plane = plane_at(tilt, turned, flips)
    normal = plane.normal if plane.normal[2] > 0 else -plane.normal
    slices = tuple(
        Slice.from_array(f"v.{k}", shifted(plane, k * step * normal), pixels, thickness)
        for k, pixels in enumerate(VOXELS)
    )
    return Series("v", slices, Weighting.T2)


FLIPS = st.tuples(st.sampled_from((1, -1)), st.sampled_from((1, -1)))
PLACES = st.tuples(*(st.integers(0, count - 1) for count in SHAPE))


@given(st.floats(-25, 25), st.booleans(), FLIPS, PLACES)
def test_a_voxel_is_in_both_sections_where_it_is_in_the_patient(tilt, turned, flips, voxel):
    made = Volume.of(volume(tilt, turned, flips))
    point = made.point_mm(voxel)
    expected = made.series.slices[voxel[0]].plane.to_patient([voxel[1:]])[0]
    np.testing.assert_allclose(point, expected, atol=1e-6)
    np.testing.assert_allclose(made.voxel_at(point), voxel, atol=1e-6)
    for projection in made.sections(voxel):
        item = projection.item
        assert abs(item.plane.distance_mm(point[None])[0]) < 1e-6
        row, column = np.rint(item.plane.to_pixels(point[None])[0]).astype(int)
        assert item.pixels[row, column] == VOXELS[voxel]


@given(st.floats(-25, 25), st.booleans(), FLIPS)
def test_head_is_up_and_sides_are_where_they_are_looked_for(tilt, turned, flips):
    made = Volume.of(volume(tilt, turned, flips))
    middle = made.point_mm(made.middle)
    for projection, to_the_right in zip(
        made.sections(made.middle), ((0, 1, 0), (1, 0, 0)), strict=True
    ):
        places = middle + 5 * np.array([(0, 0, 0), (0, 0, 1), to_the_right])
        here, up, right = projection.to_view(places)
        assert up[1] < here[1]
        assert right[0] > here[0]


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (volume(), ""),
        (volume(tilt=14, thickness=float("nan")), ""),
        (make_series(), "3 stacks"),
        (volume(step=4.0, thickness=4.0), "4.0 mm apart"),
        (volume(step=1.6, thickness=1.0), "gaps of 0.6 mm"),
        (replace(volume(), slices=volume().slices[:12]), "only 12 slices"),
    ],
)
def test_what_is_no_volume_says_why(series, words):
    found = volume_problem(series)
    assert (words in found) if words else (found == "")


def test_a_slice_that_lacks_is_no_volume():
    slices = volume().slices
    assert volume_problem(replace(volume(), slices=(*slices[:11], *slices[12:])))
