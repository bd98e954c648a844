"""The fat and the water image of an exam as a person chose them: a fact of a reading.

It is kept in the journal beside the outlines, and measured as a pair that is given by hand is.
"""

from __future__ import annotations

from dataclasses import replace

from multifidus.measuring.dixon_roles import DixonRoles, with_roles
from napari_multifidus.models.opening import OpenedExam

IN_LIST = (
    "Not in a reading list: its exams are measured with the fat and water images that their "
    "headers and names tell."
)
NOT_USED = f"The Dixon pair that was chosen for this reading is not used. {IN_LIST}"


def with_chosen_roles(opened: OpenedExam, roles: DixonRoles | None) -> OpenedExam:
    """Return an exam with the pair that was chosen; as it was read, if None.

    Raises
    ------
    GeometryError
        If the two series cannot be a pair.
    """
    if roles == opened.roles:
        return opened
    plain = opened.as_read or opened.exam
    exam = plain if roles is None else with_roles(plain, roles)
    series = next(item for item in exam.series if item.uid == opened.series.uid)
    return replace(opened, exam=exam, series=series, contrast=None, as_read=plain, roles=roles)
