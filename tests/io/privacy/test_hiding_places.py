"""What is packed, split or written in old ways is found or said."""

from __future__ import annotations

import base64
import datetime
import gzip
import io
import json
import lzma
import os
import sqlite3
import struct
import sys
import tarfile
import zipfile
import zlib

import numpy as np
import openpyxl
import pydicom
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.io.privacy import audit as auditing, contents
from multifidus.io.privacy.audit import NAME_OF_FILE, TARGET_OF_LINK, audit_folder
from multifidus.io.privacy.known import Kind, Known
from multifidus.io.privacy.search import Search
from tests.support.identities import PERSONS, dicom, nifti, packed, pdf, picture, png

KNOWN = [
    *(Known(Kind.NAME, person.name) for person in PERSONS.values()),
    Known(Kind.PATIENT_ID, "QX-730155"),
    Known(Kind.BIRTH_DATE, "19610317"),
]
ZWICKY, MUESSIG, LI, ID, BORN = "Zwicky^Annelore", "Müßiggäng^Zoë", "Li^Na", "QX-730155", "19610317"


def search(folder):
    return audit_folder(folder, Search(KNOWN))


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return file.getvalue()


def renamed(encoding):
    """Return an archive whose names are in the encoding of an older system."""
    name = "Müßiggäng".encode(encoding)
    return zipped(**{"x" * len(name): "a"}).replace(b"x" * len(name), name)


def tar(content=b"x", **facts):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a")
        member.size = len(content)
        for name, value in facts.items():
            setattr(member, name, value)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def workbook(value):
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"] = value
    book.save(file)
    return file.getvalue()


def stream(body, filters, facts=b""):
    head = b"%%PDF-1.7\n1 0 obj\n<< /Length %d /Filter %s %s>>\nstream\n"
    return head % (len(body), filters, facts) + body + b"\nendstream\nendobj\n%%EOF\n"


DRAWN = b"BT (Annelore Zwicky) Tj ET"
OBJECTS = [b"2 0 << /T (Zw", b"icky) >>     "]
PREDICTED = b"/DecodeParms << /Predictor 12 /Columns 13 >> "
DIFFERENCES = b"\2" + OBJECTS[0] + b"\2"
DIFFERENCES += bytes((b - a) & 255 for a, b in zip(*OBJECTS, strict=True))


def extended_xmp():
    text = (" " * 70_000 + "Zwicky").encode()
    whole = picture("JPEG")
    parts = b""
    for start, end in ((0, 60_000), (60_000, 70_003), (70_003, len(text))):
        body = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32
        body += struct.pack(">II", len(text), start) + text[start:end]
        parts += b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return whole[:2] + parts + whole[2:]


def database(text):
    with sqlite3.connect(":memory:") as base:
        base.execute("CREATE TABLE t(a, b)")
        base.execute("INSERT INTO t VALUES (?, ?)", (text, 730155))
        return base.serialize()


def array(values):
    file = io.BytesIO()
    np.save(file, np.array(values))
    return file.getvalue()


def with_element(tag, kind, value):
    dataset = pydicom.dcmread(io.BytesIO(dicom("")))
    dataset.add_new(tag, kind, value + b"\0" * (len(value) % 2))
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def profile(digits):
    body = b"Raw profile type exif\0\0" + zlib.compress(f"\nexif\n 10\n{digits}\n".encode())
    whole = picture("PNG")
    crc = struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return whole[:33] + struct.pack(">I", len(body)) + b"zTXt" + body + crc + whole[33:]


PLACES = {
    "old.html": (MUESSIG, "<p>M&uuml;&szlig;igg&auml;ng, \u00e9</p>".encode("cp1252")),
    "cp1252 short.csv": (LI, "é\nli_na\n".encode("cp1252")),
    "cp1252 date.csv": (BORN, "é;x\n17.3.1961;y\n".encode("cp1252")),
    "cp850.csv": (MUESSIG, "a\nMüßiggäng\n".encode("cp850")),
    "mac.csv": (MUESSIG, "a\nMüßiggäng\n".encode("mac-roman")),
    "utf-32.csv": (LI, "a\nLi Na\n".encode("utf-32")),
    "utf-16 without mark.csv": (LI, "a\nLi Na\n".encode("utf-16-le")),
    "escaped date.json": (BORN, rb'{"born": "17\/03\/1961"}'),
    "twice escaped.html": (MUESSIG, b"M&amp;uuml;&amp;szlig;igg&amp;auml;ng"),
    "hyphens.html": (ZWICKY, b"Zwi&shy;cky"),
    "no width.txt": (ZWICKY, "Zwi\u200bcky".encode()),
    "bold.html": (ZWICKY, b"<p><b>Zwi</b>cky</p>"),
    "drawn.svg": (ZWICKY, b"<text><tspan x='0'>Zwi</tspan><tspan x='9'>cky</tspan></text>"),
    "notebook.ipynb": (
        ZWICKY,
        json.dumps({"image/png": base64.encodebytes(png(packed="Zwicky")).decode()}).encode(),
    ),
    "rich.xlsx": (ZWICKY, workbook(CellRichText("Zwi", TextBlock(InlineFont(b=True), "cky")))),
    "date.xlsx": (BORN, workbook(datetime.date(1961, 3, 17))),
    "cells.xlsx": (LI, zipped(s="<si><t>Li</t></si><si><t>Na</t></si>")),
    "split.docx": (
        ZWICKY,
        zipped(d='<w:r><w:t>Zwi</w:t></w:r><w:r w:x="1"><w:rPr><w:b/></w:rPr><w:t>cky</w:t></w:r>'),
    ),
    "cp437.zip": (MUESSIG, renamed("cp437")),
    "cp1252.zip": (MUESSIG, renamed("cp1252")),
    "behind.exe": (ZWICKY, b"MZ\0\0" + packed("Zwicky")),
    "behind.png": (ZWICKY, picture("PNG") + packed("Zwicky")),
    "old.lzma": (ZWICKY, lzma.compress(b"Zwicky " * 9, format=lzma.FORMAT_ALONE)),
    "zlib": (ZWICKY, zlib.compress(b"Zwicky " * 9)),
    "member.tar.gz": (ZWICKY, tar(gzip.compress(b"Zwicky"))),
    "pax.tar.gz": (MUESSIG, tar(pax_headers={"comment": "Müßiggäng"})),
    "owner.tar.gz": (ZWICKY, tar(uname="zwicky")),
    "long.gif": (ZWICKY, picture("GIF", comment=b"x" * 251 + b" Zwicky")),
    "xmp.jpg": (ZWICKY, extended_xmp()),
    "two.jpg": (MUESSIG, picture("JPEG") + picture("JPEG", comment="Müßiggäng".encode())),
    "filled.jpg": (ZWICKY, picture("JPEG")[:2] + b"\xff\xff\xfe\0\x08Zwicky" + picture("JPEG")[2:]),
    "profile.png": (ZWICKY, profile(b"..Zwicky..".hex())),
    "colours.png": (ZWICKY, picture("PNG", icc_profile=b"\0" * 99 + b"Zwicky" + b"\0" * 99)),
    "letter.dcm": (ZWICKY, with_element(0x00420011, "OB", pdf("Zwicky"))),
    "private.dcm": (ZWICKY, with_element(0x00091010, "OB", gzip.compress(b"Zwicky"))),
    "85.pdf": (ZWICKY, stream(base64.a85encode(DRAWN) + b"~>", b"/ASCII85Decode")),
    "85 packed.pdf": (
        ZWICKY,
        stream(base64.a85encode(zlib.compress(DRAWN)) + b"~>", b"[/ASCII85Decode /FlateDecode]"),
    ),
    "hex.pdf": (ZWICKY, stream(DRAWN.hex().encode() + b">", b"/ASCIIHexDecode")),
    "objects.pdf": (
        ZWICKY,
        stream(
            zlib.compress(DIFFERENCES),
            b"/FlateDecode",
            b"/DecodeParms << /Predictor 12 /Columns 13 >> ",
        ),
    ),
    "nested.pdf": (
        ZWICKY,
        stream(zlib.compress(DRAWN), b"/FlateDecode", b"/A << /B << /C 1 >> >> "),
    ),
    "lines.pdf": (ZWICKY, stream(zlib.compress(b"BT (Zwi\\\ncky) Tj ET"), b"/FlateDecode")),
    "moved.pdf": (ZWICKY, stream(zlib.compress(b"(Zwi) Tj 9 0 Td (cky) Tj"), b"/FlateDecode")),
    "name.pdf": (ZWICKY, b"%PDF-1.4\n1 0 obj\n<< /Dests << /Zw#69cky [1 0 R] >> >>\nendobj\n"),
    "later.pdf": (ZWICKY, b"\n\n" + pdf("Zwicky")),
    "rows.sqlite": (LI, database("Li Na")),
    "numbers.sqlite": (ID, database("")),
    "texts.npy": (MUESSIG, array(["Müßiggäng"])),
    "numbers.npy": (ID, array([1, 730155])),
}


@pytest.mark.parametrize("name", PLACES)
def test_it_is_found(name, tmp_path):
    wanted, data = PLACES[name]
    (tmp_path / name).write_bytes(data)
    found = search(tmp_path)
    assert wanted in {one.text for one in found.findings}
    assert not [one for one in found.unread if "damaged" in one.why]


@pytest.mark.parametrize(
    "begins",
    [
        b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\7", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"ARROW1\0",
        b"\x89HDF\r\n\x1a\n", b"MATLAB 5.0 MAT-file", b"\xd0\xcf\x11\xe0", b"\x80\x04", b"{\\rtf1",
        b"%!PS-Adobe", np.random.default_rng(1).bytes(20_000),
    ],
)  # fmt: skip
def test_what_is_packed_in_other_ways_is_said(begins, tmp_path):
    (tmp_path / "a").write_bytes(begins + b"\0" * 9)
    assert [one.file for one in search(tmp_path).unread] == ["a"]


def test_cells_of_a_table_of_a_page_are_not_joined(tmp_path):
    (tmp_path / "a.html").write_text("<td>QX73</td><td>0155</td><p>Zwi</p><p>cky</p>")
    assert not search(tmp_path).findings


def test_the_index_of_a_medium_is_looked_into(tmp_path):
    (tmp_path / "disc").mkdir()
    (tmp_path / "disc" / "DICOMDIR").write_bytes(dicom("Zwicky"))
    assert {one.file for one in search(tmp_path).findings} == {"disc/DICOMDIR"}
    assert search(tmp_path / "disc" / "DICOMDIR").files == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_names_of_empty_folders_and_of_what_links_point_to_are_looked_at(tmp_path):
    out = tmp_path / "out"
    (out / "Zwicky").mkdir(parents=True)
    (out / "link").symlink_to("/data/Zwicky/IM1.dcm")
    (tmp_path / "Annelore").write_text("x")
    (out / "other").symlink_to(tmp_path / "Annelore")
    assert {(one.file, one.where) for one in search(out).findings} == {
        ("Zwicky", NAME_OF_FILE), ("link", TARGET_OF_LINK), ("other", TARGET_OF_LINK),
    }  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_name_in_an_old_encoding_is_looked_at_and_printed(tmp_path):
    (tmp_path / os.fsdecode("Müßiggäng".encode("latin-1"))).write_text("x")
    (finding,) = search(tmp_path).findings
    assert finding.where == NAME_OF_FILE
    finding.file.encode()


def test_a_name_in_a_path_is_not_printed_unasked(tmp_path):
    out = tmp_path / "out"
    (out / "Zwicky").mkdir(parents=True)
    (out / "Zwicky" / "a.zip").write_bytes(zipped(Annelore__x="Zwicky"))
    (tmp_path / "list.txt").write_text("Zwicky\nAnnelore\n")
    arguments = ["audit", str(out), "--identifiers", str(tmp_path / "list.txt")]
    for more in ([], ["--json"]):
        printed = CliRunner().invoke(app, [*arguments, *more]).output
        assert "[hidden 1]/a.zip" in printed
        assert "wicky" not in printed
        assert "nnelore" not in printed
    assert "Zwicky/a.zip" in CliRunner().invoke(app, [*arguments, "--show-identifiers"]).output


def test_every_finding_is_listed_and_what_stands_everywhere_once(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for number in range(90):
        (out / f"{number}.csv").write_text("side\nleft\n")
    (tmp_path / "list.txt").write_text("\n".join(["Left Ina", *(f"ID77{n:04}" for n in range(80))]))
    (out / "5.csv").write_text("\n".join(f"ID77{n:04}," for n in range(80)))
    (out / "7.csv").write_text("left\nID770003\n")
    printed = (
        CliRunner()
        .invoke(
            app,
            ["audit", str(out), "--identifiers", str(tmp_path / "list.txt"), "--show-identifiers"],
        )
        .output
    )
    assert "89 files" in printed
    assert printed.count("Left Ina") == 1
    assert printed.count("ID77") == 81


def test_a_very_large_file_is_searched_piece_by_piece_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(auditing, "LARGEST_BYTES", 1 << 20)
    monkeypatch.setattr(auditing, "CHUNK", 1 << 19)
    (tmp_path / "a.bin").write_bytes(b"\0" * ((1 << 19) - 3) + b"Zwicky" + b"\0" * (1 << 20))
    found = search(tmp_path)
    assert {one.text for one in found.findings} == {ZWICKY}
    assert [one.file for one in found.unread] == ["a.bin"]


def test_a_word_is_found_where_a_long_text_is_divided(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "PIECE", 1 << 16)
    monkeypatch.setattr(contents, "OVERLAP", 1 << 8)
    start = "<p>x</p>" * ((1 << 16) // 8 - 1)
    (tmp_path / "a.html").write_text(f"{start}<b>Zwi</b>cky<p>{'x ' * 9000}")
    assert {one.text for one in search(tmp_path).findings} == {ZWICKY}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (nifti("/home/jdoe/study", extension=False), "path of a home folder"),
        (b"\0\1\2\xff" * 9000 + b"/home/jdoe/study\0", "path of a home folder"),
        (b"\0\1\2\xff" + "C:\\Users\\jdoe\\x".encode("utf-16-le"), "path of a home folder"),
        (b"\0\1\2\xff jane.doe@hospital.example\0", "e-mail address"),
        (nifti("Doering^Jane", extension=False), "name in DICOM's writing"),
    ],
)
def test_what_looks_like_an_identifier_is_found_in_bytes(data, what, tmp_path):
    (tmp_path / "a").write_bytes(data)
    assert {one.what for one in audit_folder(tmp_path, Search()).findings} == {what}


def test_a_letter_is_read(tmp_path):
    letter = "Content-Transfer-Encoding: quoted-printable\n\nM=C3=BC=C3=9Fi=\ngg=C3=A4ng"
    (tmp_path / "a.eml").write_text(letter)
    assert MUESSIG in {one.text for one in search(tmp_path).findings}


@pytest.mark.parametrize("kind", [np.uint8, "<u2"])
def test_pixels_look_like_no_name(kind, tmp_path):
    pixels = np.array([*b"YaLAUHXaehC^KSSS", 3, 200, 201, 202] * 40, kind)
    (tmp_path / "a.raw").write_bytes(b"\0\1\2\xff" * 200 + pixels.tobytes())
    assert not audit_folder(tmp_path, Search()).findings
