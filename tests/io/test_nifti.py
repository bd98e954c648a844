import gzip
import hashlib
import struct

import nibabel
import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from multifidus.data.flags import Flag
from multifidus.data.geometry import ras_from_lps
from multifidus.data.image import Weighting
from multifidus.errors import GeometryError, MultifidusError, ReadError
from multifidus.io.nifti import is_nifti, open_nifti, read_volumes
from multifidus.io.scan import scan
from tests.support.niftis import lumbar_affine, read_nifti, save, set_scale
from tests.support.strategies import planes, points_mm

VOXELS = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)


def test_slices_run_along_k_with_columns_along_i(tmp_path):
    series = read_nifti(save(tmp_path / "sub-01_T2w.nii", VOXELS, lumbar_affine()))
    assert len(series.slices) == 3
    assert series.slices[0].shape == (4, 5)
    for k, item in enumerate(series.slices):
        assert item.pixels.tolist() == VOXELS[:, :, k].T.tolist()
    assert series.weighting is Weighting.T2
    assert series.slices[0].thickness_mm == pytest.approx(4.4)


@given(planes(), points_mm(9).filter(lambda step: np.linalg.norm(step) > 0.1))
def test_every_voxel_lies_where_nibabels_affine_puts_it(tmp_path_factory, plane, step):
    affine = np.eye(4)
    affine[:3] = np.stack((plane.column_step_mm, plane.row_step_mm, step, plane.origin_mm)).T
    path = tmp_path_factory.getbasetemp() / "random.nii"
    save(path, VOXELS, affine)
    try:
        series = read_nifti(path)
    except GeometryError:
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        assert abs(np.linalg.det(affine[:3, :3] / lengths)) < 2e-3
        return
    stored = nibabel.load(path).affine
    for i, j, k in ((0, 0, 0), (4, 1, 2), (2, 3, 1)):
        x, y, z = (stored @ (i, j, k, 1))[:3]
        found = series.slices[k].plane.to_patient([(j, i)])[0]
        assert found == pytest.approx(np.array((-x, -y, z)), abs=1e-9)


@pytest.mark.parametrize("form", ["sform", "qform", "both"])
def test_either_form_places_the_image(tmp_path, form):
    path = save(tmp_path / "a.nii.gz", VOXELS, lumbar_affine(20), form=form)
    plane = read_nifti(path).slices[2].plane
    expected = lumbar_affine(20) @ (3, 1, 2, 1)
    assert plane.to_patient([(1, 3)])[0] == pytest.approx(expected[:3], abs=1e-4)


def test_where_both_forms_are_given_the_sform_counts(tmp_path):
    image = nibabel.Nifti1Image(VOXELS, None)
    image.set_qform(ras_from_lps(lumbar_affine(5)), code=1)
    image.set_sform(ras_from_lps(lumbar_affine(20)), code=2)
    nibabel.save(image, tmp_path / "a.nii")
    step = read_nifti(tmp_path / "a.nii").slices[0].plane.row_step_mm
    assert step == pytest.approx(lumbar_affine(20)[:3, 1], abs=1e-6)


def test_an_image_that_does_not_say_where_it_lies_is_refused(tmp_path):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine(), form="neither")
    with pytest.raises(ReadError, match="does not say where it lies"):
        open_nifti(path)


def test_values_are_rescaled_as_the_header_says(tmp_path):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine())
    set_scale(path, 0.25, -3)
    pixels = read_nifti(path).slices[1].pixels
    assert pixels.tolist() == (VOXELS[:, :, 1].T * 0.25 - 3).tolist()
    assert pixels.T.tolist() == nibabel.load(path).get_fdata()[:, :, 1].tolist()
    assert open_nifti(path).scale == ("int16", 0.25, -3.0)


@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_a_slope_that_means_none_is_none(tmp_path, slope):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine())
    set_scale(path, slope, 5)
    assert read_nifti(path).slices[0].pixels.tolist() == VOXELS[:, :, 0].T.tolist()


def test_an_intercept_that_is_no_number_is_refused(tmp_path):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine())
    set_scale(path, 2, np.nan)
    with pytest.raises(ReadError, match=r"a\.nii is not a readable NIfTI file"):
        read_nifti(path)


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", "<u2", "<i4", "<f4", ">f8"])
def test_every_stored_type_is_read_with_its_values(tmp_path, dtype):
    path = save(tmp_path / "a.nii", VOXELS.astype(dtype), lumbar_affine())
    assert read_nifti(path).slices[2].pixels.tolist() == VOXELS[:, :, 2].T.tolist()


def test_slices_are_named_after_the_files_content_and_k(tmp_path):
    path = save(tmp_path / "a.nii.gz", VOXELS, lumbar_affine())
    start = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    series = read_nifti(path)
    assert series.uid == start
    assert [item.uid for item in series.slices] == [f"{start}#{k}" for k in range(3)]


@pytest.mark.parametrize("shape", [(5, 4, 3, 1), (5, 4, 3, 1, 1)])
def test_a_fourth_axis_of_one_is_ignored(tmp_path, shape):
    path = save(tmp_path / "a.nii", VOXELS.reshape(shape), lumbar_affine())
    assert [item.pixels.tolist() for item in read_nifti(path).slices] == [
        VOXELS[:, :, k].T.tolist() for k in range(3)
    ]


@pytest.mark.parametrize("shape", [(5,), (5, 4, 3, 1, 3), (5, 4, 3, 2, 2)])
def test_an_image_of_one_axis_or_of_vectors_is_refused(tmp_path, shape):
    path = save(tmp_path / "a.nii", np.zeros(shape, np.int16), lumbar_affine())
    with pytest.raises(ReadError, match="only slices, volumes, and files of several, are read"):
        read_volumes(path)


@pytest.mark.parametrize("form", ["sform", "qform", "both"])
@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 1, 1)])
def test_an_image_of_two_axes_is_one_slice(tmp_path, form, shape):
    plane = VOXELS[:, :, 1]
    path = save(tmp_path / "a.nii", plane.reshape(shape), lumbar_affine(20), form=form)
    series = read_nifti(path)
    (item,) = series.slices
    assert series.flags == ()
    assert item.pixels.tolist() == plane.T.tolist()
    assert item.plane.to_patient([(3, 2)])[0] == pytest.approx(
        (lumbar_affine(20) @ (2, 3, 0, 1))[:3], abs=1e-4
    )
    # By the standard, pixdim says nothing about an axis that is not there.
    known = (form, len(shape)) != ("qform", 2)
    assert item.thickness_mm == pytest.approx(4.4 if known else np.nan, nan_ok=True)


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1)])
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_one_slice_needs_no_third_step(tmp_path, shape, form):
    affine = lumbar_affine(20)
    path = save(tmp_path / "a.nii", VOXELS[:, :, 1].reshape(shape), affine, form=form)
    data = bytearray(path.read_bytes())
    struct.pack_into("<f", data, 76 + 3 * 4, 0)  # pixdim[3]
    for row in range(3):
        struct.pack_into("<f", data, 280 + 16 * row + 8, 0)  # srow_*[2]
    path.write_bytes(data)
    (item,) = read_nifti(path).slices
    assert np.isnan(item.thickness_mm)
    assert abs(item.plane.normal @ affine[:3, 2]) == pytest.approx(4.4)
    assert item.plane.pixel_spacing_mm == pytest.approx((0.7, 0.7))


def test_several_slices_without_a_third_step_are_refused(tmp_path):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine())
    data = bytearray(path.read_bytes())
    for row in range(3):
        struct.pack_into("<f", data, 280 + 16 * row + 8, 0)
    path.write_bytes(data)
    with pytest.raises(GeometryError, match="singular affine"):
        read_nifti(path)


def with_pixdim(path, *sizes):
    data = bytearray(path.read_bytes())
    struct.pack_into(f"<{len(sizes)}f", data, 80, *sizes)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("sizes", "flags"),
    [
        ((0.7, 0.7, 4.4), ()),
        ((0.7001, 0.7, 4.4), ()),
        ((0, 0, 0), ()),
        ((-0.7, 0.7, 4.4), ()),
        ((1, 1, 1), (Flag.SPACING_CONFLICT,)),
        ((0.77, 0.7, 4.4), (Flag.SPACING_CONFLICT,)),
        ((0.7, 0.7, 5.0), (Flag.SPACING_CONFLICT,)),
    ],
)
def test_a_pixdim_that_contradicts_the_sform_is_flagged_and_the_sform_is_used(
    tmp_path, sizes, flags
):
    path = with_pixdim(save(tmp_path / "a.nii", VOXELS, lumbar_affine(20)), *sizes)
    series = read_nifti(path)
    assert series.flags == flags
    assert series.slices[0].plane.pixel_spacing_mm == pytest.approx((0.7, 0.7))
    assert series.slices[0].plane.pixel_spacing_mm == pytest.approx(
        np.linalg.norm(nibabel.load(path).affine[:3, :2], axis=0)[::-1]
    )


def test_a_pixdim_in_metres_is_compared_in_millimetres(tmp_path):
    affine = ras_from_lps(lumbar_affine(20))
    affine[:3] /= 1000
    image = nibabel.Nifti1Image(VOXELS, affine)
    image.set_qform(None, code=0)
    image.set_sform(affine, code=1)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "a.nii")
    assert read_nifti(tmp_path / "a.nii").flags == ()
    with_pixdim(tmp_path / "a.nii", 0.7, 0.7, 4.4)
    assert read_nifti(tmp_path / "a.nii").flags == (Flag.SPACING_CONFLICT,)


def test_a_pixdim_that_contradicts_the_sform_is_refused_where_a_qform_rests_on_it(tmp_path):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine(20), form="both")
    with pytest.raises(GeometryError, match="disagree about its voxels"):
        read_nifti(with_pixdim(path, 0.77, 0.7, 4.4))


def test_pixdim_is_the_voxel_size_where_the_qform_alone_counts(tmp_path):
    path = with_pixdim(
        save(tmp_path / "a.nii", VOXELS, lumbar_affine(20), form="qform"), 0.77, 0.7, 4.4
    )
    series = read_nifti(path)
    assert series.flags == ()
    assert series.slices[0].plane.pixel_spacing_mm == pytest.approx((0.7, 0.77))


@pytest.mark.parametrize("sizes", [(0, 0.7, 4.4), (0.7, 0, 4.4), (0.7, 0.7, 0), (np.nan, 0.7, 4.4)])
def test_a_qform_without_a_voxel_size_is_refused(tmp_path, sizes):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine(20), form="qform")
    with pytest.raises(GeometryError, match=r"placed by its qform, and its pixdim is|singular"):
        read_nifti(with_pixdim(path, *sizes))


def test_pixdim_alone_places_nothing(tmp_path):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine(), form="neither")
    with pytest.raises(ReadError, match="does not say where it lies"):
        open_nifti(with_pixdim(path, 0.7, 0.7, 4.4))


def test_a_damaged_number_of_volumes_makes_no_series(tmp_path):
    path = save(tmp_path / "a.nii", np.zeros((1, 1, 1, 1001), np.int8), lumbar_affine())
    with pytest.raises(ReadError, match="1001 volumes; at most 1000"):
        read_volumes(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_volumes_of_one_file_are_series_of_their_own_on_one_signal_scale(tmp_path, name):
    voxels = np.arange(5 * 4 * 3 * 6, dtype=np.int16).reshape(5, 4, 3, 6)
    path = save(tmp_path / name, voxels, lumbar_affine(20))
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    found = read_volumes(path)
    assert [series.uid for series in found] == [f"{content}#{n}" for n in range(1, 7)]
    assert len({series.signal_group for series in found} - {""}) == 1
    for number, series in enumerate(found):
        for k, item in enumerate(series.slices):
            assert item.uid == f"{content}#{number + 1}#{k}"
            assert item.pixels.tolist() == voxels[:, :, k, number].T.tolist()
            place = item.plane.to_patient([(2, 1)])[0]
            assert place == pytest.approx((lumbar_affine(20) @ (1, 2, k, 1))[:3], abs=1e-4)
    (exam,) = scan(path).exams
    assert [series.uid for series in exam.series] == [series.uid for series in found]
    with pytest.raises(ReadError, match="holds 6 volumes, where one is expected"):
        read_nifti(path)


@pytest.mark.parametrize(("unit", "size_mm"), [("meter", 1000), ("mm", 1), ("micron", 0.001)])
def test_other_units_than_millimetres_are_turned_into_them(tmp_path, unit, size_mm):
    affine = lumbar_affine(20)
    stored = affine.copy()
    stored[:3] /= size_mm
    image = nibabel.Nifti1Image(VOXELS, None)
    image.set_sform(ras_from_lps(stored), code=1)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    item = read_nifti(tmp_path / "a.nii").slices[2]
    expected = (affine @ (3, 1, 2, 1))[:3]
    assert item.plane.to_patient([(1, 3)])[0] == pytest.approx(expected, abs=1e-3)
    assert item.thickness_mm == pytest.approx(4.4)


@pytest.mark.parametrize(("apart_mm", "flags"), [(0.02, ()), (30, (Flag.AFFINE_CONFLICT,))])
def test_forms_in_metres_are_compared_in_millimetres(tmp_path, apart_mm, flags):
    affine = ras_from_lps(lumbar_affine(20))
    affine[:3] /= 1000
    moved = affine.copy()
    moved[1, 3] += apart_mm / 1000
    image = nibabel.Nifti1Image(VOXELS, None)
    image.set_sform(affine, code=1)
    image.header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    image.set_qform(moved, code=1)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "a.nii")
    assert read_nifti(tmp_path / "a.nii").flags == flags


@pytest.mark.parametrize(
    "dtype",
    [np.complex64, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])],
    ids=["complex", "RGB"],
)
def test_voxels_that_are_no_single_numbers_are_refused(tmp_path, dtype):
    path = save(tmp_path / "a.nii", np.zeros((5, 4, 3), dtype), lumbar_affine())
    with pytest.raises(ReadError, match=r"a\.nii holds .* only single numbers are read"):
        read_nifti(path)


@pytest.mark.parametrize("column", [(0, 0, 0), (0.7, 0, 0), (np.nan, 0, 0)])
def test_a_singular_affine_is_refused(tmp_path, column):
    affine = lumbar_affine()
    affine[:3, 2] = column
    image = nibabel.Nifti1Image(VOXELS, None)
    image.header.set_sform(np.nan_to_num(ras_from_lps(affine)), code=1)
    image.header["srow_x"][2] = -column[0]
    path = tmp_path / "a.nii"
    with path.open("wb") as file:
        file.write(image.header.binaryblock + bytes(4) + VOXELS.tobytes(order="F"))
    with pytest.raises(GeometryError, match=r"a\.nii has a singular affine"):
        open_nifti(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize(
    "change",
    [("<h", 40, 2), ("<h", 42, 4), ("<h", 46, 2), ("<hh", 70, 2, 8)],
    ids=["two axes of three", "a column less", "a slice less", "half the bits"],
)
def test_a_header_that_leaves_voxels_over_is_refused(tmp_path, name, change):
    noise = np.random.default_rng(0).integers(0, 99, (5, 4, 3)).astype(np.int16)
    data = bytearray(save(tmp_path / "whole.nii", noise, lumbar_affine()).read_bytes())
    form, at, *values = change
    struct.pack_into(form, data, at, *values)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    with pytest.raises(ReadError, match="bytes more than its sizes and type make"):
        read_volumes(path)


@pytest.mark.parametrize("offset", [0, 348, 351])
def test_voxels_that_begin_inside_the_header_are_refused(tmp_path, offset):
    path = save(tmp_path / "a.nii", VOXELS, lumbar_affine())
    data = bytearray(path.read_bytes())
    struct.pack_into("<f", data, 108, offset)
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"a\.nii"):
        read_nifti(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_little_padding_behind_the_voxels_is_left_aside(tmp_path, name):
    data = save(tmp_path / "whole.nii", VOXELS, lumbar_affine()).read_bytes() + bytes(6)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert read_nifti(path).slices[2].pixels.tolist() == VOXELS[:, :, 2].T.tolist()


def test_a_file_zipped_in_parts_is_read(tmp_path):
    data = save(tmp_path / "whole.nii", VOXELS, lumbar_affine()).read_bytes()
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(data[:400]) + gzip.compress(data[400:]))
    assert read_nifti(path).slices[2].pixels.tolist() == VOXELS[:, :, 2].T.tolist()


def check_readable_or_refused(path):
    try:
        item = read_volumes(path)[0].slices[0]
        shape = item.pixels.shape
    except MultifidusError as error:
        refused = str(error)
    else:
        refused = ""
        assert shape == item.shape
    assert not refused or path.name in refused


def damaged(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_truncated_file_is_refused_when_its_voxels_are_wanted(tmp_path, name, share):
    noise = np.random.default_rng(0).integers(0, 999, (40, 40, 9)).astype(np.int16)
    path = save(tmp_path / name, noise, lumbar_affine())
    data = path.read_bytes()
    damaged(path, data[: int(share * len(data))])
    with pytest.raises(ReadError, match=name):
        _ = read_nifti(path).slices[8].pixels


@pytest.mark.parametrize(
    "data",
    [b"", b"not a NIfTI file" * 40, gzip.compress(b"text" * 200), b"\x1f\x8b but no gzip"],
    ids=["empty", "text", "zipped text", "no gzip"],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_what_is_no_nifti_file_is_refused(tmp_path, name, data):
    with pytest.raises(ReadError, match=name):
        read_nifti(damaged(tmp_path / name, data))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"gone\.nii"):
        read_nifti(tmp_path / "gone.nii")


@given(st.integers(0, 347), st.integers(1, 255))
@example(323, 63)  # a signalling NaN in the sform
def test_a_header_with_a_damaged_byte_gives_an_image_or_our_error(tmp_path_factory, place, flip):
    path = tmp_path_factory.getbasetemp() / "damaged.nii"
    save(path, VOXELS, lumbar_affine())
    data = bytearray(path.read_bytes())
    data[place] ^= flip
    damaged(path, bytes(data))
    check_readable_or_refused(path)


@given(st.integers(10, 2000), st.integers(1, 255))
def test_a_damaged_zip_gives_an_image_or_our_error(tmp_path_factory, place, flip):
    path = tmp_path_factory.getbasetemp() / "damaged.nii.gz"
    noise = np.random.default_rng(0).integers(0, 999, (20, 20, 5)).astype(np.int16)
    data = bytearray(save(path, noise, lumbar_affine()).read_bytes())
    data[place % len(data)] ^= flip
    damaged(path, bytes(data))
    check_readable_or_refused(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.nii", True), ("a.NII.GZ", True), ("a.nii.json", False), ("a.gz", False)],
)
def test_nifti_files_are_known_by_their_name(tmp_path, name, expected):
    assert is_nifti(tmp_path / name) is expected


@pytest.mark.parametrize(
    ("names", "together"),
    [
        (("sub-1_chunk-1_T2w.nii.gz", "sub-1_chunk-2_T2w.nii.gz"), True),
        (("sub-1_chunk-1_T2w.nii.gz", "sub-1_chunk-1_T1w.nii.gz"), False),
        (("a.nii.gz", "b.nii.gz"), False),
    ],
)
def test_parts_of_one_acquisition_share_their_signal_scale_and_other_files_do_not(
    tmp_path, names, together
):
    series = [
        read_nifti(save(tmp_path / name, np.full((4, 4, 1), n, np.int16), lumbar_affine()))
        for n, name in enumerate(names)
    ]
    groups = {item.signal_group or item.uid for item in series}
    assert (len(groups) == 1) is together
