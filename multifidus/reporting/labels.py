"""What the tables' short names are called in figures and in text."""

from __future__ import annotations

from collections.abc import Iterable

from multifidus.data.measurement import Quantity

_NAMES: dict[str, str] = {
    Quantity.TCSA_MM2: "total cross-sectional area",
    Quantity.FCSA_MM2: "lean cross-sectional area",
    Quantity.FAT_CSA_MM2: "visible fat area",
    Quantity.FI_PCT: "visible fat infiltration",
    **{
        Quantity(f"fi_q{number}_pct"): f"visible fat infiltration, quarter {number}"
        for number in (1, 2, 3, 4)
    },
    Quantity.FI_DEEP_PCT: "visible fat infiltration, deep part",
    Quantity.FI_DIFFERENCE_PCT: "side difference of visible fat infiltration",
    Quantity.FI_OPERATED_DIFFERENCE_PCT: "difference of visible fat infiltration to the other side",
    Quantity.FF_LINEAR_PCT: "fat fraction",
    Quantity.FF_SIGNAL_PCT: "fat signal fraction",
    Quantity.DIXON_FF_MEAN_PCT: "Dixon fat fraction, mean",
    Quantity.DIXON_FF_RATIO_PCT: "Dixon fat fraction, ratio",
    Quantity.PDFF_MEAN_PCT: "proton-density fat fraction",
    Quantity.VOLUME_ML: "volume",
    Quantity.ASYMMETRY_PCT: "asymmetry of area",
}

_UNITS = {"mm2": "mm²", "1": ""}


_OF_ONE_METHOD = frozenset({Quantity.FF_SIGNAL_PCT})
"""Quantities whose name says the method."""


def quantity_name(quantity: str, method: str = "") -> str:
    """Name a quantity, and the method it depends on: ``visible fat infiltration (otsu)``."""
    name = _NAMES.get(quantity, quantity.rsplit("_", 1)[0].replace("_", " "))
    is_said = not method or quantity in _OF_ONE_METHOD
    return name if is_said else f"{name} ({method.replace('_', ' ')})"


def quantity_unit(quantity: str) -> str:
    """Return a quantity's unit as it is printed; empty where it has none."""
    try:
        unit = Quantity(quantity).unit
    except ValueError:
        unit = ""
    return _UNITS.get(unit, unit)


def axis_label(quantity: str, method: str = "") -> str:
    """Label an axis: the name with a capital letter, and the unit."""
    name = quantity_name(quantity, method)
    unit = quantity_unit(quantity)
    return name[:1].upper() + name[1:] + (f", {unit}" if unit else "")


VISIBLE_FAT_NOTE = (
    "fi_pct and fat_csa_mm2 are visible fat: pixels classified as fat. Fat spread within pixels "
    "that are mostly muscle is not in them."
)
"""Stands below tables that print quantities by their short names."""


SIGNAL_FRACTION_NOTE = (
    "ff_signal_pct is the fat signal fraction; fat spread within pixels that are mostly muscle is "
    "in it."
)


def fat_notes(quantities: Iterable[str]) -> tuple[str, ...]:
    """Return the notes of what is visible fat and what is not, as far as it is printed."""
    printed = set(quantities)
    is_visible = any(name.startswith(("fi_", "fat_csa")) for name in printed)
    return (
        *((VISIBLE_FAT_NOTE,) if is_visible else ()),
        *((SIGNAL_FRACTION_NOTE,) if Quantity.FF_SIGNAL_PCT in printed else ()),
    )
