"""Persons who do not exist, and files of every kind that name them."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane


@dataclass(frozen=True)
class Person:
    """Whom a scan names, and how DICOM writes it."""

    name: str
    number: str
    birth_date: str
    charset: str = "ISO_IR 192"


PERSONS = {
    "Latin": Person("Zwicky^Annelore", "QX-730155", "19610317"),
    "Latin with accents": Person("Müßiggäng^Zoë", "HUG 8812097", "19440502"),
    "Cyrillic": Person("Достоевский^Фёдор", "РЖ-5519001", "18211111"),
    "Greek": Person("Παπαδόπουλος^Ιωάννης", "ΕΛ-4410082", "19550823"),
    "Hebrew": Person("רבינוביץ^שמואל", "IL-3093317", "19720401"),
    "Arabic": Person("القحطاني^خديجة", "SA-2207765", "19830615"),
    "Han": Person("諸葛^亮", "CN-6600143", "19310727"),
    "kana": Person("ヤマダ^タロウ", "JP-1180552", "19680209"),
    "Hangul": Person("독고^영재", "KR-9034418", "19530630"),
    "Thai": Person("ศรีสุข^สมชาย", "TH-7781203", "19790914"),
    "short": Person("Li^Na", "B-412207", "19901224"),
}


ELSEWHERE = {
    "OtherPatientNames": "Quillfeather^Odo",
    "PatientAddress": "14 Larkspur Crescent",
    "PatientTelephoneNumbers": "+41 44 7788990",
    "AccessionNumber": "ACC88120341",
    "ReferringPhysicianName": "Brackenbury^Wilhelmina",
    "OperatorsName": "Featherstonehaugh^Ignatius",
    "InstitutionName": "Saint Ursula Spine Clinic",
    "InstitutionAddress": "3 Abbey Passage",
    "StationName": "URSULAMR2",
    "DeviceSerialNumber": "SN0099887",
    "StudyDescription": "LWS of Zwicky after fusion",
    "PatientComments": "phone 555 0199 before the scan",
    "StudyID": "ST4410087",
}
"""What headers say besides."""


def slices_of(person: Person, folder: Path, count: int = 2, number: int = 0) -> Path:
    """Write an exam of a person as DICOM: a bright body, and muscles that are darker."""
    rows, columns = np.mgrid[:64, :72]
    body = np.hypot(rows - 31.5, columns - 35.5) < 30
    for k in range(count):
        pixels = (body * (400 + 40 * np.sin(rows / 3 + k) + 300 * (rows % 9 == 0))).astype(
            np.uint16
        )
        dataset = classic(axial_plane(5 * k), pixels, k + 1)
        for uid in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, uid, f"{getattr(dataset, uid)}.{number}")
        dataset.SpecificCharacterSet = person.charset
        dataset.PatientName, dataset.PatientID = person.name, person.number
        dataset.PatientBirthDate = person.birth_date
        for keyword, value in ELSEWHERE.items():
            setattr(dataset, keyword, value)
        block = dataset.private_block(0x0019, "ACME", create=True)
        block.add_new(0x01, "LO", person.name.replace("^", " "))
        write(dataset, folder / f"IM{k}.dcm")
    return folder


# --- files that hold a text ---------------------------------------------------------------------


def picture(kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(file, kind, **how)
    return file.getvalue()


def png(**texts: str) -> bytes:
    info = PngInfo()
    for name, text in texts.items():
        if name == "packed":
            info.add_text("Comment", text, zip=True)
        elif name == "international":
            info.add_itxt("Comment", text, zip=True)
        else:
            info.add_text("Comment", text)
    return picture("PNG", pnginfo=info)


def exif(text: str) -> Image.Exif:
    found = Image.Exif()
    found[0x9C9D] = text.encode("utf-16-le")  # XPAuthor
    return found


def packed(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/table.csv", f"a,b\n{text},1\n" * 40)
    return file.getvalue()


def pdf(text: str, *, is_hex: bool = False, letters: bool = False) -> bytes:
    if is_hex:
        shown = b"<FEFF" + text.encode("utf-16-be").hex().encode() + b"> Tj"
    elif letters:
        shown = b"[" + b" -20 ".join(b"(" + sign.encode() + b")" for sign in text) + b"] TJ"
    else:
        shown = b"(" + text.encode("utf-8") + b") Tj"
    stream = zlib.compress(b"BT /F1 12 Tf " + shown + b" ET")
    head = f"%PDF-1.4\n1 0 obj\n<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode()
    return head + stream + b"\nendstream\nendobj\n%%EOF\n"


def nifti(text: str, *, extension: bool) -> bytes:
    image = nib.Nifti1Image(np.zeros((4, 5, 2), np.int16), np.eye(4))
    if extension:
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", text.encode()))
    else:
        image.header["descrip"] = text.encode()[:79]
    return gzip.compress(image.to_bytes())


def dicom(text: str, *, deflated: bool = False) -> bytes:
    dataset = classic(axial_plane(0.0), np.zeros((4, 5), np.uint16), 1)
    dataset.PatientName, dataset.PatientID = "", ""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    block = dataset.private_block(0x0019, "ACME", create=True)
    block.add_new(0x01, "LO", text)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = (
        DeflatedExplicitVRLittleEndian if deflated else ExplicitVRLittleEndian
    )
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def data_url(text: str) -> bytes:
    inner = base64.b64encode(png(packed=text)).decode()
    return f'<!doctype html><img src="data:image/png;base64,{inner}">'.encode()


def tail(text: str) -> bytes:
    return picture("JPEG") + text.encode()


def chunk(text: str) -> bytes:
    body = b"Comment\0" + text.encode("latin-1", "replace")
    crc = struct.pack(">I", zlib.crc32(b"tEXt" + body))
    whole = picture("PNG")
    return whole[:33] + struct.pack(">I", len(body)) + b"tEXt" + body + crc + whole[33:]


HIDING_PLACES: dict[str, Callable[[str], bytes]] = {
    "table.csv": lambda text: f"subject,value\n{text},3.5\n".encode(),
    "with a mark.csv": lambda text: f"subject,value\n{text},3.5\n".encode("utf-8-sig"),
    "utf-16.txt": lambda text: f"{text}\n".encode("utf-16"),
    "note.json": lambda text: json.dumps({"note": [text]}, ensure_ascii=False).encode(),
    "escaped.json": lambda text: json.dumps({"note": [text]}).encode(),
    "page.html": lambda text: f"<p>{html.escape(text)}</p>".encode(),
    "numbered.html": lambda text: "".join(f"&#{ord(sign)};" for sign in text).encode(),
    "address.html": lambda text: f'<a href="x/{urllib.parse.quote(text)}">'.encode(),
    "embedded.html": data_url,
    "plot.svg": lambda text: f"<svg><title>{text}</title></svg>".encode(),
    "text.png": lambda text: png(international=text),
    "exif.jpg": lambda text: picture("JPEG", exif=exif(text)),
    "comment.jpg": lambda text: picture("JPEG", comment=text.encode()),
    "behind.jpg": tail,
    "exif.webp": lambda text: picture("WEBP", exif=exif(text)),
    "xmp.webp": lambda text: picture("WEBP", xmp=f"<x>{text}</x>".encode()),
    "log.jsonl.gz": lambda text: gzip.compress(text.encode()),
    "log.bz2": lambda text: bz2.compress(text.encode()),
    "log.xz": lambda text: lzma.compress(text.encode()),
    "book.xlsx": packed,
    "twice.zip": lambda text: gzip.compress(packed(text)),
    "plain.pdf": pdf,
    "hexadecimal.pdf": lambda text: pdf(text, is_hex=True),
    "letters.pdf": lambda text: pdf(text, letters=True),
    "descrip.nii.gz": lambda text: nifti(text, extension=False),
    "extension.nii.gz": lambda text: nifti(text, extension=True),
    "private.dcm": dicom,
    "deflated.dcm": lambda text: dicom(text, deflated=True),
    "bytes.bin": lambda text: b"\0\1\2" + text.encode("utf-16-be") + b"\xff\xfe\xfd",
    "no ending": lambda text: text.encode(),
}
"""How to hide a text, by the name of the file."""
