"""What happened to a reading and when: one JSON object a line, only ever appended.

The log stands beside the outline file under the same name. It holds no name of a subject: moments,
what was edited on which slice, how long. Whether a reading is finished is read from it.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from multifidus.errors import MultifidusError
from multifidus.io.files import reading
from multifidus.io.outlines_json import beside

AUDIT_SUFFIX = ".audit.jsonl"


class Event(StrEnum):
    """What can happen to a reading."""

    OPENED = "opened"
    SAVED = "saved"
    GRADED = "graded"
    DONE = "done"
    UNLOCKED = "unlocked"
    OFFERED = "offered"
    CLOSED = "closed"
    LANDMARK_JOINED = "landmark_joined"


Entry = Mapping[str, Any]

OutlinePlace = tuple[str, str, int]
"""Structure, side and number of the slice, from 1 on, of an outline."""

_DECIDES = {Event.DONE, Event.UNLOCKED, Event.OFFERED}
"""Events on which it depends what may be done; these are on the disk before anything goes on."""

IDLE_S = 60.0
"""A hand that rests longer than this is not at work."""


def audit_path(outlines: Path) -> Path:
    """Name the log of an outline file."""
    return beside(outlines, AUDIT_SUFFIX)


def record(path: Path, event: Event, now: datetime.datetime, **facts: object) -> None:
    """Append one line.

    Raises
    ------
    MultifidusError
        If it cannot be written.
    """
    entry = {"time": now.astimezone(datetime.UTC).isoformat(timespec="milliseconds")}
    line = json.dumps({**entry, "event": event.value, **facts}) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write of a whole line: two programs that append do not mix theirs.
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o666)
        try:
            os.write(handle, (_ending(handle) + line).encode())
            if event in _DECIDES:
                os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        msg = f"Cannot write {path}: {error.strerror or error}."
        raise MultifidusError(msg, remedy="Choose a folder that can be written.") from error


def _ending(handle: int) -> str:
    """Return a newline where the file ends in half a line, as after a loss of power."""
    size = os.fstat(handle).st_size
    if not size:
        return ""
    os.lseek(handle, size - 1, os.SEEK_SET)
    return "" if os.read(handle, 1) == b"\n" else "\n"


def entries(path: Path) -> tuple[Entry, ...]:
    """Read a log; half a line, as a loss of power leaves, is passed over.

    Raises
    ------
    ReadError
        If it is there and cannot be read.
    """
    if not path.exists():
        return ()
    with reading(path, "an audit log"):
        text = path.read_text(encoding="utf-8", errors="replace")
    return tuple(entry for line in text.splitlines() if (entry := _entry(line)) is not None)


def _entry(line: str) -> Entry | None:
    try:
        found = json.loads(line)
        datetime.datetime.fromisoformat(found["time"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def moment(entry: Entry) -> datetime.datetime:
    """Return when something happened."""
    found = datetime.datetime.fromisoformat(entry["time"])
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def done_at(log: Sequence[Entry]) -> datetime.datetime | None:
    """Return when a reading was finished; None where it is not, or was unlocked since."""
    last = [entry for entry in log if entry.get("event") in {Event.DONE, Event.UNLOCKED}][-1:]
    return moment(last[0]) if last and last[0]["event"] == Event.DONE else None


def saved_at(log: Sequence[Entry]) -> datetime.datetime | None:
    """Return when a reading was saved last; None where nothing was."""
    saved = [moment(entry) for entry in log if entry.get("event") in {Event.SAVED, Event.DONE}]
    return max(saved, default=None)


def is_locked(outlines: Path) -> bool:
    """Whether the reading in an outline file is finished, and may only be looked at.

    Raises
    ------
    ReadError
        If its log cannot be read.
    """
    return done_at(entries(audit_path(outlines))) is not None


def active_seconds(log: Sequence[Entry]) -> float:
    """Add up how long somebody worked on a reading."""
    found = (entry.get("seconds_active") for entry in log)
    return float(sum(value for value in found if isinstance(value, int | float)))


def outline_seconds(log: Sequence[Entry]) -> dict[OutlinePlace, float]:
    """Add up how long each outline was in the hand.

    What was edited when logs did not tell yet is not in it.
    """
    found: dict[OutlinePlace, float] = {}
    for item in (item for entry in log for item in entry.get("edited", ())):
        if isinstance(item.get("seconds"), int | float):
            place = str(item["structure"]), str(item["side"]), int(item["slice"])
            found[place] = found.get(place, 0.0) + float(item["seconds"])
    return found


class Activity:
    """Counts the seconds in which somebody worked: pauses over ``IDLE_S`` do not count."""

    def __init__(self) -> None:
        self.start(0.0)

    def start(self, now: float) -> None:
        """Begin at a moment, given in seconds of any clock that only goes forward."""
        self._last, self._seconds = now, 0.0
        self._in_hand: OutlinePlace | None = None
        self._of_outlines: dict[OutlinePlace, float] = {}

    def touch(self, now: float) -> None:
        """Note that the person does something."""
        pause = now - self._last
        if pause <= IDLE_S:
            self._seconds += pause
            if self._in_hand is not None:
                before = self._of_outlines.get(self._in_hand, 0.0)
                self._of_outlines[self._in_hand] = before + pause
        self._last = now

    def turn_to(self, now: float, outline: OutlinePlace | None) -> None:
        """Note that the person does something, and which outline is in the hand from now on."""
        self.touch(now)
        self._in_hand = outline

    def take_of(self, outline: OutlinePlace, now: float) -> float:
        """Return the seconds on an outline since the last time they were taken, to a tenth."""
        self.touch(now)
        return round(self._of_outlines.pop(outline, 0.0), 1)

    def take(self, now: float) -> float:
        """Return the seconds since the last time they were taken, to a tenth."""
        self.touch(now)
        seconds, self._seconds = self._seconds, 0.0
        return round(seconds, 1)
