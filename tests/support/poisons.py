"""A cohort of good cases among which are cases that end what reads them, or ask too much of it."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless

from multifidus import Reading
from tests.support.cases import pixels, write_exam, write_outlines
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane
from tests.support.niftis import lumbar_affine, save

BAD_DECODER = Path(__file__).with_name("bad_decoder")

HEADINGS = "subject,timepoint,rater,images,outlines,labels"

PROTOCOL = 'fat_methods = ["pooled_otsu"]\nbias_correction = "none"\n'

VERTICES = 10_000_000

BOMB_BYTES = (1 << 30) + (100 << 20)
"""More than an archive may hold without question."""

GB = 1 << 30


@dataclass(frozen=True, slots=True)
class Poison:
    """A case that cannot be measured.

    Parameters
    ----------
    what
        What is wrong with it.
    images, outlines, labels
        Cells of its row; an empty one is that of a good case.
    error
        What its failure is called.
    cause, remedy
        Words of its message, and of what to do about it.
    """

    what: str
    error: str
    cause: str
    remedy: str
    images: str = "exam"
    outlines: str = "good.outlines.json"
    labels: str = ""


BY_DECODERS = (
    Poison("segfault in a decoder", "Crash", "SIGSEGV", "damaged image", "segfault"),
    Poison("abort in a decoder", "Crash", "SIGABRT", "damaged image", "abort"),
    Poison("hang in a decoder", "TimeLimit", "longer than", "--timeout", "hang"),
    Poison("allocation of 30 GB", "MemoryError", "more memory", "--memory", "30 GB"),
)
"""Their images name what the decoder does."""

MASK = "1=multifidus left"

NO_IMAGE = "Give a folder"

NEITHER = "either a file nor a folder"

POISONS = (
    *BY_DECODERS,
    Poison("FIFO for an image", "ReadError", NEITHER, NO_IMAGE, "pipe"),
    Poison("FIFO for outlines", "ReadError", NEITHER, "Check", outlines="p.outlines.json"),
    Poison("FIFO for a zip archive", "ReadError", NEITHER, NO_IMAGE, "pipe.zip"),
    Poison("corrupt image", "ReadError", "corrupt.nii.gz", NO_IMAGE, "corrupt.nii.gz"),
    Poison("corrupt outlines", "ReadError", "no JSON", "backup", outlines="cut.outlines.json"),
    Poison("missing image", "ReadError", "does not exist", "Check the path", "nowhere"),
    Poison("missing outlines", "ReadError", "No such file", "Check", outlines="no.outlines.json"),
    Poison("labels on another grid", "RoiError", "another grid", "Resample", "scan.nii",
           "other.nii", MASK),
    Poison("name of 300 letters", "ReadError", "name too long", "Check the path", "n" * 300),
    Poison("zip bomb", "ReadError", "would unpack to", NO_IMAGE, "bomb.zip"),
    Poison("zip bomb that hides its size", "ReadError", "not a readable zip", NO_IMAGE,
           "hidden.zip"),
    Poison("gzip bomb of 30 GB of voxels", "MemoryError", "more memory", "--memory",
           "bomb.nii.gz", "bomb.nii.gz", MASK),
    Poison("gzip bomb behind the voxels", "ReadError", "bytes more than", NO_IMAGE, "tail.nii.gz"),
    Poison("outline of 10^7 vertices", "ReadError", "too large", "fewer points",
           outlines="many.outlines.json"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PoisonedCohort:
    """Tables of a cohort with and without the cases that cannot be measured.

    Parameters
    ----------
    whole, good
        All cases, and those that can be measured.
    poisons
        What stands in the table of all, by subject.
    """

    whole: Path
    good: Path
    poisons: dict[str, Poison]


def environment() -> dict[str, str]:
    """Return the environment of a run whose decoder of JPEG-LS is the bad one."""
    path = os.pathsep.join(filter(None, (str(BAD_DECODER), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path}


def write_poisoned(folder: Path, poisons: Sequence[Poison] = POISONS) -> PoisonedCohort:
    """Write a cohort in which a good case stands before and after every other one."""
    _write_files(folder, poisons)
    rows, good, by_subject = [HEADINGS], [HEADINGS], {}
    for number, poison in enumerate((None, *itertools.chain(*((p, None) for p in poisons)))):
        subject = f"S{number:02}"
        if poison is None:
            good.append(row := _write_good(folder, subject))
        else:
            by_subject[subject] = poison
            row = f"{subject},pre,AB,{poison.images},{poison.outlines},{poison.labels}"
        rows.append(row)
    good.append(_write_good(folder, "L" * 300))
    rows.append(good[-1])
    tables = folder / "cohort.csv", folder / "good.csv"
    for table, lines in zip(tables, (rows, good), strict=True):
        table.write_text("\n".join(lines) + "\n")
    (folder / "protocol.toml").write_text(PROTOCOL)
    return PoisonedCohort(*tables, by_subject)


HANGING = "hanging,hanging/good.outlines.json"
"""Cells of the images and outlines of a case that hangs."""


def write_hanging(folder: Path) -> None:
    """Write an exam whose decoder hangs, with outlines, where it is not there yet."""
    if folder.exists():
        return
    write_outlines(
        write_exam(folder, slices=1), folder / "good.outlines.json", Reading("", "", "AB", 1)
    )
    _write_compressed(folder, "hang")


def _write_good(folder: Path, subject: str) -> str:
    """Write a case that can be measured; return its row."""
    name = subject[:10]
    images = write_exam(folder / name, slices=1)
    outlines = write_outlines(
        images, folder / f"{name}.outlines.json", Reading(subject, "pre", "AB", 1)
    )
    return f"{subject},pre,AB,{name},{outlines.name},"


def _write_files(folder: Path, poisons: Sequence[Poison]) -> None:
    """Write what the rows of poisons name; large files where they are asked for alone."""
    good = write_exam(folder / "exam", slices=1)
    for poison in BY_DECODERS:
        _write_compressed(folder / poison.images, poison.images)
    write_outlines(good, folder / "good.outlines.json", Reading("", "", "AB", 1))
    outlines = (folder / "good.outlines.json").read_text()
    (folder / "cut.outlines.json").write_text(outlines[: len(outlines) // 2])
    for name in ("pipe", "pipe.zip", "p.outlines.json"):
        os.mkfifo(folder / name)
    rng = np.random.default_rng(1)
    (folder / "corrupt.nii.gz").write_bytes(b"\x1f\x8b\x08" + rng.bytes(1000))
    save(folder / "scan.nii", np.ones((40, 40, 2), np.int16), lumbar_affine())
    save(folder / "other.nii", np.ones((20, 30, 4), np.uint8), lumbar_affine(tilt=40.0))
    wanted = {name for poison in poisons for name in (poison.images, poison.outlines)}
    if "many.outlines.json" in wanted:
        _write_vertices(folder / "many.outlines.json", json.loads(outlines))
    if "bomb.zip" in wanted:
        _write_zip_bombs(folder / "bomb.zip", folder / "hidden.zip")
    if "bomb.nii.gz" in wanted:
        _write_gzip_bombs(folder)


def _write_compressed(folder: Path, fault: str) -> None:
    """Write an exam of one slice whose pixels the bad decoder is asked for."""
    image = pixels()
    start = struct.pack(">2s2sHB2H4B", b"\xff\xd8", b"\xff\xf7", 11, 16, *image.shape, 1, 1, 17, 0)
    comment = struct.pack(">2sH", b"\xff\xfe", 2 + len(fault)) + fault.encode()
    dataset = classic(axial_plane(tilt=12.0), image)
    dataset.PixelData = encapsulate([start + comment + b"\xff\xd9"])
    write(dataset, folder / "0.dcm", JPEGLSLossless)


def _write_vertices(path: Path, outlines: dict[str, list[dict[str, list[object]]]]) -> None:
    """Write an outline file of many vertices: each corner again and again."""
    (corners,) = outlines["outlines"][0]["paths_mm"]
    outlines["outlines"][0]["paths_mm"] = ["HERE"]
    again = (f"{json.dumps(corner)}," * (VERTICES // len(corners)) for corner in corners)
    text = json.dumps(outlines).replace('"HERE"', f"[{''.join(again)[:-1]}]")
    path.write_text(text)


def _write_zip_bombs(path: Path, hidden: Path) -> None:
    """Write an archive that unpacks to far more than it is, and one that does not say so."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("0.dcm", "w") as file,
    ):
        for _ in range(BOMB_BYTES >> 20):
            file.write(bytes(1 << 20))
    data = path.read_bytes()
    hidden.write_bytes(data.replace(struct.pack("<I", BOMB_BYTES), struct.pack("<I", 1000)))


def _write_gzip_bombs(folder: Path) -> None:
    """Write a volume of far more voxels than memory, and a small one with as much behind it."""
    member = gzip.compress(bytes(64 << 20))
    for name, shape in (("bomb", (4000, 4000, 1000)), ("tail", (40, 40, 2))):
        small = save(folder / f"{name}.nii", np.ones((40, 40, 2), np.int16), lumbar_affine())
        header = bytearray(small.read_bytes())
        small.unlink()
        struct.pack_into("<3h", header, 42, *shape)
        with (folder / f"{name}.nii.gz").open("wb") as file:
            file.write(gzip.compress(header))
            for _ in range(30 * GB // (64 << 20)):
                file.write(member)
