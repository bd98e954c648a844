"""Cases of a run measured one after another in this process, as its processes would measure them.

A process takes a second or two to get ready, which most tests have nothing to learn from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from multifidus.data.cohort import Case
from multifidus.study.run import pool, spare
from multifidus.study.run.cases import finish_case
from multifidus.study.run.last_exam import LastExam
from multifidus.study.run.pool import Pool

if TYPE_CHECKING:
    import pytest


def measure_here(patch: pytest.MonkeyPatch) -> None:
    """Let runs measure in this process until the patch is taken back."""
    patch.setattr(pool.Pool, "finish", finish_here)
    patch.setattr(spare, "spare_process", lambda _memory: contextlib.nullcontext())


def finish_here(made: Pool, cases: Iterable[Case]) -> Iterator[tuple[Case, Path]]:
    """Finish cases as the processes of a pool do."""
    last = LastExam()
    for case in cases:
        if made.stopping():
            return
        yield case, finish_case(case, made.how, last)
