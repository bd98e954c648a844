"""Errors of the library, said in the window instead of raised into nowhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from multifidus.errors import MultifidusError


class Complaining(Protocol):
    """Whatever has a signal ``complained``."""

    @property
    def warning(self) -> Any:
        """The signal."""


P = ParamSpec("P")
T = TypeVar("T")
Self = TypeVar("Self", bound=Complaining)


def told(act: Callable[Concatenate[Self, P], T]) -> Callable[Concatenate[Self, P], T | None]:
    """Let a method say what it could not do; it then returns None."""

    @wraps(act)
    def careful(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return act(self, *args, **kwargs)
        except MultifidusError as error:
            self.warning.emit(str(error))
            return None

    return careful
