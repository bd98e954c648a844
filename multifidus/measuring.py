"""The use case: outlines on an exam become numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.anatomy import Structure
from multifidus.flag import Flag
from multifidus.geometry import tilt_deg
from multifidus.image import Exam, Weighting
from multifidus.measurement import Measurement, Provenance, Quantity
from multifidus.metrics.fat import (
    FatResult,
    Sample,
    above_threshold_pct,
    by_otsu,
    dixon_fat_fraction,
    pool,
    pooled_otsu_threshold,
)
from multifidus.placement import Placed, companion, place
from multifidus.protocol import FatMethod, MeasurementProtocol
from multifidus.raster import Coverage, count_centres, coverage_box
from multifidus.roi import Roi, RoiSet, Source, check_sides
from multifidus.version import VERSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class _Sampled:
    """An outline with all that is read from its slice's pixels."""

    placed: Placed
    area: float
    centres: int
    inside: float
    cover: Coverage
    sample: Sample
    dixon: tuple[Array, Array] | None
    flags: tuple[Flag, ...]
    image_sha256: str

    @property
    def roi(self) -> Roi:
        return self.placed.roi

    @property
    def pixel_mm2(self) -> float:
        return self.placed.slice.plane.pixel_area_mm2

    @property
    def valid_mm2(self) -> float:
        return float(self.cover.weights.sum()) * self.pixel_mm2


def measure(
    exam: Exam, rois: RoiSet, protocol: MeasurementProtocol | None = None
) -> tuple[Measurement, ...]:
    """Measure every outline of an exam.

    Parameters
    ----------
    exam
        The images. Pixels of outlined slices are read, no others.
    rois
        Outlines on them; lean and fat references among them serve the whole exam.
    protocol
        How; the default protocol if None.

    Returns
    -------
    tuple of Measurement
        Sorted by key, then quantity. For every outline its areas and mean signal; for muscles
        their fat by each method of the protocol, and on Dixon pairs both fat fractions. What is
        undefined is NaN with a flag.

    Raises
    ------
    RoiError
        If an outline fits no slice, or left and right are swapped.
    ReadError
        If the pixels of a slice cannot be read.
    """
    protocol = protocol or MeasurementProtocol()
    check_sides(rois)
    sampled = _sample_all(exam, place(rois, exam), protocol)
    bases = _threshold_bases(sampled, protocol)
    rows = [
        row
        for item in sampled
        for row in _rows(item, rois, protocol, bases.get(_basis_key(item)))
    ]
    return tuple(sorted(rows, key=_order))


def _order(row: Measurement) -> tuple[object, ...]:
    key = row.key
    where = (row.provenance.series, row.provenance.slice_index)
    return (key.reading, where, key.structure, key.side, key.name, row.quantity, row.method)


def _sample_all(
    exam: Exam, placed: Iterable[Placed], protocol: MeasurementProtocol
) -> list[_Sampled]:
    by_slice: dict[str, list[Placed]] = {}
    for item in placed:
        by_slice.setdefault(item.slice.uid, []).append(item)
    return [
        sampled
        for members in by_slice.values()
        for sampled in _sample_slice(exam, members, protocol)
    ]


def _sample_slice(
    exam: Exam, members: Sequence[Placed], protocol: MeasurementProtocol
) -> Iterator[_Sampled]:
    """Read one slice and take every outline's pixels from it; its pixels are then let go."""
    image = members[0].slice
    pixels = image.pixels
    digest = image.sha256(pixels)
    pair = _dixon_pair(exam, members[0])
    artefacts = [item for item in members if item.roi.key.structure is Structure.ARTEFACT]
    for item in members:
        roi = item.roi
        paths = roi.paths
        cover = coverage_box(paths, image.shape)
        inside = float(cover.weights.sum())
        hidden = _artefacts_of(item, artefacts)
        if hidden:
            cover = coverage_box(_without(paths, [other.roi.paths for other in hidden]), image.shape)
        dixon = None if pair is None else (cover.of(pair[0]).copy(), cover.of(pair[1]).copy())
        yield _Sampled(
            placed=item,
            area=roi.area_mm2,
            centres=count_centres(paths, image.shape),
            inside=inside,
            cover=cover,
            sample=Sample.of(cover.of(pixels), cover.weights),
            dixon=dixon,
            flags=_flags(item, paths, cover, hidden, inside, protocol),
            image_sha256=digest,
        )


def _artefacts_of(item: Placed, artefacts: Sequence[Placed]) -> list[Placed]:
    """Artefact outlines of the same reading; they take pixels from everything but themselves."""
    if item.roi.key.structure is Structure.ARTEFACT:
        return []
    return [other for other in artefacts if other.roi.key.reading == item.roi.key.reading]


def _without(paths: Sequence[Array], artefacts: Sequence[Sequence[Array]]) -> list[Array]:
    """Cut artefact outlines out of an outline; paths are (row, column) in and out."""
    import shapely
    from shapely.geometry.polygon import orient

    def polygon(loops: Sequence[Array]) -> Any:
        area = shapely.Polygon()
        for loop in loops:
            area = area.symmetric_difference(shapely.Polygon(loop).buffer(0))
        return area

    left = polygon(paths)
    for artefact in artefacts:
        left = left.difference(polygon(artefact))
    parts = [part for part in getattr(left, "geoms", [left]) if part.geom_type == "Polygon"]
    rings = [
        ring
        for part in parts
        if not part.is_empty
        for ring in (orient(part).exterior, *orient(part).interiors)
    ]
    return [np.asarray(ring.coords)[:-1] for ring in rings]


def _dixon_pair(exam: Exam, placed: Placed) -> tuple[Array, Array] | None:
    """Fat and water pixels of a slice that is one of a Dixon pair."""
    contrast = placed.series.weighting
    if contrast not in (Weighting.DIXON_FAT, Weighting.DIXON_WATER):
        return None
    other = (
        Weighting.DIXON_WATER if contrast is Weighting.DIXON_FAT else Weighting.DIXON_FAT
    )
    found = companion(exam, placed, other)
    if found is None:
        return None
    mine, theirs = placed.slice.pixels, found[1].pixels
    return (mine, theirs) if contrast is Weighting.DIXON_FAT else (theirs, mine)


def _flags(
    item: Placed,
    paths: Sequence[Array],
    cover: Coverage,
    hidden: Sequence[Placed],
    inside: float,
    protocol: MeasurementProtocol,
) -> tuple[Flag, ...]:
    roi, series = item.roi, item.series
    points = np.concatenate(paths)
    last = np.array(item.slice.shape) - 1
    found = list(series.flags)
    # A path along pixel edges is exact whatever its number of corners.
    if roi.source is not Source.IMPORTED and roi.n_points < protocol.minimal_points:
        found.append(Flag.FEW_POINTS)
    if (points < 0.5).any() or (points > last - 0.5).any():
        found.append(Flag.TOUCHES_BORDER)
    if (points < -0.5).any() or (points > last + 0.5).any():
        found.append(Flag.OUTSIDE_IMAGE)
    if hidden and float(cover.weights.sum()) < inside:
        found.append(Flag.ARTEFACT)
    if roi.source is Source.DRAFT:
        found.append(Flag.DRAFT_UNEDITED)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Basis:
    """One threshold for all muscles of a reading, and what it rests on."""

    threshold: float
    flags: tuple[Flag, ...]
    parameters: Mapping[str, Any]


def _basis_key(item: _Sampled) -> tuple[object, ...]:
    """Outlines of one reading on one series share a threshold; signal is comparable nowhere else."""
    return (item.roi.key.reading, item.placed.series.uid)


def _threshold_bases(
    sampled: Sequence[_Sampled], protocol: MeasurementProtocol
) -> dict[tuple[object, ...], _Basis]:
    if FatMethod.POOLED_OTSU not in protocol.fat_methods:
        return {}
    groups: dict[tuple[object, ...], list[_Sampled]] = {}
    for item in sampled:
        groups.setdefault(_basis_key(item), []).append(item)
    return {key: _basis(members, protocol) for key, members in groups.items()}


def _basis(members: Sequence[_Sampled], protocol: MeasurementProtocol) -> _Basis:
    muscle, lean, fat = (
        pool([item.sample for item in members if chosen(item.roi.key.structure)])
        for chosen in (
            lambda structure: structure.is_muscle,
            lambda structure: structure is Structure.LEAN_REFERENCE,
            lambda structure: structure is Structure.FAT_REFERENCE,
        )
    )
    threshold, flags = pooled_otsu_threshold(muscle, lean, fat, protocol)
    parameters = {
        "threshold": threshold,
        "basis": "exam",
        "n_pixels_muscle": len(muscle.values),
        "n_pixels_lean": len(lean.values),
        "n_pixels_fat": len(fat.values),
        "mean_lean": lean.mean,
        "mean_fat": fat.mean,
        "reference_weight": protocol.reference_weight,
    }
    return _Basis(threshold, flags, MappingProxyType(parameters))


def _rows(
    item: _Sampled, rois: RoiSet, protocol: MeasurementProtocol, basis: _Basis | None
) -> Iterator[Measurement]:
    provenance = _provenance(item, rois, protocol)
    n = len(item.sample.values)

    def row(
        quantity: Quantity,
        value: float,
        n_pixels: int = n,
        method: str = "",
        parameters: Mapping[str, Any] = _NOTHING,
        flags: tuple[Flag, ...] = (),
    ) -> Measurement:
        every = tuple(dict.fromkeys((*item.flags, *flags)))
        return Measurement(
            item.roi.key, quantity, value, provenance, n_pixels, method, parameters, every
        )

    yield row(Quantity.TCSA_MM2, item.area)
    yield row(Quantity.TCSA_PIXEL_MM2, item.centres * item.pixel_mm2, item.centres)
    yield row(Quantity.VALID_CSA_MM2, item.valid_mm2)
    yield row(Quantity.MEAN_SI, item.sample.mean)
    if not item.roi.key.structure.is_muscle:
        return
    for method in protocol.fat_methods:
        result, parameters = _fat(item, method, protocol, basis)
        fat_mm2 = item.valid_mm2 * result.value_pct / 100
        how = {"method": method.value, "parameters": parameters, "flags": result.flags}
        yield row(Quantity.FI_PCT, result.value_pct, **how)
        yield row(Quantity.FAT_CSA_MM2, fat_mm2, **how)
        yield row(Quantity.FCSA_MM2, item.valid_mm2 - fat_mm2, **how)
    if item.dixon is not None:
        yield from _dixon_rows(item, row)


def _fat(
    item: _Sampled, method: FatMethod, protocol: MeasurementProtocol, basis: _Basis | None
) -> tuple[FatResult, Mapping[str, Any]]:
    if not len(item.sample.values):
        return FatResult(float("nan"), flags=(Flag.UNDETECTABLE,)), _NOTHING
    if method is FatMethod.POOLED_OTSU and basis is not None:
        value = above_threshold_pct(item.sample, basis.threshold)
        return FatResult(value, basis.threshold, basis.flags), basis.parameters
    if method is FatMethod.FIXED and protocol.fixed_threshold is not None:
        value = above_threshold_pct(item.sample, protocol.fixed_threshold)
        result = FatResult(value, protocol.fixed_threshold)
        return result, {"threshold": result.threshold, "basis": "given"}
    result = by_otsu(item.sample, protocol)
    return result, {"threshold": result.threshold, "basis": "outline"}


def _dixon_rows(item: _Sampled, row: Any) -> Iterator[Measurement]:
    assert item.dixon is not None  # noqa: S101 - narrows the type; the caller checked
    result = dixon_fat_fraction(*item.dixon, item.cover.weights)
    sums = {
        "basis": "signal",
        "weight": result.weight,
        "sum_fat": result.fat_sum,
        "sum_fat_water": result.total_sum,
    }
    flags = () if result.n_pixels else (Flag.UNDETECTABLE,)
    for quantity, value in (
        (Quantity.DIXON_FF_MEAN_PCT, result.mean_pct),
        (Quantity.DIXON_FF_RATIO_PCT, result.ratio_pct),
    ):
        yield row(quantity, value, result.n_pixels, "dixon", sums, flags)


def _provenance(item: _Sampled, rois: RoiSet, protocol: MeasurementProtocol) -> Provenance:
    roi, placed = item.roi, item.placed
    level, slice_position = rois.level_of(roi)
    inside_mm2 = item.inside * item.pixel_mm2
    return Provenance(
        series=placed.series.uid,
        slice_index=placed.index,
        level=level,
        slice_position=slice_position,
        tilt_deg=tilt_deg(placed.slice.plane.normal),
        valid_fraction=item.valid_mm2 / inside_mm2 if inside_mm2 else float("nan"),
        roi_rule=roi.roi_rule,
        source=roi.source,
        protocol=protocol.digest,
        version=VERSION,
        image_sha256=item.image_sha256,
        outline_sha256=roi.sha256(),
    )


