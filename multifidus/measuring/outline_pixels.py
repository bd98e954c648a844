"""What lies under an outline and along it: areas, pixels, the boundary band, quality flags.

The boundary band are pixels that a slightly different tracing would take in or leave out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import NOTHING
from multifidus.data.protocol import FatMethod
from multifidus.data.roi import Roi
from multifidus.measuring.coverage import Coverage
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.locate import PlacedOutline, SignalScale
from multifidus.measuring.pdff_map import PdffMap
from multifidus.measuring.surroundings import Surroundings
from multifidus.measuring.weighted_pixels import WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Pixels = NDArray[np.intp]

RINGS = (-1.0, 0.0, 1.0)
"""Where pixels are looked at: inside, on and outside the outline, in standard deviations of a
tracing's displacement."""

POINTS = 64
"""Least number of places along a loop, evenly spaced; a power of two."""

WIDEST_MM = 4.0
"""Longer loops have more places, so that they are never farther apart than this."""


@dataclass(frozen=True, slots=True, eq=False)
class BoundaryBand:
    """Loops of an outline with the pixels along them.

    Parameters
    ----------
    lengths_mm
        Length of each loop.
    counts
        Number of places along each loop.
    pixels
        (row, column) of the pixel at each place, ring after ring: (rings x places, 2).
    """

    lengths_mm: tuple[float, ...]
    counts: tuple[int, ...] = ()
    pixels: Pixels | None = None

    def of(self, image: Array) -> Array | None:
        """Return the band's pixels in an image of the same grid; None without pixels."""
        return None if self.pixels is None else image[self.pixels[:, 0], self.pixels[:, 1]]


def perimeters_mm(loops: Sequence[Array], spacing_mm: tuple[float, float]) -> tuple[float, ...]:
    """Length of each loop, (n, 2) of (row, column), in millimetres."""
    return tuple(float(_edges(loop, spacing_mm).sum()) for loop in loops)


def _edges(loop: Array, spacing_mm: tuple[float, float]) -> Array:
    down, across = (np.concatenate((loop[1:], loop[:1])) - loop).T
    return np.asarray(np.hypot(down * spacing_mm[0], across * spacing_mm[1]))


def boundary_band(
    loops: Sequence[Array], spacing_mm: tuple[float, float], shape: tuple[int, ...], sd_mm: float
) -> BoundaryBand:
    """Find the pixels along an outline.

    Parameters
    ----------
    loops
        Simple loops, (n, 2) of (row, column), turned so that their signed areas sum to the area.
    spacing_mm
        Distance between rows and between columns.
    shape
        Rows and columns of the slice; places beyond it take its nearest pixel.
    sd_mm
        Distance of the inner and the outer ring from the outline.
    """
    lengths, counts, places = [], [], []
    for loop in loops:
        edges = _edges(loop, spacing_mm)
        length = float(edges.sum())
        count = max(POINTS, 2 ** math.ceil(math.log2(max(length / WIDEST_MM, 1.0))))
        lengths.append(length)
        counts.append(count)
        places.append(_rings(loop, edges, spacing_mm, (count, sd_mm)))
    if not places:
        return BoundaryBand(())
    where = np.rint(np.concatenate(places, axis=1)).reshape(-1, 2)
    last = np.array(shape) - 1
    nearest = np.minimum(np.maximum(where, 0), last).astype(np.intp)
    return BoundaryBand(tuple(lengths), tuple(counts), nearest)


def _rings(
    loop: Array, edges: Array, spacing_mm: tuple[float, float], ring: tuple[int, float]
) -> Array:
    """Places on the rings of one loop, (rings, count, 2) in pixels."""
    count, sd_mm = ring
    ends = edges.cumsum()
    along = np.arange(count) * (ends[-1] / count)
    edge = np.minimum(ends.searchsorted(along, side="right"), len(loop) - 1)
    start = loop.take(edge, axis=0)
    step = loop.take(edge + 1, axis=0, mode="wrap") - start
    length = edges[edge]
    share = (along - (ends[edge] - length)) / length
    on = start + share[:, None] * step
    # The direction at right angles to the edge, away from what is inside, in pixels.
    out = np.empty_like(on)
    out[:, 0] = step[:, 1] * spacing_mm[1] / (length * spacing_mm[0])
    out[:, 1] = -step[:, 0] * spacing_mm[0] / (length * spacing_mm[1])
    return np.stack([on + (ring * sd_mm) * out for ring in RINGS])


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
    parameters: Mapping[str, Any] = NOTHING
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
    lean_corrected
        The signal by the field of lean muscle alone, for methods that keep to it, where
        ``corrected`` is by another field; else None.
    equalised
        The same pixels after equalisation of the slice, where a method of the protocol needs them.
    band
        The pixels along the outline; of other structures than muscles its length only.
    dixon, pdff
        The outline's pixels in a Dixon pair and in a map of the fat fraction, where there is one.
    surroundings
        The image around it, where a method of the protocol needs that; outlines that are read
        together share it.
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
    surroundings: Surroundings | None = None
    lean_corrected: OutlineSignal | None = None

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
        needs = METHODS[method].needs
        if Need.UNCORRECTED_SIGNAL in needs:
            return self.raw
        if Need.LEAN_FIELD in needs and self.lean_corrected is not None:
            return self.lean_corrected
        return self.corrected
