"""Looks for known identifiers, and for what looks like one, in texts and in bytes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, permutations

import numpy as np

from multifidus.io.name_variants import DIGITS_AT_LEAST, Text, Wanted, forms_of
from multifidus.io.privacy.known import DATES, PERSONS, Kind, Known, written_dates
from multifidus.io.privacy.positions import Positions

LETTERS_ANYWHERE = 6
"""Parts of names of so many letters are looked for within words as well, shorter ones as words."""

SHORTEST = 4
"""Texts of fewer characters, other than names, stand anywhere by chance."""

CHUNK, OVERLAP = 1 << 18, 256
"""Long texts are searched piece by piece; the pieces overlap by the longest identifier."""

HEADER = 1 << 16
"""Bytes at the beginning of a binary file that are read as text as well, if most of them are."""

HEADER_OF_NUMBERS = 1 << 12
"""As many of any other: in more of them, short words stand by chance."""

ENCODINGS = (
    "utf-8", "utf-16-le", "utf-16-be", "latin-1", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256",
    "iso8859-5", "iso8859-7", "iso8859-8", "koi8-r", "tis-620", "gb18030", "euc-kr", "shift-jis",
    "euc-jp", "iso2022-jp", "big5", "cp850", "cp866", "mac-roman",
)  # fmt: skip
"""How programs write names into bytes: those of DICOM's character sets, and of Windows."""

BYTES_AT_LEAST = 4
"""Fewer bytes stand in compressed data by chance."""

BYTES_ANYWHERE = 6
"""So many bytes stand in numbers and packed data for a reason, fewer only among text."""

LOOKS_AT_LEAST = 10
"""Fewer letters look like a name or an address by chance in bytes that are no text."""

HOME = "path of a home folder"
DICOM_NAME = "name in DICOM's writing"

LOOKS_LIKE = {
    HOME: re.compile(
        r"(?:/home/|/Users/(?!Shared\b)|\b[A-Za-z]:[\\/]{1,2}(?:Users|Documents and Settings)"
        r"[\\/]{1,2}(?!Public\b))[^/\\\s\"'<>]+"
    ),
    "e-mail address": re.compile(r"\b[\w.+-]{2,}@[\w-]+\.[a-z]{2,}\b", re.IGNORECASE),
    DICOM_NAME: re.compile(r"\b[^\W\d_]{2,}\^[^\W\d_]{2,}\b"),
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


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Matcher:
    """How to find one identifier: by a pattern around a word that stands in all that match."""

    known: Known
    pattern: re.Pattern[str]
    reach: int
    """How far from the word a match may begin or end."""
    is_number: bool = False

    def is_at(self, form: str, place: int) -> bool:
        start, end = max(0, place - self.reach), place + self.reach
        if not self.is_number:
            return self.pattern.search(form, start, end) is not None
        return any(not _is_in_value(found) for found in self.pattern.finditer(form, start, end))


@dataclass(frozen=True, slots=True, repr=False)
class _ShortNames:
    """Names of so few letters that their words count together alone, or by themselves."""

    pairs: dict[tuple[str, str], list[Known]]
    joined: dict[str, list[Known]]
    signs: dict[str, list[Known]]

    def in_(self, text: Text) -> Iterator[Known]:
        if self.pairs:
            for words in map(text.words_of, text.forms):
                for joined in self.joined.keys() & set(words):
                    yield from self.joined[joined]
                for pair in self.pairs.keys() & set(pairwise(words)):
                    yield from self.pairs[pair]
        if self.signs:
            for sign in self.signs.keys() & set(text.words):
                yield from self.signs[sign]


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
    def _words(self) -> Positions[str, _Matcher]:
        return Positions(found for one in self._known for found in _matchers(one))

    @cached_property
    def _short(self) -> _ShortNames:
        return _short_names(self._known)

    @cached_property
    def _needles(self) -> Positions[bytes, Known]:
        return Positions((needle, one) for one in self._known for needle in _needles(one))

    def in_text(self, text: str) -> Iterator[Hit]:
        """Yield what stands in a text, each once; what looks like an identifier as well."""
        seen: dict[Hit, None] = {}
        for start in range(0, max(len(text), 1), CHUNK):
            piece = text[start : start + CHUNK + OVERLAP]
            seen |= dict.fromkeys(self._known_in(piece))
            for what, pattern in LOOKS_LIKE.items():
                seen |= {Hit(what, found[0]): None for found in pattern.finditer(piece)}
        yield from seen

    def _known_in(self, piece: str) -> list[Hit]:
        if not self._known:
            return []
        searched = Text(piece)
        found = set(self._short.in_(searched))
        for form in searched.forms:
            for place, _, matcher in self._words.in_(form):
                if matcher.known not in found and matcher.is_at(form, place):
                    found.add(matcher.known)
        return _hits(found)

    def in_bytes(self, data: bytes) -> Iterator[Hit]:
        """Yield the known identifiers that stand in bytes, in any of the usual encodings."""
        if len(data) < BYTES_AT_LEAST:
            return
        # Headers hold text between numbers.
        header = data[:HEADER] if _is_mostly_text(data[:HEADER]) else data[:HEADER_OF_NUMBERS]
        # Pixels may look like names, so these are looked for where a format says that text is.
        seen = dict.fromkeys(
            _looks_like(header, [kind for kind in LOOKS_LIKE if kind != DICOM_NAME])
        )
        seen |= dict.fromkeys(self._known_in(header.decode("utf-8", "replace")))
        for start in range(0, len(data), CHUNK):
            piece = data[start : start + CHUNK + OVERLAP]
            if any(sign in piece for sign in _SIGNS_OF_HOME):
                seen |= dict.fromkeys(_looks_like(piece, [HOME]))
            if not self._known:
                continue
            is_text = _is_mostly_text(piece)
            found: set[Known] = set()
            for place, needle, known in self._needles.in_(piece):
                if known not in found and _stands_alone(piece, place, needle, is_text=is_text):
                    found.add(known)
            seen |= dict.fromkeys(_hits(found))
        yield from seen


_SIGNS_OF_HOME = (b"/home/", b"Users", b"U\0s\0e\0r\0s\0")


def _looks_like(data: bytes, kinds: Iterable[str]) -> Iterator[Hit]:
    """Yield what looks like an identifier in bytes, a byte or two for each letter."""
    for narrow in (data, data.replace(b"\0", b"")):
        text = _NO_TEXT.sub("\n", narrow.decode("utf-8", "replace"))
        for what in kinds:
            for found in LOOKS_LIKE[what].finditer(text):
                if len(found[0]) >= LOOKS_AT_LEAST:
                    yield Hit(what, found[0])


_NO_TEXT = re.compile("[\0-\x1f\x7f\ufffd]")


def _hits(found: Iterable[Known]) -> list[Hit]:
    ordered = sorted(found, key=lambda one: (one.kind.value, one.text))
    return [Hit(one.kind.value, one.text) for one in ordered]


def _matchers(known: Known) -> Iterator[tuple[str, _Matcher]]:
    """Yield words that stand in a text which holds an identifier, and how to make sure of it."""
    text = known.text
    if known.kind in DATES or (known.kind is Kind.LISTED and re.fullmatch(r"\d{8}", text)):
        yield from _of_words(known, written_dates(text))
        return
    if known.kind in PERSONS or known.kind is Kind.LISTED:
        yield from _of_name(known)
    if known.kind not in PERSONS:
        yield from _of_number(known)


def _of_words(known: Known, words: Iterable[str]) -> Iterator[tuple[str, _Matcher]]:
    for word in words:
        yield word, _Matcher(known, re.compile(_alone(re.escape(word))), len(word) + 1)


def _of_name(known: Known) -> Iterator[tuple[str, _Matcher]]:
    parts = Wanted.name(known.text).parts
    anywhere = {part for part in parts if len(part) >= LETTERS_ANYWHERE or not part.isascii()}
    for part in anywhere:
        yield part, _Matcher(known, re.compile(re.escape(part)), len(part))
    yield from _of_words(known, parts - anywhere)


def _short_names(known: Iterable[Known]) -> _ShortNames:
    found = _ShortNames({}, {}, {})
    for one in known:
        if one.kind not in PERSONS and one.kind is not Kind.LISTED:
            continue
        wanted = Wanted.name(one.text)
        for pair in wanted.pairs:
            found.pairs.setdefault(pair, []).append(one)
            found.joined.setdefault("".join(pair), []).append(one)
        for sign in wanted.signs:
            found.signs.setdefault(sign, []).append(one)
    return found


def _of_number(known: Known) -> Iterator[tuple[str, _Matcher]]:
    """Look for an identifier as a whole, however its parts are joined, and for long numbers."""
    parts = [part for part in re.split(r"[\W_]+", known.text) if part]
    for part in parts:
        if part.isdigit() and len(part) >= DIGITS_AT_LEAST:
            pattern = re.compile(f"(?<!\\d){part}(?!\\d)")
            yield part, _Matcher(known, pattern, len(part) + 1, is_number=True)
    whole = "".join(parts)
    if len(whole) >= SHORTEST and not whole.isdigit():
        for form in sorted(forms_of("\0".join(parts))):
            words = form.split("\0")
            pattern = re.compile(_alone(r"[\W_]*".join(map(re.escape, words))))
            reach = 2 * len(form) + len(words) * _BETWEEN_PARTS
            yield max(words, key=len), _Matcher(known, pattern, reach)


_BETWEEN_PARTS = 4
"""Signs between two parts of an identifier, such as a space, a dash and a space."""

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
_NO_CONTROL = np.ones(256, bool)
_NO_CONTROL[[*range(9), *range(14, 32), 127]] = False
_TEXT_AT_LEAST = 0.98
"""How much of a text is no control character; of numbers and of packed data a tenth is."""

_AMONG_TEXT = re.compile(rb"[\x00\x09\x0a\x0d\x20-\x7e]*")


def _is_mostly_text(data: bytes) -> bool:
    return bool(_NO_CONTROL[np.frombuffer(data, np.uint8)].mean() >= _TEXT_AT_LEAST)


def _stands_alone(data: bytes, start: int, needle: bytes, *, is_text: bool) -> bool:
    """Whether bytes stand in others by intent: not in a longer word, short ones among text."""
    end = start + len(needle)
    if any(map(_WORD.match, (data[max(0, start - 1) : start], data[end : end + 1]))):
        return False
    if is_text or len(needle) >= BYTES_ANYWHERE:
        return True
    around = data[max(0, start - 2) : start], data[end : end + 2]
    return all(map(_AMONG_TEXT.fullmatch, around))
