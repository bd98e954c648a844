"""Read slices, and take from each what lies under its outlines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.polygon_sets import loops_of, region_of
from multifidus.data.protocol import BiasCorrection, MeasurementProtocol
from multifidus.data.roi import Roi, Source
from multifidus.measuring.coverage import Coverage, Region, centre_counts, coverages
from multifidus.measuring.dixon_pairs import OTHER, Pairing, pairings
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.fat.outline_thresholds import equalised
from multifidus.measuring.locate import PlacedOutline
from multifidus.measuring.outline_pixels import (
    BoundaryBand,
    DixonPixels,
    Footprint,
    OutlineAreas,
    OutlinePixels,
    OutlineQuality,
    OutlineSignal,
    PdffPixels,
    boundary_band,
    perimeters_mm,
)
from multifidus.measuring.pdff_map import FatMaps, PdffMap
from multifidus.measuring.plausibility import STRAIGHT, is_sparse
from multifidus.measuring.surroundings import AROUND_MM, RIM_PIXELS, Surroundings
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


def read_outline_pixels(
    exam: Exam, placed: Iterable[PlacedOutline], protocol: MeasurementProtocol
) -> list[OutlinePixels]:
    """Read what lies under outlines, slice by slice; a slice's pixels are not kept.

    Raises
    ------
    ReadError
        If the pixels of a slice cannot be read.
    """
    by_slice: dict[str, list[PlacedOutline]] = {}
    for item in placed:
        by_slice.setdefault(item.slice.uid, []).append(item)
    others = CoRegistered.of(exam)
    return [
        read for members in by_slice.values() for read in _read_slice(members, others, protocol)
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


def _read_slice(
    members: Sequence[PlacedOutline], others: CoRegistered, protocol: MeasurementProtocol
) -> Iterator[OutlinePixels]:
    first = members[0]
    read = SlicePixels.of(first.series, first.index, others, protocol)
    artefacts = [item.roi for item in members if item.roi.key.structure is Structure.ARTEFACT]
    found = read.under_all(members, artefacts)
    if not read.is_kept_around or not any(item.is_muscle for item in found):
        yield from found
        return
    down, across = (math.ceil(AROUND_MM / step) for step in first.slice.plane.pixel_spacing_mm)
    outlines = [item.footprint.coverage for item in found]
    around = Surroundings.of(read.pixels, outlines, (down, across))
    for item in found:
        yield replace(item, surroundings=around)


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """An outline in the pixels of its slice, whatever hides parts of it.

    Attributes
    ----------
    paths
        Its paths, (row, column).
    region, coverage
        What they enclose, and how much of each pixel that is.
    centres
        How many pixels have their centre inside.
    """

    paths: Sequence[Array]
    region: Region
    coverage: Coverage
    centres: int

    @classmethod
    def of_all(cls, members: Iterable[PlacedOutline], shape: tuple[int, int]) -> list[Raster]:
        """Find the pixels of all outlines of a slice, of (rows, columns)."""
        paths = [item.roi.paths for item in members]
        regions = list(map(Region.of, paths))
        covers, centres = coverages(regions, shape), centre_counts(regions, shape)
        return [cls(*each) for each in zip(paths, regions, covers, centres, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class SlicePixels:
    """A slice whose pixels are read, with all that outlines on it have in common.

    Attributes
    ----------
    pixels, brightest, digest
        Its pixels, the largest of them, and their hash.
    flags
        Of all that is measured on it.
    pdff_map, fractions
        Its fat-fraction map and the map's pixels, where there is one.
    fat_water, dixon_flags
        Fat and water pixels where it is one of a Dixon pair, and flags of the pair.
    equalised
        Its pixels after equalisation, where a method of the protocol needs them.
    """

    image: Slice
    protocol: MeasurementProtocol
    pixels: Array
    brightest: float
    flags: tuple[Flag, ...]
    digest: str
    pdff_map: PdffMap | None
    fractions: Array | None
    fat_water: tuple[Array, Array] | None
    dixon_flags: tuple[Flag, ...]
    equalised: Array | None

    @classmethod
    def of(
        cls,
        series: Series,
        index: int,
        others: CoRegistered,
        protocol: MeasurementProtocol,
    ) -> SlicePixels:
        """Read a slice.

        Raises
        ------
        ReadError
            If its pixels cannot be read.
        """
        image = series.slices[index]
        pixels = image.pixels
        pdff_map = others.maps.at(image)
        fat_water, dixon_flags = _dixon_pair(series, image, pixels, others.pairs)
        equalise = any(Need.EQUALISED_SLICE in METHODS[name].needs for name in protocol.fat_methods)
        return cls(
            image=image,
            protocol=protocol,
            pixels=pixels,
            brightest=float(np.fmax.reduce(pixels, axis=None)),
            flags=series.flags_at(index),
            digest=image.sha256(pixels),
            pdff_map=pdff_map,
            fractions=None if pdff_map is None else pdff_map.item.pixels,
            fat_water=fat_water,
            dixon_flags=dixon_flags,
            equalised=equalised(pixels) if equalise else None,
        )

    @property
    def is_kept_around(self) -> bool:
        """Whether a method or the bias field of the protocol looks at the image around outlines."""
        methods = self.protocol.fat_methods
        if methods and self.protocol.bias_correction is BiasCorrection.JOINT:
            return True
        return any(Need.SURROUNDINGS in METHODS[name].needs for name in methods)

    def under(self, item: PlacedOutline, artefacts: Sequence[Roi]) -> OutlinePixels:
        """Return what lies under one outline; ``artefacts`` are those of its slice."""
        return self.under_all([item], artefacts)[0]

    def under_all(
        self, members: Sequence[PlacedOutline], artefacts: Sequence[Roi]
    ) -> list[OutlinePixels]:
        """Return what lies under several outlines, as of each by itself."""
        rasters = Raster.of_all(members, self.image.shape)
        return [
            self._under(item, artefacts, raster)
            for item, raster in zip(members, rasters, strict=True)
        ]

    def _under(
        self, item: PlacedOutline, artefacts: Iterable[Roi], raster: Raster
    ) -> OutlinePixels:
        paths, region, coverage = raster.paths, raster.region, raster.coverage
        flags = (*self.flags, *_flags(item, paths, self.protocol))
        hidden = [other.paths for other in artefacts if _hides(other, item.roi)]
        left = _without(paths, hidden) if hidden else None
        visible, inside = region, None
        if left is not None:
            inside = coverage.total
            visible = Region.of(left)
            coverage = visible.coverage(self.image.shape)
            flags = (*flags, Flag.ARTEFACT)
        whole, places = _covered(coverage, self.pixels)
        areas = self._areas(raster, whole, coverage.total if inside is None else inside)
        enough = whole.weights >= self.protocol.minimal_coverage
        sample, places = whole.where(enough), places.compress(enough)
        band = _band(item, region, self.pixels.shape, self.protocol)
        signal = OutlineSignal(sample, band.of(self.pixels))
        return OutlinePixels(
            placed=item,
            areas=areas,
            footprint=Footprint(visible.loops, coverage, places),
            mean_si=whole.mean,
            raw=signal,
            corrected=signal,
            equalised=self._equalised(coverage, places, sample),
            band=band,
            dixon=self._dixon(coverage, band),
            pdff=self._pdff(coverage),
            quality=OutlineQuality(
                flags,
                self.dixon_flags,
                is_saturated=_is_saturated(sample, self.image, self.brightest),
                is_flat=sample.is_flat,
            ),
            image_sha256=self.digest,
            surroundings=Surroundings.of(self.pixels, [coverage], (RIM_PIXELS, RIM_PIXELS))
            if self.is_kept_around and item.roi.key.structure.is_muscle
            else None,
        )

    def _areas(self, raster: Raster, covered: WeightedPixels, inside: float) -> OutlineAreas:
        pixel_mm2 = self.image.plane.pixel_area_mm2
        return OutlineAreas(
            total_mm2=raster.region.area * pixel_mm2,
            centres_mm2=raster.centres * pixel_mm2,
            n_centres=raster.centres,
            inside_mm2=inside * pixel_mm2,
            valid_mm2=covered.total * pixel_mm2,
            valid_pixels=covered.total,
            n_pixels=len(covered.values),
        )

    def _equalised(
        self, coverage: Coverage, places: NDArray[np.int32], sample: WeightedPixels
    ) -> WeightedPixels | None:
        if self.equalised is None:
            return None
        return WeightedPixels(coverage.of(self.equalised).ravel().take(places), sample.weights)

    def _dixon(self, coverage: Coverage, band: BoundaryBand) -> DixonPixels | None:
        if self.fat_water is None:
            return None
        fat, water = self.fat_water
        along_fat, along_water = band.of(fat), band.of(water)
        along = None if along_fat is None or along_water is None else (along_fat, along_water)
        return DixonPixels(coverage.of(fat).copy(), coverage.of(water).copy(), along)

    def _pdff(self, coverage: Coverage) -> PdffPixels | None:
        if self.pdff_map is None or self.fractions is None:
            return None
        fractions = coverage.of(self.fractions)
        return PdffPixels(self.pdff_map, WeightedPixels.of(fractions, coverage.weights))


def _covered(coverage: Coverage, pixels: Array) -> tuple[WeightedPixels, NDArray[np.int32]]:
    """Return the pixels that have weight and a value, and their places in the box, row by row."""
    values, weights = coverage.of(pixels).ravel(), coverage.weights.ravel()
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


def _band(
    item: PlacedOutline, region: Region, shape: tuple[int, ...], protocol: MeasurementProtocol
) -> BoundaryBand:
    spacing = item.slice.plane.pixel_spacing_mm
    if not item.roi.key.structure.is_muscle:
        return BoundaryBand(perimeters_mm(region.loops, spacing))
    sd_mm = math.hypot(protocol.tracing_sd_mm, protocol.tracing_offset_mm)
    return boundary_band(region.loops, spacing, shape, sd_mm)


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
    """Return fat and water pixels of a slice that is one of a Dixon pair, and the pair's flags."""
    contrast = series.weighting
    if contrast not in OTHER:
        return None, ()
    pairing = pairs[series.uid]
    other = pairing.co_registered(image)
    if other is None:
        missing = pairing.partner is not None or bool(pairing.problem)
        return None, (Flag.DIXON_UNPAIRED,) if missing else ()
    is_fat = contrast is Weighting.DIXON_FAT
    return (pixels, other.pixels) if is_fat else (other.pixels, pixels), pairing.flags


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
