"""Compressed DICOM: streams that other programs wrote decode to the pixels that went in.

Lossless streams are held against the pixels before compression. Lossy ones are held against a
second decoder's pixels and against the pixels before, within the loss.
"""

from __future__ import annotations

import io

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from multifidus.data.flags import Flag
from multifidus.errors import ReadError
from multifidus.io.scan import scan
from tests.support.dicoms import classic, enhanced, write
from tests.support.exams import axial_plane

gdcm = pytest.importorskip("gdcm")

SHAPE = (40, 48)
GDCM_NAMES = {
    "1.2.840.10008.1.2.4.50": "JPEGBaselineProcess1",
    "1.2.840.10008.1.2.4.51": "JPEGExtendedProcess2_4",
    "1.2.840.10008.1.2.4.57": "JPEGLosslessProcess14",
    "1.2.840.10008.1.2.4.70": "JPEGLosslessProcess14_1",
    "1.2.840.10008.1.2.4.80": "JPEGLSLossless",
    "1.2.840.10008.1.2.4.81": "JPEGLSNearLossless",
    "1.2.840.10008.1.2.4.90": "JPEG2000Lossless",
    "1.2.840.10008.1.2.4.91": "JPEG2000",
    "1.2.840.10008.1.2.5": "RLELossless",
}
LOSSLESS = [JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless]
STORED = [(8, "u1"), (12, "u2"), (12, "i2"), (16, "u2"), (16, "i2")]
stored = pytest.mark.parametrize(("bits", "kind"), STORED, ids=[f"{b}{k}" for b, k in STORED])


def smooth(bits, kind="u2", phase=0.0):
    """Return a picture that uses all of its bits and that lossy codecs do not hurt much."""
    row, column = np.mgrid[: SHAPE[0], : SHAPE[1]]
    wave = (np.sin(column / 7 + phase) + np.cos(row / 5) + 2) / 4
    low = -(2 ** (bits - 1)) if kind[0] == "i" else 0
    return np.rint(wave * (2**bits - 1) + low).astype(kind)


def plain(path, pixels, bits):
    dataset = classic(axial_plane(), pixels) if pixels.ndim == 2 else series_of(pixels)
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    return write(dataset, path)


def series_of(pixels):
    return enhanced([axial_plane(5 * k) for k in range(len(pixels))], pixels)


def compressed(path, pixels, bits, syntax):
    """Write an image and have GDCM compress it."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(plain(path, pixels, bits)))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, GDCM_NAMES[syntax])))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()
    assert syntax.encode() in path.read_bytes()[:400]
    return path


def the_series(path):
    (exam,) = scan(path).exams
    (series,) = exam.series
    return series


def the_pixels(path):
    return the_series(path).slices[0].stored_pixels


@stored
@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
def test_a_lossless_stream_gives_back_the_pixels(tmp_path, syntax, bits, kind):
    pixels = smooth(bits, kind)
    path = compressed(tmp_path / "a.dcm", pixels, bits, syntax)
    found = the_series(path)
    assert found.slices[0].stored_pixels.tolist() == pixels.tolist()
    assert Flag.LOSSY_COMPRESSION not in found.flags


@stored
@pytest.mark.parametrize("syntax", [UID("1.2.840.10008.1.2.4.81"), UID("1.2.840.10008.1.2.4.91")])
def test_a_stream_that_may_be_lossy_is_decoded_and_flagged(tmp_path, syntax, bits, kind):
    pixels = smooth(bits, kind)
    path = compressed(tmp_path / "a.dcm", pixels, bits, syntax)
    apart = np.abs(the_pixels(path).astype(int) - pixels.astype(int))
    assert apart.max() <= 2 ** (bits - 6)
    assert Flag.LOSSY_COMPRESSION in the_series(path).flags


def test_frames_of_one_file_are_decoded_in_their_order(tmp_path):
    pixels = np.stack([smooth(12, phase=phase) for phase in range(4)])
    for syntax in LOSSLESS:
        found = the_series(compressed(tmp_path / "a.dcm", pixels, 12, syntax))
        assert [item.stored_pixels.tolist() for item in found.slices] == pixels.tolist()


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
def test_a_lossy_jpeg_is_decoded_within_its_loss_and_flagged(tmp_path, syntax):
    pixels = smooth(8, "u1")
    path = compressed(tmp_path / "a.dcm", pixels, 8, syntax)
    found = the_pixels(path)
    assert np.abs(found.astype(int) - pixels).max() <= 4
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    theirs = np.frombuffer(
        reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape"), found.dtype
    )
    assert np.abs(found.astype(int) - theirs.reshape(SHAPE)).max() <= 1
    assert the_series(path).flags == (Flag.LOSSY_COMPRESSION,)


def test_a_jpeg_that_pillow_wrote_is_read(tmp_path):
    from PIL import Image

    pixels = smooth(8, "u1")
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95)
    dataset = classic(axial_plane(), pixels)
    dataset.PixelData = encapsulate([stream.getvalue()])
    path = write(dataset, tmp_path / "a.dcm", JPEGBaseline8Bit)
    assert the_pixels(path).tolist() == np.asarray(Image.open(stream)).tolist()


def test_a_lossy_jpeg_of_twelve_bits_is_refused_with_the_reason(tmp_path):
    path = compressed(tmp_path / "a.dcm", smooth(12), 12, JPEGExtended12Bit)
    with pytest.raises(ReadError, match=r"JPEG of more than 8 bits with loss.*uncompressed"):
        the_pixels(path)


def keep_only(monkeypatch, syntax, names):
    """Make as if only these decoders were installed."""
    decoder = get_decoder(syntax)
    kept = {name: plugin for name, plugin in decoder._available.items() if name in names}  # noqa: SLF001 - pydicom's own
    monkeypatch.setattr(decoder, "_available", kept)


@pytest.mark.parametrize(
    "syntax", [JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless]
)
def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch, syntax):
    path = compressed(tmp_path / "a.dcm", smooth(12), 12, syntax)
    keep_only(monkeypatch, syntax, ())
    with pytest.raises(ReadError, match=r'pip install "multifidus\[dicom\]"'):
        the_pixels(path)


@pytest.mark.parametrize(
    ("syntax", "facts", "name"),
    [
        (JPEGBaseline8Bit, (8, "u1"), "pillow"),
        (JPEGBaseline8Bit, (8, "u1"), "gdcm"),
        (JPEG2000Lossless, (16, "u2"), "pillow"),
        (JPEG2000Lossless, (12, "i2"), "pillow"),
        (JPEG2000Lossless, (12, "i2"), "gdcm"),
        (JPEGLSLossless, (16, "i2"), "gdcm"),
    ],
)
def test_every_decoder_alone_gives_the_same_pixels(tmp_path, syntax, facts, name):
    path = compressed(tmp_path / "a.dcm", smooth(*facts), facts[0], syntax)
    expected = the_pixels(path).astype(int)
    with pytest.MonkeyPatch.context() as patched:
        keep_only(patched, syntax, (name,))
        apart = np.abs(the_pixels(path).astype(int) - expected)
    assert apart.max() <= (1 if syntax == JPEGBaseline8Bit else 0)


def test_a_decoder_that_asks_for_too_much_memory_says_nothing_of_its_image(tmp_path, monkeypatch):
    def greedy(_):
        raise MemoryError

    path = compressed(tmp_path / "a.dcm", smooth(12), 12, JPEGLSLossless)
    monkeypatch.setattr("jpeg_ls.decode_pixel_data", greedy)
    with pytest.raises(MemoryError):
        the_pixels(path)


@pytest.mark.parametrize(("said", "flags"), [("01", (Flag.LOSSY_COMPRESSION,)), ("00", ())])
def test_an_image_that_says_so_was_compressed_with_loss_before(tmp_path, said, flags):
    dataset = classic(axial_plane(), smooth(12))
    dataset.LossyImageCompression = said
    assert the_series(write(dataset, tmp_path / "a.dcm")).flags == flags
