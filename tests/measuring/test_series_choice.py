"""Which of several series of one geometry is measured is chosen, or refused; never the first."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

import multifidus as mf
from multifidus.data.image import Exam, Series, Weighting
from multifidus.errors import RoiError
from multifidus.io.labelmap import PRESETS, read_labelmap
from multifidus.io.nifti import open_nifti
from multifidus.measuring.locate import choose_series, only_series, place
from tests.support.exams import axial_plane, circle, image_slice, outline
from tests.support.niftis import lumbar_affine, save

PIXELS = np.zeros((40, 50))
T1, T2, FAT, WATER = (
    Weighting.T1,
    Weighting.T2,
    Weighting.DIXON_FAT,
    Weighting.DIXON_WATER,
)
IN, OPPOSED = Weighting.DIXON_IN_PHASE, Weighting.DIXON_OPPOSED_PHASE


def exam_of(*weightings):
    """Return an exam of series that share one geometry."""
    return Exam(
        "S01",
        "pre",
        tuple(
            Series(
                f"1.2.{weighting.value}.{n}",
                tuple(
                    image_slice(PIXELS, axial_plane(z=4.4 * k), uid=f"{weighting.value}.{n}.{k}")
                    for k in range(3)
                ),
                weighting,
            )
            for n, weighting in enumerate(weightings, 1)
        ),
    )


def stranger(exam, k=1):
    """Return an outline whose slice is known by its place alone."""
    return outline(replace(exam.series[0].slices[k], uid="old"), circle(20, 25, 8))


@pytest.mark.parametrize("choice", [2, "2", "1.2.t2.2", "t2", "...t2.2"])
def test_a_series_is_chosen_by_number_uid_or_weighting(choice):
    assert choose_series(exam_of(T1, T2), choice).weighting is T2


@pytest.mark.parametrize("choice", [0, 3, "1.2", "stir", "", "..."])
def test_a_choice_that_names_no_series_is_refused_with_the_candidates(choice):
    with pytest.raises(RoiError, match=r"names none .* no\. 1 \(.*, t1\); no\. 2 \(.*, t2\)"):
        choose_series(exam_of(T1, T2), choice)


def test_a_choice_that_names_several_series_is_refused():
    with pytest.raises(RoiError, match=r"names 2 \(no\. 2 .*t2\); no\. 3 .*t2\)\)"):
        choose_series(exam_of(T1, T2, T2), "t2")


@pytest.mark.parametrize("order", list(permutations([IN, OPPOSED, FAT, WATER])))
def test_what_fits_one_dixon_acquisition_is_measured_on_its_pair_in_any_order(order):
    exam = exam_of(*order)
    assert only_series(exam, exam.series, "It").weighting is FAT


@pytest.mark.parametrize(
    "weightings",
    [(T1, T2), (T2, T2), (T1, FAT, WATER), (FAT, FAT, WATER, WATER), (FAT, FAT), (IN, OPPOSED)],
)
def test_what_fits_several_series_is_refused_naming_each(weightings):
    exam = exam_of(*weightings)
    for series in permutations(exam.series):
        with pytest.raises(RoiError, match=r"fits [2-4] series of one geometry") as caught:
            only_series(replace(exam, series=series), series, "It")
        for number, item in enumerate(series, 1):
            assert f"no. {number} (...{item.uid[-9:]}, {item.weighting.value})" in str(caught.value)
        assert "--series" in caught.value.remedy


def test_an_outline_found_by_its_place_alone_does_not_prefer_a_dixon_pair_to_another_contrast():
    exam = exam_of(FAT, WATER, T2)
    with pytest.raises(RoiError, match="fits 3 series"):
        place([stranger(exam)], exam)


def test_an_outline_found_by_its_place_alone_lies_on_the_series_that_is_chosen():
    exam = exam_of(T1, T2)
    (placed,) = place([stranger(exam)], exam, "t2")
    assert (placed.series.weighting, placed.index) == (T2, 1)


def test_an_outline_found_by_its_uid_stays_where_it_was_drawn_whatever_is_chosen():
    exam = exam_of(T1, T2)
    (placed,) = place([outline(exam.series[0].slices[2], circle(20, 25, 8))], exam, "t2")
    assert placed.series.weighting is T1


def test_a_uid_that_two_series_share_does_not_decide_between_them():
    exam = exam_of(T1, T2)
    series = tuple(
        replace(item, slices=tuple(replace(s, uid=f"1.{k}") for k, s in enumerate(item.slices)))
        for item in exam.series
    )
    exam = replace(exam, series=series)
    with pytest.raises(RoiError, match="fits 2 series"):
        place([outline(series[0].slices[1], circle(20, 25, 8))], exam)
    (placed,) = place([outline(series[0].slices[1], circle(20, 25, 8))], exam, 1)
    assert placed.series is series[0]


def test_outlines_of_a_chosen_series_are_measured_there(tmp_path):
    exam = exam_of(T1, T2)
    path = tmp_path / "a.outlines.json"
    roi = stranger(exam)
    mf.write_rois(mf.RoiSet((roi,), levels=(mf.SliceLevel("old", "L4-L5"),)), path)
    with pytest.raises(RoiError, match="fits 2 series"):
        mf.read_rois(path, exam)
    rois = mf.read_rois(path, exam, series="t2")
    assert {row.provenance.series for row in mf.measure(exam, rois)} == {exam.series[1].uid}
    assert rois.level_of(rois.rois[0])[0] == "L4-L5"


AFFINE, SHAPE = lumbar_affine(tilt=12), (50, 40, 3)


def nifti_exam(folder, names):
    """Write images of one grid, and a label map on it; returns their paths."""
    rng = np.random.default_rng(3)
    paths = [
        save(folder / f"{name}.nii", rng.integers(0, 900, SHAPE, dtype=np.int16), AFFINE)
        for name in names
    ]
    labels = np.zeros(SHAPE, np.uint8)
    labels[10:20, 15:25], labels[30:40, 15:25] = 2, 3
    return paths, save(folder / "labels.nii", labels, AFFINE)


@pytest.mark.parametrize("turn", [1, -1])
def test_a_label_map_that_fits_two_files_is_refused_in_either_order(tmp_path, turn):
    paths, labels = nifti_exam(tmp_path, ["sub-1_T1w", "sub-1_T2w"])
    exam = mf.read_exam(*paths[::turn])
    with pytest.raises(RoiError, match=r"no\. 1 \(.*, t1\); no\. 2 \(.*, t2\)"):
        mf.read_rois(labels, exam, labels="lpm")


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(("choice", "weighting"), [(2, T2), ("t1", T1)])
def test_a_label_map_is_measured_on_the_chosen_series_in_either_order(
    tmp_path, turn, choice, weighting
):
    paths, labels = nifti_exam(tmp_path, ["sub-1_T1w", "sub-1_T2w"])
    exam = mf.read_exam(*paths[::turn])
    rois = mf.read_rois(labels, exam, labels="lpm", series=choice)
    (uid,) = {row.provenance.series for row in mf.measure(exam, rois)}
    (found,) = [item for item in exam.series if item.uid == uid]
    assert found.weighting is weighting


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_inspect_numbers_files_alike_in_whatever_order_they_are_named(tmp_path, order):
    paths, _ = nifti_exam(tmp_path, ["a", "b", "c"])
    shuffled = [paths[n] for n in order]
    in_order = [item.uid for item in mf.scan(*paths).exams[0].series]
    assert [item.uid for item in mf.scan(*shuffled).exams[0].series] == in_order
    assert [item.uid for item in mf.read_exam(*shuffled).series] == in_order


def test_a_label_map_on_a_dixon_exam_is_measured_on_the_pair(tmp_path):
    paths, labels = nifti_exam(tmp_path, ["fat", "water"])
    for fat, water in (paths, paths[::-1]):
        exam = mf.read_exam(fat=fat, water=water)
        turned = replace(exam, series=exam.series[::-1])
        for each in (exam, turned):
            rows = mf.measure(each, mf.read_rois(labels, each, labels="lpm"))
            assert sum(row.quantity.startswith("dixon_ff") for row in rows) >= 12
            on = {row.provenance.series for row in rows}
            assert on == {s.uid for s in each.series if s.weighting is FAT}


def test_a_label_map_of_another_grid_than_the_chosen_series_is_refused(tmp_path):
    _, labels = nifti_exam(tmp_path, [])
    with pytest.raises(RoiError, match="another grid"):
        read_labelmap(open_nifti(labels), exam_of(T1, T2), PRESETS["lpm"], "t2")
