"""The log of a run: lines of JSON, one an event, added at once and kept over all runs of a folder.

It names cases as the tables do, and files as the cohort table does.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class RunLog:
    """Where events go."""

    path: Path

    def add(self, event: str, facts: Mapping[str, Any]) -> None:
        """Add an event with what is known of it."""
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": time, "event": event, **facts}) + "\n")
