"""Measure the multifidus on lumbar axial MRI: size, fat, and whether they changed.

Research software, not a medical device. Names are loaded when they are first used, so that
importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multifidus.version import VERSION as __version__

if TYPE_CHECKING:
    from multifidus.anatomy import Level, RoiRule, Side, SlicePosition, Structure
    from multifidus.clinical import Clinical
    from multifidus.errors import (
        CohortError,
        GeometryError,
        LevelError,
        MultifidusError,
        ProtocolError,
        ReadError,
        RoiError,
        StatisticsError,
        WriteError,
    )
    from multifidus.flag import Flag
    from multifidus.formats import read_exam, read_exams, read_rois, scan, write_rois
    from multifidus.geometry import Plane
    from multifidus.image import Exam, Series, Slice, Stack, Weighting
    from multifidus.io.protocols import load_protocol
    from multifidus.io.tables import write_table
    from multifidus.landmark import Landmark, LandmarkKind
    from multifidus.levels import LevelAssignment, assign_levels
    from multifidus.measurement import Measurement, Provenance, Quantity
    from multifidus.measuring import measure
    from multifidus.metrics.fat import FatResult, fat_fraction
    from multifidus.protocol import FatMethod, MeasurementProtocol
    from multifidus.raster import coverage, polygon_area_mm2
    from multifidus.roi import Grade, NotMeasurable, Reading, Roi, RoiKey, RoiSet, SliceLevel
    from multifidus.stats.agreement import BlandAltman, Sem, bland_altman, sem
    from multifidus.stats.icc import Icc, icc

_HOMES = {
    "anatomy": ("Level", "RoiRule", "Side", "SlicePosition", "Structure"),
    "clinical": ("Clinical",),
    "errors": (
        "CohortError", "GeometryError", "LevelError", "MultifidusError", "ProtocolError",
        "ReadError", "RoiError", "StatisticsError", "WriteError",
    ),
    "flag": ("Flag",),
    "formats": ("read_exam", "read_exams", "read_rois", "scan", "write_rois"),
    "geometry": ("Plane",),
    "image": ("Exam", "Series", "Slice", "Stack", "Weighting"),
    "io.tables": ("write_table",),
    "landmark": ("Landmark", "LandmarkKind"),
    "levels": ("LevelAssignment", "assign_levels"),
    "measuring": ("measure",),
    "measurement": ("Measurement", "Provenance", "Quantity"),
    "metrics.fat": ("FatResult", "fat_fraction"),
    "io.protocols": ("load_protocol",),
    "protocol": ("FatMethod", "MeasurementProtocol"),
    "raster": ("coverage", "polygon_area_mm2"),
    "roi": ("Grade", "NotMeasurable", "Reading", "Roi", "RoiKey", "RoiSet", "SliceLevel"),
    "stats.agreement": ("BlandAltman", "Sem", "bland_altman", "sem"),
    "stats.icc": ("Icc", "icc"),
}  # fmt: skip

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BlandAltman",
    "Clinical",
    "CohortError",
    "Exam",
    "FatMethod",
    "FatResult",
    "Flag",
    "GeometryError",
    "Grade",
    "Icc",
    "Landmark",
    "LandmarkKind",
    "Level",
    "LevelAssignment",
    "LevelError",
    "Measurement",
    "MeasurementProtocol",
    "MultifidusError",
    "NotMeasurable",
    "Plane",
    "ProtocolError",
    "Provenance",
    "Quantity",
    "ReadError",
    "Reading",
    "Roi",
    "RoiError",
    "RoiKey",
    "RoiRule",
    "RoiSet",
    "Sem",
    "Series",
    "Side",
    "Slice",
    "SliceLevel",
    "SlicePosition",
    "Stack",
    "StatisticsError",
    "Structure",
    "Weighting",
    "WriteError",
    "__version__",
    "assign_levels",
    "bland_altman",
    "coverage",
    "fat_fraction",
    "icc",
    "load_protocol",
    "measure",
    "polygon_area_mm2",
    "read_exam",
    "read_exams",
    "read_rois",
    "scan",
    "sem",
    "write_rois",
    "write_table",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        msg = f"module 'multifidus' has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    value = getattr(import_module(f"multifidus.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
