"""How a slice was acquired, by its DICOM header: from an allow-list of elements, and no others."""

from __future__ import annotations

import math
from functools import lru_cache

from multifidus.data.acquisition import Acquisition, header_text
from multifidus.errors import ReadError
from multifidus.io.dicom.header import Header
from multifidus.io.dicom.plane import decimal


class FunctionalGroups:
    """Looks an attribute up in a frame's own group, then the shared one, then the header."""

    __slots__ = ("groups", "header")

    def __init__(self, header: Header, groups: list[Header]) -> None:
        self.header = header
        self.groups = groups

    @property
    def is_multiframe(self) -> bool:
        """Whether frames have groups of their own."""
        return bool(self.groups)

    def texts(self, sequence: str, name: str) -> tuple[str, ...]:
        """Return an attribute's parts as text; none where it is absent."""
        for group in self.groups if sequence else ():
            items = group.items(sequence)
            if items and name in items[0]:
                return items[0].texts(name)
        return self.header.texts(name)

    def number(self, sequence: str, name: str) -> float:
        """Return an attribute as a number, NaN where it is absent.

        Raises
        ------
        ReadError
            If it is not one number.
        """
        parts = self.texts(sequence, name)
        if len(parts) > 1:
            msg = f"{name} has {len(parts)} values where one is meant: {', '.join(parts)}."
            raise ReadError(msg, remedy="Export the image again.")
        return decimal(parts[0], name) if parts and parts[0] else math.nan

    def parts(self, sequence: str, name: str, count: int) -> tuple[str, ...]:
        """Return an attribute's parts as text.

        Raises
        ------
        ReadError
            If there are not so many.
        """
        parts = self.texts(sequence, name)
        if len(parts) != count:
            msg = f"No {name} of {count} numbers; without it nothing can be measured in mm."
            raise ReadError(msg, remedy="Export the image again, with its geometry.")
        return parts


# Images of one series mostly share it: kept once, it takes its memory once.
_acquisition = lru_cache(maxsize=256)(Acquisition)


def acquisition_of(groups: FunctionalGroups) -> Acquisition:
    """Return how a frame was acquired."""
    echo_ms = groups.number("MREchoSequence", "EffectiveEchoTime")
    timing = "MRTimingAndRelatedParametersSequence"
    image_type = groups.texts("MRImageFrameTypeSequence", "FrameType")
    header = groups.header
    thickness = groups.number("PixelMeasuresSequence", "SliceThickness")
    spacing = _if_any(groups, "PixelMeasuresSequence", "SpacingBetweenSlices")
    matrix = (*header.numbers("AcquisitionMatrix"), 0.0, 0.0, 0.0, 0.0)
    return _acquisition(
        manufacturer=header.text("Manufacturer"),
        field_strength_t=groups.number("", "MagneticFieldStrength"),
        repetition_time_ms=groups.number(timing, "RepetitionTime"),
        echo_time_ms=groups.number("", "EchoTime") if math.isnan(echo_ms) else echo_ms,
        image_type=tuple(image_type or header.texts("ImageType")),
        pixel_bandwidth_hz=_if_any(groups, "MRImagingModifierSequence", "PixelBandwidth"),
        phase_axis=_phase_axis(groups),
        # Rows and columns of frequency, then of phase: of each pair one is 0.
        frequency_steps=_steps(groups, "MRAcquisitionFrequencyEncodingSteps", matrix[:2]),
        phase_steps=_steps(groups, "MRAcquisitionPhaseEncodingStepsInPlane", matrix[2:4]),
        model=header_text(header.text("ManufacturerModelName")),
        sequence_name=header_text(header.text("PulseSequenceName") or header.text("SequenceName")),
        sequence_type=header_text(
            *(header.texts("EchoPulseSequence") or header.texts("ScanningSequence"))
        ),
        slice_thickness_mm=thickness if thickness > 0 else math.nan,
        slice_spacing_mm=spacing if spacing > 0 else math.nan,
        coil=header_text(*groups.texts("MRReceiveCoilSequence", "ReceiveCoilName")[:1]),
    )


def _phase_axis(groups: FunctionalGroups) -> str:
    geometry = groups.texts("MRFOVGeometrySequence", "InPlanePhaseEncodingDirection")
    return (geometry or groups.header.texts("InPlanePhaseEncodingDirection") or ("",))[0]


def _steps(groups: FunctionalGroups, name: str, classic: tuple[float, ...]) -> float:
    """Return how many pixels or lines were acquired along an axis; NaN where nothing says so."""
    enhanced = _if_any(groups, "MRFOVGeometrySequence", name)
    steps = enhanced if enhanced > 0 else max(classic)
    return steps if steps > 0 else math.nan


def _if_any(groups: FunctionalGroups, sequence: str, name: str) -> float:
    """Return a number that nothing is measured by; NaN where it is not one number."""
    try:
        return groups.number(sequence, name)
    except ReadError:
        return math.nan
