"""Which slice of an exam an outline belongs to: by UID, else by the plane it was drawn in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from multifidus.errors import RoiError
from multifidus.image import Exam, Series, Slice, Weighting
from multifidus.roi import Roi


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """An outline and the slice it lies on.

    Attributes
    ----------
    index
        0-based place of the slice in its series.
    """

    roi: Roi
    series: Series
    index: int

    @property
    def slice(self) -> Slice:
        """The slice it lies on."""
        return self.series.slices[self.index]


def place(rois: Iterable[Roi], exam: Exam) -> tuple[Placed, ...]:
    """Find the slice of every outline.

    A slice of the outline's UID must lie where the outline's plane says. Where no slice has the
    UID, as after de-identification, the one on the same pixel grid is taken; of a Dixon pair, the
    fat image.

    Raises
    ------
    RoiError
        If no slice fits, the UID's slice lies elsewhere, or several fit.
    """
    by_uid = {
        item.uid: (series, index)
        for series in exam.series
        for index, item in enumerate(series.slices)
    }
    return tuple(Placed(roi, *_find(roi, exam, by_uid)) for roi in rois)


def _find(roi: Roi, exam: Exam, by_uid: dict[str, tuple[Series, int]]) -> tuple[Series, int]:
    found = by_uid.get(roi.key.slice_uid)
    if found is not None:
        item = found[0].slices[found[1]]
        if item.shape != roi.shape or not item.plane.is_same(roi.plane, roi.shape):
            msg = (
                f"The outline of {roi.key} was drawn on another pixel grid than its slice has: "
                f"outline {roi.shape} at {roi.plane.numbers}, slice {item.shape} at "
                f"{item.plane.numbers}."
            )
            raise RoiError(msg, remedy="Load the images that it was drawn on.")
        return found
    fitting = exam.find_slices(roi.plane, roi.shape)
    if len(fitting) > 1:
        fitting = [pair for pair in fitting if pair[0].weighting is Weighting.DIXON_FAT] or fitting
    if len(fitting) != 1:
        why = "no slice" if not fitting else f"{len(fitting)} slices"
        msg = f"The outline of {roi.key} fits {why} of exam {exam.subject} {exam.timepoint}."
        remedy = "Load the images that it was drawn on, and only these; 'multifidus inspect' says "
        raise RoiError(msg, remedy=f"{remedy}which files cannot be read.")
    return fitting[0]
