"""T2-like images in which fat lies as in a real person: made of the fat and water of a Dixon exam.

Signal is ``W + c F``, where ``W`` and ``F`` are on one scale. The exam lies beside the repository;
nothing of it is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.real_dixon import FOLDER
from benchmarks.accuracy.scenes.acquisition import stored
from benchmarks.accuracy.scenes.body import NOISE, SAMPLES, randomly
from benchmarks.accuracy.scenes.exam import Made
from benchmarks.accuracy.scenes.outlines import Seen, sample_place, sample_radius
from benchmarks.accuracy.scenes.scene import FatContent, Imaging, Scene
from multifidus import (
    Exam,
    Roi,
    RoiKey,
    RoiSet,
    Series,
    Side,
    Slice,
    Structure,
    Weighting,
    coverage,
    read_exam,
    read_rois,
)
from multifidus.data.image import in_stack_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

FAT_SLOPE = 1.5492
"""The file of fat holds whole numbers times this; that of water holds whole numbers."""

CONTRASTS = (2.5, 4.0)

_FAT_PCT, _ASIDE_MM = 90.0, 55.0
"""A sample of subcutaneous fat holds this much fat, and lies this near to the midline."""

_SIGNAL = 0.25
"""Of the median of lean muscle: a rater takes what is darker for a vessel or bone."""


def scene(contrast: float, *, bits: int = 12, references: bool = True) -> Scene:
    """Return what such images are called; only contrast, bits and references have a meaning."""
    neutral = Scene(fat=FatContent(contrast=contrast, spread_pct=0.0), imaging=Imaging(bits=bits))
    return neutral.but(snr=float("inf"), blur_px=0.0, references=references)


def make_real(made_of: Scene, seed: int = 0) -> Made:
    """Make the exam with its manual outlines, and with samples where they are asked for.

    Parameters
    ----------
    made_of
        By :func:`scene`. With a finite signal-to-noise ratio, noise is added to that of the scan.
    seed
        Places the samples, and makes the noise.
    """
    pair = read_exam(fat=FOLDER / "fat.nii.gz", water=FOLDER / "water.nii.gz", pair_by="index")
    by_weighting = {series.weighting: series for series in pair.series}
    fat_series = by_weighting[Weighting.DIXON_FAT]
    fat = [item.pixels / FAT_SLOPE for item in fat_series.slices]
    water = [item.pixels for item in by_weighting[Weighting.DIXON_WATER].slices]
    images = stored(_weighted(fat, water, made_of, seed), made_of.imaging.bits)
    slices = in_stack_order(
        Slice.from_array(item.uid, item.plane, image, item.thickness_mm)
        for item, image in zip(fat_series.slices, images, strict=True)
    )
    exam = Exam(pair.subject, pair.timepoint, (Series("real_pattern", slices, Weighting.T2),))
    rois = read_rois(FOLDER / "label_fatgrid.nii.gz", exam, labels="lpm")
    parts = {item.uid: (f, w) for item, f, w in zip(fat_series.slices, fat, water, strict=True)}
    truth = {}
    for roi in rois:
        f, w = parts[roi.key.slice_uid]
        weight = coverage(roi.paths_mm, roi.plane, roi.shape)
        truth[roi.key] = 100 * float((weight * f).sum() / (weight * (f + w)).sum())
    fat_pct = {uid: _fraction_pct(*part) for uid, part in parts.items()}
    if made_of.drawing.references:
        rois = rois.with_all_of(
            RoiSet(tuple(_samples(slices, rois, parts, seed)), reading=rois.reading)
        )
    return Made(made_of, exam, rois, truth, truth, fat_pct)


def _weighted(fat: list[Array], water: list[Array], made_of: Scene, seed: int) -> list[Array]:
    """Return the signal of each slice."""
    signal = [w + made_of.fat.contrast * f for f, w in zip(fat, water, strict=True)]
    if not np.isfinite(made_of.imaging.snr):
        return signal
    # Lean muscle is about the median of water where there is much more water than fat.
    lean = float(
        np.median(np.concatenate([w[w > 10 * f + 20] for f, w in zip(fat, water, strict=True)]))
    )
    deviation = lean / made_of.imaging.snr
    found = []
    for number, each in enumerate(signal):
        real, imaginary = randomly(seed, NOISE, number).normal(0, deviation, (2, *each.shape))
        found.append(np.hypot(each + real, imaginary))
    return found


def _fraction_pct(fat: Array, water: Array) -> Array:
    """Return fat in percent; 0 where there is no signal."""
    total = fat + water
    return 100 * np.divide(fat, total, out=np.zeros_like(fat), where=total > 0)


def _samples(
    slices: tuple[Slice, ...], rois: RoiSet, parts: dict[str, tuple[Array, Array]], seed: int
) -> list[Roi]:
    """Return lean samples in the outlined muscles of each side, and a sample of fat, by slice."""
    found = []
    for number, item in enumerate(slices):
        own = [roi for roi in rois if roi.key.slice_uid == item.uid]
        if {roi.key.side for roi in own} < {Side.LEFT, Side.RIGHT}:
            continue
        seen = _seen(item, own, *parts[item.uid])
        rng = randomly(seed, SAMPLES, number)
        places = [
            (Structure.LEAN_REFERENCE, name, mask)
            for name, mask in zip(("1", "2"), seen.muscles.values(), strict=True)
        ]
        for structure, name, mask in (*places, (Structure.FAT_REFERENCE, "1", seen.subcutaneous)):
            if not mask.any():
                continue
            radius = sample_radius(rng)
            looks = seen if structure is Structure.LEAN_REFERENCE else None
            at = sample_place(mask, looks, radius, rng)
            key = RoiKey(own[0].key.reading, item.uid, structure, Side.NONE, name)
            found.append(Roi(key, (_circle(item, at, radius),), item.plane, item.shape))
    return found


def _seen(item: Slice, own: list[Roi], fat: Array, water: Array) -> Seen:
    """Return what a rater goes by."""
    muscles: dict[Side, Mask] = {}
    for side in (Side.LEFT, Side.RIGHT):
        mask = np.zeros(item.shape, dtype=bool)
        for roi in own:
            if roi.key.side is side:
                mask |= coverage(roi.paths_mm, roi.plane, roi.shape) > 0.99
        # Not where vessels or tendons take the signal.
        mask &= fat + water > _SIGNAL * np.median((fat + water)[mask])
        muscles[side] = mask
    pct = _fraction_pct(fat, water)
    rows, columns = np.nonzero(muscles[Side.LEFT] | muscles[Side.RIGHT])
    row, column = np.indices(item.shape)
    behind = row > rows.max() if item.plane.row_step_mm[1] > 0 else row < rows.min()
    aside = np.abs(column - columns.mean()) * item.plane.pixel_spacing_mm[1] < _ASIDE_MM
    subcutaneous = (pct > _FAT_PCT) & (fat > np.median(fat[pct > _FAT_PCT]) / 2) & behind & aside
    return Seen(pct, muscles, subcutaneous, np.zeros(item.shape))


def _circle(item: Slice, at: Array, radius: float) -> Array:
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    pixels = np.asarray(at) + radius * np.column_stack((np.sin(turn), np.cos(turn)))
    return item.plane.to_patient(pixels)
