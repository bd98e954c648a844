"""Changes of a drawing: each returns the next one, or the same where nothing would change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition
from multifidus.data.image import Slice
from multifidus.data.roi import Reading, Roi, RoiKey, Source
from multifidus.data.roi_set import Grade, NotMeasurable, SliceLevel
from multifidus.errors import RoiError
from napari_multifidus.models.drawing import DrawingState, Unfinished
from napari_multifidus.models.half_drawn import HalfDrawn
from napari_multifidus.models.shapes import LayerKey, problem_of, same_loops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_multifidus.models.drawing import StructureOnSlice

    Array = NDArray[np.float64]

BEGINS_AS_DRAFT = frozenset({Source.DRAFT, Source.INTERPOLATED})
"""Sources of outlines that nobody drew."""

_STAYS_A_DRAFT = {*BEGINS_AS_DRAFT, Source.DRAFT_EDITED}

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class NewOutlines:
    """How outlines that are drawn now are marked: whose, by which rule, from where.

    Attributes
    ----------
    replaces_draft
        Whether an edited draft gets this source as well.
    """

    reading: Reading
    roi_rule: RoiRule = RoiRule.UNKNOWN
    source: Source = Source.MANUAL
    replaces_draft: bool = False


def make_outline(
    key: LayerKey,
    image: Slice,
    loops: Sequence[Array],
    marks: NewOutlines,
    *,
    before: Roi | None = None,
    name: str = "",
) -> Roi:
    """Make an outline of paths in pixels; it takes over all else of what it was before.

    Raises
    ------
    RoiError
        If they are no outline.
    """
    paths = tuple(image.plane.to_patient(loop) for loop in loops)
    if before is not None:
        is_edited_draft = before.source in _STAYS_A_DRAFT and not marks.replaces_draft
        source = Source.DRAFT_EDITED if is_edited_draft else marks.source
        return replace(before, paths_mm=paths, plane=image.plane, shape=image.shape, source=source)
    return Roi(
        key=RoiKey(marks.reading, image.uid, key.structure, key.side, name),
        paths_mm=paths,
        plane=image.plane,
        shape=image.shape,
        roi_rule=marks.roi_rule,
        source=marks.source,
    )


def put(
    drawing: DrawingState,
    where: StructureOnSlice,
    image: Slice,
    loops: Sequence[Array],
    *,
    marks: NewOutlines,
) -> DrawingState:
    """Take over what is drawn of a structure on a slice.

    Parameters
    ----------
    drawing, where, image
        The state, the structure and the index of the slice, and the slice itself.
    loops
        Its paths now, each (n, 2): row, column.
    marks
        Of outlines that are new or change.
    """
    if same_loops(loops, drawing.loops(*where)):
        return drawing
    unfinished = drawing.unfinished.get(where)
    before = unfinished.before if unfinished else drawing.outlines.get(where, ())
    outlines, rest = _without(drawing.outlines, where), _without(drawing.unfinished, where)
    origins = drawing.origins
    if loops:
        try:
            outlines[where] = _outlines(where[0], image, loops, before, marks=marks)
        except RoiError as error:
            rest[where] = Unfinished(tuple(loops), problem_of(loops) or error.message, before)
    if marks.source in BEGINS_AS_DRAFT and loops:
        origins = {**origins, where: tuple(loops)}
    elif not loops:
        origins = _without(origins, where)
    return replace(drawing, outlines=outlines, unfinished=rest, origins=origins)


def _outlines(
    key: LayerKey,
    image: Slice,
    loops: Sequence[Array],
    before: Sequence[Roi],
    *,
    marks: NewOutlines,
) -> tuple[Roi, ...]:
    """Make outlines of paths; those before are asked for name, rule and level."""
    if not key.holds_samples:
        _refuse_problem(loops)
        first = before[0] if before else None
        return (make_outline(key, image, loops, marks, before=first, name=key.name),)
    made: list[Roi] = []
    for name, found, paths in _named_samples(loops, before):
        _refuse_problem(paths)
        if found is not None and same_loops(paths, found.paths):
            made.append(found)
        else:
            made.append(make_outline(key, image, paths, marks, before=found, name=name))
    return tuple(made)


def _named_samples(
    loops: Sequence[Array], before: Sequence[Roi]
) -> Iterator[tuple[str, Roi | None, list[Array]]]:
    """Give each sample its name, the outline it was before, and its paths.

    Samples that did not move keep their names whatever happened to the others; where none came or
    went, those that moved keep theirs as well.
    """
    paths = [path for roi in before for path in roi.paths]
    rest = list(loops)
    if len(paths) == len(rest):
        for roi in before:
            yield roi.key.name, roi, rest[: len(roi.paths_mm)]
            rest = rest[len(roi.paths_mm) :]
        return
    taken: set[str] = set()
    kept: list[tuple[Roi, list[Array]]] = []
    for roi in before:
        found = _take(rest, roi.paths)
        if found is not None:
            rest = found
            kept.append((roi, roi.paths))
            taken.add(roi.key.name)
    for roi, own in kept:
        yield roi.key.name, roi, own
    number = 0
    for loop in rest:
        number += 1
        while str(number) in taken:
            number += 1
        yield str(number), None, [loop]


def _take(loops: Sequence[Array], wanted: Iterable[Array]) -> list[Array] | None:
    """Remove paths from a list; None if one is not there."""
    left = list(loops)
    for path in wanted:
        place_of = next((i for i, loop in enumerate(left) if same_loops([loop], [path])), None)
        if place_of is None:
            return None
        del left[place_of]
    return left


def _refuse_problem(loops: Sequence[Array]) -> None:
    problem = problem_of(loops)
    if problem:
        raise RoiError(problem)


def _without(items: Mapping[Key, Value], key: Key) -> dict[Key, Value]:
    return {other: value for other, value in items.items() if other != key}


def with_origin(
    drawing: DrawingState, where: StructureOnSlice, loops: Sequence[Array]
) -> DrawingState:
    """Say as what draft an outline began; outlines that never were drafts have none."""
    if not any(roi.source in _STAYS_A_DRAFT for roi in drawing.outlines.get(where, ())):
        return drawing
    return replace(drawing, origins={**drawing.origins, where: tuple(loops)})


def with_half_drawn(
    drawing: DrawingState, where: StructureOnSlice, half: HalfDrawn | None
) -> DrawingState:
    """Keep an outline that waits to be closed; None where none does."""
    if half is None and where not in drawing.half_drawn:
        return drawing
    rest = _without(drawing.half_drawn, where)
    return replace(drawing, half_drawn=rest if half is None else {**rest, where: half})


def with_sides_swapped(drawing: DrawingState, where: StructureOnSlice) -> DrawingState:
    """Call what is drawn of one side of a structure on a slice the other side, and the reverse."""
    key, index = where
    other = key.opposite
    if other is None:
        return drawing
    pair = (key, index), (other, index)
    outlines = {
        place: tuple(_of_side(roi, place[0].side) for roi in rois) if place in pair else rois
        for place, rois in _exchanged(drawing.outlines, pair).items()
    }
    unfinished = {
        place: replace(held, before=tuple(_of_side(roi, place[0].side) for roi in held.before))
        if place in pair
        else held
        for place, held in _exchanged(drawing.unfinished, pair).items()
    }
    return replace(
        drawing,
        outlines=outlines,
        unfinished=unfinished,
        origins=_exchanged(drawing.origins, pair),
        half_drawn=_exchanged(drawing.half_drawn, pair),
    )


def _exchanged(items: Mapping[Key, Value], pair: tuple[Key, Key]) -> dict[Key, Value]:
    """Give what two keys hold to each other."""
    first, second = pair
    to = {first: second, second: first}
    return {to.get(key, key): value for key, value in items.items()}


def _of_side(roi: Roi, side: Side) -> Roi:
    return replace(roi, key=replace(roi.key, side=side))


def with_level(
    drawing: DrawingState, index: int, slice_uid: str, typed: tuple[Level | None, SlicePosition]
) -> DrawingState:
    """Type the level of a slice, for all its outlines; None takes it back."""
    # Outlines that found this slice by its plane may name it differently.
    level, position = typed
    uids = {slice_uid, *(roi.key.slice_uid for roi in drawing.on_slice(index))}
    levels = {uid: typed for uid, typed in drawing.levels.items() if uid not in uids}
    if level is not None:
        levels |= {uid: SliceLevel(uid, level, position) for uid in sorted(uids)}
    outlines = {
        where: tuple(replace(r, level=None, slice_position=SlicePosition.UNKNOWN) for r in rois)
        if where[1] == index
        else rois
        for where, rois in drawing.outlines.items()
    }
    return replace(drawing, outlines=outlines, levels=levels)


def with_not_measurable(
    drawing: DrawingState, before: NotMeasurable | None, now: NotMeasurable | None
) -> DrawingState:
    """Replace one note that a structure is not measurable; None where there is none."""
    rest = tuple(found for found in drawing.not_measurable if found is not before)
    wanted = rest if now is None else (*rest, now)
    if wanted == drawing.not_measurable:
        return drawing
    return replace(drawing, not_measurable=wanted)


def with_grade(
    drawing: DrawingState, where: tuple[str, Level, Side], value: int | None
) -> DrawingState:
    """Grade by a scheme the multifidus of a level and side; None takes the grade back."""
    if drawing.own_grades.get(where) == value:
        return drawing
    others = tuple(
        grade
        for grade in drawing.grades
        if grade.reading not in {None, drawing.reading}
        or (grade.scheme, grade.level, grade.side) != where
    )
    new = () if value is None else (Grade(*where, value),)
    return replace(drawing, grades=(*others, *new))
