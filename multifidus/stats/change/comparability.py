"""What differs between two exams besides the muscle: tilt, place, scanner, readers, flags."""

from __future__ import annotations

import math
from collections.abc import Iterable

from multifidus.data.flags import Flag
from multifidus.stats.change.exam_value import ExamValue
from multifidus.stats.compared_slices import distance_words

TILT_NOTE_DEG = 5.0
"""A pair whose tilts differ by more is noted: it makes an area differ by up to 1.5 %."""


OFFSET_NOTE_MM = 1.0
"""A pair whose slices lie at places of their level that differ by more is noted: exams are paired
by level, and a muscle's section changes along its length."""


COMPARED = {
    "slice_position": "slice position",
    "operated_levels": "operated levels",
    "operated_side": "operated side",
    "weighting": "sequence",
    "manufacturer": "scanner",
    "field_strength_t": "field strength",
    "pixel_mm": "pixel size",
    "thickness_mm": "slice thickness",
}
"""Columns that should be equal in both exams, where the table has them."""


DOUBTS = (
    Flag.AREA_IMPLAUSIBLE, Flag.OUTSIDE_IMAGE, Flag.TOUCHES_BORDER, Flag.FEW_POINTS,
    Flag.DRAFT_UNEDITED, Flag.SIDE_DOUBTFUL, Flag.SIDES_EXCHANGED, Flag.LEVEL_AMBIGUOUS,
    Flag.LEVEL_CONFLICT, Flag.SPACING_CONFLICT, Flag.AFFINE_CONFLICT, Flag.SLICES_DUPLICATED,
    Flag.ARTEFACT, Flag.LOW_SIGNAL, Flag.OEDEMA_WINDOW, Flag.WATER_FAT_SWAPPED,
    Flag.SCALE_UNVERIFIED, Flag.SHADING_STRONG, Flag.SHADING_UNCLEAR, Flag.BIAS_NOT_CORRECTED,
    Flag.CALIBRATION_AMBIGUOUS, Flag.CALIBRATION_UNCERTAIN,
)  # fmt: skip
"""Flags that make a number doubtful: a pair of which one exam has one is noted."""


def _doubts(first: ExamValue, second: ExamValue) -> Iterable[str]:
    for flag in DOUBTS:
        where = [
            when for exam, when in ((first, "before"), (second, "after")) if flag in exam.flags
        ]
        if where:
            yield f"{flag.value} {' and '.join(where)}"


def differences(first: ExamValue, second: ExamValue) -> Iterable[str]:
    """Say in what two exams differ that may change a number, in a note each."""
    if not (first.readings and second.readings):
        return
    tilt = tilt_difference_deg(first, second)
    if math.isnan(tilt):
        yield "tilt against the spine unknown: its effect on the area cannot be said"
    elif abs(tilt) > TILT_NOTE_DEG:
        effect = tilt_effect_pct(first, second)
        yield (
            f"tilt differs by {tilt:+.0f} deg: {effect:+.1f} % in area of a prism, and the muscle "
            "is met elsewhere along its length"
        )
    if abs(offset_difference_mm(first, second)) > OFFSET_NOTE_MM:
        yield (
            f"slices lie {first.offset_mm:+.1f} mm before and {second.offset_mm:+.1f} mm after "
            "from the landmark of their level: "
            f"{abs(offset_difference_mm(first, second)):.1f} mm apart along the muscle"
        )
    for exam in (first, second):
        if exam.apart_mm:  # NaN, of an unknown distance, as well
            yield (
                f"readings at {exam.timepoint} are of different slices "
                f"({distance_words([exam.apart_mm])})"
            )
    for column, words in COMPARED.items():
        one, two = first.extra.get(column, ""), second.extra.get(column, "")
        if one and two and one != two:
            yield f"{words}: {one} before, {two} after"
    if (first.raters, first.readings) != (second.raters, second.readings):
        yield f"read by {_readers(first)} before, {_readers(second)} after"
    yield from _doubts(first, second)


def _readers(exam: ExamValue) -> str:
    names = ", ".join(name or "an unnamed rater" for name in exam.raters)
    return f"{names} ({exam.readings} readings)" if exam.readings > 1 else names


def tilt_difference_deg(first: ExamValue, second: ExamValue) -> float:
    """Return by how much the slices' tilt differs; NaN unless both are against the spine.

    Patient z is no axis to compare two exams by: the patient lies differently, and the muscle is
    inclined itself.
    """
    if any(item.extra.get("tilt_axis", "") != "spine" for item in (first, second)):
        return math.nan
    return second.tilt_deg - first.tilt_deg


def offset_difference_mm(first: ExamValue, second: ExamValue) -> float:
    """Return how much further to cranial of its level's landmark the later exam's slices lie.

    NaN where either is not known. Not a distance between the exams' slices in one frame: there is
    none for two scans.
    """
    return second.offset_mm - first.offset_mm


def tilt_effect_pct(first: ExamValue, second: ExamValue) -> float:
    """Return how much larger a prism's section is after than before because of tilt alone.

    Not the whole effect: a slice that turns about its disc meets the muscle behind it at another
    place of its length, which may matter more (``docs/evidence/cohort.md``).
    """
    if math.isnan(tilt_difference_deg(first, second)):
        return math.nan
    cosines = [math.cos(math.radians(item.tilt_deg)) for item in (first, second)]
    return 100 * (cosines[0] / cosines[1] - 1)
