"""The edge where errors of the library become words in the window: keys, buttons and timers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from multifidus.errors import MultifidusError


@contextmanager
def reported(warning: Any) -> Iterator[None]:
    """Emit what goes wrong inside by a signal, instead of raising it into the event loop."""
    try:
        yield
    except MultifidusError as error:
        warning.emit(str(error))


def reporting(warning: Any, act: Callable[..., object]) -> Callable[..., None]:
    """Return what does the same for a signal, and reports errors by another."""

    def slot(*args: Any) -> None:
        with reported(warning):
            act(*args)

    return slot
