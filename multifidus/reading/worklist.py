"""A rater's worklist: what is to be read, what is finished, what has to wait."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from multifidus.data.cohort import Case
from multifidus.data.roi import Reading
from multifidus.errors import CohortError, MultifidusError
from multifidus.io.outlines_json import SUFFIX, file_name, in_file_name
from multifidus.reading.audit_log import (
    Entry,
    Event,
    active_seconds,
    audit_path,
    done_at,
    entries,
    record,
)
from multifidus.reading.code_key import CodeKey
from multifidus.reading.schedule import ReadingList


class ReadingState(StrEnum):
    """Where a reading stands."""

    OPEN = "open"
    STARTED = "started"
    DONE = "done"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """One reading of a worklist.

    Attributes
    ----------
    by
        The reading as its files name it; where the list is blinded, a code stands for the subject.
    truth
        The reading itself; not to be shown where the list is blinded.
    case
        The exam's row; None where the cohort lists it no more.
    outlines
        The outline file; it need not exist.
    state
        Where the reading stands.
    not_before
        The day before which a waiting one is not offered; None while the one before is unfinished.
    seconds
        How long somebody worked on it.
    """

    by: Reading
    truth: Reading
    case: Case | None
    outlines: Path
    state: ReadingState
    not_before: datetime.date | None = None
    seconds: float = 0.0


FEWEST_FOR_ESTIMATE = 3
"""Finished readings from which it is said how long the others take."""

_SECONDS_A_MINUTE, _MINUTES_AN_HOUR = 60, 60


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rater is.

    Attributes
    ----------
    done, of, waiting
        Readings.
    seconds_left
        What the others will take, if each takes as long as the middle one of those that are done;
        None where too few are.
    """

    done: int
    of: int
    waiting: int
    seconds_left: float | None = None

    def __str__(self) -> str:
        later = f", {self.waiting} later" if self.waiting else ""
        return f"{self.done} of {self.of} done{later}{self._left}"

    @property
    def _left(self) -> str:
        if not self.seconds_left:
            return ""
        hours, minutes = divmod(
            max(round(self.seconds_left / _SECONDS_A_MINUTE), 1), _MINUTES_AN_HOUR
        )
        return f", about {f'{hours} h ' if hours else ''}{minutes} min left"


@dataclass(frozen=True, slots=True)
class Worklist:
    """A rater's readings and where they are kept.

    Parameters
    ----------
    root
        Folder of all raters' folders.
    listed
        The rater's list.
    cases
        Row of each exam, by subject and timepoint.
    named
        Outlines that the cohort table names.
    key
        What the codes stand for, where the list is blinded.
    notes
        What the person should know before beginning.
    """

    root: Path
    listed: ReadingList
    cases: Mapping[tuple[str, str], Case]
    named: Mapping[Reading, tuple[Path, ...]]
    key: CodeKey | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_blinded(self) -> bool:
        """Whether codes stand for subjects."""
        return self.listed.blinded

    @property
    def folder(self) -> Path:
        """Folder of the rater's own files."""
        return rater_folder(self.root, self.listed.rater)

    def outlines_of(self, by: Reading) -> Path:
        """Name the outline file of an entry."""
        return self.folder / file_name(by)

    def truth(self, by: Reading) -> Reading:
        """Return the reading that an entry stands for.

        Raises
        ------
        CohortError
            If the key does not know its code.
        """
        found = by if self.key is None else self.key.true(by)
        if found is None:
            msg = f"The key does not know the code {by.subject} of rater {by.rater}."
            raise CohortError(msg, remedy="Use the key that the list was made with.")
        return found

    def shown(self, items: Sequence[WorklistItem]) -> tuple[WorklistItem, ...]:
        """Return what the rater may know of: of a blinded list no repeat before its day.

        What waits is a repeat, and how many wait tells how many there are.
        """
        hidden = {ReadingState.WAITING} if self.is_blinded else set()
        return tuple(item for item in items if item.state not in hidden)

    def items(self, now: datetime.datetime) -> tuple[WorklistItem, ...]:
        """Return every reading and where it stands now, in the list's order.

        Raises
        ------
        MultifidusError
            If a log cannot be read, or the key does not know a code.
        """
        logs = {by: entries(audit_path(self.outlines_of(by))) for by in self.listed.entries}
        truths = {by: self.truth(by) for by in self.listed.entries}
        finished = {truths[by]: done_at(log) for by, log in logs.items()}
        return tuple(self._item(by, logs[by], finished, now) for by in self.listed.entries)

    def _item(
        self,
        by: Reading,
        log: Sequence[Entry],
        finished: Mapping[Reading, datetime.datetime | None],
        now: datetime.datetime,
    ) -> WorklistItem:
        outlines = self.outlines_of(by)
        truth = self.truth(by)
        state, not_before = ReadingState.OPEN, None
        if finished[truth] is not None:
            state = ReadingState.DONE
        elif outlines.exists():
            state = ReadingState.STARTED
        elif not any(entry.get("event") == Event.OFFERED for entry in log):
            not_before, must_wait = self._wait(truth, finished, now)
            state = ReadingState.WAITING if must_wait else ReadingState.OPEN
        case = self.cases.get((truth.subject, truth.timepoint))
        return WorklistItem(by, truth, case, outlines, state, not_before, active_seconds(log))

    def _wait(
        self,
        truth: Reading,
        finished: Mapping[Reading, datetime.datetime | None],
        now: datetime.datetime,
    ) -> tuple[datetime.date | None, bool]:
        """Return before which day a reading is not offered, and whether it has to wait now."""
        exam = truth.subject, truth.timepoint
        before = [
            moment
            for other, moment in finished.items()
            if (other.subject, other.timepoint) == exam and other.reading < truth.reading
        ]
        known = [moment for moment in before if moment is not None]
        if not before:
            return None, False
        if len(known) < len(before):
            return None, True
        # Days as the rater's calendar counts them.
        last = max(known).astimezone(now.tzinfo).date()
        day = last + datetime.timedelta(days=self.listed.apart_days)
        return day, now.date() < day

    # --- what a rater does ---------------------------------------------------------------------

    def note(self, by: Reading, event: Event, now: datetime.datetime, **facts: object) -> None:
        """Append to the log of a reading.

        Raises
        ------
        MultifidusError
            If it cannot be written, or the list has no such reading.
        """
        if by not in self.listed.entries:
            msg = f"{by} is not on the reading list of {self.listed.rater}."
            raise CohortError(msg)
        record(audit_path(self.outlines_of(by)), event, now, **facts)

    def unlock(self, by: Reading, reason: str, now: datetime.datetime) -> None:
        """Let a finished reading be changed again.

        Raises
        ------
        MultifidusError
            If no reason is given, or it cannot be recorded.
        """
        self.note(by, Event.UNLOCKED, now, reason=_given(reason))

    def offer(self, by: Reading, reason: str, now: datetime.datetime) -> None:
        """Offer a reading before its day.

        Raises
        ------
        MultifidusError
            If no reason is given, or it cannot be recorded.
        """
        self.note(by, Event.OFFERED, now, reason=_given(reason))

    def outlines_by(self, rater: str, truth: Reading) -> Path | None:
        """Find the outlines of another rater's first reading of an exam; None where there is none.

        The cohort table may name them, or they lie in that rater's folder, by name or by code.
        """
        other = replace(truth, rater=rater, reading=1)
        folder = rater_folder(self.root, rater)
        places = [path for path in self.named.get(other, ()) if path.name.endswith(SUFFIX)]
        places.append(folder / file_name(other))
        if self.key is not None and other in self.key.truth.values():
            places.append(folder / file_name(self.key.shown_as(other)))
        return next((path for path in places if path.exists()), None)


def rater_folder(root: Path, rater: str) -> Path:
    """Name the folder of a rater's files."""
    return root / in_file_name(rater)


def progress(items: Sequence[WorklistItem]) -> Progress:
    """Count what is done."""
    states = [item.state for item in items]
    return Progress(
        states.count(ReadingState.DONE),
        len(states),
        states.count(ReadingState.WAITING),
        _seconds_left(items),
    )


def _seconds_left(items: Sequence[WorklistItem]) -> float | None:
    """Estimate how long what is not done will take; the middle one minds no long pause."""
    took = [item.seconds for item in items if item.state is ReadingState.DONE and item.seconds]
    if len(took) < FEWEST_FOR_ESTIMATE:
        return None
    usual = statistics.median(took)
    return sum(
        max(usual - item.seconds, 0.0) for item in items if item.state is not ReadingState.DONE
    )


def next_item(items: Sequence[WorklistItem], after: Reading | None = None) -> WorklistItem | None:
    """Return the next reading to do: from ``after`` on, then from the top."""
    ready = [
        n for n, item in enumerate(items) if item.state in {ReadingState.OPEN, ReadingState.STARTED}
    ]
    place = next((n for n, item in enumerate(items) if item.by == after), -1)
    later = [n for n in ready if n > place]
    chosen = (later or [n for n in ready if items[n].by != after])[:1]
    return items[chosen[0]] if chosen else None


def _given(reason: str) -> str:
    if not reason.strip():
        msg = "No reason is given."
        raise MultifidusError(msg, remedy="Say why; it is recorded. Name no person.")
    return reason.strip()
