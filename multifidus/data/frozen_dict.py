"""A dictionary that nobody changes: it can be hashed, pickled, and shared instead of copied."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class FrozenDict(dict[Key, Value]):
    """A dictionary whose entries cannot be changed.

    Examples
    --------
    >>> used = FrozenDict(threshold=420.0)
    >>> used["threshold"], dict(used)
    (420.0, {'threshold': 420.0})
    >>> used["threshold"] = 400.0
    Traceback (most recent call last):
    TypeError: This dictionary cannot be changed; make a new one: dict(...).
    """

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        # Of the keys alone: a value may be one that is not equal to itself, which is NaN.
        return hash(frozenset(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def __copy__(self) -> FrozenDict[Key, Value]:
        return self

    def __deepcopy__(self, memo: object) -> FrozenDict[Key, Value]:
        # What it holds are numbers and texts.
        return self

    def copy(self) -> dict[Key, Value]:
        """Return a dictionary of the same entries that can be changed."""
        return dict(self)

    def _refused(self, *_: object, **__: object) -> NoReturn:
        msg = "This dictionary cannot be changed; make a new one: dict(...)."
        raise TypeError(msg)

    __setitem__ = __delitem__ = __ior__ = _refused
    clear = pop = popitem = setdefault = update = _refused


NOTHING: FrozenDict[Any, Any] = FrozenDict()
"""One without entries."""
