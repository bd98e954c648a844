"""Ctrl-C in a long run: the first lets what is running end, the second stops at once."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

from multifidus.cli.printing import say


@contextlib.contextmanager
def first_interrupt(message: str) -> Iterator[Callable[[], bool]]:
    """Take the first Ctrl-C as a wish; yields what says whether there was one.

    Parameters
    ----------
    message
        What to say then.
    """
    wished = False

    def take(_number: int, _frame: Any) -> None:
        nonlocal wished
        if wished:
            raise KeyboardInterrupt
        wished = True
        say(message)

    before = signal.signal(signal.SIGINT, take)
    try:
        yield lambda: wished
    finally:
        signal.signal(signal.SIGINT, before)
