"""The number by which people know a slice, in the window, in messages, captions and text tables."""

from __future__ import annotations

__all__ = ["slice_number", "slice_words"]


def slice_number(index: int) -> int:
    """Return the number of a slice as it is shown: its place in its series, counted from 1.

    Files that scripts read keep ``slice_index``, which counts from 0.

    Examples
    --------
    >>> slice_number(0)
    1
    """
    return index + 1


def slice_words(index: int) -> str:
    """Name a slice by its number.

    Examples
    --------
    >>> slice_words(4)
    'slice 5'
    """
    return f"slice {slice_number(index)}"
