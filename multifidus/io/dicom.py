"""DICOM: classic single-frame and Enhanced multi-frame images, each slice with its own geometry.

Headers are read first and alone; pixels follow on first use. Slices are grouped into series by
UID, echo, contrast and time, and stand in stack order there; nothing is forced into one volume.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from multifidus.errors import MultifidusError, ReadError
from multifidus.geometry import Plane
from multifidus.image import (
    Acquisition,
    Exam,
    Series,
    Slice,
    StoredPixels,
    Weighting,
    in_stack_order,
)
from multifidus.io.dicom_header import Header, read_header
from multifidus.io.dicom_pixels import PixelSource, locate_pixels
from multifidus.io.files import reading
from multifidus.io.scan import Scan, Skipped

ORTHOGONAL = 1e-3
"""Orientation vectors further than this from orthonormal (dot product, length) are refused."""

_DIXON = {
    Weighting.DIXON_WATER: {"W", "WATER"},
    Weighting.DIXON_FAT: {"F", "FAT"},
    Weighting.DIXON_IN_PHASE: {"IP", "IN_PHASE"},
    Weighting.DIXON_OPPOSED_PHASE: {"OP", "OPP_PHASE", "OUT_PHASE", "OPPOSED_PHASE"},
    Weighting.FAT_FRACTION: {"FF", "FAT_FRACTION"},
}

_INVERSION_MS = (80.0, 300.0)
"""Inversion times that null fat."""

_SPIN_ECHO = (
    (Weighting.T2, (60.0, math.inf), (0.0, math.inf)),
    (Weighting.T1, (0.0, 30.0), (0.0, 1200.0)),
    (Weighting.PD, (0.0, 50.0), (1500.0, math.inf)),
)
"""Ranges of echo and repetition time, in ms, that make a contrast."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """One slice and the facts that decide which series it belongs to."""

    item: Slice
    number: int
    patient: str
    study: str
    date: str
    series: str
    contrast: tuple[object, ...]
    frame_of_reference: str
    acquisition: Acquisition
    weighting: Weighting


def scan_dicom(paths: Iterable[Path]) -> Scan:
    """Read the headers of DICOM files and group their slices into exams and series.

    Parameters
    ----------
    paths
        Files; those that cannot be read are skipped with the reason.
    """
    frames: list[_Frame] = []
    skipped: list[Skipped] = []
    origin: dict[str, set[Path]] = {}
    first_at: dict[str, Path] = {}
    for path in paths:
        try:
            found = _read_header(path)
        except MultifidusError as error:
            skipped.append(Skipped(path, error.message))
            continue
        twin = first_at.setdefault(found[0].item.uid or str(path), path)
        if twin != path:
            skipped.append(Skipped(path, f"The same image (SOP instance) as {twin}."))
            continue
        frames.extend(found)
        for frame in found:
            origin.setdefault(frame.series, set()).add(path)
    exams = _group_exams(frames)
    came_from = {
        series.uid: tuple(sorted(origin[series.uid.split("#")[0]]))
        for exam in exams
        for series in exam.series
    }
    return Scan(exams, tuple(skipped), came_from)


def _read_header(path: Path) -> list[_Frame]:
    with reading(path, "DICOM"), path.open("rb") as file:
        try:
            header, syntax = read_header(file)
            return _frames(header, locate_pixels(header, syntax, file, path))
        except MultifidusError:
            raise
        except Exception as error:  # pydicom raises whatever a damaged header makes it meet
            msg = f"Damaged DICOM header: {type(error).__name__}: {error}."
            raise ReadError(msg) from error


def _frames(header: Header, pixels: PixelSource) -> list[_Frame]:
    per_frame = header.items("PerFrameFunctionalGroupsSequence")
    if per_frame:
        shared = header.items("SharedFunctionalGroupsSequence")[:1]
        if len(per_frame) != pixels.frames:
            msg = f"{pixels.frames} frames, but geometry for {len(per_frame)}."
            raise ReadError(msg)
        return [
            _frame(_Groups(header, [group, *shared]), pixels, number)
            for number, group in enumerate(per_frame)
        ]
    if pixels.frames != 1:
        msg = f"{pixels.frames} frames without a geometry of their own."
        raise ReadError(msg)
    return [_frame(_Groups(header, []), pixels, 0)]


class _Groups:
    """Looks an attribute up in a frame's own group, then the shared one, then the header."""

    __slots__ = ("groups", "header")

    def __init__(self, header: Header, groups: list[Header]) -> None:
        self.header = header
        self.groups = groups

    @property
    def is_multiframe(self) -> bool:
        return bool(self.groups)

    def texts(self, sequence: str, name: str) -> list[str]:
        for group in self.groups if sequence else ():
            items = group.items(sequence)
            if items and name in items[0]:
                return items[0].texts(name)
        return self.header.texts(name)

    def number(self, sequence: str, name: str) -> float:
        parts = self.texts(sequence, name)
        return float(parts[0]) if parts and parts[0] else math.nan

    def numbers(self, sequence: str, name: str, count: int) -> list[float]:
        parts = self.texts(sequence, name)
        if len(parts) != count:
            msg = f"No {name} of {count} numbers; without it nothing can be measured in mm."
            raise ReadError(msg)
        return [float(part) for part in parts]


def _frame(groups: _Groups, pixels: PixelSource, number: int) -> _Frame:
    header = groups.header
    slope = groups.number("PixelValueTransformationSequence", "RescaleSlope")
    intercept = groups.number("PixelValueTransformationSequence", "RescaleIntercept")
    item = Slice(
        header.text("SOPInstanceUID") + (f"#{number + 1}" if groups.is_multiframe else ""),
        _plane(groups),
        pixels.shape,
        StoredPixels(
            lambda: pixels.read(number),
            1.0 if math.isnan(slope) else slope,
            0.0 if math.isnan(intercept) else intercept,
        ),
        groups.number("PixelMeasuresSequence", "SliceThickness"),
    )
    acquisition = _acquisition(groups)
    weighting = _weighting(acquisition, groups.number("", "InversionTime"))
    return _Frame(
        item=item,
        number=number if groups.is_multiframe else header.integer("InstanceNumber"),
        # Without an ID, two studies are two subjects: to join them would be a guess.
        patient=header.text("PatientID") or header.text("StudyInstanceUID"),
        study=header.text("StudyInstanceUID"),
        date=header.text("StudyDate"),
        series=header.text("SeriesInstanceUID"),
        contrast=(
            weighting,
            *acquisition.image_type,
            header.text("EchoNumbers"),
            str(acquisition.echo_time_ms) if groups.is_multiframe else "",
            *groups.texts("FrameContentSequence", "TemporalPositionIndex"),
            header.text("TemporalPositionIdentifier"),
        ),
        frame_of_reference=header.text("FrameOfReferenceUID"),
        acquisition=acquisition,
        weighting=weighting,
    )


def _plane(groups: _Groups) -> Plane:
    position = groups.numbers("PlanePositionSequence", "ImagePositionPatient", 3)
    orientation = groups.numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    row_mm, column_mm = groups.numbers("PixelMeasuresSequence", "PixelSpacing", 2)
    along_row, along_column = orientation[:3], orientation[3:]
    lengths = math.hypot(*along_row), math.hypot(*along_column)
    skew = abs(sum(a * b for a, b in zip(along_row, along_column, strict=True)))
    if not (skew <= ORTHOGONAL and max(abs(length - 1) for length in lengths) <= ORTHOGONAL):
        msg = f"ImageOrientationPatient {orientation} is not orthonormal."
        raise ReadError(msg)
    if not (row_mm > 0 and column_mm > 0):
        msg = f"PixelSpacing {row_mm:g}, {column_mm:g} is not positive."
        raise ReadError(msg)
    # Stored with few digits, the directions are slightly longer or shorter than 1; the spacing is
    # what says how far pixels are apart.
    row_step = [part / lengths[1] * row_mm for part in along_column]
    column_step = [part / lengths[0] * column_mm for part in along_row]
    return Plane(np.array(position), np.array(row_step), np.array(column_step))


def _acquisition(groups: _Groups) -> Acquisition:
    echo_ms = groups.number("MREchoSequence", "EffectiveEchoTime")
    timing = "MRTimingAndRelatedParametersSequence"
    image_type = groups.texts("MRImageFrameTypeSequence", "FrameType")
    return Acquisition(
        manufacturer=groups.header.text("Manufacturer"),
        field_strength_t=groups.number("", "MagneticFieldStrength"),
        repetition_time_ms=groups.number(timing, "RepetitionTime"),
        echo_time_ms=groups.number("", "EchoTime") if math.isnan(echo_ms) else echo_ms,
        image_type=tuple(image_type or groups.header.texts("ImageType")),
    )


def _weighting(acquisition: Acquisition, inversion_ms: float) -> Weighting:
    """Tell the contrast from the image type's tokens, else from echo and repetition time."""
    tokens = {token.upper() for token in acquisition.image_type[2:]}
    for weighting, names in _DIXON.items():
        if tokens & names:
            return weighting
    if any("LOCALIZER" in token for token in tokens):
        return Weighting.LOCALIZER
    if _INVERSION_MS[0] <= inversion_ms <= _INVERSION_MS[1]:
        return Weighting.STIR
    echo, repetition = acquisition.echo_time_ms, acquisition.repetition_time_ms
    for weighting, echoes, repetitions in _SPIN_ECHO:
        if echoes[0] <= echo <= echoes[1] and repetitions[0] <= repetition <= repetitions[1]:
            return weighting
    return Weighting.UNKNOWN


def _group_exams(frames: Sequence[_Frame]) -> tuple[Exam, ...]:
    """Part frames by study; subjects and exams get neutral numbers, never identifiers."""
    patients = {patient: n for n, patient in enumerate(dict.fromkeys(f.patient for f in frames), 1)}
    studies: dict[tuple[str, str], list[_Frame]] = {}
    for frame in frames:
        studies.setdefault((frame.patient, frame.study), []).append(frame)
    exams = []
    counted: dict[str, int] = {}
    for (patient, _), members in sorted(
        studies.items(), key=lambda pair: (patients[pair[0][0]], pair[1][0].date, pair[0][1])
    ):
        counted[patient] = counted.get(patient, 0) + 1
        exams.append(
            Exam(
                subject=f"subject-{patients[patient]}",
                timepoint=f"exam-{counted[patient]}",
                series=_group_series(members),
                date=_date(members[0].date),
                identity=patient,
            )
        )
    return tuple(exams)


def _group_series(frames: Sequence[_Frame]) -> tuple[Series, ...]:
    by_uid: dict[str, dict[tuple[object, ...], list[_Frame]]] = {}
    for frame in frames:
        by_uid.setdefault(frame.series, {}).setdefault(frame.contrast, []).append(frame)
    series = []
    for uid in sorted(by_uid):
        parts = [by_uid[uid][contrast] for contrast in sorted(by_uid[uid], key=str)]
        for number, members in enumerate(parts, 1):
            name = uid if len(parts) == 1 else f"{uid}#{number}"
            ordered = sorted(members, key=lambda frame: (frame.number, frame.item.uid))
            series.append(
                Series(
                    name,
                    in_stack_order(frame.item for frame in ordered),
                    members[0].weighting,
                    members[0].frame_of_reference,
                    members[0].acquisition,
                )
            )
    return tuple(series)


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
