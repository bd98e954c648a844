"""Outlines of known fat, measured with the default protocol, and by rules of other programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

import multifidus as mf
from benchmarks.accuracy import fat
from benchmarks.accuracy.scenes import Made, make, vary
from benchmarks.accuracy.scenes.real_pattern import CONTRASTS, make_real, scene
from benchmarks.accuracy.scenes.scene import Pattern, Scene
from multifidus.data.anatomy import Structure
from multifidus.data.protocol import FatMethod
from multifidus.measuring.fat.methods import fat_by
from multifidus.measuring.propose_references import propose_references
from multifidus.measuring.weighted_pixels import WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus import RoiSet, Slice

    Array = NDArray[np.float64]

OURS = {"pooled_otsu": "fi_pct", "linear": "ff_linear_pct", "signal": "ff_signal_pct"}
"""Methods whose rows are read, and the quantity of each."""

WITHOUT_GUARD = (FatMethod.OTSU, FatMethod.KMEANS3, FatMethod.GMM2, FatMethod.GMM3)
"""Of each outline alone, as the library computes them, whether or not the classes are separate."""

PROTOCOL = mf.MeasurementProtocol(fat_methods=tuple(map(FatMethod, OURS)))
"""The default one; its methods are named, so that all three have rows whatever the default is."""

REAL = "real"

LOW_CONTRAST = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method says of an outline: a number, its standard uncertainty, its flags."""

    value: float
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

    def as_list(self) -> list[Any]:
        """Return plain values, which :meth:`from_list` reads."""
        answers = {
            name: [item.value, item.uncertainty, list(item.flags)]
            for name, item in self.answers.items()
        }
        return [self.cell, self.seed, self.structure, self.truth_pct, self.reference_pct, answers]

    @classmethod
    def from_list(cls, plain: list[Any]) -> Outline:
        """Make an outline of plain values."""
        answers = {
            name: Answer(value, uncertainty, tuple(flags))
            for name, (value, uncertainty, flags) in plain[-1].items()
        }
        return cls(*plain[:-1], answers)


@dataclass(frozen=True, slots=True)
class Case:
    """A cell of the comparison.

    Parameters
    ----------
    is_crossed
        Whether fat and lean signal vary together so that pixels cannot tell them apart; also an
        erector spinae darker than the multifidus where fat is less than three times as bright as
        lean muscle.
    """

    name: str
    scene: Scene
    is_crossed: bool
    is_real: bool = False

    def seeds(self, exams: int) -> range:
        """Return the exams to make; one where a seed would change nothing."""
        alone = self.is_real and not self.scene.drawing.references
        return range(1, 2 if alone else exams + 1)

    @property
    def has_streaks_only(self) -> bool:
        """Whether all fat is visible."""
        return not self.is_real and self.scene.fat.pattern is Pattern.STREAKS


@cache
def cases() -> Mapping[str, Case]:
    """Return every cell by its name: the scenes, and the real pattern where its exam is there."""
    found = {}
    for cell in vary():
        dark = cell.scene.lean.erector_pct < 0 and cell.scene.fat.contrast < LOW_CONTRAST
        found[cell.name] = Case(cell.name, cell.scene, cell.factor == "crossed" or dark)
    for contrast in CONTRASTS:
        for references in (False, True):
            name = f"{REAL}/c{contrast:g}/{'drawn' if references else 'proposed'}"
            made_of = scene(contrast, references=references)
            found[name] = Case(name, made_of, is_crossed=False, is_real=True)
    return found


def outlines(name: str, seed: int, *, peers: bool) -> list[Outline]:
    """Make one exam of a cell, measure it, and return its muscle outlines.

    Parameters
    ----------
    peers
        Whether rules of other programs are computed as well, which takes longer.
    """
    case = cases()[name]
    made = make_real(case.scene, seed) if case.is_real else make(case.scene, seed)
    # Nobody draws references on the real exam in some cells; scenes without any stay without.
    proposed = case.is_real and not case.scene.drawing.references
    if proposed:
        made = replace(made, rois=_multifidus_alone(made.rois))
    rows = mf.measure(made.exam, made.rois, replace(PROTOCOL, propose_references=proposed))
    answers: dict[mf.RoiKey, dict[str, Answer]] = {
        roi.key: {} for roi in made.rois if roi.key in made.truth
    }
    for row in rows:
        if row.key in answers and OURS.get(row.method) == row.quantity:
            flags = tuple(sorted(flag.value for flag in row.flags))
            answers[row.key][row.method] = Answer(row.value, row.uncertainty, flags)
    rois = propose_references(made.exam, made.rois) if proposed else made.rois
    reference_pct = lean_reference_pct(made, rois)
    if peers:
        for key in answers:
            answers[key] |= _by_peers(made, key, seed)
    return [
        Outline(name, seed, key.structure.value, made.truth[key], reference_pct, values)
        for key, values in answers.items()
    ]


def _multifidus_alone(rois: RoiSet) -> RoiSet:
    found = tuple(roi for roi in rois if roi.key.structure is Structure.MULTIFIDUS)
    return replace(rois, rois=found)


def lean_reference_pct(made: Made, rois: RoiSet) -> float:
    """Return the true fat under all lean references of an exam."""
    inside = total = 0.0
    for roi in rois:
        if roi.key.structure is Structure.LEAN_REFERENCE:
            weight = mf.coverage(roi.paths_mm, roi.plane, roi.shape)
            inside += float((weight * made.fat_pct[roi.key.slice_uid]).sum())
            total += float(weight.sum())
    return inside / total if total else math.nan


def _by_peers(made: Made, key: mf.RoiKey, seed: int) -> dict[str, Answer]:
    """Return what rules that look at one outline alone say of it."""
    item = next(s for series in made.exam.series for s in series.slices if s.uid == key.slice_uid)
    values, weights = _pixels(made, key, item)
    sample = WeightedPixels(values, weights)
    found = {
        f"{method}, no guard": fat_by(method, sample, fat.NO_REFERENCES, fat.UNGUARDED).value_pct
        for method in WITHOUT_GUARD
    }
    if fat.peers_available():
        from threadpoolctl import threadpool_limits

        # So few pixels are clustered much faster by one thread, and in the same order every time.
        with threadpool_limits(1):
            found |= {name: rule(values, seed) for name, rule in fat.PEERS.items()}
    return {name: Answer(float(value)) for name, value in found.items()}


def _pixels(made: Made, key: mf.RoiKey, item: Slice) -> tuple[Array, Array]:
    """Return signal and coverage of the pixels inside an outline and outside artefacts."""
    weights = np.zeros(item.shape)
    for roi in _of_slice(made, item.uid):
        if roi.key == key:
            weights = mf.coverage(roi.paths_mm, roi.plane, roi.shape)
    for roi in _of_slice(made, item.uid):
        if roi.key.structure is Structure.ARTEFACT:
            weights = weights * (mf.coverage(roi.paths_mm, roi.plane, roi.shape) < 0.5)
    inside = weights >= fat.PROTOCOL.minimal_coverage
    return item.pixels[inside], weights[inside]


def _of_slice(made: Made, uid: str) -> Iterator[mf.Roi]:
    return (roi for roi in made.rois if roi.key.slice_uid == uid)
