"""What makes a reading unmeasurable, or a side doubtful: in words, where it is, what mends it.

It follows from a state, so that it is shown for as long as it is true, and no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Side
from multifidus.data.slice_number import slice_number
from multifidus.errors import LevelError, MultifidusError, RoiError
from multifidus.measuring.midline import IMAGE_MM, WrongSide
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    from multifidus.data.image import Series
    from napari_multifidus.models.drawing import DrawingState, StructureOnSlice


NOTHING_MEASURED = "Nothing is measured until this is mended."


class Mending(StrEnum):
    """What a button beside an obstacle does."""

    SWAP_SIDES = "Swap sides"
    MARK_LEVELS = "Mark levels"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that is wrong with a reading as a whole.

    Attributes
    ----------
    words
        What is wrong, where, and what to do.
    is_refusal
        Whether nothing can be measured until it is mended; else one outline is doubtful.
    is_raters
        Whether the rater can mend it: it lies in what was drawn or entered.
    mending
        The button that mends it; None where no button can.
    places
        The outlines that it is about.
    """

    words: str
    is_refusal: bool = True
    is_raters: bool = True
    mending: Mending | None = None
    places: tuple[StructureOnSlice, ...] = ()


def refused(
    error: MultifidusError,
    drawing: DrawingState,
    across: Sequence[WrongSide],
    *,
    series: Series,
    levels_are_shared: bool,
) -> Obstacle:
    """Explain why a reading cannot be measured.

    Parameters
    ----------
    error
        What measuring it raised.
    drawing, across
        What is drawn; the outlines that lie across the midline.
    series
        The series that is outlined.
    levels_are_shared
        Whether the rater cannot change landmarks and levels.
    """
    swapped = swapped_pairs(drawing)
    if swapped:
        where = _listed(swapped, lambda key: key.structure.replace("_", " "))
        words = f"Left and right are swapped: {where}. {NOTHING_MEASURED}"
        return Obstacle(words, mending=Mending.SWAP_SIDES, places=swapped)
    if isinstance(error, LevelError):
        own = not levels_are_shared
        return Obstacle(str(error), is_raters=own, mending=Mending.MARK_LEVELS if own else None)
    if isinstance(error, RoiError):
        sure = tuple(item for item in across if item.is_refused)
        return _of_sides(sure, series, is_refusal=True) if sure else Obstacle(str(error))
    return Obstacle(str(error), is_raters=False)


def doubtful_side(across: Sequence[WrongSide], series: Series) -> Obstacle | None:
    """Say that an outline lies on the wrong side, where more than the image's middle says so.

    Patients lie as far from the middle of an image as that: a flag, no reason to disturb.
    """
    sure = tuple(item for item in across if item.midline.margin_mm != IMAGE_MM)
    return _of_sides(sure, series, is_refusal=False) if sure else None


def swapped_pairs(drawing: DrawingState) -> tuple[StructureOnSlice, ...]:
    """List the pairs whose left side lies on the patient's right of the other; by left keys."""
    found = []
    for key, index in drawing.in_slice_order():
        right = key.opposite
        if key.side is not Side.LEFT or right is None:
            continue
        sides = [drawing.outlines.get((one, index)) for one in (key, right)]
        if all(sides):
            x_left, x_right = (rois[0].centroid_mm[0] for rois in sides if rois)
            if x_left <= x_right:
                found.append((key, index))
    return tuple(found)


def _of_sides(across: Sequence[WrongSide], series: Series, *, is_refusal: bool) -> Obstacle:
    places = tuple(
        (LayerKey.of(item.placed.roi), item.placed.index)
        for item in across
        if item.placed.series.uid == series.uid
    )
    far = max(item.across_mm for item in across)
    first = across[0]
    other = "left" if first.placed.roi.key.side is Side.RIGHT else "right"
    where = _listed(places, lambda key: key.words) or "an outline on another series"
    words = (
        f"On the wrong side: {where} lies on the patient's {other}, up to {far:.0f} mm across the "
        f"midline that {first.midline.source} give."
    )
    if is_refusal:
        words += f" {NOTHING_MEASURED}"
    return Obstacle(
        words, is_refusal, mending=Mending.SWAP_SIDES if places else None, places=places
    )


def _listed(places: Iterable[StructureOnSlice], name: Callable[[LayerKey], str]) -> str:
    """Name structures, each with its slices."""
    slices: dict[str, list[str]] = {}
    for key, index in places:
        slices.setdefault(name(key), []).append(str(slice_number(index)))
    return "; ".join(
        f"{what} on slice{'s' if len(found) > 1 else ''} {', '.join(found)}"
        for what, found in slices.items()
    )
