"""DICOM: classic single-frame and Enhanced multi-frame images, each slice with its own geometry.

Headers are read first and alone; pixels follow on first use. Whose a slice is, and of which exam
and series, is decided by :mod:`multifidus.io.dicom.exams` and :mod:`multifidus.io.dicom.series`.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from multifidus.data.acquisition import Acquisition
from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane
from multifidus.data.identity import person_of
from multifidus.data.image import TO_PCT, ScannerRun, Slice, StoredPixels, Weighting
from multifidus.errors import MultifidusError, ReadError
from multifidus.io.contrast import Contrasts, shipped_contrasts
from multifidus.io.dicom.acquired import FunctionalGroups, acquisition_of
from multifidus.io.dicom.exams import group_exams
from multifidus.io.dicom.header import Header, read_header
from multifidus.io.dicom.mosaic import Tile, tiles
from multifidus.io.dicom.pixels import PixelSource, locate_pixels
from multifidus.io.dicom.plane import plane_of
from multifidus.io.dicom.series import DATES, Frame, date_of
from multifidus.io.dicom.stored_values import RealWorld, declared_unit, real_world, signal_scale
from multifidus.io.files import reading
from multifidus.io.scan_result import Scan, Skipped

PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
"""SOP class of maps of quantities."""

_DATE_CHARACTERS = 10
"""Of a date, with its marks; a time may follow."""

_TIME_DIGITS = 9
"""Temporal positions are filled up to this many digits, so that 2 comes before 10."""


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
    files: list[list[Frame]] = []
    skipped: list[Skipped] = []
    for path in paths:
        try:
            files.append(_read_header(path, contrasts))
        except MultifidusError as error:
            skipped.append(Skipped(path, str(error)))
    found = group_exams(files)
    return replace(found, skipped=(*skipped, *found.skipped))


def _read_header(path: Path, contrasts: Contrasts) -> list[Frame]:
    with reading(path, "DICOM"), path.open("rb") as file:
        try:
            header, syntax = read_header(file)
            return _frames(header, locate_pixels(header, syntax, file, path), contrasts)
        except (MultifidusError, MemoryError):
            raise
        except Exception as error:  # pydicom raises whatever a damaged header makes it meet
            msg = f"Damaged DICOM header: {type(error).__name__}: {error}."
            raise ReadError(msg) from error


def _frames(header: Header, pixels: PixelSource, contrasts: Contrasts) -> list[Frame]:
    per_frame = header.items("PerFrameFunctionalGroupsSequence")
    if per_frame:
        shared = header.items("SharedFunctionalGroupsSequence")[:1]
        if len(per_frame) != pixels.frames:
            msg = f"{pixels.frames} frames, but geometry for {len(per_frame)}."
            raise ReadError(msg)
        return [
            _frame(FunctionalGroups(header, [group, *shared]), pixels, number, contrasts)
            for number, group in enumerate(per_frame)
        ]
    if pixels.frames != 1:
        msg = f"{pixels.frames} frames without a geometry of their own."
        raise ReadError(msg)
    only = _frame(FunctionalGroups(header, []), pixels, 0, contrasts)
    return _tiles(only) if "MOSAIC" in header.texts("ImageType") else [only]


def _tiles(mosaic: Frame) -> list[Frame]:
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


def _frame(
    groups: FunctionalGroups, pixels: PixelSource, number: int, contrasts: Contrasts
) -> Frame:
    header = groups.header
    mapped = real_world([*groups.groups, header])
    acquisition = acquisition_of(groups)
    component = groups.texts("MRImageFrameTypeSequence", "ComplexImageComponent")
    tokens = (*acquisition.image_type[2:], *component, *(mapped.words if mapped else ()))
    weighting = _weighting(groups, acquisition, tokens, contrasts, is_float=pixels.is_float)
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
    return Frame(
        item=item,
        path=pixels.path,
        number=number if groups.is_multiframe else header.integer("InstanceNumber"),
        person=person_of(
            header.decoded("PatientID"),
            header.decoded("PatientName"),
            header.text("PatientSex"),
            header.text("PatientBirthDate"),
        ),
        study=header.text("StudyInstanceUID"),
        dates=_dates(header),
        series=header.text("SeriesInstanceUID"),
        series_number=header.text("SeriesNumber"),
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
    groups: FunctionalGroups,
    acquisition: Acquisition,
    tokens: tuple[str, ...],
    contrasts: Contrasts,
    *,
    is_float: bool,
) -> Weighting:
    """Tell the contrast of a frame.

    Floating-point pixels hold a quantity more often than signal, so the times of the acquisition
    that it was computed from do not tell what they show; those of a declared map are no signal.
    """
    header = groups.header
    inversion_ms = groups.number("", "InversionTime")
    is_map = header.text("SOPClassUID") == PARAMETRIC_MAP
    if is_map or is_float:
        acquisition = Acquisition(acquisition.manufacturer)
        inversion_ms = math.nan
    found = contrasts.weighting(
        tokens, acquisition, inversion_ms, lambda: header.text("SeriesDescription")
    )
    return Weighting.NO_SIGNAL if is_map and not found.is_fat_fraction else found


def _dates(header: Header) -> tuple[datetime.date | None, ...]:
    """Return when an image was made, as each of the elements says that may."""
    return tuple(date_of(header.text(name)[:_DATE_CHARACTERS]) for name in DATES)


# Images of one series mostly share their run: kept once, it takes its memory once.
_run = lru_cache(maxsize=256)(ScannerRun)


def _values(groups: FunctionalGroups, mapped: RealWorld | None, *, is_fraction: bool) -> RealWorld:
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


def _plane(groups: FunctionalGroups) -> tuple[Plane, tuple[Flag, ...]]:
    """Return a frame's plane and its quality flags."""
    return plane_of(
        groups.parts("PlanePositionSequence", "ImagePositionPatient", 3),
        groups.parts("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        groups.parts("PixelMeasuresSequence", "PixelSpacing", 2),
    )
