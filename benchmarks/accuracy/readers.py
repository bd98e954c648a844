"""Series that readers get wrong, read by several readers, and how far off each voxel is.

Every voxel of the series holds its own patient z, so that the error of a reader's geometry is read
off its own output. A reader that is not installed is left out.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import multifidus as mf
from multifidus.errors import MultifidusError
from tests.support.traps import FLOOR_MM, TRAPS, Trap

Volume = tuple[np.ndarray, np.ndarray]
"""Values and the z of each voxel, of one shape; slices along the last axis."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader made of a series.

    Attributes
    ----------
    worst_mm
        Largest distance in z between where a voxel is and where the reader puts it; NaN if none.
    slices
        How many it returned.
    refusal
        Why it returned nothing.
    """

    worst_mm: float
    slices: int
    refusal: str = ""

    def is_right(self, expected: int) -> bool:
        """Whether every slice came back in its place."""
        return self.slices == expected and self.worst_mm <= FLOOR_MM

    def text(self, expected: int) -> str:
        """Return a cell of the table; what is wrong without a word is set in bold."""
        if self.refusal:
            return f"refuses ({self.refusal})"
        if self.worst_mm > FLOOR_MM:
            return f"**{self.worst_mm:.1f} mm**"
        return "ok" if self.slices == expected else f"ok, {self.slices} of {expected} slices"


def ours(folder: Path) -> Iterator[Volume]:
    """Read with multifidus."""
    for exam in mf.scan(folder).exams:
        for series in exam.series:
            for item in series.slices:
                z = item.plane.to_patient(list(np.ndindex(item.shape)))[:, 2].reshape(item.shape)
                yield item.pixels[..., None], z[..., None]


def _by_affine(values: np.ndarray, affine: np.ndarray) -> Iterator[Volume]:
    """Yield volumes of values (i, j, k, ...), each placed by the same affine."""
    values = values.reshape((*values.shape[:2], values.shape[2] if values.ndim > 2 else 1, -1))
    i, j, k = np.indices(values.shape[:3])
    z = affine[2, 0] * i + affine[2, 1] * j + affine[2, 2] * k + affine[2, 3]
    for volume in np.moveaxis(values, -1, 0):
        yield volume, z


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def simpleitk(folder: Path) -> Iterator[Volume]:
    """Read each series that GDCM finds with SimpleITK."""
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # noqa: FBT003
    reader = SimpleITK.ImageSeriesReader()
    for uid in reader.GetGDCMSeriesIDs(str(folder)) or [""]:
        names = reader.GetGDCMSeriesFileNames(str(folder), uid, False, True)  # noqa: FBT003
        if len(names) == 1:
            image = SimpleITK.ReadImage(names[0])
        else:
            reader.SetFileNames(names)
            image = reader.Execute()
        values = SimpleITK.GetArrayFromImage(image).astype(float)
        values = np.moveaxis(values.reshape(-1, *values.shape[-2:]), 0, -1).swapaxes(0, 1)
        affine = np.eye(4)
        turn = np.array(image.GetDirection()).reshape(image.GetDimension(), -1)[:3, :3]
        affine[:3, :3] = turn * np.array(image.GetSpacing())[:3]
        affine[:3, 3] = image.GetOrigin()[:3]
        yield from _by_affine(values, affine)


def nicom(folder: Path) -> Iterator[Volume]:
    """Read file by file with nibabel.nicom, which leaves the grouping to its user."""
    from nibabel.nicom.dicomwrappers import wrapper_from_file

    for path in _files(folder):
        wrapper = wrapper_from_file(path)
        yield from _by_affine(np.asarray(wrapper.get_data(), dtype=float), wrapper.affine)


def highdicom(folder: Path) -> Iterator[Volume]:
    """Read with highdicom's volumes."""
    import highdicom as hd
    import pydicom

    paths = _files(folder)
    datasets = [pydicom.dcmread(path) for path in paths]
    if any("NumberOfFrames" in dataset for dataset in datasets):
        volumes = [hd.imread(path).get_volume() for path in paths]
    else:
        volumes = [hd.get_volume_from_series(datasets)]
    for volume in volumes:
        yield from _by_affine(
            np.moveaxis(volume.array.astype(float), 0, 2), volume.affine[:, [1, 2, 0, 3]]
        )


def _niftis(folder: Path) -> Iterator[Volume]:
    import nibabel

    paths = [path for path in _files(folder) if path.name.endswith((".nii", ".nii.gz"))]
    if not paths:
        msg = "no file"
        raise ValueError(msg)
    for path in paths:
        image: Any = nibabel.load(path)
        yield from _by_affine(image.get_fdata(), image.affine)


def dicom2nifti(folder: Path) -> Iterator[Volume]:
    """Convert with dicom2nifti and read what it wrote."""
    import dicom2nifti as converter

    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "a.nii.gz"
        converter.dicom_series_to_nifti(_flat(folder, Path(name)), target, reorient_nifti=False)
        yield from _niftis(Path(name))


def _flat(folder: Path, work: Path) -> Path:
    """Copy files into one folder, for a reader that knows no folders in folders."""
    flat = work / "flat"
    flat.mkdir()
    for number, path in enumerate(_files(folder)):
        shutil.copy(path, flat / f"{number:04d}.dcm")
    return flat


def dcm2niix(folder: Path) -> Iterator[Volume]:
    """Convert with dcm2niix and read what it wrote."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(
            [str(_dcm2niix()), "-z", "n", "-b", "n", "-f", "%p_%s", "-o", name, str(folder)],
            capture_output=True, check=False,
        )  # fmt: skip
        yield from _niftis(Path(name))


def _dcm2niix() -> Path | None:
    beside = Path(sys.executable).with_name("dcm2niix")
    found = beside if beside.exists() else shutil.which("dcm2niix")
    return Path(found) if found else None


def readers() -> dict[str, Callable[[Path], Iterable[Volume]]]:
    """Return the readers that are installed."""
    found: dict[str, Callable[[Path], Iterable[Volume]]] = {"multifidus": ours}
    if _dcm2niix():
        found["dcm2niix"] = dcm2niix
    for label, module, reader in (
        ("SimpleITK", "SimpleITK", simpleitk),
        ("highdicom", "highdicom", highdicom),
        ("nibabel.nicom", "nibabel", nicom),
        ("dicom2nifti", "dicom2nifti", dicom2nifti),
    ):
        if importlib.util.find_spec(module):
            found |= {label: reader}
    return found


def read(reader: Callable[[Path], Iterable[Volume]], folder: Path) -> Read:
    """Read a folder and compare every voxel's z with its value."""
    worst, slices = 0.0, 0
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for values, z in reader(folder):
                apart = float(np.abs(values - z).max()) if values.shape == z.shape else np.inf
                worst = max(worst, np.inf if np.isnan(apart) else apart)
                slices += values.shape[-1]
    except MultifidusError as error:
        return Read(np.nan, 0, error.message)
    except Exception as error:  # noqa: BLE001 - readers raise whatever they meet
        return Read(np.nan, 0, type(error).__name__ if str(error) != "no file" else "no file")
    finally:
        logging.disable(logging.NOTSET)
    return Read(worst, slices) if slices else Read(np.nan, 0, "no image")


def compare(traps: Iterable[Trap] = TRAPS) -> list[tuple[Trap, int, dict[str, Read]]]:
    """Let every reader read every series; gives also how many slices there are to be read."""
    rows = []
    for trap in traps:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            trap.write(folder)
            found = {label: read(reader, folder) for label, reader in readers().items()}
        slices = sum(sum(e.stacks) for e in trap.expected) or trap.refused_slices
        rows.append((trap, slices, found))
    return rows


def as_markdown(rows: list[tuple[Trap, int, dict[str, Read]]]) -> str:
    """Print a table, series by reader."""
    labels = list(rows[0][2])
    lines = [
        "| series | what is tricky | " + " | ".join(labels) + " |",
        "| --- " * (len(labels) + 2) + "|",
    ]
    for trap, expected, found in rows:
        cells = (found[label].text(expected) for label in labels)
        lines.append(f"| {trap.name} | {trap.tricky} | " + " | ".join(cells) + " |")
    wrong = [sum(found[label].worst_mm > FLOOR_MM for _, _, found in rows) for label in labels]
    right = [
        sum(found[label].is_right(expected) for _, expected, found in rows) for label in labels
    ]
    for name, counts in (("all slices, all in place", right), ("wrong, without a word", wrong)):
        lines.append(f"| {name} | of {len(rows)} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(as_markdown(compare()))
