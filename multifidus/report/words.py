"""What the tables' short names are called in figures and in text."""

from __future__ import annotations

from multifidus.measurement import Quantity

_NAMES: dict[str, str] = {
    Quantity.TCSA_MM2: "total cross-sectional area",
    Quantity.FCSA_MM2: "lean cross-sectional area",
    Quantity.FAT_CSA_MM2: "fat area",
    Quantity.FI_PCT: "fat infiltration",
    Quantity.FF_LINEAR_PCT: "fat fraction",
    Quantity.DIXON_FF_MEAN_PCT: "Dixon fat fraction, mean",
    Quantity.DIXON_FF_RATIO_PCT: "Dixon fat fraction, ratio",
    Quantity.PDFF_MEAN_PCT: "proton-density fat fraction",
    Quantity.VOLUME_ML: "volume",
    Quantity.ASYMMETRY_PCT: "asymmetry of area",
}

_UNITS = {"mm2": "mm²", "1": ""}


def quantity_name(quantity: str, method: str = "") -> str:
    """Name a quantity, and the method where it depends on one: ``fat infiltration (otsu)``."""
    name = _NAMES.get(quantity, quantity.rsplit("_", 1)[0].replace("_", " "))
    return f"{name} ({method.replace('_', ' ')})" if method else name


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
