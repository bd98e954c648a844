"""What is measured on real scans of other people, against what other people's programs say.

The numbers are those of the manifest that stands beside the scans.
"""

import math
import re
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Weighting
from multifidus.data.measurement import Quantity
from multifidus.errors import GeometryError, RoiError
from multifidus.io.outlines import read_rois
from multifidus.io.read import read_exam
from multifidus.measuring.dixon_pairs import dixon_fat_fraction
from multifidus.measuring.locate import place
from multifidus.measuring.midline import wrong_sides
from multifidus.measuring.pipeline import measure

pytestmark = pytest.mark.real_data

# The manual labels of the lumbar Dixon exam: count, ratio of sums, mean of ratios, areas in mm2
# at k = 0, 7, 14, 21, 28, and the ratio of sums at k = 14.
LUMBAR = {
    (Structure.ERECTOR_SPINAE, Side.RIGHT): (
        48953, 0.14568478, 0.13208777,
        (1154.6040, 1466.8554, 1994.8819, 1924.3400, 1912.9289), 0.15231613,
    ),
    (Structure.MULTIFIDUS, Side.RIGHT): (
        15355, 0.16007452, 0.14908231,
        (1047.7539, 858.9507, 522.8396, 353.7466, 260.3824), 0.15113332,
    ),
    (Structure.MULTIFIDUS, Side.LEFT): (
        16771, 0.13822107, 0.12854950,
        (955.4270, 984.4737, 547.7367, 355.8214, 296.6907), 0.16953148,
    ),
    (Structure.ERECTOR_SPINAE, Side.LEFT): (
        46041, 0.13584512, 0.12221201,
        (974.0999, 1328.8839, 1855.8729, 1949.2372, 1842.3870), 0.15079276,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def lumbar(shared_data):
    return shared_data / "a01_real_lumbar_dixon_TUM01"


@pytest.fixture(scope="module")
def lumbar_rows(lumbar):
    exam = read_exam(fat=lumbar / "fat.nii.gz", water=lumbar / "water.nii.gz", pair_by="index")
    rois = read_rois(lumbar / "label_fatgrid.nii.gz", exam, labels="lpm")
    return measure(exam, rois)


def test_a_pair_whose_headers_disagree_is_refused_naming_both(lumbar):
    with pytest.raises(GeometryError, match="different grids") as caught:
        read_exam(fat=lumbar / "fat.nii.gz", water=lumbar / "water.nii.gz")
    text = str(caught.value)
    assert re.search(r"Fat .*fat\.nii\.gz: 29 slices of 400 x 400, pixels \[1\.01852", text)
    assert re.search(r"Water .*water\.nii\.gz: 29 slices of 400 x 400, pixels \[1\.0185,", text)


def test_a_label_map_on_the_water_images_grid_does_not_fit_the_fat_image(lumbar):
    exam = read_exam(fat=lumbar / "fat.nii.gz", water=lumbar / "water.nii.gz", pair_by="index")
    with pytest.raises(RoiError, match="lies on another grid than the image"):
        read_rois(lumbar / "label_watergrid.nii.gz", exam, labels="lpm")


@pytest.mark.parametrize("muscle", LUMBAR, ids=" ".join)
def test_areas_of_the_lumbar_muscles_are_the_published_ones(lumbar_rows, muscle):
    areas = {
        row.provenance.slice_index: row.value
        for row in lumbar_rows
        if (row.key.structure, row.key.side) == muscle and row.quantity is Quantity.TCSA_MM2
    }
    count, _, _, expected, _ = LUMBAR[muscle]
    assert [areas[k] for k in (0, 7, 14, 21, 28)] == pytest.approx(expected, rel=1e-6)
    assert math.fsum(areas.values()) == pytest.approx(count * 1.03738007, rel=1e-6)


VOLUMES_ML = {
    (Structure.ERECTOR_SPINAE, Side.RIGHT): 203.13147,
    (Structure.MULTIFIDUS, Side.RIGHT): 63.71588,
    (Structure.MULTIFIDUS, Side.LEFT): 69.59160,
    (Structure.ERECTOR_SPINAE, Side.LEFT): 191.04806,
}


def test_volumes_of_the_lumbar_muscles_are_the_published_ones(lumbar_rows):
    found = {
        (row.key.structure, row.key.side): row.value
        for row in lumbar_rows
        if row.quantity is Quantity.VOLUME_ML
    }
    both = {
        (structure, Side.BOTH): VOLUMES_ML[structure, Side.LEFT] + VOLUMES_ML[structure, Side.RIGHT]
        for structure, _ in VOLUMES_ML
    }
    assert found == pytest.approx(VOLUMES_ML | both, rel=1e-5)


@pytest.mark.parametrize("muscle", LUMBAR, ids=" ".join)
def test_fat_fractions_of_the_lumbar_muscles_are_the_published_ones(lumbar_rows, muscle):
    own = [row for row in lumbar_rows if (row.key.structure, row.key.side) == muscle]
    ratios = [row for row in own if row.quantity is Quantity.DIXON_FF_RATIO_PCT]
    means = [row for row in own if row.quantity is Quantity.DIXON_FF_MEAN_PCT]
    count, ratio, mean, _, at_14 = LUMBAR[muscle]
    assert math.fsum(row.parameters["weight"] for row in means) == pytest.approx(count, rel=1e-9)
    pooled_ratio = math.fsum(row.parameters["sum_fat"] for row in ratios) / math.fsum(
        row.parameters["sum_fat_water"] for row in ratios
    )
    pooled_mean = math.fsum(row.value * row.parameters["weight"] for row in means) / math.fsum(
        row.parameters["weight"] for row in means
    )
    assert pooled_ratio == pytest.approx(ratio, abs=1e-8)
    assert pooled_mean / 100 == pytest.approx(mean, abs=1e-8)
    (slice_14,) = (row for row in ratios if row.provenance.slice_index == 14)
    assert slice_14.value / 100 == pytest.approx(at_14, abs=1e-8)


def test_rows_of_a_pair_joined_by_index_say_so(lumbar_rows):
    wanted = {Flag.GRID_PAIRED_BY_INDEX, Flag.SCALE_UNVERIFIED}
    assert all(wanted <= set(row.flags) for row in lumbar_rows)
    assert {row.provenance.tilt_deg for row in lumbar_rows} == {0}


def test_the_wrong_scheme_swaps_sides_and_is_refused(lumbar, tmp_path):
    swapped = tmp_path / "swapped.tsv"
    swapped.write_text(
        "value\tstructure\tside\n2\tmultifidus\tleft\n3\tmultifidus\tright\n", encoding="utf-8"
    )
    exam = read_exam(fat=lumbar / "fat.nii.gz", water=lumbar / "water.nii.gz", pair_by="index")
    with pytest.raises(RoiError, match="Left and right are swapped"):
        read_rois(lumbar / "label_fatgrid.nii.gz", exam, labels=str(swapped))


def test_the_thighs_fat_fraction_is_the_reference_maps(shared_data):
    folder = shared_data / "f01_dixon_thigh_ge"
    fat, water, reference = (
        nibabel.load(folder / f"{name}.nii.gz").get_fdata()
        for name in ("fat", "water", "fatfraction")
    )
    exam = read_exam(fat=folder / "fat.nii.gz", water=folder / "water.nii.gz")
    assert [item.weighting for item in exam.series] == [
        Weighting.DIXON_FAT,
        Weighting.DIXON_WATER,
    ]
    assert exam.series[0].slices[4].pixels.tolist() == fat[:, :, 4].T.tolist()
    total = fat + water
    tissue = (fat > 0) & (water > 0) & (total > 0.25 * np.percentile(total[total > 0], 95))
    found = dixon_fat_fraction(fat, water, tissue)
    assert found.n_pixels == 26775
    assert found.mean_pct == pytest.approx(64.9692, abs=5e-5)
    assert found.ratio_pct == pytest.approx(63.9161, abs=5e-5)
    assert found.mean_pct == pytest.approx(reference[tissue].mean(), rel=1e-6)
    # Voxel by voxel as well.
    for i, j, k in np.argwhere(tissue)[::500]:
        one = dixon_fat_fraction([fat[i, j, k]], [water[i, j, k]], [1])
        assert one.mean_pct == pytest.approx(reference[i, j, k], rel=1e-5)
    defined = total > 0
    everywhere = dixon_fat_fraction(fat, water, defined)
    assert everywhere.n_pixels == defined.sum()
    assert everywhere.mean_pct == pytest.approx(reference[defined].mean(), rel=1e-4)


# Voxels, slice of the largest area, that area, another slice, its area; pixels of 0.25 mm2.
TEMPLATE = {
    (Structure.MULTIFIDUS, Side.RIGHT): (258649, 23, 1160.25, 67, 582.5),
    (Structure.MULTIFIDUS, Side.LEFT): (253959, 23, 1140.5, 67, 565.0),
    (Structure.ERECTOR_SPINAE, Side.RIGHT): (709571, 84, 2122.75, 67, 1952.0),
    (Structure.ERECTOR_SPINAE, Side.LEFT): (715643, 82, 2087.0, 67, 1915.25),
    (Structure.PSOAS, Side.RIGHT): (338439, 39, 1330.25, 67, 895.5),
    (Structure.PSOAS, Side.LEFT): (336204, 39, 1301.5, 67, 909.5),
    (Structure.QUADRATUS_LUMBORUM, Side.RIGHT): (119111, 40, 453.5, 75, 366.75),
    (Structure.QUADRATUS_LUMBORUM, Side.LEFT): (125111, 51, 490.75, 75, 396.75),
}


@pytest.fixture(scope="module")
def template_areas(shared_data):
    path = shared_data / "m01_musclemap_template_mask" / "template_dseg.nii.gz"
    exam = read_exam(path)
    places = {item.uid: k for k, item in enumerate(exam.series[0].slices)}
    areas = {}
    for roi in read_rois(path, exam, labels="musclemap_abdomen"):
        muscle = (roi.key.structure, roi.key.side)
        areas.setdefault(muscle, {})[places[roi.key.slice_uid]] = roi.area_mm2
    return areas


@pytest.mark.parametrize("muscle", TEMPLATE, ids=" ".join)
def test_areas_of_the_template_are_its_voxel_counts(template_areas, muscle):
    count, largest, area, other, other_area = TEMPLATE[muscle]
    found = template_areas[muscle]
    assert math.fsum(found.values()) == pytest.approx(count * 0.25, rel=1e-9)
    assert max(found, key=found.get) == largest
    assert found[largest] == pytest.approx(area, rel=1e-9)
    assert found[other] == pytest.approx(other_area, rel=1e-9)
    first = 31 if muscle[0] is Structure.QUADRATUS_LUMBORUM else 15
    assert (min(found), max(found)) == (first, 118)


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_the_middle_of_the_image_tells_a_side_of_the_lumbar_exam_from_the_other(lumbar, side):
    exam = read_exam(fat=lumbar / "fat.nii.gz", water=lumbar / "water.nii.gz", pair_by="index")
    rois = read_rois(lumbar / "label_fatgrid.nii.gz", exam, labels="lpm")
    alone = [roi for roi in rois if roi.key.side is side]
    assert wrong_sides(place(alone, exam)) == ()
    other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
    swapped = [replace(roi, key=replace(roi.key, side=other)) for roi in alone]
    assert len(wrong_sides(place(swapped, exam))) == len(swapped) == 58
