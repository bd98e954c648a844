"""Loading a series of 25 slices of 512 x 512."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import multifidus as mf
from benchmarks.synthetic import Sample
from benchmarks.timing import Comparison, alternate

ENCODINGS = {"RLE": "RLELossless", "JPEG-LS": "JPEGLSLossless", "JPEG 2000": "JPEG2000Lossless"}


def run(sample: Sample, folder: Path, repeats: int) -> list[Comparison]:
    """Compare with pydicom's dcmread and pixel_array in a loop, SimpleITK, and bare decoders."""
    import pydicom

    def stored() -> object:
        return _load(sample.folder)

    def rescaled() -> object:
        (exam,) = mf.read_exams(sample.folder)
        return [item.pixels for item in exam.series[0].slices]

    def peer_stored() -> object:
        return [pydicom.dcmread(path).pixel_array for path in sample.files]

    def peer_rescaled() -> object:
        return [pydicom.dcmread(path).pixel_array.astype(np.float64) for path in sample.files]

    found = [
        Comparison("load 25 slices: exam, stacks, stored pixels", "pydicom dcmread + pixel_array",
                   *alternate(stored, peer_stored, repeats), "s", 1.0),
        Comparison("the same, pixels rescaled to float64", "the same, as float64",
                   *alternate(rescaled, peer_rescaled, repeats), "s", None),
    ]  # fmt: skip
    if importlib.util.find_spec("SimpleITK"):
        found.append(_beside_simpleitk(sample, repeats))
    else:
        found.append(Comparison(found[0].job, "SimpleITK: not installed", math.nan, math.nan, "s",
                                None))  # fmt: skip
    for label in ENCODINGS:
        found.extend(_beside_decoder(sample, folder, label, repeats))
    return found


def _load(folder: Path) -> list[np.ndarray]:
    (exam,) = mf.read_exams(folder)
    return [item.stored_pixels for item in exam.series[0].slices]


def _beside_simpleitk(sample: Sample, repeats: int) -> Comparison:
    import SimpleITK

    # It warns that it takes the five angled stacks for one volume; here its time is what matters.
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # noqa: FBT003

    def theirs() -> object:
        reader = SimpleITK.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(sample.folder)))
        return reader.Execute()

    return Comparison(
        "load 25 slices: exam, stacks, stored pixels", "SimpleITK ImageSeriesReader",
        *alternate(lambda: _load(sample.folder), theirs, repeats), "s", 1.0,
    )  # fmt: skip


def _beside_decoder(sample: Sample, within: Path, label: str, repeats: int) -> list[Comparison]:
    """Compare with decoding alone, of data sets that were read and parsed before."""
    import pydicom
    import pydicom.uid
    from pydicom.pixels.decoders.base import get_decoder

    syntax, folder = getattr(pydicom.uid, ENCODINGS[label]), within / ENCODINGS[label]
    folder.mkdir()
    datasets = []
    for path in sample.files:
        dataset = pydicom.dcmread(path)
        try:
            dataset.compress(syntax, generate_instance_uid=False)
        except RuntimeError:  # no encoder is installed
            return []
        dataset.save_as(folder / path.name)
        datasets.append(pydicom.dcmread(folder / path.name))
    plugins = get_decoder(syntax).available_plugins
    decoders = [_decoding(datasets, plugin) for plugin in plugins]
    return [
        Comparison(f"load 25 slices, {label}", f"pydicom's decoder alone ({plugin}), parsed before",
                   *alternate(lambda: _load(folder), decoder, max(1, repeats // 3)), "s",
                   1.2 if len(plugins) == 1 or plugin != "gdcm" else None)
        for plugin, decoder in zip(plugins, decoders, strict=True)
    ]  # fmt: skip


def _decoding(datasets: list[Any], plugin: str) -> Callable[[], object]:
    from pydicom.pixels.decoders.base import get_decoder

    decoder = get_decoder(datasets[0].file_meta.TransferSyntaxUID)
    return lambda: [
        decoder.as_array(dataset, raw=True, decoding_plugin=plugin) for dataset in datasets
    ]
