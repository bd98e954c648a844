"""Where a slice stands on the spine, and what a rater should know of it: words for the canvas.

What is stated here is what :func:`multifidus.measure` decides: levels typed by hand, else by
landmarks; tilt against the axis that the protocol names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series
from multifidus.data.landmark import Landmark
from multifidus.data.protocol import MeasurementProtocol, SliceSelection, TiltAxis
from multifidus.data.roi_set import RoiSet
from multifidus.errors import MultifidusError
from multifidus.spine.resolve import LevelResolver, ResolvedLevel

AXIS_WORDS = {
    TiltAxis.SPINE: "to the spine",
    TiltAxis.PATIENT_Z: "to the patient's axis",
    TiltAxis.VECTOR: "to the protocol's axis",
}


SEEN_MM = 0.05
"""Distances below this are written as none."""


@dataclass(frozen=True, slots=True)
class SliceLevelInfo:
    """Where one slice stands.

    Attributes
    ----------
    settled
        Level, slice position, distance and tilt, as rows of a table say them.
    typed
        Whether the level was typed by hand.
    by_landmarks
        The level that landmarks give the slice; None without landmarks, and beyond them.
    margin_mm
        How much further the landmark of another level is; NaN where landmarks give no level.
    is_selected
        Whether the protocol takes the slice for its level.
    """

    settled: ResolvedLevel
    typed: bool
    by_landmarks: Level | None = None
    margin_mm: float = math.nan
    is_selected: bool = True

    @property
    def place_words(self) -> str:
        """The level, where it comes from, and how far the slice lies from its landmark."""
        level, position = self.settled.level, self.settled.slice_position
        if level is None:
            return "no level assigned"
        words = level.value
        if position is not SlicePosition.UNKNOWN:
            words += f" {position.replace('_', ' ')}"
        offset = self.settled.offset_mm
        if not math.isnan(offset):
            where = "above" if offset > 0 else "below"
            words += (
                f" · {abs(offset):.1f} mm {where} the landmark" if abs(offset) >= SEEN_MM else ""
            )
        return f"{words} · {'set by hand' if self.typed else 'by landmarks'}"

    @property
    def tilt_words(self) -> str:
        """Say the tilt, and against what."""
        tilt = self.settled.tilt
        if math.isnan(tilt.deg):
            return ""
        return f"tilt {tilt.deg:z.0f}° {AXIS_WORDS[tilt.axis]}"

    def warnings(self, protocol: MeasurementProtocol) -> tuple[str, ...]:
        """Say what makes the slice doubtful under a protocol; one line each."""
        flags, found = self.settled.flags, []
        if Flag.LEVEL_CONFLICT in flags:
            other = self.by_landmarks or "no level, beyond all of them"
            found.append(f"{self.settled.level} was set by hand; the landmarks give {other}")
        if Flag.LEVEL_AMBIGUOUS in flags:
            margin = f"by a margin of {self.margin_mm:.1f} mm only"
            found.append(f"{self.settled.level} {margin}: check it and set it by hand")
        if Flag.FRAME_OF_REFERENCE_DIFFERS in flags:
            found.append("the sagittal images have another frame of reference: levels may be wrong")
        tilt = self.settled.tilt
        if Flag.TILT_OVER_LIMIT in tilt.flags(protocol.tilt_limit_deg):
            limit = protocol.tilt_limit_deg
            found.append(f"tilt of {abs(tilt.deg):.0f}° exceeds the protocol's limit of {limit:g}°")
        if not self.is_selected:
            found.append(_OUTSIDE[protocol.slice_selection].format(band=protocol.band_mm))
        return tuple(found)


_OUTSIDE = {
    SliceSelection.BAND: "outside the protocol's band of {band:g} mm around the landmark",
    SliceSelection.NEAREST: "another slice is nearer to the landmark; only the nearest counts",
}


@dataclass(frozen=True, slots=True, eq=False)
class LevelFinder:
    """What landmarks say about one exam's slices.

    Attributes
    ----------
    problem
        Why landmarks say nothing, where they contradict each other; they then count for nothing
        here, and nothing is measured.
    """

    protocol: MeasurementProtocol
    resolver: LevelResolver
    problem: str = ""
    _nearest: dict[tuple[str, Level], float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, exam: Exam, landmarks: Sequence[Landmark], protocol: MeasurementProtocol
    ) -> LevelFinder:
        """Read the landmarks of an exam."""
        try:
            resolver = LevelResolver.of(exam, RoiSet(landmarks=tuple(landmarks)), protocol)
        except MultifidusError as error:
            return cls(protocol, LevelResolver(protocol), str(error))
        nearest: dict[tuple[str, Level], float] = {}
        for item in resolver.assigned.values():
            if item.level is not None:
                key = item.series, item.level
                nearest[key] = min(nearest.get(key, math.inf), abs(item.offset_mm))
        return cls(protocol, resolver, _nearest=nearest)

    def slice_level(
        self, series: Series, index: int, level: Level | None, position: SlicePosition
    ) -> SliceLevelInfo:
        """Join what was typed about a slice with what the landmarks say."""
        settled = self.resolver.resolve(series, index, level, position)
        found = self.resolver.assigned.get((series.uid, index))
        return SliceLevelInfo(
            settled,
            level is not None,
            found.level if found else None,
            found.margin_mm if found else math.nan,
            self._is_selected(series, settled),
        )

    def _is_selected(self, series: Series, settled: ResolvedLevel) -> bool:
        if settled.level is None or math.isnan(settled.offset_mm):
            return True
        selection, away = self.protocol.slice_selection, abs(settled.offset_mm)
        if selection is SliceSelection.BAND and self.protocol.band_mm is not None:
            return away <= self.protocol.band_mm
        if selection is SliceSelection.NEAREST:
            return away <= self._nearest.get((series.uid, settled.level), math.inf)
        return True
