"""From the slices of one exam to its series: by UID, contrast, echo, time and view.

Slices stand in stack order in their series; nothing is forced into one volume. The same image twice
is read once. A UID that comes again, or is missing, joins nothing that its other facts part.
A frame is one slice of a file, with the facts that decide this.
"""

from __future__ import annotations

import datetime
import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from multifidus.data.acquisition import Acquisition, distinct_acquisitions
from multifidus.data.flags import Flag
from multifidus.data.identity import Person
from multifidus.data.image import ScannerRun, Series, Slice, Weighting, in_stack_order
from multifidus.data.stacks import same_places, view_groups
from multifidus.errors import ReadError
from multifidus.io.files import content_sha256
from multifidus.io.scan_result import Skipped

DATES = ("StudyDate", "AcquisitionDate", "AcquisitionDateTime", "SeriesDate", "ContentDate")
"""What says when an image was made; the first that is there counts."""


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One slice and the facts that decide which person, exam and series it belongs to."""

    item: Slice
    path: Path
    number: int
    person: Person
    study: str
    dates: tuple[datetime.date | None, ...]
    series: str
    series_number: str
    contrast: tuple[object, ...]
    frame_of_reference: str
    acquisition: Acquisition
    weighting: Weighting
    run: ScannerRun
    unit: str
    flags: tuple[Flag, ...] = ()

    @property
    def place(self) -> tuple[str, str]:
        """Where it was found and what it may be compared with, for want of anything better."""
        return str(self.path.parent), self.frame_of_reference or self.series


File = list[Frame]
"""The slices of one file, which share whose they are and when they were made."""


def date_of(text: str) -> datetime.date | None:
    """Read a date of DICOM, with or without marks between its parts; None where it is none."""
    digits = re.sub(r"[.\-/]", "", text.strip())[:8]
    try:
        # A date has no zone.
        return datetime.datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None


_LOOK_DIGITS = 12
"""Hexadecimal digits that distinguish images of one UID."""

_SAME_ECHO_MS = 0.1
"""Echo times that differ by less are one echo's, written with noise."""

_SPACING_DIGITS = 3
"""Decimals of a millimetre to which pixels of one series without a UID are of one size."""


def make_series(
    files: Iterable[File],
) -> tuple[list[tuple[Series, list[Frame]]], list[Skipped]]:
    """Make the series of one exam.

    Returns
    -------
    tuple
        Each series with the slices that it is of, and images passed over, which others repeat.
    """
    frames, skipped = _distinct(files)
    series = []
    for name, part in _series_parts(frames):
        kept, copies = _without_copies(part)
        skipped.extend(copies)
        series.append((_series(name, kept), kept))
    return series, skipped


def _distinct(files: Iterable[File]) -> tuple[list[Frame], list[Skipped]]:
    """Give every image a UID that no other of its exam has, and pass over those that come again.

    Some de-identification leaves many images with one UID, or none. They are distinguished by their
    places and facts, and get UIDs of their own, all of them: outlines that name the damaged UID
    find no image by it, and are placed by their planes.
    """
    looks: dict[str, dict[str, list[File]]] = {}
    skipped: list[Skipped] = []
    for found in files:
        alike = looks.setdefault(_own_uid(found), {}).setdefault(_look(found), [])
        # Only where a UID comes again are pixels compared, which is rare.
        twin = next((other for other in alike if is_same_image(found, other)), None)
        if twin is None:
            alike.append(found)
        else:
            reason = f"The same image (SOP instance) as {twin[0].path}."
            skipped.append(Skipped(found[0].path, reason))
    frames: list[Frame] = []
    for uid, by_look in looks.items():
        is_alone = bool(uid) and [len(alike) for alike in by_look.values()] == [1]
        for look, alike in by_look.items():
            for found in alike:
                # What no header tells apart, the bytes do.
                rest = "" if len(alike) == 1 else f"-{content_sha256(found[0].path)[:_LOOK_DIGITS]}"
                frames += found if is_alone else _renamed(found, f"{uid}~{look}{rest}")
    return frames, skipped


def _renamed(found: File, uid: str) -> Iterator[Frame]:
    for frame in found:
        _, mark, number = frame.item.uid.partition("#")
        item = replace(frame.item, uid=f"{uid}{mark}{number}")
        yield replace(frame, item=item, flags=(*frame.flags, Flag.UID_REPEATED))


def is_same_image(found: File, other: File) -> bool:
    """Whether two files hold one image: at one place, with the same facts and the same pixels."""
    if _look(found) != _look(other):
        return False
    pairs = zip(found, other, strict=True)
    if all(_is_copy(one.item, two.item) for one, two in pairs):
        return True
    paths = found[0].path, other[0].path
    return len({path.stat().st_size for path in paths}) == len(set(map(content_sha256, paths))) == 1


def _own_uid(found: Sequence[Frame]) -> str:
    return found[0].item.uid.partition("#")[0]


def _look(found: Sequence[Frame]) -> str:
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


def _series_parts(frames: Sequence[Frame]) -> Iterator[tuple[str, list[Frame]]]:
    """Part frames into series and name each: by UID, then by contrast, echo time and view."""
    for uid, found in _by_uid(frames):
        members = sorted(found, key=lambda frame: (frame.number, frame.item.uid))
        echoes = _echo_of(members)
        numbers = {frame.series_number for frame in members} - {""}
        alike: dict[tuple[object, ...], list[Frame]] = {}
        for frame in members:
            # One series has one number; where a number lacks, the UID is not contradicted.
            own = frame.series_number if len(numbers) > 1 else ""
            key = (*frame.contrast, echoes[frame.acquisition.echo_time_ms], own)
            alike.setdefault(key, []).append(frame)
        parts = [
            [alike[key][index] for index in group]
            for key in sorted(alike, key=str)
            for group in view_groups([frame.item.plane for frame in alike[key]])
        ]
        for number, part in enumerate(parts, 1):
            yield uid if len(parts) == 1 else f"{uid}#{number}", part


def _by_uid(frames: Sequence[Frame]) -> Iterator[tuple[str, list[Frame]]]:
    """Part frames by their series UID, or by what stands in for it; in order of their names."""
    by_uid: dict[object, list[Frame]] = {}
    for frame in frames:
        by_uid.setdefault(frame.series or _stand_in(frame), []).append(frame)
    named = {part[0].series or f"~{_hash_of_uids(part)}": part for part in by_uid.values()}
    yield from sorted(named.items())


def _hash_of_uids(frames: Iterable[Frame]) -> str:
    """Hash the UIDs of images, which no other part of their exam has."""
    uids = "|".join(sorted(frame.item.uid for frame in frames))
    return hashlib.sha256(uids.encode()).hexdigest()[:_LOOK_DIGITS]


def _stand_in(frame: Frame) -> tuple[object, ...]:
    """Return what parts series in place of a UID that is missing."""
    spacing = frame.item.plane.pixel_spacing_mm
    return (
        frame.series_number,
        *frame.place,
        frame.item.shape,
        *(round(mm, _SPACING_DIGITS) for mm in spacing),
        str(frame.acquisition.repetition_time_ms),
    )


def _echo_of(frames: Iterable[Frame]) -> dict[float, int]:
    """Count echoes: echo time in ms to the echo that it belongs to, 0 where it is unknown."""
    times = {frame.acquisition.echo_time_ms for frame in frames}
    known = sorted(time for time in times if not math.isnan(time))
    echoes = dict.fromkeys(times, 0)
    for before, time in zip([-math.inf, *known], known, strict=False):
        echoes[time] = echoes.get(before, 0) + int(time - before > _SAME_ECHO_MS)
    return echoes


def _without_copies(frames: Sequence[Frame]) -> tuple[list[Frame], list[Skipped]]:
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


def _series(uid: str, frames: Sequence[Frame]) -> Series:
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
        acquisitions=distinct_acquisitions(frame.acquisition for frame in frames),
    )
