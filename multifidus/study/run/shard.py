"""A share of a cohort: runs that measure one share each may go on at the same time, anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from multifidus.errors import CohortError
from multifidus.io.files import write_text
from multifidus.study.results_folder import LOG, SHARDS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several shares of a cohort, which are as large as each other.

    Parameters
    ----------
    number
        Which one: 1 is the first.
    of
        How many there are.

    Raises
    ------
    CohortError
        If there is no such share.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            msg = f"There is no shard {self}."
            raise CohortError(msg, remedy="Shards of N are 1/N to N/N.")

    @classmethod
    def from_text(cls, text: str) -> Shard:
        """Read one as it is written: ``3/8`` is the third of eight.

        Raises
        ------
        CohortError
            If the text is none.
        """
        found = re.fullmatch(r"\s*([0-9]+)\s*/\s*([0-9]+)\s*", text)
        if found is None:
            msg = f"{text!r} is no shard."
            raise CohortError(msg, remedy="Write --shard 3/8 for the third of eight.")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.number}/{self.of}"

    @property
    def name(self) -> str:
        """By which its files are called."""
        return f"{self.number}-of-{self.of}"

    def part_of(self, cases: Sequence[T]) -> tuple[T, ...]:
        """Return its cases: every ``of``-th of the table, so that all shards agree."""
        return tuple(cases[self.number - 1 :: self.of])

    def lock(self, folder: Path) -> Path:
        """Return the file that one run of this shard holds."""
        return folder / SHARDS / f"{self.name}.lock"

    def log(self, folder: Path) -> Path:
        """Return its log: lines that several machines add to one file may be lost."""
        return folder / LOG if self.of == 1 else folder / SHARDS / f"{self.name}.log.jsonl"


WHOLE = Shard(1, 1)
"""A run of all cases."""


def write_shard(shard: Shard, folder: Path, facts: Mapping[str, Any]) -> None:
    """Write how a shard was run."""
    text = json.dumps({"shard": shard.number, "of": shard.of, **facts}, indent=1) + "\n"
    write_text(folder / SHARDS / f"{shard.name}.json", text, overwrite=True)


def shards_in(folder: Path) -> list[dict[str, Any]]:
    """Return how the shards of a folder were run; a file that cannot be read says nothing."""
    found = []
    for path in sorted((folder / SHARDS).glob("*-of-*.json")):
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return sorted(found, key=lambda facts: (facts["of"], facts["shard"]))
