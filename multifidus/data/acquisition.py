"""How a series was acquired: what of its headers may be kept, and reach results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FAT_SHIFT_PPM, PROTON_MHZ_A_TESLA = 3.4, 42.577
"""Chemical shift of fat against water, and the resonance of protons."""

PHASE_AXES = {"ROW": 0, "COL": 1, "COLUMN": 1}
"""Along which image axis frequency is encoded, by the direction of phase encoding."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How a series was acquired, as far as its headers say; NaN or empty where they do not.

    These facts, and no others of a header, reach tables and reports: nothing that names a person,
    an institution or one device.

    Attributes
    ----------
    pixel_bandwidth_hz
        Bandwidth of an acquired pixel.
    phase_axis
        The direction of phase encoding: ``ROW`` along a row, ``COL`` along a column.
    frequency_steps
        Acquired pixels along the other one.
    phase_steps
        Acquired lines along that of phase encoding.
    model
        Of the scanner, as its manufacturer calls it.
    sequence_name, sequence_type
        The manufacturer's name, and what kind it is, such as ``SE`` for spin echo.
    slice_thickness_mm, slice_spacing_mm
        As the header says; spacing is from centre to centre.
    coil
        Name of the receiving coil.
    """

    manufacturer: str = ""
    field_strength_t: float = float("nan")
    repetition_time_ms: float = float("nan")
    echo_time_ms: float = float("nan")
    image_type: tuple[str, ...] = ()
    pixel_bandwidth_hz: float = float("nan")
    phase_axis: str = ""
    frequency_steps: float = float("nan")
    phase_steps: float = float("nan")
    model: str = ""
    sequence_name: str = ""
    sequence_type: str = ""
    slice_thickness_mm: float = float("nan")
    slice_spacing_mm: float = float("nan")
    coil: str = ""

    def fat_shift_px(self, shape: tuple[int, int]) -> tuple[float, float]:
        """Return how far fat is displaced against water, by rows and by columns, without its sign.

        Along the direction of frequency encoding; NaN where strength, bandwidth or it is unknown.

        Parameters
        ----------
        shape
            Rows and columns of the image, which may have more pixels than were acquired.
        """
        hz = FAT_SHIFT_PPM * PROTON_MHZ_A_TESLA * self.field_strength_t
        if self.phase_axis not in PHASE_AXES or not self.pixel_bandwidth_hz > 0:
            return float("nan"), float("nan")
        along = PHASE_AXES[self.phase_axis]
        finer = shape[along] / self.frequency_steps if self.frequency_steps > 0 else 1.0
        pixels = hz / self.pixel_bandwidth_hz * finer
        return (pixels, 0.0) if along == 0 else (0.0, pixels)


def distinct_acquisitions(found: Iterable[Acquisition]) -> tuple[Acquisition, ...]:
    """Return what differs, each once, in an order that does not depend on how they came."""
    by_content = {repr(item): item for item in found}
    return tuple(by_content[content] for content in sorted(by_content))


LONGEST = 64
"""Characters of a text of a header that are kept; DICOM allows no more in such a value."""


def header_text(*parts: object) -> str:
    r"""Return a value of a header as one line that can be printed, its parts joined by ``/``.

    Examples
    --------
    >>> header_text("SE", " IR "), header_text("  Skyra\nfit "), header_text("")
    ('SE/IR', 'Skyra fit', '')
    """
    words = (" ".join(str(part).split()) for part in parts)
    text = "/".join(filter(None, words))
    return "".join(sign for sign in text if sign.isprintable())[:LONGEST].strip()
