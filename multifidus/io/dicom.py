"""DICOM: classic single-frame and Enhanced multi-frame images, each slice with its own geometry.

Headers are read first and alone; pixels follow on first use. Slices are grouped into series by
UID, contrast, echo, time and view, and stand in stack order there; nothing is forced into one
volume. The same image twice is read once.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from multifidus.errors import MultifidusError, ReadError
from multifidus.flag import Flag
from multifidus.geometry import Plane
from multifidus.image import (
    TO_PCT,
    Acquisition,
    Exam,
    Run,
    Series,
    Slice,
    StoredPixels,
    Weighting,
    in_stack_order,
)
from multifidus.io.contrast import Contrasts, shipped_contrasts
from multifidus.io.dicom_header import Header, read_header
from multifidus.io.dicom_pixels import PixelSource, locate_pixels
from multifidus.io.dicom_plane import decimal, plane_of
from multifidus.io.dicom_scale import RealWorld, declared_unit, real_world, signal_scale
from multifidus.io.files import reading
from multifidus.io.mosaic import Tile, tiles
from multifidus.io.scan import Scan, Skipped
from multifidus.stacking import same_places, view_groups

PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
"""SOP class of maps of quantities."""

_TIME_DIGITS = 9
"""Temporal positions are filled up to this many digits, so that 2 comes before 10."""

_LOOK_DIGITS = 12
"""Hexadecimal digits by which images of one UID are told apart."""

_SAME_ECHO_MS = 0.1
"""Echo times that differ by less are one echo's, written with noise."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """One slice and the facts that decide which series it belongs to."""

    item: Slice
    path: Path
    number: int
    patient: str
    study: str
    date: str
    series: str
    contrast: tuple[object, ...]
    frame_of_reference: str
    acquisition: Acquisition
    weighting: Weighting
    run: Run
    unit: str
    flags: tuple[Flag, ...] = ()


def scan_dicom(paths: Iterable[Path], contrasts: Contrasts | None = None) -> Scan:
    """Read the headers of DICOM files and group their slices into exams and series.

    Parameters
    ----------
    paths
        Files; those that cannot be read are skipped with the reason.
    contrasts
        What the words of a header mean; the shipped table if None.
    """
    contrasts = contrasts or shipped_contrasts()
    images = _Images()
    skipped: list[Skipped] = []
    for path in paths:
        try:
            found = _read_header(path, contrasts)
        except MultifidusError as error:
            skipped.append(Skipped(path, str(error)))
            continue
        twin = images.add(found)
        if twin is not None:
            skipped.append(Skipped(path, f"The same image (SOP instance) as {twin.path}."))
    exams, came_from, copies = _group_exams(list(images.frames()))
    return Scan(exams, (*skipped, *copies), came_from)


class _Images:
    """The images of files, one or several frames each, by SOP instance UID.

    Some de-identification leaves many images with one UID, or none. They are told apart by their
    places and facts, and get UIDs of their own, all of them: outlines that name the damaged UID
    find no image by it, and are placed by their planes.
    """

    __slots__ = ("_first", "_kept", "_looks")

    def __init__(self) -> None:
        self._kept: list[list[_Frame]] = []
        self._first: dict[str, list[_Frame]] = {}
        self._looks: dict[str, dict[str, list[_Frame]]] = {}

    def add(self, found: list[_Frame]) -> _Frame | None:
        """Keep a file's images, or return the first of those that they are the same as."""
        first = self._first.setdefault(_own_uid(found), found)
        if first is not found:
            # Only where a UID comes again are images compared, which is rare.
            looks = self._looks.setdefault(_own_uid(found), {_look(first): first})
            twin = looks.setdefault(_look(found), found)
            if twin is not found:
                return twin[0]
        self._kept.append(found)
        return None

    def frames(self) -> Iterator[_Frame]:
        """Yield every image that was kept, under a UID that no other has."""
        for found in self._kept:
            uid = _own_uid(found)
            if uid and len(self._looks.get(uid, ())) < 2:  # noqa: PLR2004 - one look, one image
                yield from found
                continue
            look = _look(found)
            for frame in found:
                _, mark, number = frame.item.uid.partition("#")
                item = replace(frame.item, uid=f"{uid}~{look}{mark}{number}")
                yield replace(frame, item=item, flags=(*frame.flags, Flag.UID_REPEATED))


def _own_uid(found: Sequence[_Frame]) -> str:
    return found[0].item.uid.partition("#")[0]


def _look(found: Sequence[_Frame]) -> str:
    """Return a short hash of where a file's images lie and what their headers tell about them."""
    facts = [
        (
            tuple(round(number, 6) + 0.0 for number in frame.item.plane.numbers),
            frame.item.shape,
            frame.number,
            frame.acquisition.echo_time_ms,
            frame.acquisition.image_type,
        )
        for frame in found
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:_LOOK_DIGITS]


def _read_header(path: Path, contrasts: Contrasts) -> list[_Frame]:
    with reading(path, "DICOM"), path.open("rb") as file:
        try:
            header, syntax = read_header(file)
            return _frames(header, locate_pixels(header, syntax, file, path), contrasts)
        except MultifidusError:
            raise
        except Exception as error:  # pydicom raises whatever a damaged header makes it meet
            msg = f"Damaged DICOM header: {type(error).__name__}: {error}."
            raise ReadError(msg) from error


def _frames(header: Header, pixels: PixelSource, contrasts: Contrasts) -> list[_Frame]:
    per_frame = header.items("PerFrameFunctionalGroupsSequence")
    if per_frame:
        shared = header.items("SharedFunctionalGroupsSequence")[:1]
        if len(per_frame) != pixels.frames:
            msg = f"{pixels.frames} frames, but geometry for {len(per_frame)}."
            raise ReadError(msg)
        return [
            _frame(_Groups(header, [group, *shared]), pixels, number, contrasts)
            for number, group in enumerate(per_frame)
        ]
    if pixels.frames != 1:
        msg = f"{pixels.frames} frames without a geometry of their own."
        raise ReadError(msg)
    only = _frame(_Groups(header, []), pixels, 0, contrasts)
    return _tiles(only) if "MOSAIC" in header.texts("ImageType") else [only]


def _tiles(mosaic: _Frame) -> list[_Frame]:
    """Part a mosaic into its slices."""
    whole = mosaic.item
    slope, intercept = whole.stored.slope, whole.stored.intercept

    def slice_of(number: int, tile: Tile) -> Slice:
        stored = StoredPixels(lambda: tile.cut(whole.stored_pixels), slope, intercept)
        uid = f"{whole.uid}#{number + 1}"
        return Slice(uid, tile.plane, tile.shape, stored, whole.thickness_mm)

    return [
        replace(mosaic, item=slice_of(number, tile), number=number)
        for number, tile in enumerate(tiles(mosaic.path, whole.plane, whole.shape))
    ]


class _Groups:
    """Looks an attribute up in a frame's own group, then the shared one, then the header."""

    __slots__ = ("groups", "header")

    def __init__(self, header: Header, groups: list[Header]) -> None:
        self.header = header
        self.groups = groups

    @property
    def is_multiframe(self) -> bool:
        return bool(self.groups)

    def texts(self, sequence: str, name: str) -> tuple[str, ...]:
        for group in self.groups if sequence else ():
            items = group.items(sequence)
            if items and name in items[0]:
                return items[0].texts(name)
        return self.header.texts(name)

    def number(self, sequence: str, name: str) -> float:
        parts = self.texts(sequence, name)
        if len(parts) > 1:
            msg = f"{name} has {len(parts)} values where one is meant: {', '.join(parts)}."
            raise ReadError(msg, remedy="Export the image again.")
        return decimal(parts[0], name) if parts and parts[0] else math.nan

    def parts(self, sequence: str, name: str, count: int) -> tuple[str, ...]:
        parts = self.texts(sequence, name)
        if len(parts) != count:
            msg = f"No {name} of {count} numbers; without it nothing can be measured in mm."
            raise ReadError(msg, remedy="Export the image again, with its geometry.")
        return parts


def _frame(groups: _Groups, pixels: PixelSource, number: int, contrasts: Contrasts) -> _Frame:
    header = groups.header
    mapped = real_world([*groups.groups, header])
    acquisition = _acquisition(groups)
    component = groups.texts("MRImageFrameTypeSequence", "ComplexImageComponent")
    tokens = (*acquisition.image_type[2:], *component, *(mapped.words if mapped else ()))
    weighting = _weighting(groups, tokens, contrasts, is_float=pixels.is_float)
    values = _values(groups, mapped, is_fraction=weighting.is_fat_fraction)
    plane, doubts = _plane(groups)
    thickness = groups.number("PixelMeasuresSequence", "SliceThickness")
    item = Slice(
        header.text("SOPInstanceUID") + (f"#{number + 1}" if groups.is_multiframe else ""),
        plane,
        pixels.shape,
        StoredPixels(partial(pixels.read, number), values.slope, values.intercept),
        thickness if thickness > 0 else math.nan,
    )
    time = groups.texts("FrameContentSequence", "TemporalPositionIndex")
    time = time or header.texts("TemporalPositionIdentifier")
    return _Frame(
        item=item,
        path=pixels.path,
        number=number if groups.is_multiframe else header.integer("InstanceNumber"),
        # Without an ID, two studies are two subjects: to join them would be a guess.
        patient=header.text("PatientID") or header.text("StudyInstanceUID"),
        study=header.text("StudyInstanceUID"),
        date=header.text("StudyDate"),
        series=header.text("SeriesInstanceUID"),
        contrast=(
            weighting.value,
            acquisition.image_type,
            *component[:1],
            header.text("EchoNumbers"),
            "".join(time).zfill(_TIME_DIGITS),
            header.text("FrameOfReferenceUID"),
            values.unit,
        ),
        frame_of_reference=header.text("FrameOfReferenceUID"),
        acquisition=acquisition,
        weighting=weighting,
        run=_run(
            "".join(time),
            (header.text("AcquisitionTime"), header.text("AcquisitionNumber")),
            (signal_scale(header, values.slope, mapped),),
        ),
        unit=values.unit,
        flags=(*doubts, *((Flag.LOSSY_COMPRESSION,) if pixels.is_lossy else ())),
    )


def _weighting(
    groups: _Groups, tokens: tuple[str, ...], contrasts: Contrasts, *, is_float: bool
) -> Weighting:
    """Tell the contrast of a frame.

    Floating-point pixels hold a quantity more often than signal, so the times of the acquisition
    that it was computed from do not tell what they show; those of a declared map are no signal.
    """
    header = groups.header
    acquisition = _acquisition(groups)
    inversion_ms = groups.number("", "InversionTime")
    is_map = header.text("SOPClassUID") == PARAMETRIC_MAP
    if is_map or is_float:
        acquisition = Acquisition(acquisition.manufacturer)
        inversion_ms = math.nan
    found = contrasts.weighting(
        tokens, acquisition, inversion_ms, lambda: header.text("SeriesDescription")
    )
    return Weighting.NO_SIGNAL if is_map and not found.is_fat_fraction else found


# Images of one series mostly share their run: kept once, it takes its memory once.
_run = lru_cache(maxsize=256)(Run)


def _values(groups: _Groups, mapped: RealWorld | None, *, is_fraction: bool) -> RealWorld:
    """Return what turns stored values into the slice's own, and their unit where it is declared.

    Signal is rescaled, whatever real-world map stands beside; a map of fat fractions takes its
    real-world map, if that has a unit of fractions.
    """
    if is_fraction and mapped is not None and mapped.unit in TO_PCT:
        return mapped
    slope = groups.number("PixelValueTransformationSequence", "RescaleSlope")
    intercept = groups.number("PixelValueTransformationSequence", "RescaleIntercept")
    offset = 0.0 if math.isnan(intercept) else intercept
    if offset + slope == offset:
        msg = f"RescaleSlope is {slope:g}, which would make all pixels alike."
        raise ReadError(msg, remedy="Export the image again, with its rescale or without any.")
    return RealWorld(
        1.0 if math.isnan(slope) else slope,
        offset,
        declared_unit(groups.header) if is_fraction else "",
    )


def _plane(groups: _Groups) -> tuple[Plane, tuple[Flag, ...]]:
    """Return where a frame lies, and the doubts about it."""
    return plane_of(
        groups.parts("PlanePositionSequence", "ImagePositionPatient", 3),
        groups.parts("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        groups.parts("PixelMeasuresSequence", "PixelSpacing", 2),
    )


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


def _group_exams(
    frames: Sequence[_Frame],
) -> tuple[tuple[Exam, ...], dict[str, tuple[Path, ...]], list[Skipped]]:
    """Part frames by study; subjects and exams get neutral numbers, never identifiers.

    Returns
    -------
    tuple
        Exams, from which files each series came, and images passed over.
    """
    patients = {patient: n for n, patient in enumerate(dict.fromkeys(f.patient for f in frames), 1)}
    studies: dict[tuple[str, str], list[_Frame]] = {}
    for frame in frames:
        studies.setdefault((frame.patient, frame.study), []).append(frame)
    exams: list[Exam] = []
    came_from: dict[str, tuple[Path, ...]] = {}
    skipped: list[Skipped] = []
    counted: dict[str, int] = {}
    for (patient, _), members in sorted(
        studies.items(), key=lambda pair: (patients[pair[0][0]], pair[1][0].date, pair[0][1])
    ):
        counted[patient] = counted.get(patient, 0) + 1
        series = []
        for name, part in _series_parts(members):
            kept, copies = _without_copies(part)
            skipped.extend(copies)
            series.append(_series(name, kept))
            came_from[name] = tuple(sorted({frame.path for frame in kept}))
        exams.append(
            Exam(
                subject=f"subject-{patients[patient]}",
                timepoint=f"exam-{counted[patient]}",
                series=tuple(series),
                date=_date(members[0].date),
                identity=patient,
            )
        )
    return tuple(exams), came_from, skipped


def _series_parts(frames: Sequence[_Frame]) -> Iterator[tuple[str, list[_Frame]]]:
    """Part frames into series and name each: by UID, then by contrast, echo time and view."""
    by_uid: dict[str, list[_Frame]] = {}
    for frame in frames:
        by_uid.setdefault(frame.series, []).append(frame)
    for uid in sorted(by_uid):
        members = sorted(by_uid[uid], key=lambda frame: (frame.number, frame.item.uid))
        echoes = _echo_of(members)
        alike: dict[tuple[object, ...], list[_Frame]] = {}
        for frame in members:
            key = (*frame.contrast, echoes[frame.acquisition.echo_time_ms])
            alike.setdefault(key, []).append(frame)
        parts = [
            [alike[key][index] for index in group]
            for key in sorted(alike, key=str)
            for group in view_groups([frame.item.plane for frame in alike[key]])
        ]
        for number, part in enumerate(parts, 1):
            yield uid if len(parts) == 1 else f"{uid}#{number}", part


def _echo_of(frames: Iterable[_Frame]) -> dict[float, int]:
    """Count echoes: echo time in ms to the echo that it belongs to, 0 where it is unknown."""
    times = {frame.acquisition.echo_time_ms for frame in frames}
    known = sorted(time for time in times if not math.isnan(time))
    echoes = dict.fromkeys(times, 0)
    for before, time in zip([-math.inf, *known], known, strict=False):
        echoes[time] = echoes.get(before, 0) + int(time - before > _SAME_ECHO_MS)
    return echoes


def _without_copies(frames: Sequence[_Frame]) -> tuple[list[_Frame], list[Skipped]]:
    """Drop images whose pixels another one holds at the same place, which is all that is read."""
    items = [frame.item for frame in frames]
    skipped: dict[int, Skipped] = {}
    for place in same_places([item.plane for item in items], [item.shape for item in items]):
        kept: list[int] = []
        for index in place:
            twin = next((i for i in kept if _is_copy(items[index], items[i])), None)
            if twin is None:
                kept.append(index)
                continue
            frame, first = frames[index], frames[twin]
            within = f"Frame {frame.number + 1}: the" if frame.path == first.path else "The"
            other = f"frame {first.number + 1}" if frame.path == first.path else str(first.path)
            reason = f"{within} same pixels at the same place as {other}."
            skipped[index] = Skipped(frame.path, reason)
    return [frame for i, frame in enumerate(frames) if i not in skipped], list(skipped.values())


def _is_copy(item: Slice, other: Slice) -> bool:
    try:
        return np.array_equal(item.pixels, other.pixels)
    except ReadError:  # a damaged image is reported when it is measured
        return False


def _series(uid: str, frames: Sequence[_Frame]) -> Series:
    first = frames[0]
    scales = sorted({scale for frame in frames for scale in frame.run.scale}, key=str)
    return Series(
        uid,
        in_stack_order(frame.item for frame in frames),
        first.weighting,
        first.frame_of_reference,
        first.acquisition,
        tuple(dict.fromkeys(flag for frame in frames for flag in frame.flags)),
        run=replace(first.run, scale=tuple(scales)),
        unit=first.unit,
    )


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
