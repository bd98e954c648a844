"""One number about one outline, with all it takes to know where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from multifidus.anatomy import Level, RoiRule, SlicePosition
from multifidus.flag import Flag
from multifidus.roi import RoiKey, Source


class Quantity(StrEnum):
    """What is measured. The name ends in its unit; percentages are 0 to 100."""

    TCSA_MM2 = "tcsa_mm2"
    TCSA_PIXEL_MM2 = "tcsa_pixel_mm2"
    VALID_CSA_MM2 = "valid_csa_mm2"
    MEAN_SI = "mean_si"
    FCSA_MM2 = "fcsa_mm2"
    FAT_CSA_MM2 = "fat_csa_mm2"
    FI_PCT = "fi_pct"
    DIXON_FF_MEAN_PCT = "dixon_ff_mean_pct"
    DIXON_FF_RATIO_PCT = "dixon_ff_ratio_pct"

    @property
    def unit(self) -> str:
        """Unit as tables print it; ``1`` for signal, whose unit is the scanner's own."""
        return next((unit for suffix, unit in _UNITS.items() if self.endswith(suffix)), "1")

    @property
    def definition(self) -> str:
        """What it is, in one sentence."""
        return _DEFINITIONS[self][0]

    @property
    def source(self) -> str:
        """Where its definition comes from."""
        return _DEFINITIONS[self][1]


_UNITS = {"_mm2": "mm2", "_pct": "%"}

_FORTIN = "Fortin and Battie 2012, doi:10.2522/ptj.20110380"

_DEFINITIONS = {
    Quantity.TCSA_MM2: (
        "Total cross-sectional area: exact area of the outline in its slice's own plane, even-odd "
        "over holes and islands. Artefact outlines take nothing from it.",
        "Crawford et al. 2017, doi:10.1186/s12891-016-1378-z",
    ),
    Quantity.TCSA_PIXEL_MM2: (
        "Pixels whose centre is inside the outline, times the pixel area: ImageJ's convention.",
        "ImageJ 1.53t, compared outline by outline",
    ),
    Quantity.VALID_CSA_MM2: (
        "Area of the outline inside the image and outside artefact outlines; what fat is measured "
        "in.",
        "this software",
    ),
    Quantity.MEAN_SI: (
        "Mean signal of the valid pixels, each weighted by how much of it lies inside the outline.",
        "this software",
    ),
    Quantity.FCSA_MM2: (
        "Functional (lean) cross-sectional area: valid area whose signal is not fat by the named "
        "method.",
        _FORTIN,
    ),
    Quantity.FAT_CSA_MM2: (
        "Fat area: valid area whose signal is fat by the named method; with fcsa_mm2 it makes up "
        "valid_csa_mm2.",
        _FORTIN,
    ),
    Quantity.FI_PCT: (
        "Fat infiltration: 100 x fat_csa_mm2 / (fcsa_mm2 + fat_csa_mm2), by the named method.",
        _FORTIN,
    ),
    Quantity.DIXON_FF_MEAN_PCT: (
        "Dixon signal fat fraction: 100 x mean of F / (F + W) over pixels with F + W > 0.",
        "this software; both forms are in use and differ by 1 to 4 points",
    ),
    Quantity.DIXON_FF_RATIO_PCT: (
        "Dixon signal fat fraction: 100 x sum of F / sum of (F + W) over pixels with F + W > 0.",
        "this software; both forms are in use and differ by 1 to 4 points",
    ),
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """What all numbers about one outline share: its slice, its place, what made it.

    Parameters
    ----------
    series, slice_index
        UID of the series and 0-based place of the slice in it.
    tilt_deg
        Signed tilt of the slice against patient z (:func:`multifidus.geometry.tilt_deg`).
    valid_fraction
        Share of the outline's area inside the image that artefact outlines left over.
    protocol, version
        Digest of the protocol and version of the software.
    image_sha256, outline_sha256
        Hashes of the slice and of the outline that were measured.
    """

    series: str
    slice_index: int
    level: Level | None
    slice_position: SlicePosition
    tilt_deg: float
    valid_fraction: float
    roi_rule: RoiRule
    source: Source
    protocol: str
    version: str
    image_sha256: str
    outline_sha256: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number: a row of the tidy table.

    Parameters
    ----------
    key
        Of which outline.
    quantity, value
        What, and how much; NaN with a flag where it is undefined.
    provenance
        What it shares with the outline's other numbers.
    n_pixels
        Pixels that entered it.
    method, parameters
        How, with the values used, such as the threshold and its basis.
    flags
        Doubts.
    """

    key: RoiKey
    quantity: Quantity
    value: float
    provenance: Provenance
    n_pixels: int
    method: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    flags: tuple[Flag, ...] = ()
