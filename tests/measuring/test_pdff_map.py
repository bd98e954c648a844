"""Maps of the scanner measured under an outline."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.roi import Source
from multifidus.data.roi_set import RoiSet
from multifidus.io.read import read_exam
from multifidus.measuring.pdff_map import FatMaps
from multifidus.measuring.pipeline import measure
from tests.support.exams import axial_plane, box, image_slice, outline
from tests.support.niftis import lumbar_affine, save

MUSCLE = box(10, 10, 19, 19)


def fraction_pixels(scale=1.0):
    """Return a map in which a muscle of 10 x 10 pixels has 20 % fat, in fat of 95 %."""
    pixels = np.full((30, 40), 95.0)
    pixels[10:20, 10:20] = 20
    pixels[10, 10:12] = -4, 44
    return pixels * scale


def exam_with(*maps, unit=""):
    anatomy = image_slice(np.full((30, 40), 7.0), uid="t2/0")
    parts = [Series("t2", (anatomy,), Weighting.T2)]
    for n, (weighting, scale, plane) in enumerate(maps):
        item = image_slice(fraction_pixels(scale), plane, uid=f"m{n}/0")
        parts.append(Series(f"m{n}", (item,), weighting, unit=unit))
    return Exam("S01", "pre", tuple(parts))


def rows_of(exam, name="t2/0"):
    series, index = exam.find_slice(name)
    # As a label map gives it: a box along pixels, of a muscle that may be as small.
    muscle = outline(series.slices[index], MUSCLE, Structure.PSOAS, source=Source.IMPORTED)
    rows = measure(exam, RoiSet((muscle,)))
    return [row for row in rows if row.quantity is Quantity.PDFF_MEAN_PCT]


@pytest.mark.parametrize("scale", [0.01, 1, 10, 100])
@pytest.mark.parametrize("name", ["t2/0", "m0/0"])
def test_a_declared_map_is_averaged_under_the_outline_whatever_its_scale(scale, name):
    (row,) = rows_of(exam_with((Weighting.PDFF, scale, None)), name)
    assert row.value == pytest.approx(20)
    assert (row.n_pixels, row.flags) == (100, ())
    assert row.parameters["n_below_0"] == 1
    assert row.parameters["n_above_100"] == 0
    assert row.parameters["basis"] == "range"
    assert row.parameters["map"] == "m0"


def test_a_map_that_is_not_declared_gives_no_proton_density():
    assert rows_of(exam_with((Weighting.FAT_FRACTION, 1, None))) == []


def test_a_map_on_another_grid_is_not_taken():
    assert rows_of(exam_with((Weighting.PDFF, 1, axial_plane(z=3)))) == []


def test_of_two_maps_of_one_slice_none_is_taken():
    exam = exam_with((Weighting.PDFF, 1, None), (Weighting.PDFF, 10, None))
    assert FatMaps(exam).at(exam.series[0].slices[0]) is None
    assert rows_of(exam) == []


def test_a_map_whose_values_fit_no_scale_is_refused_with_a_flag():
    for exam in (
        exam_with((Weighting.PDFF, 3, None)),
        exam_with((Weighting.PDFF, 10, None), unit="%"),
    ):
        (row,) = rows_of(exam)
        assert math.isnan(row.value)
        assert row.flags == (Flag.MAP_SCALE_UNKNOWN,)


def test_a_declared_unit_is_named():
    (row,) = rows_of(exam_with((Weighting.PDFF, 0.01, None), unit="1"))
    assert (row.value, row.parameters["basis"]) == (pytest.approx(20), "declared")


def test_an_outline_beside_the_image_has_no_fraction():
    exam = exam_with((Weighting.PDFF, 1, None))
    far = outline(exam.series[0].slices[0], box(100, 100, 110, 110))
    rows = measure(exam, RoiSet((far,)))
    (row,) = (row for row in rows if row.quantity is Quantity.PDFF_MEAN_PCT)
    assert math.isnan(row.value)
    assert Flag.UNDETECTABLE in row.flags


def test_a_map_of_a_bids_dataset_says_its_unit_in_its_sidecar(tmp_path):
    voxels = np.repeat(fraction_pixels(0.01).T[:, :, None], 2, axis=2).astype(np.float32)
    path = save(tmp_path / "sub-S01_desc-PDFF_map.nii", voxels, lumbar_affine())
    (tmp_path / "sub-S01_desc-PDFF_map.json").write_text(json.dumps({"Units": "Fraction"}))
    exam = read_exam(path)
    (series,) = exam.series
    assert (series.weighting, series.unit) == (Weighting.PDFF, "1")
    (row,) = rows_of(exam, series.slices[0].uid)
    assert row.value == pytest.approx(20, abs=1e-5)


def test_the_scale_of_a_map_is_told_once():
    exam = exam_with((Weighting.PDFF, 1, None))
    maps, item = FatMaps(exam), exam.series[0].slices[0]
    assert maps.at(item).scale is maps.at(item).scale
