"""Which series of an exam are the fat and the water image, where its headers and names do not say.

Somebody says it; it is checked, and never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.geometry import Orientation
from multifidus.data.image import Exam, Series, Weighting
from multifidus.errors import GeometryError
from multifidus.measuring.dixon_pairs import (
    NOT_PLAIN,
    describe_grid,
    differences,
    paired_by_hand,
    same_grids,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TISSUE_SHARE = 0.1
"""Where fat and water together are below this share of their brightest, there is no tissue."""

OF_ONE_KIND = 0.02
"""Less fat, or less water, than this share of the tissue has no image of a body."""

ALIKE = 0.4
"""Two images that differ by less than a half in so much of the tissue are no pair.

In lumbar and thigh Dixon images less than a tenth of it has a fat fraction between 40 and 60 %. An
opposed-phase image and a water image are alike in all muscle, and so are in and opposed phase.
"""

SAMPLED_SLICES = 8

_BOTH = {Weighting.DIXON_FAT, Weighting.DIXON_WATER}


@dataclass(frozen=True, slots=True)
class DixonRoles:
    """The series that somebody says are a Dixon pair, by their UIDs."""

    fat: str
    water: str


def possible_roles(exam: Exam) -> tuple[Series, ...]:
    """Return the axial series that may be given as fat or water: those with another on their grid.

    A series whose header or name says that it is something else is none of them.
    """
    axial = [
        series
        for series in exam.series
        if series.orientation is Orientation.AXIAL and series.weighting not in NOT_PLAIN - _BOTH
    ]
    return tuple(
        series
        for series in axial
        if any(other is not series and same_grids(series, other) for other in axial)
    )


def with_roles(exam: Exam, roles: DixonRoles) -> Exam:
    """Return an exam with two of its series as the Dixon pair that somebody says they are.

    Raises
    ------
    GeometryError
        If they are one series, not of one acquisition, not on one grid, or cannot be a pair by
        what they show.
    """
    found = {series.uid: series for series in exam.series}
    for name, uid in (("fat", roles.fat), ("water", roles.water)):
        if uid not in found:
            msg = f"The series chosen as the {name} image is not in this exam."
            raise GeometryError(msg, remedy="Choose fat and water again.")
    fat, water = found[roles.fat], found[roles.water]
    check_pair(fat, water)
    chosen = {series.uid: series for series in paired_by_hand(fat, water)}
    series = tuple(chosen.get(item.uid, item) for item in exam.series)
    return replace(exam, series=series)


def check_pair(fat: Series, water: Series) -> None:
    """Refuse two series that cannot be the fat and the water image of one acquisition.

    Raises
    ------
    GeometryError
        As of :func:`with_roles`.
    """
    if fat.uid == water.uid:
        msg = "Fat and water are one and the same series."
        raise GeometryError(msg, remedy="Choose two series.")
    for series, wanted in ((fat, Weighting.DIXON_FAT), (water, Weighting.DIXON_WATER)):
        if series.weighting in NOT_PLAIN - {wanted}:
            said = series.weighting.replace("_", " ")
            msg = f"A series is given as {wanted.replace('_', ' ')}; its header says {said}."
            raise GeometryError(msg, remedy="Check which series is fat and which is water.")
    apart = differences(fat, water)
    if apart:
        msg = f"Fat and water are not of one acquisition: {apart}."
        remedy = "Choose two of one acquisition; multifidus measure --fat --water pairs any two."
        raise GeometryError(msg, remedy=remedy)
    if not same_grids(fat, water):
        msg = (
            f"Fat and water lie on different grids. Fat: {describe_grid(fat)}. "
            f"Water: {describe_grid(water)}."
        )
        raise GeometryError(msg, remedy="Choose two series of one acquisition.")
    implausible = _implausible(fat, water)
    if implausible:
        msg = f"These are no fat and water image: {implausible}."
        remedy = "Fat is bright in the fat image and dark in the water image; muscle the reverse."
        raise GeometryError(msg, remedy=remedy)


def _implausible(fat: Series, water: Series) -> str:
    """Say why two images can be no pair by what they show; empty where they can."""
    share = _fat_share(fat, water)
    if not share.size:
        return "there is no signal in them"
    rather_fat, rather_water = float((share > 0.6).mean()), float((share < 0.4).mean())  # noqa: PLR2004 - beyond a half by a tenth
    if 1 - rather_fat - rather_water > ALIKE:
        return (
            f"they are alike in {100 * (1 - rather_fat - rather_water):.0f} % of the tissue, as "
            "an in-phase, opposed-phase or water image beside another"
        )
    for part, of in ((rather_fat, "fat"), (rather_water, "water")):
        if part < OF_ONE_KIND:
            return f"only {100 * part:.1f} % of the tissue would be mostly {of}"
    return ""


def _fat_share(fat: Series, water: Series) -> Array:
    """Return F / (F + W) of the tissue, of some slices."""
    step = max(1, len(fat.slices) // SAMPLED_SLICES)
    pairs = [
        (ours.pixels[::2, ::2].ravel(), theirs.pixels[::2, ::2].ravel())
        for ours, theirs in list(zip(fat.slices, water.slices, strict=True))[::step]
    ]
    f, w = (np.abs(np.concatenate(part)) for part in zip(*pairs, strict=True))
    total = f + w
    known = np.isfinite(total) & (total > 0)
    f, total = f[known], total[known]
    if not total.size:
        return np.empty(0)
    tissue = total > TISSUE_SHARE * np.percentile(total, 99)
    return np.asarray(f[tissue] / total[tissue])
