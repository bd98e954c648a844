"""Areas and fat of the digital phantom, beside its analytic truth. Simulated data only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import multifidus as mf
from multifidus.data.image import Exam
from multifidus.data.measurement import Measurement, Quantity
from multifidus.phantom import Phantom, PhantomSpec, make_phantom
from multifidus.phantom.files import write_dicom

SMALL = PhantomSpec(stacks=1, slices_per_stack=1, sagittal=False, matrix=256, pixel_mm=0.9)


@dataclass(frozen=True, slots=True)
class Error:
    """A measured value beside its truth."""

    structure: str
    measured: float
    truth: float

    @property
    def difference(self) -> float:
        """Measured minus truth."""
        return self.measured - self.truth

    @property
    def relative_pct(self) -> float:
        """Difference in percent of the truth."""
        return 100 * self.difference / self.truth


def area_errors(tilts_deg: Sequence[float], seed: int) -> Iterator[tuple[float, list[Error]]]:
    """Measure the true outlines of phantoms cut at each tilt."""
    for tilt in tilts_deg:
        made = make_phantom(replace(SMALL, tilts_deg=(tilt,), seed=seed))
        yield tilt, _errors(made, _measured(made, Quantity.TCSA_MM2), "csa_mm2")


def fat_errors(spec: PhantomSpec) -> list[Error]:
    """Measure fat by the default method, with references, against the true fat."""
    made = make_phantom(spec)
    return _errors(made, _measured(made, Quantity.FI_PCT), "fat_pct")


def _measured(made: Phantom, quantity: Quantity) -> list[Measurement]:
    rows = mf.measure(made.exam, made.outlines)
    return [row for row in rows if row.quantity is quantity]


def _errors(made: Phantom, rows: Sequence[Measurement], fact: str) -> list[Error]:
    truth = {(item.slice_uid, item.structure, item.side): item for item in made.truth}
    found = []
    for row in rows:
        known = truth.get((row.key.slice_uid, row.key.structure, row.key.side))
        if known is not None and np.isfinite(getattr(known, fact)):
            found.append(Error(row.key.structure.value, row.value, getattr(known, fact)))
    return found


def geometry_errors_mm(seed: int) -> float:
    """Write the five-stack series as DICOM, read it back; the largest corner's displacement."""
    made = make_phantom(replace(SMALL, stacks=5, slices_per_stack=4, matrix=64, pixel_mm=3.4,
                                seed=seed))  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        write_dicom(made, Path(name))
        (read,) = mf.read_exams(name)
    return max(_displacements(made.exam, read))


def _displacements(made: Exam, read: Exam) -> Iterator[float]:
    for series in made.series:
        for item in series.slices:
            found = read.find_slice(item.uid)
            if found is None:
                msg = f"Slice {item.uid} was not read back."
                raise RuntimeError(msg)
            other = found[0].slices[found[1]]
            apart = item.plane.corners_mm(item.shape) - other.plane.corners_mm(other.shape)
            yield float(np.abs(apart).max())
