import json

import numpy as np
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat

from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import GeometryError, ReadError, RoiError, WriteError
from multifidus.io.outlines import read_rois, write_rois
from multifidus.io.read import read_exam, read_exams
from multifidus.io.scan import scan
from multifidus.measuring.pipeline import measure
from tests.support.dicoms import ROOT, classic, write
from tests.support.exams import axial_plane, box, circle, outline
from tests.support.niftis import lumbar_affine, save

SHAPE = (30, 24, 3)
AFFINE = lumbar_affine(tilt=12)


def signal(seed=0, dtype=np.int16):
    return np.random.default_rng(seed).integers(10, 500, SHAPE).astype(dtype)


def write_series(folder, *, series=1, study=1, kind=("M", "SE"), slope=None):
    for k in range(3):
        pixels = signal()[:, :, k].T.astype(np.uint16)
        dataset = classic(axial_plane(z=4.4 * k), np.ascontiguousarray(pixels), k + 1)
        dataset.StudyInstanceUID = f"{ROOT}.{study}"
        dataset.SeriesInstanceUID = f"{ROOT}.{study}.{series}"
        dataset.SOPInstanceUID = f"{ROOT}.{study}.{series}.{k + 1}"
        dataset.ImageType = ["DERIVED", "PRIMARY", *kind]
        if slope is not None:
            dataset.RescaleSlope, dataset.RescaleIntercept = DSfloat(slope), DSfloat(0)
        write(dataset, folder / f"{series}_{k}.dcm", ExplicitVRLittleEndian)
    return folder


def test_a_mixed_folder_is_sorted_into_exams_and_the_rest_is_reported(tmp_path):
    write_series(tmp_path / "dicom")
    (tmp_path / "nifti").mkdir()
    save(tmp_path / "nifti" / "a.nii.gz", signal(), AFFINE)
    save(tmp_path / "nifti" / "b.nii", signal(1), AFFINE)
    (tmp_path / "nifti" / "copy.nii").write_bytes((tmp_path / "nifti" / "b.nii").read_bytes())
    save(tmp_path / "nifti" / "5d.nii", np.zeros((4, 4, 4, 1, 3), np.int16), AFFINE)
    (tmp_path / "nifti" / "a.json").write_text("{}")
    (tmp_path / "nifti" / "notes.json").write_text("{}")
    found = scan(tmp_path)
    assert [(exam.subject, len(exam.series)) for exam in found.exams] == [
        ("subject-1", 1),
        ("subject-2", 2),
    ]
    reasons = {item.path.name: item.reason for item in found.skipped}
    assert set(reasons) == {"notes.json", "5d.nii", "copy.nii"}
    assert "only slices, volumes" in reasons["5d.nii"]
    assert reasons["copy.nii"].endswith("The same content as " + str(tmp_path / "nifti" / "b.nii."))
    assert sorted(map(len, found.paths.values())) == [1, 1, 3]


def test_a_folder_without_images_is_refused_with_reasons(tmp_path):
    with pytest.raises(ReadError, match=r"No image to measure in .*: it is empty"):
        read_exams(tmp_path)
    for number in range(7):
        (tmp_path / f"{number}.txt").write_text("text")
    with pytest.raises(ReadError, match=r"7 files skipped \(0\.txt: A text file.*; and 2 more\)"):
        read_exams(tmp_path)
    save(tmp_path / "a.nii", np.zeros((4, 4, 4, 1, 3), np.int16), AFFINE)
    with pytest.raises(ReadError, match="8 files skipped"):
        read_exams(tmp_path)


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ReadError, match="gone does not exist"):
        read_exam(tmp_path / "gone")


def test_one_exam_is_read_from_a_folder_or_from_several_nifti_files(tmp_path):
    assert len(read_exam(write_series(tmp_path / "dicom")).series) == 1
    paths = [save(tmp_path / f"{n}.nii", signal(n), AFFINE) for n in range(2)]
    assert len(read_exam(*paths).series) == 2


def test_two_exams_are_not_taken_for_one(tmp_path):
    write_series(tmp_path, study=1)
    write_series(tmp_path, study=2, series=2)
    with pytest.raises(ReadError, match="found 2: subject-1 exam-1, subject-1 exam-2"):
        read_exam(tmp_path)


def dixon_files(folder, water_affine=AFFINE, water_dtype=np.int16, shape=SHAPE):
    fat = save(folder / "fat.nii.gz", signal(1), AFFINE)
    voxels = np.resize(signal(2, water_dtype), shape)
    return fat, save(folder / "water.nii.gz", voxels, water_affine)


def test_fat_and_water_on_one_grid_are_a_dixon_pair(tmp_path):
    fat, water = dixon_files(tmp_path)
    exam = read_exam(fat=fat, water=water)
    assert [item.weighting for item in exam.series] == [
        Weighting.DIXON_FAT,
        Weighting.DIXON_WATER,
    ]
    assert [item.flags for item in exam.series] == [(), ()]
    item = exam.series[0].slices[1]
    # One pixel, so that its fat fraction is what its two numbers say.
    rows = measure(exam, RoiSet((outline(item, box(12, 14, 12, 14)),)))
    fat_signal, water_signal = signal(1)[14, 12, 1], signal(2)[14, 12, 1]
    (mean,) = (row.value for row in rows if row.quantity is Quantity.DIXON_FF_MEAN_PCT)
    assert mean == pytest.approx(100 * fat_signal / (fat_signal + water_signal))


MOVED = lumbar_affine(tilt=12)
MOVED[:3, 3] += 20


def test_a_pair_on_two_grids_is_refused_naming_both(tmp_path):
    fat, water = dixon_files(tmp_path, MOVED)
    with pytest.raises(GeometryError, match="Fat and water lie on different grids") as caught:
        read_exam(fat=fat, water=water)
    text = str(caught.value)
    assert str(fat) in text
    assert str(water) in text
    assert text.count("first pixel at LPS") == 2


def test_a_pair_may_be_joined_by_index_on_the_fat_images_grid_and_says_so(tmp_path):
    fat, water = dixon_files(tmp_path, MOVED, np.uint16)
    exam = read_exam(fat=fat, water=water, pair_by="index")
    first, second = exam.series
    assert [item.plane for item in first.slices] == [item.plane for item in second.slices]
    assert first.flags == second.flags == (Flag.GRID_PAIRED_BY_INDEX, Flag.SCALE_UNVERIFIED)
    rows = measure(exam, RoiSet((outline(first.slices[0], circle(12, 14, 6)),)))
    assert all(set(first.flags) <= set(row.flags) for row in rows)


def test_pairs_of_other_shapes_are_refused_even_by_index(tmp_path):
    fat, water = dixon_files(tmp_path, shape=(30, 23, 3))
    with pytest.raises(GeometryError, match="different grids"):
        read_exam(fat=fat, water=water, pair_by="index")


@pytest.mark.parametrize("slope", [0.5, None], ids=["both rescaled", "one as stored"])
def test_a_dicom_pair_shares_its_scale(tmp_path, slope):
    fat = write_series(tmp_path / "fat", series=1, kind=("DIXON", "FAT"), slope=0.5)
    water = write_series(tmp_path / "water", series=2, kind=("DIXON", "WATER"), slope=slope)
    exam = read_exam(fat=fat, water=water)
    assert exam.series[0].flags == ()
    assert exam.series[0].weighting is Weighting.DIXON_FAT


def test_a_folder_of_two_series_is_no_half_of_a_pair(tmp_path):
    fat = write_series(tmp_path / "fat", series=1)
    write_series(tmp_path / "fat", series=2)
    water = write_series(tmp_path / "water", series=3)
    with pytest.raises(ReadError, match=r"Expected one series in .*fat, found 2"):
        read_exam(fat=fat, water=water)


@pytest.mark.parametrize("given", [("fat",), ("water",), ("fat", "water", "path")])
def test_half_a_pair_or_more_than_a_pair_is_refused(tmp_path, given):
    files = dict(zip(("fat", "water"), dixon_files(tmp_path), strict=True))
    paths = [tmp_path] if "path" in given else []
    with pytest.raises(ReadError, match="given as both fat and water, and nothing else"):
        read_exam(*paths, **{name: files[name] for name in given if name in files})


def test_an_unknown_way_of_pairing_is_refused(tmp_path):
    fat, water = dixon_files(tmp_path)
    with pytest.raises(ReadError, match=r"pair_by is 'luck'.*geometry, index"):
        read_exam(fat=fat, water=water, pair_by="luck")


@pytest.fixture
def exam(tmp_path):
    return read_exam(save(tmp_path / "image.nii.gz", signal(), AFFINE))


def left(item, **facts):
    return outline(item, circle(12, 20, 5), side=Side.LEFT, **facts)


def right(item, **facts):
    return outline(item, circle(12, 8, 5), side=Side.RIGHT, **facts)


def test_outlines_are_written_and_read_back_on_their_exam(tmp_path, exam):
    item = exam.series[0].slices[1]
    rois = RoiSet((left(item), right(item)), reading=Reading("S01", "pre", "AB", 1))
    path = tmp_path / "a.outlines.json"
    write_rois(rois, path, format="native")
    assert read_rois(path, exam) == rois
    with pytest.raises(WriteError, match="already exists"):
        write_rois(rois, path)
    write_rois(rois, path, overwrite=True)


def test_an_unknown_format_is_refused(tmp_path, exam):
    with pytest.raises(ReadError, match="Unknown outline format 'roi'"):
        write_rois(RoiSet(), tmp_path / "a.roi", format="roi")
    (tmp_path / "a.roi").write_text("Iout")
    with pytest.raises(ReadError, match=r"a\.roi is in no known outline format"):
        read_rois(tmp_path / "a.roi", exam)


def test_outlines_of_another_exam_are_refused_with_their_file(tmp_path, exam):
    stranger = read_exam(save(tmp_path / "other.nii", signal(1), MOVED))
    write_rois(RoiSet((left(stranger.series[0].slices[0]),)), tmp_path / "a.outlines.json")
    with pytest.raises(RoiError, match=r"a\.outlines\.json: The outline of left .* fits no slice"):
        read_rois(tmp_path / "a.outlines.json", exam)


def test_swapped_sides_are_refused_with_their_file(tmp_path, exam):
    item = exam.series[0].slices[0]
    swapped = RoiSet(
        (outline(item, circle(12, 8, 5), side=Side.LEFT),
         outline(item, circle(12, 20, 5), side=Side.RIGHT))
    )  # fmt: skip
    write_rois(swapped, tmp_path / "a.outlines.json")
    with pytest.raises(RoiError, match=r"a\.outlines\.json: Left and right are swapped"):
        read_rois(tmp_path / "a.outlines.json", exam)
    # To be mended they are read; they are not measured.
    assert read_rois(tmp_path / "a.outlines.json", exam, allow_swapped=True).rois == swapped.rois
    with pytest.raises(RoiError, match="Left and right are swapped"):
        measure(exam, swapped)


def label_file(path, left_value=1, right_value=2):
    labels = np.zeros(SHAPE, np.uint8)
    labels[16:22, 5:15, 1] = left_value
    labels[4:10, 5:15, 1] = right_value
    return save(path, labels, AFFINE)


def test_a_label_map_is_read_by_its_scheme(tmp_path, exam):
    path = label_file(tmp_path / "labels.nii.gz", left_value=3, right_value=2)
    rois = read_rois(path, exam, labels="lpm")
    assert {(roi.key.structure, roi.key.side) for roi in rois} == {
        (Structure.MULTIFIDUS, Side.LEFT),
        (Structure.MULTIFIDUS, Side.RIGHT),
    }
    for roi in rois:
        assert roi.area_mm2 == pytest.approx(60 * 0.49, rel=1e-6)


def test_the_wrong_one_of_two_opposite_schemes_is_refused(tmp_path, exam):
    path = label_file(tmp_path / "labels.nii.gz", left_value=1, right_value=2)
    with pytest.raises(RoiError, match=r"labels\.nii\.gz: Left and right are swapped"):
        read_rois(path, exam, labels="musclemap_abdomen")


def test_a_label_map_without_a_scheme_is_refused_with_the_presets(tmp_path, exam):
    path = label_file(tmp_path / "labels.nii.gz")
    with pytest.raises(ReadError, match=r"nothing says what its numbers mean.*musclemap_abdomen"):
        read_rois(path, exam)


def test_the_file_of_the_interface_is_read(tmp_path, exam):
    plane = exam.series[0].slices[0].plane
    entry = {
        "structure": "multifidus", "side": "left", "name": "", "slice_uid": "", "level": "L4-L5",
        "slice_position": "mid_disc", "roi_rule": "fascial", "source": "manual",
        "plane": {
            "origin_mm": plane.origin_mm.tolist(),
            "row_step_mm": plane.row_step_mm.tolist(),
            "column_step_mm": plane.column_step_mm.tolist(),
            "shape": [24, 30],
        },
        "paths_mm": [plane.to_patient(circle(12, 14, 5)).tolist()],
    }  # fmt: skip
    document = {
        "format": "multifidus-outlines", "version": 1, "frame": "LPS", "unit": "mm",
        "subject": "S01", "timepoint": "pre", "rater": "AB", "reading": 1, "outlines": [entry],
    }  # fmt: skip
    path = tmp_path / "a.outlines.json"
    path.write_text(json.dumps(document))
    (roi,) = read_rois(path, exam)
    assert roi.area_mm2 == pytest.approx(24 * np.sin(np.pi / 24) * 25 * 0.49, rel=1e-6)


@pytest.mark.parametrize("kind", ["WATER", "FAT_FRACTION", "IN_PHASE", "P"])
def test_an_image_that_says_it_is_no_fat_is_not_taken_for_it(tmp_path, kind):
    fat = write_series(tmp_path / "fat", series=1, kind=("DIXON", kind))
    water = write_series(tmp_path / "water", series=2, kind=("DIXON", "WATER"))
    with pytest.raises(ReadError, match="is given as dixon_fat, and its header says"):
        read_exam(fat=fat, water=water)


def test_one_image_is_not_both_halves_of_a_pair(tmp_path):
    fat, _ = dixon_files(tmp_path)
    with pytest.raises(ReadError, match="one and the same image"):
        read_exam(fat=fat, water=fat)


def test_a_users_words_hold_for_a_pair_given_by_hand(tmp_path):
    fat = write_series(tmp_path / "fat", series=1, kind=("DIXON", "P"))
    water = write_series(tmp_path / "water", series=2, kind=("DIXON", "WATER"))
    table = tmp_path / "own.toml"
    table.write_text('[[contrast]]\nweighting = "dixon_fat"\ntokens = ["P"]\n')
    exam = read_exam(fat=fat, water=water, contrasts=table)
    assert exam.series[0].weighting is Weighting.DIXON_FAT
