"""Names of persons as they may be written in a path: in other letters, joined, without accents.

How many letters of a name a path holds by chance depends on the script: four Latin letters are
few, two Chinese ones are a whole name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

LETTERS_AT_LEAST = 4
"""Shorter parts of names and identifiers in letters stand in paths by chance."""

DIGITS_AT_LEAST = 6
"""So do shorter numbers, as those that count images do."""

SIGNS_AT_LEAST = 2
"""So does a single sign of the scripts in which one is a word or a syllable, unless it stands
alone as a word of the path."""

_BETWEEN = re.compile(r"[\^=,;.\s_\-/\\]+")

_FROM_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}

_SIGNS = (
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xAC00, 0xD7AF),  # Hangul
    (0xF900, 0xFAFF),  # Han, for compatibility
    (0x20000, 0x323AF),  # Han, rare
)
"""Scripts in which one sign is a word or a syllable."""

_ACCENTS = ((0x0300, 0x036F), (0x0591, 0x05C7), (0x064B, 0x065F), (0x0670, 0x0670))
"""Marks that people leave out; those of kana, Thai and Indic scripts are letters."""

_WRITTEN_OUT = {
    "ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "æ": "ae", "œ": "oe", "å": "aa", "ß": "ss",
    "þ": "th", "ð": "d", "đ": "d", "ł": "l", "\u0131": "i",
}  # fmt: skip
"""Letters that are written as two where a keyboard lacks them, or have no accent to lose."""

_SHORT = {"ae": "a", "oe": "o", "ue": "u", "aa": "a"}

_DOUBLES = re.compile("|".join(_SHORT))


def finds_name(name: str, text: str) -> bool:
    """Whether a person's name, or a part of it that is no chance, stands in a text.

    Parameters
    ----------
    name
        As DICOM writes it: parts between ``^``, ways of writing between ``=``.
    text
        A path.
    """
    parts = _parts(name)
    return (
        any(_finds_part(part, text) for part in parts if _tells(part))
        or any(_finds_pair(group, text) for group in name.split("="))
        or any(len(part) == 1 and _is_signs(part) and part in _words(text) for part in parts)
    )


def finds_id(identifier: str, text: str) -> bool:
    """Whether an identifier, or a part of it that is no chance, stands in a text."""
    return any(_finds_part(part, text) for part in _parts(identifier) if _tells(part))


def _parts(name: str) -> list[str]:
    # Composed, so that a syllable of Hangul counts as one sign.
    return [part for part in _BETWEEN.split(unicodedata.normalize("NFKC", name)) if part]


def _tells(part: str) -> bool:
    """Whether a part is long enough to stand in a path for a reason."""
    if part.isdigit():
        return len(part) >= DIGITS_AT_LEAST
    return len(part) >= (SIGNS_AT_LEAST if _is_signs(part) else LETTERS_AT_LEAST)


def _is_signs(part: str) -> bool:
    return all(any(low <= ord(sign) <= high for low, high in _SIGNS) for sign in part)


def _finds_part(part: str, text: str) -> bool:
    found = set(_forms(text))
    wanted = {form for form in _forms(part) if _tells(form)}
    return any(form in whole for form in wanted for whole in found)


def _finds_pair(group: str, text: str) -> bool:
    """Whether family and given name, each too short to count alone, follow on each other.

    They are looked for as words of their own, joined or apart, in either order: ``Li_Na``, but
    not the beginning of ``linac``.
    """
    parts = _parts(group)
    if len(parts) < 2 or all(len(part) == 1 and part.isascii() for part in parts[:2]):  # noqa: PLR2004
        return False
    first, last = parts[0], parts[1]
    wanted = {
        (one, other)
        for pair in ((first, last), (last, first))
        for one, other in zip(*(_forms(part) for part in pair), strict=True)
    }
    for form in _forms(text):
        words = _words(form)
        following = set(pairwise(words))
        joined = {one + other for one, other in wanted}
        if following & wanted or joined & set(words):
            return True
    return False


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", text))


def _forms(text: str) -> Iterator[str]:
    """Write a text without case and accents: bare, with letters written out, and shortened."""
    composed = unicodedata.normalize("NFKC", text).translate(_FROM_KATAKANA).casefold()
    yield _bare(composed)
    # casefold has made ss of ß already.
    out = _bare("".join(_WRITTEN_OUT.get(letter, letter) for letter in composed))
    yield out
    yield _DOUBLES.sub(lambda found: _SHORT[found[0]], out)


def _bare(text: str) -> str:
    """Return a text without accents."""
    apart = unicodedata.normalize("NFD", text)
    kept = (mark for mark in apart if not any(low <= ord(mark) <= high for low, high in _ACCENTS))
    return unicodedata.normalize("NFC", "".join(kept))
