"""The exams of the scripted reader: small phantoms, where the hand goes, and their truth."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.polygon import area
from multifidus.phantom import Phantom, PhantomSpec, make_phantom
from multifidus.phantom.boundary import boundary_mm
from multifidus.phantom.files import write_dicom
from multifidus.phantom.truth import Section, muscle_truth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Pixels = list[list[float]]
"""Points on an image, each a row and a column."""

POINTS = 30
"""Points of an outline."""

REFERENCE_POINTS = 12

SIDES = (Side.RIGHT, Side.LEFT)
MATRIX, PIXEL_MM = 192, 1.15

SPEC = PhantomSpec(
    matrix=MATRIX, pixel_mm=PIXEL_MM, stacks=5, slices_per_stack=1, sagittal_slices=1, snr=18.0
)
"""Five levels, one slice each, and one sagittal slice."""

SMOKE_SPEC = replace(SPEC, stacks=1)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be outlined on one slice, and what is true of it.

    Attributes
    ----------
    points
        Where the hand clicks, (row, column) in pixels.
    area_mm2, fat_pct
        The phantom's truth.
    drawn_mm2
        Area of the polygon through the points.
    """

    slice_uid: str
    level: Level
    side: Side
    points: Pixels
    area_mm2: float
    fat_pct: float
    drawn_mm2: float


@dataclass(frozen=True, slots=True)
class ReadingTask:
    """One exam of the list.

    Attributes
    ----------
    discs_mm
        Centres of the discs from L5-S1 to L1-L2, patient millimetres.
    lean, fat
        Reference samples on the first slice, (row, column) in pixels, and that slice's UID.
    """

    subject: str
    discs_mm: list[list[float]]
    targets: list[Target]
    lean: Pixels
    fat: Pixels


def write_exams(
    folder: Path, number: int, spec: PhantomSpec = SPEC, *, points: int = POINTS
) -> list[ReadingTask]:
    """Write phantom exams, each of another subject, and ``cohort.csv``; tell what to outline."""
    write = partial(_write_exam, folder, spec=spec, points=points)
    with ProcessPoolExecutor() as pool:
        found = [*pool.map(write, range(number))]
    rows = [f"{task.subject},pre,{task.subject}" for task in found]
    text = "\n".join(("subject,timepoint,images", *rows))
    (folder / "cohort.csv").write_text(text + "\n", encoding="utf-8")
    plain = [asdict(task) for task in found]
    (folder / "tasks.json").write_text(json.dumps(plain), encoding="utf-8")
    return found


def _write_exam(folder: Path, seed: int, *, spec: PhantomSpec, points: int) -> ReadingTask:
    subject = f"S{seed + 1:03d}"
    phantom = make_phantom(replace(spec, seed=seed))
    write_dicom(phantom, folder / subject)
    return task_of(phantom, subject, points)


def read_tasks(folder: Path) -> list[ReadingTask]:
    """Read what :func:`write_exams` wrote."""
    return [
        ReadingTask(**{**plain, "targets": [_target(row) for row in plain["targets"]]})
        for plain in json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    ]


def _target(row: dict[str, object]) -> Target:
    return Target(**{**row, "level": Level(row["level"]), "side": Side(row["side"])})  # type: ignore[arg-type] # as written


def task_of(phantom: Phantom, subject: str, points: int = POINTS) -> ReadingTask:
    """Return where a perfect reader clicks on a phantom."""
    axial = phantom.exam.series[0]
    targets = []
    for index, item in enumerate(axial.slices):
        grid = phantom.grids[item.uid]
        assert grid.level is not None  # noqa: S101 - slices are all angled to discs
        for pattern in phantom.subject.patterns_at(grid.level):
            muscle = pattern.muscle
            if muscle.structure is not Structure.MULTIFIDUS:
                continue
            outline = boundary_mm(phantom.subject, muscle.solid, grid, points)
            pixels = item.plane.to_pixels(outline)
            section = Section.of(phantom.subject, pattern, grid)
            truth = muscle_truth(section, grid.level, item.uid, index)
            targets.append(
                Target(
                    item.uid,
                    grid.level,
                    muscle.side,
                    _plain(pixels),
                    truth.csa_mm2,
                    truth.fat_pct,
                    area([pixels]) * item.plane.pixel_area_mm2,
                )
            )
    return ReadingTask(subject, _discs(phantom), targets, *_references(phantom))


def _plain(pixels: Array) -> Pixels:
    found: Pixels = pixels[:, :2].tolist()
    return found


def _discs(phantom: Phantom) -> list[list[float]]:
    """Return the centres of the discs from the sacrum up."""
    return [mark.position_mm.tolist() for mark in phantom.outlines.landmarks][::-1]


def _references(phantom: Phantom) -> tuple[Pixels, Pixels]:
    """Return a sample of lean muscle and one of fat on the first slice."""
    item = phantom.exam.series[0].slices[0]
    found = {
        roi.key.structure: item.plane.to_pixels(roi.paths_mm[0])
        for roi in phantom.outlines
        if roi.key.slice_uid == item.uid and roi.key.side is not Side.LEFT
    }
    every = [found[kind] for kind in (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)]
    step = [len(points) // REFERENCE_POINTS for points in every]
    lean, fat = (_plain(points[::n]) for points, n in zip(every, step, strict=True))
    return lean, fat
