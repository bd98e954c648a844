"""The pages of evidence about coil shading and about uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.accuracy import bias, uncertainty
from multifidus.measuring.bias_field.n4 import ITERATIONS, SHRINK
from multifidus.phantom import PhantomSpec, Variant

BASE = PhantomSpec(sagittal=False, slices_per_stack=3, seed=5)

SPECS = (
    replace(BASE, variant=Variant.HEALTHY, contrast=4.0, snr=18.0),
    replace(BASE, variant=Variant.PATIENT, contrast=3.0, snr=12.0),
    replace(BASE, variant=Variant.POST_OPEN, contrast=2.5, snr=10.0),
)


def shading(*, smoke: bool) -> tuple[str, bool]:
    """Compare what corrections of shading leave inside muscles; text, and whether it is good."""
    small = replace(SPECS[0], stacks=3, slices_per_stack=1, matrix=128, pixel_mm=1.8)
    specs = (small,) if smoke else SPECS
    found = bias.compare(specs, bias.SHADES[::2] if smoke else bias.SHADES)
    ours, theirs, slices = bias.milliseconds(small if smoke else replace(BASE, slices_per_stack=5))
    text = (
        "Coil shading of the phantom before and after its correction, inside the outlines. `plane` "
        "is the phantom's own shading, linear from front to back; `coil` falls with the distance "
        "from a coil on the back in all three directions, `half` by the root of that. Left: "
        "coefficient of variation of true over fitted field, within each multifidus and between "
        "the means of all muscle outlines. Fat errors in points, of each multifidus, with "
        "references; `linear` has the field of `low_order` under `joint` too. N4: SimpleITK, "
        f"shrunk by {SHRINK}, up to {' and '.join(map(str, ITERATIONS))}"
        " rounds at two levels of detail, each stack by itself.\n\n"
        f"{len(specs)} exams: "
        + "; ".join(f"{s.variant}, contrast {s.contrast:g}, SNR {s.snr:g}" for s in specs)
        + ".\n\n"
        + bias.as_markdown(found)
        + "\n`refused`: of some exam the correction found no field that can be shading (here it "
        "varies by more than a factor of 4); fat is then measured uncorrected and flagged.\n\n"
        f"Finding the field of {slices} slices took `low_order` {ours:.0f} ms and N4 "
        f"{theirs:.0f} ms in one run: {theirs / ours:.0f} times as long.\n\n"
        "Both shadings are smooth, which suits a smooth polynomial; on real coils the difference "
        "is unknown.\n"
    )
    left = {(s.name, m.value): [x.within_pct for x in r] for s, m, r in found}
    good = all(
        max(left[name, "low_order"]) <= max(left[name, "none"]) + 0.5 for name, _ in left
    )  # fmt: skip
    return text, good


SCENES = (
    PhantomSpec(variant=Variant.HEALTHY, contrast=4.0, snr=18.0, shading=0.15, seed=5),
    PhantomSpec(variant=Variant.PATIENT, contrast=4.0, snr=18.0, shading=0.3, seed=6),
    PhantomSpec(variant=Variant.PATIENT, contrast=2.5, snr=10.0, shading=0.3, seed=7),
    PhantomSpec(variant=Variant.POST_OPEN, contrast=4.0, snr=18.0, shading=0.15, seed=8),
)

PHANTOMS = 12
"""Phantoms of each kind. How much fat changes with the slice's place differs by three times from
one muscle's streaks to the next, so that few muscles say little, however often they are drawn."""

TRACINGS = 240
"""Tracings of every kind, on all its phantoms together."""

LEAST_PCT, MOST_PCT = 90.0, 98.0


def uncertainties(*, smoke: bool) -> tuple[str, bool]:
    """Count how often stated intervals hold the truth; text, and whether it is good."""
    small = {"sagittal": False, "stacks": 3, "slices_per_stack": 1, "matrix": 256, "pixel_mm": 0.9}
    specs = [replace(spec, **small) for spec in SCENES]  # type: ignore[arg-type]
    if smoke:
        specs = [replace(specs[0], stacks=1)]
    careful, others = [], []
    phantoms, count = (1, 8) if smoke else (PHANTOMS, TRACINGS // PHANTOMS)
    as_stated = uncertainty.protocol_for(1.0)
    for spec in specs:
        scenes = [
            uncertainty.Scene.of(replace(spec, seed=spec.seed + 100 * k)) for k in range(phantoms)
        ]
        signal = f"contrast {spec.contrast:g}, SNR {spec.snr:g}"
        who = f"{spec.variant}, {signal}, shading {100 * spec.shading:g} %"
        careful.append((who, uncertainty.draws(scenes, 1.0, count, seed=3, protocol=as_stated)))
        if spec is specs[0]:
            for size in (0.5, 1.5, 2.0):
                told = uncertainty.protocol_for(size)
                found = uncertainty.draws(scenes, size, count // 2, seed=4, protocol=told)
                others.append((f"errors x {size:g}, and the protocol says so", found))
                found = uncertainty.draws(scenes, size, count // 2, seed=4, protocol=as_stated)
                others.append((f"errors x {size:g}, protocol unchanged", found))
    rms = uncertainty.normal_rms_mm(1.0)
    text = (
        "How often value ± 1.96 standard uncertainties holds the truth, which is known from "
        "quadrature of the phantom's shapes at the place where the slice was meant to lie. Each "
        f"row is of {'one phantom' if smoke else f'{phantoms} phantoms'} with muscles and streaks "
        "of their own, three slices each with both sides. Each draw has its own tracing of every "
        "multifidus, its own noise, and its own place of every slice; n counts muscles. Tracings "
        "share nothing with the model: "
        f"{uncertainty.VERTICES} vertices unevenly set on the true boundary, each misplaced with "
        f"heavy tails and in step with its neighbours ({uncertainty.JITTER_MM} mm along each "
        f"axis), the outline shifted ({uncertainty.SHIFT_MM} mm along each axis), swollen "
        f"({uncertainty.SWELL_MM} mm) and bent (twice {uncertainty.BEND_MM} mm): together "
        f"{rms:.2f} mm at right angles. Slices lie {uncertainty.MISPLACED_MM:g} mm off "
        "(standard deviations). Other outlines are perfect. Fat with references and the default "
        f"correction of shading. Wanted: {LEAST_PCT:g} to {MOST_PCT:g} %.\n\n"
        "## Careful tracings, default protocol\n\n"
        + uncertainty.as_markdown(careful)
        + _outside(careful)
        + "\n## Better and worse tracings\n\nOn the first kind of exam, half as many draws.\n\n"
        + uncertainty.as_markdown(others)
        + "\nThe sizes of the tracing errors are chosen, not taken from published differences "
        "between raters: who traces worse has to say so in the protocol, or the stated "
        "uncertainty is too small. The muscles' streaks are the phantom's: that fat changes along "
        "the spine as fast as across it is an assumption on real muscles.\n"
    )
    covered = [item.coverage_pct for _, results in careful for item in results.values()]
    return text, smoke or LEAST_PCT <= min(covered) <= max(covered) <= MOST_PCT


def _outside(found: Sequence[tuple[str, dict[str, uncertainty.Draws]]]) -> str:
    """Name what is covered less or more often than wanted."""
    outside = [
        f"{name} ({who}): {item.coverage_pct:.1f} %, "
        + ("too wide" if item.coverage_pct > MOST_PCT else "too narrow")
        for who, results in found
        for name, item in results.items()
        if not LEAST_PCT <= item.coverage_pct <= MOST_PCT
    ]
    if not outside:
        return "\nAll are as wanted.\n"
    return f"\nNot as wanted: {'; '.join(outside)}.\n"
