"""Copy, mirror, interpolate, smooth and move outlines; none of these draws over what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multifidus.data.roi import Roi, Source
from multifidus.data.roi_set import RoiSet
from multifidus.data.slice_number import slice_words
from multifidus.editing.interpolate import interpolate
from multifidus.editing.mend import crossings, mended
from multifidus.editing.mirror import mirror_line, mirrored
from multifidus.editing.reshape import shifted, smoothed
from multifidus.errors import RoiError
from multifidus.io.outlines import read_rois
from multifidus.measuring.locate import place
from napari_multifidus.models.drawing_edits import with_sides_swapped
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from napari_multifidus.models.drawing import StructureOnSlice
    from napari_multifidus.models.session import Session

    Array = NDArray[np.float64]


def put_layer(
    session: Session,
    key: LayerKey,
    shown: Mapping[int, Sequence[Array]],
    kept: Collection[int] = (),
) -> bool:
    """Take over all that a layer shows of a structure, by slice; returns whether it changed.

    Slices to be kept stay as they are.
    """
    slices = sorted({*shown, *session.drawing.slices_of(key)} - set(kept))
    return any([session.put(key, index, shown.get(index, ())) for index in slices])  # noqa: C419


def copy_from_nearest(session: Session, key: LayerKey, index: int) -> bool:
    """Copy a structure from the nearest slice that has it; returns whether that changed anything.

    Raises
    ------
    RoiError
        If it is drawn here already, or nowhere.
    """
    _refuse_if_drawn(session, key, index)
    start = session.drawing.nearest_drawn(key, index)
    if start is None:
        msg = f"No other slice has an outline of {key.words}."
        raise RoiError(msg, remedy="Draw one first.")
    return session.put(key, index, session.drawing.loops(key, start), Source.DRAFT)


def copy_on(session: Session, key: LayerKey, index: int) -> int:
    """Copy a structure to the next slice; returns that slice.

    Raises
    ------
    RoiError
        If there is none here, no next slice, or one there already.
    """
    following = index + 1
    if not session.drawing.loops(key, index):
        msg = f"There is no outline of {key.words} on this slice to copy."
        raise RoiError(msg, remedy="Draw it first.")
    if following >= len(session.series.slices):
        msg = "This is the last slice."
        raise RoiError(msg)
    _refuse_if_drawn(session, key, following)
    session.put(key, following, session.drawing.loops(key, index), Source.DRAFT)
    return following


def mirror(session: Session, key: LayerKey, index: int) -> tuple[LayerKey, str]:
    """Mirror the side that is drawn to the side that is not; returns that side, and what was done.

    Raises
    ------
    MultifidusError
        If the structure has no sides, both are drawn or neither, or the slice shows one side.
    """
    other = key.opposite
    if other is None:
        msg = f"The {key.words} has no other side."
        raise RoiError(msg, remedy="Choose a muscle first.")
    start, end = (key, other) if session.drawing.loops(key, index) else (other, key)
    if not session.drawing.loops(start, index):
        msg = f"There is no outline of {key.words} or {other.words} on this slice to mirror."
        raise RoiError(msg, remedy="Draw one side first.")
    _refuse_if_drawn(session, end, index)
    image = session.series.slices[index]
    line = mirror_line(image.plane, image.shape, session.rois())
    session.put(
        end, index, mirrored(session.drawing.loops(start, index), image.plane, line), Source.DRAFT
    )
    return end, f"Mirrored across the midline found by {line.words}."


def swap_sides(session: Session, places: Iterable[StructureOnSlice]) -> tuple[LayerKey, ...]:
    """Exchange the sides of structures on their slices; returns the structures that changed.

    A structure drawn on one side alone becomes that of the other side.
    """
    drawing, changed = session.drawing, []
    for key, index in places:
        drawing = with_sides_swapped(drawing, (key, index))
        changed += [key, key.opposite]
    session.change(drawing)
    return tuple(dict.fromkeys(key for key in changed if key is not None))


def interpolate_here(session: Session, key: LayerKey, index: int) -> tuple[int, int]:
    """Interpolate a structure between the nearest slices that have it; returns these two.

    Raises
    ------
    MultifidusError
        If it is drawn here, not drawn on either side, or the slices are not parallel.
    """
    _refuse_if_drawn(session, key, index)
    slices = session.drawing.slices_of(key)
    before = max((i for i in slices if i < index), default=None)
    after = min((i for i in slices if i > index), default=None)
    if before is None or after is None:
        msg = f"{key.words} is drawn on one side of this slice at most."
        raise RoiError(msg, remedy="Draw it on a slice before and a slice after this one.")
    first, second = (_one(session, key, place_of) for place_of in (before, after))
    loops = interpolate(first, second, session.series.slices[index].plane)
    session.put(key, index, loops, Source.INTERPOLATED)
    return before, after


def _one(session: Session, key: LayerKey, index: int) -> Roi:
    rois = session.drawing.outlines.get((key, index), ())
    if len(rois) == 1:
        return rois[0]
    problem = session.drawing.problem(key, index) or f"is {len(rois)} samples"
    msg = f"{key.words} on {slice_words(index)} {problem}; nothing can be interpolated from it."
    raise RoiError(msg, remedy="Correct it, or copy an outline instead.")


def smooth(session: Session, key: LayerKey, index: int) -> bool:
    """Smooth a structure's border; what it encloses stays as large.

    Raises
    ------
    RoiError
        If there is none, or it is too small.
    """
    spacing = session.series.slices[index].plane.pixel_spacing_mm
    return session.put(key, index, smoothed(_drawn(session, key, index), spacing))


def mend(session: Session, key: LayerKey, index: int) -> str:
    """Mend a structure that crosses itself; returns in words what was lost by it.

    Raises
    ------
    RoiError
        If it does not cross itself, or cannot be mended.
    """
    loops = session.drawing.loops(key, index)
    if not session.drawing.problem(key, index) or not len(crossings(loops)):
        msg = f"{key.words} on {slice_words(index)} does not cross itself."
        raise RoiError(msg, remedy="There is nothing to mend.")
    groups = [[loop] for loop in loops] if key.holds_samples else [loops]
    done = [mended(group) for group in groups]
    pixel_mm2 = session.series.slices[index].plane.pixel_area_mm2
    lost = sum(part.lost for part in done) * pixel_mm2
    gained = sum(part.gained for part in done) * pixel_mm2
    session.put(key, index, [path for part in done for path in part.paths])
    return (
        f"Mended {key.words}: {lost:.1f} mm² beyond the crossings are lost, "
        f"{gained:.1f} mm² are filled."
    )


def nudge(session: Session, key: LayerKey, index: int, by: ArrayLike) -> bool:
    """Move a structure by (rows, columns).

    Raises
    ------
    RoiError
        If there is none.
    """
    return session.put(key, index, shifted(_drawn(session, key, index), by))


def _drawn(session: Session, key: LayerKey, index: int) -> Sequence[Array]:
    loops = session.drawing.loops(key, index)
    if not loops:
        msg = f"There is no outline of {key.words} on this slice."
        raise RoiError(msg, remedy="Draw it first, or choose another structure.")
    return loops


def _refuse_if_drawn(session: Session, key: LayerKey, index: int) -> None:
    if session.drawing.loops(key, index):
        msg = f"There is an outline of {key.words} on {slice_words(index)} already."
        raise RoiError(msg, remedy="Delete it first to replace it.")


@dataclass(frozen=True, slots=True)
class DraftsTaken:
    """What came of a file of drafts.

    Attributes
    ----------
    taken
        Outlines that are drafts now.
    drawn
        Outlines left out because something is drawn there.
    elsewhere
        Outlines left out because they lie on another series.
    """

    taken: int
    drawn: int = 0
    elsewhere: int = 0

    @property
    def words(self) -> str:
        """Say it to the person."""
        left_out = [
            f"{count} {why}"
            for count, why in (
                (self.drawn, "where something is drawn already"),
                (self.elsewhere, "on another series"),
            )
            if count
        ]
        done = f"Imported {self.taken} drafts; each is flagged until it is edited."
        return f"{done} Left out: {', '.join(left_out)}." if left_out else done


def take_drafts(session: Session, path: Path, labels: str | None = None) -> DraftsTaken:
    """Take the outlines of a file, or of a label map, as drafts where nothing is drawn.

    Parameters
    ----------
    session
        Where they go.
    path
        An outline file or a label map of the exam.
    labels
        For a label map: a preset's name, or a file that says what its numbers mean.

    Raises
    ------
    MultifidusError
        If the file cannot be read, or fits another exam.
    """
    found: dict[tuple[LayerKey, int], list[Roi]] = {}
    elsewhere = 0
    for placed in place(_drawn_here(session, path, labels), session.exam):
        if placed.series.uid != session.series.uid:
            elsewhere += 1
        else:
            found.setdefault((LayerKey.of(placed.roi), placed.index), []).append(placed.roi)
    free = {where: rois for where, rois in found.items() if not session.drawing.loops(*where)}
    for (key, index), rois in free.items():
        plane = session.series.slices[index].plane
        loops = [plane.to_pixels(path_mm) for roi in rois for path_mm in roi.paths_mm]
        session.put(key, index, loops, Source.DRAFT)
    taken, all_here = (sum(map(len, drawn.values())) for drawn in (free, found))
    return DraftsTaken(taken, all_here - taken, elsewhere)


def _drawn_here(session: Session, path: Path, labels: str | None) -> RoiSet:
    """Read outlines; what several series fit belongs to the one that is being outlined."""
    try:
        return read_rois(path, session.exam, labels=labels, series=session.series.uid)
    except RoiError:
        # It may lie on another series alone, where it is counted.
        return read_rois(path, session.exam, labels=labels)
