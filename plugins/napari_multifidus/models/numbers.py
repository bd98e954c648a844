"""The numbers to show beside an outline, gathered from rows of the tidy table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.protocol import FatMethod
from multifidus.measuring.derived.combine import (
    signed_asymmetry_pct,
    signed_asymmetry_uncertainty,
)
from napari_multifidus.models.fat_shown import kind_of

NAN = float("nan")

_SHOWN = frozenset({Quantity.TCSA_MM2, Quantity.MEAN_SI, Quantity.DIXON_FF_MEAN_PCT})
"""What is shown beside fat; doubts of other numbers stand in the tables."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is measured of one structure on one slice.

    Parameters
    ----------
    area_mm2, area_u_mm2
        Total cross-sectional area and its standard uncertainty; of several samples the sum of
        their areas, and no uncertainty.
    fat_pct, fat_u_pct
        Fat by ``fat_method``, and its standard uncertainty; NaN where undefined.
    beside_pct, beside_u_pct
        The same by ``beside_method``, a second one that is shown; it is empty where there is none.
    awaits_signal
        Whether the outline is in motion, and its fat signal fraction is measured when it rests.
    threshold
        Signal above which a pixel was taken for fat, after the coil's shading was taken out; NaN
        for a method without one.
    dixon_pct
        Mean Dixon fat fraction; NaN where there is no Dixon pair.
    mean_si
        Mean signal of the valid pixels; NaN for several samples.
    problem
        Why what is drawn is no outline; then nothing is measured.
    """

    area_mm2: float = NAN
    area_u_mm2: float = NAN
    fat_pct: float = NAN
    fat_u_pct: float = NAN
    fat_method: str = ""
    beside_pct: float = NAN
    beside_u_pct: float = NAN
    beside_method: str = ""
    threshold: float = NAN
    dixon_pct: float = NAN
    mean_si: float = NAN
    flags: tuple[Flag, ...] = ()
    awaits_signal: bool = False
    problem: str = ""


def numbers_of(rows: Sequence[Measurement], methods: Sequence[FatMethod]) -> Numbers:
    """Gather the numbers of one structure on one slice from rows of the tidy table.

    Parameters
    ----------
    methods
        Those whose fat is shown, as of
        :func:`napari_multifidus.models.fat_shown.shown_methods`.
    """
    shown = [row for row in rows if row.quantity in _SHOWN]
    by_method = [_fat_rows(rows, method) for method in methods]
    fat, beside = (found[0] if found else None for found in (*by_method, [], [])[:2])
    fats = [row for found in by_method for row in found]
    areas = [row for row in shown if row.quantity is Quantity.TCSA_MM2]
    signal = [row.value for row in shown if row.quantity is Quantity.MEAN_SI]
    dixon = [row.value for row in shown if row.quantity is Quantity.DIXON_FF_MEAN_PCT]
    return Numbers(
        area_mm2=math.fsum(row.value for row in areas) if areas else NAN,
        area_u_mm2=areas[0].uncertainty if len(areas) == 1 else NAN,
        fat_pct=fat.value if fat else NAN,
        fat_u_pct=fat.uncertainty if fat else NAN,
        fat_method=fat.method if fat else "",
        beside_pct=beside.value if beside else NAN,
        beside_u_pct=beside.uncertainty if beside else NAN,
        beside_method=beside.method if beside else "",
        threshold=next(
            (float(row.parameters["threshold"]) for row in fats if "threshold" in row.parameters),
            NAN,
        ),
        dixon_pct=dixon[0] if dixon else NAN,
        mean_si=signal[0] if len(signal) == 1 else NAN,
        flags=tuple(dict.fromkeys(flag for row in (*shown, *fats) for flag in row.flags)),
    )


def _fat_rows(rows: Iterable[Measurement], method: FatMethod) -> list[Measurement]:
    wanted = kind_of(method).quantity
    return [row for row in rows if row.quantity is wanted and row.method == method]


def asymmetry_pct(right: Numbers | None, left: Numbers | None) -> float:
    """Return the asymmetry of the areas of both sides, positive where the right is larger."""
    if right is None or left is None:
        return NAN
    return signed_asymmetry_pct(right.area_mm2, left.area_mm2)


def asymmetry_uncertainty(right: Numbers | None, left: Numbers | None) -> float:
    """Return the standard uncertainty of :func:`asymmetry_pct`, as the table states it."""
    if right is None or left is None:
        return NAN
    uncertainties = right.area_u_mm2, left.area_u_mm2
    return signed_asymmetry_uncertainty(right.area_mm2, left.area_mm2, *uncertainties)
