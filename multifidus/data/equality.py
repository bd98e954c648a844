"""Values that are equal where all they hold is, a number that is not known (NaN) included."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

Class = TypeVar("Class")


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; NaN is the same as NaN, within mappings and sequences too.

    Examples
    --------
    >>> is_same((1, float("nan")), (1, float("nan")))
    True
    """
    if one is other or bool(one == other):
        return True
    if isinstance(one, float) and isinstance(other, float):
        return math.isnan(one) and math.isnan(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if _is_list(one) and _is_list(other):
        return len(one) == len(other) and all(map(is_same, one, other))
    return False


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def equal_by_fields(cls: type[Class]) -> type[Class]:
    """Make instances of a dataclass equal where each field is the same, NaN included.

    What dataclasses generate is never equal where a field is NaN, or is so by chance: while both
    hold one and the same object, which a copy from another process does not.
    """
    values = attrgetter(*(one.name for one in fields(cls) if one.compare))  # type: ignore[arg-type]

    def equal(self: Class, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or is_same(values(self), values(other))

    cls.__eq__ = equal  # type: ignore[method-assign,assignment]
    return cls
