"""A BIDS dataset of one subject's two exams and another subject's, small, with known levels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.image import Exam, Series
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.io.outlines_json import file_name, write_outlines
from multifidus.io.read import read_exam
from tests.support.exams import circle, outline
from tests.support.niftis import lumbar_affine, save

ROWS, COLUMNS = 72, 80
STEP_MM = 12.0
SHIFT_MM = np.array((25.0, -12.0, 60.0))
"""The patient lies elsewhere the second time."""

LEVELS = {Level.L3_L4: 4, Level.L4_L5: 2, Level.L5_S1: 0}
"""The slice that the landmark of each level lies on, first exam."""

MARK_PIXEL = 30.0, 41.0
"""Row and column of every landmark on its slice, in both exams."""


@dataclass(frozen=True)
class Visits:
    """Where the exams are."""

    root: Path
    now: Path
    before: Path
    stranger: Path


def write_visits(root: Path, *, rater: str = "R1", with_landmarks: bool = True) -> Visits:
    """Write them; the earlier exam has one slice more at its caudal end, and outlines."""
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')
    places = {
        "before": root / "sub-01" / "ses-1",
        "now": root / "sub-01" / "ses-2",
        "stranger": root / "sub-02" / "ses-1",
    }
    for number, (name, folder) in enumerate(places.items()):
        _write(folder, number, extra=1 if name == "before" else 0)
    made = Visits(root, places["now"], places["before"], places["stranger"])
    exam = read_exam(made.before)
    (series,) = exam.series
    by = Reading(exam.subject, exam.timepoint, rater, 1)
    item = series.slices[LEVELS[Level.L4_L5] + 1]
    roi = outline(
        item, circle(40, 50, 9), structure=Structure.MULTIFIDUS, side=Side.LEFT, reading=by
    )
    marks = landmarks(series, 1) if with_landmarks else ()
    write_outlines(RoiSet((roi,), landmarks=marks, reading=by), made.before / file_name(by))
    return made


def landmarks(series: Series, extra: int = 0) -> tuple[Landmark, ...]:
    """Return the disc centres of an exam, on its slices."""
    return tuple(
        Landmark(
            LandmarkKind.DISC_CENTRE,
            level,
            tuple(series.slices[index + extra].plane.to_patient([MARK_PIXEL])[0]),
        )
        for level, index in LEVELS.items()
    )


def axial_of(exam: Exam) -> Series:
    """Return its one series."""
    (series,) = exam.series
    return series


def _write(folder: Path, number: int, extra: int) -> None:
    subject, session = folder.parent.name, folder.name
    (folder / "anat").mkdir(parents=True)
    rng = np.random.default_rng(number)
    voxels = rng.integers(80, 120, (COLUMNS, ROWS, 6 + extra))
    voxels[:, 60:] = 400
    affine = lumbar_affine(tilt=6, spacing=(0.7, 0.8, STEP_MM))
    affine[:3, 3] += number * SHIFT_MM - extra * affine[:3, 2]
    save(folder / "anat" / f"{subject}_{session}_T2w.nii.gz", voxels.astype(np.int16), affine)
