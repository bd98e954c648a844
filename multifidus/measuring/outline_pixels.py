"""What lies under an outline, part by part: areas, pixels, boundary band, quality flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from multifidus.data.flags import Flag
from multifidus.data.protocol import FatMethod
from multifidus.data.roi import Roi
from multifidus.measuring.boundary_band import BoundaryBand
from multifidus.measuring.coverage import Coverage
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import needs_of
from multifidus.measuring.locate import PlacedOutline, SignalScale
from multifidus.measuring.pdff_map import PdffMap
from multifidus.measuring.weighted_pixels import WeightedPixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OutlineAreas:
    """The areas of one outline.

    Attributes
    ----------
    total_mm2
        Exact area of the outline.
    centres_mm2, n_centres
        Area and number of the pixels whose centre is inside.
    inside_mm2
        Exact area of the part inside the image.
    valid_mm2, valid_pixels, n_pixels
        Area, weight and number of the pixels that are covered, inside the image, outside
        artefacts, and have a value.
    """

    total_mm2: float
    centres_mm2: float
    n_centres: int
    inside_mm2: float
    valid_mm2: float
    valid_pixels: float
    n_pixels: int


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """Where an outline lies in the pixels of its slice, without what artefacts hide.

    Attributes
    ----------
    loops
        Loops of (row, column), turned so that signed areas sum to the area.
    coverage
        Their exact coverage, for the box around them.
    places
        The pixels in which fat is measured, counted in the box row by row, ascending, shape (n,).
    """

    loops: tuple[Array, ...]
    coverage: Coverage
    places: NDArray[np.int32]

    @property
    def pixels(self) -> NDArray[np.intp]:
        """The pixels in which fat is measured, (n, 2) of (row, column) in the slice."""
        return self.coverage.pixels_at(self.places)


@dataclass(frozen=True, slots=True, eq=False)
class OutlineSignal:
    """The signal in which fat is measured: as it is in the image, or corrected.

    Attributes
    ----------
    inside
        The pixels that lie inside by at least the protocol's ``minimal_coverage``.
    along
        Signal of the boundary band's pixels, of muscles only, (rings x places,).
    parameters, flags
        What was done to the signal, for the rows that depend on it.
    gain_range
        Least and largest gain by which its pixels were divided.
    """

    inside: WeightedPixels
    along: Array | None
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    flags: tuple[Flag, ...] = ()
    gain_range: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class DixonPixels:
    """Fat and water pixels of an outline on a slice of a Dixon pair.

    Attributes
    ----------
    fat, water
        In the box of the outline's coverage.
    along
        Fat and water of the boundary band; None where there is no band.
    """

    fat: Array
    water: Array
    along: tuple[Array, Array] | None

    @property
    def total(self) -> Array:
        """Fat and water together: bright in muscle and in fat."""
        return self.fat + self.water


@dataclass(frozen=True, slots=True, eq=False)
class PdffPixels:
    """The map of the fat fraction on an outline's slice, and its pixels under the outline."""

    map: PdffMap
    inside: WeightedPixels


@dataclass(frozen=True, slots=True)
class OutlineQuality:
    """What is known about the quality of an outline's pixels.

    Attributes
    ----------
    flags
        Of every number about the outline.
    dixon_flags
        Of the Dixon pair; ``dixon_unpaired`` where there is none though there should be.
    is_saturated, is_flat
        Whether pixels pile up at the largest value of the slice, and whether all have one value.
    """

    flags: tuple[Flag, ...]
    dixon_flags: tuple[Flag, ...]
    is_saturated: bool
    is_flat: bool


@dataclass(frozen=True, slots=True, eq=False)
class OutlinePixels:
    """An outline with all that is read from its slice's pixels.

    Attributes
    ----------
    placed
        The outline on its slice.
    mean_si
        Weighted mean of all covered pixels, without any correction.
    raw, corrected
        The signal in which fat is measured, before and after bias field correction; the same where
        nothing was corrected.
    equalised
        The same pixels after equalisation of the slice, where a method of the protocol needs them.
    band
        The pixels along the outline; of other structures than muscles its length only.
    dixon, pdff
        The outline's pixels in a Dixon pair and in a map of the fat fraction, where there is one.
    """

    placed: PlacedOutline
    areas: OutlineAreas
    footprint: Footprint
    mean_si: float
    raw: OutlineSignal
    corrected: OutlineSignal
    equalised: WeightedPixels | None
    band: BoundaryBand
    dixon: DixonPixels | None
    pdff: PdffPixels | None
    quality: OutlineQuality
    image_sha256: str

    @property
    def roi(self) -> Roi:
        """The outline."""
        return self.placed.roi

    @property
    def is_muscle(self) -> bool:
        """Whether a muscle was outlined."""
        return self.roi.key.structure.is_muscle

    @property
    def pixels(self) -> WeightedPixels:
        """The corrected pixels in which fat is measured."""
        return self.corrected.inside

    @property
    def points_mm(self) -> Array:
        """Centres of these pixels, LPS millimetres, (n, 3)."""
        return self.placed.slice.plane.to_patient(self.footprint.pixels)

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """Distance between the slice's rows and between its columns."""
        return self.placed.slice.plane.pixel_spacing_mm

    @property
    def signal_scale(self) -> SignalScale:
        """What it shares with the outlines that are measured by one calibration."""
        return self.placed.signal_scale

    def signal_for(self, method: FatMethod | str) -> OutlineSignal:
        """Return the signal that a fat method is for."""
        is_raw = Need.UNCORRECTED_SIGNAL in needs_of(method)
        return self.raw if is_raw else self.corrected
