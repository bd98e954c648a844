from itertools import permutations, product

import nibabel
import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from nibabel.orientations import apply_orientation, inv_ornt_aff

from multifidus.data.anatomy import Side, Structure
from multifidus.data.geometry import plane_from_affine, ras_from_lps
from multifidus.data.image import Exam, Series, Slice
from multifidus.data.polygon import area, first_crossing
from multifidus.data.roi import Reading, Source
from multifidus.errors import ReadError, RoiError
from multifidus.io.label_edges import trace, trace_labels
from multifidus.io.labelmap import PRESETS, load_labels, read_labelmap as read_grid
from multifidus.io.nifti import open_nifti
from multifidus.measuring.coverage import count_centres, coverage_box
from tests.support.niftis import lumbar_affine, save, set_scale

AFFINE = lumbar_affine(tilt=18, spacing=(0.7, 0.8, 4.4))
SHAPE = (7, 6, 4)
"""Columns, rows, slices."""

MF_RIGHT = {1: (Structure.MULTIFIDUS, Side.RIGHT)}
MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))


def exam_on(affine=AFFINE, shape=SHAPE):
    columns, rows, count = shape
    slices = tuple(
        Slice.from_array(f"1.{k}", plane_from_affine(affine, k), np.zeros((rows, columns)))
        for k in range(count)
    )
    return Exam("S01", "pre", (Series("1", slices),))


def random_labels(values, seed=0):
    return np.random.default_rng(seed).choice([0, *values], SHAPE).astype(np.uint8)


def read_labelmap(path, exam, labels):
    return read_grid(open_nifti(path), exam, labels)


def masks_of(rois, shape=SHAPE):
    """Return what outlines cover, {(k, structure, side): mask}; coverage is 0 or 1 exactly."""
    found = {}
    for roi in rois:
        cover = coverage_box(roi.paths, (shape[1], shape[0])).full((shape[1], shape[0]))
        assert np.abs(cover - np.rint(cover)).max() < 1e-9
        k = int(roi.key.slice_uid.split(".")[1])
        found[k, roi.key.structure, roi.key.side] = np.rint(cover) == 1
    return found


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product((1, -1), repeat=3)))
def test_a_label_map_stored_in_any_of_48_orientations_is_read_the_same(tmp_path, order, flips):
    labels = random_labels([1, 2, 3, 4])
    orientation = np.array(list(zip(order, flips, strict=True)))
    turned = apply_orientation(labels, orientation)
    affine = AFFINE @ inv_ornt_aff(orientation, labels.shape)
    path = save(tmp_path / "labels.nii.gz", turned, affine)
    rois = read_labelmap(path, exam_on(), PRESETS["lpm"])
    found = masks_of(rois)
    for value, (structure, side) in PRESETS["lpm"].items():
        for k in range(SHAPE[2]):
            stored = labels[:, :, k].T
            assert (found[k, structure, side] == (stored == value)).all()
    assert len(rois) == 16


def test_labels_become_outlines_of_the_exam_whose_area_is_their_count(tmp_path):
    labels = random_labels([1])
    rois = read_labelmap(save(tmp_path / "a.nii", labels, AFFINE), exam_on(), MF_RIGHT)
    assert rois.reading == Reading("S01", "pre")
    for k, roi in enumerate(rois):
        assert roi.source is Source.IMPORTED
        assert roi.area_mm2 == pytest.approx((labels[:, :, k] == 1).sum() * 0.7 * 0.8, rel=1e-12)


def test_slices_without_a_label_get_no_outline(tmp_path):
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:4, 2:4, 2] = 1
    (roi,) = read_labelmap(save(tmp_path / "a.nii", labels, AFFINE), exam_on(), MF_RIGHT)
    assert roi.key.slice_uid == "1.2"


def test_the_series_that_the_label_map_fits_is_found(tmp_path):
    other = lumbar_affine(5)
    exam = Exam("S01", "pre", (*exam_on(other).series, *exam_on().series))
    path = save(tmp_path / "a.nii", random_labels([1]), AFFINE)
    assert read_labelmap(path, exam, MF_RIGHT).rois[0].plane == exam.series[1].slices[0].plane


def shifted(affine, *, by=(0.0, 0.0, 0.0)):
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ by
    return moved


OTHER_GRIDS = {
    "shifted by a column": shifted(AFFINE, by=(1, 0, 0)),
    "shifted by half a row": shifted(AFFINE, by=(0, 0.5, 0)),
    "shifted by a slice": shifted(AFFINE, by=(0, 0, 1)),
    "mirrored": AFFINE @ np.diag([-1.0, 1, 1, 1]),
    "other pixels": AFFINE @ np.diag([1.05, 1, 1, 1]),
    "other slice step": AFFINE @ np.diag([1, 1, 1.05, 1]),
    "tilted": lumbar_affine(tilt=19, spacing=(0.7, 0.8, 4.4)),
    "far away": shifted(AFFINE, by=(0, 0, 300)),
}


@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_a_label_map_on_another_grid_is_refused_with_both_grids(tmp_path, name):
    path = save(tmp_path / "a.nii", random_labels([1]), OTHER_GRIDS[name])
    with pytest.raises(RoiError, match="lies on another grid than the image") as caught:
        read_labelmap(path, exam_on(), MF_RIGHT)
    assert str(caught.value).count("shape (7, 6, 4)") == 2
    assert str(caught.value).count("first voxel at LPS") == 2


@pytest.mark.parametrize("shape", [(7, 6, 5), (8, 6, 4), (6, 7, 4)])
def test_a_label_map_of_another_size_is_refused(tmp_path, shape):
    path = save(tmp_path / "a.nii", np.ones(shape, np.uint8), AFFINE)
    with pytest.raises(RoiError, match="lies on another grid"):
        read_labelmap(path, exam_on(), MF_RIGHT)


def test_an_image_of_uneven_slices_fits_no_label_map(tmp_path):
    # Steps that grow by less than a tenth of a millimetre: one stack, but no regular grid.
    places = np.cumsum([0, *[1.0] * 4, *[1.02] * 4])
    slices = tuple(
        Slice.from_array(f"1.{k}", plane_from_affine(AFFINE, place), np.zeros((6, 7)))
        for k, place in enumerate(places)
    )
    exam = Exam("S01", "pre", (Series("1", slices),))
    assert len(exam.series[0].stacks) == 1
    path = save(tmp_path / "a.nii", np.ones((7, 6, 9), np.uint8), AFFINE)
    with pytest.raises(RoiError, match=r"Image: shape \(7, 6, 9\), no regular grid"):
        read_labelmap(path, exam, MF_RIGHT)


def test_a_label_map_without_its_labels_is_refused(tmp_path):
    path = save(tmp_path / "a.nii", random_labels([50, 100]), AFFINE)
    with pytest.raises(ReadError, match=r"holds the values \[0, 50, 100\], none of them") as caught:
        read_labelmap(path, exam_on(), PRESETS["lpm"])
    assert "[1, 2, 3, 4]" in caught.value.remedy


@pytest.mark.parametrize("odd", [0.5, 0.99, 1.002, np.nan, np.inf, 1e30])
def test_a_map_of_fractions_is_no_label_map(tmp_path, odd):
    values = random_labels([1]).astype(np.float32)
    values[0, 0, 0] = odd
    path = save(tmp_path / "a.nii", values, AFFINE)
    with pytest.raises(ReadError, match=r"a\.nii holds values that are not whole") as caught:
        read_labelmap(path, exam_on(), MF_RIGHT)
    assert "nearest neighbour" in caught.value.remedy


def through_16_bits(path, values, affine=AFFINE):
    """Save floating-point values as nibabel does where a header asks for 16 bits."""
    image = nibabel.Nifti1Image(values.astype(np.float64), ras_from_lps(affine))
    image.set_data_dtype(np.int16)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("scheme", PRESETS)
def test_labels_that_were_scaled_into_16_bits_are_those_that_were_meant(tmp_path, scheme):
    labels = np.random.default_rng(0).choice([0, *PRESETS[scheme]], SHAPE)
    path = through_16_bits(tmp_path / "a.nii", labels)
    stored = nibabel.load(path).get_fdata()
    assert (stored != labels).any()
    found = masks_of(read_labelmap(path, exam_on(), PRESETS[scheme]))
    for value, (structure, side) in PRESETS[scheme].items():
        for k in range(SHAPE[2]):
            mask = value == labels[:, :, k].T
            assert (found.get((k, structure, side), False) == mask).all()


@pytest.mark.parametrize("value", [1.9999999995, 2.00003, 2.0009])
def test_values_within_a_thousandth_of_a_whole_number_are_that_number(tmp_path, value):
    labels = random_labels([2]).astype(np.float64)
    path = save(tmp_path / "a.nii", np.where(labels == 2, value, labels), AFFINE)
    found = masks_of(read_labelmap(path, exam_on(), PRESETS["lpm"]))
    assert (found[1, Structure.MULTIFIDUS, Side.RIGHT] == (labels[:, :, 1].T == 2)).all()


@pytest.mark.parametrize("largest", [1, 3, 200, 5000])
def test_probabilities_are_no_labels_however_they_were_scaled(tmp_path, largest):
    values = np.random.default_rng(0).uniform(0, largest, SHAPE)
    path = through_16_bits(tmp_path / "a.nii", values)
    with pytest.raises(ReadError, match="not whole numbers"):
        read_labelmap(path, exam_on(), PRESETS["lpm"])


def single(thickness_mm):
    """Return an exam of one slice, its number of slices in its grid left aside."""
    (series,) = exam_on(AFFINE, (7, 6, 1)).series
    (found,) = series.slices
    item = Slice.from_array("1.0", found.plane, found.pixels, thickness_mm)
    return Exam("S01", "pre", (Series("1", (item,)),))


@pytest.mark.parametrize("shape", [(7, 6), (7, 6, 1), (7, 6, 1, 1)])
@pytest.mark.parametrize("form", ["sform", "both"])
@pytest.mark.parametrize("thickness_mm", [4.4, 3.0, np.nan])
def test_a_label_map_of_one_slice_fits_an_image_of_one_slice_however_thick(
    tmp_path, shape, form, thickness_mm
):
    labels = random_labels([1])[:, :, 0]
    path = save(tmp_path / "a.nii", labels.reshape(shape), AFFINE, form=form)
    rois = read_labelmap(path, single(thickness_mm), MF_RIGHT)
    found = masks_of(rois)
    assert (found[0, Structure.MULTIFIDUS, Side.RIGHT] == (labels.T == 1)).all()


@pytest.mark.parametrize("by", [(0, 0, 0.5), (0, 0, 1), (0.5, 0, 0)])
def test_a_label_map_of_one_slice_in_another_place_is_refused(tmp_path, by):
    labels = random_labels([1])[:, :, 0]
    path = save(tmp_path / "a.nii", labels, shifted(AFFINE, by=by))
    with pytest.raises(RoiError, match="lies on another grid"):
        read_labelmap(path, single(4.4), MF_RIGHT)


def test_labels_may_be_stored_as_floats_and_scaled(tmp_path):
    labels = random_labels([1])
    path = save(tmp_path / "a.nii", labels.astype(np.float32) * 2, AFFINE)
    set_scale(path, 0.5, 0)
    found = masks_of(read_labelmap(path, exam_on(), MF_RIGHT))
    assert (found[0, Structure.MULTIFIDUS, Side.RIGHT] == (labels[:, :, 0].T == 1)).all()


def test_two_values_of_one_muscle_are_refused(tmp_path):
    path = save(tmp_path / "a.nii", random_labels([1, 2]), AFFINE)
    with pytest.raises(RoiError, match="two outlines of right multifidus"):
        read_labelmap(path, exam_on(), {1: MF_RIGHT[1], 2: MF_RIGHT[1]})


PRESETS_OF_THE_INTERFACE = {
    "lpm": "1 erector_spinae right, 2 multifidus right, 3 multifidus left, 4 erector_spinae left",
    "lpm3shot": "50 erector_spinae right, 100 multifidus right, 150 multifidus left, "
    "200 erector_spinae left",
    "musclemap_abdomen": "1 multifidus right, 2 multifidus left, 3 erector_spinae right, "
    "4 erector_spinae left, 5 psoas right, 6 psoas left, 7 quadratus_lumborum right, "
    "8 quadratus_lumborum left",
    "musclemap_wholebody": "5101 multifidus left, 5102 multifidus right, "
    "5111 erector_spinae left, 5112 erector_spinae right, 5121 psoas left, 5122 psoas right, "
    "5131 quadratus_lumborum left, 5132 quadratus_lumborum right",
}


def test_presets_are_those_of_the_interface():
    written = {
        name: ", ".join(f"{value} {what} {side}" for value, (what, side) in labels.items())
        for name, labels in PRESETS.items()
    }
    assert written == PRESETS_OF_THE_INTERFACE
    assert load_labels("lpm") is PRESETS["lpm"]


TSV = "value\tstructure\tside\n7\tmultifidus\tleft\n8\tmultifidus\tright\n"
TOML = """
labels = [
  {value = 7, structure = "multifidus", side = "left"},
  {value = 8, structure = "multifidus", side = "right"},
]
"""


@pytest.mark.parametrize(("name", "text"), [("a.tsv", TSV), ("a.toml", TOML)])
def test_a_labs_own_scheme_is_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert load_labels(str(tmp_path / name)) == {
        7: (Structure.MULTIFIDUS, Side.LEFT),
        8: (Structure.MULTIFIDUS, Side.RIGHT),
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", TSV.replace("\tside", "")),
        ("a.tsv", TSV.replace("multifidus", "trapezius")),
        ("a.tsv", TSV.replace("7", "seven")),
        ("a.tsv", TSV.replace("8", "7")),
        ("a.tsv", ""),
        ("a.toml", TOML.replace("value = 7", "value = 7.5")),
        ("a.toml", TOML.replace("value = 7", "value = true")),
        ("a.toml", TOML.replace("labels", "names")),
        ("a.toml", "labels = 5"),
        ("a.toml", "labels = [5]"),
        ("a.toml", "labels = ["),
    ],
    ids=[
        "no side", "unknown structure", "no number", "a value twice", "empty", "fraction",
        "no number either", "other key", "no list", "no table", "no TOML",
    ],
)  # fmt: skip
def test_a_scheme_that_is_not_understood_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ReadError, match=rf"{name}(, line 2| is not a label scheme)"):
        load_labels(str(tmp_path / name))


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(ReadError, match=r"no label preset or file 'musclemap'.*musclemap_abdomen"):
        load_labels("musclemap")


@given(MASKS)
def test_a_traced_mask_covers_its_pixels_and_no_other(mask):
    paths = trace(mask)
    cover = coverage_box(paths, mask.shape).full(mask.shape)
    assert cover.tolist() == mask.astype(float).tolist()
    assert area(paths) == mask.sum()
    assert count_centres(paths, mask.shape) == mask.sum()


@given(hnp.arrays(np.uint8, (9, 8), elements=st.integers(0, 4)))
def test_labels_of_a_slice_are_traced_at_once_as_each_by_itself(labels):
    found = trace_labels(labels)
    assert sorted(found) == sorted({*labels.ravel().tolist()} - {0})
    for value, paths in found.items():
        alone = trace(labels == value)
        assert [path.tolist() for path in paths] == [path.tolist() for path in alone]


@given(MASKS.filter(lambda mask: mask.any()))
def test_traced_paths_are_closed_loops_along_pixel_edges_that_do_not_cross(mask):
    paths = trace(mask)
    assert first_crossing(paths) is None
    for path in paths:
        steps = np.roll(path, -1, axis=0) - path
        assert ((steps == 0).sum(axis=1) == 1).all()
        # A corner only where the path turns.
        assert ((steps[:, 0] == 0) != (np.roll(steps[:, 0], 1) == 0)).all()
        assert (path % 1 == 0.5).all()


def test_pixels_that_touch_at_a_corner_are_two_paths():
    assert len(trace(np.eye(2, dtype=bool))) == 2
    assert len(trace(~np.eye(2, dtype=bool))) == 2


def test_a_ring_is_an_outline_and_a_hole():
    ring = np.ones((3, 3), dtype=bool)
    ring[1, 1] = False
    assert sorted(map(len, trace(ring))) == [4, 4]


def test_nothing_is_traced_around_nothing():
    assert trace(np.zeros((3, 3), dtype=bool)) == []
