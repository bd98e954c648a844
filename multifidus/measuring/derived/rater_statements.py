"""What a rater said about a level in place of outlining it: that it cannot be measured, a grade."""

from __future__ import annotations

from collections.abc import Iterator

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.measurement import Measurement, Provenance, Quantity
from multifidus.data.roi import RoiKey
from multifidus.data.roi_set import Grade, NotMeasurable, RoiSet
from multifidus.errors import RoiError
from multifidus.version import VERSION

_NAN = float("nan")

_PAIR = (Side.LEFT, Side.RIGHT)


def stated_rows(rois: RoiSet, protocol: str) -> Iterator[Measurement]:
    """Yield a row for every gap and grade; they belong to a level and to no slice.

    Parameters
    ----------
    rois
        All that was said about an exam.
    protocol
        Digest of the protocol.

    Raises
    ------
    RoiError
        If a reading grades one level and side twice, and differently.
    """
    yield from _gaps(rois, protocol)
    yield from _grades(rois, protocol)


def _gaps(rois: RoiSet, protocol: str) -> Iterator[Measurement]:
    found: dict[tuple[RoiKey, Level], list[NotMeasurable]] = {}
    for gap in rois.not_measurable:
        for side in _PAIR if gap.side is Side.BOTH else (gap.side,):
            key = RoiKey(gap.reading or rois.reading, "", gap.structure, side)
            found.setdefault((key, gap.level), []).append(gap)
    for (key, level), gaps in found.items():
        reasons = sorted({gap.reason.value for gap in gaps})
        yield Measurement(
            key,
            Quantity.TCSA_MM2,
            _NAN,
            _of_level(level, protocol),
            0,
            parameters=FrozenDict({"reason": ";".join(reasons)}),
            flags=(Flag.NOT_MEASURABLE,),
        )


def _grades(rois: RoiSet, protocol: str) -> Iterator[Measurement]:
    found: dict[tuple[RoiKey, Level, str], Grade] = {}
    for grade in rois.grades:
        reading = grade.reading or rois.reading
        key = RoiKey(reading, "", Structure.MULTIFIDUS, grade.side)
        first = found.setdefault((key, grade.level, grade.scheme), grade)
        if first.value != grade.value:
            msg = (
                f"There are two grades of {grade.side} {grade.level} by {grade.scheme} "
                f"({reading}): {first.value} and {grade.value}."
            )
            raise RoiError(msg, remedy="Delete one of them.")
    for (key, level, scheme), grade in found.items():
        known = grade.is_goutallier
        yield Measurement(
            key,
            Quantity.GOUTALLIER_GRADE if known else Quantity.VISUAL_GRADE,
            float(grade.value),
            _of_level(level, protocol),
            0,
            method="" if known else scheme,
        )


def _of_level(level: Level, protocol: str) -> Provenance:
    return Provenance(
        series="",
        slice_index=None,
        level=level,
        slice_position=SlicePosition.UNKNOWN,
        tilt_deg=_NAN,
        valid_fraction=_NAN,
        roi_rule=RoiRule.UNKNOWN,
        source=None,
        protocol=protocol,
        version=VERSION,
        image_sha256="",
        outline_sha256="",
    )
