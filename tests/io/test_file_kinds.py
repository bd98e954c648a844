"""Files that no reader takes are named for what they are, with what to do about them."""

import gzip
import io
import struct
import tarfile
import zipfile

import nibabel
import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.geometry import ras_from_lps
from multifidus.errors import ReadError
from multifidus.io.file_kinds import HEAD_BYTES, describe_file
from multifidus.io.identifiers import read_identifiers
from multifidus.io.nifti import pair_of
from multifidus.io.outlines import read_rois
from multifidus.io.read import read_exam
from multifidus.io.scan import ZIP_IN_ZIP, scan
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane
from tests.support.niftis import lumbar_affine, read_nifti, save

PIXELS = np.arange(6 * 8, dtype=np.uint16).reshape(6, 8)
VOXELS = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)


def zipped(names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return buffer.getvalue()


def analyze():
    """Return the header of an ANALYZE 7.5 image as nibabel writes it."""
    image = nibabel.AnalyzeImage(VOXELS, np.diag([0.7, 0.7, 4.4, 1]))
    return image.header.binaryblock


def nifti():
    return nibabel.Nifti1Image(VOXELS, ras_from_lps(lumbar_affine())).to_bytes()


def mgz():
    image = nibabel.MGHImage(VOXELS.astype(np.float32), ras_from_lps(lumbar_affine()))
    return gzip.compress(image.to_bytes())


BINARY = bytes(range(256)) * 4
KINDS = {
    "report.dcm": (b"%PDF-1.7 " + BINARY, "PDF"),
    "report.doc": (bytes.fromhex("d0cf11e0a1b11ae1") + BINARY, "Office"),
    "report.docx": (zipped({"[Content_Types].xml": "", "word/document.xml": ""}), "Office"),
    "report.odt": (zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), "Office"),
    "report.rtf": (b"{\\rtf1 Befund}", "RTF"),
    "notes.txt": ("Müller, L4/L5: stenosis.\r\n".encode("latin-1"), "text file"),
    "notes16.txt": ("L4/L5".encode("utf-16"), "text file"),
    "bmi.csv": (b"BMI;age\n24;50\n", "text file"),
    "page.htm": (b"<!DOCTYPE html><html></html>", "web page"),
    "key.jpg": (bytes.fromhex("ffd8ffe0") + BINARY, "JPEG"),
    "key.png": (b"\x89PNG\r\n\x1a\n" + BINARY, "PNG"),
    "key.gif": (b"GIF89a" + BINARY, "GIF"),
    "key.tif": (b"II*\0" + BINARY, "TIFF"),
    "key.bmp": (b"BM" + BINARY, "BMP"),
    "film.mp4": (b"\0\0\0\x18ftypmp42" + BINARY, "film"),
    "film.avi": (b"RIFF\1\2\3\4AVI " + BINARY, "film"),
    "a.rar": (b"Rar!\x1a\7\0" + BINARY, "RAR"),
    "a.7z": (bytes.fromhex("377abcaf271c") + BINARY, "7z"),
    "a.tar": (tarred(), "tar archive"),
    "a.dcm.gz": (gzip.compress(BINARY), "gunzip"),
    "a.tar.gz": (gzip.compress(tarred()), "gunzip"),
    "a.dcm.bz2": (b"BZh9" + BINARY, "bzip2"),
    "scans": (zipped({"a.dcm": BINARY}), "not named .zip"),
    "cut.zip": (zipped({"a.dcm": BINARY})[:200], "damaged or cut short"),
    "autorun.exe": (b"MZ" + BINARY, "Windows program"),
    "._1.dcm": (bytes.fromhex("00051607") + BINARY, "macOS"),
    ".DS_Store": (bytes.fromhex("0000000142756431") + BINARY, "macOS"),
    "t2.mgz": (mgz(), "mri_convert in.mgz out.nii.gz"),
    "t2.mgh": (gzip.decompress(mgz()), "mri_convert"),
    "pair.hdr": (analyze(), "ANALYZE 7.5"),
    "pair.img": (VOXELS.tobytes(), "header (.hdr) is not beside it"),
    "t2.nifti": (nifti(), "Name it .nii"),
    "t2.par": (b"# === DATA DESCRIPTION FILE =====\n#\n", "PAR/REC"),
    "t2.rec": (VOXELS.tobytes(), "PAR/REC"),
    "old.ima": (bytes(96) + b"SIEMENS " + BINARY, "Siemens image of before DICOM"),
    "old.sig": (b"IMGF" + BINARY, "GE Signa"),
    "t2.mnc": (b"CDF\1" + BINARY, "MINC"),
    "t2.h5": (b"\x89HDF\r\n\x1a\n" + BINARY, "HDF5"),
    "t2.npy": (b"\x93NUMPY\1\0" + BINARY, "NumPy"),
    "t2.v3draw": (b"raw_image_stack_by_hpeng" + BINARY, "Vaa3D"),
    "a.nrrd.txt": (b"NRRD0004\ntype: short\n", "Name it .nrrd"),
    "empty.dcm": (b"", "An empty file"),
    "junk.dcm": (BINARY, "Neither DICOM nor in another format"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_in_a_folder_of_scans_is_named_for_what_it_is(tmp_path, name):
    data, expected = KINDS[name]
    (tmp_path / name).write_bytes(data)
    write(classic(axial_plane(), PIXELS), tmp_path / "1.dcm")
    found = scan(tmp_path)
    assert [len(series.slices) for exam in found.exams for series in exam.series] == [1]
    (skipped,) = found.skipped
    assert skipped.path.name == name
    assert expected in skipped.reason
    assert "Not a DICOM file" not in skipped.reason


def test_dicom_is_read_whatever_its_name(tmp_path):
    for number, name in enumerate(("a.img", "b.ima", "c.rec", "d.jpg", "e")):
        plane = axial_plane(z=4.4 * number)
        write(classic(plane, PIXELS + number, number + 1), tmp_path / name)
    found = scan(tmp_path)
    assert found.skipped == ()
    assert [len(series.slices) for exam in found.exams for series in exam.series] == [5]


@given(st.binary(max_size=HEAD_BYTES + 40))
def test_whatever_a_file_holds_there_is_something_to_say(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    assert describe_file(path).endswith(".") or describe_file(path).endswith(")")


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(ReadError, match="gone"):
        describe_file(tmp_path / "gone")


def test_a_zip_inside_a_zip_is_named_and_the_rest_is_read(tmp_path):
    whole = write(classic(axial_plane(), PIXELS), tmp_path / "1.dcm").read_bytes()
    path = tmp_path / "outer.zip"
    path.write_bytes(zipped({"1.dcm": whole, "more/inner.zip": zipped({"2.dcm": whole})}))
    found = scan(path)
    assert len(found.exams) == 1
    (skipped,) = found.skipped
    assert skipped.reason == ZIP_IN_ZIP
    assert skipped.path == path / "more" / "inner.zip"


@pytest.mark.parametrize(
    ("name", "data", "remedy"),
    [
        ("a.nii.gz", nifti(), "It is not zipped: name it .nii."),
        ("a.nii", gzip.compress(nifti()), "It is zipped: name it .nii.gz."),
        ("a.nii", b"text", "Convert or export it again."),
    ],
)
def test_a_nifti_whose_name_is_wrong_about_gzip_says_so(tmp_path, name, data, remedy):
    (tmp_path / name).write_bytes(data)
    (skipped,) = scan(tmp_path).skipped
    assert skipped.reason.endswith(remedy)


# --- pairs of .hdr and .img --------------------------------------------------------------------


def save_pair(folder, name="pair", voxels=VOXELS, upper=False):
    image = nibabel.Nifti1Pair(voxels, ras_from_lps(lumbar_affine(20)))
    folder.mkdir(exist_ok=True)
    nibabel.save(image, folder / f"{name}.img")
    paths = [folder / f"{name}.hdr", folder / f"{name}.img"]
    return (
        [path.rename(path.with_suffix(path.suffix.upper())) for path in paths] if upper else paths
    )


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("given", [(0,), (1,), (0, 1)], ids=["header", "voxels", "both"])
def test_a_nifti_pair_is_read_by_either_of_its_files(tmp_path, given, upper):
    paths = save_pair(tmp_path, upper=upper)
    whole = read_nifti(save(tmp_path / "whole.nii", VOXELS, lumbar_affine(20)))
    found = scan(*(paths[number] for number in given))
    assert found.skipped == ()
    ((series,),) = (exam.series for exam in found.exams)
    for ours, theirs in zip(series.slices, whole.slices, strict=True):
        assert ours.plane == theirs.plane
        assert ours.pixels.tolist() == theirs.pixels.tolist()


def test_a_nifti_pair_in_a_folder_is_one_image_with_its_sidecar(tmp_path):
    save_pair(tmp_path)
    (tmp_path / "pair.json").write_text('{"EchoTime": 0.1, "RepetitionTime": 4}')
    found = scan(tmp_path)
    assert found.skipped == ()
    assert [series.weighting for exam in found.exams for series in exam.series] == ["t2"]


def test_whom_the_sidecar_of_a_pair_names_is_found(tmp_path):
    for path in save_pair(tmp_path):
        (tmp_path / "pair.json").write_text('{"PatientName": "Doe^Jane"}')
        assert read_identifiers(path).patient_name == "Doe^Jane"


def test_pairs_that_differ_in_their_voxels_alone_are_two_images(tmp_path):
    save_pair(tmp_path, "a")
    save_pair(tmp_path, "b", VOXELS + 1)
    assert (tmp_path / "a.hdr").read_bytes() == (tmp_path / "b.hdr").read_bytes()
    found = scan(tmp_path)
    assert found.skipped == ()
    assert len({series.uid for exam in found.exams for series in exam.series}) == 2


def test_a_header_without_its_voxels_is_refused(tmp_path):
    _, voxels = save_pair(tmp_path)
    voxels.unlink()
    (skipped,) = scan(tmp_path).skipped
    assert "pair.img" in skipped.reason


def test_voxels_that_are_cut_short_are_refused(tmp_path):
    header, voxels = save_pair(tmp_path)
    voxels.write_bytes(voxels.read_bytes()[:-2])
    (skipped,) = scan(header).skipped
    assert "cut short" in skipped.reason


def test_an_analyze_pair_is_no_nifti_pair(tmp_path):
    (tmp_path / "pair.hdr").write_bytes(analyze())
    (tmp_path / "pair.img").write_bytes(VOXELS.tobytes())
    assert pair_of(tmp_path / "pair.img") is None
    reasons = {item.path.name: item.reason for item in scan(tmp_path).skipped}
    assert "does not tell left from right" in reasons["pair.hdr"]
    assert "Convert it to NIfTI" in reasons["pair.hdr"]
    assert set(reasons) == {"pair.hdr", "pair.img"}


def test_a_pair_may_be_a_label_map(tmp_path):
    image = save(tmp_path / "image.nii", VOXELS, lumbar_affine(20))
    labels = np.zeros(VOXELS.shape, np.uint8)
    labels[3:, :2] = 2
    header, _ = save_pair(tmp_path / "labels", "a", labels)
    rois = read_rois(header, read_exam(image), labels="lpm")
    assert len(rois) == 3


def test_a_pair_whose_header_is_damaged_is_read_or_refused(tmp_path):
    header, _ = save_pair(tmp_path)
    good = header.read_bytes()
    for place in range(0, 344, 3):
        data = bytearray(good)
        data[place] ^= 0x5A
        header.write_bytes(bytes(data))
        found = scan(header)
        assert len(found.exams) + len(found.skipped) == 1


def test_sizes_of_a_pair_are_compared_with_its_voxels(tmp_path):
    header, _ = save_pair(tmp_path)
    data = bytearray(header.read_bytes())
    struct.pack_into("<h", data, 42, 3000)  # dim[1]
    header.write_bytes(bytes(data))
    (skipped,) = scan(header).skipped
    assert "cannot be in it" in skipped.reason
