"""NRRD and MetaImage, their headers written here as text: where every voxel lies is arithmetic."""

from __future__ import annotations

import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from multifidus.data.anatomy import Side
from multifidus.errors import GeometryError, MultifidusError, ReadError, RoiError
from multifidus.io import read as formats
from multifidus.io.grid import SINGULAR
from multifidus.io.itk import is_itk, open_itk, read_itk
from multifidus.io.outlines import read_rois
from multifidus.io.read import read_exam
from multifidus.io.scan import scan
from tests.support.strategies import planes, points_mm
from tests.support.volumes import AFFINE, META_TYPES, SIGNS, VOXELS, meta, nrrd

FOUR = np.arange(5 * 4 * 3 * 2, dtype="<i2").reshape(5, 4, 3, 2)
WRITERS = [(nrrd, "a.nrrd"), (meta, "a.mha")]
both = pytest.mark.parametrize(("write", "name"), WRITERS, ids=["nrrd", "meta"])


def refusal(path):
    with pytest.raises((ReadError, GeometryError)) as caught:
        read_itk(path)
    assert str(path) in caught.value.message
    (skipped,) = [item for item in scan(path).skipped if item.path == path]
    assert skipped.reason == str(caught.value)
    return caught.value.message


def check_places(path, affine):
    (series,) = read_itk(path)
    for i, j, k in ((0, 0, 0), (4, 1, 2), (2, 3, 1)):
        item = series.slices[k]
        expected = (affine @ (i, j, k, 1))[:3]
        assert item.plane.to_patient([(j, i)])[0] == pytest.approx(expected, abs=1e-6)
        assert item.pixels[j, i] == VOXELS[i, j, k]


@both
@given(st.data())
def test_simpleitk_finds_the_same_place(tmp_path_factory, write, name, data):
    SimpleITK = pytest.importorskip("SimpleITK")  # noqa: N806
    affine = data.draw(affines().filter(lambda affine: not is_flat(affine)))
    path = write(tmp_path_factory.getbasetemp() / f"theirs-{name}", affine=affine)
    image = SimpleITK.ReadImage(str(path))
    (series,) = read_itk(path)
    for i, j, k in ((0, 0, 0), (4, 3, 2), (1, 0, 2)):
        theirs = image.TransformIndexToPhysicalPoint((i, j, k))
        place = series.slices[k].plane.to_patient([(j, i)])[0]
        assert place == pytest.approx(np.array(theirs), abs=1e-6)


HARDLY_FLAT = np.array(
    [
        (0.3027291, -0.10038786, 0.0, 0.0),
        (-0.89812842, 0.3027291, 0.0, 0.0),
        (0.3189364, 0.94777496, 1.0, 0.0),
        (0.0, 0.0, 0.0, 1.0),
    ]
)
"""Axes that span half as much again as what is refused."""


@st.composite
def affines(draw):
    """Draw an affine to LPS: oblique, flipped, anisotropic, and sheared along k as stacks are."""
    plane = draw(planes())
    step = np.array(draw(points_mm(9)))
    affine = np.eye(4)
    affine[:3] = np.stack((plane.column_step_mm, plane.row_step_mm, step, plane.origin_mm)).T
    return affine


def is_flat(affine):
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        return not abs(np.linalg.det(affine[:3, :3] / lengths)) > SINGULAR


@given(affines(), st.sampled_from(sorted(SIGNS)))
def test_every_voxel_of_an_nrrd_file_lies_where_its_header_says(tmp_path_factory, affine, space):
    path = nrrd(tmp_path_factory.getbasetemp() / "random.nrrd", affine=affine, space=space)
    if is_flat(affine):
        with pytest.raises((GeometryError, ReadError)):
            read_itk(path)
    else:
        check_places(path, affine)


@given(affines().filter(lambda affine: np.linalg.norm(affine[:3, 2]) > 0.01))
@example(HARDLY_FLAT)
def test_every_voxel_of_a_metaimage_lies_where_its_header_says(tmp_path_factory, affine):
    path = meta(tmp_path_factory.getbasetemp() / "random.mha", affine=affine)
    if is_flat(affine):
        with pytest.raises((GeometryError, ReadError)):
            read_itk(path)
    else:
        check_places(path, affine)


@both
@pytest.mark.parametrize("stored", [order + code for order in "<>" for code in META_TYPES])
def test_every_stored_type_is_read_as_it_is_stored(tmp_path, write, name, stored):
    path = write(tmp_path / name, VOXELS.astype(stored))
    code = stored[1:]
    (series,) = read_itk(path)
    assert series.slices[2].stored_pixels.dtype == np.dtype(code)
    assert series.slices[2].stored_pixels.tolist() == VOXELS[:, :, 2].T.tolist()
    (grid,) = open_itk(path)
    assert grid.scale == (str(np.dtype(code)), 1.0, 0.0)


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_compressed_voxels_are_read(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    nrrd(path, encoding="gzip") if suffix == "nrrd" else meta(path, zipped=True)
    check_places(path, AFFINE)


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
@pytest.mark.parametrize("place", [-1, -6, -30])
def test_damaged_compressed_voxels_are_refused(tmp_path, suffix, place):
    path = tmp_path / f"a.{suffix}"
    nrrd(path, encoding="gzip") if suffix == "nrrd" else meta(path, zipped=True)
    (series,) = read_itk(path)
    data = bytearray(path.read_bytes())
    data[place] ^= 0x55
    path.write_bytes(bytes(data))
    with pytest.raises(ReadError, match=r"damaged voxels|cut short"):
        _ = series.slices[0].pixels
    path.write_bytes(bytes(data[:place]))
    with pytest.raises(ReadError, match=r"damaged voxels|cut short"):
        _ = read_itk(path)[0].slices[0].pixels


@both
def test_what_simpleitk_itself_writes_is_read(tmp_path, write, name):
    SimpleITK = pytest.importorskip("SimpleITK")  # noqa: N806

    image = SimpleITK.GetImageFromArray(VOXELS.T)
    image.SetSpacing((0.7, 0.7, 4.4))
    image.SetDirection((AFFINE[:3, :3] / (0.7, 0.7, 4.4)).ravel().tolist())
    image.SetOrigin(AFFINE[:3, 3].tolist())
    for zipped in (False, True):
        SimpleITK.WriteImage(image, str(tmp_path / name), zipped)
        check_places(tmp_path / name, AFFINE)
        detached = tmp_path / name.replace("nrrd", "nhdr").replace("mha", "mhd")
        SimpleITK.WriteImage(image, str(detached), zipped)
        check_places(detached, AFFINE)


@both
def test_slices_are_named_after_the_files_content_and_their_k(tmp_path, write, name):
    path = write(tmp_path / name)
    (series,) = read_itk(path)
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    assert series.uid == content
    assert [item.uid for item in series.slices] == [f"{content}#{k}" for k in range(3)]
    assert series.slices[0].thickness_mm == pytest.approx(4.4)


@pytest.mark.parametrize(
    ("write", "name", "field"),
    [(nrrd, "a.nhdr", "data_file"), (meta, "a.mhd", "ElementDataFile")],
    ids=["nrrd", "meta"],
)
def test_voxels_in_a_file_of_their_own_are_read_and_not_taken_for_an_image(
    tmp_path, write, name, field
):
    path = write(tmp_path / name, **{field: "Voxels.raw"})
    check_places(path, AFFINE)
    found = scan(tmp_path)
    assert len(found.exams) == 1
    assert found.skipped == ()
    first = read_itk(path)[0].uid
    write(path, VOXELS + 1, **{field: "Voxels.raw"})
    assert read_itk(path)[0].uid != first


@pytest.mark.parametrize(
    "elsewhere",
    ["../voxels.raw", "/etc/passwd", "sub/../../voxels.raw", "..\\voxels.raw", "C:\\a.raw", "~/a"],
)
@pytest.mark.parametrize("suffix", ["nhdr", "nrrd", "mhd", "mha"])
def test_a_file_elsewhere_is_never_opened(tmp_path, suffix, elsewhere):
    folder = tmp_path / "scans"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "voxels.raw").write_bytes(VOXELS.tobytes())
    path = folder / f"a.{suffix}"
    if suffix[0] == "n":
        nrrd(path, data_file="x.raw")
    else:
        meta(path, ElementDataFile="x.raw")
    path.write_bytes(path.read_bytes().replace(b"x.raw", elsewhere.encode()))
    assert "names a file elsewhere" in refusal(path)


@pytest.mark.parametrize("named", ["LIST", "slice%03d.raw 1 3 1", "gone.raw"])
@pytest.mark.parametrize("suffix", ["nhdr", "mhd"])
def test_voxels_in_several_files_or_none_are_refused(tmp_path, suffix, named):
    path = tmp_path / f"a.{suffix}"
    if suffix == "nhdr":
        nrrd(path, data_file="x.raw")
    else:
        meta(path, ElementDataFile="x.raw")
    path.write_bytes(path.read_bytes().replace(b"x.raw", named.encode()))
    assert "in several files" in refusal(path) or "not there" in refusal(path)


@pytest.mark.parametrize("last", [True, False])
def test_an_nrrd_list_of_volumes_becomes_one_series_a_volume(tmp_path, last):
    voxels = FOUR if last else np.moveaxis(FOUR, 3, 0)
    one = nrrd(tmp_path / "one.nrrd").read_bytes().decode("latin-1").splitlines()
    directions = next(line for line in one if line.startswith("space directions")).split(": ")[1]
    kinds = "domain domain domain"
    path = nrrd(
        tmp_path / "a.nrrd",
        voxels,
        kinds=f"{kinds} list" if last else f"list {kinds}",
        space_directions=f"{directions} none" if last else f"none {directions}",
    )
    check_volumes(read_itk(path))


def test_a_metaimage_of_four_axes_becomes_one_series_a_volume(tmp_path):
    check_volumes(read_itk(meta(tmp_path / "a.mha", FOUR)))


def check_volumes(found):
    uid = found[0].uid[:16]
    assert [series.uid for series in found] == [f"{uid}#1", f"{uid}#2"]
    assert {series.signal_group for series in found} == {uid}
    for number, series in enumerate(found):
        for k, item in enumerate(series.slices):
            assert item.pixels.tolist() == FOUR[:, :, k, number].T.tolist()
            expected = (AFFINE @ (2, 1, k, 1))[:3]
            assert item.plane.to_patient([(1, 2)])[0] == pytest.approx(expected)


NRRD_REFUSED = {
    "no place": ({"without": ["space directions"]}, "does not say where it lies"),
    "no origin": ({"without": ["space origin"]}, "does not say where it lies"),
    "no space": ({"without": ["space"]}, "lies in the space 'unknown'"),
    "scanner": ({"space": "scanner-xyz"}, "lies in the space 'scanner-xyz'"),
    "metres": ({"space_units": '"m" "m" "m"'}, "not in mm"),
    "skip": ({"byte_skip": "2"}, "holds other things before"),
    "quantised": ({"old_min": "0"}, "stand for others"),
    "text": ({"encoding": "text"}, "encoded as text"),
    "bzip2": ({"encoding": "bzip2"}, "encoded as bzip2"),
    "blocks": ({"type": "block"}, "holds block"),
    "no size": ({"sizes": "5 0 3"}, r"in sizes 5 0 3"),
    "no sizes": ({"without": ["sizes"]}, "lacks the field 'sizes'"),
    "words": ({"sizes": "a b c"}, "invalid literal"),
    "another dimension": ({"dimension": "4"}, "4 dimensions and sizes 5 4 3"),
    "two numbers": ({"space_origin": "(1,2)"}, "where 3 numbers are expected"),
    "words between": ({"space_directions": "(1,0,0) x (0,1,0) (0,0,1)"}, "where it lies"),
    "flat": ({"space_directions": "(1,0,0) (1,0,0) (0,0,1)"}, "singular affine"),
    "no number": ({"space_directions": "(nan,0,0) (0,1,0) (0,0,1)"}, "singular affine"),
    "far": ({"space_origin": "(1e9,0,0)"}, "reaches further"),
    "huge": ({"sizes": "50000 40000 30000"}, "cannot be in it"),
}
META_REFUSED = {
    "no offset": ({"without": ["Offset"]}, "does not say where it lies"),
    "no spacing": ({"without": ["ElementSpacing"]}, "does not say where it lies"),
    "no directions": ({"without": ["TransformMatrix"]}, "does not say where it lies"),
    "centimetres": ({"DistanceUnits": "cm"}, "measured in cm"),
    "colours": ({"ElementNumberOfChannels": "3"}, "vectors or colours"),
    "skip": ({"HeaderSize": "100"}, "holds other things before"),
    "rescaled": ({"ElementToIntensityFunctionSlope": "2"}, "rescales its voxels"),
    "text": ({"BinaryData": "False"}, "in text"),
    "type": ({"ElementType": "MET_STRING"}, "MET_STRING"),
    "no sizes": ({"without": ["DimSize"]}, "lacks the field 'DimSize'"),
    "words": ({"DimSize": "a b c"}, "invalid literal"),
    "five axes": ({"DimSize": "5 4 3 1 1"}, "only volumes are read"),
    "another dimension": ({"NDims": "2"}, "only volumes are read"),
    "two offsets": ({"Position": "1 2 3"}, "does not say where it lies"),
    "few numbers": ({"Offset": "1 2"}, "where 3 numbers are expected"),
    "negative": ({"ElementSpacing": "1 -1 1"}, "has the spacing"),
    "flat": ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "singular affine"),
    "too large": ({"ElementSpacing": "1 1 1e306"}, "singular affine"),
    "infinite": ({"ElementSpacing": "1 1 inf"}, "singular affine"),
    "huge": ({"DimSize": "50000 40000 30000"}, "cannot be in it"),
    "huge zipped": ({"DimSize": "50000 40000 30000", "zipped": True}, "cannot be in it"),
}


@pytest.mark.parametrize("why", sorted(NRRD_REFUSED))
def test_an_nrrd_file_that_leaves_a_doubt_is_refused(tmp_path, why):
    changed, reason = NRRD_REFUSED[why]
    assert reason in refusal(nrrd(tmp_path / "a.nrrd", **changed))


@pytest.mark.parametrize("why", sorted(META_REFUSED))
def test_a_metaimage_that_leaves_a_doubt_is_refused(tmp_path, why):
    changed, reason = META_REFUSED[why]
    assert reason in refusal(meta(tmp_path / "a.mha", **changed))


@pytest.mark.parametrize("kind", ["vector", "3-color", "time", "???"])
def test_nrrd_vectors_and_colours_are_refused(tmp_path, kind):
    voxels = np.zeros((3, 5, 4, 3), np.int16)
    vectors = "none (1,0,0) (0,1,0) (0,0,1)"
    kinds = f"{kind} domain domain domain"
    path = nrrd(tmp_path / "a.nrrd", voxels, kinds=kinds, space_directions=vectors)
    assert "vectors or colours" in refusal(path)


@both
def test_a_field_that_stands_twice_is_refused(tmp_path, write, name):
    path = write(tmp_path / name)
    data = path.read_bytes()
    line = b"sizes: 5 4 3\n" if write is nrrd else b"DimSize = 5 4 3\n"
    path.write_bytes(data.replace(line, line + line))
    assert "has a damaged header" in refusal(path)


@both
def test_sizes_that_are_not_in_the_file_take_no_memory(tmp_path, write, name):
    field = {"sizes": "4000 4000 300"} if write is nrrd else {"DimSize": "4000 4000 300"}
    path = write(tmp_path / name, **field)
    tracemalloc.start()
    refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6


@both
@pytest.mark.parametrize("sizes", ["4 4 3", "5 3 3", "5 4 2"])
def test_a_header_that_leaves_voxels_over_is_refused(tmp_path, write, name, sizes):
    path = write(tmp_path / name, **({"sizes": sizes} if write is nrrd else {"DimSize": sizes}))
    assert "bytes more than its sizes and type make" in refusal(path)


@both
def test_a_little_padding_behind_the_voxels_is_left_aside(tmp_path, write, name):
    path = write(tmp_path / name)
    path.write_bytes(path.read_bytes() + bytes(4))
    check_places(path, AFFINE)


@both
@pytest.mark.parametrize("content", [b"", b"junk" * 100, b"NRRD0004\n", b"ObjectType = Image\n"])
def test_what_is_no_image_is_refused(tmp_path, write, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert "not a readable" in refusal(path) or "damaged header" in refusal(path)


@both
def test_voxels_cut_short_after_the_header_was_read_are_refused(tmp_path, write, name):
    path = write(tmp_path / name)
    (series,) = read_itk(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReadError, match=name):
        _ = series.slices[0].pixels


@given(st.sampled_from(WRITERS), st.integers(0, 420), st.integers(1, 255))
def test_a_damaged_byte_gives_an_image_or_our_error(tmp_path_factory, writer, place, flip):
    write, name = writer
    path = write(tmp_path_factory.getbasetemp() / f"damaged-{name}")
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= flip
    path.write_bytes(bytes(data))
    try:
        item = read_itk(path)[0].slices[0]
        assert item.pixels.shape == item.shape
    except MultifidusError as error:
        refused = str(error)
    else:
        refused = path.name
    assert path.name in refused


@pytest.mark.parametrize("name", ["labels.nrrd", "labels.mha"])
def test_label_maps_are_read_from_any_orientation(tmp_path, name):
    image = nrrd(tmp_path / "image.nrrd")
    labels = np.zeros((5, 4, 3), np.uint8)
    labels[1, 2, 1] = labels[1, 1, 1] = 2
    flipped = AFFINE @ np.diag([-1.0, 1, -1, 1])
    flipped[:3, 3] = (AFFINE @ (4, 0, 2, 1))[:3]
    write = nrrd if name.endswith("nrrd") else meta
    path = write(tmp_path / name, np.ascontiguousarray(labels[::-1, :, ::-1]), flipped)
    exam = read_exam(image)
    (roi,) = read_rois(path, exam, labels="lpm").rois
    item = exam.series[0].slices[1]
    assert (roi.key.slice_uid, roi.key.side) == (item.uid, Side.RIGHT)
    inside = item.plane.to_pixels(roi.paths_mm[0])
    assert [inside.min(axis=0).tolist(), inside.max(axis=0).tolist()] == [
        pytest.approx([0.5, 0.5], abs=1e-6),
        pytest.approx([2.5, 1.5], abs=1e-6),
    ]
    moved = write(tmp_path / f"moved-{name}", labels, AFFINE + np.eye(4)[:, [2]] * 0.5)
    with pytest.raises(RoiError, match="lies on another grid"):
        read_rois(moved, exam, labels="lpm")


def test_files_of_volumes_make_one_exam_with_nifti(tmp_path):
    nrrd(tmp_path / "a.nrrd")
    meta(tmp_path / "b.mha")
    meta(tmp_path / "copy.mha")
    (exam,) = scan(tmp_path).exams
    assert len(exam.series) == 2
    assert len(read_exam(tmp_path / "a.nrrd", tmp_path / "b.mha").series) == 2
    reasons = {item.path.name: item.reason for item in scan(tmp_path).skipped}
    assert reasons == {"copy.mha": f"The same content as {tmp_path / 'b.mha'}."}


def test_a_pair_of_nrrd_files_is_a_dixon_pair(tmp_path):
    fat, water = nrrd(tmp_path / "f.nrrd"), nrrd(tmp_path / "w.nrrd", VOXELS + 1)
    exam = formats.read_exam(fat=fat, water=water)
    assert [series.weighting.value for series in exam.series] == ["dixon_fat", "dixon_water"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.nrrd", True), ("a.NHDR", True), ("a.mha", True), ("a.mhd", True), ("a.raw", False)],
)
def test_files_are_known_by_their_name(tmp_path, name, expected):
    assert is_itk(tmp_path / name) is expected
