"""Where any of many words stands in a text or in bytes, in one pass."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Word = TypeVar("Word", str, bytes)
Meaning = TypeVar("Meaning", bound=Hashable)

_SIZES = (6, 4, 2, 1)
"""So many of the first characters of a word are looked up: as many as it has.

Four digits stand in every table, so that looking them up would exclude nothing."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_BITS = 22


class Positions(Generic[Word, Meaning]):
    """Words, each with what it means, made ready to be found together.

    Parameters
    ----------
    words
        The words and their meanings.
    """

    def __init__(self, words: Iterable[tuple[Word, Meaning]]) -> None:
        by_size: dict[int, list[tuple[Word, Meaning]]] = {}
        for word, meaning in words:
            if word:
                size = next(size for size in _SIZES if len(word) >= size)
                by_size.setdefault(size, []).append((word, meaning))
        self._words: dict[int, dict[int, list[tuple[Word, Meaning]]]] = {}
        for size, of_size in by_size.items():
            found = self._words[size] = {}
            first = np.array([_codes(word[:size]) for word, _ in of_size], np.uint32).ravel()
            keys = _numbers(first, size)[::size].tolist()
            for key, one in zip(keys, of_size, strict=True):
                found.setdefault(key, []).append(one)
        self._may_be = {size: _table(found) for size, found in self._words.items()}

    def in_(self, text: Word) -> Iterator[tuple[int, Word, Meaning]]:
        """Yield where a word begins in a text, the word and its meaning."""
        codes = _codes(text)
        for size, words in self._words.items():
            if len(codes) < size:
                continue
            numbers = _numbers(codes, size)
            places = np.flatnonzero(self._may_be[size][numbers >> np.uint64(64 - _BITS)])
            for place, number in zip(places.tolist(), numbers[places].tolist(), strict=True):
                for word, meaning in words.get(number, ()):
                    if text.startswith(word, place):
                        yield place, word, meaning


def _codes(text: str | bytes) -> NDArray[np.uint32] | NDArray[np.uint8]:
    if isinstance(text, bytes):
        return np.frombuffer(text, np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _numbers(codes: NDArray[np.uint32] | NDArray[np.uint8], size: int) -> NDArray[np.uint64]:
    """Return a number of every so many characters that follow on each other."""
    length = len(codes) - size + 1
    found = np.zeros(length, np.uint64)
    for start in range(size):
        found *= _FACTOR
        found += codes[start : start + length] + np.uint64(1)
    return found * _FACTOR


def _table(keys: Iterable[int]) -> NDArray[np.bool_]:
    table = np.zeros(1 << _BITS, bool)
    table[[key >> (64 - _BITS) for key in keys]] = True
    return table
