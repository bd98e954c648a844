"""What phantom to make: every option and its default in one place; and what exams are called.

Names, dates and UIDs are fixed or derived from what they name, never random.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from multifidus.errors import ProtocolError


class Variant(StrEnum):
    """Which exam of the one subject; all variants share its bones and its pattern of streaks."""

    HEALTHY = "healthy"
    PATIENT = "patient"
    POST_OPEN = "post_open"
    POST_MIS = "post_mis"

    @property
    def is_postoperative(self) -> bool:
        """Whether the exam was made after surgery."""
        return self in {Variant.POST_OPEN, Variant.POST_MIS}


class Sex(StrEnum):
    """Sex of the subject; women's muscles are smaller."""

    MALE = "male"
    FEMALE = "female"


class ImageFormat(StrEnum):
    """In which format the images of a phantom are written."""

    DICOM = "dicom"
    NIFTI = "nifti"


@dataclass(frozen=True, slots=True)
class PhantomSpec:
    """Everything that decides what a phantom exam is like.

    Parameters
    ----------
    variant
        Which exam of the subject: healthy, patient (before surgery), or after open or minimally
        invasive surgery at L4-L5.
    sex
        Sex of the subject.
    seed
        Seed of the subject's streaks of fat, of how the subject lies and of the noise.
    stacks
        How many discs have an axial stack, counted from L5-S1 upwards; 1 to 5.
    slices_per_stack
        Axial slices parallel to each disc.
    slice_step_mm, thickness_mm
        Axial slices.
    matrix
        Rows and columns of an axial slice.
    pixel_mm
        Pixel size of an axial slice, both ways.
    tilts_deg
        Tilt of each stack against patient z, from cranial to caudal, in place of the disc's own.
    sagittal
        Whether the exam has a sagittal series: ``sagittal_slices`` of 256 x 256 pixels.
    sagittal_slices
        Slices of the sagittal series.
    dixon
        Whether the exam has water and fat series in the geometry of the axial one.
    contrast
        Signal of fat over that of lean muscle, 2 to 8.
    snr
        Signal of lean muscle over the noise (standard deviation of each quadrature channel)
        before shading; infinity for none.
    shading
        Relative gain of the posterior coil's sensitivity 50 mm behind the depth of the multifidus,
        and its loss 50 mm in front of it and beyond, 0 to 0.3; linear in between.
    screws
        Whether pedicle screws at L4 and L5 and their rods void the signal.
    through_plane
        Samples across the slice thickness; 1 images the middle plane alone, where truth is
        defined.
    still
        Whether the subject lies straight, in anatomical axes; otherwise each variant lies a
        little differently, by the seed.
    """

    variant: Variant = Variant.PATIENT
    sex: Sex = Sex.MALE
    seed: int = 0
    stacks: int = 5
    slices_per_stack: int = 3
    slice_step_mm: float = 4.4
    thickness_mm: float = 4.0
    matrix: int = 320
    pixel_mm: float = 0.6875
    tilts_deg: tuple[float, ...] | None = None
    sagittal: bool = True
    sagittal_slices: int = 11
    dixon: bool = False
    contrast: float = 4.0
    snr: float = 18.0
    shading: float = 0.15
    screws: bool = False
    through_plane: int = 1
    still: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "variant", Variant(self.variant))
        object.__setattr__(self, "sex", Sex(self.sex))
        for name, low, high in _LIMITS:
            value = getattr(self, name)
            if not low <= value <= high:
                msg = f"{name} of a phantom must be {low:g} to {high:g}, got {value!r}."
                raise ProtocolError(msg)
        if self.tilts_deg is not None and len(self.tilts_deg) != self.stacks:
            msg = f"tilts_deg must name one tilt a stack ({self.stacks}), got {self.tilts_deg!r}."
            raise ProtocolError(msg)


_LIMITS: tuple[tuple[str, float, float], ...] = (
    ("seed", 0, 2**32 - 1),
    ("stacks", 1, 5),
    ("slices_per_stack", 1, 15),
    ("slice_step_mm", 0.5, 10),
    ("thickness_mm", 0.5, 10),
    ("matrix", 32, 1024),
    ("pixel_mm", 0.1, 5),
    ("sagittal_slices", 1, 31),
    ("contrast", 2, 8),
    ("snr", 1, float("inf")),
    ("shading", 0, 0.3),
    ("through_plane", 1, 15),
)


SUBJECT = "S01"
RATER = "AB"

_DATES = {
    Variant.HEALTHY: datetime.date(1999, 3, 8),
    Variant.PATIENT: datetime.date(2001, 3, 5),
    Variant.POST_OPEN: datetime.date(2002, 3, 25),
    Variant.POST_MIS: datetime.date(2002, 3, 25),
}


def exam_date(variant: Variant) -> datetime.date:
    """Date of the exam; after surgery a year later."""
    return _DATES[variant]


def timepoint(variant: Variant) -> str:
    """Time-point of the exam: ``post`` after surgery, else ``pre``."""
    return "post" if variant.is_postoperative else "pre"


def uid_of(spec: PhantomSpec, *path: object) -> str:
    """Derive a DICOM UID (below 2.25, at most 44 characters) from a spec and a path of names."""
    text = "/".join(map(str, ("multifidus phantom", repr(spec), *path)))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    return f"2.25.{number}"


IMPLEMENTATION_UID = "2.25.302153480398361262164017398211036208841"
"""DICOM ImplementationClassUID of files that the phantom writes."""
