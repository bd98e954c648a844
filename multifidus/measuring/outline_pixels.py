"""What lies under an outline: its pixels, how much of each, and doubts about them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.polygon_sets import loops_of, region_of
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi import Roi, Source
from multifidus.measuring.boundary_band import BoundaryBand, perimeters_mm, rim_of
from multifidus.measuring.coverage import Coverage, Region
from multifidus.measuring.dixon_pairs import OTHER, Pairing, pairings
from multifidus.measuring.fat.equalisation import equalised
from multifidus.measuring.locate import PlacedOutline
from multifidus.measuring.pdff_map import FatMaps, PdffMap
from multifidus.measuring.plausibility import STRAIGHT, is_sparse
from multifidus.measuring.weighted_pixels import WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HALF = 0.5
"""Pixels reach half a step beyond their centres."""

SATURATED, SATURATED_PIXELS = 0.05, 3
"""Share and number of an outline's pixels at the slice's largest value that no noise puts there."""

SMALLEST_RANGE = 128
"""Values that images of 7 bits hold; no scanner stores fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class OutlinePixels:
    """An outline with all that is read from its slice's pixels.

    Attributes
    ----------
    area_mm2
        Exact area of the outline.
    centres_mm2
        Area of the pixels whose centre is inside.
    n_centres
        Their number.
    inside_mm2
        Area of the outline's part inside the image.
    visible
        Loops of what artefacts leave of the outline, (row, column), turned so that signed areas
        sum to its area.
    cover
        Exact coverage of that, for the box around it.
    sample
        The pixels in which fat is measured: those that lie inside by at least the protocol's
        ``minimal_coverage``, corrected for the coil's shading where the protocol says so.
    places
        Where they lie in the box of ``cover``, counted row by row, ascending, shape (n,).
    valid_pixels, n_pixels
        Weight and number of all pixels with positive coverage.
    mean_si
        Weighted mean of all of them, without any correction.
    rim
        The outline's loops and, of muscles, the pixels along them, corrected as the sample.
    dixon
        Fat and water pixels of the same box, where the slice is one of a Dixon pair.
    dixon_rim
        Fat and water pixels of the rim.
    equalised
        The sample's pixels after equalisation of the slice as it is, where the protocol has the
        method that needs them.
    saturated, flat
        Whether pixels of the outline pile up at the largest value of the slice, and whether all
        of them have one value.
    fat_parameters, fat_flags
        What was done to the sample, for the rows that depend on it.
    untouched
        The same before it was corrected; None where nothing was.
    beyond_field
        How far the fat references that it shares lie outside the region in which shading was
        fitted, in millimetres, and how much the logarithm of the gain may change on the way.
    dixon_flags
        Doubts about the pair; ``dixon_unpaired`` where there is none though there should be.
    mapped, fractions
        The slice's fat-fraction map and the map's pixels under the outline, where there is one.
    """

    placed: PlacedOutline
    area_mm2: float
    centres_mm2: float
    n_centres: int
    inside_mm2: float
    visible: tuple[Array, ...]
    cover: Coverage
    sample: WeightedPixels
    places: NDArray[np.int32]
    valid_pixels: float
    n_pixels: int
    mean_si: float
    rim: BoundaryBand
    dixon: tuple[Array, Array] | None
    dixon_rim: tuple[Array, Array] | None
    dixon_flags: tuple[Flag, ...]
    mapped: PdffMap | None
    fractions: WeightedPixels | None
    equalised: WeightedPixels | None
    saturated: bool
    flat: bool
    flags: tuple[Flag, ...]
    image_sha256: str
    fat_parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    fat_flags: tuple[Flag, ...] = ()
    untouched: OutlinePixels | None = None
    beyond_field: tuple[float, float] = (0.0, 0.0)

    def for_method(self, method: str) -> OutlinePixels:
        """Return what a fat method is for: a threshold given is one of the image as it is."""
        as_it_is = method == FatMethod.FIXED and self.untouched is not None
        return self.untouched if as_it_is else self  # type: ignore[return-value]

    @property
    def roi(self) -> Roi:
        """The outline."""
        return self.placed.roi

    @property
    def pixels(self) -> NDArray[np.intp]:
        """The sample's pixels, (n, 2) of (row, column) in the slice."""
        return self.cover.pixels_at(self.places)

    @property
    def points_mm(self) -> Array:
        """Centres of the sample's pixels, LPS millimetres, (n, 3)."""
        return self.placed.slice.plane.to_patient(self.pixels)

    @property
    def valid_mm2(self) -> float:
        """Area inside the image and outside artefacts."""
        return self.valid_pixels * self.placed.slice.plane.pixel_area_mm2


def sample_all(
    exam: Exam, placed: Iterable[PlacedOutline], protocol: MeasurementProtocol
) -> list[OutlinePixels]:
    """Sample outlines slice by slice; pixels are let go slice by slice as well.

    Raises
    ------
    ReadError
        If the pixels of a slice cannot be read.
    """
    by_slice: dict[str, list[PlacedOutline]] = {}
    for item in placed:
        by_slice.setdefault(item.slice.uid, []).append(item)
    companions = CoRegistered.of(exam)
    return [
        sampled
        for members in by_slice.values()
        for sampled in _sample_slice(members, companions, protocol)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class CoRegistered:
    """Which images of an exam belong together: Dixon pairs, and maps of the fat fraction."""

    pairs: Mapping[str, Pairing]
    maps: FatMaps

    @classmethod
    def of(cls, exam: Exam) -> CoRegistered:
        """Look through an exam."""
        return cls(pairings(exam), FatMaps(exam))


def _sample_slice(
    members: Sequence[PlacedOutline], companions: CoRegistered, protocol: MeasurementProtocol
) -> Iterator[OutlinePixels]:
    first = members[0]
    read = ReadSlice.of(first.series, first.index, companions, protocol)
    artefacts = [item.roi for item in members if item.roi.key.structure is Structure.ARTEFACT]
    for item in members:
        yield read.sample(item, artefacts)


@dataclass(frozen=True, slots=True, eq=False)
class ReadSlice:
    """A slice whose pixels are read, with all that outlines on it have in common.

    Attributes
    ----------
    pixels, brightest, digest
        Its pixels, the largest of them, and their hash.
    flags
        Doubts about all that is measured on it.
    mapped, fractions
        Its fat-fraction map and the map's pixels, where there is one.
    pair, doubts
        Fat and water pixels where it is one of a Dixon pair, and doubts about the pair.
    even
        Its pixels after equalisation, where the protocol has the method that needs them.
    """

    image: Slice
    protocol: MeasurementProtocol
    pixels: Array
    brightest: float
    flags: tuple[Flag, ...]
    digest: str
    mapped: PdffMap | None
    fractions: Array | None
    pair: tuple[Array, Array] | None
    doubts: tuple[Flag, ...]
    even: Array | None

    @classmethod
    def of(
        cls,
        series: Series,
        index: int,
        companions: CoRegistered,
        protocol: MeasurementProtocol,
    ) -> ReadSlice:
        """Read a slice.

        Raises
        ------
        ReadError
            If its pixels cannot be read.
        """
        image = series.slices[index]
        pixels = image.pixels
        mapped = companions.maps.at(image)
        pair, doubts = _dixon_pair(series, image, pixels, companions.pairs)
        return cls(
            image=image,
            protocol=protocol,
            pixels=pixels,
            brightest=float(np.fmax.reduce(pixels, axis=None)),
            flags=series.flags_at(index),
            digest=image.sha256(pixels),
            mapped=mapped,
            fractions=None if mapped is None else mapped.item.pixels,
            pair=pair,
            doubts=doubts,
            even=equalised(pixels) if FatMethod.CLAHE_OTSU in protocol.fat_methods else None,
        )

    def sample(self, item: PlacedOutline, artefacts: Iterable[Roi]) -> OutlinePixels:
        """Sample one outline; ``artefacts`` are those of its slice."""
        image, pixels, protocol = self.image, self.pixels, self.protocol
        paths = item.roi.paths
        region = Region.of(paths)
        cover = region.coverage(image.shape)
        flags = (*self.flags, *_flags(item, paths, protocol))
        hidden = [other.paths for other in artefacts if _hides(other, item.roi)]
        left = _without(paths, hidden) if hidden else None
        visible, inside = region, None
        if left is not None:
            inside = cover.total
            visible = Region.of(left)
            cover = visible.coverage(image.shape)
            flags = (*flags, Flag.ARTEFACT)
        centres = region.centres(image.shape)
        whole, places = _under(cover, pixels)
        enough = whole.weights >= protocol.minimal_coverage
        sample, places = whole.where(enough), places[enough]
        rim = _rim(item, region, pixels, protocol)
        pixel_mm2 = image.plane.pixel_area_mm2
        pair, even, fractions = self.pair, self.even, self.fractions
        return OutlinePixels(
            placed=item,
            area_mm2=region.area * pixel_mm2,
            centres_mm2=centres * pixel_mm2,
            n_centres=centres,
            inside_mm2=(cover.total if inside is None else inside) * pixel_mm2,
            cover=cover,
            sample=sample,
            places=places,
            valid_pixels=whole.total,
            n_pixels=len(whole.values),
            mean_si=whole.mean,
            rim=rim,
            dixon=None if pair is None else (cover.of(pair[0]).copy(), cover.of(pair[1]).copy()),
            visible=visible.loops,
            dixon_rim=None
            if pair is None or rim.pixels is None
            else (pair[0][tuple(rim.pixels.T)], pair[1][tuple(rim.pixels.T)]),
            dixon_flags=self.doubts,
            mapped=self.mapped,
            fractions=None
            if fractions is None
            else WeightedPixels.of(cover.of(fractions), cover.weights),
            equalised=None
            if even is None
            else WeightedPixels(cover.of(even).ravel().take(places), sample.weights),
            saturated=_is_saturated(sample, image, self.brightest),
            flat=sample.is_flat,
            flags=flags,
            image_sha256=self.digest,
        )


def _under(cover: Coverage, pixels: Array) -> tuple[WeightedPixels, NDArray[np.int32]]:
    """Return the pixels that have weight and a value, and their places in the box, row by row."""
    values, weights = cover.of(pixels).ravel(), cover.weights.ravel()
    # Every outline of an exam is kept until all are measured, so small numbers are kept small.
    places = np.flatnonzero((weights > 0) & np.isfinite(values)).astype(np.int32)
    return WeightedPixels(values.take(places), weights.take(places)), places


def _is_saturated(sample: WeightedPixels, image: Slice, brightest: float) -> bool:
    """Whether pixels pile up at the slice's largest value.

    A sample of one value says so only where that value is the last that its bits can hold: an image
    without noise has such samples too.
    """
    if not len(sample.values) or sample.values.max() < brightest:
        return False
    top = sample.values == sample.values.max()
    if top.all():
        stored = image.stored_pixels
        last = int(stored.max()) + 1 if stored.dtype.kind in "iu" else 1
        return last > SMALLEST_RANGE and last & (last - 1) == 0
    piled = int(top.sum()) >= SATURATED_PIXELS
    return piled and sample.where(top).total > SATURATED * sample.total


def _rim(
    item: PlacedOutline, region: Region, pixels: Array, protocol: MeasurementProtocol
) -> BoundaryBand:
    spacing = item.slice.plane.pixel_spacing_mm
    if not item.roi.key.structure.is_muscle:
        return BoundaryBand(perimeters_mm(region.loops, spacing))
    sd_mm = math.hypot(protocol.tracing_sd_mm, protocol.tracing_offset_mm)
    return rim_of(region.loops, spacing, pixels, sd_mm)


def _hides(artefact: Roi, roi: Roi) -> bool:
    """Whether an artefact takes pixels from an outline: of its reading, and not itself."""
    own = roi.key.structure is Structure.ARTEFACT
    return not own and artefact.key.reading == roi.key.reading


def _without(paths: Sequence[Array], artefacts: Sequence[Sequence[Array]]) -> list[Array] | None:
    """Cut artefact outlines out of an outline, (row, column); None where they hide nothing."""
    import shapely

    whole = region_of(paths)
    hidden = shapely.union_all([region_of(artefact) for artefact in artefacts])
    if whole.intersection(hidden).area < STRAIGHT:
        return None
    return list(loops_of(whole.difference(hidden)))


def _dixon_pair(
    series: Series, image: Slice, pixels: Array, pairs: Mapping[str, Pairing]
) -> tuple[tuple[Array, Array] | None, tuple[Flag, ...]]:
    """Return fat and water pixels of a slice that is one of a Dixon pair, and doubts about it."""
    contrast = series.weighting
    if contrast not in OTHER:
        return None, ()
    pairing = pairs[series.uid]
    twin = pairing.twin(image)
    if twin is None:
        missing = pairing.partner is not None or bool(pairing.problem)
        return None, (Flag.DIXON_UNPAIRED,) if missing else ()
    is_fat = contrast is Weighting.DIXON_FAT
    return (pixels, twin.pixels) if is_fat else (twin.pixels, pixels), pairing.flags


def _flags(
    item: PlacedOutline, paths: Sequence[Array], protocol: MeasurementProtocol
) -> tuple[Flag, ...]:
    rows, columns = item.slice.shape
    row, column = np.concatenate(paths).T
    # How far the outline stays inside the centres of the image's outermost pixels.
    inside = float(min(row.min(), column.min(), rows - 1 - row.max(), columns - 1 - column.max()))
    sparse = is_sparse(item.roi, paths, protocol.minimal_points)
    return (
        *_flag_if(Flag.FEW_POINTS, sparse),
        *_flag_if(Flag.TOUCHES_BORDER, inside < HALF - STRAIGHT),
        *_flag_if(Flag.OUTSIDE_IMAGE, inside < -HALF - STRAIGHT),
        *_flag_if(Flag.DRAFT_UNEDITED, item.roi.source is Source.DRAFT),
    )


def _flag_if(flag: Flag, raised: bool) -> tuple[Flag, ...]:  # noqa: FBT001 - reads as it is said
    return (flag,) if raised else ()
