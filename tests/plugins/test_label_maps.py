"""Label maps are told from images, and not opened as such."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from napari_multifidus.models.label_maps import is_label_map, without_label_maps
from napari_multifidus.models.opening import find_exams, layer_data

from multifidus.data.image import Exam, Series, Slice, Weighting
from tests.plugins.conftest import make_series
from tests.support.niftis import lumbar_affine, save


def series_of(pixels: np.ndarray, uid: str = "7") -> Series:
    base = make_series(uid)
    slices = tuple(Slice.from_array(item.uid, item.plane, pixels, 4.0) for item in base.slices)
    return Series(uid, slices, Weighting.UNKNOWN)


def labels(most: int) -> np.ndarray:
    pixels = np.zeros((72, 80))
    for value in range(1, most + 1):
        pixels[10 + 4 * value : 14 + 4 * value, 20:50] = value
    return pixels


@pytest.mark.parametrize("most", [1, 2, 9])
def test_patches_of_a_few_numbers_are_labels(most):
    assert is_label_map(series_of(labels(most)))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 60))
def test_an_image_with_noise_is_none_however_few_its_grey_levels(seed, levels):
    rng = np.random.default_rng(seed)
    pixels = np.where(np.arange(80) > 50, rng.integers(0, levels + 1, (72, 80)), 0)
    assert not is_label_map(series_of(pixels.astype(float)))


@pytest.mark.parametrize("pixels", [np.zeros((72, 80)), np.ones((72, 80)), labels(3) / 2])
def test_nothing_one_value_and_fractions_are_no_labels(pixels):
    assert not is_label_map(series_of(pixels))


def test_an_exam_of_label_maps_alone_stays_as_it_is():
    exam = Exam("S", "pre", (series_of(labels(2)),))
    assert without_label_maps(exam) == (exam, ())


def test_a_contrast_that_is_known_is_an_image_whatever_its_pixels():
    named = replace(series_of(labels(2)), weighting=Weighting.T1)
    assert without_label_maps(Exam("S", "pre", (named, make_series("1"))))[1] == ()


def test_a_label_map_beside_an_image_is_no_layer(tmp_path):
    affine, rng = lumbar_affine(tilt=12), np.random.default_rng(1)
    save(tmp_path / "a_scan.nii.gz", rng.integers(50, 400, (30, 24, 3)).astype(np.int16), affine)
    seg = np.zeros((30, 24, 3), np.int16)
    seg[5:15, 5:15] = 3
    save(tmp_path / "b_seg.nii.gz", seg, affine)
    (found,) = find_exams(tmp_path)
    assert len(found.exam.series) == len(found.label_maps) == 1
    assert found.files[found.label_maps[0].uid] == "b_seg.nii.gz"
    opened = found.open()
    assert opened.label_maps == ("b_seg.nii.gz",)
    assert len(layer_data(opened)) == 1
