"""Numbers as a caller hands them over: lists, arrays with a mask, columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.errors import MultifidusError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_NUMBERS = "biuf"


def plain_numbers(
    values: ArrayLike, what: str, error: type[MultifidusError], *, masked: float = float("nan")
) -> Array:
    """Copy values into a float64 array of their shape; what is masked or None is missing.

    Parameters
    ----------
    values
        Whatever numpy takes for an array of real numbers; words that look like numbers are none.
    what
        Names them in a message.
    masked
        What stands for a value that is masked.

    Raises
    ------
    MultifidusError
        ``error``, if they are not real numbers, or rows of different length.
    """
    remedy = "Give real numbers, in rows of one length; NaN where one is missing."
    # Of a list of masked arrays, numpy would forget the masks.
    members = values if isinstance(values, list | tuple) else (values,)
    has_mask = any(isinstance(member, np.ma.MaskedArray) for member in members)
    try:
        given = np.ma.array(values) if has_mask else np.asarray(values)
        if given.dtype.kind not in _NUMBERS and not _holds_numbers(given):
            msg = f"Not all of {what} are real numbers (they are {_kind(given)})."
            raise error(msg, remedy=remedy)
        found = given.astype(np.float64)
    except (TypeError, ValueError) as reason:
        if isinstance(reason, MultifidusError):
            raise
        msg = f"Not all of {what} are real numbers, or their rows differ in length."
        raise error(msg, remedy=remedy) from reason
    return np.asarray(np.ma.filled(found, masked) if has_mask else found)


def _holds_numbers(given: Any) -> bool:
    """Whether an array of objects holds real numbers, or None, alone."""
    return given.dtype.kind == "O" and not any(
        isinstance(item, str | bytes | complex | list | tuple) for item in given.flat
    )


def _kind(given: Any) -> str:
    kinds = {"U": "text", "S": "text", "T": "text", "c": "complex"}
    return kinds.get(given.dtype.kind, str(given.dtype))


def check_same_rows(first: Any, second: Any, error: type[MultifidusError]) -> None:
    """Refuse two columns of tables whose rows have different labels: pairs would be wrong.

    What has no labels, such as a list or an array, is taken in its own order.

    Raises
    ------
    MultifidusError
        ``error``, if both have an ``index`` as columns of pandas have, and these are not equal.
    """
    one, two = _labels(first), _labels(second)
    if one is None or two is None or one == two:
        return
    msg = "The rows of the two columns have different labels (index), so they are not paired."
    remedy = (
        "Give both the subjects as their index in one order (set_index, then reindex), or, where "
        "their order is the same already, pass plain arrays (to_numpy())."
    )
    raise error(msg, remedy=remedy)


def _labels(column: Any) -> list[Any] | None:
    index = getattr(column, "index", None)
    # A list has a method of this name.
    return None if index is None or callable(index) else list(index)
