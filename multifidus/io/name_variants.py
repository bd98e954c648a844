"""Names of persons as they may be written in a path: in other letters, joined, without accents.

How many letters of a name a path holds by chance depends on the script: four Latin letters are
few, two Chinese ones are a whole name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

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

_ACCENTS = re.compile("[\\u0300-\\u036f\\u0591-\\u05c7\\u064b-\\u065f\\u0670]")
"""Marks that people leave out; those of kana, Thai and Indic scripts are letters."""

_WRITTEN_OUT = {
    "ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "æ": "ae", "œ": "oe", "å": "aa", "ß": "ss",
    "þ": "th", "ð": "d", "đ": "d", "ł": "l", "\u0131": "i",
}  # fmt: skip
"""Letters that are written as two where a keyboard lacks them, or have no accent to lose."""

_SHORT = {"ae": "a", "oe": "o", "ue": "u", "aa": "a"}

_DOUBLES = re.compile("|".join(_SHORT))


class Text:
    """A text, written in all forms once, in which many names are looked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words_of: dict[str, list[str]] = {}

    @cached_property
    def forms(self) -> frozenset[str]:
        """The text without case and accents, in each way."""
        return forms_of(self._text)

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Whether a pattern stands in the text as it is written."""
        return pattern.search(self._text) is not None

    @property
    def words(self) -> list[str]:
        """Its words as they are written."""
        return self.words_of(self._text)

    def words_of(self, form: str) -> list[str]:
        """Return the words of one of its forms."""
        if form not in self._words_of:
            self._words_of[form] = _words(form)
        return self._words_of[form]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a name or an identifier tells a person, in every way of writing it.

    Attributes
    ----------
    parts
        Each of which is enough, anywhere in a text.
    pairs
        Words that have to follow on each other, joined or apart: ``Li_Na``, but not the beginning
        of ``linac``.
    signs
        Single signs that have to stand alone as a word.
    """

    parts: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()
    signs: frozenset[str] = frozenset()

    @classmethod
    def name(cls, name: str) -> Self:
        """Look for a person's name as DICOM writes it, ``^`` and ``=`` between its parts."""
        parts = _parts(name)
        pairs = (pair for group in name.split("=") for pair in _pairs(group))
        signs = (part for part in parts if len(part) == 1 and _is_signs(part))
        return cls(_told(parts), frozenset(pairs), frozenset(signs))

    @classmethod
    def identifier(cls, identifier: str) -> Self:
        """Look for an identifier, or a part of it that is no chance."""
        return cls(_told(_parts(identifier)))

    def is_in(self, text: Text) -> bool:
        """Whether it stands in a text."""
        return (
            any(part in form for part in self.parts for form in text.forms)
            or (bool(self.pairs) and self._has_pair(text))
            or (bool(self.signs) and not self.signs.isdisjoint(text.words))
        )

    def _has_pair(self, text: Text) -> bool:
        joined = {one + other for one, other in self.pairs}
        return any(
            not self.pairs.isdisjoint(pairwise(words)) or not joined.isdisjoint(words)
            for words in map(text.words_of, text.forms)
        )


def forms_of(text: str) -> frozenset[str]:
    """Return a text without case and accents, with letters written out, and shortened."""
    return frozenset(_forms(text))


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


def _told(parts: list[str]) -> frozenset[str]:
    forms = (form for part in parts if _tells(part) for form in _forms(part))
    return frozenset(form for form in forms if _tells(form))


def _pairs(group: str) -> Iterator[tuple[str, str]]:
    """Yield family and given name, each too short to count alone, in either order."""
    parts = _parts(group)
    if len(parts) < 2 or all(len(part) == 1 and part.isascii() for part in parts[:2]):  # noqa: PLR2004
        return
    first, last = parts[0], parts[1]
    if _tells(first) or _tells(last):
        return
    for pair in ((first, last), (last, first)):
        yield from zip(*(_forms(part) for part in pair), strict=True)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", text))


def _forms(text: str) -> Iterator[str]:
    """Write a text without case and accents: bare, with letters written out, and shortened."""
    if text.isascii():
        composed = text.lower()
    else:
        composed = unicodedata.normalize("NFKC", text).translate(_FROM_KATAKANA).casefold()
    if composed.isascii():
        yield from (composed, composed)
        yield _DOUBLES.sub(lambda found: _SHORT[found[0]], composed)
        return
    yield _bare(composed)
    # casefold has made ss of ß already.
    out = _bare("".join(_WRITTEN_OUT.get(letter, letter) for letter in composed))
    yield out
    yield _DOUBLES.sub(lambda found: _SHORT[found[0]], out)


def _bare(text: str) -> str:
    """Return a text without accents."""
    if text.isascii():
        return text
    apart = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", apart)
