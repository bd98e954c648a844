"""One slice of a DICOM file, and the facts that decide whose it is and where it belongs."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

from multifidus.data.flags import Flag
from multifidus.data.identity import Person
from multifidus.data.image import Acquisition, ScannerRun, Slice, Weighting

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
