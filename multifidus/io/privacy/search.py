"""Looks for known identifiers, and for what looks like one, in texts and in bytes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from multifidus.io.name_variants import DIGITS_AT_LEAST, Text, Wanted, forms_of
from multifidus.io.privacy.known import DATES, PERSONS, Kind, Known, written_dates

if TYPE_CHECKING:
    from numpy.typing import NDArray

LETTERS_ANYWHERE = 6
"""Parts of names of so many letters are looked for within words as well, shorter ones as words."""

SHORTEST = 4
"""Texts of fewer characters, other than names, stand anywhere by chance."""

CHUNK, OVERLAP = 1 << 18, 256
"""Long texts are searched piece by piece; the pieces overlap by the longest identifier."""

HEADER = 1 << 16
"""Bytes at the beginning of a binary file that are read as text as well."""

ENCODINGS = (
    "utf-8", "utf-16-le", "utf-16-be", "latin-1", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256",
    "iso8859-5", "iso8859-7", "iso8859-8", "koi8-r", "tis-620", "gb18030", "euc-kr", "shift-jis",
    "euc-jp", "iso2022-jp",
)  # fmt: skip
"""How programs write names into bytes: those of DICOM's character sets, and of Windows."""

BYTES_AT_LEAST = 4
"""Fewer bytes stand in compressed data by chance."""

LOOKS_LIKE = {
    "path of a home folder": re.compile(
        r"(?:/home/|/Users/(?!Shared\b)|\b[A-Za-z]:[\\/]{1,2}(?:Users|Documents and Settings)"
        r"[\\/]{1,2}(?!Public\b))[^/\\\s\"'<>]+"
    ),
    "e-mail address": re.compile(r"\b[\w.+-]{2,}@[\w-]+\.[a-z]{2,}\b", re.IGNORECASE),
    "name in DICOM's writing": re.compile(r"\b[^\W\d_]{2,}\^[^\W\d_]{2,}\b"),
    "named field that identifies a person": re.compile(
        r"\b(?:Patient(?:s?Name|ID|BirthDate|Address|TelephoneNumbers)|AccessionNumber|"
        r"ReferringPhysicianName|OperatorsName|InstitutionName)\b[\"']?\s*[:=]\s*[\"']?"
        r"(?!null\b|None\b)[^\s\"',;}\]]"
    ),
}
"""What looks like an identifier whoever it is of."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An identifier that was found.

    Attributes
    ----------
    what
        What it is.
    text
        As it is known or as it stands there. Not to be printed unasked.
    """

    what: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class _Matcher:
    """How to find one identifier: ``keys`` are beginnings of which a text that has it holds one.

    Without keys every text is searched.
    """

    known: Known
    is_in: Callable[[Text], bool]
    keys: frozenset[str] = frozenset()


class Search:
    """Known identifiers, made ready to be looked for.

    Parameters
    ----------
    known
        What must not be found.
    """

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._known = sorted(set(known), key=lambda one: (one.kind.value, one.text))

    @cached_property
    def _matchers(self) -> list[_Matcher]:
        return [matcher for one in self._known for matcher in _matchers(one)]

    @cached_property
    def _needles(self) -> list[tuple[Known, bytes]]:
        return [(one, needle) for one in self._known for needle in _needles(one)]

    @cached_property
    def _beginnings(self) -> NDArray[np.uint32]:
        return np.array([_number_of(needle) for _, needle in self._needles], dtype=np.uint32)

    def in_text(self, text: str) -> Iterator[Hit]:
        """Yield what stands in a text, each once; what looks like an identifier as well."""
        seen: dict[Hit, None] = {}
        for start in range(0, max(len(text), 1), CHUNK):
            piece = text[start : start + CHUNK + OVERLAP]
            seen |= dict.fromkeys(self._known_in(piece))
            for what, pattern in LOOKS_LIKE.items():
                seen |= {Hit(what, found[0]): None for found in pattern.finditer(piece)}
        yield from seen

    def _known_in(self, piece: str) -> Iterator[Hit]:
        searched = Text(piece)
        beginnings = _beginnings(searched) if self._matchers else frozenset()
        for matcher in self._matchers:
            may_be = not matcher.keys or not matcher.keys.isdisjoint(beginnings)
            if may_be and matcher.is_in(searched):
                yield Hit(matcher.known.kind.value, matcher.known.text)

    def in_bytes(self, data: bytes) -> Iterator[Hit]:
        """Yield the known identifiers that stand in bytes, in any of the usual encodings."""
        if len(data) < BYTES_AT_LEAST or not self._needles:
            return
        # Headers hold text between numbers.
        seen = dict.fromkeys(self._known_in(data[:HEADER].decode("utf-8", "replace")))
        for start in range(0, len(data), CHUNK):
            piece = data[start : start + CHUNK + OVERLAP]
            for place in np.flatnonzero(np.isin(self._beginnings, _numbers(piece))):
                known, needle = self._needles[place]
                if _stands_alone(needle, piece):
                    seen[Hit(known.kind.value, known.text)] = None
        yield from seen


def _beginnings(text: Text) -> frozenset[str]:
    """Return every four characters that follow on each other in a text."""
    return frozenset(
        form[start : start + SHORTEST] for form in text.forms for start in range(len(form))
    )


def _number_of(four: bytes) -> int:
    return int.from_bytes(four[:BYTES_AT_LEAST], "little")


def _numbers(data: bytes) -> NDArray[np.uint32]:
    """Return every four bytes that follow on each other, as numbers."""
    parts = [
        np.frombuffer(data, dtype="<u4", offset=start, count=(len(data) - start) // 4)
        for start in range(min(4, len(data) - 3))
    ]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.uint32)


def _keys(words: Iterable[str]) -> frozenset[str]:
    found = frozenset(word[:SHORTEST] for word in words)
    return found if all(len(word) == SHORTEST for word in found) else frozenset()


def _matchers(known: Known) -> Iterator[_Matcher]:
    text = known.text
    if known.kind in DATES or (known.kind is Kind.LISTED and re.fullmatch(r"\d{8}", text)):
        pattern = _any_of(written_dates(text))
        yield _Matcher(known, lambda searched: searched.matches(pattern), _keys([text]))
        return
    if known.kind in PERSONS or known.kind is Kind.LISTED:
        yield from _of_name(known)
    if known.kind not in PERSONS:
        yield from _of_number(known)


def _of_name(known: Known) -> Iterator[_Matcher]:
    wanted = Wanted.name(known.text)
    anywhere = frozenset(p for p in wanted.parts if len(p) >= LETTERS_ANYWHERE or not p.isascii())
    if anywhere:
        yield _Matcher(known, Wanted(anywhere).is_in, _keys(anywhere))
    if wanted.pairs or wanted.signs:
        yield _Matcher(known, Wanted(frozenset(), wanted.pairs, wanted.signs).is_in)
    words = wanted.parts - anywhere
    if words:
        pattern = _any_of(words)
        yield _Matcher(
            known, lambda searched: any(map(pattern.search, searched.forms)), _keys(words)
        )


def _of_number(known: Known) -> Iterator[_Matcher]:
    """Look for an identifier as a whole, however its parts are joined, and for long numbers."""
    parts = [part for part in re.split(r"[\W_]+", known.text) if part]
    numbers = [part for part in parts if part.isdigit() and len(part) >= DIGITS_AT_LEAST]
    patterns = [f"(?<!\\d){number}(?!\\d)" for number in numbers]
    keys = [*numbers]
    whole = "".join(parts)
    if len(whole) >= SHORTEST and not whole.isdigit():
        forms = [form.split("\0") for form in sorted(forms_of("\0".join(parts)))]
        patterns += [_alone(r"[\W_]*".join(map(re.escape, form))) for form in forms]
        keys += [form[0] for form in forms]
    if patterns:
        pattern = re.compile("|".join(patterns))
        yield _Matcher(
            known,
            lambda searched: any(
                not _is_in_value(found)
                for form in searched.forms
                for found in pattern.finditer(form)
            ),
            _keys(keys),
        )


_OF_NUMBERS = frozenset("0123456789.")


def _is_in_value(found: re.Match[str]) -> bool:
    """Whether a number that was found is a part of a measured value, such as 0.471199."""
    if not found[0].isdigit():
        return False
    text, start, end = found.string, found.start(), found.end()
    first, last = start, end
    while first and text[first - 1] in _OF_NUMBERS:
        first -= 1
    while last < len(text) and text[last] in _OF_NUMBERS:
        last += 1
    if first and text[first - 1].isalpha():
        return False
    before, after = text[first:start], text[end:last].rstrip(".")
    # Tables that take identifiers for numbers write 471199.0; a UID has more points than one.
    return before.lstrip(".").count(".") + after.count(".") == 1 and after != ".0"


def _alone(word: str) -> str:
    return f"(?<![^\\W_]){word}(?![^\\W_])"


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(_alone(re.escape(word)) for word in sorted(words)))


def _needles(known: Known) -> Iterator[bytes]:
    found: set[bytes] = set()
    for word in _written(known):
        for cased in {word, word.upper(), word.lower(), word.title()}:
            for encoding in ENCODINGS:
                with contextlib.suppress(UnicodeEncodeError):
                    found.add(cased.encode(encoding))
    yield from sorted(needle for needle in found if _tells(needle))


def _written(known: Known) -> Iterator[str]:
    """Yield how an identifier is written where its bytes are looked for."""
    if known.kind in DATES:
        yield from written_dates(known.text)
    elif known.kind in PERSONS or known.kind is Kind.LISTED:
        for group in known.text.split("="):
            parts = [part for part in re.split(r"[\^\s]+", group) if part]
            yield from parts
            for first, last in permutations(parts[:2], 2):
                yield from (f"{first}{between}{last}" for between in (" ", "^", ", ", "_", ""))
    else:
        yield known.text


def _tells(needle: bytes) -> bool:
    bare = needle.replace(b"\0", b"")
    if bare.isdigit():
        return len(bare) >= DIGITS_AT_LEAST
    return len(bare) >= BYTES_AT_LEAST


_WORD = re.compile(rb"[A-Za-z0-9]")


def _stands_alone(needle: bytes, data: bytes) -> bool:
    """Whether bytes stand in others, not as the middle of a longer word."""
    start = data.find(needle)
    while start >= 0:
        end = start + len(needle)
        around = data[max(0, start - 1) : start], data[end : end + 1]
        if not any(map(_WORD.match, around)):
            return True
        start = data.find(needle, start + 1)
    return False
