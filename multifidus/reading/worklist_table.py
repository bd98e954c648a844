"""A worklist as a table, for people without a window and for scripts."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from multifidus.reading.schedule import ReadingPlan, methods
from multifidus.reading.worklist import Progress, ReadingState, Worklist, progress

_SECONDS_A_MINUTE = 60


@dataclass(frozen=True, slots=True)
class WorklistTable:
    """A worklist and how far it is.

    Attributes
    ----------
    headings, rows
        One row an entry; a blinded list has neither repeats nor entries that wait.
    progress
        How far the rater is.
    methods
        Sentences for a paper's Methods.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    progress: Progress
    methods: str

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "readings": [dict(zip(self.headings, row, strict=True)) for row in self.rows],
            "done": self.progress.done,
            "of": self.progress.of,
            "waiting": self.progress.waiting,
            "seconds_left": self.progress.seconds_left,
            "methods": self.methods,
        }


def worklist_table(worklist: Worklist, now: datetime.datetime) -> WorklistTable:
    """Return where the readings of a worklist stand.

    Raises
    ------
    MultifidusError
        If a log cannot be read, or the key does not know a code.
    """
    items, blinded = worklist.items(now), worklist.is_blinded
    shown = worklist.shown(items)
    rows: list[tuple[str, ...]] = []
    for item in shown:
        minutes = f"{item.seconds / _SECONDS_A_MINUTE:.1f}"
        if not blinded:
            day = (
                item.not_before.isoformat()
                if item.state is ReadingState.WAITING and item.not_before
                else ""
            )
            names = (item.by.subject, item.by.timepoint, str(item.by.reading))
            rows.append((*names, item.state.value, day, minutes))
        else:
            rows.append((item.by.subject, item.state.value, minutes))
    named = ("subject", "timepoint", "reading", "state", "not before", "minutes")
    truths = tuple(item.truth for item in items)
    repeats = ReadingPlan(worklist.listed.rater, 0, truths).repeats
    return WorklistTable(
        ("code", "state", "minutes") if blinded else named,
        tuple(rows),
        progress(shown),
        methods(blinded=blinded, repeats=repeats, apart_days=worklist.listed.apart_days),
    )
