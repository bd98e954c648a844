"""Levels and tilt of the phantom's slices, beside rules that look at a slice's corner or centre.

Simulated data only. Slices lie where the phantom prescribes them; no pixel is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

import multifidus as mf
from multifidus.data.geometry import tilt_deg
from multifidus.phantom import PhantomSpec, Variant
from multifidus.phantom.exam import disc_landmarks
from multifidus.phantom.prescription import SliceGrid, axial_grids
from multifidus.phantom.subject import Subject, make_subject

Array = NDArray[np.float64]
Rule = Callable[[mf.Exam, Sequence[mf.Landmark]], list[mf.Level | None]]

MIXED = (30.0, 0.0, 15.0, 5.0, 25.0)
"""Tilts of five stacks, L1-L2 first, that no two discs have."""

IN_PLANE = np.array((0.0, 1.0, 1.0))
"""A rater who marks one sagittal slice errs within it."""

SACRUM_S_MM = (-76.0, -97.0)
"""Where along the phantom's spine S1 has its borders."""

SPEC = PhantomSpec(slices_per_stack=5)


@dataclass(frozen=True, slots=True)
class Row:
    """How many of the slices at some tilt each rule names wrongly."""

    tilt: str
    slices: int
    wrong: dict[str, int]
    ambiguous: int
    least_margin_mm: float


def by_plane(exam: mf.Exam, marks: Sequence[mf.Landmark]) -> list[mf.Level | None]:
    """Name slices as multifidus does."""
    return [item.level for item in mf.assign_levels(exam, marks)]


def _by_height(
    exam: mf.Exam, marks: Sequence[mf.Landmark], where: tuple[float, float]
) -> list[mf.Level | None]:
    found: list[mf.Level | None] = []
    for item in exam.series[0].slices:
        pixel = [part * (size - 1) for part, size in zip(where, item.shape, strict=True)]
        z = float(item.plane.to_patient([pixel])[0, 2])
        found.append(min(marks, key=lambda mark: abs(float(mark.position_mm[2]) - z)).level)
    return found


RULES: dict[str, Rule] = {
    "multifidus": by_plane,
    "corner's z": lambda exam, marks: _by_height(exam, marks, (0, 0)),
    "centre's z": lambda exam, marks: _by_height(exam, marks, (0.5, 0.5)),
}


def compare(tilts: Sequence[float], seeds: Sequence[int]) -> Iterator[Row]:
    """Let every rule name the slices of phantoms at each tilt, mixed ones and the discs' own."""
    cases: list[tuple[str, tuple[float, ...] | None]] = [
        *((f"{tilt:g}", (tilt,) * 5) for tilt in tilts),
        ("30, 0, 15, 5, 25", MIXED),
        ("each disc's own", None),
    ]
    for name, angles in cases:
        wrong, total, ambiguous, margins = dict.fromkeys(RULES, 0), 0, 0, []
        for subject, spec in _subjects(seeds):
            exam, grids = _exam(subject, replace(spec, tilts_deg=angles))
            marks = disc_landmarks(subject)
            total += len(grids)
            for rule, named in RULES.items():
                levels = named(exam, marks)
                wrong[rule] += sum(
                    level is not grid.level for level, grid in zip(levels, grids, strict=True)
                )
            found = mf.assign_levels(exam, marks)
            ambiguous += sum(mf.Flag.LEVEL_AMBIGUOUS in item.flags for item in found)
            margins += [item.margin_mm for item in found]
        yield Row(name, total, wrong, ambiguous, min(margins))


def with_errors(sds_mm: Sequence[float], seeds: Sequence[int]) -> Iterator[tuple[float, int, int]]:
    """Set landmarks wrongly by normal errors; yields their spread, slices, and wrong ones."""
    for sd in sds_mm:
        rng = np.random.default_rng(8)
        total = wrong = 0
        for subject, spec in _subjects(seeds):
            exam, grids = _exam(subject, spec)
            marks = [
                mf.Landmark(mark.kind, mark.level, mark.position_mm + rng.normal(0, sd, 3))
                for mark in disc_landmarks(subject)
            ]
            levels = by_plane(exam, marks)
            total += len(grids)
            wrong += sum(level is not g.level for level, g in zip(levels, grids, strict=True))
        yield sd, total, wrong


def tilt_errors_deg(
    count: int, seeds: Sequence[int], sd_mm: float = 0.0, draws: int = 1, *, sacrum: bool = False
) -> dict[mf.Level, Array]:
    """Error of the axis at the lowest discs, from their landmarks alone, set wrongly in the plane.

    Parameters
    ----------
    count
        How many discs are marked, from L5-S1 upwards.
    seeds
        Of the subjects.
    sd_mm, draws
        Normal error of each landmark along y and z, and how often it is drawn.
    sacrum
        Whether both endplates of S1 are marked as well.
    """
    rng = np.random.default_rng(9)
    errors: dict[mf.Level, list[float]] = {}
    for subject, spec in _subjects(seeds):
        exam, grids = _exam(subject, replace(spec, slices_per_stack=1, stacks=count))
        exact = [*disc_landmarks(subject)[-count:], *(_sacrum(subject) if sacrum else ())]
        for _ in range(draws):
            marks = [
                mf.Landmark(m.kind, m.level, m.position_mm + rng.normal(0, sd_mm, 3) * IN_PLANE)
                for m in exact
            ]
            for item, grid in zip(mf.assign_levels(exam, marks), grids, strict=True):
                assert grid.level is not None  # noqa: S101 - no axial slice is without
                truth = tilt_deg(grid.plane.normal) - subject.disc_tilt_deg(grid.level)
                errors.setdefault(grid.level, []).append(item.tilt_deg - truth)
    return {level: np.array(found) for level, found in errors.items()}


def _sacrum(subject: Subject) -> tuple[mf.Landmark, ...]:
    """Mark the borders of S1 in the middle of the spine."""
    kinds = (mf.LandmarkKind.SUPERIOR_ENDPLATE, mf.LandmarkKind.INFERIOR_ENDPLATE)
    return tuple(
        mf.Landmark(kind, mf.Level.S1, subject.to_patient(np.array([(0.0, 0.0, s)]))[0])
        for kind, s in zip(kinds, SACRUM_S_MM, strict=True)
    )


def _subjects(seeds: Sequence[int]) -> Iterator[tuple[Subject, PhantomSpec]]:
    for seed in seeds:
        for variant in (Variant.PATIENT, Variant.POST_OPEN):
            spec = replace(SPEC, seed=seed, variant=variant)
            yield _subject(spec), spec


@cache
def _subject(spec: PhantomSpec) -> Subject:
    return make_subject(spec)


def _exam(subject: Subject, spec: PhantomSpec) -> tuple[mf.Exam, tuple[SliceGrid, ...]]:
    grids = axial_grids(subject, spec)
    slices = tuple(
        mf.Slice.from_array(str(n), grid.plane, np.broadcast_to(0.0, grid.shape))
        for n, grid in enumerate(grids)
    )
    return mf.Exam("S01", "pre", (mf.Series("1", slices, mf.Weighting.T2),)), grids
