from .data.anatomy import (
    Level as Level,
    RoiRule as RoiRule,
    Side as Side,
    SlicePosition as SlicePosition,
    Structure as Structure,
)
from .data.clinical import Clinical as Clinical
from .data.flags import Flag as Flag
from .data.geometry import Plane as Plane
from .data.image import (
    Exam as Exam,
    Series as Series,
    Slice as Slice,
    Stack as Stack,
    Weighting as Weighting,
)
from .data.landmark import Landmark as Landmark, LandmarkKind as LandmarkKind
from .data.measurement import (
    Measurement as Measurement,
    Measurements as Measurements,
    Provenance as Provenance,
    Quantity as Quantity,
)
from .data.protocol import FatMethod as FatMethod, MeasurementProtocol as MeasurementProtocol
from .data.roi import Reading as Reading, Roi as Roi, RoiKey as RoiKey
from .data.roi_set import (
    Grade as Grade,
    NotMeasurable as NotMeasurable,
    RoiSet as RoiSet,
    SliceLevel as SliceLevel,
)
from .errors import (
    CohortError as CohortError,
    GeometryError as GeometryError,
    LevelError as LevelError,
    MultifidusError as MultifidusError,
    ProtocolError as ProtocolError,
    ReadError as ReadError,
    RoiError as RoiError,
    StatisticsError as StatisticsError,
    WriteError as WriteError,
)
from .io.measurements_csv import write_table as write_table
from .io.outlines import read_rois as read_rois, write_rois as write_rois
from .io.protocol_toml import load_protocol as load_protocol
from .io.read import read_exam as read_exam, read_exams as read_exams
from .io.scan import scan as scan
from .measuring.coverage import coverage as coverage, polygon_area_mm2 as polygon_area_mm2
from .measuring.fat.estimator import FatResult as FatResult
from .measuring.fat.methods import fat_fraction as fat_fraction
from .measuring.pipeline import measure as measure
from .spine.levels import LevelAssignment as LevelAssignment, assign_levels as assign_levels
from .stats.reliability.icc import Icc as Icc, icc as icc
from .stats.reliability.measurement_error import (
    BlandAltman as BlandAltman,
    Sem as Sem,
    bland_altman as bland_altman,
    sem as sem,
)
