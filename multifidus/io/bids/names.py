"""What the Brain Imaging Data Structure says about a NIfTI file: in its name, and beside it.

Names and units are those of BIDS 1.10 (doi:10.1038/sdata.2016.44).
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.data.acquisition import Acquisition, header_text
from multifidus.data.identity import BidsEntities
from multifidus.data.image import ScannerRun, Weighting
from multifidus.errors import ReadError
from multifidus.io.contrast import Contrasts, agreed, by_times, shipped_contrasts
from multifidus.io.files import reading

_ENTITY = re.compile(r"(?:^|_)(sub|ses)-([0-9A-Za-z]+)(?=_)")
_LABEL = re.compile(r"(?:^|_)(sub|ses)-([0-9A-Za-z]+)(?=[_.]|$)")
_WORDS = re.compile(r"_(?:acq|rec|desc|part)-([0-9A-Za-z]{2,})(?=_)")
_REPEAT = re.compile(r"_run-([0-9]+)(?=_)")
_BETWEEN = re.compile(r"[-_. ]+")
_SUFFIX = re.compile(r"_([0-9A-Za-z]+)\.nii(?:\.gz)?$")

_DATASET = "dataset_description.json"
"""The file that makes a folder a BIDS dataset."""

_DERIVED = "derivatives"

_ASIDE = (_DERIVED, "sourcedata")
"""Folders of a dataset that hold other things than its images."""

_LABEL_MAPS = ("dseg", "mask", "probseg")
"""Suffixes of files that outline an image."""

_FIRST_SESSIONS = ("pre", "base", "bl")
"""How the labels of sessions start that come before all others."""

_NUMBER = re.compile(r"(\d+)")

_UNITS = {"%": "%", "percent": "%", "1": "1", "fraction": "1"}
"""Units of fractions as sidecars spell them, to UCUM's spelling."""

_WEIGHTINGS = {"T1w": Weighting.T1, "T2w": Weighting.T2, "PDw": Weighting.PD}


@dataclass(frozen=True, slots=True)
class BidsName:
    """Subject, session and suffix of a file name; empty where it has none.

    ``labels`` are those of its acquisition, reconstruction, description and part.
    """

    subject: str = ""
    session: str = ""
    suffix: str = ""
    labels: tuple[str, ...] = ()

    @property
    def weighting(self) -> Weighting:
        """The contrast that the suffix stands for."""
        return _WEIGHTINGS.get(self.suffix, Weighting.UNKNOWN)

    @property
    def words(self) -> tuple[str, ...]:
        """What may name a contrast; single letters, which may mean anything, are left out."""
        return tuple(word for word in (*self.labels, self.suffix) if len(word) > 1)


def datasets(files: Iterable[Path]) -> frozenset[Path]:
    """Return the folders that are BIDS datasets."""
    return frozenset(path.parent for path in files if path.name == _DATASET)


def set_aside(path: Path, roots: frozenset[Path]) -> str:
    """Say why a file is no image of its dataset; empty where it may be one.

    Parameters
    ----------
    path
        The file.
    roots
        The datasets among the folders that are looked into; a folder of derivatives that is looked
        into by itself is a dataset of its own.
    """
    if bids_name(path).suffix in _LABEL_MAPS:
        return "A label map, by its BIDS name. Give it with --outlines."
    for folder in path.parents if roots else ():
        if folder.name in _ASIDE and folder.parent in roots:
            return f"In {folder.name} of a BIDS dataset. Give that folder by itself to read it."
    return ""


def session_order(label: str) -> tuple[bool, list[tuple[int, str]]]:
    """Return what sorts the labels of sessions: before surgery first, then by number and name.

    BIDS names carry no dates. ``pre`` and ``baseline`` come first, and 2 before 10.
    """
    lower = label.lower()
    parts = [(int(part), "") if part.isdigit() else (-1, part) for part in _NUMBER.split(lower)]
    return not lower.startswith(_FIRST_SESSIONS), parts


def bids_name(path: Path) -> BidsName:
    """Read a file name; one that is not BIDS has no subject."""
    entities = dict(_ENTITY.findall(path.name))
    suffix = _SUFFIX.search(path.name)
    if "sub" not in entities or suffix is None:
        return BidsName()
    labels = tuple(_WORDS.findall(path.name))
    return BidsName(entities["sub"], entities.get("ses", ""), suffix[1], labels)


def sidecar_path(path: Path) -> Path:
    """Return where the JSON file of a NIfTI file would be."""
    ending = r"\.(nii(\.gz)?|hdr|img)$"
    return path.with_name(re.sub(ending, ".json", path.name, flags=re.IGNORECASE))


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the name of a file and the JSON file beside it say about its image."""

    weighting: Weighting
    acquisition: Acquisition
    run: ScannerRun
    unit: str


def image_facts(path: Path, contrasts: Contrasts | None = None) -> ImageFacts:
    """Read what an image shows and how it was acquired from its name and its sidecar.

    The contrast is what the sidecar's image type and the words of a BIDS name agree upon; where
    neither says anything, the sidecar's description of the series, then the name's suffix, then
    echo and repetition time.

    Raises
    ------
    ReadError
        If the sidecar is there and is not a JSON object.
    """
    contrasts = contrasts or shipped_contrasts()
    facts = _facts(path)
    acquisition = _acquisition(facts)
    return ImageFacts(
        _weighting(path, facts, acquisition, contrasts),
        acquisition,
        _run(path, facts, contrasts),
        _UNITS.get(str(facts.get("Units", "")).strip().lower(), ""),
    )


def _facts(path: Path) -> dict[str, Any]:
    beside = sidecar_path(path)
    if not beside.is_file():
        return {}
    with reading(beside, "a sidecar"):
        data = beside.read_bytes()
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError) as error:
        msg = f"{beside} is not readable JSON: {error}."
        raise ReadError(msg, remedy="Repair or remove it.") from error
    if not isinstance(facts, dict):
        msg = f"{beside} is not a JSON object."
        raise ReadError(msg, remedy="Repair or remove it.")
    return facts


def _acquisition(facts: Mapping[str, Any]) -> Acquisition:
    image_type = facts.get("ImageType", ())
    return Acquisition(
        manufacturer=str(facts.get("Manufacturer", "")),
        field_strength_t=_number(facts.get("MagneticFieldStrength")),
        # BIDS counts seconds, DICOM and we milliseconds.
        repetition_time_ms=1000 * _number(facts.get("RepetitionTime")),
        echo_time_ms=1000 * _number(facts.get("EchoTime")),
        image_type=tuple(map(str, image_type if isinstance(image_type, list) else [image_type])),
        model=_text(facts, "ManufacturersModelName"),
        sequence_name=_text(facts, "SequenceName"),
        sequence_type=_text(facts, "PulseSequenceType") or _text(facts, "ScanningSequence"),
        slice_thickness_mm=_length(facts, "SliceThickness"),
        slice_spacing_mm=_length(facts, "SpacingBetweenSlices"),
        coil=_text(facts, "ReceiveCoilName"),
    )


def _text(facts: Mapping[str, Any], name: str) -> str:
    """Return a text, or a list of them as one; what else a sidecar holds there is none."""
    value = facts.get(name)
    parts = value if isinstance(value, list) else [value]
    return header_text(*(part for part in parts if isinstance(part, str)))


def _length(facts: Mapping[str, Any], name: str) -> float:
    found = _number(facts.get(name))
    return found if found > 0 and math.isfinite(found) else math.nan


def _weighting(
    path: Path, facts: Mapping[str, Any], acquisition: Acquisition, contrasts: Contrasts
) -> Weighting:
    vendor, tokens = acquisition.manufacturer, acquisition.image_type
    if tokens[:1] in {("ORIGINAL",), ("DERIVED",)}:
        tokens = tokens[2:]
    name = bids_name(path)
    claims = {
        contrasts.of_words(tokens, vendor),
        contrasts.of_words(name.words, vendor),
    } - {None}
    if claims:
        return agreed(claim for claim in claims if claim is not None)
    told = contrasts.of_description(str(facts.get("SeriesDescription", "")), vendor)
    if told is not None:
        return told
    if name.weighting is not Weighting.UNKNOWN:
        return name.weighting
    return by_times(acquisition, 1000 * _number(facts.get("InversionTime")))


def _run(path: Path, facts: Mapping[str, Any], contrasts: Contrasts) -> ScannerRun:
    repeat = _REPEAT.search(path.name)
    parts = _BETWEEN.split(path.with_suffix("").name)
    stem = "_".join(part for part in parts if contrasts.of_words((part,)) is None)
    told = ("SeriesInstanceUID", "AcquisitionTime", "AcquisitionNumber")
    marks = (*(str(facts.get(name, "")) for name in told), str(path.parent / f"{stem}.nii"))
    return ScannerRun("" if repeat is None else str(int(repeat[1])), marks)


def _number(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else math.nan


def bids_entities(path: Path) -> BidsEntities:
    """Read the labels of subject and session in the name of a file, and find their dataset.

    They are taken from names that are not all BIDS as well: those of label maps seldom are.
    """
    labels = dict(_LABEL.findall(path.name))
    subject = labels.get("sub", "")
    return BidsEntities(
        subject, labels.get("ses", ""), _dataset(path, subject) if subject else None
    )


def _dataset(path: Path, subject: str) -> Path | None:
    """Return the dataset that has images of a subject and holds a file; None where none does.

    What a pipeline derived may lie anywhere, so that its own folder says nothing.
    """
    for folder in path.absolute().parents:
        if (folder / f"sub-{subject}").is_dir() and _is_of_images(folder):
            return folder.resolve()
    return None


def _is_of_images(folder: Path) -> bool:
    if _DERIVED in {folder.name, folder.parent.name}:
        return False
    with contextlib.suppress(OSError, ValueError, RecursionError):
        said = json.loads((folder / _DATASET).read_bytes())
        return isinstance(said, dict) and said.get("DatasetType", "raw") == "raw"
    return False
