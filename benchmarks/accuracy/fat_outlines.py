"""Outlines of known fat, measured with the signal fraction and with what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import multifidus as mf
from benchmarks.accuracy.fat import UNGUARDED
from benchmarks.accuracy.scenes import Made, make, vary
from benchmarks.accuracy.scenes.real_pattern import CONTRASTS, make_real, scene
from benchmarks.accuracy.scenes.scene import Pattern, Scene
from multifidus.data.anatomy import Structure
from multifidus.data.protocol import BiasCorrection, FatMethod
from multifidus.measuring.propose_references import propose_references

OURS = (FatMethod.SIGNAL, FatMethod.LINEAR, FatMethod.POOLED_OTSU)
PEERS = (FatMethod.OTSU, FatMethod.KMEANS3, FatMethod.GMM2, FatMethod.GMM3)
"""Our methods that look at one outline alone, as other programs' do: SpinoSarc's by Otsu's cut, and
MuscleMap's by clusters. Their own rules are in :mod:`benchmarks.accuracy.peers`."""

METHODS = (*OURS, *PEERS)

WITHOUT_GUARD = mf.MeasurementProtocol(
    fat_methods=PEERS,
    bias_correction=BiasCorrection.NONE,
    minimal_separation=UNGUARDED.minimal_separation,
    minimal_contrast=UNGUARDED.minimal_contrast,
    maximal_disagreement_pct=UNGUARDED.maximal_disagreement_pct,
)

_QUANTITIES = {"ff_signal_pct", "ff_linear_pct", "fi_pct"}

FIRST_SEED, SEEDS_OF_CELL = 2_000_000, 1_000
"""No two cells share a person."""

LOOKED_AT = (
    range(300_000, 305_401),
    range(700_000, 900_000),
    range(3_000_000, 3_003_000),
    range(4_000_000, 4_003_000),
    range(5_000_000, 5_145_000),
)
"""Seeds of exams that were looked at while versions of the method were chosen between; none may be
used again. It was tuned on seeds below 200 000."""

PEER_EXAMS = 4
"""Exams of each cell on which peers are measured as well, which takes longer than all else."""

LOW_CONTRAST = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method says of an outline: a number, its standard uncertainty, its flags."""

    value: float = math.nan
    uncertainty: float = math.nan
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """One muscle outline, its true fat, and every method's answer.

    Parameters
    ----------
    truth_pct
        Fat fraction of volume.
    reference_pct
        True fat under the lean references of the exam; NaN where it has none.
    """

    cell: str
    seed: int
    structure: str
    truth_pct: float
    reference_pct: float
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def as_plain(self) -> tuple[Any, ...]:
        """Return plain values, which :meth:`from_plain` reads."""
        answers = {
            name: (item.value, item.uncertainty, item.flags) for name, item in self.answers.items()
        }
        return self.cell, self.seed, self.structure, self.truth_pct, self.reference_pct, answers

    @classmethod
    def from_plain(cls, plain: tuple[Any, ...]) -> Outline:
        """Make an outline of plain values."""
        cell, seed, structure, truth_pct, reference_pct, answers = plain
        found = {
            name: Answer(value, u, tuple(flags)) for name, (value, u, flags) in answers.items()
        }
        return cls(cell, seed, structure, truth_pct, reference_pct, found)


@dataclass(frozen=True, slots=True)
class Case:
    """A cell of the comparison.

    Parameters
    ----------
    number
        Its place among all cells, which its seeds follow from.
    is_crossed
        Whether diffuse fat and the signal of lean muscle vary together, so that pixels may not tell
        them apart; also an erector spinae darker than the multifidus where fat is less than three
        times as bright as lean muscle.
    """

    name: str
    number: int
    scene: Scene
    is_crossed: bool = False
    is_real: bool = False

    @property
    def pattern(self) -> Pattern | None:
        """How fat lies in the muscles; None in the real pattern."""
        return None if self.is_real else self.scene.fat.pattern

    def seeds(self, exams: int) -> range:
        """Return the seeds of its exams. The real exam is one, whatever the seed."""
        first = FIRST_SEED + SEEDS_OF_CELL * self.number
        return range(first, first + (1 if self.is_real else exams))

    def protocols(self, seed: int) -> tuple[mf.MeasurementProtocol, ...]:
        """Return what one of its exams is measured by: ours, and on some exams peers."""
        proposed = not self.scene.drawing.references
        ours = mf.MeasurementProtocol(fat_methods=OURS, propose_references=proposed)
        return (ours, WITHOUT_GUARD) if seed in self.seeds(PEER_EXAMS) else (ours,)


@cache
def cases() -> Mapping[str, Case]:
    """Return every cell by its name: the scenes, then the real pattern."""
    found: list[Case] = []
    for cell in vary():
        dark = cell.scene.lean.erector_pct < 0 and cell.scene.fat.contrast < LOW_CONTRAST
        found.append(Case(cell.name, len(found), cell.scene, cell.factor == "crossed" or dark))
    for contrast in CONTRASTS:
        for references in (True, False):
            name = f"real/contrast_{contrast:g}/{'drawn' if references else 'proposed'}"
            made_of = scene(contrast, references=references)
            found.append(Case(name, len(found), made_of, is_real=True))
    return {case.name: case for case in found}


def outlines(name: str, seed: int) -> list[Outline]:
    """Make one exam of a cell, measure it, and return its muscle outlines.

    References are proposed where nobody draws any.

    Raises
    ------
    RoiError
        If the seed makes an outline that crosses itself.
    """
    case = cases()[name]
    made = make_real(case.scene, seed) if case.is_real else make(case.scene, seed)
    proposed = not case.scene.drawing.references
    if case.is_real and proposed:
        made = _with_multifidus_alone(made)
    answers: dict[mf.RoiKey, dict[str, Answer]] = {key: {} for key in made.truth}
    for protocol in case.protocols(seed):
        for key, method, answer in answers_by(protocol, made.exam, made.rois):
            if key in answers:
                answers[key][method] = answer
    reference_pct = lean_reference_pct(made, proposed=proposed)
    return [
        Outline(name, seed, key.structure.value, made.truth[key], reference_pct, found)
        for key, found in answers.items()
    ]


def answers_by(
    protocol: mf.MeasurementProtocol, exam: mf.Exam, rois: mf.RoiSet
) -> Iterator[tuple[mf.RoiKey, str, Answer]]:
    """Measure an exam; yields the fat of each outline by each method of the protocol."""
    for row in mf.measure(exam, rois, protocol):
        if row.quantity in _QUANTITIES and row.method in protocol.fat_methods:
            flags = tuple(sorted(flag.value for flag in row.flags))
            yield row.key, row.method, Answer(row.value, row.uncertainty, flags)


def _with_multifidus_alone(made: Made) -> Made:
    """Leave out the erector spinae, whose lean samples would be proposed as well."""
    kept = tuple(roi for roi in made.rois if roi.key.structure is Structure.MULTIFIDUS)
    keys = {roi.key for roi in kept}
    return replace(
        made,
        rois=replace(made.rois, rois=kept),
        truth={key: value for key, value in made.truth.items() if key in keys},
    )


def lean_reference_pct(made: Made, *, proposed: bool) -> float:
    """Return the true fat under all lean references of an exam; NaN where there is none."""
    inside = total = 0.0
    for roi in propose_references(made.exam, made.rois) if proposed else made.rois:
        if roi.key.structure is Structure.LEAN_REFERENCE:
            weight = mf.coverage(roi.paths_mm, roi.plane, roi.shape)
            inside += float((weight * made.fat_pct[roi.key.slice_uid]).sum())
            total += float(weight.sum())
    return inside / total if total else math.nan
