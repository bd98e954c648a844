"""A real Dixon exam with manual outlines: the muscle slice by slice, and every method's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import multifidus as mf
from multifidus.data.anatomy import Side, Structure
from multifidus.data.measurement import Measurement, Measurements, Quantity

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "a01_real_lumbar_dixon_TUM01"
"""Beside the repository; nothing of it is in it."""

FIXED_THRESHOLD = 150.0
"""For the method that is given one: about three times the signal of lean muscle here."""

_FAT = (Quantity.FI_PCT, Quantity.FF_LINEAR_PCT, Quantity.DIXON_FF_MEAN_PCT,
        Quantity.DIXON_FF_RATIO_PCT)  # fmt: skip
_SIDES = ((Side.RIGHT, "#e69f00"), (Side.LEFT, "#56b4e9"))


def available() -> bool:
    """Whether the exam is there."""
    return FOLDER.is_dir()


def measured() -> Measurements:
    """Measure every slice of both multifidi by every method; references are proposed by rule."""
    exam = mf.read_exam(fat=FOLDER / "fat.nii.gz", water=FOLDER / "water.nii.gz", pair_by="index")
    rois = mf.read_rois(FOLDER / "label_fatgrid.nii.gz", exam, labels="lpm")
    protocol = mf.MeasurementProtocol(
        fat_methods=tuple(mf.FatMethod), fixed_threshold=FIXED_THRESHOLD, propose_references=True
    )
    rows = mf.measure(exam, rois, protocol)
    return tuple(row for row in rows if row.key.structure is Structure.MULTIFIDUS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one method says of one side: mean over the slices that have an answer."""

    method: str
    quantity: str
    side: Side
    mean_pct: float
    low_pct: float
    high_pct: float
    answered: int
    slices: int
    flags: tuple[str, ...]


def answers(rows: Sequence[Measurement]) -> list[Answer]:
    """Put each method's slices together."""
    groups: dict[tuple[str, Quantity, Side], list[Measurement]] = {}
    for row in rows:
        if row.quantity in _FAT:
            groups.setdefault((row.method, row.quantity, row.key.side), []).append(row)
    found = []
    for (method, quantity, side), members in sorted(groups.items()):
        values = np.array([row.value for row in members])
        known = values[np.isfinite(values)]
        mean, low, high = (
            (float(known.mean()), float(known.min()), float(known.max()))
            if len(known)
            else (float("nan"),) * 3
        )
        flags = sorted({flag.value for row in members for flag in row.flags})
        found.append(
            Answer(method, quantity.value, side, mean, low, high, len(known), len(values),
                   tuple(flags))
        )  # fmt: skip
    return found


def curve(rows: Sequence[Measurement], quantity: Quantity, side: Side) -> np.ndarray:
    """Return slice index, value and standard uncertainty of each slice, shape (3, n)."""
    found = [
        (row.provenance.slice_index, row.value, row.uncertainty)
        for row in rows
        if row.quantity is quantity and row.key.side is side
    ]
    return np.array(sorted(found)).T


def draw(rows: Sequence[Measurement], path: Path) -> None:
    """Plot area and both fat fractions along the spine, each with two standard uncertainties."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    panels = (
        (Quantity.TCSA_MM2, "area, mm²"),
        (Quantity.DIXON_FF_MEAN_PCT, "mean of F / (F + W), %"),
        (Quantity.DIXON_FF_RATIO_PCT, "sum F / sum (F + W), %"),
    )
    with mpl.rc_context({"svg.hashsalt": "multifidus", "font.size": 9}):
        figure = Figure(figsize=(9, 3), layout="constrained")
        for axes, (quantity, label) in zip(figure.subplots(1, 3), panels, strict=True):
            for side, colour in _SIDES:
                place, value, spread = curve(rows, quantity, side)
                axes.fill_between(
                    place, value - 2 * spread, value + 2 * spread, color=colour, alpha=0.25, lw=0
                )
                axes.plot(place, value, ".-", color=colour, label=f"multifidus {side.value}")
            axes.set_xlabel("slice (caudal to cranial, 4 mm)")
            axes.set_ylabel(label)
            axes.set_ylim(bottom=0)
            axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None})


def as_markdown(found: Sequence[Answer]) -> str:
    """Print every method's answer."""
    lines = [
        "| method | quantity | side | mean, % | range over slices, % | answered | flags |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for item in found:
        if item.answered:
            numbers = f"{item.mean_pct:.1f} | {item.low_pct:.1f} to {item.high_pct:.1f}"
        else:
            numbers = "none | "
        lines.append(
            f"| {item.method} | {item.quantity} | {item.side.value} | {numbers} | "
            f"{item.answered} of {item.slices} | {', '.join(item.flags)} |"
        )
    return "\n".join(lines) + "\n"
