"""Does the stated uncertainty hold the truth as often as it says? Simulated data only.

Tracings are made by a mechanism that shares nothing with the model of
:mod:`multifidus.measuring.uncertainty.components`: few vertices set unevenly by hand, each
misplaced in both directions with heavy tails and in step with its neighbours; the whole outline
shifted, swollen and bent; and the slice itself taken a little above or below the place where truth
is defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

import multifidus as mf
from multifidus.data.anatomy import Structure
from multifidus.data.image import Exam, Series, Slice, Weighting, in_stack_order
from multifidus.data.measurement import Quantity
from multifidus.data.roi import Roi
from multifidus.data.roi_set import RoiSet
from multifidus.errors import RoiError
from multifidus.phantom import Phantom, PhantomSpec, make_phantom
from multifidus.phantom.boundary import boundary_mm
from multifidus.phantom.prescription import SliceGrid
from multifidus.phantom.render import clean_signals, shading, stored_pixels

VERTICES = 40
"""About as many as a rater sets around a multifidus."""

JITTER_MM, SHIFT_MM, SWELL_MM, BEND_MM = 0.35, 0.3, 0.25, 0.2
"""Standard deviations of a careful tracing's errors: of a vertex and of a shift along each axis,
of a swelling of the whole outline, and of each of two bends."""

MISPLACED_MM = 1.0
"""Standard deviation of the slice's place along its normal."""

PLACES = 9
"""As many equally likely places are imaged."""

QUANTITIES = {
    "tcsa_mm2": (Quantity.TCSA_MM2, "", "csa_mm2"),
    "fi_pct, pooled_otsu": (Quantity.FI_PCT, "pooled_otsu", "fat_pct"),
    "fcsa_mm2, pooled_otsu": (Quantity.FCSA_MM2, "pooled_otsu", "lean_csa_mm2"),
    "ff_linear_pct": (Quantity.FF_LINEAR_PCT, "linear", "fat_pct"),
}
"""Row of the table: quantity, method, and the field of the truth."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Values of one quantity over draws, beside the truth: all shape (n,)."""

    values: np.ndarray
    stated: np.ndarray
    truth: np.ndarray

    @property
    def coverage_pct(self) -> float:
        """How often value +- 1.96 standard uncertainties holds the truth."""
        return 100 * float((np.abs(self.values - self.truth) <= 1.96 * self.stated).mean())

    @property
    def error(self) -> float:
        """Root mean square error."""
        return float(np.sqrt(((self.values - self.truth) ** 2).mean()))

    @property
    def bias(self) -> float:
        """Mean error."""
        return float((self.values - self.truth).mean())


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A slice as it is imaged somewhat off its place, without noise, and its true boundaries."""

    grid: SliceGrid
    clean: np.ndarray
    shade: np.ndarray
    boundaries: dict[tuple[str, str], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A phantom with its slices imaged at each place."""

    made: Phantom
    places: dict[str, tuple[_Place, ...]]

    @classmethod
    def of(cls, spec: PhantomSpec, misplaced_mm: float = MISPLACED_MM) -> Scene:
        """Image the slices of a phantom at equally likely places along their normals."""
        made = make_phantom(spec)
        offsets = misplaced_mm * _normal_quantiles(PLACES)
        places = {
            item.uid: tuple(_place(made, made.grids[item.uid], offset) for offset in offsets)
            for item in made.exam.series[0].slices
        }
        return cls(made, places)


@cache
def _normal_quantiles(count: int) -> np.ndarray:
    from scipy.stats import norm

    middle = norm.ppf((np.arange(count) + 0.5) / count)
    return np.asarray(middle / np.sqrt((middle**2).mean()))


def _place(made: Phantom, grid: SliceGrid, offset_mm: float) -> _Place:
    moved = replace(grid, origin_mm=grid.origin_mm + offset_mm * grid.plane.normal)
    clean = clean_signals(made.subject, moved, made.spec, (Weighting.T2,))[Weighting.T2]
    boundaries = {
        (pattern.muscle.structure.value, pattern.muscle.side.value): boundary_mm(
            made.subject, pattern.muscle.solid, moved, 360
        )
        for pattern in made.subject.patterns_at(grid.level)
        if pattern.muscle.structure is Structure.MULTIFIDUS
    }
    return _Place(moved, clean, shading(made.subject, moved, made.spec), boundaries)


def traced(
    boundary: np.ndarray, grid: SliceGrid, size: float, rng: np.random.Generator
) -> np.ndarray:
    """Trace a true boundary, (n, 3) mm, as a hand would; size multiplies every error."""
    axes = np.stack((grid.column_direction, grid.row_direction))
    middle = boundary.mean(axis=0)
    flat = (boundary - middle) @ axes.T
    chosen = (np.arange(VERTICES) + rng.uniform(-0.3, 0.3, VERTICES)) * len(flat) / VERTICES
    points = flat[np.rint(chosen).astype(int) % len(flat)]
    # Laplace noise, smoothed over three vertices: heavy tails, and neighbours go together.
    noise = rng.laplace(size=(VERTICES, 2)) / np.sqrt(2)
    smooth = (np.roll(noise, 1, axis=0) + 2 * noise + np.roll(noise, -1, axis=0)) / np.sqrt(6)
    radius = np.linalg.norm(points, axis=1)
    angle = np.arctan2(points[:, 1], points[:, 0])
    bends = sum(
        BEND_MM * rng.standard_normal() * np.sqrt(2) * np.cos(order * angle + rng.uniform(0, 6.3))
        for order in (2, 3)
    )
    grown = 1 + size * (SWELL_MM * rng.standard_normal() + bends) / radius
    shift = SHIFT_MM * rng.standard_normal(2)
    drawn = points * grown[:, None] + size * (shift + JITTER_MM * smooth)
    return middle + drawn @ axes


def normal_rms_mm(size: float, seed: int = 1) -> float:
    """Root mean square distance of tracings from a circle of 17 mm: what the model's sizes mean."""
    grid = SliceGrid(np.zeros(3), np.array((1.0, 0, 0)), np.array((0, 1.0, 0)), (1.0, 1.0), (9, 9))
    angle = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    circle = 17 * np.column_stack((np.cos(angle), np.sin(angle), np.zeros(360)))
    rng = np.random.default_rng(seed)
    radii = [np.linalg.norm(traced(circle, grid, size, rng), axis=1) for _ in range(400)]
    return float(np.sqrt(((np.array(radii) - 17) ** 2).mean()))


def draws(
    scenes: Sequence[Scene], size: float, count: int, *, seed: int, protocol: mf.MeasurementProtocol
) -> dict[str, Draws]:
    """Trace, image and measure every scene ``count`` times."""
    rng = np.random.default_rng([seed, 23])
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in QUANTITIES}
    for scene in scenes:
        for _ in range(count):
            exam, rois = _drawn(scene, size, rng)
            for name, values in _beside_truth(scene, mf.measure(exam, rois, protocol)):
                found[name].append(values)
    return {name: Draws(*np.array(values).T) for name, values in found.items()}


def _beside_truth(
    scene: Scene, rows: Sequence[mf.Measurement]
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Yield value, stated uncertainty and truth of every multifidus, by quantity."""
    truth = {(t.slice_uid, t.structure, t.side): t for t in scene.made.truth}
    facts = {(kind, method): (name, fact) for name, (kind, method, fact) in QUANTITIES.items()}
    for row in rows:
        if row.key.structure is Structure.MULTIFIDUS and (row.quantity, row.method) in facts:
            name, fact = facts[row.quantity, row.method]
            true = getattr(truth[row.key.slice_uid, row.key.structure, row.key.side], fact)
            yield name, (row.value, row.uncertainty, true)


def _drawn(scene: Scene, size: float, rng: np.random.Generator) -> tuple[Exam, RoiSet]:
    made = scene.made
    slices, rois = [], []
    for item in made.exam.series[0].slices:
        place = scene.places[item.uid][rng.integers(PLACES)]
        plane = place.grid.plane
        pixels = stored_pixels(place.clean, place.shade, made.spec.snr, rng)
        slices.append(Slice.from_array(item.uid, plane, pixels, item.thickness_mm))
        shift = plane.origin_mm - item.plane.origin_mm
        rois.extend(
            _redrawn(roi, place, shift, (size, rng))
            for roi in made.outlines
            if roi.key.slice_uid == item.uid
        )
    series = Series(made.exam.series[0].uid, in_stack_order(slices), Weighting.T2)
    exam = Exam(made.exam.subject, made.exam.timepoint, (series,))
    return exam, replace(made.outlines, rois=tuple(rois), landmarks=())


def _redrawn(
    roi: Roi, place: _Place, shift: np.ndarray, how: tuple[float, np.random.Generator]
) -> Roi:
    """Trace a multifidus anew; take other outlines along with their slice."""
    boundary = place.boundaries.get((roi.key.structure.value, roi.key.side.value))
    plane = place.grid.plane
    if boundary is None:
        return replace(roi, paths_mm=tuple(path + shift for path in roi.paths_mm), plane=plane)
    while True:
        try:
            return replace(roi, paths_mm=(traced(boundary, place.grid, *how),), plane=plane)
        except RoiError:
            # Crosses itself: a rater would draw it again.
            continue


def protocol_for(size: float) -> mf.MeasurementProtocol:
    """Return the default protocol, told that tracings are as good as they are."""
    base = mf.MeasurementProtocol()
    return replace(
        base,
        fat_methods=("pooled_otsu", "linear"),
        tracing_sd_mm=size * base.tracing_sd_mm,
        tracing_offset_mm=size * base.tracing_offset_mm,
    )


def as_markdown(found: Sequence[tuple[str, dict[str, Draws]]]) -> str:
    """Print coverage, error and mean stated uncertainty as a Markdown table."""
    lines = [
        "| exam and tracing | quantity | n | covered, % | mean error | root mean square error "
        "| mean uncertainty |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {label} | {name} | {len(item.values)} | {item.coverage_pct:.1f} | {item.bias:+.2f} "
        f"| {item.error:.2f} | {item.stated.mean():.2f} |"
        for label, results in found
        for name, item in results.items()
    ]
    return "\n".join(lines) + "\n"
