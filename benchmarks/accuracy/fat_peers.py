"""The same images by every rule for fat in use: ours, published ones, and other programs'.

Three sources: the whole digital phantom, the second generator, and the pattern of a real exam.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

import multifidus as mf
from benchmarks.accuracy import peers, real_dixon
from benchmarks.accuracy.fat_outlines import (
    OURS,
    PEERS,
    WITHOUT_GUARD,
    Answer,
    Case,
    Outline,
    answers_by,
    cases,
    lean_reference_pct,
)
from benchmarks.accuracy.scenes import make
from benchmarks.accuracy.scenes.real_pattern import make_real
from multifidus.data.anatomy import Structure
from multifidus.data.protocol import BiasCorrection, FatMethod, MeasurementProtocol
from multifidus.io.protocol_toml import load_protocol
from multifidus.phantom import PhantomSpec, Variant, make_phantom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

UNCORRECTED = (FatMethod.CIRCLE_MAX, FatMethod.CLAHE_OTSU, *PEERS)
"""Published rules as the presets have them, without correction of the bias field."""

TAKEN_AT_THEIR_WORD = replace(WITHOUT_GUARD, fat_methods=UNCORRECTED)

GUARDED = MeasurementProtocol(fat_methods=(FatMethod.OTSU,), bias_correction=BiasCorrection.NONE)
"""With our guard, which refuses the same outlines whichever method looks at them alone."""

GUARD = "otsu, guarded"
"""Under which an outline has a number where the guard lets it through."""

OF_0_1 = "{}, 0.1"
"""Under which stands what version 0.1 measured by default."""

PROTOCOLS = (
    (MeasurementProtocol(fat_methods=OURS), "{}"),
    (load_protocol("v0_1"), OF_0_1),
    (TAKEN_AT_THEIR_WORD, "{}"),
    (GUARDED, GUARD),
)
"""What exams are measured by, and under which names their methods stand."""

IMAGINGS = ("", "shading/array_40/", "contrast/x_25/")
SCENES = ("lean", *(f"{how}{fat}" for fat in ("streaks", "diffuse", "both") for how in IMAGINGS))
REAL = ("real/contrast_2.5/drawn", "real/contrast_4/drawn")
PHANTOMS = tuple(
    product(
        (Variant.HEALTHY, Variant.PATIENT, Variant.POST_OPEN),
        ((4.0, 18.0), (2.5, 10.0)),
        (0.0, 0.3),
    )
)
"""Exam, contrast with signal-to-noise ratio, and shading."""

PHANTOM_SEED, STACKS = 5, 5
EXAMS = 3
"""Exams of each scene."""

SMOKE = ("streaks", "diffuse")

_HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Exam:
    """An exam with the true fat of its multifidus outlines."""

    cell: str
    seed: int
    exam: mf.Exam
    rois: mf.RoiSet
    truth: dict[mf.RoiKey, float]
    reference_pct: float


@cache
def measured(*, smoke: bool) -> tuple[Outline, ...]:
    """Measure every multifidus of all exams by every method."""
    return tuple(item for each in _exams(smoke=smoke) for item in _measured(each))


def _exams(*, smoke: bool) -> Iterator[_Exam]:
    for variant, (contrast, snr), shading in PHANTOMS[:1] if smoke else PHANTOMS:
        spec = PhantomSpec(
            variant=variant, contrast=contrast, snr=snr, shading=shading,
            stacks=1 if smoke else STACKS, slices_per_stack=1, sagittal=False, seed=PHANTOM_SEED,
        )  # fmt: skip
        yield _phantom(spec)
    for name in SMOKE if smoke else SCENES:
        for seed in cases()[name].seeds(1 if smoke else EXAMS):
            yield _scene(cases()[name], seed)
    if real_dixon.available() and not smoke:
        for name in REAL:
            yield _scene(cases()[name], cases()[name].seeds(1)[0])


def phantom_cell(variant: str, contrast: float, snr: float, shading: float) -> str:
    """Name a cell of the phantom."""
    return f"phantom/{variant}/contrast_{contrast:g}/snr_{snr:g}/shading_{100 * shading:g}"


def _phantom(spec: PhantomSpec) -> _Exam:
    made = make_phantom(spec)
    known = _phantom_truth(spec.variant, spec.stacks)
    places = {item.uid: place for place, item in enumerate(made.exam.series[0].slices)}
    truth = {
        roi.key: known[places[roi.key.slice_uid], roi.key.side]
        for roi in made.outlines
        if roi.key.structure is Structure.MULTIFIDUS
    }
    cell = phantom_cell(spec.variant, spec.contrast, spec.snr, spec.shading)
    return _Exam(cell, spec.seed, made.exam, made.outlines, truth, 0.0)


@cache
def _phantom_truth(variant: Variant, stacks: int) -> dict[tuple[int, mf.Side], float]:
    """Return the true fat of the multifidus by slice and side, whatever the image's settings."""
    spec = PhantomSpec(
        variant=variant, stacks=stacks, slices_per_stack=1, sagittal=False, seed=PHANTOM_SEED
    )
    return {
        (item.slice_index, item.side): item.fat_pct
        for item in make_phantom(spec).truth
        if item.structure is Structure.MULTIFIDUS
    }


def _scene(case: Case, seed: int) -> _Exam:
    made = make_real(case.scene, seed) if case.is_real else make(case.scene, seed)
    truth = {key: pct for key, pct in made.truth.items() if key.structure is Structure.MULTIFIDUS}
    reference_pct = lean_reference_pct(made, proposed=False)
    return _Exam(case.name, seed, made.exam, made.rois, truth, reference_pct)


def _measured(each: _Exam) -> list[Outline]:
    answers: dict[mf.RoiKey, dict[str, Answer]] = {key: {} for key in each.truth}
    for protocol, named in PROTOCOLS:
        for key, method, answer in answers_by(protocol, each.exam, each.rois):
            if key in answers:
                answers[key][named.format(method)] = answer
    for key, name, pct in _by_peers(each):
        answers[key][name] = Answer(pct)
    return [
        Outline(each.cell, each.seed, key.structure.value, pct, each.reference_pct, answers[key])
        for key, pct in each.truth.items()
    ]


def _by_peers(each: _Exam) -> Iterator[tuple[mf.RoiKey, str, float]]:
    """Yield the fat of each outline by other programs' rules, on pixels at least half inside."""
    if not peers.available():
        return
    slices = {item.uid: item for series in each.exam.series for item in series.slices}
    muscles: dict[mf.Side, dict[mf.RoiKey, Array]] = {}
    for roi in each.rois:
        if roi.key in each.truth:
            inside = mf.coverage(roi.paths_mm, roi.plane, roi.shape) >= _HALF
            pixels = slices[roi.key.slice_uid].pixels[inside]
            muscles.setdefault(roi.key.side, {})[roi.key] = pixels
    for outlines in muscles.values():
        for peer in peers.PEERS:
            parts = [[key] for key in outlines]
            for keys in [list(outlines)] if peer.by_muscle else parts:
                values = [outlines[key] for key in keys]
                yield from shares(peer, keys, values, each.seed)


def shares(
    peer: peers.Peer, keys: Sequence[mf.RoiKey], values: Sequence[Array], seed: int
) -> Iterator[tuple[mf.RoiKey, str, float]]:
    """Yield what a rule calls fat in each of the outlines that it parts together."""
    found = peer.is_fat(np.concatenate(values), seed)
    ends = np.cumsum([len(part) for part in values])
    for key, end, part in zip(keys, ends, values, strict=True):
        share = np.nan if found is None else found[end - len(part) : end].mean()
        yield key, peer.name, 100 * float(share)
