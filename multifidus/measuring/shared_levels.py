"""Levels that are set once and shared by raters: locked, so that raters measure the same slices."""

from __future__ import annotations

from dataclasses import replace

from multifidus.data.flags import Flag
from multifidus.data.image import Exam
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.errors import LevelError
from multifidus.measuring.locate import PlacedOutline, place
from multifidus.spine.resolve import LevelResolver


def with_shared_levels(rois: RoiSet, shared: RoiSet, exam: Exam) -> RoiSet:
    """Give a rater's outlines the levels that are shared by all raters.

    Where levels are typed in ``shared``, its slices are locked as well: muscles are outlined on
    them and on no others. Elsewhere its landmarks say the level.

    Parameters
    ----------
    rois
        One reading; what it says itself about levels may not contradict ``shared``.
    shared
        Landmarks, typed levels, or both.
    exam
        That both belong to.

    Raises
    ------
    LevelError
        If ``shared`` says nothing about levels, or the rater has other landmarks, another level
        for a slice, or a muscle on a slice that is not locked.
    RoiError
        If an outline fits no slice.
    """
    if not shared.landmarks and not shared.levels:
        msg = "There are neither landmarks nor levels to share."
        raise LevelError(msg, remedy="Mark the discs, or type the levels, before raters begin.")
    for mark in rois.landmarks:
        if mark not in shared.landmarks:
            msg = f"A landmark {mark.kind} of {mark.level} is set that is not among the shared."
            raise LevelError(msg, remedy="Delete it; where landmarks are shared, raters set none.")
    locked = {said.slice_uid: said for said in shared.levels}
    for said in rois.levels:
        if said.slice_uid in locked and locked[said.slice_uid].level is not said.level:
            raise _conflict(said.slice_uid, said.level, locked[said.slice_uid].level)
    resolver = LevelResolver.of(exam, shared, MeasurementProtocol())
    settled = []
    for placed in place(rois, exam):
        found = locked.get(placed.slice.uid)
        _check(placed, rois, resolver, found)
        if locked and found is None and placed.roi.key.structure.is_muscle:
            msg = f"The outline of {placed.roi.key} lies on a slice that is not locked for raters."
            raise LevelError(msg, remedy="Delete it, or add its slice to the shared levels.")
        roi = placed.roi
        if found is not None:
            roi = replace(roi, level=found.level, slice_position=found.slice_position)
        settled.append(roi)
    rest = tuple(said for said in rois.levels if said.slice_uid not in locked)
    return replace(
        rois, rois=tuple(settled), landmarks=shared.landmarks, levels=(*shared.levels, *rest)
    )


def _check(
    placed: PlacedOutline, rois: RoiSet, resolver: LevelResolver, found: SliceLevel | None
) -> None:
    """Refuse a rater's level that is not the shared one."""
    level, position = rois.level_of(placed.roi)
    if level is None:
        return
    if found is not None:
        if level is not found.level:
            raise _conflict(placed.slice.uid, level, found.level)
        return
    flags = resolver.resolve(placed.series, placed.index, level, position).flags
    if Flag.LEVEL_CONFLICT in flags:
        by_marks = resolver.resolve(placed.series, placed.index).level
        raise _conflict(placed.slice.uid, level, by_marks)


def _conflict(uid: str, ours: object, shared: object) -> LevelError:
    msg = f"Slice {uid} is {ours} by the rater and {shared or 'beyond the landmarks'} by what is "
    return LevelError(f"{msg}shared.", remedy="Correct one; where levels are shared, they agree.")
