"""Coil shading left inside muscles, and what it does to fat, by correction. Simulated data only."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.image import Exam, Series, Slice, Weighting, in_stack_order
from multifidus.data.protocol import BiasCorrection, FatMethod, MeasurementProtocol
from multifidus.measuring.bias_field import n4
from multifidus.measuring.bias_field.correction import fit_bias_field
from multifidus.measuring.calibration import Calibration, calibrate
from multifidus.measuring.locate import SignalScale, place
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.slice_pixels import read_outline_pixels
from multifidus.phantom import Phantom, PhantomSpec, make_phantom
from multifidus.phantom.render import clean_signals, shading, stored_pixels

METHODS = (
    BiasCorrection.NONE,
    BiasCorrection.LOW_ORDER,
    BiasCorrection.JOINT,
    BiasCorrection.N4,
)

COIL_DEPTH_MM = 90.0
"""How fast the second kind of shading falls: the distance from its coil at which it has fallen to
0.35 of what it is at the coil."""


@dataclass(frozen=True, slots=True)
class Shade:
    """A kind of shading.

    Parameters
    ----------
    name
        How the tables call it.
    amount
        For ``plane`` the phantom's own, as its ``shading``; for ``coil`` a round coil on the
        skin of the back, whose sensitivity falls with the distance in all three directions, to
        this power of the physical one.
    """

    name: str
    amount: float
    coil: bool = False


SHADES = (
    Shade("none", 0.0),
    Shade("plane 15 %", 0.15),
    Shade("plane 35 %", 0.35),
    Shade("coil, half", 0.5, coil=True),
    Shade("coil", 1.0, coil=True),
)


@dataclass(frozen=True, slots=True)
class Left:
    """What a correction leaves.

    Parameters
    ----------
    within_pct
        Coefficient of variation of true over fitted field inside a multifidus; mean over them.
    between_pct
        The same of the means of all muscle outlines.
    otsu, linear
        Errors of the fat of each multifidus by ``pooled_otsu`` and by linear mixing, points.
    refused
        Whether the correction was refused.
    """

    within_pct: float
    between_pct: float
    otsu: Sequence[float]
    linear: Sequence[float]
    refused: bool


def exam(spec: PhantomSpec, shade: Shade) -> tuple[Phantom, Exam, dict[str, np.ndarray]]:
    """Image a phantom under a kind of shading; returns it, the exam and the true field by slice."""
    made = _flat(
        replace(spec, shading=0.0, snr=float("inf"), seed=spec.seed, contrast=spec.contrast)
    )
    fields, slices = {}, []
    for number, item in enumerate(made.exam.series[0].slices):
        field = _field(made, item, shade)
        rng = np.random.default_rng([spec.seed, 11, number])
        pixels = stored_pixels(_clean(made, item.uid), field, spec.snr, rng)
        slices.append(Slice.from_array(item.uid, item.plane, pixels, item.thickness_mm))
        fields[item.uid] = field
    series = Series(made.exam.series[0].uid, in_stack_order(slices), Weighting.T2)
    return made, Exam(made.exam.subject, made.exam.timepoint, (series,)), fields


@cache
def _flat(spec: PhantomSpec) -> Phantom:
    return make_phantom(spec)


@cache
def _clean(made: Phantom, uid: str) -> np.ndarray:
    return clean_signals(made.subject, made.grids[uid], made.spec, (Weighting.T2,))[Weighting.T2]


def _field(made: Phantom, item: Slice, shade: Shade) -> np.ndarray:
    grid = made.grids[item.uid]
    if not shade.coil:
        unit = shading(made.subject, grid, replace(made.spec, shading=0.1))
        return 1 + (unit - 1) * (shade.amount / 0.1)
    muscles = [roi for roi in made.outlines if roi.key.structure is Structure.MULTIFIDUS]
    points = np.concatenate([path for roi in muscles for path in roi.paths_mm])
    middle = points.mean(axis=0)
    coil = middle + np.array((0.0, 55.0, 0.0))
    pixels = np.indices(item.shape).reshape(2, -1).T
    away = np.linalg.norm(item.plane.to_patient(pixels) - coil, axis=1)
    gain = (1 + (away / COIL_DEPTH_MM) ** 2) ** (-1.5 * shade.amount)
    level = (1 + (55.0 / COIL_DEPTH_MM) ** 2) ** (-1.5 * shade.amount)
    return (gain / level).reshape(item.shape)


def left(spec: PhantomSpec, shade: Shade, method: BiasCorrection) -> Left:
    """Measure what a correction leaves of a kind of shading."""
    made, images, fields = exam(spec, shade)
    protocol = MeasurementProtocol(bias_correction=method)
    sampled = read_outline_pixels(
        images, place(sorted(made.outlines, key=lambda roi: roi.key), images), protocol
    )
    corrected, found = calibrate(sampled, protocol)
    muscles = [item for item in corrected if item.is_muscle]
    ratios = []
    for item in muscles:
        image = item.placed.slice
        gain = found[item.signal_scale].bias_field.gain(image)
        rows, columns = item.footprint.pixels.T
        ratios.append(fields[image.uid][rows, columns] / gain[rows, columns])
    own = [
        100 * ratio.std() / ratio.mean()
        for item, ratio in zip(muscles, ratios, strict=True)
        if item.roi.key.structure is Structure.MULTIFIDUS
    ]
    means = np.array([ratio.mean() for ratio in ratios])
    otsu, linear = zip(*_fat_errors(made, corrected, found), strict=True)
    refused = any(each.bias_field.reason for each in found.values())
    return Left(float(np.mean(own)), float(100 * means.std() / means.mean()), otsu, linear, refused)


def _fat_errors(
    made: Phantom,
    corrected: Sequence[OutlinePixels],
    calibrations: Mapping[SignalScale, Calibration],
) -> Iterator[tuple[float, float]]:
    truth = {(item.slice_uid, item.structure, item.side): item.fat_pct for item in made.truth}
    lean, fat = (
        float(np.median(np.concatenate(
            [
                item.signal_for(FatMethod.LINEAR).inside.values
                for item in corrected
                if item.roi.key.structure is structure
            ]
        )))
        for structure in (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)
    )  # fmt: skip
    for item in corrected:
        key = item.roi.key
        if key.structure is Structure.MULTIFIDUS:
            true = truth[key.slice_uid, key.structure, key.side]
            threshold = next(iter(calibrations.values())).thresholds[FatMethod.POOLED_OTSU].value
            own = item.signal_for(FatMethod.LINEAR).inside.mean
            mixed = 100 * (own - lean) / (fat - lean)
            yield 100 * item.pixels.share_above(threshold) - true, mixed - true


def milliseconds(spec: PhantomSpec) -> tuple[float, float, int]:
    """Time both corrections on one exam, fields only; returns low_order, N4, and slices."""
    made, images, _ = exam(spec, SHADES[1])
    placed = place(sorted(made.outlines, key=lambda roi: roi.key), images)
    sampled = read_outline_pixels(images, placed, MeasurementProtocol())
    n4._memory.clear()  # noqa: SLF001 - a field kept from before would cost nothing
    times = []
    for method in (BiasCorrection.LOW_ORDER, BiasCorrection.N4):
        begin = time.perf_counter()
        fit_bias_field(sampled, MeasurementProtocol(bias_correction=method))
        times.append(1000 * (time.perf_counter() - begin))
    return times[0], times[1], len(images.series[0].slices)


def compare(
    specs: Sequence[PhantomSpec], shades: Sequence[Shade]
) -> list[tuple[Shade, BiasCorrection, list[Left]]]:
    """Measure every correction of every kind of shading on every phantom."""
    return [
        (shade, method, [left(spec, shade, method) for spec in specs])
        for shade in shades
        for method in METHODS
    ]


def as_markdown(found: Sequence[tuple[Shade, BiasCorrection, list[Left]]]) -> str:
    """Print the comparison as a Markdown table."""
    lines = [
        "| shading | correction | left within a multifidus, % | left between outlines, % "
        "| pooled_otsu: mean absolute error | largest | linear: mean absolute error | largest |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for shade, method, results in found:
        within = np.mean([item.within_pct for item in results])
        between = np.mean([item.between_pct for item in results])
        errors = [
            np.abs(np.concatenate([getattr(item, name) for item in results]))
            for name in ("otsu", "linear")
        ]
        cells = " | ".join(
            "undefined | undefined"
            if np.isnan(error).any()
            else f"{error.mean():.2f} | {error.max():.1f}"
            for error in errors
        )
        refused = " (refused)" if any(item.refused for item in results) else ""
        lines.append(
            f"| {shade.name} | {method}{refused} | {within:.1f} | {between:.1f} | {cells} |"
        )
    return "\n".join(lines) + "\n"
