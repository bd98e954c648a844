"""What the Brain Imaging Data Structure says about a NIfTI file: in its name, and beside it.

Names and units are those of BIDS 1.10 (doi:10.1038/sdata.2016.44).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.errors import ReadError
from multifidus.image import Acquisition, Weighting
from multifidus.io.files import reading

_ENTITY = re.compile(r"(?:^|_)(sub|ses)-([0-9A-Za-z]+)(?=_)")
_SUFFIX = re.compile(r"_([0-9A-Za-z]+)\.nii(?:\.gz)?$")

_WEIGHTINGS = {"T1w": Weighting.T1, "T2w": Weighting.T2, "PDw": Weighting.PD}


@dataclass(frozen=True, slots=True)
class BidsName:
    """Subject, session and suffix of a file name; empty where it has none."""

    subject: str = ""
    session: str = ""
    suffix: str = ""

    @property
    def weighting(self) -> Weighting:
        """The contrast that the suffix stands for."""
        return _WEIGHTINGS.get(self.suffix, Weighting.UNKNOWN)


def bids_name(path: Path) -> BidsName:
    """Read a file name; one that is not BIDS has no subject."""
    entities = dict(_ENTITY.findall(path.name))
    suffix = _SUFFIX.search(path.name)
    if "sub" not in entities or suffix is None:
        return BidsName()
    return BidsName(entities["sub"], entities.get("ses", ""), suffix[1])


def sidecar_path(path: Path) -> Path:
    """Return where the JSON file of a NIfTI file would be."""
    return path.with_name(re.sub(r"\.nii(\.gz)?$", ".json", path.name, flags=re.IGNORECASE))


def sidecar(path: Path) -> Acquisition:
    """Read how an image was acquired from the JSON file beside it; nothing where there is none.

    Raises
    ------
    ReadError
        If the file is there and is not a JSON object.
    """
    beside = sidecar_path(path)
    if not beside.is_file():
        return Acquisition()
    with reading(beside, "a sidecar"):
        data = beside.read_bytes()
    try:
        facts = json.loads(data)
    except ValueError as error:
        msg = f"{beside} is not readable JSON: {error}."
        raise ReadError(msg, remedy="Repair or remove it.") from error
    if not isinstance(facts, dict):
        msg = f"{beside} is not a JSON object."
        raise ReadError(msg, remedy="Repair or remove it.")
    image_type = facts.get("ImageType", ())
    return Acquisition(
        manufacturer=str(facts.get("Manufacturer", "")),
        field_strength_t=_number(facts.get("MagneticFieldStrength")),
        # BIDS counts seconds, DICOM and we milliseconds.
        repetition_time_ms=1000 * _number(facts.get("RepetitionTime")),
        echo_time_ms=1000 * _number(facts.get("EchoTime")),
        image_type=tuple(map(str, image_type if isinstance(image_type, list) else [image_type])),
    )


def _number(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else math.nan
