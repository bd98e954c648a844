"""Which water and which fat image are of one Dixon acquisition, and the fat fraction of a pair.

The two lie in one frame of reference on one grid, are made with the same repetition and echo time,
and are of the same repeat. Where several fit, what the scanner wrote about its run decides: the
series' UID, then time and number of the acquisition, then the name of the file. Each has exactly
one other; what stays ambiguous is not paired, and the reason is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.sums import dot
from multifidus.measuring.weighted_pixels import NAN

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

OTHER: Mapping[Weighting, Weighting] = {
    Weighting.DIXON_FAT: Weighting.DIXON_WATER,
    Weighting.DIXON_WATER: Weighting.DIXON_FAT,
}
"""What each image of a Dixon pair is paired with."""

NOT_PLAIN = frozenset(
    {
        Weighting.DIXON_FAT,
        Weighting.DIXON_WATER,
        Weighting.DIXON_IN_PHASE,
        Weighting.DIXON_OPPOSED_PHASE,
        Weighting.FAT_FRACTION,
        Weighting.PDFF,
        Weighting.NO_SIGNAL,
    }
)
"""Contrasts that a header states in so many words; an image of one is never taken for another."""

SAME_ECHO_MS = 0.1
SAME_REPETITION = 1e-3
"""Echo times further apart, and repetition times that differ by a larger share, are two."""

_BY_HAND = "paired by hand"


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """The other image of a Dixon pair, or why there is none.

    Attributes
    ----------
    partner
        The other image; None where none can be used.
    problem
        Why not; empty where it is used, and where the exam holds none at all.
    flags
        Doubts about numbers made of both.
    """

    partner: Series | None = None
    problem: str = ""
    flags: tuple[Flag, ...] = ()

    def co_registered(self, item: Slice) -> Slice | None:
        """Return the other image's slice on the very same pixel grid; None unless there is one."""
        slices = () if self.partner is None else self.partner.slices
        found = [other for other in slices if _are_co_registered(item, other)]
        return found[0] if len(found) == 1 else None


def pairings(exam: Exam) -> dict[str, Pairing]:
    """Find the other image of every water and fat series of an exam, by the series' UID."""
    parts = [series for series in exam.series if series.weighting in OTHER]
    choices = {series.uid: _candidates(series, parts) for series in parts}
    return {series.uid: _pairing(series, choices) for series in parts}


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """Series that could be the other one, and why there are none."""

    series: tuple[Series, ...] = ()
    problem: str = ""


def _candidates(series: Series, parts: Iterable[Series]) -> _Choice:
    wanted = OTHER[series.weighting]
    others = [other for other in parts if other.weighting is wanted]
    if not others:
        return _Choice()
    alike = [other for other in others if not differences(series, other)]
    if not alike:
        why = "; ".join(f"{_name(other)}: {differences(series, other)}" for other in others)
        return _Choice(problem=f"no {_image(wanted)} of its acquisition ({why})")
    placed = [other for other in alike if on_one_grid(series, other)]
    if not placed:
        other = _narrowed(series, alike)[0]
        problem = (
            f"its {_image(wanted)} ({_name(other)}) lies on another grid: "
            f"{describe_grid(other)}; this one: {describe_grid(series)}"
        )
        return _Choice(problem=problem)
    return _Choice(tuple(_narrowed(series, placed)))


def _pairing(series: Series, choices: Mapping[str, _Choice]) -> Pairing:
    choice = choices[series.uid]
    if not choice.series:
        return Pairing(problem=choice.problem)
    theirs = choices[choice.series[0].uid].series
    for found in (choice.series, theirs):
        if len(found) > 1:
            names = ", ".join(map(_name, found))
            what = _image(found[0].weighting)
            return Pairing(problem=f"{len(found)} {what}s fit, and nothing tells which ({names})")
    (partner,) = choice.series
    if [other.uid for other in theirs] != [series.uid]:
        other = ", ".join(map(_name, theirs))
        problem = f"its {_image(partner.weighting)} ({_name(partner)}) belongs to {other}"
        return Pairing(problem=problem)
    return Pairing(partner, flags=scale_flags(series, partner))


def differences(first: Series, second: Series) -> str:
    """Say why two images are not of one acquisition; empty where nothing is against it.

    What a header leaves out is not against it.
    """
    by_hand = [series.run.repeat == _BY_HAND for series in (first, second)]
    if all(by_hand):
        return ""
    if any(by_hand):
        return "paired by hand with another"
    found = []
    if first.frame_of_reference_uid != second.frame_of_reference_uid:
        found.append("another frame of reference")
    repetition = (first.acquisition.repetition_time_ms, second.acquisition.repetition_time_ms)
    echo = (first.acquisition.echo_time_ms, second.acquisition.echo_time_ms)
    if abs(repetition[0] - repetition[1]) > SAME_REPETITION * max(repetition):
        found.append(f"repetition time {repetition[1]:g} ms instead of {repetition[0]:g} ms")
    if abs(echo[0] - echo[1]) > SAME_ECHO_MS:
        found.append(f"echo time {echo[1]:g} ms instead of {echo[0]:g} ms")
    if first.run.repeat and second.run.repeat and first.run.repeat != second.run.repeat:
        found.append("another repeat")
    return ", ".join(found)


def on_one_grid(first: Series, second: Series) -> bool:
    """Whether every slice of the shorter series lies on the pixel grid of one of the longer."""
    short, long = sorted((first.slices, second.slices), key=len)
    return all(any(_are_co_registered(item, other) for other in long) for item in short)


def same_grids(first: Series, second: Series) -> bool:
    """Whether two series have the same slices on the same pixel grids, in the same order."""
    return shapes(first) == shapes(second) and all(
        _are_co_registered(ours, theirs)
        for ours, theirs in zip(first.slices, second.slices, strict=True)
    )


def _are_co_registered(first: Slice, second: Slice) -> bool:
    return first.shape == second.shape and first.plane.is_same(second.plane, first.shape)


def shapes(series: Series) -> list[tuple[int, int]]:
    """Return (rows, columns) of every slice."""
    return [item.shape for item in series.slices]


def _narrowed(series: Series, found: Sequence[Series]) -> list[Series]:
    """Keep those that share what is known of the run, the most telling first."""
    left = list(found)
    for place, ours in enumerate(_marks(series)):
        alike = [other for other in left if ours and _marks(other)[place : place + 1] == (ours,)]
        left = alike or left
    return left


def _marks(series: Series) -> tuple[str, ...]:
    # What was split off a series adds a suffix to its UID.
    return (series.uid.partition("#")[0], *series.run.marks)


def scale_flags(first: Series, second: Series) -> tuple[Flag, ...]:
    """Flag a pair whose signals may be on different scales."""
    # A scale that changes within a series cannot be compared slice by slice.
    alike = first.run.scale == second.run.scale and len(first.run.scale) <= 1
    return () if alike else (Flag.SCALE_UNVERIFIED,)


def paired_by_hand(fat: Series, water: Series, flags: Iterable[Flag] = ()) -> tuple[Series, Series]:
    """Make a pair of two series that somebody says are one; flags stand on both."""
    found = tuple(dict.fromkeys((*flags, *scale_flags(fat, water))))
    first, second = (
        replace(
            series,
            weighting=weighting,
            run=replace(series.run, repeat=_BY_HAND),
            flags=(*series.flags, *found),
        )
        for series, weighting in ((fat, Weighting.DIXON_FAT), (water, Weighting.DIXON_WATER))
    )
    return first, second


def on_grid_of(first: Series, second: Series) -> Series:
    """Return the second series with its slices, in order, on the first one's pixel grids."""
    moved = tuple(
        replace(theirs, plane=ours.plane)
        for ours, theirs in zip(first.slices, second.slices, strict=True)
    )
    return replace(second, slices=moved)


def describe_grid(series: Series) -> str:
    """Say how many slices a series has, how large they are, and where they lie."""
    item = series.slices[0]
    rows, columns = item.shape
    spacing = np.round(item.plane.pixel_spacing_mm, 5).tolist()
    return (
        f"{len(series.slices)} slices of {rows} x {columns}, pixels {spacing} mm, step "
        f"{series.stacks[0].slice_step_mm} mm, first pixel at LPS "
        f"{item.plane.origin_mm.round(2).tolist()} mm"
    )


def _image(weighting: Weighting) -> str:
    return "water image" if weighting is Weighting.DIXON_WATER else "fat image"


def _name(series: Series) -> str:
    return f"...{series.uid[-12:]}"


@dataclass(frozen=True, slots=True)
class DixonResult:
    """Signal fat fraction of a Dixon pair; percentages NaN where no pixel has F + W > 0.

    Parameters
    ----------
    mean_pct, ratio_pct
        100 x mean of F / (F + W), and 100 x sum of F / sum of (F + W).
    n_pixels
        Pixels with F + W > 0; others have no fat fraction and are left out, never taken for 0.
    weight, fat_sum, total_sum
        Their total weight, and the weighted sums of F and of F + W, from which outlines can be
        pooled.
    """

    mean_pct: float
    ratio_pct: float
    n_pixels: int
    weight: float
    fat_sum: float
    total_sum: float


def dixon_fat_fraction(fat: ArrayLike, water: ArrayLike, weights: ArrayLike) -> DixonResult:
    """Measure the Dixon signal fat fraction of one muscle.

    Negative pixels, which noise leaves behind in reconstructed images, are taken as they are: to
    clip them would bias the mean.

    Parameters
    ----------
    fat, water
        Fat and water signal, on one scale.
    weights
        How much of each pixel lies inside the muscle, 0 to 1; same shape.

    Examples
    --------
    >>> dixon_fat_fraction([1, 3, 0], [3, 1, 0], [1, 1, 1]).mean_pct
    50.0
    """
    f, w, share = (np.asarray(array, dtype=np.float64) for array in (fat, water, weights))
    total = f + w
    counts = (share > 0) & (total > 0)
    if not counts.any():
        return DixonResult(NAN, NAN, 0, 0.0, 0.0, 0.0)
    f, total, share = f[counts], total[counts], share[counts]
    weight, fat_sum, total_sum = float(share.sum()), dot(share, f), dot(share, total)
    mean = 100 * dot(share, f / total) / weight
    ratio = 100 * fat_sum / total_sum
    return DixonResult(mean, ratio, int(counts.sum()), weight, fat_sum, total_sum)
