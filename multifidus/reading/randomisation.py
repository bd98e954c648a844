"""Random numbers that are the same on every computer and in every version: hashes of words."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator

LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"
"""Of codes: no vowels, so that they spell nothing, and none that is taken for another."""

CODE_LENGTH = 6
"""27^6 codes: nothing about an exam can be read from one."""

_BITS = 64


def draw(seed: int, *words: object) -> float:
    """Draw a number from 0 to 1 for some words, whatever else is drawn before or after.

    Examples
    --------
    >>> draw(1, "AB", "S01") == draw(1, "AB", "S01")
    True
    """
    return _number(seed, *words) / float(2**_BITS)


def code(seed: int, words: tuple[object, ...], taken: Collection[str]) -> str:
    """Draw a code for some words that is none of those taken.

    Examples
    --------
    >>> len(code(1, ("AB", "S01", "pre", 1), ()))
    6
    """
    return next(found for found in _codes(seed, words) if found not in taken)


def _codes(seed: int, words: tuple[object, ...]) -> Iterator[str]:
    secret = [str(word).upper() for word in words if len(str(word)) > 1]
    attempt = 0
    while True:
        number = _number(seed, "code", attempt, *words)
        letters = []
        for _ in range(CODE_LENGTH):
            number, place = divmod(number, len(LETTERS))
            letters.append(LETTERS[place])
        found = "".join(letters)
        # A code that by chance spells what it hides would tell it.
        if not any(word in found for word in secret):
            yield found
        attempt += 1


def _number(seed: int, *words: object) -> int:
    # Lengths part the words, so that "a", "bc" is not "ab", "c".
    text = "".join(f"{len(str(word))}:{word}" for word in (seed, *words))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[: _BITS // 8], "big")
