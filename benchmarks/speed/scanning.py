"""Finding the exams in a folder of thousands of DICOM files, by their headers alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import Comparison, alternate, alternate_processes, process
from multifidus import Plane

PATIENTS, SERIES = 100, 3
FILES, SMOKE_FILES = 5000, 100
SIZE = 64
PRIVATE_BYTES = 61 * 1024
"""Of private header in each file, as one vendor's scanners write."""

OURS = "import sys; import multifidus as mf; print(len(mf.scan(sys.argv[1]).exams))"
PEER = (
    "import os, sys, pydicom\n"
    "for folder, _, names in os.walk(sys.argv[1]):\n"
    "    for name in names:\n"
    "        pydicom.dcmread(os.path.join(folder, name), stop_before_pixels=True)\n"
)
FLOOR = (
    "import io, os, sys\n"
    "from pydicom.filereader import data_element_generator\n"
    "from multifidus.io.dicom.header import TAGS\n"
    "for folder, _, names in os.walk(sys.argv[1]):\n"
    "    for name in names:\n"
    "        with open(os.path.join(folder, name), 'rb') as file:\n"
    "            head = io.BytesIO(file.read(131072))\n"
    "        head.seek(132)\n"
    "        meta = data_element_generator(\n"
    "            head, False, True, lambda tag, vr, length: tag >> 16 != 2)\n"
    "        syntax = [element.value for element in meta if element.tag == 0x00020010][0]\n"
    "        implicit = syntax.strip(bytes(1)) == b'1.2.840.10008.1.2'\n"
    "        list(data_element_generator(head, implicit, True, specific_tags=TAGS.values()))\n"
)
"""What it costs that pydicom steps from element to element, before any is turned into a value.

No scan by pydicom, ours or another's, can be faster; so it says whether half the peer's time can
be reached at all.
"""

GDCM = (
    "import os, sys, gdcm\n"
    "from multifidus.io.dicom.header import TAGS\n"
    "scanner = gdcm.Scanner()\n"
    "for tag in TAGS.values():\n"
    "    scanner.AddTag(gdcm.Tag(tag >> 16, tag & 0xFFFF))\n"
    "scanner.Scan([os.path.join(folder, name)\n"
    "              for folder, _, names in os.walk(sys.argv[1]) for name in names])\n"
)
"""The same by GDCM, which reads headers in C++: it too is no way to half the peer's time."""


def run(folder: Path, repeats: int, *, files: int = FILES) -> list[Comparison]:
    """Compare with a loop of pydicom's dcmread, and a folder with one of a tenth of its files."""
    large, small = folder / "large", folder / "small"
    make_folder(large, files)
    make_folder(small, files // 10)
    ours, peers = _python(OURS, large), _python(PEER, large)
    (seconds, memory), (peer_seconds, peer_memory) = alternate_processes(ours, peers, repeats)
    waited, peer_waited = alternate(lambda: process(ours), lambda: process(peers), repeats)
    (_, many), (_, few) = alternate_processes(ours, _python(OURS, small), min(repeats, 3))
    job, peer = f"scan {files} DICOM files for exams", "loop of dcmread(stop_before_pixels=True)"
    return [
        Comparison(job, peer, seconds, peer_seconds, "CPU s", None),
        Comparison(job, peer, waited, peer_waited, "s", None),
        *_floors(large, peers, min(repeats, 3), peer),
        Comparison(f"{job}: peak memory", peer, memory, peer_memory, "MB", None),
        Comparison(f"{job}: peak memory", f"{files // 10} files", many, few, "MB", 1.3),
    ]


def _floors(folder: Path, peers: list[str], repeats: int, peer: str) -> Iterator[Comparison]:
    """Compare what finding the elements costs alone, without a value, an image or a series."""
    for library, script in (("pydicom", FLOOR), ("gdcm", GDCM)):
        if find_spec(library):
            (seconds, _), (peer_seconds, _) = alternate_processes(
                _python(script, folder), peers, repeats
            )
            job = f"{library} finds the elements in the same files, no more"
            yield Comparison(job, peer, seconds, peer_seconds, "CPU s", None)


def _python(script: str, folder: Path) -> list[str]:
    return [sys.executable, "-c", script, str(folder)]


def make_folder(folder: Path, files: int) -> None:
    """Write a folder of files: patients, each with T2 and T1 axial stacks and a sagittal series."""
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    dataset = _template()
    patients = max(1, PATIENTS * files // FILES)
    for number in range(files):
        patient, rest = number % patients, number // patients
        series, place = rest % SERIES, rest // SERIES
        root = f"1.2.826.0.1.3680043.10.{patient + 1}"
        dataset.PatientID = f"P{patient}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = root, f"{root}.{series + 1}"
        dataset.FrameOfReferenceUID = f"{root}.9"
        dataset.SOPInstanceUID = f"{root}.{series + 1}.{place + 1}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.InstanceNumber = place + 1
        dataset.EchoTime, dataset.RepetitionTime = (12, 600) if series == 1 else (90, 3500)
        plane = _plane(series, place)
        row_mm, column_mm = plane.pixel_spacing_mm
        directions = (*(plane.column_step_mm / column_mm), *(plane.row_step_mm / row_mm))
        dataset.ImagePositionPatient = [f"{value:.6f}" for value in plane.origin_mm]
        dataset.ImageOrientationPatient = [f"{value:.12f}" for value in directions]
        implicit = patient % 4 == 0
        dataset.file_meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        )
        path = folder / f"P{patient}" / f"S{series}" / f"{place:03d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=True)


def _plane(series: int, place: int) -> Plane:
    if series == SERIES - 1:
        return Plane((4.4 * place - 35, -90, 120), (0, 0, -2.0), (0, 2.0, 0))
    stack, within = divmod(place, 4)
    tilt = np.radians(-12 + 9.5 * stack)
    down, normal = (0.0, np.cos(tilt), np.sin(tilt)), (0.0, -np.sin(tilt), np.cos(tilt))
    origin = np.array((-64.0, -64.0, 35.0 * stack)) + 4.4 * within * np.array(normal)
    return Plane(origin, 2.0 * np.array(down), (2.0, 0, 0))


def _template() -> Any:
    """Return a data set of about as many elements as scanners write, 61 KiB of them private."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import MRImageStorage

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
    data.Modality, data.Manufacturer, data.PatientName = "MR", "BENCH", "BENCH"
    data.StudyDate, data.ImageType = "20260101", ["ORIGINAL", "PRIMARY", "M", "SE"]
    data.PixelSpacing, data.SliceThickness = [2.0, 2.0], 4.0
    data.Rows = data.Columns = SIZE
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = bytes(2 * SIZE * SIZE)
    private = data.private_block(0x0029, "BENCH", create=True)
    private.add_new(0x10, "OB", bytes(PRIVATE_BYTES))
    small = data.private_block(0x0019, "BENCH", create=True)
    for number in range(40):
        small.add_new(number, "LO", f"value {number}")
    return data
