"""The factors that vary one at a time, their levels by name, and the cells in which two vary."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.accuracy.scenes.scene import Axis, Place, Shading, Void
from multifidus import Weighting

Changes = Mapping[str, object]


def _one(name: str, **levels: object) -> dict[str, Changes]:
    return {level: {name: value} for level, value in levels.items()}


def _shadings() -> dict[str, Changes]:
    amounts = {Shading.PLANE: (20, 40), Shading.SURFACE: (20, 40, 60), Shading.ARRAY: (20, 40, 60)}
    return {
        f"{kind}_{pct}": {"shading": kind, "shading_pct": float(pct)}
        for kind, each in amounts.items()
        for pct in each
    }


def _shifts() -> dict[str, Changes]:
    return {
        f"{axis}_{pixels}": {"shift_px": float(pixels), "shift_axis": axis}
        for axis in Axis
        for pixels in (1, 2)
    }


def _voids() -> dict[str, Changes]:
    return {
        f"{void}_{'drawn' if drawn else 'undrawn'}": {"void": void, "void_drawn": drawn}
        for void in (Void.METAL, Void.FLOW, Void.AIR)
        for drawn in (True, False)
    }


FACTORS: Mapping[str, Mapping[str, Changes]] = MappingProxyType(
    {
        "streak_width": _one("streak_mm", mm_08=0.8, mm_3=3.0, mm_6=6.0),
        "place": _one("place", medial_deep=Place.MEDIAL_DEEP),
        "weighting": _one("weighting", t1=Weighting.T1),
        "contrast": _one("contrast", x_2=2.0, x_25=2.5, x_8=8.0),
        "erector": _one("erector_pct", minus_15=-15.0, minus_8=-8.0, plus_8=8.0, plus_15=15.0),
        "sides": _one("right_pct", right_plus_8=8.0),
        "gradient": _one("gradient_pct", minus_30=-30.0, plus_30=30.0),
        "oedema": _one("oedema_pct", plus_20=20.0, plus_40=40.0, plus_60=60.0),
        "shading": _shadings(),
        "shift": _shifts(),
        "void": _voids(),
        "size": _one("small", cm2_15=True),
        "snr": _one("snr", snr_6=6.0, snr_12=12.0),
        "bits": _one("bits", bits_8=8),
        "references": _one("references", none=False),
        "subcutaneous": _one("subcutaneous", outlined=True),
    }
)
"""Changes of the neutral scene by factor and level; the neutral level is left out."""


def _crossed() -> dict[str, Changes]:
    unequal: dict[str, Changes] = {
        "gradient_minus_30": {"gradient_pct": -30.0},
        "gradient_plus_30": {"gradient_pct": 30.0},
        "erector_minus_15": {"erector_pct": -15.0},
        "erector_plus_15": {"erector_pct": 15.0},
        "sides_right_plus_8": {"right_pct": 8.0},
        "erector_plus_8_sides": {"erector_pct": 8.0, "right_pct": 8.0},
    }
    return {
        f"fat_{pct}_{name}": {"pct": float(pct), **changes}
        for pct in (5, 15, 30)
        for name, changes in unequal.items()
    }


CROSSED: Mapping[str, Changes] = MappingProxyType(_crossed())
"""Diffuse fat of a known amount, crossed with a gradient of lean signal and unequal muscles."""
