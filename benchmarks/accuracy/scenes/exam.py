"""Make an exam of three slices, its outlines, and the true fat of every muscle outline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.scenes import acquisition, outlines
from benchmarks.accuracy.scenes.anatomy import Anatomy, drawn, on_grid
from benchmarks.accuracy.scenes.body import ANATOMY, LEVELS, NOISE, body, randomly
from benchmarks.accuracy.scenes.coil import gain
from benchmarks.accuracy.scenes.curves import FINE, Grid, cover
from benchmarks.accuracy.scenes.outlines import Drawn, Seen
from benchmarks.accuracy.scenes.scene import Axis, Imaging, Scene
from benchmarks.accuracy.scenes.tissue_signal import Fine, on_fine_grid
from benchmarks.accuracy.scenes.tissues import Tissue
from benchmarks.accuracy.scenes.voids import holes
from multifidus import (
    Exam,
    Plane,
    Reading,
    Roi,
    RoiKey,
    RoiRule,
    RoiSet,
    Series,
    Side,
    Slice,
    SlicePosition,
    Structure,
)
from multifidus.data.acquisition import Acquisition
from multifidus.data.image import in_stack_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SPACING_MM, BLUR_PX, THICKNESS_MM = (0.5, 0.9), (0.3, 0.8), 4.0
LEAST_PIXELS = 200
FIELD_OF_VIEW_MM = (176.0, 50.0, 9.0)
"""Width; how far forwards of the disc's posterior border; air behind the skin."""

_TILT_DEG, _HEIGHT_MM = (-2.0, 6.0, 18.0), 36.0


@dataclass(frozen=True, slots=True)
class Made:
    """An exam, its outlines and what is true of them.

    Parameters
    ----------
    truth
        Mean fat fraction of volume, in percent, inside each outline of a muscle, counted on the
        fine grid; without what has no signal, and without what is outlined as an artefact.
    pixel_truth
        The same, as read from pixels without blur, noise or rounding that are weighted by how
        much of each lies in the outline: pixels on the border bring in some of what lies outside.
    fat_pct
        True fat of each pixel of each slice, by its UID.
    """

    scene: Scene
    exam: Exam
    rois: RoiSet
    truth: Mapping[RoiKey, float]
    pixel_truth: Mapping[RoiKey, float]
    fat_pct: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class _Slice:
    """One slice before noise."""

    number: int
    anatomy: Anatomy
    fine: Fine
    signal: Array
    fat_pct: Array
    drawn: tuple[Drawn, ...]


def make(scene: Scene, seed: int) -> Made:
    """Make the exam of a scene.

    One seed gives one person, with the same muscles, streaks, noise and samples, in all scenes
    that do not change these.

    Examples
    --------
    >>> made = make(Scene(), 1)
    >>> len(made.exam.series[0].slices), len(made.truth)
    (3, 12)
    """
    slices = [_make_slice(scene, seed, number) for number in range(len(LEVELS))]
    images = [
        acquisition.noisy(each.signal, scene.imaging.snr, randomly(seed, NOISE, each.number))
        for each in slices
    ]
    images = acquisition.stored(images, scene.imaging.bits)
    reading = Reading(f"S{seed}", "pre", "AB", 1)
    rois, truth, pixel_truth = [], {}, {}
    placed = []
    for each, image in zip(slices, images, strict=True):
        plane = _plane(each.anatomy.grid, seed, each.number)
        uid = f"1.2.826.0.1.3680043.10.2.{seed}.{each.number + 1}"
        placed.append(Slice.from_array(uid, plane, image, THICKNESS_MM))
        for item in each.drawn:
            roi = _roi(
                each, item, plane, RoiKey(reading, uid, item.structure, item.side, item.name)
            )
            rois.append(roi)
            if item.structure in {Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE}:
                truth[roi.key], pixel_truth[roi.key] = _truths(each, item)
    series = Series(
        f"1.2.826.0.1.3680043.10.2.{seed}",
        in_stack_order(placed),
        scene.imaging.weighting,
        f"1.2.826.0.1.3680043.10.2.{seed}.0",
        _acquired(scene.imaging),
    )
    fat_pct = {item.uid: each.fat_pct for item, each in zip(placed, slices, strict=True)}
    return Made(
        scene,
        Exam(reading.subject, reading.timepoint, (series,)),
        RoiSet(tuple(rois), reading=reading),
        truth,
        pixel_truth,
        fat_pct,
    )


def _acquired(imaging: Imaging) -> Acquisition:
    """Return what headers say: how far fat is displaced, and along which axis."""
    tesla = 1.5
    if not imaging.shift_px:
        return Acquisition(field_strength_t=tesla)
    along_rows = imaging.shift_axis is Axis.ROW
    return Acquisition(
        field_strength_t=tesla,
        # 3.4 ppm of the resonance of protons.
        pixel_bandwidth_hz=3.4 * 42.577 * tesla / imaging.shift_px,
        phase_axis="ROW" if along_rows else "COL",
    )


def anatomy_of(scene: Scene, seed: int, number: int) -> Anatomy:
    """Return the anatomy of a slice, 0 to 2 from L3-L4 to L5-S1."""
    rng = randomly(seed, ANATOMY, number, 1)
    sketch = drawn(body(seed, number), LEVELS[number], small=scene.lean.small, rng=rng)
    spacing, _ = _by_seed(scene, seed)
    return on_grid(sketch, _grid(sketch.skin_mm, spacing))


def _make_slice(scene: Scene, seed: int, number: int) -> _Slice:
    anatomy = anatomy_of(scene, seed, number)
    _, blur = _by_seed(scene, seed)
    fine = on_fine_grid(anatomy, scene, seed=seed, number=number)
    shading = gain(anatomy, scene.imaging, seed=seed, number=number)
    signal = acquisition.received(
        anatomy.grid,
        fine.water_signal * shading,
        fine.fat_signal * shading,
        imaging=scene.imaging,
        blur_px=blur,
    )
    fat_pct = 100 * acquisition.pixel_means(fine.fat)
    artefacts = [
        Drawn(Structure.ARTEFACT, Side.NONE, str(place + 1), hole.artefact_mm)
        for place, hole in enumerate(holes(anatomy, scene.drawing.void, seed, number))
    ]
    seen = _seen(anatomy, fine, fat_pct, artefacts)
    items = [*outlines.drawn(anatomy, scene, seen, seed=seed, number=number)]
    if scene.drawing.void_drawn:
        items += artefacts
    return _Slice(number, anatomy, fine, signal, fat_pct, tuple(items))


def _by_seed(scene: Scene, seed: int) -> tuple[float, float]:
    """Return pixel spacing and blur, of the scene or else of the person's scanner."""
    rng = randomly(seed, ANATOMY, 99)
    spacing, blur = rng.uniform(*SPACING_MM), rng.uniform(*BLUR_PX)
    given = scene.imaging
    return (
        round(float(spacing), 3) if given.spacing_mm is None else given.spacing_mm,
        float(blur) if given.blur_px is None else given.blur_px,
    )


def _grid(skin_mm: Array, spacing: float) -> Grid:
    """Return a matrix about the back."""
    width, front, behind = FIELD_OF_VIEW_MM
    depth = front + float(skin_mm[:, 1].max()) + behind
    rows, columns = (max(LEAST_PIXELS, int(np.ceil(mm / spacing))) for mm in (depth, width))
    posterior = float(skin_mm[:, 1].max()) + behind - (rows - 1) * spacing
    return Grid((-(columns - 1) / 2 * spacing, posterior), spacing, (rows, columns))


def _seen(anatomy: Anatomy, fine: Fine, fat_pct: Array, artefacts: list[Drawn]) -> Seen:
    grid, tissue = anatomy.grid, anatomy.tissue
    # Nobody avoids the thin septa, or goes far to the side.
    fat = (tissue == Tissue.SUBCUTANEOUS) | (tissue == Tissue.SEPTUM)
    fat &= np.abs(grid.axes_mm[1]) < outlines.SUBCUTANEOUS_MM
    muscles = {side: np.zeros(tissue.shape, dtype=bool) for side in (Side.LEFT, Side.RIGHT)}
    for (_, side), region in anatomy.regions.items():
        muscles[side][region.box] |= region.mask
    for item in artefacts:
        # Where there is an artefact is plain to see, outlined or not.
        hidden = cover(grid, item.path_mm)
        for mask in muscles.values():
            mask[hidden.box] &= ~hidden.mask
    return Seen(
        fat_pct,
        {side: _whole(mask) for side, mask in muscles.items()},
        _whole(fat),
        acquisition.pixel_means(fine.oedema_pct),
    )


def _whole(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels that lie wholly in a part of the fine grid."""
    return np.asarray(acquisition.pixel_means(mask) > 1 - 1e-9)


def _plane(grid: Grid, seed: int, number: int) -> Plane:
    """Return where a slice lies, each tilted with its disc."""
    tilt = np.deg2rad(_TILT_DEG[number] + randomly(seed, ANATOMY, number, 2).normal(0, 2))
    back = np.array((0.0, np.cos(tilt), np.sin(tilt)))
    left, posterior = grid.corner_mm
    origin = np.array((left, 0.0, -number * _HEIGHT_MM)) + posterior * back
    return Plane(origin, grid.spacing_mm * back, np.array((grid.spacing_mm, 0.0, 0.0)))


def _roi(each: _Slice, item: Drawn, plane: Plane, key: RoiKey) -> Roi:
    grid = each.anatomy.grid
    path = plane.to_patient(grid.to_pixels(item.path_mm))
    return Roi(key, (path,), plane, grid.shape, LEVELS[each.number], SlicePosition.MID_DISC,
               RoiRule.MUSCLE_BORDER)  # fmt: skip


def _truths(each: _Slice, item: Drawn) -> tuple[float, float]:
    """Return true fat in percent by the fine grid, and by perfect pixels."""
    grid = each.anatomy.grid
    region = cover(grid, item.path_mm)
    # Whole pixels, so that their means can be taken.
    box = tuple(
        slice(part.start // FINE * FINE, -(-part.stop // FINE) * FINE) for part in region.box
    )
    inside = region.on(grid)
    for other in each.drawn:
        if other.structure is Structure.ARTEFACT:
            hidden = cover(grid, other.path_mm)
            inside[hidden.box] &= ~hidden.mask
    inside, fat, void = inside[box], each.fine.fat[box], each.fine.void[box]
    exact = 100 * float(fat[inside & ~void].mean(dtype=np.float64))
    weight, in_pixel, with_signal = map(acquisition.pixel_means, (inside, fat, ~void))
    return exact, 100 * float((weight * in_pixel).sum() / (weight * with_signal).sum())
